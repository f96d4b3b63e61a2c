/**
 * Programs of float64 as programs of float32. Most tests compute in double precision, to compare with differences; a GPU has
 * none. There their programs run in float32 (their types go on saying float64), within tolerances to match.
 */
import { ConcreteArray } from "../../src/core/array.js";
import type { Aval } from "../../src/core/aval.js";
import { type Atom, Jaxpr, Literal, Var } from "../../src/core/jaxpr.js";
import type { Params } from "../../src/core/primitive.js";

const narrowAval = (a: Aval): Aval => (a.dtype === "float64" ? { ...a, dtype: "float32" } : a);

function narrowParam(value: unknown): unknown {
  if (value === "float64") return "float32";
  if (value instanceof Jaxpr) return narrowJaxpr(value);
  return Array.isArray(value) ? value.map(narrowParam) : value;
}

/** Symbols too: params keep alive what they name by them. */
const narrowParams = (params: Params): Params =>
  Object.fromEntries(
    Reflect.ownKeys(params).map((key) => [key, narrowParam((params as Record<PropertyKey, unknown>)[key])]),
  ) as Params;

const narrowed = new WeakMap<Jaxpr, Jaxpr>();

/** The same program in float32; itself if there is no float64 in it. */
export function narrowJaxpr(jaxpr: Jaxpr): Jaxpr {
  let result = narrowed.get(jaxpr);
  if (result === undefined) {
    result = narrow(jaxpr);
    narrowed.set(jaxpr, result);
  }
  return result;
}

function narrow(jaxpr: Jaxpr): Jaxpr {
  const variables = new Map<Var, Var>();
  let wide = false;
  const variable = (v: Var): Var => {
    let made = variables.get(v);
    if (made === undefined) {
      const type = narrowAval(v.aval);
      wide ||= type !== v.aval;
      made = new Var(v.id, type);
      variables.set(v, made);
    }
    return made;
  };
  const atom = (a: Atom): Atom => {
    if (a instanceof Var) return variable(a);
    if (a.aval.dtype !== "float64") return a;
    wide = true;
    return new Literal(Math.fround(a.value), narrowAval(a.aval));
  };
  const inputs = jaxpr.inputs.map(variable);
  const eqns = jaxpr.eqns.map((eqn) => ({
    ...eqn,
    inputs: eqn.inputs.map(atom),
    params: narrowParams(eqn.params),
    outputs: eqn.outputs.map(variable),
  }));
  const outputs = jaxpr.outputs.map(atom);
  return wide ? new Jaxpr(inputs, eqns, outputs, jaxpr.varCount) : jaxpr;
}

const copies = new WeakMap<ConcreteArray, ConcreteArray>();

/** An array of float64 as the program has it. */
export function narrowArray(x: ConcreteArray): ConcreteArray {
  if (x.dtype !== "float64" || x.isDisposed) return x;
  let copy = copies.get(x);
  if (copy === undefined) {
    const type = narrowAval(x.aval);
    copy = x.remote === undefined ? new ConcreteArray(new Float32Array(x.values), type) : x.alias(type);
    copies.set(x, copy);
  }
  return copy;
}
