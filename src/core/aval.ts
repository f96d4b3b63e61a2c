/** Abstract values: what tracing knows of an array — shape, dtype, and whether its dtype is weak. */
import { type DType, isFloat, itemSize, shortName, type Typed } from "./dtype.js";

export type Shape = readonly number[];

export interface Aval extends Typed {
  readonly shape: Shape;
}

const scalars = new Map<string, Aval>();

/** Makes an abstract value. Scalars, by far the commonest, are shared. */
export function aval(shape: Shape, dtype: DType, weakType = false): Aval {
  if (shape.length > 0) return { shape, dtype, weakType };
  const key = weakType ? `~${dtype}` : dtype;
  let found = scalars.get(key);
  if (found === undefined) {
    found = { shape: [], dtype, weakType };
    scalars.set(key, found);
  }
  return found;
}

/** The number of elements: the product of the dimensions, 1 for a scalar. */
export function sizeOf(shape: Shape): number {
  let n = 1;
  for (let i = 0; i < shape.length; i++) n *= shape[i];
  return n;
}

export const bytesOf = (a: Aval): number => sizeOf(a.shape) * itemSize(a.dtype);

export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Same shape and dtype; weakness is not part of what a value can be used for. */
export const sameType = (a: Aval, b: Aval): boolean =>
  a === b || (a.dtype === b.dtype && sameShape(a.shape, b.shape));

export const equalAvals = (a: Aval, b: Aval): boolean => sameType(a, b) && a.weakType === b.weakType;

/** `f32[2,3]`, and `~f32[]` for a weak type: the spelling of printed jaxprs. */
export const showAval = (a: Aval): string =>
  `${a.weakType ? "~" : ""}${shortName(a.dtype)}[${a.shape.join(",")}]`;

/** `float32[2,3]`: the spelling of error messages. */
export const describe = (a: Aval): string => `${a.dtype}[${a.shape.join(",")}]`;

export const describeAll = (avals: readonly Aval[]): string => avals.map(describe).join(", ") || "nothing";

/** The type of tangents: the same for floats, `float0` for integers and booleans. */
export const tangentAval = (a: Aval): Aval => (isFloat(a.dtype) ? a : aval(a.shape, "float0"));

export const strong = (a: Aval): Aval => (a.weakType ? aval(a.shape, a.dtype, false) : a);

export const withShape = (a: Aval, shape: Shape): Aval => aval(shape, a.dtype, a.weakType);

/** Row-major strides, in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i];
  }
  return strides;
}
