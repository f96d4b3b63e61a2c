/**
 * The first pass: one flat jaxpr. Calls and what else stands for simpler equations are unfolded, equal equations merged, operations that change nothing
 * dropped, scalar arithmetic on literals done, and what no output needs removed. What barriers kept apart has its order noted.
 */
import type { NDArray } from "../core/array.js";
import { buildJaxpr, memoize } from "../core/build.js";
import { isEffectful } from "../core/effects.js";
import { read } from "../core/eval.js";
import { type Eqn, Jaxpr, Var } from "../core/jaxpr.js";
import { bind, deriving, inheritingSources, inheritSource } from "../core/trace.js";
import { dissolveBarriers } from "./barriers.js";
import { turnProducts } from "./products.js";

/**
 * The jaxpr without calls of jit, with nothing computed twice and nothing computed in vain.
 *
 * @param operands so many operands an equation may have at most; where there are more it is split in parts.
 */
export const normalise: (jaxpr: Jaxpr, operands: number) => Jaxpr = memoize(
  (operands: number) => String(operands),
  (jaxpr: Jaxpr, operands: number): Jaxpr => {
    const flat = buildJaxpr("compile", jaxpr.inAvals, (inputs) =>
      deriving(() => inheritingSources(() => unfold(jaxpr, inputs, operands))),
    );
    return turnProducts(withoutDeadCode(dissolveBarriers(flat)));
  },
);

function unfold(jaxpr: Jaxpr, args: readonly NDArray[], operands: number): NDArray[] {
  const env = new Array<NDArray | undefined>(jaxpr.varCount);
  for (let i = 0; i < args.length; i++) env[jaxpr.inputs[i].id] = args[i];
  for (const eqn of jaxpr.eqns) {
    const inputs = eqn.inputs.map((a) => read(env, a));
    inheritSource(eqn.source);
    const body = eqn.primitive.inline?.(
      eqn.params,
      inputs.map((x) => x.aval),
    );
    const outputs =
      body !== undefined
        ? unfold(body, inputs, operands)
        : eqn.primitive.name === "concatenate"
          ? [joined(eqn, inputs, operands)]
          : bind(eqn.primitive, inputs, eqn.params);
    for (let k = 0; k < outputs.length; k++) env[eqn.outputs[k].id] = outputs[k];
  }
  return jaxpr.outputs.map((a) => read(env, a));
}

/** Concatenates in several rounds, none of which has too many operands. */
function joined(eqn: Eqn, inputs: readonly NDArray[], operands: number): NDArray {
  let parts = inputs;
  while (parts.length > operands) {
    const next: NDArray[] = [];
    for (let i = 0; i < parts.length; i += operands)
      next.push(joined(eqn, parts.slice(i, i + operands), operands));
    parts = next;
  }
  return parts.length === 1 ? parts[0] : bind(eqn.primitive, parts, eqn.params)[0];
}

function withoutDeadCode(jaxpr: Jaxpr): Jaxpr {
  const needed = new Uint8Array(jaxpr.varCount);
  // An array of float0 has no elements that could be computed.
  for (const a of jaxpr.outputs) if (a instanceof Var && a.aval.dtype !== "float0") needed[a.id] = 1;
  const kept = [];
  for (let i = jaxpr.eqns.length - 1; i >= 0; i--) {
    const eqn = jaxpr.eqns[i];
    if (!eqn.outputs.some((v) => needed[v.id] === 1) && !isEffectful(eqn.primitive, eqn.params)) continue;
    for (const a of eqn.inputs) if (a instanceof Var) needed[a.id] = 1;
    kept.push(eqn);
  }
  return new Jaxpr(jaxpr.inputs, kept.reverse(), jaxpr.outputs, jaxpr.varCount);
}
