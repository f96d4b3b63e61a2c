/** How precisely a function computes, and so how closely a law can be expected to hold. */
import { type DType, Jaxpr, makeJaxpr, type NDArray, numpy as np } from "fluxion";
import { toleranceOf } from "./close.js";
import type { ArrayFunction, Verdict } from "./law.js";

/**
 * The dtypes of the arrays, and of what the function computes on the way. A function that asks for values on the way
 * cannot be traced; its dtypes are taken for those of its inputs.
 */
export function dtypesWithin(f: ArrayFunction, xs: readonly NDArray[]): ReadonlySet<DType> {
  const dtypes = new Set(xs.map((x) => x.dtype));
  const visit = (param: unknown): void => {
    if (param instanceof Jaxpr)
      for (const { primitive, params, outputs } of param.eqns) {
        for (const { aval } of outputs) dtypes.add(aval.dtype);
        // It rounds to a format of its own, which may be coarser than any.
        if (primitive.name === "reducePrecision") dtypes.add("float16");
        visit(params);
      }
    else if (typeof param === "object" && param !== null)
      for (const part of Object.values(param)) visit(part);
  };
  try {
    visit(makeJaxpr(f as (...xs: NDArray[]) => readonly NDArray[])(...xs).jaxpr);
  } catch {
    return dtypes;
  }
  return dtypes;
}

/** The tolerance for what a function computes, if it is larger than one for its inputs and outputs. */
const toleranceWithin = (f: ArrayFunction, xs: readonly NDArray[]): number =>
  toleranceOf([...dtypesWithin(f, xs)].filter((d) => d !== "float0").map((dtype) => np.zeros([], { dtype })));

/**
 * Tries a law with the tolerance of the arrays that are seen; an accusation stands only if the law fails with that of all
 * the dtypes inside of the function too. Looking inside costs a trace, which a law that holds need not pay.
 */
export function withTolerance(
  f: ArrayFunction,
  xs: readonly NDArray[],
  seen: readonly NDArray[],
  check: (tolerance: number) => Verdict,
): Verdict {
  const given = toleranceOf(seen);
  const verdict = check(given);
  if (verdict.kind !== "fails") return verdict;
  const actual = toleranceWithin(f, xs);
  return actual > given ? check(actual) : verdict;
}

/**
 * Tries a law that compares each array by its dtype. An accusation stands only if the law fails with the tolerance of all
 * the dtypes inside of the function too: a sum in float32 that ends in float64 is no more precise for that.
 */
export function allowingFor(
  f: ArrayFunction,
  xs: readonly NDArray[],
  check: (tolerance?: number) => Verdict,
): Verdict {
  const verdict = check();
  return verdict.kind === "fails" ? check(toleranceWithin(f, xs)) : verdict;
}

/**
 * The tolerance for numbers that two derivatives went into, each of which amplifies what rounding did to the other.
 */
export const secondTolerance = (tolerance: number): number => Math.min(0.1, 100 * tolerance);
