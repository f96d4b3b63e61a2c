/** The logarithm of the gamma function and its derivatives, of float32 in kernel IR. */
import { describe, expect, it } from "vitest";
import * as math from "../../../src/core/ir/math/index.js";
import type { Expr } from "../../../src/core/ir/types.js";
import * as functions from "../../../src/primitives/specialFunctions.js";
import { type Arithmetic, elementFunction, exact, likeGpu } from "./elementFunction.js";
import { corners, fromBits, randomBits, ulps, unitAt } from "./ulps.js";

const modes: readonly (readonly [string, Arithmetic])[] = [
  ["exact", exact],
  ["fused", { fused: true }],
  ["like a GPU", likeGpu],
];

function* points(count: number): Generator<number> {
  yield* corners;
  const next = randomBits(11);
  const unit = () => next() / 2 ** 32;
  for (let i = 0; i < count; i++) {
    yield fromBits(next());
    yield Math.fround(unit() * 4);
    yield Math.fround(unit() * 30);
    yield Math.fround(-unit() * 2);
    yield Math.fround(-unit() * 20);
  }
}

interface Bounds {
  /** In ULP of the result, for x > 0. */
  readonly positive: number;
  /** For x < 0, in units of the last place of the larger of the result and `scale`. */
  readonly negative: number;
  readonly scale: (x: number) => number;
}

function check(
  rule: (x: Expr) => Expr,
  reference: (x: number) => number,
  bounds: Bounds,
  count = 40_000,
): void {
  for (const [name, mode] of modes) {
    const f = elementFunction(["f32"], rule, mode);
    for (const x of points(count)) {
      const wanted = reference(x);
      const actual = f(x);
      // Where numbers are flushed to zero, what is computed from the smallest is lost.
      if (mode.flushed && ((x !== 0 && Math.abs(x) < 2 ** -100) || Math.abs(wanted) < 2 ** -90)) continue;
      const ordinary = x < 0 && Number.isFinite(actual) && Math.abs(wanted) < 3e38;
      const error = ordinary
        ? Math.abs(actual - wanted) / unitAt(Math.max(Math.abs(wanted), Math.abs(bounds.scale(x))))
        : ulps(actual, wanted);
      const bound = ordinary ? bounds.negative : bounds.positive;
      if (!(error <= bound)) expect.fail(`${name}: ${error} units at ${x}: ${actual}, not ${wanted}`);
    }
  }
}

describe("functions of the gamma family", () => {
  it("lgamma", () => {
    const scale = (x: number) => Math.max(1, functions.lgamma(-x));
    check(math.lgamma, functions.lgamma, { positive: 4, negative: 5, scale });
  });

  it("digamma", () => {
    const scale = (x: number) => Math.max(1, functions.digamma(1 - x));
    check(math.digamma, functions.digamma, { positive: 4, negative: 6, scale });
  });

  it.each([1, 2, 3, 4, 6, 10])("polygamma of order %d", (n) => {
    const reference = functions.polygamma(n);
    // Half-way between poles the reference is itself off by what the cotangent of π/2 is in double precision.
    const scale = (x: number) => Math.abs(reference(1 - x)) + functions.polygamma(n + 1)(0.5) * 2 ** -27;
    check((x) => math.polygamma(x, n), reference, { positive: 2 * n + 3, negative: 5 * n + 5, scale }, 8000);
  });

  it("overflows beside the poles for every order", () => {
    for (const n of [30, 40, 100]) {
      const f = elementFunction(["f32"], (x) => math.polygamma(x, n));
      expect([f(1e-30), f(-1e-30)]).toEqual([-Infinity, Infinity]);
    }
  });

  it("log Γ and ψ vanish where they should", () => {
    const lgamma = elementFunction(["f32"], math.lgamma);
    expect([lgamma(1), lgamma(2)]).toEqual([0, 0]);
    const digamma = elementFunction(["f32"], math.digamma);
    const near = Math.fround(1.4616321449683622);
    expect(Math.abs(digamma(near) - functions.digamma(near))).toBeLessThan(1e-14);
  });
});
