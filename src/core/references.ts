/**
 * Objects that equations refer to: functions of the user's, which params cannot hold because params are data. What stands
 * in the params is a number; under a symbol, which nobody prints, hashes or compares, stands the object itself.
 *
 * The registry holds objects weakly, so that closures made in every step of a loop do not pile up; what keeps one alive are
 * the equations that refer to it.
 */
import type { Params } from "./primitive.js";

export class References<T extends object> {
  private readonly objects = new Map<number, WeakRef<T>>();
  private readonly keys = new WeakMap<T, number>();
  private readonly forgotten = new FinalizationRegistry<number>((key) => this.objects.delete(key));
  private readonly keptAlive = Symbol("reference");
  private next = 0;

  /** The number of an object: the same one whenever it is asked for. */
  keyOf(object: T): number {
    let key = this.keys.get(object);
    if (key === undefined) {
      key = this.next++;
      this.keys.set(object, key);
      this.objects.set(key, new WeakRef(object));
      this.forgotten.register(object, key);
    }
    return key;
  }

  /** Params that refer to an object by its number, which stands under `name`. A copy of the params refers to it as well. */
  params(name: string, object: T): Params {
    return { [name]: this.keyOf(object), [this.keptAlive]: object } as Params;
  }

  /** The object of a number that stands in params; undefined if there is none, or no longer. */
  find(key: unknown): T | undefined {
    return typeof key === "number" ? this.objects.get(key)?.deref() : undefined;
  }
}
