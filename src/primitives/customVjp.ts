/**
 * `customVjp`: a function of the user's with a backward pass of its own. Differentiated, it becomes the forward pass, which
 * keeps residuals, and a linear function of the tangents that is given by its transpose, the backward pass (`linearCall`).
 * The rule is traced when a derivative is first asked for, so that it may use the function that it belongs to.
 */
import type { NDArray } from "../core/array.js";
import { aval } from "../core/aval.js";
import { buildJaxpr, maskKey } from "../core/build.js";
import { isFloat } from "../core/dtype.js";
import { effectsOfBodies } from "../core/effects.js";
import { evalJaxpr } from "../core/eval.js";
import type { Jaxpr } from "../core/jaxpr.js";
import { passes } from "../core/passes.js";
import { definePrimitive, type Example, type Params } from "../core/primitive.js";
import { References } from "../core/references.js";
import { bind } from "../core/trace.js";
import { isZero, type Tangent, zeroFor } from "../core/zero.js";
import { reduceSum } from "./broadcast.js";
import { jaxprCost } from "./call.js";
import { bodyOf, evaluateBody, perBatch, ruledType } from "./customCall.js";
import { type Backward, batchedBackward, bindLinearCall } from "./customLinear.js";
import { add } from "./elementwise.js";
import { mul } from "./field.js";
import { cos, sin } from "./trigonometric.js";

/** How cotangents are pulled back through a function. */
export interface VjpOfFunction {
  /** Of the function, for messages. */
  readonly name: string;
  /** The two passes where `active` inputs have tangents. */
  pull(active: readonly boolean[]): Pullback;
}

export interface Pullback {
  /** Takes the inputs; gives the outputs, then residuals. */
  readonly forward: Jaxpr;
  readonly residuals: number;
  /** Which inputs have a cotangent; all of them are active. */
  readonly linear: readonly boolean[];
  /** Takes residuals, then cotangents of the outputs that are floats; gives those of the linear inputs. */
  readonly backward: Jaxpr;
  /** For rules that want to know which cotangents are zero. */
  readonly special?: Backward;
}

const rules = new References<VjpOfFunction>();

const ruleOf = ({ rule }: Params): VjpOfFunction => rules.find(rule) as VjpOfFunction;

/** Applies a function that has a backward pass. */
export const bindCustomVjp = (
  jaxpr: Jaxpr,
  name: string,
  rule: VjpOfFunction,
  inputs: readonly NDArray[],
): readonly NDArray[] => bind(customVjpPrimitive, inputs, { jaxpr, name, ...rules.params("rule", rule) });

export const customVjpPrimitive = definePrimitive({
  name: "customVjp",
  family: "call",
  summary: "applies a function that has a backward pass of its own",
  abstractEval: ruledType("customVjp", rules),
  evaluate: (inputs, params) => evaluateBody(bodyOf(params).jaxpr, inputs),
  jvp: (primals, tangents, params) => {
    const rule = ruleOf(params);
    const { forward, residuals, linear, backward, special } = rule.pull(tangents.map((t) => !isZero(t)));
    const results = evalJaxpr(forward, primals);
    const kept = results.splice(results.length - residuals);
    const moved = tangents.filter((_, i) => linear[i]) as NDArray[];
    const floats = results.filter((y) => isFloat(y.dtype));
    if (moved.length === 0 || floats.length === 0)
      return { outputs: results, tangents: results.map((y) => zeroFor(y.aval)) };
    const images = bindLinearCall({ jaxpr: backward, name: rule.name, residuals }, special, [
      ...kept,
      ...moved,
    ]);
    let next = 0;
    return {
      outputs: results,
      tangents: results.map((y): Tangent => (isFloat(y.dtype) ? images[next++] : zeroFor(y.aval))),
    };
  },
  batch: (size, inputs, batched, params) => {
    const { jaxpr, name } = bodyOf(params);
    // The body and the forward pass have to agree on which outputs are batched, and they compute them in different ways.
    const all = jaxpr.outputs.map(() => true);
    const body = passes.batch(jaxpr, size, batched, all).jaxpr;
    return {
      outputs: bindCustomVjp(body, name, batchedRule(ruleOf(params), size, batched), inputs),
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

const batchedRule = perBatch<VjpOfFunction>((rule, size, batched) => {
  const pulled = new Map<string, Pullback>();
  return {
    name: rule.name,
    pull: (active) => {
      const mask = maskKey(active);
      const pullback = pulled.get(mask) ?? batchedPullback(rule.pull(active), size, batched);
      pulled.set(mask, pullback);
      return pullback;
    },
  };
});

function batchedPullback(
  { forward, residuals, linear, backward, special }: Pullback,
  size: number,
  batched: readonly boolean[],
): Pullback {
  const count = forward.outputs.length - residuals;
  const both = passes.batch(
    forward,
    size,
    batched,
    forward.outputs.map((_, k) => k < count),
  );
  const mask = backward.inputs.map((_, i) => i >= residuals || both.batchedOut[count + i]);
  const shared = batched.filter((_, i) => linear[i]).map((b) => !b);
  const summing = (rule: Backward): Backward => {
    const each = batchedBackward(rule, size, mask, residuals);
    return {
      given: (zero) => {
        const { jaxpr, zeroOut } = each.given(zero);
        return {
          jaxpr: summed(
            jaxpr,
            shared.filter((_, i) => !zeroOut[i]),
          ),
          zeroOut,
        };
      },
    };
  };
  const each = passes.batch(
    backward,
    size,
    mask,
    backward.outputs.map(() => true),
  ).jaxpr;
  return {
    forward: both.jaxpr,
    residuals,
    linear,
    backward: summed(each, shared),
    special: special && summing(special),
  };
}

/** An input that is the same for all examples has the sum of their cotangents. */
function summed(jaxpr: Jaxpr, shared: readonly boolean[]): Jaxpr {
  if (!shared.includes(true)) return jaxpr;
  return buildJaxpr("vmap", jaxpr.inAvals, (inputs) =>
    evalJaxpr(jaxpr, inputs).map((ct, i) => (shared[i] ? reduceSum(ct, [0]) : ct)),
  );
}

/** Functions whose rules are their derivatives, which the laws can check. */
function examples(): readonly Example[] {
  const float = aval([2], "float64");
  const product = buildJaxpr("example", [float, float], ([x, y]) => [mul(sin(x), y), y]);
  const rule = (): VjpOfFunction => ({
    name: "example",
    pull: (active) => ({
      forward: buildJaxpr("example", [float, float], ([x, y]) => [mul(sin(x), y), y, mul(cos(x), y), sin(x)]),
      residuals: 2,
      linear: active,
      backward: buildJaxpr("example", [float, float, float, float], ([dx, dy, u, w]) =>
        [mul(dx, u), add(mul(dy, u), w)].filter((_, i) => active[i]),
      ),
    }),
  });
  return [
    { avals: product.inAvals, params: { jaxpr: product, name: "example", ...rules.params("rule", rule()) } },
  ];
}
