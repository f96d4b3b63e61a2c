/** Values at which operations go wrong, for each dtype, and arrays made of them. */
import { type ConcreteArray, concreteArray } from "../../src/core/array.js";
import { type Aval, type Shape, sizeOf } from "../../src/core/aval.js";
import { type DType, isFloat } from "../../src/core/dtype.js";
import { corners as cornersOfFloat32, fromBits, randomBits } from "../unit/compiler/ulps.js";

const withSigns = (values: readonly number[]): number[] => values.flatMap((x) => [x, -x]);

/** Around 0, 1, halves, the ranges of integers and of exponentials; then what is special about the format. */
const common = [
  0,
  0.5,
  1,
  1.5,
  2,
  2.5,
  3,
  10,
  0.1,
  Math.PI,
  Math.PI / 2,
  88.7,
  100,
  127.5,
  255,
  255.5,
  256,
  1e-3,
  Infinity,
];

const halves = [...common, 2 ** -24, 2 ** -15, 2 ** -14, 1 - 2 ** -11, 1 + 2 ** -10, 2049, 65504, 6.1e-5];
const singles = [
  ...common,
  2 ** -149,
  1e-40,
  2 ** -126,
  1e-20,
  1 - 2 ** -24,
  1 + 2 ** -23,
  8388607.5,
  16777217,
  2147483520,
  2147483648,
  4294967040,
  4294967296,
  1e20,
  3.4028234663852886e38,
];
const doubles = [
  ...common,
  5e-324,
  2 ** -1022,
  1e-40,
  1e-300,
  1 - 2 ** -53,
  1 + 2 ** -52,
  2 ** 53 - 1,
  2147483647.5,
  2147483648,
  4294967295.5,
  1e20,
  1e39,
  1e300,
  Number.MAX_VALUE,
];

/** Some fifty values of each dtype: all pairs of them can be tried. */
export const cornersOf: Record<Exclude<DType, "float0">, readonly number[]> = {
  bool: [0, 1],
  uint8: [0, 1, 2, 3, 7, 8, 31, 32, 100, 127, 128, 129, 200, 254, 255],
  int32: withSigns([
    1, 2, 3, 7, 8, 31, 32, 33, 100, 255, 256, 46341, 65535, 65536, 16777217, 2147483647,
  ]).concat(0, -2147483648),
  uint32: [
    0, 1, 2, 3, 7, 8, 31, 32, 33, 100, 255, 256, 65535, 65536, 16777217, 2147483647, 2147483648, 2147483649,
    4294967040, 4294967294, 4294967295,
  ],
  float16: [...withSigns(halves), NaN],
  float32: [...withSigns(singles), NaN],
  float64: [...withSigns(doubles), NaN],
};

/** What sums may be made of so that their result does not depend on the order of the terms. */
const unordered = [0, -0, 1, -2.5, 0.5, 1, 2, 3, Infinity, -Infinity, NaN];

/** What programs can compute with: none of their functions makes large errors of small ones there. */
const small = [0, -0, 1, -1, 0.5, -0.25, 0.75, Infinity, -Infinity, NaN];

const word = new DataView(new ArrayBuffer(8));

/** A number with random bits; every other one lies between -10 and 10. */
function anyNumber(dtype: DType, bits: () => number): number {
  if (dtype === "bool") return bits() & 1;
  if (!isFloat(dtype)) return bits();
  if (bits() & 1) return (bits() / 2 ** 32 - 0.5) * 20;
  if (dtype === "float64") {
    word.setUint32(0, bits());
    word.setUint32(4, bits());
    return word.getFloat64(0);
  }
  // A half has exponents from -24 to 15.
  return dtype === "float32" ? fromBits(bits()) : (bits() / 2 ** 31 - 1) * 2 ** ((bits() % 41) - 24);
}

/** All values of a dtype that has few of them. */
function allOf(dtype: DType): readonly number[] | undefined {
  if (dtype === "bool") return [0, 1];
  if (dtype === "uint8") return Array.from({ length: 256 }, (_, i) => i);
  if (dtype !== "float16") return undefined;
  const positive = [0];
  for (let exponent = 0; exponent < 31; exponent++)
    for (let fraction = 0; fraction < 1024; fraction++)
      positive.push(exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
  return [...withSigns([...positive, Infinity]), NaN];
}

/** How long vectors are: corners, and random elements beside them. */
export interface Lengths {
  /** Of one operand of float32. */
  readonly one: number;
  /** All else; more if the corners alone are more. */
  readonly several: number;
}

/**
 * Operands of a pointwise operation, as vectors: of one operand all values of small dtypes, thousands of corners of
 * float32; of several operands all tuples of corners; then random ones.
 */
export function pointwiseOperands(
  types: readonly DType[],
  { one, several }: Lengths,
  random?: (bits: () => number) => readonly number[],
): ConcreteArray[] {
  const bits = randomBits(types.length * 7919 + 1);
  const columns: number[][] = types.map(() => []);
  const push = (tuple: readonly number[]): void => {
    for (const [i, x] of tuple.entries()) columns[i].push(x);
  };
  const complete = types.map(allOf);
  const isComplete =
    complete.every((c) => c !== undefined) && (types.length === 1 || product(complete) <= 65536);
  const lists = isComplete ? (complete as number[][]) : types.map((t) => shortList(t, types.length));
  eachTuple(lists, push);
  const length = types.length === 1 && types[0] === "float32" ? one : several;
  if (!isComplete)
    while (columns[0].length < length) push(random?.(bits) ?? types.map((dtype) => anyNumber(dtype, bits)));
  // So many that vectors of four leave a rest.
  if (columns[0].length % 4 === 0) push(columns.map((c) => c[0]));
  return columns.map((values, i) => concreteArray(values, [values.length], types[i]));
}

const product = (lists: readonly (readonly number[] | undefined)[]): number =>
  lists.reduce((n, list) => n * (list?.length ?? 1), 1);

/** Corners, fewer of them the more operands there are. */
function shortList(dtype: DType, operands: number): readonly number[] {
  if (operands === 1) return dtype === "float32" ? cornersOfFloat32.concat(NaN) : cornersOf[dtype as "bool"];
  const list = cornersOf[dtype as "bool"];
  const most = operands === 2 ? 64 : operands === 3 ? 16 : 8;
  const step = Math.ceil(list.length / most);
  // NaN, the last one, is always among them.
  return list.filter((_, i) => (list.length - 1 - i) % step === 0);
}

function eachTuple(lists: readonly (readonly number[])[], visit: (tuple: readonly number[]) => void): void {
  const [first, ...rest] = lists;
  if (rest.length === 0) for (const x of first) visit([x]);
  else for (const x of first) eachTuple(rest, (tuple) => visit([x, ...tuple]));
}

export type Corners = "any" | "normal" | "unordered" | "small";

/** An array of corners in random order: all, none that is subnormal, or such as can be added up in any order, or small ones. */
export function cornerArray({ shape, dtype }: Aval, random: () => number, which: Corners): ConcreteArray {
  const all = cornersOf[dtype as "bool"];
  const isNormal = (x: number): boolean => x === 0 || !(Math.abs(x) < 2 ** -126);
  const lists = { any: all, normal: all.filter(isNormal), unordered, small };
  const list = isFloat(dtype) ? lists[which] : all;
  const values = Array.from({ length: sizeOf(shape) }, () => list[Math.floor(random() * list.length)]);
  return concreteArray(values, shape, dtype);
}

/** Places in an array: inside of 0 ... below, and in one of five cases outside or at the limits of the dtype. */
export function wildIndices(shape: Shape, dtype: DType, below: number, random: () => number): ConcreteArray {
  const limits = cornersOf[dtype as "int32"];
  const values = Array.from({ length: sizeOf(shape) }, () =>
    random() < 0.2 ? limits[Math.floor(random() * limits.length)] : Math.floor(random() * below),
  );
  return concreteArray(values, shape, dtype);
}
