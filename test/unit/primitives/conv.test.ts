import fc from "fast-check";
import { isLeft } from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";
import { concreteArray, type NDArray } from "../../../src/core/array.js";
import { type Aval, aval, type Shape, sizeOf } from "../../../src/core/aval.js";
import type { DType } from "../../../src/core/dtype.js";
import {
  findPrimitive,
  LinearInput,
  type Params,
  type Passes,
  type Primitive,
} from "../../../src/core/primitive.js";
import { isZero, type Tangent, Zero } from "../../../src/core/zero.js";
import { type ConvParams, convGeneralDilated } from "../../../src/primitives/conv.js";
import { list, refusal } from "./arrays.js";
import { byDefinition, place } from "./convDefinition.js";

const primitive = findPrimitive("convGeneralDilated") as Primitive;

const array = (values: readonly number[], shape: Shape, dtype: DType = "float64") =>
  concreteArray(values, shape, dtype);

/** Params of a convolution whose axes are in the standard order, with nothing special along them. */
function plain(spatial: number, given: Partial<ConvParams> = {}): ConvParams {
  const axes = Array.from({ length: spatial + 2 }, (_, a) => a);
  const ones = new Array<number>(spatial).fill(1);
  return {
    windowStrides: ones,
    padding: ones.map(() => [0, 0]),
    lhsDilation: ones,
    rhsDilation: ones,
    dimensionNumbers: { lhsSpec: axes, rhsSpec: axes, outSpec: axes },
    featureGroupCount: 1,
    batchGroupCount: 1,
    ...given,
  };
}

interface Case {
  readonly lhs: Shape;
  readonly rhs: Shape;
  readonly params: ConvParams;
}

const axisCase = fc.record({
  image: fc.constantFrom(0, 1, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5, 5),
  window: fc.constantFrom(1, 2, 2, 2, 3, 3, 4),
  stride: fc.integer({ min: 1, max: 3 }),
  low: fc.constantFrom(-3, -2, -1, 0, 0, 1, 1, 2, 3),
  high: fc.constantFrom(-3, -2, -1, 0, 0, 1, 1, 2, 3),
  lhsDilation: fc.integer({ min: 1, max: 3 }),
  rhsDilation: fc.integer({ min: 1, max: 3 }),
});

/** Convolutions of every kind: sizes of 0, windows that do not fit, cut-off edges, groups of both sorts, mixed axes. */
const convolutions: fc.Arbitrary<Case> = fc
  .integer({ min: 0, max: 3 })
  .chain((spatial) => {
    const spec = fc.shuffledSubarray(
      Array.from({ length: spatial + 2 }, (_, a) => a),
      { minLength: spatial + 2 },
    );
    return fc.record({
      axes: fc.array(axisCase, { minLength: spatial, maxLength: spatial }),
      groups: fc.constantFrom([1, 1], [1, 1], [2, 1], [3, 1], [1, 2], [1, 3]),
      batch: fc.constantFrom(0, 1, 1, 1, 1, 2, 2, 2, 2),
      inputs: fc.constantFrom(0, 1, 1, 1, 1, 2, 2, 2, 2),
      outputs: fc.constantFrom(0, 1, 1, 1, 1, 2, 2, 2, 5),
      dimensionNumbers: fc.record({ lhsSpec: spec, rhsSpec: spec, outSpec: spec }),
    });
  })
  .map(({ axes, groups: [featureGroupCount, batchGroupCount], batch, inputs, outputs, dimensionNumbers }) => {
    const { lhsSpec, rhsSpec } = dimensionNumbers;
    const window = axes.map((a) => a.window);
    return {
      lhs: place(lhsSpec, [batch * batchGroupCount, inputs * featureGroupCount, ...axes.map((a) => a.image)]),
      rhs: place(rhsSpec, [outputs * featureGroupCount * batchGroupCount, inputs, ...window]),
      params: {
        windowStrides: axes.map((a) => a.stride),
        // No more may be cut off than there is.
        padding: axes.map((a) => {
          const length = a.image === 0 ? 0 : (a.image - 1) * a.lhsDilation + 1;
          return [a.low, Math.max(a.high, -length - a.low)] as const;
        }),
        lhsDilation: axes.map((a) => a.lhsDilation),
        rhsDilation: axes.map((a) => a.rhsDilation),
        dimensionNumbers,
        featureGroupCount,
        batchGroupCount,
      },
    };
  });

/** Small integers, so that sums are exact in any order. */
const filled = (shape: Shape, seed: number): NDArray =>
  array(
    Array.from({ length: sizeOf(shape) }, (_, i) => ((i * 7 + seed * 5 + ((i * i) >> 2)) % 11) - 5),
    shape,
  );

const basis = (shape: Shape): NDArray[] =>
  Array.from({ length: sizeOf(shape) }, (_, i) =>
    array(
      Array.from({ length: sizeOf(shape) }, (__, k) => (k === i ? 1 : 0)),
      shape,
    ),
  );

const noPasses = {} as Passes;

/** Runs: FLUXION_RUNS=20000 makes a long night of it. */
const runs = { seed: 20240607, numRuns: Number(process.env.FLUXION_RUNS ?? 150) };

const values = (t: Tangent | null, shape: Shape): number[] => {
  if (t === null || isZero(t)) return new Array<number>(sizeOf(shape)).fill(0);
  expect(t.shape).toEqual(shape);
  return list(t);
};

// Zeros of either sign count as equal.
const plus = (xs: readonly number[]): number[] => xs.map((x) => x + 0);

describe("convGeneralDilated on random convolutions", () => {
  it("does what its definition says", () => {
    fc.assert(
      fc.property(convolutions, ({ lhs, rhs, params }) => {
        const [x, w] = [filled(lhs, 1), filled(rhs, 2)];
        const out = convGeneralDilated(x, w, params);
        const wanted = byDefinition(x, w, params);
        expect(out.shape).toEqual(wanted.shape);
        expect(plus(list(out))).toEqual(plus(wanted.values));
        const integers = (a: NDArray) => array(list(a), a.shape, "int32");
        expect(list(convGeneralDilated(integers(x), integers(w), params))).toEqual(plus(wanted.values));
      }),
      runs,
    );
  });

  it.each([0, 1])("transposes its dense Jacobian with respect to operand %i", (which) => {
    fc.assert(
      fc.property(convolutions, ({ lhs, rhs, params }) => {
        const operands = [filled(lhs, 3), filled(rhs, 4)];
        const { shape } = operands[which];
        const apply = (x: NDArray) =>
          which === 0
            ? convGeneralDilated(x, operands[1], params)
            : convGeneralDilated(operands[0], x, params);
        const out = apply(operands[which]).shape;
        const columns = basis(shape).map((e) => plus(list(apply(e))));
        const inputs = operands.map((x, i) => (i === which ? new LinearInput(x.aval) : x));
        for (const [j, u] of basis(out).entries()) {
          const cotangents = primitive.transpose?.([u], inputs, params, noPasses);
          expect(cotangents?.[1 - which]).toBeNull();
          expect(plus(values(cotangents?.[which] ?? null, shape))).toEqual(
            columns.map((column) => column[j]),
          );
        }
      }),
      runs,
    );
  });

  it.each([
    [true, false],
    [false, true],
    [true, true],
  ])("batches as a loop does (lhs %s, rhs %s)", (batchedLhs, batchedRhs) => {
    fc.assert(
      fc.property(convolutions, fc.nat(3), ({ lhs, rhs, params }, size) => {
        const x = filled(batchedLhs ? [size, ...lhs] : lhs, 5);
        const w = filled(batchedRhs ? [size, ...rhs] : rhs, 6);
        const row = (a: NDArray, shape: Shape, i: number) =>
          array(list(a).slice(i * sizeOf(shape), (i + 1) * sizeOf(shape)), shape);
        const { outputs, batched } = primitive.batch(
          size,
          [x, w],
          [batchedLhs, batchedRhs],
          params,
          noPasses,
        );
        const wanted = Array.from({ length: size }, (_, i) =>
          convGeneralDilated(batchedLhs ? row(x, lhs, i) : x, batchedRhs ? row(w, rhs, i) : w, params),
        );
        const single = convGeneralDilated(filled(lhs, 5), filled(rhs, 6), params).shape;
        expect(batched).toEqual([true]);
        expect(outputs[0].shape).toEqual([size, ...single]);
        expect(plus(list(outputs[0]))).toEqual(plus(wanted.flatMap(list)));
      }),
      runs,
    );
  });

  it("counts the products that its definition makes of elements that are there", () => {
    fc.assert(
      fc.property(convolutions, ({ lhs, rhs, params }) => {
        const ones = (shape: Shape) => array(new Array<number>(sizeOf(shape)).fill(1), shape);
        const out = convGeneralDilated(ones(lhs), ones(rhs), params);
        const products = list(out).reduce((total, n) => total + n, 0);
        const cost = primitive.cost([aval(lhs, "float64"), aval(rhs, "float64")], params, [out.aval]);
        expect(cost).toEqual({ operations: 2 * products, multiplications: products, transcendentals: 0 });
      }),
      runs,
    );
  });
});

describe("convGeneralDilated", () => {
  it("is cross-correlation: the window is not flipped", () => {
    const x = array([1, 2, 3, 4], [1, 1, 4]);
    const w = array([1, 10], [1, 1, 2]);
    expect(list(convGeneralDilated(x, w, plain(1)))).toEqual([21, 32, 43]);
    expect(list(convGeneralDilated(x, w, plain(1, { windowStrides: [2], padding: [[1, 0]] })))).toEqual([
      10, 32,
    ]);
    expect(list(convGeneralDilated(x, w, plain(1, { rhsDilation: [3] })))).toEqual([41]);
    expect(list(convGeneralDilated(x, w, plain(1, { lhsDilation: [2] })))).toEqual([1, 20, 2, 30, 3, 40]);
    expect(list(convGeneralDilated(x, w, plain(1, { padding: [[-1, -1]] })))).toEqual([32]);
  });

  it("is a product of matrices without spatial axes", () => {
    const out = convGeneralDilated(
      array([1, 2, 3, 4, 5, 6], [2, 3]),
      array([1, 0, 1, 0, 1, 0], [2, 3]),
      plain(0),
    );
    expect(out.tolist()).toEqual([
      [4, 2],
      [10, 5],
    ]);
  });

  it("has no places where the window does not fit", () => {
    const out = convGeneralDilated(array([1, 2], [1, 1, 2]), array([1, 2, 3, 4], [1, 1, 4]), plain(1));
    expect(out.shape).toEqual([1, 1, 0]);
  });

  it("never multiplies padding", () => {
    const x = array([1, 1], [1, 1, 2]);
    const w = array([Number.POSITIVE_INFINITY, 1], [1, 1, 2]);
    expect(list(convGeneralDilated(x, w, plain(1, { padding: [[1, 0]] })))).toEqual([
      1,
      Number.POSITIVE_INFINITY,
    ]);
  });

  it("wraps integers around and rounds floats once", () => {
    const conv = (x: number[], w: number[], dtype: DType) =>
      list(
        convGeneralDilated(array(x, [1, 1, x.length], dtype), array(w, [1, 1, w.length], dtype), plain(1)),
      )[0];
    expect(conv([200, 100], [2, 1], "uint8")).toBe((200 * 2 + 100) % 256);
    expect(conv([2147483647, 1], [2147483647, 1], "int32")).toBe(2);
    expect(conv([4294967295, 1], [4294967295, 1], "uint32")).toBe(2);
    // 2051 lies halfway between neighbours in half precision and goes to 2052; added one by one it would be 2050.
    expect(conv([2048, 1, 2], [1, 1, 1], "float16")).toBe(2052);
    // In single precision the small terms would be lost one by one.
    expect(conv([16777216, 1, 1], [1, 1, 1], "float32")).toBe(16777218);
  });

  it("is weak only if both operands are", () => {
    const type = (weakL: boolean, weakR: boolean) => {
      const result = primitive.abstractEval(
        [aval([1, 1], "float32", weakL), aval([1, 1], "float32", weakR)],
        plain(0),
      );
      return isLeft(result) ? undefined : result.right[0].weakType;
    };
    expect([type(true, true), type(true, false), type(false, true)]).toEqual([true, false, false]);
  });

  it("cannot be transposed in both operands, and keeps zeros symbolic", () => {
    const [x, w] = [aval([1, 1, 3], "float64"), aval([1, 1, 2], "float64")];
    const linear = [new LinearInput(x), new LinearInput(w)];
    const ct = array([1, 1], [1, 1, 2]);
    expect(() => primitive.transpose?.([ct], linear, plain(1), noPasses)).toThrow(
      "convGeneralDilated of two linear operands is not linear, so it cannot be transposed",
    );
    const zero = new Zero(aval([1, 1, 2], "float64"));
    const cotangents = primitive.transpose?.(
      [zero],
      [linear[0], array([1, 2], [1, 1, 2])],
      plain(1),
      noPasses,
    );
    expect(isZero(cotangents?.[0])).toBe(true);
  });
});

describe("errors of convGeneralDilated", () => {
  /** Without the line of user code that the message ends with. */
  const message = (lhs: Aval, rhs: Aval, params: Params): string =>
    without(refusal(primitive.name, [lhs, rhs], params));
  const without = (text: string): string => text.replace(/ \(at [^()]*\)$/, "");
  const f32 = (...shape: number[]) => aval(shape, "float32");
  const [x, w] = [f32(1, 2, 5), f32(4, 2, 3)];

  it("names operands that do not go together", () => {
    expect(without(refusal(primitive.name, [x], plain(1)))).toBe(
      "ArgumentError: convGeneralDilated takes 2 operands, got float32[1,2,5]",
    );
    expect(message(x, aval([4, 2, 3], "float64"), plain(1))).toBe(
      "DtypeError: convGeneralDilated needs operands of one dtype, got float32[1,2,5], float64[4,2,3]",
    );
    expect(message(aval([1, 1], "bool"), aval([1, 1], "bool"), plain(0))).toBe(
      "DtypeError: convGeneralDilated is not defined for bool (operands bool[1,1], bool[1,1])",
    );
    for (const [a, b] of [
      [x, f32(4, 2)],
      [f32(3), f32(3)],
    ])
      expect(message(a, b, plain(1))).toContain(
        "ShapeError: convGeneralDilated needs operands of one rank, with two axes and the spatial ones, got float32[",
      );
  });

  it("names params that make no sense", () => {
    const bad = (given: Params) => message(x, w, { ...plain(1), ...given });
    expect(bad({ dimensionNumbers: null })).toBe(
      "ArgumentError: convGeneralDilated: dimensionNumbers must hold lhsSpec, rhsSpec and outSpec, got null",
    );
    const axes = [0, 1, 2];
    expect(bad({ dimensionNumbers: { lhsSpec: axes, rhsSpec: [0, 0, 1], outSpec: axes } })).toBe(
      "AxisError: convGeneralDilated: rhsSpec [0,0,1] does not name each of 3 axes once",
    );
    expect(bad({ dimensionNumbers: { lhsSpec: axes, rhsSpec: axes } })).toBe(
      "AxisError: convGeneralDilated: outSpec undefined does not name each of 3 axes once",
    );
    for (const key of ["windowStrides", "lhsDilation", "rhsDilation"])
      for (const [list, shown] of [
        [[0], "[0]"],
        [[1, 1], "[1,1]"],
        [[1.5], "[1.5]"],
        [undefined, "undefined"],
      ] as const)
        expect(bad({ [key]: list })).toBe(
          `ArgumentError: convGeneralDilated: ${key} must be a positive integer for each of 1 spatial axes, got ${shown}`,
        );
    for (const [padding, shown] of [
      ["SAME", '"SAME"'],
      [[[1]], "[[1]]"],
      [[], "[]"],
      [[[0, 0.5]], "[[0,0.5]]"],
    ] as const)
      expect(bad({ padding })).toBe(
        `ArgumentError: convGeneralDilated: padding must be [low, high] for each of 1 spatial axes, got ${shown}`,
      );
    for (const key of ["featureGroupCount", "batchGroupCount"])
      expect(bad({ [key]: 0 })).toBe(
        `ArgumentError: convGeneralDilated: ${key} must be a positive integer, got 0`,
      );
  });

  it("names counts that do not fit", () => {
    const shapes = (lhs: Aval, rhs: Aval, given: Partial<ConvParams>) => message(lhs, rhs, plain(1, given));
    expect(shapes(x, w, { featureGroupCount: 2, batchGroupCount: 2 })).toBe(
      "ShapeError: convGeneralDilated: featureGroupCount 2 and batchGroupCount 2 cannot both be more than 1 (operands float32[1,2,5], float32[4,2,3])",
    );
    expect(shapes(x, w, { featureGroupCount: 2 })).toContain(
      "2 features of lhs are not 2 input features of rhs times featureGroupCount 2",
    );
    expect(shapes(x, f32(3, 1, 3), { featureGroupCount: 2 })).toContain(
      "3 output features do not fall into 2 feature groups",
    );
    expect(shapes(x, w, { batchGroupCount: 2 })).toContain("a batch of 1 does not fall into 2 batch groups");
    expect(shapes(f32(2, 2, 5), f32(3, 2, 3), { batchGroupCount: 2 })).toContain(
      "3 output features do not fall into 2 batch groups",
    );
    expect(shapes(x, f32(4, 2, 0), {})).toContain("the window has no elements along spatial axis 0");
    expect(shapes(x, w, { padding: [[-3, -3]] })).toContain(
      "padding [-3,-3] cuts off more than there is along spatial axis 0",
    );
  });
});
