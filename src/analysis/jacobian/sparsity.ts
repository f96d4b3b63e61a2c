/** `sparsity`: which elements of a function's results can depend on which elements of its arguments. */
import type { NDArray } from "../../core/array.js";
import { type Aval, aval, describe } from "../../core/aval.js";
import { isFloat, isInteger } from "../../core/dtype.js";
import { NotDifferentiableError } from "../../core/errors.js";
import type { SparsityPattern } from "../../core/pattern.js";
import { flatten, unflatten } from "../../core/tree.js";
import { patternOfTraced } from "../../transforms/dependence.js";
import {
  leafName,
  nameOf,
  requireFloatOutputs,
  requireFunction,
  resolveArgnums,
  traceFunction,
} from "../../transforms/functions.js";
import { abstractCall } from "../../transforms/makeJaxpr.js";
import type { Fn } from "../../transforms/types.js";
import { type ArgsAndOptions, splitOptions } from "../arguments.js";

export interface SparsityOptions {
  /** By which arguments: a position or a list of positions. Default 0. */
  readonly argnums?: number | readonly number[];
}

type InputPatterns<I> = I extends NDArray | number | boolean
  ? SparsityPattern
  : I extends null | undefined
    ? I
    : { [K in keyof I]: InputPatterns<I[K]> };

/** For each leaf of the output tree O a tree like the argument I, with a pattern at each leaf. */
export type SparsityTree<O, I> = O extends NDArray | number | boolean
  ? InputPatterns<I>
  : O extends null | undefined
    ? O
    : { [K in keyof O]: SparsityTree<O[K], I> };

/**
 * The sparsity pattern of a Jacobian: which elements of the results of `f` can depend on which elements of its arguments. It
 * comes from the program alone; nothing is computed at a point.
 *
 * The pattern is sound: what it leaves out is zero for all arguments (as long as nothing overflows on the way). Mostly it is
 * exact. It can be too large where elements are chosen by what is only known when the program runs: sorted, indexed by an argument,
 * by a branch. Indices and masks that `f` closes over, and zeros of the matrices that it multiplies by, are made use of; so an array
 * of indices is better closed over than given as an argument. A pattern of more than 2²² entries, and of more than
 * eight for each element of arguments and results, is taken to be full.
 *
 * @param f a function of trees of arrays.
 * @param args arrays, numbers or `ShapeDtype`s of any shapes; of arrays only the type is looked at. Behind them options may stand:
 *   `argnums` says by which arguments, default the first.
 * @returns a tree as `jacfwd` gives it, with a `SparsityPattern` in place of each block: its rows are the elements of an output in
 *   row-major order, its columns those of an input. With a list of argnums, a list of such trees for each output.
 * @throws NotDifferentiableError for arguments and results that are integers or booleans.
 * @example
 * const differences = (x) => x.slice("1:").sub(x.slice(":-1"));
 * String(sparsity(differences, new ShapeDtype([4])));
 * // SparsityPattern(3 × 4, 6 nonzeros, density 0.5)
 * // × × · ·
 * // · × × ·
 * // · · × ×
 */
export function sparsity<F extends Fn>(
  f: F,
  ...args: ArgsAndOptions<F, SparsityOptions>
): SparsityTree<ReturnType<F>, Parameters<F>[0]>;
export function sparsity(f: Fn, ...given: unknown[]): unknown {
  requireFunction(f, "sparsity");
  const label = `sparsity(${nameOf(f)})`;
  const { args, options } = splitOptions<SparsityOptions>(f, given, ["argnums"], "sparsity");
  const { argnums = 0 } = options;
  const positions = resolveArgnums(argnums, args.length, label);
  const chosen = typeof argnums === "number" ? args[positions[0]] : positions.map((i) => args[i]);
  const { treedef } = flatten(chosen as object);
  const { avals, call } = abstractCall(f, args, label, {});
  // Numbers do not say whether they are integers: as for derivatives, they are read as floats.
  const types = avals.map((type) =>
    type.weakType && isInteger(type.dtype) ? aval(type.shape, "float32", true) : type,
  );
  const leavesOf = leafNumbers(args);
  const wanted = positions.flatMap((i) => leavesOf[i]);
  const where = `argument ${positions.join(", ")} of ${label}`;
  for (const [k, i] of wanted.entries()) requireFloatType(types[i], leafName(where, treedef, k));
  const traced = traceFunction({ name: label }, types, call, undefined, { floatResult: true });
  requireFloatOutputs(traced, label);
  const active = types.map((_, i) => wanted.includes(i));
  const order = [...wanted].sort((a, b) => a - b);
  const rows = patternOfTraced(traced.closed, active, traced.resultCount).map((patterns) =>
    unflatten(
      treedef,
      wanted.map((i) => patterns[order.indexOf(i)]),
    ),
  );
  return unflatten(traced.outTree, rows);
}

/** For each argument the numbers of its leaves among those of all. */
function leafNumbers(args: readonly unknown[]): number[][] {
  let next = 0;
  return args.map((arg) => flatten(arg as object).leaves.map(() => next++));
}

function requireFloatType(type: Aval, name: string): void {
  if (!isFloat(type.dtype))
    throw new NotDifferentiableError(
      `sparsity needs float inputs, but ${name} is ${describe(type)}; integers and booleans have no derivative (choose other arguments with argnums)`,
    );
}
