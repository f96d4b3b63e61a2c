/** `memoryFootprint` and `scaleMemory`, against counts by hand. */
import {
  checkpoint,
  checkpointName,
  DtypeError,
  defaultDevice,
  jit,
  lax,
  type NDArray,
  numpy as np,
  ShapeDtype,
} from "fluxion";
import { memoryFootprint, scaleMemory } from "fluxion/analysis";
import { describe, expect, it } from "vitest";
import { currentDevice, type Device, setCurrentDevice } from "../../../src/core/device.js";

const spec = (...shape: number[]) => new ShapeDtype(shape);

/** This file, as it stands in the lines of residuals. */
const here = /memory\.test\.ts/;

const sumOfProducts = (x: NDArray) => np.sum(np.sin(x).mul(x));
const layer = (w: NDArray, x: NDArray) => np.sum(np.tanh(x.matmul(w)));

/** As many layers as one asks for, all with the same weights. */
const network = (layers: number) => (w: NDArray, x: NDArray) => {
  let h = x;
  for (let i = 0; i < layers; i++) h = np.tanh(h.matmul(w));
  return h.sum();
};

describe("as written, byte for byte", () => {
  it("counts a chain of elementwise operations", () => {
    const { prediction, training, storedBytes } = memoryFootprint(sumOfProducts, spec(100));
    // x; the sum; sin x and the product.
    expect(prediction.asWritten).toBe(400 + 4 + 2 * 400);
    // x; the sum and the gradient; sin x, cos x, the cotangent of the product and what is made of it.
    expect(training.asWritten).toBe(400 + 404 + 4 * 400);
    // sin x and cos x.
    expect(storedBytes).toBe(800);
  });

  it("counts a layer with its weights", () => {
    const { prediction, training, storedBytes } = memoryFootprint(layer, spec(2, 3), spec(4, 2), {
      argnums: 0,
    });
    // w and x; the sum; the product and its tanh.
    expect(prediction.asWritten).toBe(24 + 32 + 4 + 2 * 48);
    // w and x; the sum and the gradient; three arrays 4×3 at a time: tanh, 1 - tanh², the cotangent.
    expect(training.asWritten).toBe(24 + 32 + 4 + 24 + 3 * 48);
    // 1 - tanh².
    expect(storedBytes).toBe(48);
  });

  it("counts a function of many results by one cotangent pulled back", () => {
    const footprint = memoryFootprint((x: NDArray) => np.exp(x), spec(10));
    expect(footprint.kind).toBe("vjp");
    expect(footprint.prediction.asWritten).toBe(40 + 40);
    // x and the cotangent; the value, which is also what is stored, and the gradient.
    expect(footprint.training.asWritten).toBe(2 * 40 + 2 * 40);
  });

  it("does not count what is only looked at: integers have no gradient", () => {
    const pick = (x: NDArray, i: NDArray) => np.take(x, i).sum();
    const { gradients, inputs } = memoryFootprint(pick, spec(100), new ShapeDtype([5], "int32"));
    expect(inputs.map(({ bytes }) => bytes)).toEqual([400, 20]);
    expect(gradients.map(({ what }) => what)).toEqual(["argument 0"]);
  });
});

describe("the lists", () => {
  const loss = ({ w, b }: { w: NDArray; b: NDArray }, x: NDArray) => {
    const hidden = checkpointName(np.tanh(x.matmul(w).add(b)), "hidden");
    return { loss: np.square(hidden).sum(), hidden };
  };
  const footprint = memoryFootprint(loss, { w: spec(3, 5), b: spec(5) }, spec(7, 3), { argnums: 0 });

  it("name inputs, outputs and gradients", () => {
    expect(footprint.inputs.map(({ what, bytes }) => [what, bytes])).toEqual([
      ["argument 0 at .b", 20],
      ["argument 0 at .w", 60],
      ["argument 1", 84],
    ]);
    expect(footprint.outputs.map(({ what, shape }) => [what, shape])).toEqual([
      ["output at .hidden", [7, 5]],
      ["output at .loss", []],
    ]);
    expect(footprint.gradients.map(({ what }) => what)).toEqual(["argument 0 at .b", "argument 0 at .w"]);
  });

  it("name what is stored, with its line in this file, and what is kept", () => {
    expect(footprint.stored.length).toBeGreaterThan(0);
    for (const { source, bytes } of footprint.stored) {
      expect(source).toMatch(here);
      expect(bytes).toBe(140);
    }
    expect(footprint.kept.map(({ what }) => what)).toEqual(["argument 1"]);
    expect(footprint.storedBytes).toBe(140 * footprint.stored.length);
  });

  it("have a line for everything, however much of the library lies between", () => {
    const block = jit((x: NDArray) => np.sin(x.slice("1:")).mul(x.slice(":-1")));
    const body = (y: NDArray, k: NDArray) => [np.tanh(y.mul(k)), null] as const;
    const f = (x: NDArray, w: NDArray) =>
      lax.scan(body, block(x).matmul(w.T), np.arange(3, "float32"))[0].add(np.linalg.det(w)).sum();
    const { stored } = memoryFootprint(f, spec(4), spec(3, 3), { compiled: false });
    expect(stored.length).toBeGreaterThan(5);
    expect(stored.filter(({ source }) => !here.test(source ?? "")).map(({ what }) => what)).toEqual([]);
  });

  it("say what checkpoint would save", () => {
    const { everything, nothing, forwardOperations } = footprint.checkpoint;
    expect(everything).toEqual({ bytes: footprint.storedBytes, extraOperations: 0 });
    expect(nothing.bytes).toBe(0);
    expect(nothing.extraOperations).toBeGreaterThan(0);
    expect(forwardOperations).toBeGreaterThan(0);
    const saved = memoryFootprint(checkpoint(loss), { w: spec(3, 5), b: spec(5) }, spec(7, 3), {
      argnums: 0,
    });
    expect(saved.storedBytes).toBe(0);
  });

  it("prints", () => {
    const lines = String(footprint)
      .replace(/\(at [^)]*memory\.test\.ts[^)]*\)/g, "(at here)")
      .split("\n");
    expect(lines[0]).toMatch(new RegExp(`^peak memory +as written +compiled for ${defaultDevice()}$`));
    expect(lines[1]).toMatch(/^prediction: loss +/);
    expect(lines[2]).toMatch(/^training: vjp\(loss\) +/);
    expect(lines).toContain("inputs      20 B  float32[5]    argument 0 at .b");
    expect(
      lines.some((line) => /^stored +140 B +float32\[7,5\] +output of \w+.* \(at here\)$/.test(line)),
    ).toBe(true);
  });
});

describe("as compiled", () => {
  it("is never more than as written for elementwise chains", () => {
    const chains = [
      (x: NDArray) => np.exp(np.sin(np.exp(x))),
      (x: NDArray) => x.mul(x).add(x).sub(1).div(np.cosh(x)),
      (x: NDArray) => np.where(x.greater(0), np.log1p(x), np.expm1(x)),
    ];
    for (const chain of chains) {
      const { prediction, training } = memoryFootprint(chain, spec(1000));
      expect(prediction.compiled?.peakBytes).toBeLessThanOrEqual(prediction.asWritten);
      expect(training.compiled?.peakBytes).toBeLessThanOrEqual(training.asWritten);
    }
  });

  it("is what memoryAnalysis says", () => {
    const { prediction } = memoryFootprint(sumOfProducts, spec(100));
    expect(prediction.compiled).toEqual(jit(sumOfProducts).lower(spec(100)).memoryAnalysis());
  });

  it("is left out on request", () => {
    const { prediction, training } = memoryFootprint(sumOfProducts, spec(100), { compiled: false });
    expect([prediction.compiled, training.compiled]).toEqual([undefined, undefined]);
    expect(String(memoryFootprint(sumOfProducts, spec(100), { compiled: false }))).toMatch(/1\.2 kB +-$/m);
  });
});

describe("growth", () => {
  it("with layers is that of training, not of prediction", () => {
    const { slopes, rows } = scaleMemory([1, 2, 4, 8], (n) => [network(n), spec(10, 10), spec(50, 10)], {
      per: "layer",
      argnums: 0,
    });
    // tanh and 1 - tanh² of each layer, but the last tanh.
    expect(slopes.stored).toEqual({ perUnit: 2 * 2000, at0: -2000, isExact: true });
    expect(slopes.training).toMatchObject({ perUnit: 2 * 2000, isExact: true });
    expect(slopes.prediction).toMatchObject({ perUnit: 0, isExact: true });
    const compiled = rows.map(({ footprint }) => footprint.prediction.compiled?.peakBytes);
    expect(compiled[3]).toBe(compiled[1]);
    const trained = rows.map(({ footprint }) => footprint.training.compiled?.peakBytes ?? 0);
    expect(trained[3] - trained[2]).toBeGreaterThanOrEqual(4 * 2000);
  });

  it("with examples is linear", () => {
    const { slopes } = scaleMemory([100, 200, 400], (n) => [network(3), spec(10, 10), spec(n, 10)], {
      per: "example",
      argnums: 0,
      compiled: false,
    });
    // Per example x and, at a time, two of the hidden layers.
    expect(slopes.prediction).toMatchObject({ perUnit: 40 + 2 * 40, isExact: true });
    expect(slopes.stored).toEqual({ perUnit: 5 * 40, at0: 0, isExact: true });
    expect(slopes.trainingCompiled).toBeUndefined();
  });

  it("with checkpointed layers is the input of each", () => {
    const block = checkpoint((w: NDArray, x: NDArray) => np.tanh(x.matmul(w)));
    const net = (layers: number) => (w: NDArray, x: NDArray) => {
      let h = x;
      for (let i = 0; i < layers; i++) h = block(w, h);
      return h.sum();
    };
    const { slopes } = scaleMemory([1, 2, 4], (n) => [net(n), spec(10, 10), spec(50, 10)], {
      argnums: 0,
      compiled: false,
    });
    expect(slopes.stored).toEqual({ perUnit: 2000, at0: -2000, isExact: true });
  });

  it("that is not linear has the line of least squares", () => {
    const square = (n: number) => [(x: NDArray) => x.mul(2), spec(n, n)] as const;
    const { slopes } = scaleMemory([1, 2, 3], square, { compiled: false });
    // Of 8 n² at 1, 2 and 3: slope 32, and a mean of 8 · 14 / 3 at 2.
    expect(slopes.prediction?.isExact).toBe(false);
    expect(slopes.prediction?.perUnit).toBeCloseTo(32, 9);
    expect(slopes.prediction?.at0).toBeCloseTo((8 * 14) / 3 - 64, 9);
  });

  it("prints a row for each size and the slopes", () => {
    const scaling = scaleMemory([1, 10], (n) => [layer, spec(2, 3), spec(n, 2)], {
      per: "example",
      argnums: 0,
      compiled: false,
    });
    expect(String(scaling).split("\n")).toEqual([
      "    examples  prediction  training  stored",
      "           1        60 B      96 B    12 B",
      "          10       348 B     492 B   120 B",
      "each example        32 B      44 B    12 B",
    ]);
  });
});

describe("functions of all kinds", () => {
  it("looks into loops, and counts constants", () => {
    const weights = np.ones([10, 10]);
    const loop = (x: NDArray) => lax.foriLoop(0, 5, (_, y: NDArray) => np.tanh(y.matmul(weights)), x).sum();
    const { inputs, stored } = memoryFootprint(loop, spec(10), { compiled: false });
    expect(inputs.map(({ what, bytes }) => [what, bytes])).toEqual([
      ["constant", 400],
      ["argument 0", 40],
    ]);
    expect(stored.reduce((sum, { bytes }) => sum + bytes, 0)).toBeGreaterThanOrEqual(5 * 40);
  });

  it("follows values where it has them", () => {
    const branching = (x: NDArray) => (Number(x.item()) > 0 ? x.mul(2) : x);
    expect(memoryFootprint(branching, np.array(1.5)).prediction.asWritten).toBe(8);
    expect(() => memoryFootprint(branching, spec())).toThrow(/ConcretizationError|needs the value/);
  });

  it("reads numbers as floats", () => {
    expect(memoryFootprint((a: NDArray | number) => np.sin(a), 2).gradients).toHaveLength(1);
  });

  it("says why the device cannot compile it", () => {
    const before = currentDevice();
    const refuse = () => {
      throw new DtypeError("this device has no float32");
    };
    setCurrentDevice(
      Object.assign(Object.create(before ?? null), { name: "webgpu", lower: refuse }) as Device,
    );
    try {
      const footprint = memoryFootprint(sumOfProducts, spec(100));
      expect(footprint.device).toBe("webgpu");
      expect(footprint.prediction).toMatchObject({ asWritten: 1204, compiled: undefined });
      expect(footprint.training.notCompiled).toMatch(/no float32/);
      expect(String(footprint)).toMatch(/^not compiled: this device has no float32/m);
    } finally {
      setCurrentDevice(before);
    }
  });
});

describe("bad input", () => {
  const ints = new ShapeDtype([3], "int32");

  it.each([
    [
      "no float among the arguments",
      () => memoryFootprint((n: NDArray) => n.add(1), ints),
      "NotDifferentiableError",
    ],
    [
      "an integer at argnums",
      () => memoryFootprint((x: NDArray, n: NDArray) => x.mul(n).sum(), spec(3), ints, { argnums: 1 }),
      "NotDifferentiableError",
    ],
    [
      "a result that is no float",
      () => memoryFootprint((x: NDArray) => np.argmax(x), spec(3)),
      "NotDifferentiableError",
    ],
    [
      "a position that is none",
      () => memoryFootprint(layer, spec(2, 3), spec(4, 2), { argnums: 2 as never }),
      "ArgumentError",
    ],
    [
      "an unknown option",
      () => memoryFootprint(layer, spec(2, 3), spec(4, 2), { argnum: 0 } as never),
      "ArgumentError",
    ],
    ["what is no function", () => (memoryFootprint as (f: unknown) => unknown)(3), "ArgumentError"],
    ["shapes that do not fit", () => memoryFootprint(layer, spec(2, 3), spec(4, 3)), "ShapeError"],
    ["one size", () => scaleMemory([1], () => [layer, spec(2, 3), spec(4, 2)]), "ArgumentError"],
    [
      "the same size twice",
      () => scaleMemory([2, 2], () => [layer, spec(2, 3), spec(4, 2)]),
      "ArgumentError",
    ],
    [
      "an unknown option for growth",
      () => scaleMemory([1, 2], () => [layer, spec(2, 3), spec(4, 2)], { unit: "layer" } as never),
      "ArgumentError",
    ],
  ])("%s", (_, call, name) => {
    expect(call).toThrow(expect.objectContaining({ name }));
  });
});
