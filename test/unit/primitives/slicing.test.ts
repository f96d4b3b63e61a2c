import { describe, expect, it } from "vitest";
import { aval } from "../../../src/core/aval.js";
import { Literal, Var } from "../../../src/core/jaxpr.js";
import { findPrimitive } from "../../../src/core/primitive.js";
import { mul } from "../../../src/primitives/arithmetic.js";
import { reduceSum } from "../../../src/primitives/broadcast.js";
import { pad, rev, slice } from "../../../src/primitives/slicing.js";
import { grad } from "../../../src/transforms/grad.js";
import { vmap } from "../../../src/transforms/vmap.js";
import { bool, counting, f16, f64, i32, list, refusal } from "./arrays.js";

const x = aval([4], "float32");

describe("slice", () => {
  it("takes a part, in steps", () => {
    expect(slice(counting([6]), [1], [5]).tolist()).toEqual([1, 2, 3, 4]);
    expect(slice(counting([6]), [1], [6], [2]).tolist()).toEqual([1, 3, 5]);
    expect(slice(counting([6]), [1], [5], [3]).tolist()).toEqual([1, 4]);
    expect(slice(counting([3, 4]), [1, 0], [3, 4], [1, 3]).tolist()).toEqual([
      [4, 7],
      [8, 11],
    ]);
    expect(slice(counting([2, 3, 4]), [1, 1, 0], [2, 3, 4], [1, 1, 2]).tolist()).toEqual([
      [
        [16, 18],
        [20, 22],
      ],
    ]);
  });

  it("takes what JavaScript's own slice takes, for all starts, limits and steps", () => {
    const elements = [10, 11, 12, 13, 14];
    for (let start = 0; start <= 5; start++)
      for (let limit = start; limit <= 5; limit++)
        for (let step = 1; step <= 6; step++)
          expect(list(slice(f64(elements), [start], [limit], [step]))).toEqual(
            elements.slice(start, limit).filter((_, i) => i % step === 0),
          );
  });

  it("may take nothing, or all of a scalar", () => {
    expect(slice(counting([3]), [3], [3]).tolist()).toEqual([]);
    expect(slice(bool([1], []), [], []).tolist()).toBe(true);
    expect(slice(f64([], [0, 2]), [0, 1], [0, 2]).shape).toEqual([0, 1]);
  });

  it("leaves zeros in the gradient where it took nothing", () => {
    const weighted = (part: (a: ReturnType<typeof f64>) => ReturnType<typeof slice>, w: readonly number[]) =>
      grad((a: ReturnType<typeof f64>) => reduceSum(mul(part(a), f64(w)), [0]))(counting([7]));
    expect(list(weighted((a) => slice(a, [1], [7], [2]), [10, 20, 30]))).toEqual([0, 10, 0, 20, 0, 30, 0]);
    expect(list(weighted((a) => slice(a, [2], [6], [3]), [10, 20]))).toEqual([0, 0, 10, 0, 0, 20, 0]);
    expect(list(weighted((a) => slice(a, [2], [2]), []))).toEqual([0, 0, 0, 0, 0, 0, 0]);
  });

  it("refuses parts that are not there", () => {
    const text = (from: string, to: string, steps: string) =>
      `ShapeError: slice: float32[4] has no part from ${from} to ${to} in steps ${steps}`;
    const refused = (start: unknown, limit: unknown, strides: unknown) =>
      refusal("slice", [x], { start, limit, strides });
    expect(refused([0], [5], [1])).toBe(text("[0]", "[5]", "[1]"));
    expect(refused([3], [2], [1])).toBe(text("[3]", "[2]", "[1]"));
    expect(refused([-1], [2], [1])).toBe(text("[-1]", "[2]", "[1]"));
    expect(refused([0], [4], [0])).toBe(text("[0]", "[4]", "[0]"));
    expect(refused([0, 0], [4, 1], [1, 1])).toBe(text("[0,0]", "[4,1]", "[1,1]"));
    expect(refused(null, [4], undefined)).toBe(text("null", "[4]", "undefined"));
    expect(refusal("slice", [], {})).toBe("ArgumentError: slice takes 1 operand, got nothing");
  });

  it("is left out of a program only if it takes all", () => {
    const simplify = findPrimitive("slice")?.simplify;
    const v = new Var(0, x);
    expect(simplify?.([v], { start: [0], limit: [4], strides: [1] })).toBe(0);
    expect(simplify?.([v], { start: [0], limit: [4], strides: [2] })).toBeUndefined();
    expect(simplify?.([v], { start: [0], limit: [3], strides: [1] })).toBeUndefined();
    expect(simplify?.([new Var(0, aval([1], "int32"))], { start: [0], limit: [1], strides: [3] })).toBe(0);
  });
});

describe("pad", () => {
  it("puts values around and between", () => {
    expect(pad(counting([3]), 9, [[1, 2, 0]]).tolist()).toEqual([9, 0, 1, 2, 9, 9]);
    expect(pad(counting([3]), 9, [[0, 0, 2]]).tolist()).toEqual([0, 9, 9, 1, 9, 9, 2]);
    expect(pad(i32([1, 2]), -1, [[1, 1, 1]]).tolist()).toEqual([-1, 1, -1, 2, -1]);
    expect(
      pad(counting([2, 2]), 9, [
        [1, 0, 1],
        [0, 1, 0],
      ]).tolist(),
    ).toEqual([
      [9, 9, 9],
      [0, 1, 9],
      [9, 9, 9],
      [2, 3, 9],
    ]);
  });

  it("cuts off where an end is negative, after the interior has been filled", () => {
    expect(pad(counting([5]), 9, [[-1, -2, 0]]).tolist()).toEqual([1, 2]);
    // 0 9 1 9 2, without the first, with one more behind.
    expect(pad(counting([3]), 9, [[-1, 1, 1]]).tolist()).toEqual([9, 1, 9, 2, 9]);
    // 0 9 9 1, without the first two and the last.
    expect(pad(counting([2]), 9, [[-2, -1, 2]]).tolist()).toEqual([9]);
    // Everything is cut off and what comes behind is padding alone.
    expect(pad(counting([2]), 9, [[-3, 4, 0]]).tolist()).toEqual([9, 9, 9]);
    expect(pad(counting([2]), 9, [[4, -3, 0]]).tolist()).toEqual([9, 9, 9]);
    expect(pad(counting([2]), 9, [[-1, -1, 0]]).tolist()).toEqual([]);
  });

  it("does that in two steps, for all small configurations: fill between, then add or cut at the ends", () => {
    const end = (n: number) => new Array<number>(Math.max(n, 0)).fill(-1);
    let checked = 0;
    for (let n = 0; n <= 3; n++)
      for (let interior = 0; interior <= 2; interior++)
        for (let low = -4; low <= 2; low++)
          for (let high = -4; high <= 2; high++) {
            const between = list(counting([n])).flatMap((v, i) => (i === 0 ? [v] : [...end(interior), v]));
            if (between.length + low + high < 0) continue;
            const extended = [...end(low), ...between, ...end(high)];
            const wanted = extended.slice(Math.max(-low, 0), extended.length - Math.max(-high, 0));
            expect(
              list(pad(counting([n]), -1, [[low, high, interior]])),
              `${[n, low, high, interior]}`,
            ).toEqual(wanted);
            checked++;
          }
    expect(checked).toBeGreaterThan(300);
  });

  it("pads nothing, booleans and scalars", () => {
    expect(pad(f64([], [0]), 9, [[2, 0, 3]]).tolist()).toEqual([9, 9]);
    expect(pad(bool([0, 0]), bool([1], []), [[1, 0, 0]]).tolist()).toEqual([true, false, false]);
    expect(pad(f64([4], []), 9, []).tolist()).toBe(4);
    expect(pad(f16([1]), 0.1, [[0, 1, 0]]).dtype).toBe("float16");
    expect(list(pad(f16([1]), 0.1, [[0, 1, 0]]))[1]).toBe(0.0999755859375);
  });

  it("is weak only if operand and value are", () => {
    const weak = aval([2], "float32", true);
    const config = [[0, 0, 0]];
    const simplify = findPrimitive("pad")?.simplify;
    expect(pad(f64([1]), 0, [[1, 0, 0]]).weakType).toBe(false);
    expect(simplify?.([new Var(0, weak), new Literal(0, aval([], "float32", true))], { config })).toBe(0);
    expect(simplify?.([new Var(0, weak), new Literal(0, aval([], "float32"))], { config })).toBeUndefined();
    expect(simplify?.([new Var(0, x), new Literal(0, aval([], "float32"))], { config })).toBe(0);
    expect(
      simplify?.([new Var(0, x), new Literal(0, aval([], "float32"))], { config: [[1, -1, 0]] }),
    ).toBeUndefined();
  });

  it("hands the padding value the cotangents of the padding alone, exactly", () => {
    // With an infinite cotangent elsewhere, the sum of all minus the sum of the others would be NaN.
    const w = f64([1, Number.POSITIVE_INFINITY, 1e300, 2]);
    const [toX, toValue] = grad(
      (a: ReturnType<typeof f64>, v: ReturnType<typeof f64>) =>
        reduceSum(mul(pad(a, v, [[1, 1, 0]]), w), [0]),
      { argnums: [0, 1] },
    )(f64([5, 6]), f64([7], []));
    expect(list(toX)).toEqual([Number.POSITIVE_INFINITY, 1e300]);
    expect(toValue.tolist()).toBe(3);
  });

  it("pads every example of a batch with its own value", () => {
    const padded = vmap((a: ReturnType<typeof f64>, v: ReturnType<typeof f64>) => pad(a, v, [[-1, 1, 1]]));
    expect(padded(f64([1, 2, 3, 4], [2, 2]), f64([8, 9])).tolist()).toEqual([
      [8, 2, 8],
      [9, 4, 9],
    ]);
  });

  it("refuses values and configurations that do not fit", () => {
    const value = aval([], "float32");
    const ends = (config: unknown) => refusal("pad", [x, value], { config });
    expect(refusal("pad", [x, x], { config: [[0, 0, 0]] })).toBe(
      "ShapeError: pad: the padding value must be a scalar, got float32[4]",
    );
    expect(refusal("pad", [x, aval([], "int32")], { config: [[0, 0, 0]] })).toBe(
      "DtypeError: pad: the padding value must have the operand's dtype, got float32[4], int32[]",
    );
    const needs =
      "ShapeError: pad: float32[4] needs [low, high, interior] for each axis (integers, interior not negative), got ";
    expect(ends([])).toBe(`${needs}[]`);
    expect(ends([[0, 0]])).toBe(`${needs}[[0,0]]`);
    expect(ends([[0, 0, -1]])).toBe(`${needs}[[0,0,-1]]`);
    expect(ends([[0.5, 0, 0]])).toBe(`${needs}[[0.5,0,0]]`);
    expect(ends({ low: 1 })).toBe(`${needs}an object`);
    expect(ends([[-3, -2, 0]])).toBe("ShapeError: pad: [[-3,-2,0]] cuts more off float32[4] than there is");
    expect(refusal("pad", [x], { config: [[0, 0, 0]] })).toBe(
      "ArgumentError: pad takes 2 operands, got float32[4]",
    );
  });
});

describe("rev", () => {
  it("reverses along the given axes", () => {
    expect(rev(i32([1, 2, 3]), [0]).tolist()).toEqual([3, 2, 1]);
    expect(rev(counting([2, 3]), [1]).tolist()).toEqual([
      [2, 1, 0],
      [5, 4, 3],
    ]);
    expect(list(rev(counting([2, 3]), [0, 1]))).toEqual([5, 4, 3, 2, 1, 0]);
    expect(rev(counting([2, 3]), [0]).tolist()).toEqual([
      [3, 4, 5],
      [0, 1, 2],
    ]);
    expect(rev(f64([], [0, 2]), [0, 1]).shape).toEqual([0, 2]);
    expect(rev(f64([3], []), []).tolist()).toBe(3);
  });

  it("refuses axes that do not exist or are not in order", () => {
    const text = (axes: string) => `AxisError: rev: ${axes} are not increasing axes of float32[4]`;
    expect(refusal("rev", [x], { axes: [1] })).toBe(text("[1]"));
    expect(refusal("rev", [x], { axes: [0, 0] })).toBe(text("[0,0]"));
    expect(refusal("rev", [x], { axes: 0 })).toBe(text("0"));
    expect(refusal("rev", [x, x], { axes: [0] })).toBe(
      "ArgumentError: rev takes 1 operand, got float32[4], float32[4]",
    );
  });
});
