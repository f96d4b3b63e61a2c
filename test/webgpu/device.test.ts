/** The device: programs, memory and its budget, errors that come late, loss. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GpuDevice } from "../../src/backends/webgpu/device.js";
import { DeviceLostError, NoAdapterError, OutOfMemoryError } from "../../src/backends/webgpu/errors.js";
import type { Program } from "../../src/compiler/program.js";
import { DeviceError, InternalError } from "../../src/core/errors.js";
import { add, barrier, constant, load, lt, mul, store, sub, when } from "../../src/core/ir/ops.js";
import { Buffer, type Kernel } from "../../src/core/ir/types.js";
import { gridKernel, itemKernel, programOf } from "./kernels.js";
import { openTestDevice } from "./swiftshader.js";

const mebibyte = 2 ** 20;

let device: GpuDevice;
beforeAll(async () => {
  device = await openTestDevice();
});
afterAll(() => device.destroy());

/** y = x + 1 for the first `touched` elements. */
function addOne(size: number, touched = size): Program {
  const x = new Buffer("x", "float32", size);
  const y = new Buffer("y", "float32", size);
  return programOf([itemKernel(touched, [x, y], (i) => [store(y, i, add(load(x, i), 1))])], [y]);
}

const numbers = (size: number): Float32Array => Float32Array.from({ length: size }, (_, i) => i);

/** A kernel that no GPU accepts: some threads of a workgroup never reach the barrier. */
function invalidKernel(): { kernel: Kernel; y: Buffer } {
  const y = new Buffer("y", "float32", 8);
  const kernel = gridKernel({ name: "torn", groups: 1, threads: 8, buffers: [y] }, (_, thread) => [
    when(lt(thread, 4), [barrier]),
    store(y, thread, constant("f32", 1)),
  ]);
  return { kernel, y };
}

describe("programs", () => {
  test("run one after the other, in order", async () => {
    const program = addOne(100);
    let x = device.upload("float32", numbers(100));
    for (let i = 0; i < 500; i++) [x] = device.run(program, [x]);
    expect(await device.read(x)).toEqual(numbers(100).map((v) => v + 500));
  });

  test("may give an input, and the same array twice; each result is released on its own", async () => {
    const x = new Buffer("x", "float32", 4);
    const y = new Buffer("y", "float32", 4);
    const kernel = itemKernel(4, [x, y], (i) => [store(y, i, mul(load(x, i), 2))]);
    const program: Program = { ...programOf([kernel], [y]), outputs: [x, y, y] };
    const input = device.upload("float32", Float32Array.of(1, 2, 3, 4));
    const [same, first, second] = device.run(program, [input]);
    input.release();
    first.release();
    expect([...(await device.read(same))]).toEqual([1, 2, 3, 4]);
    expect([...(await device.read(second))]).toEqual([2, 4, 6, 8]);
    expect(() => device.run(program, [input])).toThrow(/used after its memory was released/);
  });

  test("without kernels only pass their inputs on", async () => {
    const x = new Buffer("x", "int32", 3);
    const program: Program = { name: "identity", inputs: [x], outputs: [x], steps: [], temporaries: [] };
    const [y] = device.run(program, [device.upload("int32", Int32Array.of(1, 2, 3))]);
    expect(await device.read(y)).toEqual(Int32Array.of(1, 2, 3));
  });

  test("work on arrays without elements", async () => {
    const program = addOne(0, 0);
    const [y] = device.run(program, [device.upload("float32", new Float32Array(0))]);
    expect(await device.read(y)).toEqual(new Float32Array(0));
  });

  test("share memory between temporaries that are not alive at the same time", async () => {
    const size = mebibyte;
    const buffers = Array.from({ length: 11 }, (_, k) => new Buffer(`b${k}`, "float32", size));
    const kernels = buffers
      .slice(1)
      .map((to, k) => itemKernel(64, [buffers[k], to], (i) => [store(to, i, add(load(buffers[k], i), 1))]));
    const fresh = await openTestDevice();
    const x = fresh.upload("float32", numbers(size));
    const [y] = fresh.run(programOf(kernels, [buffers[10]]), [x]);
    expect((await fresh.read(y)).slice(0, 64)).toEqual(numbers(64).map((v) => v + 10));
    // The input, the output and two temporaries.
    expect(fresh.memory.used + fresh.memory.free).toBe(4 * 4 * size);
    await fresh.destroy();
  });

  test("that are not for this GPU are refused", () => {
    const { kernel } = invalidKernel();
    const many = Array.from({ length: device.limits.buffers + 1 }, (_, k) => new Buffer(`b${k}`, "int32", 1));
    expect(() =>
      device.run(programOf([{ ...kernel, buffers: [...kernel.buffers, ...many] }], many), []),
    ).toThrow(InternalError);
    const large = addOne(device.limits.bufferBytes / 4 + 1, 1);
    expect(() => device.run(large, [])).toThrow(OutOfMemoryError);
    expect(() => device.run(large, [])).toThrow(/a buffer of this GPU has at most/);
  });

  test("that are given the wrong arrays are errors of the library", () => {
    const x = device.upload("float32", numbers(8));
    expect(() => device.run(addOne(9), [x])).toThrow(/needs 9 float32 and was given 8 float32/);
    expect(() => device.run(addOne(8), [x, x])).toThrow(/of 1 inputs was given 2/);
  });
});

describe("memory", () => {
  test("comes from what threads share, too", async () => {
    const shared = new Float32Array(new SharedArrayBuffer(16));
    shared.set([1, 2, 3, 4]);
    expect(await device.read(device.upload("float32", shared))).toEqual(Float32Array.of(1, 2, 3, 4));
    const bytes = new Uint8Array(new SharedArrayBuffer(3));
    bytes.set([1, 2, 255]);
    expect(await device.read(device.upload("uint8", bytes))).toEqual(Uint8Array.of(1, 2, 255));
  });

  test("that is released is used again, also while commands that read it wait", async () => {
    const fresh = await openTestDevice();
    const program = addOne(1000);
    const results = [];
    for (let k = 0; k < 20; k++) {
      const x = fresh.upload("float32", new Float32Array(1000).fill(k));
      results.push(fresh.run(program, [x])[0]);
      x.release();
    }
    for (const [k, y] of results.entries()) expect((await fresh.read(y))[999]).toBe(k + 1);
    expect(fresh.memory.used + fresh.memory.free).toBe(21 * 4096);
    await fresh.destroy();
  });

  test("stays as it is over a thousand arrays that are released", async () => {
    const fresh = await openTestDevice();
    const sizes = [1, 100, 5000, 70_000];
    for (let k = 0; k < 1000; k++) fresh.upload("float32", numbers(sizes[k % sizes.length])).release();
    expect(fresh.memory.used).toBe(0);
    expect(fresh.memory.arrays).toBe(0);
    expect(fresh.memory.free).toBeLessThan(mebibyte);
    fresh.trim();
    expect(fresh.memory.free).toBe(0);
    await fresh.destroy();
  });

  test("beyond the budget is refused before anything is allocated, and nothing is lost", async () => {
    const fresh = await openTestDevice({ memoryBudget: 8 * mebibyte });
    const held = Array.from({ length: 7 }, () => fresh.upload("float32", numbers(mebibyte / 4)));
    const program = addOne(mebibyte / 4);
    const [last] = fresh.run(program, [held[0]]);
    expect(() => fresh.run(program, [held[0]])).toThrow(OutOfMemoryError);
    expect(() => fresh.upload("float32", numbers(1))).toThrow(/8.00 MiB of 8.00 MiB are in arrays/);
    expect(fresh.memory.used).toBe(8 * mebibyte);
    expect(await fresh.read(last)).toEqual(numbers(mebibyte / 4).map((v) => v + 1));
    held[3].release();
    expect(await fresh.read(fresh.run(program, [last])[0])).toEqual(numbers(mebibyte / 4).map((v) => v + 2));
    await fresh.destroy();
  });

  test("kept for later makes room for arrays of other sizes", async () => {
    const fresh = await openTestDevice({ memoryBudget: 8 * mebibyte });
    for (const size of [1, 2, 3, 4, 5, 6, 7]) {
      const x = fresh.upload("float32", numbers((size * mebibyte) / 4));
      expect((await fresh.read(x))[size]).toBe(size);
      x.release();
    }
    await fresh.destroy();
  });

  test("does not run out in a loop that never awaits", async () => {
    const fresh = await openTestDevice({ memoryBudget: 256 * mebibyte });
    const program = addOne(mebibyte / 4, 64);
    let x = fresh.upload("float32", new Float32Array(mebibyte / 4));
    for (let k = 0; k < 10_000; k++) [x] = fresh.run(program, [x]);
    expect((await fresh.read(x))[63]).toBe(10_000);
    expect(fresh.memory.used + fresh.memory.free).toBeLessThanOrEqual(256 * mebibyte);
    await fresh.destroy();
  });

  test("of arrays that are still reachable is not given away by such a loop", async () => {
    const fresh = await openTestDevice({ memoryBudget: 64 * mebibyte });
    const program = addOne(mebibyte / 4, 64);
    let x = fresh.upload("float32", new Float32Array(mebibyte / 4));
    const kept = [];
    for (let k = 1; k <= 1000; k++) {
      [x] = fresh.run(program, [x]);
      if (k % 100 === 0) kept.push(x);
    }
    for (const [k, y] of kept.entries()) expect((await fresh.read(y))[0]).toBe((k + 1) * 100);
    await fresh.destroy();
  });

  test("where nobody can collect: an error says to await, and awaiting helps", async () => {
    const fresh = await openTestDevice({ memoryBudget: 64 * mebibyte, collect: null });
    const program = addOne(mebibyte / 4, 64);
    let x = fresh.upload("float32", new Float32Array(mebibyte / 4));
    const loop = (steps: number): void => {
      for (let k = 0; k < steps; k++) [x] = fresh.run(program, [x]);
    };
    expect(() => loop(1000)).toThrow(OutOfMemoryError);
    expect(() => loop(1000)).toThrow(/freed when the program awaits/);
    // V8 sees the weight of the arrays, but takes its time.
    for (let turn = 0; turn < 200 && fresh.memory.arrays > 1; turn++) {
      new ArrayBuffer(32 * mebibyte);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    loop(30);
    expect((await fresh.read(x))[0]).toBe(63 + 30);
    await fresh.destroy();
  });

  test("cannot be had for arrays that are larger than a buffer", async () => {
    const small = await openTestDevice({ memoryBudget: 2 ** 40 });
    const x = new Buffer("x", "float32", small.limits.bufferBytes / 4 + 4);
    const program: Program = { name: "identity", inputs: [x], outputs: [x], steps: [], temporaries: [] };
    const tooMany = { length: x.size, BYTES_PER_ELEMENT: 4 } as unknown as Float32Array;
    expect(() => small.upload("float32", tooMany)).toThrow(/does not fit into a buffer of this GPU/);
    expect(() => small.run(program, [])).toThrow(InternalError);
    await small.destroy();
  });
});

describe("errors that come late", () => {
  test("a shader that the GPU refuses is shown, with the place", async () => {
    const fresh = await openTestDevice();
    const { kernel, y } = invalidKernel();
    const program = programOf([kernel], [y]);
    const [result] = fresh.run(program, []);
    const error = await fresh.read(result).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(InternalError);
    const { message } = error as InternalError;
    expect(message).toMatch(/the shader of kernel torn is not valid WGSL: .*uniform/);
    expect(message).toMatch(/\(line (\d+), column \d+\)[\s\S]*\n {2}\1 \| .*workgroupBarrier\(\);/);
    // From now on it is known.
    expect(() => fresh.run(program, [])).toThrow(/not valid WGSL/);
    // What has nothing to do with it goes on.
    expect([...(await fresh.read(fresh.run(addOne(2), [fresh.upload("float32", numbers(2))])[0]))]).toEqual([
      1, 2,
    ]);
    await fresh.destroy();
  });

  test("what the GPU reports to nobody is thrown, not printed", async () => {
    const { gpu, devices } = await spying();
    const fresh = await openTestDevice({ gpu });
    devices[0].createBuffer({ size: 2 ** 41, usage: 128 });
    await expect(fresh.blockUntilReady()).rejects.toThrow(/the GPU reports: .*size/);
    await fresh.blockUntilReady();
    await fresh.destroy();
  });
});

/** The WebGPU of this process, and the devices that it makes. */
async function spying(): Promise<{ gpu: GPU; devices: GPUDevice[] }> {
  const packageName: string = "webgpu";
  const { create } = (await import(packageName)) as { create(flags: string[]): GPU };
  const real = create([]);
  kept.push(real);
  const devices: GPUDevice[] = [];
  const gpu = {
    requestAdapter: async (options?: GPURequestAdapterOptions) => {
      const adapter = await real.requestAdapter(options);
      if (adapter === null) return null;
      return {
        info: adapter.info,
        features: adapter.features,
        limits: adapter.limits,
        requestDevice: async (descriptor: GPUDeviceDescriptor) => {
          const made = await adapter.requestDevice(descriptor);
          devices.push(made);
          return made;
        },
      };
    },
  } as unknown as GPU;
  return { gpu, devices };
}

/** Dawn crashes if what it was entered by is collected. */
const kept: GPU[] = [];

describe("a lost device", () => {
  test("fails every later call; a new one works", async () => {
    const { gpu, devices } = await spying();
    const fresh = await openTestDevice({ gpu });
    const x = fresh.upload("float32", numbers(4));
    devices[0].destroy();
    await devices[0].lost;
    expect(() => fresh.upload("float32", numbers(4))).toThrow(DeviceLostError);
    expect(() => fresh.run(addOne(4), [x])).toThrow(/was lost \(destroyed\); initialise it again/);
    await expect(fresh.read(x)).rejects.toThrow(DeviceLostError);
    await expect(fresh.blockUntilReady()).rejects.toThrow(DeviceLostError);
    x.release();
    const next = await openTestDevice({ gpu });
    expect([...(await next.read(next.upload("float32", numbers(2))))]).toEqual([0, 1]);
    expect(() => next.run(addOne(4), [x])).toThrow(DeviceError);
    await fresh.destroy();
    await next.destroy();
  });

  test("fails reads that are under way", async () => {
    const { gpu, devices } = await spying();
    const fresh = await openTestDevice({ gpu });
    const x = fresh.upload("float32", numbers(4));
    const reading = fresh.read(x);
    devices[0].destroy();
    await expect(reading).rejects.toThrow(DeviceLostError);
  });

  test("that was destroyed has finished what was under way", async () => {
    const fresh = await openTestDevice();
    const program = addOne(mebibyte);
    let x = fresh.upload("float32", new Float32Array(mebibyte));
    for (let k = 0; k < 20; k++) [x] = fresh.run(program, [x]);
    const reading = fresh.read(x);
    await fresh.destroy();
    expect((await reading)[mebibyte - 1]).toBe(20);
    await expect(fresh.read(x)).rejects.toThrow(/was destroyed; initialise it again/);
    await fresh.destroy();
  });

  test("can be replaced two hundred times", async () => {
    const program = addOne(16);
    for (let k = 0; k < 200; k++) {
      const fresh = await openTestDevice();
      const [y] = fresh.run(program, [fresh.upload("float32", numbers(16))]);
      if (k % 20 === 0) expect((await fresh.read(y))[15]).toBe(16);
      await fresh.destroy();
    }
  });
});

describe("finding a GPU", () => {
  const found = (adapter: unknown): GPU => ({ requestAdapter: async () => adapter }) as unknown as GPU;

  test("there may be none", async () => {
    await expect(GpuDevice.open({ gpu: found(null), allowSoftware: true })).rejects.toThrow(NoAdapterError);
    await expect(GpuDevice.open({ gpu: found(null) })).rejects.toThrow(/requestAdapter gave null.*"wasm"/);
  });

  test("one that is emulated is only taken when asked for", async () => {
    await expect(openTestDevice({ allowSoftware: false })).rejects.toThrow(NoAdapterError);
    await expect(openTestDevice({ allowSoftware: false })).rejects.toThrow(
      /SwiftShader.*allowSoftware: true/,
    );
    expect(device.software).toBe(true);
  });

  test("one that gives no device is an error with its reason", async () => {
    const { gpu } = await spying();
    const adapter = (await gpu.requestAdapter()) as GPUAdapter;
    const broken = {
      ...adapter,
      requestDevice: async () => {
        throw new Error("out of luck");
      },
    };
    await expect(GpuDevice.open({ gpu: found(broken), allowSoftware: true })).rejects.toThrow(/out of luck/);
  });

  test("what it can do is known", () => {
    expect(device.limits.buffers).toBeGreaterThanOrEqual(8);
    expect(device.limits.workgroupThreads).toBeGreaterThanOrEqual(128);
    expect(device.limits.bufferBytes).toBeGreaterThanOrEqual(128 * mebibyte);
    expect(device.name).not.toBe("");
  });
});

test("shaders are compiled once for each text", () => {
  const before = device.shaders;
  const x = device.upload("float32", numbers(77));
  for (let k = 0; k < 3; k++) device.run(addOne(77), [x]);
  expect(device.shaders).toBe(before + 1);
  const y = new Buffer("y", "float32", 77);
  const kernel = itemKernel(77, [y], (i) => [store(y, i, sub(constant("f32", 1), constant("f32", 0.5)))]);
  device.run(programOf([kernel], [y]), []);
  expect(device.shaders).toBe(before + 2);
});

test("the process ends by itself", () => {
  const script = fileURLToPath(new URL("./fixtures/exits.ts", import.meta.url));
  const output = execFileSync(process.execPath, ["--import", "tsx", script], {
    encoding: "utf8",
    timeout: 60_000,
  });
  expect(output).toBe("1,2,3\n");
});
