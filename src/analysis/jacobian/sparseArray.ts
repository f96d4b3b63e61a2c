/** Matrices of which only the entries that may be nonzero are kept. */
import { type ConcreteArray, concreteArray, NDArray } from "../../core/array.js";
import { aval, type Shape, sameShape, sizeOf } from "../../core/aval.js";
import { ArgumentError, ShapeError } from "../../core/errors.js";
import type { SparsityPattern } from "../../core/pattern.js";
import { registerClass } from "../../core/treeRegistry.js";
import { mul } from "../../primitives/arithmetic.js";
import { zeros } from "../../primitives/filled.js";
import { gather, scatterAdd } from "../../primitives/gather.js";
import { reshape } from "../../primitives/shape.js";
import type { ArrayContainer } from "../../transforms/types.js";
import { showCount } from "../table.js";

/** Index arrays: places in the dense matrix are `flat`, or rows beside columns (`both`) where those would be too large. */
type IndexName = "rows" | "columns" | "order" | "flat" | "both";

/**
 * Where the entries of a `SparseArray` are. All that a function's Jacobian is computed at share one, so that `jit` knows
 * them to be of one structure.
 */
export class SparseStructure {
  readonly rows: Int32Array;
  readonly columns: Int32Array;
  private turned: { readonly structure: SparseStructure; readonly order: Int32Array } | undefined;
  private readonly places = new Map<string, ConcreteArray>();

  /** @internal */
  constructor(
    /** The shape of what the rows stand for: an output of the function. */
    readonly outShape: Shape,
    /** The shape of what the columns stand for: an input. */
    readonly inShape: Shape,
    readonly pattern: SparsityPattern,
  ) {
    const { offsets, indices } = pattern;
    this.columns = indices;
    this.rows = new Int32Array(indices.length);
    for (let i = 0; i < pattern.rows; i++) this.rows.fill(i, offsets[i], offsets[i + 1]);
  }

  /** An index array that programs take, made once. @internal */
  indexArray(name: IndexName): ConcreteArray {
    let found = this.places.get(name);
    if (found === undefined) {
      const list = this.indices(name);
      const { length } = this.columns;
      found = concreteArray(list, [length, name === "both" ? 2 : 1], "int32");
      this.places.set(name, found);
    }
    return found;
  }

  private indices(name: IndexName): Int32Array {
    const { rows, columns } = this;
    if (name === "rows" || name === "columns") return this[name];
    if (name === "order") return this.transposed().order;
    if (name === "flat") return rows.map((i, k) => i * this.pattern.columns + columns[k]);
    return Int32Array.from({ length: 2 * rows.length }, (_, k) => (k % 2 === 0 ? rows : columns)[k >>> 1]);
  }

  /** The structure of the transposed matrix, and for each of its entries which one of this it is. @internal */
  transposed(): { readonly structure: SparseStructure; readonly order: Int32Array } {
    if (this.turned !== undefined) return this.turned;
    const { pattern, columns } = this;
    const mirror = pattern.transposed();
    const next = mirror.offsets.slice(0, mirror.rows);
    const order = new Int32Array(columns.length);
    for (let k = 0; k < columns.length; k++) order[next[columns[k]]++] = k;
    this.turned = { structure: new SparseStructure(this.inShape, this.outShape, mirror), order };
    return this.turned;
  }
}

/**
 * A matrix of which only the entries that may be nonzero are kept: the block of a Jacobian that belongs to one output and one
 * input. It is a container of one array, `values`, so that it can be returned from `jit`, mapped by `vmap` and differentiated.
 *
 * @example
 * const j = jacobian((x) => x.mul(x), { sparse: true })(np.array([1, 2, 3]));
 * j.values; // [2, 4, 6]
 * j.rows; // [0, 1, 2]
 */
export class SparseArray implements ArrayContainer {
  /** For types: what transforms give back is a `SparseArray` again. @internal */
  declare readonly holdsArrays: true;

  /** @internal Made by `jacobian` and `sparseHessian`. */
  constructor(
    /** Where the entries are. @internal */
    readonly structure: SparseStructure,
    /** The entries, row by row and by columns within a row: an array of shape [nonzeros]. */
    readonly values: NDArray,
  ) {}

  /** The shape of the dense array: that of the output, then that of the input. */
  get shape(): Shape {
    return [...this.structure.outShape, ...this.structure.inShape];
  }

  get dtype(): NDArray["dtype"] {
    return this.values.dtype;
  }

  /** For each entry its row: the flat position in the output. Shared by all arrays of this structure: not to be written to. */
  get rows(): Int32Array {
    return this.structure.rows;
  }

  /** For each entry its column: the flat position in the input. Not to be written to. */
  get columns(): Int32Array {
    return this.structure.columns;
  }

  /** The pattern of the entries. */
  get pattern(): SparsityPattern {
    return this.structure.pattern;
  }

  /** How many entries are kept. */
  get nonzeros(): number {
    return this.structure.columns.length;
  }

  /** The share of entries that are kept, from 0 to 1. */
  get density(): number {
    return this.pattern.density;
  }

  /** The whole array, of shape `shape`, with zeros where nothing is kept. */
  toDense(): NDArray {
    return denseOf(this.structure, this.values);
  }

  /**
   * The product with an array shaped as the input: an array shaped as the output.
   *
   * @throws ShapeError for an array of another shape.
   * @example
   * jacobian((x) => x.mul(x), { sparse: true })(np.array([1, 2, 3])).matvec(np.array([1, 1, 1])); // [2, 4, 6]
   */
  matvec(x: NDArray): NDArray {
    const { outShape, inShape } = this.structure;
    if (!(x instanceof NDArray))
      throw new ArgumentError(`SparseArray.matvec takes an array, got a ${typeof x}`);
    if (!sameShape(x.shape, inShape))
      throw new ShapeError(
        `SparseArray.matvec: an array of shape [${x.shape.join(",")}] for columns of shape [${inShape.join(",")}]`,
      );
    const m = sizeOf(outShape);
    if (this.nonzeros === 0) return zeros(aval(outShape, this.dtype));
    const read = pick(reshape(x, [x.size]), this.structure.indexArray("columns"));
    const products = mul(this.values, read);
    const sums = scatterAdd(
      zeros(aval([m], products.dtype)),
      this.structure.indexArray("rows"),
      products,
      single,
    );
    return reshape(sums, outShape);
  }

  /** The transposed matrix, its entries in order of its rows. */
  transposed(): SparseArray {
    const { structure } = this.structure.transposed();
    const values = this.nonzeros === 0 ? this.values : pick(this.values, this.structure.indexArray("order"));
    return new SparseArray(structure, values);
  }

  /** The size, and up to 20 entries. */
  toString(): string {
    const { nonzeros, pattern } = this;
    const size = `${showCount(pattern.rows)} × ${showCount(pattern.columns)}`;
    const count = `${showCount(nonzeros)} nonzero${nonzeros === 1 ? "" : "s"}`;
    const title = `SparseArray(${this.dtype}[${this.shape.join(",")}], ${size}, ${count}, density ${Number(this.density.toPrecision(3))})`;
    return nonzeros > 20 ? title : `${title}\nvalues ${String(this.values)}`;
  }

  /** What `console.log` prints in Node. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

registerClass<SparseArray, SparseStructure>(SparseArray, {
  flatten: ({ values, structure }) => ({ children: [values], keys: ["values"], aux: structure }),
  unflatten: (structure, [values]) => new SparseArray(structure, values as NDArray),
});

const single = {
  updateWindowDims: [],
  insertedWindowDims: [0],
  scatterDimsToOperandDims: [0],
  mode: "promiseInBounds",
} as const;

/** Elements of a list at places of shape [n, 1]. */
const pick = (x: NDArray, places: NDArray): NDArray =>
  gather(x, places, {
    offsetDims: [],
    collapsedSliceDims: [0],
    startIndexMap: [0],
    sliceSizes: [1],
    mode: "promiseInBounds",
  });

/** An array of which the entries are given, and all else is zero. */
export function denseOf(structure: SparseStructure, values: NDArray): NDArray {
  const { outShape, inShape, pattern } = structure;
  const shape = [...outShape, ...inShape];
  if (pattern.isFull) return reshape(values, shape);
  const flat = pattern.rows * pattern.columns < 2 ** 31;
  const nothing = zeros(
    aval(flat ? [pattern.rows * pattern.columns] : [pattern.rows, pattern.columns], values.dtype),
  );
  if (pattern.nonzeros === 0) return reshape(nothing, shape);
  const filled = flat
    ? scatterAdd(nothing, structure.indexArray("flat"), values, single)
    : scatterAdd(nothing, structure.indexArray("both"), values, {
        ...single,
        insertedWindowDims: [0, 1],
        scatterDimsToOperandDims: [0, 1],
      });
  return reshape(filled, shape);
}
