/** Arrays, of numbers that are easy on operations or of those that are not. */
import * as fc from "fast-check";
import { aval, type DType, lax, NDArray, numpy as np, type Shape } from "fluxion";
import { arrayOf, cornersOf } from "../corners.js";
import { dtype as dtypes } from "./dtype.js";
import { type ShapeOptions, shape as shapes } from "./shape.js";

export interface ArrayOptions {
  /** One dtype, or an arbitrary of them. Default: any. */
  readonly dtype?: DType | fc.Arbitrary<DType>;
  /** One shape, or what shapes have to keep to. Default: any small one. */
  readonly shape?: Shape | ShapeOptions;
  /**
   * Elements between two numbers, which they are rounded to the dtype from; or "corners": half of them NaN, infinities, zeros of
   * both signs, subnormal and largest numbers, neighbours of 1, ends of integer ranges. Default: [-2, 2], and [0, 3] for integers.
   */
  readonly elements?: readonly [number, number] | "corners";
}

/** Numbers of an interval; they shrink to whole numbers, if it has any, and those towards 0. */
function between([low, high]: readonly [number, number], isFloat: boolean): fc.Arbitrary<number> {
  const [min, max] = [Math.ceil(low), Math.floor(high)];
  if (!isFloat) return fc.integer({ min, max });
  const any = fc.double({ min: low, max: high, noNaN: true });
  if (min > max) return any;
  return fc.oneof(
    { withCrossShrink: true },
    { arbitrary: fc.integer({ min, max }), weight: 1 },
    { arbitrary: any, weight: 7 },
  );
}

/** The range of an integer dtype, as far as its corners tell. */
const rangeOf = (dtype: DType): readonly [number, number] => [
  Math.min(...cornersOf(dtype)),
  Math.max(...cornersOf(dtype)),
];

function elementOf(dtype: DType, elements: ArrayOptions["elements"]): fc.Arbitrary<number> {
  const isFloat = dtype.startsWith("float");
  if (dtype === "bool") return fc.integer({ min: 0, max: 1 });
  if (elements !== "corners") return between(elements ?? (isFloat ? [-2, 2] : [0, 3]), isFloat);
  const corner = fc.constantFrom(...cornersOf(dtype));
  return fc.oneof(between(isFloat ? [-10, 10] : rangeOf(dtype), isFloat), corner);
}

/** Simpler numbers, the simplest first: 0 and 1, whole numbers, eighths, positive ones. Each is simpler than `x`, so it ends. */
function simpler(x: number): number[] {
  if (Object.is(x, 0)) return [];
  const found = x === 1 ? [0] : [0, 1];
  if (!Number.isFinite(x)) return found;
  if (!Number.isInteger(x)) {
    found.push(Math.round(x));
    const eighths = Math.round(x * 8) / 8;
    if (eighths !== x) found.push(eighths);
  } else if (Math.abs(x) > 1) found.push(Math.trunc(x / 2));
  if (x < 0) found.push(-x);
  return found.filter((y) => !Object.is(x, y));
}

/** The part of an array with some places of an axis; with one place alone, and the axis gone. */
const part = (x: NDArray, axis: number, from: number, to: number): NDArray =>
  lax.slice(
    x,
    put(x, axis, () => 0, from),
    put(x, axis, (n) => n, to),
  );
const put = (x: NDArray, axis: number, other: (length: number) => number, own: number): number[] =>
  x.shape.map((n, i) => (i === axis ? own : other(n)));

class Arrays extends fc.Arbitrary<NDArray> {
  constructor(
    private readonly dtype: fc.Arbitrary<DType>,
    private readonly shape: fc.Arbitrary<Shape>,
    /** The fewest axes to shrink to; undefined where the shape is fixed. */
    private readonly minDims: number | undefined,
    private readonly elements: ArrayOptions["elements"],
  ) {
    super();
  }

  override generate(mrng: fc.Random, bias: number | undefined): fc.Value<NDArray> {
    const d = this.dtype.generate(mrng, bias).value;
    const s = this.shape.generate(mrng, bias).value;
    const element = elementOf(d, this.elements);
    const n = s.reduce((a, b) => a * b, 1);
    const values = Array.from({ length: n }, () => element.generate(mrng, bias).value);
    return new fc.Value<NDArray>(arrayOf(values, aval(s, d)), undefined);
  }

  override canShrinkWithoutContext(value: unknown): value is NDArray {
    return value instanceof NDArray;
  }

  /** By what is in the array, not by how it was drawn: so it goes on after other values were shrunk. */
  override shrink(x: NDArray): fc.Stream<fc.Value<NDArray>> {
    const candidates = [() => this.smaller(x), () => this.withSimpler(x)];
    const all = (function* () {
      for (const some of candidates) yield* some();
    })();
    return fc.stream(all).map((y) => new fc.Value<NDArray>(y, undefined));
  }

  private *smaller(x: NDArray): Generator<NDArray> {
    if (this.minDims === undefined) return;
    for (const [axis, n] of x.shape.entries()) {
      if (x.ndim > this.minDims) for (let i = 0; i < n; i++) yield np.squeeze(part(x, axis, i, i + 1), axis);
      const middle = Math.floor(n / 2);
      if (n > 1) yield* [part(x, axis, 0, middle), part(x, axis, middle, n)];
    }
  }

  private *withSimpler(x: NDArray): Generator<NDArray> {
    const values = [...x.dataSync()];
    const { elements } = this;
    const [low, high] = Array.isArray(elements) ? (elements as readonly number[]) : [-Infinity, Infinity];
    for (const [i, value] of values.entries())
      for (const y of simpler(value))
        if (y >= low && y <= high)
          yield arrayOf(
            values.map((v, k) => (k === i ? y : v)),
            x.aval,
          );
  }
}

/**
 * Arrays. They shrink to parts of themselves, where the shape is not fixed, and to simpler elements: 0, 1, whole numbers,
 * eighths.
 *
 * @example
 * const [x] = fc.sample(array({ dtype: "float32", shape: [2, 3], elements: [0, 1] }), 1);
 * x.shape; // [2, 3]
 * x.dtype; // "float32"
 * np.all(np.logicalAnd(np.greaterEqual(x, 0), np.lessEqual(x, 1))).item(); // true
 */
export function array({ dtype = dtypes(), shape = {}, elements }: ArrayOptions = {}): fc.Arbitrary<NDArray> {
  const anyDtype = typeof dtype === "string" ? fc.constant(dtype) : dtype;
  if (isShape(shape)) return new Arrays(anyDtype, fc.constant(shape), undefined, elements);
  return new Arrays(anyDtype, shapes(shape), shape.minDims ?? 0, elements);
}

const isShape = (x: Shape | ShapeOptions): x is Shape => Array.isArray(x);
