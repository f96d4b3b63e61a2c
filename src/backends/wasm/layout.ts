/**
 * Which buffer of a program is where. Buffers are numbered. A branch or a loop gets memory for the time in which it runs, its
 * workspace, which is planned like a temporary; in it the bodies have their own temporaries.
 */

import { heldBy } from "../../compiler/inheritance.js";
import { aligned, type BufferPlan, planBuffers } from "../../compiler/plan.js";
import { type ControlStep, carriesOf, type Program } from "../../compiler/program.js";
import { itemSize } from "../../core/dtype.js";
import { InternalError } from "../../core/errors.js";
import { Buffer } from "../../core/ir/types.js";
import { hostBytes } from "./elements.js";
import { afterSteps, type Rotation, rotationOf } from "./rotation.js";

/** Elements up to so many bytes are copied in and out: that is cheaper than to keep account of them. */
export const small = 4096;

/** Bytes of a buffer as kernels see it. */
export const storedBytes = ({ dtype, size }: Buffer): number => itemSize(dtype) * size;

/** Which inputs and outputs have a block of their own. float16 has two forms, and the one for kernels is in the arena. */
export const isBlock = (buffer: Buffer): boolean => storedBytes(buffer) > small && buffer.dtype !== "float16";

/** Where the buffers of a program lie. */
export const planProgram = (program: Program): BufferPlan =>
  planBuffers(withWorkspaces(program, nothing).program, storedBytes, isBlock);

const nothing: ReadonlySet<Buffer> = new Set();

/** Numbers for the buffers of a program. */
export class Numbers {
  readonly buffers: Buffer[] = [];
  private readonly slots = new Map<Buffer, number>();

  /** The number of a buffer: a new one if it has none. */
  number(buffer: Buffer): number {
    let slot = this.slots.get(buffer);
    if (slot === undefined) {
      slot = this.buffers.length;
      this.slots.set(buffer, slot);
      this.buffers.push(buffer);
    }
    return slot;
  }

  slotOf(buffer: Buffer): number {
    const slot = this.slots.get(buffer);
    if (slot === undefined)
      throw new InternalError(`buffer ${buffer.name} is not in the lists of its program`);
    return slot;
  }
}

/** A buffer in some memory, and its distance from the start. */
export interface Placed {
  readonly slot: number;
  readonly offset: number;
}

/** A buffer in the memory of another one. */
export interface Hosted extends Placed {
  readonly host: number;
}

export interface Workspaces {
  /** The program with a buffer for the workspace in every step that needs one. */
  readonly program: Program;
  readonly flows: ReadonlyMap<ControlStep, FlowLayout>;
}

/**
 * @param loose buffers that are not whole multiples of 64 bytes at such an address: entries of stacked arrays. What lies in them is
 *   only what they hold.
 */
function withWorkspaces(program: Program, loose: ReadonlySet<Buffer>): Workspaces {
  const flows = new Map<ControlStep, FlowLayout>();
  const workspaces: Buffer[] = [];
  const steps = program.steps.map((step) => {
    if (step.kind !== "control") return step;
    const flow = layoutOf(step, loose);
    const workspace = new Buffer("workspace", "uint8", flow.bytes);
    workspaces.push(workspace);
    const own = { ...step, workspace };
    flows.set(own, flow);
    return own;
  });
  if (workspaces.length === 0) return { program, flows };
  return { program: { ...program, steps, temporaries: [...program.temporaries, ...workspaces] }, flows };
}

// ---------------------------------------------------------------------------------------------------------------------
// Programs that are called, and bodies
// ---------------------------------------------------------------------------------------------------------------------

/** The memory of a program that is run by itself. */
export class Layout {
  readonly numbers = new Numbers();
  readonly program: Program;
  readonly flows: Workspaces["flows"];
  /** Buffers in the arena. */
  readonly inArena: Placed[] = [];
  /** Buffers in the memory of an input or output. */
  readonly inside: Hosted[] = [];
  readonly arenaBytes: number;
  /** Inputs that have a block of their own (or lie in the memory already). */
  readonly largeInputs: readonly number[];
  readonly smallInputs: readonly number[];
  /** Outputs that are not inputs, those with a block of their own; each once. */
  readonly largeOutputs: readonly number[];
  /** Outputs with the block of a donated input. */
  readonly takenOver: readonly { readonly slot: number; readonly host: number }[];
  readonly smallOutputs: readonly number[];
  readonly outputs: readonly number[];
  /** The number, after those of all buffers, of room for one float16 array as JavaScript keeps it. */
  readonly staging: number;
  readonly peakBytes: number;

  constructor(given: Program) {
    const { program, flows } = withWorkspaces(given, nothing);
    this.program = program;
    this.flows = flows;
    const { numbers } = this;
    const { buffers } = numbers;
    const { inputs, temporaries } = program;
    for (const b of inputs) numbers.number(b);
    if (buffers.length !== inputs.length) throw new InternalError("an input of a program occurs twice");
    this.outputs = program.outputs.map((b) => numbers.number(b));
    const plan = planBuffers(program, storedBytes, isBlock);
    let end = plan.bytes;
    for (const b of temporaries) {
      const slot = numbers.number(b);
      if (!plan.inside.has(b)) this.inArena.push({ slot, offset: plan.offsets.get(b) ?? 0 });
    }
    for (const [b, { host, offset }] of plan.inside)
      this.inside.push({ slot: numbers.number(b), host: numbers.number(host), offset });
    const isHosted = (slot: number): boolean => plan.inside.has(buffers[slot]);
    const inputSlots = inputs.map((_, i) => i);
    const outputSlots = [...new Set(this.outputs)].filter((slot) => slot >= inputs.length);
    const isLarge = (slot: number): boolean => isBlock(buffers[slot]);
    const isSmall = (slot: number): boolean => !isLarge(slot);
    for (const slot of [...inputSlots, ...outputSlots]) {
      if (isLarge(slot) || isHosted(slot)) continue;
      this.inArena.push({ slot, offset: end });
      end += aligned(storedBytes(buffers[slot]));
    }
    // The other form of float16 needs room only while elements come and go.
    this.staging = buffers.length;
    this.inArena.push({ slot: this.staging, offset: end });
    end += aligned(largestHalf(program));
    this.arenaBytes = end;
    this.smallInputs = inputSlots.filter(isSmall);
    this.largeInputs = inputSlots.filter(isLarge);
    this.smallOutputs = outputSlots.filter(isSmall);
    this.largeOutputs = outputSlots.filter((slot) => isLarge(slot) && !isHosted(slot));
    this.takenOver = this.inside.filter(({ slot }) => isLarge(slot) && outputSlots.includes(slot));
    this.peakBytes = [...this.largeInputs, ...this.largeOutputs].reduce(
      (sum, slot) => sum + aligned(storedBytes(buffers[slot])),
      end,
    );
  }
}

/** Bytes of the largest float16 array as JavaScript keeps it, those of bodies included. */
function largestHalf({ inputs, outputs, temporaries, steps }: Program): number {
  let most = 0;
  for (const { dtype, size } of [...inputs, ...outputs, ...temporaries])
    if (dtype === "float16") most = Math.max(most, hostBytes(dtype, size));
  for (const step of steps)
    if (step.kind === "control") for (const body of step.bodies) most = Math.max(most, largestHalf(body));
  return most;
}

/** The memory of a body. Whoever runs it says where its inputs and outputs are, and where there is room for the rest. */
export class BodyLayout {
  readonly numbers = new Numbers();
  readonly program: Program;
  readonly flows: Workspaces["flows"];
  /** Buffers in the room for the rest. */
  readonly inArena: readonly Placed[];
  /** Buffers in the memory of inputs or outputs. */
  readonly inside: readonly Hosted[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** Of the room for the rest. */
  readonly bytes: number;

  /** @param solid inputs whose memory starts at a multiple of 64: where they are donated it is used for temporaries. */
  constructor(given: Program, solid: readonly Buffer[]) {
    const isSolid = new Set(solid);
    const { program, flows } = withWorkspaces(given, looseIn(given));
    this.program = program;
    this.flows = flows;
    const { numbers } = this;
    this.inputs = program.inputs.map((b) => numbers.number(b));
    this.outputs = program.outputs.map((b) => numbers.number(b));
    const plan = planBuffers(program, storedBytes, (b) => isSolid.has(b));
    this.inside = [...plan.inside].map(([b, { host, offset }]) => ({
      slot: numbers.number(b),
      host: numbers.number(host),
      offset,
    }));
    this.inArena = program.temporaries.flatMap((b) =>
      plan.inside.has(b) ? [] : [{ slot: numbers.number(b), offset: plan.offsets.get(b) ?? 0 }],
    );
    this.bytes = plan.bytes;
  }
}

/** Outputs of a body that follow on no input, and what is computed in place before them: they may be entries of stacked arrays. */
function looseIn({ outputs, steps, successors }: Program): Set<Buffer> {
  const operandOf = new Map<Buffer, Buffer>();
  for (const step of steps)
    if (step.kind !== "host")
      for (const [result, operand] of step.inPlace ?? []) operandOf.set(result, operand);
  const loose = new Set<Buffer>();
  for (const output of outputs)
    if (successors?.has(output) !== true)
      for (let b: Buffer | undefined = output; b !== undefined; b = operandOf.get(b)) loose.add(b);
  return loose;
}

// ---------------------------------------------------------------------------------------------------------------------
// Branches and loops
// ---------------------------------------------------------------------------------------------------------------------

/** The workspace of a step. Offsets are distances from its start. */
interface FlowLayoutBase {
  readonly bytes: number;
  readonly bodies: readonly BodyLayout[];
  /** Room for the temporaries of whichever body runs. */
  readonly room: number;
}

export interface BranchLayout extends FlowLayoutBase {
  readonly flow: "cond";
  /** For each branch the outputs that it cannot write to their place at once, and where it can. */
  readonly apart: readonly (readonly { readonly output: number; readonly offset: number }[])[];
}

export interface LoopLayout extends FlowLayoutBase {
  readonly flow: "loop";
  readonly rotation: Rotation;
  /** For each place of a carry, or a spare one, the output whose memory it is, or where it is in the workspace. */
  readonly places: readonly ({ readonly output: number } | { readonly offset: number })[];
  /** Where the condition of a `while` goes. */
  readonly predicate: number;
}

export type FlowLayout = BranchLayout | LoopLayout;

function layoutOf(step: ControlStep, loose: ReadonlySet<Buffer>): FlowLayout {
  let end = 0;
  const take = (bytes: number): number => {
    const offset = end;
    end += aligned(bytes);
    return offset;
  };
  if (step.flow === "cond") {
    const bodies = step.bodies.map((body) => new BodyLayout(body, []));
    const apart = step.bodies.map((body) => {
      const holders = heldBy(body);
      return step.outputs.flatMap((b, output) =>
        step.inPlace?.has(b) && holders[output] === undefined
          ? [{ output, offset: take(storedBytes(b)) }]
          : [],
      );
    });
    return { flow: "cond", bodies, apart, room: take(most(bodies)), bytes: end };
  }
  const { inBody, count } = carriesOf(step);
  const body = step.bodies[step.bodies.length - 1];
  const bodies = step.bodies.map(
    (b) => new BodyLayout(b, b === body ? body.inputs.slice(inBody, inBody + count) : []),
  );
  const rotation = rotationOf(step.moves);
  const inOutput = new Map<number, number>();
  for (const [place, output] of placesInOutputs(step, rotation))
    if (!loose.has(step.outputs[output])) inOutput.set(place, output);
  const carries = step.moves.map((_, k) => k);
  const sizes = [...carries, ...rotation.spares.map(({ carry }) => carry)];
  const places = sizes.map((carry, place) => {
    const output = inOutput.get(place);
    return output === undefined ? { offset: take(storedBytes(step.outputs[carry])) } : { output };
  });
  const predicate = step.flow === "while" ? take(1) : 0;
  return { flow: "loop", bodies, rotation, places, predicate, room: take(most(bodies)), bytes: end };
}

const most = (bodies: readonly BodyLayout[]): number => Math.max(0, ...bodies.map(({ bytes }) => bytes));

/** Places that may be the memory of outputs, with the output: those in which carries end, where that is known. */
function placesInOutputs(
  step: Exclude<ControlStep, { flow: "cond" }>,
  rotation: Rotation,
): (readonly [place: number, output: number])[] {
  if (step.flow === "scan") {
    const ends = afterSteps(rotation, step.length);
    return step.moves.map((_, k) => [ends[k], k]);
  }
  // It is not known where a carry ends that goes from place to place.
  return step.moves.flatMap((from, k) =>
    (from === undefined || from === k) && !step.moves.some((other, j) => j !== k && other === k)
      ? [[k, k] as const]
      : [],
  );
}
