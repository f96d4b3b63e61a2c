/** Opening and closing the GPU, and arrays that meet arrays of another device. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import {
  ArgumentError,
  closeGpu,
  DeviceError,
  DtypeError,
  debug,
  defaultDevice,
  deviceGet,
  deviceOf,
  devicePut,
  devices,
  init,
  jit,
  memoryStats,
  type NDArray,
  numpy as np,
  ShapeDtype,
  setDefaultDevice,
} from "fluxion";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { DeviceLostError, NoAdapterError } from "../../src/backends/webgpu/errors.js";
import { useSwiftShader } from "./swiftshader.js";

const software = { device: "webgpu", allowSoftware: true } as const;

beforeAll(useSwiftShader);
afterEach(closeGpu);

describe("init", () => {
  test("once more keeps the GPU and its arrays", async () => {
    await init(software);
    const x = np.ones([3]).add(1);
    setDefaultDevice("wasm");
    const info = await init(software);
    expect(info).toMatchObject({ name: "webgpu", isDefault: true, synchronous: false });
    expect([...(await x.add(1).data())]).toEqual([3, 3, 3]);
    expect(devices().map((d) => d.name)).toEqual(["reference", "wasm", "webgpu"]);
  });

  test("several times at once opens one GPU", async () => {
    await Promise.all([init(software), init(software), init(software)]);
    const x = np.ones([3]).add(1);
    await Promise.all([init(software), init(software)]);
    expect([...(await x.data())]).toEqual([2, 2, 2]);
  });

  test("with another budget changes it", async () => {
    await init({ ...software, memoryBudget: 2 ** 24 });
    const x = np.ones([2 ** 20]).add(1);
    await init({ ...software, memoryBudget: 2 ** 22 });
    expect(() => x.add(1)).toThrow(/would exceed the memory budget of the GPU: .* of 4.00 MiB/);
    await init({ ...software, memoryBudget: 2 ** 25 });
    expect((await x.add(1).data())[5]).toBe(3);
    await expect(init({ ...software, memoryBudget: -1 })).rejects.toThrow(ArgumentError);
  });

  test("that will not have software does not take the one in use", async () => {
    await init(software);
    await expect(init({ device: "webgpu", allowSoftware: false })).rejects.toThrow(NoAdapterError);
    expect(defaultDevice()).toBe("webgpu");
  });

  test("by the environment, in a process of its own", () => {
    const script = fileURLToPath(new URL("./fixtures/environment.ts", import.meta.url));
    const run = (device: string): string =>
      execFileSync(process.execPath, ["--import", "tsx", script], {
        encoding: "utf8",
        env: { ...process.env, FLUXION_DEVICE: device },
      });
    expect(JSON.parse(run("webgpu"))).toEqual({
      before: "wasm",
      after: "webgpu",
      on: "webgpu",
      values: [2, 4],
    });
    expect(JSON.parse(run("wasm"))).toEqual({ before: "wasm", after: "wasm", on: "wasm", values: [2, 4] });
    expect(JSON.parse(run("cuda"))).toEqual({
      before: "wasm",
      error: expect.stringMatching(
        /^FLUXION_DEVICE: "cuda" is not a device; there are reference, wasm, webgpu/,
      ),
    });
  });
});

describe("closeGpu", () => {
  test("waits for what is under way", async () => {
    await init(software);
    let x = np.ones([2 ** 18]);
    for (let i = 0; i < 20; i++) x = x.add(1);
    const seen: number[] = [];
    debug.callback((v) => seen.push(v.dataSync()[0]), x);
    const reading = x.data();
    const closing = closeGpu();
    expect(defaultDevice()).toBe("wasm");
    await closing;
    expect((await reading)[7]).toBe(21);
    expect(seen).toEqual([21]);
    await expect(x.data()).rejects.toThrow(DeviceLostError);
    await closeGpu();
  });

  test("throws what nobody has been told of", async () => {
    await init(software);
    debug.callback(
      () => {
        throw new RangeError("late");
      },
      np.ones([3]),
    );
    await expect(closeGpu()).rejects.toThrow("late");
    await init(software);
    expect((await np.ones([3]).add(1).data())[0]).toBe(2);
  });

  test("while a GPU is being opened closes that", async () => {
    const opening = init(software).catch((error: unknown) => error);
    await closeGpu();
    expect(await opening).toBeInstanceOf(DeviceError);
    expect(() => memoryStats("webgpu")).toThrow(DeviceError);
  });
});

describe("arrays of a GPU that is gone", () => {
  test("are refused by every call, whatever they meet", async () => {
    await init(software);
    const old = np.ones([3]).add(1);
    await closeGpu();
    expect(() => old.add(1)).toThrow(DeviceLostError);
    expect(() => old.add(np.ones([3]))).toThrow(/was destroyed; initialise it again/);
    await init(software);
    const fresh = np.ones([3]).add(1);
    for (const meet of [
      () => old.add(fresh),
      () => fresh.add(old),
      () => jit((a: NDArray, b: NDArray) => a.mul(b))(fresh, old),
      () => devicePut(old, "webgpu"),
      () => old.reshape(3, 1).add(1),
    ])
      expect(meet).toThrow(DeviceLostError);
    await expect(deviceGet(old)).rejects.toThrow(DeviceLostError);
    expect(() => old.item()).toThrow(DeviceError);
    old.dispose();
    expect([...(await fresh.add(1).data())]).toEqual([3, 3, 3]);
  });

  test("that programs have closed over are refused, too", async () => {
    await init(software);
    const w = np.ones([3]).add(1);
    const f = jit((x: NDArray) => x.mul(w));
    expect([...(await f(np.ones([3])).data())]).toEqual([2, 2, 2]);
    const compiled = jit((x: NDArray) => x.mul(2))
      .lower(new ShapeDtype([3]))
      .compile();
    await closeGpu();
    await init(software);
    expect(() => f(np.ones([3]))).toThrow(DeviceLostError);
    expect(() => compiled(np.ones([3]))).toThrow(/was lowered for webgpu, but the device of this call is/);
  });
});

describe("arrays of the host and of a GPU", () => {
  test("meet on the GPU", async () => {
    const onHost = np.arange(5000).astype("float32").mul(2);
    await init(software);
    const there = np.ones([5000]).add(1);
    expect([deviceOf(onHost), deviceOf(there)]).toEqual(["wasm", "webgpu"]);
    const sum = onHost.add(there);
    expect(deviceOf(sum)).toBe("webgpu");
    setDefaultDevice("wasm");
    const product = jit((a: NDArray, b: NDArray) => a.mul(b))(onHost, sum);
    expect(deviceOf(product)).toBe("webgpu");
    expect((await product.data())[10]).toBe(20 * 22);
    expect(() => devicePut(sum, "wasm")).toThrow(DeviceError);
    expect(deviceOf(await deviceGet(sum))).toBe("wasm");
  });

  test("of float64 are refused, and stay", async () => {
    const x = np.arange(2000).astype("float64").add(1);
    await init(software);
    const there = np.ones([2000]).add(1);
    expect(() => x.add(there)).toThrow(DtypeError);
    expect(() => devicePut(x, "webgpu")).toThrow(DtypeError);
    expect(x.dataSync()[3]).toBe(4);
  });
});
