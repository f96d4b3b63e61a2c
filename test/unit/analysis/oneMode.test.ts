/** Functions that have one mode only: a backward pass that is not linear cannot be turned into a forward one. */
import {
  customVjp,
  debug,
  jacrev,
  type NDArray,
  NotDifferentiableError,
  numpy as np,
  ShapeDtype,
} from "fluxion";
import { compareModes, jacobian, memoryFootprint, scaleModes, sparsity } from "fluxion/analysis";
import { describe, expect, it } from "vitest";
import { expectClose, plain } from "../values.js";

/** The sine, of which cotangents come back positive. */
const sine = customVjp((x: NDArray) => np.sin(x)).defVjp(
  (x: NDArray) => [np.sin(x), x],
  (x: NDArray, ct: NDArray) => [np.abs(ct).mul(np.cos(x))],
);
const mixed = (x: NDArray) => sine(x).mul(np.roll(x, 1));
const total = (x: NDArray) => np.sum(sine(x));
const parts = (x: NDArray) => [sine(x), np.roll(x, 1).mul(x), np.sum(x)];
const x = np.array([0.5, 1, 1.25, 2], { dtype: "float32" });

describe("a function without forward mode", () => {
  it.each([
    ["many outputs", mixed],
    ["one output", total],
    ["leaves", parts],
  ] as const)("jacobian of %s goes the other way", (_, f) => {
    const expected = plain(jacrev(f as typeof mixed)(x));
    for (const mode of ["auto", "reverse", "compressedReverse"] as const)
      expectClose(jacobian(f as typeof mixed, { mode })(x), expected, 1e-6);
    expect(() => jacobian(f as typeof mixed, { mode: "forward" })(x)).toThrow(NotDifferentiableError);
  });

  it("jacobian says that there is no other", () => {
    const [, plan] = jacobian(mixed, { explain: true })(x);
    expect(plan.way).toBe("reverse");
    expect(plan.candidates.map(({ way }) => way)).toEqual(["reverse"]);
    expect(plan.reason).toMatch(
      /^Reverse: 4 passes\. Not possible is forward: forward mode through .* must be linear/,
    );
  });

  it("sparsity knows nothing of it, and what is beside it", () => {
    const pattern = sparsity((y: NDArray) => np.concatenate([sine(y), y]), x);
    expect(pattern.nonzeros).toBe(4 * 4 + 4);
  });

  it("compareModes gives the rows that there are, and the reason for the others", async () => {
    for (const f of [mixed, total]) {
      const modes = await compareModes(f, new ShapeDtype([5]));
      expect(modes.rows.map(({ kind }) => kind)).toEqual(["value", "vjp", "reverse"]);
      expect(modes.missing.map(({ kind }) => kind)).toEqual(["jvp", "forward"]);
      expect(modes.verdict).toMatchObject({ mode: "reverse", over: undefined, factor: 1 });
      expect(modes.crossover).toBeNaN();
      expect(modes.forwardLine).toBeUndefined();
      expect(modes.sentence).toMatch(
        /: reverse mode is the only way\.\nThere is no forward mode: forward mode through .* must be linear/,
      );
      expect(() => modes.row("forward")).toThrow(/there is no row "forward".* must be linear/);
    }
  });

  it("is drawn with one line, scaled, and has a footprint", async () => {
    const svg = await (await compareModes(total, new ShapeDtype([5]))).svg();
    expect(svg).toContain("reverse mode");
    expect(svg).not.toContain("forward mode");
    const growth = await scaleModes((n) => [total, [new ShapeDtype([n])]], [10, 100]);
    expect(growth.ratios).toEqual([Number.NaN, Number.NaN]);
    expect(String(growth).split("\n")).toHaveLength(4);
    expect(await growth.svg()).not.toContain("NaN");
    expect(memoryFootprint(total, x).ratio).toBeGreaterThan(1);
  });

  it("is measured", async () => {
    const timed = await compareModes(total, x, { measure: true, timeLimit: 5 });
    expect(timed.row("reverse").ms).toBeGreaterThan(0);
    expect(timed.verdict.measured).toBeUndefined();
    expect(timed.sentence.split("\n")).toHaveLength(2);
  });
});

describe("a function with effects", () => {
  it("is counted, but not run to be measured", async () => {
    const seen: number[] = [];
    const f = (y: NDArray) => {
      debug.callback(() => seen.push(1), y);
      return np.sin(y);
    };
    const modes = await compareModes(f, x, { measure: true });
    expect(modes.row("reverse").ms).toBeUndefined();
    expect(modes.row("value").skipped).toContain("has effects");
    expect(seen).toEqual([]);
  });
});
