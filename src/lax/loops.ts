/** Loops that are scans: `foriLoop` counts, `map` applies a function to each entry. */
import { isReadable, NDArray, scalar, weakScalar } from "../core/array.js";
import { describe } from "../core/aval.js";
import { isInteger, promote } from "../core/dtype.js";
import { ArgumentError, DtypeError, ShapeError } from "../core/errors.js";
import { unflatten } from "../core/tree.js";
import { convertElementType } from "../primitives/cast.js";
import { lt } from "../primitives/comparison.js";
import { inBlocks, outOfBlocks } from "../primitives/control/scanBlocks.js";
import type { ScanCheckpoint } from "../primitives/control/scanCheckpoint.js";
import { add } from "../primitives/elementwise.js";
import { flattenArrays, requireFunction } from "../transforms/functions.js";
import type { ArrayTree, Fn } from "../transforms/types.js";
import { vmap } from "../transforms/vmap.js";
import { optionsOf, wholeNumber } from "./arguments.js";
import { type NextCarry, runScan, stepsOf } from "./scanLoop.js";
import { whileLoop } from "./whileLoop.js";

export interface MapOptions {
  /**
   * So many entries are computed at a time, as by `vmap`: between a loop, which needs the least memory, and `vmap` of all,
   * which is fastest. Default: 1, a loop.
   */
  readonly batchSize?: number;
}

/**
 * Applies a function to each entry of arrays, one after the other: a scan without a carry. Unlike `vmap` it needs memory for
 * one entry at a time, and a `cond` in it runs one branch.
 *
 * @param f takes an entry of `xs`; gives a tree of arrays.
 * @param xs a tree of arrays with the same length in front.
 * @param options `batchSize`.
 * @returns the results, stacked along a new axis in front.
 * @throws ShapeError if the arrays have no length, or different ones; ArgumentError if there are none, or for a wrong option.
 * @example
 * lax.map((x) => x.dot(x), np.array([[1, 2], [3, 4]])); // [5, 25]
 */
export function map<X, Y>(f: (x: ArrayTree<X>) => Y, xs: X, options?: MapOptions): ArrayTree<Y> {
  const name = "lax.map";
  requireFunction(f, name);
  const { batchSize = 1 } = optionsOf<MapOptions>("map", options, ["batchSize"]);
  wholeNumber("map", "batchSize", batchSize, 1);
  const { arrays, treedef } = flattenArrays(xs, `the xs of ${name}`);
  if (arrays.length === 0) throw new ArgumentError(`${name} takes at least one array`);
  const length = stepsOf(name, arrays, treedef, undefined);
  const loop = (g: (x: unknown) => unknown, over: unknown, steps: number): unknown =>
    runScan({
      name,
      f: (_, x) => [null, g(x)],
      init: null,
      xs: over,
      length: steps,
      reverse: false,
      unroll: 1,
    })[1];
  const each = f as (x: unknown) => unknown;
  if (batchSize === 1 || length === 0) return loop(each, xs, length) as ArrayTree<Y>;
  const batch = vmap(f as Fn) as (x: unknown) => unknown;
  if (batchSize >= length) return batch(unflatten(treedef, arrays)) as ArrayTree<Y>;

  const parts = arrays.map((x) => inBlocks(x, batchSize, { length, reverse: false }));
  const blocks = unflatten(
    treedef,
    parts.map((part) => part.blocks),
  );
  const main = flattenArrays(loop(batch, blocks, Math.floor(length / batchSize)), `the output of ${name}`);
  const left = unflatten(
    treedef,
    parts.map((part) => part.rest),
  );
  const rest = length % batchSize === 0 ? undefined : flattenArrays(batch(left), `the output of ${name}`);
  return unflatten(
    main.treedef,
    main.arrays.map((y, k) => outOfBlocks(y, rest?.arrays[k], false)),
  ) as ArrayTree<Y>;
}

export interface ForiLoopOptions {
  /** So many steps are compiled one after the other, where the number of steps is known. Default: 1. */
  readonly unroll?: number;
  /** Bounds what reverse mode stores; see `scan`, and `whileLoop` if a bound is traced. */
  readonly checkpoint?: ScanCheckpoint;
}

/**
 * A loop that counts:
 *
 *     for (let i = lower; i < upper; i++) carry = body(i, carry);
 *
 * Bounds that are known make it a `scan` over a counter; if one of them is traced it is a `whileLoop`.
 *
 * @param lower a whole number, or an integer array of shape ().
 * @param upper the same; the last step is for `upper - 1`, and there is none if it is not above `lower`.
 * @param body takes the counter, an integer scalar (weak-typed if both bounds are JavaScript numbers), and the carry; gives
 *   the next carry, of the same structure, shapes and dtypes.
 * @param init the first carry: a tree of arrays and numbers.
 * @param options `unroll`, `checkpoint`.
 * @throws DtypeError or ShapeError if the bounds are no integer scalars; TreeMismatchError, ShapeError or DtypeError if `body`
 *   changes the structure or the types of the carry.
 * @example
 * lax.foriLoop(1, 6, (i, product) => product.mul(i), 1); // 120
 */
export function foriLoop<C>(
  lower: number | NDArray,
  upper: number | NDArray,
  body: (i: NDArray, carry: ArrayTree<C>) => NoInfer<NextCarry<C>>,
  init: C,
  options?: ForiLoopOptions,
): ArrayTree<C> {
  const name = "lax.foriLoop";
  requireFunction(body, name);
  const known = ["unroll", "checkpoint"] as const;
  const { unroll = 1, checkpoint } = optionsOf<ForiLoopOptions>("foriLoop", options, known);
  wholeNumber("foriLoop", "unroll", unroll, 1);
  const [from, to] = [bound(name, "the lower bound", lower), bound(name, "the upper bound", upper)];
  const { dtype, weakType } = promote([from.aval, to.aval]);
  if (!isInteger(dtype))
    throw new DtypeError(`${name}: there is no integer type for bounds of ${from.dtype} and ${to.dtype}`);
  const next = body as (i: NDArray, carry: unknown) => unknown;
  if (isReadable(from) && isReadable(to)) {
    const length = Math.max(0, to.values[0] - from.values[0]);
    const counter = scalar(from.values[0], dtype, weakType);
    const f = (carry: unknown, _: unknown, i: NDArray): unknown => [next(i, carry), null];
    const loop = { name, f, init, xs: null, length, reverse: false, unroll, checkpoint, counter };
    return runScan(loop)[0] as ArrayTree<C>;
  }
  const [first, end] = [from, to].map((x) => convertElementType(x, dtype, weakType));
  // The carry is any tree; that it is called an array here is for the type checker.
  const [, last] = whileLoop(
    ([i]: [NDArray, NDArray]) => lt(i, end),
    ([i, carry]: [NDArray, NDArray]) => [add(i, 1), next(i, carry) as NDArray],
    [first, init as NDArray],
    checkpoint === undefined ? undefined : { checkpoint },
  );
  return last as ArrayTree<C>;
}

/** A bound as an integer scalar. */
function bound(name: string, what: string, x: unknown): NDArray {
  const needs = `${name}: ${what} must be a whole number or an integer array of shape ()`;
  if (typeof x === "number") {
    const weak = weakScalar(x);
    if (!isInteger(weak.dtype)) throw new DtypeError(`${needs}, got ${x}`);
    return weak;
  }
  if (!(x instanceof NDArray)) throw new DtypeError(`${needs}, got a ${typeof x}`);
  if (x.ndim > 0) throw new ShapeError(`${needs}, got ${describe(x.aval)}`);
  if (!isInteger(x.dtype)) throw new DtypeError(`${needs}, got ${describe(x.aval)}`);
  return x;
}
