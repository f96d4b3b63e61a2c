/** Numbers of which the median is wanted. Of very many only every second one is kept, then every fourth, and so on. */

const most = 32768;

export class Samples {
  private kept: number[] = [];
  private every = 1;
  private seen = 0;

  add(x: number): void {
    if (this.seen++ % this.every !== 0) return;
    this.kept.push(x);
    if (this.kept.length < most) return;
    this.kept = this.kept.filter((_, i) => i % 2 === 0);
    this.every *= 2;
  }

  get median(): number {
    return medianOf(this.kept);
  }
}

/** The middle one of some numbers, or the mean of the two in the middle; 0 if there are none. */
export function medianOf(numbers: readonly number[]): number {
  if (numbers.length === 0) return 0;
  const sorted = [...numbers].sort((x, y) => x - y);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
