/** Programs made ready for a GPU: shaders printed and compiled, memory assigned, limits checked. */
import { withBuffers } from "../../compiler/emit.js";
import { parallelKernel } from "../../compiler/emitKernels.js";
import type { Program } from "../../compiler/program.js";
import { DeviceError, InternalError } from "../../core/errors.js";
import { load, store } from "../../core/ir/ops.js";
import { Buffer, type Kernel } from "../../core/ir/types.js";
import { timed } from "../../core/profiler.js";
import { bindingBytes } from "./convert.js";
import { OutOfMemoryError } from "./errors.js";
import { makeFrame } from "./frames.js";
import type { Surroundings } from "./guards.js";
import type { Body, Maker } from "./maker.js";
import { printMatrixProduct, type SubgroupSizes } from "./matrixWgsl.js";
import type { Pipeline } from "./pipeline.js";
import type { Launch, Plan, Prepared } from "./plan.js";
import type { Chunk } from "./pool.js";
import { planControl } from "./prepareControl.js";
import { assignSlots } from "./slots.js";
import { isWhole, type Spot, shifted } from "./spots.js";
import { printWgsl, type Shader } from "./wgsl.js";
import { Workspace } from "./workspace.js";

/** What a GPU can do, as far as it matters to programs. */
export interface GpuLimits {
  /** Buffers that a kernel can use. */
  readonly buffers: number;
  readonly workgroupThreads: number;
  /** Scratch memory of a workgroup. */
  readonly workgroupBytes: number;
  /** Bytes of one array. */
  readonly bufferBytes: number;
}

/** What preparing a program needs of a device. */
export interface PrepareOptions {
  readonly limits: GpuLimits;
  readonly float16: boolean;
  /** Sizes of subgroups, where operations on their matrices may be used. */
  readonly subgroups: SubgroupSizes | undefined;
  readonly pipelineOf: (shader: Shader, name: string) => Pipeline;
  /** Memory with words that never change. */
  readonly constant: (words: Uint32Array) => Chunk;
}

export function prepare(program: Program, options: PrepareOptions): Prepared {
  // All that can be refused is refused before anything is compiled.
  refuse(program, options);
  const bytesOf = ({ dtype, size }: Buffer): number => bindingBytes(dtype, size, options.float16);
  const spots = new Map<Buffer, Spot>();
  const put = (b: Buffer, place: number): void => void spots.set(b, { place, buffer: b, shift: [] });
  program.inputs.forEach(put);
  const slots = assignSlots(program, bytesOf);
  const made = [...new Set(program.outputs)].filter((b) => !spots.has(b) && !slots.inside.has(b));
  made.forEach((b, i) => {
    put(b, program.inputs.length + i);
  });
  const workspace = new Workspace(program.inputs.length + made.length);
  const taken = slots.sizes.map((bytes) => workspace.take(bytes));
  for (const [b, slot] of slots.of) put(b, taken[slot]);
  for (const [b, host] of slots.inside) put(b, (spots.get(host) as Spot).place);
  const preparation = new Preparation(options, bytesOf, workspace);
  const spotOf = (b: Buffer): Spot => {
    const spot = spots.get(b);
    if (spot === undefined) throw new InternalError(`program ${program.name} has no buffer ${b.name}`);
    return spot;
  };
  return {
    plan: preparation.plan(program, spotOf, { guarded: undefined, counters: [] }),
    pipelines: preparation.pipelines,
    inputs: program.inputs.map(bytesOf),
    outputs: program.outputs.map((buffer) => {
      const input = program.inputs.indexOf(slots.inside.get(buffer) ?? buffer);
      return input === -1 ? { made: made.indexOf(buffer) } : { input, buffer };
    }),
    made: made.map((buffer) => ({ buffer, bytes: bytesOf(buffer) })),
    places: workspace.places,
  };
}

const copyThreads = 64;

class Preparation implements Maker {
  readonly pipelines = new Set<Pipeline>();

  constructor(
    private readonly options: PrepareOptions,
    readonly bytesOf: (b: Buffer) => number,
    readonly workspace: Workspace,
  ) {}

  plan(program: Program, spotOf: (b: Buffer) => Spot, around: Surroundings): Plan[] {
    return program.steps.flatMap((step): readonly Plan[] => {
      if (step.kind === "kernel") return this.launch(step.kernel, spotOf, around);
      return step.kind === "control" ? planControl(this, step, spotOf, around) : [];
    });
  }

  body(
    program: Program,
    inputs: readonly Spot[],
    outputs: readonly Spot[],
    around: Surroundings,
    carries: ReadonlySet<number>,
  ): Body {
    const { bytesOf, workspace } = this;
    const { spotOf, taken } = makeFrame(program, { inputs, outputs, carries, bytesOf, workspace });
    return { plan: this.plan(program, spotOf, around), outputs: program.outputs.map(spotOf), taken };
  }

  /** The dispatch of a kernel. One for an array without elements has nothing to do, and is none. */
  launch(given: Kernel, spotOf: (b: Buffer) => Spot, { guarded, counters }: Surroundings): Launch[] {
    const kernel = shifted(given, spotOf);
    const shader = timed("compile", "print", () => this.shaderOf(kernel, counters));
    if (shader.workgroups[0] === 0) return [];
    const places = new Map(
      given.buffers.map((b) => {
        const spot = spotOf(b);
        return [isWhole(spot) ? b : spot.buffer, spot.place];
      }),
    );
    const memory = kernel.buffers.map((b) => places.get(b) as number);
    const launch = this.dispatch(shader, kernel.name, memory, kernel.buffers.map(this.bytesOf), given);
    if (guarded === undefined) return [launch];
    return [{ ...launch, indirect: guarded.guard.launch(guarded.flag, shader.workgroups) }];
  }

  /** By operations on matrices if the kernel can be that, and they are to be used. */
  private shaderOf(kernel: Kernel, counters: Surroundings["counters"]): Shader {
    const { float16, subgroups, limits } = this.options;
    const { product } = kernel;
    // Elements of two bytes are what the operation takes.
    const fits = float16 || kernel.buffers.every(({ dtype }) => dtype !== "float16");
    const matrix =
      fits && product !== undefined && subgroups !== undefined
        ? printMatrixProduct(kernel, product, subgroups, limits.workgroupThreads)
        : undefined;
    return matrix ?? printWgsl(kernel, { float16, plainNames: true, counters });
  }

  dispatch(
    shader: Shader,
    name: string,
    memory: readonly number[],
    bytes: readonly number[],
    key?: object,
  ): Launch {
    const pipeline = this.options.pipelineOf(shader, name);
    this.pipelines.add(pipeline);
    const kernel = { key: key ?? pipeline, name };
    return {
      kind: "launch",
      kernel,
      pipeline,
      workgroups: shader.workgroups,
      indirect: undefined,
      memory,
      bytes,
    };
  }

  copy(value: Buffer, from: Spot, to: Spot, around: Surroundings): Launch[] {
    const dtype = value.dtype === "float16" && this.options.float16 ? "float16" : "uint32";
    const [source, target] = ["from", "to"].map((name) => new Buffer(name, dtype, value.size));
    const typed = (spot: Spot, b: Buffer): Spot =>
      isWhole(spot)
        ? { ...spot, buffer: b }
        : { ...spot, buffer: new Buffer(b.name, dtype, spot.buffer.size) };
    const spots = new Map([
      [source, typed(from, source)],
      [target, typed(to, target)],
    ]);
    const kernel = parallelKernel("webgpu", "copy", value.size, copyThreads, (item) => [
      store(target, item, load(source, item)),
    ]);
    return this.launch(withBuffers(kernel), (b) => spots.get(b) as Spot, around);
  }

  constant(words: Uint32Array): number {
    return this.workspace.constant(this.options.constant(words));
  }
}

/** @throws what is wrong with a program for this GPU. */
function refuse(program: Program, options: PrepareOptions): void {
  const { limits, float16 } = options;
  for (const step of program.steps) {
    if (step.kind === "control") for (const body of step.bodies) refuse(body, options);
    else if (step.kind === "kernel")
      check(step.kernel, limits, ({ dtype, size }) => bindingBytes(dtype, size, float16));
    else
      throw new DeviceError(
        `${step.eqn.primitive.name} runs on the CPU only (program ${program.name}); use the device "wasm"`,
      );
  }
}

function check(kernel: Kernel, limits: GpuLimits, bytesOf: (b: Buffer) => number): void {
  const { name, launch, buffers, scratch } = kernel;
  const need = (what: string, count: number, limit: number): void => {
    if (count > limit)
      throw new InternalError(`kernel ${name} needs ${count} ${what}; this GPU has ${limit}`);
  };
  need("buffers", buffers.length, limits.buffers);
  if (launch.kind === "grid") need("threads in a workgroup", launch.threads, limits.workgroupThreads);
  const scratchBytes = scratch.reduce((sum, b) => sum + Math.ceil(b.size / 4) * 16, 0);
  need("bytes of workgroup memory", scratchBytes, limits.workgroupBytes);
  for (const b of buffers)
    if (bytesOf(b) > limits.bufferBytes)
      throw new OutOfMemoryError(
        `an array of ${b.size} ${b.dtype} takes ${bytesOf(b)} bytes; a buffer of this GPU has at most ${limits.bufferBytes}`,
      );
}
