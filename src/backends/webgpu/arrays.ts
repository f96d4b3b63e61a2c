/** The GPU as a device of the language: its arrays are arrays like others, but for being read with `await`. */
import { type CompileOptions, compile, donationOf, mostOperands } from "../../compiler/compile.js";
import { describeProgram } from "../../compiler/describe.js";
import { callsIn, type Effect, outputsFor, type Separated, separateEffects } from "../../compiler/effects.js";
import { operationJaxpr } from "../../compiler/equation.js";
import { stepFacts } from "../../compiler/stepFacts.js";
import { ConcreteArray } from "../../core/array.js";
import type { Device, Remote } from "../../core/device.js";
import { allocate, type TypedArray } from "../../core/dtype.js";
import { hasEffects } from "../../core/effects.js";
import { plainTiling, type Tiling } from "../../core/ir/tiling.js";
import type { Buffer } from "../../core/ir/types.js";
import { type Jaxpr, Var } from "../../core/jaxpr.js";
import { noteArray } from "../../core/lifetime.js";
import { runLifted } from "../../core/lifted.js";
import { bufferOf, type LoweredStep } from "../../core/lowered.js";
import { printEqn } from "../../core/print.js";
import { activeProfile } from "../../core/profiler.js";
import type { GpuBuffer } from "./buffers.js";
import { bindingBytes } from "./convert.js";
import type { GpuDevice } from "./device.js";
import { replay } from "./replay.js";
import { assignSlots } from "./slots.js";
import { defaultTiling } from "./tuning.js";
import { printWgsl } from "./wgsl.js";

class GpuElements implements Remote {
  constructor(
    readonly device: WebgpuDevice,
    readonly buffer: GpuBuffer,
  ) {}

  read(): Promise<TypedArray> {
    return this.device.gpu.read(this.buffer);
  }

  free(): void {
    this.buffer.release();
  }

  get owner(): object {
    return this.buffer;
  }

  checkNans(report: (at: number) => Error): void {
    this.device.gpu.checkNans(this.buffer, report);
  }
}

/** It stands here so that it holds no array. */
const isHeld = (buffer: object): boolean => !(buffer as GpuBuffer).released;

export class WebgpuDevice implements Device {
  readonly name = "webgpu";
  private options: CompileOptions;
  /** Copies of arrays of the host, made when they were first used here. */
  private readonly uploaded = new WeakMap<ConcreteArray, GpuBuffer>();

  /** @param tiling how work is cut: by default as is usual on such an adapter. */
  constructor(
    readonly gpu: GpuDevice,
    tiling: Tiling = defaultTiling(gpu.info),
  ) {
    const { buffers, workgroupThreads, workgroupBytes } = gpu.limits;
    this.options = { target: "webgpu", buffers, workgroupThreads, workgroupBytes, tiling };
  }

  get tiling(): Tiling {
    return this.options.tiling ?? plainTiling;
  }

  /** Programs that are called from now on are cut so. */
  set tiling(tiling: Tiling) {
    this.options = { ...this.options, tiling };
  }

  requireAlive(): void {
    this.gpu.alive();
  }

  /** The elements on this GPU: they are brought there if they are not. */
  private bufferOf(x: ConcreteArray): GpuBuffer {
    if (x.remote instanceof GpuElements) return x.remote.buffer;
    let buffer = this.uploaded.get(x);
    if (buffer === undefined) {
      buffer = this.gpu.upload(x.dtype, x.values);
      this.uploaded.set(x, buffer);
    }
    return buffer;
  }

  private wrap(buffer: GpuBuffer, type: ConcreteArray["aval"]): ConcreteArray {
    // There are no elements of float0, so the host has them.
    if (type.dtype === "float0") return new ConcreteArray(allocate("float0", 0), type);
    const array = new ConcreteArray(new GpuElements(this, buffer), type);
    noteArray(array, () => ({
      device: this.name,
      bytes: bindingBytes(buffer.dtype, buffer.size, this.gpu.float16),
      owner: buffer,
      isHeld,
    }));
    return array;
  }

  /** A copy of an array on this GPU. */
  put(x: ConcreteArray): ConcreteArray {
    if (x.remote?.device === this) return x;
    x.remote?.device.requireAlive?.();
    return this.wrap(this.gpu.upload(x.dtype, x.values), x.aval);
  }

  readonly run: Device["run"] = (jaxpr, inputs, donated = []) => {
    const { jaxpr: pure, effects } = this.separate(jaxpr);
    const buffers = inputs.map((x) => this.bufferOf(x));
    const free = inputs.map((x, i) => donated[i] === true && !x.isShared && buffers[i].isAlone);
    const program = compile(pure, this.options, donationOf(free));
    activeProfile()?.program(program, this.name, () => stepFacts(program, this.options, this.bytesOf));
    const results = this.gpu.run(program, buffers);
    for (const [i, x] of inputs.entries()) if (donated[i]) this.discard(x);
    for (const effect of effects) this.defer(effect, results);
    for (const buffer of results.splice(jaxpr.outputs.length)) buffer.release();
    return results.map((buffer, k) => this.wrap(buffer, jaxpr.outAvals[k]));
  };

  private readonly bytesOf = ({ dtype, size }: Buffer): number => bindingBytes(dtype, size, this.gpu.float16);

  private separate(jaxpr: Jaxpr): Separated {
    return hasEffects(jaxpr) ? separateEffects(jaxpr, mostOperands(this.options)) : { jaxpr, effects: [] };
  }

  /** Lets an effect happen when its operands are here. */
  private defer(effect: Effect, results: readonly GpuBuffer[]): void {
    const needed = [...new Set(outputsFor(effect))];
    this.gpu.afterwards(
      needed.map((output) => results[output]),
      (values) => replay([effect], (output) => values[needed.indexOf(output)]),
    );
  }

  /** Disposes of an array, and of its copy here. */
  private discard(x: ConcreteArray): void {
    this.uploaded.get(x)?.release();
    this.uploaded.delete(x);
    x.dispose();
  }

  readonly lower: Device["lower"] = (jaxpr, donated) => {
    const { bytesOf } = this;
    const { jaxpr: pure, effects } = this.separate(jaxpr);
    const program = describeProgram(pure, donationOf(donated), {
      device: "webgpu",
      options: this.options,
      language: "wgsl",
      print: (kernel) => printWgsl(kernel, { float16: this.gpu.float16 }).code,
      bytesOf,
      plan: (program) => {
        const { sizes, inside } = assignSlots(program, bytesOf);
        // Bodies of branches and loops need memory as well.
        const bodies = program.steps.some(({ kind }) => kind === "control");
        const bytes = bodies
          ? this.gpu.prepare(program).places.filter((place) => typeof place === "number")
          : sizes;
        return { bytes: bytes.reduce((a, b) => a + b, 0), inside };
      },
      prepare: (lowered, donation) => this.gpu.compile(compile(lowered, this.options, donation)),
    });
    const last = callsIn(effects).map(({ eqn, jaxpr: own }): LoweredStep => {
      const { name } = eqn.primitive;
      const buffers = eqn.inputs.flatMap((a) => (a instanceof Var ? [bufferOf(`v${a.id}`, a, "read")] : []));
      return { kind: "host", name, buffers, text: printEqn(own, eqn) };
    });
    return { ...program, steps: [...program.steps, ...last] };
  };

  readonly apply: Device["apply"] = (primitive, inputs, params, outputs) =>
    // A reshape shares its elements, and a call is run by the device as what it calls.
    primitive.name === "reshape" || primitive.family === "call"
      ? primitive.evaluate(inputs, params, outputs)
      : runLifted(this, operationJaxpr(primitive, inputs, params, outputs), inputs);
}
