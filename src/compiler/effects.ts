/**
 * Programs without the effects that only the host can have: for a device on which it cannot step in between. What the
 * effects are to see becomes outputs, and they happen when these have been read.
 */
import { aval } from "../core/aval.js";
import { memoize } from "../core/build.js";
import { isEffectful } from "../core/effects.js";
import { type Eqn, Jaxpr, Literal, type Var } from "../core/jaxpr.js";
import { normalise } from "./normalise.js";

/** An equation with an effect and no output, and for each operand the output of the program that it is, or the literal. */
export interface Effect {
  readonly eqn: Eqn;
  readonly operands: readonly (number | Literal)[];
}

export interface Separated {
  /** Gives the outputs, then what the effects need. */
  readonly jaxpr: Jaxpr;
  /** In the order in which they are to happen. */
  readonly effects: readonly Effect[];
}

/**
 * The jaxpr and its effects. Those that have outputs stay in it.
 * @param operands as for `normalise`.
 */
export const separateEffects: (jaxpr: Jaxpr, operands: number) => Separated = memoize(
  (operands: number) => `effects${operands}`,
  (jaxpr: Jaxpr, operands: number): Separated => {
    const flat = normalise(jaxpr, operands);
    const isSeparate = ({ primitive, params, outputs }: Eqn): boolean =>
      outputs.length === 0 && isEffectful(primitive, params);
    const effects = flat.eqns.filter(isSeparate);
    if (effects.length === 0) return { jaxpr, effects: [] };
    const needed = new Map<Var, number>();
    const placeOf = (v: Var): number => {
      const place = needed.get(v) ?? flat.outputs.length + needed.size;
      needed.set(v, place);
      return place;
    };
    const placed = effects.map((eqn) => ({
      eqn,
      operands: eqn.inputs.map((a) => (a instanceof Literal ? a : placeOf(a))),
    }));
    const rest = flat.eqns.filter((eqn) => !isSeparate(eqn));
    // Nothing makes arrays of float0, since they have no elements; something has to stand in their places.
    const own = flat.outputs.map((a) => (a.aval.dtype === "float0" ? new Literal(0, aval([], "int32")) : a));
    const outputs = [...own, ...needed.keys()];
    return { jaxpr: new Jaxpr(flat.inputs, rest, outputs, flat.varCount), effects: placed };
  },
);
