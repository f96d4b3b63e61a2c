/** `jit(f).lower(...)` on the GPU: its shaders as text, its memory, and programs compiled ahead of time. */
import { DtypeError, grad, jit, type NDArray, nn, numpy as np, ShapeDtype, ShapeError } from "fluxion";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebgpuDevice } from "../../src/backends/webgpu/arrays.js";
import type { GpuDevice } from "../../src/backends/webgpu/device.js";
import { currentDevice, expectRemoteArrays, setCurrentDevice } from "../../src/core/device.js";
import { openTestDevice } from "./swiftshader.js";

const before = currentDevice();
let gpu: GpuDevice;

beforeAll(async () => {
  gpu = await openTestDevice();
  expectRemoteArrays();
  setCurrentDevice(new WebgpuDevice(gpu));
});
afterAll(() => {
  setCurrentDevice(before);
  gpu.destroy();
});

test("kernels come as WGSL, with groups of threads and buffers", () => {
  const lowered = jit((x: NDArray) => nn.softmax(x)).lower(new ShapeDtype([64, 10]));
  expect(lowered.device).toBe("webgpu");
  expect(lowered.kernels).toHaveLength(1);
  const [kernel] = lowered.kernels;
  expect(kernel.language).toBe("wgsl");
  expect(kernel.source).toMatch(/@compute @workgroup_size\(\d+\)\nfn main\(/);
  expect(kernel.text).toMatch(/^kernel [\s\S]*: grid of \d+ groups/);
  expect(kernel.launch).toEqual({ groups: expect.any(Number), threads: expect.any(Number) });
  expect(kernel.buffers.map((b) => [b.bytes, b.access])).toEqual([
    [2560, "read"],
    [2560, "write"],
  ]);
  expect(lowered.memoryAnalysis()).toEqual({
    inputBytes: 2560,
    outputBytes: 2560,
    aliasBytes: 0,
    temporaryBytes: 0,
    peakBytes: 5120,
  });
});

test("a compiled program gives what the function gives", async () => {
  const loss = (w: NDArray, x: NDArray): NDArray => np.sum(np.square(np.tanh(x.matmul(w))));
  const compiled = jit(grad(loss))
    .lower(new ShapeDtype([3, 2]), new ShapeDtype([4, 3]))
    .compile();
  const w = np.array([
    [0.1, -0.2],
    [0.3, 0.4],
    [-0.5, 0.6],
  ]);
  const x = np.array([
    [1, 2, 3],
    [0, 1, -1],
    [2, 0, 1],
    [-1, 1, 0],
  ]);
  const actual = await compiled(w, x).data();
  setCurrentDevice(before);
  const wanted = await grad(loss)(w, x).data();
  setCurrentDevice(new WebgpuDevice(gpu));
  expect(actual.length).toBe(6);
  for (const [i, value] of wanted.entries()) expect(actual[i]).toBeCloseTo(value, 5);
  expect(() => compiled(x, w)).toThrow(ShapeError);
});

test("float64 is refused before anything runs", () => {
  const f = jit((x: NDArray) => np.sin(x));
  expect(() => f.lower(new ShapeDtype([2], "float64"))).toThrow(DtypeError);
  // `explain` says so instead of failing.
  expect(String(f.explain())).toMatch(/it cannot be compiled: WebGPU has no float64/);
});

test("compile() makes the shaders then and there", async () => {
  const lowered = jit((x: NDArray) => np.sum(np.tanh(x.mul(1.75)), 0)).lower(new ShapeDtype([64, 33]));
  const x = np.ones([64, 33]);
  const before = gpu.shaders;
  const compiled = lowered.compile();
  expect(gpu.shaders).toBe(before + lowered.kernels.length);
  expect(lowered.kernels.length).toBeGreaterThan(0);
  await compiled(x).data();
  expect(gpu.shaders).toBe(before + lowered.kernels.length);
});
