/** `scan`: a loop of known length that is differentiated, batched and compiled as one. */
import { ArgumentError } from "../core/errors.js";
import { showParam } from "../primitives/checks.js";
import type { ScanCheckpoint } from "../primitives/control/scanCheckpoint.js";
import { flattenArrays, requireFunction } from "../transforms/functions.js";
import type { ArrayTree } from "../transforms/types.js";
import { optionsOf, wholeNumber } from "./arguments.js";
import { type Loop, type NextCarry, runScan, stepsOf } from "./scanLoop.js";

export interface ScanOptions {
  /** How many steps; needed if there are no arrays to go through, and else their length. */
  readonly length?: number;
  /** From the last entry to the first. Results stand where the entries they come from stand. Default: false. */
  readonly reverse?: boolean;
  /** So many steps are compiled one after the other, which makes larger programs that may run faster. Default: 1. */
  readonly unroll?: number;
  /**
   * Bounds what reverse mode stores: so many carries at a time, or so many bytes of them (for one example: a batch of `vmap`
   * takes as many times more). Steps are computed again from them, each as often as there are levels of blocks in blocks:
   * with s slots one level is enough for s steps, two for (s/2)², three for (s/3)³, and for n steps 3 log₃ n slots are
   * enough. What is stored of results and arrays does not count. Default: all that the derivatives of the steps need is
   * stored, and nothing is computed again.
   */
  readonly checkpoint?: ScanCheckpoint;
}

/**
 * A loop that hands a carry from step to step, takes an entry of `xs` in each, and stacks what each gives:
 *
 *     for (let i = 0; i < length; i++) [carry, ys[i]] = f(carry, xs[i]);
 *
 * The function is traced once, however many steps there are. The gradient is one scan forwards and one back; of what the steps
 * compute it stores what the derivative needs, an entry for each step, but nothing that is the same in all of them.
 *
 * @param f takes the carry and an entry of `xs`; gives [carry, y]. The new carry has the structure, shapes and dtypes of the
 *   old one. `y` is any tree of arrays, or null.
 * @param init the first carry: a tree of arrays and numbers. Numbers, and other weak-typed values, take the dtype that `f`
 *   gives for them.
 * @param xs a tree of arrays with the same length in front; null if there are none.
 * @param options `length`, `reverse`, `unroll`, `checkpoint`.
 * @returns the last carry, and the `y` of all steps, stacked along a new axis in front.
 * @throws TreeMismatchError, ShapeError or DtypeError if `f` changes the structure or the types of the carry; ShapeError if
 *   the arrays of `xs` have no length, or different ones; ArgumentError for a wrong option, or a checkpoint
 *   that is too small for any schedule.
 * @example
 * const [sum, partial] = lax.scan((c, x) => [c.add(x), c], 0, np.array([1, 2, 3]));
 * sum; // 6
 * partial; // [0, 1, 3]
 */
export function scan<C, X, Y>(
  f: (carry: ArrayTree<C>, x: ArrayTree<X>) => readonly [NoInfer<NextCarry<C>>, Y],
  init: C,
  xs: X,
  options?: ScanOptions,
): [ArrayTree<C>, ArrayTree<Y>] {
  const name = "lax.scan";
  requireFunction(f, name);
  const known = ["length", "reverse", "unroll", "checkpoint"] as const;
  const { length, reverse = false, unroll = 1, checkpoint } = optionsOf<ScanOptions>("scan", options, known);
  if (typeof reverse !== "boolean")
    throw new ArgumentError(`${name}: reverse must be true or false, got ${showParam(reverse)}`);
  wholeNumber("scan", "unroll", unroll, 1);
  const entries = flattenArrays(xs, `the xs of ${name}`);
  const steps = stepsOf(name, entries.arrays, entries.treedef, length);
  return runScan({ name, f: f as Loop["f"], init, xs, length: steps, reverse, unroll, checkpoint }) as [
    ArrayTree<C>,
    ArrayTree<Y>,
  ];
}
