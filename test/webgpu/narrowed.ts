/**
 * Equations whose params hold programs, in another dtype. The examples of calls, branches and loops have bodies of float64,
 * which no GPU has; and what results of float32 are measured against is the same body in float64.
 */
import { type Aval, aval } from "../../src/core/aval.js";
import type { DType } from "../../src/core/dtype.js";
import { type Atom, Jaxpr, Literal, subJaxprs, Var } from "../../src/core/jaxpr.js";
import type { Example, Params, ParamValue } from "../../src/core/primitive.js";

interface Retyping {
  type(a: Aval): Aval;
  /** Params, with symbols too: they keep alive what params name. The same object if nothing in them changes. */
  params(params: Params): Params;
}

/** Everything of one dtype as another one. Bodies are made once: programs are told apart by their bodies. */
function retyping(from: DType, to: DType): Retyping {
  const made = new WeakMap<Jaxpr, Jaxpr>();
  const type = (a: Aval): Aval => (a.dtype === from ? aval(a.shape, to, a.weakType) : a);

  function retyped(jaxpr: Jaxpr): Jaxpr {
    const vars = new Map<Var, Var>();
    let changed = false;
    const variable = (v: Var): Var => {
      const known = vars.get(v) ?? (v.aval.dtype === from ? new Var(v.id, type(v.aval)) : v);
      vars.set(v, known);
      changed ||= known !== v;
      return known;
    };
    const atom = (a: Atom): Atom => {
      if (a instanceof Var) return variable(a);
      if (a.aval.dtype !== from) return a;
      changed = true;
      return new Literal(to === "float32" ? Math.fround(a.value) : a.value, type(a.aval));
    };
    const inputs = jaxpr.inputs.map(variable);
    const eqns = jaxpr.eqns.map((eqn) => {
      const given = params(eqn.params);
      changed ||= given !== eqn.params;
      return { ...eqn, inputs: eqn.inputs.map(atom), params: given, outputs: eqn.outputs.map(variable) };
    });
    const outputs = jaxpr.outputs.map(atom);
    return changed ? new Jaxpr(inputs, eqns, outputs, jaxpr.varCount) : jaxpr;
  }

  function value(old: ParamValue): ParamValue {
    if (old === from) return to;
    if (old instanceof Jaxpr) {
      const found = made.get(old) ?? retyped(old);
      made.set(old, found);
      return found;
    }
    if (Array.isArray(old)) {
      const list = old.map(value);
      return list.some((x, i) => x !== old[i]) ? list : old;
    }
    return typeof old === "object" && old !== null ? params(old as Params) : old;
  }

  function params(old: Params): Params {
    const entries = Object.keys(old).map((key) => [key, value(old[key])] as const);
    return entries.some(([key, x]) => x !== old[key]) ? { ...old, ...Object.fromEntries(entries) } : old;
  }

  return { type, params };
}

const narrow = retyping("float64", "float32");
const wide = retyping("float32", "float64");

/** An example in float32. */
export const narrowed = (example: Example): Example => ({
  ...example,
  avals: example.avals.map(narrow.type),
  params: narrow.params(example.params),
});

/** Params that hold programs of float32, with these in float64; other params as they are. */
export const widenedBodies = (params: Params): Params =>
  subJaxprs(params).length > 0 ? wide.params(params) : params;
