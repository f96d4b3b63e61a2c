import {
  ArgumentError,
  AxisError,
  grad,
  jit,
  lax,
  makeJaxpr,
  type NDArray,
  numpy as np,
  random,
  TreeMismatchError,
  tree,
  vmap,
} from "fluxion";
import { describe, expect, it } from "vitest";
import { errorOf, expectClose, f64, i32, plain, types } from "../values.js";

const matrix = f64([
  [1, 2, 3],
  [4, 5, 6],
]);

describe("inAxes", () => {
  it("0 by default, any axis, negative ones, null for what is shared", () => {
    expect(plain(vmap((row: NDArray) => np.sum(row))(matrix))).toEqual([6, 15]);
    expect(plain(vmap((column: NDArray) => np.sum(column), { inAxes: 1 })(matrix))).toEqual([5, 7, 9]);
    expect(plain(vmap((column: NDArray) => np.sum(column), { inAxes: -1 })(matrix))).toEqual([5, 7, 9]);
    expect(plain(vmap((row: NDArray) => np.sum(row), { inAxes: -2 })(matrix))).toEqual([6, 15]);
    const dot = (x: NDArray, y: NDArray) => np.dot(x, y);
    expect(plain(vmap(dot, { inAxes: [0, null] })(matrix, f64([1, 10, 100])))).toEqual([321, 654]);
    expect(plain(vmap(dot, { inAxes: [null, 1] })(f64([1, 10]), matrix))).toEqual([41, 52, 63]);
    expect(
      plain(
        vmap(dot, { inAxes: [1, 0] })(
          matrix,
          f64([
            [1, 1],
            [2, 2],
            [3, 3],
          ]),
        ),
      ),
    ).toEqual([5, 14, 27]);
  });

  it("a tree that may stop early", () => {
    const f = (p: { w: NDArray; rest: { b: NDArray; c: NDArray } }, x: [NDArray, NDArray | null]) =>
      np.sum(p.w).mul(p.rest.b).add(p.rest.c).add(x[0]);
    const p = { w: matrix, rest: { b: f64([10, 20, 30]), c: f64(7) } };
    const x = [f64([100, 200, 300]), null] as [NDArray, null];
    const wanted = [5 * 10 + 107, 7 * 20 + 207, 9 * 30 + 307];
    expect(plain(vmap(f, { inAxes: [{ w: 1, rest: { b: 0, c: null } }, 0] })(p, x))).toEqual(wanted);
    expect(plain(vmap(f, { inAxes: [{ w: -1, rest: { b: -1, c: null } }, [0, null]] })(p, x))).toEqual(
      wanted,
    );
    // One entry for a whole subtree.
    const q = { w: matrix, rest: { b: f64([10, 20]), c: f64([7, 8]) } };
    expect(plain(vmap(f, { inAxes: [{ w: 0, rest: 0 }, [null, null]] })(q, [f64(1), null]))).toEqual([
      6 * 10 + 8,
      15 * 20 + 9,
    ]);
    expect(plain(vmap(f, { inAxes: [0, null] })(q, [f64(1), null]))).toEqual([68, 309]);
  });

  it("instances of registered classes are trees", () => {
    class Point {
      constructor(
        readonly x: NDArray,
        readonly y: NDArray,
      ) {}
    }
    tree.registerDataclass(Point, { data: ["x", "y"] });
    const swap = (p: Point) => new Point(p.y, p.x);
    const swapped = vmap(swap)(new Point(f64([1, 2]), f64([3, 4]))) as Point;
    expect(swapped).toBeInstanceOf(Point);
    expect(plain([swapped.x, swapped.y])).toEqual([
      [3, 4],
      [1, 2],
    ]);
  });
});

describe("outAxes and axisSize", () => {
  it("puts the batch axis anywhere, for each output", () => {
    const f = (row: NDArray) => ({ a: np.outer(row, row), b: np.sum(row), c: row });
    expect(types(vmap(f)(matrix))).toEqual({ a: "float64[2,3,3]", b: "float64[2]", c: "float64[2,3]" });
    expect(types(vmap(f, { outAxes: { a: 1, b: 0, c: -1 } })(matrix))).toEqual({
      a: "float64[3,2,3]",
      b: "float64[2]",
      c: "float64[3,2]",
    });
    expect(types(vmap(f, { outAxes: -1 })(matrix))).toEqual({
      a: "float64[3,3,2]",
      b: "float64[2]",
      c: "float64[3,2]",
    });
    expect(plain(vmap((row: NDArray) => row, { outAxes: 1 })(matrix))).toEqual(plain(np.transpose(matrix)));
    const outer = vmap(
      vmap((x: NDArray, y: NDArray) => x.sub(y), { inAxes: [null, 0] }),
      { inAxes: [0, null], outAxes: 1 },
    );
    expect(plain(outer(f64([1, 2]), f64([10, 20, 30])))).toEqual([
      [-9, -8],
      [-19, -18],
      [-29, -28],
    ]);
  });

  it("an output that does not depend on the batch is repeated, or kept once with null", () => {
    const f = (x: NDArray) => [x, f64(7), np.sum(matrix), 5] as const;
    expect(plain(vmap(f)(f64([1, 2])))).toEqual([
      [1, 2],
      [7, 7],
      [21, 21],
      [5, 5],
    ]);
    expect(plain(vmap(f, { outAxes: [0, null, null, null] })(f64([1, 2])))).toEqual([[1, 2], 7, 21, 5]);
    expect(errorOf(() => vmap(f, { outAxes: null })(f64([1, 2]))).message).toMatch(
      /output .*\[0\].*depends on the batch/,
    );
  });

  it("axisSize where nothing is batched, checked where something is", () => {
    expect(plain(vmap((x: NDArray) => np.square(x), { inAxes: null, axisSize: 3 })(f64(2)))).toEqual([
      4, 4, 4,
    ]);
    expect(plain(vmap(() => f64(1), { axisSize: 2 })())).toEqual([1, 1]);
    expect(plain(vmap((x: NDArray) => x, { axisSize: 2 })(f64([1, 2])))).toEqual([1, 2]);
    const error = errorOf(() => vmap((x: NDArray) => x, { axisSize: 3 })(f64([1, 2])));
    expect(error).toBeInstanceOf(AxisError);
    expect(error.message).toMatch(/axisSize has 3 .*\[2\].* has 2/);
    expect(errorOf(() => vmap((x: NDArray) => x, { inAxes: null })(f64([1, 2]))).message).toContain(
      "axisSize",
    );
    expect(types(vmap((x: NDArray) => np.sin(x))(np.zeros([0, 2])))).toBe("float32[0,2]");
  });
});

describe("what is vectorised", () => {
  it("is one pass over whole arrays: the program does not grow with the batch", () => {
    const f = vmap((x: NDArray, y: NDArray) => np.sin(x).mul(y).add(1));
    const size = (n: number) => makeJaxpr(f)(np.ones([n]), np.ones([n])).jaxpr.eqns.length;
    expect(size(2)).toBe(3);
    expect(size(1000)).toBe(3);
  });

  it("what does not depend on the batch is computed once", () => {
    const program = makeJaxpr(
      vmap((x: NDArray, w: NDArray) => np.sum(np.matmul(w, w)).mul(x), { inAxes: [0, null] }),
    )(np.ones([5]), np.ones([4, 4]));
    const product = program.jaxpr.eqns.find((e) => e.primitive.name === "dotGeneral");
    expect(product?.outputs[0].aval.shape).toEqual([4, 4]);
  });

  it("random functions over keys, indexing by batched indices, sorting, dynamic slices", () => {
    const keys = random.split(random.key(0), 3);
    const draws = vmap((k: NDArray) => random.normal(k, [2]))(keys);
    expect(plain(draws)).toEqual([0, 1, 2].map((i) => plain(random.normal(keys.slice(i), [2]))));
    const table = f64([10, 20, 30, 40]);
    expect(plain(vmap((i: NDArray) => np.take(table, i))(i32([3, 0, 1])))).toEqual([40, 10, 20]);
    expect(plain(vmap((i: NDArray) => lax.dynamicSlice(table, [i], [2]))(i32([0, 9])))).toEqual([
      [10, 20],
      [30, 40],
    ]);
    expect(
      plain(
        vmap((row: NDArray) => np.sort(row))(
          f64([
            [3, 1, 2],
            [9, 7, 8],
          ]),
        ),
      ),
    ).toEqual([
      [1, 2, 3],
      [7, 8, 9],
    ]);
    expect(plain(vmap((row: NDArray, i: NDArray) => row.at(i).set(0))(matrix, i32([0, 2])))).toEqual([
      [0, 2, 3],
      [4, 5, 0],
    ]);
  });

  it("per-example gradients have a batch axis each, and sum to the gradient", () => {
    const loss = (p: { w: NDArray; b: NDArray }, x: NDArray) => np.sum(np.tanh(np.matmul(p.w, x).add(p.b)));
    const p = {
      w: f64([
        [0.1, 0.2, 0.3],
        [0.4, 0.5, 0.6],
      ]),
      b: f64([0.1, -0.1]),
    };
    const each = vmap(grad(loss), { inAxes: [null, 0] })(p, matrix);
    expect(types(each)).toEqual({ w: "float64[2,2,3]", b: "float64[2,2]" });
    const whole = grad((q: typeof p) => np.sum(vmap(loss, { inAxes: [null, 0] })(q, matrix)))(p);
    expectClose(
      tree.map((g) => np.sum(g, { axis: 0 }), each),
      plain(whole),
    );
    const singly = [0, 1].map((i) => plain(grad(loss)(p, matrix.slice(i))) as { w: unknown });
    expectClose(
      [each.w, jit(vmap(grad(loss), { inAxes: [null, 0] }))(p, matrix).w],
      [singly.map((g) => g.w), singly.map((g) => g.w)],
    );
  });
});

describe("what is refused", () => {
  it("sizes that differ, axes out of range, axes that are none, trees that do not fit", () => {
    const f = (p: { w: NDArray; b: NDArray }, x: NDArray) => np.sum(p.w).add(np.sum(p.b)).add(np.sum(x));
    const p = { w: matrix, b: f64([1, 2, 3]) };
    const run = (options: object) => errorOf(() => vmap(f, options)(p, f64([1, 2])));
    for (const [options, type, text] of [
      [
        {},
        AxisError,
        /vmap\(f\).*\[0\]\.b \(shape \[3\], axis 0\) has 3 and .*\[0\]\.w \(shape \[2,3\], axis 0\) has 2/,
      ],
      [
        { inAxes: [{ w: 1, b: 0 }, 0] },
        AxisError,
        /\[0\]\.b .*has 3 and .*\[1\] \(shape \[2\], axis 0\) has 2/,
      ],
      [{ inAxes: 2 }, AxisError, /axis 2 is out of range for an array of 1 dimensions/],
      [
        { inAxes: [{ w: -3, b: null }, null] },
        AxisError,
        /\[0\]\.w: axis -3 is out of range for an array of 2/,
      ],
      [{ inAxes: [{ w: 0.5, b: null }, null] }, ArgumentError, /0.5 is not an axis/],
      [{ inAxes: [{ w: "0", b: null }, null] }, ArgumentError, /is not an axis/],
      [{ inAxes: [{ w: 0 }, null] }, TreeMismatchError, /inAxes.*\[0\]/],
      [{ inAxes: [0] }, TreeMismatchError, /inAxes/],
      [{ inAxes: [[0, 0], 0] }, TreeMismatchError, /inAxes.*\[0\]/],
      [
        { inAxes: [{ w: 0, b: null }, 0], outAxes: 1 },
        AxisError,
        /output of vmap\(f\).*axis 1 is out of range/,
      ],
      [{ inAxes: [{ w: 0, b: null }, 0], outAxes: [0, 0] }, TreeMismatchError, /outAxes/],
    ] as const) {
      const error = run(options);
      expect(error, error.message).toBeInstanceOf(type);
      expect(error.message).toMatch(text);
    }
  });
});
