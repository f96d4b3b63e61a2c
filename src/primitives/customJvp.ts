/**
 * `customJvp`: a function of the user's with a tangent rule of its own. The body is what the function means; the rule, a
 * function, is traced when a derivative is first asked for, so that it may use the function that it belongs to.
 */
import type { NDArray } from "../core/array.js";
import { aval } from "../core/aval.js";
import { buildJaxpr } from "../core/build.js";
import { isFloat } from "../core/dtype.js";
import { effectsOfBodies } from "../core/effects.js";
import type { Jaxpr } from "../core/jaxpr.js";
import { passes } from "../core/passes.js";
import { definePrimitive, type Example, type Params } from "../core/primitive.js";
import { References } from "../core/references.js";
import { bind } from "../core/trace.js";
import { isZero } from "../core/zero.js";
import { jaxprCost } from "./call.js";
import { splitTangents } from "./callRules.js";
import { bodyOf, evaluateBody, perBatch, ruledType } from "./customCall.js";
import { bindTangentCall } from "./customTangent.js";
import { mul } from "./field.js";
import { sin } from "./trigonometric.js";

/** How tangents go through a function. */
export interface JvpOfFunction {
  /** What it is, for messages: `the jvp rule of softclip`. */
  readonly name: string;
  /**
   * The function with the tangents of its active inputs: takes all inputs, then those tangents; gives all outputs, then
   * tangents of those that are marked in `activeOut`, floats all of them.
   */
  push(active: readonly boolean[]): { readonly jaxpr: Jaxpr; readonly activeOut: readonly boolean[] };
}

const rules = new References<JvpOfFunction>();

const ruleOf = ({ rule }: Params): JvpOfFunction => rules.find(rule) as JvpOfFunction;

/** Applies a function that has a tangent rule. */
export const bindCustomJvp = (
  jaxpr: Jaxpr,
  name: string,
  rule: JvpOfFunction,
  inputs: readonly NDArray[],
): readonly NDArray[] => bind(customJvpPrimitive, inputs, { jaxpr, name, ...rules.params("rule", rule) });

export const customJvpPrimitive = definePrimitive({
  name: "customJvp",
  family: "call",
  summary: "applies a function that has a tangent rule of its own",
  abstractEval: ruledType("customJvp", rules),
  evaluate: (inputs, params) => evaluateBody(bodyOf(params).jaxpr, inputs),
  jvp: (primals, tangents, params) => {
    const rule = ruleOf(params);
    const { jaxpr, activeOut } = rule.push(tangents.map((t) => !isZero(t)));
    const live = tangents.filter((t): t is NDArray => !isZero(t));
    const results = bindTangentCall(jaxpr, rule.name, [...primals, ...live]);
    return splitTangents(activeOut.length, results, activeOut);
  },
  batch: (size, inputs, batched, params) => {
    const { jaxpr, name } = bodyOf(params);
    // The body and the rule have to agree on which outputs are batched, and they compute them in different ways.
    const all = jaxpr.outputs.map(() => true);
    const vectorised = passes.batch(jaxpr, size, batched, all).jaxpr;
    return {
      outputs: bindCustomJvp(vectorised, name, batchedRule(ruleOf(params), size, batched), inputs),
      batched: all,
    };
  },
  inline: (params) => bodyOf(params).jaxpr,
  cost: (_, params) => jaxprCost(bodyOf(params).jaxpr),
  effectful: effectsOfBodies,
  laws: {
    differentiable: true,
    examples,
  },
});

const batchedRule = perBatch<JvpOfFunction>((rule, size, batched) => ({
  name: rule.name,
  push: (active) => {
    const { jaxpr, activeOut } = rule.push(active);
    // A tangent is batched like the value that it belongs to.
    const mask = [...batched, ...batched.filter((_, i) => active[i])];
    const all = jaxpr.outputs.map(() => true);
    return { jaxpr: passes.batch(jaxpr, size, mask, all).jaxpr, activeOut };
  },
}));

/** Functions whose rules are what their bodies imply: their own derivatives, which the laws can check. */
function examples(): readonly Example[] {
  const float = aval([2], "float64");
  const product = buildJaxpr("example", [float, float], ([x, y]) => [mul(sin(x), y), sin(y)]);
  const counted = buildJaxpr("example", [float, aval([], "int32")], ([x, n]) => [sin(x), n, x]);
  return [product, counted].map((jaxpr) => ({
    avals: jaxpr.inAvals,
    params: { jaxpr, name: "example", ...rules.params("rule", ordinaryRule(jaxpr)) },
  }));
}

const ordinaryRule = (jaxpr: Jaxpr): JvpOfFunction => ({
  name: "the jvp rule of example",
  push: (active) =>
    passes.jvp(
      jaxpr,
      active,
      jaxpr.outAvals.map((type) => isFloat(type.dtype)),
    ),
});
