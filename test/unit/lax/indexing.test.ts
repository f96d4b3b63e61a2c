/** Parts at computed places, and sorting along any axis. */
import { ArgumentError, DtypeError, jit, lax, type NDArray, numpy as np, ShapeError, vmap } from "fluxion";
import { describe, expect, it } from "vitest";
import { checkDerivatives } from "../derivatives.js";
import { expectError, f64, i32 } from "../values.js";

const x = np.reshape(i32([...Array(12).keys()]), [4, 3]);
/** Where a part of `size` begins on an axis: from the end if negative, and so that it lies inside. */
const place = (start: number, length: number, size: number) =>
  Math.min(Math.max(start < 0 ? start + length : start, 0), length - size);

describe("dynamicSlice", () => {
  const rows = x.tolist() as number[][];
  const starts = [-9, -4, -3, -1, 0, 1, 2, 3, 4, 9].flatMap((a) =>
    [-5, -2, 0, 1, 2, 7].map((b) => [a, b] as const),
  );
  const wanted = ([a, b]: readonly [number, number]) =>
    rows.slice(place(a, 4, 2), place(a, 4, 2) + 2).map((r) => r.slice(place(b, 3, 2), place(b, 3, 2) + 2));

  it("counts from the end if negative, and moves inside: numbers, a vector, scalars, under jit and vmap", () => {
    const traced = jit((s: NDArray) => lax.dynamicSlice(x, s, [2, 2]));
    for (const s of starts) {
      expect(lax.dynamicSlice(x, s, [2, 2]).tolist()).toEqual(wanted(s));
      expect(lax.dynamicSlice(x, i32([...s]), [2, 2]).tolist()).toEqual(wanted(s));
      expect(lax.dynamicSlice(x, [s[0], i32(s[1])], [2, 2]).tolist()).toEqual(wanted(s));
      expect(traced(i32([...s])).tolist()).toEqual(wanted(s));
    }
    const all = vmap((s: NDArray) => lax.dynamicSlice(x, s, [2, 2]))(i32(starts.map((s) => [...s])));
    expect(all.tolist()).toEqual(starts.map(wanted));
  });

  it("refuses starts that do not fit", () => {
    expectError(
      () => lax.dynamicSlice(x, [1], [2, 2]),
      ShapeError,
      "shape",
      "a start for each axis",
      "int32[4,3]",
    );
    expectError(() => lax.dynamicSlice(x, i32([[1, 2]]), [2, 2]), ShapeError, "shape", "int32[1,2]");
    expectError(
      () => lax.dynamicSlice(x, f64([1, 2]), [2, 2]),
      DtypeError,
      "dtype",
      "starts must be integers",
    );
    expectError(() => lax.dynamicSlice(x, [0.5, 1], [2, 2]), ArgumentError, "argument", "0.5");
    expectError(() => lax.dynamicSlice(x, [0, 0], [5, 2]), ShapeError, "shape", "[5,2]");
    expectError(
      () => lax.dynamicSlice(x, 3 as never, [1, 1]),
      ArgumentError,
      "argument",
      "starts must be a list",
    );
  });
});

describe("dynamicUpdateSlice", () => {
  it("writes what dynamicSlice reads, and leaves the rest", () => {
    const update = np.reshape(i32([70, 71, 72, 73]), [2, 2]);
    for (const s of [-9, -1, 0, 1, 3, 9]) {
      const y = lax.dynamicUpdateSlice(x, update, [s, i32(1)]);
      expect(lax.dynamicSlice(y, [s, 1], [2, 2]).tolist()).toEqual(update.tolist());
      expect((y.tolist() as number[][]).flat().filter((v) => v < 70)).toHaveLength(8);
    }
  });

  it("refuses another dtype and larger updates", () => {
    expectError(
      () => lax.dynamicUpdateSlice(x, f64([[1]]), [0, 0]),
      DtypeError,
      "dtype",
      "dynamicUpdateSlice",
    );
    expectError(
      () => lax.dynamicUpdateSlice(x, np.zeros([5, 1], "int32"), [0, 0]),
      ShapeError,
      "shape",
      "int32[5,1]",
    );
  });

  it("of one index takes updates with or without the axis", () => {
    const wanted = [
      [0, 9, 2],
      [3, 9, 5],
      [6, 9, 8],
      [9, 9, 11],
    ];
    const nine = np.full([4], 9, { dtype: "int32" });
    expect(lax.dynamicUpdateIndexInDim(x, nine, 1, 1).tolist()).toEqual(wanted);
    expect(lax.dynamicUpdateIndexInDim(x, nine.reshape(4, 1), i32(-2), -1).tolist()).toEqual(wanted);
    expect(lax.dynamicUpdateSliceInDim(x, nine.reshape(4, 1), 1, 1).tolist()).toEqual(wanted);
  });
});

describe("derivatives", () => {
  const a = f64([
    [0.5, -1, 2],
    [1.5, 0.3, -0.7],
  ]);
  const elements = { updateWindowDims: [], insertedWindowDims: [0, 1], scatterDimsToOperandDims: [0, 1] };
  const places = i32([
    [0, 2],
    [1, 0],
    [0, 2],
  ]);

  it.each<[string, (z: NDArray) => NDArray]>([
    ["dynamicSlice", (z) => lax.dynamicSlice(lax.mul(z, z), i32([0, 1]), [2, 2])],
    [
      "dynamicUpdateSlice",
      (z) => lax.dynamicUpdateSlice(lax.mul(z, z), lax.sin(lax.slice(z, [0, 0], [1, 2])), [1, 1]),
    ],
    ["dynamicIndexInDim", (z) => lax.sin(lax.dynamicIndexInDim(z, i32(1), { keepdims: false }))],
    ["indexInDim", (z) => lax.sin(lax.indexInDim(z, -1, { axis: 1 }))],
    ["indexTake", (z) => lax.sin(lax.indexTake(z, [i32([1, 0, 1])], [1]))],
    [
      "gather",
      (z) =>
        lax.sin(
          lax.gather(z, places, {
            offsetDims: [],
            collapsedSliceDims: [0, 1],
            startIndexMap: [0, 1],
            sliceSizes: [1, 1],
          }),
        ),
    ],
    [
      "scatterAdd",
      (z) => lax.scatterAdd(lax.sin(z), places, lax.mul(f64([1, 2, 3]), lax.reduceSum(z, [0, 1])), elements),
    ],
    [
      "scatterMul",
      (z) => lax.scatterMul(z, i32([[0, 0]]), lax.sin(lax.reduceSum(z, [0])).slice("0:1"), elements),
    ],
    ["topK", (z) => lax.sin(lax.topK(z, 1, { axis: 0 })[0])],
    ["sort", (z) => lax.mul(lax.sort(z, { dimension: 0 }), lax.sin(z))],
    ["sortKeyVal", (z) => lax.sortKeyVal(z, lax.sin(z))[1]],
    ["rev", (z) => lax.mul(lax.rev(z, [1]), z)],
    [
      "pad",
      (z) =>
        lax.sin(
          lax.pad(z, 0.5, [
            [1, -1, 1],
            [0, 1, 0],
          ]),
        ),
    ],
    ["cumsum", (z) => lax.sin(lax.cumsum(z, { axis: 1, reverse: true }))],
    ["cumprod", (z) => lax.cumprod(z, { axis: 1 })],
    ["cumlogsumexp", (z) => lax.cumlogsumexp(z, { axis: -1 })],
    ["reduceProd", (z) => lax.reduceProd(z, [1])],
    ["dotGeneral", (z) => lax.dotGeneral(z, lax.sin(z), { contracting: [[1], [1]] })],
    ["dot", (z) => lax.dot(z, f64([0.5, 1, 2]))],
    ["batchMatmul", (z) => lax.batchMatmul(lax.reshape(z, [2, 1, 3]), lax.reshape(lax.sin(z), [2, 3, 1]))],
    ["collapse", (z) => lax.sin(lax.collapse(z, 0))],
    ["clamp", (z) => lax.clamp(-0.9, lax.sin(z), 0.95)],
    ["select", (z) => lax.select(lax.gt(z, 0.4), lax.sin(z), lax.mul(z, z))],
    [
      "selectN",
      (z) =>
        lax.selectN(
          i32([
            [0, 1, 2],
            [2, 1, 0],
          ]),
          z,
          lax.sin(z),
          lax.mul(z, z),
        ),
    ],
  ])("of %s", (_, f) => {
    checkDerivatives(f, a);
  });
});

describe("indexTake", () => {
  it("takes indices modulo the lengths", () => {
    expect(lax.indexTake(x, [i32([-1, 4, 9])], [0]).tolist()).toEqual([
      [9, 10, 11],
      [0, 1, 2],
      [3, 4, 5],
    ]);
    expect(lax.indexTake(x, [i32([-1, 1]), i32([0, 3])], [1, 0]).tolist()).toEqual([2, 10]);
    expect(lax.indexTake(x, [np.array([5], { dtype: "uint8" })], [-1]).tolist()).toEqual([[2, 5, 8, 11]]);
  });

  it("refuses indices that do not fit", () => {
    expectError(() => lax.indexTake(x, [], []), ArgumentError, "argument", "lax.indexTake");
    expectError(() => lax.indexTake(x, [i32([0])], [0, 1]), ArgumentError, "argument", "[0,1]");
    expectError(() => lax.indexTake(x, [f64([0])], [0]), DtypeError, "dtype", "float64[1]");
    expectError(
      () => lax.indexTake(x, [i32([0]), i32([0, 1])], [0, 1]),
      ShapeError,
      "shape",
      "int32[1], int32[2]",
    );
  });
});

describe("sort and topK", () => {
  it("one array gives one, a list gives a list", () => {
    expect((lax.sort(i32([2, 1])) as NDArray).tolist()).toEqual([1, 2]);
    expect(lax.sort([i32([2, 1])])).toHaveLength(1);
    expectError(() => lax.sort([]), ArgumentError, "argument", "at least one array");
  });

  it("topK along another axis is that along the last, turned", () => {
    const y = i32([
      [3, 1, 2],
      [9, 7, 8],
      [5, 6, 4],
    ]);
    const [values, places] = lax.topK(y, 2, { axis: 0 });
    expect(values.tolist()).toEqual([
      [9, 7, 8],
      [5, 6, 4],
    ]);
    expect(places.tolist()).toEqual([
      [1, 1, 1],
      [2, 2, 2],
    ]);
    expectError(() => lax.topK(y, 4), ArgumentError, "argument", "topK", "int32[3,3]");
  });
});

describe("products", () => {
  it("dot takes vectors and matrices only", () => {
    const t = np.zeros([2, 2, 2]);
    expectError(() => lax.dot(t, t), ShapeError, "shape", "lax.dot", "float32[2,2,2]");
    expectError(() => lax.dot(f64([1]), f64([1, 2])), ShapeError, "shape", "dotGeneral");
    expectError(() => lax.batchMatmul(t, np.zeros([2, 2])), ShapeError, "shape", "lax.batchMatmul");
    expect(
      lax.dot(np.ones([2], "uint8"), np.ones([2], "uint8"), { preferredElementType: "int32" }).dtype,
    ).toBe("int32");
  });
});
