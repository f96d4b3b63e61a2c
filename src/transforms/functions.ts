/**
 * Between the user's functions, which take and give trees, and jaxprs, which take and give lists of arrays.
 * Everything user-facing (grad, vmap, jit, ...) goes through here.
 */
import { NDArray, weakScalar } from "../core/array.js";
import { type Aval, describe } from "../core/aval.js";
import { type Traced, traceToJaxpr } from "../core/build.js";
import { isFloat, isInteger } from "../core/dtype.js";
import {
  ArgumentError,
  ImpureFunctionError,
  NonScalarOutputError,
  NotDifferentiableError,
} from "../core/errors.js";
import { captureSource, type Source } from "../core/source.js";
import type { TraceOptions, Tracer } from "../core/trace.js";
import { flatten, keystr, type TreeDef, unflatten } from "../core/tree.js";
import { convertElementType } from "../primitives/cast.js";

// The parameter type of "any function" has to be any: a function with parameters of type T does not take unknown.
// biome-ignore lint/suspicious/noExplicitAny: see above
export type AnyFunction = (...args: any[]) => unknown;

/** `loss`, or `function` for one without a name. */
export const nameOf = (f: AnyFunction): string => f.name || "function";

/** Checks that `f` is a function; `what` is the transform it was given to. */
export function requireFunction(f: unknown, what: string): void {
  if (typeof f !== "function")
    throw new ArgumentError(`${what} takes a function, got ${f === null ? "null" : typeof f}`);
}

/** Refuses options that a transform does not have, so that a misspelt one is noticed. */
export function requireOptions(options: object | undefined, known: readonly string[], what: string): void {
  for (const key of Object.keys(options ?? {}))
    if (!known.includes(key))
      throw new ArgumentError(`${what}: there is no option "${key}"; the options are ${known.join(", ")}`);
}

const describeLeaf = (leaf: unknown): string =>
  typeof leaf === "object" && leaf !== null
    ? `an object of class ${leaf.constructor?.name || "without a name"}`
    : `a ${typeof leaf}`;

/** Reads a leaf as an array: arrays as they are, numbers and booleans as weak scalars. */
export function toArray(leaf: unknown, where: () => string): NDArray {
  if (leaf instanceof NDArray) return leaf;
  if (typeof leaf === "number" || typeof leaf === "boolean") return weakScalar(leaf);
  throw new ArgumentError(`${where()} is ${describeLeaf(leaf)}; arrays, numbers and booleans can be traced`);
}

/** A tree read as a list of arrays. */
export interface FlatTree {
  readonly arrays: readonly NDArray[];
  readonly treedef: TreeDef;
}

/** Flattens a tree of arrays; `where` begins the error message for a leaf that is none. */
export function flattenArrays(tree: unknown, where: string): FlatTree {
  const { leaves, treedef } = flatten(tree as object);
  const arrays = (leaves as unknown[]).map((leaf, i) => toArray(leaf, () => leafName(where, treedef, i)));
  return { arrays, treedef };
}

/** `argument 1 of grad(loss) at .w[0]`. */
export function leafName(where: string, treedef: TreeDef, i: number): string {
  const path = keystr(treedef.paths()[i]);
  return path === "" ? where : `${where} at ${path}`;
}

/**
 * A bare JavaScript number does not say whether it is an integer, so where derivatives are taken a weak integer, which
 * comes from such a number, is read as a float.
 */
export const asDifferentiable = (x: NDArray): NDArray =>
  x.weakType && isInteger(x.dtype) ? convertElementType(x, "float32", true) : x;

/** Refuses inputs that have no derivative. */
export function requireFloat(
  x: NDArray,
  name: () => string,
  what: string,
  advice = "choose other arguments with argnums",
): void {
  if (!isFloat(x.dtype))
    throw new NotDifferentiableError(
      `${what} needs float inputs, but ${name()} is ${describe(x.aval)}; integers and booleans have no derivative (${advice})`,
    );
}

/** Refuses results that have none. */
export function requireFloatOutputs({ closed, outTree, resultCount }: TracedFunction, what: string): void {
  for (const [i, type] of closed.outAvals.slice(0, resultCount).entries())
    if (!isFloat(type.dtype))
      throw new NotDifferentiableError(
        `${leafName(`the output of ${what}`, outTree, i)} is ${describe(type)}; integers and booleans have no derivative ` +
          "(return them as an auxiliary output, with hasAux)",
      );
}

/** Refuses results that are not one float of shape (): only those have a gradient. */
export function requireScalar(types: readonly Aval[], treedef: TreeDef, what: string): void {
  if (treedef.numNodes !== 1 || types.length !== 1 || types[0].shape.length > 0) {
    const inside = treedef.numNodes > 1 && types.length > 0 ? ` in ${treedef.key}` : "";
    throw new NonScalarOutputError(
      `${what}: the function must return one scalar of shape (), got ${types.map(describe).join(", ") || "an empty tree"}${inside}; ` +
        "sum it, or use vjp with a cotangent, or jacrev",
    );
  }
  if (!isFloat(types[0].dtype))
    throw new NotDifferentiableError(
      `${what}: the function returned ${describe(types[0])}, and integers and booleans have no derivative`,
    );
}

/** A traced function of flat arrays, and how to put its results together again. */
export interface TracedFunction extends Traced {
  readonly outTree: TreeDef;
  /** How many of the jaxpr's outputs belong to the result; the others are arrays of the auxiliary output. */
  readonly resultCount: number;
  /** Puts the auxiliary output together again. */
  readonly rebuildAux: (arrays: readonly NDArray[]) => unknown;
}

export interface CallOptions {
  /** The function gives [result, aux]; only the result is transformed. */
  readonly hasAux?: boolean;
  /** Numbers in the result are floats (where derivatives are taken). */
  readonly floatResult?: boolean;
}

/** The line of user code that called a transform: to be asked for where that was entered. */
export const callerOf = (): Source => captureSource(framesOfTransform);

// captureSource, callerOf, the transform and one more function of the library, user code, and as many frames again.
const framesOfTransform = 8;

let everyLine = false;

/** Runs `body`, in which every operation that is traced remembers its line, also inside of `grad` and its relatives. */
export function recordingLines<R>(body: () => R): R {
  const before = everyLine;
  everyLine = true;
  try {
    return body();
  } finally {
    everyLine = before;
  }
}

const sourcesOf = (valuesOnDemand: boolean | undefined): TraceOptions["sources"] =>
  everyLine ? "deep" : valuesOnDemand ? "call" : "each";

/** Traces `call`, which gets the inputs as tracers and returns what the user's function returned. */
export function traceFunction(
  { name, valuesOnDemand, sources, calledAt }: TraceOptions,
  avals: readonly Aval[],
  call: (inputs: readonly Tracer[]) => unknown,
  values: readonly NDArray[] | undefined,
  { hasAux = false, floatResult = false }: CallOptions = {},
): TracedFunction {
  let outTree: TreeDef | undefined;
  let resultCount = 0;
  let aux: Auxiliary | undefined;
  const { closed, outer } = traceToJaxpr(
    { name, valuesOnDemand, sources: sources ?? sourcesOf(valuesOnDemand), calledAt },
    avals,
    (inputs) => {
      const returned = call(inputs);
      requirePure(returned, name);
      const [result, auxiliary] = hasAux ? splitAux(returned, name) : [returned];
      const flat = flattenArrays(result, `the output of ${name}`);
      outTree = flat.treedef;
      resultCount = flat.arrays.length;
      const outputs = floatResult ? flat.arrays.map(asDifferentiable) : flat.arrays;
      if (!hasAux) return outputs;
      aux = readAux(auxiliary);
      return [...outputs, ...aux.arrays];
    },
    values,
  );
  return { closed, outer, outTree: outTree as TreeDef, resultCount, rebuildAux: aux?.rebuild ?? noAux };
}

/** An auxiliary output: the arrays in it, and how to put it together again with others in their place. */
interface Auxiliary {
  readonly arrays: readonly NDArray[];
  readonly rebuild: TracedFunction["rebuildAux"];
}

const noAux = (): undefined => undefined;

function readAux(aux: unknown): Auxiliary {
  const { leaves, treedef } = flatten(aux as object) as { leaves: unknown[]; treedef: TreeDef };
  const rebuild = (arrays: readonly NDArray[]): unknown => {
    let next = 0;
    return unflatten(
      treedef,
      leaves.map((leaf) => (leaf instanceof NDArray ? arrays[next++] : leaf)),
    );
  };
  return { arrays: leaves.filter((leaf): leaf is NDArray => leaf instanceof NDArray), rebuild };
}

function requirePure(returned: unknown, name: string): void {
  if (returned === undefined)
    throw new ArgumentError(`${name}: the function returned nothing; return an array or a tree of arrays`);
  if (typeof (returned as { then?: unknown } | null)?.then === "function") {
    // What the function does later, with tracers that are dead by then, fails as well: only this error is to be seen.
    (returned as Promise<unknown>).then(undefined, () => {});
    throw new ImpureFunctionError(
      `${name}: the function returned a promise; transforms take pure, synchronous functions (await inputs before the call)`,
    );
  }
}

function splitAux(returned: unknown, name: string): readonly [unknown, unknown] {
  if (Array.isArray(returned) && returned.length === 2) return [returned[0], returned[1]];
  throw new ArgumentError(
    `${name}: with hasAux the function must return [result, aux], got ${describeLeaf(returned)}`,
  );
}

/** Canonical argument positions: negative ones count from the end; out of range or repeated ones are refused. */
export function resolveArgnums(argnums: number | readonly number[], count: number, what: string): number[] {
  const list = typeof argnums === "number" ? [argnums] : argnums;
  if (!Array.isArray(list))
    throw new ArgumentError(
      `${what}: argnums must be a position or a list of positions, got ${String(argnums)}`,
    );
  const resolved = list.map((n) => {
    if (!Number.isInteger(n) || n >= count || n < -count)
      throw new ArgumentError(`${what}: argnums ${n} is not a position of a call with ${count} arguments`);
    return n < 0 ? n + count : n;
  });
  if (new Set(resolved).size !== resolved.length)
    throw new ArgumentError(`${what}: argnums [${list.join(", ")}] names an argument twice`);
  return resolved;
}
