/**
 * Plans that were made, so that what is asked again is not planned again. A plan belongs to a linear map; eager code traces
 * the same one anew in each call, so it is also found by its structure. It may depend on arrays that the program closes over
 * (places to gather from), so it holds for the same arrays only.
 */
import { isReadable, type NDArray } from "../../core/array.js";
import type { TypedArray } from "../../core/dtype.js";
import { equalJaxprs, hashJaxpr } from "../../core/hash.js";
import type { Jaxpr } from "../../core/jaxpr.js";

/** Maps that are found by their structure, all together. */
const places = 32;
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

type Known<P> = Map<string, Entry<P>[]>;

export class PlanTable<P> {
  private readonly byMap = new WeakMap<Jaxpr, Known<P>>();
  private readonly byHash = new Map<string, { readonly jaxpr: Jaxpr; readonly known: Known<P> }>();

  /**
   * The plan for a map, made if there is none.
   *
   * @param key what else the plan depends on.
   */
  find(jaxpr: Jaxpr, key: string, consts: readonly NDArray[], make: () => P): P {
    const known = this.knownOf(jaxpr);
    const entries = known.get(key) ?? [];
    const found = entries.find((entry) => entry.consts.every((c, k) => isSame(c, consts[k])));
    if (found !== undefined) return found.plan;
    const plan = make();
    known.set(key, [{ consts: consts.map(remembered), plan }, ...entries.slice(0, perMap - 1)]);
    return plan;
  }

  private knownOf(jaxpr: Jaxpr): Known<P> {
    const direct = this.byMap.get(jaxpr);
    if (direct !== undefined) return direct;
    const hash = hashJaxpr(jaxpr);
    const same = this.byHash.get(hash);
    const known: Known<P> = same !== undefined && equalJaxprs(same.jaxpr, jaxpr) ? same.known : new Map();
    this.byMap.set(jaxpr, known);
    // What was asked for last is dropped last.
    this.byHash.delete(hash);
    this.byHash.set(hash, { jaxpr: same?.known === known ? same.jaxpr : jaxpr, known });
    if (this.byHash.size > places) this.byHash.delete(this.byHash.keys().next().value as string);
    return known;
  }
}

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
