/**
 * The compiler: jaxpr → flat jaxpr → graph → groups → kernels → program. Each arrow is a file of this folder.
 */

import { describeAll } from "../core/aval.js";
import { memoize } from "../core/build.js";
import { DtypeError, MissingRuleError } from "../core/errors.js";
import type { Target } from "../core/ir/lower.js";
import { Buffer, type Kernel } from "../core/ir/types.js";
import { type Jaxpr, type Literal, Var } from "../core/jaxpr.js";
import { describeSource } from "../core/source.js";
import { controlSteps } from "./controlSteps.js";
import { Buffers, isVar } from "./emit.js";
import { emitGrid } from "./emitGrid.js";
import { emitKernels, fillKernel } from "./emitKernels.js";
import { emitRange } from "./emitRange.js";
import { makeGraph } from "./graph.js";
import type { Group } from "./group.js";
import { type Donation, inheritanceOf, separateOutputs, successorsIn } from "./inheritance.js";
import { normalise } from "./normalise.js";
import { optimise } from "./optimise.js";
import type { Program, Step } from "./program.js";
import { reuseOperands } from "./reuse.js";
import { schedule } from "./schedule.js";

/** What the compiler has to know of a device. */
export interface CompileOptions {
  readonly target: Target;
  /** Buffers that a kernel can use. */
  readonly buffers: number;
  readonly workgroupThreads: number;
  readonly workgroupBytes: number;
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
  ({ target, buffers, workgroupThreads, workgroupBytes }: CompileOptions, donation: Donation = "") =>
    `compile${target},${buffers},${workgroupThreads},${workgroupBytes},${donation}`,
  (jaxpr: Jaxpr, options: CompileOptions, donation: Donation = ""): Program => {
    const simple = normalise(jaxpr, mostOperands(options));
    if (options.target === "webgpu") refuseFloat64(simple);
    const inheritance = inheritanceOf(donation, simple);
    const flat = separateOutputs(simple, inheritance);
    const donated = flat.inputs.filter((v, i) => inheritance.donated[i] && !flat.outputs.includes(v));
    const { graph, groups } = schedule(makeGraph(flat, options, new Set(donated)), options);
    const buffers = new Buffers(flat.inputs);
    const stepsOf = (group: Group): Step[] => {
      if (group.kind === "host") return [hostStep(group, buffers, options)];
      if (group.kind === "control")
        return controlSteps(group.members[0].node.eqn, buffers, options, (body, how) =>
          compile(body, options, how),
        );
      if (group.kind === "kernels") return emitKernels(graph, buffers, group, options);
      return [
        kernelStep(
          options.target === "wasm"
            ? emitRange(graph, buffers, group)
            : emitGrid(graph, buffers, group, options.workgroupThreads),
        ),
      ];
    };
    const made = groups.map(stepsOf);
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
        donated,
      },
    };
    return optimised(
      reuseOperands(
        program,
        options.target === "wasm" ? (body, how) => compile(body, options, how) : undefined,
      ),
      options,
    );
  },
);

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

const optimised = (program: Program, { target }: CompileOptions): Program => ({
  ...program,
  steps: program.steps.map((step) =>
    step.kind === "kernel" ? { ...step, kernel: optimise(step.kernel, target) } : step,
  ),
});

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
