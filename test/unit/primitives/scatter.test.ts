import { describe, expect, it } from "vitest";
import type { ConcreteArray, NDArray } from "../../../src/core/array.js";
import { aval, type Shape } from "../../../src/core/aval.js";
import { NotDifferentiableError } from "../../../src/core/errors.js";
import { mul } from "../../../src/primitives/arithmetic.js";
import { reduceSum } from "../../../src/primitives/broadcast.js";
import { scatter, scatterAdd, scatterMax, scatterMin, scatterMul } from "../../../src/primitives/scatter.js";
import type { ScatterOp, ScatterOptions } from "../../../src/primitives/scatterFamily.js";
import { jvp } from "../../../src/transforms/forward.js";
import { grad } from "../../../src/transforms/grad.js";
import { hessian, jacfwd, jacrev } from "../../../src/transforms/jacobian.js";
import { linearTranspose } from "../../../src/transforms/linearize.js";
import { vmap } from "../../../src/transforms/vmap.js";
import { bool, counting, f16, f32, f64, i32, list, refusal, u8, u32 } from "./arrays.js";
import { coordinates, drawWindows, flatIndex, generator } from "./windows.js";

const elements = { updateWindowDims: [], insertedWindowDims: [0], scatterDimsToOperandDims: [0] } as const;
const pairs = { updateWindowDims: [1], insertedWindowDims: [], scatterDimsToOperandDims: [0] } as const;

type Combine = (old: number, update: number) => number;
const all: readonly (readonly [string, ScatterOp, Combine])[] = [
  ["scatter", scatter, (_, u) => u],
  ["scatterAdd", scatterAdd, (x, u) => x + u],
  ["scatterMul", scatterMul, (x, u) => x * u],
  ["scatterMin", scatterMin, Math.min],
  ["scatterMax", scatterMax, Math.max],
];

/**
 * The definition of XLA's Scatter, one element of the updates at a time, window after window; whole windows are dropped.
 */
function scatterByDefinition(
  combine: Combine,
  x: ConcreteArray,
  indices: ConcreteArray,
  updates: ConcreteArray,
  o: Required<ScatterOptions>,
): number[] {
  const result = list(x);
  const countAxes = updates.shape.map((_, a) => a).filter((a) => !o.updateWindowDims.includes(a));
  const kept = x.shape
    .map((_, a) => a)
    .filter((a) => !o.insertedWindowDims.includes(a) && !o.operandBatchingDims.includes(a));
  const counts = indices.shape.slice(0, -1);
  const windowOf = (at: readonly number[]): number =>
    flatIndex(
      counts,
      countAxes.map((a) => at[a]),
    );
  for (const at of coordinates(updates.shape).sort((a, b) => windowOf(a) - windowOf(b))) {
    const count = countAxes.map((a) => at[a]);
    const place = x.shape.map((n, a) => {
      const batching = o.operandBatchingDims.indexOf(a);
      if (batching >= 0) return count[o.scatterIndicesBatchingDims[batching]];
      const component = o.scatterDimsToOperandDims.indexOf(a);
      if (component < 0) return 0;
      const start = indices.values[flatIndex(indices.shape, [...count, component])];
      const limit = n - (kept.includes(a) ? updates.shape[o.updateWindowDims[kept.indexOf(a)]] : 1);
      if (o.mode === "clip") return Math.min(Math.max(start, 0), limit);
      return start >= 0 && start <= limit ? start : Number.NaN;
    });
    if (place.some(Number.isNaN)) continue;
    for (const [k, a] of kept.entries()) place[a] += at[o.updateWindowDims[k]];
    const target = flatIndex(x.shape, place);
    result[target] = combine(result[target], updates.values[flatIndex(updates.shape, at)]);
  }
  return result;
}

describe.each(all)("%s", (_, op, combine) => {
  it("is what the definition says, for many numberings of axes", () => {
    const random = generator(11);
    for (let i = 0; i < 200; i++) {
      const { operand, indices, starts, windowed, numbers, mode } = drawWindows(random, "drop");
      const options = {
        updateWindowDims: numbers.window,
        insertedWindowDims: numbers.dropped,
        scatterDimsToOperandDims: numbers.start,
        operandBatchingDims: numbers.operandBatching,
        scatterIndicesBatchingDims: numbers.indicesBatching,
        mode,
      };
      const x = counting(operand);
      const places = i32(starts, indices);
      const updates = f64(
        coordinates(windowed).map(() => random(9) - 4),
        windowed,
      );
      const result = op(x, places, updates, options);
      expect(result.shape).toEqual(operand);
      const wanted = scatterByDefinition(combine, x, places, updates, options);
      // Adding 0 makes -0 the same as 0, which products of the two orders may differ by.
      expect(
        list(result).map((v) => v + 0),
        JSON.stringify(options),
      ).toEqual(wanted.map((v) => v + 0));
    }
  });

  it("leaves its operand as it is", () => {
    const x = f64([1, 2]);
    op(x, i32([0], [1, 1]), f64([9]), elements);
    expect(list(x)).toEqual([1, 2]);
  });

  it("takes nothing, and puts nothing into nothing", () => {
    expect(list(op(f64([1, 2]), i32([], [0, 1]), f64([]), elements))).toEqual([1, 2]);
    expect(op(f64([]), i32([0], [1, 1]), f64([5]), elements).shape).toEqual([0]);
    expect(op(f64([]), i32([0], [1, 1]), f64([5]), { ...elements, mode: "clip" }).shape).toEqual([0]);
  });

  it("has a batch rule for every choice of batched operands", () => {
    const x = counting([2, 3]);
    const at = i32([0, 2, 1, 1], [2, 2, 1]);
    const updates = f64([5, 6, 7, 8], [2, 2]);
    const row = <T extends NDArray>(a: T, i: number, shape: Shape): ConcreteArray =>
      (a.dtype === "int32" ? i32 : f64)(
        list(a).slice(i * shape.reduce((p, n) => p * n, 1), (i + 1) * shape.reduce((p, n) => p * n, 1)),
        shape,
      );
    for (const bx of [0, null])
      for (const bi of [0, null])
        for (const bu of [0, null]) {
          if (bx === null && bi === null && bu === null) continue;
          const inputs = [
            bx === 0 ? x : row(x, 0, [3]),
            bi === 0 ? at : row(at, 0, [2, 1]),
            bu === 0 ? updates : row(updates, 0, [2]),
          ] as const;
          const batched = vmap((a: NDArray, i: NDArray, u: NDArray) => op(a, i, u, elements), {
            inAxes: [bx, bi, bu],
          })(...inputs);
          const loop = [0, 1].map((b) =>
            list(
              op(
                row(x, bx === 0 ? b : 0, [3]),
                row(at, bi === 0 ? b : 0, [2, 1]),
                row(updates, bu === 0 ? b : 0, [2]),
                elements,
              ),
            ),
          );
          expect(batched.tolist(), `${bx} ${bi} ${bu}`).toEqual(loop);
        }
  });
});

describe("scatter", () => {
  it("lets the last of several updates stay", () => {
    expect(list(scatter(f64([1, 2, 3]), i32([1, 1, 9, 0], [4, 1]), f64([5, 6, 7, 8]), elements))).toEqual([
      8, 6, 3,
    ]);
    expect(list(scatter(f64([0, 0, 0]), i32([1, 0], [2, 1]), f64([1, 2, 3, 4], [2, 2]), pairs))).toEqual([
      3, 4, 2,
    ]);
  });

  it("moves windows inside, or leaves them out", () => {
    const at = i32([2, -1], [2, 1]);
    const updates = f64([1, 2, 3, 4], [2, 2]);
    expect(list(scatter(f64([0, 0, 0]), at, updates, pairs))).toEqual([0, 0, 0]);
    expect(list(scatter(f64([0, 0, 0]), at, updates, { ...pairs, mode: "clip" }))).toEqual([3, 4, 2]);
  });

  it("takes every dtype and keeps every value", () => {
    expect(scatter(bool([0, 0]), i32([1], [1, 1]), bool([1]), elements).tolist()).toEqual([false, true]);
    expect(list(scatter(u8([1, 2]), u32([1], [1, 1]), u8([255]), elements))).toEqual([1, 255]);
    expect(list(scatter(f32([1, Number.NaN]), u8([0], [1, 1]), f32([-0]), elements))).toEqual([
      -0,
      Number.NaN,
    ]);
  });

  it("gives the derivative to what stayed", () => {
    const at = i32([1, 1, 9, 0], [4, 1]);
    const write = (x: NDArray, u: NDArray) => scatter(x, at, u, elements);
    const x = f64([1, 2, 3]);
    const u = f64([5, 6, 7, 8]);
    const [, t] = jvp(write, [x, u], [f64([10, 20, 30]), f64([1, 2, 3, 4])]);
    expect(list(t)).toEqual([4, 2, 30]);
    const weighted = (a: NDArray, b: NDArray) => reduceSum(mul(write(a, b), f64([2, 3, 5])), [0]);
    const [dx, du] = grad(weighted, { argnums: [0, 1] })(x, u);
    expect(list(dx)).toEqual([0, 0, 5]);
    expect(list(du)).toEqual([0, 3, 0, 2]);
  });

  it("counts elements, not windows, where windows overlap", () => {
    const write = (u: NDArray) => scatter(f64([0, 0, 0]), i32([1, 0], [2, 1]), u, pairs);
    expect(list(jacrev(write)(f64([1, 2, 3, 4], [2, 2])))).toEqual([0, 0, 1, 0, 0, 0, 0, 1, 0, 1, 0, 0]);
  });

  it("can be transposed, also where places repeat", () => {
    const zero = f64([0, 0, 0]);
    const back = (at: readonly number[], n: number) =>
      linearTranspose(
        (x: NDArray, u: NDArray) => scatter(x, i32(at, [n, 1]), u, elements),
        zero,
        f64(at.map(() => 0)),
      );
    expect(back([1], 1)(f64([2, 3, 5])).map(list)).toEqual([[2, 0, 5], [3]]);
    expect(back([1, 1], 2)(f64([2, 3, 5])).map(list)).toEqual([
      [2, 0, 5],
      [0, 3],
    ]);
  });
});

describe("scatterAdd", () => {
  it("adds up repeated updates, in double precision for narrow floats", () => {
    expect(list(scatterAdd(f64([1, 2, 3]), i32([1, 1, 9, 0], [4, 1]), f64([5, 6, 7, 8]), elements))).toEqual([
      9, 13, 3,
    ]);
    const ones = i32(new Array(3000).fill(0), [3000, 1]);
    // One at a time in half precision the sum would stop at 2048.
    expect(list(scatterAdd(f16([0]), ones, f16(new Array(3000).fill(1)), elements))).toEqual([3000]);
  });

  it("wraps integers around", () => {
    expect(list(scatterAdd(i32([2147483647]), i32([0, 0], [2, 1]), i32([1, 1]), elements))).toEqual([
      -2147483647,
    ]);
    expect(list(scatterAdd(u32([4294967295]), i32([0], [1, 1]), u32([3]), elements))).toEqual([2]);
    expect(list(scatterAdd(u8([250]), i32([0], [1, 1]), u8([10]), elements))).toEqual([4]);
  });

  it("gives each update the cotangent of its place", () => {
    const f = (x: NDArray, u: NDArray) =>
      reduceSum(mul(scatterAdd(x, i32([1, 1, 9], [3, 1]), u, elements), f64([2, 3, 5])), [0]);
    const [dx, du] = grad(f, { argnums: [0, 1] })(f64([0, 0, 0]), f64([1, 1, 1]));
    expect(list(dx)).toEqual([2, 3, 5]);
    expect(list(du)).toEqual([3, 3, 0]);
  });
});

describe("scatterMul", () => {
  const at = i32([1, 1, 1, 0, 9], [5, 1]);
  const multiply = (x: NDArray, u: NDArray) => scatterMul(x, at, u, elements);
  const x = f64([3, 2, 7]);

  it("wraps integers around", () => {
    expect(list(scatterMul(i32([65537]), i32([0], [1, 1]), i32([65537]), elements))).toEqual([131073]);
    expect(list(scatterMul(u32([4294967295]), i32([0], [1, 1]), u32([4294967295]), elements))).toEqual([1]);
    expect(list(scatterMul(u8([16]), i32([0], [1, 1]), u8([17]), elements))).toEqual([16]);
  });

  it("has derivatives that are products of the others, zeros or not", () => {
    const partials = (u: readonly number[]) => {
      const [dx, du] = jacrev(multiply, { argnums: [0, 1] })(x, f64(u));
      return [list(dx), list(du)];
    };
    const matrix = (row0: number[], row1: number[]) => [...row0, ...row1, 0, 0, 0, 0, 0];
    expect(partials([4, 5, 6, 8, 9])).toEqual([
      [8, 0, 0, 0, 120, 0, 0, 0, 1],
      matrix([0, 0, 0, 3, 0], [60, 48, 40, 0, 0]),
    ]);
    expect(partials([0, 5, 6, 8, 9])[1]).toEqual(matrix([0, 0, 0, 3, 0], [60, 0, 0, 0, 0]));
    expect(partials([0, 5, 0, 8, 9])[1]).toEqual(matrix([0, 0, 0, 3, 0], [0, 0, 0, 0, 0]));
    expect(list(jacfwd(multiply, { argnums: 1 })(x, f64([0, 5, 6, 8, 9])))).toEqual(
      matrix([0, 0, 0, 3, 0], [60, 0, 0, 0, 0]),
    );
  });

  it("has exact second derivatives at zeros", () => {
    const f = (u: NDArray) => reduceSum(multiply(x, u), [0]);
    const h = (hessian(f)(f64([0, 0, 6, 8, 9])) as NDArray).tolist() as number[][];
    const wanted = Array.from({ length: 5 }, () => [0, 0, 0, 0, 0]);
    // x[1]·u0·u1·u2 = 2·u0·u1·u2.
    wanted[0][1] = wanted[1][0] = 2 * 6;
    expect(h).toEqual(wanted);
  });

  it("is not disturbed by infinite updates that it drops", () => {
    const f = (u: NDArray) => reduceSum(multiply(x, u), [0]);
    expect(list(grad(f)(f64([1, 1, 1, 1, Number.POSITIVE_INFINITY])))).toEqual([2, 2, 2, 3, 0]);
  });

  it("is linear in its operand, not in its updates", () => {
    const u = f64([4, 5, 6, 8, 9]);
    expect(list(linearTranspose((a: NDArray) => multiply(a, u), x)(f64([1, 1, 1]))[0])).toEqual([8, 120, 1]);
    expect(() => linearTranspose((b: NDArray) => multiply(x, b), u)(f64([1, 1, 1]))).toThrow(
      NotDifferentiableError,
    );
    expect(() => linearTranspose((b: NDArray) => multiply(x, b), u)(f64([1, 1, 1]))).toThrow(
      "scatterMul is not linear in its updates (places may repeat)",
    );
  });
});

describe("scatterMin and scatterMax", () => {
  const at = i32([1, 1, 0, 9], [4, 1]);

  it("let NaN win, and order booleans and unsigned numbers", () => {
    const zero = i32([0, 0], [2, 1]);
    expect(list(scatterMin(f32([1]), zero, f32([Number.NaN, 0]), elements))).toEqual([Number.NaN]);
    expect(list(scatterMax(f32([Number.NaN]), zero, f32([5, 6]), elements))).toEqual([Number.NaN]);
    expect(list(scatterMax(u32([1]), zero, u32([4294967295, 3]), elements))).toEqual([4294967295]);
    expect(scatterMin(bool([1]), zero, bool([1, 0]), elements).tolist()).toEqual([false]);
  });

  it("share the derivative equally among those that tie", () => {
    const tangents = [f64([1, 2, 3]), f64([5, 7, 11, 13])] as const;
    const max = (x: NDArray, u: NDArray) => scatterMax(x, at, u, elements);
    // JAX gives the same: 6, 14/3, 3.
    const [y, t] = jvp(max, [f64([1, 20, 3]), f64([20, 20, 1, 99])], [...tangents]);
    expect(list(y)).toEqual([1, 20, 3]);
    expect(list(t)).toEqual([6, 14 / 3, 3].map((v) => expect.closeTo(v, 12)));
    const min = (x: NDArray, u: NDArray) => reduceSum(scatterMin(x, at, u, elements), [0]);
    const [dx, du] = grad(min, { argnums: [0, 1] })(f64([1, 20, 3]), f64([4, 4, 0, -99]));
    expect(list(dx)).toEqual([0, 0, 1]);
    expect(list(du)).toEqual([0.5, 0.5, 1, 0]);
  });

  it("share it within the window that clipping moved", () => {
    const f = (u: NDArray) =>
      reduceSum(scatterMin(f64([3, 3]), i32([-4], [1, 1]), u, { ...elements, mode: "clip" }), [0]);
    expect(list(grad(f)(f64([1])))).toEqual([1]);
  });
});

describe.each(all)("the type rule of %s", (name) => {
  const x = aval([3, 2], "float32");
  const indices = aval([4, 1], "int32");
  const updates = aval([4, 2], "float32");
  const base = {
    updateWindowDims: [1],
    insertedWindowDims: [0],
    scatterDimsToOperandDims: [0],
    operandBatchingDims: [],
    scatterIndicesBatchingDims: [],
    mode: "drop",
  };
  const refused = (change: object, operands = [x, indices, updates]) =>
    refusal(name, operands, { ...base, ...change });
  const doesNotFit = (u: string) =>
    `ShapeError: ${name}: updates ${u} need the axes of the indices but the last and, at [1], windows that fit into the operand; operands float32[3,2], int32[4,1]`;

  it("accepts the example that the others change", () => expect(refused({})).toBe("no error"));

  it("looks at operands", () => {
    expect(refused({}, [x, indices])).toBe(
      `ArgumentError: ${name} takes 3 operands, got float32[3,2], int32[4,1]`,
    );
    expect(refused({}, [x, indices, aval([4, 2], "float64")])).toBe(
      `DtypeError: ${name} needs updates of the operand's dtype, got float64[4,2] for float32[3,2]`,
    );
    const noNumbers = name === "scatterAdd" || name === "scatterMul";
    expect(refused({}, [aval([3, 2], "bool"), indices, aval([4, 2], "bool")])).toBe(
      noNumbers ? `DtypeError: ${name} is not defined for bool (operand bool[3,2])` : "no error",
    );
    expect(refused({}, [aval([3, 2], "float0"), indices, aval([4, 2], "float0")])).toBe(
      `DtypeError: ${name} is not defined for float0 (operand float0[3,2])`,
    );
    expect(refused({}, [x, aval([4, 1], "bool"), updates])).toBe(
      `DtypeError: ${name}: indices must be integers, got bool[4,1]`,
    );
    expect(refused({}, [x, indices, aval([4, 3], "float32")])).toBe(doesNotFit("float32[4,3]"));
    expect(refused({}, [x, indices, aval([5, 2], "float32")])).toBe(doesNotFit("float32[5,2]"));
    expect(refused({}, [x, indices, aval([4], "float32")])).toBe(doesNotFit("float32[4]"));
  });

  it("looks at lists of axes and the mode", () => {
    expect(refused({ insertedWindowDims: [0, 0] })).toBe(
      `AxisError: ${name}: insertedWindowDims [0,0] are not increasing axes of float32[3,2]`,
    );
    expect(refused({ scatterDimsToOperandDims: [5] })).toBe(
      `AxisError: ${name}: scatterDimsToOperandDims [5] are not different axes of float32[3,2]`,
    );
    expect(refused({ updateWindowDims: [-1] })).toBe(
      `AxisError: ${name}: updateWindowDims [-1] must be 1 increasing axes of the updates, which have 2`,
    );
    expect(refused({ operandBatchingDims: [0], scatterIndicesBatchingDims: [0] })).toBe(
      `AxisError: ${name}: operandBatchingDims [0] may not be in insertedWindowDims or scatterDimsToOperandDims`,
    );
    expect(refused({ mode: "fill" })).toBe(
      `ArgumentError: ${name}: mode must be "clip", "drop" or "promiseInBounds", got "fill"`,
    );
  });
});
