/**
 * Forward mode: pushes tangents through a jaxpr. x ↦ f(x) becomes (x, ẋ) ↦ (f(x), Df(x)·ẋ).
 *
 * Each equation is applied to its inputs and, if some of them has a tangent, replaced by what its primitive's tangent
 * rule says. An input that is not active, and all that follows from such inputs alone, carries a symbolic zero.
 */
import type { NDArray } from "../core/array.js";
import { tangentAval } from "../core/aval.js";
import { buildJaxpr, masksKey, memoize } from "../core/build.js";
import { isFloat } from "../core/dtype.js";
import { InternalError } from "../core/errors.js";
import { read, walk } from "../core/eval.js";
import { type Atom, type Jaxpr, Var } from "../core/jaxpr.js";
import { bind } from "../core/trace.js";
import { isZero, type Tangent, zeroFor } from "../core/zero.js";
import { instantiate } from "../primitives/filled.js";
import { passes, providePasses } from "./passes.js";

export interface JvpResult {
  /** Takes the inputs, then tangents of the active ones; gives the outputs, then tangents of the active ones. */
  readonly jaxpr: Jaxpr;
  /** Which outputs have a tangent that is not known to be zero. */
  readonly activeOut: readonly boolean[];
}

/** `force` marks outputs that must have a tangent even if it is zero. */
export const jvpJaxpr = memoize(
  masksKey,
  (jaxpr: Jaxpr, active: readonly boolean[], force: readonly boolean[] = []): JvpResult => {
    const tangentAvals = jaxpr.inputs.filter((_, i) => active[i]).map((v) => tangentAval(v.aval));
    let activeOut: boolean[] = [];
    const pushed = buildJaxpr("jvp", [...jaxpr.inAvals, ...tangentAvals], (inputs) => {
      const primals = new Array<NDArray>(jaxpr.varCount);
      const tangents = new Array<Tangent | undefined>(jaxpr.varCount);
      let next = jaxpr.inputs.length;
      for (const [i, v] of jaxpr.inputs.entries()) {
        primals[v.id] = inputs[i];
        if (!active[i]) continue;
        // An integer has no tangent but zero.
        if (isFloat(v.aval.dtype)) tangents[v.id] = inputs[next];
        next++;
      }
      const tangentOf = (a: Atom): Tangent => (a instanceof Var && tangents[a.id]) || zeroFor(a.aval);

      walk(jaxpr, ({ primitive, inputs: atoms, params, outputs }) => {
        const x = atoms.map((a) => read(primals, a));
        const t = atoms.map(tangentOf);
        if (t.every(isZero)) {
          for (const [k, y] of bind(primitive, x, params).entries()) primals[outputs[k].id] = y;
          return;
        }
        const result = primitive.jvp(x, t, params, passes);
        for (const [k, v] of outputs.entries()) {
          primals[v.id] = result.outputs[k];
          const tangent = result.tangents[k];
          if (isZero(tangent)) continue;
          requireTangent(primitive.name, v, tangent);
          // An integer has no tangent but zero, whatever the rule says.
          if (isFloat(v.aval.dtype)) tangents[v.id] = tangent;
        }
      });

      const outputs = jaxpr.outputs.map((a) => read(primals, a));
      const outTangents = jaxpr.outputs.map((a, k) => (force[k] ? instantiate(tangentOf(a)) : tangentOf(a)));
      activeOut = outTangents.map((t) => !isZero(t));
      return [...outputs, ...outTangents.filter((t): t is NDArray => !isZero(t))];
    });
    return { jaxpr: pushed, activeOut };
  },
  "jvp",
);

function requireTangent(name: string, output: Var, tangent: NDArray): void {
  const { shape, dtype } = tangentAval(output.aval);
  if (
    tangent.dtype !== dtype ||
    tangent.shape.length !== shape.length ||
    tangent.shape.some((n, i) => n !== shape[i])
  )
    throw new InternalError(
      `the tangent rule of ${name} gave ${tangent.dtype}[${tangent.shape.join(",")}] for an output ${output.aval.dtype}[${shape.join(",")}]`,
    );
}

providePasses({ jvp: jvpJaxpr });
