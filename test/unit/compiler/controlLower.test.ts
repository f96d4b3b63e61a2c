/** What `lower` tells of branches and loops, and when single ones are compiled. */
import { debug, debugNans, jit, lax, type NDArray, numpy as np, ShapeDtype } from "fluxion";
import { afterEach, describe, expect, it, vi } from "vitest";
import { wasmDevice } from "../../../src/backends/wasm/device.js";
import type { LoweredControl } from "../../../src/core/lowered.js";
import type { Primitive } from "../../../src/core/primitive.js";
import { findPrimitive } from "../../../src/core/primitive.js";
import { errorOf, f32, plain } from "../values.js";

afterEach(() => {
  debugNans(false);
  vi.restoreAllMocks();
});

const running = (x: NDArray): NDArray[] =>
  lax.scan(
    (c: NDArray, a: NDArray): [NDArray, NDArray] => {
      const next = c.mul(0.5).add(np.sin(a));
      return [next, np.sum(next)];
    },
    np.zeros([100]),
    x,
  ) as NDArray[];

const controlOf = (f: (...xs: NDArray[]) => unknown, ...types: ShapeDtype[]) => {
  const lowered = jit(f).lower(...types);
  const step = lowered.steps.find((s): s is LoweredControl => s.kind === "control");
  if (step === undefined) throw new Error("no branch or loop");
  return { lowered, step };
};

describe("lower", () => {
  it("shows a loop with the steps of its body", () => {
    const { lowered, step } = controlOf(running, new ShapeDtype([7, 100]));
    expect([step.name, step.flow, step.length]).toEqual(["scan", "scan", 7]);
    expect(step.text).toContain("length=7");
    expect(step.bodies.map((b) => b.name)).toEqual(["body"]);
    const inside = step.bodies[0].steps;
    expect(inside.length).toBeGreaterThan(0);
    expect(inside.every((s) => s.kind === "kernel")).toBe(true);
    // The kernels of the body are among the kernels of the program, each with its code.
    for (const s of inside) {
      expect(lowered.kernels).toContain(s);
      if (s.kind === "kernel") expect(s.source).toContain("(module");
    }
    expect(step.buffers.map((b) => [b.size, b.access])).toEqual(
      expect.arrayContaining([
        [700, "read"],
        [100, "write"],
        [7, "write"],
      ]),
    );
    expect(String(lowered)).toMatch(/1 branch or loop/);
    expect(String(lowered)).toMatch(/\n {3}body:\n {5}0\. /);
  });

  it("counts the bytes of a body as often as it runs", () => {
    const traffic = (n: number): number => {
      const { lowered, step } = controlOf(running, new ShapeDtype([n, 100]));
      const { bytesRead, bytesWritten } = lowered.costAnalysis();
      const [outside] = [lowered.steps.filter((s) => s !== step)];
      const fixed = outside.flatMap((s) => s.buffers).reduce((sum, b) => sum + b.bytes, 0);
      return bytesRead + bytesWritten - fixed;
    };
    expect(traffic(2)).toBeGreaterThan(1600);
    expect(traffic(40)).toBe(20 * traffic(2));
  });

  it("memory does not grow with the number of steps, but for what is stacked", () => {
    const bytes = (n: number): number =>
      controlOf(running, new ShapeDtype([n, 100])).lowered.memoryAnalysis().temporaryBytes;
    expect(bytes(1000)).toBe(bytes(1001));
    expect(bytes(1000)).toBeLessThan(4000);
  });

  it("says why values are stored for a loop", () => {
    const { lowered } = controlOf((x) => np.exp(running(np.cos(x))[1]), new ShapeDtype([7, 100]));
    const at = lowered.steps.findIndex((s) => s.kind === "control");
    const before = lowered.boundaries.find((b) => b.to === at && b.value.primitive === "cos");
    expect(before?.reasons).toContain("scan runs programs of its own, which need their operands in memory");
    const after = lowered.boundaries.find((b) => b.from === at);
    expect(after?.value.primitive).toBe("scan");
    const text = String(lowered.explain());
    expect(text).toContain("scan is a step of its own");
  });

  it("explains the boundaries of bodies, too", () => {
    const f = (x: NDArray): unknown =>
      lax.scan((c: NDArray) => [np.sort(np.sin(c)).sub(np.mean(c)), null] as [NDArray, null], x, null, {
        length: 3,
      });
    const { lowered, step } = controlOf(f as (x: NDArray) => unknown, new ShapeDtype([500]));
    expect(step.bodies[0].boundaries().length).toBeGreaterThan(0);
    expect(String(lowered.explain())).toMatch(/in \d+\. scan, body:\n {2}\w+ float32/);
  });

  it("shows all branches", () => {
    const f = (p: NDArray, x: NDArray): NDArray =>
      lax.cond(
        p,
        (a: NDArray) => np.sin(a),
        (a: NDArray) => np.sort(a),
        x,
      );
    const { step } = controlOf(f, new ShapeDtype([], "bool"), new ShapeDtype([50]));
    expect(step.bodies.map((b) => b.name)).toEqual(["branch 0", "branch 1"]);
    expect(step.length).toBeUndefined();
  });
});

describe("a loop that is run by itself", () => {
  const evaluations = (name: string) => {
    const primitive = findPrimitive(name) as Primitive;
    return vi.spyOn(primitive, "evaluate");
  };
  const total = (): number[] =>
    plain(
      lax.scan((c: NDArray, a: NDArray) => [c.add(a), null] as [NDArray, null], f32(0), f32([1, 2, 3]))[0],
    ) as never;

  it("is compiled, however small", () => {
    const evaluate = evaluations("scan");
    const run = vi.spyOn(wasmDevice, "run");
    expect(total()).toBe(6);
    expect(evaluate).not.toHaveBeenCalled();
    expect(run).toHaveBeenCalled();
  });

  it("runs an operation at a time where NaNs are looked for, and names the operation", () => {
    debugNans(true);
    const evaluate = evaluations("scan");
    expect(total()).toBe(6);
    expect(evaluate).toHaveBeenCalledTimes(1);
    const error = errorOf(() =>
      lax.scan((c: NDArray, a: NDArray) => [np.log(c.sub(a)), null] as [NDArray, null], f32(1), f32([0, 2])),
    );
    expect(error.message).toMatch(/\blog\b/);
  });

  it("prints in order, once for each step", () => {
    const printed: string[] = [];
    vi.spyOn(console, "log").mockImplementation((line) => void printed.push(String(line)));
    const f = (xs: NDArray): NDArray => {
      debug.print("before");
      const [y] = lax.scan(
        (c: NDArray, a: NDArray) => {
          debug.print("step {}", a);
          return [c.add(a), null] as [NDArray, null];
        },
        f32(0),
        xs,
      );
      debug.print("after {}", y);
      return y;
    };
    const wanted = ["before", "step 1", "step 2", "step 3", "after 6"];
    expect(plain(f(f32([1, 2, 3])))).toBe(6);
    expect(printed.map((s) => s.replace(/\.0\b/g, ""))).toEqual(wanted);
    printed.length = 0;
    const g = jit(f);
    expect(plain(g(f32([1, 2, 3])))).toBe(6);
    expect(printed.map((s) => s.replace(/\.0\b/g, ""))).toEqual(wanted);
  });
});
