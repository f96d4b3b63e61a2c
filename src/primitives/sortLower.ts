/** How sort and topK are compiled: by the merge sort of sortKernels.ts, topK of few elements by insertion. */
import { sizeOf } from "../core/aval.js";
import { indexAdd, indexMul, ravel, unravel } from "../core/ir/affine.js";
import type { KernelContext, KernelsRule, Target } from "../core/ir/lower.js";
import {
  add,
  and,
  assign,
  get,
  gt,
  i32,
  letIn,
  load,
  loop,
  loopWhile,
  not,
  or,
  store,
  sub,
  when,
} from "../core/ir/ops.js";
import { type Buffer, type Expr, Local, type Stmt, scalarTypeOf } from "../core/ir/types.js";
import type { Params } from "../core/primitive.js";
import { sortLines } from "./sortKernels.js";
import { type Key, keyOf } from "./sortKeys.js";

/** By the first of the keys in which they differ. */
const lexicographic = (keys: readonly Key[], a: readonly Expr[], b: readonly Expr[]): Expr => {
  const last = keys.length - 1;
  let result = keys[last].less(a[last], b[last]);
  for (let k = last - 1; k >= 0; k--)
    result = or(keys[k].less(a[k], b[k]), and(not(keys[k].less(b[k], a[k])), result));
  return result;
};

export const lowerSort: KernelsRule<Params> = {
  kind: "kernels",
  fusesConsumers: true,
  reads: ({ inputs, target }) => inputs.map(() => (sortsOrder(inputs.length, target) ? 2 : 1)),
  build: (ctx, params) => {
    if (sizeOf(ctx.outputs[0].shape) === 0) return;
    const lines = new Lines(ctx, params.dimension as number);
    const numKeys = params.numKeys as number;
    if (sortsOrder(ctx.inputs.length, ctx.target)) sortByOrder(ctx, lines, numKeys);
    else sortTogether(ctx, lines, numKeys);
  },
};

/** Kernels for the GPU can use few buffers: too few for the operands, copies and results of a sort of several arrays. */
const sortsOrder = (operands: number, target: Target): boolean => target === "webgpu" && operands > 2;

/** Lines along an axis of the first output. */
class Lines {
  readonly shape: readonly number[];
  readonly count: number;
  readonly length: number;
  private readonly others: readonly number[];

  constructor(
    ctx: KernelContext,
    private readonly axis: number,
  ) {
    this.shape = ctx.outputs[0].shape;
    this.length = this.shape[axis];
    this.others = this.shape.filter((_, a) => a !== axis);
    this.count = sizeOf(this.others);
  }

  /** The index of place k of a line. */
  at(line: Expr, k: Expr): Expr[] {
    const index = unravel(line, this.others);
    return [...index.slice(0, this.axis), k, ...index.slice(this.axis)];
  }

  /** The line, and the place in it. */
  split(index: readonly Expr[]): [line: Expr, k: Expr] {
    const others = index.filter((_, a) => a !== this.axis);
    return [ravel(others, this.others), index[this.axis]];
  }
}

/** All keys at once. What is no key moves along if it is one array; of several it is the place that moves. */
function sortTogether(ctx: KernelContext, lines: Lines, numKeys: number): void {
  const { count, length } = lines;
  const keys = ctx.inputs.slice(0, numKeys).map(({ dtype }) => keyOf(dtype));
  const others = ctx.inputs.map((_, i) => i).slice(numKeys);
  const byPlace = others.length > 1;
  const moved = byPlace ? (["int32"] as const) : others.map((i) => ctx.inputs[i].dtype);
  sortLines(ctx, {
    lines: count,
    length,
    wanted: length,
    dtypes: [...keys.map((key) => key.dtype), ...moved],
    read: (line, k) => {
      const element = (i: number): Expr => ctx.element(i, lines.at(line, k));
      return [...keys.map((key, i) => key.lift(element(i))), ...(byPlace ? [k] : others.map(element))];
    },
    precedes: (a, b) => lexicographic(keys, a, b),
    write: (line, k, elements) => {
      const named = elements.map((e, i) => new Local(`sorted${i}`, e.type));
      const index = lines.at(line, k);
      const along = (i: number): Expr => ctx.element(i, lines.at(line, get(named[numKeys])));
      return [
        ...named.map((local, i) => letIn(local, elements[i])),
        ...keys.flatMap((key, i) => ctx.write(i, index, key.drop(get(named[i])))),
        ...others.flatMap((i) => ctx.write(i, index, byPlace ? along(i) : get(named[i]))),
      ];
    },
  });
}

/** Sorts the places by one key after the other, the last key first, and then brings each operand in that order. */
function sortByOrder(ctx: KernelContext, lines: Lines, numKeys: number): void {
  const { count, length, shape } = lines;
  let order: Buffer | undefined;
  const placeIn = (buffer: Buffer | undefined, line: Expr, k: Expr): Expr =>
    buffer === undefined ? k : load(buffer, indexAdd(indexMul(line, length), k));
  for (let i = numKeys - 1; i >= 0; i--) {
    const key = keyOf(ctx.inputs[i].dtype);
    const before = order;
    const after = ctx.temporary(`order${i}`, "int32", count * length);
    sortLines(ctx, {
      lines: count,
      length,
      wanted: length,
      dtypes: [key.dtype, "int32"],
      read: (line, k) => {
        const place = placeIn(before, line, k);
        return [key.lift(ctx.element(i, lines.at(line, place))), place];
      },
      precedes: ([a], [b]) => key.less(a, b),
      write: (line, k, [, place]) => [store(after, indexAdd(indexMul(line, length), k), place)],
    });
    order = after;
  }
  for (const i of ctx.inputs.keys())
    ctx.parallel("sort_gather", count * length, (item) => {
      const index = unravel(item, shape);
      const [line, k] = lines.split(index);
      return ctx.write(i, index, ctx.element(i, lines.at(line, placeIn(order, line, k))));
    });
}

/** Of so few elements a list is kept while the operand is read. */
const shortList = 128;
/** On the GPU a thread reads no more than this alone. */
const longLine = 1024;

export const lowerTopK: KernelsRule<Params> = {
  kind: "kernels",
  fusesConsumers: true,
  reads: () => [1],
  build: (ctx, params) => {
    const [{ shape }] = ctx.inputs;
    const k = params.k as number;
    if (sizeOf(ctx.outputs[0].shape) === 0) return;
    const length = shape[shape.length - 1];
    const lines = sizeOf(shape) / length;
    const indexOf = (line: Expr, place: Expr): Expr[] => [...unravel(line, shape.slice(0, -1)), place];
    const key = keyOf(ctx.inputs[0].dtype);
    const pairs: Pairs = {
      key,
      lines,
      length,
      wanted: k,
      read: (line, place) => key.lift(ctx.element(0, indexOf(line, place))),
      write: (line, place, value, origin) => {
        const index = indexOf(line, place);
        return [...ctx.write(0, index, key.drop(value)), ...ctx.write(1, index, origin)];
      },
    };
    if (k <= shortList && (ctx.target === "wasm" || length <= longLine)) byInsertion(ctx, pairs);
    else
      sortLines(ctx, {
        ...pairs,
        dtypes: [key.dtype, "int32"],
        read: (line, place) => [pairs.read(line, place), place],
        precedes: ([a], [b]) => key.greater(a, b),
        write: (line, place, [value, origin]) => pairs.write(line, place, value, origin),
      });
  },
};

/** The keys of lines, and what to do with the keys that are wanted and the places where they were. */
interface Pairs {
  readonly key: Key;
  readonly lines: number;
  readonly length: number;
  readonly wanted: number;
  read(line: Expr, place: Expr): Expr;
  write(line: Expr, rank: Expr, key: Expr, place: Expr): readonly Stmt[];
}

/** Keeps a sorted list of the best elements so far: an element of the line enters it only if it beats the last one. */
function byInsertion(ctx: KernelContext, { key, lines, length, wanted, read, write }: Pairs): void {
  const values = ctx.temporary("best", key.dtype, lines * wanted);
  const places = ctx.temporary("places", "int32", lines * wanted);
  ctx.parallel("topK", lines, (line) => {
    const list = indexMul(line, wanted);
    const insert = (value: Expr, place: Expr, last: Expr): Stmt[] => {
      const at = new Local("at", "i32", 1, true);
      const before = sub(add(list, get(at)), 1);
      const inside = gt(get(at), 0);
      return [
        letIn(at, last),
        loopWhile(and(inside, key.greater(value, load(values, before, inside))), [
          store(values, add(list, get(at)), load(values, before)),
          store(places, add(list, get(at)), load(places, before)),
          assign(at, sub(get(at), 1)),
        ]),
        store(values, add(list, get(at)), value),
        store(places, add(list, get(at)), place),
      ];
    };
    const named = (place: Expr, body: (value: Expr) => readonly Stmt[]): Stmt[] => {
      const value = new Local("value", scalarTypeOf(key.dtype));
      return [letIn(value, read(line, place)), ...body(get(value))];
    };
    return [
      loop("first", 0, wanted, (place) => named(place, (value) => insert(value, place, place))),
      loop("place", wanted, length, (place) =>
        named(place, (value) => [
          when(
            key.greater(value, load(values, indexAdd(list, wanted - 1))),
            insert(value, place, i32(wanted - 1)),
          ),
        ]),
      ),
      loop("rank", 0, wanted, (rank) => {
        const at = indexAdd(list, rank);
        return write(line, rank, load(values, at), load(places, at));
      }),
    ];
  });
}
