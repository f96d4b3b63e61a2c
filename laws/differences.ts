/**
 * Derivatives from values alone: central differences at shrinking steps, extrapolated to step zero, each with an estimate
 * of its error. (Ridders, Accurate computation of F′(x) and F′(x)F″(x), 1982; Press et al., Numerical Recipes, 5.7.)
 *
 * What makes a difference worthless is made part of the estimate: rounding, a kink at the point or near it, a jump, noise.
 */

/** A function of one number to several, seen from 0: h ↦ f(x + hv), flattened. */
export type Line = (h: number) => readonly number[];

/** What the differences along a line can be computed with. */
export interface Precision {
  /** Half the distance from 1 to the next number. */
  readonly unit: number;
  /** The steps, from the first; each is `ratio` times smaller than the one before. */
  readonly first: number;
  readonly ratio: number;
  /** How many steps to begin with, and how many at most. */
  readonly few: number;
  readonly most: number;
  /** Steps so small that only a function with plateaus or jumps looks different there. */
  readonly finest: readonly number[];
  /** Steps so large that plateaus do not show. */
  readonly coarsest: readonly number[];
}

export const double: Precision = {
  unit: 2 ** -53,
  first: 2 ** -6,
  ratio: 4,
  few: 3,
  most: 8,
  finest: [2 ** -23, 2 ** -27],
  coarsest: [2 ** -2, 2 ** -4],
};

export const single: Precision = {
  unit: 2 ** -24,
  first: 2 ** -2,
  ratio: 2,
  few: 4,
  most: 6,
  finest: [2 ** -9, 2 ** -11],
  coarsest: [1],
};

/** A derivative and how far it may be from the truth. Infinitely far, where the differences say nothing. */
export interface Estimate {
  readonly value: number;
  readonly error: number;
}

/** The estimate of the tableau is the best of several, hence a little too good: it is taken for this many times more. */
const SAFETY = 10;

/** How near to a claim, relative to its distance from the estimate, a difference can come by chance. */
const COINCIDENCE = 0.05;

interface Level {
  readonly h: number;
  readonly above: readonly number[];
  readonly below: readonly number[];
}

/** Differences of a function along a line; steps are taken when they are asked for. */
export class Differences {
  private readonly levels: Level[] = [];
  private readonly centre: readonly number[];

  /** @param magnitude of the coordinates: moving along the line rounds them. */
  constructor(
    private readonly line: Line,
    private readonly precision: Precision,
    private readonly magnitude: number,
  ) {
    this.centre = line(0);
    this.extend(precision.few);
  }

  /** Whether smaller steps can be taken. */
  get canRefine(): boolean {
    return this.levels.length < this.precision.most;
  }

  refine(): void {
    this.extend(this.precision.most);
  }

  private extend(count: number): void {
    const { first, ratio } = this.precision;
    while (this.levels.length < count) this.levels.push(this.level(first / ratio ** this.levels.length));
  }

  private level(h: number): Level {
    return { h, above: this.line(h), below: this.line(-h) };
  }

  /** The derivative of one of the numbers. */
  estimate(element: number): Estimate {
    const { ratio } = this.precision;
    const centre = this.centre[element];
    let best: Estimate = { value: Number.NaN, error: Number.POSITIVE_INFINITY };
    // The row of the tableau before this one: of slopes, and of jumps of the slope.
    let slopes: number[] = [];
    let kinks: number[] = [];
    for (const { h, above, below } of this.levels) {
      const [p, m] = [above[element], below[element]];
      const slope = (p - m) / (2 * h);
      const kink = (p - 2 * centre + m) / h;
      // Outside of the domain of f: extrapolation begins anew, closer to the point.
      if (!Number.isFinite(slope) || !Number.isFinite(kink)) {
        slopes = [];
        kinks = [];
        continue;
      }
      const size = Math.max(Math.abs(p), Math.abs(m), Math.abs(centre), this.magnitude * Math.abs(slope));
      const rounding = (2 * this.precision.unit * size) / h;
      const nextSlopes = [slope];
      const nextKinks = [kink];
      for (let j = 1; j <= slopes.length; j++) {
        // A central difference is even in h, and half of what a kink leaves is odd: h, h³, h⁵.
        const value = extrapolate(nextSlopes[j - 1], slopes[j - 1], ratio ** (2 * j));
        const left = extrapolate(nextKinks[j - 1], kinks[j - 1], ratio ** (2 * j - 1));
        nextSlopes.push(value);
        nextKinks.push(left);
        const spread = Math.max(Math.abs(value - nextSlopes[j - 1]), Math.abs(value - slopes[j - 1]));
        const error = SAFETY * Math.max(spread, Math.abs(left) / 2, rounding);
        if (error < best.error) best = { value, error };
      }
      slopes = nextSlopes;
      kinks = nextKinks;
    }
    return best;
  }

  /**
   * Whether the estimate can stand against what is claimed. It cannot where f is a staircase: where differences at much
   * smaller steps leave the estimate, or those at several larger steps agree with the claim so well that the estimate may
   * come from a plateau.
   */
  confirms({ value }: Estimate, element: number, claimed: number): boolean {
    const gap = Number.isFinite(claimed) ? Math.abs(claimed - value) : Math.max(2e-3, Math.abs(value));
    const centre = this.centre[element];
    const slopeOf = ({ h, above, below }: Level): number => (above[element] - below[element]) / (2 * h);
    const stays = this.precision.finest.every((h) => {
      const level = this.level(h);
      const sides = [
        slopeOf(level),
        (level.above[element] - centre) / h,
        (centre - level.below[element]) / h,
      ];
      return sides.every((side) => Math.abs(side - value) <= gap / 2);
    });
    if (!stays) return false;
    const larger = [...this.levels, ...this.precision.coarsest.map((h) => this.level(h))];
    const agreeing = larger.filter((level) => Math.abs(slopeOf(level) - claimed) <= COINCIDENCE * gap);
    // One of them may come by the claim on its way to the estimate.
    return agreeing.length < 2;
  }
}

/** Removes the term that shrinks by `factor` from one step to the next. */
const extrapolate = (fine: number, coarse: number, factor: number): number =>
  fine + (fine - coarse) / (factor - 1);
