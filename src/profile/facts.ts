/** What is known of the steps that have run: looked up when the report is made, not while it is measured. */
import type { StepFacts } from "../core/profiler.js";
import type { Recorder, Tally } from "./recorder.js";

/** What a row says of a step beside its times. */
export interface KernelFacts {
  /** What ran it: `jit(step)`, or the primitive that was applied to arrays; "" if that is not known. */
  readonly program: string;
  /** Its position in the list of steps; undefined for what is none. */
  readonly position: number | undefined;
  /** The branches and loops that it is inside: `3. scan, body`; "" for none. */
  readonly inside: string;
  /** What it computes, in the order of the program. */
  readonly primitives: readonly string[];
  /** Where in user code it was called, as `file:line:column`: the first of its operations of which that is known. */
  readonly source: string | undefined;
  /** Items of the range that threads share; threads of a GPU. */
  readonly items: number | undefined;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Counted by the `cost` of the primitives. An operation of several kernels is shared out by their times. */
  readonly operations: number;
}

interface Known extends StepFacts {
  readonly program: string;
}

export class Facts {
  private readonly known = new Map<object, Known>();
  private readonly members: Recorder["members"];

  constructor({ programs, members }: Recorder) {
    this.members = members;
    for (const { name, steps } of programs.values())
      for (const step of steps()) this.known.set(step.key, { ...step, program: name });
  }

  of(tally: Pick<Tally, "kind" | "name" | "key"> & Partial<Tally>): KernelFacts {
    const { kind, name, key, count = 1 } = tally;
    const steps = this.stepsOf(key);
    if (steps.length === 1) {
      const [step] = steps;
      const { program, position, inside, primitives, source, items, bytesRead, bytesWritten, operations } =
        step;
      return { program, position, inside, primitives, source, items, bytesRead, bytesWritten, operations };
    }
    const sum = (of: (step: Known) => number): number => steps.reduce((n, step) => n + of(step), 0);
    const once = (n = 0): number => n / Math.max(1, count);
    return {
      program: steps[0]?.program ?? "",
      position: undefined,
      inside: "",
      primitives: kind === "operation" ? [name] : steps.flatMap((step) => step.primitives),
      source: steps[0]?.source,
      items: undefined,
      bytesRead: once(tally.bytesRead) + sum((step) => step.bytesRead),
      bytesWritten: once(tally.bytesWritten) + sum((step) => step.bytesWritten),
      operations: once(tally.operations) + sum((step) => step.operations),
    };
  }

  private stepsOf(key: object | undefined): Known[] {
    if (key === undefined) return [];
    return (this.members.get(key) ?? [key]).flatMap((member) => this.known.get(member) ?? []);
  }

  /** The operations of each run: those of a group of several kernels are shared out by their times. */
  operationsIn(tallies: readonly Tally[]): Map<Tally, number> {
    const timeOf = ({ total, count }: Tally): number => total / count;
    const group = (tally: Tally): object | undefined => {
      const steps = this.stepsOf(tally.key);
      return steps.length === 1 ? steps[0].group : undefined;
    };
    const times = new Map<object, { time: number; members: number }>();
    for (const tally of tallies) {
      const own = group(tally);
      if (own === undefined) continue;
      const known = times.get(own) ?? { time: 0, members: 0 };
      times.set(own, { time: known.time + timeOf(tally), members: known.members + 1 });
    }
    return new Map(
      tallies.map((tally) => {
        const { operations } = this.of(tally);
        const own = group(tally);
        const whole = own === undefined ? undefined : times.get(own);
        if (whole === undefined || whole.members === 1) return [tally, operations];
        return [tally, whole.time > 0 ? (operations * timeOf(tally)) / whole.time : 0];
      }),
    );
  }
}
