/** Choosing elements by conditions, and keeping them within bounds. */
import type { NDArray } from "../core/array.js";
import { ArgumentError } from "../core/errors.js";
import * as p from "../primitives/select.js";
import { maximum, minimum } from "./arithmetic.js";
import { plainOptions } from "./axes.js";
import { type NonzeroOptions, nonzero } from "./nonzero.js";
import {
  type ArrayLike,
  asArray,
  asCondition,
  broadcastOperands,
  convertTo,
  promoteOperands,
} from "./operands.js";
import { isOptions } from "./options.js";

/**
 * x where the condition holds (is not zero), y elsewhere, in their common dtype. With the condition alone: the indices
 * of where it holds, as `nonzero` gives them.
 *
 * Both sides are computed, whatever the condition, and so are both derivatives. One that is NaN on the side that is not
 * taken still spoils the gradient; choose a harmless operand there first:
 * `np.where(ok, np.log(np.where(ok, x, 1)), 0)`.
 * @throws ShapeError if the shapes do not broadcast.
 * @throws ArgumentError for x without y.
 * @example
 * np.where(np.array([true, false]), np.array([1, 2]), 0); // [1, 0]
 * np.where(np.array([0, 3, 0, 2]))[0]; // [1, 3]
 */
export function where(condition: ArrayLike, options?: NonzeroOptions): NDArray[];
export function where(condition: ArrayLike, x: ArrayLike, y: ArrayLike): NDArray;
export function where(
  condition: ArrayLike,
  x?: ArrayLike | NonzeroOptions,
  y?: ArrayLike,
): NDArray | NDArray[] {
  if (y === undefined && (x === undefined || isOptions(x))) return nonzero(condition, x);
  if (x === undefined || y === undefined)
    throw new ArgumentError("where takes a condition alone, or with x and y");
  return choose("where", condition, x as ArrayLike, y);
}

function choose(name: string, condition: ArrayLike, x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = promoteOperands(name, [x, y]);
  const [holds, onTrue, onFalse] = broadcastOperands(name, [asCondition(asArray(condition, name)), a, b]);
  return p.select(holds, onTrue, onFalse);
}

export interface ClipOptions {
  readonly min?: ArrayLike | null;
  readonly max?: ArrayLike | null;
}

/**
 * x, but not below `min` and not above `max` (which wins if they contradict each other). Either may be left out. The
 * derivative is 1 inside, 0 outside and ½ on a bound.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * np.clip(np.array([-2, 0.5, 3]), 0, 1); // [0, 0.5, 1]
 * np.clip(np.array([-2, 0.5, 3]), { max: 1 }); // [-2, 0.5, 1]
 */
export function clip(x: ArrayLike, min?: ArrayLike | null | ClipOptions, max?: ArrayLike | null): NDArray {
  const bounds: ClipOptions = isOptions(min) ? plainOptions("clip", min, ["min", "max"]) : { min, max };
  let result = asArray(x, "clip");
  if (bounds.min !== null && bounds.min !== undefined) result = maximum(result, bounds.min);
  if (bounds.max !== null && bounds.max !== undefined) result = minimum(result, bounds.max);
  return result;
}

/**
 * For each element the choice that stands beside the first condition that holds; `fallback` (default 0) where none does.
 * @throws ArgumentError if there are not as many choices as conditions, or none.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * np.select([np.array([true, false, false]), np.array([true, true, false])], [1, 2], 9); // [1, 2, 9]
 */
export function select(
  conditions: readonly ArrayLike[],
  choices: readonly ArrayLike[],
  fallback: ArrayLike = 0,
): NDArray {
  if (conditions.length !== choices.length || conditions.length === 0)
    throw new ArgumentError(
      `select needs as many choices as conditions, and at least one; got ${conditions.length} conditions and ${choices.length} choices`,
    );
  const promoted = promoteOperands("select", [...choices, fallback]);
  const holds = conditions.map((c) => asCondition(asArray(c, "select")));
  const all = broadcastOperands("select", [...holds, ...promoted]);
  let result = all[all.length - 1];
  for (let i = holds.length - 1; i >= 0; i--) result = p.select(all[i], all[holds.length + i], result);
  return result;
}

/** A branch of `piecewise`: a function of x, or a constant. */
export type Branch = ArrayLike | ((x: NDArray) => ArrayLike);

/**
 * A function that is defined piece by piece: `branches[i](x)` where `conditions[i]` holds (the last one that does), and
 * the branch after them, or 0, where none does. The result has the dtype of x. Every branch is computed for all of x:
 * see `where` about derivatives.
 * @throws ArgumentError if there are not as many branches as conditions, or one more.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * np.piecewise(np.array([-2, 3]), [np.array([true, false])], [0, (x) => x.mul(10)]); // [0, 30]
 */
export function piecewise(
  x: ArrayLike,
  conditions: readonly ArrayLike[],
  branches: readonly Branch[],
): NDArray {
  const more = branches.length - conditions.length;
  if (more !== 0 && more !== 1)
    throw new ArgumentError(
      `piecewise needs as many branches as conditions, or one more; got ${conditions.length} conditions and ${branches.length} branches`,
    );
  const a = asArray(x, "piecewise");
  const evaluate = (branch: Branch): NDArray =>
    convertTo(typeof branch === "function" ? branch(a) : branch, a.aval);
  let result = more === 1 ? evaluate(branches[conditions.length]) : convertTo(0, a.aval);
  for (const [i, condition] of conditions.entries())
    result = choose("piecewise", condition, evaluate(branches[i]), result);
  return result;
}
