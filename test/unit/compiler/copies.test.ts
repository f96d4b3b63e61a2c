import { describe, expect, it } from "vitest";
import { withCopies } from "../../../src/compiler/copies.js";
import { kernelText } from "../../../src/compiler/text.js";
import { add, get, host, load, loop, mul, store } from "../../../src/core/ir/ops.js";
import { Buffer, type Expr, type Kernel, Local } from "../../../src/core/ir/types.js";
import { init, jit, type NDArray, numpy as np, ShapeDtype } from "../../../src/index.js";

await init({ device: "wasm" });

/** Stores f of each element of a new buffer in another. */
function kernelOf(f: (x: Expr) => Expr, size = 8): Kernel {
  const [x, y] = [new Buffer(`x${count++}`, "float32", size), new Buffer(`y${count++}`, "float32", size)];
  const [begin, end] = [new Local("begin", "i32"), new Local("end", "i32")];
  return {
    name: "map",
    launch: { kind: "range", extent: size, begin, end },
    buffers: [x, y],
    scratch: [],
    body: [loop("i", get(begin), get(end), (i) => [store(y, i, f(load(x, i)))])],
  };
}
let count = 0;

describe("kernels that do the same", () => {
  it("are looked at once", () => {
    const seen: Kernel[] = [];
    const pass = withCopies((k) => {
      seen.push(k);
      return k;
    });
    const first = pass(kernelOf((x) => add(mul(x, 2), 1)));
    const kernel = kernelOf((x) => add(mul(x, 2), 1));
    const second = pass(kernel);
    expect(seen.length).toBe(1);
    expect(second.copyOf).toBe(first);
    expect(second.buffers).toEqual(kernel.buffers);
    // With the names of its own buffers it is what the pass would have made of it.
    expect(kernelText(second)).toBe(kernelText(kernel));
  });

  it.each<[string, Kernel, Kernel]>([
    ["constants", kernelOf((x) => add(x, 0)), kernelOf((x) => add(x, -0))],
    ["operations", kernelOf((x) => add(x, 2)), kernelOf((x) => mul(x, 2))],
    ["sizes", kernelOf((x) => add(x, 2)), kernelOf((x) => add(x, 2), 9)],
    [
      "functions of the host",
      kernelOf((x) => host("f", "f32", (v) => v, [x])),
      kernelOf((x) => host("f", "f32", (v) => -v, [x])),
    ],
    ["elements", kernelOf((x) => add(x, x)), kernelOf((x) => add(x, load(new Buffer("z", "float32", 8), 0)))],
  ])("differ in %s", (_, one, other) => {
    const pass = withCopies((k) => k);
    expect(pass(one)).toBe(one);
    expect(pass(other)).toBe(other);
  });

  it("are compiled once in a loop that is written out, and compute the same", () => {
    const step = (h: NDArray, w: NDArray): NDArray => np.tanh(h.matmul(w));
    const steps = 20;
    const unrolled = jit((h: NDArray, w: NDArray) => {
      let state = h;
      for (let i = 0; i < steps; i++) state = step(state, w);
      return state;
    });
    const { kernels } = unrolled.lower(new ShapeDtype([4, 12]), new ShapeDtype([12, 12]));
    // Each is described with buffers of its own: no two steps have the same text.
    expect(new Set(kernels.map(({ text }) => text)).size).toBe(kernels.length);
    const [h, w] = [np.linspace(-1, 1, 48).reshape([4, 12]), np.linspace(-0.5, 0.5, 144).reshape([12, 12])];
    const one = jit(step);
    let state = h;
    for (let i = 0; i < steps; i++) state = one(state, w);
    expect(unrolled(h, w).tolist()).toEqual(state.tolist());
  });
});
