/**
 * Runs programs. Everything a run needs is laid out before its first step: one block (the arena) for temporaries and for
 * small inputs and outputs, and a block for each large one. Inputs that are in the memory already are used where they are.
 */
import { wasmOptions } from "../../compiler/compile.js";
import { kernelsOf, type Program } from "../../compiler/program.js";
import { stepFacts } from "../../compiler/stepFacts.js";
import type { TypedArray } from "../../core/dtype.js";
import { InternalError } from "../../core/errors.js";
import { activeProfile, timed } from "../../core/profiler.js";
import { hostBytes, readElements, viewElements } from "./elements.js";
import { compileKernels } from "./launch.js";
import { Layout, storedBytes } from "./layout.js";
import { deviceHeap, type Heap } from "./memory.js";
import { lowestAddress } from "./module.js";
import { printKernels } from "./print.js";
import type { ReadyStep, Runner, Session } from "./session.js";
import { readBuffer, readySteps, writeBuffer } from "./steps.js";
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

/** Makes a program ready to run. Its kernels are compiled when it is first run. */
export function compileProgram(program: Program, options: { readonly heap?: Heap } = {}): CompiledProgram {
  const layout = timed("compile", "plan memory", () => new Layout(program));
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

class Executable {
  private readonly steps: readonly ReadyStep[];
  /** Runners that are not in use. */
  private idle: { readonly session: Session; readonly runners: readonly Runner[] } | undefined;

  constructor(
    private readonly layout: Layout,
    private readonly heap: Heap,
  ) {
    const launchers = compileKernels(kernelsOf(layout.program), heap);
    this.steps = readySteps(layout, launchers[Symbol.iterator]());
  }

  run(inputs: readonly TypedArray[], started: () => void = () => {}): TypedArray[] {
    const { layout, heap } = this;
    const { buffers } = layout.numbers;
    this.check(inputs);
    const profile = activeProfile();
    profile?.program(layout.program, "wasm", () => stepFacts(layout.program, wasmOptions, storedBytes));
    const addresses = new Array<number>(buffers.length + 1).fill(lowestAddress);
    // Blocks that are to be freed, also if a step fails.
    const blocks = new Set<number>();
    const take = (bytes: number): number => {
      const address = heap.malloc(bytes);
      blocks.add(address);
      return address;
    };
    const { session, runners } = this.takeRunners();
    try {
      const arena = layout.arenaBytes === 0 ? lowestAddress : take(layout.arenaBytes);
      for (const { slot, offset } of layout.inArena) addresses[slot] = arena + offset;
      session.staging = addresses[layout.staging];
      for (const slot of layout.largeOutputs) addresses[slot] = take(storedBytes(buffers[slot]));
      for (const slot of layout.largeInputs) {
        const values = inputs[slot];
        addresses[slot] = heap.contains(values) ? values.byteOffset : take(values.byteLength);
      }
      for (const { slot, host, offset } of layout.inside) addresses[slot] = addresses[host] + offset;
      profile?.begin("transfer", "copy in");
      for (const slot of layout.smallInputs)
        writeBuffer(session, buffers[slot], addresses[slot], inputs[slot]);
      for (const slot of layout.largeInputs)
        if (!heap.contains(inputs[slot])) writeBuffer(session, buffers[slot], addresses[slot], inputs[slot]);
      profile?.end();

      started();
      for (const run of runners) run(addresses);

      profile?.begin("transfer", "copy out");
      const results: TypedArray[] = [...inputs];
      for (const slot of layout.smallOutputs)
        results[slot] = readBuffer(session, buffers[slot], addresses[slot]);
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
      profile?.end();
      return layout.outputs.map((slot) => results[slot]);
    } finally {
      for (const address of blocks) heap.free(address);
      this.idle = { session, runners };
    }
  }

  /** A function of the host that a step calls may run the program again: that run needs runners of its own. */
  private takeRunners(): { readonly session: Session; readonly runners: readonly Runner[] } {
    const { idle } = this;
    this.idle = undefined;
    if (idle !== undefined) return idle;
    const session: Session = { heap: this.heap, staging: lowestAddress };
    return { session, runners: this.steps.map((step) => step(session)) };
  }

  private check(inputs: readonly TypedArray[]): void {
    const { program, numbers } = this.layout;
    if (inputs.length !== program.inputs.length)
      throw new InternalError(`a program of ${program.inputs.length} inputs was given ${inputs.length}`);
    for (let i = 0; i < inputs.length; i++) {
      const { dtype, size, name } = numbers.buffers[i];
      if (inputs[i].byteLength !== hostBytes(dtype, size))
        throw new InternalError(
          `${inputs[i].length} elements were given for ${name}: ${dtype}, ${size} elements`,
        );
    }
  }
}
