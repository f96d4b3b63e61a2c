/**
 * `linearCall`: a linear function that is known by its transpose. This is what the tangents of a function with a reverse rule
 * of its own go through: the rule says how cotangents are pulled back, and reverse mode needs no more than that. Forward mode
 * needs the function itself, and gets it by transposing the rule.
 */
import { isLeft, left, right } from "fp-ts/lib/Either.js";
import type { ConcreteArray, NDArray } from "../core/array.js";
import { type Aval, aval, tangentAval } from "../core/aval.js";
import { buildJaxpr, maskKey, memoize } from "../core/build.js";
import { type Relation, relationsOf } from "../core/dependence.js";
import { effectsOfBodies } from "../core/effects.js";
import { ArgumentError, NotDifferentiableError } from "../core/errors.js";
import { evalJaxpr } from "../core/eval.js";
import type { Jaxpr } from "../core/jaxpr.js";
import { passes } from "../core/passes.js";
import {
  definePrimitive,
  type Example,
  LinearInput,
  type Params,
  type TransposeResult,
} from "../core/primitive.js";
import { References } from "../core/references.js";
import { bind } from "../core/trace.js";
import { isZero, type Tangent, Zero, zeroFor } from "../core/zero.js";
import { jaxprCost } from "./call.js";
import { isCount, showParam, type TypeResult } from "./checks.js";
import { evaluateBody, operandFault, readBody } from "./customCall.js";
import { transposingClaim } from "./customLinearity.js";
import { bindTangentCall } from "./customTangent.js";
import { add } from "./elementwise.js";
import { mul } from "./field.js";
import { instantiate, repeat, zeros } from "./filled.js";
import { sin } from "./trigonometric.js";

/** How cotangents go through the function where some of them are known to be zero: for rules that want to know. */
export interface Backward {
  /** Takes residuals, then the cotangents that are not zero; gives those cotangents of the operands that are not. */
  given(zero: readonly boolean[]): TransposeResult;
}

const rules = new References<Backward>();

interface LinearParams {
  /** The transpose: takes residuals, then a cotangent for each output; gives a cotangent for each linear operand. */
  readonly jaxpr: Jaxpr;
  /** Of the function that it belongs to. */
  readonly name: string;
  readonly residuals: number;
  /** Null if there is none. */
  readonly rule: number | null;
}

const read = (params: Params): LinearParams => params as unknown as LinearParams;

/** Applies the linear function whose transpose is `jaxpr` to residuals, then tangents. */
export const bindLinearCall = (
  { jaxpr, name, residuals }: Omit<LinearParams, "rule">,
  rule: Backward | undefined,
  inputs: readonly NDArray[],
): readonly NDArray[] =>
  bind(linearCallPrimitive, inputs, {
    jaxpr,
    name,
    residuals,
    ...(rule === undefined ? { rule: null } : rules.params("rule", rule)),
  });

const claimOf = (name: string): string =>
  `forward mode through ${name} transposes its backward pass, which must be linear in the cotangents`;

/** The linear function itself: takes residuals, then tangents. */
const forwardOf: (backward: Jaxpr, residuals: number, name: string) => Jaxpr = memoize(
  (residuals: number, name: string) => `forward${residuals}${name}`,
  (backward: Jaxpr, residuals: number, name: string): Jaxpr => {
    const linear = backward.inputs.map((_, i) => i >= residuals);
    const all = backward.outputs.map(() => true);
    return transposingClaim(
      claimOf(name),
      backward,
      linear,
      all,
      () =>
        passes.transpose(
          backward,
          linear,
          all.map(() => false),
          linear.slice(residuals),
        ).jaxpr,
    );
  },
);

const forwardOfParams = (params: Params): Jaxpr => {
  const { jaxpr, residuals, name } = read(params);
  return forwardOf(jaxpr, residuals, name);
};

/** The same, or nothing if the backward pass is not linear, so that there is no such function. */
function forwardIfLinear(params: Params): Jaxpr | undefined {
  try {
    return forwardOfParams(params);
  } catch (error) {
    if (error instanceof NotDifferentiableError) return undefined;
    throw error;
  }
}

function typeOf(inputs: readonly Aval[], params: Params): TypeResult {
  const body = readBody("linearCall", params);
  if (isLeft(body)) return body;
  const { residuals, rule } = params;
  const { inAvals, outAvals } = body.right.jaxpr;
  if (!isCount(residuals) || residuals > inAvals.length)
    return left(
      new ArgumentError(
        `linearCall: the param residuals must count inputs of the jaxpr, got ${showParam(residuals)}`,
      ),
    );
  if (rule !== null && rules.find(rule) === undefined)
    return left(
      new ArgumentError(`linearCall: the param rule refers to no rule that is there, got ${showParam(rule)}`),
    );
  const fault = operandFault("linearCall", [...inAvals.slice(0, residuals), ...outAvals], inputs);
  return fault === undefined ? right(inAvals.slice(residuals).map(tangentAval)) : left(fault);
}

export const linearCallPrimitive = definePrimitive({
  name: "linearCall",
  family: "call",
  summary: "applies a linear function that is given by its transpose",
  abstractEval: typeOf,
  evaluate: (inputs, params) => evaluateBody(forwardOfParams(params), inputs as readonly ConcreteArray[]),
  jvp: (primals, tangents, params, passes) => {
    const { residuals, name, rule } = read(params);
    const outputs = bind(linearCallPrimitive, primals, params);
    // It is linear in the last operands ...
    const own = tangents.slice(residuals);
    let total: readonly Tangent[] = outputs.map((y) => zeroFor(y.aval));
    if (!own.every(isZero))
      total = bindLinearCall(read(params), rules.find(rule), [
        ...primals.slice(0, residuals),
        ...own.map(instantiate),
      ]);
    // ... and what it depends on otherwise shows in the function itself.
    const active = tangents.map((t, i) => i < residuals && !isZero(t));
    if (active.includes(true)) {
      const pushed = passes.jvp(forwardOfParams(params), active);
      const live = tangents.filter((_, i) => active[i]) as NDArray[];
      const results = bindTangentCall(pushed.jaxpr, `the derivative of ${name}`, [...primals, ...live]);
      let next = outputs.length;
      total = total.map((t, k) => {
        if (!pushed.activeOut[k]) return t;
        const more = results[next++];
        return isZero(t) ? more : add(t, more);
      });
    }
    return { outputs, tangents: total };
  },
  transpose: (cotangents, inputs, params) => {
    const { jaxpr, residuals, name, rule } = read(params);
    const fixed = inputs.slice(0, residuals);
    if (fixed.some((x) => x instanceof LinearInput))
      throw new NotDifferentiableError(
        `${name} is not linear in the values that its backward pass has kept, so it cannot be transposed with respect to them`,
      );
    const zero = cotangents.map(isZero);
    const special = rules.find(rule)?.given(zero);
    const seeds =
      special === undefined ? cotangents.map(instantiate) : cotangents.filter((ct) => !isZero(ct));
    const results = evalJaxpr(special?.jaxpr ?? jaxpr, [...fixed, ...seeds] as NDArray[]);
    const zeroOut = special?.zeroOut ?? jaxpr.outputs.map(() => false);
    let next = 0;
    const all = zeroOut.map((isZeroOut) => (isZeroOut ? null : results[next++]));
    return inputs.map((x, i) => (x instanceof LinearInput ? (all[i - residuals] ?? new Zero(x.aval)) : null));
  },
  batch: (size, inputs, batched, params) => {
    const { jaxpr, name, residuals, rule } = read(params);
    // Linear operands that are the same for all examples are repeated: transposed, that adds their cotangents up.
    const operands = inputs.map((x, i) => (i < residuals || batched[i] ? x : repeat(x, size)));
    const mask = jaxpr.inputs.map((_, i) => i >= residuals || batched[i]);
    const all = jaxpr.outputs.map(() => true);
    const found = rules.find(rule);
    const outputs = bindLinearCall(
      { jaxpr: passes.batch(jaxpr, size, mask, all).jaxpr, name, residuals },
      found && batchedBackward(found, size, mask, residuals),
      operands,
    );
    return { outputs, batched: outputs.map(() => true) };
  },
  inline: forwardOfParams,
  // Reverse mode goes through a backward pass that is not linear, too; what depends on what is then not known.
  dependence: (operands, params, outputs, passes, limit) => {
    const forward = forwardIfLinear(params);
    return forward === undefined
      ? outputs.map(() => operands.map((): Relation => "all"))
      : relationsOf(passes.dependence(forward, operands, limit));
  },
  // That of the function is its transpose's, give or take a few additions.
  cost: (_, params) => jaxprCost(read(params).jaxpr),
  effectful: effectsOfBodies,
  laws: {
    differentiable: true,
    examples,
  },
});

const vectorised = new WeakMap<Backward, Map<string, Backward>>();

/**
 * The rule for a batch: the same one whenever it is asked for, so that equal programs are equal.
 * @param mask which residuals are batched; cotangents all are.
 */
export function batchedBackward(
  rule: Backward,
  size: number,
  mask: readonly boolean[],
  residuals: number,
): Backward {
  const key = `${size}/${maskKey(mask)}`;
  const known = vectorised.get(rule) ?? new Map<string, Backward>();
  vectorised.set(rule, known);
  let found = known.get(key);
  if (found === undefined) {
    found = {
      given: (zero) => {
        const { jaxpr, zeroOut } = rule.given(zero);
        const batched = jaxpr.inputs.map((_, i) => i >= residuals || mask[i]);
        return {
          jaxpr: passes.batch(
            jaxpr,
            size,
            batched,
            jaxpr.outputs.map(() => true),
          ).jaxpr,
          zeroOut,
        };
      },
    };
    known.set(key, found);
  }
  return found;
}

/** (u, w) ↦ (sin r · u, u - 2 w), from its transpose. */
function examples(): readonly Example[] {
  const float = aval([2], "float64");
  const backward = buildJaxpr("example", [float, float, float], ([r, a, b]) => [
    add(mul(sin(r), a), b),
    mul(b, -2),
  ]);
  const params: Params = { jaxpr: backward, name: "example", residuals: 1, rule: null };
  const ordinary: Backward = {
    given: (zero) => {
      const live = zero.filter((isZeroCt) => !isZeroCt).map(() => float);
      const jaxpr = buildJaxpr("example", [float, ...live], ([r, ...cts]) => {
        let next = 0;
        return evalJaxpr(backward, [r, ...zero.map((z) => (z ? zeros(float) : cts[next++]))]);
      });
      return { jaxpr, zeroOut: [false, false] };
    },
  };
  return [
    { avals: [float, float, float], params },
    { avals: [float, float, float], params: { ...params, ...rules.params("rule", ordinary) } },
  ];
}
