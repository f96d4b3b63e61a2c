/** The memory that kernels of det and cofactor work in: for each matrix a few matrices and lists, all in two buffers. */
import { sizeOf } from "../core/aval.js";
import { indexAdd, indexMul, unravel } from "../core/ir/affine.js";
import type { KernelContext } from "../core/ir/lower.js";
import { and, assign, cast, get, i32, letIn, load, loop, store, truth } from "../core/ir/ops.js";
import { type Buffer, type Expr, Local, type ScalarType, type Stmt, scalarTypeOf } from "../core/ir/types.js";
import { storageOf } from "./product.js";
import { isFinite } from "./scaledCell.js";
import { wideType } from "./scanLower.js";

/** A loop over all i and j. */
export const eachPair = (n: number, body: (i: Expr, j: Expr) => readonly Stmt[]): Stmt =>
  loop("i", 0, n, (i) => [loop("j", 0, n, (j) => body(i, j))]);

/** Elements from `start` on: of a matrix with rows of `pitch`, or of a list (then the column is left out). */
export class Area {
  constructor(
    private readonly buffer: Buffer,
    private readonly start: Expr,
    private readonly pitch = 1,
  ) {}

  private at(i: Expr, j: Expr): Expr {
    return indexAdd(this.start, indexAdd(indexMul(i, this.pitch), j));
  }

  get(i: Expr, j: Expr = i32(0)): Expr {
    return load(this.buffer, this.at(i, j));
  }

  set(value: Expr, i: Expr, j: Expr = i32(0)): Stmt {
    return store(this.buffer, this.at(i, j), value);
  }

  /** Exchanges two elements. */
  swap(x: readonly [Expr, Expr?], y: readonly [Expr, Expr?]): Stmt[] {
    const kept = new Local("kept", scalarTypeOf(this.buffer.dtype));
    return [letIn(kept, this.get(...x)), this.set(this.get(...y), ...x), this.set(get(kept), ...y)];
  }
}

/** What an item has: n by n matrices and lists of n, of numbers and of whole numbers. */
export interface Memory {
  readonly matrices: number;
  readonly lists: number;
  readonly wholeLists: number;
}

export class Matrices {
  readonly n: number;
  readonly type: ScalarType;
  readonly count: number;
  private readonly numbers: Buffer | undefined;
  private readonly wholes: Buffer | undefined;

  constructor(
    readonly ctx: KernelContext,
    private readonly memory: Memory,
  ) {
    const [{ shape, dtype }] = ctx.inputs;
    this.n = shape[shape.length - 1];
    this.count = sizeOf(shape.slice(0, -2));
    this.type = wideType(scalarTypeOf(dtype), ctx.target);
    const buffer = (name: string, type: ScalarType, each: number): Buffer | undefined =>
      each === 0 ? undefined : ctx.temporary(name, storageOf(type), this.count * each);
    this.numbers = buffer("numbers", this.type, this.numbersEach);
    this.wholes = buffer("wholes", "i32", memory.wholeLists * this.n);
  }

  private get numbersEach(): number {
    return (this.memory.matrices * this.n + this.memory.lists) * this.n;
  }

  /** Matrix `number` of an item. */
  matrix(item: Expr, number: number): Area {
    const { n, numbersEach } = this;
    const start = indexAdd(indexMul(item, numbersEach), number * n * n);
    return new Area(this.numbers as Buffer, start, n);
  }

  list(item: Expr, number: number): Area {
    const { n, numbersEach, memory } = this;
    const start = indexAdd(indexMul(item, numbersEach), (memory.matrices * n + number) * n);
    return new Area(this.numbers as Buffer, start);
  }

  wholeList(item: Expr, number: number): Area {
    const { n, memory } = this;
    return new Area(this.wholes as Buffer, indexAdd(indexMul(item, memory.wholeLists * n), number * n));
  }

  /** An element of the operand. */
  element(item: Expr, i: Expr, j: Expr): Expr {
    return this.ctx.element(0, [...this.batch(item), i, j]);
  }

  batch(item: Expr): Expr[] {
    return unravel(item, this.ctx.inputs[0].shape.slice(0, -2));
  }

  /** Copies the operand, and finds out whether all of it is finite. */
  copy(item: Expr, to: Area, finite: Local): Stmt[] {
    return [
      letIn(finite, truth(true)),
      eachPair(this.n, (i, j) => {
        const x = new Local("x", this.type);
        return [
          letIn(x, cast(this.type, this.element(item, i, j))),
          to.set(get(x), i, j),
          assign(finite, and(get(finite), isFinite(get(x)))),
        ];
      }),
    ];
  }
}
