/**
 * Jaxprs as keys: a hash of the structure, and equality of structure.
 *
 * Both look at what a program is, not at how it came about: names of variables and sources of equations do not count.
 * Everything else does: the order of equations, primitives, params, literals and all types. In params a key whose value
 * is undefined counts as absent; NaN equals NaN, and -0 does not equal 0.
 */
import { type Aval, equalAvals } from "./aval.js";
import { type Atom, type Eqn, Jaxpr, Literal, type Var } from "./jaxpr.js";
import type { Params, ParamValue } from "./primitive.js";

const rotate = (x: number, by: number): number => (x << by) | (x >>> (32 - by));

/** The final mixing of MurmurHash3: every bit of the input changes each bit of the result about half of the time. */
function finish(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

const doubles = new Float64Array(1);
const words = new Uint32Array(doubles.buffer);

/**
 * Two lanes of 32 bits. Multipliers, rotations and the mixing across lanes are those of MurmurHash3_x86_128 (Austin
 * Appleby, public domain, https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp); here every word goes
 * into both lanes.
 */
class Hasher {
  // The seeds are the first bits of the fractions of √2 and √3.
  private a = 0x6a09e667;
  private b = 0xbb67ae85 | 0;
  private length = 0;

  word(k: number): void {
    this.a ^= Math.imul(rotate(Math.imul(k, 0x239b961b), 15), 0xab0e9789);
    this.a = (Math.imul((rotate(this.a, 19) + this.b) | 0, 5) + 0x561ccd1b) | 0;
    this.b ^= Math.imul(rotate(Math.imul(k, 0xab0e9789), 16), 0x38b34ae5);
    this.b = (Math.imul((rotate(this.b, 17) + this.a) | 0, 5) + 0x0bcaa747) | 0;
    this.length++;
  }

  number(x: number): void {
    doubles[0] = Number.isNaN(x) ? Number.NaN : x;
    this.word(words[0]);
    this.word(words[1]);
  }

  text(s: string): void {
    this.word(s.length);
    for (let i = 0; i < s.length; i++) this.word(s.charCodeAt(i));
  }

  aval(type: Aval): void {
    this.text(type.dtype);
    this.word(type.weakType ? 1 : 0);
    this.word(type.shape.length);
    for (const n of type.shape) this.number(n);
  }

  /** 16 hexadecimal digits. */
  digest(): string {
    let a = this.a ^ this.length;
    let b = this.b ^ this.length;
    a = (a + b) | 0;
    b = (b + a) | 0;
    a = finish(a);
    b = finish(b);
    a = (a + b) | 0;
    b = (b + a) | 0;
    return hex(a) + hex(b);
  }
}

const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, "0");

/** Words that tell apart what may stand in the same place. */
const tag = {
  variable: 0,
  free: 1,
  literal: 2,
  undefined: 3,
  null: 4,
  number: 5,
  boolean: 6,
  string: 7,
  jaxpr: 8,
  list: 9,
  record: 10,
} as const;

const hashes = new WeakMap<Jaxpr, string>();

/**
 * A hash of the structure of a jaxpr: 64 bits as hexadecimal digits, the same in every process. Programs that are equal
 * by `equalJaxprs` have the same hash. It is computed in time linear in the program, once for each jaxpr object.
 *
 * @example
 * hashJaxpr(makeJaxpr((x) => x.sin())(1).jaxpr) === hashJaxpr(makeJaxpr((y) => np.sin(y))(2).jaxpr); // true
 */
export function hashJaxpr(jaxpr: Jaxpr): string {
  let hash = hashes.get(jaxpr);
  if (hash === undefined) {
    hash = computeHash(jaxpr);
    hashes.set(jaxpr, hash);
  }
  return hash;
}

/** Variables by the order of their definition: what takes the place of names. */
class Numbering {
  private readonly numbers = new Map<number, number>();
  private count = 0;

  define(v: Var): void {
    this.numbers.set(v.id, this.count++);
  }

  of(v: Var): number | undefined {
    return this.numbers.get(v.id);
  }
}

function computeHash(jaxpr: Jaxpr): string {
  const hasher = new Hasher();
  const numbering = new Numbering();
  const define = (variables: readonly Var[]): void => {
    hasher.word(variables.length);
    for (const v of variables) {
      numbering.define(v);
      hasher.aval(v.aval);
    }
  };
  const use = (atoms: readonly Atom[]): void => {
    hasher.word(atoms.length);
    for (const a of atoms) hashAtom(hasher, a, numbering);
  };
  define(jaxpr.inputs);
  hasher.word(jaxpr.eqns.length);
  for (const { primitive, inputs, params, outputs } of jaxpr.eqns) {
    hasher.text(primitive.name);
    use(inputs);
    hashValue(hasher, params);
    define(outputs);
  }
  use(jaxpr.outputs);
  return hasher.digest();
}

function hashAtom(hasher: Hasher, a: Atom, numbering: Numbering): void {
  if (a instanceof Literal) {
    hasher.word(tag.literal);
    hasher.number(a.value);
    hasher.aval(a.aval);
    return;
  }
  const number = numbering.of(a);
  hasher.word(number === undefined ? tag.free : tag.variable);
  hasher.word(number ?? a.id);
}

function hashValue(hasher: Hasher, value: ParamValue): void {
  if (value === undefined) hasher.word(tag.undefined);
  else if (value === null) hasher.word(tag.null);
  else if (typeof value === "number") {
    hasher.word(tag.number);
    hasher.number(value);
  } else if (typeof value === "boolean") {
    hasher.word(tag.boolean);
    hasher.word(value ? 1 : 0);
  } else if (typeof value === "string") {
    hasher.word(tag.string);
    hasher.text(value);
  } else if (value instanceof Jaxpr) {
    hasher.word(tag.jaxpr);
    hasher.text(hashJaxpr(value));
  } else if (Array.isArray(value)) {
    hasher.word(tag.list);
    hasher.word(value.length);
    for (const item of value) hashValue(hasher, item);
  } else {
    const params = value as Params;
    const keys = presentKeys(params);
    hasher.word(tag.record);
    hasher.word(keys.length);
    for (const key of keys) {
      hasher.text(key);
      hashValue(hasher, params[key]);
    }
  }
}

const presentKeys = (params: Params): string[] =>
  Object.keys(params)
    .filter((key) => params[key] !== undefined)
    .sort();

/** Pairs of jaxprs that are known to be equal: a body that occurs often is compared once. */
type Proven = Map<Jaxpr, Set<Jaxpr>>;

/**
 * Whether two jaxprs are the same program up to the names of variables.
 *
 * @example
 * equalJaxprs(makeJaxpr((x) => x.sin())(1).jaxpr, makeJaxpr((y) => np.sin(y))(2).jaxpr); // true
 */
export const equalJaxprs = (a: Jaxpr, b: Jaxpr): boolean => sameJaxpr(a, b, new Map());

function sameJaxpr(a: Jaxpr, b: Jaxpr, proven: Proven): boolean {
  if (a === b || proven.get(a)?.has(b)) return true;
  const left = new Numbering();
  const right = new Numbering();
  const sameDefinitions = (va: readonly Var[], vb: readonly Var[]): boolean =>
    sameLists(va, vb, (x, y) => {
      left.define(x);
      right.define(y);
      return equalAvals(x.aval, y.aval);
    });
  const sameUses = (xs: readonly Atom[], ys: readonly Atom[]): boolean =>
    sameLists(xs, ys, (x, y) => sameAtom(x, y, left, right));
  const sameEqn = (ea: Eqn, eb: Eqn): boolean =>
    ea.primitive === eb.primitive &&
    sameUses(ea.inputs, eb.inputs) &&
    sameValue(ea.params, eb.params, proven) &&
    sameDefinitions(ea.outputs, eb.outputs);

  const same =
    sameDefinitions(a.inputs, b.inputs) &&
    sameLists(a.eqns, b.eqns, sameEqn) &&
    sameUses(a.outputs, b.outputs);
  if (same) proven.set(a, (proven.get(a) ?? new Set()).add(b));
  return same;
}

const sameLists = <T>(xs: readonly T[], ys: readonly T[], same: (x: T, y: T) => boolean): boolean =>
  xs.length === ys.length && xs.every((x, i) => same(x, ys[i]));

function sameAtom(x: Atom, y: Atom, left: Numbering, right: Numbering): boolean {
  if (x instanceof Literal || y instanceof Literal)
    return (
      x instanceof Literal &&
      y instanceof Literal &&
      Object.is(x.value, y.value) &&
      equalAvals(x.aval, y.aval)
    );
  const [nx, ny] = [left.of(x), right.of(y)];
  return nx === undefined && ny === undefined ? x.id === y.id : nx === ny;
}

function sameValue(x: ParamValue, y: ParamValue, proven: Proven): boolean {
  if (Object.is(x, y)) return true;
  if (typeof x !== "object" || typeof y !== "object" || x === null || y === null) return false;
  if (x instanceof Jaxpr || y instanceof Jaxpr)
    return x instanceof Jaxpr && y instanceof Jaxpr && sameJaxpr(x, y, proven);
  if (Array.isArray(x) || Array.isArray(y))
    return (
      Array.isArray(x) && Array.isArray(y) && sameLists<ParamValue>(x, y, (v, w) => sameValue(v, w, proven))
    );
  const [px, py] = [x as Params, y as Params];
  return sameLists(
    presentKeys(px),
    presentKeys(py),
    (key, other) => key === other && sameValue(px[key], py[key], proven),
  );
}
