/**
 * How the scatter operations are compiled. On the CPU the updates are walked through in order. On the GPU all of them
 * are applied at once: those that combine by atomic operations (so that float sums depend on the order in which threads
 * come, within rounding errors), and those that overwrite by first finding, for each element, the last update.
 */
import { type Aval, sizeOf, stridesOf } from "../core/aval.js";
import type { DType } from "../core/dtype.js";
import { inBounds, indexAdd, indexMul, indexSub, ravel, unravel } from "../core/ir/affine.js";
import type { KernelContext, KernelsRule } from "../core/ir/lower.js";
import {
  add,
  and,
  cast,
  get,
  gt,
  i32,
  isConst,
  letIn,
  load,
  loop,
  max,
  min,
  mul,
  or,
  store,
  when,
} from "../core/ir/ops.js";
import { type Buffer, type Expr, Local, type Stmt, scalarTypeOf } from "../core/ir/types.js";
import type { Params } from "../core/primitive.js";
import { type AxisNumbers, countingAxes, isSingle } from "./indexed.js";
import { placeInWindow, placeOfWindow, type WindowPlace, windowLengths } from "./indexedLower.js";

/** What becomes of an element and an update to it. */
export type Merging = "set" | "add" | "mul" | "min" | "max";

export const lowerScatter = (
  merging: Merging,
  numbersOf: (params: Params) => AxisNumbers,
  clips: (params: Params) => boolean,
): KernelsRule => ({
  kind: "kernels",
  reads: ({ inputs: [, indices, updates], target }, params) => {
    const numbers = numbersOf(params);
    if (target === "wasm") return [1, 1, 1];
    // Each thread looks at the index vector of its window.
    const perWindow = numbers.window.reduce((n, a) => n * updates.shape[a], 1);
    return [1, isSingle(indices.shape, numbers) ? "buffer" : perWindow, 1];
  },
  build: (ctx, params) => {
    const scatter = new Scatter(ctx, merging, numbersOf(params), clips(params));
    if (sizeOf(ctx.outputs[0].shape) === 0) return;
    if (sizeOf(ctx.inputs[2].shape) === 0) return scatter.copy();
    if (ctx.target === "wasm") return scatter.inOrder();
    if (isSingle(ctx.inputs[1].shape, scatter.numbers)) return scatter.byElement();
    return merging === "set" ? scatter.lastOfEach() : scatter.atomically();
  },
});

class Scatter {
  private readonly operand: Aval;
  private readonly updates: Aval;
  private readonly size: number;
  /** Lengths of the axes of the indices that count windows. */
  private readonly counts: readonly number[];
  /** The axes of the updates that they are. */
  private readonly counting: readonly number[];
  /** The lengths of a window along the axes of the operand. */
  private readonly lengths: readonly number[];

  constructor(
    private readonly ctx: KernelContext,
    private readonly merging: Merging,
    readonly numbers: AxisNumbers,
    private readonly clip: boolean,
  ) {
    const [operand, indices, updates] = ctx.inputs;
    this.operand = operand;
    this.updates = updates;
    this.size = sizeOf(operand.shape);
    this.counts = indices.shape.slice(0, -1);
    this.counting = countingAxes(updates.shape.length, numbers);
    this.lengths = windowLengths(operand.shape.length, updates, numbers);
  }

  /** Without updates the result is the operand. */
  copy(): void {
    const { ctx, operand } = this;
    ctx.parallel("scatter_copy", this.size, (item) => {
      const index = unravel(item, operand.shape);
      return ctx.write(0, index, ctx.element(0, index));
    });
  }

  /** One update after the other; only batching axes, along which windows cannot meet, are independent. */
  inOrder(): void {
    const { ctx, counts, numbers, operand, merging } = this;
    // Sums and products of float16 are rounded once, at the end.
    const widens = operand.dtype === "float16" && (merging === "add" || merging === "mul");
    const result = this.accumulator(widens ? "float32" : operand.dtype);
    const batching = counts.flatMap((_, a) => (numbers.indicesBatching.includes(a) ? [a] : []));
    const others = counts.flatMap((_, a) => (numbers.indicesBatching.includes(a) ? [] : [a]));
    const batchShape = batching.map((a) => counts[a]);
    ctx.parallel("scatter", sizeOf(batchShape), (item) => {
      const count: Expr[] = counts.map(() => i32(0));
      for (const [k, e] of unravel(item, batchShape).entries()) count[batching[k]] = e;
      return loops(
        "window",
        others.map((a) => counts[a]),
        (counters) => {
          for (const [k, e] of counters.entries()) count[others[k]] = e;
          return this.mergeWindow(result, count);
        },
      );
    });
    this.finish(result);
  }

  /** Merges the window with number `count` into `result`. */
  private mergeWindow(result: Buffer, count: readonly Expr[]): Stmt[] {
    const { ctx, counting, numbers, operand, updates } = this;
    const stmts: Stmt[] = [];
    const component = (k: number): Expr => {
      const value = ctx.element(1, [...count, i32(k)]);
      const local = new Local(`place${k}`, value.type);
      stmts.push(letIn(local, value));
      return get(local);
    };
    const { start, inside } = this.place(count, component);
    const first = new Local("first", "i32");
    const strides = stridesOf(operand.shape);
    const merge = loops(
      "w",
      numbers.window.map((a) => updates.shape[a]),
      (counters) => {
        const index: Expr[] = updates.shape.map(() => i32(0));
        for (const [k, a] of counting.entries()) index[a] = count[k];
        for (const [k, a] of numbers.window.entries()) index[a] = counters[k];
        const zero = operand.shape.map(() => i32(0));
        let at = get(first);
        for (const [a, e] of placeInWindow(zero, numbers, index).entries())
          at = indexAdd(at, indexMul(e, strides[a]));
        const update = ctx.element(2, index);
        return [
          store(
            result,
            at,
            this.merged(result.dtype, () => load(result, at), update),
          ),
        ];
      },
    );
    const body = [letIn(first, ravel(start, operand.shape)), ...merge];
    return [...stmts, ...(isConst(inside, 1) ? body : [when(inside, body)])];
  }

  /** Where at most one window can cover an element, each element looks whether it does. */
  byElement(): void {
    const { ctx, counting, counts, lengths, numbers, operand, updates } = this;
    ctx.parallel("scatter", this.size, (item) => {
      const at = unravel(item, operand.shape);
      const count = counts.map((_, a) => {
        const batching = numbers.indicesBatching.indexOf(a);
        return batching < 0 ? i32(0) : at[numbers.operandBatching[batching]];
      });
      const { start, inside } = this.place(count, (k) => ctx.element(1, [...count, i32(k)]));
      let covered = inside;
      const index: Expr[] = updates.shape.map(() => i32(0));
      for (const [k, a] of counting.entries()) index[a] = count[k];
      let window = 0;
      for (const [a, place] of at.entries()) {
        const own = indexSub(place, start[a]);
        covered = and(covered, inBounds(own, lengths[a]));
        if (!numbers.dropped.includes(a) && !numbers.operandBatching.includes(a))
          index[numbers.window[window++]] = own;
      }
      const value = ctx.element(0, at);
      const update = (): Expr => this.merged(operand.dtype, () => value, ctx.element(2, index));
      return [when(covered, ctx.write(0, at, update()), ctx.write(0, at, value))];
    });
  }

  /** First the number of the last update to each element is found, then every element takes its own. */
  lastOfEach(): void {
    const { ctx, counting, numbers, operand, updates } = this;
    const winners = ctx.temporary("winners", "int32", this.size);
    ctx.parallel("scatter_clear", this.size, (item) => [store(winners, item, i32(0))]);
    // Updates are numbered from 1 in the order of their windows.
    const order = [...counting, ...numbers.window];
    const ordered = order.map((a) => updates.shape[a]);
    this.eachUpdate("scatter_order", (index, to) => {
      const number = ravel(
        order.map((a) => index[a]),
        ordered,
      );
      return { kind: "atomic", fn: "max", buffer: winners, index: to, value: indexAdd(number, 1) };
    });
    ctx.parallel("scatter_write", this.size, (item) => {
      const at = unravel(item, operand.shape);
      const winner = new Local("winner", "i32", 1, false, sizeOf(updates.shape) + 1);
      const index: Expr[] = updates.shape.map(() => i32(0));
      for (const [k, e] of unravel(indexSub(get(winner), 1), ordered).entries()) index[order[k]] = e;
      return [
        letIn(winner, load(winners, item)),
        when(
          gt(get(winner), 0),
          ctx.write(0, at, ctx.element(2, index)),
          ctx.write(0, at, ctx.element(0, at)),
        ),
      ];
    });
  }

  /** All updates at once, by atomic operations. */
  atomically(): void {
    const { ctx, merging } = this;
    if (merging === "set") return;
    const result = this.accumulator(atomicDType(this.operand.dtype));
    const type = scalarTypeOf(result.dtype);
    this.eachUpdate("scatter", (index, to) => ({
      kind: "atomic",
      fn: merging,
      buffer: result,
      index: to,
      value: cast(type, ctx.element(2, index)),
    }));
    this.finish(result);
  }

  /** The operand as a dtype to merge in: in the output itself, if it has that dtype. */
  private accumulator(dtype: DType): Buffer {
    const { ctx, operand } = this;
    if (dtype === operand.dtype) return ctx.startFrom(0, 0);
    const buffer = ctx.temporary("merged", dtype, this.size);
    ctx.parallel("scatter_copy", this.size, (item) => [
      store(buffer, item, cast(scalarTypeOf(dtype), ctx.element(0, unravel(item, operand.shape)))),
    ]);
    return buffer;
  }

  private finish(result: Buffer): void {
    const { ctx, operand } = this;
    if (result === ctx.output(0)) return;
    ctx.parallel("scatter_round", this.size, (item) =>
      ctx.write(0, unravel(item, operand.shape), cast(scalarTypeOf(operand.dtype), load(result, item))),
    );
  }

  /** A thread for each element of the updates: its index, and the element of the operand that it goes to. */
  private eachUpdate(name: string, body: (index: readonly Expr[], to: Expr) => Stmt): void {
    const { ctx, counting, numbers, operand, updates } = this;
    ctx.parallel(name, sizeOf(updates.shape), (item) => {
      const index = unravel(item, updates.shape);
      const count = counting.map((a) => index[a]);
      const { start, inside } = this.place(count, (k) => ctx.element(1, [...count, i32(k)]));
      const stmt = body(index, ravel(placeInWindow(start, numbers, index), operand.shape));
      return [isConst(inside, 1) ? stmt : when(inside, [stmt])];
    });
  }

  private place(count: readonly Expr[], component: (k: number) => Expr): WindowPlace {
    return placeOfWindow(this.operand, this.lengths, this.numbers, count, component, this.clip);
  }

  private merged(dtype: DType, old: () => Expr, update: Expr): Expr {
    const { merging } = this;
    if (merging === "set") return update;
    const x = old();
    if (x.type === "bool") return merging === "min" ? and(x, update) : or(x, update);
    const result = { add, mul, min, max }[merging](x, update);
    return dtype === "uint8" ? and(result, 255) : result;
  }
}

/** Devices have no atomic operations on what is narrower than 32 bits. */
const atomicDType = (dtype: DType): DType =>
  dtype === "float16" ? "float32" : dtype === "uint8" || dtype === "bool" ? "uint32" : dtype;

/** Nested loops over all indices of a shape. */
function loops(name: string, shape: readonly number[], body: (index: readonly Expr[]) => Stmt[]): Stmt[] {
  const nest = (index: readonly Expr[]): Stmt[] => {
    const axis = index.length;
    if (axis === shape.length) return body(index);
    if (shape[axis] === 1) return nest([...index, i32(0)]);
    return [loop(`${name}${axis}`, 0, shape[axis], (counter) => nest([...index, counter]))];
  };
  return nest([]);
}
