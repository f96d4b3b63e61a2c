/** Records the commands of a program: dispatches, once for each step of the loops around them. */
import type { Batch } from "./batch.js";
import type { Recording, Wait } from "./order.js";
import type { Pipelines } from "./pipeline.js";
import type { Carries, CondPlan, Launch, Plan, ScanPlan, WhilePlan } from "./plan.js";
import type { Chunk } from "./pool.js";

/** Steps of a loop of unknown length that are recorded before the host looks whether it has ended: at first, and at most. */
const fewest = 4;
const most = 64;

export class Recorder {
  /** How far the loops are in which the next command stands. */
  private readonly counts: number[] = [];

  constructor(
    private readonly batch: Batch,
    private readonly pipelines: Pipelines,
    /** For each place its memory. */
    private readonly memory: Chunk[],
  ) {}

  *record(plan: readonly Plan[]): Recording {
    for (const part of plan)
      switch (part.kind) {
        case "launch":
          this.launch(part);
          break;
        case "scan":
          yield* this.scan(part);
          break;
        case "cond":
          yield* this.cond(part);
          break;
        case "while":
          yield* this.while(part);
          break;
      }
  }

  private launch({ kernel, pipeline, workgroups, indirect, memory, bytes }: Launch): void {
    const chunks = memory.map((place) => this.memory[place]);
    this.batch.dispatch({
      kernel,
      pipeline: pipeline.pipeline,
      bindings: this.pipelines.bind(pipeline, chunks, bytes),
      workgroups,
      indirect: indirect && { chunk: this.memory[indirect.place], offset: indirect.offset },
      counts: pipeline.layout.counted ? this.counts : undefined,
      chunks,
    });
  }

  private launches(list: readonly Launch[]): void {
    for (const launch of list) this.launch(launch);
  }

  /** Puts the carries where the loop finds them; the result puts them where they are after so many steps. */
  private begin({ start, cycles, before }: Carries): (steps: number) => void {
    const found = start.map(([, memory]) => this.memory[memory]);
    for (const [i, [place]] of start.entries()) this.memory[place] = found[i];
    this.launches(before);
    const rounds = cycles.map((places) => ({ places, chunks: places.map((place) => this.memory[place]) }));
    return (steps) => {
      for (const { places, chunks } of rounds)
        for (const [i, place] of places.entries()) this.memory[place] = chunks[(i + steps) % chunks.length];
    };
  }

  private *scan({ length, reverse, counter, carries, body }: ScanPlan): Recording {
    const turn = this.begin(carries);
    for (let step = 0; step < length; step++) {
      turn(step);
      this.counts[counter] = reverse ? length - 1 - step : step;
      yield* this.record(body);
    }
    turn(length);
    this.counts.length = counter;
    this.launches(carries.after);
  }

  private *cond({ before, index, guard, branches }: CondPlan): Recording {
    this.launches(before);
    if (guard !== undefined) {
      this.launch(guard);
      for (const branch of branches) yield* this.record(branch);
      return;
    }
    const [number] = yield { chunk: this.memory[index], words: 1 };
    yield* this.record(branches[Math.min(Math.max(number, 0), branches.length - 1)]);
  }

  private *while(plan: WhilePlan): Recording {
    const { carries, counter } = plan;
    const turn = this.begin(carries);
    const steps = yield* plan.guard === undefined
      ? this.oneByOne(plan, turn)
      : this.severalAtATime(plan, plan.guard, turn);
    turn(steps);
    this.counts.length = counter;
    this.launches(carries.after);
  }

  /** Waits before each step. The result is how many there were. */
  private *oneByOne(
    { counter, cond, predicate, body }: WhilePlan,
    turn: (steps: number) => void,
  ): Generator<Wait, number, Int32Array> {
    for (let step = 0; ; step++) {
      turn(step);
      this.counts[counter] = step;
      yield* this.record(cond);
      const [goesOn] = yield { chunk: this.memory[predicate], words: 1 };
      if (goesOn === 0) return step;
      yield* this.record(body);
    }
  }

  /** Records steps that do nothing once the loop has ended, and waits after several of them. */
  private *severalAtATime(
    { counter, cond, control, body }: WhilePlan,
    guard: Launch,
    turn: (steps: number) => void,
  ): Generator<Wait, number, Int32Array> {
    let step = 0;
    for (let several = fewest; ; several = Math.min(2 * several, most)) {
      for (const end = step + several; step < end; step++) {
        turn(step);
        this.counts[counter] = step;
        yield* this.record(cond);
        this.launch(guard);
        yield* this.record(body);
      }
      const [goesOn, steps] = yield { chunk: this.memory[control], words: 2 };
      if (goesOn === 0) return steps;
    }
  }
}
