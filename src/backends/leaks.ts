/** `checkLeaks`: whether a function leaves arrays behind in the memory of a device. For tests. */
import { ConcreteArray } from "../core/array.js";
import { describe } from "../core/aval.js";
import { ArgumentError, type HeldArray, MemoryLeakError } from "../core/errors.js";
import { type Memory, recordArrays } from "../core/lifetime.js";
import { captureSource, describeSource } from "../core/source.js";
import { leaves } from "../core/tree.js";
import { findCollect } from "./collect.js";

export interface LeakOptions {
  /**
   * Whether the garbage collector runs first. Then only what can still be reached counts, a cache that grows for instance;
   * without, everything that was not disposed of. Default: true, where the host lets one collect (Node does, browsers do
   * not).
   */
  readonly collect?: boolean;
}

interface Recorded extends Omit<Memory, "owner"> {
  readonly type: string;
  readonly owner: WeakRef<object>;
  readonly source: string | undefined;
}

/** Frames of the library between user code and the place where an array is made. */
const frames = 30;

/**
 * Runs a function and throws if devices then hold more arrays than before: arrays that were made meanwhile, are not in the
 * result (a tree) and have not been given back. Where each was made is recorded, which takes time; so this is for tests.
 *
 * What counts is memory of devices. Small arrays that the CPU device leaves to JavaScript (up to 4096 bytes), constants
 * of programs that `jit` keeps, and copies of arrays of the host that a GPU keeps with them are no leaks. If other code runs
 * while an asynchronous function waits, its arrays count, too.
 *
 * @param f a function without arguments; it may be asynchronous.
 * @returns what `f` returns.
 * @throws MemoryLeakError, whose `held` lists the arrays; and what `f` throws.
 * @example
 * const kept = [];
 * const f = () => void kept.push(np.ones([100000]).mul(2));
 * checkLeaks(() => np.ones([100000]).mul(2).sum().item()); // 200000
 * checkLeaks(f); // throws MemoryLeakError
 */
export function checkLeaks<R>(f: () => R, options: LeakOptions = {}): R {
  if (typeof f !== "function") throw new ArgumentError(`checkLeaks takes a function, got a ${typeof f}`);
  const collect = options.collect === false ? undefined : findCollect();
  if (options.collect === true && collect === undefined)
    throw new ArgumentError("checkLeaks: this host does not let one collect garbage; leave collect out");
  const recorded: Recorded[] = [];
  const stop = recordArrays((x, { owner, ...memory }) => {
    // As text: a stack that has not been read keeps the arrays alive whose methods are on it.
    const source = describeSource(captureSource(frames));
    recorded.push({ ...memory, type: describe(x.aval), owner: new WeakRef(owner), source });
  });
  const finish = (result: unknown): void => {
    stop();
    collect?.();
    refuse(heldBy(recorded, result));
  };
  let result: R;
  try {
    result = f();
  } catch (error) {
    stop();
    throw error;
  }
  if (!isPromise(result)) {
    finish(result);
    return result;
  }
  const waiting = result.then(
    async (value) => {
      // What the function's own frames hold is free to go once they are gone.
      await new Promise((resolve) => setTimeout(resolve, 0));
      finish(value);
      return value;
    },
    (error) => {
      stop();
      throw error;
    },
  );
  return waiting as R;
}

const isPromise = (x: unknown): x is PromiseLike<unknown> =>
  typeof x === "object" && x !== null && typeof (x as { then?: unknown }).then === "function";

function heldBy(recorded: readonly Recorded[], result: unknown): HeldArray[] {
  const arrays = result === undefined ? [] : (leaves(result as never) as unknown[]);
  const kept = new Set<object>();
  for (const x of arrays)
    if (x instanceof ConcreteArray && !x.isDisposed) kept.add(x.remote?.owner ?? x.values);
  return recorded.flatMap(({ owner: ref, isHeld, device, type, bytes, source }) => {
    const owner = ref.deref();
    if (owner === undefined || kept.has(owner) || !isHeld(owner)) return [];
    return [{ device, type, bytes, source }];
  });
}

function refuse(held: readonly HeldArray[]): void {
  if (held.length === 0) return;
  const bytes = held.reduce((sum, x) => sum + x.bytes, 0);
  const many = held.length > 1;
  const counts = new Map<string, number>();
  for (const { type, device, source } of held) {
    const line = `${type} on ${device}, made at ${source ?? "a place that is not known"}`;
    counts.set(line, (counts.get(line) ?? 0) + 1);
  }
  const lines = [...counts].map(([line, n]) => `\n  ${n === 1 ? "" : `${n} times `}${line}`);
  throw new MemoryLeakError(
    `checkLeaks: ${held.length} ${many ? "arrays" : "array"} of ${bytes} bytes ${many ? "are" : "is"} held that the function made and did not return:${lines.join("")}`,
    held,
  );
}
