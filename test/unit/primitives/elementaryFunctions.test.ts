/** Functions of numbers against values that were computed with 100 digits (see reference.py), in units in the last place. */
import { describe, expect, it } from "vitest";
import type { NDArray } from "../../../src/core/array.js";
import { pow, rem, rsqrt, sqrt } from "../../../src/primitives/arithmetic.js";
import { exp, exp2, expm1, log, log1p, logistic } from "../../../src/primitives/exponential.js";
import { acosh, asinh, atanh, cosh, sinh, tanh } from "../../../src/primitives/hyperbolic.js";
import { cbrt } from "../../../src/primitives/power.js";
import { digamma, erf, erfc, erfInv, lgamma, polygamma } from "../../../src/primitives/special.js";
import { acos, asin, atan, atan2, cos, sin, tan } from "../../../src/primitives/trigonometric.js";
import { grad } from "../../../src/transforms/grad.js";
import { f16, f32, f64, i32, list, refusal } from "./arrays.js";
import reference from "./reference.json";

const nan = Number.NaN;
const inf = Number.POSITIVE_INFINITY;

type Rows = readonly (readonly number[])[];

/** The distance between neighbouring doubles at y. */
const ulp = (y: number): number => 2 ** (Math.max(Math.floor(Math.log2(Math.abs(y))), -1022) - 52);

/** The largest error in units in the last place, and where it is. */
function worst(rows: Rows, f: (...operands: NDArray[]) => NDArray): { error: number; at: readonly number[] } {
  const operands = rows[0].slice(0, -1).map((_, k) => f64(rows.map((row) => row[k])));
  const values = list(f(...operands));
  let error = 0;
  let at = rows[0];
  for (const [i, row] of rows.entries()) {
    const wanted = row[row.length - 1];
    const own = Math.abs(values[i] - wanted) / ulp(wanted);
    if (own <= error) continue;
    error = own;
    at = row;
  }
  return { error, at };
}

/** The functions, and the error that each is allowed: a little more than was measured. */
const functions: Readonly<Record<string, readonly [(...x: NDArray[]) => NDArray, number]>> = {
  exp: [exp, 1],
  exp2: [exp2, 1],
  expm1: [expm1, 1],
  log: [log, 1],
  log1p: [log1p, 1],
  logistic: [logistic, 3],
  sqrt: [sqrt, 0],
  rsqrt: [rsqrt, 1],
  cbrt: [cbrt, 1],
  sin: [sin, 1],
  cos: [cos, 1],
  tan: [tan, 1],
  asin: [asin, 1],
  acos: [acos, 1],
  atan: [atan, 1],
  sinh: [sinh, 2],
  cosh: [cosh, 2],
  tanh: [tanh, 2],
  asinh: [asinh, 2],
  acosh: [acosh, 2],
  atanh: [atanh, 2],
  pow: [pow, 1],
  atan2: [atan2, 1],
  rem: [rem, 0],
  erf: [erf, 4],
  erfc: [erfc, 6],
  erfInv: [erfInv, 4],
  lgamma: [lgamma, 4],
  digamma: [digamma, 4],
  polygamma1: [(x) => polygamma(x, 1), 5],
  polygamma8: [(x) => polygamma(x, 8), 4],
};

describe("values in double precision", () => {
  it.each(Object.keys(functions))("%s", (name) => {
    const [f, allowed] = functions[name];
    const { error, at } = worst((reference as Record<string, Rows>)[name], f);
    expect(error, `at ${at}`).toBeLessThanOrEqual(allowed);
  });
});

describe("on the negative axis", () => {
  // Beside a zero of the function digits cancel: there the error is small beside 1, not beside the value.
  it.each([
    ["lgammaNegative", lgamma, 2e-15],
    ["digammaNegative", digamma, 4e-15],
    ["polygamma2", (x: NDArray) => polygamma(x, 2), 1e-13],
    ["polygamma3", (x: NDArray) => polygamma(x, 3), 1e-13],
  ] as const)("%s", (name, f, allowed) => {
    const rows = reference[name];
    const values = list(f(f64(rows.map(([x]) => x))));
    for (const [i, [x, wanted]] of rows.entries())
      expect(Math.abs(values[i] - wanted) / Math.max(1, Math.abs(wanted)), `at ${x}`).toBeLessThan(allowed);
  });
});

describe("corners", () => {
  const corners = [0, -0, inf, -inf, nan];
  it.each([
    ["exp", exp, [1, 1, inf, 0, nan]],
    ["exp2", exp2, [1, 1, inf, 0, nan]],
    ["expm1", expm1, [0, -0, inf, -1, nan]],
    ["log", log, [-inf, -inf, inf, nan, nan]],
    ["log1p", log1p, [0, -0, inf, nan, nan]],
    ["logistic", logistic, [0.5, 0.5, 1, 0, nan]],
    ["sqrt", sqrt, [0, -0, inf, nan, nan]],
    ["rsqrt", rsqrt, [inf, -inf, 0, nan, nan]],
    ["cbrt", cbrt, [0, -0, inf, -inf, nan]],
    ["sin", sin, [0, -0, nan, nan, nan]],
    ["cos", cos, [1, 1, nan, nan, nan]],
    ["tan", tan, [0, -0, nan, nan, nan]],
    ["asin", asin, [0, -0, nan, nan, nan]],
    ["atan", atan, [0, -0, Math.PI / 2, -Math.PI / 2, nan]],
    ["sinh", sinh, [0, -0, inf, -inf, nan]],
    ["cosh", cosh, [1, 1, inf, inf, nan]],
    ["tanh", tanh, [0, -0, 1, -1, nan]],
    ["asinh", asinh, [0, -0, inf, -inf, nan]],
    ["acosh", acosh, [nan, nan, inf, nan, nan]],
    ["atanh", atanh, [0, -0, nan, nan, nan]],
    ["erf", erf, [0, -0, 1, -1, nan]],
    ["erfc", erfc, [1, 1, 0, 2, nan]],
    ["erfInv", erfInv, [0, -0, nan, nan, nan]],
    ["lgamma", lgamma, [inf, inf, inf, inf, nan]],
    ["digamma", digamma, [nan, nan, inf, nan, nan]],
    ["trigamma", (x: NDArray) => polygamma(x, 1), [inf, inf, 0, nan, nan]],
    ["tetragamma", (x: NDArray) => polygamma(x, 2), [nan, nan, -0, nan, nan]],
  ] as const)("%s of 0, -0, inf, -inf, NaN", (_, f, wanted) => {
    expect(list(f(f64(corners)))).toEqual(wanted);
  });

  it("poles and edges", () => {
    expect(list(atanh(f64([1, -1, 1.5])))).toEqual([inf, -inf, nan]);
    expect(list(erfInv(f64([1, -1, 1.5, -2])))).toEqual([inf, -inf, nan, nan]);
    expect(list(lgamma(f64([-1, -2, -1e300, 1, 2, 1e306])))).toEqual([inf, inf, inf, 0, 0, inf]);
    expect(list(digamma(f64([-1, -1e17])))).toEqual([nan, nan]);
    expect(list(polygamma(f64([-1, -2]), 1))).toEqual([inf, inf]);
    expect(list(polygamma(f64([-1]), 2))).toEqual([nan]);
    expect(list(erfc(f64([28, 1e10])))).toEqual([0, 0]);
    // Below the normal numbers, but not yet zero.
    expect(Math.log10(erfc(f64([27], [])).item() as number)).toBeCloseTo(-318.281, 3);
    expect(list(logistic(f64([-745, 800, -800])))).toEqual([5e-324, 1, 0]);
    expect(list(atan2(f64([0, 0, -0, -0, 1, inf]), f64([1, -1, 1, -1, 0, -inf])))).toEqual([
      0,
      Math.PI,
      -0,
      -Math.PI,
      Math.PI / 2,
      (3 * Math.PI) / 4,
    ]);
  });

  it("are rounded to the dtype", () => {
    expect(list(exp(f32([1, 100])))).toEqual([Math.fround(Math.E), inf]);
    // 2^-10·2718/1000 lies between 2.716796875 and 2.71875, the neighbours of e in half precision.
    expect(list(exp(f16([1, 12])))).toEqual([2.71875, inf]);
    expect(sin(f32([])).shape).toEqual([0]);
    expect(sin(f64([1], [])).item()).toBe(Math.sin(1));
  });

  it("take a bare number as a weak float32", () => {
    const y = sin(1);
    expect([y.dtype, y.weakType, y.item()]).toEqual(["float32", true, Math.fround(Math.sin(1))]);
  });
});

describe("derivatives", () => {
  it("of functions with an infinite slope are infinite there", () => {
    expect(list(grad((x: NDArray) => sqrt(x))(f64([0], [])))).toEqual([inf]);
    expect(list(grad((x: NDArray) => cbrt(x))(f64([0], [])))).toEqual([inf]);
    expect(list(grad((x: NDArray) => asin(x))(f64([1], [])))).toEqual([inf]);
    expect(list(grad((x: NDArray) => acosh(x))(f64([1], [])))).toEqual([inf]);
  });

  it("keep their digits beside 1, where 1 - x² would lose them", () => {
    // For x = 1 - d: 1/√(d(2 - d)), with d = 2^-24, exact in float32.
    const x = f32([1 - 2 ** -24], []);
    const wanted = 1 / Math.sqrt(2 ** -24 * (2 - 2 ** -24));
    expect(grad((v: NDArray) => asin(v))(x).item() as number).toBeCloseTo(wanted, 3);
    expect(grad((v: NDArray) => acos(v))(x).item() as number).toBeCloseTo(-wanted, 3);
    expect((grad((v: NDArray) => atanh(v))(x).item() as number) / wanted ** 2).toBeCloseTo(1, 6);
  });

  it("of lgamma exist to any order", () => {
    const third = grad((x: NDArray) => grad((y: NDArray) => grad((z: NDArray) => lgamma(z))(y))(x));
    // ψ''(1) = -2ζ(3).
    expect(third(f64([1], [])).item()).toBeCloseTo(-2 * 1.2020569031595942, 12);
  });
});

describe("type rules", () => {
  const x = { shape: [2], dtype: "int32", weakType: false } as const;
  it("refuse integers, a wrong number of operands and nonsensical orders", () => {
    expect(refusal("sin", [x], {})).toBe("DtypeError: sin is not defined for int32 (operands int32[2])");
    expect(refusal("exp", [], {})).toBe("ArgumentError: exp takes 1 operand, got 0");
    expect(refusal("atan2", [x], {})).toBe("ArgumentError: atan2 takes 2 operands, got 1");
    const float = { ...x, dtype: "float32" } as const;
    for (const n of [0, -1, 1.5, "1", undefined])
      expect(refusal("polygamma", [float], { n })).toBe(
        `ArgumentError: polygamma: the order n must be a whole number above 0 (0 is digamma), got ${JSON.stringify(n) ?? "undefined"}`,
      );
    expect(() => sin(i32([1]))).toThrow("sin is not defined for int32");
  });
});
