/** `makeJaxpr` and `evalShape`: looking at a function's program without running it. */
import type { NDArray } from "../core/array.js";
import { type Aval, aval, type Shape } from "../core/aval.js";
import { type DType, requireDType } from "../core/dtype.js";
import { ArgumentError } from "../core/errors.js";
import type { ClosedJaxpr } from "../core/jaxpr.js";
import { flatten, unflatten } from "../core/tree.js";
import type { TreeDef } from "../core/treeDef.js";
import {
  leafName,
  nameOf,
  requireFunction,
  requireOptions,
  resolveArgnums,
  toArray,
  traceFunction,
} from "./functions.js";
import type { Argnums, Fn } from "./types.js";

/** Shape and dtype of an array that need not exist: what `makeJaxpr` and `evalShape` take beside arrays. */
export class ShapeDtype {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly weakType: boolean;

  /**
   * @param shape lengths of the axes.
   * @param dtype default float32.
   */
  constructor(
    shape: Shape,
    dtype: DType = "float32",
    { weakType = false }: { readonly weakType?: boolean } = {},
  ) {
    if (!Array.isArray(shape) || shape.some((n) => !Number.isInteger(n) || n < 0))
      throw new ArgumentError(`ShapeDtype: [${String(shape)}] is not a shape`);
    this.shape = shape;
    this.dtype = requireDType(dtype, "ShapeDtype");
    this.weakType = weakType;
  }

  toString(): string {
    return `ShapeDtype(${this.dtype}[${this.shape.join(",")}]${this.weakType ? ", weak" : ""})`;
  }
}

/** `T` with every array replaced by its shape and dtype. */
export type ShapeTree<T> = T extends NDArray | number | boolean
  ? ShapeDtype
  : T extends null | undefined
    ? T
    : { [K in keyof T]: ShapeTree<T[K]> };

/** Arguments of which only types are looked at: arrays and numbers, or `ShapeDtype`s in their place. */
export type Abstract<T> = T extends NDArray | number | boolean
  ? T | ShapeDtype
  : T extends null | undefined
    ? T
    : { [K in keyof T]: Abstract<T[K]> };

export type AbstractArgs<F extends Fn> =
  Parameters<F> extends infer A extends readonly unknown[] ? { [K in keyof A]: Abstract<A[K]> } : never;

export interface StaticOption<F extends Fn = Fn> {
  /** Arguments that are not traced: they may be anything. */
  readonly staticArgnums?: Argnums<F>;
}

/** Types of all array leaves of the arguments that are not static, and the call that puts the arguments together. */
export function abstractCall(
  f: Fn,
  args: readonly unknown[],
  label: string,
  { staticArgnums = [] }: StaticOption,
) {
  const fixed = new Set(resolveArgnums(staticArgnums, args.length, label));
  const traced = args.filter((_, i) => !fixed.has(i));
  const { leaves, treedef } = flatten(traced);
  const avals = (leaves as unknown[]).map((leaf, i): Aval => {
    if (leaf instanceof ShapeDtype) return aval(leaf.shape, leaf.dtype, leaf.weakType);
    return toArray(leaf, () => leafName(`the arguments of ${label}`, treedef, i)).aval;
  });
  const statics = new Map([...fixed].map((i) => [i, args[i]]));
  const call = rebuildingCall(f, args.length, statics, treedef);
  return { avals, call, leaves: leaves as unknown[], treedef, fixed };
}

/**
 * Calls a function with arguments made of arrays. It knows nothing of the arrays it was made for: equations remember the
 * stack on which they were recorded, V8 with it the functions on the stack, and these what they close over.
 */
const rebuildingCall =
  (f: Fn, count: number, statics: ReadonlyMap<number, unknown>, treedef: TreeDef) =>
  (inputs: readonly NDArray[]): unknown => {
    const rebuilt = unflatten<unknown[]>(treedef, inputs);
    let next = 0;
    return f(...Array.from({ length: count }, (_, i) => (statics.has(i) ? statics.get(i) : rebuilt[next++])));
  };

/**
 * The jaxpr of a function, for printing and studying.
 *
 * @param f a function of trees of arrays.
 * @returns a function of example arguments (arrays, numbers, or `ShapeDtype`s) that gives the closed jaxpr.
 * @example
 * String(makeJaxpr((x) => x.sin().mul(2))(new ShapeDtype([3])));
 * // { lambda ; a:f32[3]. let
 * //     b:f32[3] = sin a
 * //     c:f32[3] = mul b 2.0
 * //   in (c,) }
 */
export function makeJaxpr<F extends Fn>(
  f: F,
  options: StaticOption<F> = {},
): (...args: AbstractArgs<F>) => ClosedJaxpr {
  requireFunction(f, "makeJaxpr");
  requireOptions(options, ["staticArgnums"], "makeJaxpr");
  const label = `makeJaxpr(${nameOf(f)})`;
  return (...args) => {
    const { avals, call } = abstractCall(f, args as readonly unknown[], label, options);
    return traceFunction({ name: label }, avals, call, undefined).closed;
  };
}

/**
 * Shapes and dtypes of a function's result, without computing anything.
 *
 * @example
 * evalShape((x, y) => np.matmul(x, y), new ShapeDtype([2, 3]), new ShapeDtype([3, 4])).shape; // [2, 4]
 */
export function evalShape<F extends Fn>(f: F, ...args: AbstractArgs<F>): ShapeTree<ReturnType<F>> {
  requireFunction(f, "evalShape");
  const label = `evalShape(${nameOf(f)})`;
  const { avals, call } = abstractCall(f, args as readonly unknown[], label, {});
  const { closed, outTree } = traceFunction({ name: label }, avals, call, undefined);
  const shapes = closed.outAvals.map((t) => new ShapeDtype(t.shape, t.dtype, { weakType: t.weakType }));
  return unflatten(outTree, shapes);
}
