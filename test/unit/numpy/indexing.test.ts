import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NDArray } from "../../../src/core/array.js";
import {
  ArgumentError,
  AxisError,
  ConcretizationError,
  DtypeError,
  ShapeError,
} from "../../../src/core/errors.js";
import type { Index } from "../../../src/core/methods.js";
import * as np from "../../../src/numpy/index.js";
import { grad } from "../../../src/transforms/grad.js";
import { jit } from "../../../src/transforms/jit.js";
import { makeJaxpr } from "../../../src/transforms/makeJaxpr.js";
import { vmap } from "../../../src/transforms/vmap.js";
import { flat } from "./compare.js";
import { indexing, type PlainIndex, reference, sizeOf, type Table } from "./indexReference.js";

const asArray = ({ shape, values }: Table, dtype: "int32" | "bool" = "int32"): NDArray =>
  np.reshape(np.array(values, { dtype }), shape);

const real = (index: PlainIndex): Index => {
  if (typeof index !== "object" || index === null) return index;
  if ("table" in index) return asArray(index.table);
  if ("mask" in index) return asArray(index.mask, "bool");
  return index;
};

const counting = (shape: readonly number[]): NDArray =>
  np.reshape(np.arange(sizeOf(shape), { dtype: "float32" }), shape);

/** The index arrays among indices, and the same indices with others in their place. */
const arraysOf = (indices: readonly Index[]): NDArray[] =>
  indices.filter((i): i is NDArray => i instanceof NDArray);
const withArrays = (indices: readonly Index[], arrays: readonly NDArray[]): Index[] => {
  let next = 0;
  return indices.map((i) => (i instanceof NDArray ? arrays[next++] : i));
};

describe.each([
  ["integers, slices, index arrays", false],
  ["with boolean arrays", true],
])("indexing by %s", (_, masks) => {
  it("reads the elements that NumPy's rules say", () => {
    fc.assert(
      fc.property(indexing(masks), ({ shape, indices }) => {
        const x = counting(shape);
        const want = reference(shape, indices);
        const got = x.slice(...indices.map(real));
        expect([got.shape, flat(got)]).toEqual([want.shape, want.values]);
        const filled = x.at(...indices.map(real)).get({ mode: "fill" });
        expect([filled.shape, flat(filled)]).toEqual([want.shape, want.values]);
      }),
      { numRuns: 600 },
    );
  });

  it("updates these elements, and adds up where they repeat", () => {
    fc.assert(
      fc.property(indexing(masks), ({ shape, indices }) => {
        const x = counting(shape);
        const { shape: result, values: places } = reference(shape, indices);
        const values = np.add(counting(result), 1);
        const place = () => x.at(...indices.map(real));
        const fold = (combine: (old: number, value: number) => number) => {
          const wanted = flat(x);
          places.forEach((at, i) => {
            wanted[at] = combine(wanted[at], i + 1);
          });
          return wanted;
        };
        expect(flat(place().add(values))).toEqual(fold((a, b) => a + b));
        expect(flat(place().sub(values))).toEqual(fold((a, b) => a - b));
        expect(flat(place().max(values))).toEqual(fold(Math.max));
        expect(flat(place().min(values))).toEqual(fold(Math.min));
        expect(flat(place().set(values))).toEqual(fold((_, b) => b));
        expect(flat(place().mul(2))).toEqual(
          flat(x).map((v, at) => v * 2 ** places.filter((p) => p === at).length),
        );
        expect(flat(place().div(2))).toEqual(
          flat(x).map((v, at) => v / 2 ** places.filter((p) => p === at).length),
        );
        expect(flat(place().apply((v) => np.add(v, 0.5)))).toEqual(
          flat(x).map((v, at) => (places.includes(at) ? v + 0.5 : v)),
        );
        expect(flat(x)).toEqual(flat(counting(shape)));
      }),
      { numRuns: 300 },
    );
  });

  it("has the scatter of the cotangent as its gradient, and the other way round", () => {
    fc.assert(
      fc.property(indexing(masks), ({ shape, indices }) => {
        const own = indices.map(real);
        const { shape: result, values: places } = reference(shape, indices);
        const weights = np.add(counting(result), 1);
        const pulled = grad((x: NDArray) => np.sum(np.multiply(x.slice(...own), weights)))(counting(shape));
        const wanted = new Array<number>(sizeOf(shape)).fill(0);
        places.forEach((at, i) => {
          wanted[at] += i + 1;
        });
        expect(flat(pulled)).toEqual(wanted);
        const seen = np.add(counting(shape), 1);
        const back = grad((v: NDArray) =>
          np.sum(
            np.multiply(
              counting(shape)
                .at(...own)
                .add(v),
              seen,
            ),
          ),
        )(weights);
        expect(flat(back)).toEqual(places.map((at) => at + 1));
      }),
      { numRuns: 200 },
    );
  });
});

it("traced index arrays mean the same under jit and vmap", () => {
  fc.assert(
    fc.property(indexing(false), ({ shape, indices }) => {
      const own = indices.map(real);
      const arrays = arraysOf(own);
      fc.pre(arrays.length > 0);
      const x = counting(shape);
      const want = reference(shape, indices).values;
      const read = (y: NDArray, ...given: NDArray[]) => y.slice(...withArrays(own, given));
      expect(flat((jit(read) as typeof read)(x, ...arrays))).toEqual(want);
      const rows = np.stack([x, np.add(x, 100)]);
      const both = (vmap(read, { inAxes: [0, ...arrays.map(() => null)] }) as typeof read)(rows, ...arrays);
      expect(flat(both)).toEqual([...want, ...want.map((v) => v + 100)]);
      const stacked = arrays.map((a) => np.stack([a, np.flip(a)]));
      const each = (vmap(read, { inAxes: [null, ...arrays.map(() => 0)] }) as typeof read)(x, ...stacked);
      expect(flat(each)).toEqual([...want, ...flat(read(x, ...arrays.map((a) => np.flip(a))))]);
      const add = (y: NDArray, ...given: NDArray[]) => y.at(...withArrays(own, given)).add(1);
      expect(flat((jit(add) as typeof add)(x, ...arrays))).toEqual(flat(add(x, ...arrays)));
    }),
    { numRuns: 150 },
  );
});

describe("places out of range", () => {
  const x = np.array([10, 11, 12, 13, 14]);
  const far = np.array([9, -9, -2], "int32");

  it("are clamped when read, or filled", () => {
    expect(x.slice(9).item()).toBe(14);
    expect(x.slice(-9).item()).toBe(10);
    expect(x.slice(far).tolist()).toEqual([14, 10, 13]);
    expect(x.at(far).get().tolist()).toEqual([14, 10, 13]);
    expect(x.at(far).get({ mode: "fill" }).tolist()).toEqual([Number.NaN, Number.NaN, 13]);
    expect(x.at(9).get({ mode: "fill" }).item()).toBeNaN();
    expect(
      np
        .array([[1, 2]])
        .at(0, -3)
        .get({ mode: "fill" })
        .item(),
    ).toBeNaN();
    const at = (i: number) =>
      (jit((y: NDArray, k: NDArray) => y.slice(k)) as (y: NDArray, k: NDArray) => NDArray)(x, np.array(i));
    expect([at(9).item(), at(-9).item(), at(-1).item()]).toEqual([14, 10, 14]);
  });

  it("are dropped when written", () => {
    expect(x.at(9).set(0).tolist()).toEqual(x.tolist());
    expect(x.at(-6).add(1).tolist()).toEqual(x.tolist());
    expect(x.at(far).set(0).tolist()).toEqual([10, 11, 12, 0, 14]);
    expect(x.at(9, null).mul(5).tolist()).toEqual(x.tolist());
    expect(np.zeros([2, 2]).at(":", [0, 5]).add(1).tolist()).toEqual([
      [1, 0],
      [1, 0],
    ]);
  });

  it("do not exist on an axis without elements", () => {
    expect(() => np.zeros([0]).slice(0)).toThrow(AxisError);
    expect(() => np.zeros([0, 2]).slice([0])).toThrow(/axis 0 of float32\[0,2\] has no elements/);
    expect(np.zeros([0, 2]).slice([0], "0:0").shape).toEqual([1, 0]);
  });
});

describe("masks", () => {
  const x = np.array([
    [1, -2],
    [-3, 4],
  ]);

  it("of the whole array and a scalar value need no values: they can be traced", () => {
    const relu = jit((y: NDArray) => y.at(np.less(y, 0)).set(0));
    expect(relu(x).tolist()).toEqual([
      [1, 0],
      [0, 4],
    ]);
    const rows = jit((y: NDArray) => y.at(np.any(np.less(y, -2), 1)).mul(10));
    expect(rows(x).tolist()).toEqual([
      [1, -2],
      [-30, 40],
    ]);
    const values = [-0, Number.NaN, 2];
    const kept = np.array(values).at(np.array([false, false, true]));
    for (const y of [
      kept.add(1),
      kept.sub(1),
      kept.mul(3),
      kept.div(3),
      kept.pow(2),
      kept.min(0),
      kept.max(9),
    ])
      expect(flat(y).slice(0, 2)).toEqual([-0, Number.NaN]);
  });

  it("otherwise need their values", () => {
    expect(() => jit((y: NDArray) => y.slice(np.less(y, 0)))(x)).toThrow(ConcretizationError);
    expect(() => jit((y: NDArray) => y.slice(np.less(y, 0)))(x)).toThrow(/boolean array.*np\.where/s);
    const negative = grad((y: NDArray) => np.sum(y.slice(np.less(y, 0))));
    expect(negative(x).tolist()).toEqual([
      [0, 1],
      [1, 0],
    ]);
  });

  it("must have the shape of the axes", () => {
    expect(() => x.slice(np.array([true, false, true]))).toThrow(ShapeError);
    expect(x.slice(":", np.array([true, false])).tolist()).toEqual([[1], [-3]]);
  });

  it("that are scalars add an axis", () => {
    const [yes, no] = [true, false].map((v) => np.reshape(np.array([v]), []));
    expect(x.slice(yes).shape).toEqual([1, 2, 2]);
    expect(x.slice(no).shape).toEqual([0, 2, 2]);
    expect(x.at(no).set(5).tolist()).toEqual(x.tolist());
    expect(x.at(yes).set(5).tolist()).toEqual([
      [5, 5],
      [5, 5],
    ]);
  });
});

describe("wrong indices", () => {
  const x = np.zeros([2, 3]);

  it.each<[string, Index[], new (m: string) => Error, RegExp]>([
    ["too many", [0, 1, 2], AxisError, /float32\[2,3\] has 2 axes, 3 are indexed/],
    ["two ellipses", ["...", "..."], ArgumentError, /only one "\.\.\."/],
    ["a text that is no slice", ["1,2"], ArgumentError, /"1,2" is not an index/],
    ["a step of 0", ["::0"], ArgumentError, /step of a slice must not be 0/],
    ["a fraction", [0.5], ArgumentError, /whole number, got 0\.5/],
    ["fractions in a list", [[0, 1.5]], ArgumentError, /whole number, got 1\.5/],
    ["floats", [np.array([0, 1])], DtypeError, /indices must be integers, got float32\[2\]/],
    [
      "arrays that do not broadcast",
      [
        [0, 1],
        [0, 1, 2],
      ],
      ShapeError,
      /int32\[2\], int32\[3\] do not broadcast/,
    ],
    ["a misspelt slice", [{ begin: 1 } as Index], ArgumentError, /not "begin"/],
    ["a fraction in a slice", [{ start: 0.5 }], ArgumentError, /start of a slice must be a whole number/],
    ["undefined", [undefined as unknown as Index], ArgumentError, /indices must be integers/],
  ])("%s", (_, indices, type, message) => {
    expect(() => x.slice(...indices)).toThrow(type);
    expect(() => x.slice(...indices)).toThrow(message);
  });

  it("name a traced end of a slice", () => {
    const f = jit((y: NDArray, n: NDArray) => y.slice({ stop: n as unknown as number }));
    expect(() => f(x, np.array(1))).toThrow(
      /stop of a slice must be a whole number, got an array \(see lax\.dynamicSlice\)/,
    );
  });

  it("values must fit dtype and shape", () => {
    const ints = np.arange(3);
    expect(() => ints.at(0).set(2.5)).toThrow(DtypeError);
    expect(() => ints.at(0).add(np.array([1.5]))).toThrow(
      /values of dtype float32 do not fit into int32\[3\]/,
    );
    expect(ints.at(0).div(2).dtype).toBe("float32");
    expect(np.zeros([2], "float64").at(0).set(0.1).tolist()).toEqual([0.1, 0]);
    expect(() => x.at(0).set(np.zeros([2]))).toThrow(ShapeError);
    expect(() => x.at(0, 0).set(np.zeros([1]))).toThrow(/\[1\] do not broadcast to the indexed shape \[\]/);
    expect(() => x.at(0).get({ mode: "wrap" as "clip" })).toThrow(ArgumentError);
  });
});

describe("what is recorded", () => {
  const count = (f: (x: NDArray, i: NDArray) => NDArray): string[] =>
    makeJaxpr(f)(np.zeros([4, 5, 6]), np.arange(2)).jaxpr.eqns.map((e) => e.primitive.name);

  it("static indices are one slice and at most one reversal and reshape", () => {
    expect(count((x) => x.slice())).toEqual([]);
    expect(count((x) => x.slice(":", "..."))).toEqual([]);
    expect(count((x) => x.slice("1:3"))).toEqual(["slice"]);
    expect(count((x) => x.slice(0, null, "::2"))).toEqual(["slice"]);
    expect(count((x) => x.slice(0, "::2"))).toEqual(["slice", "reshape"]);
    expect(count((x) => x.slice("::-1", 0))).toEqual(["slice", "rev", "reshape"]);
  });

  it("a known index array is a constant", () => {
    expect(count((x) => x.slice([0, -1]))).toEqual(["gather"]);
    expect(count((x) => x.slice([0, 1], ":", [2, 3]))).toEqual(["gather"]);
  });

  it("updates of boxes are written back as slices", () => {
    expect(count((x) => x.at(0, "1:3").mul(2))).toEqual(["slice", "mul", "dynamicUpdateSlice"]);
    expect(count((x) => x.at("...").add(1))).toEqual(["add"]);
    expect(count((x) => x.at(0).set(1))).toEqual(["broadcastInDim", "dynamicUpdateSlice"]);
    expect(count((x) => x.at([0, 0]).add(1))).toEqual(["broadcastInDim", "scatterAdd"]);
  });
});

it("every element can be read with take and written with put", () => {
  const x = counting([3, 4]);
  expect(np.take(x, [11, -12]).tolist()).toEqual([11, 0]);
  expect(np.put(x, [11, -12], 7).slice([0, -1], [0, -1]).tolist()).toEqual([7, 7]);
  expect(np.take(x, 1, 0).tolist()).toEqual([4, 5, 6, 7]);
  expect(np.take(x, [[0], [2]], 1).shape).toEqual([3, 2, 1]);
  expect(() => np.take(x, np.array([0.5]))).toThrow(DtypeError);
  expect(() => np.take(x, [0], { mode: "raise" as "clip" })).toThrow(ArgumentError);
  expect(() => np.takeAlongAxis(x, [0, 1], 1)).toThrow(ShapeError);
  expect(() => np.take(x, [[0], [1, 2]])).toThrow(ShapeError);
});
