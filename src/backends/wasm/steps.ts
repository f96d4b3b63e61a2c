/** The steps of programs: kernels, `evaluate` rules, and branches and loops, which run steps themselves. */
import type { ControlStep, HostStep, KernelStep } from "../../compiler/program.js";
import { ConcreteArray } from "../../core/array.js";
import type { TypedArray } from "../../core/dtype.js";
import { isEffectful } from "../../core/effects.js";
import { InternalError } from "../../core/errors.js";
import type { Buffer } from "../../core/ir/types.js";
import { Literal } from "../../core/jaxpr.js";
import { activeProfile } from "../../core/profiler.js";
import { literalArray } from "../../core/trace.js";
import { readElements, viewElements, writeElements } from "./elements.js";
import { readyFlow } from "./flow.js";
import { floatsToHalves, halvesToFloats } from "./halves.js";
import type { Launcher } from "./launch.js";
import type { Numbers } from "./layout.js";
import type { MakeReady, ReadyStep, Session } from "./session.js";

export const readySteps: MakeReady = ({ program, numbers, flows }, launchers) =>
  program.steps.map((step) => {
    if (step.kind === "kernel") return readyKernel(step, numbers, launchers.next().value as Launcher);
    if (step.kind === "host") return readyHost(step, numbers);
    const flow = flows.get(step);
    if (flow === undefined) throw new InternalError(`${step.eqn.primitive.name} has no workspace`);
    return measured(step, readyFlow(step, flow, numbers, launchers, readySteps));
  });

/** A branch or a loop that says so where a profile is being taken. */
const measured =
  ({ eqn }: ControlStep, ready: ReadyStep): ReadyStep =>
  (session) => {
    const run = ready(session);
    return (addresses) => {
      const profile = activeProfile();
      if (profile === undefined) run(addresses);
      else profile.during("control", eqn.primitive.name, () => run(addresses), eqn);
    };
  };

function readyKernel({ kernel }: KernelStep, numbers: Numbers, launcher: Launcher): ReadyStep {
  const extent = kernel.launch.kind === "range" ? kernel.launch.extent : 0;
  const slots = kernel.buffers.map((b) => numbers.slotOf(b));
  return () => {
    const own = new Array<number>(slots.length).fill(0);
    return (addresses) => {
      for (let i = 0; i < own.length; i++) own[i] = addresses[slots[i]];
      const profile = activeProfile();
      if (profile === undefined) launcher.run(extent, own);
      else profile.during("kernel", kernel.name, () => launcher.run(extent, own), kernel);
    };
  };
}

/** Runs an `evaluate` rule. The rest of the run goes on only when it is done, so it may see the memory itself. */
function readyHost(step: HostStep, numbers: Numbers): ReadyStep {
  const { eqn } = step;
  const inputs = step.inputs.map((b) => (b === undefined ? undefined : numbers.slotOf(b)));
  const outputs = step.outputs.map((b) => numbers.slotOf(b));
  const types = eqn.outputs.map((v) => v.aval);
  return (session) => (addresses) => {
    const { heap } = session;
    // What has effects may keep the arrays that it is shown.
    const copied = !heap.shared || isEffectful(eqn.primitive, eqn.params);
    const operands = eqn.inputs.map((atom, i) => {
      const slot = inputs[i];
      if (slot === undefined) {
        if (atom instanceof Literal) return literalArray(atom);
        throw new InternalError(`a host step without a buffer for operand ${i} of ${eqn.primitive.name}`);
      }
      const buffer = numbers.buffers[slot];
      const { dtype, size } = buffer;
      const values =
        copied || dtype === "float16"
          ? readBuffer(session, buffer, addresses[slot])
          : viewElements(heap, dtype, addresses[slot], size);
      return new ConcreteArray(values, atom.aval);
    });
    const evaluate = () => eqn.primitive.evaluate(operands, eqn.params, types);
    const profile = activeProfile();
    const results =
      profile === undefined ? evaluate() : profile.during("host", eqn.primitive.name, evaluate, eqn);
    outputs.forEach((slot, i) => {
      writeBuffer(session, numbers.buffers[slot], addresses[slot], results[i].values);
    });
  };
}

/** Puts elements as JavaScript keeps them into a buffer. */
export function writeBuffer(
  { heap, staging }: Session,
  { dtype, size }: Buffer,
  address: number,
  values: TypedArray,
): void {
  if (dtype !== "float16") {
    writeElements(heap, dtype, address, values);
    return;
  }
  let from = values.byteOffset;
  if (!heap.contains(values)) {
    from = staging;
    writeElements(heap, dtype, from, values);
  }
  floatsToHalves(heap, from, address, size);
}

/** A copy of a buffer's elements as JavaScript keeps them. */
export function readBuffer({ heap, staging }: Session, { dtype, size }: Buffer, address: number): TypedArray {
  if (dtype !== "float16") return readElements(heap, dtype, address, size);
  halvesToFloats(heap, address, staging, size);
  return readElements(heap, dtype, staging, size);
}
