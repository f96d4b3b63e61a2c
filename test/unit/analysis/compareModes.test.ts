/** `compareModes`: its counts against counts by hand, its verdicts, and what it says of bad input. */
import { describe, expect, it } from "vitest";
import { objective } from "../../../docs/examples/mnist/model.js";
import { compareModes } from "../../../src/analysis/modes/compareModes.js";
import { scaleModes } from "../../../src/analysis/modes/scaling.js";
import { loadPackage } from "../../../src/analysis/optionalPackage.js";
import { MissingPackageError } from "../../../src/core/errors.js";
import {
  ArgumentError,
  ConcretizationError,
  grad,
  jaxprCost,
  jit,
  makeJaxpr,
  type NDArray,
  NotDifferentiableError,
  numpy as np,
  ShapeDtype,
  savedResiduals,
} from "../../../src/index.js";

const f32 = (...shape: number[]): ShapeDtype => new ShapeDtype(shape);

const wave = (x: NDArray) => np.sum(np.sin(x).mul(x));
const curve = (t: NDArray) => np.sin(np.arange(1000).astype("float32").mul(t));
/** yᵢ = xᵢ² - xᵢ₋₁ xᵢ₊₁ */
const banded = (x: NDArray) =>
  x
    .mul(x)
    .slice({ start: 1, stop: -1 })
    .sub(x.slice({ start: 2 }).mul(x.slice({ stop: -2 })));
const network = [{ W1: f32(256, 784), W2: f32(10, 256) }, f32(1, 784), new ShapeDtype([1], "int32")] as const;

/** Operations to make the unit vectors of n passes: each entry is a comparison of two positions and a conversion. */
const basis = (n: number): number => 2 * n * n;

describe("counted operations, by hand", () => {
  it("f(x) = Σ sin(xᵢ) xᵢ", async () => {
    const n = 50;
    const modes = await compareModes(wave, f32(n));
    expect(modes.row("value").operations).toBe(3 * n); // sin, product, sum
    // The value, cos, and for a tangent t: t·cos(x), (t·cos(x))·x, sin(x)·t, their sum, the sum of all.
    expect(modes.row("jvp").operations).toBe(3 * n + n + 5 * n);
    // The value, cos, and for the cotangent c: c·sin(x), c·x, (c·x)·cos(x), their sum.
    expect(modes.row("vjp").operations).toBe(3 * n + n + 4 * n);
    // sin and cos once, then the five for each of n tangents, and the tangents themselves.
    expect(modes.row("forward").operations).toBe(2 * n + n * 5 * n + basis(n));
    // sin and cos once, then the four for the one cotangent, which is the number 1.
    expect(modes.row("reverse").operations).toBe(2 * n + 4 * n);
    expect(modes.row("reverse").multiplications).toBe(3 * n);
    expect(modes.row("reverse").transcendentals).toBe(2 * n);
  });

  it("f(x) = W x, a constant matrix", async () => {
    const [outputs, inputs] = [3, 4];
    const W = np.ones([outputs, inputs]);
    const linear = (x: NDArray) => W.matmul(x);
    const modes = await compareModes(linear, f32(inputs));
    const product = 2 * outputs * inputs; // a product and an addition for each entry
    expect(modes.row("value").operations).toBe(product);
    expect(modes.row("jvp").operations).toBe(2 * product); // W x and W t
    expect(modes.row("vjp").operations).toBe(2 * product); // W x and Wᵀ c
    expect(modes.row("forward").operations).toBe(inputs * product + basis(inputs));
    expect(modes.row("reverse").operations).toBe(outputs * product + basis(outputs));
    expect([modes.row("forward").passes, modes.row("reverse").passes]).toEqual([4, 3]);
  });

  it("f(x) = xᵢ²", async () => {
    const n = 6;
    const modes = await compareModes((x: NDArray) => x.mul(x), f32(n));
    expect(modes.row("value").operations).toBe(n);
    // t·x + x·t, which are equal and computed once
    expect(modes.row("jvp").operations).toBe(n + 2 * n);
    // (c + c)·x
    expect(modes.row("vjp").operations).toBe(n + 2 * n);
    expect(modes.row("forward").operations).toBe(n * 2 * n + basis(n));
    expect(modes.row("reverse").operations).toBe(n * 2 * n + basis(n));
  });
});

describe("verdicts", () => {
  it("many inputs, one output: reverse mode", async () => {
    const { verdict, crossover, sentence } = await compareModes(wave, f32(1000));
    expect([verdict.mode, verdict.over]).toEqual(["reverse", "forward"]);
    expect(verdict.factor).toBeGreaterThan(1000);
    expect(crossover).toBeLessThan(1);
    expect(sentence).toMatch(/^1,000 inputs, 1 output: reverse mode, 1,\d\d0 times cheaper\.\n/);
    expect(sentence).toContain("not be cheaper even with a single input");
  });

  it("the loss of a network: reverse mode", async () => {
    const modes = await compareModes(objective, ...network);
    expect(modes.verdict.mode).toBe("reverse");
    expect(modes.inputs).toBe(256 * 784 + 10 * 256 + 784);
    expect(modes.verdict.factor).toBeGreaterThan(1e5);
    const onlyParameters = await compareModes(objective, ...network, { argnums: 0 });
    expect(onlyParameters.inputs).toBe(203_264);
  });

  it("one input, many outputs: forward mode", async () => {
    const { verdict, crossover, sentence } = await compareModes(curve, f32());
    expect([verdict.mode, verdict.over]).toEqual(["forward", "reverse"]);
    expect(verdict.factor).toBeGreaterThan(900);
    expect(crossover).toBeGreaterThan(500);
    expect(sentence).toMatch(
      /^1 input, 1,000 outputs: forward mode, 1,000 times cheaper\.\nBoth would cost the same at/,
    );
  });

  it("a band: few passes, which its pattern allows", async () => {
    const n = 500;
    const modes = await compareModes(banded, f32(n));
    expect([modes.verdict.mode, modes.verdict.over]).toEqual(["compressedForward", "forward"]);
    expect(modes.verdict.factor).toBeGreaterThan(100);
    expect(modes.row("compressedForward").passes).toBe(3);
    expect(modes.row("compressedReverse").passes).toBe(3);
    expect(modes.sentence).toMatch(
      /^500 inputs, 498 outputs: sparse, 3 compressed jvps, \d+ times cheaper than forward mode/,
    );
    // A full Jacobian has no such rows, nor has a gradient.
    const full = await compareModes((x: NDArray) => x.mul(np.sum(x)), f32(20));
    expect(full.find("compressedForward")).toBeUndefined();
    expect((await compareModes(wave, f32(20))).rows).toHaveLength(5);
  });

  it("a constant that is sparse makes a Jacobian that is", async () => {
    const two = np.array([2, 2, 2, 2, 2, 2]);
    const modes = await compareModes((x: NDArray) => np.diag(two).matmul(x), f32(6));
    expect(modes.row("compressedForward").passes).toBe(1);
  });

  it("a result that does not depend on the inputs", async () => {
    const modes = await compareModes((_: NDArray) => np.ones([3]), f32(2));
    expect(modes.row("reverse").passes).toBe(0);
    expect(modes.verdict.factor).toBeGreaterThanOrEqual(1);
    expect(modes.sentence).toMatch(/^2 inputs, 3 outputs: the result does not depend on the inputs\./);
    const same = await compareModes((x: NDArray) => x, f32(10));
    expect(same.sentence).toMatch(
      /^10 inputs, 10 outputs: sparse, 1 compressed jvp, which takes no operations\./,
    );
  });
});

describe("what is compared", () => {
  it("a million inputs and more, without computing anything", async () => {
    for (const n of [1e6, 1e9]) {
      const modes = await compareModes(wave, f32(n));
      expect(modes.row("forward").passes).toBe(n);
      expect(modes.row("forward").operations).toBe(2 * n + n * 5 * n + basis(n));
      expect(modes.row("reverse").operations).toBe(6 * n);
    }
  });

  it("the gradient is what grad makes, and residuals are those of savedResiduals", async () => {
    const { jaxpr } = makeJaxpr(grad(wave))(f32(30));
    const modes = await compareModes(wave, f32(30));
    expect(modes.row("reverse")).toMatchObject(jaxprCost(jaxpr));
    const saved = savedResiduals(wave, f32(30));
    expect(modes.row("vjp").residuals).toEqual({ count: saved.residuals.length, bytes: saved.totalBytes });
    expect(modes.row("forward").residuals).toEqual({ count: 0, bytes: 0 });
  });

  it("trees of inputs and outputs, constants, jitted functions", async () => {
    const scale = np.array([1, 2, 3]);
    const f = jit(({ a, b }: { a: NDArray; b: NDArray }, n: NDArray) => ({
      p: a.mul(scale),
      q: [np.sum(b.mul(n)), b],
    }));
    const modes = await compareModes(f, { a: f32(3), b: f32(2, 2) }, new ShapeDtype([], "int32"));
    expect([modes.inputs, modes.outputs]).toEqual([7, 8]);
    expect(modes.row("forward").passes).toBe(7);
    expect(modes.row("reverse").passes).toBe(8);
  });

  it("arrays and numbers are arguments too, and may decide what is traced", async () => {
    const f = (x: NDArray, k: NDArray | number) => ((x.item() as number) > 0 ? np.sin(x).mul(k) : x);
    const modes = await compareModes(f, np.array(2), 3);
    expect(modes.inputs).toBe(2);
    expect(modes.row("value").operations).toBe(2);
    await expect(compareModes(f, f32(), 3)).rejects.toThrow(ConcretizationError);
  });

  it("prints aligned", async () => {
    const lines = String(await compareModes(curve, f32())).split("\n");
    const head = lines[0];
    expect(head).toMatch(/^ +passes +multiplications +operations +bytes moved +peak memory +residuals$/);
    expect(lines.slice(1, 6).map((line) => line.replace(/ {2,}.*/, ""))).toEqual([
      "value",
      "one jvp",
      "one vjp",
      "Jacobian by jvp",
      "Jacobian by vjps",
    ]);
    const at = head.indexOf("passes") + "passes".length;
    for (const line of lines.slice(1, 6)) expect(line[at - 1]).toMatch(/\d/);
  });
});

describe("measuring", () => {
  it("gives times, and a verdict by them", async () => {
    const modes = await compareModes(wave, f32(2000), { measure: true, timeLimit: 100 });
    for (const row of modes.rows) expect(row.ms).toBeGreaterThan(0);
    expect(modes.verdict.measured?.mode).toBe("reverse");
    expect(String(modes)).toMatch(/Measured on \w+: reverse mode, [\d.,]+ times faster than forward mode\./);
  });

  it("leaves out what would take too long or too much memory, and says so", async () => {
    const long = await compareModes(wave, f32(1e6), { measure: true, timeLimit: 20 });
    expect(long.row("forward").ms).toBeUndefined();
    expect(long.row("forward").skipped).toMatch(/^would take about/);
    const large = await compareModes(curve, f32(), { measure: true, timeLimit: 20, memoryLimit: 1000 });
    expect(large.rows.map((row) => row.skipped)).toEqual(
      large.rows.map(() => expect.stringMatching(/^needs [\d.]+ kB$/)),
    );
    expect(large.verdict.measured).toBeUndefined();
    expect(String(large)).toContain("Not measured: value, which needs");
  });
});

describe("scaling", () => {
  it("the ratio grows like n", async () => {
    const sizes = [1, 10, 100, 1000, 1e4, 1e5, 1e6];
    const growth = await scaleModes((n) => [wave, [f32(n)]], sizes);
    expect(growth.comparisons.map((c) => c.inputs)).toEqual(sizes);
    // (7n² + 2n) / 6n
    for (const [i, n] of sizes.entries()) expect(growth.ratios[i]).toBeCloseTo((7 * n + 2) / 6, 5);
    expect(String(growth).split("\n")).toHaveLength(sizes.length + 2);
    expect([...growth]).toHaveLength(sizes.length);
  });

  it("takes sizes and a family", async () => {
    await expect(scaleModes(() => [wave, [f32(2)]], [])).rejects.toThrow(/sizes must be a list/);
    await expect(scaleModes(() => wave as never, [1])).rejects.toThrow(/must give \[f, arguments\]/);
    await expect(scaleModes(wave as never, [1], { depth: 2 } as never)).rejects.toThrow(/no option "depth"/);
  });
});

describe("pictures", () => {
  it("of a comparison: both lines, and where they cross", async () => {
    const modes = await compareModes(curve, f32());
    const svg = await modes.svg();
    expect(svg).toMatch(/^<svg[^>]*viewBox/);
    for (const word of ["forward mode", "reverse mode", "inputs", "operations", "the same at"])
      expect(svg).toContain(word);
    expect(await modes.svg()).toBe(svg);
  });

  it("of a family of sizes, with times on an axis of their own", async () => {
    const family = (n: number) => [wave, [f32(n)]] as const;
    const counted = await (await scaleModes(family, [1, 10, 100])).svg();
    expect(counted).not.toContain("measured");
    const options = { measure: true, timeLimit: 10 } as const;
    const measured = await (await scaleModes(family, [1, 10, 100], options)).svg();
    for (const word of ["forward, measured", "reverse, measured", "µs"]) expect(measured).toContain(word);
  });

  it("need a package, and say so where it is missing", async () => {
    const missing = loadPackage("echarts", "ModeComparison.svg", () =>
      Promise.reject(new Error("not found")),
    );
    await expect(missing).rejects.toThrow(
      /ModeComparison\.svg needs the package "echarts" \(npm install echarts\)/,
    );
    await expect(missing).rejects.toBeInstanceOf(MissingPackageError);
    await expect(missing).rejects.toMatchObject({ code: "missing-package", packageName: "echarts" });
  });
});

describe("bad input", () => {
  const int = new ShapeDtype([3], "int32");

  it("nothing to differentiate by", async () => {
    const f = (x: NDArray) => x.astype("float32");
    await expect(compareModes(f, int)).rejects.toThrow(NotDifferentiableError);
    await expect(compareModes(f, int)).rejects.toThrow(
      /compareModes\(f\) needs at least one float argument to differentiate by, got int32\[3\]/,
    );
    await expect(
      compareModes((x: NDArray, y: NDArray) => x.mul(y), f32(3), int, { argnums: 1 }),
    ).rejects.toThrow(/needs float inputs, but argument 1 is int32\[3\].*argnums/);
  });

  it("a result that is no float", async () => {
    const f = (x: NDArray) => ({ loss: np.sum(x), best: np.argmax(x) });
    await expect(compareModes(f, f32(3))).rejects.toThrow(
      /the output of compareModes\(f\) at \.best is int32\[\]/,
    );
  });

  it("options", async () => {
    const wrong = (options: object) => compareModes(wave, f32(3), options as never);
    await expect(wrong({ measured: true })).rejects.toThrow(
      /no option "measured".*measure, memoryLimit, timeLimit/,
    );
    await expect(wrong({ measure: "yes" })).rejects.toThrow(ArgumentError);
    await expect(wrong({ timeLimit: -1 })).rejects.toThrow(
      /timeLimit must be a number of milliseconds, got -1/,
    );
    await expect(wrong({ argnums: 1 })).rejects.toThrow(/argnums 1 is not a position/);
  });

  it("what is no function, and a row that is not there", async () => {
    await expect((compareModes as (f: unknown) => Promise<unknown>)(3)).rejects.toThrow(
      /compareModes takes a function, got number/,
    );
    const modes = await compareModes(wave, f32(2));
    expect(() => modes.row("backward" as never)).toThrow(/no row "backward"; the rows are value, jvp/);
  });
});
