/** Options as users write them: one that is used much may stand alone, and a dtype is checked where it comes in. */
import { NDArray } from "../core/array.js";
import { type DType, requireDType } from "../core/dtype.js";
import { DtypeError } from "../core/errors.js";
import { plainOptions } from "./axes.js";

/** Whether a last argument is an object of options, and not an array. */
export const isOptions = (x: unknown): x is object =>
  typeof x === "object" && x !== null && !Array.isArray(x) && !(x instanceof NDArray);

/** Options, of which one may be given alone in their place: `2` for `{ decimals: 2 }`. */
export function shortOptions<O extends object, K extends keyof O & string>(
  name: string,
  given: O | O[K] | undefined,
  first: K,
  known: readonly (keyof O & string)[],
): O {
  if (given === undefined) return {} as O;
  if (isOptions(given)) return plainOptions(name, given as O, known);
  return { [first]: given } as unknown as O;
}

export interface DTypeOption {
  /** The dtype of the result. */
  readonly dtype?: DType;
}

/** A dtype that an option asks for: one with data. */
export function dataDType(name: string, dtype: unknown): DType {
  const found = requireDType(dtype, name);
  if (found === "float0") throw new DtypeError(`${name}: there are no arrays of dtype float0, which has no data`);
  return found;
}

/** The dtype of options that may be the dtype alone; undefined if none is asked for. */
export function dtypeOption(name: string, given: DType | DTypeOption | undefined): DType | undefined {
  const { dtype } = shortOptions<DTypeOption, "dtype">(name, given, "dtype", ["dtype"]);
  return dtype === undefined ? undefined : dataDType(name, dtype);
}
