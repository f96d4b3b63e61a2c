/** What a GPU runs: dispatches, and branches and loops around them. Memory is named by its number in the list of a run. */
import type { Buffer } from "../../core/ir/types.js";
import type { Pipeline } from "./pipeline.js";
import type { Chunk } from "./pool.js";
import type { TimedKernel } from "./timer.js";

/** One dispatch. */
export interface Launch {
  readonly kind: "launch";
  /** What profiles know it as. */
  readonly kernel: TimedKernel;
  readonly pipeline: Pipeline;
  readonly workgroups: readonly [number, number];
  /** Where the number of workgroups is, for what runs only if the GPU finds that it is to. */
  readonly indirect: { readonly place: number; readonly offset: number } | undefined;
  readonly memory: readonly number[];
  readonly bytes: readonly number[];
}

/**
 * Memory of the carries of a loop. After a step the next carry lies elsewhere: instead of copying it the loop goes round
 * between memories. Places of carries have no memory of their own.
 */
export interface Carries {
  /** Which memory each place begins with. */
  readonly start: readonly (readonly [place: number, memory: number])[];
  /** After each step the first place of a cycle has the memory of the second, and so on; the last has that of the first. */
  readonly cycles: readonly (readonly number[])[];
  /** Copies of the first carry. */
  readonly before: readonly Launch[];
  /** Copies of the last carry, as far as it does not lie where it belongs. */
  readonly after: readonly Launch[];
}

export interface ScanPlan {
  readonly kind: "scan";
  readonly length: number;
  readonly reverse: boolean;
  /** Which of the counters says where the loop is. */
  readonly counter: number;
  readonly carries: Carries;
  readonly body: readonly Plan[];
}

/**
 * Without `guard` the host waits for the number of the branch and records that one. Otherwise all are recorded, and the guard
 * sets the numbers of their workgroups, for all but one of them to nothing.
 */
export interface CondPlan {
  readonly kind: "cond";
  /** Brings the number of the branch to `index`. */
  readonly before: readonly Launch[];
  readonly index: number;
  readonly guard: Launch | undefined;
  readonly branches: readonly (readonly Plan[])[];
}

/**
 * Without `guard` the host waits for the predicate before each step. Otherwise several steps are recorded at a time, and after
 * each predicate the guard sets the numbers of workgroups of the step; `control` begins with whether the loop goes on and how
 * many steps have run.
 */
export interface WhilePlan {
  readonly kind: "while";
  readonly counter: number;
  readonly carries: Carries;
  /** Computes the predicate, and brings it to `predicate`. */
  readonly cond: readonly Plan[];
  readonly predicate: number;
  readonly guard: Launch | undefined;
  readonly control: number;
  readonly body: readonly Plan[];
}

export type Plan = Launch | ScanPlan | CondPlan | WhilePlan;

/**
 * Memory of a run beside that of inputs: a number of bytes, what is there anyway, or nothing, which is a place that a loop
 * fills.
 */
export type PlaceOf = number | Chunk | undefined;

export interface Prepared {
  readonly plan: readonly Plan[];
  /** All shaders. */
  readonly pipelines: ReadonlySet<Pipeline>;
  /** Bytes of each input. */
  readonly inputs: readonly number[];
  /** For each output of the program the new array that it is, or the input that it is or whose memory it takes. */
  readonly outputs: readonly (
    | { readonly input: number; readonly buffer: Buffer }
    | { readonly made: number }
  )[];
  /** The arrays that the program makes: the places after those of inputs. */
  readonly made: readonly { readonly buffer: Buffer; readonly bytes: number }[];
  /** The places after these. */
  readonly places: readonly PlaceOf[];
}
