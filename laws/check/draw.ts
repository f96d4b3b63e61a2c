/** Points of a function as an arbitrary of fast-check: drawn near an example, and shrunk. */
import fc from "fast-check";
import { NDArray, numpy as np } from "fluxion";
import { carriesTangent, numbers } from "../close.js";
import type { ArrayFunction } from "../law.js";
import { generator, makePoint, type Point } from "../point.js";
import { shrinks } from "./shrink.js";
import { movesOfPoint } from "./shrinkPoint.js";

/** The interval that elements of float inputs are drawn from. */
export type Interval = readonly [lo: number, hi: number];

const everywhere: Interval = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];

export interface DrawOptions {
  /** Default: near the elements of the example, on their side of 0. */
  readonly domain?: Interval;
}

/**
 * Another array of the same type. Without a domain each element is moved by up to a fifth of itself, so that it keeps its
 * sign: where a function is defined is not known. Zeros move by up to a tenth of the largest element, or of 1.
 */
function drawNear(x: NDArray, domain: Interval | undefined, random: () => number): NDArray {
  if (!carriesTangent(x)) return x;
  const elements = numbers(x);
  const largest = elements.reduce((m, e) => (Number.isFinite(e) ? Math.max(m, Math.abs(e)) : m), 0) || 1;
  const drawn = elements.map((e) => {
    if (domain !== undefined) return domain[0] + (domain[1] - domain[0]) * random();
    const r = 2 * random() - 1;
    return e === 0 ? 0.1 * largest * r : e * (1 + 0.2 * r);
  });
  return np.reshape(np.array(drawn, { dtype: x.dtype }), [...x.shape]);
}

class PointArbitrary extends fc.Arbitrary<Point> {
  constructor(
    private readonly f: ArrayFunction,
    private readonly example: readonly NDArray[],
    private readonly options: DrawOptions,
  ) {
    super();
  }

  override generate(mrng: fc.Random): fc.Value<Point> {
    return new fc.Value(this.draw(mrng.nextInt()), undefined);
  }

  private draw(seed: number): Point {
    const random = generator(seed);
    const { domain } = this.options;
    const inputs = this.example.map((x) => drawNear(x, domain, random));
    const rows = [0, 1].map(() => this.example.map((x) => drawNear(x, domain, random)));
    try {
      return makePoint(this.f, inputs, seed, rows);
    } catch {
      // Outside of what the function takes; the example itself is inside.
      return makePoint(this.f, this.example, seed);
    }
  }

  override canShrinkWithoutContext(value: unknown): value is Point {
    return typeof value === "object" && value !== null && (value as Point).inputs?.[0] instanceof NDArray;
  }

  override shrink(value: Point, context: unknown): fc.Stream<fc.Value<Point>> {
    const { domain = everywhere } = this.options;
    return shrinks((point) => movesOfPoint(point, { domain: () => domain }), value, context);
  }
}

/**
 * Points near an example: inputs of its types, tangents, cotangents and rows for a batch. They shrink to smaller shapes
 * where `f` takes them, and to elements that are 0, 1 or short.
 *
 * @param f a function of arrays to arrays.
 * @param example inputs that it takes.
 * @example
 * import fc from "fast-check";
 * const near = points((x) => [np.sin(x)], [np.array([0.3], { dtype: "float64" })]);
 * fc.sample(near, 1)[0].v[0].shape; // [1]
 */
export const points = (
  f: ArrayFunction,
  example: readonly NDArray[],
  options: DrawOptions = {},
): fc.Arbitrary<Point> => new PointArbitrary(f, example, options);
