/**
 * Indices as users write them, read against the array that they index: which places of which axis each one means.
 * The rules are NumPy's (https://numpy.org/doc/stable/user/basics.indexing.html).
 */
import { type ConcreteArray, concreteArray, isReadable, NDArray } from "../core/array.js";
import { type Aval, describe, type Shape, sameShape, sizeOf, stridesOf } from "../core/aval.js";
import { isInteger, isUnsigned } from "../core/dtype.js";
import { ArgumentError, AxisError, DtypeError, ShapeError } from "../core/errors.js";
import type { ArrayLike, Index } from "../core/methods.js";
import { showParam } from "../primitives/checks.js";
import { lt } from "../primitives/comparison.js";
import { add } from "../primitives/elementwise.js";
import { select } from "../primitives/select.js";
import { integers } from "./constants.js";

/** Regularly spaced places: start, start + step, ...; `count` of them. */
export interface Range {
  readonly kind: "range";
  readonly axis: number;
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

/** One place, known while tracing; negative if it was below the first. It drops the axis. */
export interface Point {
  readonly kind: "point";
  readonly axis: number;
  readonly place: number;
}

/** Places given by an integer array, counted from 0; a boolean scalar stands on no axis. */
export interface Gathered {
  readonly kind: "gathered";
  readonly axis: number | null;
  readonly indices: NDArray;
}

/** A new axis of length 1. */
interface NewAxis {
  readonly kind: "new";
}

/** A "..." that stands for no axis: it still keeps index arrays apart. */
interface Gap {
  readonly kind: "gap";
}

export type Part = Range | Point | Gathered | NewAxis | Gap;

type Slice = { readonly start?: number | null; readonly stop?: number | null; readonly step?: number | null };

const sliceText = /^\s*(-?\d+)?\s*:\s*(-?\d+)?\s*(?::\s*(-?\d+)?\s*)?$/;

const isEllipsis = (index: unknown): boolean => typeof index === "string" && index.trim() === "...";

/** A slice from a text like "1:5:2", or as an object; undefined for what is none. */
function sliceOf(name: string, index: unknown): Slice | undefined {
  if (typeof index === "string") {
    const match = sliceText.exec(index);
    if (match === null)
      throw new ArgumentError(
        `${name}: "${index}" is not an index; texts are slices like "1:5", "::-1", or "..."`,
      );
    const [start, stop, step] = match.slice(1).map((text) => (text === undefined ? null : Number(text)));
    return { start, stop, step };
  }
  if (typeof index !== "object" || index === null || Array.isArray(index) || index instanceof NDArray)
    return undefined;
  for (const [key, value] of Object.entries(index)) {
    if (key !== "start" && key !== "stop" && key !== "step")
      throw new ArgumentError(`${name}: a slice has start, stop and step, not "${key}"`);
    if (value !== undefined && value !== null && !Number.isSafeInteger(value))
      throw new ArgumentError(
        `${name}: ${key} of a slice must be a whole number, got ${value instanceof NDArray ? "an array (see lax.dynamicSlice)" : showParam(value)}`,
      );
  }
  return index as Slice;
}

/** The places of a slice on an axis of some length: ends beyond the axis are cut off. */
function rangeOf(name: string, slice: Slice, axis: number, length: number): Range {
  const step = slice.step ?? 1;
  if (step === 0) throw new ArgumentError(`${name}: the step of a slice must not be 0`);
  const [low, high] = step > 0 ? [0, length] : [-1, length - 1];
  const end = (given: number | null | undefined, otherwise: number): number =>
    given === null || given === undefined
      ? otherwise
      : Math.min(Math.max(given < 0 ? given + length : given, low), high);
  const start = end(slice.start, step > 0 ? low : high);
  const stop = end(slice.stop, step > 0 ? high : low);
  return { kind: "range", axis, start, step, count: Math.max(0, Math.ceil((stop - start) / step)) };
}

/** The places that an index other than an array means on one axis of some length, in order. */
export function placesOf(name: string, index: Index, length: number): number[] | undefined {
  const slice = sliceOf(name, index);
  if (slice === undefined) return undefined;
  const { start, step, count } = rangeOf(name, slice, 0, length);
  return Array.from({ length: count }, (_, i) => start + i * step);
}

/** Negative places count from the end. What is below the first place stays negative. */
export function wrapNegative(indices: NDArray, length: number): NDArray {
  if (isUnsigned(indices.dtype)) return indices;
  if (isReadable(indices))
    return indices.values.some((i) => i < 0)
      ? integers(
          Array.from(indices.values, (i) => (i < 0 ? i + length : i)),
          indices.shape,
        )
      : indices;
  return select(lt(indices, 0), add(indices, length), indices);
}

/** Integers in lists, of any depth. */
export type IndexList = readonly (number | IndexList)[];

/** Integers as indices: a number, nested lists, or an array. */
export type Indices = ArrayLike | IndexList;

/** An integer array from what a user gave as indices. */
export function indexArray(name: string, given: unknown): NDArray {
  if (Array.isArray(given)) return indexList(name, given);
  if (typeof given === "number") return integers([wholeIndex(name, given)], []);
  if (!(given instanceof NDArray))
    throw new ArgumentError(
      `${name}: indices must be integers or arrays of integers, got ${showParam(given)}`,
    );
  if (!isInteger(given.dtype))
    throw new DtypeError(
      `${name}: indices must be integers, got ${describe(given.aval)}; a list of numbers will do, or the dtype "int32"`,
    );
  return given;
}

function indexList(name: string, list: readonly unknown[]): NDArray {
  const flat: number[] = [];
  const shape: number[] = [];
  const visit = (item: unknown, depth: number): void => {
    if (!Array.isArray(item)) {
      flat.push(wholeIndex(name, item));
      return;
    }
    shape[depth] ??= item.length;
    if (shape[depth] !== item.length)
      throw new ShapeError(`${name}: lists of indices have different lengths`);
    for (const inner of item) visit(inner, depth + 1);
  };
  visit(list, 0);
  if (flat.length !== sizeOf(shape))
    throw new ShapeError(`${name}: lists of indices are nested to different depths`);
  return integers(flat, shape);
}

function wholeIndex(name: string, index: unknown): number {
  if (typeof index !== "number" || !Number.isSafeInteger(index))
    throw new ArgumentError(`${name}: an index must be a whole number, got ${showParam(index)}`);
  return index;
}

/** The positions of true elements along each axis, in row-major order. */
function truePlaces(mask: ConcreteArray): ConcreteArray[] {
  const flat: number[] = [];
  for (let i = 0; i < mask.values.length; i++) if (mask.values[i] !== 0) flat.push(i);
  return stridesOf(mask.shape).map((stride, axis) =>
    integers(flat.map((i) => Math.floor(i / stride) % mask.shape[axis])),
  );
}

const isMask = (index: unknown): boolean =>
  index instanceof NDArray
    ? index.dtype === "bool"
    : Array.isArray(index) && index.length > 0 && index.every((i) => typeof i === "boolean");

const maskArray = (index: unknown): NDArray =>
  index instanceof NDArray
    ? index
    : concreteArray((index as boolean[]).map(Number), [(index as boolean[]).length], "bool");

/** The only index, if it is a boolean array. */
export const onlyMask = (indices: readonly Index[]): NDArray | undefined => {
  const rest = indices.filter((i) => !isEllipsis(i));
  return rest.length === 1 && isMask(rest[0]) && indices[0] === rest[0] ? maskArray(rest[0]) : undefined;
};

/** How many axes of the array an index is about. */
const axesTaken = (index: Index): number =>
  index === null || isEllipsis(index) ? 0 : isMask(index) ? maskArray(index).ndim : 1;

const gathered = (axis: number, indices: NDArray, length: number): Part => {
  if (indices.ndim === 0 && isReadable(indices)) {
    const [i] = indices.values;
    return { kind: "point", axis, place: i < 0 ? i + length : i };
  }
  return { kind: "gathered", axis, indices: wrapNegative(indices, length) };
};

/** One part for each index, with full ranges for the axes that no index is about. */
export function readIndices(name: string, x: Aval, indices: readonly Index[]): Part[] {
  const ellipses = indices.filter(isEllipsis).length;
  if (ellipses > 1) throw new ArgumentError(`${name}: there can be only one "..." among the indices`);
  const taken = indices.reduce<number>((n, index) => n + axesTaken(index), 0);
  const missing = x.shape.length - taken;
  if (missing < 0)
    throw new AxisError(
      `${name}: too many indices: ${describe(x)} has ${x.shape.length} axes, ${taken} are indexed`,
    );
  const parts: Part[] = [];
  let axis = 0;
  const whole = (count: number) => {
    for (let i = 0; i < count; i++, axis++)
      parts.push({ kind: "range", axis, start: 0, step: 1, count: x.shape[axis] });
  };
  for (const index of indices) {
    if (isEllipsis(index)) {
      whole(missing);
      if (missing === 0) parts.push({ kind: "gap" });
    } else if (index === null) parts.push({ kind: "new" });
    else if (isMask(index)) axis += readMask(name, x, axis, maskArray(index), parts);
    else {
      const slice = sliceOf(name, index);
      parts.push(
        slice === undefined
          ? gathered(axis, indexArray(name, index), x.shape[axis])
          : rangeOf(name, slice, axis, x.shape[axis]),
      );
      axis++;
    }
  }
  if (ellipses === 0) whole(missing);
  return parts;
}

/** A mask means the places where it is true; it needs its values, because their number decides about the shape. */
function readMask(name: string, x: Aval, axis: number, mask: NDArray, parts: Part[]): number {
  const own: Shape = x.shape.slice(axis, axis + mask.ndim);
  if (!sameShape(own, mask.shape))
    throw new ShapeError(
      `${name}: a boolean index ${describe(mask.aval)} does not fit axes of lengths [${own.join(",")}]`,
    );
  const known = mask.concrete(`indexing with a boolean array (in ${name})`);
  if (mask.ndim === 0)
    parts.push({ kind: "gathered", axis: null, indices: integers(known.values[0] !== 0 ? [0] : []) });
  else
    for (const [i, indices] of truePlaces(known).entries())
      parts.push({ kind: "gathered", axis: axis + i, indices });
  return mask.ndim;
}
