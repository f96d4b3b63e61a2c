/** The type checker of the kernel IR: what it refuses, and what it says. */

import fc from "fast-check";
import { isLeft, isRight } from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";
import { checkKernel } from "../../../src/compiler/check.js";
import * as ir from "../../../src/core/ir/ops.js";
import {
  Buffer,
  type Expr,
  type Kernel,
  type Lanes,
  Local,
  type ScalarType,
  type Stmt,
} from "../../../src/core/ir/types.js";
import { gridKernel, rangeKernel } from "./kernels.js";
import { randomKernel } from "./randomKernel.js";
import { randomNest } from "./randomNest.js";

const { get, load, store } = ir;

const x = new Buffer("x", "float32", 8);
const j = new Buffer("j", "int32", 8);
const m = new Buffer("m", "bool", 8);
const part = new Buffer("part", "float32", 8, "scratch");

const f = ir.constant("f32", 1);
const i = ir.i32(1);
const yes = ir.truth(true);
const leaf = (type: ScalarType, lanes: Lanes = 1): Expr => ir.constant(type, 1, lanes);

const messageOf = (kernel: Kernel): string => {
  const result = checkKernel(kernel);
  return isLeft(result) ? result.left.message : "";
};

const kernelOf = (...stmts: Stmt[]): Kernel => rangeKernel(1, [x, j, m], () => stmts);

/** A kernel that computes something in vain. */
const computing = (e: Expr): Kernel => kernelOf(ir.letIn(new Local("t", e.type, e.lanes), e));

describe("kernels that are well typed", () => {
  it("random ones", () => {
    fc.assert(
      fc.property(fc.oneof(randomKernel({ wild: true }), randomNest), ({ kernel }) => {
        expect(messageOf(kernel)).toBe("");
      }),
    );
  });

  it("grids with scratch memory, barriers and atomics", () => {
    const kernel = gridKernel(2, 8, [x], [part], (_, thread) => [
      store(part, thread, load(x, thread)),
      ir.barrier,
      { kind: "atomic", fn: "add", buffer: x, index: i, value: load(part, 0) },
    ]);
    expect(isRight(checkKernel(kernel))).toBe(true);
  });

  it.each<[string, Expr]>([
    ["two lanes of f64", ir.add(leaf("f64", 2), leaf("f64", 2))],
    ["bools beside them", ir.lt(leaf("f64", 2), ir.binary("add", leaf("f64", 2), 2))],
    ["a vector load with one guard", load(x, 0, ir.lt(load(x, 1), 2), 4)],
    ["bits of a vector", ir.bitcast("u32", load(x, 0, undefined, 4))],
  ])("%s", (_, e) => {
    expect(messageOf(computing(e))).toBe("");
  });
});

describe("expressions that are not", () => {
  const raw = (e: object): Expr => e as Expr;
  const never = new Local("never", "f32");

  it.each<[string, Expr, string]>([
    [
      "operands of two types",
      raw({ op: "binary", type: "f32", lanes: 1, fn: "add", x: f, y: i }),
      "i32 where f32 is needed",
    ],
    [
      "a result of another type",
      raw({ op: "binary", type: "i32", lanes: 1, fn: "add", x: f, y: f }),
      "f32 where i32",
    ],
    [
      "operands of two lengths",
      raw({ op: "binary", type: "f32", lanes: 4, fn: "add", x: f, y: leaf("f32", 4) }),
      "f32 where f32x4",
    ],
    ["bits of floats", raw({ op: "binary", type: "f32", lanes: 1, fn: "and", x: f, y: f }), "no and of f32"],
    [
      "a sum of bools",
      raw({ op: "binary", type: "bool", lanes: 1, fn: "add", x: yes, y: yes }),
      "no add of bool",
    ],
    [
      "a remainder of floats",
      raw({ op: "binary", type: "f32", lanes: 1, fn: "rem", x: f, y: f }),
      "no rem of f32",
    ],
    [
      "the floor of an integer",
      raw({ op: "unary", type: "i32", lanes: 1, fn: "floor", x: i }),
      "no floor of i32",
    ],
    [
      "an order of bools",
      raw({ op: "compare", type: "bool", lanes: 1, fn: "lt", x: yes, y: yes }),
      "no lt of bools",
    ],
    [
      "a comparison that is a float",
      raw({ op: "compare", type: "f32", lanes: 1, fn: "lt", x: f, y: f }),
      "of type f32",
    ],
    [
      "a choice by a number",
      raw({ op: "select", type: "f32", lanes: 1, cond: f, onTrue: f, onFalse: f }),
      "f32 where bool",
    ],
    [
      "a choice of two types",
      raw({ op: "select", type: "f32", lanes: 1, cond: yes, onTrue: f, onFalse: i }),
      "i32 where f32",
    ],
    ["four lanes of f64", leaf("f64", 4), "there is no type f64x4"],
    ["two lanes of f32", leaf("f32", 2), "there is no type f32x2"],
    [
      "an index that is a float",
      raw({ op: "load", type: "f32", lanes: 1, buffer: x, index: f, guard: undefined }),
      "f32 where i32",
    ],
    [
      "a load of another type",
      raw({ op: "load", type: "i32", lanes: 1, buffer: x, index: i, guard: undefined }),
      "f32 where i32",
    ],
    [
      "a guard for each lane",
      raw({ op: "load", type: "f32", lanes: 4, buffer: x, index: i, guard: leaf("bool", 4) }),
      "boolx4 where bool",
    ],
    ["a buffer that is not declared", load(new Buffer("z", "float32", 1), 0), "buffer z is not declared"],
    ["a local that is not in scope", get(never), "never is not in scope"],
    [
      "a constant that its type cannot hold",
      raw({ op: "const", type: "i32", lanes: 1, value: 1.5 }),
      "1.5 is not a value of i32",
    ],
    [
      "a bool constant of 2",
      raw({ op: "const", type: "bool", lanes: 1, value: 2 }),
      "2 is not a value of bool",
    ],
    ["a double as f32", raw({ op: "const", type: "f32", lanes: 1, value: 0.1 }), "0.1 is not a value of f32"],
    ["bits of f64", raw({ op: "bitcast", type: "u32", lanes: 1, x: leaf("f64") }), "not of 32 bits"],
    ["three parts", raw({ op: "vector", type: "f32", lanes: 4, parts: [f, f, f] }), "3 parts"],
    [
      "a fifth lane",
      raw({ op: "extract", type: "f32", lanes: 1, x: leaf("f32", 4), lane: 4 }),
      "lane 4 of f32x4",
    ],
    [
      "a splat of a vector",
      raw({ op: "splat", type: "f32", lanes: 4, x: leaf("f32", 4) }),
      "f32x4 where f32",
    ],
    [
      "a function of a vector",
      raw({ op: "host", type: "f32", lanes: 1, name: "f", fn: Math.exp, args: [leaf("f32", 4)] }),
      "f32x4 where f32",
    ],
  ])("%s", (_, e, message) => {
    expect(messageOf(computing(e))).toContain(message);
    expect(messageOf(computing(e))).toContain("kernel test, let t: ");
  });
});

describe("statements that are not", () => {
  const t = new Local("t", "f32");
  const cell = new Local("c", "f32", 1, true);

  it.each<[string, Kernel, string]>([
    ["a name of another type", kernelOf(ir.letIn(t, i)), "i32 where f32 is needed: 1"],
    ["two names for one local", kernelOf(ir.letIn(t, f), ir.letIn(t, f)), "t is declared twice"],
    [
      "a name outside its block",
      kernelOf(ir.when(yes, [ir.letIn(t, f)]), store(x, 0, get(t))),
      "t is not in scope",
    ],
    [
      "a counter outside its loop",
      (() => {
        const loop = ir.loop("k", 0, 4, () => []);
        return kernelOf(loop, store(j, 0, get((loop as { local: Local }).local)));
      })(),
      "k is not in scope",
    ],
    ["a name that is assigned", kernelOf(ir.letIn(t, f), ir.assign(t, f)), "it is not mutable"],
    ["a cell that is not declared", kernelOf(ir.assign(cell, f)), "it is not in scope"],
    ["a value of another type for a cell", kernelOf(ir.letIn(cell, f), ir.assign(cell, i)), "i32 where f32"],
    ["a stored value of another type", kernelOf(store(x, 0, i)), "i32 where f32"],
    ["a float as the place of a store", kernelOf(store(x, f, f)), "f32 where i32"],
    ["a store to a buffer that is not declared", kernelOf(store(part, 0, f)), "buffer part is not declared"],
    [
      "bools in an atomic",
      kernelOf({ kind: "atomic", fn: "max", buffer: m, index: i, value: yes }),
      "no arithmetic of bools",
    ],
    [
      "vectors in an atomic",
      kernelOf({ kind: "atomic", fn: "max", buffer: x, index: i, value: leaf("f32", 4) }),
      "f32x4 where f32",
    ],
    ["a loop in steps of 0", kernelOf(ir.loop("k", 0, 4, () => [], 0)), "the step is 0"],
    ["a loop to a float", kernelOf(ir.loop("k", 0, f, () => [])), "f32 where i32"],
    ["a loop while a number", kernelOf(ir.loopWhile(i, [])), "i32 where bool"],
    ["a branch on four conditions", kernelOf(ir.when(leaf("bool", 4), [])), "boolx4 where bool"],
    ["a barrier in a range", kernelOf(ir.barrier), "a range has no barriers"],
    ["scratch memory in a range", { ...kernelOf(), scratch: [part] }, "a range has no scratch memory"],
    ["a buffer twice", rangeKernel(1, [x, x], () => []), "bound twice"],
    ["scratch memory as a buffer", rangeKernel(1, [part], () => []), "scratch memory is bound"],
    ["a buffer as scratch memory", gridKernel(1, 1, [], [x], () => []), "declared as scratch memory"],
    [
      "half an item",
      { ...kernelOf(), launch: { ...kernelOf().launch, extent: 0.5 } as Kernel["launch"] },
      "sizes 0.5",
    ],
  ])("%s", (_, kernel, message) => {
    expect(messageOf(kernel)).toContain(message);
  });
});
