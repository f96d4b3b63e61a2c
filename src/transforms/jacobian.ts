/** Whole Jacobians and Hessians: a linear map applied to all basis vectors at once. */
import { type NDArray, scalar } from "../core/array.js";
import { type Aval, sizeOf } from "../core/aval.js";
import { evalJaxpr } from "../core/eval.js";
import { type TreeDef, unflatten } from "../core/tree.js";
import { sub } from "../primitives/arithmetic.js";
import { convertElementType } from "../primitives/cast.js";
import { eq } from "../primitives/comparison.js";
import { zeros } from "../primitives/filled.js";
import { iota, reshape, transpose } from "../primitives/shape.js";
import { slice } from "../primitives/slicing.js";
import { batchJaxpr } from "./batch.js";
import { jvp } from "./forward.js";
import {
  asDifferentiable,
  flattenArrays,
  leafName,
  nameOf,
  requireFloat,
  requireFloatOutputs,
  requireFunction,
  requireOptions,
  requireScalar,
  resolveArgnums,
  type TracedFunction,
  traceFunction,
} from "./functions.js";
import { type LinearMap, linearizeTraced, vjp } from "./linearize.js";
import { transposeJaxpr } from "./transpose.js";
import type {
  Argnums,
  ArgumentTrees,
  ArrayTree,
  Aux,
  Fn,
  HasAux,
  Result,
  ScalarFn,
  Tangents,
} from "./types.js";

/** For each leaf of the output tree O a tree like the input I, holding ∂output/∂input of shape [...output, ...input]. */
export type JacobianTree<O, I> = O extends NDArray | number | boolean
  ? ArrayTree<I>
  : O extends null | undefined
    ? O
    : { [K in keyof O]: JacobianTree<O[K], I> };

export interface JacobianOptions<F extends Fn, N, H> {
  /** Which arguments to differentiate by: a position or a list of positions. Default 0. */
  readonly argnums?: N;
  /** The function returns [result, aux]; the Jacobian comes as [jacobian, aux]. */
  readonly hasAux?: HasAux<F, H>;
}

/** The arguments that are differentiated by. */
export type Chosen<A extends readonly unknown[], N> = N extends number
  ? A[N]
  : N extends readonly number[]
    ? { -readonly [K in keyof N]: N[K] extends number ? A[N[K]] : never }
    : never;

type Jacobian<F extends Fn, N, H> = H extends true
  ? [JacobianTree<Result<F, true>, Chosen<Parameters<F>, N>>, Aux<F>]
  : JacobianTree<ReturnType<F>, Chosen<Parameters<F>, N>>;

/**
 * The Jacobian by forward mode: one jvp for each input element, all in one vectorised pass. Best for few inputs.
 *
 * @returns a function that gives ∂f/∂x as a tree of arrays of shape [...output shape, ...input shape] in the output's
 *   dtype, nested output structure first.
 * @throws NotDifferentiableError for inputs or outputs that are integers or booleans.
 * @example
 * jacfwd((x) => x.mul(x))(np.array([1, 2, 3])); // [[2, 0, 0], [0, 4, 0], [0, 0, 6]]
 */
export function jacfwd<F extends Fn, const N extends Argnums<F> = 0, H extends boolean = false>(
  f: F,
  options: JacobianOptions<F, N, H> = {},
): (...args: Parameters<F>) => Jacobian<F, N, H> {
  return jacobianBy("jacfwd", f, options as AnyOptions, forwardBlocks) as never;
}

/**
 * The Jacobian by reverse mode: one vjp for each output element, all in one vectorised pass. Best for few outputs.
 *
 * @returns as `jacfwd`, in the input's dtype.
 * @example
 * jacrev((x) => x.mul(x))(np.array([1, 2, 3])); // [[2, 0, 0], [0, 4, 0], [0, 0, 6]]
 */
export function jacrev<F extends Fn, const N extends Argnums<F> = 0, H extends boolean = false>(
  f: F,
  options: JacobianOptions<F, N, H> = {},
): (...args: Parameters<F>) => Jacobian<F, N, H> {
  return jacobianBy("jacrev", f, options as AnyOptions, reverseBlocks) as never;
}

/**
 * Second derivatives: forward mode over reverse mode.
 *
 * @returns a function that gives, for a scalar function, a tree of trees of arrays of shape [...input i, ...input j].
 * @example
 * hessian((x) => np.sum(x.mul(x).mul(x)))(np.array([1, 2])); // [[6, 0], [0, 12]]
 */
export function hessian<F extends Fn, const N extends Argnums<F> = 0>(
  f: F,
  options: { readonly argnums?: N } = {},
): (
  ...args: Parameters<F>
) => JacobianTree<JacobianTree<ReturnType<F>, Chosen<Parameters<F>, N>>, Chosen<Parameters<F>, N>> {
  return jacfwd(jacrev(f, options as object) as Fn, options as object) as never;
}

/**
 * The Hessian of a scalar function times a vector, without the Hessian: the derivative of the gradient in a direction.
 *
 * @param primals the arguments of f, as a list.
 * @param tangents a direction for each argument, as a list.
 * @returns the product for all arguments: a list shaped as the arguments.
 * @throws NonScalarOutputError if the value is not a scalar.
 * @example
 * hvp((x) => np.sum(x.mul(x).mul(x)), [np.array([1, 2])], [np.array([1, 0])]); // [[6, 0]]
 */
export function hvp<F extends ScalarFn>(
  f: F,
  primals: Readonly<Parameters<F>>,
  tangents: Tangents<F>,
): ArgumentTrees<F> {
  requireFunction(f, "hvp");
  // The gradient by all arguments, those included that have none: integers get a trivial cotangent.
  const gradient = (...args: unknown[]) => {
    const [value, pull] = vjp(f as Fn, ...args);
    const { arrays, treedef } = flattenArrays(value, "");
    const types = arrays.map((x) => x.aval);
    requireScalar(types, treedef, `hvp(${nameOf(f)})`);
    return pull(scalar(1, types[0].dtype, types[0].weakType));
  };
  return jvp(gradient, primals as never, tangents as never)[1] as never;
}

// ---------------------------------------------------------------------------------------------------------------------
// One vectorised pass
// ---------------------------------------------------------------------------------------------------------------------

/** Blocks [output][input] of shape [...output, ...input]; undefined where zero. */
type Blocks = (map: LinearMap) => readonly (readonly (NDArray | undefined)[])[];

/** The options of a Jacobian, whatever the function. */
export interface AnyOptions {
  readonly argnums?: number | readonly number[];
  readonly hasAux?: boolean;
}

/** What all ways to a Jacobian begin with: the function traced at a point, and its linear map there. */
export interface LinearizedArguments {
  readonly label: string;
  readonly traced: TracedFunction;
  /** The structure of the arguments that are differentiated by. */
  readonly treedef: TreeDef;
  readonly map: LinearMap;
  readonly aux: readonly NDArray[];
}

/**
 * Traces a function and takes the linear map of its derivative by the arguments `argnums`.
 *
 * @param what what is called, for error messages.
 */
export function linearizeArguments(
  what: string,
  f: Fn,
  { argnums = 0, hasAux }: AnyOptions,
  args: readonly unknown[],
): LinearizedArguments {
  const label = `${what}(${nameOf(f)})`;
  const positions = resolveArgnums(argnums, args.length, label);
  const where = `argument ${positions.join(", ")} of ${label}`;
  const chosen = typeof argnums === "number" ? args[positions[0]] : positions.map((i) => args[i]);
  const { arrays, treedef } = flattenArrays(chosen, where);
  const values = arrays.map(asDifferentiable);
  for (const [i, x] of values.entries()) requireFloat(x, () => leafName(where, treedef, i), what);
  const traced = traceFunction(
    { name: label, valuesOnDemand: true },
    values.map((x) => x.aval),
    (inputs) => {
      const rebuilt = unflatten<unknown>(treedef, inputs);
      const all = [...args];
      for (const [k, i] of positions.entries())
        all[i] = typeof argnums === "number" ? rebuilt : (rebuilt as unknown[])[k];
      return f(...all);
    },
    values,
    { hasAux, floatResult: true },
  );
  requireFloatOutputs(traced, label);
  const { aux, map } = linearizeTraced(traced, values, false);
  return { label, traced, treedef, map, aux };
}

function jacobianBy(what: string, f: Fn, options: AnyOptions, blocksOf: Blocks) {
  requireFunction(f, what);
  requireOptions(options, ["argnums", "hasAux"], what);
  return (...args: unknown[]) => {
    const { traced, treedef, map, aux } = linearizeArguments(what, f, options, args);
    const blocks = blocksOf(map);
    const forward = what === "jacfwd";
    const rows = map.outAvals.map((out, o) =>
      unflatten(
        treedef,
        map.inAvals.map((input, i) => blocks[o][i] ?? emptyBlock(out, input, forward)),
      ),
    );
    const jacobian = unflatten(traced.outTree, rows);
    return options.hasAux ? [jacobian, traced.rebuildAux(aux)] : jacobian;
  };
}

export const emptyBlock = (out: Aval, input: Aval, forward: boolean): NDArray =>
  zeros({ shape: [...out.shape, ...input.shape], dtype: forward ? out.dtype : input.dtype, weakType: false });

const forwardBlocks: Blocks = (map) => {
  const inputs = map.inAvals.filter((_, i) => map.activeIn[i]);
  const total = inputs.reduce((n, t) => n + sizeOf(t.shape), 0);
  const mask = map.jaxpr.inputs.map((_, i) => i >= map.residuals.length);
  const pushed = batchJaxpr(
    map.jaxpr,
    total,
    mask,
    map.jaxpr.outputs.map(() => true),
  );
  const results = evalJaxpr(pushed.jaxpr, [...map.residuals, ...basis(inputs, total)]);
  let next = 0;
  return map.outAvals.map((out, o) => {
    if (!map.activeOut[o]) return map.inAvals.map(() => undefined);
    // [total, ...output] → for each input [...output, ...input]
    const columns = results[next++];
    let start = 0;
    return map.inAvals.map((input) => {
      const n = sizeOf(input.shape);
      const block = slice(columns, [start, ...out.shape.map(() => 0)], [start + n, ...out.shape]);
      start += n;
      const last = [...out.shape.map((_, d) => d + 1), 0];
      return reshape(transpose(block, last), [...out.shape, ...input.shape]);
    });
  });
};

const reverseBlocks: Blocks = (map) => {
  const outputs = map.outAvals.filter((_, i) => map.activeOut[i]);
  const total = outputs.reduce((n, t) => n + sizeOf(t.shape), 0);
  const linear = map.jaxpr.inputs.map((_, i) => i >= map.residuals.length);
  const transposed = transposeJaxpr(
    map.jaxpr,
    linear,
    outputs.map(() => false),
  );
  const mask = transposed.jaxpr.inputs.map((_, i) => i >= map.residuals.length);
  const pulled = batchJaxpr(
    transposed.jaxpr,
    total,
    mask,
    transposed.jaxpr.outputs.map(() => true),
  );
  const results = evalJaxpr(pulled.jaxpr, [...map.residuals, ...basis(outputs, total)]);
  let next = 0;
  const rows = map.inAvals.map((_, i) => (transposed.zeroOut[i] ? undefined : results[next++]));
  let start = 0;
  return map.outAvals.map((out, o) => {
    if (!map.activeOut[o]) return map.inAvals.map(() => undefined);
    const n = sizeOf(out.shape);
    const from = start;
    start += n;
    return map.inAvals.map((input, i) => {
      const row = rows[i];
      if (row === undefined) return undefined;
      const block = slice(row, [from, ...input.shape.map(() => 0)], [from + n, ...input.shape]);
      return reshape(block, [...out.shape, ...input.shape]);
    });
  });
};

/** The standard basis of all the types together: for each an array [total, ...shape] with a single 1 in each row it owns. */
export function basis(types: readonly Aval[], total: number): NDArray[] {
  let start = 0;
  return types.map((type) => {
    const n = sizeOf(type.shape);
    const rows = iota("int32", [total, n], 0);
    const columns = iota("int32", [total, n], 1);
    const offset = start;
    start += n;
    const own = eq(offset === 0 ? rows : sub(rows, offset), columns);
    return reshape(convertElementType(own, type.dtype), [total, ...type.shape]);
  });
}
