/** Trying the laws on a seeded fault until one of them fails. */
import { type Example, FluxionError, type Primitive } from "fluxion";
import type { PrimitiveCase } from "../cases.js";
import { isAboutDerivatives } from "../check/order.js";
import { isExact } from "../exact.js";
import type { Law, Verdict } from "../law.js";
import type { Point } from "../point.js";
import { units } from "../statements/recordExactness.js";
import { describeDifference, isRounding } from "./compare.js";
import { type Mutant, type RuleName, ruleNames, seeded } from "./fault.js";
import { caseOf, pointOf } from "./operands.js";

/** The laws that faults are held against. */
export interface Statements {
  readonly functionLaws: readonly Law<Point>[];
  readonly primitiveLaws: readonly Law<PrimitiveCase>[];
}

/** A law at one place. */
interface Trial {
  readonly law: string;
  /** The place, for what is remembered of it. */
  readonly key: string;
  readonly run: () => Verdict;
}

export type Outcome =
  | {
      readonly kind: "killed";
      readonly law: string;
      /** A law failed, or something threw while it was tried: which error. */
      readonly how: string;
    }
  | { readonly kind: "same"; readonly reason: string }
  | {
      /** Rounding, if results are off by no more than the library promises. */
      readonly kind: "rounding" | "survived";
      /** How far results are off, in words. */
      readonly reason: string;
    };

/** Operands that all laws are tried on, and others that the likeliest are tried on before a fault counts as survivor. */
const seeds = [11, 12];
const moreSeeds = Array.from({ length: 30 }, (_, i) => 100 + i);
/** Laws that are tried before it is looked whether the fault changes any number. */
const likeliest = 5;

/** Laws that notice most faults of a rule, to begin with. */
const usual: Readonly<Record<RuleName, readonly string[]>> = {
  jvp: [
    "jvp agrees with finite differences",
    "what has no derivative has none",
    "a symbolic zero is a zero",
    "reverse mode is there and is the transpose",
  ],
  transpose: ["duality", "reverse mode is there and is the transpose"],
  batch: ["vmap is map", "the batch rule is a loop", "vmap over one input"],
  abstractEval: ["types are predicted", "abstract evaluation predicts evaluation", "vmap is map"],
  lower: [
    "jit is the identity on meaning",
    "the lowered form is exact to some units",
    "the lowered form keeps corner values",
  ],
  dependence: ["the dependence rule covers the Jacobian", "the pattern covers the Jacobian"],
};

/** The laws at the examples of one primitive. What the sound primitive makes of them is tried once. */
export class Court {
  private readonly cases = new Map<string, readonly Trial[]>();
  private readonly sound = new Map<string, boolean>();
  private readonly kills = new Map<string, number>();
  /** Laws that fail on the sound primitive, with the place. */
  readonly unsound = new Set<string>();

  constructor(
    private readonly primitive: Primitive,
    private readonly statements: Statements,
  ) {
    for (const rule of ruleNames)
      for (const [place, law] of usual[rule].entries()) this.kills.set(`${rule}/${law}`, 1 / (place + 2));
  }

  /** Laws that killed most come first: each fault meets the likeliest to notice it. */
  private sorted(trials: readonly Trial[], rule: RuleName): Trial[] {
    const count = ({ law }: Trial): number => this.kills.get(`${rule}/${law}`) ?? 0;
    return [...trials].sort((a, b) => count(b) - count(a));
  }

  /** Names of laws that have noticed faults of a rule, the best first. */
  private ranked(rule: RuleName): string[] {
    const own = [...this.kills].filter(([key]) => key.startsWith(`${rule}/`));
    return own.sort((a, b) => b[1] - a[1]).map(([key]) => key.slice(rule.length + 1));
  }

  /** Whether the law holds, or abstains, where nothing is wrong. */
  private holdsSoundly(trial: Trial): boolean {
    let holds = this.sound.get(trial.key);
    if (holds === undefined) {
      holds = attempt(trial) === undefined;
      this.sound.set(trial.key, holds);
      if (!holds) this.unsound.add(trial.key);
    }
    return holds;
  }

  /** Tries one law with the fault in place; says how it failed. */
  private killedBy(mutant: Mutant, trial: Trial): string | undefined {
    const how = seeded(mutant, () => attempt(trial));
    return how !== undefined && this.holdsSoundly(trial) ? how : undefined;
  }

  /** All laws at operands that follow from the seed. */
  private trials(mutant: Mutant, seed: number): readonly Trial[] {
    const { examples, active } = mutant;
    return examples.flatMap((example) => {
      const key = `${this.numberOf(example)}/${active?.map(Number).join("") ?? ""}/${seed}`;
      let found = this.cases.get(key);
      if (found === undefined) {
        found = this.trialsAt(example, active, seed, key);
        this.cases.set(key, found);
      }
      return found;
    });
  }

  private readonly numbers = new Map<Example, number>();

  private numberOf(example: Example): number {
    const number = this.numbers.get(example) ?? this.numbers.size;
    this.numbers.set(example, number);
    return number;
  }

  private trialsAt(
    example: Example,
    active: readonly boolean[] | undefined,
    seed: number,
    key: string,
  ): Trial[] {
    const { functionLaws, primitiveLaws } = this.statements;
    const { of, point } = caseOf(this.primitive, example, seed);
    const points = [point];
    if (active?.includes(true) && active.includes(false))
      points.unshift(pointOf(this.primitive, example, active, seed));
    const meant = functionLaws.filter(
      (law) => this.primitive.laws.differentiable || !isAboutDerivatives(law),
    );
    return [
      ...points.flatMap((p, k) =>
        meant.map((law) => ({
          law: law.name,
          key: `${law.name} at ${key}/${k}`,
          run: () => law.check(p),
        })),
      ),
      ...primitiveLaws.map((law) => ({
        law: law.name,
        key: `${law.name} at ${key}`,
        run: () => law.check(of),
      })),
    ];
  }

  /** Tries laws in turn; says which of them noticed the fault. */
  private convict(mutant: Mutant, trials: readonly Trial[]): Outcome | undefined {
    for (const trial of trials) {
      const how = this.killedBy(mutant, trial);
      if (how === undefined) continue;
      const key = `${mutant.rule}/${trial.law}`;
      this.kills.set(key, (this.kills.get(key) ?? 0) + 1);
      return { kind: "killed", law: trial.law, how };
    }
    return undefined;
  }

  /**
   * Tries the likeliest laws; then looks whether there is anything to notice, since otherwise all laws would be tried on all
   * operands in vain; then tries the others.
   */
  judge(mutant: Mutant): Outcome {
    const first = this.sorted(this.trials(mutant, seeds[0]), mutant.rule);
    const early = this.convict(mutant, first.slice(0, likeliest));
    if (early !== undefined) return early;
    const reason = mutant.same(seeds[0]);
    if (reason !== undefined) return { kind: "same", reason };
    const late = this.convict(mutant, first.slice(likeliest));
    if (late !== undefined) return late;
    for (const seed of seeds.slice(1)) {
      const found = this.convict(mutant, this.sorted(this.trials(mutant, seed), mutant.rule));
      if (found !== undefined) return found;
    }
    for (const seed of moreSeeds) {
      const some = new Set([...this.ranked(mutant.rule).slice(0, likeliest), ...usual[mutant.rule]]);
      const found = this.convict(
        mutant,
        this.trials(mutant, seed).filter(({ law }) => some.has(law)),
      );
      if (found !== undefined) return found;
    }
    return this.measured(mutant);
  }

  /** What is said of a fault that no law noticed. */
  private measured(mutant: Mutant): Outcome {
    const difference = mutant.difference(seeds[0]);
    if (difference === undefined) return { kind: "survived", reason: "it is types or flags that differ" };
    const promised = isExact(this.primitive) ? 0 : units;
    return {
      kind: isRounding(difference, promised) ? "rounding" : "survived",
      reason: describeDifference(difference, promised),
    };
  }

  /** All laws that notice the fault. */
  killers(mutant: Mutant): string[] {
    const trials = this.trials(mutant, seeds[0]);
    const found = new Set<string>();
    for (const trial of trials)
      if (!found.has(trial.law) && this.killedBy(mutant, trial) !== undefined) found.add(trial.law);
    return [...found];
  }
}

/** How the law failed: undefined if it did not. */
function attempt({ run }: Trial): string | undefined {
  try {
    return run().kind === "fails" ? "fails" : undefined;
  } catch (error) {
    return error instanceof FluxionError
      ? error.name
      : `throws ${error instanceof Error ? error.name : "something"}`;
  }
}
