import { describe, expect, it } from "vitest";
import type { ConcreteArray, NDArray } from "../../../src/core/array.js";
import { aval, type Shape } from "../../../src/core/aval.js";
import { mul } from "../../../src/primitives/arithmetic.js";
import { reduceSum } from "../../../src/primitives/broadcast.js";
import { type GatherOptions, gather, takeAlong } from "../../../src/primitives/gather.js";
import { grad } from "../../../src/transforms/grad.js";
import { linearTranspose } from "../../../src/transforms/linearize.js";
import { vmap } from "../../../src/transforms/vmap.js";
import { bool, counting, f16, f32, f64, i32, list, refusal, u8, u32 } from "./arrays.js";
import { coordinates, drawWindows, flatIndex, generator } from "./windows.js";

const elements = { offsetDims: [], collapsedSliceDims: [0], startIndexMap: [0], sliceSizes: [1] } as const;
const rows = { offsetDims: [1], collapsedSliceDims: [0], startIndexMap: [0], sliceSizes: [1, 2] } as const;

/** The definition of XLA's Gather, one element of the result at a time. */
function gatherByDefinition(
  x: ConcreteArray,
  indices: ConcreteArray,
  o: Required<GatherOptions>,
  shape: Shape,
) {
  const batchAxes = shape.map((_, a) => a).filter((a) => !o.offsetDims.includes(a));
  const kept = x.shape
    .map((_, a) => a)
    .filter((a) => !o.collapsedSliceDims.includes(a) && !o.operandBatchingDims.includes(a));
  return coordinates(shape).map((at) => {
    const batch = batchAxes.map((a) => at[a]);
    const place = x.shape.map((n, a) => {
      const batching = o.operandBatchingDims.indexOf(a);
      if (batching >= 0) return batch[o.startIndicesBatchingDims[batching]];
      const component = o.startIndexMap.indexOf(a);
      if (component < 0) return 0;
      const start = indices.values[flatIndex(indices.shape, [...batch, component])];
      const limit = n - o.sliceSizes[a];
      if (o.mode !== "fill") return Math.min(Math.max(start, 0), limit);
      return start >= 0 && start <= limit ? start : Number.NaN;
    });
    if (place.some(Number.isNaN)) return o.fillValue;
    for (const [k, a] of kept.entries()) place[a] += at[o.offsetDims[k]];
    return x.values[flatIndex(x.shape, place)];
  });
}

describe("gather", () => {
  it("takes elements, rows and windows", () => {
    expect(list(gather(f32([5, 6, 7]), i32([2, 0, 2], [3, 1]), elements))).toEqual([7, 5, 7]);
    expect(gather(counting([3, 2]), i32([2, 0], [2, 1]), rows).tolist()).toEqual([
      [4, 5],
      [0, 1],
    ]);
    const windows = { offsetDims: [0], collapsedSliceDims: [], startIndexMap: [0], sliceSizes: [2] };
    expect(gather(counting([4]), i32([0, 2], [2, 1]), windows).tolist()).toEqual([
      [0, 2],
      [1, 3],
    ]);
    // A long contiguous window is copied as a block.
    const block = { offsetDims: [1, 2], collapsedSliceDims: [0], startIndexMap: [0], sliceSizes: [1, 5, 4] };
    expect(list(gather(counting([3, 5, 4]), i32([2, 1], [2, 1]), block))).toEqual([
      ...Array.from({ length: 20 }, (_, i) => 40 + i),
      ...Array.from({ length: 20 }, (_, i) => 20 + i),
    ]);
  });

  it("is what the definition says, for many numberings of axes", () => {
    const random = generator(5);
    for (let i = 0; i < 300; i++) {
      const { operand, indices, starts, windowed, numbers, sliceSizes, mode } = drawWindows(random, "fill");
      const options = {
        offsetDims: numbers.window,
        collapsedSliceDims: numbers.dropped,
        startIndexMap: numbers.start,
        operandBatchingDims: numbers.operandBatching,
        startIndicesBatchingDims: numbers.indicesBatching,
        sliceSizes,
        mode,
        fillValue: -1,
      };
      const x = counting(operand);
      const places = i32(starts, indices);
      const result = gather(x, places, options);
      expect(result.shape).toEqual(windowed);
      expect(list(result), JSON.stringify(options)).toEqual(gatherByDefinition(x, places, options, windowed));
    }
  });

  it("moves windows inside, or fills", () => {
    const at = i32([-1, 3, 1], [3, 1]);
    expect(list(gather(f32([5, 6, 7]), at, { ...elements, mode: "clip" }))).toEqual([5, 7, 6]);
    expect(list(gather(f32([5, 6, 7]), at, elements))).toEqual([Number.NaN, Number.NaN, 6]);
    expect(list(gather(f64([5, 6, 7]), at, { ...elements, fillValue: -2 }))).toEqual([-2, -2, 6]);
    // Half of a window is outside: all of it is.
    const pairs = { offsetDims: [1], collapsedSliceDims: [], startIndexMap: [0], sliceSizes: [2] };
    expect(list(gather(f64([5, 6, 7]), i32([2, 1], [2, 1]), { ...pairs, fillValue: 0 }))).toEqual([
      0, 0, 6, 7,
    ]);
    expect(list(gather(f64([5, 6, 7]), i32([2, 1], [2, 1]), { ...pairs, mode: "clip" }))).toEqual([
      6, 7, 6, 7,
    ]);
  });

  it("fills with a value that stands out", () => {
    const at = i32([9], [1, 1]);
    expect(list(gather(i32([1]), at, elements))).toEqual([-2147483648]);
    expect(list(gather(u32([1]), at, elements))).toEqual([4294967295]);
    expect(list(gather(u8([1]), at, elements))).toEqual([255]);
    expect(gather(bool([0]), at, elements).tolist()).toEqual([true]);
    expect(list(gather(f16([1]), at, elements))).toEqual([Number.NaN]);
    expect(list(gather(f16([1]), at, { ...elements, fillValue: 1e9 }))).toEqual([Number.POSITIVE_INFINITY]);
    expect(list(gather(u8([1]), at, { ...elements, fillValue: 7 }))).toEqual([7]);
  });

  it("takes unsigned indices beyond the range of int32", () => {
    expect(list(gather(f64([5, 6]), u32([4294967295, 1], [2, 1]), { ...elements, mode: "clip" }))).toEqual([
      6, 6,
    ]);
    expect(list(gather(f64([5, 6]), u8([255, 1], [2, 1]), { ...elements, fillValue: 0 }))).toEqual([0, 6]);
  });

  it("keeps infinities, NaN and the sign of zero", () => {
    expect(
      list(gather(f32([-0, Number.POSITIVE_INFINITY, Number.NaN]), i32([2, 1, 0], [3, 1]), elements)),
    ).toEqual([Number.NaN, Number.POSITIVE_INFINITY, -0]);
  });

  it("takes nothing, and from nothing", () => {
    expect(gather(f64([], [0]), i32([], [0, 1]), elements).shape).toEqual([0]);
    expect(gather(f64([1, 2]), i32([], [2, 0, 1]), elements).shape).toEqual([2, 0]);
    const whole = { offsetDims: [], collapsedSliceDims: [], startIndexMap: [], sliceSizes: [] };
    expect(list(gather(f64([3], []), i32([], [2, 0]), whole))).toEqual([3, 3]);
    expect(
      vmap((x: NDArray, i: NDArray) => gather(x, i, elements))(f64([], [0, 3]), i32([], [0, 2, 1])).shape,
    ).toEqual([0, 2]);
  });

  it("has a gradient that adds up where indices repeat, and none where it filled", () => {
    const f = (x: NDArray) =>
      reduceSum(
        mul(gather(x, i32([1, 1, 9, 0], [4, 1]), { ...elements, fillValue: 5 }), f64([2, 3, 10, 7])),
        [0],
      );
    expect(list(grad(f)(f64([0, 0, 0])))).toEqual([7, 5, 0]);
    const clipped = (x: NDArray) =>
      reduceSum(mul(gather(x, i32([1, 9], [2, 1]), { ...elements, mode: "clip" }), f64([2, 3])), [0]);
    expect(list(grad(clipped)(f64([0, 0, 0])))).toEqual([0, 2, 3]);
  });

  it("can be transposed", () => {
    const back = linearTranspose((x: NDArray) => gather(x, i32([2, 2], [2, 1]), elements), f64([0, 0, 0]));
    expect(list(back(f64([3, 4]))[0])).toEqual([0, 0, 7]);
  });

  it("has a batch rule for the operand, the indices, and both", () => {
    const take = (x: NDArray, i: NDArray) => gather(x, i, elements);
    const x = counting([2, 3]);
    const at = i32([0, 2, 1, 1], [2, 2, 1]);
    expect(vmap(take, { inAxes: [0, null] })(x, i32([2, 0], [2, 1])).tolist()).toEqual([
      [2, 0],
      [5, 3],
    ]);
    expect(vmap(take, { inAxes: [null, 0] })(counting([3]), at).tolist()).toEqual([
      [0, 2],
      [1, 1],
    ]);
    expect(vmap(take)(x, at).tolist()).toEqual([
      [0, 2],
      [4, 4],
    ]);
  });

  it("takes along an axis", () => {
    expect(takeAlong(counting([2, 3]), i32([2, 0, 1, 1], [2, 2]), 1).tolist()).toEqual([
      [2, 0],
      [4, 4],
    ]);
    expect(takeAlong(counting([2, 3]), i32([1, 0, 1], [1, 3]), 0).tolist()).toEqual([[3, 1, 5]]);
  });
});

describe("the type rule of gather", () => {
  const x = aval([3, 2], "float32");
  const indices = aval([4, 1], "int32");
  const base = {
    ...rows,
    operandBatchingDims: [],
    startIndicesBatchingDims: [],
    mode: "clip",
    fillValue: null,
  };
  const refused = (change: object, operands = [x, indices]) =>
    refusal("gather", operands, { ...base, ...change });

  it("accepts the example that the others change", () => expect(refused({})).toBe("no error"));

  it("looks at operands", () => {
    expect(refused({}, [x])).toBe("ArgumentError: gather takes 2 operands, got float32[3,2]");
    expect(refused({}, [aval([3, 2], "float0"), indices])).toBe(
      "DtypeError: gather is not defined for float0[3,2]",
    );
    expect(refused({}, [x, aval([4, 1], "float32")])).toBe(
      "DtypeError: gather: indices must be integers, got float32[4,1]",
    );
    expect(refused({}, [x, aval([], "int32")])).toBe(
      "ShapeError: gather: indices need a last axis with the index vectors, got int32[]",
    );
    expect(refused({}, [x, aval([4, 2], "int32")])).toBe(
      "ShapeError: gather: index vectors of int32[4,2] have length 2, startIndexMap has 1 entries",
    );
  });

  it("looks at lists of axes", () => {
    expect(refused({ collapsedSliceDims: [2] })).toBe(
      "AxisError: gather: collapsedSliceDims [2] are not increasing axes of float32[3,2]",
    );
    expect(refused({ collapsedSliceDims: "0" })).toBe(
      'AxisError: gather: collapsedSliceDims "0" are not increasing axes of float32[3,2]',
    );
    expect(refused({ operandBatchingDims: [1, 0] })).toBe(
      "AxisError: gather: operandBatchingDims [1,0] are not increasing axes of float32[3,2]",
    );
    expect(refused({ operandBatchingDims: [0], startIndicesBatchingDims: [0] })).toBe(
      "AxisError: gather: operandBatchingDims [0] may not be in collapsedSliceDims or startIndexMap",
    );
    expect(refused({ startIndexMap: [1, 1] })).toBe(
      "AxisError: gather: startIndexMap [1,1] are not different axes of float32[3,2]",
    );
    expect(refused({ startIndexMap: undefined })).toBe(
      "AxisError: gather: startIndexMap undefined are not different axes of float32[3,2]",
    );
    expect(refused({ operandBatchingDims: [1] })).toBe(
      "AxisError: gather: startIndicesBatchingDims [] are not 1 different axes of int32[4,1] before the last",
    );
    expect(refused({ operandBatchingDims: [1], startIndicesBatchingDims: [1] })).toBe(
      "AxisError: gather: startIndicesBatchingDims [1] are not 1 different axes of int32[4,1] before the last",
    );
    expect(refused({ operandBatchingDims: [1], startIndicesBatchingDims: [0] })).toBe(
      "ShapeError: gather: batching axes [1] of float32[3,2] and [0] of int32[4,1] differ in length",
    );
    expect(refused({ offsetDims: [2] })).toBe(
      "AxisError: gather: offsetDims [2] must be 1 increasing axes of the result, which have 2",
    );
    expect(refused({ offsetDims: [] })).toBe(
      "AxisError: gather: offsetDims [] must be 1 increasing axes of the result, which have 2",
    );
  });

  it("looks at sliceSizes, mode and fillValue", () => {
    expect(refused({ sliceSizes: [1] })).toBe(
      "ShapeError: gather: sliceSizes [1] must be a length for each axis of float32[3,2]",
    );
    expect(refused({ sliceSizes: [2, 2] })).toBe(
      "ShapeError: gather: sliceSizes [2,2] must be 1 along collapsedSliceDims [0] and operandBatchingDims []",
    );
    expect(refused({ sliceSizes: [1, 3] })).toBe(
      "ShapeError: gather: windows of sliceSizes [1,3] do not fit into float32[3,2]",
    );
    expect(refused({}, [aval([0, 2], "float32"), indices])).toBe(
      "ShapeError: gather: windows of sliceSizes [1,2] do not fit into float32[0,2]",
    );
    expect(refused({}, [aval([0, 2], "float32"), aval([0, 1], "int32")])).toBe("no error");
    expect(refused({ mode: "drop" })).toBe(
      'ArgumentError: gather: mode must be "clip", "fill" or "promiseInBounds", got "drop"',
    );
    expect(refused({ mode: "fill", fillValue: "NaN" })).toBe(
      'ArgumentError: gather: fillValue must be a number or null, got "NaN"',
    );
  });
});
