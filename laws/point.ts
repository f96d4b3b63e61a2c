/**
 * A function at a point, with directions: what most laws are tried on. Programs, primitives and functions of users all come
 * to this, so that each law is stated once.
 */
import { type Aval, type DType, type NDArray, numpy as np } from "fluxion";
import { carriesTangent } from "./close.js";
import type { ArrayFunction } from "./law.js";

export interface Point {
  /** A pure function, differentiable in a neighbourhood of the inputs. */
  readonly f: ArrayFunction;
  readonly inputs: readonly NDArray[];
  /** A tangent for each input that can have one, in order. */
  readonly v: readonly NDArray[];
  /** Another one. */
  readonly w: readonly NDArray[];
  /** A cotangent for each output that can have one, in order. */
  readonly u: readonly NDArray[];
  /** Other good inputs, of the same types: rows of a batch. At least two. */
  readonly rows: readonly (readonly NDArray[])[];
  /** For what a law draws by itself. */
  readonly seed: number;
}

/** Numbers in [0, 1), the same for the same seed (mulberry32 by Tommy Ettinger, public domain). */
export function generator(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** An array with elements between -1 and 1, none of them near 0: no direction along an axis, where errors hide. */
export function direction({ shape, dtype }: Aval, random: () => number): NDArray {
  const n = shape.reduce((a, b) => a * b, 1);
  const values = Array.from({ length: n }, () => (random() < 0.5 ? -1 : 1) * (0.25 + 0.75 * random()));
  return np.reshape(np.array(values, { dtype: dtype as DType }), [...shape]);
}

/** Rows near the inputs: moved a little along random directions, so that they stay where the function is smooth. */
function rowsNear(inputs: readonly NDArray[], random: () => number): readonly (readonly NDArray[])[] {
  const near = (x: NDArray): NDArray =>
    carriesTangent(x) ? np.add(x, np.multiply(direction(x.aval, random), 1e-3)) : x;
  return [inputs.map(near), inputs.map(near)];
}

/** A point with directions that follow from the seed. */
export function makePoint(
  f: ArrayFunction,
  inputs: readonly NDArray[],
  seed: number,
  rows?: readonly (readonly NDArray[])[],
): Point {
  const random = generator(seed);
  const smooth = inputs.filter(carriesTangent);
  const directions = () => smooth.map((x) => direction(x.aval, random));
  const v = directions();
  const w = directions();
  const outputs = f(...inputs);
  const u = outputs.filter(carriesTangent).map((y) => direction(y.aval, random));
  return { f, inputs, v, w, u, rows: rows ?? rowsNear(inputs, random), seed };
}

/** The part of a point that has derivatives: a function of the inputs that can have tangents to the outputs that can. */
export interface SmoothPoint {
  readonly f: ArrayFunction;
  readonly xs: readonly NDArray[];
  readonly v: readonly NDArray[];
  readonly w: readonly NDArray[];
  readonly u: readonly NDArray[];
}

/** Undefined where no input or no output can have a tangent. */
export function smoothPart({ f, inputs, v, w, u }: Point): SmoothPoint | undefined {
  if (v.length === 0 || u.length === 0) return undefined;
  const positions = inputs.flatMap((x, i) => (carriesTangent(x) ? [i] : []));
  return {
    f: (...xs) => {
      const all = [...inputs];
      for (const [k, i] of positions.entries()) all[i] = xs[k];
      return f(...all).filter(carriesTangent);
    },
    xs: positions.map((i) => inputs[i]),
    v,
    w,
    u,
  };
}
