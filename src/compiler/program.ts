/**
 * What the compiler makes of a jaxpr: buffers, and steps that fill them one after the other. Devices run it.
 */
import type { Buffer, Kernel } from "../core/ir/types.js";
import type { Eqn, Jaxpr, Var } from "../core/jaxpr.js";

export interface KernelStep {
  readonly kind: "kernel";
  /** Its `buffers` are buffers of the program. */
  readonly kernel: Kernel;
  /**
   * For results that are computed in place the operands whose memory they take. The kernel knows the result only: its
   * memory must be that of the operand, and holds the operand's elements when the kernel starts.
   */
  readonly inPlace?: ReadonlyMap<Buffer, Buffer>;
}

/** An equation whose primitive has no `lower` rule: its `evaluate` rule is run on the host. */
export interface HostStep {
  readonly kind: "host";
  readonly eqn: Eqn;
  /** For each operand its buffer, or the literal of the equation. */
  readonly inputs: readonly (Buffer | undefined)[];
  readonly outputs: readonly Buffer[];
}

export type Step = KernelStep | HostStep;

/** Where the parts of a program come from, for explanations. */
export interface Origin {
  /** The flat jaxpr. */
  readonly jaxpr: Jaxpr;
  /** For each step the number of its group; what follows the last one stores constants. */
  readonly groups: readonly number[];
  /** The buffers of its variables. */
  readonly buffers: ReadonlyMap<Var, Buffer>;
}

export interface Program {
  readonly name: string;
  /** Never written to, except those that are donated. */
  readonly inputs: readonly Buffer[];
  /** Inputs whose memory belongs to the program once it has started. None of them is an output. */
  readonly donated?: ReadonlySet<Buffer>;
  /** One may occur several times, and may be an input. */
  readonly outputs: readonly Buffer[];
  readonly steps: readonly Step[];
  /** Everything else that steps use, each written before it is read. */
  readonly temporaries: readonly Buffer[];
  readonly origin?: Origin;
}

/** The buffers that a step reads or writes. */
export const buffersOf = (step: Step): readonly Buffer[] =>
  step.kind === "kernel"
    ? [...step.kernel.buffers, ...(step.inPlace?.values() ?? [])]
    : [...step.inputs.filter((b) => b !== undefined), ...step.outputs];

/** For each buffer the first and the last step that uses it. */
export function usesOf(steps: readonly Step[]): [first: Map<Buffer, number>, last: Map<Buffer, number>] {
  const first = new Map<Buffer, number>();
  const last = new Map<Buffer, number>();
  for (const [time, step] of steps.entries())
    for (const b of buffersOf(step)) {
      if (!first.has(b)) first.set(b, time);
      last.set(b, time);
    }
  return [first, last];
}
