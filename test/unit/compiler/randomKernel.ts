/**
 * Random kernels that are well defined: nothing out of bounds, no division by zero, no endless loop. They are made from a
 * list of choices, so that fast-check shrinks a failing kernel by shrinking the list.
 */
import fc from "fast-check";
import { kernelText } from "../../../src/compiler/text.js";
import type { DType } from "../../../src/core/dtype.js";
import { inBounds, intervalOf } from "../../../src/core/ir/affine.js";
import * as ir from "../../../src/core/ir/ops.js";
import { type Expr, type Kernel, Local, type ScalarType, type Stmt } from "../../../src/core/ir/types.js";
import { type Cell, cell, itemLoop, rangeKernel } from "./kernels.js";

const { get } = ir;

export interface RandomKernel {
  readonly kernel: Kernel;
  readonly cells: readonly Cell[];
  /** How fast-check shows it. */
  readonly [fc.toStringMethod]: () => string;
}

export interface Flavour {
  /** Also f64, while loops, stores to what is read, atomics: everything. Otherwise what fused loops look like. */
  readonly wild: boolean;
}

export const randomKernel = ({ wild }: Flavour): fc.Arbitrary<RandomKernel> =>
  fc
    .array(fc.nat(1 << 20), { minLength: 20, maxLength: 400, size: "max" })
    .map((choices) => new Builder(choices, wild).build());

const size = 48;
const typeOf: Record<string, ScalarType> = {
  float32: "f32",
  float64: "f64",
  int32: "i32",
  uint32: "u32",
  bool: "bool",
};

class Builder {
  private next = 0;
  private readonly inputs: Cell[];
  private readonly outputs: Cell[];
  private names = 0;

  constructor(
    private readonly choices: readonly number[],
    private readonly wild: boolean,
  ) {
    const values = (f: (k: number) => number): number[] => Array.from({ length: size }, (_, k) => f(k));
    const more: [string, DType, number[]][] = wild ? [["d", "float64", values((k) => k / 7 - 3)]] : [];
    this.inputs = (
      [
        ["x", "float32", values((k) => ((k * 37) % 23) / 4 - 2)],
        ["y", "float32", values((k) => (k === 11 ? Number.NaN : k === 5 ? -0 : k / 8))],
        ["j", "int32", values((k) => ((k * 29) % 31) - 9)],
        ["m", "bool", values((k) => (k % 3 === 0 ? 1 : 0))],
        ["w", "uint32", values((k) => (k * 0x9e3779b9) >>> 0)],
        ...more,
      ] as const
    ).map(([name, dtype, data]) => cell(name, dtype, data));
    const out = (name: string, dtype: DType): Cell =>
      cell(
        name,
        dtype,
        values((k) => k % (dtype === "bool" ? 2 : 5)),
      );
    this.outputs = [out("p", "float32"), out("q", "float32"), out("r", "int32"), out("s", "bool")];
    if (wild) this.outputs.push(out("e", "float64"));
  }

  private choose(n: number): number {
    const c = this.next < this.choices.length ? this.choices[this.next++] : 0;
    return c % n;
  }

  private pick<T>(options: readonly T[]): T {
    return options[this.choose(options.length)];
  }

  private get exhausted(): boolean {
    return this.next >= this.choices.length;
  }

  build(): RandomKernel {
    const extent = this.pick([1, 3, 4, 6, 7, 12]);
    const cells = [...this.inputs, ...this.outputs];
    const kernel = rangeKernel(
      extent,
      cells.map((c) => c.buffer),
      (begin, end) => [
        ...(this.choose(4) === 0 ? this.block([], [], 2) : []),
        itemLoop(extent, begin, end, (item) => this.block([(item as { local: Local }).local], [], 0)),
      ],
    );
    return { kernel, cells, [fc.toStringMethod]: () => kernelText(kernel) };
  }

  /** @param counters loop counters in scope. @param locals others in scope. */
  private block(counters: readonly Local[], outer: readonly Local[], depth: number): Stmt[] {
    const locals = [...outer];
    const stmts: Stmt[] = [];
    const count = 1 + this.choose(4);
    for (let k = 0; k < count && !this.exhausted; k++) {
      const scope: Scope = { counters, locals };
      const kind = this.choose(12);
      if (kind <= 2) {
        const value = this.expr(this.anyType(), scope, 3);
        const local = new Local(`v${this.names++}`, value.type);
        stmts.push(ir.letIn(local, value));
        locals.push(local);
      } else if (kind === 3) {
        const value = this.expr(this.anyType(), scope, 1);
        const local = new Local(`c${this.names++}`, value.type, 1, true);
        stmts.push(ir.letIn(local, value));
        locals.push(local);
      } else if (kind <= 5 && locals.some((l) => l.mutable)) {
        const local = this.pick(locals.filter((l) => l.mutable));
        stmts.push(ir.assign(local, this.expr(local.type, scope, 3)));
      } else if (kind === 6 && depth < 3) stmts.push(...this.reduction(scope, depth, locals));
      else if (kind <= 8 && depth < 3) {
        const n = this.pick([5, 4, 1, 8, 3]);
        const from = this.wild ? this.pick([0, 0, 1, n]) : 0;
        const local = new Local(`i${this.names++}`, "i32", 1, false, n);
        const body = this.block([...counters, local], locals, depth + 1);
        const step = this.wild ? this.pick([1, 1, 2]) : 1;
        stmts.push({ kind: "for", local, from: ir.i32(from), to: ir.i32(n), step, body });
      } else if (kind === 9 && depth < 3)
        stmts.push(
          ir.when(
            this.expr("bool", scope, 2),
            this.block(counters, locals, depth + 1),
            this.choose(2) === 0 ? [] : this.block(counters, locals, depth + 1),
          ),
        );
      else if (kind === 10 && this.wild && depth < 3) stmts.push(...this.whileLoop(scope, depth));
      else stmts.push(this.store(scope));
    }
    return stmts;
  }

  private reduction(scope: Scope, depth: number, locals: Local[]): Stmt[] {
    const type = this.pick(["f32", "i32", "u32"] as const);
    const fn = this.pick(["add", "max", "min", "mul"] as const);
    const acc = new Local(`a${this.names++}`, type, 1, true);
    const n = this.pick([9, 4, 6, 13]);
    const counter = new Local(`n${this.names++}`, "i32", 1, false, n);
    const term = this.expr(type, { counters: [...scope.counters, counter], locals: scope.locals }, 2);
    const more =
      this.choose(4) === 0 ? this.block([...scope.counters, counter], scope.locals, depth + 1) : [];
    const initial = this.leaf(type, scope);
    locals.push(acc);
    return [
      ir.letIn(acc, initial),
      {
        kind: "for",
        local: counter,
        from: ir.i32(0),
        to: ir.i32(n),
        step: 1,
        body: [ir.assign(acc, ir.binary(fn, get(acc), term)), ...more],
      },
    ];
  }

  /** Runs a few times, and by what a cell says. */
  private whileLoop(scope: Scope, depth: number): Stmt[] {
    const left = new Local(`w${this.names++}`, "i32", 1, true);
    return [
      ir.letIn(left, ir.i32(this.choose(4))),
      ir.loopWhile(ir.and(ir.gt(get(left), 0), this.expr("bool", scope, 1)), [
        ...this.block(scope.counters, scope.locals, depth + 1),
        ir.assign(left, ir.sub(get(left), 1)),
      ]),
    ];
  }

  private store(scope: Scope): Stmt {
    const { buffer } = this.pick(this.outputs);
    const type = typeOf[buffer.dtype];
    const value = this.expr(type, scope, 3);
    const { index, safe } = this.index(scope);
    const inside = safe ? index : ir.max(ir.min(index, size - 1), 0);
    if (this.wild && type !== "bool" && this.choose(5) === 0)
      return { kind: "atomic", fn: this.pick(["add", "max"] as const), buffer, index: inside, value };
    return ir.store(buffer, inside, value);
  }

  private anyType(): ScalarType {
    return this.pick(
      this.wild ? ["f32", "i32", "f32", "bool", "u32", "f64"] : ["f32", "i32", "f32", "bool", "u32"],
    );
  }

  /** An index that is an affine function of counters, or anything; `safe` if it is known to be in bounds. */
  private index(scope: Scope): { index: Expr; safe: boolean } {
    let index: Expr = ir.i32(this.choose(3));
    for (const c of scope.counters.slice(-3)) {
      const coefficient = this.pick([1, 0, 4, 5, -1, 2, 12]);
      index = ir.add(index, ir.mul(get(c), coefficient));
    }
    if (this.choose(6) === 0) index = this.expr("i32", scope, 1);
    const { low, high } = intervalOf(index);
    return { index, safe: low >= 0 && high < size };
  }

  private load(type: ScalarType, scope: Scope): Expr {
    const written = this.choose(this.wild ? 3 : 8) === 0;
    const sources = (written ? this.outputs : this.inputs).filter((c) => typeOf[c.buffer.dtype] === type);
    if (sources.length === 0) return this.leaf(type, scope);
    const { buffer } = this.pick(sources);
    const { index, safe } = this.index(scope);
    if (safe) return ir.load(buffer, index);
    if (this.choose(2) === 0) return ir.load(buffer, index, inBounds(index, size));
    return ir.load(buffer, ir.max(ir.min(index, size - 1), 0));
  }

  private leaf(type: ScalarType, { counters, locals }: Scope): Expr {
    const usable = [...(type === "i32" ? counters : []), ...locals.filter((l) => l.type === type)];
    if (usable.length > 0 && this.choose(3) > 0) return get(this.pick(usable));
    return ir.constant(
      type,
      this.pick(type === "f32" || type === "f64" ? [1, 0.5, -2, 3, -0] : [1, 0, 2, 5, 0x41c64e6d]),
    );
  }

  private expr(type: ScalarType, scope: Scope, depth: number): Expr {
    if (depth === 0 || this.exhausted)
      return this.choose(2) === 0 ? this.leaf(type, scope) : this.load(type, scope);
    const sub = (t: ScalarType = type): Expr => this.expr(t, scope, depth - 1);
    const kind = this.choose(8);
    if (kind <= 1) return this.load(type, scope);
    if (kind === 2) return ir.select(sub("bool"), sub(), sub());
    if (type === "bool") {
      if (kind <= 4) {
        const of = this.pick(["f32", "i32", "u32"] as const);
        return ir.compare(this.pick(["lt", "eq", "ge"] as const), sub(of), sub(of));
      }
      return kind === 5 ? ir.not(sub()) : ir.binary(this.pick(["and", "or", "xor"] as const), sub(), sub());
    }
    if (kind === 3) {
      const from = this.anyType();
      return from === type ? ir.neg(sub()) : ir.cast(type, sub(from));
    }
    const isFloat = type === "f32" || type === "f64";
    if (kind === 4) {
      // The same operand twice: something to share.
      const x = sub();
      return isFloat ? ir.mul(x, x) : ir.xor(x, ir.shr(x, 1));
    }
    if (kind === 5) return isFloat ? ir.floor(sub()) : ir.rem(sub(), ir.constant(type, 7));
    if (kind === 6 && isFloat && this.choose(3) === 0)
      return ir.host("third", type as "f32" | "f64", (x) => x / 3, [sub()]);
    return ir.binary(this.pick(["add", "sub", "min", "max", "mul"] as const), sub(), sub());
  }
}

interface Scope {
  readonly counters: readonly Local[];
  readonly locals: readonly Local[];
}
