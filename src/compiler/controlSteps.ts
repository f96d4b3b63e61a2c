/** Branches and loops as steps: their bodies are compiled to programs of their own. */
import { InternalError } from "../core/errors.js";
import type { ControlRule, Target } from "../core/ir/lower.js";
import { Buffer } from "../core/ir/types.js";
import { type Eqn, type Jaxpr, Var } from "../core/jaxpr.js";
import type { Buffers } from "./emit.js";
import { fillKernel } from "./emitKernels.js";
import { branchDonation, type Donation, heldBy, loopDonation } from "./inheritance.js";
import type { CondStep, ControlStep, Program, Step } from "./program.js";

export type CompileBody = (body: Jaxpr, donation: Donation) => Program;

/** The step for an equation, after kernels that store the scalars among its operands. */
export function controlSteps(
  eqn: Eqn,
  buffers: Buffers,
  { target }: { readonly target: Target },
  compile: CompileBody,
): Step[] {
  const steps: Step[] = [];
  const inputs = eqn.inputs.map((a, i) => {
    if (a instanceof Var) return buffers.of(a);
    const buffer = buffers.temporary(new Buffer(`literal${i}`, a.aval.dtype, 1));
    steps.push({ kind: "kernel", kernel: fillKernel(buffer, a, target) });
    return buffer;
  });
  const outputs = eqn.outputs.map((v) => buffers.of(v));
  return [...steps, controlStep(eqn, inputs, outputs, compile)];
}

function controlStep(
  eqn: Eqn,
  inputs: readonly Buffer[],
  outputs: readonly Buffer[],
  compile: CompileBody,
): ControlStep {
  const parts = partsOf(eqn);
  const common = { kind: "control", eqn, inputs, outputs } as const;
  if (parts.flow === "cond")
    return { ...common, flow: "cond", bodies: parts.branches.map((b) => compile(b, branchDonation([]))) };
  if (parts.flow === "while") {
    const { condConsts, bodyConsts } = parts;
    const body = compile(parts.body, loopDonation(bodyConsts, outputs.length));
    const moves = movesOf(body, bodyConsts, outputs.length);
    const bodies = [compile(parts.cond, branchDonation([])), body];
    return { ...common, flow: "while", bodies, condConsts, bodyConsts, moves };
  }
  const { length, reverse, consts, carries } = parts;
  const body = compile(parts.body, loopDonation(consts, carries));
  const moves = movesOf(body, consts, carries);
  return { ...common, flow: "scan", bodies: [body], length, reverse, consts, carries, moves };
}

export function partsOf({ primitive, params }: Eqn): ReturnType<ControlRule["parts"]> {
  const { lower } = primitive;
  if (lower?.kind !== "control") throw new InternalError(`${primitive.name} has no branches or loops`);
  return lower.parts(params);
}

/** For each carry the one in whose memory the body leaves its next value. */
function movesOf(body: Program, first: number, count: number): (number | undefined)[] {
  return heldBy(body)
    .slice(0, count)
    .map((input) => (input === undefined ? undefined : body.inputs.indexOf(input) - first));
}

/**
 * A cond with branches that may compute results in the memory of operands.
 *
 * @param follows for each output the operand (the index not counted) whose memory it takes.
 */
export function condInPlace(
  step: CondStep,
  follows: readonly (number | undefined)[],
  compile: CompileBody,
): CondStep {
  const parts = partsOf(step.eqn);
  if (parts.flow !== "cond") throw new InternalError(`${step.eqn.primitive.name} has no branches`);
  const inPlace = new Map<Buffer, Buffer>();
  for (const [k, i] of follows.entries())
    if (i !== undefined) inPlace.set(step.outputs[k], step.inputs[1 + i]);
  return { ...step, inPlace, bodies: parts.branches.map((b) => compile(b, branchDonation(follows))) };
}
