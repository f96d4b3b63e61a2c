/** How changes of dtype and of the reading of bits are compiled. */
import { type DType, isFloat, itemSize } from "../core/dtype.js";
import type { MapContext, MapRule } from "../core/ir/lower.js";
import { fromHalfBits, halfBits } from "../core/ir/math/index.js";
import { and, bitcast, cast, ge, host, i32, min, mul, or, select, shl, shr, sub } from "../core/ir/ops.js";
import { type Expr, scalarTypeOf } from "../core/ir/types.js";

/** The element of another dtype, in the type that is computed with; it is then rounded or wrapped as any result is. */
export function lowerConvert(x: Expr, from: DType, to: DType): Expr | undefined {
  // By way of f32 it would be rounded twice.
  if (to === "float16" && from === "float64") return undefined;
  const value = cast(scalarTypeOf(to), x);
  return to === "uint8" && isFloat(from) ? min(value, 255) : value;
}

const double = new DataView(new ArrayBuffer(8));

/** The low and the high word of a double. */
const wordOf = (offset: 0 | 4) => (x: number) => {
  double.setFloat64(0, x, true);
  return double.getUint32(offset, true);
};

const lowWord = wordOf(0);
const highWord = wordOf(4);

function fromWords(low: number, high: number): number {
  double.setUint32(0, low, true);
  double.setUint32(4, high, true);
  return double.getFloat64(0, true);
}

const word = (name: string, f: (x: number) => number, x: Expr): Expr =>
  cast("u32", host(name, "f64", f, [x]));

/** The bits of an element of at most 32, as u32. */
function toBits(x: Expr, dtype: DType): Expr {
  if (dtype === "float16") return halfBits(x);
  return dtype === "uint8" ? x : bitcast("u32", x);
}

/** The element with these bits. */
function fromBits(bits: Expr, dtype: DType): Expr {
  if (dtype === "float16") return fromHalfBits(bits);
  return bitcast(scalarTypeOf(dtype) as "f32" | "i32" | "u32", bits);
}

/** Element `part` (i32) of those of width `bytes` that a wider element is cut into, the lowest first. */
function cut(x: Expr, dtype: DType, part: Expr, bytes: number): Expr {
  const perWord = 4 / bytes;
  let [bits, place] = [x, part];
  if (dtype === "float64") {
    const isHigh = ge(part, perWord);
    bits = select(isHigh, word("highWord", highWord, x), word("lowWord", lowWord, x));
    place = select(isHigh, sub(part, perWord), part);
  } else bits = toBits(x, dtype);
  if (bytes === 4) return bits;
  // Where a neighbour is chosen instead, such as padding, the place may be out of bounds; a shift must not be.
  return and(shr(bits, and(cast("u32", mul(place, 8 * bytes)), 31)), 2 ** (8 * bytes) - 1);
}

/** The bits of `count` elements of a narrower dtype, from number `first` of the last axis on, side by side. */
function join(ctx: MapContext, index: readonly Expr[], dtype: DType, first: number, count: number): Expr {
  const parts = Array.from({ length: count }, (_, j) => {
    const bits = toBits(ctx.operand(0, [...index, i32(first + j)]), dtype);
    return shl(bits, 8 * itemSize(dtype) * j);
  });
  return parts.reduce((x, y) => or(x, y));
}

export const lowerBitcast: MapRule = {
  kind: "map",
  element: (ctx, index) => {
    const from = ctx.inputs[0].dtype;
    const to = ctx.outputs[0].dtype;
    const [width, wanted] = [itemSize(from), itemSize(to)];
    if (from === to) return [ctx.operand(0, index)];
    if (width === wanted) return [fromBits(toBits(ctx.operand(0, index), from), to)];
    if (width > wanted) {
      const part = index[index.length - 1];
      return [fromBits(cut(ctx.operand(0, index.slice(0, -1)), from, part, wanted), to)];
    }
    if (to !== "float64") return [fromBits(join(ctx, index, from, 0, wanted / width), to)];
    const inWord = 4 / width;
    const words = [0, inWord].map((first) => cast("f64", join(ctx, index, from, first, inWord)));
    return [host("fromWords", "f64", fromWords, words)];
  },
};
