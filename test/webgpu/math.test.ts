/** The functions of float32 keep their error bounds on a GPU, which fuses, flushes and divides as it likes. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { GpuDevice } from "../../src/backends/webgpu/device.js";
import { pow, remainder } from "../../src/core/ir/math/index.js";
import { load, store } from "../../src/core/ir/ops.js";
import { Buffer, type Expr } from "../../src/core/ir/types.js";
import { table } from "../unit/compiler/mathTable.js";
import { fromBits, randomBits, samples, ulps } from "../unit/compiler/ulps.js";
import { itemKernel, programOf, runOnGpu } from "./kernels.js";
import { openTestDevice } from "./swiftshader.js";

let device: GpuDevice;
beforeAll(async () => {
  device = await openTestDevice();
});
afterAll(() => device.destroy());

async function compute(rule: (...x: Expr[]) => Expr, ...xs: Float32Array[]): Promise<ArrayLike<number>> {
  const size = xs[0].length;
  const inputs = xs.map((_, i) => new Buffer(`x${i}`, "float32", size));
  const output = new Buffer("y", "float32", size);
  const kernel = itemKernel(size, [...inputs, output], (item) => [
    store(output, item, rule(...inputs.map((x) => load(x, item)))),
  ]);
  const [values] = await runOnGpu(device, programOf([kernel], [output]), xs);
  return values;
}

/** Parts of what is about as small as subnormal numbers are flushed to zero. */
const isTiny = (x: number): boolean => x !== 0 && Math.abs(x) < 2 ** -120;

describe("functions of float32 on the GPU", () => {
  test.each(table)("%s", async (_, rule, reference, ulp, { gpu = ulp + 0.5, ...sampling }) => {
    const xs = samples({ ...sampling, count: 50_000 });
    const actual = await compute(rule, xs);
    let worst = { error: 0, text: "" };
    for (let i = 0; i < xs.length; i++) {
      const wanted = reference(xs[i]);
      if (isTiny(xs[i]) || isTiny(wanted)) continue;
      const error = ulps(actual[i], wanted);
      if (error > worst.error)
        worst = { error, text: `${error} ULP at ${xs[i]}: ${actual[i]}, not ${wanted}` };
    }
    if (!(worst.error <= gpu)) expect.fail(worst.text);
  });

  test("powers of whole numbers are exact", async () => {
    const pairs = Array.from({ length: 25 * 60 }, (_, i) => [(i % 60) - 30, Math.floor(i / 60)]).filter(
      ([x, y]) => Math.abs(x ** y) <= 2 ** 24,
    );
    const [xs, ys] = [0, 1].map((k) => Float32Array.from(pairs, (p) => p[k]));
    expect(Array.from(await compute(pow, xs, ys))).toEqual(pairs.map(([x, y]) => x ** y));
  });

  test("remainders are exact, however large the quotient", async () => {
    const next = randomBits(8);
    const count = 20_000;
    const [xs, ys] = [0, 1].map(() => Float32Array.from({ length: count }, () => fromBits(next())));
    const actual = await compute(remainder, xs, ys);
    for (let i = 0; i < count; i++) {
      const wanted = xs[i] % ys[i];
      if ([xs[i], ys[i], wanted].some(isTiny)) continue;
      if (!Object.is(actual[i], wanted)) expect.fail(`${xs[i]} rem ${ys[i]}: ${actual[i]}, not ${wanted}`);
    }
  });
});
