/**
 * A GPU whose elements can be read at once. The device of the library runs in a thread of its own, on SwiftShader; the test's
 * thread sends it programs and elements, and sleeps until what it asked for is there.
 */
import { fileURLToPath } from "node:url";
import { MessageChannel, receiveMessageOnPort, Worker } from "node:worker_threads";
import { buildSync } from "esbuild";
import type { GpuBuffer } from "../../src/backends/webgpu/buffers.js";
import { bindingBytes } from "../../src/backends/webgpu/convert.js";
import type { GpuDevice } from "../../src/backends/webgpu/device.js";
import * as deviceErrors from "../../src/backends/webgpu/errors.js";
import { firstNan } from "../../src/backends/webgpu/nan.js";
import type { GpuLimits } from "../../src/backends/webgpu/prepare.js";
import type { AdapterInfo } from "../../src/backends/webgpu/tuning.js";
import type { Program, Step } from "../../src/compiler/program.js";
import type { DType, TypedArray } from "../../src/core/dtype.js";
import * as coreErrors from "../../src/core/errors.js";
import type { Eqn } from "../../src/core/jaxpr.js";
import { useSwiftShader } from "../webgpu/swiftshader.js";
import type { Answer, ErrorData, Greeting, Question, Request, Run } from "./protocol.js";

const errorTypes: Record<string, unknown> = { ...coreErrors, ...deviceErrors };

/** The error again that the other thread met, as what it is there. */
function again({ name, message }: ErrorData): Error {
  const type = errorTypes[name];
  if (typeof type !== "function") return new Error(`${name}: ${message}`);
  const error = new (type as new (message: string) => Error)(message);
  // Some add to the message, and it has been added already.
  if (error instanceof coreErrors.InternalError) error.message = message;
  return error;
}

/** The code of the other thread, in JavaScript: threads know nothing of TypeScript. */
function threadCode(): string {
  const { outputFiles } = buildSync({
    entryPoints: [fileURLToPath(new URL("./gpuThread.ts", import.meta.url))],
    bundle: true,
    write: false,
    platform: "node",
    format: "cjs",
    // There is no `import.meta` in a script; the one place that asks for it can do without.
    logLevel: "error",
  });
  return outputFiles[0].text;
}

/** How long an answer may take. */
const patience = 60_000;

/** An array on the GPU. */
class Handle {
  constructor(
    private readonly gpu: SynchronousGpu,
    readonly number: number,
    readonly dtype: DType,
    readonly size: number,
  ) {}

  /** Whether no other array has its memory. */
  isAlone = true;

  release(): void {
    this.gpu.release(this);
  }
}

/** A program as it can be sent to another thread: without the equations that it came from, which hold functions. */
function portable(program: Program, sent = new Map<Program, Program>()): Program {
  const done = sent.get(program);
  if (done !== undefined) return done;
  const { origin: _, ...rest } = program;
  const steps = program.steps.map((step): Step => {
    if (step.kind !== "control") return step;
    const eqn = { primitive: { name: step.eqn.primitive.name } } as Eqn;
    return { ...step, eqn, bodies: step.bodies.map((body) => portable(body, sent)) };
  });
  const copy = { ...rest, steps };
  sent.set(program, copy);
  return copy;
}

/** As much of `GpuDevice` as arrays of the language need. */
export class SynchronousGpu {
  private readonly port;
  private readonly sent = new Int32Array(new SharedArrayBuffer(4));
  private named = 0;
  private readonly programs = new WeakMap<Program, number>();
  private readonly released = new Set<number>();
  private readonly forgotten = new FinalizationRegistry<number>((number) => this.giveBack(number));
  readonly name: string;
  readonly limits: GpuLimits;
  readonly float16: boolean;
  readonly info: AdapterInfo;
  isLost = false;

  constructor() {
    // The driver is chosen by an environment variable, which only a main thread can set.
    useSwiftShader();
    const { port1, port2 } = new MessageChannel();
    const worker = new Worker(threadCode(), {
      eval: true,
      workerData: { port: port2, sent: this.sent },
      transferList: [port2],
    });
    worker.unref();
    this.port = port1;
    const greeting = this.receive() as Greeting;
    if ("error" in greeting) throw again(greeting.error);
    ({ name: this.name, limits: this.limits, float16: this.float16, info: this.info } = greeting);
  }

  /** The device that arrays of the language take for theirs: they use nothing of it that is not here. */
  get asDevice(): GpuDevice {
    return this as unknown as GpuDevice;
  }

  private receive(): unknown {
    // A wake-up may be that of a message which is here already, so it is the message that counts.
    while (!this.isLost) {
      const sent = Atomics.load(this.sent, 0);
      const received = receiveMessageOnPort(this.port);
      if (received !== undefined) return received.message;
      if (Atomics.wait(this.sent, 0, sent, patience) === "timed-out") this.isLost = true;
    }
    throw new Error("the thread of the GPU does not answer");
  }

  private ask(request: Question): TypedArray | undefined {
    this.port.postMessage(request);
    let answer: Answer;
    // There may be answers to questions that nobody waited for any longer.
    do answer = this.receive() as Answer;
    while (answer.question !== request.question);
    if (answer.error !== undefined) throw again(answer.error);
    return answer.values;
  }

  private handle(dtype: DType, size: number): Handle {
    const handle = new Handle(this, this.named++, dtype, size);
    this.forgotten.register(handle, handle.number, handle);
    return handle;
  }

  upload(dtype: DType, values: TypedArray): GpuBuffer {
    // What it refuses, it refuses at once: float64.
    bindingBytes(dtype, values.length, this.float16);
    const handle = this.handle(dtype, values.length);
    const copy = values.slice();
    this.port.postMessage({ kind: "upload", array: handle.number, dtype, values: copy } satisfies Request, [
      copy.buffer as ArrayBuffer,
    ]);
    return handle as unknown as GpuBuffer;
  }

  run(program: Program, inputs: readonly GpuBuffer[]): GpuBuffer[] {
    const made = program.outputs.map(({ dtype, size }) => this.handle(dtype, size));
    const run: Run = {
      inputs: inputs.map((x) => (x as unknown as Handle).number),
      outputs: made.map(({ number }) => number),
    };
    const known = this.programs.get(program);
    if (known === undefined) {
      const number = this.named++;
      this.programs.set(program, number);
      this.ask({ kind: "program", program: number, of: portable(program), run, question: this.named++ });
    } else this.port.postMessage({ kind: "run", program: known, run } satisfies Request);
    this.noteSharing(program, inputs as unknown as readonly Handle[], made);
    return made as unknown as GpuBuffer[];
  }

  /** Outputs that are inputs, or other outputs, have their memory. */
  private noteSharing({ inputs, outputs }: Program, given: readonly Handle[], made: readonly Handle[]): void {
    for (const [k, buffer] of outputs.entries()) {
      const input = inputs.indexOf(buffer);
      const first = outputs.indexOf(buffer);
      if (input >= 0) given[input].isAlone = false;
      if (first !== k) made[first].isAlone = false;
      if (input >= 0 || first !== k) made[k].isAlone = false;
    }
  }

  readSync(buffer: GpuBuffer): TypedArray {
    return this.ask({
      kind: "read",
      array: (buffer as unknown as Handle).number,
      question: this.named++,
    }) as TypedArray;
  }

  async read(buffer: GpuBuffer): Promise<TypedArray> {
    return this.readSync(buffer);
  }

  async blockUntilReady(): Promise<void> {}

  alive(): void {}

  /** Programs are compiled when they are first run. */
  compile(): void {}

  afterwards(buffers: readonly GpuBuffer[], then: (values: readonly TypedArray[]) => void): void {
    then(buffers.map((buffer) => this.readSync(buffer)));
  }

  checkNans(buffer: GpuBuffer, report: (at: number) => Error): void {
    const [first] = this.run(firstNan(buffer.dtype, buffer.size, this.limits.workgroupThreads), [buffer]);
    const [at] = this.readSync(first);
    if (at < buffer.size) throw report(at);
  }

  release(handle: Handle): void {
    this.forgotten.unregister(handle);
    this.giveBack(handle.number);
  }

  private giveBack(number: number): void {
    if (this.released.size === 0)
      queueMicrotask(() => {
        this.port.postMessage({ kind: "release", arrays: [...this.released] } satisfies Request);
        this.released.clear();
      });
    this.released.add(number);
  }

  close(): void {
    this.ask({ kind: "close", question: this.named++ });
    this.port.close();
  }
}
