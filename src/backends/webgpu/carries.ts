/**
 * Where the carries of a loop lie. A body finds each carry at a place, and leaves the next one there, at the place of another
 * carry, or at a place of its own; before the next step places change their memory in cycles, so that nothing is copied.
 */
import { InternalError } from "../../core/errors.js";
import type { Buffer } from "../../core/ir/types.js";
import type { Surroundings } from "./guards.js";
import type { Maker } from "./maker.js";
import type { Carries } from "./plan.js";
import { isWhole, type Spot } from "./spots.js";

export interface CarryOptions {
  /** What the body calls each carry. */
  readonly values: readonly Buffer[];
  /** Where each is in the beginning, and where it is to be in the end. */
  readonly first: readonly Spot[];
  readonly last: readonly Spot[];
  /** Where the body finds each, and where it leaves the next one. */
  readonly current: readonly number[];
  readonly next: readonly number[];
  /** The number of steps, if it is known. */
  readonly steps: number | undefined;
  readonly around: Surroundings;
  /** Memory that the body uses, which carries must not lie in. */
  readonly inBody: ReadonlySet<number>;
}

/** The carries, and the memory that was taken for them. */
export function planCarries(
  maker: Maker,
  options: CarryOptions,
): { carries: Carries; taken: readonly number[] } {
  const { values, first, last, current, steps, around, inBody } = options;
  const sizes = values.map((b) => maker.bytesOf(b));
  const cycles = cyclesOf(options, sizes);
  const start = new Map<number, number>();
  const taken: number[] = [];
  const displaced: number[] = [];
  for (const cycle of cycles) {
    const carries = cycle.map((place) => current.indexOf(place));
    const turns = steps === undefined ? undefined : steps % cycle.length;
    const stays = cycle.length === 1 || turns === 0;
    const isOverwritten = carries.some((k) => k >= 0 && first[k].place === last[k].place);
    for (const [i, k] of carries.entries()) {
      if (k < 0) continue;
      // The memory of a result goes round such that the last carry lies in it when the loop ends.
      if (isWhole(last[k]) && (stays || (turns !== undefined && !isOverwritten)))
        start.set(cycle[(i + (stays ? 0 : (turns as number))) % cycle.length], last[k].place);
      else displaced.push(k);
    }
    const size = sizes[carries.find((k) => k >= 0) as number];
    for (const place of cycle)
      if (!start.has(place)) {
        const memory = maker.workspace.take(size, inBody);
        taken.push(memory);
        start.set(place, memory);
      }
  }
  const at = (k: number): Spot => ({ place: current[k], buffer: values[k], shift: [] });
  return {
    carries: {
      start: [...start],
      cycles: cycles.filter((cycle) => cycle.length > 1),
      before: current.flatMap((place, k) =>
        isWhole(first[k]) && first[k].place === start.get(place)
          ? []
          : maker.copy(values[k], first[k], at(k), around),
      ),
      after: displaced.flatMap((k) => maker.copy(values[k], at(k), last[k], around)),
    },
    taken,
  };
}

/** From each place to the one whose memory it has after a step. Places of the body's own get the memory that nobody has. */
function cyclesOf({ current, next }: CarryOptions, sizes: readonly number[]): number[][] {
  const after = new Map(current.map((place, k) => [place, next[k]]));
  const left = current.flatMap((place, k) => (next.includes(place) ? [] : [{ place, size: sizes[k] }]));
  for (const [k, place] of next.entries()) {
    if (after.has(place)) continue;
    const found = left.findIndex(({ size }) => size === sizes[k]);
    if (found === -1) throw new InternalError("the carries of a loop change their size");
    after.set(place, left.splice(found, 1)[0].place);
  }
  const cycles: number[][] = [];
  const seen = new Set<number>();
  for (const place of after.keys()) {
    const cycle: number[] = [];
    for (let p = place; !seen.has(p); p = after.get(p) as number) {
      seen.add(p);
      cycle.push(p);
    }
    if (cycle.length > 0) cycles.push(cycle);
  }
  return cycles;
}
