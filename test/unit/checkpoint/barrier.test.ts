/** optimizationBarrier: the identity, across which nothing is merged and nothing moves. */
import {
  ArgumentError,
  countEqns,
  grad,
  jit,
  jvp,
  lax,
  linearTranspose,
  makeJaxpr,
  type NDArray,
  numpy as np,
  partialEvalJaxpr,
  ShapeDtype,
  tree,
  vmap,
} from "fluxion";
import { describe, expect, it } from "vitest";
import { compile, wasmOptions, webgpuOptions } from "../../../src/compiler/compile.js";
import { expectSameBits, wave } from "./tools.js";

const barrier = lax.optimizationBarrier;
const x = wave([3]);

describe("the identity", () => {
  it("gives the same tree", () => {
    const given = { a: x, b: [np.array([1, 2], { dtype: "int32" }), np.array([true])] };
    expectSameBits(barrier(given), given);
    expectSameBits(jit(() => barrier(given))(), given);
    expect(tree.leaves(barrier([])).length).toBe(0);
    expect(barrier(2).item()).toBe(2);
  });

  it("has the derivatives of the identity, both modes, batched and compiled", () => {
    const f = (v: NDArray) => barrier({ v, w: v.mul(2) });
    const u = wave([3]).mul(3);
    const wanted = { v: u, w: u.mul(2) };
    expectSameBits(jvp(f, [x], [u])[1], wanted);
    expectSameBits(jit((v: NDArray) => jvp(f, [v], [u])[1])(x), wanted);
    expectSameBits(linearTranspose(f, x)(wanted)[0], u.add(u.mul(4)));
    const squares = (v: NDArray) => barrier([v.mul(v), x])[0].sum();
    expectSameBits(grad(squares)(x), x.mul(2));
    expect(
      grad(grad((s: NDArray) => barrier(s.mul(s).mul(s))))(np.array(2, { dtype: "float64" })).item(),
    ).toBe(12);
    expectSameBits(vmap(grad(squares))(wave([2, 3])), wave([2, 3]).mul(2));
  });

  it("lets what is known be known", () => {
    const { jaxpr } = makeJaxpr((a: NDArray, b: NDArray) => {
      const [c, d] = barrier([a, b]);
      return c.sin().mul(d);
    })(x, x);
    const { known, unknown } = partialEvalJaxpr(jaxpr, [false, true]);
    expect(String(known)).toContain("sin");
    expect(String(unknown)).not.toContain("sin");
  });

  it("refuses what is no array", () => {
    expect(() => barrier("a" as never)).toThrow(ArgumentError);
    expect(() => barrier("a" as never)).toThrow(/lax.optimizationBarrier/);
  });
});

describe("compiled", () => {
  const sines = (hide: (v: NDArray) => NDArray) => (v: NDArray) => [v.sin(), hide(v).sin()];

  it("merges nothing across it, and what stands on the same side", () => {
    const cost = (f: (v: NDArray) => unknown) =>
      jit(f as (v: NDArray) => NDArray)
        .lower(new ShapeDtype([10]))
        .costAnalysis();
    expect(cost(sines((v) => v)).transcendentals).toBe(10);
    expect(cost(sines((v) => barrier(v))).transcendentals).toBe(20);
    expect(cost((v) => [barrier(v).sin(), barrier(v).sin()]).transcendentals).toBe(10);
  });

  it("copies nothing", () => {
    const plain = jit((v: NDArray) => v.matmul(v)).lower(new ShapeDtype([64, 64]));
    const barred = jit((v: NDArray) => {
      const [a, b] = barrier([v, v]);
      return a.matmul(b);
    }).lower(new ShapeDtype([64, 64]));
    expect(barred.memoryAnalysis()).toEqual(plain.memoryAnalysis());
    expect(barred.costAnalysis()).toEqual(plain.costAnalysis());
    expect(barred.steps.length).toBe(plain.steps.length);
  });

  /** Two sines of which the second could be computed with the first one, but must wait for the sum. */
  const waiting = (hide: boolean) => (v: NDArray) => {
    const first = v.sin();
    const total = first.exp().sum();
    const [w] = hide ? barrier([v, total]) : [v];
    return [total, first, w.mul(2).sin()];
  };

  it.each([
    ["wasm", wasmOptions],
    ["webgpu", webgpuOptions],
  ] as const)("starts what stands behind only when all operands are there: %s", (_, options) => {
    const stepOf = (hide: boolean): number[] => {
      const { jaxpr } = makeJaxpr(waiting(hide))(new ShapeDtype([100_000]));
      const { steps, outputs } = compile(jaxpr, options);
      return outputs.map((b) =>
        steps.findLastIndex((s) => s.kind === "kernel" && s.kernel.buffers.includes(b)),
      );
    };
    const [free] = [stepOf(false)];
    expect(free[2]).toBeLessThanOrEqual(free[0]);
    const [total, , last] = stepOf(true);
    expect(last).toBeGreaterThanOrEqual(total);
    expect(stepOf(true)).not.toEqual(free);
  });

  it("orders values that are computed where they are used", () => {
    // 2v is computed in the kernel of whoever needs it; that it must wait is not lost.
    const f = (v: NDArray) => {
      const total = v.exp().sum();
      const w = barrier([v, total])[0].mul(2);
      return [total, w.sin(), w.cos()];
    };
    const { jaxpr } = makeJaxpr(f)(new ShapeDtype([100_000]));
    const { steps, outputs } = compile(jaxpr, wasmOptions);
    const step = (i: number) =>
      steps.findIndex((s) => s.kind === "kernel" && s.kernel.buffers.includes(outputs[i]));
    expect(step(1)).toBeGreaterThanOrEqual(step(0));
    expect(step(2)).toBeGreaterThanOrEqual(step(0));
    expectSameBits(jit(f)(x), f(x));
  });

  it("is gone from the program that is run, dead operands too", () => {
    const lowered = jit((v: NDArray) => barrier([v, v.sin().cos()])[0].mul(2)).lower(new ShapeDtype([4]));
    expect(String(lowered.simplified)).not.toContain("optimizationBarrier");
    expect(countEqns(lowered.simplified)).toBe(1);
    expect(String(lowered.jaxpr)).toContain("optimizationBarrier");
  });
});
