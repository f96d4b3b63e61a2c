/** What is measured while a profile is being taken: totals for each thing that is done, and events on the lanes of threads. */
import type { DeviceName } from "../core/device.js";
import type { Profiler, StepFacts, Submission, Work } from "../core/profiler.js";
import { Samples } from "./samples.js";

/** All that was alike: a kernel of a program, or work of one name. */
export interface Tally {
  readonly kind: Work;
  readonly name: string;
  /** The kernel, or the equation. */
  readonly key: object | undefined;
  /** Whether a GPU did it, at the same time as the host did other things. */
  onGpu: boolean;
  count: number;
  /** In ms, without what was measured inside. */
  total: number;
  readonly samples: Samples;
  bytesRead: number;
  bytesWritten: number;
  operations: number;
}

/** The calls of the user's function before the measured ones, or those. */
export class Phase {
  /** How long each took, in ms. */
  readonly calls: number[] = [];
  readonly tallies = new Map<unknown, Tally>();
}

export interface TimedEvent {
  readonly lane: string;
  readonly kind: Work;
  readonly name: string;
  readonly key: object | undefined;
  /** In ms. */
  readonly begin: number;
  readonly end: number;
}

interface Frame {
  readonly kind: Work;
  readonly name: string;
  readonly key: object | undefined;
  readonly begin: number;
  /** Time of what was measured inside. */
  inside: number;
  /** Beginnings of the same thing right inside of it, which count as it. */
  again: number;
  /** Whether a program ran. */
  compiled: boolean;
  bytesRead: number;
  bytesWritten: number;
  operations: number;
}

/** A program that has run. */
export interface SeenProgram {
  readonly name: string;
  readonly device: DeviceName;
  readonly steps: () => readonly StepFacts[];
}

export const mainLane = "main thread";

/** Kernels that were timed together, in words. */
export const namesOf = (kernels: readonly { readonly name: string }[]): string =>
  `${kernels.length} kernels: ${[...new Set(kernels.map(({ name }) => name))].join(", ")}`;

export class Recorder implements Profiler {
  phase = new Phase();
  readonly events: TimedEvent[] = [];
  /** Events beyond the most that are kept. */
  dropped = 0;
  readonly programs = new Map<object, SeenProgram>();
  readonly submissions: Submission[] = [];
  /** For kernels that were timed together, the kernels. */
  readonly members = new Map<object, readonly object[]>();
  private readonly sequences = new Map<string, object>();
  private readonly numbers = new Map<object, number>();
  private readonly frames: Frame[] = [];
  private pending: Promise<void>[] = [];

  constructor(private readonly mostEvents: number) {}

  begin(kind: Work, name: string, key?: object): void {
    const top = this.frames.at(-1);
    if (kind === "dispatch" && top?.kind === kind && top.name === name) {
      top.again++;
      return;
    }
    const zero = { inside: 0, again: 0, compiled: false, bytesRead: 0, bytesWritten: 0, operations: 0 };
    this.frames.push({ kind, name, key, begin: performance.now(), ...zero });
  }

  end(): void {
    const end = performance.now();
    const frame = this.frames.at(-1);
    if (frame === undefined) return;
    if (frame.again > 0) {
      frame.again--;
      return;
    }
    this.frames.pop();
    const { name, key, begin, inside, compiled } = frame;
    // An operation that was compiled is a program, and what remains is what is around programs.
    const kind = frame.kind === "operation" && compiled ? "dispatch" : frame.kind;
    const top = this.frames.at(-1);
    if (top !== undefined) top.inside += end - begin;
    const tally = this.tally(this.phase, kind, kind === "call" ? "" : name, key);
    this.add(tally, end - begin - inside);
    if (kind === "operation") {
      tally.bytesRead += frame.bytesRead;
      tally.bytesWritten += frame.bytesWritten;
      tally.operations += frame.operations;
    }
    this.note({ lane: mainLane, kind, name, key, begin, end });
    if (kind === "call") this.phase.calls.push(end - begin);
  }

  during<R>(kind: Work, name: string, body: () => R, key?: object): R {
    this.begin(kind, name, key);
    const depth = this.frames.length;
    try {
      return body();
    } finally {
      this.unwind(depth);
      this.end();
    }
  }

  /** Ends what an error has left open. */
  unwind(depth: number): void {
    while (this.frames.length > depth) this.end();
  }

  count(bytesRead: number, bytesWritten: number, operations: number): void {
    const top = this.frames.at(-1);
    if (top === undefined) return;
    top.bytesRead += bytesRead;
    top.bytesWritten += bytesWritten;
    top.operations += operations;
  }

  program(program: object, device: DeviceName, steps: () => readonly StepFacts[]): void {
    const around = this.frames.findLast(({ kind }) => kind === "dispatch" || kind === "operation");
    if (around !== undefined) around.compiled = true;
    if (!this.programs.has(program)) this.programs.set(program, { name: around?.name ?? "", device, steps });
  }

  lane(name: string, begin: number, end: number): void {
    const top = this.frames.at(-1);
    if (top === undefined) return;
    // Clocks of threads differ by microseconds.
    const from = Math.max(begin, top.begin);
    const to = Math.max(from, Math.min(end, performance.now()));
    this.note({ lane: name, kind: top.kind, name: top.name, key: top.key, begin: from, end: to });
  }

  later(submission: Promise<Submission>): void {
    const phase = this.phase;
    this.pending.push(
      submission.then(
        (done) => this.take(done, phase),
        // Whoever waits for the device gets the reason.
        () => {},
      ),
    );
  }

  /** Waits for what is still to come. */
  async settle(): Promise<void> {
    while (this.pending.length > 0) {
      const { pending } = this;
      this.pending = [];
      await Promise.all(pending);
    }
  }

  private take(submission: Submission, phase: Phase): void {
    this.submissions.push(submission);
    for (const { kernels, begin, end } of submission.spans) {
      const [first] = kernels;
      const alone = kernels.length === 1;
      // Kernels that always come together have one time.
      const key = alone ? first.key : this.keyOf(kernels.map((k) => k.key));
      const name = alone ? first.name : namesOf(kernels);
      const tally = this.tally(phase, "kernel", name, key);
      tally.onGpu = true;
      this.add(tally, Math.max(0, end - begin));
    }
  }

  /** One key for the same kernels in the same order. */

  private keyOf(kernels: readonly object[]): object {
    const numbers = kernels.map((kernel) => {
      let number = this.numbers.get(kernel);
      if (number === undefined) {
        number = this.numbers.size;
        this.numbers.set(kernel, number);
      }
      return number;
    });
    const text = numbers.join(",");
    let key = this.sequences.get(text);
    if (key === undefined) {
      key = {};
      this.sequences.set(text, key);
      this.members.set(key, kernels);
    }
    return key;
  }

  private tally({ tallies }: Phase, kind: Work, name: string, key: object | undefined): Tally {
    const id = key ?? `${kind}:${name}`;
    let tally = tallies.get(id);
    if (tally === undefined) {
      const zero = { count: 0, total: 0, bytesRead: 0, bytesWritten: 0, operations: 0 };
      tally = { kind, name, key, onGpu: false, samples: new Samples(), ...zero };
      tallies.set(id, tally);
    }
    return tally;
  }

  private add(tally: Tally, time: number): void {
    tally.count++;
    tally.total += time;
    tally.samples.add(time);
  }

  private note(event: TimedEvent): void {
    if (this.events.length < this.mostEvents) this.events.push(event);
    else this.dropped++;
  }
}
