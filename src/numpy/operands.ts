/** What happens to operands before an operation: numbers become arrays, dtypes are promoted, shapes broadcast. */
import { NDArray, scalar, weakScalar } from "../core/array.js";
import { type Aval, describeAll, type Shape } from "../core/aval.js";
import { type DType, promote, type Typed, toInexact } from "../core/dtype.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import type { ArrayLike } from "../core/methods.js";
import { broadcastInDim } from "../primitives/broadcast.js";
import { convertElementType } from "../primitives/cast.js";
import { ne } from "../primitives/comparison.js";

export type { ArrayLike };

function notAnOperand(name: string, x: unknown): ArgumentError {
  const what = Array.isArray(x)
    ? "a JavaScript array (make it an array with np.array)"
    : x === null
      ? "null"
      : `${/^[aeiou]/.test(typeof x) ? "an" : "a"} ${typeof x}`;
  return new ArgumentError(`${name} takes arrays, numbers and booleans, got ${what}`);
}

/** The type a value has in promotion: that of an array, or the weak type of a JavaScript number. */
const typeOf = (x: ArrayLike, name: string): Typed => asArray(x, name).aval;

/** Converts to a dtype. A JavaScript number is converted directly, without passing through float32. */
export function convertTo(x: ArrayLike, type: Typed): NDArray {
  if (!(x instanceof NDArray)) return scalar(x, type.dtype, type.weakType);
  if (x.dtype === type.dtype && (x.weakType === type.weakType || !x.weakType)) return x;
  return convertElementType(x, type.dtype, type.weakType);
}

/** Reads one operand as an array. */
export function asArray(x: ArrayLike, name: string): NDArray {
  if (x instanceof NDArray) return x;
  if (typeof x !== "number" && typeof x !== "boolean") throw notAnOperand(name, x);
  return weakScalar(x);
}

/** Operands of a common dtype; `inexact` brings integers to float32 as well. */
export function promoteOperands(name: string, xs: readonly ArrayLike[], inexact = false): NDArray[] {
  const joint = promote(xs.map((x) => typeOf(x, name)));
  const type = inexact ? toInexact(joint) : joint;
  return xs.map((x) => convertTo(x, type));
}

/**
 * The shape that all shapes broadcast to: aligned at the last axis, lengths equal or 1.
 * Returns undefined if there is none.
 */
export function commonShape(shapes: readonly Shape[]): Shape | undefined {
  const rank = Math.max(0, ...shapes.map((s) => s.length));
  const result = new Array<number>(rank).fill(1);
  for (const shape of shapes)
    for (let i = 0; i < shape.length; i++) {
      const d = rank - shape.length + i;
      if (shape[i] === 1) continue;
      if (result[d] !== 1 && result[d] !== shape[i]) return undefined;
      result[d] = shape[i];
    }
  return result;
}

/** Repeats an array along leading axes and axes of length 1. */
export const stretch = (x: NDArray, shape: Shape): NDArray =>
  broadcastInDim(
    x,
    shape,
    x.shape.map((_, i) => shape.length - x.ndim + i),
  );

/** Brings arrays to a common shape; scalars stay scalars, since the operations below take them as they are. */
export function broadcastOperands(name: string, xs: readonly NDArray[]): NDArray[] {
  const first = xs[0].shape;
  if (xs.every((x) => x.ndim === 0 || x.shape === first)) return [...xs];
  const shape = commonShape(xs.map((x) => x.shape));
  if (shape === undefined)
    throw new ShapeError(
      `${name}: shapes of ${describeAll(xs.map((x): Aval => x.aval))} do not broadcast together`,
    );
  return xs.map((x) => (x.ndim === 0 ? x : stretch(x, shape)));
}

/** Promoted and broadcast operands of an elementwise function. */
export const elementwiseOperands = (name: string, xs: readonly ArrayLike[], inexact = false): NDArray[] =>
  broadcastOperands(name, promoteOperands(name, xs, inexact));

/** One operand of a function that only makes sense for floats. */
export const inexactOperand = (name: string, x: ArrayLike): NDArray => promoteOperands(name, [x], true)[0];

/** One operand of a function of numbers: booleans count as 0 and 1. */
export const numericOperand = (name: string, x: ArrayLike): NDArray => asNumber(asArray(x, name));

/** The numbers 0 and 1 in place of booleans. */
export const asNumber = (x: NDArray): NDArray => (x.dtype === "bool" ? convertElementType(x, "int32") : x);

/** Where x is not zero. */
export const asCondition = (x: NDArray): NDArray => (x.dtype === "bool" ? x : ne(x, 0));

/** The dtype in which sums of this dtype are made: small integers and booleans widen to int32 (uint8 to uint32). */
export const sumType = (dtype: DType): DType =>
  dtype === "bool" ? "int32" : dtype === "uint8" ? "uint32" : dtype;

/** Refuses options that the function does not have, so that a misspelt one is noticed. */
export function checkOptions(name: string, options: object, known: readonly string[]): void {
  for (const key of Object.keys(options))
    if (!known.includes(key))
      throw new ArgumentError(`${name}: there is no option "${key}"; the options are ${known.join(", ")}`);
}
