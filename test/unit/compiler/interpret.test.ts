/** The interpreter of the kernel IR: values, what it refuses, lockstep of a workgroup, programs. */
import { describe, expect, it } from "vitest";
import { runKernel, runProgram } from "../../../src/compiler/interpret.js";
import { aval } from "../../../src/core/aval.js";
import { InternalError } from "../../../src/core/errors.js";
import * as ir from "../../../src/core/ir/ops.js";
import { Buffer, type Expr, Local, type ScalarType, type Stmt } from "../../../src/core/ir/types.js";
import { type Eqn, Var } from "../../../src/core/jaxpr.js";
import { findPrimitive, type Primitive } from "../../../src/core/primitive.js";
import "../../../src/primitives/index.js";
import { type Cell, cell, gridKernel, itemKernel, rangeKernel, run } from "./kernels.js";

const { get, i32, load, store } = ir;

/** The value of an expression, through a kernel that stores it. */
function valueOf(e: Expr): number {
  const dtype = { f32: "float32", f64: "float64", i32: "int32", u32: "uint32", bool: "bool" } as const;
  const out = cell("out", dtype[e.type], 1);
  return run(
    rangeKernel(1, [out.buffer], () => [store(out.buffer, 0, e)]),
    [out],
  ).out[0];
}

/** A value that the constructors of expressions cannot fold. */
function opaque(type: ScalarType, value: number): Expr {
  return {
    op: "select",
    type,
    lanes: 1,
    cond: ir.truth(true),
    onTrue: ir.constant(type, value),
    onFalse: ir.constant(type, value),
  };
}

describe("scalar operations", () => {
  const f = (x: number) => opaque("f32", x);
  const i = (x: number) => opaque("i32", x);
  const u = (x: number) => opaque("u32", x);

  it.each<[string, Expr, number]>([
    ["f32 rounds", ir.add(f(1), f(2 ** -25)), 1],
    ["f32 products overflow", ir.mul(f(3e38), f(10)), Infinity],
    ["f64 does not round to f32", ir.add(opaque("f64", 1), opaque("f64", 2 ** -50)), 1 + 2 ** -50],
    ["min keeps NaN", ir.min(f(Number.NaN), f(1)), Number.NaN],
    ["max keeps NaN", ir.max(f(1), f(Number.NaN)), Number.NaN],
    ["-0 is below 0", ir.min(f(0), f(-0)), -0],
    ["halves go to even", ir.nearest(f(2.5)), 2],
    ["halves go to even, upwards", ir.nearest(f(3.5)), 4],
    ["small negatives round to -0", ir.nearest(f(-0.25)), -0],
    ["large numbers are whole", ir.nearest(f(2 ** 23 + 1)), 2 ** 23 + 1],
    ["trunc keeps the sign of zero", ir.trunc(f(-0.5)), -0],
    ["neg of zero", ir.neg(f(0)), -0],
    ["roundF16", ir.roundF16(f(2049)), 2048],
    ["roundF16 overflows", ir.roundF16(f(65520)), Infinity],
    ["i32 wraps", ir.add(i(0x7fffffff), i(1)), -0x80000000],
    ["i32 products wrap", ir.mul(i(0x10001), i(0x10001)), 0x20001],
    ["i32 division truncates", ir.div(i(-7), i(2)), -3],
    ["i32 remainder has the sign of the dividend", ir.rem(i(-7), i(2)), -1],
    ["u32 wraps", ir.sub(u(0), u(1)), 0xffffffff],
    ["u32 products wrap", ir.mul(u(0xffffffff), u(0xffffffff)), 1],
    ["u32 division", ir.div(u(0xffffffff), u(2)), 0x7fffffff],
    ["u32 and keeps the high bit", ir.and(u(0xffffffff), u(0x80000000)), 0x80000000],
    ["i32 shr fills with the sign", ir.shr(i(-8), i(1)), -4],
    ["u32 shr fills with zeros", ir.shr(u(0x80000000), u(31)), 1],
    ["not of bits", ir.not(i(0)), -1],
    ["not of a bool", ir.not(opaque("bool", 1)), 0],
    ["clz", ir.unary("clz", u(1)), 31],
    ["popcnt", ir.unary("popcnt", i(-1)), 32],
    ["NaN is not equal", ir.eq(f(Number.NaN), f(Number.NaN)), 0],
    ["NaN differs", ir.ne(f(Number.NaN), f(Number.NaN)), 1],
    ["to i32 truncates", ir.cast("i32", f(-2.9)), -2],
    ["to i32 saturates", ir.cast("i32", f(3e9)), 0x7fffffff],
    ["to u32 saturates below", ir.cast("u32", f(-3)), 0],
    ["to u32 saturates above", ir.cast("u32", f(1e10)), 0xffffffff],
    ["NaN to integer is 0", ir.cast("i32", f(Number.NaN)), 0],
    ["NaN to bool is true", ir.cast("bool", f(Number.NaN)), 1],
    ["i32 to u32 keeps the bits", ir.cast("u32", i(-1)), 0xffffffff],
    ["u32 to f32 rounds", ir.cast("f32", u(0xffffffff)), 2 ** 32],
    ["f64 to f32 rounds", ir.cast("f32", opaque("f64", 0.1)), Math.fround(0.1)],
    ["bits of a float", ir.bitcast("u32", f(-0)), 0x80000000],
    ["bits to a float", ir.bitcast("f32", i(0x3f800000)), 1],
    ["a host function rounds to its type", ir.host("third", "f32", (x) => x / 3, [f(1)]), Math.fround(1 / 3)],
  ])("%s", (_, e, expected) => {
    expect(valueOf(e)).toBe(expected);
  });

  it("lanes are computed one by one", () => {
    const out = cell("out", "float32", 4);
    const x = ir.vector([1, 2, 3, 4].map((v) => f(v)));
    const doubled = ir.select(ir.lt(x, 3), ir.mul(x, 2), ir.neg(x));
    const kernel = rangeKernel(1, [out.buffer], () => [store(out.buffer, 0, doubled)]);
    expect([...run(kernel, [out]).out]).toEqual([2, 4, -3, -4]);
  });

  it("a graph that is exponential as a tree is quick", () => {
    let x = f(1);
    for (let k = 0; k < 2000; k++) x = ir.sub(ir.add(x, x), x);
    expect(valueOf(x)).toBe(1);
  });
});

describe("statements", () => {
  it("runs a range in parts", () => {
    const x = cell("x", "float32", [1, 2, 3, 4, 5]);
    const y = cell("y", "float32", 5);
    const kernel = itemKernel(5, [x.buffer, y.buffer], (item) => [
      store(y.buffer, item, ir.mul(load(x.buffer, item), 2)),
    ]);
    expect([...run(kernel, [x, y], { parts: 3 }).y]).toEqual([2, 4, 6, 8, 10]);
  });

  it("loops, cells, branches and while", () => {
    // Collatz: steps from each start to 1.
    const out = cell("out", "int32", 10);
    const kernel = itemKernel(10, [out.buffer], (item) => {
      const n = new Local("n", "i32", 1, true);
      const steps = new Local("steps", "i32", 1, true);
      const odd = ir.eq(ir.and(get(n), 1), 1);
      return [
        ir.letIn(n, ir.add(item, 1)),
        ir.letIn(steps, i32(0)),
        ir.loopWhile(ir.gt(get(n), 1), [
          ir.when(odd, [ir.assign(n, ir.add(ir.mul(get(n), 3), 1))], [ir.assign(n, ir.div(get(n), 2))]),
          ir.assign(steps, ir.add(get(steps), 1)),
        ]),
        store(out.buffer, item, get(steps)),
      ];
    });
    expect([...run(kernel, [out]).out]).toEqual([0, 1, 7, 2, 5, 8, 16, 3, 19, 6]);
  });

  it("loops in steps", () => {
    const out = cell("out", "int32", 10);
    const kernel = rangeKernel(1, [out.buffer], () => [
      ir.loop("k", 1, 10, (k) => [store(out.buffer, k, i32(1))], 3),
    ]);
    expect([...run(kernel, [out]).out]).toEqual([0, 1, 0, 0, 1, 0, 0, 1, 0, 0]);
  });

  it("stores several lanes side by side, and rounds to float16", () => {
    const out = cell("out", "float16", 5);
    const values = ir.vector([0.1, 1, 2, 2049].map((v) => ir.constant("f32", v)));
    const kernel = rangeKernel(1, [out.buffer], () => [store(out.buffer, 1, values)]);
    expect([...run(kernel, [out]).out]).toEqual([0, Math.fround(0.0999755859375), 1, 2, 2048]);
  });

  it("atomics combine", () => {
    const out = cell("out", "float32", [1, 1]);
    const kernel = itemKernel(4, [out.buffer], (item) => [
      { kind: "atomic", fn: "add", buffer: out.buffer, index: ir.rem(item, 2), value: ir.cast("f32", item) },
      { kind: "atomic", fn: "max", buffer: out.buffer, index: i32(1), value: ir.constant("f32", 2) },
    ]);
    expect([...run(kernel, [out]).out]).toEqual([3, 6]);
  });

  it("a guarded load reads nothing where its guard is false", () => {
    const x = cell("x", "float32", [7, 8]);
    const y = cell("y", "float32", 4);
    const kernel = itemKernel(4, [x.buffer, y.buffer], (item) => [
      store(y.buffer, item, load(x.buffer, ir.sub(item, 1), ir.and(ir.ge(item, 1), ir.lt(item, 3)))),
    ]);
    expect([...run(kernel, [x, y]).y]).toEqual([0, 7, 8, 0]);
  });
});

describe("what a device would leave undefined", () => {
  const x = cell("x", "int32", [0, 1, 2]);
  const local = new Local("never", "i32");
  const orphan = new Buffer("y", "int32", 1);
  const attempt = (stmts: readonly Stmt[]) => () =>
    runKernel(
      rangeKernel(1, [x.buffer, orphan], () => stmts),
      new Map([[x.buffer, x.array.slice()]]),
    );

  it.each<[string, Stmt[], RegExp]>([
    [
      "reading past the end",
      [store(x.buffer, 0, load(x.buffer, 3))],
      /reads element 3 of x, which has 3.*kernel test/,
    ],
    ["reading before the start", [store(x.buffer, 0, load(x.buffer, i32(-1)))], /reads element -1 of x/],
    [
      "reading lanes past the end",
      [store(x.buffer, 0, ir.extract(load(x.buffer, 0, undefined, 4), 0))],
      /0 to 3 of x/,
    ],
    ["writing past the end", [store(x.buffer, 3, i32(1))], /writes element 3 of x/],
    ["dividing by zero", [store(x.buffer, 0, ir.div(load(x.buffer, 1), load(x.buffer, 0)))], /by zero/],
    ["a remainder by zero", [store(x.buffer, 0, ir.rem(load(x.buffer, 1), load(x.buffer, 0)))], /by zero/],
    [
      "a quotient that overflows",
      [store(x.buffer, 0, ir.div(opaque("i32", -0x80000000), i32(-1)))],
      /overflows/,
    ],
    ["a shift by 32", [store(x.buffer, 0, ir.shl(load(x.buffer, 1), opaque("i32", 32)))], /shifts by 32/],
    ["a local that is not in scope", [store(x.buffer, 0, get(local))], /never is not in scope/],
    ["a buffer without memory", [store(orphan, 0, i32(0))], /y has no memory/],
  ])("%s", (_, stmts, message) => {
    expect(attempt(stmts)).toThrow(InternalError);
    expect(attempt(stmts)).toThrow(message);
  });

  it("traps on the side of a select that is not taken", () => {
    const quotient = ir.div(load(x.buffer, 1), load(x.buffer, 0));
    expect(attempt([store(x.buffer, 0, ir.select(opaque("bool", 0), quotient, i32(1)))])).toThrow(/by zero/);
  });
});

describe("grids", () => {
  const threads = 8;

  /** Sums of the rows of x, each by a workgroup, in a tree through scratch memory. */
  function treeSum(barriers: boolean): { out: Cell; x: Cell; kernel: ReturnType<typeof gridKernel> } {
    const x = cell(
      "x",
      "float32",
      Array.from({ length: 3 * threads }, (_, k) => k),
    );
    const out = cell("out", "float32", 3);
    const part = new Buffer("part", "float32", threads, "scratch");
    const sync = barriers ? [ir.barrier] : [];
    const kernel = gridKernel(3, threads, [x.buffer, out.buffer], [part], (group, thread) => {
      const half = new Local("half", "i32", 1, true);
      return [
        store(part, thread, load(x.buffer, ir.add(ir.mul(group, threads), thread))),
        ...sync,
        ir.letIn(half, i32(threads / 2)),
        ir.loopWhile(ir.ge(get(half), 1), [
          ir.when(ir.lt(thread, get(half)), [
            store(part, thread, ir.add(load(part, thread), load(part, ir.add(thread, get(half))))),
          ]),
          ...sync,
          ir.assign(half, ir.div(get(half), 2)),
        ]),
        ir.when(ir.eq(thread, 0), [store(out.buffer, group, load(part, 0))]),
      ];
    });
    return { out, x, kernel };
  }

  it("threads wait for each other at barriers", () => {
    const { out, x, kernel } = treeSum(true);
    expect([...run(kernel, [out, x]).out]).toEqual([28, 92, 156]);
  });

  it("tells of a barrier that is missing", () => {
    const { out, x, kernel } = treeSum(false);
    expect(() => run(kernel, [out, x])).toThrow(/meet at element \d of part without a barrier/);
  });

  it("tells of a barrier that not all threads reach", () => {
    const kernel = gridKernel(1, 4, [], [], (_, thread) => [ir.when(ir.lt(thread, 2), [ir.barrier])]);
    expect(() => run(kernel, [])).toThrow(/2 of 4 threads do not reach a barrier/);
  });

  it("scratch memory holds nothing at first, in every group", () => {
    const out = cell("out", "float32", 2);
    const part = new Buffer("part", "float32", 1, "scratch");
    const kernel = gridKernel(2, 1, [out.buffer], [part], (group) => [
      store(out.buffer, group, load(part, 0)),
      store(part, 0, ir.constant("f32", 1)),
    ]);
    expect([...run(kernel, [out]).out]).toEqual([Number.NaN, Number.NaN]);
  });
});

describe("programs", () => {
  const type = aval([3], "float32");
  const x = new Buffer("x", "float32", 3);
  const y = new Buffer("y", "float32", 3);
  const z = new Buffer("z", "float32", 3);
  const double = itemKernel(3, [x, y], (item) => [store(y, item, ir.mul(load(x, item), 2))]);
  const eqn: Eqn = {
    primitive: findPrimitive("add") as Primitive,
    inputs: [new Var(0, type), new Var(0, type)],
    params: {},
    outputs: [new Var(1, type)],
    source: undefined,
  };

  it("runs kernels and steps of the host", () => {
    const program = {
      name: "p",
      inputs: [x],
      outputs: [z, x],
      temporaries: [y],
      steps: [
        { kind: "kernel", kernel: double },
        { kind: "host", eqn, inputs: [y, y], outputs: [z] },
      ],
    } as const;
    const [sum, same] = runProgram(program, [Float32Array.of(1, 2, 3)]);
    expect([...sum]).toEqual([4, 8, 12]);
    expect([...same]).toEqual([1, 2, 3]);
  });

  it("refuses to write to an input", () => {
    const program = {
      name: "p",
      inputs: [x, y],
      outputs: [y],
      temporaries: [],
      steps: [{ kind: "kernel", kernel: double }],
    } as const;
    const inputs = [Float32Array.of(1, 2, 3), Float32Array.of(0, 0, 0)];
    expect(() => runProgram(program, inputs)).toThrow(/writes to its input y/);
    expect([...inputs[1]]).toEqual([0, 0, 0]);
  });

  it("memory that nobody has written is not zero", () => {
    const copy = itemKernel(3, [z, y], (item) => [store(y, item, load(z, item))]);
    const program = {
      name: "p",
      inputs: [],
      outputs: [y],
      temporaries: [z],
      steps: [{ kind: "kernel", kernel: copy }],
    } as const;
    expect([...runProgram(program, [])[0]]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  });
});
