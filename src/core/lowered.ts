/**
 * What a device makes of a jaxpr, as data for people and tools: the steps it runs, the memory they need, and why the
 * values between them are stored. Devices describe their programs with these types; without a device every equation is a
 * step of its own, which `stepwiseProgram` describes.
 */
import { bytesOf, describe, sizeOf } from "./aval.js";
import type { DeviceName } from "./device.js";
import type { DType } from "./dtype.js";
import { type Atom, type Eqn, type Jaxpr, Literal, Var } from "./jaxpr.js";
import { memoryOf } from "./liveness.js";
import { describeSource } from "./source.js";

export interface LoweredBuffer {
  readonly name: string;
  readonly dtype: DType;
  /** Elements. */
  readonly size: number;
  /** Of the elements as the device stores them. */
  readonly bytes: number;
  readonly access: "read" | "write" | "read-write";
}

interface LoweredStepBase {
  readonly name: string;
  readonly buffers: readonly LoweredBuffer[];
  /** What it does, in a form that is the same for all devices: kernel IR, or the equation. */
  readonly text: string;
}

/** A kernel: on the GPU one dispatch. */
export interface LoweredKernel extends LoweredStepBase {
  readonly kind: "kernel";
  readonly language: "wat" | "wgsl";
  /** The code of this kernel alone, in that language. */
  readonly source: string;
  /** How it is run: for a range of items that CPU threads share, or by groups of GPU threads. */
  readonly launch: { readonly items: number } | { readonly groups: number; readonly threads: number };
}

/** An equation that runs by itself: by the `evaluate` rule of its primitive, mostly. */
export interface LoweredHostStep extends LoweredStepBase {
  readonly kind: "host";
}

/** A program inside a step: a branch, or the condition or the body of a loop. */
export interface LoweredBody {
  /** `branch 0`, `cond`, `body`. */
  readonly name: string;
  readonly steps: readonly LoweredStep[];
  boundaries(): readonly Boundary[];
}

/** A branch or a loop. */
export interface LoweredControl extends LoweredStepBase {
  readonly kind: "control";
  readonly flow: "cond" | "while" | "scan";
  /** How often the body of a scan runs; of the others that is not known. */
  readonly length: number | undefined;
  readonly bodies: readonly LoweredBody[];
}

export type LoweredStep = LoweredKernel | LoweredHostStep | LoweredControl;

/** The kernels of steps and of the bodies inside, in order. */
export const kernelsIn = (steps: readonly LoweredStep[]): LoweredKernel[] =>
  steps.flatMap((step) => {
    if (step.kind === "kernel") return [step];
    return step.kind === "control" ? step.bodies.flatMap((body) => kernelsIn(body.steps)) : [];
  });

/**
 * The bytes that steps read and write: sizes of their buffers, once for each step. A scan counts as often as it runs, a loop of
 * unknown length once, a choice as the branch that moves most.
 */
export function trafficOf(steps: readonly LoweredStep[]): {
  readonly read: number;
  readonly written: number;
} {
  let [read, written] = [0, 0];
  for (const step of steps) {
    if (step.kind === "control") {
      const inside = step.bodies.map((body) => trafficOf(body.steps));
      const times = step.length ?? 1;
      const counted =
        step.flow === "cond"
          ? inside.sort((x, y) => y.read + y.written - x.read - x.written).slice(0, 1)
          : inside;
      for (const body of counted) {
        read += times * body.read;
        written += times * body.written;
      }
      continue;
    }
    for (const { access, bytes } of step.buffers) {
      if (access !== "write") read += bytes;
      if (access !== "read") written += bytes;
    }
  }
  return { read, written };
}

/** In bytes. */
export interface MemoryAnalysis {
  /** Arguments and constants. */
  readonly inputBytes: number;
  /** Results that are not arguments. */
  readonly outputBytes: number;
  /** Of these, results that take the memory of donated arguments. */
  readonly aliasBytes: number;
  /** Everything else, where values that are not needed at the same time share memory. */
  readonly temporaryBytes: number;
  /** All of it together, and what is in two of these once. */
  readonly peakBytes: number;
}

/** A value that one step stores and a later one reads: where two steps were not made one. */
export interface Boundary {
  /** The operation that makes the value, its type, and where in user code it was called, if that is known. */
  readonly value: { readonly primitive: string; readonly type: string; readonly source: string | undefined };
  readonly bytes: number;
  /** Positions in the list of steps. */
  readonly from: number;
  readonly to: number;
  /** Why the value is stored, and why its reader is a step of its own. */
  readonly reasons: readonly string[];
}

export interface LoweredProgram {
  readonly device: DeviceName;
  /** What the steps compute: without calls, and without what is equal or not needed. */
  readonly jaxpr: Jaxpr;
  readonly steps: readonly LoweredStep[];
  readonly memory: MemoryAnalysis;
  /** In the order of the steps that read. */
  boundaries(): readonly Boundary[];
  /** Makes the program ready to run: the first run then compiles nothing. */
  compile(): void;
}

/**
 * A jaxpr that is run an equation at a time, those of called jaxprs in their place, and why: because there is no device,
 * or because effects have to happen in order.
 */
export function stepwiseProgram(jaxpr: Jaxpr, device: DeviceName, reason: string): LoweredProgram {
  const { steps, boundaries } = evaluationSteps(jaxpr, reason);
  return {
    device,
    jaxpr,
    steps,
    memory: { ...memoryOf(jaxpr), aliasBytes: 0 },
    boundaries: () => boundaries,
    compile: () => {},
  };
}

/** What an equation is the same as, in simpler equations. */
const calledJaxpr = ({ primitive, inputs, params }: Eqn): Jaxpr | undefined =>
  primitive.inline?.(
    params,
    inputs.map((a) => a.aval),
  );

interface Value {
  readonly name: string;
  readonly eqn: Eqn | undefined;
  readonly step: number;
}

function evaluationSteps(jaxpr: Jaxpr, reason: string): { steps: LoweredHostStep[]; boundaries: Boundary[] } {
  const steps: LoweredHostStep[] = [];
  const boundaries: Boundary[] = [];
  let named = 0;

  const run = (body: Jaxpr, given: readonly (Value | Literal)[]): (Value | Literal)[] => {
    const values = new Map<Var, Value | Literal>(body.inputs.map((v, i) => [v, given[i]]));
    const valueOf = (a: Atom): Value | Literal => (a instanceof Var ? (values.get(a) as Value | Literal) : a);
    for (const eqn of body.eqns) {
      const operands = eqn.inputs.map(valueOf);
      const inner = calledJaxpr(eqn);
      const results = inner === undefined ? apply(eqn, operands) : run(inner, operands);
      for (const [k, v] of eqn.outputs.entries()) values.set(v, results[k]);
    }
    return body.outputs.map(valueOf);
  };

  const apply = (eqn: Eqn, operands: readonly (Value | Literal)[]): Value[] => {
    const step = steps.length;
    const results = eqn.outputs.map((): Value => ({ name: `v${named++}`, eqn, step }));
    const read = new Map<string, LoweredBuffer>();
    for (const [i, x] of operands.entries()) {
      if (x instanceof Literal || read.has(x.name)) continue;
      read.set(x.name, bufferOf(x.name, eqn.inputs[i], "read"));
      if (x.eqn !== undefined)
        boundaries.push({
          value: valueMadeBy(x.eqn, eqn.inputs[i]),
          bytes: bytesOf(eqn.inputs[i].aval),
          from: x.step,
          to: step,
          reasons: [reason],
        });
    }
    const shown = operands.map((x) => (x instanceof Literal ? String(x.value) : x.name));
    steps.push({
      kind: "host",
      name: eqn.primitive.name,
      buffers: [...read.values(), ...results.map(({ name }, k) => bufferOf(name, eqn.outputs[k], "write"))],
      text: [results.map(({ name }) => name).join(" ") || "()", "=", eqn.primitive.name, ...shown].join(" "),
    });
    return results;
  };

  run(
    jaxpr,
    jaxpr.inputs.map((_, i) => ({ name: `in${i}`, eqn: undefined, step: -1 })),
  );
  return { steps, boundaries };
}

/** A value in words for a boundary. */
export const valueMadeBy = ({ primitive, source }: Eqn, { aval }: Atom): Boundary["value"] => ({
  primitive: primitive.name,
  type: describe(aval),
  source: describeSource(source),
});

/** A value as a buffer of as many bytes as the host needs for it. */
export const bufferOf = (name: string, { aval }: Atom, access: LoweredBuffer["access"]): LoweredBuffer => ({
  name,
  dtype: aval.dtype,
  size: sizeOf(aval.shape),
  bytes: bytesOf(aval),
  access,
});
