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
  /** For a kernel that only copies one buffer to another for the next step to change it. */
  readonly copies?: { readonly from: Buffer; readonly to: Buffer };
}

/** An equation whose primitive has no `lower` rule: its `evaluate` rule is run on the host. */
export interface HostStep {
  readonly kind: "host";
  readonly eqn: Eqn;
  /** For each operand its buffer, or the literal of the equation. */
  readonly inputs: readonly (Buffer | undefined)[];
  readonly outputs: readonly Buffer[];
}

interface ControlStepBase {
  readonly kind: "control";
  readonly eqn: Eqn;
  /** One for each operand; scalars that stand in the equation have been stored. The step writes to none of them. */
  readonly inputs: readonly Buffer[];
  /** Each a buffer of its own. */
  readonly outputs: readonly Buffer[];
  /** Compiled as `bodyProgram` says. None of their buffers is one of the program's. */
  readonly bodies: readonly Program[];
  /**
   * For outputs that take the memory of an operand, which is needed no more, that operand: when the step starts, the memory of
   * the output holds its elements. So a loop finds its carry in place.
   */
  readonly inPlace?: ReadonlyMap<Buffer, Buffer>;
  /** Memory that the device needs for the bodies while the step runs, if it plans for that: its own affair. */
  readonly workspace?: Buffer;
}

/** Runs one of the bodies: that with the number in `inputs[0]` (int32, to be clamped), on the other inputs. */
export interface CondStep extends ControlStepBase {
  readonly flow: "cond";
}

/**
 * The bodies are `cond` and `body`. Inputs: constants of `cond`, constants of `body`, the carry. As long as `cond` gives true
 * (one bool), given its constants and the carry, `body` makes the next carry of its constants and the carry.
 */
export interface WhileStep extends ControlStepBase {
  readonly flow: "while";
  readonly condConsts: number;
  readonly bodyConsts: number;
  /** See `moves` of a `ScanStep`. */
  readonly moves: readonly (number | undefined)[];
}

/**
 * The only body takes constants, the carry, and an entry of each stacked input; it gives the next carry and an entry of each
 * stacked output. Entries follow each other in memory; from the last to the first if `reverse`.
 */
export interface ScanStep extends ControlStepBase {
  readonly flow: "scan";
  readonly length: number;
  readonly reverse: boolean;
  readonly consts: number;
  readonly carries: number;
  /**
   * For each carry where the body leaves its next value: in the memory of the carry with that number (its own: it is computed
   * in place, or does not change; another one: it is the old value of that one, or computed in its memory), or undefined: the
   * body writes it to memory that it is given, which must not be that of any carry. No number occurs twice.
   */
  readonly moves: readonly (number | undefined)[];
}

/**
 * A branch or a loop. The outputs of bodies are distinct buffers, and each is written by the body, with one exception: a
 * next carry may be a carry (which then is not written to), or lie in the memory of one (`inPlace` of kernels, and of control
 * steps); `moves` says so.
 */
export type ControlStep = CondStep | WhileStep | ScanStep;

export type Step = KernelStep | HostStep | ControlStep;

/** The carries among the inputs of a loop's body, and among the operands of the loop itself. */
export const carriesOf = (step: WhileStep | ScanStep): { inBody: number; inStep: number; count: number } =>
  step.flow === "scan"
    ? { inBody: step.consts, inStep: step.consts, count: step.carries }
    : {
        inBody: step.bodyConsts,
        inStep: step.condConsts + step.bodyConsts,
        count: step.moves.length,
      };

/** The kernels of a program and of all bodies inside, in the order of the steps. */
export const kernelsOf = ({ steps }: Program): Kernel[] =>
  steps.flatMap((step) => {
    if (step.kind === "kernel") return [step.kernel];
    return step.kind === "control" ? step.bodies.flatMap(kernelsOf) : [];
  });

/** Where the parts of a program come from, for explanations. */
export interface Origin {
  /** The flat jaxpr. */
  readonly jaxpr: Jaxpr;
  /** For each step the number of its group; what follows the last one stores constants. */
  readonly groups: readonly number[];
  /** The buffers of its variables. */
  readonly buffers: ReadonlyMap<Var, Buffer>;
  /** For variables of which only parts are stored, which readers combine: the buffers of the parts. */
  readonly parts: ReadonlyMap<Var, readonly Buffer[]>;
  /** Inputs that are donated. */
  readonly donated: readonly Var[];
}

export interface Program {
  readonly name: string;
  /** Never written to, except those that are donated. */
  readonly inputs: readonly Buffer[];
  /** Inputs whose memory belongs to the program once it has started. None of them is an output. */
  readonly donated?: ReadonlySet<Buffer>;
  /**
   * Only in bodies of control steps: for outputs that may lie in the memory of a donated input, the one that is theirs. Other
   * outputs must not.
   */
  readonly successors?: ReadonlyMap<Buffer, Buffer>;
  /** Whether these outputs may lie in the memory of any of these inputs. */
  readonly rotates?: boolean;
  /** One may occur several times, and may be an input. */
  readonly outputs: readonly Buffer[];
  readonly steps: readonly Step[];
  /** Everything else that steps use, each written before it is read. */
  readonly temporaries: readonly Buffer[];
  readonly origin?: Origin;
}

/** The buffers that a step reads or writes. */
export function buffersOf(step: Step): readonly Buffer[] {
  if (step.kind === "kernel") return [...step.kernel.buffers, ...(step.inPlace?.values() ?? [])];
  const own = step.kind === "control" && step.workspace !== undefined ? [step.workspace] : [];
  const read: readonly (Buffer | undefined)[] = step.inputs;
  return [...read.filter((b) => b !== undefined), ...step.outputs, ...own];
}

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
