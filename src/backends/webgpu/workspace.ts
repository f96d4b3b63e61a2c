/** Memory that a program needs while it runs, beside that of its inputs and outputs. Branches and loops share it. */
import type { PlaceOf } from "./plan.js";
import type { Chunk } from "./pool.js";

export class Workspace {
  readonly places: PlaceOf[] = [];
  private readonly idle = new Set<number>();
  /** What was taken while a body was planned, for each body that is being planned. */
  private readonly scopes: Set<number>[] = [];

  /** @param first the number of the first place. */
  constructor(private readonly first: number) {}

  /**
   * Memory of at least so many bytes; what is in it is left over from others.
   *
   * @param apart memory that it must not be, though it is needed no more: another step of a loop needs it again.
   */
  take(bytes: number, apart?: ReadonlySet<number>): number {
    let best: number | undefined;
    for (const place of this.idle) {
      if (apart?.has(place) === true) continue;
      if (best === undefined || this.isBetter(bytes, this.bytesOf(place), this.bytesOf(best))) best = place;
    }
    if (best === undefined) best = this.put(bytes);
    this.idle.delete(best);
    this.grow(best, bytes);
    for (const scope of this.scopes) scope.add(best);
    return best;
  }

  /** Plans a body; gives the result, and what the body needs in every step. */
  during<T>(plan: () => T): { result: T; taken: ReadonlySet<number> } {
    const taken = new Set<number>();
    this.scopes.push(taken);
    const result = plan();
    this.scopes.pop();
    return { result, taken };
  }

  /** Of those that are large enough the smallest is best, of others the largest. */
  private isBetter(bytes: number, x: number, y: number): boolean {
    return x >= bytes ? y < bytes || x < y : x > y;
  }

  private bytesOf(place: number): number {
    return this.places[place - this.first] as number;
  }

  /** Makes memory larger that was taken before. */
  grow(place: number, bytes: number): void {
    this.places[place - this.first] = Math.max(this.bytesOf(place), bytes);
  }

  /** What was taken is needed no more. */
  give(places: Iterable<number>): void {
    for (const place of places) this.idle.add(place);
  }

  /** A place for memory that is found while the program runs. */
  position(): number {
    return this.put(undefined);
  }

  constant(chunk: Chunk): number {
    return this.put(chunk);
  }

  private put(place: PlaceOf): number {
    return this.first + this.places.push(place) - 1;
  }
}
