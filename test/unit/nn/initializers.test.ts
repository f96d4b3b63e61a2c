/** Initial weights: the numbers of jax.nn.initializers (0.10.2, key 7, up to a rounding), their moments, and errors. */
import {
  ArgumentError,
  AxisError,
  DtypeError,
  jit,
  type NDArray,
  nn,
  numpy as np,
  random,
  ShapeError,
  vmap,
} from "fluxion";
import { describe, expect, it } from "vitest";
import { expectClose, expectError, f32 } from "../values.js";

const { initializers } = nn;
const key = random.key(7);

describe("the numbers of JAX", () => {
  it.each([
    [
      "glorotUniform",
      initializers.glorotUniform(),
      [0.38141188, 1.03983355, -0.43194813, -0.12278073, 0.50584716, 0.28685236],
    ],
    [
      "glorotNormal",
      initializers.glorotNormal(),
      [0.30871093, 1.20425177, -0.35282624, -0.09669744, 0.41988057, 0.22905079],
    ],
    [
      "heUniform",
      initializers.heUniform(),
      [0.49240062, 1.34241927, -0.55764258, -0.15850924, 0.65304583, 0.37032479],
    ],
    [
      "heNormal",
      initializers.heNormal(),
      [0.39854413, 1.55468237, -0.45549676, -0.12483587, 0.54206353, 0.29570332],
    ],
    [
      "lecunUniform",
      initializers.lecunUniform(),
      [0.34817982, 0.94923377, -0.39431286, -0.11208296, 0.46177316, 0.26185918],
    ],
    [
      "lecunNormal",
      initializers.lecunNormal(),
      [0.28181323, 1.09932637, -0.32208481, -0.08827229, 0.38329676, 0.20909379],
    ],
    [
      "normal",
      initializers.normal(),
      [0.00451235, 0.01953451, -0.00516239, -0.0014094, 0.00615497, 0.00334316],
    ],
    [
      "uniform",
      initializers.uniform(),
      [0.0067409, 0.00974617, 0.00302844, 0.00443958, 0.00730887, 0.0063093],
    ],
    [
      "truncatedNormal",
      initializers.truncatedNormal(),
      [0.00429358, 0.01674886, -0.00490714, -0.00134488, 0.00583974, 0.00318566],
    ],
  ])("%s", (_, initializer, wanted) => {
    const weights = initializer(key, [3, 2]);
    expect(weights.dtype).toBe("float32");
    expectClose(weights.ravel(), wanted, 5e-7);
  });

  it("varianceScaling with axes of its own", () => {
    const axes = { inAxis: [1, 2], outAxis: 3, batchAxis: 0 };
    const weights = initializers.varianceScaling(1, "fanIn", "truncatedNormal", axes)(key, [2, 3, 4, 1]);
    expectClose(weights.ravel().slice("0:3"), [0.14090662, 0.54966319, -0.16104241], 5e-7);
    const outwards = initializers.varianceScaling(2, "fanOut", "normal")(key, [2, 3, 4, 1]);
    expectClose(outwards.ravel().slice("0:3"), [0.26052073, 1.12782538, -0.298051], 5e-7);
  });
});

describe("moments", () => {
  const shape = [100, 60];
  const deviation = (x: NDArray) => Number(np.std(x).item());

  it.each([
    ["glorotUniform", initializers.glorotUniform(), Math.sqrt(2 / 160)],
    ["glorotNormal", initializers.glorotNormal(), Math.sqrt(2 / 160)],
    ["heUniform", initializers.heUniform(), Math.sqrt(2 / 100)],
    ["heNormal", initializers.heNormal(), Math.sqrt(2 / 100)],
    ["lecunUniform", initializers.lecunUniform(), Math.sqrt(1 / 100)],
    ["lecunNormal", initializers.lecunNormal(), Math.sqrt(1 / 100)],
    ["fanOut", initializers.varianceScaling(3, "fanOut", "normal"), Math.sqrt(3 / 60)],
    ["normal", initializers.normal(0.5), 0.5],
    [
      "inputs in front of outputs turned",
      initializers.heNormal({ inAxis: 1, outAxis: 0 }),
      Math.sqrt(2 / 60),
    ],
  ])("%s has the deviation that it should have", (_, initializer, wanted) => {
    const weights = initializer(key, shape);
    expect(Math.abs(deviation(weights) / wanted - 1)).toBeLessThan(0.03);
    expect(Math.abs(Number(np.mean(weights).item()))).toBeLessThan(0.05 * wanted);
  });

  it("windows of convolutions count for inputs and outputs", () => {
    const weights = initializers.heNormal()(key, [3, 3, 20, 30]);
    expect(Math.abs(deviation(weights) / Math.sqrt(2 / 180) - 1)).toBeLessThan(0.03);
  });

  it("distributions keep to their bounds", () => {
    const range = (x: NDArray) => [np.min(x).item(), np.max(x).item()].map(Number);
    const [lo, hi] = range(initializers.uniform(3)(key, shape));
    expect(lo).toBeGreaterThanOrEqual(0);
    expect(lo).toBeLessThan(0.01);
    expect(hi).toBeGreaterThan(2.99);
    expect(hi).toBeLessThan(3);
    const [least, most] = range(initializers.truncatedNormal(1, { lower: -1, upper: 0.5 })(key, shape));
    expect(least).toBeGreaterThan(-1);
    expect(most).toBeLessThan(0.5);
    expect(most).toBeGreaterThan(0.49);
  });
});

describe("constants", () => {
  it("are what they say", () => {
    expect(initializers.zeros(key, [2]).tolist()).toEqual([0, 0]);
    expect(initializers.ones(key, [1, 2], "int32").tolist()).toEqual([[1, 1]]);
    expect(
      initializers
        .constant(f32([1, 2]))(key, [2, 2])
        .tolist(),
    ).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });
});

describe("dtypes, transforms and errors", () => {
  it("the dtype of the call goes before that of the initialiser", () => {
    expect(initializers.heNormal({ dtype: "float64" })(key, [2, 3]).dtype).toBe("float64");
    expect(initializers.heNormal({ dtype: "float64" })(key, [2, 3], "float16").dtype).toBe("float16");
    expect(initializers.normal(1, { dtype: "float64" })(key, [2]).dtype).toBe("float64");
    expect(initializers.constant(0.1, { dtype: "float64" })(key, []).item()).toBe(0.1);
  });

  it("go under jit, and under vmap over keys", () => {
    const make = (k: NDArray) => initializers.glorotNormal()(k, [3, 2]);
    // The compiled program rounds every step to float32.
    expectClose(jit(make)(key), make(key).tolist(), 1e-7);
    const keys = random.split(key, 3);
    expectClose(vmap(make)(keys).slice(2), make(keys.slice(2)).tolist());
  });

  it("refuse what does not fit", () => {
    expectError(
      () => initializers.constant(null as never),
      ArgumentError,
      "argument",
      "nn.initializers.constant",
    );
    expectError(() => initializers.heNormal()(key, [3]), ShapeError, "shape", "an axis of inputs", "[3]");
    expectError(() => initializers.heNormal({ inAxis: 5 })(key, [3, 2]), AxisError, "axis", "5");
    expectError(() => initializers.heNormal()(key, [3, 2], "int32"), DtypeError, "dtype", "int32");
    expectError(() => initializers.heNormal({ axis: 1 } as never), ArgumentError, "argument", '"axis"');
    expectError(() => initializers.normal(1, { mean: 1 } as never), ArgumentError, "argument", '"mean"');
    expectError(
      () => initializers.varianceScaling(1, "fan_in" as never, "normal"),
      ArgumentError,
      "argument",
      '"fan_in"',
    );
    expectError(
      () => initializers.varianceScaling(1, "fanIn", "cauchy" as never),
      ArgumentError,
      "argument",
      '"cauchy"',
    );
  });
});
