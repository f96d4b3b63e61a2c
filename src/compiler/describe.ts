/** Programs as data for people and tools: what a device's `lower` gives. */
import type { DeviceName } from "../core/device.js";
import type { Buffer, Kernel } from "../core/ir/types.js";
import type { Jaxpr } from "../core/jaxpr.js";
import type {
  LoweredBody,
  LoweredBuffer,
  LoweredKernel,
  LoweredProgram,
  LoweredStep,
  MemoryAnalysis,
} from "../core/lowered.js";
import { printEqn } from "../core/print.js";
import { type CompileOptions, compile, type Donation } from "./compile.js";
import { type Accesses, boundariesOf } from "./explain.js";
import type { ControlStep, Program, Step } from "./program.js";
import { kernelText } from "./text.js";
import { eachStmt, exprsOf, nodesOf, writtenIn } from "./walk.js";

/** What a device tells of itself. */
export interface DeviceDescription {
  readonly device: DeviceName;
  readonly options: CompileOptions;
  readonly language: LoweredKernel["language"];
  /** The code of one kernel. */
  readonly print: (kernel: Kernel) => string;
  /** Memory that a buffer takes. */
  readonly bytesOf: (buffer: Buffer) => number;
  /** Memory for all temporaries of a program, as far as they share it, and which buffers lie in the memory of others. */
  readonly plan: (program: Program) => {
    readonly bytes: number;
    readonly inside: ReadonlyMap<Buffer, unknown>;
  };
  /** Makes a program ready to run. */
  readonly prepare: (jaxpr: Jaxpr, donation: Donation) => void;
}

/** Compiles a jaxpr and describes the program. The code of its kernels is printed when it is first looked at. */
export function describeProgram(
  jaxpr: Jaxpr,
  donation: Donation,
  description: DeviceDescription,
): LoweredProgram {
  const { device, options, bytesOf, plan, prepare } = description;
  const program = compile(jaxpr, options, donation);
  const flat = program.origin?.jaxpr ?? jaxpr;
  return {
    device,
    jaxpr: flat,
    ...describeSteps(program, description),
    memory: memoryOf(program, bytesOf, plan(program)),
    compile: () => prepare(jaxpr, donation),
  };
}

/** Steps, and where they were parted. */
function describeSteps(
  program: Program,
  description: DeviceDescription,
): Pick<LoweredBody, "steps" | "boundaries"> {
  const accesses = program.steps.map(accessesOf);
  const { options, bytesOf } = description;
  return {
    steps: program.steps.map((step, i) =>
      describeStep(step, accesses[i], program.origin?.jaxpr as Jaxpr, description),
    ),
    boundaries: () => boundariesOf(program, accesses, options, bytesOf),
  };
}

/** What the programs inside a branch or a loop are called. */
export function namesOfBodies({ flow, bodies }: ControlStep): readonly string[] {
  if (flow === "cond") return bodies.map((_, i) => `branch ${i}`);
  return flow === "while" ? ["cond", "body"] : ["body"];
}

function describeStep(
  step: Step,
  accesses: Accesses,
  jaxpr: Jaxpr,
  description: DeviceDescription,
): LoweredStep {
  const { language, print, bytesOf } = description;
  const buffers = [...new Set([...accesses.read, ...accesses.written])].map((buffer): LoweredBuffer => {
    const { name, dtype, size } = buffer;
    const written = accesses.written.has(buffer);
    const access = !written ? "read" : accesses.read.has(buffer) ? "read-write" : "write";
    return { name, dtype, size, bytes: bytesOf(buffer), access };
  });
  if (step.kind !== "kernel") {
    const { eqn } = step;
    const outline = { name: eqn.primitive.name, buffers, text: printEqn(jaxpr, eqn) };
    if (step.kind === "host") return { kind: "host", ...outline };
    const names = namesOfBodies(step);
    return {
      kind: "control",
      ...outline,
      flow: step.flow,
      length: step.flow === "scan" ? step.length : undefined,
      bodies: step.bodies.map((body, i) => ({
        name: names[i],
        ...describeSteps(body, description),
      })),
    };
  }
  const { kernel } = step;
  const { name, launch } = kernel;
  let source: string | undefined;
  return {
    kind: "kernel",
    name,
    language,
    buffers,
    launch:
      launch.kind === "range" ? { items: launch.extent } : { groups: launch.groups, threads: launch.threads },
    get text() {
      return kernelText(kernel);
    },
    get source() {
      source ??= print(kernel);
      return source;
    },
  };
}

/** What a step reads and writes. */
export function accessesOf(step: Step): Accesses {
  if (step.kind !== "kernel") {
    const inputs: readonly (Buffer | undefined)[] = step.inputs;
    return { read: new Set(inputs.filter((b) => b !== undefined)), written: new Set(step.outputs) };
  }
  const isGlobal = (b: Buffer): boolean => b.space === "global";
  const read = new Set<Buffer>();
  eachStmt(step.kernel.body, (s) => {
    if (s.kind === "atomic") read.add(s.buffer);
    for (const e of nodesOf(...exprsOf(s))) if (e.op === "load") read.add(e.buffer);
  });
  // What the kernel reads of a result that it computes in place are elements of the operand.
  for (const [result, operand] of step.inPlace ?? []) {
    read.delete(result);
    read.add(operand);
  }
  return {
    read: new Set([...read].filter(isGlobal)),
    written: new Set([...writtenIn(step.kernel.body)].filter(isGlobal)),
  };
}

function memoryOf(
  { inputs, outputs }: Program,
  bytesOf: (buffer: Buffer) => number,
  { bytes: temporaryBytes, inside }: ReturnType<DeviceDescription["plan"]>,
): MemoryAnalysis {
  const total = (buffers: Iterable<Buffer>): number =>
    [...new Set(buffers)].reduce((sum, b) => sum + bytesOf(b), 0);
  const inputBytes = total(inputs);
  const results = outputs.filter((b) => !inputs.includes(b));
  const outputBytes = total(results);
  const aliasBytes = total(results.filter((b) => inside.has(b)));
  const peakBytes = inputBytes + outputBytes - aliasBytes + temporaryBytes;
  return { inputBytes, outputBytes, aliasBytes, temporaryBytes, peakBytes };
}
