/**
 * `tangentCall`: a derivative that comes from the user, a jaxpr that is applied as one equation. It is a call like that of
 * `jit`, but keeps the name of the function whose derivative it is, for when it turns out that it cannot be transposed.
 */
import type { NDArray } from "../core/array.js";
import { aval } from "../core/aval.js";
import { effectsOfBodies } from "../core/effects.js";
import { evalJaxpr } from "../core/eval.js";
import { Jaxpr, Var } from "../core/jaxpr.js";
import { definePrimitive, LinearInput } from "../core/primitive.js";
import { bind } from "../core/trace.js";
import { isZero } from "../core/zero.js";
import { jaxprCost, splitCall } from "./call.js";
import { jvpOfCall, transposeOfCall } from "./callRules.js";
import { bodyOf, bodyType, dceBody, evaluateBody } from "./customCall.js";
import { transposingClaim } from "./customLinearity.js";

/** Applies a derivative. `name` is what it is: `the jvp rule of softclip`. */
export const bindTangentCall = (jaxpr: Jaxpr, name: string, inputs: readonly NDArray[]): readonly NDArray[] =>
  bind(tangentCallPrimitive, inputs, { jaxpr, name });

export const tangentCallPrimitive = definePrimitive({
  name: "tangentCall",
  family: "call",
  summary: "applies the derivative that a function was given",
  abstractEval: (inputs, params) => bodyType("tangentCall", inputs, params),
  evaluate: (inputs, params) => evaluateBody(bodyOf(params).jaxpr, inputs),
  jvp: (primals, tangents, params, passes) => {
    const { jaxpr, name } = bodyOf(params);
    return jvpOfCall(jaxpr, primals, tangents, passes, (pushed, inputs) =>
      bindTangentCall(pushed, name, inputs),
    );
  },
  partialEval: splitCall,
  transpose: (cotangents, inputs, params, passes) => {
    const { jaxpr, name } = bodyOf(params);
    return transposingClaim(
      `${name} must be linear in the tangents`,
      jaxpr,
      inputs.map((x) => x instanceof LinearInput),
      cotangents.map((ct) => !isZero(ct)),
      // What is linear stays linear: nobody needs the name from here on.
      () => transposeOfCall(jaxpr, cotangents, inputs, passes, evalJaxpr),
    );
  },
  batch: (size, inputs, batched, params, passes) => {
    const { jaxpr, name } = bodyOf(params);
    const vectorised = passes.batch(jaxpr, size, batched);
    return {
      outputs: bindTangentCall(vectorised.jaxpr, name, inputs),
      batched: vectorised.batchedOut,
    };
  },
  dce: dceBody,
  inline: (params) => bodyOf(params).jaxpr,
  cost: (_, params) => jaxprCost(bodyOf(params).jaxpr),
  effectful: effectsOfBodies,
  laws: {
    differentiable: true,
    examples: () => [{ avals: [aval([2], "float64")], params: { jaxpr: identity(), name: "a linear map" } }],
  },
});

function identity(): Jaxpr {
  const x = new Var(0, aval([2], "float64"));
  return new Jaxpr([x], [], [x], 1);
}
