/** What tests of the library as a user sees it share: arrays in double precision, and comparing trees of arrays. */
import {
  type ClosedJaxpr,
  type ErrorCode,
  FluxionError,
  Jaxpr,
  NDArray,
  type NestedNumbers,
  numpy as np,
  tree,
} from "fluxion";
import { expect } from "vitest";
import { toleranceHere } from "../everywhere/tolerance.js";

export const f64 = (x: NestedNumbers): NDArray => np.array(x, { dtype: "float64" });
export const f32 = (x: NestedNumbers): NDArray => np.array(x, { dtype: "float32" });
export const i32 = (x: NestedNumbers): NDArray => np.array(x, { dtype: "int32" });

/** A tree with its arrays as nested JavaScript arrays of numbers. */
export const plain = (t: unknown): unknown =>
  tree.map((leaf: unknown) => (leaf instanceof NDArray ? leaf.tolist() : leaf), t as object);

/** Shape and dtype of every array of a tree. */
export const types = (t: unknown): unknown =>
  tree.map((leaf: unknown) => (leaf instanceof NDArray ? describe(leaf) : leaf), t as object);

export const describe = (x: NDArray): string => `${x.weakType ? "~" : ""}${x.dtype}[${x.shape.join(",")}]`;

/**
 * The same containers with the same numbers up to a tolerance: relative to numbers above 1, absolute below. NaN is NaN,
 * infinities and the lengths of lists are exact.
 */
export function expectClose(actual: unknown, wanted: unknown, tolerance = 1e-12, path = ""): void {
  const [a, w] = [plain(actual), plain(wanted)];
  if (typeof w === "number") {
    expect(typeof a, `${path}: ${String(a)} is not a number`).toBe("number");
    if (Object.is(a, w) || a === w) return;
    const error = Math.abs((a as number) - w) / Math.max(1, Math.abs(w));
    expect(error, `${path}: ${String(a)} against ${w}`).toBeLessThanOrEqual(toleranceHere(tolerance));
  } else if (typeof w === "object" && w !== null) {
    const [as, ws] = [a, w] as Record<string, unknown>[];
    expect(Object.keys(as ?? {}), `${path}: fields`).toEqual(Object.keys(ws));
    expect(Array.isArray(as), `${path}: list`).toBe(Array.isArray(ws));
    for (const key of Object.keys(ws)) expectClose(as[key], ws[key], tolerance, `${path}.${key}`);
  } else {
    expect(a, path).toEqual(w);
  }
}

/** The names of the primitives of a program in order, those of bodies of calls after the call's own. */
export function primitiveNames(program: ClosedJaxpr | Jaxpr): string[] {
  const jaxpr = program instanceof Jaxpr ? program : program.jaxpr;
  return jaxpr.eqns.flatMap(({ primitive, params }) => [
    primitive.name,
    ...Object.values(params).flatMap((p) => (p instanceof Jaxpr ? primitiveNames(p) : [])),
  ]);
}

export const countOf = (program: ClosedJaxpr | Jaxpr, name: string): number =>
  primitiveNames(program).filter((n) => n === name).length;

/** The error that a call throws, which must be one of the library's. */
export function errorOf(call: () => unknown): FluxionError {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(FluxionError);
    return error as FluxionError;
  }
  throw new Error("the call was expected to throw, but it returned");
}

/** Checks class, code and texts of what a call throws, and that it names a line of a test file. */
export function expectError(
  call: () => unknown,
  type: new (message: string) => FluxionError,
  code: ErrorCode,
  ...texts: (string | RegExp)[]
): FluxionError {
  const error = errorOf(call);
  expect(error, error.message).toBeInstanceOf(type);
  expect(error.name).toBe(type.name);
  expect(error.code).toBe(code);
  for (const text of texts) {
    if (typeof text === "string") expect(error.message).toContain(text);
    else expect(error.message).toMatch(text);
  }
  expect(error.message).toMatch(/\.test\.ts:\d+:\d+/);
  return error;
}
