/**
 * Lists of arrays as vectors: what the laws add, scale and multiply tangents with. It is done in JavaScript, in double
 * precision, so that no rule under test has a part in it.
 */
import { aval, ConcreteArray, type DType, type NDArray, numpy as np } from "fluxion";
import { numbers } from "./close.js";
import { abstains, fails, holds, type Verdict } from "./law.js";
import { type Point, type SmoothPoint, smoothPart } from "./point.js";
import { withTolerance } from "./precision.js";

/** An array of the type of another, with elements of its own. */
export function like(x: NDArray, elements: readonly number[]): NDArray {
  const { shape, dtype } = x;
  // The two usual types need no operation of the library.
  if (dtype === "float64") return new ConcreteArray(Float64Array.from(elements), aval(shape, dtype));
  if (dtype === "float32") return new ConcreteArray(Float32Array.from(elements), aval(shape, dtype));
  return np.reshape(np.array(elements as number[], { dtype: dtype as DType }), [...shape]);
}

/** αx + βy, element by element. */
export const combine = (
  a: number,
  xs: readonly NDArray[],
  b: number,
  ys: readonly NDArray[],
): readonly NDArray[] =>
  xs.map((x, k) => {
    const other = numbers(ys[k]);
    return like(
      x,
      numbers(x).map((e, i) => a * e + b * other[i]),
    );
  });

export const scaled = (a: number, xs: readonly NDArray[]): readonly NDArray[] =>
  xs.map((x) =>
    like(
      x,
      numbers(x).map((e) => a * e),
    ),
  );

/** The product element by element. */
export const multiplied = (xs: readonly NDArray[], ys: readonly NDArray[]): readonly NDArray[] =>
  xs.map((x, k) => {
    const other = numbers(ys[k]);
    return like(
      x,
      numbers(x).map((e, i) => e * other[i]),
    );
  });

export const zerosLike = (xs: readonly NDArray[]): readonly NDArray[] =>
  xs.map((x) =>
    like(
      x,
      numbers(x).map(() => 0),
    ),
  );

/** The largest magnitude among the finite elements, or 0. */
export const largestOf = (...lists: readonly (readonly NDArray[])[]): number =>
  lists
    .flat()
    .reduce((m, x) => numbers(x).reduce((n, e) => (Number.isFinite(e) ? Math.max(n, Math.abs(e)) : n), m), 0);

/** How many numbers the arrays hold. */
export const sizeOf = (xs: readonly NDArray[]): number => xs.reduce((n, x) => n + x.size, 0);

/** An inner product, with the sum of the magnitudes of its terms, which its rounding errors are relative to. */
export interface Inner {
  readonly value: number;
  readonly magnitude: number;
}

export function inner(xs: readonly NDArray[], ys: readonly NDArray[]): Inner {
  let value = 0;
  let magnitude = 0;
  for (const [k, x] of xs.entries()) {
    const other = numbers(ys[k]);
    for (const [i, e] of numbers(x).entries()) {
      value += e * other[i];
      magnitude += Math.abs(e * other[i]);
    }
  }
  return { value, magnitude };
}

/** A sum of products for which cancellation is no concern. */
export const exactly = (value: number): Inner => ({ value, magnitude: Math.abs(value) });

/** Compares two numbers that are sums of terms, to the precision that the terms allow. */
export function closeNumbers(
  names: readonly [string, string],
  left: Inner,
  right: Inner,
  tolerance: number,
): Verdict {
  if (Number.isNaN(left.value) && Number.isNaN(right.value))
    return abstains("both sides are NaN: there is no derivative here");
  const scale = Math.max(1, left.magnitude, right.magnitude);
  if (left.value === right.value || Math.abs(left.value - right.value) <= tolerance * scale) return holds;
  return fails({ name: names[0], value: String(left.value) }, { name: names[1], value: String(right.value) });
}

/** The differentiable part of a point, and how closely laws about it should hold. */
export interface Smooth extends SmoothPoint {
  readonly tolerance: number;
}

/** A law's check that looks at the differentiable part of a point, and abstains where there is none. */
export const onSmooth =
  (check: (part: Smooth, point: Point) => Verdict) =>
  (point: Point): Verdict => {
    const part = smoothPart(point);
    if (part === undefined) return abstains("no input, or no output, can have a tangent");
    const { f, xs, u } = part;
    return withTolerance(f, xs, [...xs, ...u], (tolerance) => check({ ...part, tolerance }, point));
  };
