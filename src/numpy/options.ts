/** Options as users write them: one that is used much may stand alone, and a dtype is checked where it comes in. */
import { NDArray } from "../core/array.js";
import { type DType, requireDType } from "../core/dtype.js";
import { DtypeError } from "../core/errors.js";
import { plainOptions } from "./axes.js";

/** Whether a last argument is an object of options, and not an array. */
export const isOptions = <T>(x: T): x is Exclude<T, NDArray | string | number | boolean | null | undefined> =>
  typeof x === "object" && x !== null && !Array.isArray(x) && !(x instanceof NDArray);

/** Options, of which one may be given alone in their place: `2` for `{ decimals: 2 }`. */
export function shortOptions<O extends object>(
  name: string,
  given: O | O[keyof O] | undefined,
  first: keyof O & string,
  known: readonly (keyof O & string)[],
): O {
  if (given === undefined) return {} as O;
  return isOptions(given) ? plainOptions(name, given as O, known) : ({ [first]: given } as unknown as O);
}

export interface DTypeOption {
  /** The dtype of the result. */
  readonly dtype?: DType;
}

/** A dtype that an option asks for: one with data. */
export function dataDType(name: string, dtype: unknown): DType {
  const found = requireDType(dtype, name);
  if (found === "float0")
    throw new DtypeError(`${name}: there are no arrays of dtype float0, which has no data`);
  return found;
}

/** The dtype of options that may be the dtype alone; undefined if none is asked for. */
export function dtypeOption(name: string, given: DType | DTypeOption | undefined): DType | undefined {
  const { dtype } = shortOptions<DTypeOption>(name, given, "dtype", ["dtype"]);
  return dtype === undefined ? undefined : dataDType(name, dtype);
}
