/**
 * `linearize`, `vjp` and `linearTranspose`: a function at a point, as its value and a linear map.
 *
 * All of reverse mode is here, in four steps: trace the function, push tangents through it (jvp), split what the
 * tangents do from what they do not (partial evaluation), and turn the linear part around (transpose).
 */
import { NDArray, scalar } from "../core/array.js";
import { type Aval, describe, sameType, tangentAval } from "../core/aval.js";
import { masksKey, memoize } from "../core/build.js";
import { isFloat } from "../core/dtype.js";
import { DtypeError, MissingRuleError, NotDifferentiableError, ShapeError } from "../core/errors.js";
import { evalJaxpr } from "../core/eval.js";
import type { Jaxpr } from "../core/jaxpr.js";
import { recall } from "../core/recurring.js";
import { currentTrace } from "../core/trace.js";
import { checkSameStructure, flatten, type TreeDef, unflatten } from "../core/tree.js";
import { type Tangent, Zero } from "../core/zero.js";
import { instantiate, zeros } from "../primitives/filled.js";
import { dceKeepingInputs } from "./dce.js";
import {
  asDifferentiable,
  callerOf,
  flattenArrays,
  leafName,
  nameOf,
  requireFloat,
  requireFunction,
  type TracedFunction,
  traceFunction,
} from "./functions.js";
import { jvpJaxpr } from "./jvp.js";
import { partialEvalJaxpr } from "./partialEval.js";
import { backwardPass, transposeJaxpr } from "./transpose.js";
import type { ArgumentTrees, ArrayTree, Aux, Fn, Result, Tangents, TangentTree } from "./types.js";

/** The linear part of a function at a point. Tangents and cotangents are flat; null stands for zero. */
export interface LinearMap {
  /** Takes the residuals, then tangents of the active inputs; gives tangents of the active outputs. */
  readonly jaxpr: Jaxpr;
  readonly residuals: readonly NDArray[];
  readonly inAvals: readonly Aval[];
  readonly activeIn: readonly boolean[];
  readonly outAvals: readonly Aval[];
  readonly activeOut: readonly boolean[];
}

export interface Linearized {
  readonly outputs: readonly NDArray[];
  readonly aux: readonly NDArray[];
  readonly map: LinearMap;
}

/** A traced function as two programs. */
interface Linearization {
  /** Takes constants and values; gives the outputs that are wanted, the auxiliary ones, and the residuals. */
  readonly known: Jaxpr;
  /** The `jaxpr` of the linear map. */
  readonly linear: Jaxpr;
  readonly activeOut: readonly boolean[];
}

/**
 * Splits a jaxpr into what its tangents do and what they do not.
 *
 * @param consts how many of its inputs have no tangents, being constants.
 * @param activeIn which of the others have some.
 * @param resultCount how many of the outputs belong to the result: tangents of auxiliary ones are not wanted.
 */
export const linearizeJaxpr = memoize(
  (consts: number, activeIn: readonly boolean[], resultCount: number, wantOutputs: boolean) =>
    `${consts},${resultCount},${wantOutputs ? 1 : 0},${masksKey(activeIn)}`,
  (
    jaxpr: Jaxpr,
    consts: number,
    activeIn: readonly boolean[],
    resultCount: number,
    wantOutputs: boolean,
  ): Linearization => {
    const pushed = jvpJaxpr(jaxpr, [...new Array<boolean>(consts).fill(false), ...activeIn]);
    const primalCount = jaxpr.outputs.length;
    const activeOut = pushed.activeOut.map((active, i) => active && i < resultCount);
    const wanted = [
      ...jaxpr.outputs.map(() => true),
      ...pushed.activeOut.flatMap((a, i) => (a ? [activeOut[i]] : [])),
    ];
    const pruned = dceKeepingInputs(pushed.jaxpr, wanted);
    const split = partialEvalJaxpr(
      pruned,
      pruned.inputs.map((_, i) => i >= jaxpr.inputs.length),
      pruned.outputs.map((_, i) => i >= primalCount),
    );
    const known = wantOutputs
      ? split.known
      : dceKeepingInputs(
          split.known,
          split.known.outputs.map((_, i) => i >= resultCount),
        );
    return { known, linear: split.unknown, activeOut: activeOut.slice(0, resultCount) };
  },
);

/** Evaluates a traced function at a point and keeps what its derivative needs. */
export function linearizeTraced(
  { closed, resultCount }: TracedFunction,
  values: readonly NDArray[],
  wantOutputs = true,
): Linearized {
  const { consts } = closed;
  const jaxpr = recall(closed.jaxpr);
  const activeIn = values.map((x) => isFloat(x.dtype));
  const { known, linear, activeOut } = linearizeJaxpr(
    jaxpr,
    consts.length,
    activeIn,
    resultCount,
    wantOutputs,
  );
  const results = evalJaxpr(known, [...consts, ...values]);
  const outputs = wantOutputs ? results.splice(0, resultCount) : [];
  const aux = results.splice(0, jaxpr.outputs.length - resultCount);
  return {
    outputs,
    aux,
    map: {
      jaxpr: linear,
      residuals: results,
      inAvals: values.map((x) => x.aval),
      activeIn,
      outAvals: closed.outAvals.slice(0, resultCount),
      activeOut,
    },
  };
}

/** Pushes tangents through a linear map. */
export function pushforward(map: LinearMap, tangents: readonly NDArray[]): NDArray[] {
  const active = tangents.filter((_, i) => map.activeIn[i]);
  const results = evalJaxpr(map.jaxpr, [...map.residuals, ...active]);
  let next = 0;
  return map.outAvals.map((type, i) => (map.activeOut[i] ? results[next++] : zeros(tangentAval(type))));
}

/** Pulls cotangents back through a linear map. */
export function pullback(map: LinearMap, cotangents: readonly NDArray[]): NDArray[] {
  const seeds = cotangents.filter((_, i) => map.activeOut[i]);
  const linear = map.jaxpr.inputs.map((_, i) => i >= map.residuals.length);
  // Under a trace the transposed jaxpr is made once and merged. Otherwise the backward pass runs directly, the first time.
  const results: Tangent[] =
    currentTrace() === undefined && !isAskedAgain(map.jaxpr)
      ? backwardPass(map.jaxpr, linear, map.residuals, seeds)
      : runTransposed(map, linear, seeds);
  let next = 0;
  return map.inAvals.map((type, i) =>
    instantiate(map.activeIn[i] ? results[next++] : new Zero(tangentAval(type))),
  );
}

/** Whether this has been asked of a jaxpr before. */
function isAskedAgain(jaxpr: Jaxpr): boolean {
  jaxpr.memo ??= new Map();
  if (jaxpr.memo.has("pulled")) return true;
  jaxpr.memo.set("pulled", true);
  return false;
}

function runTransposed(map: LinearMap, linear: readonly boolean[], seeds: readonly NDArray[]): Tangent[] {
  const { jaxpr, zeroOut } = transposeJaxpr(
    map.jaxpr,
    linear,
    seeds.map(() => false),
  );
  const results = evalJaxpr(jaxpr, [...map.residuals, ...seeds]);
  let next = 0;
  const types = map.inAvals.filter((_, i) => map.activeIn[i]);
  return zeroOut.map((zero, i) => (zero ? new Zero(types[i]) : results[next++]));
}

/**
 * Reads tangents or cotangents from the user: the structure, shapes and dtypes must be those of the values. A number
 * stands for a scalar, and 0 for the trivial tangent of integers and booleans.
 */
export function readTangents(
  tree: unknown,
  treedef: TreeDef,
  types: readonly Aval[],
  what: string,
  ofWhat: string,
): NDArray[] {
  const given = flatten(tree as object);
  checkSameStructure(treedef, given.treedef, `${what} must have the structure of ${ofWhat}`);
  return (given.leaves as unknown[]).map((leaf, i) => {
    const type = tangentAval(types[i]);
    if (typeof leaf === "number" && type.shape.length === 0 && isFloat(type.dtype))
      return scalar(leaf, type.dtype, type.weakType);
    if (leaf === 0 && type.dtype === "float0") return zeros(type);
    const name = leafName(what, given.treedef, i);
    if (!(leaf instanceof NDArray))
      throw new DtypeError(`${name} is a ${typeof leaf}, but ${ofWhat} needs ${describe(type)}`);
    if (leaf.shape.length !== type.shape.length || leaf.shape.some((n, k) => n !== type.shape[k]))
      throw new ShapeError(
        `${name} has shape [${leaf.shape.join(",")}], but ${ofWhat} needs ${describe(type)}`,
      );
    if (!sameType(leaf.aval, type))
      throw new DtypeError(`${name} has dtype ${leaf.dtype}, but ${ofWhat} needs ${describe(type)}`);
    return leaf;
  });
}

/** Traces `f` at a point given as trees, all arguments active. */
export function traceAt(f: Fn, args: readonly unknown[], name: string, hasAux: boolean | undefined) {
  requireFunction(f, name);
  const calledAt = callerOf();
  const label = `${name}(${nameOf(f)})`;
  const { arrays, treedef } = flattenArrays(args, `the arguments of ${label}`);
  const values = arrays.map(asDifferentiable);
  const traced = traceFunction(
    { name: label, valuesOnDemand: true, calledAt },
    values.map((x) => x.aval),
    (inputs) => f(...unflatten<unknown[]>(treedef, inputs)),
    values,
    { hasAux, floatResult: true },
  );
  return { label, values, treedef, traced };
}

/**
 * The value of `f` at a point and the linear map that is its derivative there.
 *
 * @param f a function of trees of arrays.
 * @param primals the point.
 * @returns the value, and a function from tangents (shaped as the arguments) to the tangent of the value. All work that
 *   does not depend on tangents has been done.
 * @example
 * const [y, push] = linearize(np.sin, 0.5);
 * push(1); // 0.8775826: cos 0.5, by one multiplication
 */
export function linearize<F extends Fn>(
  f: F,
  ...primals: Parameters<F>
): [ArrayTree<ReturnType<F>>, (...tangents: Tangents<F>) => ArrayTree<ReturnType<F>>] {
  const [value, push] = linearizeOf(f, primals, false);
  return [value, push] as unknown as ReturnType<typeof linearize<F>>;
}

/** `linearize` of a function that returns [result, aux]: gives [result, pushforward, aux]. */
export function linearizeWithAux<F extends Fn>(
  f: F,
  ...primals: Parameters<F>
): [ArrayTree<Result<F, true>>, (...tangents: Tangents<F>) => ArrayTree<Result<F, true>>, Aux<F>] {
  return linearizeOf(f, primals, true) as unknown as ReturnType<typeof linearizeWithAux<F>>;
}

function linearizeOf(f: Fn, primals: readonly unknown[], hasAux: boolean) {
  const { label, values, treedef, traced } = traceAt(f, primals, "linearize", hasAux);
  const { outputs, aux, map } = linearizeTraced(traced, values);
  const push = (...tangents: unknown[]) => {
    const given = readTangents(tangents, treedef, map.inAvals, `the tangents of ${label}`, "its arguments");
    return unflatten(traced.outTree, pushforward(map, given));
  };
  return [unflatten(traced.outTree, outputs), push, traced.rebuildAux(aux)] as const;
}

/**
 * The value of `f` at a point and its pullback: Jᵀ applied to cotangents.
 *
 * @param f a function of trees of arrays.
 * @param primals the point.
 * @returns the value and a function from a cotangent (shaped as the value) to an array with one cotangent for each
 *   argument. The pullback can be called any number of times, and traced itself.
 * @example
 * const [y, pull] = vjp((a, b) => a.mul(b), 2, 3);
 * pull(1); // [3, 2]
 */
export function vjp<F extends Fn>(
  f: F,
  ...primals: Parameters<F>
): [ArrayTree<ReturnType<F>>, (cotangent: TangentTree<ReturnType<F>>) => ArgumentTrees<F>] {
  const [value, pull] = vjpOf(f, primals, false);
  return [value, pull] as unknown as ReturnType<typeof vjp<F>>;
}

/** `vjp` of a function that returns [result, aux]: gives [result, pullback, aux]. */
export function vjpWithAux<F extends Fn>(
  f: F,
  ...primals: Parameters<F>
): [ArrayTree<Result<F, true>>, (cotangent: TangentTree<Result<F, true>>) => ArgumentTrees<F>, Aux<F>] {
  return vjpOf(f, primals, true) as unknown as ReturnType<typeof vjpWithAux<F>>;
}

function vjpOf(f: Fn, primals: readonly unknown[], hasAux: boolean) {
  const { label, values, treedef, traced } = traceAt(f, primals, "vjp", hasAux);
  const { outputs, aux, map } = linearizeTraced(traced, values);
  const pull = (cotangent: unknown) => {
    const seeds = readTangents(
      cotangent,
      traced.outTree,
      map.outAvals,
      `the cotangent of ${label}`,
      "its output",
    );
    return unflatten(treedef, pullback(map, seeds));
  };
  return [unflatten(traced.outTree, outputs), pull, traced.rebuildAux(aux)] as const;
}

/**
 * The transpose of a linear function: from a cotangent of its output to cotangents of its arguments.
 *
 * @param f a function that is linear in all its arguments together.
 * @param primals arguments, of which only shapes and dtypes are looked at.
 * @throws NotDifferentiableError for arguments that are no floats, and if `f` applies something that is not linear to
 *   them.
 * @example
 * const t = linearTranspose((x) => x.mul(3), np.zeros([2]));
 * t(np.array([1, 2])); // [[3, 6]]
 */
export function linearTranspose<F extends Fn>(
  f: F,
  ...primals: Parameters<F>
): (cotangent: TangentTree<ReturnType<F>>) => ArgumentTrees<F> {
  requireFunction(f, "linearTranspose");
  const label = `linearTranspose(${nameOf(f)})`;
  const { arrays, treedef } = flattenArrays(primals, `the arguments of ${label}`);
  const values = arrays.map(asDifferentiable);
  for (const [i, x] of values.entries()) {
    const name = () => leafName(`the arguments of ${label}`, treedef, i);
    requireFloat(x, name, "linearTranspose", "let the function close over them");
  }
  const types = values.map((x) => x.aval);
  const { closed, outTree } = traceFunction(
    { name: label },
    types,
    (inputs) => f(...unflatten<unknown[]>(treedef, inputs)),
    undefined,
    { floatResult: true },
  );
  const map: LinearMap = {
    jaxpr: closed.jaxpr,
    residuals: closed.consts,
    inAvals: types,
    activeIn: types.map(() => true),
    outAvals: closed.outAvals,
    activeOut: closed.outAvals.map((type) => isFloat(type.dtype)),
  };
  return (cotangent) => {
    const seeds = readTangents(cotangent, outTree, map.outAvals, `the cotangent of ${label}`, "its output");
    return unflatten(
      treedef,
      transposingUserCode(() => pullback(map, seeds)),
    );
  };
}

/** What the user claims to be linear and is not is a mistake in the program, not a gap in a record. */
function transposingUserCode<R>(body: () => R): R {
  try {
    return body();
  } catch (e) {
    if (!(e instanceof MissingRuleError && e.rule === "transpose")) throw e;
    throw new NotDifferentiableError(
      `${e.primitive} is linear in no operand, so a program in which it is applied to a tangent cannot be transposed`,
    );
  }
}
