/**
 * Choosing by measuring. All candidates of a work are timed in turns, round after round, so that what disturbs one disturbs
 * all; medians are compared, and a candidate takes the place of the fallback only if it is faster by a margin. What is far
 * behind after a round is left out of the next.
 */

export interface Candidate<T> {
  /** For people. */
  readonly name: string;
  readonly value: T;
}

export interface ChoiceOptions {
  /** Rounds that count. A first one, which does not, warms up. */
  readonly rounds: number;
  /** By how much a candidate must be faster than the fallback, as a part of its time. */
  readonly margin: number;
  /** Seconds after which no new round begins, once every candidate has been timed once. */
  readonly budget: number;
  /** Seconds, from any beginning. */
  readonly now: () => number;
}

export interface Choice<T> {
  readonly chosen: Candidate<T>;
  /** Medians. */
  readonly seconds: number;
  readonly baseline: number;
}

/** A candidate that takes so many times as long as the best is not looked at again. */
const hopeless = 1.5;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * The best of several candidates, the first of which is the fallback.
 *
 * @param seconds times a candidate once; undefined if it does not run on this device.
 */
export async function choose<T>(
  candidates: readonly Candidate<T>[],
  seconds: (value: T) => Promise<number | undefined>,
  { rounds, margin, budget, now }: ChoiceOptions,
): Promise<Choice<T>> {
  const start = now();
  const times = new Map<Candidate<T>, number[]>();
  for (const candidate of candidates)
    if ((await seconds(candidate.value)) !== undefined) times.set(candidate, []);
  const [fallback] = candidates;
  for (let round = 0; round < rounds; round++) {
    if (round > 0 && now() - start > budget) break;
    for (const [candidate, own] of times) {
      const time = await seconds(candidate.value);
      if (time !== undefined) own.push(time);
    }
    const best = Math.min(...[...times.values()].map((own) => Math.min(...own)));
    for (const [candidate, own] of times)
      if (candidate !== fallback && Math.min(...own) > hopeless * best) times.delete(candidate);
  }
  const medianOf = (candidate: Candidate<T>): number => median(times.get(candidate) ?? []);
  const baseline = times.has(fallback) ? medianOf(fallback) : Infinity;
  let chosen = fallback;
  let best = baseline * (1 - margin);
  for (const candidate of times.keys()) {
    const time = medianOf(candidate);
    if (time < best) {
      best = time;
      chosen = candidate;
    }
  }
  return { chosen, seconds: chosen === fallback ? baseline : best, baseline };
}
