import fc from "fast-check";
import { isLeft } from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";
import type { NDArray } from "../../../src/core/array.js";
import { type Aval, aval, type Shape, sizeOf, stridesOf } from "../../../src/core/aval.js";
import type { DType } from "../../../src/core/dtype.js";
import { findPrimitive, LinearInput, type Passes, type Primitive } from "../../../src/core/primitive.js";
import { isZero, Zero } from "../../../src/core/zero.js";
import { type AxisPairs, type DotOptions, dotGeneral } from "../../../src/primitives/dot.js";
import { f16, f32, f64, i32, list, refusal, u8, u32 } from "./arrays.js";

const primitive = findPrimitive("dotGeneral") as Primitive;
const noPasses = {} as Passes;
const matrices: DotOptions = { contracting: [[1], [0]] };
const canonical = ({ contracting, batch = [[], []], preferredElementType = "float64" }: DotOptions) => ({
  contracting,
  batch,
  preferredElementType,
});

// Zeros of either sign count as equal.
const plus = (x: NDArray): number[] => list(x).map((v) => v + 0);

/** Small integers, so that sums are exact in any order. */
const filled = (shape: Shape, seed: number): NDArray =>
  f64(
    Array.from({ length: sizeOf(shape) }, (_, i) => ((i * 7 + seed * 5 + ((i * i) >> 2)) % 11) - 5),
    shape,
  );

/** The definition: one letter for each axis, a sum over all values of all letters. */
function byDefinition(x: NDArray, y: NDArray, { contracting, batch = [[], []] }: DotOptions) {
  const sizes: number[] = [];
  const letter = (size: number): number => sizes.push(size) - 1;
  const ofX = x.shape.map(letter);
  const ofY = y.shape.map((n, a) => {
    const shared = [batch, contracting].flatMap(([xs, ys]) => (ys.includes(a) ? [xs[ys.indexOf(a)]] : []));
    return shared.length > 0 ? ofX[shared[0]] : letter(n);
  });
  const isFree = (axes: readonly number[]) => (_: number, a: number) => !axes.includes(a);
  const ofOut = [
    ...batch[0].map((a) => ofX[a]),
    ...ofX.filter(isFree([...batch[0], ...contracting[0]])),
    ...ofY.filter(isFree([...batch[1], ...contracting[1]])),
  ];
  const shape = ofOut.map((l) => sizes[l]);
  const offset = (letters: readonly number[], of: Shape, values: readonly number[]) =>
    stridesOf(of).reduce((at, stride, a) => at + stride * values[letters[a]], 0);
  const out = new Array<number>(sizeOf(shape)).fill(0);
  const [xs, ys] = [list(x), list(y)];
  const visit = (values: readonly number[]): void => {
    if (values.length < sizes.length) {
      for (let v = 0; v < sizes[values.length]; v++) visit([...values, v]);
      return;
    }
    out[offset(ofOut, shape, values)] += xs[offset(ofX, x.shape, values)] * ys[offset(ofY, y.shape, values)];
  };
  visit([]);
  return { shape, values: out };
}

interface Case {
  readonly x: Shape;
  readonly y: Shape;
  readonly options: { readonly contracting: AxisPairs; readonly batch: AxisPairs };
}

/** Products of every kind: up to two axes of each role, in any order in both operands, some of them empty. */
const products: fc.Arbitrary<Case> = fc
  .record({
    contracting: fc.array(fc.constantFrom(0, 1, 1, 2, 2, 2, 3, 3, 3), { maxLength: 2 }),
    batch: fc.array(fc.constantFrom(0, 1, 1, 2, 2, 2, 2), { maxLength: 2 }),
    freeX: fc.array(fc.constantFrom(0, 1, 1, 2, 2, 3, 3), { maxLength: 2 }),
    freeY: fc.array(fc.constantFrom(0, 1, 1, 2, 2, 5, 5), { maxLength: 2 }),
  })
  .chain(({ contracting, batch, freeX, freeY }) => {
    const order = (free: readonly number[]) => {
      const n = contracting.length + batch.length + free.length;
      return fc.shuffledSubarray(
        Array.from({ length: n }, (_, a) => a),
        { minLength: n },
      );
    };
    const shape = (places: readonly number[], free: readonly number[]): Shape => {
      const all = [...contracting, ...batch, ...free];
      return places.map((_, axis) => all[places.indexOf(axis)]);
    };
    const roles = (places: readonly number[]) => ({
      contracting: places.slice(0, contracting.length),
      batch: places.slice(contracting.length, contracting.length + batch.length),
    });
    return fc.tuple(order(freeX), order(freeY)).map(([px, py]) => ({
      x: shape(px, freeX),
      y: shape(py, freeY),
      options: {
        contracting: [roles(px).contracting, roles(py).contracting] as const,
        batch: [roles(px).batch, roles(py).batch] as const,
      },
    }));
  });

/** FLUXION_RUNS=20000 makes a long night of it. */
const runs = { seed: 20240608, numRuns: Number(process.env.FLUXION_RUNS ?? 150) };

describe("dotGeneral on random products", () => {
  it("does what its definition says", () => {
    fc.assert(
      fc.property(products, ({ x, y, options }) => {
        const [a, b] = [filled(x, 1), filled(y, 2)];
        const wanted = byDefinition(a, b, options);
        const out = dotGeneral(a, b, options);
        expect(out.shape).toEqual(wanted.shape);
        expect(plus(out)).toEqual(wanted.values.map((v) => v + 0));
        const whole = dotGeneral(i32(list(a), x), i32(list(b), y), options);
        expect(list(whole)).toEqual(wanted.values.map((v) => v + 0));
      }),
      runs,
    );
  });

  it.each([0, 1])("transposes its dense Jacobian with respect to operand %i", (which) => {
    fc.assert(
      fc.property(products, ({ x, y, options }) => {
        const operands = [filled(x, 3), filled(y, 4)];
        const { shape } = operands[which];
        const basis = (of: Shape) =>
          Array.from({ length: sizeOf(of) }, (_, i) =>
            f64(
              Array.from({ length: sizeOf(of) }, (__, k) => (k === i ? 1 : 0)),
              of,
            ),
          );
        const apply = (v: NDArray) =>
          which === 0 ? dotGeneral(v, operands[1], options) : dotGeneral(operands[0], v, options);
        const columns = basis(shape).map((e) => plus(apply(e)));
        const inputs = operands.map((v, i) => (i === which ? new LinearInput(v.aval) : v));
        for (const [j, u] of basis(apply(operands[which]).shape).entries()) {
          const cotangents = primitive.transpose?.([u], inputs, canonical(options), noPasses);
          expect(cotangents?.[1 - which]).toBeNull();
          const ct = cotangents?.[which] as NDArray;
          expect(ct.shape).toEqual(shape);
          expect(plus(ct)).toEqual(columns.map((column) => column[j]));
        }
      }),
      runs,
    );
  });

  it.each([
    [true, false],
    [false, true],
    [true, true],
  ])("batches as a loop does (x %s, y %s)", (batchedX, batchedY) => {
    fc.assert(
      fc.property(products, fc.nat(3), ({ x, y, options }, size) => {
        const a = filled(batchedX ? [size, ...x] : x, 5);
        const b = filled(batchedY ? [size, ...y] : y, 6);
        const row = (v: NDArray, shape: Shape, i: number) =>
          f64(list(v).slice(i * sizeOf(shape), (i + 1) * sizeOf(shape)), shape);
        const result = primitive.batch(size, [a, b], [batchedX, batchedY], canonical(options), noPasses);
        const wanted = Array.from({ length: size }, (_, i) =>
          dotGeneral(batchedX ? row(a, x, i) : a, batchedY ? row(b, y, i) : b, options),
        );
        expect(result.batched).toEqual([true]);
        expect(result.outputs[0].shape).toEqual([
          size,
          ...dotGeneral(filled(x, 5), filled(y, 6), options).shape,
        ]);
        expect(plus(result.outputs[0])).toEqual(wanted.flatMap(plus));
      }),
      runs,
    );
  });
});

describe("dotGeneral", () => {
  it("multiplies matrices", () => {
    const a = f64([1, 2, 3, 4, 5, 6], [2, 3]);
    const b = f64([1, 0, 0, 1, 1, 1], [3, 2]);
    expect(dotGeneral(a, b, matrices).tolist()).toEqual([
      [4, 5],
      [10, 11],
    ]);
    expect(dotGeneral(f64([2], []), f64([3, 4]), { contracting: [[], []] }).tolist()).toEqual([6, 8]);
    expect(dotGeneral(f64([], [2, 0]), f64([], [0, 1]), matrices).tolist()).toEqual([[0], [0]]);
  });

  it("is right at the edges of its blocks", () => {
    // Rows longer than a block, and sides that are no multiples of a tile; sums of 1·j are known.
    for (const [m, n, k] of [
      [3, 5, 1023],
      [1, 1, 1025],
      [7, 2, 2049],
      [2, 7, 1024],
    ]) {
      const a = f32(new Array<number>(m * k).fill(1), [m, k]);
      const b = f32(
        Array.from({ length: k * n }, (_, i) => (i % n) + 1),
        [k, n],
      );
      const wanted = Array.from({ length: m * n }, (_, i) => ((i % n) + 1) * k);
      expect(list(dotGeneral(a, b, matrices)), `${m}×${k}×${n}`).toEqual(wanted);
    }
  });

  it("wraps integers around and rounds floats once", () => {
    const inner: DotOptions = { contracting: [[0], [0]] };
    expect(dotGeneral(u8([200, 100]), u8([2, 1]), inner).item()).toBe(500 % 256);
    expect(dotGeneral(i32([2147483647, 1]), i32([2147483647, 1]), inner).item()).toBe(2);
    expect(dotGeneral(i32([-2147483648]), i32([1]), inner).item()).toBe(-2147483648);
    expect(dotGeneral(u32([4294967295, 4294967295]), u32([1, 4294967295]), inner).item()).toBe(0);
    expect(dotGeneral(u32([4294967295]), u32([1]), inner).item()).toBe(4294967295);
    // 2051 lies halfway between neighbours in half precision and goes to 2052; added one by one it would be 2050.
    expect(dotGeneral(f16([2048, 1, 2]), f16([1, 1, 1]), inner).item()).toBe(2052);
    // In single precision the small terms would be lost one by one.
    expect(dotGeneral(f32([16777216, 1, 1]), f32([1, 1, 1]), inner).item()).toBe(16777218);
  });

  it("carries NaN and infinities", () => {
    const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
    const a = f64([inf, 1, 1, nan, 0, 0], [3, 2]);
    expect(dotGeneral(a, f64([0, 1]), { contracting: [[1], [0]] }).tolist()).toEqual([nan, nan, 0]);
    expect(dotGeneral(a, f64([1, 0]), { contracting: [[1], [0]] }).tolist()).toEqual([inf, nan, 0]);
  });

  it("gives the preferred dtype", () => {
    const inner = (preferredElementType: DType): DotOptions => ({
      contracting: [[0], [0]],
      preferredElementType,
    });
    const bytes = dotGeneral(u8([200, 100]), u8([200, 100]), inner("int32"));
    expect([bytes.dtype, bytes.item()]).toEqual(["int32", 50000]);
    const halves = dotGeneral(f16([300, 300]), f16([300, 300]), inner("float32"));
    expect([halves.dtype, halves.item()]).toEqual(["float32", 180000]);
    const floats = dotGeneral(i32([2147483647]), i32([2]), inner("float64"));
    expect([floats.dtype, floats.item()]).toEqual(["float64", 4294967294]);
    expect(dotGeneral(f32([1]), f32([1]), inner("float16")).dtype).toBe("float16");
  });

  it("gives cotangents in the dtype of the operand, whatever the result is", () => {
    const params = canonical({ contracting: [[0], [0]], preferredElementType: "float32" });
    const [ct] =
      primitive.transpose?.(
        [f32([3], [])],
        [new LinearInput(aval([2], "float16")), f16([1, 2])],
        params,
        noPasses,
      ) ?? [];
    expect([(ct as NDArray).dtype, list(ct as NDArray)]).toEqual(["float16", [3, 6]]);
  });

  it("does not round the other operand to a narrower result on the way back", () => {
    const params = canonical({ contracting: [[0], [0]], preferredElementType: "float16" });
    const fine = 1 + 2 ** -12;
    const cotangents = primitive.transpose?.(
      [f16([1], [])],
      [new LinearInput(aval([1], "float32")), f32([fine])],
      params,
      noPasses,
    );
    expect(list(cotangents?.[0] as NDArray)).toEqual([fine]);
  });

  it("is weak only if both operands are, and keep their dtype", () => {
    const weak = (x: boolean, y: boolean, preferredElementType: DType = "float32") => {
      const types = [aval([2], "float32", x), aval([2], "float32", y)];
      const result = primitive.abstractEval(
        types,
        canonical({ contracting: [[0], [0]], preferredElementType }),
      );
      return isLeft(result) ? undefined : result.right[0].weakType;
    };
    expect([weak(true, true), weak(true, false), weak(false, true), weak(true, true, "float64")]).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  it("counts multiplications and additions", () => {
    const params = canonical({ contracting: [[2], [1]], batch: [[0], [0]] });
    const cost = primitive.cost([aval([5, 2, 3], "float64"), aval([5, 3, 4], "float64")], params, [
      aval([5, 2, 4], "float64"),
    ]);
    expect(cost).toEqual({ operations: 240, multiplications: 120, transcendentals: 0 });
  });

  it("cannot be transposed in both operands, and keeps zeros symbolic", () => {
    const type = aval([2], "float64");
    const params = canonical({ contracting: [[0], [0]] });
    const linear = new LinearInput(type);
    expect(() => primitive.transpose?.([f64([1], [])], [linear, linear], params, noPasses)).toThrow(
      "dotGeneral of two linear operands is not linear, so it cannot be transposed",
    );
    const zero = new Zero(aval([], "float64"));
    expect(isZero(primitive.transpose?.([zero], [linear, f64([1, 2])], params, noPasses)[0])).toBe(true);
  });
});

describe("errors of dotGeneral", () => {
  const [x, y] = [aval([2, 3], "float32"), aval([3, 4], "float32")];
  /** Without the line of user code that the message ends with. */
  const message = (params: object, inputs: readonly Aval[] = [x, y]): string =>
    refusal("dotGeneral", inputs, {
      ...canonical({ contracting: [[1], [0]], preferredElementType: inputs[0].dtype }),
      ...params,
    }).replace(/ \(at [^()]*\)$/, "");

  it("names operands that do not go together", () => {
    expect(message({}, [x])).toBe("ArgumentError: dotGeneral takes 2 operands, got float32[2,3]");
    expect(message({}, [x, aval([3, 4], "float64")])).toBe(
      "DtypeError: dotGeneral needs operands of one dtype, got float32[2,3], float64[3,4]",
    );
    expect(message({}, [aval([2, 3], "bool"), aval([3, 4], "bool")])).toBe(
      "DtypeError: dotGeneral is not defined for bool (operands bool[2,3], bool[3,4])",
    );
    expect(message({}, [x, aval([2, 4], "float32")])).toBe(
      "ShapeError: dotGeneral: contracting axes 1 of x and 0 of y differ in length, 3 and 2 (operands float32[2,3], float32[2,4])",
    );
    expect(message({ contracting: [[], []], batch: [[0], [1]] })).toBe(
      "ShapeError: dotGeneral: batch axes 0 of x and 1 of y differ in length, 2 and 4 (operands float32[2,3], float32[3,4])",
    );
  });

  it("names params that make no sense", () => {
    for (const key of ["contracting", "batch"])
      for (const [pairs, shown] of [
        [undefined, "undefined"],
        [[1, 0], "[1,0]"],
        [[[1]], "[[1]]"],
      ] as const)
        expect(message({ [key]: pairs })).toBe(
          `ArgumentError: dotGeneral: ${key} must be [axes of x, axes of y], got ${shown}`,
        );
    for (const [axis, shown] of [
      [2, "2"],
      [-1, "-1"],
      [0.5, "0.5"],
      ["0", '"0"'],
      [undefined, "undefined"],
    ] as const)
      expect(message({ contracting: [[1], [axis]] })).toBe(
        `AxisError: dotGeneral: y has no axis ${shown} (operands float32[2,3], float32[3,4])`,
      );
    expect(message({ batch: [[1], [0]] })).toBe(
      "AxisError: dotGeneral: axis 1 of x is named twice, in contracting [1] and batch [1]",
    );
    expect(message({ contracting: [[0, 1], [0]] })).toBe(
      "AxisError: dotGeneral: contracting pairs 2 axes of x with 1 of y",
    );
  });

  it("names dtypes that sums cannot be given in", () => {
    const bad = (own: DType, preferred: unknown) =>
      message({ preferredElementType: preferred }, [aval([2, 3], own), aval([3, 4], own)]);
    for (const [own, preferred] of [
      ["float32", "int32"],
      ["int32", "uint32"],
      ["int32", "uint8"],
      ["int32", "bool"],
    ] as const)
      expect(bad(own, preferred)).toBe(
        `DtypeError: dotGeneral: preferredElementType "${preferred}" is no dtype for sums of ${own} (operands ${own}[2,3], ${own}[3,4])`,
      );
    expect(bad("float32", undefined)).toContain("preferredElementType undefined is no dtype");
    expect(bad("float32", "complex64")).toContain('preferredElementType "complex64" is no dtype');
  });
});
