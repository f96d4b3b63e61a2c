/** Random well-typed programs over the whole registry. */
import type { Aval, ConcreteArray, Eqn, Example } from "fluxion";
import { domainOf, drawOperands } from "../cases.js";
import { generator } from "../point.js";
import { type Interval, isInside, sameShape, tamed, toDomain, toShape } from "./adapt.js";
import { Builder, type Draft, type Known, moved } from "./builder.js";
import { catalogue, type Entry, type ProgramKind } from "./catalogue.js";
import { arrayOf, type Copies, constant, evaluateCopies, isConstant, isFloatType } from "./copies.js";
import { assemble } from "./cut.js";
import { outlined } from "./outline.js";
import type { Program } from "./program.js";

export interface ProgramOptions {
  /** `smooth` (default): in float64 and differentiable around the inputs; `any`: all dtypes and primitives. */
  readonly kind?: ProgramKind;
  /** How many primitives of the registry are applied, beside those that fit operands to them. Default 1 to 12. */
  readonly minSteps?: number;
  readonly maxSteps?: number;
  /** How deep calls nest. Default 2. */
  readonly maxDepth?: number;
  /** Whether to print and call back. Default false. */
  readonly effects?: boolean;
  /** Names of primitives to be applied at least once, where that can be done. */
  readonly including?: readonly string[];
}

const pick = <T>(random: () => number, list: readonly T[]): T => list[Math.floor(random() * list.length)];

/** One of the list, the later ones with more weight. */
const pickRecent = <T>(random: () => number, list: readonly T[]): T =>
  list[Math.min(list.length - 1, Math.floor(list.length * Math.sqrt(random())))];

/** A program while it grows: what is there to be used. */
class Growth {
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
    const [drawn] = drawOperands({ ...example, avals: [type], domain: [narrow] }, this.random);
    return this.keep(this.builder.input(drawn.concrete()));
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
        const draft = builder.draft(primitive, operands, example.params);
        return isAcceptable(draft, this.kind, random) ? builder.add(draft) : undefined;
      });
      if (results === undefined) continue;
      for (const y of results) this.keep(tamed(builder, y));
      return true;
    }
    return false;
  }
}

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

/** Numbers that differ by no more than rounding made the same: another device may well find them to be. */
function snapped(x: ConcreteArray): ConcreteArray {
  const grid = 2 ** -({ float64: 30, float32: 16 }[x.dtype as string] ?? 8);
  return arrayOf(
    Array.from(x.values, (e) => Math.round(e / grid) * grid),
    x.aval,
  );
}

/**
 * Whether values stay finite and no jump is near: what is no float, or a float without derivative, must be the same at
 * the neighbours, when each operand moves by itself, and without the last digits.
 */
function isAcceptable(
  { primitive, operands, params, results }: Draft,
  kind: ProgramKind,
  random: () => number,
): boolean {
  for (const { type, min, max, speed } of results)
    if (isFloatType(type.dtype) && !(Math.max(-min, max) < largestAllowed && speed < largestAllowed))
      return false;
  const { differentiable } = primitive.laws;
  const steady = results.filter(
    ({ type }) => !isFloatType(type.dtype) || (kind === "smooth" && !differentiable),
  );
  if (steady.length === 0) return true;
  if (!operands.some((x) => isFloatType(x.type.dtype))) return true;
  // What reads the bits of a float jumps everywhere; inputs are the same bits wherever the program runs.
  if (kind === "any" && operands.every((x) => x.given || !isFloatType(x.type.dtype))) return true;
  if (steady.some((y) => !isConstant(y.copies))) return false;
  const alone = (x: Known): Copies => {
    const [at] = x.copies;
    if (!isFloatType(x.type.dtype)) return constant(at);
    const by = x.type.dtype === "float16" ? 2e-2 : 4e-3;
    return [at, moved(at, by, random), snapped(at)];
  };
  const again = evaluateCopies(
    primitive,
    operands.map(alone),
    params,
    results.map((y) => y.type),
  );
  return results.every((y, i) => !steady.includes(y) || isConstant(again[i]));
}

/** Whether it has a derivative: a float that equations compute from the inputs. */
const isActive = (x: Known): boolean => !x.given && isFloatType(x.type.dtype) && !isConstant(x.copies);

/** The variables that nothing uses: at most four become outputs, what depends on the inputs first. */
function chooseOutputs(growth: Growth, eqns: readonly Eqn[]): readonly Known[] {
  const { random, pool } = growth;
  const used = new Set(eqns.flatMap((eqn) => eqn.inputs));
  const leaves = pool.filter((x) => !used.has(x.atom) && !x.given).reverse();
  const active = leaves.filter(isActive);
  const rest = leaves.filter((x) => !isActive(x));
  const outputs = [...active, ...rest].slice(0, 1 + Math.floor(4 * random()));
  if (pool.length > 0 && (outputs.length === 0 || random() < 0.05)) outputs.push(pick(random, pool));
  return outputs;
}

/**
 * A program that follows from the seed. Each step applies a primitive of the registry, as one of its examples says, to
 * values that are there already, to inputs drawn from the domain of the example, or to literals; values are fitted to
 * the type and the domain of the operand by reshaping, scaling and squashing. Some runs of equations become calls.
 *
 * @example
 * randomProgram(7).jaxpr.toString() === randomProgram(7).jaxpr.toString(); // true
 */
export function randomProgram(seed: number, options: ProgramOptions = {}): Program {
  const { kind = "smooth", minSteps = 1, maxSteps = 12, maxDepth = 2, effects = false } = options;
  const random = generator(seed);
  const growth = new Growth(kind, random);
  const entries = catalogue(kind, effects);
  const asked = entries.filter(({ primitive }) => options.including?.includes(primitive.name));
  const steps = minSteps + Math.floor(random() * (maxSteps - minSteps + 1));
  for (let done = 0, tries = 0; done < steps && tries < 6 * steps; tries++) {
    const due = asked.length > 0 && random() < asked.length / (steps - done);
    const entry = due ? pick(random, asked) : pick(random, entries);
    if (!growth.step(entry)) continue;
    done++;
    if (due) asked.splice(asked.indexOf(entry), 1);
  }
  // A smooth program has something to differentiate, if a few more steps can bring it.
  for (let tries = 0; kind === "smooth" && tries < 8 && !growth.pool.some(isActive); tries++)
    growth.step(pick(random, entries));
  const { eqns, values } = growth.builder;
  const outputs = chooseOutputs(growth, eqns).map((x) => x.atom);
  const whole = assemble(eqns, outputs, (v) => values[v.id]);
  return random() < 0.4 ? outlined(whole, random, maxDepth) : whole;
}
