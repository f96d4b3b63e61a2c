/**
 * Jaxprs that are traced again and again, each the same: the body of a loop in code that runs eagerly. The first one stands
 * for all, so that what passes and the compiler made of it is found again.
 */
import { equalJaxprs, hashJaxpr } from "./hash.js";
import type { Jaxpr } from "./jaxpr.js";

const known = new Map<string, WeakRef<Jaxpr>[]>();
const forgotten = new FinalizationRegistry<string>((hash) => {
  const left = known.get(hash)?.filter((ref) => ref.deref() !== undefined) ?? [];
  if (left.length === 0) known.delete(hash);
  else known.set(hash, left);
});

let suspended = false;

/** Runs `body`, in which every jaxpr stays itself, so that its equations tell where in user code they come from. */
export function withoutInterning<R>(body: () => R): R {
  const before = suspended;
  suspended = true;
  try {
    return body();
  } finally {
    suspended = before;
  }
}

/** An equal jaxpr that was interned before, if somebody still holds it; else this one. Lines of user code are those of the first. */
export function internJaxpr(jaxpr: Jaxpr): Jaxpr {
  if (suspended) return jaxpr;
  const hash = hashJaxpr(jaxpr);
  const others = known.get(hash) ?? [];
  for (const ref of others) {
    const other = ref.deref();
    if (other !== undefined && equalJaxprs(other, jaxpr)) return other;
  }
  known.set(hash, [...others, new WeakRef(jaxpr)]);
  forgotten.register(jaxpr, hash);
  return jaxpr;
}
