/** `checkLeaks` on a GPU. */
import { checkLeaks, jit, MemoryLeakError, type NDArray, numpy as np } from "fluxion";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findCollect } from "../../src/backends/collect.js";
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
  return gpu.destroy();
});

/** In a page stacks speak of the lines of the code that was made of the file. */
const line = "document" in globalThis ? "\\d+" : "32";

const kept: NDArray[] = [];
const made = (): NDArray => np.ones([100]).mul(2);

test("names arrays of any size that were not disposed of, and where they were made", async () => {
  const f = async (): Promise<number> => {
    const x = made();
    kept.push(x.add(1));
    const [first] = await x.data();
    x.dispose();
    return first;
  };
  const error = (await checkLeaks(f, { collect: false }).catch((e: unknown) => e)) as MemoryLeakError;
  expect(error).toBeInstanceOf(MemoryLeakError);
  const last = error.held.at(-1);
  expect(last).toEqual({
    device: "webgpu",
    type: "float32[100]",
    bytes: 400,
    source: expect.stringMatching(new RegExp(`leaks\\.test\\.ts:${line}:\\d+$`)),
  });
});

test("lets pass what is disposed of, returned, or taken over", async () => {
  const step = jit((w: NDArray) => w.add(1), { donateArgnums: 0 });
  const { arrays } = gpu.memory;
  const x = checkLeaks(
    () => {
      using ones = np.ones([100]);
      return step(step(ones.mul(2)));
    },
    { collect: false },
  );
  expect([...new Set(await x.data())]).toEqual([4]);
  x.dispose();
  // Numbers in programs may be copied to the GPU, where they stay with the numbers.
  expect(gpu.memory.arrays - arrays).toBeLessThan(4);
});

test.runIf(findCollect() !== undefined)("lets garbage pass, and finds what is reachable", async () => {
  await checkLeaks(async () => {
    const x = made();
    await x.add(1).data();
  });
  const leak = checkLeaks(async () => {
    kept.push(made());
    await kept[0].data();
  });
  await expect(leak).rejects.toThrow(
    /1 array of 400 bytes is held .*\n {2}float32\[100\] on webgpu, made at /,
  );
});
