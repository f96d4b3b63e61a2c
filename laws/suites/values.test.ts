/** The laws of trees and of cotangents, and the arbitraries: what they promise, how they shrink, and their examples. */
import * as fc from "fast-check";
import * as fluxion from "fluxion";
import {
  aval,
  grad,
  jacfwd,
  type NDArray,
  numpy as np,
  type Tangent,
  tree as treeOf,
  vjp,
  Zero,
} from "fluxion";
import { cotangent, tree as instances } from "fluxion/fp";
import type { Monoid } from "fp-ts/lib/Monoid.js";
import { describe, expect, it } from "vitest";
import { docExamples, filesBelow, readSource } from "../../test/docs/blocks.js";
import { runBlock } from "../../test/docs/run.js";
import * as arrays from "../arbitraries/array.js";
import * as axes from "../arbitraries/axis.js";
import * as dtypes from "../arbitraries/dtype.js";
import * as maps from "../arbitraries/linearMap.js";
import * as shapes from "../arbitraries/shape.js";
import * as smooth from "../arbitraries/smoothFunction.js";
import * as trees from "../arbitraries/tree.js";
import * as corners from "../corners.js";
import type { ValueLaw } from "../given.js";
import { cotangentLaws } from "../statements/cotangents.js";
import { valueLaws } from "../statements/index.js";
import { treeLaws } from "../statements/trees.js";

const numRuns = 150;

const holdsOf = ({ law, given }: ValueLaw): fc.RunDetails<[unknown]> =>
  fc.check(
    fc.property(given, (x) => law.check(x).kind !== "fails"),
    { numRuns, seed: 11 },
  );

describe("trees and cotangents", () => {
  it.each(valueLaws.map((v) => [v.law.name, v] as const))("%s", (_, v) => {
    fc.assert(
      fc.property(v.given, (x) => {
        expect(v.law.check(x)).not.toHaveProperty("kind", "fails");
      }),
      { numRuns, seed: 11 },
    );
  });

  it("what the two uses of a value contribute is what the monoid adds up", () => {
    const f = (x: NDArray) => np.sum(np.sin(x));
    const g = (x: NDArray) => np.sum(np.square(x));
    const x = np.array([0.5, 1], { dtype: "float64" });
    const both = grad((z: NDArray) => np.add(f(z), g(z)))(x);
    const sum = cotangent.getMonoid(x.aval).concat(grad(f)(x), grad(g)(x)) as NDArray;
    expect(np.allclose(both, sum, { rtol: 1e-15 }).item()).toBe(true);
  });
});

describe("the laws find instances that are none", () => {
  const { Functor, Foldable, Traversable } = instances;
  /** The tree without its structure. */
  const flattened = <A>(t: treeOf.Tree<A>): treeOf.Tree<A> => [...treeOf.leaves(t as object)] as never;
  const wrong: Readonly<Record<string, Parameters<typeof treeLaws>[0]>> = {
    "trees: map keeps the identity": {
      Functor: { ...Functor, map: (t, f) => flattened(Functor.map(t, f)) },
      Foldable,
      Traversable,
    },
    "trees: map keeps composition": {
      // It maps twice where it can.
      Functor: {
        ...Functor,
        map: (t, f) =>
          Functor.map(t, ((x: never) => (typeof x === "number" ? f((x + 1) as never) : f(x))) as never),
      },
      Foldable,
      Traversable,
    },
    "trees: every fold is a fold of the leaves": {
      Functor,
      Foldable: { ...Foldable, reduceRight: (t, b, f) => Foldable.reduce(t, b, (acc, x) => f(x, acc)) },
      Traversable,
    },
    "trees: traverse in Identity is map": {
      Functor,
      Foldable,
      Traversable: {
        ...Traversable,
        traverse: ((F: never) => (t: never, f: never) => Traversable.traverse(F)(flattened(t), f)) as never,
      },
    },
    "trees: effects go from first to last": {
      Functor,
      Foldable,
      Traversable: {
        ...Traversable,
        // From last to first.
        traverse: ((F: { map: (fa: unknown, f: (x: unknown) => unknown) => unknown }) =>
          (t: object, f: never) => {
            const { leaves, treedef } = treeOf.flatten(t);
            const backwards = Traversable.traverse(F as never)(
              [...(leaves as unknown[])].reverse() as never,
              f,
            );
            return F.map(backwards, (xs) =>
              treeOf.unflatten(treedef, [...(xs as never[])].reverse() as never),
            );
          }) as never,
      },
    },
    "trees: sequence is traverse id": {
      Functor,
      Foldable,
      // It takes an Option for a container with fields.
      Traversable: {
        ...Traversable,
        sequence: ((F: never) => (t: never) =>
          Traversable.traverse(F)(t, ((x: never) => x) as never)) as never,
      },
    },
  };

  it.each(Object.entries(wrong))("%s", (name, made) => {
    const found = treeLaws(made).find((v) => v.law.name === name);
    if (found === undefined) throw new Error(`there is no law "${name}"`);
    expect(holdsOf(found).failed).toBe(true);
  });

  const zero = (type: fluxion.Aval): Tangent => new Zero(type);
  const monoids: Readonly<Record<string, (type: fluxion.Aval) => Monoid<Tangent>>> = {
    "cotangents: empty is neutral": (type) => ({
      empty: zero(type),
      // Right in value, but a new array.
      concat: (x, y) =>
        fluxion.isZero(x)
          ? fluxion.isZero(y)
            ? x
            : np.add(y, 0)
          : fluxion.isZero(y)
            ? np.add(x, 0)
            : np.add(x, y),
    }),
    "cotangents: addition commutes": (type) => ({ ...cotangent.getMonoid(type), concat: (x) => x }),
    "cotangents: addition associates up to rounding": (type) => {
      const { empty, concat } = cotangent.getMonoid(type);
      return {
        empty,
        concat: (x, y) => {
          const sum = concat(x, y);
          return fluxion.isZero(sum) ? sum : np.multiply(sum, 0.5);
        },
      };
    },
    "cotangents: addition is addition": (type) => {
      const { empty, concat } = cotangent.getMonoid(type);
      return {
        empty,
        concat: (x, y) => {
          const sum = concat(x, y);
          return fluxion.isZero(sum) ? sum : np.round(sum);
        },
      };
    },
  };

  it.each(Object.entries(monoids))("%s", (name, made) => {
    const found = cotangentLaws(made).find((v) => v.law.name === name);
    if (found === undefined) throw new Error(`there is no law "${name}"`);
    expect(holdsOf(found).failed).toBe(true);
  });
});

// ---------------------------------------------------------------------------------------------------------------------
// Arbitraries
// ---------------------------------------------------------------------------------------------------------------------

/** The smallest value that has a property. */
const smallest = <T>(arbitrary: fc.Arbitrary<T>, has: (x: T) => boolean): T => {
  const found = fc.check(
    fc.property(arbitrary, (x) => !has(x)),
    { numRuns: 2000, seed: 5 },
  );
  if (found.counterexample === null) throw new Error("no such value was drawn");
  return found.counterexample[0];
};

const drawn = <T>(arbitrary: fc.Arbitrary<T>, n = 300): T[] => fc.sample(arbitrary, { numRuns: n, seed: 7 });

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

describe("arbitraries", () => {
  it("dtype: all of a kind, shrinking to the first", () => {
    expect(new Set(drawn(dtypes.dtype()))).toEqual(
      new Set(["float64", "float32", "float16", "int32", "uint32", "uint8", "bool"]),
    );
    expect(new Set(drawn(dtypes.dtype({ kind: "integer", without: ["uint8"] })))).toEqual(
      new Set(["int32", "uint32"]),
    );
    expect(smallest(dtypes.dtype(), () => true)).toBe("float64");
    expect(() => dtypes.dtype({ kind: "float", without: ["float16", "float32", "float64"] })).toThrow(
      /no dtype/,
    );
  });

  it("shape: within its limits, with and without elements", () => {
    const some = drawn(shapes.shape({ maxDims: 4, maxLength: 5, maxSize: 30 }), 1000);
    expect(some.every((s) => s.length <= 4 && sizeOf(s) <= 30 && s.every((n) => n <= 5))).toBe(true);
    expect(new Set(some.map((s) => s.length))).toEqual(new Set([0, 1, 2, 3, 4]));
    expect(some.some((s) => s.includes(0))).toBe(true);
    expect(
      drawn(shapes.shape({ empty: false, minDims: 1 })).every((s) => s.length > 0 && !s.includes(0)),
    ).toBe(true);
    expect(smallest(shapes.shape(), (s) => s.length >= 2)).toEqual([1, 1]);
    expect(smallest(shapes.shape(), (s) => s.includes(3))).toEqual([3]);
  });

  it("axis: all of them, from both ends", () => {
    expect(new Set(drawn(axes.axis([4, 5])))).toEqual(new Set([-2, -1, 0, 1]));
    expect(new Set(drawn(axes.axis([4, 5], { negative: false })))).toEqual(new Set([0, 1]));
    expect(smallest(axes.axis([2, 3, 4]), () => true)).toBe(0);
    expect(() => axes.axis([])).toThrow(/no axes/);
  });

  it("array: of the dtype, the shape and the elements that were asked for", () => {
    for (const dtype of ["float64", "float32", "float16"] as const) {
      const some = drawn(arrays.array({ dtype, shape: [5], elements: [0.5, 2] }), 100);
      expect(some.every((x) => x.dtype === dtype && [...x.dataSync()].every((v) => v >= 0.5 && v <= 2))).toBe(
        true,
      );
      const values = drawn(arrays.array({ dtype, shape: [8], elements: "corners" }), 200).flatMap((x) => [
        ...x.dataSync(),
      ]);
      for (const corner of corners.cornersOf(dtype))
        expect(values.some((v) => Object.is(v, corner))).toBe(true);
    }
    for (const dtype of ["int32", "uint32", "uint8", "bool"] as const) {
      const values = drawn(arrays.array({ dtype, shape: [8], elements: "corners" }), 200).flatMap((x) => [
        ...x.dataSync(),
      ]);
      for (const corner of corners.cornersOf(dtype)) expect(values).toContain(corner);
      expect(drawn(arrays.array({ dtype, shape: [3] }), 50).every((x) => x.dtype === dtype)).toBe(true);
    }
    const [small] = [
      smallest(arrays.array({ dtype: "float64" }), (x) => [...x.dataSync()].some((v) => v > 0.5)),
    ];
    expect([small.shape, small.tolist()]).toEqual([[], 1]);
    expect(
      smallest(arrays.array({ dtype: "float64", elements: "corners" }), (x) =>
        [...x.dataSync()].some(Number.isNaN),
      ).size,
    ).toBe(1);
  });

  it("tree: containers of both kinds, null, and leaves", () => {
    const some = drawn(trees.tree(fc.nat(9)), 500);
    expect(some.some((t) => t === null)).toBe(true);
    expect(some.some((t) => typeof t === "number")).toBe(true);
    expect(some.some((t) => Array.isArray(t) && t.some(Array.isArray))).toBe(true);
    expect(some.some((t) => typeof t === "object" && t !== null && "w" in t)).toBe(true);
    const sum = (t: unknown): number =>
      treeOf.leaves(t as object).reduce((a: number, b) => a + (b as unknown as number), 0);
    expect(smallest(trees.tree(fc.nat(9)), (t) => sum(t) >= 5)).toBe(5);
  });

  it("smoothFunction: values and derivatives are those of the formula", () => {
    const at = [-1.3, 0.4, 1.7];
    fc.assert(
      fc.property(smooth.smoothFunction(), (g) => {
        const x = np.array(at, { dtype: "float64" });
        const values = [...g.f(x).dataSync()];
        const slopes = [...grad((z: NDArray) => np.sum(g.f(z)))(x).dataSync()];
        for (const [i, a] of at.entries()) {
          const scale = 1 + Math.abs(values[i]) + Math.abs(slopes[i]);
          expect(Math.abs(values[i] - g.value(a))).toBeLessThanOrEqual(1e-11 * scale);
          expect(Math.abs(slopes[i] - g.derivative(a))).toBeLessThanOrEqual(1e-10 * scale);
          // The derivative is one of the value, whatever fluxion says.
          const h = 1e-5;
          const difference = (g.value(a + h) - g.value(a - h)) / (2 * h);
          expect(Math.abs(difference - g.derivative(a))).toBeLessThanOrEqual(
            1e-4 * (1 + Math.abs(g.derivative(a)) ** 3),
          );
        }
      }),
      { numRuns: 150, seed: 3 },
    );
    const formulas = drawn(smooth.smoothFunction(), 300).map(String);
    for (const part of ["sin(", "tanh(", "exp(-(", " + ", " * ", "x"])
      expect(formulas.some((text) => text.includes(part))).toBe(true);
    expect(String(smallest(smooth.smoothFunction(), () => true))).toBe("x");
    expect(new Set(formulas).size).toBeGreaterThan(100);
  });

  it("linearMap: its matrix is the Jacobian, and the transposed one pulls back", () => {
    fc.assert(
      fc.property(maps.linearMap(), (m) => {
        const [columns, rows] = [sizeOf(m.input), sizeOf(m.output)];
        const x = np.zeros([...m.input], { dtype: "float64" });
        const y = m.apply(x);
        expect(y.shape).toEqual(m.output);
        const jacobian = np.reshape(jacfwd(m.apply)(x), [rows, columns]);
        expect(
          np
            .arrayEqual(
              jacobian,
              np.reshape(np.array(m.matrix.flat(), { dtype: "float64" }), [rows, columns]),
            )
            .item(),
        ).toBe(true);
        const [pulled] = vjp(m.apply, x)[1](np.ones([...m.output], { dtype: "float64" }));
        const sums = Array.from({ length: columns }, (_, k) =>
          m.matrix.reduce((sum, row) => sum + row[k], 0),
        );
        expect([...pulled.dataSync()].map((v) => v + 0)).toEqual(sums.map((v) => v + 0));
      }),
      { numRuns: 200, seed: 3 },
    );
    const texts = drawn(maps.linearMap(), 300).map(String);
    for (const part of ["scale", "reverse", "cumulative", "pad", "drop", "sum along", "transpose", "matrix"])
      expect(texts.some((text) => text.includes(part))).toBe(true);
    expect(String(smallest(maps.linearMap(), () => true))).toBe("identity");
  });
});

const documented = [...filesBelow("laws/arbitraries", ".ts"), "laws/corners.ts"]
  .filter((file) => !file.endsWith("program.ts"))
  .flatMap((file) =>
    docExamples(file, readSource(file)).map((block) => [`${file}:${block.line}`, block] as const),
  );

describe("examples of the arbitraries", () => {
  const names = {
    fc,
    np,
    treeOf,
    ...fluxion,
    aval,
    ...arrays,
    ...axes,
    ...dtypes,
    ...maps,
    ...shapes,
    ...smooth,
    ...trees,
    ...corners,
  };
  it.each(documented)("%s", async (_, block) => {
    const { mistakes, compared } = await runBlock(block, names);
    expect(mistakes.join("\n")).toBe("");
    expect(compared).toBeGreaterThan(0);
  });

  it("each arbitrary has one", () => {
    for (const name of ["array", "axis", "dtype", "linearMap", "shape", "smoothFunction", "tree"])
      expect(documented.some(([where]) => where.startsWith(`laws/arbitraries/${name}.ts`))).toBe(true);
  });
});
