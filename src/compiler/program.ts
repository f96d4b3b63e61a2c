/**
 * What the compiler makes of a jaxpr: buffers, and steps that fill them one after the other. Devices run it.
 */
import type { Buffer, Kernel } from "../core/ir/types.js";
import type { Eqn, Jaxpr, Var } from "../core/jaxpr.js";

export interface KernelStep {
  readonly kind: "kernel";
  /** Its `buffers` are buffers of the program. */
  readonly kernel: Kernel;
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
  /** Never written to. */
  readonly inputs: readonly Buffer[];
  /** One may occur several times, and may be an input. */
  readonly outputs: readonly Buffer[];
  readonly steps: readonly Step[];
  /** Everything else that steps use, each written before it is read. */
  readonly temporaries: readonly Buffer[];
  readonly origin?: Origin;
}
