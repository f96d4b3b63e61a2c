/** What happens on a GPU when somebody waits: callbacks, prints, and the mode in which NaN is an error. */
import { debug, debugNans, grad, jit, NanError, type NDArray, numpy as np, ShapeDtype, vmap } from "fluxion";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { WebgpuDevice } from "../../src/backends/webgpu/arrays.js";
import type { GpuDevice } from "../../src/backends/webgpu/device.js";
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

const onGpu = (...values: number[]): NDArray => device.put(np.array(values).concrete());

describe("effects", () => {
  let lines: string[] = [];
  beforeEach(() => {
    lines = [];
    vi.spyOn(console, "log").mockImplementation((line: unknown) => void lines.push(line as string));
  });
  afterEach(() => void vi.restoreAllMocks());

  const f = (x: NDArray): NDArray => {
    const y = x.mul(2);
    debug.print("y = {}", y);
    const z = y.sub(y);
    debug.print("z = {}, n = {}", z, 3);
    return z.add(1);
  };

  test("of a compiled program happen when their values are here, in order", async () => {
    const g = jit(f);
    const [a, b] = [g(onGpu(1, 2)), g(onGpu(3))];
    expect(lines).toEqual([]);
    expect([...(await b.data())]).toEqual([1]);
    expect(lines).toEqual(["y = [2, 4]", "z = [0, 0], n = 3", "y = [6]", "z = [0], n = 3"]);
    expect([...(await a.data())]).toEqual([1, 1]);
  });

  test("of single operations, under vmap and in gradients too", async () => {
    debug.print("x = {}", onGpu(7));
    vmap((x: NDArray) => {
      debug.print("row {}", x);
      return x;
    })(
      device.put(
        np
          .array([
            [1, 2],
            [3, 4],
          ])
          .concrete(),
      ),
    );
    grad((x: NDArray) => np.sum(jit(f)(x)))(onGpu(1));
    await gpu.blockUntilReady();
    expect(lines).toEqual(["x = [7]", "row [1, 2]", "row [3, 4]", "y = [2]", "z = [0], n = 3"]);
  });

  test("leave the rest of the program one program", () => {
    const lowered = jit(f).lower(new ShapeDtype([4]));
    expect(lowered.device).toBe("webgpu");
    expect(lowered.kernels).toHaveLength(1);
    expect(lowered.steps.map((s) => s.name).slice(1)).toEqual(["debugCallback", "debugCallback"]);
    expect(lowered.steps[1].text).toContain("debugCallback");
  });

  test("that fail are thrown by whoever waits next, once", async () => {
    const g = jit((x: NDArray) => {
      debug.callback(() => {
        throw new RangeError("stop");
      }, x);
      return x.add(1);
    });
    const y = g(onGpu(1));
    await expect(y.data()).rejects.toThrow("stop");
    expect([...(await y.data())]).toEqual([2]);
  });

  test("leave no memory behind, and see what was there when they were called for", async () => {
    const seen: number[][] = [];
    const g = jit(
      (x: NDArray) => {
        debug.callback((v) => seen.push([...v.dataSync()]), x.mul(3));
        return x.add(1);
      },
      { donateArgnums: 0 },
    );
    let x = onGpu(1, 2);
    await gpu.blockUntilReady();
    const { arrays } = gpu.memory;
    for (let i = 0; i < 3; i++) x = g(x);
    expect(gpu.memory.arrays).toBe(arrays);
    await gpu.blockUntilReady();
    expect(seen).toEqual([
      [3, 6],
      [6, 9],
      [9, 12],
    ]);
  });

  test("are not run for a value that is asked for while a function is traced", async () => {
    // The value is asked for, which a GPU refuses; nothing is printed for it.
    expect(() =>
      grad((x: NDArray) =>
        jit(f)(x)
          .sum()
          .mul(x.sum().item() as number),
      )(onGpu(1)),
    ).toThrow();
    await gpu.blockUntilReady();
    expect(lines).toEqual([]);
  });
});

describe("debugNans", () => {
  beforeEach(() => debugNans(true));
  afterEach(() => debugNans(false));

  test("throws when somebody waits, with the first operation and its line", async () => {
    const x = onGpu(1, 4, -1, -2);
    const y = np.log(x);
    const z = y.add(1);
    const error = await z.data().catch((e: unknown) => e);
    expect(error).toBeInstanceOf(NanError);
    expect((error as NanError).message).toMatch(
      /^log gave NaN \(element 2 of float32\[4\]\) for operands float32\[4\]; it was called at .*waiting\.test\.ts:\d+/,
    );
    // It has been told.
    expect((await y.data())[2]).toBeNaN();
  });

  test("also under jit, in a derivative, and in blockUntilReady", async () => {
    jit((x: NDArray) => np.log(x).mul(2))(onGpu(-1));
    await expect(gpu.blockUntilReady()).rejects.toThrow(/^log gave NaN \(element 0.*waiting\.test\.ts:\d+/);
    grad((x: NDArray) => np.sum(np.sqrt(x)))(onGpu(-4));
    await expect(gpu.blockUntilReady()).rejects.toThrow(/^sqrt gave NaN/);
  });

  test("lets numbers, infinities and integers pass, and arrays of any size", async () => {
    np.divide(onGpu(1, 0), onGpu(0, 1));
    np.add(device.put(np.array([1], "int32").concrete()), 1);
    np.exp(onGpu());
    const large = np.sqrt(np.arange(200_000).astype("float32"));
    await gpu.blockUntilReady();
    const { values } = np.array(new Float32Array(200_000).fill(1)).concrete();
    values[131_071] = -1;
    large.add(np.sqrt(device.put(np.array(values).concrete())));
    await expect(gpu.blockUntilReady()).rejects.toThrow("sqrt gave NaN (element 131071 of float32[200000])");
  });

  test("finds them in float16, too", async () => {
    np.log(onGpu(1, -1).astype("float16"));
    await expect(gpu.blockUntilReady()).rejects.toThrow("log gave NaN (element 1 of float16[2])");
  });

  test("takes a few bytes for each operation, not the elements again", async () => {
    const x = np.ones([2 ** 20]);
    await gpu.blockUntilReady();
    const { used } = gpu.memory;
    const kept = Array.from({ length: 8 }, () => x.add(1));
    expect(gpu.memory.used - used).toBeLessThan(8 * 4 * 2 ** 20 + 8192);
    await gpu.blockUntilReady();
    for (const y of kept) y.dispose();
  });
});
