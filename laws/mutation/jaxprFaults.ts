/**
 * Faults in what a rule computes. A rule is run on tracers, which gives a small jaxpr; every equation, operand, param and
 * output of it is a place for a fault. What is left of the original after merging and dropping dead code is no fault, and
 * what the type rules refuse is none either: nobody could have written it.
 */
import {
  type Aval,
  type Eqn,
  FluxionError,
  hashJaxpr,
  type Jaxpr,
  Literal,
  lax,
  type NDArray,
  numpy as np,
  type Var,
} from "fluxion";
import { sameType } from "../../src/core/aval.js";
import { buildJaxpr } from "../../src/core/build.js";
import { isFloat } from "../../src/core/dtype.js";
import { findPrimitive, type Params, type ParamValue } from "../../src/core/primitive.js";
import { bind, deriving, literalArray } from "../../src/core/trace.js";
import { zeros } from "../../src/primitives/filled.js";
import { dceKeepingInputs } from "../../src/transforms/dce.js";
import type { FaultKind } from "./fault.js";
import { changedParams } from "./paramFaults.js";

export interface JaxprFault {
  readonly kind: FaultKind;
  /** The same for every batch size: names places by their numbers. */
  readonly id: string;
  readonly what: string;
  readonly jaxpr: Jaxpr;
}

/** What an input of the rule's jaxpr is to the rule. */
export type InputRole = "primal" | "tangent" | "row";

/** How a rule's jaxpr is changed while it is built again. */
interface Change {
  readonly kind: FaultKind;
  readonly id: string;
  readonly what: string;
  readonly input?: readonly [k: number, f: (x: NDArray) => NDArray];
  readonly eqn?: readonly [
    k: number,
    f: (inputs: readonly NDArray[], eqn: Eqn, valueOf: (v: Var) => NDArray) => readonly NDArray[],
  ];
  readonly output?: readonly [k: number, f: (y: NDArray) => NDArray];
}

function rebuild(jaxpr: Jaxpr, { input, eqn: changed, output }: Change): Jaxpr {
  return buildJaxpr("fault", jaxpr.inAvals, (given) =>
    deriving(() => {
      const env = new Map<Var, NDArray>();
      for (const [i, v] of jaxpr.inputs.entries())
        env.set(v, input?.[0] === i ? input[1](given[i]) : given[i]);
      const valueOf = (a: Var | Literal): NDArray =>
        a instanceof Literal ? literalArray(a) : (env.get(a) as NDArray);
      for (const [k, eqn] of jaxpr.eqns.entries()) {
        const inputs = eqn.inputs.map(valueOf);
        const outputs =
          changed?.[0] === k ? changed[1](inputs, eqn, valueOf) : bind(eqn.primitive, inputs, eqn.params);
        for (const [j, v] of eqn.outputs.entries()) env.set(v, outputs[j]);
      }
      return jaxpr.outputs.map((a, k) => (output?.[0] === k ? output[1](valueOf(a)) : valueOf(a)));
    }),
  );
}

const unchanged: Change = { kind: "sign", id: "", what: "" };

const pruned = (jaxpr: Jaxpr): Jaxpr =>
  dceKeepingInputs(
    jaxpr,
    jaxpr.outputs.map(() => true),
  );

/** Faults of a jaxpr, and how many places there are where one might be. */
export interface Faults {
  readonly faults: readonly JaxprFault[];
  readonly places: number;
}

/**
 * At most `limit` faults of a jaxpr, chosen by `random`.
 *
 * @param roles what its inputs are to the rule.
 */
export function faultsOf(
  jaxpr: Jaxpr,
  roles: readonly InputRole[],
  limit: number,
  random: () => number,
): Faults {
  const seen = new Set([hashJaxpr(pruned(rebuild(jaxpr, unchanged)))]);
  const faults: JaxprFault[] = [];
  const changes = shuffled([...changesOf(jaxpr, roles)], random);
  for (const change of changes) {
    if (faults.length === limit) break;
    const changed = tryChange(jaxpr, change);
    if (changed === undefined) continue;
    const hash = hashJaxpr(pruned(changed));
    if (seen.has(hash)) continue;
    seen.add(hash);
    faults.push({ kind: change.kind, id: change.id, what: change.what, jaxpr: changed });
  }
  return { faults, places: changes.length };
}

/** The fault of this name in a jaxpr of the same rule, if there is such a place in it. */
export function applyFault(jaxpr: Jaxpr, roles: readonly InputRole[], id: string): Jaxpr | undefined {
  for (const change of changesOf(jaxpr, roles)) if (change.id === id) return tryChange(jaxpr, change);
  return undefined;
}

/** Undefined where the type rules refuse it. */
function tryChange(jaxpr: Jaxpr, change: Change): Jaxpr | undefined {
  try {
    const changed = rebuild(jaxpr, change);
    return changed.outAvals.every((a, k) => sameType(a, jaxpr.outAvals[k])) ? changed : undefined;
  } catch (error) {
    if (error instanceof FluxionError) return undefined;
    throw error;
  }
}

/** The list in random order (Durstenfeld's form of the Fisher-Yates shuffle). */
export function shuffled<T>(list: T[], random: () => number): T[] {
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [list[i], list[j]] = [list[j], list[i]];
  }
  return list;
}

/** A value that is wrong in a way that suits its type. */
function spoiled(type: Aval): readonly [FaultKind, string, (y: NDArray) => NDArray][] {
  if (type.dtype === "float0") return [];
  if (type.dtype === "bool") return [["wrong mask", "negated", (y) => np.logicalNot(y)]];
  if (!isFloat(type.dtype)) return [["wrong index", "one too large", (y) => np.add(y, 1)]];
  return [
    ["sign", "with the other sign", (y) => np.negative(y)],
    ["factor", "doubled", (y) => np.multiply(y, 2)],
  ];
}

const hasElements = ({ shape }: Aval): boolean => !shape.includes(0);

function* changesOf(jaxpr: Jaxpr, roles: readonly InputRole[]): Generator<Change> {
  for (const [k, v] of jaxpr.inputs.entries()) {
    if (!hasElements(v.aval)) continue;
    if (roles[k] === "tangent")
      yield {
        kind: "dropped term",
        id: `in${k}/zero`,
        what: `input ${k}, a tangent, taken for zero`,
        input: [k, () => zeros(v.aval)],
      };
    if (roles[k] === "row") {
      yield {
        kind: "wrong row",
        id: `in${k}/rev`,
        what: `rows of operand ${k} in reverse order`,
        input: [k, (x) => np.flip(x, 0)],
      };
      yield {
        kind: "wrong row",
        id: `in${k}/first`,
        what: `the first row of operand ${k} for all rows`,
        input: [
          k,
          (x) =>
            np.broadcastTo(
              lax.slice(
                x,
                x.shape.map(() => 0),
                [Math.min(1, x.shape[0]), ...x.shape.slice(1)],
              ),
              [...x.shape],
            ),
        ],
      };
    }
  }
  for (const [k, eqn] of jaxpr.eqns.entries())
    if (eqn.outputs.some((v) => hasElements(v.aval))) yield* changesOfEqn(jaxpr, k, eqn);
  for (const [k, a] of jaxpr.outputs.entries()) {
    if (!hasElements(a.aval)) continue;
    for (const [kind, what, f] of spoiled(a.aval))
      yield { kind, id: `out${k}/${what}`, what: `output ${k} ${what}`, output: [k, f] };
    if (isFloat(a.aval.dtype)) {
      yield {
        kind: "dropped term",
        id: `out${k}/zero`,
        what: `output ${k} taken for zero`,
        output: [k, () => zeros(a.aval)],
      };
      yield {
        kind: "factor",
        id: `out${k}/halved`,
        what: `output ${k} halved`,
        output: [k, (y) => np.multiply(y, 0.5)],
      };
    }
  }
}

function* changesOfEqn(jaxpr: Jaxpr, k: number, eqn: Eqn): Generator<Change> {
  const { primitive, inputs, params } = eqn;
  const name = `equation ${k}, ${primitive.name},`;
  const change = (
    kind: FaultKind,
    detail: string,
    what: string,
    f: (inputs: readonly NDArray[], valueOf: (v: Var) => NDArray) => readonly NDArray[],
  ): Change => ({
    kind,
    id: `eqn${k}/${detail}`,
    what: `${name} ${what}`,
    eqn: [k, (xs, _, valueOf) => f(xs, valueOf)],
  });

  for (const [j, v] of eqn.outputs.entries())
    for (const [kind, what, f] of spoiled(v.aval))
      yield change(kind, `${j}/${what}`, what, (xs) =>
        bind(primitive, xs, params).map((y, i) => (i === j ? f(y) : y)),
      );

  const type = eqn.outputs[0].aval;
  if (primitive.name === "add" || primitive.name === "sub")
    for (const i of [0, 1])
      if (sameType(inputs[1 - i].aval, type))
        yield change("dropped term", `drop${i}`, `without operand ${i}`, (xs) => [
          i === 0 && primitive.name === "sub" ? np.negative(xs[1]) : xs[1 - i],
        ]);
  if (primitive.name.startsWith("scatter"))
    yield change("dropped term", "drop2", "without its updates", (xs) => [xs[0]]);
  if (primitive.name === "select")
    for (const i of [1, 2])
      if (sameType(inputs[i].aval, type))
        yield change("wrong mask", `always${i}`, `always its operand ${i}`, (xs) => [xs[i]]);

  if (!primitive.commutative)
    for (let i = 0; i < inputs.length; i++)
      for (let j = i + 1; j < inputs.length; j++)
        if (inputs[i] !== inputs[j] && sameType(inputs[i].aval, inputs[j].aval))
          yield change("swapped operands", `swap${i},${j}`, `operands ${i} and ${j} swapped`, (xs) =>
            bind(
              primitive,
              xs.map((x, n) => (n === i ? xs[j] : n === j ? xs[i] : x)),
              params,
            ),
          );

  for (const [i, a] of inputs.entries()) {
    if (a instanceof Literal) {
      const wrong = isFloat(a.aval.dtype) ? a.value * 2 || 1 : a.value + 1;
      const literal = new Literal(a.aval.dtype === "bool" ? 1 - a.value : wrong, a.aval);
      yield change("wrong constant", `literal${i}`, `${literal.value} for ${a.value}`, (xs) =>
        bind(
          primitive,
          xs.map((x, n) => (n === i ? literalArray(literal) : x)),
          params,
        ),
      );
    }
    for (const [at, other] of alternatives(jaxpr, k, a))
      yield change("wrong residual", `operand${i}=${at}`, `${at} for operand ${i}`, (xs, valueOf) =>
        bind(
          primitive,
          xs.map((x, n) => (n === i ? valueOf(other) : x)),
          params,
        ),
      );
  }

  if (primitive.name === "reduceSum") {
    const axes = params.axes as readonly number[];
    const { shape } = inputs[0].aval;
    if (axes.some((axis) => shape[axis] > 1))
      yield change("missing sum", "first", "the first term only", ([x]) => [
        np.reshape(
          lax.slice(
            x,
            shape.map(() => 0),
            shape.map((n, axis) => (axes.includes(axis) ? 1 : n)),
          ),
          [...type.shape],
        ),
      ]);
  }

  for (const other of mistaken[primitive.name] ?? []) {
    const wrong = findPrimitive(other);
    if (wrong !== undefined)
      yield change("wrong function", other, `${other} in its place`, (xs) => bind(wrong, xs, params));
  }

  for (const { kind, path, what, params: wrong } of changedParams(params as Params))
    yield change(kind, path, what, (xs) =>
      bind(primitive, xs, wrong as Readonly<Record<string, ParamValue>>),
    );
}

/** Other values of the same type that are at hand: the last input of the rule, and the value computed last. */
function* alternatives(jaxpr: Jaxpr, k: number, a: Var | Literal): Generator<readonly [string, Var]> {
  const fits = (v: Var): boolean => v !== a && sameType(v.aval, a.aval);
  const inputs = jaxpr.inputs.flatMap((v, i) => (fits(v) ? [[`input ${i}`, v] as const] : []));
  const computed = jaxpr.eqns
    .slice(0, k)
    .flatMap((e, i) => e.outputs.flatMap((v, j) => (fits(v) ? [[`value ${i}.${j}`, v] as const] : [])));
  if (inputs.length > 0) yield inputs[0];
  if (inputs.length > 1) yield inputs[inputs.length - 1];
  if (computed.length > 0) yield computed[computed.length - 1];
}

/** Functions that are taken for each other. */
const mistaken: Readonly<Record<string, readonly string[]>> = {
  add: ["sub"],
  sub: ["add"],
  mul: ["div"],
  div: ["mul"],
  max: ["min"],
  min: ["max"],
  sin: ["cos"],
  cos: ["sin"],
  sinh: ["cosh"],
  cosh: ["sinh"],
  exp: ["exp2", "expm1"],
  exp2: ["exp"],
  log: ["log1p"],
  log1p: ["log"],
  tan: ["tanh"],
  tanh: ["tan"],
  sqrt: ["rsqrt"],
  rsqrt: ["sqrt"],
  square: ["abs"],
  abs: ["neg"],
  sign: ["abs"],
  lt: ["ge"],
  le: ["gt"],
  gt: ["le"],
  ge: ["lt"],
  eq: ["ne"],
  ne: ["eq"],
  reduceMax: ["reduceMin"],
  reduceMin: ["reduceMax"],
  reduceSum: ["reduceMax"],
  reduceAnd: ["reduceOr"],
  reduceOr: ["reduceAnd"],
  cumsum: ["cummax"],
  cummax: ["cummin"],
  cummin: ["cummax"],
  argmax: ["argmin"],
  argmin: ["argmax"],
  scatterAdd: ["scatter"],
  scatter: ["scatterAdd"],
  scatterMax: ["scatterMin"],
  scatterMin: ["scatterMax"],
  digamma: ["lgamma"],
  lgamma: ["digamma"],
  bitwiseAnd: ["bitwiseOr"],
  bitwiseOr: ["bitwiseAnd"],
  shiftLeft: ["shiftRightLogical"],
  shiftRightLogical: ["shiftRightArithmetic"],
  shiftRightArithmetic: ["shiftRightLogical"],
  asin: ["acos"],
  acos: ["asin"],
  floor: ["ceil"],
  ceil: ["floor"],
};
