/** Words that are mistyped, and what may have been meant. */
import { UsageError } from "./terminal.js";

/** Letters to insert, delete, replace or swap with their neighbours to make one word of another (Damerau). */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const replaced = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = isSwap ? before[j - 2] + 1 : replaced;
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, replaced, swapped));
    }
    [before, row] = [row, next];
  }
  return row[b.length];
}

/** ` (did you mean "compare"?)`, or nothing if no word is like it. */
export function didYouMean(word: string, words: readonly string[]): string {
  const ranked = words
    .map((known) => [distance(word.toLowerCase(), known.toLowerCase()), known] as const)
    .sort(([a], [b]) => a - b);
  const [best] = ranked;
  return best !== undefined && best[0] <= Math.max(1, Math.floor(best[1].length / 3))
    ? ` (did you mean ${JSON.stringify(best[1])}?)`
    : "";
}

/** A word among those that an option takes. */
export function oneOf<T extends string>(option: string, word: string, words: readonly T[]): T {
  const found = words.find((known) => known === word);
  if (found === undefined)
    throw new UsageError(
      `${option} is one of ${words.join(", ")}, got ${JSON.stringify(word)}${didYouMean(word, words)}`,
    );
  return found;
}
