/**
 * The thread that owns the GPU. It does what the test's thread asks for with the device of the library, in order, and wakes
 * it when there is an answer: only so can a test have at once what a GPU gives later.
 */
import { type MessagePort, workerData } from "node:worker_threads";
import type { GpuBuffer } from "../../src/backends/webgpu/buffers.js";
import { GpuDevice } from "../../src/backends/webgpu/device.js";
import type { Program } from "../../src/compiler/program.js";
import type { TypedArray } from "../../src/core/dtype.js";
import type { Answer, ErrorData, Greeting, Request, Run, Start } from "./protocol.js";

const { port, sent } = workerData as Start & { readonly port: MessagePort };

function send(message: Answer | Greeting): void {
  port.postMessage(message);
  Atomics.add(sent, 0, 1);
  Atomics.notify(sent, 0);
}

const asData = (error: unknown): ErrorData =>
  error instanceof Error
    ? { name: error.name, message: error.message }
    : { name: "Error", message: String(error) };

const arrays = new Map<number, GpuBuffer>();
const programs = new Map<number, Program>();

const arrayOf = (number: number): GpuBuffer => {
  const array = arrays.get(number);
  if (array === undefined) throw new Error(`there is no array ${number} on the GPU`);
  return array;
};

function run(gpu: GpuDevice, program: number, { inputs, outputs }: Run): void {
  const made = gpu.run(programs.get(program) as Program, inputs.map(arrayOf));
  for (const [k, array] of made.entries()) arrays.set(outputs[k], array);
}

async function obey(gpu: GpuDevice, request: Request): Promise<TypedArray | undefined> {
  switch (request.kind) {
    case "upload":
      arrays.set(request.array, gpu.upload(request.dtype, request.values));
      return undefined;
    case "program":
      programs.set(request.program, request.of);
      run(gpu, request.program, request.run);
      return undefined;
    case "run":
      run(gpu, request.program, request.run);
      return undefined;
    case "read":
      return gpu.read(arrayOf(request.array));
    case "release":
      for (const number of request.arrays) {
        arrays.get(number)?.release();
        arrays.delete(number);
      }
      return undefined;
    case "close":
      await gpu.destroy();
      return undefined;
  }
}

/** Of requests that nobody waits for; the next answer tells it. */
let late: ErrorData | undefined;

async function answer(gpu: GpuDevice, request: Request): Promise<void> {
  let values: TypedArray | undefined;
  let error: ErrorData | undefined;
  try {
    values = await obey(gpu, request);
  } catch (thrown) {
    error = asData(thrown);
  }
  if (!("question" in request)) late ??= error;
  else {
    send({ question: request.question, values, error: late ?? error });
    late = undefined;
  }
}

async function serve(): Promise<void> {
  const gpu = await GpuDevice.open({ allowSoftware: true });
  let before = Promise.resolve();
  port.on("message", (request: Request) => {
    before = before.then(() => answer(gpu, request));
  });
  send({ name: gpu.name, limits: gpu.limits, float16: gpu.float16, info: gpu.info });
}

serve().catch((error: unknown) => send({ error: asData(error) }));
