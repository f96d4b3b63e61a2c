/** Random well-typed programs over the whole registry. */
import type { Eqn } from "fluxion";
import { generator } from "../point.js";
import { drawCond } from "./branches.js";
import type { Known } from "./builder.js";
import { catalogue, type ProgramKind } from "./catalogue.js";
import { isConstant, isFloatType } from "./copies.js";
import { assemble } from "./cut.js";
import { Growth, pick } from "./growth.js";
import { drawScan, drawWhile } from "./loops.js";
import { outlined } from "./outline.js";
import type { Program } from "./program.js";
import type { Plan } from "./structure.js";
import { wrappers } from "./wrappers.js";

export interface ProgramOptions {
  /** `smooth` (default): in float64 and differentiable around the inputs; `any`: all dtypes and primitives. */
  readonly kind?: ProgramKind;
  /** How many primitives of the registry are applied, beside those that fit operands to them. Default 1 to 12. */
  readonly minSteps?: number;
  readonly maxSteps?: number;
  /** How deep calls, branches and loops nest. Default 3. */
  readonly maxDepth?: number;
  /** Whether to print and call back. Default false. */
  readonly effects?: boolean;
  /** Names of primitives to be applied at least once, where that can be done. */
  readonly including?: readonly string[];
}

/** What draws branches and loops with bodies of their own. */
const structures: readonly (readonly [string, (growth: Growth, plan: Plan) => boolean])[] = [
  ["cond", drawCond],
  ["scan", drawScan],
  ["while", drawWhile],
];

/** Applies so many primitives, or draws branches and loops in their place. */
function grow(growth: Growth, plan: Plan, steps: number): void {
  const { random } = growth;
  for (let done = 0, tries = 0; done < steps && tries < 6 * steps; tries++) {
    const isStructure = plan.depth > 0 && random() < plan.structured;
    const added = isStructure
      ? pick(random, structures)[1](growth, plan)
      : growth.step(pick(random, plan.entries));
    if (added) done++;
  }
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
 * the type and the domain of the operand by reshaping, scaling and squashing. Some steps are branches and loops with bodies
 * that grow in the same way, and some runs of equations become bodies of calls.
 *
 * @example
 * randomProgram(7).jaxpr.toString() === randomProgram(7).jaxpr.toString(); // true
 */
export function randomProgram(seed: number, options: ProgramOptions = {}): Program {
  const { kind = "smooth", minSteps = 1, maxSteps = 12, maxDepth = 3, effects = false } = options;
  const random = generator(seed);
  const growth = new Growth(kind, random);
  const entries = catalogue(kind, effects);
  const plan: Plan = { kind, entries, depth: maxDepth, structured: 0.12, grow };
  const asked = (options.including ?? []).flatMap((name) => {
    const structure = structures.find(([known]) => known === name);
    if (structure !== undefined && maxDepth > 0) return [() => structure[1](growth, plan)];
    const entry = entries.find(({ primitive }) => primitive.name === name);
    return entry === undefined ? [] : [() => growth.step(entry)];
  });
  const steps = minSteps + Math.floor(random() * (maxSteps - minSteps + 1));
  for (let done = 0, tries = 0; done < steps && tries < 6 * steps; tries++) {
    const before = growth.pool.length;
    if (asked.length > 0 && random() < asked.length / (steps - done)) {
      const due = pick(random, asked);
      if (!due()) continue;
      asked.splice(asked.indexOf(due), 1);
    } else grow(growth, plan, 1);
    if (growth.pool.length > before) done++;
  }
  // A smooth program has something to differentiate, if a few more steps can bring it.
  for (let tries = 0; kind === "smooth" && tries < 8 && !growth.pool.some(isActive); tries++)
    growth.step(pick(random, entries));
  const { eqns, values } = growth.builder;
  const outputs = chooseOutputs(growth, eqns).map((x) => x.atom);
  const flat = assemble(eqns, outputs, (v) => values[v.id]);
  const whole = random() < 0.4 ? outlined(flat, random, maxDepth) : flat;
  // Calls are not among the primitives that are applied.
  return wrappers
    .filter(({ primitive }) => options.including?.includes(primitive))
    .reduce((program, wrapper) => outlined(program, random, maxDepth, [wrapper]), whole);
}
