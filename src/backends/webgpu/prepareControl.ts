/** Branches and loops made ready for a GPU: where their bodies find and leave values, and what decides which of them run. */
import type { CondStep, ControlStep, Program, ScanStep, WhileStep } from "../../compiler/program.js";
import { DeviceError, InternalError } from "../../core/errors.js";
import { type Buffer, Local } from "../../core/ir/types.js";
import { planCarries } from "./carries.js";
import { branchGuard, Guard, loopFlags, loopGuard, type Surroundings } from "./guards.js";
import type { Maker, SpotOf } from "./maker.js";
import type { CondPlan, Launch, Plan, ScanPlan, WhilePlan } from "./plan.js";
import { entryOf, isWhole, type Spot } from "./spots.js";
import { mostCounters } from "./wgsl.js";

/** Whether the host has to wait for the GPU while it records a program: it does for a loop whose end it does not know. */
export const waits = ({ steps }: Program): boolean =>
  steps.some((step) => step.kind === "control" && (step.flow === "while" || step.bodies.some(waits)));

export function planControl(maker: Maker, step: ControlStep, spotOf: SpotOf, around: Surroundings): Plan[] {
  const inputs = step.inputs.map(spotOf);
  const outputs = step.outputs.map(spotOf);
  switch (step.flow) {
    case "cond":
      return [planCond(maker, step, inputs, outputs, around)];
    case "scan":
      return [planScan(maker, step, inputs, outputs, around)];
    case "while":
      return [planWhile(maker, step, inputs, outputs, around)];
  }
}

const whole = (place: number, buffer: Buffer): Spot => ({ place, buffer, shift: [] });

const placesOf = (...spots: readonly (readonly Spot[])[]): ReadonlySet<number> =>
  new Set(spots.flat().map(({ place }) => place));

const none: ReadonlySet<number> = new Set();

/** Bytes of a scalar. */
const word = 16;

function planScan(
  maker: Maker,
  step: ScanStep,
  inputs: readonly Spot[],
  outputs: readonly Spot[],
  around: Surroundings,
): ScanPlan {
  const [program] = step.bodies;
  const { consts, carries: count, length, reverse } = step;
  const inside = within(around, "step", length);
  const counter = inside.counters[around.counters.length];
  const entries = (all: readonly Spot[], values: readonly Buffer[]): Spot[] =>
    all.map((spot, i) => entryOf(spot, values[i].size, counter));
  const own = program.inputs.slice(consts, consts + count);
  const current = own.map((b) => whole(maker.workspace.position(), b));
  const fresh = own.map((b) => whole(maker.workspace.position(), b));
  const results = entries(outputs.slice(count), program.outputs.slice(count));
  const xs = entries(inputs.slice(consts + count), program.inputs.slice(consts + count));
  const { result: body, taken: inBody } = maker.workspace.during(() =>
    maker.body(
      program,
      [...inputs.slice(0, consts), ...current, ...xs],
      [...fresh, ...results],
      inside,
      placesOf(current, fresh),
    ),
  );
  requireThere(program, body.outputs.slice(count), results);
  const { carries, taken } = planCarries(maker, {
    values: own,
    first: inputs.slice(consts, consts + count),
    last: outputs.slice(0, count),
    current: current.map(({ place }) => place),
    next: body.outputs.slice(0, count).map(({ place }) => place),
    steps: length,
    around,
    inBody,
  });
  maker.workspace.give([...body.taken, ...taken]);
  return { kind: "scan", length, reverse, counter: around.counters.length, carries, body: body.plan };
}

function planWhile(
  maker: Maker,
  step: WhileStep,
  inputs: readonly Spot[],
  outputs: readonly Spot[],
  around: Surroundings,
): WhilePlan {
  if (around.guarded !== undefined)
    throw new InternalError("a loop that the host waits for is under a guard");
  const { workspace } = maker;
  const [condition, program] = step.bodies;
  const { condConsts, bodyConsts } = step;
  const inside = within(around, "step");
  const own = program.inputs.slice(bodyConsts);
  const current = own.map((b) => whole(workspace.position(), b));
  const fresh = own.map((b) => whole(workspace.position(), b));
  const control = workspace.take(word);
  const predicate = whole(workspace.take(word), condition.outputs[0]);
  const guard = step.bodies.some(waits) ? undefined : new Guard(control, loopFlags);
  const {
    result: [cond, body],
    taken: inBody,
  } = workspace.during(() => {
    const cond = maker.body(
      condition,
      [...inputs.slice(0, condConsts), ...current],
      [predicate],
      inside,
      none,
    );
    // When the body begins the condition is done.
    workspace.give(cond.taken);
    const body = maker.body(
      program,
      [...inputs.slice(condConsts, condConsts + bodyConsts), ...current],
      fresh,
      guard === undefined ? inside : { ...inside, guarded: { guard, flag: 0 } },
      placesOf(current, fresh),
    );
    return [cond, body];
  });
  requireThere(condition, cond.outputs, [predicate]);
  const { carries, taken } = planCarries(maker, {
    values: own,
    first: inputs.slice(condConsts + bodyConsts),
    last: outputs,
    current: current.map(({ place }) => place),
    next: body.outputs.map(({ place }) => place),
    steps: undefined,
    around,
    inBody,
  });
  const counter = around.counters.length;
  let decide: Launch | undefined;
  if (guard !== undefined) {
    workspace.grow(control, guard.bytes);
    const table = guard.table(undefined, counter);
    decide = maker.dispatch(
      loopGuard,
      "loopGuard",
      [control, predicate.place, maker.constant(table)],
      [guard.bytes, word, tableBytes(table)],
    );
  }
  workspace.give([...body.taken, ...taken, control, predicate.place]);
  return {
    kind: "while",
    counter,
    carries,
    cond: cond.plan,
    predicate: predicate.place,
    guard: decide,
    control,
    body: body.plan,
  };
}

function planCond(
  maker: Maker,
  step: CondStep,
  [index, ...operands]: readonly Spot[],
  outputs: readonly Spot[],
  around: Surroundings,
): CondPlan {
  const { workspace } = maker;
  const before: Launch[] = [];
  const taken: number[] = [];
  let number = index.place;
  if (!isWhole(index)) {
    number = workspace.take(word);
    taken.push(number);
    const [value] = step.inputs;
    before.push(...maker.copy(value, index, whole(number, value), around));
  }
  const { guarded } = around;
  const host = step.bodies.some(waits);
  if (host && guarded !== undefined)
    throw new InternalError("a branch that the host waits for is under a guard");
  const control = host ? undefined : workspace.take(word);
  const guard = control === undefined ? undefined : new Guard(control, step.bodies.length);
  const branches = step.bodies.map((program, flag) => {
    const within = guard === undefined ? around : { ...around, guarded: { guard, flag } };
    const body = maker.body(program, operands, outputs, within, none);
    requireThere(program, body.outputs, outputs);
    // Only one branch runs, so that all have the same memory.
    workspace.give(body.taken);
    return body.plan;
  });
  let decide: Launch | undefined;
  if (guard !== undefined) {
    workspace.grow(guard.control, guard.bytes);
    const table = guard.table(guarded, 0);
    const memory = [guard.control, number, maker.constant(table)];
    const bytes = [guard.bytes, word, tableBytes(table)];
    if (guarded !== undefined) {
      memory.push(guarded.guard.control);
      bytes.push(Math.ceil((guarded.flag + 1) / 4) * 16);
    }
    decide = maker.dispatch(branchGuard(guarded !== undefined), "branchGuard", memory, bytes);
    taken.push(guard.control);
  }
  workspace.give(taken);
  return { kind: "cond", before, index: number, guard: decide, branches };
}

const tableBytes = (table: Uint32Array): number => Math.ceil(table.length / 4) * 16;

/** What stands around the body of a loop. */
function within(around: Surroundings, name: string, length?: number): Surroundings {
  if (around.counters.length === mostCounters)
    throw new DeviceError(`a GPU runs at most ${mostCounters} loops that stand inside each other`);
  return { ...around, counters: [...around.counters, new Local(name, "i32", 1, false, length)] };
}

function requireThere({ name }: Program, found: readonly Spot[], wanted: readonly Spot[]): void {
  if (found.some((spot, k) => spot.place !== wanted[k].place || spot.shift.length !== wanted[k].shift.length))
    throw new InternalError(`a result of the body ${name} is not where it belongs`);
}
