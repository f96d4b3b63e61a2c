/**
 * Programs without the effects that only the host can have: for a device on which it cannot step in between. What the
 * effects are to see becomes outputs, and they happen when these have been read: for those in a scan, the values of all steps.
 */
import { type Aval, aval, withShape } from "../core/aval.js";
import { memoize } from "../core/build.js";
import { isEffectful } from "../core/effects.js";
import { DeviceError, InternalError } from "../core/errors.js";
import { type Atom, type Eqn, Jaxpr, Literal, subJaxprs, Var } from "../core/jaxpr.js";
import { findPrimitive, type Params } from "../core/primitive.js";
import { normalise } from "./normalise.js";

/** An operand of an effect: an output of the program by its number (in a scan, an entry of it for each step), or a literal. */
export type Operand = number | Literal;

/** An equation with an effect and no output, and the jaxpr in which it stands. */
export interface CallEffect {
  readonly kind: "call";
  readonly eqn: Eqn;
  readonly jaxpr: Jaxpr;
  readonly operands: readonly Operand[];
}

/** Effects that happen in every step, from the last to the first if `reverse`. */
export interface ScanEffect {
  readonly kind: "scan";
  readonly length: number;
  readonly reverse: boolean;
  readonly effects: readonly Effect[];
}

/** Effects of the branch with the number in `index`, which is to be clamped. */
export interface CondEffect {
  readonly kind: "cond";
  readonly index: Operand;
  readonly branches: readonly (readonly Effect[])[];
}

export type Effect = CallEffect | ScanEffect | CondEffect;

export interface Separated {
  /** Gives the outputs, then what the effects need. */
  readonly jaxpr: Jaxpr;
  /** In the order in which they are to happen. */
  readonly effects: readonly Effect[];
}

/**
 * The jaxpr and its effects. Those that have outputs stay in it.
 * @param operands as for `normalise`.
 * @throws DeviceError for effects in a loop of unknown length: nobody knows how many values there would be.
 */
export const separateEffects: (jaxpr: Jaxpr, operands: number) => Separated = memoize(
  (operands: number) => `effects${operands}`,
  (jaxpr: Jaxpr, operands: number): Separated => {
    const separated = new Separation(normalise(jaxpr, operands), operands).result();
    if (separated.effects.length === 0) return { jaxpr, effects: [] };
    // Nothing makes arrays of float0, since they have no elements; something has to stand in their places.
    const outputs = separated.jaxpr.outputs.map((a) =>
      a.aval.dtype === "float0" ? new Literal(0, aval([], "int32")) : a,
    );
    const { inputs, eqns, varCount } = separated.jaxpr;
    return { jaxpr: new Jaxpr(inputs, eqns, outputs, varCount), effects: separated.effects };
  },
);

/** Whether an equation is an effect itself. */
const isCall = ({ primitive, params, outputs }: Eqn): boolean =>
  outputs.length === 0 && isEffectful(primitive, params) && subJaxprs(params).length === 0;

class Separation {
  private readonly eqns: Eqn[] = [];
  private readonly effects: Effect[] = [];
  /** For each value that effects need the number of the output that it is. */
  private readonly needed = new Map<Var, number>();
  private varCount: number;

  constructor(
    private readonly flat: Jaxpr,
    private readonly operands: number,
  ) {
    this.varCount = flat.varCount;
  }

  result(): Separated {
    const { flat } = this;
    for (const eqn of flat.eqns) this.visit(eqn);
    const outputs = [...flat.outputs, ...this.needed.keys()];
    return { jaxpr: new Jaxpr(flat.inputs, this.eqns, outputs, this.varCount), effects: this.effects };
  }

  private visit(eqn: Eqn): void {
    const { primitive, params, inputs } = eqn;
    if (isCall(eqn)) {
      const operands = inputs.map((a) => this.operandOf(a));
      this.effects.push({ kind: "call", eqn, jaxpr: this.flat, operands });
      return;
    }
    const { lower } = primitive;
    if (lower?.kind !== "control" || !isEffectful(primitive, params)) {
      this.eqns.push(eqn);
      return;
    }
    const parts = lower.parts(params);
    if (parts.flow === "scan") this.scan(eqn, parts);
    else if (parts.flow === "cond") this.cond(eqn, parts.branches);
    else
      throw new DeviceError(
        "debug.print and debug.callback inside a loop of unknown length (lax.whileLoop) run on the CPU devices only; " +
          'use the device "wasm"',
      );
  }

  private scan(
    eqn: Eqn,
    parts: { readonly body: Jaxpr; readonly length: number; readonly reverse: boolean },
  ): void {
    const { body, length, reverse } = parts;
    const inside = this.body(body);
    const made = inside.jaxpr.outputs.slice(body.outputs.length).map(({ aval: type }) => {
      return this.variable(withShape(type, [length, ...type.shape]));
    });
    const params = withBodies(eqn.params, new Map([[body, inside.jaxpr]]));
    this.eqns.push({ ...eqn, params, outputs: [...eqn.outputs, ...made] });
    const effects = this.placed(inside.effects, body.outputs.length, made);
    if (effects.length > 0) this.effects.push({ kind: "scan", length, reverse, effects });
  }

  /** All branches give what the effects of any of them need; the others give zeros for it. */
  private cond(eqn: Eqn, branches: readonly Jaxpr[]): void {
    const inside = branches.map((branch) => this.body(branch));
    const own = branches[0].outputs.length;
    const types = inside.map(({ jaxpr }) => jaxpr.outputs.slice(own).map((a) => a.aval));
    const all = inside.map(({ jaxpr }, i) => {
      const filled = new Filling(jaxpr);
      const extra = types.map((list, k) =>
        k === i ? jaxpr.outputs.slice(own) : list.map((type) => filled.zeros(type)),
      );
      return filled.result([...jaxpr.outputs.slice(0, own), ...extra.flat()]);
    });
    const made = types.map((list) => list.map((type) => this.variable(type)));
    const params: Params = { ...eqn.params, branches: all };
    this.eqns.push({ ...eqn, params, outputs: [...eqn.outputs, ...made.flat()] });
    this.effects.push({
      kind: "cond",
      index: this.operandOf(eqn.inputs[0]),
      branches: inside.map(({ effects }, i) => this.placed(effects, own, made[i])),
    });
  }

  private body(jaxpr: Jaxpr): Separated {
    return new Separation(normalise(jaxpr, this.operands), this.operands).result();
  }

  private variable(type: Aval): Var {
    return new Var(this.varCount++, type);
  }

  private operandOf(a: Atom): Operand {
    if (a instanceof Literal) return a;
    const number = this.needed.get(a) ?? this.flat.outputs.length + this.needed.size;
    this.needed.set(a, number);
    return number;
  }

  /** Effects of a body, with what its outputs from `first` on have become here. */
  private placed(effects: readonly Effect[], first: number, made: readonly Var[]): Effect[] {
    const place = (x: Operand): Operand => (x instanceof Literal ? x : this.operandOf(made[x - first]));
    return effects.map((effect) => withOperands(effect, place));
  }
}

function withOperands(effect: Effect, place: (x: Operand) => Operand): Effect {
  const all = (list: readonly Effect[]): Effect[] => list.map((inner) => withOperands(inner, place));
  switch (effect.kind) {
    case "call":
      return { ...effect, operands: effect.operands.map(place) };
    case "scan":
      return { ...effect, effects: all(effect.effects) };
    case "cond":
      return { ...effect, index: place(effect.index), branches: effect.branches.map(all) };
  }
}

/** Params with other jaxprs in the place of some. */
function withBodies(params: Params, changed: ReadonlyMap<Jaxpr, Jaxpr>): Params {
  const names = Object.keys(params).filter((name) => params[name] instanceof Jaxpr);
  const copies = names.map((name) => [name, changed.get(params[name] as Jaxpr) ?? params[name]] as const);
  return { ...params, ...Object.fromEntries(copies) };
}

/** A jaxpr that also gives arrays of zeros. */
class Filling {
  private readonly eqns: Eqn[];
  private varCount: number;

  constructor(private readonly jaxpr: Jaxpr) {
    this.eqns = [...jaxpr.eqns];
    this.varCount = jaxpr.varCount;
  }

  zeros(type: Aval): Atom {
    const zero = new Literal(0, withShape(type, []));
    if (type.shape.length === 0) return zero;
    const primitive = findPrimitive("broadcastInDim");
    if (primitive === undefined) throw new InternalError("the primitive broadcastInDim is not registered");
    const v = new Var(this.varCount++, type);
    const params = { shape: type.shape, dims: [] };
    this.eqns.push({ primitive, inputs: [zero], params, outputs: [v], source: undefined });
    return v;
  }

  result(outputs: readonly Atom[]): Jaxpr {
    return new Jaxpr(this.jaxpr.inputs, this.eqns, outputs, this.varCount);
  }
}

/** The equations with effects, in order. */
export const callsIn = (effects: readonly Effect[]): readonly CallEffect[] =>
  effects.flatMap((effect) => {
    if (effect.kind === "call") return [effect];
    return callsIn(effect.kind === "scan" ? effect.effects : effect.branches.flat());
  });

/** The numbers of the outputs that an effect needs. */
export function outputsFor(effect: Effect): number[] {
  switch (effect.kind) {
    case "call":
      return effect.operands.filter((x) => typeof x === "number");
    case "scan":
      return effect.effects.flatMap(outputsFor);
    case "cond":
      return [
        ...(typeof effect.index === "number" ? [effect.index] : []),
        ...effect.branches.flat().flatMap(outputsFor),
      ];
  }
}
