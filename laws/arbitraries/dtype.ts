/** Element types. */
import * as fc from "fast-check";
import type { DType } from "fluxion";

export interface DtypeOptions {
  /** Which of them. Default: "any". */
  readonly kind?: "any" | "float" | "integer" | "number";
  /** Dtypes to leave out, such as those that a device does not have. */
  readonly without?: readonly DType[];
}

const kinds = {
  float: ["float64", "float32", "float16"],
  integer: ["int32", "uint32", "uint8"],
  number: ["float64", "float32", "float16", "int32", "uint32", "uint8"],
  any: ["float64", "float32", "float16", "int32", "uint32", "uint8", "bool"],
} as const;

/**
 * Dtypes; they shrink towards float64, in which a failure is least likely to be one of rounding.
 *
 * @throws Error if none is left.
 * @example
 * fc.sample(dtype({ kind: "float", without: ["float16"] }), 20).every((d) => d === "float64" || d === "float32"); // true
 */
export function dtype({ kind = "any", without = [] }: DtypeOptions = {}): fc.Arbitrary<DType> {
  const left = kinds[kind].filter((d) => !without.includes(d));
  if (left.length === 0)
    throw new Error(`dtype: no dtype of kind ${kind} is left without ${without.join(", ")}`);
  return fc.constantFrom(...left);
}
