/** What the loops that are scans share: reading their arrays, tracing the body, and finding the types of the carry. */
import { NDArray } from "../core/array.js";
import { type Aval, aval, describe, sameShape, sameType, showAval, withShape } from "../core/aval.js";
import { buildJaxpr, memoize } from "../core/build.js";
import { promote } from "../core/dtype.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import { evalJaxpr } from "../core/eval.js";
import { internJaxpr } from "../core/intern.js";
import type { Jaxpr } from "../core/jaxpr.js";
import type { ArrayLike } from "../core/methods.js";
import { flatten, type TreeDef, unflatten } from "../core/tree.js";
import { convertElementType } from "../primitives/cast.js";
import { showParam } from "../primitives/checks.js";
import { bindScan } from "../primitives/control/scan.js";
import { bindCheckpointed, type ScanCheckpoint, slotsOf } from "../primitives/control/scanCheckpoint.js";
import type { ScanParams } from "../primitives/control/scanParams.js";
import { add } from "../primitives/elementwise.js";
import { type Body, traceBody, typeMismatch } from "../transforms/bodies.js";
import { flattenArrays, leafName } from "../transforms/functions.js";

/** How often the function is called: the length of all arrays, which has to be that of the option. */
export function stepsOf(
  name: string,
  arrays: readonly NDArray[],
  treedef: TreeDef,
  length: number | undefined,
): number {
  if (length !== undefined && !(Number.isSafeInteger(length) && length >= 0))
    throw new ArgumentError(`${name}: length must be a whole number from 0 on, got ${showParam(length)}`);
  let steps = length;
  let first = "the option length";
  for (const [i, x] of arrays.entries()) {
    const what = (): string => leafName(`the xs of ${name}`, treedef, i);
    if (x.ndim === 0)
      throw new ShapeError(`${what()} is ${describe(x.aval)}; there must be an axis to go along`);
    if (steps === undefined) {
      steps = x.shape[0];
      first = `${what()} (${describe(x.aval)})`;
    } else if (x.shape[0] !== steps)
      throw new ShapeError(
        `${name}: all lengths must be the same, but ${first} has ${steps} and ${what()} (${describe(x.aval)}) has ${x.shape[0]}`,
      );
  }
  if (steps === undefined)
    throw new ArgumentError(`${name}: there are no arrays to go through; give the option length`);
  return steps;
}

/** What a body may give for a carry: the same structure; numbers, and lists that cannot be changed, are allowed. */
export type NextCarry<C> = C extends ArrayLike
  ? ArrayLike
  : C extends null | undefined
    ? C
    : { readonly [K in keyof C]: NextCarry<C[K]> };

export interface Loop extends Pick<ScanParams, "length" | "reverse" | "unroll"> {
  /** How the loop is called in messages. */
  readonly name: string;
  /** Takes the carry, an entry of `xs` and, if there is one, the counter; gives [carry, y]. */
  readonly f: (carry: unknown, x: unknown, counter: NDArray) => unknown;
  readonly init: unknown;
  readonly xs: unknown;
  readonly checkpoint?: ScanCheckpoint;
  /** What is 1 more in each step. */
  readonly counter?: NDArray;
}

/** Traces the function and applies the scan. */
export function runScan(loop: Loop): [unknown, unknown] {
  const { name, length, reverse, unroll, checkpoint } = loop;
  const { arrays } = flattenArrays(loop.xs, `the xs of ${name}`);
  const start = flattenArrays(loop.init, `the init of ${name}`);
  const counters = loop.counter === undefined ? [] : [loop.counter];
  let carry = start.arrays;
  for (;;) {
    const types = carry.map((x) => x.aval);
    const { body, results } = traceStep(loop, types, start.treedef, arrays);
    const given = body.jaxpr.outAvals.slice(counters.length);
    const wanted = types.map((type, i) => commonType(type, given[i]) ?? type);
    if (wanted.some((type, i) => showAval(type) !== showAval(types[i]))) {
      // A weak type gives way to what the body makes of it, which may be another type then.
      carry = carry.map((x, i) => convertElementType(x, wanted[i].dtype, wanted[i].weakType));
      continue;
    }
    const all = [...counters, ...carry];
    const { consts } = body;
    const jaxpr = withCarryTypes(
      body.jaxpr,
      all.map((x) => x.aval),
    );
    const params = { jaxpr, length, reverse, unroll, consts: consts.length, carries: all.length };
    const inputs = [...consts, ...all, ...arrays];
    const outputs =
      checkpoint === undefined
        ? bindScan(params, inputs)
        : bindCheckpointed(params, inputs, slotsOf(name, checkpoint, params));
    return [
      unflatten(start.treedef, outputs.slice(counters.length, all.length)),
      unflatten(results, outputs.slice(all.length)),
    ];
  }
}

interface TracedStep {
  readonly body: Body;
  /** The structure of what a step gives beside the carry. */
  readonly results: TreeDef;
}

function traceStep(
  { name, f, init, xs, counter }: Loop,
  types: readonly Aval[],
  carryTree: TreeDef,
  arrays: readonly NDArray[],
): TracedStep {
  const label = `the body of ${name}`;
  const step = (i: NDArray | null, carry: unknown, x: unknown): unknown[] => {
    const returned = f(carry, x, i as NDArray);
    if (!Array.isArray(returned) || returned.length !== 2)
      throw new ArgumentError(`${label} must return [carry, y], got ${describeReturned(returned)}`);
    return [i === null ? null : add(i, 1), ...returned];
  };
  const { treedef } = flatten([counter ?? null, init, xs] as unknown);
  const entries = arrays.map((x) => withShape(x.aval, x.shape.slice(1)));
  const counters = counter === undefined ? [] : [counter.aval];
  const body = traceBody(label, step, [...counters, ...types, ...entries], treedef);
  const [, given, results] = body.outTree.children;
  const outTypes = body.jaxpr.outAvals.slice(counters.length, counters.length + given.numLeaves);
  const error = typeMismatch(
    `${name}: the carry must keep its structure and types`,
    { what: "the carry that goes in", treedef: carryTree, avals: types },
    {
      what: "the one that comes out",
      treedef: given,
      avals: outTypes.map((type, i) => (types[i] !== undefined && fits(types[i], type) ? types[i] : type)),
    },
  );
  if (error !== undefined) throw error;
  return { body, results };
}

function describeReturned(x: unknown): string {
  if (Array.isArray(x)) return `a list of ${x.length}`;
  if (x instanceof NDArray) return `an array (${describe(x.aval)})`;
  return x === null || x === undefined ? String(x) : `a ${typeof x}`;
}

/** The type a carry has if it goes in with one type and comes out with another; undefined if it cannot have both. */
export function commonType(given: Aval, returned: Aval): Aval | undefined {
  if (!sameShape(given.shape, returned.shape)) return undefined;
  if (sameType(given, returned)) return aval(given.shape, given.dtype, given.weakType && returned.weakType);
  if (given.dtype === "float0" || returned.dtype === "float0") return undefined;
  const { dtype, weakType } = promote([given, returned]);
  return [given, returned].every((type) => type.weakType || type.dtype === dtype)
    ? aval(given.shape, dtype, weakType)
    : undefined;
}

export const fits = (given: Aval, returned: Aval): boolean => commonType(given, returned) !== undefined;

/** The body with its carry converted to the types it goes in with. */
export const withCarryTypes: (jaxpr: Jaxpr, types: readonly Aval[]) => Jaxpr = memoize(
  (types: readonly Aval[]) => types.map(showAval).join(" "),
  (jaxpr: Jaxpr, types: readonly Aval[]): Jaxpr =>
    types.every((type, i) => showAval(type) === showAval(jaxpr.outAvals[i]))
      ? jaxpr
      : internJaxpr(
          buildJaxpr("scan", jaxpr.inAvals, (inputs) =>
            evalJaxpr(jaxpr, inputs).map((y, i) =>
              i < types.length && y.dtype !== "float0"
                ? convertElementType(y, types[i].dtype, types[i].weakType)
                : y,
            ),
          ),
        ),
);
