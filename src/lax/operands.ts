/**
 * Operands as users give them. Here dtypes are not promoted and shapes not broadcast: arrays must agree. Only a
 * JavaScript number or boolean adapts: it becomes a scalar of the dtype of the arrays beside it, if that can hold it.
 */
import { NDArray, scalar, weakScalar } from "../core/array.js";
import { describe } from "../core/aval.js";
import { integerRange, isFloat } from "../core/dtype.js";
import { ArgumentError, DtypeError } from "../core/errors.js";
import type { ArrayLike } from "../core/methods.js";

export type { ArrayLike };

const wrongOperand = (name: string, x: unknown): ArgumentError => {
  const what = Array.isArray(x)
    ? "a JavaScript array (make it an array with np.array)"
    : x === null
      ? "null"
      : `a value of type ${typeof x}`;
  return new ArgumentError(`lax.${name} takes arrays, numbers and booleans, got ${what}`);
};

/** One operand. A number is a weak-typed scalar: a float if `inexact`, else an integer where it is one. */
export function operand(name: string, x: ArrayLike, inexact = false): NDArray {
  if (x instanceof NDArray) return x;
  if (typeof x === "boolean") return weakScalar(x);
  if (typeof x !== "number") throw wrongOperand(name, x);
  return inexact ? scalar(x, "float32", true) : weakScalar(x);
}

/** An operand that has to be an array, since a number has nothing to take a part of. */
export function arrayOperand(name: string, x: unknown): NDArray {
  if (x instanceof NDArray) return x;
  throw typeof x === "number" || typeof x === "boolean"
    ? new ArgumentError(`lax.${name} takes an array here, got ${x}`)
    : wrongOperand(name, x);
}

/** A number or boolean as a scalar of the dtype of the array beside it. */
function adapt(name: string, x: number | boolean, like: NDArray): NDArray {
  if (typeof x !== "number" && typeof x !== "boolean") throw wrongOperand(name, x);
  const { dtype } = like;
  if (typeof x === "boolean" ? dtype === "bool" : isFloat(dtype) || holdsInteger(dtype, x))
    return scalar(x, dtype, like.weakType);
  throw new DtypeError(
    `lax.${name}: ${x} is not a value of ${dtype}, the dtype of the array beside it (${describe(like.aval)})`,
  );
}

function holdsInteger(dtype: NDArray["dtype"], x: number): boolean {
  if (dtype === "bool" || dtype === "float0") return false;
  const [lo, hi] = integerRange(dtype);
  return Number.isInteger(x) && x >= lo && x <= hi;
}

/** Operands that stand beside each other. Numbers alone are floats as soon as one of them is not whole. */
export function operands(name: string, xs: readonly ArrayLike[], inexact = false): NDArray[] {
  const like = xs.find((x) => x instanceof NDArray);
  if (like !== undefined) return xs.map((x) => (x instanceof NDArray ? x : adapt(name, x, like)));
  const floats = inexact || xs.some((x) => operand(name, x).dtype === "float32");
  return xs.map((x) => operand(name, x, floats));
}
