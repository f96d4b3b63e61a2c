/**
 * Reads the golden cases (written by generate.py; the encoding is described in cases/codec.py), calls the functions they
 * name, and compares.
 */
import { lax, NDArray, nn, numpy as np, random, scipy } from "fluxion";
import { toleranceHere } from "../everywhere/tolerance.js";
import * as compositions from "./compositions.js";

/** A number as data of an array: the values JSON cannot write are strings. */
type Entry = number | "nan" | "inf" | "-inf" | "-0";

export interface EncodedArray {
  readonly $: string;
  readonly shape: readonly number[];
  readonly data: readonly Entry[];
  readonly weak?: boolean;
}

/** A golden case: a call in fluxion's names, and what JAX answered. */
export interface Case {
  readonly lib: string;
  readonly fn: string;
  readonly args: readonly unknown[];
  readonly options?: Readonly<Record<string, unknown>>;
  readonly out?: unknown;
  /** The library refuses the call on purpose, though JAX answers; `note` says why. */
  readonly throws?: boolean;
  /** Tolerances, where they are not those of the dtype; `why` justifies wide ones. */
  readonly rtol?: number;
  readonly atol?: number;
  readonly why?: string;
  /** Whether -0 and 0 are different results. */
  readonly signedZero?: boolean;
  /** Why the golden value is not literally what JAX gave. */
  readonly note?: string;
  // The rest is for derivatives (see derivatives.ts).
  readonly kind?: "grad" | "jvp" | "grad2" | "hvp" | "jvp2" | "nth" | "jacfwd" | "jacrev";
  readonly wrt?: readonly (number | readonly [number, number])[];
  readonly ct?: unknown;
  readonly v?: readonly unknown[];
  readonly w?: readonly unknown[];
  readonly pick?: number;
  readonly order?: number;
}

export interface Family {
  readonly jax: string;
  readonly cases: readonly Case[];
}

const families = import.meta.glob<Family>("./data/*.json", { eager: true, import: "default" });

export const readFamily = (name: string): Family => families[`./data/${name}.json`];

const isEncodedArray = (v: unknown): v is EncodedArray => typeof v === "object" && v !== null && "$" in v;

const toNumber = (v: Entry): number =>
  typeof v === "number" ? v : ({ nan: Number.NaN, inf: Infinity, "-inf": -Infinity, "-0": -0 } as const)[v];

/** Makes fluxion's values of encoded arguments and options. */
export function decode(v: unknown): unknown {
  if (Array.isArray(v)) return v.map(decode);
  if (typeof v !== "object" || v === null) return v;
  if ("$num" in v) return toNumber(v.$num as Entry);
  if (!isEncodedArray(v))
    return Object.fromEntries(Object.entries(v).map(([key, value]) => [key, decode(value)]));
  const data = v.data.map(toNumber);
  const flat = np.array(v.$ === "bool" ? data.map((x) => x !== 0) : data, { dtype: v.$ as "float32" });
  return np.reshape(flat, v.shape);
}

export type AnyFunction = (...args: unknown[]) => unknown;

const libraries: Readonly<Record<string, unknown>> = {
  numpy: np,
  lax,
  nn,
  random,
  special: scipy.special,
  compositions,
};

/** The function of a case: `lib` is a namespace, `fn` a dotted path in it. */
export function resolve(lib: string, fn: string): AnyFunction {
  let target = libraries[lib];
  for (const part of fn.split(".")) target = (target as Record<string, unknown> | undefined)?.[part];
  if (typeof target !== "function") throw new Error(`${lib}.${fn} is not a function of the library`);
  return target as AnyFunction;
}

export const optionsOf = (c: Case): unknown[] => (c.options === undefined ? [] : [decode(c.options)]);

export const run = (c: Case): unknown => resolve(c.lib, c.fn)(...c.args.map(decode), ...optionsOf(c));

/** A short title that tells the calls of one function apart. */
export function title(c: Case): string {
  const show = (v: unknown): string => {
    if (Array.isArray(v)) return `[${v.map(show).join(",")}]`;
    if (isEncodedArray(v)) return `${v.$}[${v.shape}]${v.data.length <= 6 ? `(${v.data})` : ""}`;
    if (typeof v === "object" && v !== null)
      return `{${Object.entries(v)
        .map(([key, value]) => `${key}:${show(value)}`)
        .join(" ")}}`;
    return JSON.stringify(v);
  };
  const call = `${c.lib}.${c.fn}(${[...c.args, ...(c.options ? [c.options] : [])].map(show).join(", ")})`;
  const kind = c.kind === undefined ? "" : `${c.kind}${c.order ?? ""} wrt ${JSON.stringify(c.wrt)} of `;
  return `${kind}${call.length > 200 ? `${call.slice(0, 200)}…` : call}${c.note ? ` (${c.note})` : ""}`;
}

/** Relative and absolute tolerance of results by dtype: a few units in the last place, and the smallest normal number. */
const TOLERANCE: Readonly<Record<string, readonly [number, number]>> = {
  float16: [2e-3, 6.2e-5],
  float32: [2e-6, 1.2e-38],
  float64: [1e-13, 2.3e-308],
};

/** Everything in which a result differs from the golden one; nothing if it agrees. */
export function differences(actual: unknown, expected: unknown, c: Case, path = "result"): string[] {
  if (isEncodedArray(expected)) return arrayDifferences(actual, expected, c, path);
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual))
      return [`${path} is ${String(actual)}, expected a list of ${expected.length}`];
    if (actual.length !== expected.length)
      return [`${path} has ${actual.length} entries, expected ${expected.length}`];
    return expected.flatMap((e, i) => differences(actual[i], e, c, `${path}[${i}]`));
  }
  return Object.is(actual, expected) ? [] : [`${path} is ${String(actual)}, expected ${String(expected)}`];
}

function arrayDifferences(actual: unknown, expected: EncodedArray, c: Case, path: string): string[] {
  if (!(actual instanceof NDArray))
    return [`${path} is ${String(actual)} (${typeof actual}), expected an array`];
  if (actual.dtype !== expected.$) return [`${path} has dtype ${actual.dtype}, expected ${expected.$}`];
  if (String(actual.shape) !== String(expected.shape))
    return [`${path} has shape [${actual.shape}], expected [${expected.shape}]`];
  if (expected.weak !== undefined && actual.weakType !== expected.weak)
    return [`${path} ${actual.weakType ? "is" : "is not"} weakly typed, expected the contrary`];
  if (expected.$ === "float0") return [];
  const values = ([actual.tolist()] as unknown[]).flat(Infinity).map(Number);
  if (values.length !== expected.data.length)
    return [`${path} has ${values.length} elements, not ${expected.data.length}`];
  const [rtol, atol] = TOLERANCE[expected.$] ?? [0, 0];
  const here = expected.$ === "float64" ? toleranceHere : (tolerance: number) => tolerance;
  const isFloat = expected.$ in TOLERANCE;
  const round = expected.$ === "float32" ? Math.fround : (x: number) => x;
  const found: string[] = [];
  expected.data.forEach((entry, i) => {
    // The decimals written are the shortest that name the number in its own dtype.
    const want = round(toNumber(entry));
    const got = values[i];
    const same =
      c.signedZero && want === 0
        ? Object.is(got, want)
        : got === want || (Number.isNaN(got) && Number.isNaN(want));
    const close =
      isFloat && Math.abs(got - want) <= here(c.atol ?? atol) + here(c.rtol ?? rtol) * Math.abs(want);
    const finite = Number.isFinite(want) && !(c.signedZero && want === 0);
    if (same || (finite && close)) return;
    const show = (x: number) => (Object.is(x, -0) ? "-0" : String(x));
    found.push(
      `${path} at flat index ${i}: ${show(got)}, expected ${show(want)} (off by ${Math.abs(got - want)})`,
    );
  });
  return found;
}
