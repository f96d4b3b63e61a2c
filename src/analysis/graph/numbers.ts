/** How values are written in a drawing: scalars in full, small arrays as lists, large ones as a range. */
import type { NDArray } from "../../core/array.js";
import { type Aval, showAval } from "../../core/aval.js";
import { isFloat, type TypedArray } from "../../core/dtype.js";

/** A number to five significant digits: `0.84147`, `−2`, `1e+20`. */
export function formatScalar(x: number): string {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "NaN" : x > 0 ? "∞" : "−∞";
  const text = String(Number(x.toPrecision(5)));
  return text.replaceAll("-", "−");
}

const maxListed = 6;

/** The elements of an array in a few words. */
export function formatValues(values: TypedArray, { shape, dtype }: Aval): string {
  const show = (x: number): string => (dtype === "bool" ? String(x !== 0) : formatScalar(x));
  if (values.length === 0) return "empty";
  if (shape.length === 0) return show(values[0]);
  if (values.length <= maxListed && shape.length === 1)
    return `[${[...values].map(shorter(dtype)).join(", ")}]`;
  if (values.length <= maxListed && shape.length === 2) {
    const rows = Array.from({ length: shape[0] }, (_, r) =>
      [...values.subarray(r * shape[1], (r + 1) * shape[1])].map(shorter(dtype)).join(", "),
    );
    return `[${rows.map((row) => `[${row}]`).join(", ")}]`;
  }
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const x of values) {
    if (Number.isNaN(x)) return "contains NaN";
    low = Math.min(low, x);
    high = Math.max(high, x);
  }
  if (low === high) return `all ${show(low)}`;
  return `${shorter(dtype)(low)} … ${shorter(dtype)(high)}`;
}

/** Numbers in lists have three digits, so that lists stay short. */
const shorter =
  (dtype: Aval["dtype"]) =>
  (x: number): string =>
    dtype === "bool" ? String(x !== 0) : isFloat(dtype) ? formatScalar(Number(x.toPrecision(3))) : String(x);

/** The text of an array, wherever its elements are. */
export const describeValue = async (x: NDArray): Promise<string> => formatValues(await x.data(), x.aval);

/** `f32[8,4]` for an array; nothing for a scalar of floats, or a bare number, which needs no explanation. */
export const typeText = (a: Aval): string =>
  a.shape.length === 0 && (isFloat(a.dtype) || a.weakType) ? "" : showAval(a).replace("~", "");
