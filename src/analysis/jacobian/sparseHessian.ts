/** Hessians of which only the entries that may be nonzero are computed: a product with it for each colour of a star colouring. */
import { type ConcreteArray, concreteArray, type NDArray } from "../../core/array.js";
import { aval, sizeOf } from "../../core/aval.js";
import { itemSize } from "../../core/dtype.js";
import { SparsityPattern } from "../../core/pattern.js";
import { unflatten } from "../../core/tree.js";
import { convertElementType } from "../../primitives/cast.js";
import { concatenate } from "../../primitives/concatenate.js";
import { zeros } from "../../primitives/filled.js";
import { patternOfTraced } from "../../transforms/dependence.js";
import { nameOf, requireFunction, requireOptions } from "../../transforms/functions.js";
import { grad } from "../../transforms/grad.js";
import { type Chosen, type LinearizedArguments, linearizeArguments } from "../../transforms/jacobian.js";
import type { LinearMap } from "../../transforms/linearize.js";
import type { Argnums, Fn, ScalarFn } from "../../transforms/types.js";
import { plural, rounded, si } from "../table.js";
import { joined } from "./blocks.js";
import { type SparseTree, shapeOf } from "./jacobian.js";
import { forwardPart, type MapShape, makePass, type Pass, pickResults, runPass } from "./passes.js";
import { PlanTable } from "./planTable.js";
import { SparseArray, SparseStructure } from "./sparseArray.js";
import { colourSymmetric, recovery, type StarColouring, symmetrised } from "./starColouring.js";

/** How a sparse Hessian is computed. Prints as two lines. */
export class HessianPlan {
  /** @internal */
  constructor(
    /** Elements of the arguments. */
    readonly inputs: number,
    /** Entries that may be nonzero. */
    readonly nonzeros: number,
    /** Products with the Hessian: the colours. */
    readonly passes: number,
    /** Whether an entry may be read at its mirror image: a star colouring was better than one of the columns. */
    readonly symmetric: boolean,
    /** Counted operations of all products. */
    readonly operations: number,
  ) {}

  /** The share of entries that may be nonzero, from 0 to 1. */
  get density(): number {
    return this.inputs === 0 ? 0 : this.nonzeros / this.inputs ** 2;
  }

  toString(): string {
    const { inputs, nonzeros, passes, operations, symmetric } = this;
    const how =
      passes === 0
        ? "The Hessian is zero."
        : passes >= inputs
          ? `${plural(passes, "pass", "passes")}, ${si(operations)} operations: one for each column.`
          : `${plural(passes, "pass", "passes")}, ${si(operations)} operations: ${plural(passes, "colour")} ${symmetric ? "of a star colouring, which makes use of symmetry" : "of the columns, of which those of one colour share no row"}.`;
    return `Hessian of ${plural(inputs, "input")}, ${plural(nonzeros, "entry", "entries")} (density ${rounded(this.density, 2)})\n${how}`;
  }

  /** What `console.log` prints in Node. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

export interface SparseHessianOptions<N, E> {
  /** Which arguments to differentiate by: a position or a list of positions. Default 0. */
  readonly argnums?: N;
  /** The result is [hessian, plan]. */
  readonly explain?: E;
}

type HessianTree<F extends Fn, N> = SparseTree<Chosen<Parameters<F>, N>, Chosen<Parameters<F>, N>>;

/**
 * The Hessian of a scalar function, of which only the entries that may be nonzero are computed: forward mode over the
 * gradient, one pass for each colour of a star colouring of the symmetric pattern. Entries are read off the passes, not
 * solved for.
 *
 * @returns a function of the arguments of f that gives a tree of trees of `SparseArray`s of shape [...input i, ...input j];
 *   with `explain` a list of it and a `HessianPlan`.
 * @throws NonScalarOutputError if the value is not a scalar, NotDifferentiableError for inputs that are no floats.
 * @example
 * // An arrow: every element meets the first one, and itself.
 * const f = (x) => np.sum(x.mul(x).mul(x)).add(np.sum(x).mul(x.slice(0)));
 * const [h, plan] = sparseHessian(f, { explain: true })(np.ones([100]));
 * h.nonzeros; // 298
 * plan.passes; // 2
 */
export function sparseHessian<F extends ScalarFn, const N extends Argnums<F> = 0, E extends boolean = false>(
  f: F,
  options: SparseHessianOptions<N, E> = {},
): (...args: Parameters<F>) => E extends true ? [HessianTree<F, N>, HessianPlan] : HessianTree<F, N> {
  requireFunction(f, "sparseHessian");
  requireOptions(options, ["argnums", "explain"], "sparseHessian");
  const { explain = false } = options;
  const given = options as { readonly argnums?: number | readonly number[] };
  const { argnums = 0 } = given;
  const gradient = grad(f as ScalarFn, { argnums } as object) as Fn;
  Object.defineProperty(gradient, "name", { value: nameOf(f) });
  return ((...args: unknown[]): unknown => {
    const linearized = linearizeArguments("sparseHessian", gradient, { argnums }, args);
    const { traced, treedef, map } = linearized;
    const plan = planFor(linearized);
    const blocks = blocksOf(map, plan);
    const hessian = unflatten(
      traced.outTree,
      blocks.map((row) => unflatten(treedef, row)),
    );
    return explain ? [hessian, plan.explanation] : hessian;
  }) as never;
}

interface Plan {
  /** None if the Hessian is zero. */
  readonly pass: Pass | undefined;
  readonly blocks: readonly (readonly Block[])[];
  readonly explanation: HessianPlan;
  readonly entries: number;
}

/** A block of the Hessian, and where in the results of the pass its entries are. */
interface Block {
  readonly structure: SparseStructure;
  readonly places: ConcreteArray;
}

const plans = new PlanTable<Plan>();

function planFor({ traced, map }: LinearizedArguments): Plan {
  const { closed, resultCount } = traced;
  return plans.find(map.jaxpr, map.activeOut.join(), closed.consts, () => {
    const blocks = patternOfTraced(closed, map.activeIn, resultCount);
    return makePlan(shapeOf(map), symmetrised(joined(blocks)));
  });
}

function makePlan(map: MapShape, pattern: SparsityPattern): Plan {
  const colouring = colourSymmetric(pattern);
  const inputs = map.inAvals.map((_, i) => i);
  const part = forwardPart(map, inputs);
  const pass = colouring.count === 0 ? undefined : makePass(part, colouring);
  const explanation = new HessianPlan(
    pattern.rows,
    pattern.nonzeros,
    pass?.size ?? 0,
    colouring.symmetric,
    pass?.operations ?? 0,
  );
  const { nonzeros: entries } = pattern;
  return { pass, blocks: placeBlocks(map, pattern, colouring, pass), explanation, entries };
}

/** Cuts the pattern into blocks, and finds for each entry its place in the results, [colours, rows of all leaves]. */
function placeBlocks(
  { inAvals }: MapShape,
  pattern: SparsityPattern,
  colouring: StarColouring,
  pass: Pass | undefined,
): Block[][] {
  const found = recovery(pattern, colouring);
  // Without colours each column has a seed of its own.
  const seedOf = pass?.colours === undefined ? (j: number, _: number) => j : (_: number, c: number) => c;
  const sizes = inAvals.map(({ shape }) => sizeOf(shape));
  const starts = sizes.map((_, k) => sizes.slice(0, k).reduce((a, b) => a + b, 0));
  const { offsets, indices } = pattern;
  return inAvals.map((out, o) =>
    inAvals.map((from, i) => {
      const begins = new Int32Array(sizes[o] + 1);
      const columns: number[] = [];
      const seeds: number[] = [];
      const read: number[] = [];
      for (let r = 0; r < sizes[o]; r++) {
        const row = starts[o] + r;
        for (let k = offsets[row]; k < offsets[row + 1]; k++) {
          const j = indices[k] - starts[i];
          if (j < 0 || j >= sizes[i]) continue;
          columns.push(j);
          const mirrored = found.row[k] !== row;
          seeds.push(seedOf(mirrored ? row : indices[k], found.colour[k]));
          read.push(found.row[k]);
        }
        begins[r + 1] = columns.length;
      }
      const own = SparsityPattern.ofRows(sizes[o], sizes[i], begins, Int32Array.from(columns));
      return {
        structure: new SparseStructure(out.shape, from.shape, own),
        places: concreteArray([...seeds, ...read], [2, seeds.length], "int32"),
      };
    }),
  );
}

function blocksOf(map: LinearMap, { pass, blocks }: Plan): SparseArray[][] {
  const all = pass === undefined ? undefined : resultsOf(map, pass);
  return blocks.map((row, o) =>
    row.map(({ structure, places }) => {
      const { dtype } = map.outAvals[o];
      if (all === undefined || places.size === 0) return new SparseArray(structure, zeros(aval([0], dtype)));
      const values = pickResults(all, places);
      const isExact = values.dtype === dtype && !values.aval.weakType;
      return new SparseArray(structure, isExact ? values : convertElementType(values, dtype));
    }),
  );
}

/** What the pass gives: for each seed the rows of all leaves, in the widest of their dtypes. */
function resultsOf(map: LinearMap, pass: Pass): NDArray {
  const { size } = pass;
  const results = runPass(pass, map.residuals);
  const { dtype } = map.outAvals.reduce((a, b) => (itemSize(b.dtype) > itemSize(a.dtype) ? b : a));
  const rows = map.outAvals.map((out, o) => {
    const given = results.get(o) ?? zeros(aval([size, sizeOf(out.shape)], dtype));
    return given.dtype === dtype ? given : convertElementType(given, dtype);
  });
  return rows.length === 1 ? rows[0] : concatenate(rows, 1);
}
