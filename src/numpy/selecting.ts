/** Elements where a condition holds, written and read; and elements chosen from several arrays. */
import type { NDArray } from "../core/array.js";
import { describe, sizeOf } from "../core/aval.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import type { AxisOr } from "../core/methods.js";
import { sub } from "../primitives/arithmetic.js";
import { convertElementType } from "../primitives/cast.js";
import { showParam } from "../primitives/checks.js";
import { cumsum } from "../primitives/cumulative.js";
import { scatter } from "../primitives/scatter.js";
import { select, selectN } from "../primitives/select.js";
import { reshape } from "../primitives/shape.js";
import { at } from "./at.js";
import { axisOptions, oneAxis, plainOptions, wholeNumber } from "./axes.js";
import { mod } from "./division.js";
import { type Indices, placed, type TakeMode } from "./indexing.js";
import { indexArray } from "./indexParts.js";
import { toInt32 } from "./indexPlan.js";
import { broadcastArrays, ravel } from "./manipulation.js";
import { nonzero } from "./nonzero.js";
import { type ArrayLike, asArray, asCondition, promoteOperands } from "./operands.js";
import { gatherAxis, sliceAxis } from "./rearrange.js";
import { resize } from "./reordering.js";
import { fitting } from "./values.js";

export interface SelectedOptions {
  /** How many elements to give: further ones are left out, missing ones filled in. Default: as many as there are. */
  readonly size?: number;
  /** What missing elements are. Default: 0. */
  readonly fillValue?: number;
}

/** The slices along an axis for which a vector of conditions holds. */
function selected(
  name: string,
  mask: NDArray,
  a: NDArray,
  axis: number,
  { size, fillValue = 0 }: SelectedOptions,
): NDArray {
  const length = a.shape[axis];
  if (mask.ndim !== 1)
    throw new ShapeError(`${name}: the condition must be a vector, got ${describe(mask.aval)}`);
  if (mask.size > length) {
    // Conditions beyond the end may not hold; that they do not cannot be told from shapes.
    const { values } = mask.concrete(`${name} with more conditions than elements`);
    if (values.slice(length).includes(1))
      throw new ShapeError(`${name}: a condition holds beyond axis ${axis} of ${describe(a.aval)}`);
    return selected(name, sliceAxis(mask, 0, 0, length), a, axis, { size, fillValue });
  }
  if (size === undefined) return gatherAxis(a, axis, nonzero(mask)[0], "promiseInBounds");
  const places = nonzero(mask, { size: wholeNumber(name, "size", size, 0), fillValue: length })[0];
  return gatherAxis(a, axis, places, "fill", fillValue);
}

/**
 * The slices along an axis (without one, the elements of the flattened array) for which a vector of conditions holds.
 * @throws ConcretizationError for a traced condition without `size`; ShapeError, AxisError
 * @example
 * np.compress(np.array([true, false, true]), np.array([1, 2, 3])); // [1, 3]
 */
export function compress(
  condition: ArrayLike,
  x: ArrayLike,
  options?: AxisOr<SelectedOptions & { readonly axis?: number | null }>,
): NDArray {
  type Options = SelectedOptions & { axis?: number | null };
  const { axis = null, ...rest } = axisOptions<Options>("compress", options, ["axis", "size", "fillValue"]);
  const given = asArray(x, "compress");
  const a = axis === null ? ravel(given) : given;
  const mask = asCondition(asArray(condition, "compress"));
  return selected("compress", mask, a, oneAxis("compress", axis ?? 0, a.shape), rest);
}

/**
 * The elements for which a condition of the same size holds, as a vector.
 * @throws ConcretizationError for a traced condition without `size`; ShapeError
 * @example
 * np.extract(np.array([[true, false], [false, true]]), np.array([[1, 2], [3, 4]])); // [1, 4]
 */
export function extract(condition: ArrayLike, x: ArrayLike, options: SelectedOptions = {}): NDArray {
  const mask = asCondition(ravel(asArray(condition, "extract")));
  return selected("extract", mask, ravel(x), 0, plainOptions("extract", options, ["size", "fillValue"]));
}

/** A vector repeated, or cut off, to some length. */
const filledUp = (name: string, x: NDArray, values: ArrayLike, size: number): NDArray => {
  const flat = ravel(fitting(name, x, values));
  if (flat.size === 0 && size > 0) throw new ShapeError(`${name} needs values, got ${describe(flat.aval)}`);
  return size === 0 ? sliceAxis(flat, 0, 0, 0) : resize(flat, size);
};

/**
 * `x` with the elements for which the mask holds replaced by the given values in turn, which start again when they run
 * out. (`x` itself stays as it is.)
 * @throws ShapeError unless `mask` has the size of `x`; DtypeError if `x` cannot hold the values.
 * @example
 * np.place(np.array([1, 2, 3, 4]), np.array([true, false, true, true]), np.array([8, 9])); // [8, 2, 9, 8]
 */
export function place(x: ArrayLike, mask: ArrayLike, values: ArrayLike): NDArray {
  const a = asArray(x, "place");
  const holds = asCondition(asArray(mask, "place"));
  if (holds.size !== a.size)
    throw new ShapeError(`place: the mask ${describe(holds.aval)} must have the size of ${describe(a.aval)}`);
  const own = ravel(fitting("place", a, values));
  if (a.size === 0) return a;
  if (own.size === 0) throw new ShapeError(`place needs values, got ${describe(own.aval)}`);
  const flat = ravel(holds);
  const rank = sub(cumsum(convertElementType(flat, "int32"), { axis: 0, reverse: false }), 1);
  return reshape(select(flat, gatherAxis(own, 0, mod(rank, own.size), "clip"), ravel(a)), a.shape);
}

/**
 * `x` with the elements at places of the flattened array replaced by the given values in turn. Places out of range are
 * dropped, or with `mode` moved inside ("clip") or around ("wrap"). (`x` itself stays as it is.)
 * @throws DtypeError if `x` cannot hold the values; ArgumentError
 * @example
 * np.put(np.zeros([2, 2]), [0, 3], np.array([5, 6])); // [[5, 0], [0, 6]]
 */
export function put(
  x: ArrayLike,
  places: Indices,
  values: ArrayLike,
  options: { readonly mode?: TakeMode } = {},
): NDArray {
  const { mode = "fill" } = plainOptions<{ mode?: TakeMode }>("put", options, ["mode"]);
  const a = asArray(x, "put");
  const { places: flat, mode: outside } = placed("put", ravel(indexArray("put", places)), a.size, mode);
  const updates = filledUp("put", a, values, flat.size);
  const out = scatter(ravel(a), reshape(flat, [flat.size, 1]), updates, {
    updateWindowDims: [],
    insertedWindowDims: [0],
    scatterDimsToOperandDims: [0],
    mode: outside === "fill" ? "drop" : outside,
  });
  return reshape(out, a.shape);
}

/**
 * For each element of `indices` the element there of the choice with that number; all of them broadcast. Numbers that
 * name no choice are refused ("raise", the default), or with `mode` moved inside ("clip") or around ("wrap").
 * @throws ArgumentError for such a number (under `jit`, `mode` has to say what it means); DtypeError
 * @example
 * np.choose([1, 0], [np.array([10, 20]), np.array([30, 40])]); // [30, 20]
 */
export function choose(
  indices: Indices,
  choices: readonly ArrayLike[],
  options: { readonly mode?: "raise" | "clip" | "wrap" } = {},
): NDArray {
  const { mode = "raise" } = plainOptions<{ mode?: string }>("choose", options, ["mode"]);
  const count = choices.length;
  if (count === 0) throw new ArgumentError("choose needs at least one choice");
  let which = toInt32(indexArray("choose", indices), count);
  if (mode === "wrap") which = mod(which, count);
  else if (mode === "raise") {
    const wrong = [...which.concrete('choose with mode "raise"').values].find((i) => i < 0 || i >= count);
    if (wrong !== undefined) throw new ArgumentError(`choose: there is no choice ${wrong} among ${count}`);
  } else if (mode !== "clip")
    throw new ArgumentError(`choose: mode must be "raise", "clip" or "wrap", got ${showParam(mode)}`);
  // Numbers out of range take the nearest case.
  const [chosen, ...cases] = broadcastArrays(which, ...promoteOperands("choose", choices));
  return selectN(chosen, ...cases);
}

/**
 * `x` with its main diagonal replaced by a value, or by values in turn. With more than two axes all of them must have
 * one length. With `wrap` the diagonal of a tall matrix starts again below. (`x` itself stays as it is.)
 * @throws ShapeError, DtypeError if `x` cannot hold the values.
 * @example
 * np.fillDiagonal(np.zeros([2, 2]), 7); // [[7, 0], [0, 7]]
 */
export function fillDiagonal(
  x: ArrayLike,
  values: ArrayLike,
  options: { readonly wrap?: boolean } = {},
): NDArray {
  const { wrap = false } = plainOptions<{ wrap?: boolean }>("fillDiagonal", options, ["wrap"]);
  const a = asArray(x, "fillDiagonal");
  if (a.ndim < 2 || (a.ndim > 2 && a.shape.some((n) => n !== a.shape[0])))
    throw new ShapeError(`fillDiagonal needs a matrix, or more axes of one length, got ${describe(a.aval)}`);
  if (a.size === 0) return a;
  // From one element of the diagonal to the next: one step along each axis.
  const step = a.shape.reduce((total, _, i) => total + sizeOf(a.shape.slice(i + 1)), 0);
  const stop = a.ndim === 2 && !wrap ? Math.min(a.size, a.shape[1] * a.shape[1]) : a.size;
  const count = Math.ceil(stop / step);
  const fit = fitting("fillDiagonal", a, values);
  const own = fit.ndim === 0 ? fit : filledUp("fillDiagonal", a, fit, count);
  return reshape(at(ravel(a), [{ stop, step }]).set(own), a.shape);
}
