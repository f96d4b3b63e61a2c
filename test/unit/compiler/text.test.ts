/** Kernels as text. */
import { expect, it } from "vitest";
import { exprText, kernelText } from "../../../src/compiler/text.js";
import * as ir from "../../../src/core/ir/ops.js";
import { Buffer, type Expr, Local } from "../../../src/core/ir/types.js";
import { gridKernel, itemKernel } from "./kernels.js";

const { get, load, store } = ir;
const x = new Buffer("x", "float32", 8);
const y = new Buffer("y", "float32", 8);

it("a range, with loops, branches, cells and names made different", () => {
  const kernel = itemKernel(8, [x, y], (item) => {
    const acc = new Local("acc", "f32", 1, true);
    const shade = new Local("acc", "f32");
    return [
      ir.letIn(acc, ir.constant("f32", -0)),
      ir.letIn(shade, load(x, item)),
      ir.loop("r", 0, 8, (r) => [ir.assign(acc, ir.add(get(acc), load(x, r)))], 2),
      ir.loopWhile(ir.lt(get(acc), get(shade)), [ir.assign(acc, ir.mul(get(acc), 2))]),
      ir.when(ir.lt(item, 4), [store(y, item, get(acc))], [store(y, item, ir.max(get(acc), 0))]),
    ];
  });
  expect(kernelText(kernel)).toBe(
    `kernel test: range begin..end of 8, x float32[8], y float32[8]
  for item = begin to end {
    var acc: f32 = -0
    let acc_1: f32 = x[item]
    for r = 0 to 8 step 2 {
      acc = acc + x[r]
    }
    while acc < acc_1 {
      acc = acc * 2
    }
    if item < 4 {
      y[item] = acc
    } else {
      y[item] = max(acc, 0)
    }
  }`,
  );
});

it("a grid, with scratch memory, a barrier and an atomic", () => {
  const part = new Buffer("part", "float32", 4, "scratch");
  const kernel = gridKernel(2, 4, [x], [part], (group, thread) => [
    store(part, thread, load(x, ir.add(ir.mul(group, 4), thread))),
    ir.barrier,
    { kind: "atomic", fn: "add", buffer: x, index: ir.i32(0), value: load(part, 1) },
  ]);
  expect(kernelText(kernel)).toBe(
    `kernel test: grid of 2 groups (group) of 4 threads (thread), x float32[8], scratch part float32[4]
  part[thread] = x[(group * 4) + thread]
  barrier
  atomic add x[0], part[1]`,
  );
});

const a = get(new Local("a", "f32"));
const k = get(new Local("k", "i32"));
const v = load(x, k, undefined, 4);

it.each<[Expr, string]>([
  [ir.mul(ir.add(a, 1), ir.sub(a, 2)), "(a + 1) * (a - 2)"],
  [ir.neg(ir.add(a, 1)), "neg(a + 1)"],
  [ir.select(ir.lt(a, 1), ir.min(a, 3), a), "select(a < 1, min(a, 3), a)"],
  [ir.cast("i32", ir.add(a, 1)), "i32(a + 1)"],
  [ir.bitcast("u32", a), "bits_u32(a)"],
  [load(x, ir.add(k, 1), ir.gt(k, 0)), "x[k + 1 if k > 0]"],
  [v, "x[k; 4]"],
  [ir.add(v, a), "x[k; 4] + splat(a)"],
  [ir.vector([a, ir.add(a, 1), a, a]), "vector(a, a + 1, a, a)"],
  [ir.extract(v, 2), "x[k; 4].2"],
  [ir.host("exp", "f32", Math.exp, [a]), "exp(a)"],
])("%# %s", (e, text) => {
  expect(exprText(e)).toBe(text);
});

it("what is shared is written once, so that the text does not explode", () => {
  let e = load(x, 0);
  for (let n = 0; n < 100; n++) e = ir.mul(e, e);
  const text = kernelText(itemKernel(8, [x, y], (item) => [store(y, item, e)]));
  expect(text.split("\n").slice(2, 5)).toEqual(["    $0 = x[0]", "    $1 = $0 * $0", "    $2 = $1 * $1"]);
  expect(text.length).toBeLessThan(4000);
  expect(exprText(ir.mul(ir.sqrt(a), ir.sqrt(a)))).toBe("sqrt(a) * sqrt(a)");
});
