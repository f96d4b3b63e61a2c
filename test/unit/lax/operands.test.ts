/** Operands of lax: nothing is promoted or broadcast, numbers and booleans adapt, and what does not fit is an error. */
import { ArgumentError, AxisError, DtypeError, lax, type NDArray, numpy as np, ShapeError } from "fluxion";
import { describe, expect, it } from "vitest";
import { expectError, f32, f64, i32, describe as typeOf } from "../values.js";

const u8 = (x: number[]) => np.array(x, { dtype: "uint8" });

describe("numbers beside arrays", () => {
  it.each([
    ["a float", () => lax.add(f32([1]), 0.5), "float32[1]"],
    ["a double, which keeps its digits", () => lax.sub(lax.add(f64([0]), 0.1), 0.1), "float64[1]"],
    ["an integer", () => lax.mul(i32([3]), 2), "int32[1]"],
    ["an unsigned one", () => lax.mul(u8([3]), 255), "uint8[1]"],
    ["a boolean", () => lax.bitwiseXor(np.array([true]), true), "bool[1]"],
    ["a weak array stays weak", () => lax.add(np.array(1), 2), "~int32[]"],
    ["numbers alone", () => lax.add(1, 2), "~int32[]"],
    ["numbers alone, one of them not whole", () => lax.add(1, 2.5), "~float32[]"],
    ["a number for a function of floats", () => lax.exp(0), "~float32[]"],
  ])("%s", (_, call, type) => {
    expect(typeOf(call())).toBe(type);
  });

  it("a double is not rounded to float32 on the way", () => {
    expect(lax.add(f64([0]), 0.1).item()).toBe(0.1);
    expect(lax.full([], 0.1, { dtype: "float64" }).item()).toBe(0.1);
    expect(lax.convertElementType(0.1, "float64").item()).toBe(0.1);
  });

  it.each([
    ["a fraction beside integers", () => lax.add(i32([1]), 0.5), "lax.add: 0.5 is not a value of int32"],
    ["too large a number", () => lax.add(u8([1]), 256), "lax.add: 256 is not a value of uint8"],
    ["a negative one", () => lax.max(u8([1]), -1), "lax.max: -1 is not a value of uint8"],
    ["a number beside booleans", () => lax.eq(np.array([true]), 1), "1 is not a value of bool"],
    ["a boolean beside numbers", () => lax.eq(i32([1]), true), "true is not a value of int32"],
    ["two dtypes", () => lax.add(i32([1]), f32([1])), "int32[1], float32[1]"],
    ["an integer for a function of floats", () => lax.sin(i32([1])), "sin is not defined for int32"],
    ["booleans for arithmetic", () => lax.add(np.array([true]), true), "bool"],
  ])("%s is refused", (_, call, text) => {
    expectError(call, DtypeError, "dtype", text);
  });

  it("two shapes are refused", () => {
    expectError(() => lax.add(f32([1, 2]), f32([1])), ShapeError, "shape", "float32[2], float32[1]");
    expectError(() => lax.select(np.array([true, false]), f32([1]), 0), ShapeError, "shape", "bool[2]");
  });

  it.each([[[1, 2]], [null], ["1"], [undefined]])("%j is no operand", (x) => {
    const given = x as unknown as number;
    expectError(
      () => lax.add(given, 1),
      ArgumentError,
      "argument",
      "lax.add takes arrays, numbers and booleans",
    );
    expectError(() => lax.add(f32([1]), given), ArgumentError, "argument", "lax.add takes");
    expectError(() => lax.exp(given), ArgumentError, "argument", "lax.exp takes");
    expectError(
      () => lax.slice(given as unknown as NDArray, [], []),
      ArgumentError,
      "argument",
      "lax.slice takes",
    );
  });

  it("what has to be an array is not a number", () => {
    expectError(
      () => lax.dot(1 as unknown as NDArray, f32([1])),
      ArgumentError,
      "argument",
      "lax.dot takes an array",
    );
  });
});

describe("axes", () => {
  const x = np.zeros([2, 3, 1]);

  it.each([
    ["transpose", () => lax.transpose(x, [-1, 0, -2]).shape, [1, 2, 3]],
    ["squeeze", () => lax.squeeze(x, [-1]).shape, [2, 3]],
    ["expandDims", () => lax.expandDims(x, [-1, 0]).shape, [1, 2, 3, 1, 1]],
    ["reduceSum", () => lax.reduceSum(x, [-1, 0]).shape, [3]],
    ["argmax", () => lax.argmax(x, -2).shape, [2, 1]],
    ["concatenate", () => lax.concatenate([x, x], -2).shape, [2, 6, 1]],
    ["cumsum", () => lax.cumsum(x, { axis: -1 }).shape, [2, 3, 1]],
    ["sort", () => lax.sort(x, { dimension: -2 }).shape, [2, 3, 1]],
    ["split", () => lax.split(x, [1, 2], { axis: -2 })[1].shape, [2, 2, 1]],
    ["stack", () => lax.stack([x, x], -1).shape, [2, 3, 1, 2]],
    ["collapse", () => lax.collapse(x, -3, -1).shape, [6, 1]],
    ["broadcastedIota", () => lax.broadcastedIota("int32", [2, 3], -1).shape, [2, 3]],
    ["topK", () => lax.topK(x, 2, { axis: -2 })[1].shape, [2, 2, 1]],
  ])("of %s count from the end if negative", (_, call, shape) => {
    expect(call()).toEqual(shape);
  });

  it.each([
    ["transpose", () => lax.transpose(x, [0, 1, 3])],
    ["transpose", () => lax.transpose(x, [0, 1])],
    ["transpose", () => lax.transpose(x, [0, 0, 1])],
    ["squeeze", () => lax.squeeze(x, [0])],
    ["expandDims", () => lax.expandDims(x, [5])],
    ["reduceSum", () => lax.reduceSum(x, [3])],
    ["reduceMax", () => lax.reduceMax(x, [1, -2])],
    ["argmin", () => lax.argmin(x, 1.5)],
    ["cumsum", () => lax.cumsum(np.zeros([]))],
    ["sort", () => lax.sort(x, { dimension: -4 })],
    ["rev", () => lax.rev(x, [0, 0])],
    ["split", () => lax.split(x, [1], { axis: 3 })],
    ["sliceInDim", () => lax.sliceInDim(x, 0, 1, { axis: 3 })],
    ["dynamicSliceInDim", () => lax.dynamicSliceInDim(x, 0, 1, { axis: -4 })],
    ["dynamicUpdateIndexInDim", () => lax.dynamicUpdateIndexInDim(x, np.zeros([3, 1]), 0, 3)],
    ["indexInDim", () => lax.indexInDim(x, 0, { axis: 3 })],
    ["collapse", () => lax.collapse(x, 2, 1)],
    ["stack", () => lax.stack([x], 5)],
  ])("%s refuses axes that are none", (name, call) => {
    expectError(call, AxisError, "axis", name);
  });
});

describe("options", () => {
  const x = f32([1, 2]);
  const misspelt = (option: string) => ({ [option]: 1 }) as never;
  const required = { updateWindowDims: [], insertedWindowDims: [0], scatterDimsToOperandDims: [0] };

  it.each([
    ["round", () => lax.round(x, misspelt("roundingMode")), "roundingMode"],
    ["cumsum", () => lax.cumsum(x, misspelt("axes")), "axes"],
    ["sort", () => lax.sort(x, misspelt("axis")), "axis"],
    ["sortKeyVal", () => lax.sortKeyVal(x, x, misspelt("numKeys")), "numKeys"],
    ["topK", () => lax.topK(x, 1, misspelt("dimension")), "dimension"],
    ["full", () => lax.full([1], 1, misspelt("type")), "type"],
    ["fullLike", () => lax.fullLike(x, 1, misspelt("type")), "type"],
    ["split", () => lax.split(x, [2], misspelt("dim")), "dim"],
    ["sliceInDim", () => lax.sliceInDim(x, 0, 1, misspelt("step")), "step"],
    ["indexInDim", () => lax.indexInDim(x, 0, misspelt("keepDims")), "keepDims"],
    ["dot", () => lax.dot(x, x, misspelt("precision")), "precision"],
    ["reducePrecision", () => lax.reducePrecision(x, misspelt("bits")), "bits"],
    ["gather", () => lax.gather(x, i32([[0]]), { ...required, indices: 1 } as never), "updateWindowDims"],
    ["scatter", () => lax.scatter(x, i32([[0]]), x, { ...required, unique: 1 } as never), "unique"],
    ["convGeneralDilated", () => lax.convGeneralDilated(x, x, misspelt("strides")), "strides"],
    ["reduceWindow", () => lax.reduceWindow(x, 0, lax.add, misspelt("window")), "window"],
  ])("%s refuses one that it does not have", (name, call, option) => {
    expectError(call, ArgumentError, "argument", `lax.${name}: there is no option "${option}"`);
  });

  it("some have to be there", () => {
    expectError(
      () => lax.dotGeneral(x, x, {} as never),
      ArgumentError,
      "argument",
      'needs the option "contracting"',
    );
    expectError(
      () => lax.reducePrecision(x, { exponentBits: 5 } as never),
      ArgumentError,
      "argument",
      'needs the option "mantissaBits"',
    );
    expectError(
      () => lax.scatter(x, i32([[0]]), x, {} as never),
      ArgumentError,
      "argument",
      "updateWindowDims",
    );
  });

  it("are an object", () => {
    expectError(
      () => lax.cumsum(x, 0 as never),
      ArgumentError,
      "argument",
      "lax.cumsum takes an object of options",
    );
    expectError(() => lax.cumsum(x, x as never), ArgumentError, "argument", "float32[2]");
  });
});
