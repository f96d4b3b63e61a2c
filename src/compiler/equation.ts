/** One operation as a jaxpr: how it reaches the compiler. */
import type { ConcreteArray } from "../core/array.js";
import { type Aval, showAval } from "../core/aval.js";
import { isEffectful } from "../core/effects.js";
import { Jaxpr, Var } from "../core/jaxpr.js";
import { paramsKey } from "../core/params.js";
import type { Params, Primitive } from "../core/primitive.js";

/** Operations that are remembered. */
const remembered = 512;

const operations = new Map<string, Jaxpr>();

/** The jaxpr of one operation, the same object for the same types and params: what is compiled from it is kept with it. */
export function operationJaxpr(
  primitive: Primitive,
  inputs: readonly ConcreteArray[],
  params: Params,
  outputs: readonly Aval[],
): Jaxpr {
  let key = `${primitive.id}:${paramsKey(params)}`;
  for (const x of inputs) key += `;${showAval(x.aval)}`;
  let jaxpr = operations.get(key);
  if (jaxpr === undefined) {
    const given = inputs.map((x, i) => new Var(i, x.aval));
    const made = outputs.map((type, i) => new Var(given.length + i, type));
    const eqn = { primitive, inputs: given, params, outputs: made, source: undefined };
    jaxpr = new Jaxpr(given, [eqn], made, given.length + made.length);
    // The params of an effect may keep a function of the user's alive.
    if (isEffectful(primitive, params)) return jaxpr;
    // The oldest goes: programs that run in a loop are made again at once, and nothing grows without end.
    if (operations.size >= remembered) operations.delete(operations.keys().next().value as string);
    operations.set(key, jaxpr);
  }
  return jaxpr;
}
