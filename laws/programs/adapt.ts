/** Fits a value of a program to an operand: to its dtype, its shape and the domain it is drawn from. */
import { findPrimitive, type Primitive, type Shape } from "fluxion";
import type { Builder, Known } from "./builder.js";
import { isFloatType } from "./copies.js";

export type Interval = readonly [number, number];

/** A primitive by its name. */
export function named(name: string): Primitive {
  const found = findPrimitive(name);
  if (found === undefined) throw new Error(`there is no primitive "${name}"`);
  return found;
}

const sizeOf = (shape: Shape): number => shape.reduce((a, b) => a * b, 1);

export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((n, i) => n === b[i]);

/** Part of the width of a domain that values keep away from its ends. */
const margin = 0.03;

/** Whether values lie in a domain, at a distance from its ends where they are floats. */
export function isInside({ type, min, max }: Known, [lo, hi]: Interval): boolean {
  if (sizeOf(type.shape) === 0 || type.dtype === "bool") return true;
  const m = isFloatType(type.dtype) ? margin * (hi - lo) : 0;
  return min >= lo + m && max <= hi - m;
}

const reshaped = (b: Builder, x: Known, shape: Shape): Known =>
  sameShape(x.type.shape, shape) ? x : b.apply(named("reshape"), [x], { shape: [...shape] });

/** The axes whose removal turns one shape into the other. */
function removedAxes(from: Shape, to: Shape): number[] | undefined {
  const axes: number[] = [];
  let next = 0;
  for (const [axis, n] of from.entries())
    if (next < to.length && n === to[next] && from.length - axis > 0) next++;
    else axes.push(axis);
  return next === to.length && axes.length > 0 ? axes : undefined;
}

/** A value as an array of another shape; undefined where it has no elements to make it of. */
export function toShape(b: Builder, x: Known, shape: Shape): Known | undefined {
  const from = x.type.shape;
  if (sameShape(from, shape)) return x;
  const [n, m] = [sizeOf(from), sizeOf(shape)];
  if (n === m) return reshaped(b, x, shape);
  if (n === 0) return undefined;
  if (n > m) {
    const axes = removedAxes(from, shape);
    if (axes !== undefined && isFloatType(x.type.dtype) && b.random() < 0.5)
      return b.apply(named("reduceSum"), [x], { axes });
    const start = Math.floor(b.random() * (n - m + 1));
    const part = { start: [start], limit: [start + m], strides: [1] };
    return reshaped(b, b.apply(named("slice"), [reshaped(b, x, [n])], part), shape);
  }
  const offset = shape.length - from.length;
  if (offset >= 0 && from.every((k, i) => k === 1 || k === shape[offset + i])) {
    const dims = from.map((_, i) => offset + i);
    return b.apply(named("broadcastInDim"), [x], { shape: [...shape], dims });
  }
  const before = Math.floor(b.random() * (m - n + 1));
  const filling = b.literal(isFloatType(x.type.dtype) ? 0.5 : 1, x.type.dtype);
  const config = [[before, m - n - before, 0]];
  return reshaped(b, b.apply(named("pad"), [reshaped(b, x, [n]), filling], { config }), shape);
}

const round = (x: number): number => Number(x.toPrecision(2));

const times = (b: Builder, x: Known, k: number): Known =>
  b.apply(named("mul"), [x, b.literal(k, x.type.dtype)]);

const plus = (b: Builder, x: Known, c: number): Known =>
  c === 0 ? x : b.apply(named("add"), [x, b.literal(c, x.type.dtype)]);

/** A smooth function of a float that has its values in the domain. */
function squashed(b: Builder, x: Known, [lo, hi]: Interval): Known {
  const mid = round((lo + hi) / 2);
  const half = 0.9 * Math.min(mid - lo, hi - mid);
  const largest = Math.max(-x.min, x.max);
  const choice = b.random();
  if (choice < 0.6) {
    // Affine, never steeper than 1; around 0 a factor alone.
    const centre = mid === 0 ? 0 : (x.min + x.max) / 2;
    const spread = mid === 0 ? largest : (x.max - x.min) / 2;
    const factor = spread > half ? Number((0.95 * (half / spread)).toPrecision(2)) : 1;
    const scaled = factor === 1 ? x : times(b, x, factor);
    return plus(b, scaled, mid === 0 ? 0 : Number((mid - centre * factor).toPrecision(3)));
  }
  const bounded = b.apply(named(largest < 2.5 ? "tanh" : "sin"), [x]);
  return plus(b, times(b, bounded, Number((0.98 * half).toPrecision(3))), mid);
}

/** A value with all elements in the domain: itself, or made of it. */
export function toDomain(b: Builder, x: Known, [lo, hi]: Interval): Known {
  if (isInside(x, [lo, hi])) return x;
  if (isFloatType(x.type.dtype)) return squashed(b, x, [lo, hi]);
  const { dtype } = x.type;
  const low = b.literal(Math.ceil(dtype.startsWith("u") ? Math.max(lo, 0) : lo), dtype);
  return b.apply(named("clamp"), [low, x, b.literal(Math.floor(hi), dtype)]);
}

/** What values of programs may come to. */
const bounds = { size: 20, speed: 20 } as const;

/** A value scaled down where it has become large or moves fast. */
export function tamed(b: Builder, x: Known): Known {
  if (!isFloatType(x.type.dtype)) return x;
  const excess = Math.max(Math.max(-x.min, x.max) / bounds.size, x.speed / bounds.speed);
  return excess <= 1 ? x : times(b, x, 2 ** -Math.ceil(Math.log2(excess) + 2));
}
