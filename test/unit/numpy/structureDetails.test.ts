/** Functions that move, select and multiply elements: what golden cases cannot ask of JAX, and what is refused. */
import { describe, expect, it } from "vitest";
import type { NDArray } from "../../../src/core/array.js";
import {
  ArgumentError,
  AxisError,
  ConcretizationError,
  DtypeError,
  ShapeError,
} from "../../../src/core/errors.js";
import * as np from "../../../src/numpy/index.js";
import { grad } from "../../../src/transforms/grad.js";
import { jit } from "../../../src/transforms/jit.js";
import { makeJaxpr } from "../../../src/transforms/makeJaxpr.js";

const ints = (values: number[]): NDArray => np.array(values, "int32");
type F = (...xs: NDArray[]) => NDArray;
const jitted = (f: F): F => jit(f as (...xs: NDArray[]) => NDArray) as F;
const recorded = (f: F, ...xs: NDArray[]): string[] =>
  makeJaxpr(f)(...xs).jaxpr.eqns.map((e) => e.primitive.name);

describe("under jit, where only shapes are known", () => {
  const x = np.array([3, 1, 3, 2]);

  it("roll takes a traced shift", () => {
    const f = jitted((y, s) => np.roll(y, s));
    expect(f(x, ints([1]).slice(0)).tolist()).toEqual([2, 3, 1, 3]);
    expect(f(x, np.array(-5)).tolist()).toEqual(np.roll(x, -5).tolist());
    expect(jitted((y, s) => np.roll(y, s, [0, 1]))(np.reshape(x, [2, 2]), ints([1, 1])).tolist()).toEqual([
      [2, 3],
      [1, 3],
    ]);
  });

  it("repeat needs totalRepeatLength", () => {
    expect(() => jitted((y, n) => np.repeat(y, n))(x, ints([1, 0, 2, 1]))).toThrow(ConcretizationError);
    const f = jitted((y, n) => np.repeat(y, n, { totalRepeatLength: 5 }));
    expect(f(x, ints([1, 0, 2, 1])).tolist()).toEqual([3, 3, 3, 2, 2]);
    expect(f(x, ints([0, 9, 0, 0])).tolist()).toEqual([1, 1, 1, 1, 1]);
  });

  it("insert takes traced places, delete unique ones", () => {
    const f = jitted((y, i) => np.insert(y, i, np.array([7, 8, 9])));
    for (const places of [
      [4, 0, 0],
      [2, -1, 9],
      [1, 1, 1],
    ])
      expect(f(x, ints(places)).tolist()).toEqual(np.insert(x, places, np.array([7, 8, 9])).tolist());
    expect(() => jitted((y, i) => np.delete(y, i))(x, ints([0]))).toThrow(ConcretizationError);
    const g = jitted((y, i) => np.delete(y, i, { assumeUniqueIndices: true }));
    for (const places of [
      [0, 3],
      [2, 1],
      [-1, 0],
    ])
      expect(g(x, ints(places)).tolist()).toEqual(np.delete(x, places).tolist());
  });

  it("unique, compress, extract and bincount need their size", () => {
    for (const f of [
      np.unique,
      np.trimZeros,
      (y: NDArray) => np.compress(np.less(y, 2), y),
      (y: NDArray) => np.bincount(y.astype("int32")),
    ])
      expect(() => jitted(f as F)(x)).toThrow(ConcretizationError);
    expect(jitted((y) => np.unique(y, { size: 4, fillValue: -1 }))(x).tolist()).toEqual([1, 2, 3, -1]);
    expect(jitted((y) => np.unique(y, { size: 5, returnCounts: true })[1])(x).tolist()).toEqual([
      1, 1, 2, 0, 0,
    ]);
    expect(jitted((y) => np.unique(y, { size: 3, returnInverse: true })[1])(x).tolist()).toEqual([
      2, 0, 2, 1,
    ]);
    expect(jitted((y) => np.extract(np.less(y, 3), y, { size: 3, fillValue: 7 }))(x).tolist()).toEqual([
      1, 2, 7,
    ]);
    expect(jitted((y) => np.bincount(y.astype("int32"), { length: 3 }))(x).tolist()).toEqual([0, 1, 1]);
  });

  it("but not under grad, where values are known", () => {
    const f = (y: NDArray) => np.sum(np.square(np.unique(y)));
    expect(grad(f)(x).tolist()).toEqual([6, 2, 0, 4]);
    expect(grad((y: NDArray) => np.sum(np.compress(np.less(y, 3), y)))(x).tolist()).toEqual([0, 1, 0, 1]);
  });

  it("choose and ravelMultiIndex need a mode", () => {
    expect(() => jitted((i) => np.choose(i, [1, 2]))(ints([0]))).toThrow(ConcretizationError);
    expect(jitted((i) => np.choose(i, [5, 6], { mode: "wrap" }))(ints([0, 3])).tolist()).toEqual([5, 6]);
    expect(jitted((i) => np.ravelMultiIndex([i, 1], [2, 3], { mode: "clip" }))(ints([9])).tolist()).toEqual([
      4,
    ]);
  });
});

describe("results that come in several", () => {
  it("unique of the array API, for which NaNs differ", () => {
    const x = np.array([2, Number.NaN, 2, Number.NaN]);
    const all = np.uniqueAll(x);
    expect(all.values.tolist()).toEqual([2, Number.NaN, Number.NaN]);
    expect(all.indices.tolist()).toEqual([0, 1, 3]);
    expect(all.inverseIndices.tolist()).toEqual([0, 1, 0, 2]);
    expect(all.counts.tolist()).toEqual([2, 1, 1]);
    expect(np.uniqueValues(x).tolist()).toEqual(all.values.tolist());
    expect(np.uniqueCounts(x).counts.tolist()).toEqual([2, 1, 1]);
    expect(np.uniqueInverse(x).inverseIndices.tolist()).toEqual([0, 1, 0, 2]);
  });

  it("unique of nothing", () => {
    const none = np.zeros([0]);
    expect(np.unique(none, { returnCounts: true, returnIndex: true }).map((y) => y.shape)).toEqual([
      [0],
      [0],
      [0],
    ]);
    expect(np.unique(none, { size: 2, fillValue: 7 }).tolist()).toEqual([7, 7]);
    expect(() => np.unique(none, { size: 2 })).toThrow(ShapeError);
    expect(np.unique(np.zeros([3, 0]), { axis: 0 }).shape).toEqual([1, 0]);
  });

  it("topK along any axis", () => {
    const x = np.array([
      [3, 1],
      [7, 9],
      [5, 9],
    ]);
    const [values, places] = np.topK(x, 2, 0);
    expect(values.tolist()).toEqual([
      [7, 9],
      [5, 9],
    ]);
    expect(places.tolist()).toEqual([
      [1, 1],
      [2, 2],
    ]);
  });
});

describe("programs stay small", () => {
  const [m, v] = [np.zeros([3, 4]), np.zeros([4])];

  it.each<[string, F, NDArray[], string[]]>([
    ["matmul", (a, b) => np.matmul(a, b), [m, m.T], ["dotGeneral"]],
    ["matmul with a vector", (a, b) => np.matmul(a, b), [m, v], ["dotGeneral"]],
    ["matmul of a stack", (a, b) => np.matmul(a, b), [np.zeros([2, 3, 4]), m.T], ["dotGeneral"]],
    ["dot", (a, b) => np.dot(a, b), [v, v], ["dotGeneral"]],
    ["outer", (a) => np.outer(a, a), [v], ["broadcastInDim", "broadcastInDim", "mul"]],
    ["reshape to the same shape", (a) => np.reshape(a, [3, -1]), [m], []],
    ["transpose of a vector", (a) => np.transpose(a), [v], []],
    ["squeeze of nothing", (a) => np.squeeze(a), [m], []],
    ["flip", (a) => np.flip(a), [m], ["rev"]],
    ["roll by a whole turn", (a) => np.roll(a, 8, 1), [m], []],
    ["roll", (a) => np.roll(a, 1, 1), [m], ["slice", "slice", "concatenate"]],
    ["tile", (a) => np.tile(a, [2, 1]), [m], ["broadcastInDim", "reshape"]],
    ["tile of a row", (a) => np.tile(a, [2, 1]), [np.zeros([1, 4])], ["broadcastInDim"]],
    ["concatenate of one", (a) => np.concatenate([a]), [m], []],
    ["pad", (a) => np.pad(a, 1), [m], ["pad"]],
    ["pad by nothing", (a) => np.pad(a, 0, { mode: "edge" }), [m], []],
    ["take of a number", (a) => np.take(a, 1, 0), [m], ["slice", "reshape"]],
    ["take of a list", (a) => np.take(a, [2, 0, -1], 0), [m], ["gather"]],
    ["diagonal", (a) => np.diagonal(a), [m], ["reshape", "slice"]],
    ["trace", (a) => np.trace(a), [m], ["reshape", "slice", "reduceSum"]],
    ["sort", (a) => np.sort(a), [m], ["sort"]],
    ["norm", (a) => np.linalg.norm(a), [m], ["square", "reduceSum", "sqrt"]],
    ["delete", (a) => np.delete(a, 1, 0), [m], ["slice"]],
    ["insert", (a) => np.insert(a, 0, 1), [v], ["reshape", "concatenate"]],
  ])("%s", (_, f, xs, expected) => {
    expect(recorded(f, ...xs)).toEqual(expected);
  });
});

describe("numbers keep their precision", () => {
  const x = np.zeros([1], "float64");
  it.each<[string, NDArray, unknown]>([
    ["concatenate", np.concatenate([x, np.broadcastTo(0.1, [1]).astype("float32")]), [0, Math.fround(0.1)]],
    ["stack", np.stack([x.slice(0), 0.1]), [0, 0.1]],
    ["append", np.append(x, np.array([0.1], "float64")), [0, 0.1]],
    ["pad", np.pad(x, [0, 1], { constantValues: 0.1 }), [0, 0.1]],
    ["insert", np.insert(x, 1, 0.1), [0, 0.1]],
    ["putAlongAxis", np.putAlongAxis(x, [0], 0.1), [0.1]],
    [
      "interp",
      np.interp(np.array([9], "float64"), np.array([0, 1], "float64"), x.at(":").get().slice([0, 0]), {
        right: 0.1,
      }),
      [0.1],
    ],
    ["dot", np.dot(np.array([1], "float64"), 0.1), [0.1]],
    ["polyval", np.polyval(np.array([1, 0], "float64"), 0.1), 0.1],
    ["trapezoid", np.trapezoid(np.array([1, 1], "float64"), { dx: 0.1 }), 0.1],
  ])("%s", (_, got, want) => {
    expect(got.dtype).toBe("float64");
    expect(got.tolist()).toEqual(want);
  });
});

describe("what is refused", () => {
  const [x, v, bools] = [np.zeros([2, 3]), np.zeros([3]), np.array([true])];
  type Refusal = [string, () => unknown, new (m: string) => Error, RegExp];

  it.each<Refusal>([
    ["reshape", () => np.reshape(x, [4]), ShapeError, /float32\[2,3\] has 6 elements, shape \[4\] needs 4/],
    [
      "reshape with two open lengths",
      () => np.reshape(x, [-1, -1]),
      ShapeError,
      /does not fit shape \[-1,-1\]/,
    ],
    ["reshape with a rest", () => np.reshape(x, [4, -1]), ShapeError, /float32\[2,3\] does not fit/],
    ["reshape to no shape", () => np.reshape(x, [1.5, 4]), ShapeError, /is not a shape/],
    ["transpose", () => np.transpose(x, [0, 0]), AxisError, /named twice/],
    [
      "swapaxes",
      () => np.swapaxes(x, 0, 2),
      AxisError,
      /2 is not an axis of an array of shape \[2,3\]; its axes are -2 to 1/,
    ],
    ["moveaxis", () => np.moveaxis(x, [0, 1], [0]), AxisError, /different numbers of axes/],
    ["squeeze", () => np.squeeze(x, 0), AxisError, /not an axis of length 1/],
    ["expandDims", () => np.expandDims(x, 4), AxisError, /expandDims/],
    ["flip of a scalar", () => np.flip(1, 0), AxisError, /which has no axes/],
    [
      "broadcastTo",
      () => np.broadcastTo(x, [3, 2]),
      ShapeError,
      /float32\[2,3\] does not broadcast to \[3,2\]/,
    ],
    [
      "broadcastArrays",
      () => np.broadcastArrays(x, np.zeros([2])),
      ShapeError,
      /float32\[2,3\], float32\[2\]/,
    ],
    [
      "atleast1d of a list",
      () => np.atleast1d([1, 2] as unknown as number),
      ArgumentError,
      /make it an array with np\.array/,
    ],
    ["repeat", () => np.repeat(v, [1, 2]), ShapeError, /not a count for each of 3/],
    ["repeat by a fraction", () => np.repeat(v, 1.5), ArgumentError, /whole number from 0 on, got 1\.5/],
    ["repeat by floats", () => np.repeat(v, np.ones([3])), DtypeError, /repeats must be integers/],
    ["tile", () => np.tile(v, -1), ArgumentError, /reps must be a whole number from 0/],
    ["roll", () => np.roll(x, [1, 2, 3], { axis: [0, 1] }), AxisError, /2 shifts|3 shifts|do not go with/],
    ["roll by floats", () => np.roll(x, v), DtypeError, /shifts must be integers/],
    ["rot90", () => np.rot90(x, 1, [0]), AxisError, /two axes/],
    ["resize", () => np.resize(np.zeros([0]), [2]), ShapeError, /no elements to fill/],
    ["concatenate of nothing", () => np.concatenate([]), ArgumentError, /empty list/],
    [
      "concatenate of an array as options",
      () => np.concatenate([x], x as unknown as number),
      ArgumentError,
      /options must be an object .* got an array/,
    ],
    ["concatenate of scalars", () => np.concatenate([1, 2]), ShapeError, /np\.stack/],
    [
      "concatenate",
      () => np.concatenate([x, v]),
      ShapeError,
      /differ in length only along axis 0, got float32\[2,3\], float32\[3\]/,
    ],
    ["stack", () => np.stack([x, v]), ShapeError, /arrays of one shape/],
    ["block", () => np.block([[x], v]), ArgumentError, /different depths/],
    ["split", () => np.split(x, 2, 1), ShapeError, /no 2 equal parts; see np\.arraySplit/],
    ["split into half parts", () => np.split(x, 0.5), ArgumentError, /into 0\.5 parts/],
    ["pad", () => np.pad(x, [[1, 2, 3]]), ArgumentError, /\[before, after\] for each of 2 axes/],
    ["pad by less than nothing", () => np.pad(x, -1), ArgumentError, /whole number from 0/],
    [
      "pad in an unknown mode",
      () => np.pad(x, 1, { mode: "median" as "mean" }),
      ArgumentError,
      /no mode "median"; the modes are constant, edge/,
    ],
    [
      "pad with an unknown option",
      () => np.pad(x, 1, { constantvalues: 1 } as object),
      ArgumentError,
      /no option "constantvalues"/,
    ],
    [
      "pad of nothing",
      () => np.pad(np.zeros([0]), 1, { mode: "edge" }),
      ShapeError,
      /no elements that mode "edge" could continue/,
    ],
    [
      "pad of integers by a fraction",
      () => np.pad(ints([1]), 1, { constantValues: 0.5 }),
      DtypeError,
      /0\.5 is not a value of int32/,
    ],
    ["delete", () => np.delete(v, 3), ArgumentError, /3 is out of range for length 3/],
    ["delete by a mask", () => np.delete(v, bools), ShapeError, /must have length 3/],
    ["insert", () => np.insert(v, [0, 1], np.zeros([3])), ShapeError, /3 slices of values for 2 places/],
    [
      "insert floats into integers",
      () => np.insert(ints([1]), 0, 0.5),
      DtypeError,
      /do not fit into int32\[1\]/,
    ],
    ["trimZeros", () => np.trimZeros(v, "x"), ArgumentError, /trim must be/],
    ["diagonal", () => np.diagonal(x, { axis1: 1, axis2: -1 }), AxisError, /both axis 1/],
    ["diagonal of a vector", () => np.diagonal(v), AxisError, /1 is not an axis/],
    ["trilIndices", () => np.trilIndices(-1), ArgumentError, /n must be a whole number/],
    ["diagIndicesFrom", () => np.diagIndicesFrom(x), ShapeError, /axes of one length/],
    [
      "ravelMultiIndex",
      () => np.ravelMultiIndex([[0], [3]], [2, 3]),
      ArgumentError,
      /index 3 is out of range for axis 1 of length 3/,
    ],
    [
      "ravelMultiIndex of another rank",
      () => np.ravelMultiIndex([[0]], [2, 3]),
      ArgumentError,
      /1 index arrays for 2 axes/,
    ],
    ["putAlongAxis", () => np.putAlongAxis(np.zeros([1, 3]), [[0], [1]], 1, 1), ShapeError, /repeat places/],
    ["compress", () => np.compress(np.array([false, false, true]), x, 0), ShapeError, /holds beyond axis 0/],
    ["place", () => np.place(x, bools, v), ShapeError, /must have the size/],
    ["put", () => np.put(x, [0], np.zeros([0])), ShapeError, /needs values/],
    ["choose", () => np.choose([2], [1, 2]), ArgumentError, /no choice 2 among 2/],
    ["choose of nothing", () => np.choose([0], []), ArgumentError, /at least one choice/],
    ["fillDiagonal", () => np.fillDiagonal(np.zeros([2, 3, 2]), 1), ShapeError, /more axes of one length/],
    [
      "matmul",
      () => np.matmul(x, x),
      ShapeError,
      /matmul: shapes do not fit, got float32\[2,3\], float32\[2,3\]/,
    ],
    ["matmul of scalars", () => np.matmul(x, 2), ShapeError, /np\.multiply/],
    ["matmul of stacks", () => np.matmul(np.zeros([2, 3, 3]), np.zeros([5, 3, 3])), ShapeError, /do not fit/],
    ["matmul never stretches", () => np.matmul(np.zeros([2, 1]), x.T), ShapeError, /do not fit/],
    [
      "matmul with an unknown option",
      () => np.matmul(x, v, { dtype: "float64" } as object),
      ArgumentError,
      /no option "dtype"/,
    ],
    ["dot", () => np.dot(v, x), ShapeError, /equal lengths, got float32\[3\], float32\[2,3\]/],
    ["vdot", () => np.vdot(x, v), ShapeError, /equal lengths/],
    ["tensordot", () => np.tensordot(x, x, 3), ShapeError, /over 3 axes/],
    ["tensordot of other lists", () => np.tensordot(x, x, [[0]]), ArgumentError, /\[axes of x, axes of y\]/],
    ["cross", () => np.cross(np.zeros([4]), v), ShapeError, /2 or 3 components, got float32\[4\]/],
    ["multiDot", () => np.linalg.multiDot([x]), ArgumentError, /at least two/],
    ["multiDot that does not fit", () => np.linalg.multiDot([x, x]), ShapeError, /do not fit/],
    ["matrixPower", () => np.linalg.matrixPower(x, 2), ShapeError, /square matrices/],
    ["norm of three axes", () => np.linalg.norm(np.zeros([2, 2, 2]), 1), AxisError, /one axis or two, got 3/],
    ["norm of vectors", () => np.linalg.norm(v, "fro"), ArgumentError, /must be a number, got "fro"/],
    [
      "norm of matrices",
      () => np.linalg.norm(x, 3),
      ArgumentError,
      /"fro", 1, -1, Infinity or -Infinity, got 3/,
    ],
    ["sort", () => np.sort(1), AxisError, /no axes/],
    ["lexsort", () => np.lexsort([]), ArgumentError, /at least one key/],
    ["partition", () => np.partition(v, 3), ArgumentError, /no place 3 among 3/],
    ["topK", () => np.topK(v, 4), ArgumentError, /k must be from 0 to 3/],
    ["searchsorted", () => np.searchsorted(x, 1), ShapeError, /a must be a vector/],
    [
      "searchsorted on no side",
      () => np.searchsorted(v, 1, { side: "middle" as "left" }),
      ArgumentError,
      /"left" or "right"/,
    ],
    ["digitize", () => np.digitize(v, x), ShapeError, /bins must be a vector/],
    ["bincount", () => np.bincount(v), DtypeError, /needs integers, got float32\[3\]/],
    ["histogram", () => np.histogram(np.zeros([0])), ArgumentError, /without data there is no range/],
    ["histogram of weights", () => np.histogram(v, 2, { weights: x }), ShapeError, /must have the shape/],
    ["diff", () => np.diff(1), ShapeError, /an array with an axis/],
    ["gradient", () => np.gradient(np.zeros([1])), ShapeError, /fewer than two elements/],
    ["interp", () => np.interp(1, v, x), ShapeError, /two vectors of one length/],
    [
      "interp beyond",
      () => np.interp(1, v, v, { left: "nearest" as "extrapolate" }),
      ArgumentError,
      /left must be a number or "extrapolate"/,
    ],
    ["convolve", () => np.convolve(x, v), ShapeError, /two vectors with elements/],
    [
      "convolve in an unknown mode",
      () => np.convolve(v, v, "half" as "same"),
      ArgumentError,
      /"full", "same" or "valid"/,
    ],
    ["cov", () => np.cov(np.zeros([2, 2, 2])), ShapeError, /vectors or matrices/],
    ["cov with fractional counts", () => np.cov(x, { fweights: v }), DtypeError, /fweights must be integers/],
    [
      "cov with other weights",
      () => np.cov(x, { aweights: np.zeros([2]) }),
      ShapeError,
      /one weight for each of 3/,
    ],
    ["polyval", () => np.polyval(x, 1), ShapeError, /must be a vector/],
    ["polyint", () => np.polyint(v, 3, np.zeros([2])), ShapeError, /2 constants for 3/],
  ])("%s", (_, f, type, message) => {
    expect(f).toThrow(type);
    expect(f).toThrow(message);
  });
});

it("reading an index never changes the array", () => {
  const x = np.array([1, 2, 3]);
  for (const f of [
    () => np.put(x, [0], 9),
    () => np.place(x, np.array([true, true, true]), 9),
    () => np.fillDiagonal(np.diag(x), 9),
    () => x.at(0).set(9),
  ])
    f();
  expect(x.tolist()).toEqual([1, 2, 3]);
});
