/**
 * The order of steps, where it matters to memory: a step that could compute a result in the memory of a donated argument is
 * delayed until all others have read the argument. In a training step the new weights of a layer are ready before the old
 * ones have passed the gradient on to the layer below.
 */
import type { Buffer } from "../core/ir/types.js";
import { computeInPlace } from "./inPlace.js";
import { buffersOf, type Program, type Step, usesOf } from "./program.js";
import { writtenIn } from "./walk.js";

/** The program with such steps moved down. */
export function delayUpdates(program: Program): Program {
  let delayed = program;
  for (const argument of program.donated ?? []) {
    const move = findMove(delayed, argument);
    if (move !== undefined) delayed = moved(delayed, move.from, move.to);
  }
  return delayed;
}

interface Move {
  readonly from: number;
  /** The step that it is to follow. */
  readonly to: number;
}

/** So many steps beyond the last reader are looked at. */
const furthest = 16;

function findMove({ steps, inputs, outputs }: Program, argument: Buffer): Move | undefined {
  const [first, last] = usesOf(steps);
  const end = last.get(argument);
  if (end === undefined) return undefined;
  // It may be that its own last reader can compute in its memory.
  for (let from = end; from >= 0; from--) {
    const step = steps[from];
    if (step.kind !== "kernel" || !step.kernel.buffers.includes(argument)) continue;
    const result = step.kernel.buffers.find(
      (b) =>
        outputs.includes(b) &&
        first.get(b) === from &&
        computeInPlace(step.kernel, argument, b) !== undefined,
    );
    if (result === undefined) continue;
    // Operands that would have been done with must not take more memory than is saved.
    const waiting = buffersOf(step).filter(
      (b) => last.get(b) === from && (first.get(b) as number) < from && !inputs.includes(b),
    );
    if (from === end || sizeOf(waiting) > result.size) return undefined;
    const to = bestPlace(steps, from, end, [first, last]);
    return to === undefined ? undefined : { from, to };
  }
  return undefined;
}

const sizeOf = (buffers: readonly Buffer[]): number => buffers.reduce((sum, b) => sum + b.size, 0);

/** Of the places at which the step can stand the one after which least is alive: it may need memory for itself. */
function bestPlace(
  steps: readonly Step[],
  from: number,
  end: number,
  [first, last]: ReturnType<typeof usesOf>,
): number | undefined {
  const own = new Set(buffersOf(steps[from]));
  const written = writtenBy(steps[from]);
  const isApart = (s: Step): boolean =>
    buffersOf(s).every((b) => !written.has(b)) && [...writtenBy(s)].every((b) => !own.has(b));
  let best: number | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (let to = from + 1; to < steps.length && to <= end + furthest; to++) {
    if (!isApart(steps[to])) break;
    if (to < end) continue;
    let alive = 0;
    for (const [b, since] of first)
      if (since <= to && (last.get(b) as number) > to && !own.has(b)) alive += b.size;
    if (alive >= least) continue;
    best = to;
    least = alive;
  }
  return best;
}

const writtenBy = (step: Step): ReadonlySet<Buffer> =>
  step.kind === "kernel" ? writtenIn(step.kernel.body) : new Set(step.outputs);

function moved(program: Program, from: number, to: number): Program {
  const move = <T>(list: readonly T[]): readonly T[] => [
    ...list.slice(0, from),
    ...list.slice(from + 1, to + 1),
    list[from],
    ...list.slice(to + 1),
  ];
  const { origin, steps } = program;
  return {
    ...program,
    steps: move(steps),
    origin: origin === undefined ? undefined : { ...origin, groups: move(origin.groups) },
  };
}
