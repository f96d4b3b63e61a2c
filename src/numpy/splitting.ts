/** Arrays taken apart along an axis. */
import type { NDArray } from "../core/array.js";
import { describe } from "../core/aval.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import type { AxisOr } from "../core/methods.js";
import { showParam } from "../primitives/checks.js";
import { axisOptions, oneAxis, wholeNumber } from "./axes.js";
import { type ArrayLike, asArray } from "./operands.js";
import { counting, elementAt, sliceAxis } from "./rearrange.js";

/** How to split: into so many parts, or before these indices. */
export type Sections = number | readonly number[];

type SplitOptions = AxisOr<{ readonly axis?: number }>;

/** An index of a split, as in a slice: negative from the end, kept inside. */
const place = (name: string, index: unknown, length: number): number => {
  const i = wholeNumber(name, "a split index", index);
  return Math.min(Math.max(i < 0 ? i + length : i, 0), length);
};

function splitAt(name: string, x: ArrayLike, sections: Sections, axis: number, uneven: boolean): NDArray[] {
  const a = asArray(x, name);
  const along = oneAxis(name, axis, a.shape);
  const length = a.shape[along];
  if (Array.isArray(sections)) {
    const places = [0, ...sections.map((i) => place(name, i, length)), length];
    return places.slice(1).map((end, k) => sliceAxis(a, along, places[k], Math.max(places[k], end)));
  }
  const parts = sections as number;
  if (typeof parts !== "number" || !Number.isInteger(parts) || parts < 1)
    throw new ArgumentError(
      `${name}: into ${showParam(sections)} parts; give a number from 1 on or a list of indices`,
    );
  if (!uneven && length % parts !== 0)
    throw new ShapeError(
      `${name}: axis ${along} of ${describe(a.aval)} has no ${parts} equal parts; see np.arraySplit`,
    );
  // The first parts are longer by one, if lengths must differ.
  const start = (k: number) => k * Math.floor(length / parts) + Math.min(k, length % parts);
  return counting(parts).map((k) => sliceAxis(a, along, start(k), start(k + 1)));
}

/**
 * The parts of an array along an axis (default 0): so many of equal length, or those before, between and after indices.
 * @throws ShapeError if the length is not divisible.
 * @example
 * np.split(np.arange(6), [1, 3])[1]; // [1, 2]
 */
export function split(x: ArrayLike, sections: Sections, options?: SplitOptions): NDArray[] {
  const { axis = 0 } = axisOptions<{ axis?: number }>("split", options, ["axis"]);
  return splitAt("split", x, sections, axis, false);
}

/**
 * As `split`, but the lengths of the parts may differ by one: the first ones are the longer ones.
 * @example
 * np.arraySplit(np.arange(5), 2)[0]; // [0, 1, 2]
 */
export function arraySplit(x: ArrayLike, sections: Sections, options?: SplitOptions): NDArray[] {
  const { axis = 0 } = axisOptions<{ axis?: number }>("arraySplit", options, ["axis"]);
  return splitAt("arraySplit", x, sections, axis, true);
}

/**
 * `split` along axis 0.
 * @example
 * np.vsplit(np.zeros([4, 2]), 2)[0]; // shape [2, 2]
 */
export const vsplit = (x: ArrayLike, sections: Sections): NDArray[] =>
  splitAt("vsplit", x, sections, 0, false);

/**
 * `split` along axis 1, or axis 0 of a vector.
 * @example
 * np.hsplit(np.zeros([4, 2]), 2)[0]; // shape [4, 1]
 */
export const hsplit = (x: ArrayLike, sections: Sections): NDArray[] =>
  splitAt("hsplit", x, sections, asArray(x, "hsplit").ndim > 1 ? 1 : 0, false);

/**
 * `split` along axis 2.
 * @example
 * np.dsplit(np.zeros([1, 2, 4]), 2)[0]; // shape [1, 2, 2]
 */
export const dsplit = (x: ArrayLike, sections: Sections): NDArray[] =>
  splitAt("dsplit", x, sections, 2, false);

/**
 * The slices along an axis (default 0), which they lack.
 * @example
 * np.unstack(np.array([[1, 2], [3, 4]]))[1]; // [3, 4]
 */
export function unstack(x: ArrayLike, options?: SplitOptions): NDArray[] {
  const { axis = 0 } = axisOptions<{ axis?: number }>("unstack", options, ["axis"]);
  const a = asArray(x, "unstack");
  const along = oneAxis("unstack", axis, a.shape);
  return counting(a.shape[along]).map((i) => elementAt(a, along, i));
}
