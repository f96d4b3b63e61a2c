/** Linear maps between arrays, with their matrices. */
import * as fc from "fast-check";
import { lax, type NDArray, numpy as np, type Shape } from "fluxion";
import { shape as shapes } from "./shape.js";

/** A place in an array. */
type Place = readonly number[];

/** One linear operation: what it does to arrays, and which elements each element of the result is made of. */
interface Step {
  readonly text: string;
  readonly shape: Shape;
  readonly apply: (x: NDArray) => NDArray;
  readonly terms: (place: Place) => readonly (readonly [Place, number])[];
}

/** A linear map with its matrix. */
export interface LinearMap {
  readonly apply: (x: NDArray) => NDArray;
  readonly input: Shape;
  readonly output: Shape;
  /** A row for each element of the result, a column for each of the argument, both in row-major order; made without fluxion. */
  readonly matrix: readonly (readonly number[])[];
  /** `reverse axis 0, scale by 3`. */
  toString(): string;
}

const sizeOf = (shape: Shape): number => shape.reduce((a, b) => a * b, 1);
const indexOf = (shape: Shape, place: Place): number => shape.reduce((at, n, i) => at * n + place[i], 0);

/** The place of the element with this number. */
function placeOf(shape: Shape, index: number): Place {
  const place = new Array<number>(shape.length);
  let rest = index;
  for (let i = shape.length - 1; i >= 0; i--) {
    place[i] = rest % shape[i];
    rest = Math.floor(rest / shape[i]);
  }
  return place;
}

const put = (list: readonly number[], i: number, value: number): number[] =>
  list.map((x, k) => (k === i ? value : x));
const without = (list: readonly number[], i: number): number[] => list.filter((_, k) => k !== i);

/** What a step is drawn from; the numbers are taken modulo what is possible. */
interface Draw {
  readonly kind: number;
  readonly axis: number;
  readonly number: number;
}

/** The operations of arrays of a shape that are chosen by a draw. */
function stepOf({ kind, axis: drawn, number }: Draw, shape: Shape): Step {
  const c = (number % 7) - 3 || 2;
  const scale: Step = {
    text: `scale by ${c}`,
    shape,
    apply: (x) => np.multiply(x, c),
    terms: (p) => [[p, c]],
  };
  if (shape.length === 0) return scale;
  const axis = drawn % shape.length;
  const n = shape[axis];
  switch (kind) {
    case 1:
      return {
        text: `reverse axis ${axis}`,
        shape,
        apply: (x) => np.flip(x, axis),
        terms: (p) => [[put(p, axis, n - 1 - p[axis]), 1]],
      };
    case 2:
      return {
        text: `cumulative sum along axis ${axis}`,
        shape,
        apply: (x) => np.cumsum(x, axis),
        terms: (p) => Array.from({ length: p[axis] + 1 }, (_, i) => [put(p, axis, i), 1] as const),
      };
    case 3: {
      const [low, high] = [number % 2, number % 3];
      return {
        text: `pad axis ${axis} by ${low} and ${high}`,
        shape: put(shape, axis, n + low + high),
        apply: (x) =>
          lax.pad(
            x,
            0,
            shape.map((_, i) => (i === axis ? [low, high, 0] : [0, 0, 0])),
          ),
        terms: (p) => {
          const at = p[axis] - low;
          return at < 0 || at >= n ? [] : [[put(p, axis, at), 1]];
        },
      };
    }
    case 4: {
      const start = number % (n + 1);
      return {
        text: `drop ${start} in front of axis ${axis}`,
        shape: put(shape, axis, n - start),
        apply: (x) =>
          lax.slice(
            x,
            put(
              shape.map(() => 0),
              axis,
              start,
            ),
            [...shape],
          ),
        terms: (p) => [[put(p, axis, p[axis] + start), 1]],
      };
    }
    case 5:
      return {
        text: `sum along axis ${axis}`,
        shape: without(shape, axis),
        apply: (x) => np.sum(x, axis),
        terms: (p) =>
          Array.from({ length: n }, (_, i) => [[...p.slice(0, axis), i, ...p.slice(axis)], 1] as const),
      };
    case 6:
      return {
        text: "transpose",
        shape: [...shape].reverse(),
        apply: (x) => np.transpose(x),
        terms: (p) => [[[...p].reverse(), 1]],
      };
    case 7: {
      // A matrix of small whole numbers, multiplied from the right to the last axis.
      const last = shape[shape.length - 1];
      const width = 1 + (number % 3);
      const entry = (i: number, j: number): number => ((number + 5 * i + 3 * j) % 5) - 2;
      const rows = Array.from({ length: last * width }, (_, k) => entry(Math.floor(k / width), k % width));
      const constant = np.reshape(np.array(rows, { dtype: "float64" }), [last, width]);
      return {
        text: `multiply the last axis by a matrix of ${last} × ${width}`,
        shape: put(shape, shape.length - 1, width),
        apply: (x) => np.matmul(x, constant),
        terms: (p) =>
          Array.from(
            { length: last },
            (_, i) => [put(p, p.length - 1, i), entry(i, p[p.length - 1])] as const,
          ),
      };
    }
    default:
      return scale;
  }
}

function mapOf(input: Shape, draws: readonly Draw[]): LinearMap {
  const steps: Step[] = [];
  let shape = input;
  for (const draw of draws) {
    const step = stepOf(draw, shape);
    steps.push(step);
    shape = step.shape;
  }
  const columns = sizeOf(input);
  // Each element of a value as a row of coefficients of the elements of the argument.
  let rows = Array.from({ length: columns }, (_, i) =>
    Array.from({ length: columns }, (__, k): number => (i === k ? 1 : 0)),
  );
  let from = input;
  for (const step of steps) {
    const [before, own] = [rows, from];
    rows = Array.from({ length: sizeOf(step.shape) }, (_, i) => {
      const row = new Array<number>(columns).fill(0);
      for (const [place, coefficient] of step.terms(placeOf(step.shape, i)))
        for (const [k, value] of before[indexOf(own, place)].entries()) row[k] += coefficient * value;
      return row;
    });
    from = step.shape;
  }
  return {
    apply: (x) => steps.reduce((y, step) => step.apply(y), x),
    input,
    output: shape,
    matrix: rows,
    toString: () => steps.map((step) => step.text).join(", ") || "identity",
  };
}

export interface LinearMapOptions {
  /** The shape of the argument, or an arbitrary of them. Default: any with at most 8 elements. */
  readonly shape?: Shape | fc.Arbitrary<Shape>;
  /** The most operations. Default: 4. */
  readonly maxSteps?: number;
}

/**
 * Linear maps made of scaling, reversal, cumulative sums, padding, slicing, sums, transposition and multiplication by a
 * matrix, for arrays of float64. They shrink to fewer operations, then to smaller arrays.
 *
 * @example
 * const [m] = fc.sample(linearMap({ shape: [3] }), 1);
 * const y = m.apply(np.array([1, 2, 3], { dtype: "float64" }));
 * const byMatrix = m.matrix.map(([a, b, c]) => a + 2 * b + 3 * c);
 * np.ravel(y).tolist().every((value, i) => value === byMatrix[i]); // true
 */
export function linearMap(options: LinearMapOptions = {}): fc.Arbitrary<LinearMap> {
  const { shape = shapes({ maxSize: 8 }), maxSteps = 4 } = options;
  const draw = fc.record<Draw>({ kind: fc.nat(7), axis: fc.nat(5), number: fc.nat(41) });
  const input = shape instanceof fc.Arbitrary ? shape : fc.constant(shape);
  return fc
    .tuple(fc.array(draw, { maxLength: maxSteps, size: "max" }), input)
    .map(([draws, s]) => mapOf(s, draws));
}
