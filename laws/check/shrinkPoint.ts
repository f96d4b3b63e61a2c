/** How a point is made simpler: fewer rows, smaller shapes, directions and inputs of zeros, ones and short numbers. */
import { type NDArray, numpy as np } from "fluxion";
import { carriesTangent, numbers } from "../close.js";
import { direction, generator, type Point } from "../point.js";
import type { Interval } from "./draw.js";
import type { Move } from "./shrink.js";

/** Arrays of a value that shrink together. */
interface Group<T> {
  readonly get: (value: T) => readonly NDArray[];
  readonly set: (value: T, arrays: readonly NDArray[]) => T;
}

const withElements = (like: NDArray, elements: readonly number[]): NDArray => {
  const values =
    like.dtype === "bool" ? np.array(elements.map(Boolean)) : np.array([...elements], { dtype: like.dtype });
  return np.reshape(values, [...like.shape]);
};

/** Replaces elements `from` to `to` of array `k`; undefined if that changes nothing. */
function replace<T>(
  group: Group<T>,
  value: T,
  k: number,
  [from, to]: readonly [number, number],
  by: (element: number) => number | undefined,
): T | undefined {
  const arrays = group.get(value);
  const elements = [...numbers(arrays[k])];
  let changed = false;
  for (let i = from; i < to; i++) {
    const next = by(elements[i]);
    if (next === undefined || Object.is(next, elements[i])) continue;
    elements[i] = next;
    changed = true;
  }
  return changed
    ? group.set(
        value,
        arrays.map((x, j) => (j === k ? withElements(x, elements) : x)),
      )
    : undefined;
}

/** The whole array, its halves, its quarters, down to single elements. */
function* blocks(size: number): Generator<readonly [number, number]> {
  for (let length = size; length >= 1; length = length === 1 ? 0 : Math.ceil(length / 2))
    for (let from = 0; from < size; from += length) yield [from, Math.min(size, from + length)];
}

const constant = (c: number) => (): number => c;

/** Elements of directions: most of them 0, those that matter 1. */
export function* directionMoves<T>(value: T, group: Group<T>): Generator<Move<T>> {
  const arrays = group.get(value);
  for (const [k, x] of arrays.entries())
    for (const block of blocks(x.size)) yield { apply: (p) => replace(group, p, k, block, constant(0)) };
  const toOne = (element: number) => (element === 0 ? undefined : 1);
  for (const [k, x] of arrays.entries())
    for (const block of blocks(x.size)) yield { apply: (p) => replace(group, p, k, block, toOne) };
}

/** Simpler numbers than a number, the simplest first. */
const simpler: readonly ((x: number) => number)[] = [
  constant(0),
  constant(1),
  constant(-1),
  constant(0.5),
  constant(2),
  Math.round,
  (x) => Number(x.toPrecision(1)),
  (x) => Number(x.toPrecision(2)),
];

/** How simple a number is: its place in the list above, or the number of its digits. A move must make it less. */
function complexity(x: number): number {
  const place = [0, 1, -1, 0.5, 2].indexOf(x);
  return place >= 0 ? place : 5 + String(Math.abs(x)).length;
}

/** Where the elements of an input may move. */
export type Domain = (input: number) => Interval;

/** Elements of inputs, inside the domain. */
export function* inputMoves<T>(value: T, group: Group<T>, domain: Domain): Generator<Move<T>> {
  for (const [k, x] of group.get(value).entries()) {
    if (!carriesTangent(x)) continue;
    const [lo, hi] = domain(k);
    const to = (make: (x: number) => number) => (x: number) => {
      const next = make(x);
      return next >= lo && next <= hi && complexity(next) < complexity(x) ? next : undefined;
    };
    for (const block of blocks(x.size))
      for (const make of simpler) yield { apply: (p) => replace(group, p, k, block, to(make)) };
  }
}

/** Inputs; rows that are the inputs stay so. */
const inputsOf = <T extends Point>(): Group<T> => ({
  get: (point) => point.inputs,
  set: (point, inputs) => ({
    ...point,
    inputs,
    rows: point.rows.map((row) => (row === point.inputs ? inputs : row)),
  }),
});

const directionsOf = <T extends Point>(key: "v" | "w" | "u"): Group<T> => ({
  get: (point) => point[key],
  set: (point, arrays) => ({ ...point, [key]: arrays }),
});

const rowOf = <T extends Point>(r: number): Group<T> => ({
  get: (point) => point.rows[r],
  set: (point, arrays) => ({ ...point, rows: point.rows.map((row, i) => (i === r ? arrays : row)) }),
});

/** All rows the inputs themselves. */
const sameRows = <T extends Point>(point: T): T | undefined =>
  point.rows.every((row) => row === point.inputs)
    ? undefined
    : { ...point, rows: point.rows.map(() => point.inputs) };

// ---------------------------------------------------------------------------------------------------------------------
// Shapes
// ---------------------------------------------------------------------------------------------------------------------

/** The part from `from` to `to` of every axis of length `extent`. */
function cut(x: NDArray, extent: number, from: number, to: number): NDArray {
  let part = x;
  for (const [axis, n] of x.shape.entries())
    if (n === extent) part = np.take(part, np.arange(from, to), { axis });
  return part;
}

const sameType = (a: NDArray, b: NDArray): boolean =>
  a.dtype === b.dtype && a.shape.length === b.shape.length && a.shape.every((n, i) => n === b.shape[i]);

/** All axes of one length get shorter together; undefined where the function does not take that. */
function shorten<T extends Point>(point: T, extent: number, from: number, to: number): T | undefined {
  const part = (xs: readonly NDArray[]): NDArray[] => xs.map((x) => cut(x, extent, from, to));
  const inputs = part(point.inputs);
  let outputs: readonly NDArray[];
  try {
    outputs = point.f(...inputs);
  } catch {
    return undefined;
  }
  const smooth = outputs.filter(carriesTangent);
  if (smooth.length !== point.u.length) return undefined;
  const random = generator(point.seed);
  const u = part(point.u).map((ct, i) => (sameType(ct, smooth[i]) ? ct : direction(smooth[i].aval, random)));
  const rows = point.rows.map((row) => (row === point.inputs ? inputs : part(row)));
  return { ...point, inputs, v: part(point.v), w: part(point.w), u, rows };
}

/** Each length to 1, to half and to one less, keeping the front or the back. */
function* shapeMoves<T extends Point>({ inputs }: T): Generator<Move<T>> {
  const extents = [...new Set(inputs.flatMap((x) => x.shape))].filter((n) => n > 1).sort((a, b) => b - a);
  for (const n of extents) {
    const half = n >> 1;
    for (const [from, to] of [
      [0, 1],
      [n - 1, n],
      [0, half],
      [half, n],
      [0, n - 1],
      [1, n],
    ])
      yield { apply: (point) => shorten(point, n, from, to), reshapes: true };
  }
}

/** What a point may become. */
export interface PointMoves {
  readonly domain: Domain;
  /** The inputs stay as they are, all but their shapes: functions with ties and jumps between their elements. */
  readonly fixed?: boolean;
}

/** The simplifications of a point; it may have more fields, which it keeps. */
export function* movesOfPoint<T extends Point>(
  point: T,
  { domain, fixed = false }: PointMoves,
): Generator<Move<T>> {
  yield { apply: sameRows };
  yield* shapeMoves(point);
  for (const key of ["u", "w", "v"] as const) yield* directionMoves<T>(point, directionsOf(key));
  if (fixed) return;
  yield* inputMoves<T>(point, inputsOf(), domain);
  for (const r of point.rows.keys())
    if (point.rows[r] !== point.inputs) yield* inputMoves<T>(point, rowOf(r), domain);
}
