/**
 * Branches and loops: their bodies run in the memory of the program around them. Entries of stacked arrays are read and written
 * where they are, and a carry is copied once, before the first step, unless it is in its place already.
 */
import { type ControlStep, carriesOf, type ScanStep, type WhileStep } from "../../compiler/program.js";
import { InternalError } from "../../core/errors.js";
import type { Buffer } from "../../core/ir/types.js";
import type { Launcher } from "./launch.js";
import {
  type BodyLayout,
  type BranchLayout,
  type FlowLayout,
  type Hosted,
  type LoopLayout,
  type Numbers,
  storedBytes,
} from "./layout.js";
import type { Heap } from "./memory.js";
import { lowestAddress } from "./module.js";
import type { MakeReady, ReadyStep, Runner, Session } from "./session.js";

export function readyFlow(
  step: ControlStep,
  layout: FlowLayout,
  numbers: Numbers,
  launchers: Iterator<Launcher>,
  ready: MakeReady,
): ReadyStep {
  const slots = slotsOf(step, numbers);
  const bodies = layout.bodies.map((body) => readyBody(body, ready(body, launchers)));
  if (step.flow === "cond" && layout.flow === "cond")
    return (session) => runBranches(step.outputs, layout, slots, session, bodies);
  if (step.flow === "while" && layout.flow === "loop")
    return (session) => runWhile(step, layout, slots, session, bodies);
  if (step.flow === "scan" && layout.flow === "loop")
    return (session) => runScan(step, layout, slots, session, bodies);
  throw new InternalError(`${step.eqn.primitive.name} has the workspace of something else`);
}

/** The numbers of a step's buffers among those of the program around it. */
interface Slots {
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly workspace: number;
}

const slotsOf = ({ inputs, outputs, workspace }: ControlStep, numbers: Numbers): Slots => ({
  inputs: inputs.map((b) => numbers.slotOf(b)),
  outputs: outputs.map((b) => numbers.slotOf(b)),
  workspace: workspace === undefined ? -1 : numbers.slotOf(workspace),
});

type ReadyBody = (session: Session) => BodyRun;

const readyBody =
  (layout: BodyLayout, steps: readonly ReadyStep[]): ReadyBody =>
  (session) =>
    new BodyRun(layout, steps, session);

/** A body that is being run: the addresses of its buffers, which change from step to step. */
class BodyRun {
  readonly addresses: number[];
  /** Numbers of its inputs and outputs. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  private readonly inside: readonly Hosted[];
  private readonly runners: readonly Runner[];

  constructor(
    private readonly layout: BodyLayout,
    steps: readonly ReadyStep[],
    session: Session,
  ) {
    this.addresses = new Array<number>(layout.numbers.buffers.length).fill(lowestAddress);
    this.inputs = layout.inputs;
    this.outputs = layout.outputs;
    this.inside = layout.inside;
    this.runners = steps.map((step) => step(session));
  }

  /** Says where there is room for temporaries. */
  settle(room: number): void {
    for (const { slot, offset } of this.layout.inArena) this.addresses[slot] = room + offset;
  }

  run(): void {
    const { addresses, inside, runners } = this;
    for (let i = 0; i < inside.length; i++) {
      const { slot, host, offset } = inside[i];
      addresses[slot] = addresses[host] + offset;
    }
    for (let i = 0; i < runners.length; i++) runners[i](addresses);
  }
}

function copy(heap: Heap, from: number, to: number, bytes: number): void {
  if (from !== to && bytes > 0) heap.views.u8.copyWithin(to, from, from + bytes);
}

function runBranches(
  outputs: readonly Buffer[],
  { apart, room }: BranchLayout,
  slots: Slots,
  session: Session,
  ready: readonly ReadyBody[],
): Runner {
  const { heap } = session;
  // Branches that are never taken are never set up.
  const bodies: (BodyRun | undefined)[] = ready.map(() => undefined);
  return (addresses) => {
    const index = heap.views.i32[addresses[slots.inputs[0]] >> 2];
    const taken = Math.min(Math.max(index, 0), ready.length - 1);
    bodies[taken] ??= ready[taken](session);
    const body = bodies[taken];
    const workspace = addresses[slots.workspace];
    body.settle(workspace + room);
    for (const [i, slot] of body.inputs.entries()) body.addresses[slot] = addresses[slots.inputs[1 + i]];
    const held = new Set(body.inputs);
    for (const [k, slot] of body.outputs.entries())
      if (!held.has(slot)) body.addresses[slot] = addresses[slots.outputs[k]];
    for (const { output, offset } of apart[taken]) body.addresses[body.outputs[output]] = workspace + offset;
    body.run();
    for (const { output, offset } of apart[taken])
      copy(heap, workspace + offset, addresses[slots.outputs[output]], storedBytes(outputs[output]));
  };
}

/** The carries of a loop that is being run, at addresses that change from step to step. */
class Carries {
  /** Addresses of the carries, then of the spare places. */
  private readonly places: number[];
  private readonly before: number[];
  private readonly bytes: readonly number[];

  constructor(
    step: WhileStep | ScanStep,
    private readonly layout: LoopLayout,
    private readonly slots: Slots,
    private readonly heap: Heap,
  ) {
    const { inStep, count } = carriesOf(step);
    this.first = inStep;
    this.bytes = step.outputs.slice(0, count).map(storedBytes);
    this.places = layout.places.map(() => lowestAddress);
    this.before = [...this.places];
  }

  private readonly first: number;

  /** Puts the initial carry in its place. */
  start(addresses: readonly number[]): void {
    const { places, layout, slots, heap, bytes, first } = this;
    const workspace = addresses[slots.workspace];
    for (const [i, place] of layout.places.entries())
      places[i] = "output" in place ? addresses[slots.outputs[place.output]] : workspace + place.offset;
    for (let k = 0; k < bytes.length; k++)
      copy(heap, addresses[slots.inputs[first + k]], places[k], bytes[k]);
  }

  /** Shows the carry to a body, whose inputs from `at` on it is. */
  show({ addresses, inputs }: BodyRun, at: number): void {
    for (let k = 0; k < this.bytes.length; k++) addresses[inputs[at + k]] = this.places[k];
  }

  /** Says where the next carry goes, as far as it does not lie in the memory of the last. */
  receive({ addresses, outputs }: BodyRun): void {
    const { spares } = this.layout.rotation;
    for (let i = 0; i < spares.length; i++)
      addresses[outputs[spares[i].carry]] = this.places[spares[i].place];
  }

  advance(): void {
    const { places, before } = this;
    const { from, isStill } = this.layout.rotation;
    if (isStill) return;
    for (let i = 0; i < places.length; i++) before[i] = places[i];
    for (let i = 0; i < places.length; i++) places[i] = before[from[i]];
  }

  /** Puts the final carry in the memory of the outputs. */
  finish(addresses: readonly number[]): void {
    for (let k = 0; k < this.bytes.length; k++)
      copy(this.heap, this.places[k], addresses[this.slots.outputs[k]], this.bytes[k]);
  }
}

function runWhile(
  step: WhileStep,
  layout: LoopLayout,
  slots: Slots,
  session: Session,
  ready: readonly ReadyBody[],
): Runner {
  const { heap } = session;
  const { condConsts, bodyConsts } = step;
  const [cond, body] = ready.map((make) => make(session));
  const carries = new Carries(step, layout, slots, heap);
  return (addresses) => {
    const workspace = addresses[slots.workspace];
    const predicate = workspace + layout.predicate;
    cond.settle(workspace + layout.room);
    body.settle(workspace + layout.room);
    for (let i = 0; i < condConsts; i++) cond.addresses[cond.inputs[i]] = addresses[slots.inputs[i]];
    for (let i = 0; i < bodyConsts; i++)
      body.addresses[body.inputs[i]] = addresses[slots.inputs[condConsts + i]];
    cond.addresses[cond.outputs[0]] = predicate;
    carries.start(addresses);
    for (;;) {
      carries.show(cond, condConsts);
      cond.run();
      if (heap.views.u8[predicate] === 0) break;
      carries.show(body, bodyConsts);
      carries.receive(body);
      body.run();
      carries.advance();
    }
    carries.finish(addresses);
  };
}

function runScan(
  step: ScanStep,
  layout: LoopLayout,
  slots: Slots,
  session: Session,
  ready: readonly ReadyBody[],
): Runner {
  const { consts, carries: count, length, reverse } = step;
  const body = ready[0](session);
  const carries = new Carries(step, layout, slots, session.heap);
  /** Numbers of the stacked arrays in the program around, and of their entries in the body. */
  const stacked = [
    ...body.inputs
      .slice(consts + count)
      .map((inner, j) => ({ inner, outer: slots.inputs[consts + count + j] })),
    ...body.outputs.slice(count).map((inner, j) => ({ inner, outer: slots.outputs[count + j] })),
  ].map(({ inner, outer }) => ({
    inner,
    outer,
    bytes: storedBytes(layout.bodies[0].numbers.buffers[inner]),
  }));
  const start = reverse ? length - 1 : 0;
  const direction = reverse ? -1 : 1;
  return (addresses) => {
    carries.start(addresses);
    body.settle(addresses[slots.workspace] + layout.room);
    const own = body.addresses;
    for (let i = 0; i < consts; i++) own[body.inputs[i]] = addresses[slots.inputs[i]];
    for (const { inner, outer, bytes } of stacked) own[inner] = addresses[outer] + start * bytes;
    for (let t = 0; t < length; t++) {
      carries.show(body, consts);
      carries.receive(body);
      body.run();
      carries.advance();
      for (let i = 0; i < stacked.length; i++) own[stacked[i].inner] += direction * stacked[i].bytes;
    }
    carries.finish(addresses);
  };
}
