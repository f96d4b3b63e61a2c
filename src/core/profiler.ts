/**
 * Where time goes: what the parts of the library tell a profile while one is being taken. Without one they look at a single
 * variable. Profiles themselves are in profile/, which lies above all that is measured.
 */
import type { DeviceName } from "./device.js";

/**
 * What somebody is busy with:
 *
 * - `call`: the user's function, called once; `wait`: for a promise, of that function or of a GPU;
 * - `dispatch`: around a program: arguments taken apart, memory found, steps called;
 * - `operation`: a primitive by its `evaluate` rule;
 * - `trace`: the user's function run on tracers; `transform`: a pass over a jaxpr; `compile`: a part of the compiler;
 * - `transfer`: elements between JavaScript and the memory of a device; `memory`: looking for memory that is not needed any more;
 * - `kernel`, `host`, `control`: a step of a program, the last being what a branch or a loop does beside its own steps.
 */
export type Work =
  | "call"
  | "wait"
  | "dispatch"
  | "operation"
  | "trace"
  | "transform"
  | "compile"
  | "transfer"
  | "memory"
  | "kernel"
  | "host"
  | "control";

/** A step of a program, as a report names it. */
export interface StepFacts {
  /** What stands for the step while it is measured: its kernel, or its equation. */
  readonly key: object;
  readonly kind: "kernel" | "host" | "control";
  /** Its position among the steps of its program, or of the body that it is in. */
  readonly position: number;
  /** The branches and loops that it is inside: `3. scan, body`; "" for none. */
  readonly inside: string;
  readonly name: string;
  /** The equations that it computes, by the names of their primitives, in the order of the program. */
  readonly primitives: readonly string[];
  /** Where in user code it was called, as far as that is known: the first of its operations counts. */
  readonly source: string | undefined;
  /** Items of the range that threads share, or threads of the GPU. */
  readonly items: number | undefined;
  /** Sizes of the buffers that it reads and writes. */
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** What `cost` of its primitives counts. A template of several kernels counts as a whole: `group` is the same for all of them. */
  readonly operations: number;
  readonly group: object;
}

/** Something that a GPU has done: one kernel, or what was submitted to it at once. */
export interface Span {
  readonly kernels: readonly { readonly key: object; readonly name: string }[];
  /** In ms, by a clock of the device. */
  readonly begin: number;
  readonly end: number;
}

/** What a GPU has done of one submission. */
export interface Submission {
  /** When it was submitted, by the clock of the host. */
  readonly submitted: number;
  /** Whether the GPU's own clock measured each kernel; otherwise there is one span, by the clock of the host. */
  readonly timestamps: boolean;
  readonly spans: readonly Span[];
}

/** A profile that is being taken. Times are those of `performance.now()`. */
export interface Profiler {
  /**
   * Something begins, inside of what has begun and not ended.
   * @param key tells it from others of the same name.
   */
  begin(kind: Work, name: string, key?: object): void;
  end(): void;
  /** Begins it and ends it around `body`, also if that throws. */
  during<R>(kind: Work, name: string, body: () => R, key?: object): R;
  /** What the operation that is being measured reads, writes and counts. */
  count(bytesRead: number, bytesWritten: number, operations: number): void;
  /** A program is about to run. `steps` is called once, when the report is made. */
  program(program: object, device: DeviceName, steps: () => readonly StepFacts[]): void;
  /** Another thread was busy with what is being measured. */
  lane(name: string, begin: number, end: number): void;
  /** The report is to wait for this. */
  later(submission: Promise<Submission>): void;
}

let active: Profiler | undefined;

/** The profile that is being taken, if one is. */
export const activeProfile = (): Profiler | undefined => active;

/** Begins a profile, or ends the one there is. @internal */
export function setProfile(profiler: Profiler | undefined): void {
  active = profiler;
}

/** Measures `body`, if a profile is being taken. */
export const timed = <R>(kind: Work, name: string, body: () => R): R =>
  active === undefined ? body() : active.during(kind, name, body);
