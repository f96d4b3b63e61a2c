/** The comparison finds what is wrong: a wrong last place, another zero, another infinity, a NaN. */
import { describe, expect, it } from "vitest";
import { concreteArray } from "../../src/core/array.js";
import { aval } from "../../src/core/aval.js";
import { allocate, type DType } from "../../src/core/dtype.js";
import { equation } from "../unit/compiler/lowerEquation.js";
import { named } from "../unit/compiler/lowered.js";
import type { Abilities } from "./cases.js";
import { compare, type Errors } from "./compare.js";
import { ulps } from "./ulp.js";

const cpu: Abilities = { float64: true, flushes: false };
const gpu: Abilities = { float64: false, flushes: true };

/** The error of results of a unary primitive. */
function errorOf(
  name: string,
  operands: number[],
  results: number[],
  device = cpu,
  dtype: DType = "float32",
) {
  const primitive = named(name);
  const type = aval([operands.length], dtype);
  const jaxpr = equation(primitive, [type], {});
  const values = allocate(jaxpr.outAvals[0].dtype, results.length);
  values.set(results);
  const errors: Errors = new Map();
  const one = { primitive, params: {}, jaxpr, pointwise: true, draws: [] };
  compare(one, [concreteArray(operands, type.shape, dtype)], [values], device, errors);
  return errors.get(jaxpr.outAvals[0].dtype)?.error;
}

const tiny = 2 ** -140;

describe("comparing", () => {
  it("counts units in the last place", () => {
    expect(errorOf("exp", [0, 1], [1, Math.fround(Math.E)])).toBeLessThan(0.5);
    const next = Math.fround(Math.E) + 2 ** -22;
    expect(errorOf("exp", [0, 1], [1, next])).toBeCloseTo(Math.abs(next - Math.E) * 2 ** 22, 6);
    expect(errorOf("exp", [100], [Infinity])).toBe(0);
    expect(errorOf("exp", [100], [3.4028234663852886e38])).toBe(1);
    expect(errorOf("exp", [0], [1, 1])).toBe(Infinity);
  });

  it("tells zeros, infinities and NaN apart", () => {
    expect(errorOf("sin", [-0], [-0])).toBe(0);
    expect(errorOf("sin", [-0], [0])).toBe(Infinity);
    expect(errorOf("log", [0], [-Infinity])).toBe(0);
    expect(errorOf("log", [0], [Infinity])).toBe(Infinity);
    expect(errorOf("log", [0], [-3e38])).toBe(Infinity);
    expect(errorOf("log", [-1], [NaN])).toBe(0);
    expect(errorOf("log", [-1], [0])).toBe(Infinity);
    expect(errorOf("log", [1], [NaN])).toBe(Infinity);
  });

  it("allows nothing where results are exact", () => {
    expect(errorOf("neg", [1, 2], [-1, -2])).toBe(0);
    expect(errorOf("neg", [1, 2], [-1, Math.fround(-2.0000002)])).toBe(Infinity);
    expect(errorOf("neg", [0], [0])).toBe(Infinity);
    expect(errorOf("neg", [7], [-7], cpu, "int32")).toBe(0);
    expect(errorOf("neg", [7], [-8], cpu, "int32")).toBe(Infinity);
    expect(errorOf("isFinite", [7], [0])).toBe(Infinity);
  });

  it("lets a GPU take subnormal numbers for zero, and nothing else", () => {
    expect(errorOf("neg", [tiny], [-0], gpu)).toBe(0);
    expect(errorOf("neg", [tiny], [-0], cpu)).toBe(Infinity);
    expect(errorOf("log", [tiny], [-Infinity], gpu)).toBe(0);
    expect(errorOf("log", [tiny], [Math.log(tiny)], gpu)).toBeLessThanOrEqual(0.5);
    expect(errorOf("log", [tiny], [-80], gpu)).toBeGreaterThan(1e6);
    expect(errorOf("log", [tiny], [-Infinity], cpu)).toBeGreaterThan(1e6);
  });
});

describe("units in the last place", () => {
  it("are those of the dtype", () => {
    expect(ulps("float32", 1 + 2 ** -23, 1)).toBe(1);
    expect(ulps("float16", 1 + 2 ** -10, 1)).toBe(1);
    expect(ulps("float64", 1 + 2 ** -52, 1)).toBe(1);
    expect(ulps("float32", 2 ** -149, 0)).toBe(1);
    expect(ulps("float16", 2 ** -24, 0)).toBe(1);
  });

  it("are those at the magnitude, if that is larger", () => {
    expect(ulps("float32", 2 ** -20, 0, 8)).toBe(1);
    expect(ulps("float32", 0, -0, 8)).toBe(0);
    // Beyond the largest number as if it went on.
    expect(ulps("float16", -Infinity, 1e6, 1e12)).toBeLessThan(1);
  });
});
