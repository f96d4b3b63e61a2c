/** `name`: the identity, and a name for the value that policies of `checkpoint` can ask for. It survives every transform. */
import { left, right } from "fp-ts/lib/Either.js";
import type { NDArray } from "../core/array.js";
import { type Aval, aval } from "../core/aval.js";
import { ArgumentError } from "../core/errors.js";
import { type Eqn, Jaxpr, Var } from "../core/jaxpr.js";
import { definePrimitive, type Params } from "../core/primitive.js";
import { bind } from "../core/trace.js";
import { showParam, typeRule } from "./checks.js";
import { elementByElement } from "./dependence.js";
import { linear, noWork } from "./linear.js";

/** The same array under a name. */
export const bindName = (x: NDArray, name: string): NDArray => bind(namePrimitive, [x], { name })[0];

const apply = (inputs: readonly NDArray[], params: Params) => bind(namePrimitive, inputs, params);

export const namePrimitive = definePrimitive({
  name: "name",
  family: "call",
  summary: "the same array, with a name for policies of checkpoint",
  abstractEval: typeRule("name", 1, ([x], { name }) =>
    typeof name === "string"
      ? right([x])
      : left(new ArgumentError(`name: the param name must be a string, got ${showParam(name)}`)),
  ),
  evaluate: ([x], _, [out]) => [x.alias(out)],
  ...linear(apply, (ct) => ct),
  // It is the value that has the name, not how it changes.
  jvp: (primals, tangents, params) => ({ outputs: apply(primals, params), tangents }),
  batch: (_, inputs, batched, params) => ({ outputs: apply(inputs, params), batched }),
  inline: (_, [x]) => identityOn(x),
  cost: noWork,
  dependence: elementByElement,
  laws: {
    differentiable: true,
    examples: () => [
      { avals: [aval([2, 3], "float64")], params: { name: "hidden" } },
      { avals: [aval([], "int32")], params: { name: "" } },
    ],
  },
});

function identityOn(type: Aval): Jaxpr {
  const x = new Var(0, type);
  return new Jaxpr([x], [], [x], 1);
}

/** The name that an equation gives to its operand, if it does so. */
export const nameGivenBy = ({ primitive, params }: Eqn): string | undefined =>
  primitive === namePrimitive ? (params.name as string) : undefined;
