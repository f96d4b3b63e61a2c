/** Shapes, parts and joins: values against their definitions, programs without idle operations, and errors. */
import { ArgumentError, lax, makeJaxpr, type NDArray, numpy as np, ShapeError } from "fluxion";
import { describe, expect, it } from "vitest";
import { checkDerivatives } from "../derivatives.js";
import { expectError, f64, i32, primitiveNames, describe as typeOf } from "../values.js";

const counting = (...shape: number[]): NDArray =>
  np.reshape(i32(Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i)), shape);

describe("what changes nothing", () => {
  const x = counting(2, 3);
  const same: Record<string, (x: NDArray) => NDArray> = {
    reshape: (a) => lax.reshape(a, [2, 3]),
    transpose: (a) => lax.transpose(a, [0, 1]),
    squeeze: (a) => lax.squeeze(a, []),
    expandDims: (a) => lax.expandDims(a, []),
    rev: (a) => lax.rev(a, []),
    broadcast: (a) => lax.broadcast(a, []),
    broadcastInDim: (a) => lax.broadcastInDim(a, [2, 3], [0, 1]),
    broadcastToRank: (a) => lax.broadcastToRank(a, 2),
    tile: (a) => lax.tile(a, [1, 1]),
    collapse: (a) => lax.collapse(a, 0, 1),
    slice: (a) => lax.slice(a, [0, 0], [2, 3]),
    sliceInDim: (a) => lax.sliceInDim(a, null, null),
    pad: (a) =>
      lax.pad(a, 0, [
        [0, 0, 0],
        [0, 0, 0],
      ]),
    concatenate: (a) => lax.concatenate([a], 0),
    split: (a) => lax.split(a, [2])[0],
    convertElementType: (a) => lax.convertElementType(a, "int32"),
    reduceSum: (a) => lax.reduceSum(a, []),
    stopGradient: (a) => lax.stopGradient(a),
    reduceWindow: (a) => lax.reduceWindow(a, 0, lax.add, { windowDimensions: [1, 1] }),
  };

  it.each(Object.entries(same))("%s adds no equation", (_, f) => {
    expect(primitiveNames(makeJaxpr(f)(x))).toEqual([]);
    expect(f(x).tolist()).toEqual(x.tolist());
  });
});

describe("tile", () => {
  it.each([
    [[3], [2]],
    [[2, 3], [2]],
    [
      [2, 3],
      [2, 1],
    ],
    [
      [1, 3],
      [2, 2],
    ],
    [[3], [2, 1]],
    [[], [2]],
    [
      [2, 3],
      [0, 1],
    ],
    [
      [2, 3],
      [2, 1, 2],
    ],
  ])("of %j by %j repeats along every axis", (shape, reps) => {
    const x = counting(...shape);
    const y = lax.tile(x, reps);
    const rank = Math.max(shape.length, reps.length);
    const full = (list: number[]) => [...new Array<number>(rank - list.length).fill(1), ...list];
    const [own, counts] = [full(shape), full(reps)];
    expect(y.shape).toEqual(own.map((n, i) => n * counts[i]));
    const flat = x.dataSync();
    const wanted = Array.from({ length: y.size }, (_, at) => {
      let rest = at;
      let from = 0;
      let stride = 1;
      for (let axis = rank - 1; axis >= 0; axis--) {
        const length = own[axis] * counts[axis];
        from += ((rest % length) % own[axis]) * stride;
        rest = Math.floor(rest / length);
        stride *= own[axis];
      }
      return flat[from];
    });
    expect([...y.dataSync()]).toEqual(wanted);
  });

  it("has derivatives, and refuses negative counts", () => {
    checkDerivatives((x) => lax.sin(lax.tile(x, [2, 3])), f64([0.5, 1]));
    expectError(() => lax.tile(i32([1]), [-1]), ArgumentError, "argument", "lax.tile");
  });
});

describe("joins and splits", () => {
  it("split undoes concatenate", () => {
    const x = counting(4, 5);
    expect(lax.concatenate(lax.split(x, [1, 0, 3, 1], { axis: 1 }), 1).tolist()).toEqual(x.tolist());
  });

  it("stack takes numbers beside arrays", () => {
    expect(lax.stack([f64(1), 2.5]).tolist()).toEqual([1, 2.5]);
    expect(typeOf(lax.stack([f64(1), 2.5]))).toBe("float64[2]");
  });

  it("have derivatives", () => {
    checkDerivatives((x) => lax.stack([lax.sin(x), lax.mul(x, x)], 1), f64([0.5, 1]));
    checkDerivatives((x) => lax.mul(...(lax.split(x, [2, 2]) as [NDArray, NDArray])), f64([0.5, 1, -1, 2]));
  });

  it("refuse what does not fit", () => {
    expectError(() => lax.concatenate([], 0), ArgumentError, "argument", "lax.concatenate takes a list");
    expectError(() => lax.concatenate(i32([1]) as never, 0), ArgumentError, "argument", "lax.concatenate");
    expectError(
      () => lax.concatenate([i32([1]), i32([[1]])], 0),
      ShapeError,
      "shape",
      "int32[1], int32[1,1]",
    );
    expectError(
      () => lax.stack([i32([1]), i32([1, 2])]),
      ShapeError,
      "shape",
      "lax.stack",
      "int32[1], int32[2]",
    );
    expectError(() => lax.split(i32([1, 2]), [1, 2]), ShapeError, "shape", "[1,2] do not add up", "int32[2]");
    expectError(() => lax.split(i32([1, 2]), [3, -1]), ShapeError, "shape", "lax.split");
  });
});

describe("broadcasting", () => {
  it("broadcastShapes gives the common shape", () => {
    expect(lax.broadcastShapes([2, 1, 3], [4, 1], [])).toEqual([2, 4, 3]);
    expect(lax.broadcastShapes([0], [1])).toEqual([0]);
    expect(lax.broadcastShapes()).toEqual([]);
    expectError(() => lax.broadcastShapes([2], [3]), ShapeError, "shape", "[2], [3] do not broadcast");
    expectError(() => lax.broadcastShapes([2], [0]), ShapeError, "shape", "[2], [0]");
  });

  it("refuses what does not fit", () => {
    expectError(() => lax.broadcastInDim(i32([1, 2]), [3], [0]), ShapeError, "shape", "int32[2]");
    expectError(() => lax.broadcastInDim(counting(2, 2), [2, 2], [1, 0]), ShapeError, "shape", "[1,0]");
    expectError(() => lax.broadcastToRank(counting(2, 2), 1), ShapeError, "shape", "more than 1 axes");
    expectError(() => lax.broadcast(i32([1]), [-1]), ShapeError, "shape", "lax.broadcast", "[-1]");
    expectError(() => lax.reshape(i32([1, 2]), [-1]), ShapeError, "shape", "lax.reshape");
    expectError(() => lax.reshape(i32([1, 2]), [3]), ShapeError, "shape", "2 elements");
  });
});

describe("parts", () => {
  const x = counting(4, 3);

  it("sliceInDim counts negative bounds from the end", () => {
    expect(lax.sliceInDim(x, -2, null).tolist()).toEqual([
      [6, 7, 8],
      [9, 10, 11],
    ]);
    expect(lax.sliceInDim(x, null, -1, { axis: 1, stride: 2 }).tolist()).toEqual([[0], [3], [6], [9]]);
    expect(lax.sliceInDim(x, 1, 1).shape).toEqual([0, 3]);
  });

  it("refuses what does not lie inside", () => {
    expectError(() => lax.slice(x, [0], [4]), ShapeError, "shape", "int32[4,3]");
    expectError(() => lax.slice(x, [0, 0], [5, 3]), ShapeError, "shape", "[5,3]");
    expectError(() => lax.slice(x, [0, 0], [4, 3], [0, 1]), ShapeError, "shape", "[0,1]");
    expectError(() => lax.sliceInDim(x, 3, 2), ShapeError, "shape", "slice");
    expectError(() => lax.sliceInDim(x, 0.5, 2), ArgumentError, "argument", "lax.sliceInDim", "0.5");
    expectError(() => lax.indexInDim(x, 4), ShapeError, "shape", "no index 4 on axis 0", "int32[4,3]");
    expectError(() => lax.indexInDim(x, -5), ShapeError, "shape", "no index -5");
    expectError(() => lax.pad(x, 0, [[0, 0, 0]]), ShapeError, "shape", "int32[4,3]");
    expectError(() => lax.pad(x, i32([0]), [[0, 0, 0]]), ShapeError, "shape", "scalar");
  });

  it("filling wants a scalar", () => {
    expectError(
      () => lax.full([2], i32([1])),
      ShapeError,
      "shape",
      "lax.full fills with a scalar",
      "int32[1]",
    );
    expect(typeOf(lax.fullLike(f64([1]), 2))).toBe("float64[1]");
    expect(typeOf(lax.fullLike(i32([1]), 2.5))).toBe("int32[1]");
    expect(typeOf(lax.fullLike(np.array(1), 2, { shape: [2] }))).toBe("~int32[2]");
    expect(lax.zerosLike(f64([1, 2])).tolist()).toEqual([0, 0]);
  });
});
