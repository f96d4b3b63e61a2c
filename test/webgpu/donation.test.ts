/** Donated arguments on the GPU, and programs that compute in place. */
import { grad, jit, type NDArray, nn, numpy as np, ShapeDtype, tree } from "fluxion";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebgpuDevice } from "../../src/backends/webgpu/arrays.js";
import type { GpuDevice } from "../../src/backends/webgpu/device.js";
import { OutOfMemoryError } from "../../src/backends/webgpu/errors.js";
import { currentDevice, expectRemoteArrays, setCurrentDevice } from "../../src/core/device.js";
import { openTestDevice } from "./swiftshader.js";

const before = currentDevice();
let gpu: GpuDevice;
let device: WebgpuDevice;

beforeAll(async () => {
  gpu = await openTestDevice();
  expectRemoteArrays();
  device = new WebgpuDevice(gpu);
  setCurrentDevice(device);
});
afterAll(() => {
  setCurrentDevice(before);
  return gpu.destroy();
});

const n = 5000;
const step = jit((w: NDArray, g: NDArray) => w.sub(g), { donateArgnums: 0 });
const onGpu = (value: number): NDArray => device.put(np.full([n], value).concrete());

test("a result has the memory of the argument", async () => {
  const [w, g] = [onGpu(5), onGpu(2)];
  const { used, arrays } = gpu.memory;
  const next = step(w, g);
  expect(gpu.memory).toMatchObject({ used, arrays });
  expect([w.isDisposed, g.isDisposed]).toEqual([true, false]);
  expect([...new Set(await next.data())]).toEqual([3]);
  await expect(w.data()).rejects.toThrow(/has been disposed of/);
  g.dispose();
  next.dispose();
});

test("an array of the host is copied, and its copy is used", async () => {
  const w = np.array(new Float32Array(n).fill(5));
  const g = onGpu(2);
  const { arrays } = gpu.memory;
  const next = step(w, g);
  expect(gpu.memory.arrays).toBe(arrays + 1);
  expect(w.isDisposed).toBe(true);
  expect([...new Set(await next.data())]).toEqual([3]);
  g.dispose();
  next.dispose();
});

test("what another array shares is left alone, and so is what is being read", async () => {
  const w = onGpu(5);
  const rows = w.reshape(n / 10, 10);
  const reading = w.data();
  const next = step(w, onGpu(2));
  expect([...new Set(await rows.data())]).toEqual([5]);
  expect([...new Set(await reading)]).toEqual([5]);
  expect([...new Set(await next.data())]).toEqual([3]);
  const alone = onGpu(1);
  const early = alone.data();
  const after = step(alone, onGpu(2));
  expect([...new Set(await early)]).toEqual([1]);
  expect([...new Set(await after.data())]).toEqual([-1]);
});

test("an argument that is a result stays", async () => {
  const f = jit((x: NDArray) => [x, x.mul(2)], { donateArgnums: 0 });
  const [x, twice] = f(onGpu(4));
  expect([(await x.data())[7], (await twice.data())[7]]).toEqual([4, 8]);
});

test("nothing is lost where there is no room", async () => {
  const small = await openTestDevice({ memoryBudget: 2 ** 20 });
  const own = new WebgpuDevice(small);
  setCurrentDevice(own);
  const f = jit((x: NDArray) => [x.add(1), x.add(2), x.add(3)], { donateArgnums: 0 });
  const w = own.put(np.full([100_000], 3).concrete());
  expect(() => f(w)).toThrow(OutOfMemoryError);
  expect(w.isDisposed).toBe(false);
  expect((await w.data())[99]).toBe(3);
  setCurrentDevice(device);
  await small.destroy();
});

describe("a training step", () => {
  interface Layer {
    readonly w: NDArray;
    readonly b: NDArray;
  }
  const sizes = [20, 48, 48, 10];
  const layers = (): Layer[] =>
    sizes.slice(1).map((m, i) => ({
      w: np.sin(np.arange(sizes[i] * m).reshape(sizes[i], m)).mul(0.3),
      b: np.zeros([m]),
    }));
  const loss = (p: readonly Layer[], x: NDArray): NDArray =>
    np.mean(np.square(nn.softmax(p.reduce((h, { w, b }) => np.tanh(h.matmul(w).add(b)), x))));
  const sgd = (p: Layer[], x: NDArray): Layer[] =>
    tree.map((a: NDArray, d: NDArray) => a.sub(d.mul(0.1)), p, grad(loss)(p, x) as Layer[]);
  const donating = jit(sgd, { donateArgnums: 0 });

  test("takes no memory for new parameters", () => {
    const types = tree.map((a: NDArray) => new ShapeDtype(a.shape), layers());
    const { aliasBytes, outputBytes, peakBytes, inputBytes, temporaryBytes } = donating
      .lower(types, new ShapeDtype([16, 20]))
      .memoryAnalysis();
    expect(aliasBytes).toBeGreaterThan(0.8 * outputBytes);
    expect(peakBytes).toBe(inputBytes + outputBytes - aliasBytes + temporaryBytes);
  });

  test("computes what it does without", async () => {
    const plain = jit(sgd);
    const x = np.cos(np.arange(320).reshape(16, 20));
    let [p, q] = [layers(), layers()];
    for (let i = 0; i < 5; i++) [p, q] = [plain(p, x), donating(q, x)];
    const [wanted, got] = [p, q].map((t) => tree.leaves(t) as NDArray[]);
    for (const [i, a] of wanted.entries()) {
      const [u, v] = [await a.data(), await got[i].data()];
      for (const [k, value] of u.entries()) expect(v[k]).toBeCloseTo(value, 6);
    }
  });
});
