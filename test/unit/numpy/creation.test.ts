import { describe, expect, it } from "vitest";
import type { NDArray } from "../../../src/core/array.js";
import { ArgumentError, ConcretizationError, DtypeError, ShapeError } from "../../../src/core/errors.js";
import * as np from "../../../src/numpy/index.js";
import { grad } from "../../../src/transforms/grad.js";
import { jit } from "../../../src/transforms/jit.js";
import { makeJaxpr } from "../../../src/transforms/makeJaxpr.js";
import { vmap } from "../../../src/transforms/vmap.js";
import { expectClose } from "./compare.js";

const { inf, nan } = np;
const type = (x: NDArray): string => `${x.dtype}[${x.shape.join(",")}]`;

describe("array", () => {
  it("reads nested lists", () => {
    const x = np.array([
      [
        [1, 2],
        [3, 4],
      ],
      [
        [5, 6],
        [7, 8.5],
      ],
    ]);
    expect(type(x)).toBe("float32[2,2,2]");
    expect(x.tolist()).toEqual([
      [
        [1, 2],
        [3, 4],
      ],
      [
        [5, 6],
        [7, 8.5],
      ],
    ]);
    expect(type(np.array([[], []]))).toBe("float32[2,0]");
    expect(type(np.array([[true], [false]]))).toBe("bool[2,1]");
    expect(type(np.array([true, 2]))).toBe("float32[2]");
  });

  it("numbers alone are float32, whatever their values", () => {
    for (const values of [[1, 2], [1, 2.5], [3e9], [1, -0], [nan]])
      expect(np.array(values).dtype).toBe("float32");
    expect(Object.is((np.array([-0]).tolist() as number[])[0], -0)).toBe(true);
  });

  it("a bare number is weak, an array is itself", () => {
    expect([np.array(5).dtype, np.array(5).weakType]).toEqual(["int32", true]);
    expect([np.array(2.5).dtype, np.array(2.5).weakType]).toEqual(["float32", true]);
    expect(np.array(5, "float64").weakType).toBe(false);
    const x = np.array([1, 2]);
    expect(np.asarray(x)).toBe(x);
    expect(np.copy(x)).toBe(x);
    expect(type(np.asarray(x, { dtype: "int32" }))).toBe("int32[2]");
  });

  it("typed arrays keep their type", () => {
    const types = [
      [new Float64Array([0.1]), "float64"],
      [new Float32Array([0.1]), "float32"],
      [new Uint8Array([255]), "uint8"],
      [new Uint8ClampedArray([255]), "uint8"],
      [new Int32Array([-1]), "int32"],
      [new Uint32Array([2 ** 32 - 1]), "uint32"],
      [new Int8Array([-1]), "int32"],
      [new Int16Array([-1]), "int32"],
      [new Uint16Array([65535]), "int32"],
    ] as const;
    for (const [values, dtype] of types) {
      expect(np.array(values).dtype).toBe(dtype);
      expect(np.array(values).tolist()).toEqual([...values]);
      expect(type(np.array([values, values]))).toBe(`${dtype}[2,1]`);
    }
    expect(() => np.array(new BigInt64Array(1) as unknown as Int32Array)).toThrow(DtypeError);
    const source = new Float32Array([1, 2]);
    const copy = np.array(source);
    source[0] = 9;
    expect(copy.tolist()).toEqual([1, 2]);
  });

  it("converts to a dtype, in full precision", () => {
    expect(np.array([0.1], "float64").item()).toBe(0.1);
    expect(np.array([1.7, -1.7, nan, 1e10, -inf], "int32").tolist()).toEqual([
      1, -1, 0, 2147483647, -2147483648,
    ]);
    expect(np.array([0, 0.5, nan], "bool").tolist()).toEqual([false, true, true]);
    expect(np.array([2049], "float16").item()).toBe(2048);
    expect(np.array([4294967295], "uint32").item()).toBe(4294967295);
  });

  it("stacks arrays among the lists, with their dtypes", () => {
    const n = np.array([1, 2], "int32");
    expect(type(np.array([n, n]))).toBe("int32[2,2]");
    expect(type(np.array([n, [3, 4]]))).toBe("int32[2,2]");
    expect(np.array([n, [3, 4.5]]).tolist()).toEqual([
      [1, 2],
      [3, 4.5],
    ]);
    expect(np.array([np.array(0.5, "float64"), 0.1]).tolist()).toEqual([0.5, 0.1]);
    expect(type(np.array([np.array(1, "float16"), 0.5]))).toBe("float16[2]");
  });

  it("stacks traced arrays, differentiably and under jit and vmap", () => {
    const rotate = (t: NDArray): NDArray =>
      np.array([
        [np.cos(t), np.negative(np.sin(t))],
        [np.sin(t), np.cos(t)],
      ]);
    const f = (t: NDArray): NDArray =>
      np.sum(
        np.multiply(
          rotate(t),
          np.array(
            [
              [1, 2],
              [3, 4],
            ],
            "float64",
          ),
        ),
      );
    const t = np.array(0.3, "float64");
    // d/dt of 5·cos t + sin t
    expect(grad(f)(t).item()).toBeCloseTo(-5 * Math.sin(0.3) + Math.cos(0.3), 12);
    expectClose(jit(rotate)(t), rotate(t).tolist(), 0);
    expect(vmap(rotate)(np.array([0.1, 0.2, 0.3])).shape).toEqual([3, 2, 2]);
    const mixed = jit((x: NDArray) =>
      np.array([
        [x, [1, 2]],
        [[3, 4], x],
      ] as never),
    );
    expect(mixed(np.array([8, 9], "int32")).tolist()).toEqual([
      [
        [8, 9],
        [1, 2],
      ],
      [
        [3, 4],
        [8, 9],
      ],
    ]);
    expect(type(jit((x: NDArray) => np.array([x, 2.5], "int32"))(np.array(1.5)))).toBe("int32[2]");
  });

  it("says what is wrong", () => {
    expect(() => np.array([[1, 2], [3]])).toThrow(
      /a list needs elements of one shape, got \[2\] at index 0 and \[1\] at index 1/,
    );
    expect(() => np.array([1, [2]])).toThrow(ShapeError);
    for (const bad of ["x", null, undefined, {}, [1, null], [{ a: 1 }], () => 1])
      expect(() => np.array(bad as never)).toThrow(ArgumentError);
    expect(() => np.array([1], "float33" as never)).toThrow(DtypeError);
    expect(() => np.array([1], "float0")).toThrow(/no arrays of dtype float0/);
    expect(() => np.array([1], { type: "int32" } as object)).toThrow(
      /there is no option "type"; the options are dtype/,
    );
  });
});

describe("arrays of one value", () => {
  it("have the shape and dtype asked for", () => {
    expect(type(np.zeros([2, 3]))).toBe("float32[2,3]");
    expect(type(np.ones(3, "int32"))).toBe("int32[3]");
    expect(type(np.empty([], { dtype: "bool" }))).toBe("bool[]");
    expect(np.full([2], 7).dtype).toBe("float32");
    expect(np.full([2], true).tolist()).toEqual([true, true]);
    expect(np.full([2], 0.1, "float64").tolist()).toEqual([0.1, 0.1]);
    expect(np.full([2, 2], np.array([1, 2], "int32")).tolist()).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });

  it("like others take what is not said from these", () => {
    const x = np.array([[1, 2]], "uint8");
    expect(type(np.zerosLike(x))).toBe("uint8[1,2]");
    expect(type(np.onesLike(x, "float16"))).toBe("float16[1,2]");
    expect(type(np.emptyLike(x, { shape: 3 }))).toBe("uint8[3]");
    expect(np.fullLike(x, 2.5).tolist()).toEqual([[2, 2]]);
    expect(np.zerosLike(3).weakType).toBe(true);
  });

  it("stay small in a program", () => {
    const { jaxpr } = makeJaxpr(() => np.zeros([1000, 1000]))();
    expect(jaxpr.eqns.length).toBe(1);
  });

  it("refuse what is no shape", () => {
    for (const shape of [[2.5], [-1], "2"]) expect(() => np.zeros(shape as number[])).toThrow(ShapeError);
    expect(() => np.full([2], np.zeros(3))).toThrow(/full: float32\[3\] does not broadcast to \[2\]/);
    expect(() => np.full([1], np.zeros([2]))).toThrow(ShapeError);
    expect(() => np.zerosLike(1, { sahpe: 2 } as object)).toThrow(/no option "sahpe"/);
  });
});

describe("ranges", () => {
  it("arange counts in int32, and in float32 with fractions", () => {
    expect(type(np.arange(4))).toBe("int32[4]");
    expect(np.arange(2, 9, 3).tolist()).toEqual([2, 5, 8]);
    expect(np.arange(3, 0, -1).tolist()).toEqual([3, 2, 1]);
    expect(np.arange(3, 0).tolist()).toEqual([]);
    expectClose(np.arange(0, 1, 0.1, "float64"), [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9], 1e-15);
    expect(np.arange(1, 2, 0.5).dtype).toBe("float32");
    expect(type(np.arange(np.array(3, "int32"), { dtype: "float16" }))).toBe("float16[3]");
    expect(() => np.arange(0, 1, 0)).toThrow(/the step must not be 0/);
    expect(() => np.arange(inf)).toThrow(ArgumentError);
    expect(() => np.arange(3, "bool")).toThrow(DtypeError);
    expect(() => jit((n: NDArray) => np.arange(n))(np.array(3))).toThrow(ConcretizationError);
  });

  it("linspace ends exactly where it should", () => {
    for (const [a, b, n] of [
      [0, 0.1, 7],
      [-3, 1 / 3, 50],
      [1e-3, 1e3, 11],
    ]) {
      const x = np.linspace(a, b, n, { dtype: "float64" }).tolist() as number[];
      expect([x.length, x[0], x[n - 1]]).toEqual([n, a, b]);
      x.forEach((v, i) => {
        expect(Math.abs(v - (a + ((b - a) * i) / (n - 1)))).toBeLessThan(1e-12);
      });
      const traced = np.linspace(np.array(a, "float64"), b, n).tolist() as number[];
      expect([traced[0], traced[n - 1]]).toEqual([a, b]);
    }
    expect(np.linspace(0, 1, 4, { endpoint: false }).tolist()).toEqual([0, 0.25, 0.5, 0.75]);
    expect(np.linspace(-1, 1, 5, { dtype: "int32" }).tolist()).toEqual([-1, -1, 0, 0, 1]);
    expect(np.linspace(0, 1).shape).toEqual([50]);
    const [, step] = np.linspace(0, 1, 5, { retstep: true });
    expect(step.item()).toBe(0.25);
    expect(np.linspace(0, 1, 1, { retstep: true })[1].item()).toBe(nan);
  });

  it("between arrays there is a new axis, and derivatives of both ends", () => {
    const [a, b] = [np.array([0, 10], "float64"), np.array([[1], [2], [3]], "float64")];
    expect(np.linspace(a, b, 5).shape).toEqual([5, 3, 2]);
    expect(np.linspace(a, b, 5, { axis: -1 }).shape).toEqual([3, 2, 5]);
    expect(np.linspace(a, 1, 0).shape).toEqual([0, 2]);
    const [da, db] = grad((x: NDArray, y: NDArray) => np.sum(np.linspace(x, y, 5)), { argnums: [0, 1] })(
      a,
      b,
    );
    expectClose(da, [7.5, 7.5]);
    expectClose(db, [[5], [5], [5]]);
    expectClose(
      grad((x: NDArray) => np.linspace(x, 1, 5, { retstep: true })[1])(np.array(0, "float64")),
      -0.25,
    );
  });

  it("logspace and geomspace have constant ratios", () => {
    expectClose(np.logspace(0, 3, 4), [1, 10, 100, 1000]);
    expectClose(np.logspace(0, 3, 4, { base: 2, dtype: "int32" }), [1, 2, 4, 8]);
    expectClose(np.geomspace(1, 256, 9), [1, 2, 4, 8, 16, 32, 64, 128, 256]);
    expectClose(np.geomspace(-8, -1, 4), [-8, -4, -2, -1]);
    expectClose(np.geomspace(np.array([1, -1], "float64"), np.array([8, -27], "float64"), 4, { axis: 1 }), [
      [1, 2, 4, 8],
      [-1, -3, -9, -27],
    ]);
    expectClose(np.geomspace(1, 16, 4, { endpoint: false }), [1, 2, 4, 8]);
    expect(() => np.geomspace(0, 1, 3)).toThrow(ArgumentError);
    expect(() => np.geomspace(-1, 1, 3)).toThrow(/numbers of one sign/);
    expect(() => np.linspace(0, 1, -1)).toThrow(ArgumentError);
  });
});

describe("matrices and grids", () => {
  const x = np.arange(12, "float64").reshape(3, 4);
  const entries = (f: (i: number, j: number) => number): number[][] =>
    [0, 1, 2].map((i) => [0, 1, 2, 3].map((j) => f(i, j)));

  it("eye, tri, tril and triu agree with their definitions", () => {
    for (const k of [-3, -1, 0, 2, 5]) {
      expect(np.eye(3, 4, { k }).tolist()).toEqual(entries((i, j) => (j === i + k ? 1 : 0)));
      expect(np.tri(3, 4, { k }).tolist()).toEqual(entries((i, j) => (j <= i + k ? 1 : 0)));
      expect(np.tril(x, k).tolist()).toEqual(entries((i, j) => (j <= i + k ? 4 * i + j : 0)));
      expect(np.triu(x, { k }).tolist()).toEqual(entries((i, j) => (j >= i + k ? 4 * i + j : 0)));
    }
    expect(type(np.eye(2, { dtype: "int32" }))).toBe("int32[2,2]");
    expect(type(np.identity(0))).toBe("float32[0,0]");
    expect(np.tril(np.ones([2, 3, 3])).shape).toEqual([2, 3, 3]);
    expect(() => np.triu(np.ones(3))).toThrow(/triu needs an array with at least two axes/);
    expect(() => np.eye(-1)).toThrow(ArgumentError);
    expect(() => np.eye(2, { K: 1 } as object)).toThrow(/no option "K"/);
  });

  it("diag goes there and back, with derivatives", () => {
    const v = np.array([1, 2, 3]);
    for (const k of [-2, -1, 0, 1, 3]) {
      const m = np.diag(v, k);
      expect(m.shape).toEqual([3 + Math.abs(k), 3 + Math.abs(k)]);
      expect(np.diag(m, k).tolist()).toEqual([1, 2, 3]);
      expect(np.sum(m).item()).toBe(6);
      const weights = np.arange(m.size, "float32").reshape(m.shape);
      const g = grad((u: NDArray) => np.sum(np.multiply(np.diag(u, k), weights)))(v);
      expect(g.tolist()).toEqual(np.diag(weights, k).tolist());
    }
    expect(np.diag(np.arange(12).reshape(3, 4), 1).tolist()).toEqual([1, 6, 11]);
    expect(np.diagflat(np.array([[1, 2]]), -1).tolist()).toEqual([
      [0, 0, 0],
      [1, 0, 0],
      [0, 2, 0],
    ]);
    expect(() => np.diag(3)).toThrow(ShapeError);
  });

  it("vander", () => {
    const v = np.array([2, 3], "int32");
    expect(np.vander(v, 4).tolist()).toEqual([
      [8, 4, 2, 1],
      [27, 9, 3, 1],
    ]);
    expect(np.vander(v, { increasing: true }).tolist()).toEqual([
      [1, 2],
      [1, 3],
    ]);
    expect(grad((u: NDArray) => np.sum(np.vander(u, 3)))(np.array([0, 1], "float32")).tolist()).toEqual([
      1, 3,
    ]);
  });

  it("meshgrid and indices", () => {
    const [a, b, c] = [np.arange(2), np.arange(3), np.arange(4)];
    expect(np.meshgrid(a, b, c).map((g) => g.shape)).toEqual([
      [3, 2, 4],
      [3, 2, 4],
      [3, 2, 4],
    ]);
    const [i, j, k] = np.meshgrid(a, b, c, { indexing: "ij" });
    expect(np.array([i, j, k]).tolist()).toEqual(np.indices([2, 3, 4]).tolist());
    expect(np.meshgrid(a, b, { sparse: true }).map((g) => g.shape)).toEqual([
      [1, 2],
      [3, 1],
    ]);
    expect(np.meshgrid(a).map((g) => g.shape)).toEqual([[2]]);
    expect(np.meshgrid(2, b).map((g) => g.shape)).toEqual([
      [3, 1],
      [3, 1],
    ]);
    expect(np.indices([2, 3], { sparse: true }).map((g) => g.tolist())).toEqual([[[0], [1]], [[0, 1, 2]]]);
    expect(np.indices([]).shape).toEqual([0]);
    expect(() => np.meshgrid(a, b, { indexing: "ji" as "ij" })).toThrow(ArgumentError);
    expect(() => np.meshgrid(np.zeros([2, 2]))).toThrow(ShapeError);
    const mesh = np.ix_(np.array([0, 2], "int32"), np.array([true, false, true]));
    expect(mesh.map((m) => m.tolist())).toEqual([[[0], [2]], [[0, 2]]]);
  });
});

describe("where elements are not zero", () => {
  const x = np.array([
    [0, 5, 0],
    [7, 0, nan],
  ]);

  it("without a size from the values", () => {
    expect(np.nonzero(x).map((i) => i.tolist())).toEqual([
      [0, 1, 1],
      [1, 0, 2],
    ]);
    expect(np.argwhere(x).tolist()).toEqual([
      [0, 1],
      [1, 0],
      [1, 2],
    ]);
    expect(np.flatnonzero(x).tolist()).toEqual([1, 3, 5]);
    expect(np.where(x).map((i) => i.tolist())).toEqual(np.nonzero(x).map((i) => i.tolist()));
    expect(np.nonzero(np.zeros([2, 0])).map(type)).toEqual(["int32[0]", "int32[0]"]);
    expect(() => jit((v: NDArray) => np.nonzero(v)[0])(x)).toThrow(ConcretizationError);
    expect(() => np.nonzero(3)).toThrow(/atleast1d/);
  });

  it("with a size also for traced arrays", () => {
    const find = (size: number, fillValue?: number | number[]) =>
      jit((v: NDArray) => np.nonzero(v, { size, ...(fillValue === undefined ? {} : { fillValue }) }))(x).map(
        (i) => i.tolist(),
      );
    expect(find(2)).toEqual([
      [0, 1],
      [1, 0],
    ]);
    expect(find(5)).toEqual([
      [0, 1, 1, 0, 0],
      [1, 0, 2, 0, 0],
    ]);
    expect(find(4, [-1, 9])).toEqual([
      [0, 1, 1, -1],
      [1, 0, 2, 9],
    ]);
    expect(find(8, -1)[0]).toEqual([0, 1, 1, -1, -1, -1, -1, -1]);
    expect(() => find(2, [1])).toThrow(ArgumentError);
    expect(np.where(x, { size: 1 })[1].tolist()).toEqual([1]);
  });
});

describe("windows", () => {
  it("are symmetric, with their known sums", () => {
    for (const [f, sum] of [
      [np.bartlett, 5],
      [np.hanning, 5],
      [np.hamming, 5.48],
      [np.blackman, 4.2],
    ] as const) {
      const w = f(11);
      expect(w.tolist()).toEqual(np.flip(w).tolist());
      expectClose(np.sum(w), sum);
      expect(f(1).tolist()).toEqual([1]);
      expect(f(0).shape).toEqual([0]);
    }
  });
});
