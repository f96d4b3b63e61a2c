/**
 * Runs programs. Everything a run needs is laid out before its first step: one block (the arena) for temporaries and for
 * small inputs and outputs, and a block for each large one. Inputs that are in the memory already are used where they are.
 */
import { aligned, type BufferPlan, planBuffers } from "../../compiler/plan.js";
import type { HostStep, Program } from "../../compiler/program.js";
import { ConcreteArray } from "../../core/array.js";
import { itemSize, type TypedArray } from "../../core/dtype.js";
import { isEffectful } from "../../core/effects.js";
import { InternalError } from "../../core/errors.js";
import type { Buffer } from "../../core/ir/types.js";
import { Literal } from "../../core/jaxpr.js";
import { literalArray } from "../../core/trace.js";
import { hostBytes, readElements, viewElements, writeElements } from "./elements.js";
import { floatsToHalves, halvesToFloats } from "./halves.js";
import { compileKernels, type Launcher } from "./launch.js";
import { deviceHeap, type Heap } from "./memory.js";
import { lowestAddress } from "./module.js";
import { printKernels } from "./print.js";
import { printModule } from "./wat.js";

/** A program that is ready to run. */
export interface CompiledProgram {
  readonly program: Program;
  /** Bytes that a run takes at most: for inputs, temporaries, and outputs. */
  readonly peakBytes: number;
  /**
   * Runs the program; `inputs` are the elements of its inputs, which are not changed unless they are donated. An output may be
   * an input itself, and may lie in the memory of the device: it is to be held as it is, without views of parts of it that
   * live longer.
   *
   * @param started is called before the first step: from then on the elements of donated inputs are lost. These must not be
   *   in the memory, or be owned by it.
   * @throws OutOfMemoryError before the first step, if the memory has no room.
   */
  run(inputs: readonly TypedArray[], started?: () => void): TypedArray[];
  /** Compiles the kernels, which otherwise the first run does. */
  prepare(): void;
  /** The kernels in the text format of WebAssembly. */
  toText(): string;
}

/** Elements up to so many bytes are copied in and out: that is cheaper than to keep account of them. */
const small = 4096;

/** Bytes of a buffer as kernels see it. */
export const storedBytes = ({ dtype, size }: Buffer): number => itemSize(dtype) * size;

/** Which inputs and outputs have a block of their own. float16 has two forms, and the one for kernels is in the arena. */
const isBlock = (buffer: Buffer): boolean => storedBytes(buffer) > small && buffer.dtype !== "float16";

/** Where the buffers of a program lie. */
export const planProgram = (program: Program): BufferPlan => planBuffers(program, storedBytes, isBlock);

/** A step with the numbers of its buffers. */
type ReadyStep =
  | { readonly launcher: Launcher; readonly extent: number; readonly slots: readonly number[] }
  | {
      readonly host: HostStep;
      readonly inputs: readonly (number | undefined)[];
      readonly outputs: readonly number[];
    };

/** Makes a program ready to run. Its kernels are compiled when it is first run. */
export function compileProgram(program: Program, options: { readonly heap?: Heap } = {}): CompiledProgram {
  const layout = new Layout(program);
  let executable: Executable | undefined;
  const prepare = (): Executable => {
    executable ??= new Executable(layout, options.heap ?? deviceHeap());
    return executable;
  };
  return {
    program,
    peakBytes: layout.peakBytes,
    prepare,
    run: (inputs, started) => prepare().run(inputs, started),
    toText: () => printModule(printKernels(kernelsOf(program), { sharedMemory: true }).module),
  };
}

const kernelsOf = ({ steps }: Program) => steps.flatMap((s) => (s.kind === "kernel" ? [s.kernel] : []));

/** Which buffer is where. Buffers are numbered. */
class Layout {
  readonly buffers: Buffer[] = [];
  private readonly slots = new Map<Buffer, number>();
  /** Buffers in the arena, and their distance from its start. */
  readonly inArena: { readonly slot: number; readonly offset: number }[] = [];
  /** Buffers in the memory of an input or output, and their distance from its start. */
  readonly inside: { readonly slot: number; readonly host: number; readonly offset: number }[] = [];
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

  constructor(readonly program: Program) {
    const { inputs, temporaries } = program;
    for (const b of inputs) this.number(b);
    if (this.buffers.length !== inputs.length) throw new InternalError("an input of a program occurs twice");
    this.outputs = program.outputs.map((b) => this.number(b));
    const plan = planProgram(program);
    let end = plan.bytes;
    for (const b of temporaries) {
      const slot = this.number(b);
      const room = plan.inside.get(b);
      if (room === undefined) this.inArena.push({ slot, offset: plan.offsets.get(b) ?? 0 });
    }
    for (const [b, { host, offset }] of plan.inside)
      this.inside.push({ slot: this.number(b), host: this.number(host), offset });
    const isHosted = (slot: number): boolean => plan.inside.has(this.buffers[slot]);
    const inputSlots = inputs.map((_, i) => i);
    const outputSlots = [...new Set(this.outputs)].filter((slot) => slot >= inputs.length);
    const isLarge = (slot: number): boolean => isBlock(this.buffers[slot]);
    const isSmall = (slot: number): boolean => !isLarge(slot);
    for (const slot of [...inputSlots, ...outputSlots]) {
      if (isLarge(slot) || isHosted(slot)) continue;
      this.inArena.push({ slot, offset: end });
      end += aligned(storedBytes(this.buffers[slot]));
    }
    // The other form of float16 needs room only while elements come and go.
    const halves = this.buffers.filter(({ dtype }) => dtype === "float16");
    this.staging = this.buffers.length;
    this.inArena.push({ slot: this.staging, offset: end });
    end += aligned(halves.reduce((most, { dtype, size }) => Math.max(most, hostBytes(dtype, size)), 0));
    this.arenaBytes = end;
    this.smallInputs = inputSlots.filter(isSmall);
    this.largeInputs = inputSlots.filter(isLarge);
    this.smallOutputs = outputSlots.filter(isSmall);
    this.largeOutputs = outputSlots.filter((slot) => isLarge(slot) && !isHosted(slot));
    this.takenOver = this.inside.filter(({ slot }) => isLarge(slot) && outputSlots.includes(slot));
    this.peakBytes = [...this.largeInputs, ...this.largeOutputs].reduce(
      (sum, slot) => sum + aligned(storedBytes(this.buffers[slot])),
      end,
    );
  }

  /** The number of a buffer. */
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

class Executable {
  private readonly steps: readonly ReadyStep[];

  constructor(
    private readonly layout: Layout,
    private readonly heap: Heap,
  ) {
    const launchers = compileKernels(kernelsOf(layout.program), heap);
    let next = 0;
    this.steps = layout.program.steps.map((step): ReadyStep => {
      const slotOf = (b: Buffer): number => layout.slotOf(b);
      if (step.kind === "host")
        return {
          host: step,
          inputs: step.inputs.map((b) => (b === undefined ? undefined : slotOf(b))),
          outputs: step.outputs.map(slotOf),
        };
      const { launch, buffers } = step.kernel;
      const extent = launch.kind === "range" ? launch.extent : 0;
      return { launcher: launchers[next++], extent, slots: buffers.map(slotOf) };
    });
  }

  run(inputs: readonly TypedArray[], started: () => void = () => {}): TypedArray[] {
    const { layout, heap } = this;
    const { buffers } = layout;
    this.check(inputs);
    const addresses = new Array<number>(buffers.length + 1).fill(lowestAddress);
    // Blocks that are to be freed, also if a step fails.
    const blocks = new Set<number>();
    const take = (bytes: number): number => {
      const address = heap.malloc(bytes);
      blocks.add(address);
      return address;
    };
    try {
      const arena = layout.arenaBytes === 0 ? lowestAddress : take(layout.arenaBytes);
      for (const { slot, offset } of layout.inArena) addresses[slot] = arena + offset;
      for (const slot of layout.largeOutputs) addresses[slot] = take(storedBytes(buffers[slot]));
      for (const slot of layout.largeInputs) {
        const values = inputs[slot];
        addresses[slot] = heap.contains(values) ? values.byteOffset : take(values.byteLength);
      }
      for (const { slot, host, offset } of layout.inside) addresses[slot] = addresses[host] + offset;
      for (const slot of layout.smallInputs) this.write(slot, addresses, inputs[slot]);
      for (const slot of layout.largeInputs)
        if (!heap.contains(inputs[slot])) this.write(slot, addresses, inputs[slot]);

      started();
      for (const step of this.steps) this.runStep(step, addresses);

      const results: TypedArray[] = [...inputs];
      for (const slot of layout.smallOutputs) results[slot] = this.read(slot, addresses);
      const leave = (slot: number): void => {
        const address = addresses[slot];
        const { dtype, size } = buffers[slot];
        if (heap.canKeep(storedBytes(buffers[slot]))) {
          blocks.delete(address);
          results[slot] = heap.keep(viewElements(heap, dtype, address, size));
        } else results[slot] = readElements(heap, dtype, address, size);
      };
      for (const slot of layout.largeOutputs) leave(slot);
      for (const { slot, host } of layout.takenOver)
        if (heap.contains(inputs[host])) {
          const { dtype, size } = buffers[slot];
          results[slot] = heap.handOver(inputs[host], viewElements(heap, dtype, addresses[slot], size));
        } else leave(slot);
      return layout.outputs.map((slot) => results[slot]);
    } finally {
      for (const address of blocks) heap.free(address);
    }
  }

  private check(inputs: readonly TypedArray[]): void {
    const { buffers, program } = this.layout;
    if (inputs.length !== program.inputs.length)
      throw new InternalError(`a program of ${program.inputs.length} inputs was given ${inputs.length}`);
    for (let i = 0; i < inputs.length; i++) {
      const { dtype, size, name } = buffers[i];
      if (inputs[i].byteLength !== hostBytes(dtype, size))
        throw new InternalError(
          `${inputs[i].length} elements were given for ${name}: ${dtype}, ${size} elements`,
        );
    }
  }

  private runStep(step: ReadyStep, addresses: readonly number[]): void {
    if ("host" in step) {
      this.runHost(step.host, step.inputs, step.outputs, addresses);
      return;
    }
    const { slots } = step;
    const own = new Array<number>(slots.length);
    for (let i = 0; i < own.length; i++) own[i] = addresses[slots[i]];
    step.launcher.run(step.extent, own);
  }

  /** Runs an `evaluate` rule. The rest of the run goes on only when it is done, so it may see the memory itself. */
  private runHost(
    { eqn }: HostStep,
    inputs: readonly (number | undefined)[],
    outputs: readonly number[],
    addresses: readonly number[],
  ): void {
    const { heap } = this;
    // What has effects may keep the arrays that it is shown.
    const copied = !heap.shared || isEffectful(eqn.primitive, eqn.params);
    const operands = eqn.inputs.map((atom, i) => {
      const slot = inputs[i];
      if (slot === undefined) {
        if (atom instanceof Literal) return literalArray(atom);
        throw new InternalError(`a host step without a buffer for operand ${i} of ${eqn.primitive.name}`);
      }
      const { dtype, size } = this.layout.buffers[slot];
      const values =
        copied || dtype === "float16"
          ? this.read(slot, addresses)
          : viewElements(heap, dtype, addresses[slot], size);
      return new ConcreteArray(values, atom.aval);
    });
    const results = eqn.primitive.evaluate(
      operands,
      eqn.params,
      eqn.outputs.map((v) => v.aval),
    );
    outputs.forEach((slot, i) => {
      this.write(slot, addresses, results[i].values);
    });
  }

  /** Puts elements as JavaScript keeps them into a buffer. */
  private write(slot: number, addresses: readonly number[], values: TypedArray): void {
    const { heap, layout } = this;
    const { dtype, size } = layout.buffers[slot];
    if (dtype !== "float16") {
      writeElements(heap, dtype, addresses[slot], values);
      return;
    }
    let from = values.byteOffset;
    if (!heap.contains(values)) {
      from = addresses[layout.staging];
      writeElements(heap, dtype, from, values);
    }
    floatsToHalves(heap, from, addresses[slot], size);
  }

  /** A copy of a buffer's elements as JavaScript keeps them. */
  private read(slot: number, addresses: readonly number[]): TypedArray {
    const { heap, layout } = this;
    const { dtype, size } = layout.buffers[slot];
    if (dtype !== "float16") return readElements(heap, dtype, addresses[slot], size);
    const staging = addresses[layout.staging];
    halvesToFloats(heap, addresses[slot], staging, size);
    return readElements(heap, dtype, staging, size);
  }
}
