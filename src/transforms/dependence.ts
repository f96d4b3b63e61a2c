/**
 * Which elements of a program's outputs depend on which elements of its inputs: the pattern of a Jacobian, from the program
 * alone.
 *
 * The Jacobian of a function is its linear map, and that is a program too (linearize.ts). Tangents go through it in the forms
 * that each record's `dependence` rule describes: element by element, moved, summed. Composed, these relations are the pattern.
 * What has no derivative (comparisons, integers, `stopGradient`) is not in that program, and so not in the pattern.
 *
 * Patterns are supersets: an entry that is left out is zero for all inputs. Values that are the same for all inputs are made use
 * of: places that are gathered from, masks, zeros of a matrix.
 */
import { type ConcreteArray, isReadable, type NDArray } from "../core/array.js";
import { sizeOf } from "../core/aval.js";
import { maskKey, memoize } from "../core/build.js";
import { type DependenceOperand, relationsOf, throughRelation } from "../core/dependence.js";
import { isFloat } from "../core/dtype.js";
import { type Atom, type ClosedJaxpr, type Eqn, type Jaxpr, type Literal, Var } from "../core/jaxpr.js";
import { defaultLimit, SparsityPattern } from "../core/pattern.js";
import { unionOf } from "../core/patternAlgebra.js";
import { recall } from "../core/recurring.js";
import { literalArray } from "../core/trace.js";
import { constantOutputs, evaluateEquation, type LazyValue, lazily, noValue } from "./constants.js";
import { linearizeJaxpr } from "./linearize.js";
import { passes, providePasses } from "./passes.js";

/** Large functions may have so many entries for each element of their inputs and outputs. */
const perElement = 8;

export interface PatternOptions {
  /** Patterns of more entries than this are taken to be full. Default 2²²; of a function eight for each element, if that is more. */
  readonly limit?: number;
}

type Pattern = SparsityPattern | undefined;

/** What is known of a variable: its patterns with respect to the active inputs if it depends on some, else perhaps its value. */
interface Known {
  readonly patterns: readonly Pattern[] | undefined;
  readonly value: LazyValue;
}

/** Patterns that were found, and the inputs whose values were asked for on the way and are not known. */
interface Found {
  readonly patterns: readonly (readonly Pattern[])[];
  readonly asked: readonly number[];
}

/** Patterns of whole programs, which may live long, are remembered up to so many entries: those of plans are kept by them. */
const mostKept = 2 ** 16;

/**
 * Patterns [output][input] of a program that is linear in its active inputs together; undefined stands for no dependence. They
 * are remembered with the program, for calls that know no more of its inputs.
 *
 * @param most larger ones are not remembered.
 */
export function dependenceOf(
  jaxpr: Jaxpr,
  inputs: readonly DependenceOperand[],
  limit: number = defaultLimit,
  most: number = Number.POSITIVE_INFINITY,
): readonly (readonly Pattern[])[] {
  jaxpr.memo ??= new Map();
  const key = `dependence/${maskKey(inputs.map((x) => x.active))}/${limit}`;
  const found = jaxpr.memo.get(key) as Found | undefined;
  if (found?.asked.every((i) => inputs[i].value() === undefined)) return found.patterns;
  const asked = new Set<number>();
  let valuesUsed = false;
  const watched = inputs.map(
    (x, i): DependenceOperand => ({
      ...x,
      value: () => {
        const value = x.value();
        asked.add(i);
        valuesUsed ||= value !== undefined;
        return value;
      },
    }),
  );
  const patterns = track(jaxpr, watched, limit);
  const entries = patterns.flat().reduce((n, p) => n + (p === undefined || p.isFull ? 0 : p.nonzeros), 0);
  if (!valuesUsed && entries <= most) jaxpr.memo.set(key, { patterns, asked: [...asked] } satisfies Found);
  return patterns;
}

function track(jaxpr: Jaxpr, inputs: readonly DependenceOperand[], limit: number): Pattern[][] {
  const env = new Array<Known | undefined>(jaxpr.varCount);
  const last = lastUses(jaxpr);
  for (const [i, v] of jaxpr.inputs.entries()) {
    const own = SparsityPattern.identity(inputs[i].active ? sizeOf(v.aval.shape) : 0);
    env[v.id] = inputs[i].active
      ? { patterns: inputs.map((_, k) => (k === i ? own : undefined)), value: noValue }
      : { patterns: undefined, value: () => inputs[i].value() };
  }
  const known = (a: Atom): Known =>
    a instanceof Var ? (env[a.id] as Known) : { patterns: undefined, value: () => literalValue(a) };
  for (const [at, eqn] of jaxpr.eqns.entries()) {
    const results = trackEquation(eqn, eqn.inputs.map(known), inputs.length, limit);
    for (const [k, v] of eqn.outputs.entries()) env[v.id] = results[k];
    // Patterns may be large: they go when nothing is to be said of them any more.
    for (const id of last[at]) env[id] = undefined;
  }
  return jaxpr.outputs.map((a) => [...(known(a).patterns ?? inputs.map(() => undefined))]);
}

function trackEquation(eqn: Eqn, operands: readonly Known[], count: number, limit: number): Known[] {
  const { primitive, params, outputs } = eqn;
  const types = outputs.map((v) => v.aval);
  if (operands.every((x) => x.patterns === undefined)) {
    const values = lazily(() => evaluateEquation(eqn, operands));
    return outputs.map((_, k) => ({ patterns: undefined, value: () => values()?.[k] }));
  }
  const described = eqn.inputs.map(
    (a, i): DependenceOperand => ({
      aval: a.aval,
      active: operands[i].patterns !== undefined,
      value: operands[i].value,
    }),
  );
  // What is full, and too large to be listed, stays so: to say how its elements move would be work for nothing.
  const isHuge = (p: Pattern): boolean => p === undefined || (p.isFull && p.nonzeros > limit);
  const isHopeless = outputs.length === 1 && operands.every(({ patterns = [] }) => patterns.every(isHuge));
  const relations =
    (isHopeless ? [operands.map(() => "all" as const)] : undefined) ??
    primitive.dependence?.(described, params, types, passes, limit) ??
    throughInline(eqn, described, limit) ??
    outputs.map(() => described.map(() => "all" as const));
  return types.map((type, k) => {
    if (!isFloat(type.dtype)) return { patterns: undefined, value: noValue };
    const rows = sizeOf(type.shape);
    const patterns = new Array<Pattern>(count).fill(undefined);
    for (const [i, { patterns: own }] of operands.entries())
      for (const [j, pattern] of own?.entries() ?? []) {
        if (pattern === undefined) continue;
        patterns[j] = unionOf(patterns[j], throughRelation(relations[k][i], pattern, rows, limit), limit);
      }
    return { patterns, value: noValue };
  });
}

/** The relations of an equation that stands for simpler ones. */
function throughInline(
  { primitive, params, inputs }: Eqn,
  operands: readonly DependenceOperand[],
  limit: number,
) {
  const body = primitive.inline?.(
    params,
    inputs.map((a) => a.aval),
  );
  return body && relationsOf(passes.dependence(body, operands, limit));
}

const literalValue = (a: Literal): ConcreteArray | undefined => {
  const array = literalArray(a);
  return isReadable(array) ? array : undefined;
};

/** For each equation the variables that are not needed after it. */
const lastUses = memoize(
  () => "",
  (jaxpr: Jaxpr): readonly (readonly number[])[] => {
    const needed = new Uint8Array(jaxpr.varCount);
    for (const a of jaxpr.outputs) if (a instanceof Var) needed[a.id] = 1;
    const last: number[][] = jaxpr.eqns.map(() => []);
    for (let i = jaxpr.eqns.length - 1; i >= 0; i--)
      for (const a of [...jaxpr.eqns[i].inputs, ...jaxpr.eqns[i].outputs])
        if (a instanceof Var && needed[a.id] === 0) {
          needed[a.id] = 1;
          last[i].push(a.id);
        }
    return last;
  },
);

/**
 * The pattern of a linear program (`LinearMap.jaxpr`): residuals first, then tangents.
 *
 * @param residuals for each residual its value if it is the same for all inputs of the function, else undefined; or a function
 *   that gives it, which is called if it matters.
 * @returns patterns [output][tangent input].
 */
export function patternOf(
  linear: Jaxpr,
  residuals: readonly (NDArray | undefined | LazyValue)[],
  { limit = defaultLimit }: PatternOptions = {},
): SparsityPattern[][] {
  const inputs = linear.inputs.map(({ aval }, i): DependenceOperand => {
    const given = residuals[i];
    if (i >= residuals.length) return { aval, active: true, value: noValue };
    if (typeof given === "function") return { aval, active: false, value: given };
    return {
      aval,
      active: false,
      value: () => (given !== undefined && isReadable(given) ? given : undefined),
    };
  });
  const patterns = dependenceOf(linear, inputs, limit, mostKept);
  return linear.outputs.map((y, k) =>
    linear.inputs
      .slice(residuals.length)
      .map(
        (x, i) =>
          patterns[k][residuals.length + i] ??
          SparsityPattern.none(sizeOf(y.aval.shape), sizeOf(x.aval.shape)),
      ),
  );
}

/**
 * The pattern of the Jacobian of a traced function: patterns [result leaf][input leaf], for all `resultCount` results and for
 * the inputs marked active (floats only), in order. Constants of the program that are arrays are made use of; those that are
 * tracers of an outer trace, or on a GPU, are not known. Nothing is computed that depends on inputs.
 */
export function patternOfTraced(
  closed: ClosedJaxpr,
  activeIn: readonly boolean[],
  resultCount: number = closed.outAvals.length,
  options: PatternOptions = {},
): SparsityPattern[][] {
  const { consts } = closed;
  const { known, linear, activeOut } = linearizeJaxpr(
    recall(closed.jaxpr),
    consts.length,
    activeIn,
    resultCount,
    true,
  );
  const inputs = closed.inAvals.filter((_, i) => activeIn[i]);
  const residualCount = linear.inputs.length - inputs.length;
  const residuals = constantOutputs(known, consts).slice(known.outputs.length - residualCount);
  const sizes = [...inputs, ...closed.outAvals.slice(0, resultCount)].map(({ shape }) => sizeOf(shape));
  const elements = sizes.reduce((a, b) => a + b, 0);
  const { limit = Math.max(defaultLimit, perElement * elements) } = options;
  const patterns = patternOf(linear, residuals, { limit });
  let next = 0;
  return closed.outAvals
    .slice(0, resultCount)
    .map((y, k) =>
      activeOut[k]
        ? patterns[next++]
        : inputs.map((x) => SparsityPattern.none(sizeOf(y.shape), sizeOf(x.shape))),
    );
}

providePasses({ dependence: dependenceOf });
