/** Programs made ready for a GPU: shaders printed and compiled, temporaries assigned to slots, limits checked. */
import type { Program } from "../../compiler/program.js";
import { DeviceError, InternalError } from "../../core/errors.js";
import type { Buffer, Kernel } from "../../core/ir/types.js";
import { bindingBytes } from "./convert.js";
import { OutOfMemoryError } from "./errors.js";
import type { Pipeline, Pipelines } from "./pipeline.js";
import { assignSlots } from "./slots.js";
import { printWgsl } from "./wgsl.js";

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

/** One dispatch. Memory is named by its place in the list of inputs, then outputs, then slots. */
export interface Launch {
  readonly pipeline: Pipeline;
  readonly workgroups: readonly [number, number];
  readonly memory: readonly number[];
  readonly bytes: readonly number[];
}

export interface Prepared {
  readonly launches: readonly Launch[];
  /** Bytes of each input. */
  readonly inputs: readonly number[];
  /** For each output of the program the new array that it is, or the input that it is or whose memory it takes. */
  readonly outputs: readonly (
    | { readonly input: number; readonly buffer: Buffer }
    | { readonly made: number }
  )[];
  /** The arrays that the program makes. */
  readonly made: readonly { readonly buffer: Buffer; readonly bytes: number }[];
  /** Bytes of each slot. */
  readonly slots: readonly number[];
}

export function prepare(
  program: Program,
  limits: GpuLimits,
  float16: boolean,
  pipelines: Pipelines,
): Prepared {
  const bytesOf = ({ dtype, size }: Buffer): number => bindingBytes(dtype, size, float16);
  // All that can be refused is refused before anything is compiled.
  const kernels = program.steps.map((step) => {
    if (step.kind === "host")
      throw new DeviceError(
        `${step.eqn.primitive.name} runs on the CPU only (program ${program.name}); use the device "wasm"`,
      );
    check(step.kernel, limits, bytesOf);
    return { kernel: step.kernel, shader: printWgsl(step.kernel, { float16, plainNames: true }) };
  });
  const place = new Map<Buffer, number>();
  const put = (buffer: Buffer, at: number): void => void place.set(buffer, at);
  program.inputs.forEach(put);
  const slots = assignSlots(program, bytesOf);
  const made = [...new Set(program.outputs)].filter((b) => !place.has(b) && !slots.inside.has(b));
  made.forEach((b, i) => {
    put(b, program.inputs.length + i);
  });
  for (const [b, slot] of slots.of) put(b, program.inputs.length + made.length + slot);
  for (const [b, host] of slots.inside) put(b, place.get(host) as number);
  const placeOf = (b: Buffer): number => {
    const at = place.get(b);
    if (at === undefined) throw new InternalError(`program ${program.name} has no buffer ${b.name}`);
    return at;
  };
  return {
    // A kernel for an array without elements has nothing to do.
    launches: kernels
      .filter(({ shader }) => shader.workgroups[0] > 0)
      .map(({ kernel, shader }) => ({
        pipeline: pipelines.of(shader, kernel.name),
        workgroups: shader.workgroups,
        memory: kernel.buffers.map(placeOf),
        bytes: kernel.buffers.map(bytesOf),
      })),
    inputs: program.inputs.map(bytesOf),
    outputs: program.outputs.map((buffer) => {
      const input = program.inputs.indexOf(slots.inside.get(buffer) ?? buffer);
      return input === -1 ? { made: made.indexOf(buffer) } : { input, buffer };
    }),
    made: made.map((buffer) => ({ buffer, bytes: bytesOf(buffer) })),
    slots: slots.sizes,
  };
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
