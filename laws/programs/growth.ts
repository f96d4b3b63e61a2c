/** A program while it grows: values that are there, and primitives that are applied to them as their examples say. */
import { type Aval, aval, type Example, type Params } from "fluxion";
import { bodiesOf, withBodies } from "../bodies.js";
import { domainOf, drawOperands } from "../cases.js";
import { type Interval, isInside, sameShape, tamed, toDomain, toShape } from "./adapt.js";
import { Builder, type Draft, type Known } from "./builder.js";
import { catalogue, type Entry, type ProgramKind } from "./catalogue.js";
import { arrayOf, isConstant, isFloatType } from "./copies.js";
import { renumbered } from "./cut.js";
import { staysWhenJostled, stepwise } from "./steady.js";

export const pick = <T>(random: () => number, list: readonly T[]): T =>
  list[Math.floor(random() * list.length)];

/** One of the list, the later ones with more weight. */
export const pickRecent = <T>(random: () => number, list: readonly T[]): T =>
  list[Math.min(list.length - 1, Math.floor(list.length * Math.sqrt(random())))];

export class Growth {
  readonly builder: Builder;
  readonly pool: Known[] = [];
  /** What operands have been made of. */
  private readonly used = new Set<Known["atom"]>();

  constructor(
    readonly kind: ProgramKind,
    readonly random: () => number,
  ) {
    this.builder = new Builder(random);
  }

  keep(x: Known): Known {
    this.pool.push(x);
    return x;
  }

  /** An input drawn from the domain of an operand. */
  fresh(example: Example, i: number): Known {
    const [lo, hi] = domainOf(example, i);
    const type = example.avals[i];
    // Neighbours must lie in the domain as well.
    const narrow: Interval = isFloatType(type.dtype)
      ? [lo + 0.05 * (hi - lo), hi - 0.05 * (hi - lo)]
      : [lo, hi];
    return this.drawn(type, narrow, example.distinct);
  }

  /** An input with elements from an interval. */
  drawn(type: Aval, domain: Interval, distinct = false): Known {
    const [x] = drawOperands({ avals: [type], params: {}, domain: [domain], distinct }, this.random);
    return this.keep(this.builder.input(x.concrete()));
  }

  /** An input that is this number. */
  integer(value: number): Known {
    return this.keep(this.builder.input(arrayOf([value], aval([], "int32"))));
  }

  /** A value of the pool as an operand, or undefined where none will do. */
  private adapted(type: Aval, domain: Interval): Known | undefined {
    const { random, builder, pool } = this;
    let found = pool.filter((x) => x.type.dtype === type.dtype);
    if (found.length === 0 || (this.kind === "any" && random() < 0.15)) {
      const converted = pool.length > 0 ? this.converted(pickRecent(random, pool), type) : undefined;
      if (converted === undefined) return undefined;
      found = [converted];
    }
    // Rather what nothing uses yet, and rather what fits: programs become deep and connected.
    const narrow = (holds: (x: Known) => boolean, chance: number): void => {
      const those = found.filter(holds);
      if (those.length > 0 && random() < chance) found = those;
    };
    narrow((x) => x.type.shape.length === 0 || !x.type.shape.includes(0), 0.9);
    narrow((x) => !this.used.has(x.atom), 0.8);
    narrow((x) => !isConstant(x.copies), 0.7);
    narrow((x) => sameShape(x.type.shape, type.shape), 0.5);
    const chosen = pickRecent(random, found);
    this.used.add(chosen.atom);
    const shaped = toShape(builder, chosen, type.shape);
    if (shaped === undefined) return undefined;
    const inside = toDomain(builder, shaped, domain);
    return isInside(inside, domain) ? inside : undefined;
  }

  /** A value in another dtype; undefined where that would be a jump. */
  private converted(x: Known, type: Aval): Known | undefined {
    const convert = catalogue("any", false).find((e) => e.primitive.name === "convertElementType")?.primitive;
    if (convert === undefined || (this.kind === "smooth" && isFloatType(x.type.dtype))) return undefined;
    const draft = this.builder.draft(convert, [x], { dtype: type.dtype, weakType: false });
    return isAcceptable(draft, this.kind, this.random) ? this.builder.add(draft)[0] : undefined;
  }

  private operand(example: Example, i: number): Known {
    const { random, builder, pool } = this;
    const type = example.avals[i];
    const [lo, hi] = domainOf(example, i);
    if (type.shape.length === 0 && type.dtype !== "bool" && random() < 0.12) {
      const at = lo + (hi - lo) * (0.1 + 0.8 * random());
      return builder.literal(
        isFloatType(type.dtype) ? Number(at.toPrecision(3)) : Math.round(at),
        type.dtype,
      );
    }
    if (pool.length === 0 || random() < 0.12) return this.fresh(example, i);
    return builder.attempt(() => this.adapted(type, [lo, hi])) ?? this.fresh(example, i);
  }

  /** Applies a primitive as one of its examples; false where the values do not allow it. */
  step({ primitive, examples }: Entry): boolean {
    const { random, builder } = this;
    let example = pick(random, examples);
    // Nothing comes of arrays without elements: fewer of them than the examples have.
    if (random() < 0.7 && example.avals.some(({ shape }) => shape.includes(0)))
      example = pick(random, examples);
    const chosen = [
      () => example.avals.map((_, i) => this.operand(example, i)),
      () => example.avals.map((_, i) => this.fresh(example, i)),
    ];
    for (const choose of chosen) {
      const results = builder.attempt(() => {
        const operands = choose();
        if (example.distinct && !areApart(operands)) return undefined;
        const draft = builder.draft(primitive, operands, ownParams(example.params));
        return isAcceptable(draft, this.kind, random) ? builder.add(draft) : undefined;
      });
      if (results === undefined) continue;
      for (const y of results) this.keep(tamed(builder, y));
      return true;
    }
    return false;
  }
}

/** Params with bodies that no other program has: what passes made of them is remembered with them. */
const ownParams = (params: Params): Params => {
  const bodies = bodiesOf(params);
  if (bodies.length === 0) return params;
  const copies = bodies.map(({ inputs, eqns, outputs }) => {
    const own = eqns.map((eqn) => ({ ...eqn, params: ownParams(eqn.params) }));
    return renumbered(inputs, own, outputs);
  });
  return withBodies(params, copies);
};

/** Whether the elements of each operand, and of the float operands together, differ by more than neighbours do. */
function areApart(operands: readonly Known[]): boolean {
  const elements: number[] = [];
  let fastest = 0;
  for (const { type, copies, speed } of operands) {
    if (!isFloatType(type.dtype)) continue;
    fastest = Math.max(fastest, speed);
    elements.push(...copies[0].values);
  }
  elements.sort((a, b) => a - b);
  const gap = 0.01 + 0.004 * fastest;
  return elements.every((x, i) => i === 0 || x - elements[i - 1] > gap);
}

const largestAllowed = 1e4;

/** Whether floats are of moderate size and speed. */
export const isBounded = ({ results }: Draft): boolean =>
  results.every(
    ({ type, min, max, speed }) =>
      !isFloatType(type.dtype) || (Math.max(-min, max) < largestAllowed && speed < largestAllowed),
  );

/** Whether values stay finite, and no jump is near: what is no float must not change, whichever operand moves. */
function isAcceptable(draft: Draft, kind: ProgramKind, random: () => number): boolean {
  const { primitive, operands, params, results } = draft;
  if (!isBounded(draft)) return false;
  const types = results.map((y) => y.type);
  const jumps = stepwise(primitive, types, kind);
  if (!jumps.includes(true)) return true;
  // What reads the bits of a float jumps everywhere; inputs are the same bits wherever the program runs.
  if (kind === "any" && operands.every((x) => x.given || !isFloatType(x.type.dtype))) return true;
  if (results.some((y, i) => jumps[i] && !isConstant(y.copies))) return false;
  const application = { primitive, operands: operands.map((x) => x.copies), params, types };
  return staysWhenJostled(application, kind, random);
}
