/** Every function that moves, selects or multiplies elements: derivatives, jit and vmap, on a call of it in doubles. */
import { describe, expect, it } from "vitest";
import type { NDArray } from "../../../src/core/array.js";
import * as np from "../../../src/numpy/index.js";
import { jvp } from "../../../src/transforms/forward.js";
import { grad } from "../../../src/transforms/grad.js";
import { jit } from "../../../src/transforms/jit.js";
import { vmap } from "../../../src/transforms/vmap.js";
import { expectClose, flat } from "./compare.js";
import { sizeOf } from "./indexReference.js";

type Results = NDArray | readonly NDArray[];
type Call = readonly [name: string, f: (...xs: NDArray[]) => Results, ...shapes: number[][]];

const ints = (values: number[]) => np.array(values, "int32");
const { linalg } = np;

const calls: readonly Call[] = [
  ["reshape", (x) => np.reshape(x, [3, -1]), [2, 3]],
  ["reshape in columns", (x) => np.reshape(x, [3, 2], { order: "F" }), [2, 3]],
  ["rot90", (x) => np.rot90(x, 3), [2, 3]],
  ["moveaxis", (x) => np.moveaxis(x, [0, 1], [-1, 0]), [2, 3, 2]],
  ["broadcastArrays", (x, y) => np.broadcastArrays(x, y), [2, 1], [3]],
  ["repeat", (x) => np.repeat(x, [2, 0, 1], 1), [2, 3]],
  ["repeat to a length", (x) => np.repeat(x, ints([2, 0, 1]), { totalRepeatLength: 5 }), [3]],
  ["tile", (x) => np.tile(x, [2, 1, 2]), [2, 3]],
  ["roll", (x) => np.roll(x, [1, -1], { axis: [0, 1] }), [2, 3]],
  ["resize", (x) => np.resize(x, [2, 4]), [3]],
  ["block", (x, y) => np.block([[x, y], [np.concatenate([y, x], 1)]]), [2, 2], [2, 1]],
  ["columnStack", (x, y) => np.columnStack([x, y]), [3], [3, 2]],
  ["append", (x, y) => np.append(x, y), [2, 2], [3]],
  ["arraySplit", (x) => np.arraySplit(x, 2), [5]],
  ["unstack", (x) => np.unstack(x, -1), [2, 3]],
  ["pad with an array", (x, y) => np.pad(x, [1, 2], { constantValues: y }), [2, 2], []],
  ["pad with several", (x, y) => np.pad(x, [1, 2], { constantValues: [y, 3] }), [2, 2], []],
  ...(["edge", "reflect", "symmetric", "wrap", "linearRamp", "maximum", "mean"] as const).map(
    (mode): Call => [
      `pad: ${mode}`,
      (x) =>
        np.pad(
          x,
          [
            [1, 2],
            [5, 0],
          ],
          { mode },
        ),
      [3, 2],
    ],
  ),
  ["delete", (x) => np.delete(x, [0, -1], 1), [2, 4]],
  ["insert", (x, y) => np.insert(x, [2, 0], y, 1), [2, 3], [2]],
  [
    "take",
    (x) =>
      np.take(
        x,
        [
          [0, -1],
          [7, 2],
        ],
        { axis: 1, fillValue: 0 },
      ),
    [2, 3],
  ],
  [
    "takeAlongAxis",
    (x) =>
      np.takeAlongAxis(
        x,
        [
          [0, 0],
          [2, 1],
        ],
        1,
      ),
    [2, 3],
  ],
  [
    "takeAlongAxis of a row",
    (x) =>
      np.takeAlongAxis(
        x,
        [
          [0, 0],
          [2, 1],
        ],
        1,
      ),
    [1, 3],
  ],
  ["putAlongAxis", (x, y) => np.putAlongAxis(x, [[0], [2]], y, 1), [2, 3], [2, 1]],
  ["diagonal", (x) => np.diagonal(x, { offset: -1 }), [4, 3]],
  ["fillDiagonal", (x, y) => np.fillDiagonal(x, y), [3, 2], [2]],
  ["compress", (x) => np.compress(np.array([true, false, true]), x, 1), [2, 3]],
  ["compress to a size", (x) => np.compress(np.array([true, false, true]), x, { axis: 1, size: 3 }), [2, 3]],
  ["extract", (x) => np.extract(np.array([true, false, true]), x), [3]],
  ["place", (x, y) => np.place(x, np.array([true, false, true, true]), y), [4], [2]],
  ["put", (x, y) => np.put(x, [0, -1], y), [2, 2], [2]],
  ["choose", (x, y) => np.choose([1, 0, 1], [x, y]), [3], [2, 1]],
  ["at, windows and strides", (x, y) => x.at("::-2", [1, 0]).set(y), [4, 2], [2, 2]],
  ["at: mul at repeated places", (x, y) => x.at([0, 2, 0]).mul(y), [3], [3]],
  ["at: div", (x, y) => x.at([0, 2, 0]).div(np.add(y, 3)), [3], [3]],
  ["at: pow", (x, y) => np.add(x, 3).at(1).pow(y), [3], []],
  ["at: min", (x, y) => x.at([0, 2]).min(y), [3], [2]],
  ["at: apply", (x) => x.at("1:").apply(np.sin), [3]],
  ["dot", (x, y) => np.dot(x, y), [2, 3], [4, 3, 2]],
  ["matmul", (x, y) => np.matmul(x, y), [2, 1, 2, 3], [3, 3, 2]],
  ["vecdot", (x, y) => np.vecdot(x, y, 0), [3, 2], [3, 1]],
  ["matvec", (x, y) => np.matvec(x, y), [2, 2, 3], [3]],
  ["vecmat", (x, y) => np.vecmat(x, y), [2], [3, 2, 2]],
  [
    "tensordot",
    (x, y) =>
      np.tensordot(x, y, [
        [0, 1],
        [1, 0],
      ]),
    [2, 3],
    [3, 2, 2],
  ],
  ["inner", (x, y) => np.inner(x, y), [2, 3], [3]],
  ["outer", (x, y) => np.outer(x, y), [2], [2, 2]],
  ["kron", (x, y) => np.kron(x, y), [2], [2, 3]],
  ["trace", (x) => np.trace(x, { offset: 1 }), [3, 3]],
  ["cross", (x, y) => np.cross(x, y), [2, 3], [3]],
  ["cross in the plane", (x, y) => np.cross(x, y), [2, 2], [2, 3]],
  ["multiDot", (x, y) => linalg.multiDot([x, y, x]), [2, 3], [3, 2]],
  ["matrixPower", (x) => linalg.matrixPower(x, 5), [2, 2]],
  ["norm", (x) => linalg.norm(x, { axis: 1 }), [2, 3]],
  ["norm of order 3", (x) => linalg.norm(x, 3), [4]],
  ["norm of order 1 of matrices", (x) => linalg.norm(x, { ord: 1, axis: [0, 2] }), [2, 3, 2]],
  ["norm of order -Infinity", (x) => linalg.matrixNorm(x, { ord: -Infinity }), [2, 3]],
  ["sort", (x) => np.sort(x, { descending: true }), [2, 3]],
  ["topK", (x) => np.topK(x, 2, 0)[0], [3, 2]],
  ["unique", (x) => np.unique(x, { size: 4 }), [4]],
  ["histogram of weights", (x) => np.histogram(np.array([1, 2, 3]), 2, { weights: x })[0], [3]],
  ["bincount of weights", (x) => np.bincount(ints([0, 2, 0]), { weights: x, length: 4 }), [3]],
  ["diff", (x, y) => np.diff(x, 2, { prepend: y }), [2, 4], [2, 1]],
  ["ediff1d", (x, y) => np.ediff1d(x, { toEnd: y }), [2, 2], []],
  ["gradient", (x) => np.gradient(x, 0.5), [3, 4]],
  ["gradient of points", (x, y) => np.gradient(x, np.cumsum(np.add(y, 3))), [4], [4]],
  ["trapezoid", (x, y) => np.trapezoid(x, y), [2, 4], [4]],
  ["unwrap", (x) => np.unwrap(np.multiply(x, 5)), [5]],
  ["interp", (x, y, z) => np.interp(x, np.cumsum(np.add(y, 2)), z, { right: "extrapolate" }), [5], [3], [3]],
  [
    "interp of a period",
    (x, z) => np.interp(np.multiply(x, 4), np.array([0.5, 2, 1]), z, { period: 3 }),
    [5],
    [3],
  ],
  ["convolve", (x, y) => np.convolve(x, y), [4], [3]],
  ["correlate", (x, y) => np.correlate(x, y, "same"), [3], [4]],
  ["cov", (x) => np.cov(x), [2, 4]],
  ["cov with weights", (x, y) => np.cov(x, { aweights: np.add(y, 2) }), [2, 3], [3]],
  ["corrcoef", (x) => np.corrcoef(x), [2, 4]],
  ["polyval", (x, y) => np.polyval(x, y), [3], [2]],
  ["polymul", (x, y) => np.polymul(x, y), [3], [2]],
  ["polyint", (x, y) => np.polyint(x, 2, y), [3], [2]],
  ["polyder", (x) => np.polyder(x, 2), [4]],
  ["poly", (x) => np.poly(x), [3]],
];

/** Numbers without a pattern, distinct, the same in every run. */
const draw = (shape: readonly number[], seed: number): NDArray =>
  np.reshape(
    np.sin(np.add(np.multiply(np.arange(sizeOf(shape), { dtype: "float64" }), 2.3), seed * 1.7)),
    shape,
  );

describe.each(calls.map(([name, f, ...shapes]) => [name, f, shapes] as const))("%s", (_, f, shapes) => {
  const xs = shapes.map((shape, i) => draw(shape, i + 1));
  const vs = shapes.map((shape, i) => draw(shape, i + 11));
  /** All results as one vector. */
  const vector = (...ys: NDArray[]): NDArray => {
    const out = f(...ys);
    return np.concatenate((Array.isArray(out) ? out : [out]).map((y: NDArray) => np.ravel(y)));
  };
  const moved = (h: number) => vector(...xs.map((x, i) => np.add(x, np.multiply(vs[i], h))));

  it("has derivatives, forwards and backwards", () => {
    const central = (h: number) => np.divide(np.subtract(moved(h), moved(-h)), 2 * h);
    const slope = np.divide(np.subtract(np.multiply(4, central(5e-4)), central(1e-3)), 3);
    const [value, tangent] = jvp(vector as (...ys: NDArray[]) => NDArray, xs, vs) as [NDArray, NDArray];
    expectClose(value, vector(...xs).tolist(), 0);
    expect(tangent.dtype).toBe("float64");
    expectClose(tangent, slope.tolist(), 1e-8);
    const weights = draw(value.shape, 31);
    const loss = (...ys: NDArray[]) => np.sum(np.multiply(vector(...ys), weights));
    const gradients = grad(
      loss as (...ys: NDArray[]) => NDArray,
      { argnums: xs.map((__, i) => i) } as object,
    )(...xs) as unknown as NDArray[];
    const along = gradients.reduce((total, g, i) => total + (np.vdot(g, vs[i]).item() as number), 0);
    expectClose(np.vdot(tangent, weights), along, 1e-12);
    gradients.forEach((g, i) => {
      expect(g.shape).toEqual(shapes[i]);
    });
  });

  it("is the same under jit, and under vmap for each of a batch", () => {
    const plain = flat(vector(...xs));
    expectClose((jit(vector as (...ys: NDArray[]) => NDArray) as typeof vector)(...xs), plain, 0);
    const batches = xs.map((x, i) => np.stack([x, vs[i], x]));
    const batched = (vmap(vector as (...ys: NDArray[]) => NDArray) as typeof vector)(...batches);
    expectClose(batched, [...plain, ...flat(vector(...vs)), ...plain], 1e-12);
  });
});
