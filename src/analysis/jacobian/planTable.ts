/**
 * Plans that were made, so that what is asked again is not planned again. A plan belongs to a linear map; eager code traces
 * the same one anew in each call, so it is also found by its structure. It may depend on arrays that the program closes over
 * (places to gather from), so it holds for the same arrays only.
 */
import { isReadable, type NDArray } from "../../core/array.js";
import type { TypedArray } from "../../core/dtype.js";
import { equalJaxprs, hashJaxpr } from "../../core/hash.js";
import type { Jaxpr } from "../../core/jaxpr.js";

/** Maps whose plans are kept, all together. */
const places = 64;
/** Entries of patterns that are kept, all plans together but for the last: each takes some 20 bytes, with its places. */
const mostEntries = 2 ** 22;
/** Plans for one map, with different arrays. */
const perMap = 4;
/** Arrays up to this many elements are compared; larger ones are the same only if they are the same object. */
const comparable = 2 ** 16;

interface Entry<P> {
  readonly consts: readonly Constant[];
  readonly plan: P;
}

/** What is remembered of a constant: not the array itself, whose memory should not live as long as the plan. */
interface Constant {
  readonly ref: WeakRef<NDArray>;
  readonly values: TypedArray | undefined;
}

/** The plans for one map. */
interface Known<P> {
  readonly hash: string;
  readonly jaxpr: Jaxpr;
  readonly plans: Map<string, Entry<P>[]>;
  /** Of their patterns. */
  entries: number;
}

interface Sized {
  /** Of the patterns that it holds in lists. */
  readonly entries: number;
}

export class PlanTable<P extends Sized> {
  private readonly byMap = new WeakMap<Jaxpr, Known<P>>();
  /** What was asked for last is last. */
  private readonly byHash = new Map<string, Known<P>>();

  /**
   * The plan for a map, made if there is none.
   *
   * @param key what else the plan depends on.
   */
  find(jaxpr: Jaxpr, key: string, consts: readonly NDArray[], make: () => P): P {
    const known = this.knownOf(jaxpr);
    const entries = known.plans.get(key) ?? [];
    const found = entries.find((entry) => entry.consts.every((c, k) => isSame(c, consts[k])));
    if (found !== undefined) return found.plan;
    const plan = make();
    known.plans.set(key, [{ consts: consts.map(remembered), plan }, ...entries.slice(0, perMap - 1)]);
    known.entries += plan.entries - sum(entries.slice(perMap - 1).map((e) => e.plan.entries));
    this.dropOldest();
    return plan;
  }

  private knownOf(jaxpr: Jaxpr): Known<P> {
    let known = this.byMap.get(jaxpr);
    if (known === undefined) {
      const hash = hashJaxpr(jaxpr);
      const same = this.byHash.get(hash);
      known =
        same !== undefined && equalJaxprs(same.jaxpr, jaxpr)
          ? same
          : { hash, jaxpr, plans: new Map(), entries: 0 };
      this.byMap.set(jaxpr, known);
    }
    this.byHash.delete(known.hash);
    this.byHash.set(known.hash, known);
    return known;
  }

  /** Its jaxpr may live on, so what is dropped is emptied. */
  private dropOldest(): void {
    let entries = sum([...this.byHash.values()].map((known) => known.entries));
    for (const known of this.byHash.values()) {
      if (this.byHash.size <= places && (entries <= mostEntries || this.byHash.size === 1)) return;
      entries -= known.entries;
      this.byHash.delete(known.hash);
      known.plans.clear();
      known.entries = 0;
    }
  }
}

const sum = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);

const remembered = (x: NDArray): Constant => ({
  ref: new WeakRef(x),
  values: isReadable(x) && !x.isDisposed && x.size <= comparable ? x.values.slice() : undefined,
});

function isSame({ ref, values }: Constant, x: NDArray): boolean {
  if (ref.deref() === x) return true;
  if (values === undefined || !isReadable(x) || x.isDisposed) return false;
  const others = x.values;
  if (others.length !== values.length) return false;
  for (let k = 0; k < values.length; k++) if (!Object.is(values[k], others[k])) return false;
  return true;
}
