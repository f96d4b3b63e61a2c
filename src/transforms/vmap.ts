/** `vmap`: a function of one example as a function of a batch. */
import type { NDArray } from "../core/array.js";
import { withShape } from "../core/aval.js";
import { ArgumentError, AxisError } from "../core/errors.js";
import { evalJaxpr } from "../core/eval.js";
import { recallUnlined } from "../core/recurring.js";
import { flattenPrefix, nullIsLeaf, unflatten } from "../core/tree.js";
import { transpose } from "../primitives/shape.js";
import { batchJaxpr } from "./batch.js";
import {
  callerOf,
  flattenArrays,
  leafName,
  nameOf,
  requireFunction,
  requireOptions,
  traceFunction,
} from "./functions.js";
import type { ArrayTree, Fn } from "./types.js";

/** Where the batch axis is: a position, null for a value that is not batched, or a tree of these that may stop early. */
export type Axes = number | null | readonly Axes[] | { readonly [key: string]: Axes };

/** Axes for a tree of type T: one for all of it, or one for each part. */
export type AxesOf<T> =
  | number
  | null
  | (T extends NDArray | number | boolean | null | undefined
      ? never
      : { readonly [K in keyof T]: AxesOf<T[K]> });

/** Axes for each argument of F, as a list. */
type ArgumentAxes<F extends Fn> =
  Parameters<F> extends infer A extends readonly unknown[]
    ? { readonly [K in keyof A]: AxesOf<A[K]> }
    : never;

export interface VmapOptions<F extends Fn> {
  /** One entry for all arguments, or a list with an entry for each. Default 0. */
  readonly inAxes?: number | null | ArgumentAxes<F>;
  /** Where the batch axis goes in the result. Default 0; null only for results that do not depend on the batch. */
  readonly outAxes?: AxesOf<ReturnType<F>>;
  /** The size of the batch; needed only if no argument is batched. */
  readonly axisSize?: number;
}

const moveAxis = (x: NDArray, from: number, to: number): NDArray => {
  if (from === to) return x;
  const order = x.shape.map((_, i) => i).filter((i) => i !== from);
  order.splice(to, 0, from);
  return transpose(x, order);
};

/** A canonical axis, or an error that says which array it is for. */
function canonicalAxis(axis: unknown, rank: number, name: () => string): number | null {
  if (axis === null) return null;
  if (typeof axis !== "number" || !Number.isInteger(axis))
    throw new ArgumentError(`${name()}: ${String(axis)} is not an axis; give an integer or null`);
  if (axis >= rank || axis < -rank)
    throw new AxisError(`${name()}: axis ${axis} is out of range for an array of ${rank} dimensions`);
  return axis < 0 ? axis + rank : axis;
}

/**
 * Vectorises a function: `vmap(f)(xs)` is f applied to every example, stacked, in one pass over whole arrays.
 *
 * @param f a function of trees of arrays.
 * @param options `inAxes`, `outAxes` (trees that may stop early; negative axes count from the end), `axisSize`.
 * @throws AxisError if batch axes are out of range or of different sizes.
 * @example
 * vmap((x, y) => x.dot(y), { inAxes: [0, null] })(np.ones([5, 3]), np.ones([3])).shape; // [5]
 */
export function vmap<F extends Fn>(
  f: F,
  options: VmapOptions<F> = {},
): (...args: Parameters<F>) => ArrayTree<ReturnType<F>> {
  requireFunction(f, "vmap");
  requireOptions(options, ["inAxes", "outAxes", "axisSize"], "vmap");
  const label = `vmap(${nameOf(f)})`;
  const {
    inAxes = 0,
    outAxes = 0,
    axisSize,
  } = options as { inAxes?: Axes; outAxes?: Axes; axisSize?: number };
  if (axisSize !== undefined && !(Number.isSafeInteger(axisSize) && axisSize >= 0))
    throw new ArgumentError(`${label}: axisSize must be a length, got ${String(axisSize)}`);
  return ((...args: unknown[]) => {
    const calledAt = callerOf();
    const where = `the arguments of ${label}`;
    const { arrays, treedef } = flattenArrays(args, where);
    const given = flattenPrefix(inAxes, treedef, nullIsLeaf, `${label}: inAxes`);
    const axes = arrays.map((x, i) => canonicalAxis(given[i], x.ndim, () => leafName(where, treedef, i)));
    const size = batchSize(arrays, axes, axisSize, label, (i) => leafName(where, treedef, i));

    const batched = axes.map((a) => a !== null);
    const inputs = arrays.map((x, i) => {
      const axis = axes[i];
      return axis === null ? x : moveAxis(x, axis, 0);
    });
    const avals = inputs.map((x, i) => (batched[i] ? withShape(x.aval, x.shape.slice(1)) : x.aval));
    const traced = traceFunction(
      { name: label, calledAt },
      avals,
      (xs) => f(...unflatten<unknown[]>(treedef, xs)),
      undefined,
    );
    const { consts } = traced.closed;
    const jaxpr = recallUnlined(traced.closed.jaxpr);
    const outGiven = flattenPrefix(outAxes, traced.outTree, nullIsLeaf, `${label}: outAxes`);
    const force = outGiven.map((a) => a !== null);
    const mask = [...consts.map(() => false), ...batched];
    const result = batchJaxpr(jaxpr, size, mask, force);
    const outputs = evalJaxpr(result.jaxpr, [...consts, ...inputs]).map((y, i) => {
      const name = () => leafName(`the output of ${label}`, traced.outTree, i);
      const axis = canonicalAxis(outGiven[i], y.ndim, name);
      if (axis !== null) return moveAxis(y, 0, axis);
      if (result.batchedOut[i])
        throw new AxisError(`${name()} depends on the batch, so its outAxes cannot be null`);
      return y;
    });
    return unflatten(traced.outTree, outputs);
  }) as (...args: Parameters<F>) => ArrayTree<ReturnType<F>>;
}

function batchSize(
  arrays: readonly NDArray[],
  axes: readonly (number | null)[],
  axisSize: number | undefined,
  label: string,
  nameOfLeaf: (i: number) => string,
): number {
  let size = axisSize;
  let first = "axisSize";
  for (const [i, axis] of axes.entries()) {
    if (axis === null) continue;
    const own = arrays[i].shape[axis];
    if (size === undefined) {
      size = own;
      first = `${nameOfLeaf(i)} (shape [${arrays[i].shape.join(",")}], axis ${axis})`;
    } else if (own !== size) {
      throw new AxisError(
        `${label}: batch axes must have one size, but ${first} has ${size} and ` +
          `${nameOfLeaf(i)} (shape [${arrays[i].shape.join(",")}], axis ${axis}) has ${own}`,
      );
    }
  }
  if (size === undefined)
    throw new AxisError(`${label}: no argument is batched; give axisSize or an inAxes that is not null`);
  return size;
}
