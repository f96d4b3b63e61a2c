/** The same function on a GPU and by the `evaluate` rules. */
import type { NDArray } from "fluxion";
import { afterAll, beforeAll, expect } from "vitest";
import { WebgpuDevice } from "../../src/backends/webgpu/arrays.js";
import type { GpuDevice } from "../../src/backends/webgpu/device.js";
import { currentDevice, expectRemoteArrays, setCurrentDevice } from "../../src/core/device.js";
import { leaves } from "../../src/core/tree.js";
import { openTestDevice } from "./swiftshader.js";

export interface TestGpu {
  readonly gpu: GpuDevice;
  readonly device: WebgpuDevice;
}

/** Opens a GPU for the tests of a file. */
export function useTestGpu(): () => TestGpu {
  const before = currentDevice();
  let opened: TestGpu;
  beforeAll(async () => {
    const gpu = await openTestDevice();
    expectRemoteArrays();
    opened = { gpu, device: new WebgpuDevice(gpu) };
  });
  afterAll(() => {
    setCurrentDevice(before);
    return opened.gpu.destroy();
  });
  return () => opened;
}

const flat = (tree: unknown): NDArray[] => leaves(tree as never) as NDArray[];

/** Runs a function on a GPU and by the records, and expects the same to so many digits; gives the elements of the results. */
export async function expectSame(device: WebgpuDevice, f: () => unknown, digits = 5): Promise<number[][]> {
  setCurrentDevice(device);
  const got = flat(f());
  const values = await Promise.all(got.map(async (x) => [...(await x.data())]));
  setCurrentDevice(undefined);
  const wanted = flat(f());
  expect(got.map((x) => [x.dtype, x.shape])).toEqual(wanted.map((x) => [x.dtype, x.shape]));
  for (const [k, x] of wanted.entries())
    for (const [i, w] of [...x.dataSync()].entries()) {
      const v = values[k][i];
      if (Object.is(v, w)) continue;
      const error = Math.abs(v - w) / Math.max(1, Math.abs(w));
      expect(error, `result ${k}, element ${i}: ${v}, not ${w}`).toBeLessThan(10 ** -digits);
    }
  return values;
}
