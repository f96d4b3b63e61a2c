/** The GPU as a device of the language: its arrays are arrays like others, but for being read with `await`. */
import { type CompileOptions, compile } from "../../compiler/compile.js";
import { describeProgram } from "../../compiler/describe.js";
import { operationJaxpr } from "../../compiler/equation.js";
import { ConcreteArray } from "../../core/array.js";
import type { Device, Remote } from "../../core/device.js";
import { allocate, type TypedArray } from "../../core/dtype.js";
import type { Buffer } from "../../core/ir/types.js";
import { noteArray } from "../../core/lifetime.js";
import type { GpuBuffer } from "./buffers.js";
import { bindingBytes } from "./convert.js";
import type { GpuDevice } from "./device.js";
import { assignSlots } from "./slots.js";
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
}

export class WebgpuDevice implements Device {
  readonly name = "webgpu";
  private readonly options: CompileOptions;
  /** Copies of arrays of the host, made when they were first used here. */
  private readonly uploaded = new WeakMap<ConcreteArray, GpuBuffer>();

  constructor(readonly gpu: GpuDevice) {
    const { buffers, workgroupThreads, workgroupBytes } = gpu.limits;
    this.options = { target: "webgpu", buffers, workgroupThreads, workgroupBytes };
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
    noteArray(array);
    return array;
  }

  /** A copy of an array on this GPU. */
  put(x: ConcreteArray): ConcreteArray {
    return x.remote?.device === this ? x : this.wrap(this.gpu.upload(x.dtype, x.values), x.aval);
  }

  readonly run: Device["run"] = (jaxpr, inputs) => {
    const program = compile(jaxpr, this.options);
    return this.gpu
      .run(
        program,
        inputs.map((x) => this.bufferOf(x)),
      )
      .map((buffer, k) => this.wrap(buffer, jaxpr.outAvals[k]));
  };

  readonly lower: Device["lower"] = (jaxpr) => {
    const bytesOf = ({ dtype, size }: Buffer): number => bindingBytes(dtype, size, this.gpu.float16);
    return describeProgram(jaxpr, {
      device: "webgpu",
      options: this.options,
      language: "wgsl",
      print: (kernel) => printWgsl(kernel, { float16: this.gpu.float16 }).code,
      bytesOf,
      temporaryBytes: (program) => assignSlots(program, bytesOf).sizes.reduce((a, b) => a + b, 0),
      prepare: (lowered) => void compile(lowered, this.options),
    });
  };

  readonly apply: Device["apply"] = (primitive, inputs, params, outputs) =>
    // A reshape shares its elements.
    primitive.name === "reshape"
      ? primitive.evaluate(inputs, params, outputs)
      : this.run(operationJaxpr(primitive, inputs, params, outputs), inputs);
}
