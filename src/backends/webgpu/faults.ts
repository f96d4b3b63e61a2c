/** Errors that the GPU reports after the call that caused them has returned. They are thrown by the next call that awaits. */

export class Faults {
  private readonly pending = new Set<Promise<void>>();
  private found: { error: Error; rank: number }[] = [];

  /** Waits for a check that is under way. It may add errors; it must not fail. */
  watch(check: Promise<void>): void {
    this.pending.add(check);
    void check.finally(() => this.pending.delete(check));
  }

  /** @param rank 0 for a cause, more for what may be its consequence. */
  add(error: Error, rank: number): void {
    // A loop that goes on after an error makes one for every step.
    if (this.found.length < 16) this.found.push({ error, rank });
  }

  /** Throws the first error that was found since the last time: a cause, if it is known, rather than its consequences. */
  async raise(): Promise<void> {
    await Promise.all(this.pending);
    const [first] = this.found.sort((a, b) => a.rank - b.rank);
    this.found = [];
    if (first !== undefined) throw first.error;
  }
}
