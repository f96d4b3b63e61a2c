/** Jacobians by the way that costs least: forward, reverse, compressed by colours, or block by block. */
import type { NDArray } from "../../core/array.js";
import { aval, sizeOf } from "../../core/aval.js";
import { ArgumentError } from "../../core/errors.js";
import { SparsityPattern } from "../../core/pattern.js";
import { keystr, unflatten } from "../../core/tree.js";
import { convertElementType } from "../../primitives/cast.js";
import { zeros } from "../../primitives/filled.js";
import { patternOfTraced } from "../../transforms/dependence.js";
import { requireFunction, requireOptions } from "../../transforms/functions.js";
import {
  type Chosen,
  type JacobianTree,
  type LinearizedArguments,
  linearizeArguments,
} from "../../transforms/jacobian.js";
import type { LinearMap } from "../../transforms/linearize.js";
import type { Argnums, Aux, Fn, HasAux, Result } from "../../transforms/types.js";
import { type JacobianModeOrAuto, type JacobianPlan, jacobianModes } from "./explanation.js";
import { blockValues, denseBlock, type MapShape, type Pass, runPass } from "./passes.js";
import { type Plan, planJacobian } from "./plan.js";
import { PlanTable } from "./planTable.js";
import { SparseArray, SparseStructure } from "./sparseArray.js";

export interface JacobianOptions<F extends Fn, N, H, S, E> {
  /**
   * How: `"auto"` (default) counts and takes the cheapest way; `"forward"` and `"reverse"` are those of `jacfwd` and `jacrev`;
   * `"compressedForward"` and `"compressedReverse"` make one pass for each colour of the columns, or rows, of the pattern.
   */
  readonly mode?: JacobianModeOrAuto;
  /** Which arguments to differentiate by: a position or a list of positions. Default 0. */
  readonly argnums?: N;
  /** The function returns [result, aux]; the Jacobian comes as [jacobian, aux]. */
  readonly hasAux?: HasAux<F, H>;
  /** Blocks are `SparseArray`s: only the entries that may be nonzero. */
  readonly sparse?: S;
  /** Behind the Jacobian (and the auxiliary output) comes a `JacobianPlan`, which says how it was computed and why. */
  readonly explain?: E;
}

/** For each leaf of the output tree O a tree like the input I, holding the sparse block of the two. */
export type SparseTree<O, I> = O extends NDArray | number | boolean
  ? SparseLeaves<I>
  : O extends null | undefined
    ? O
    : { [K in keyof O]: SparseTree<O[K], I> };

type SparseLeaves<I> = I extends NDArray | number | boolean
  ? SparseArray
  : I extends null | undefined
    ? I
    : { [K in keyof I]: SparseLeaves<I[K]> };

type Tree<O, I, S> = S extends true ? SparseTree<O, I> : JacobianTree<O, I>;

/** What `jacobian` gives, by its options. */
export type JacobianResult<F extends Fn, N, H, S, E> = H extends true
  ? E extends true
    ? [Tree<Result<F, true>, Chosen<Parameters<F>, N>, S>, Aux<F>, JacobianPlan]
    : [Tree<Result<F, true>, Chosen<Parameters<F>, N>, S>, Aux<F>]
  : E extends true
    ? [Tree<ReturnType<F>, Chosen<Parameters<F>, N>, S>, JacobianPlan]
    : Tree<ReturnType<F>, Chosen<Parameters<F>, N>, S>;

/**
 * The Jacobian, by the way that takes the fewest operations. They are counted, in programs that are made and not run: n
 * passes forward for n input elements, m in reverse for m output elements, as many as there are colours where the pattern
 * of the Jacobian is sparse (columns without a common row share a pass), or a choice for each block, where inputs and
 * outputs are trees. What is chosen is remembered with the program: a second call plans nothing. It can be traced like
 * `jacfwd`: under `jit` and `vmap`, by `grad` and itself, and by `makeJaxpr` for types alone.
 *
 * @returns a function of the arguments of f that gives ∂f/∂x as a tree of arrays of shape [...output shape, ...input shape],
 *   nested output structure first: as `jacfwd`, in the output's dtype; in the modes in reverse as `jacrev`, in the input's.
 *   With `sparse` the leaves are `SparseArray`s; with `explain` it is a list whose last element is a `JacobianPlan`.
 * @throws ArgumentError for an unknown mode, NotDifferentiableError for inputs or outputs that are integers or booleans.
 * @example
 * // Each output needs three neighbours, so three passes give all columns.
 * const f = (x) => x.slice("1:-1").mul(x.slice(":-2")).add(x.slice("2:"));
 * const [j, plan] = jacobian(f, { explain: true })(np.arange(50, "float32"));
 * j.shape; // [48, 50]
 * plan.passes; // 3
 */
export function jacobian<
  F extends Fn,
  const N extends Argnums<F> = 0,
  H extends boolean = false,
  S extends boolean = false,
  E extends boolean = false,
>(
  f: F,
  options: JacobianOptions<F, N, H, S, E> = {},
): (...args: Parameters<F>) => JacobianResult<F, N, H, S, E> {
  requireFunction(f, "jacobian");
  requireOptions(options, ["mode", "argnums", "hasAux", "sparse", "explain"], "jacobian");
  const { mode = "auto", sparse = false, explain = false, hasAux = false } = options;
  requireMode(mode);
  const given = options as { readonly argnums?: number | readonly number[]; readonly hasAux?: boolean };
  return ((...args: unknown[]): unknown => {
    const linearized = linearizeArguments("jacobian", f, given, args);
    const { traced, treedef, map, aux } = linearized;
    const plan = planFor(linearized, mode, sparse);
    const blocks = blocksOf(map, plan, mode, sparse);
    const jacobian = unflatten(
      traced.outTree,
      blocks.map((row) => unflatten(treedef, row)),
    );
    const all = [
      jacobian,
      ...(hasAux ? [traced.rebuildAux(aux)] : []),
      ...(explain ? [plan.explanation] : []),
    ];
    return all.length === 1 ? jacobian : all;
  }) as never;
}

function requireMode(mode: unknown): void {
  if (jacobianModes.includes(mode as JacobianModeOrAuto)) return;
  const got = typeof mode === "string" ? JSON.stringify(mode) : mode === null ? "null" : `a ${typeof mode}`;
  const advice =
    typeof mode === "object" ? '; one mode holds for all leaves, and "auto" chooses for each block' : "";
  throw new ArgumentError(
    `jacobian: the mode is one of ${jacobianModes.map((m) => JSON.stringify(m)).join(", ")}, got ${got}${advice}`,
  );
}

// ---------------------------------------------------------------------------------------------------------------------
// Planning
// ---------------------------------------------------------------------------------------------------------------------

/** A plan with the structures of its blocks, which all Jacobians by it share. */
interface Prepared extends Plan {
  readonly structure: (output: number, input: number) => SparseStructure;
  readonly entries: number;
}

const plans = new PlanTable<Prepared>();

/** The linear map without the values that it holds. */
export const shapeOf = ({
  jaxpr,
  residuals,
  inAvals,
  activeIn,
  outAvals,
  activeOut,
}: LinearMap): MapShape => ({
  jaxpr,
  residuals: residuals.length,
  inAvals,
  activeIn,
  outAvals,
  activeOut,
});

function planFor(
  { traced, treedef, map }: LinearizedArguments,
  mode: JacobianModeOrAuto,
  sparse: boolean,
): Prepared {
  const { closed, resultCount } = traced;
  const types = map.outAvals.map((t) => `${t.dtype}[${t.shape}]`);
  const key = [mode, sparse, map.activeOut, ...types, treedef.key, traced.outTree.key].join("/");
  return plans.find(map.jaxpr, key, closed.consts, () => {
    const shape = shapeOf(map);
    const patterns = () => patternOfTraced(closed, map.activeIn, resultCount);
    const names = { outputs: traced.outTree.paths().map(keystr), inputs: treedef.paths().map(keystr) };
    return withStructures(planJacobian(shape, names, mode, patterns, sparse), shape, sparse);
  });
}

function withStructures(plan: Plan, { outAvals, inAvals }: MapShape, sparse: boolean): Prepared {
  const made = new Map<string, SparseStructure>();
  const structure = (o: number, i: number): SparseStructure => {
    const key = `${o} ${i}`;
    let found = made.get(key);
    if (found === undefined) {
      const [out, input] = [outAvals[o].shape, inAvals[i].shape];
      const size = [sizeOf(out), sizeOf(input)] as const;
      // A block that no pass gives is zero, whatever the pattern allows.
      const pattern =
        plan.way.source[o][i] === undefined
          ? SparsityPattern.none(...size)
          : (plan.patterns?.[o][i] ?? SparsityPattern.all(...size));
      found = new SparseStructure(out, input, pattern);
      made.set(key, found);
    }
    return found;
  };
  // A full pattern is listed for a sparse block alone.
  const listed = plan.patterns?.flat().filter((pattern) => sparse || !pattern.isFull) ?? [];
  return { ...plan, structure, entries: listed.reduce((n, { nonzeros }) => n + nonzeros, 0) };
}

// ---------------------------------------------------------------------------------------------------------------------
// Computing
// ---------------------------------------------------------------------------------------------------------------------

function blocksOf(
  map: LinearMap,
  { way, structure }: Prepared,
  mode: JacobianModeOrAuto,
  sparse: boolean,
): (NDArray | SparseArray)[][] {
  const results = new Map<Pass, ReadonlyMap<number, NDArray>>(
    way.passes.map((pass) => [pass, runPass(pass, map.residuals)]),
  );
  const inputDtype = mode === "reverse" || mode === "compressedReverse";
  return map.outAvals.map((out, output) =>
    map.inAvals.map((from, input) => {
      const { dtype } = inputDtype ? from : out;
      const type = aval([...out.shape, ...from.shape], dtype);
      const pass = way.source[output][input];
      // Like the arrays of `jacfwd`, blocks are never weakly typed.
      const inDtype = (x: NDArray): NDArray =>
        x.dtype === dtype && !x.aval.weakType ? x : convertElementType(x, dtype);
      if (pass === undefined)
        return sparse ? new SparseArray(structure(output, input), zeros(aval([0], dtype))) : zeros(type);
      const block = { pass, results: results.get(pass) as ReadonlyMap<number, NDArray>, output, input };
      const where = () => structure(output, input);
      return sparse
        ? new SparseArray(where(), inDtype(blockValues(block, where())))
        : inDtype(denseBlock(block, where, type));
    }),
  );
}
