/** Draws loops: scans and whiles of a few steps. */
import { type Aval, aval, type Jaxpr, type Var } from "fluxion";
import { named } from "./adapt.js";
import { Builder, type Draft, type Known } from "./builder.js";
import { type Copies, isFloatType } from "./copies.js";
import { renumbered } from "./cut.js";
import { type Growth, pick } from "./growth.js";
import { entryOf } from "./run.js";
import { stepsAreGood } from "./steps.js";
import {
  available,
  Body,
  chosenInteger,
  isActive,
  moderate,
  near,
  type Plan,
  some,
  strong,
} from "./structure.js";

const sizeOf = ({ shape }: Aval): number => shape.reduce((a, b) => a * b, 1);

/** Shapes of what is drawn for a loop alone. */
const shapes: readonly (readonly number[])[] = [[], [2], [3], [2, 2]];

/** A float that a loop may carry: of the pool, or an input. */
function carried(growth: Growth): Known {
  const { random, builder, kind } = growth;
  const small = ({ type }: Known): boolean =>
    isFloatType(type.dtype) && sizeOf(type) <= 12 && (sizeOf(type) > 0 || random() < 0.1);
  const found = available(growth, small);
  const active = found.filter(isActive);
  const from = active.length > 0 ? active : found;
  if (from.length > 0 && random() < 0.85) return strong(builder, pick(random, from));
  const dtype = kind === "smooth" ? "float64" : pick(random, ["float64", "float32", "float16"] as const);
  return growth.drawn(aval([...pick(random, shapes)], dtype), [-1.5, 1.5]);
}

/** What a loop carries, and from where it counts, if it does. */
interface Carry {
  readonly init: readonly Known[];
  /** The position of the counter. */
  readonly counter: number | undefined;
}

function drawnCarry(growth: Growth, counts: boolean, most: number): Carry {
  const { random } = growth;
  const floats = Array.from({ length: Math.min(most, random() < 0.4 ? 2 : 1) }, () => carried(growth));
  if (!counts) return { init: floats, counter: undefined };
  const counter = Math.floor(random() * (floats.length + 1));
  return { init: floats.toSpliced(counter, 0, chosenInteger(growth, 0, 2)), counter };
}

/**
 * What the body hands on: the counter plus one, and floats that are made of what it computed and stay near those that they
 * follow. Undefined where that cannot be had.
 */
function nextCarry(body: Body, carry: readonly Known[], counter: number | undefined): Known[] | undefined {
  const { builder, growth } = body;
  const { random } = growth;
  const next: Known[] = [];
  for (const [k, old] of carry.entries()) {
    if (k === counter) {
      next.push(builder.apply(named("add"), [old, builder.literal(1, "int32")]));
      continue;
    }
    // Some are handed on as they are.
    if (random() < 0.07) {
      next.push(old);
      continue;
    }
    const value = body.result((x) => x.type.dtype === old.type.dtype && sizeOf(x.type) > 0) ?? old;
    const large = Math.max(Math.abs(old.min), Math.abs(old.max)) > 0.05 && value !== old && random() < 0.5;
    const made = large
      ? builder.attempt(() => near(builder, value, old))
      : builder.attempt(() => nudged(builder, value, old));
    if (made === undefined) return undefined;
    next.push(made);
  }
  return next.every((x, k) => x.type.weakType === carry[k].type.weakType) ? next : undefined;
}

/** The old value, moved a little by another. */
function nudged(b: Builder, value: Known, old: Known): Known | undefined {
  const by = near(b, b.apply(named("tanh"), [value]), old);
  if (by === undefined) return undefined;
  const part = b.apply(named("mul"), [by, b.literal(0.125, old.type.dtype)]);
  return strong(
    b,
    b.apply(named("add"), [part, b.apply(named("mul"), [old, b.literal(0.875, old.type.dtype)])]),
  );
}

/** The variables of a body's inputs and outputs, and what operands they have in the growth around it. */
interface Signature {
  readonly jaxpr: Jaxpr;
  readonly consts: readonly Known[];
}

/** Closes a body of a loop: what was drawn on the way becomes constants behind those that there are. */
function closed(body: Body, around: Growth, consts: readonly Known[], outputs: readonly Known[]): Signature {
  const atoms = outputs.map((x) => x.atom);
  const extras = body.extras(atoms);
  const formals = body.formals.map((x) => x.atom);
  const inputs = [...formals.slice(0, consts.length), ...extras, ...formals.slice(consts.length)];
  const added = extras.map((v) => around.builder.variable(body.valueOf(v)));
  return { jaxpr: body.toJaxpr(inputs, atoms), consts: [...consts, ...added] };
}

/** So often another end is sought for a body whose later steps leave the domain. */
const attempts = 3;

/** Ends a body in different ways until all steps are good. */
function completed(body: Body, growth: Growth, end: () => Draft | undefined): Draft | undefined {
  for (let k = 0; k < attempts; k++) {
    const draft = body.builder.attempt(() => {
      const found = end();
      return found !== undefined && stepsAreGood(found, growth) ? found : undefined;
    });
    if (draft !== undefined) return draft;
  }
  return undefined;
}

/** An array with an entry for each step: of the pool, or drawn. */
function stackedInput(growth: Growth, length: number): Known {
  const { random, builder, kind } = growth;
  const found = available(
    growth,
    ({ type }) => type.shape[0] === length && sizeOf(type) <= 24 && type.shape.length > 0,
  );
  if (found.length > 0 && random() < 0.75) return strong(builder, pick(random, found));
  const dtype =
    kind === "smooth"
      ? random() < 0.85
        ? "float64"
        : "int32"
      : pick(random, ["float32", "float64", "int32", "bool"] as const);
  const domain = isFloatType(dtype) ? ([-1.5, 1.5] as const) : ([0, 1] as const);
  return growth.drawn(aval([length, ...pick(random, shapes)], dtype), domain);
}

/** Adds a scan; false where nothing came of it. */
export function drawScan(growth: Growth, plan: Plan): boolean {
  const { random, builder } = growth;
  const results = builder.attempt(() => {
    const length = pick(random, [0, 1, 1, 2, 2, 3, 3]);
    const reverse = random() < 0.4;
    const xs = Array.from({ length: Math.floor(random() * 2.6) }, () => stackedInput(growth, length));
    // A scan without a carry maps.
    const maps = xs.length > 0 && random() < 0.12;
    const { init, counter } = drawnCarry(growth, random() < 0.35, maps ? 0 : 2);
    const consts = some(growth, 2);
    const at = reverse ? length - 1 : 0;
    const entries = xs.map((x) => ({ copies: firstEntry(x, at, growth), given: x.given }));
    const carries = init.map(({ copies }) => ({ copies, given: false }));
    const body = new Body(plan, growth, [...consts, ...carries, ...entries]);
    body.grow();
    const carry = body.formals.slice(consts.length, consts.length + init.length);
    const draft = completed(body, growth, () => {
      const next = nextCarry(body, carry, counter);
      if (next === undefined) return undefined;
      const ys = Array.from({ length: Math.floor(random() * 2.4) }, () => body.result());
      if (next.length + ys.length === 0) return undefined;
      const outputs = [...next, ...ys.filter((y) => y !== undefined)].map((x) => strong(body.builder, x));
      const made = closed(body, growth, consts, outputs);
      const params = {
        jaxpr: made.jaxpr,
        length,
        reverse,
        unroll: random() < 0.3 ? 2 : 1,
        consts: made.consts.length,
        carries: init.length,
      };
      return moderate(growth, named("scan"), [...made.consts, ...init, ...xs], params);
    });
    return draft && builder.add(draft);
  });
  for (const y of results ?? []) growth.keep(y);
  return results !== undefined;
}

/** An entry of an array; where it has none, what one might be. */
function firstEntry({ copies, type }: Known, at: number, growth: Growth): Copies {
  const entry = aval(type.shape.slice(1), type.dtype);
  if (type.shape[0] > 0) return entryOf(copies, at, entry);
  const drawn = new Builder(growth.random);
  const zero = drawn.literal(isFloatType(type.dtype) ? 0.5 : 1, type.dtype);
  return drawn.apply(named("broadcastInDim"), [zero], { shape: [...entry.shape], dims: [] }).copies;
}

/** Whether a while goes on: its counter is below a bound, which stands in the condition or is an operand. */
function condition(growth: Growth, init: readonly Known[], counter: number, bound: number): Signature {
  const { random } = growth;
  const consts = random() < 0.5 ? [growth.integer(bound)] : [];
  const cond = new Builder(random);
  const formals = [...consts, ...init].map(({ copies }) => cond.variable(copies, false));
  const carry = formals.slice(consts.length);
  const limit = consts.length > 0 ? formals[0] : cond.literal(bound, "int32");
  let holds = cond.apply(named("lt"), [carry[counter], limit]);
  const scalar = carry.find(({ type }) => isFloatType(type.dtype) && type.shape.length === 0);
  if (scalar !== undefined && random() < 0.4) {
    const small = cond.apply(named("lt"), [scalar, cond.literal(100, scalar.type.dtype)]);
    holds = cond.apply(named("bitwiseAnd"), [holds, small]);
  }
  const inputs = formals.map((x) => x.atom as Var);
  return { jaxpr: renumbered(inputs, cond.eqns, [holds.atom]), consts };
}

/** Adds a while of at most three steps; false where nothing came of it. */
export function drawWhile(growth: Growth, plan: Plan): boolean {
  const { random, builder } = growth;
  const results = builder.attempt(() => {
    const { init, counter = 0 } = drawnCarry(growth, true, 2);
    const steps = pick(random, [0, 1, 2, 2, 3, 3]);
    const cond = condition(growth, init, counter, init[counter].copies[0].values[0] + steps);
    const consts = some(growth, 2);
    const carries = init.map(({ copies }) => ({ copies, given: false }));
    const body = new Body(plan, growth, [...consts, ...carries]);
    body.grow();
    const draft = completed(body, growth, () => {
      const next = nextCarry(body, body.formals.slice(consts.length), counter);
      if (next === undefined) return undefined;
      const made = closed(body, growth, consts, next);
      const params = {
        cond: cond.jaxpr,
        body: made.jaxpr,
        condConsts: cond.consts.length,
        bodyConsts: made.consts.length,
        slots: 1 + Math.floor(3 * random()),
      };
      const operands = [...cond.consts, ...made.consts, ...init];
      return moderate(growth, named("while"), operands, params);
    });
    return draft && builder.add(draft);
  });
  for (const y of results ?? []) growth.keep(y);
  return results !== undefined;
}
