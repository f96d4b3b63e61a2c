/** How arrays print themselves: values, shape and dtype, with the middle of long axes left out. */
import { type Aval, sizeOf, stridesOf } from "./aval.js";
import { type DType, isFloat, type TypedArray } from "./dtype.js";

const maxElements = 1000;
const edge = 3;

function formatNumber(x: number, dtype: DType): string {
  if (dtype === "bool") return x === 0 ? "false" : "true";
  if (!isFloat(dtype)) return String(x);
  if (Object.is(x, -0)) return "-0";
  // As many digits as tell the number from its neighbours of that dtype, eight at the most.
  const digits = dtype === "float64" ? 12 : dtype === "float16" ? 4 : 7;
  return Number.isFinite(x)
    ? String(Number(x.toPrecision(digits)))
    : String(x).replace("Infinity", "inf").replace("NaN", "nan");
}

/** `[[1, 2], [3, 4]]`; rows after the first are on lines of their own, indented by `indent` and their axis. */
export function formatElements(values: TypedArray, { shape, dtype }: Aval, indent: number): string {
  const strides = stridesOf(shape);
  const shorten = sizeOf(shape) > maxElements;
  const show = (axis: number, offset: number): string => {
    if (axis === shape.length) return formatNumber(values[offset] ?? 0, dtype);
    const n = shape[axis];
    const parts: string[] = [];
    for (let i = 0; i < n; i++) {
      if (shorten && n > 2 * edge && i === edge) {
        parts.push("...");
        i = n - edge;
      }
      parts.push(show(axis + 1, offset + i * strides[axis]));
    }
    const last = axis === shape.length - 1;
    return `[${parts.join(last ? ", " : `,\n${" ".repeat(indent + axis)}`)}]`;
  };
  return show(0, 0);
}

/** `Array([[1, 2], [3, 4]], float32[2,2])`. */
export function formatArray(values: TypedArray, aval: Aval): string {
  const { shape, dtype } = aval;
  const type = `${dtype}[${shape.join(",")}]${aval.weakType ? ", weak" : ""}`;
  if (dtype === "float0") return `Array(${type})`;
  return `Array(${formatElements(values, aval, 7)}, ${type})`;
}
