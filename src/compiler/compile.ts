/**
 * The compiler: jaxpr → flat jaxpr → graph → groups → kernels → program. Each arrow is a file of this folder.
 */

import { describeAll } from "../core/aval.js";
import { memoize } from "../core/build.js";
import { DtypeError, MissingRuleError } from "../core/errors.js";
import type { Target } from "../core/ir/lower.js";
import { noting } from "../core/ir/notes.js";
import { plainTiling, type Tiling } from "../core/ir/tiling.js";
import { Buffer, type Kernel } from "../core/ir/types.js";
import { type Jaxpr, type Literal, Var } from "../core/jaxpr.js";
import { timed } from "../core/profiler.js";
import { describeSource } from "../core/source.js";
import { controlSteps } from "./controlSteps.js";
import { withCopies } from "./copies.js";
import { Buffers, isVar } from "./emit.js";
import { emitGrid } from "./emitGrid.js";
import { emitKernels, fillKernel } from "./emitKernels.js";
import { emitRange } from "./emitRange.js";
import { fusedSchedule } from "./fusion.js";
import { Folds } from "./gridFold.js";
import type { Group } from "./group.js";
import { type Donation, inheritanceOf, separateOutputs, successorsIn } from "./inheritance.js";
import { normalise } from "./normalise.js";
import { optimise } from "./optimise.js";
import type { Program, Step } from "./program.js";
import { reuseOperands } from "./reuse.js";
import { splitRange } from "./splitRange.js";

/** What the compiler has to know of a device. */
export interface CompileOptions {
  readonly target: Target;
  /** Buffers that a kernel can use. */
  readonly buffers: number;
  readonly workgroupThreads: number;
  readonly workgroupBytes: number;
  /** How work is cut on a GPU. Default: `plainTiling`, which every device runs. */
  readonly tiling?: Tiling;
}

const tilingNumbers = new Map<string, number>();
const numberOfTiling = new WeakMap<Tiling, number>();

/** Tilings that say the same are the same: a short key, since every call of a program asks for it. */
function keyOfTiling(tiling: Tiling | undefined): number | "" {
  if (tiling === undefined) return "";
  let key = numberOfTiling.get(tiling);
  if (key === undefined) {
    const text = JSON.stringify(tiling);
    key = tilingNumbers.get(text) ?? tilingNumbers.size;
    tilingNumbers.set(text, key);
    numberOfTiling.set(tiling, key);
  }
  return key;
}

export const wasmOptions: CompileOptions = {
  target: "wasm",
  buffers: 64,
  workgroupThreads: 1,
  workgroupBytes: 0,
};

/** What every WebGPU device has. */
export const webgpuOptions: CompileOptions = {
  target: "webgpu",
  buffers: 8,
  workgroupThreads: 256,
  workgroupBytes: 16384,
};

export { type Donation, donationOf } from "./inheritance.js";

/** So many operands an equation may have at most. */
export const mostOperands = ({ buffers }: CompileOptions): number => buffers - 2;

/**
 * Compiles a jaxpr, and the bodies of branches and loops in it. The result is remembered with the jaxpr.
 *
 * @param donation the inputs whose memory the program may use for other things.
 * @throws MissingRuleError for the GPU, if a primitive cannot be compiled.
 */
export const compile: (jaxpr: Jaxpr, options: CompileOptions, donation?: Donation) => Program = memoize(
  ({ target, buffers, workgroupThreads, workgroupBytes, tiling }: CompileOptions, donation: Donation = "") =>
    `compile${target},${buffers},${workgroupThreads},${workgroupBytes},${keyOfTiling(tiling)},${donation}`,
  (jaxpr: Jaxpr, options: CompileOptions, donation: Donation = ""): Program =>
    compileAnew(jaxpr, options, donation),
);

function compileAnew(jaxpr: Jaxpr, options: CompileOptions, donation: Donation): Program {
  const simple = timed("compile", "normalise", () => normalise(jaxpr, mostOperands(options)));
  if (options.target === "webgpu") refuseFloat64(simple);
  const inheritance = inheritanceOf(donation, simple);
  const flat = separateOutputs(simple, inheritance);
  const donated = flat.inputs.filter((v, i) => inheritance.donated[i] && !flat.outputs.includes(v));
  const { graph, groups } = timed("compile", "schedule", () =>
    fusedSchedule(flat, options, new Set(donated)),
  );
  const buffers = new Buffers(flat.inputs);
  const cut = { ...options, tiling: options.tiling ?? plainTiling };
  const folds = new Folds(groups, cut);
  const stepsOf = (group: Group): Step[] => {
    if (group.kind === "host") return [hostStep(group, buffers, options)];
    if (group.kind === "control")
      return controlSteps(group.members[0].node.eqn, buffers, options, (body, how) =>
        compile(body, options, how),
      );
    if (group.kind === "kernels") return emitKernels(graph, buffers, group, cut);
    if (options.target === "wasm")
      return (splitRange(graph, buffers, group) ?? [emitRange(graph, buffers, group)]).map(kernelStep);
    return emitGrid(graph, buffers, group, cut, folds).map(kernelStep);
  };
  const made = timed("compile", "emit", () => groups.map((group) => noting(() => stepsOf(group))));
  const steps = made.flat();
  const literals = new Map<Literal, Buffer>();
  const outputs = flat.outputs.map((a) => {
    if (isVar(a)) return buffers.of(a);
    let buffer = literals.get(a);
    if (buffer === undefined) {
      buffer = new Buffer("constant", a.aval.dtype, 1);
      literals.set(a, buffer);
      steps.push(kernelStep(fillKernel(buffer, a, options.target)));
    }
    return buffer;
  });
  const inputs = flat.inputs.map((v) => buffers.of(v));
  const program: Program = {
    name: flat.eqns.at(-1)?.primitive.name ?? "identity",
    inputs,
    donated: new Set(donated.map((v) => buffers.of(v))),
    ...successorsIn(inheritance, inputs, outputs),
    outputs,
    steps,
    temporaries: buffers.temporaries.filter((b) => !outputs.includes(b)),
    origin: {
      jaxpr: flat,
      groups: made.flatMap((own, number) => own.map(() => number)),
      buffers: buffers.ofVar,
      parts: buffers.parts,
      donated,
    },
  };
  const reusing = timed("compile", "reuse operands", () =>
    reuseOperands(
      program,
      options.target === "wasm" ? (body, how) => compile(body, options, how) : undefined,
    ),
  );
  return timed("compile", "optimise", () => optimised(reusing, options));
}

/** No shader computes with float64, and computing with less in silence would be a wrong answer. */
function refuseFloat64(jaxpr: Jaxpr): void {
  const wide = (v: Var): boolean => v.aval.dtype === "float64";
  const eqn = jaxpr.eqns.find(({ outputs }) => outputs.some(wide));
  if (eqn === undefined && !jaxpr.inputs.some(wide)) return;
  const where = eqn === undefined ? "an argument is" : `${eqn.primitive.name} gives`;
  const made = describeSource(eqn?.source);
  throw new DtypeError(
    `WebGPU has no float64, but ${where} ${describeAll(
      jaxpr.inputs
        .concat(eqn?.outputs ?? [])
        .filter(wide)
        .slice(0, 1)
        .map((v) => v.aval),
    )}` + `${made === undefined ? "" : ` (at ${made})`}; use float32, or the device "wasm"`,
  );
}

const kernelStep = (kernel: Kernel): Step => ({ kind: "kernel", kernel });

function optimised(program: Program, { target }: CompileOptions): Program {
  const pass = withCopies((kernel) => noting(() => optimise(kernel, target)));
  return {
    ...program,
    steps: program.steps.map((step) =>
      step.kind === "kernel" ? { ...step, kernel: pass(step.kernel) } : step,
    ),
  };
}

function hostStep(group: Group, buffers: Buffers, { target }: CompileOptions): Step {
  const [{ node }] = group.members;
  const { eqn } = node;
  if (target !== "wasm")
    throw new MissingRuleError(
      `primitive "${eqn.primitive.name}" has no lower rule, so it cannot run on ${target}; it runs on the CPU devices`,
      { primitive: eqn.primitive.name, rule: "lower" },
    );
  return {
    kind: "host",
    eqn,
    inputs: eqn.inputs.map((a) => (a instanceof Var ? buffers.of(a) : undefined)),
    outputs: eqn.outputs.map((v) => buffers.of(v)),
  };
}
