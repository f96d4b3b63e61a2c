/** `Lowered`: what `jit(f).lower(...)` gives, a program to look at before it runs, or to run for these types only. */
import { type ConcreteArray, NDArray, scalar } from "../core/array.js";
import { type Aval, sameType } from "../core/aval.js";
import { type Device, deviceFor } from "../core/device.js";
import { isFloat, isInteger } from "../core/dtype.js";
import {
  ArgumentError,
  DeviceError,
  DtypeError,
  type FluxionError,
  ShapeError,
  TreeMismatchError,
} from "../core/errors.js";
import type { ClosedJaxpr, Jaxpr } from "../core/jaxpr.js";
import { liftConstants } from "../core/lifted.js";
import {
  type Boundary,
  kernelsIn,
  type LoweredKernel,
  type LoweredProgram,
  type LoweredStep,
  type MemoryAnalysis,
  stepwiseProgram,
  trafficOf,
} from "../core/lowered.js";
import { currentTrace } from "../core/trace.js";
import { unflatten } from "../core/tree.js";
import { jaxprCost } from "../primitives/call.js";
import { bindDonated } from "./donation.js";
import { FusionExplanation, showBytes } from "./explain.js";
import { leafName, type TracedFunction, toArray } from "./functions.js";
import { argumentNames, type Change, changes, type Signature } from "./traces.js";
import type { ArrayTree, Fn } from "./types.js";

/** What a program does, counted; see `Lowered.costAnalysis`. */
export interface CostAnalysis {
  /** Scalar operations, multiplications and transcendental functions included. */
  readonly operations: number;
  /** Multiplications and divisions. */
  readonly multiplications: number;
  /** Calls of functions such as exp or sin. */
  readonly transcendentals: number;
  /** Sizes of the buffers that the steps read, once for each step that does. */
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly kernels: number;
}

/** A program for one type of arguments. */
export type Compiled<F extends Fn> = (...args: Parameters<F>) => ArrayTree<ReturnType<F>>;

/** The arguments of a call, taken apart. */
export interface ReadCall extends Signature {
  readonly leaves: readonly unknown[];
}

/** What `jit` knows of a call that was lowered. */
export interface LoweredCall {
  /** `jit(loss)`. */
  readonly label: string;
  /** `loss`. */
  readonly name: string;
  readonly traced: TracedFunction;
  readonly signature: Signature;
  /** Of the inputs of the program those that a call gives away. */
  readonly donated: readonly boolean[];
  readonly read: (args: readonly unknown[]) => ReadCall;
  readonly device: Device | undefined;
}

/** The program of a device for a jaxpr, or that of the `evaluate` rules. */
function programFor(jaxpr: Jaxpr, device: Device | undefined, donated: readonly boolean[]): LoweredProgram {
  if (device === undefined)
    return stepwiseProgram(jaxpr, "reference", "without a device every operation runs by itself");
  const lifted = liftConstants(jaxpr);
  return device.lower(lifted.jaxpr, [...donated, ...lifted.consts.map(() => false)]);
}

/** A jitted function lowered for arguments of certain types. Made by `jit(f).lower(...)`. */
export class Lowered<F extends Fn = Fn> {
  private readonly call: LoweredCall;
  private readonly program: LoweredProgram;

  /** @internal */
  constructor(call: LoweredCall) {
    this.call = call;
    this.program = programFor(call.traced.closed.jaxpr, call.device, call.donated);
  }

  /** The traced program, before any pass of the compiler. */
  get jaxpr(): ClosedJaxpr {
    return this.call.traced.closed;
  }

  /** What the steps compute: calls unfolded, equal equations merged, and what no output needs left out. */
  get simplified(): Jaxpr {
    return this.program.jaxpr;
  }

  /** Which device it is lowered for; `reference` is the absence of a device. */
  get device(): LoweredProgram["device"] {
    return this.program.device;
  }

  /**
   * Everything that is run, in order: kernels, operations that run on the host, and branches and loops, whose own steps are in their
   * `bodies`.
   */
  get steps(): readonly LoweredStep[] {
    return this.program.steps;
  }

  /**
   * The kernels in the order of the steps, those inside of branches and loops as well, each with its kernel IR (`text`) and its code in WGSL or the text format
   * of WebAssembly (`source`). Empty where there is no device.
   */
  get kernels(): readonly LoweredKernel[] {
    return kernelsIn(this.steps);
  }

  /** The values that one step stores and another reads, with the reasons why the two are not one kernel. */
  get boundaries(): readonly Boundary[] {
    return this.program.boundaries();
  }

  /**
   * The work of one run. Operations are counted for each equation once, also where a kernel computes cheap elements again;
   * bytes are sizes of buffers, once for each step that reads or writes them. The body of a scan counts as often as it runs; a loop
   * of unknown length counts once.
   *
   * @example
   * jit((x) => x.sin().mul(2)).lower(np.ones([10])).costAnalysis().operations; // 20
   */
  costAnalysis(): CostAnalysis {
    const { operations, multiplications, transcendentals } = jaxprCost(this.program.jaxpr);
    const { read: bytesRead, written: bytesWritten } = trafficOf(this.steps);
    const kernels = this.kernels.length;
    return { operations, multiplications, transcendentals, bytesRead, bytesWritten, kernels };
  }

  /**
   * The memory of one run, in bytes.
   *
   * @example
   * jit((x) => x.sin().mul(2)).lower(np.ones([10])).memoryAnalysis().outputBytes; // 40
   */
  memoryAnalysis(): MemoryAnalysis {
    return this.program.memory;
  }

  /**
   * Why values are stored between the steps: for each that one step stores and another reads, what kept it from being
   * computed in place, and what kept its reader from joining the kernel that makes it.
   */
  explain(): FusionExplanation {
    return new FusionExplanation(this.steps, this.boundaries);
  }

  /**
   * Compiles the program for its device now.
   *
   * @returns a function of the same arguments, which donates what the jitted function does. It is never traced again: arguments of other types are refused. Numbers are
   *   read as scalars of the types that the program was lowered for.
   * @throws (when called) TreeMismatchError, ShapeError or DtypeError if an argument has another structure, shape or dtype
   *   than the program was lowered for, ArgumentError for another static argument, DeviceError for arrays on another device.
   * @example
   * const double = jit((x) => x.mul(2)).lower(new ShapeDtype([2])).compile();
   * double(np.array([1, 2])); // [2, 4]
   * double(np.array([1, 2, 3])); // throws ShapeError
   */
  compile(): Compiled<F> {
    this.program.compile();
    const { call } = this;
    const { traced, name } = call;
    const compiled = (...args: unknown[]) => {
      const inputs = [...traced.closed.consts, ...matching(call, args)];
      return unflatten(traced.outTree, runOn(call, inputs));
    };
    Object.defineProperty(compiled, "name", { value: name });
    return compiled as Compiled<F>;
  }

  /** The program in outline. */
  toString(): string {
    const { label } = this.call;
    const { operations, bytesRead, bytesWritten } = this.costAnalysis();
    const { inputBytes, outputBytes, aliasBytes, temporaryBytes } = this.memoryAnalysis();
    const aliases = aliasBytes === 0 ? "" : ` (${showBytes(aliasBytes)} in the memory of donated arguments)`;
    return [
      `${label} on ${this.device}: ${countSteps(this.steps)}, ${operations} operations, ` +
        `${showBytes(bytesRead)} read, ${showBytes(bytesWritten)} written`,
      `memory: ${showBytes(inputBytes)} of inputs, ${showBytes(outputBytes)} of outputs${aliases}, ` +
        `${showBytes(temporaryBytes)} of temporaries`,
      ...outlines(this.steps, ""),
      ...namesOfInputs(this.call),
    ].join("\n");
  }

  /** What `console.log` prints in Node. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

/** Which argument is which buffer. */
function namesOfInputs({ traced, signature }: LoweredCall): string[] {
  const { consts } = traced.closed;
  const names = [...consts.map(() => "a constant"), ...argumentNames(signature)];
  return names.map((name, i) => `in${i}: ${name}`);
}

const plural = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`;

function countSteps(steps: readonly LoweredStep[]): string {
  const kernels = kernelsIn(steps).length;
  const host = steps.filter((s) => s.kind === "host").length;
  const control = steps.filter((s) => s.kind === "control").length;
  const parts = [
    ...(kernels > 0 ? [plural(kernels, "kernel")] : []),
    ...(host > 0 ? [`${plural(host, "operation")} one by one`] : []),
    ...(control > 0 ? [`${control} ${control === 1 ? "branch or loop" : "branches and loops"}`] : []),
  ];
  return parts.join(", ") || "nothing to run";
}

/** A line for each step, and for those of bodies. */
const outlines = (steps: readonly LoweredStep[], indent: string): string[] =>
  steps.flatMap((step, i) => [
    `${indent}${i}. ${outline(step)}`,
    ...(step.kind === "control"
      ? step.bodies.flatMap((body) => [
          `${indent}   ${body.name}:`,
          ...outlines(body.steps, `${indent}     `),
        ])
      : []),
  ]);

function outline(step: LoweredStep): string {
  const buffers = step.buffers.map(({ name, dtype, size, access }) => {
    const sign = access === "read" ? "" : access === "write" ? "→ " : "↔ ";
    return `${sign}${name} ${dtype}[${size}]`;
  });
  if (step.kind !== "kernel") return step.text;
  const { launch } = step;
  const how =
    "items" in launch
      ? plural(launch.items, "item")
      : `${launch.groups} × ${plural(launch.threads, "thread")}`;
  return `${step.name}: ${how}; ${buffers.join(", ")}`;
}

/** The arguments as the inputs of the program, or an error that names what it was lowered for and what it got. */
function matching({ label, signature, read }: LoweredCall, args: readonly unknown[]): NDArray[] {
  const given = read(args);
  const sameTree = signature.treedef.equals(given.treedef);
  const inputs = given.leaves.map((leaf, i) => (sameTree ? asType(leaf, signature.avals[i]) : leaf));
  const avals = inputs.map((x, i) => (x instanceof NDArray ? x.aval : given.avals[i]));
  const sameStatics = [...signature.statics].every(([i, { key }]) => given.statics.get(i)?.key === key);
  if (!sameTree || !sameStatics || !avals.every((type, i) => sameType(type, signature.avals[i])))
    throw mismatch(label, changes(signature, { ...given, avals }));
  return inputs.map((x, i) => toArray(x, () => leafName(`the arguments of ${label}`, given.treedef, i)));
}

/** The first of the changes as an error; those of weak types alone are none. */
function mismatch(label: string, found: readonly Change[]): FluxionError {
  const [{ kind, where, before, now }] = found.filter((change) => change.kind !== "weakType");
  const message =
    `${where} was ${before || "not there"} when ${label} was lowered, and is ${now || "not there"} in this call; ` +
    `lower it anew, or call ${label} itself, which is traced for any types`;
  if (kind === "tree") return new TreeMismatchError(message);
  if (kind === "static") return new ArgumentError(message);
  const sameDtype = before.split("[")[0] === now.split("[")[0];
  return sameDtype ? new ShapeError(message) : new DtypeError(message);
}

/** A number as a scalar of the type that is wanted, if it is one; anything else as it is. */
function asType(leaf: unknown, { shape, dtype, weakType }: Aval): unknown {
  if (shape.length > 0) return leaf;
  const fits =
    typeof leaf === "boolean"
      ? dtype === "bool"
      : typeof leaf === "number" && (isFloat(dtype) || (isInteger(dtype) && Number.isInteger(leaf)));
  return fits ? scalar(leaf as number | boolean, dtype, weakType) : leaf;
}

function runOn(call: LoweredCall, inputs: readonly NDArray[]): readonly NDArray[] {
  const { label, name, device, traced, donated, signature } = call;
  if (currentTrace() === undefined) {
    const here = deviceFor(label, inputs as readonly ConcreteArray[]);
    if (here !== device)
      throw new DeviceError(
        `${label} was lowered for ${device?.name ?? "reference"}, but the device of this call is ${here?.name ?? "reference"}; lower it anew`,
      );
  }
  const { jaxpr } = traced.closed;
  return bindDonated({ label, name, jaxpr, donated, namesOf: () => argumentNames(signature) }, inputs);
}
