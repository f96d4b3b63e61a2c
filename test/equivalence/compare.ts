/** Compares what a device gives with the reference, and keeps the largest errors. */
import type { ConcreteArray } from "../../src/core/array.js";
import { type DType, isFloat, type TypedArray } from "../../src/core/dtype.js";
import { paramsKey } from "../../src/core/params.js";
import { boundOf } from "./bounds.js";
import type { Abilities, Case } from "./cases.js";
import { flushedOperands, type Wanted, wantedOf } from "./reference.js";
import { smallestNormal, ulps } from "./ulp.js";

export interface Worst {
  /** In units in the last place; ∞ for another NaN, infinity or sign of zero, or another integer. */
  readonly error: number;
  /** Where, with the numbers. */
  readonly what: string;
}

/** The largest error for each dtype of results. */
export type Errors = Map<DType, Worst>;

const show = (x: number): string => (Object.is(x, -0) ? "-0" : String(x));

/** The distance of an element from what is wanted. */
function errorOf(
  dtype: DType,
  actual: number,
  { exact, magnitude }: { exact: number; magnitude: number },
  isExact: boolean,
  flushes: boolean,
): number {
  if (Object.is(actual, exact)) return 0;
  if (!isFloat(dtype)) return Infinity;
  // Parts that are this small may be lost; of two zeros it must be the right one.
  if (flushes && dtype === "float32" && !(actual === 0 && exact === 0))
    if (Math.abs(actual - exact) <= smallestNormal(dtype)) return 0;
  const error = ulps(dtype, actual, exact, magnitude);
  return isExact && error > 0 ? Infinity : error;
}

/** Compares the outputs of one run. */
export function compare(
  { primitive, params, jaxpr, pointwise }: Case,
  inputs: readonly ConcreteArray[],
  outputs: readonly TypedArray[],
  { flushes }: Abilities,
  errors: Errors,
): void {
  const seen = flushes && pointwise ? flushedOperands(inputs) : [inputs];
  const wanted: Wanted[] = seen.map((xs) => wantedOf(primitive, xs, params));
  const { kind } = boundOf(primitive);
  for (const [k, actual] of outputs.entries()) {
    const { dtype } = jaxpr.outAvals[k];
    const [{ exact, magnitude }] = wanted;
    const note = (error: number, i: number): void => {
      if (error <= (errors.get(dtype)?.error ?? -1)) return;
      const operands = inputs.map((x) => `${x.dtype}[${x.shape}]`);
      const at = pointwise ? ` of ${inputs.map((x) => show(x.values[x.values.length === 1 ? 0 : i]))}` : "";
      errors.set(dtype, {
        error,
        what:
          `${primitive.name} ${paramsKey(params).slice(0, 300)} of ${operands}: element ${i} of output ${k}${at}` +
          ` is ${show(actual[i])}, not ${show(exact[k][i])}`,
      });
    };
    if (actual.length !== exact[k].length) {
      note(Infinity, 0);
      continue;
    }
    if (actual.length === 0) note(0, 0);
    for (let i = 0; i < actual.length; i++) {
      let error = Infinity;
      for (const w of wanted) {
        const target = { exact: w.exact[k][i], magnitude: magnitude === undefined ? 0 : magnitude[k][i] };
        error = Math.min(error, errorOf(dtype, actual[i], target, kind === "exact", flushes));
        if (error === 0) break;
      }
      note(error, i);
    }
  }
}
