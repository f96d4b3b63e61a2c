/** Which primitives round nothing, so that every way to compute them gives the very same numbers. */
import type { Primitive } from "fluxion";

/** All of these move elements or work on their bits. */
const families: readonly Primitive["family"][] = ["shape", "sorting", "random"];

const names: ReadonlySet<string> = new Set([
  // Elements are moved.
  ...["gather", "scatter", "dynamicSlice", "dynamicUpdateSlice", "stopGradient"],
  // Elements are compared; what comes out is a bool, a place or a whole number.
  ...["eq", "ne", "lt", "le", "gt", "ge", "isFinite", "argmax", "argmin"],
  // One of the elements is chosen.
  ...["select", "selectN", "clamp", "max", "min", "reduceMax", "reduceMin", "cummax", "cummin"],
  ...["scatterMax", "scatterMin"],
  // Bits are changed.
  ...["bitwiseAnd", "bitwiseOr", "bitwiseXor", "bitwiseNot", "reduceAnd", "reduceOr", "reduceXor"],
  ...["shiftLeft", "shiftRightLogical", "shiftRightArithmetic", "populationCount", "clz"],
  ...["bitcastConvertType", "neg", "abs", "sign"],
  // The result is one certain number of the format: a neighbour, or what lies nearest among some.
  ...["nextafter", "floor", "ceil", "round", "reducePrecision"],
]);

/**
 * Whether results are exact: made by moving, comparing and choosing elements or by work on their bits. Laws compare such
 * results without a tolerance.
 */
export const isExact = ({ name, family }: Primitive): boolean => families.includes(family) || names.has(name);
