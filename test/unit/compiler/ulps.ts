/** Measuring functions of float32 in units in the last place, on random bits and on corners. */
import type { Expr } from "../../../src/core/ir/types.js";
import { type Arithmetic, elementFunction, exact, likeGpu } from "./elementFunction.js";

const word = new DataView(new ArrayBuffer(4));

export function fromBits(bits: number): number {
  word.setUint32(0, bits);
  return word.getFloat32(0);
}

export function toBits(x: number): number {
  word.setFloat32(0, x);
  return word.getUint32(0);
}

/** The distance between neighbouring float32 at x. */
export function unitAt(x: number): number {
  const m = Math.abs(x);
  if (m < 2 ** -126) return 2 ** -149;
  const e = Math.min(127, Math.floor(Math.log2(m)));
  // log2 may be off by one beside a power of two.
  const exponent = 2 ** e > m ? e - 1 : 2 ** (e + 1) <= m && e < 127 ? e + 1 : e;
  return 2 ** (exponent - 23);
}

/** The distance of a float32 from an exact result; 0 for the same infinity or NaN, ∞ for another. */
export function ulps(actual: number, wanted: number): number {
  if (Object.is(actual, wanted)) return 0;
  if (Number.isNaN(actual) || Number.isNaN(wanted)) return Infinity;
  const rounded = Math.fround(wanted);
  if (rounded === actual && (actual !== 0 || Object.is(rounded, actual) || wanted !== 0))
    return Math.abs(rounded) === Infinity ? 0 : Math.abs(actual - wanted) / unitAt(wanted);
  if (wanted === 0 || Math.abs(wanted) === Infinity) return Infinity;
  // An overflow counts as the power of two that does not fit any more.
  const value = Math.abs(actual) === Infinity ? Math.sign(actual) * 2 ** 128 : actual;
  return Math.abs(value - wanted) / unitAt(wanted);
}

/** Zeros, subnormal numbers, neighbours of powers of two and of multiples of π/2, infinities, NaN. */
export const corners: readonly number[] = (() => {
  const bits = [
    0, 1, 2, 0x7fffff, 0x800000, 0x800001, 0x7f7fffff, 0x7f7ffffe, 0x7f800000, 0x7fc00000, 0x7f800001,
  ];
  for (let e = 1; e < 255; e++) bits.push(e << 23, (e << 23) - 1, (e << 23) + 1, (e << 23) + 0x3504f3);
  const values = bits.map(fromBits);
  for (let k = 1; k < 40; k++) {
    values.push(k, k + 0.5, k / 16, 1 - k * 2 ** -24, 1 + k * 2 ** -23);
    for (const x of [(k * Math.PI) / 2, k * Math.LN2, (k * Math.LN2) / 2, k * 2 ** 20 * Math.PI])
      for (const d of [-1, 0, 1]) values.push(fromBits(toBits(x) + d));
  }
  // 16367173·2^72 is the float32 that lies closest to a multiple of π/2.
  values.push(16367173 * 2 ** 72, 88.72284, 88.72283, -103.97208, -103.97207, -87.33655);
  return [...values, ...values.map((x) => -x)].map(Math.fround);
})();

/** A generator of random numbers with all 32 bits. */
export function randomBits(seed: number): () => number {
  let s = seed;
  return () => {
    s = (s + 0x6d2b79f5) | 0;
    let t = Math.imul(s ^ (s >>> 15), 1 | s);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  };
}

export interface Sampling {
  /** Where half of the random arguments are drawn from, evenly; the others are random bits. */
  readonly range?: readonly [number, number];
  readonly count?: number;
}

/** Random arguments and corners. */
export function samples({ range = [-10, 10], count = 200_000 }: Sampling = {}): Float32Array {
  const next = randomBits(1873);
  const x = new Float32Array(count + corners.length);
  x.set(corners);
  const [low, high] = range;
  for (let i = corners.length; i < x.length; i++)
    x[i] = i % 2 === 0 ? fromBits(next()) : low + (next() / 2 ** 32) * (high - low);
  return x;
}

export interface Worst {
  readonly error: number;
  readonly at: readonly number[];
  readonly actual: number;
  readonly wanted: number;
}

/** The largest error of a function of one argument. `absolute` is an error in absolute terms that is not counted. */
export function worst(
  f: (x: number) => number,
  reference: (x: number) => number,
  xs: ArrayLike<number>,
  { absolute = 0, flushed = false }: { absolute?: number; flushed?: boolean } = {},
): Worst {
  let found: Worst = { error: 0, at: [0], actual: 0, wanted: 0 };
  for (let i = 0; i < xs.length; i++) {
    const x = xs[i];
    if (flushed && x !== 0 && Math.abs(x) < 2 ** -126) continue;
    const actual = f(x);
    const wanted = reference(x);
    if (flushed && actual === 0 && Math.abs(wanted) < 2 ** -125) continue;
    if (absolute > 0 && Math.abs(actual - wanted) <= absolute) continue;
    const error = ulps(actual, wanted);
    if (error > found.error) found = { error, at: [x], actual, wanted };
  }
  return found;
}

export const show = ({ error, at, actual, wanted }: Worst): string =>
  `${error.toFixed(3)} ULP at ${at.join(", ")}: ${actual}, not ${wanted}`;

export interface Bound extends Sampling {
  readonly absolute?: number;
  /** The bound as a GPU may compute it; default: half an ULP more. */
  readonly gpu?: number;
}

const modes = (ulp: number, gpu: number): readonly [string, Arithmetic, number][] => [
  ["exact", exact, ulp],
  ["fused", { fused: true }, ulp],
  ["like a GPU", likeGpu, gpu],
];

/** Checks that a function of one float32 has an error of at most `ulp` wherever it is sampled. */
export function expectWithin(
  ulp: number,
  rule: (x: Expr) => Expr,
  reference: (x: number) => number,
  { absolute = 0, gpu = ulp + 0.5, ...sampling }: Bound = {},
): void {
  const xs = samples(sampling);
  for (const [name, arithmetic, bound] of modes(ulp, gpu)) {
    const f = elementFunction(["f32"], rule, arithmetic);
    const found = worst(f, reference, xs, { absolute, flushed: arithmetic.flushed });
    if (process.env.SHOW_ULPS) console.log(`${name}: ${show(found)}`);
    if (!(found.error <= bound)) throw new Error(`${name}: ${show(found)}, which is more than ${bound}`);
  }
}
