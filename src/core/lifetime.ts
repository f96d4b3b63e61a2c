/**
 * When the memory of arrays is given back. The garbage collector does it for everyone; those who know better can do it at
 * once: `x.dispose()`, `using x = ...`, or `tidy`, which disposes of all that a function made and did not return.
 */
import type { ConcreteArray } from "./array.js";
import type { DeviceName } from "./device.js";
import type { TypedArray } from "./dtype.js";

/** Frees the elements of a disposed array, if a device owns them. */
export type Reclaim = (values: TypedArray) => void;

let reclaim: Reclaim | undefined;
/** Arrays that devices made in the innermost `tidy`. */
let scope: ConcreteArray[] | undefined;
/** Values that are asked for while a function is traced belong to the trace. */
let tracing = 0;

/** `Symbol.dispose`, where the host does not have it yet as the symbol that compilers put in its place. */
export const disposeSymbol: typeof Symbol.dispose =
  Symbol.dispose ?? (Symbol.for("Symbol.dispose") as typeof Symbol.dispose);

/** Sets what frees elements that lie in memory of a device. @internal */
export function provideReclaim(f: Reclaim): void {
  reclaim = f;
}

export const reclaimValues = (values: TypedArray): void => reclaim?.(values);

/** Memory that a device has given to an array. */
export interface Memory {
  readonly device: DeviceName;
  readonly bytes: number;
  /** Whoever has this object has the memory. */
  readonly owner: object;
  /** Whether the device still holds the memory for its owner. The function itself must not hold it. */
  readonly isHeld: (owner: object) => boolean;
}

/** Is told of every array that takes memory of a device. */
export type Recorder = (x: ConcreteArray, memory: Memory) => void;

const recorders = new Set<Recorder>();

/** Tells `recorder` of arrays until the function that is returned is called. @internal */
export function recordArrays(recorder: Recorder): () => void {
  recorders.add(recorder);
  return () => void recorders.delete(recorder);
}

/** Notes that a device made an array that takes memory of its own. @internal */
export function noteArray(x: ConcreteArray, memory: () => Memory): void {
  if (tracing > 0) return;
  scope?.push(x);
  for (const recorder of recorders) recorder(x, memory());
}

/** Runs `body`, which traces a function. @internal */
export function whileTracing<R>(body: () => R): R {
  tracing += 1;
  try {
    return body();
  } finally {
    tracing -= 1;
  }
}

/**
 * Runs `body`. `rest` is what devices made meanwhile and is not among `kept(result)`; what is kept is from then on made in
 * the scope around this one.
 */
export function collecting<R>(
  body: () => R,
  kept: (result: R) => Iterable<unknown>,
): { result: R; rest: ConcreteArray[] } {
  const outer = scope;
  const made: ConcreteArray[] = [];
  scope = made;
  let result: R;
  try {
    result = body();
  } finally {
    scope = outer;
  }
  const keep = new Set(kept(result));
  const rest: ConcreteArray[] = [];
  for (const x of made)
    if (keep.has(x)) outer?.push(x);
    else rest.push(x);
  return { result, rest };
}
