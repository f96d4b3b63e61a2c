/** `checkLaws` on functions with rules of their own: what it finds in wrong ones, and that it leaves right ones alone. */
import { customJvp, customVjp, jit, lax, type NDArray, numpy as np } from "fluxion";
import { checkLaws, type LawViolation } from "fluxion/laws";
import { describe, expect, it } from "vitest";
import { tryLawsOf } from "../check/checkLaws.js";

const seed = 1873;
const differences = "jvp agrees with finite differences";
const x = np.array([
  [0.3, -1.2, 0.7],
  [1.1, 0.4, -0.6],
]);

type OfArray = (x: NDArray) => NDArray;

/** x sin x, and its derivative. */
const wavy: OfArray = (a) => a.mul(np.sin(a));
const slope: OfArray = (a) => np.sin(a).add(a.mul(np.cos(a)));

type Linear = (t: NDArray, x: NDArray) => NDArray;

const withTangent = (tangent: Linear): OfArray =>
  customJvp(wavy, ([a], [t]) => [wavy(a), tangent(t as NDArray, a)]);

const withCotangent = (cotangent: Linear): OfArray =>
  customVjp(wavy).defVjp(
    (a) => [wavy(a), a],
    (a, ct) => [cotangent(ct as NDArray, a)],
  );

function violationOf(
  f: OfArray,
  more: { readonly seed?: number; readonly path?: string } = {},
): LawViolation {
  const { violation } = tryLawsOf(f, { inputs: [x], seed, ...more });
  if (violation === undefined) throw new Error("all laws hold");
  return violation;
}

describe("wrong rules", () => {
  it.each<[string, OfArray, RegExp]>([
    ["a factor in a tangent", withTangent((t, a) => t.mul(slope(a)).mul(1.5)), /finite difference/],
    ["a factor in a backward pass", withCotangent((ct, a) => ct.mul(slope(a)).mul(1.5)), /finite difference/],
    ["a term left out of a tangent", withTangent((t, a) => t.mul(np.sin(a))), /finite difference/],
    ["a term left out of a backward pass", withCotangent((ct, a) => ct.mul(np.sin(a))), /finite difference/],
    ["a tangent squared", withTangent((t, a) => t.mul(slope(a)).mul(t)), /jvp is linear in the tangent/],
    [
      "a backward pass that is not linear",
      withCotangent((ct, a) => np.tanh(ct).mul(slope(a))),
      /throws NotDifferentiableError: .*wavy.*must be linear in the cotangents.*tanh/,
    ],
    [
      "a backward pass with a constant",
      withCotangent((ct, a) => ct.add(0.125).mul(slope(a))),
      /throws NotDifferentiableError: .*wavy.*must be linear in the cotangents/,
    ],
  ])("%s: the law is named, and at most 3 numbers are left", (_, f, message) => {
    const violation = violationOf(f);
    expect(violation.law.name).toBe(differences);
    expect(violation.numbers).toBeLessThanOrEqual(3);
    expect(violation.message).toMatch(message);
    // The seed and the path lead to the same counterexample.
    const again = violationOf(f, violation.replay);
    expect(again.at.map(({ array }) => array.tolist())).toEqual(
      violation.at.map(({ array }) => array.tolist()),
    );
  });

  it("are found inside of loops, branches and calls, with other seeds too", () => {
    const wrong = withCotangent((ct, a) => ct.mul(np.sin(a)));
    const looped: OfArray = (a) => lax.scan((c, _) => [wrong(c), null], a, null, { length: 2 })[0];
    const branched: OfArray = (a) => lax.switchCase(np.array(1, "int32"), [np.cos, wrong], a);
    for (const [k, f] of [looped, branched, jit(wrong)].entries()) {
      const violation = violationOf(f, { seed: 7919 * k });
      expect([violation.law.name, violation.numbers <= 3]).toEqual([differences, true]);
    }
  });
});

describe("right rules", () => {
  it.each<[string, OfArray]>([
    ["a tangent rule", withTangent((t, a) => t.mul(slope(a)))],
    ["a backward pass", withCotangent((ct, a) => ct.mul(slope(a)))],
    [
      "one that takes a detour",
      withCotangent((ct, a) =>
        ct
          .mul(2)
          .mul(slope(a))
          .sub(ct.mul(a.mul(np.cos(a))))
          .sub(ct.mul(np.sin(a))),
      ),
    ],
  ])("%s keeps all laws", async (_, f) => {
    const report = await checkLaws(f, { inputs: [x], seed, runs: 3 });
    expect(report.laws.length).toBeGreaterThan(40);
    expect(report.laws.find(({ name }) => name === differences)?.abstained).toBe(0);
  });
});
