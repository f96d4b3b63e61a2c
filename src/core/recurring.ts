/**
 * Programs that eager code traces again and again: that of `grad(f)(x)` in a loop, or of the same arrow function made anew in
 * every step. One that comes for the second time is kept and stands for all that are equal to it, so that what passes made
 * of it is found again.
 *
 * Traces of the same operations number their variables alike, so equality is a comparison of numbers, not a matching of
 * names (that is core/hash.ts, for programs that live longer). Programs whose params hold jaxprs or refer to functions are
 * left out: to keep them here would keep what hangs on them.
 */
import { type Aval, equalAvals } from "./aval.js";
import { nansAreErrors } from "./debugNans.js";
import { type Atom, type Eqn, Jaxpr, Literal, Var } from "./jaxpr.js";
import { noParams } from "./params.js";
import type { Params, ParamValue } from "./primitive.js";
import { currentTrace } from "./trace.js";

interface Kept {
  readonly jaxpr: Jaxpr;
  readonly hash: number;
}

/** A hash takes one place; another one that takes the same drives it out. */
const places = 256;
/** Equations that are kept at the most, all programs together. */
const mostEqns = 8192;

let kept: (Kept | undefined)[] = [];
let keptEqns = 0;
/** The hash that came last, by place: a program that comes only once leaves nothing else. */
const lastHash = new Int32Array(places);

/** Forgets all programs: for whoever replaces a rule of a primitive, which passes have applied. @internal */
export function forgetPrograms(): void {
  kept = [];
  keptEqns = 0;
  lastHash.fill(0);
}

/** An equal jaxpr that is kept, if this one knows no lines of user code; else this one. */
export const recall = (jaxpr: Jaxpr): Jaxpr => (jaxpr.eqns.some(knowsLine) ? jaxpr : find(jaxpr));

/**
 * The same for a jaxpr that is to be run now. One that is kept knows no lines, so nothing is found where they may be
 * wanted: while a program is recorded, or errors name them.
 */
export const recallUnlined = (jaxpr: Jaxpr): Jaxpr =>
  currentTrace() === undefined && !nansAreErrors() ? find(jaxpr) : jaxpr;

const knowsLine = ({ source }: Eqn): boolean => source !== undefined;

function find(jaxpr: Jaxpr): Jaxpr {
  const hash = hashOf(jaxpr);
  const place = hash & (places - 1);
  const found = kept[place];
  if (found !== undefined && found.hash === hash && isSame(found.jaxpr, jaxpr)) return found.jaxpr;
  if (lastHash[place] === hash) return keep(jaxpr, hash, place);
  lastHash[place] = hash;
  return jaxpr;
}

function keep(jaxpr: Jaxpr, hash: number, place: number): Jaxpr {
  if (jaxpr.eqns.length > mostEqns / 4 || !jaxpr.eqns.every(isPlain)) return jaxpr;
  const { inputs, outputs, varCount } = jaxpr;
  // What a captured line holds on to is not to live as long as the program, nor are arrays of the user's.
  const eqns = jaxpr.eqns.map((eqn): Eqn => ({ ...eqn, source: undefined }));
  for (const eqn of eqns) eqn.inputs.forEach(forgetArray);
  outputs.forEach(forgetArray);
  keptEqns += eqns.length - (kept[place]?.jaxpr.eqns.length ?? 0);
  if (keptEqns > mostEqns) {
    forgetPrograms();
    keptEqns = eqns.length;
  }
  const copy = new Jaxpr(inputs, eqns, outputs, varCount);
  kept[place] = { jaxpr: copy, hash };
  return copy;
}

function forgetArray(a: Atom): void {
  if (a instanceof Literal) a.array = undefined;
}

/** Whether params are data through and through. */
const isPlain = ({ params }: Eqn): boolean => params === noParams || isData(params);

function isData(value: ParamValue): boolean {
  if (typeof value !== "object" || value === null) return true;
  if (value instanceof Jaxpr) return false;
  if (Array.isArray(value)) return value.every(isData);
  return Object.values(value).every(isData) && Object.getOwnPropertySymbols(value).length === 0;
}

// ---------------------------------------------------------------------------------------------------------------------
// Hash: 32 bits, quick before good
// ---------------------------------------------------------------------------------------------------------------------

const mix = (h: number, x: number): number => Math.imul((h << 5) ^ (h >>> 27) ^ x, 0x9e3779b1);

const double = new Float64Array(1);
const words = new Int32Array(double.buffer);

function mixNumber(h: number, x: number): number {
  if ((x | 0) === x) return mix(h, x);
  double[0] = x;
  return mix(mix(h, words[0]), words[1]);
}

function mixAval(h: number, { shape, dtype }: Aval): number {
  h = mix(h, dtype.length + dtype.charCodeAt(dtype.length - 1) * 16);
  for (let i = 0; i < shape.length; i++) h = mix(h, shape[i]);
  return h;
}

const mixAtom = (h: number, a: Atom): number => (a instanceof Var ? mix(h, a.id) : mixNumber(h ^ 1, a.value));

function mixValue(h: number, value: ParamValue): number {
  if (typeof value === "number") return mixNumber(h, value);
  if (typeof value === "string") return mix(h, value.length);
  if (typeof value === "boolean") return mix(h, value ? 2 : 1);
  if (Array.isArray(value)) for (let i = 0; i < value.length; i++) h = mixValue(h, value[i]);
  // Programs with jaxprs are not kept.
  else if (typeof value === "object" && value !== null && !(value instanceof Jaxpr))
    for (const key in value) h = mixValue(h, (value as Params)[key]);
  return h;
}

function hashOf({ inputs, eqns, outputs }: Jaxpr): number {
  let h = inputs.length;
  for (let i = 0; i < inputs.length; i++) h = mixAval(h, inputs[i].aval);
  for (let i = 0; i < eqns.length; i++) {
    const { primitive, inputs: atoms, params } = eqns[i];
    h = mix(h, primitive.id);
    for (let k = 0; k < atoms.length; k++) h = mixAtom(h, atoms[k]);
    if (params !== noParams) h = mixValue(h, params);
  }
  for (let i = 0; i < outputs.length; i++) h = mixAtom(h, outputs[i]);
  // The upper bits are mixed best, and places are lower ones.
  return h ^ (h >>> 15);
}

// ---------------------------------------------------------------------------------------------------------------------
// Equality
// ---------------------------------------------------------------------------------------------------------------------

function isSame(jaxpr: Jaxpr, { inputs, eqns, outputs, varCount }: Jaxpr): boolean {
  if (jaxpr.varCount !== varCount || jaxpr.eqns.length !== eqns.length) return false;
  if (!sameAtoms(jaxpr.inputs, inputs) || !sameAtoms(jaxpr.outputs, outputs)) return false;
  for (let i = 0; i < eqns.length; i++) {
    const [a, b] = [jaxpr.eqns[i], eqns[i]];
    const same =
      a.primitive === b.primitive &&
      sameAtoms(a.inputs, b.inputs) &&
      (a.params === b.params || sameValue(a.params, b.params)) &&
      sameAtoms(a.outputs, b.outputs);
    if (!same) return false;
  }
  return true;
}

function sameAtoms(xs: readonly Atom[], ys: readonly Atom[]): boolean {
  if (xs.length !== ys.length) return false;
  for (let i = 0; i < xs.length; i++) if (!sameAtom(xs[i], ys[i])) return false;
  return true;
}

function sameAtom(x: Atom, y: Atom): boolean {
  if (x.aval !== y.aval && !equalAvals(x.aval, y.aval)) return false;
  if (x instanceof Var) return y instanceof Var && x.id === y.id;
  return y instanceof Literal && Object.is(x.value, y.value);
}

function sameValue(x: ParamValue, y: ParamValue): boolean {
  if (Object.is(x, y)) return true;
  if (typeof x !== "object" || typeof y !== "object" || x === null || y === null) return false;
  if (x instanceof Jaxpr || y instanceof Jaxpr || Array.isArray(x) !== Array.isArray(y)) return false;
  const keys = Object.keys(x);
  if (keys.length !== Object.keys(y).length) return false;
  return keys.every((key) => key in y && sameValue((x as Params)[key], (y as Params)[key]));
}
