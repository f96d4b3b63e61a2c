/** Profiles on a GPU: kernels by its own clock, or what is submitted at once by that of the host. */
import { closeGpu, init, jit, lax, type NDArray, nn, numpy as np, type ProfilePhase, profile } from "fluxion";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { activeProfile } from "../../src/core/profiler.js";
import { expectNested, lanesOf } from "../unit/profile/nesting.js";
import { useSwiftShader } from "./swiftshader.js";

const software = { device: "webgpu", allowSoftware: true } as const;

beforeAll(useSwiftShader);
afterEach(async () => {
  await closeGpu();
  vi.unstubAllGlobals();
});

const makeScores = () =>
  jit(function scores(x: NDArray, w: NDArray) {
    return nn.softmax(x.matmul(w));
  });

function expectAddsUp(phase: ProfilePhase): void {
  const rows = [...phase.kernels, ...phase.host];
  expect(rows.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
  expect(rows.reduce((sum, { totalMs }) => sum + totalMs, 0)).toBeCloseTo(phase.wallMs + phase.overlapMs, 6);
  for (const { totalMs } of rows) expect(totalMs).toBeGreaterThanOrEqual(0);
}

/** The package of WebGPU for Node, by a name that bundlers for pages do not follow. */
const packageName: string = "webgpu";

/** A GPU whose adapter has no clock for kernels. */
async function gpuWithoutClock(): Promise<GPU> {
  const gpu = (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu ?? (await openDawn());
  return {
    requestAdapter: async (options?: GPURequestAdapterOptions) => {
      const adapter = await gpu.requestAdapter(options);
      if (adapter === null) return null;
      const features = new Set([...adapter.features].filter((name) => name !== "timestamp-query"));
      const { info, limits } = adapter;
      return { info, limits, features, requestDevice: adapter.requestDevice.bind(adapter) };
    },
  } as unknown as GPU;
}

async function openDawn(): Promise<GPU> {
  const { create } = (await import(/* @vite-ignore */ packageName)) as { create(flags: string[]): GPU };
  return create([]);
}

describe("a profile", () => {
  test("has the steps of the program, timed by the GPU", async () => {
    await init(software);
    const scores = makeScores();
    const [x, w] = [np.ones([64, 32]).mul(1), np.ones([32, 48]).mul(1)];
    const report = await profile(() => scores(x, w), { calls: 4, warmup: 2 });
    expect(report.device).toBe("webgpu");
    expect(report.kernelClock).toBe("timestamps");
    const { steps } = scores.lower(x, w);
    const kernels = [...report.kernels].sort((a, b) => Number(a.position) - Number(b.position));
    expect(kernels.map(({ position, name }) => `${position}. ${name}`)).toEqual(
      steps.map(({ name }, i) => `${i}. ${name}`),
    );
    for (const row of kernels)
      expect(row).toMatchObject({ kind: "kernel", calls: 4, program: "jit(scores)" });
    // Browsers round times of the GPU, to nothing if a kernel is short.
    expect(kernels.reduce((sum, { totalMs }) => sum + totalMs, 0)).toBeGreaterThan(0);
    expect(Math.max(...kernels.map((row) => row.gigabytesPerSecond))).toBeGreaterThan(0);
    expectAddsUp(report);
    expectAddsUp(report.warmup);
    expect(report.host.map(({ kind, name }) => `${kind} ${name}`)).toContain("wait for the GPU");
    expect(report.warmup.host.map(({ kind, name }) => `${kind} ${name}`)).toEqual(
      expect.arrayContaining(["compile print", "compile make pipelines", "compile schedule"]),
    );
    expect(String(report)).toContain("kernels by the clock of the GPU");
    expect(activeProfile()).toBeUndefined();
  });

  test("draws the GPU on a lane of its own, after what was submitted", async () => {
    await init(software);
    const scores = makeScores();
    const [x, w] = [np.ones([64, 32]).mul(1), np.ones([32, 48]).mul(1)];
    const report = await profile(() => scores(x, w), { calls: 3, warmup: 1 });
    const trace = report.chromeTrace();
    expect(lanesOf(trace)).toEqual(["main thread", "GPU"]);
    expectNested(trace);
    const events = trace.traceEvents.flatMap((e) => (e.ph === "X" ? [e] : []));
    const onGpu = events.filter(({ tid }) => tid === 1);
    expect(onGpu).toHaveLength(4 * report.kernels.length);
    const calls = events.filter(({ cat }) => cat === "call");
    for (const { ts } of onGpu) expect(ts).toBeGreaterThan(calls[0].ts);
  });

  test("changes no result, and goes on after another", async () => {
    await init(software);
    const f = jit((x: NDArray) => np.cumsum(np.sin(x)).mul(2));
    const x = np.linspace(0, 5, 3000);
    const expected = await f(x).data();
    const found: ArrayLike<number>[] = [];
    const read = async () => void found.push(await f(x).data());
    await profile(read, { calls: 2, warmup: 1 });
    await profile(read, { calls: 1, warmup: 0 });
    expect(found).toHaveLength(4);
    for (const values of found) expect(values).toEqual(expected);
    expect(await f(x).data()).toEqual(expected);
  });

  test("counts the steps of loops, also of those that the GPU ends", async () => {
    await init(software);
    const running = jit((h: NDArray, xs: NDArray) =>
      lax.scan((carry: NDArray, x: NDArray) => [np.tanh(carry.mul(0.5).add(x)), np.sum(carry)], h, xs),
    );
    const [h, xs] = [np.ones([64]), np.ones([25, 64])];
    const report = await profile(() => running(h, xs), { calls: 2 });
    const body = report.kernels.filter(({ inside }) => inside === "0. scan, body");
    expect(body.length).toBeGreaterThan(0);
    for (const { calls } of body) expect(calls).toBe(50);
    expectAddsUp(report);
    const halve = jit((x: NDArray) =>
      lax.whileLoop(
        (v: NDArray) => np.max(v).greater(1),
        (v: NDArray) => v.mul(0.5),
        x,
      ),
    );
    const loop = await profile(() => halve(np.full([40], 16)), { calls: 2 });
    const steps = loop.kernels.filter(({ inside }) => inside.endsWith("body"));
    // Steps are recorded several at a time, and those after the end do nothing.
    for (const { calls } of steps) expect(calls).toBeGreaterThanOrEqual(8);
    expect(steps.length).toBeGreaterThan(0);
    expectAddsUp(loop);
  });

  test("of many kernels needs several submissions", async () => {
    await init(software);
    const f = jit((h: NDArray, xs: NDArray) =>
      lax.scan((carry: NDArray, x: NDArray) => [np.cumsum(carry.mul(0.5).add(x)), carry], h, xs),
    );
    const report = await profile(() => f(np.ones([8]), np.ones([300, 8])), { calls: 1, warmup: 1 });
    const body = report.kernels.filter(({ inside }) => inside !== "");
    for (const { calls } of body) expect(calls).toBe(300);
    expectAddsUp(report);
    expectNested(report.chromeTrace());
  });
});

test("a GPU without a clock for kernels times what is submitted at once, and says so", async () => {
  const gpu = await gpuWithoutClock();
  vi.stubGlobal("navigator", { gpu });
  await init(software);
  const scores = makeScores();
  const [x, w] = [np.ones([64, 32]).mul(1), np.ones([32, 48]).mul(1)];
  const report = await profile(() => scores(x, w), { calls: 4, warmup: 2 });
  expect(report.kernelClock).toBe("submissions");
  expect(String(report)).toContain("this GPU has no clock for kernels");
  const { steps } = scores.lower(x, w);
  expect(report.kernels).toHaveLength(1);
  const [row] = report.kernels;
  expect(row).toMatchObject({ kind: "kernel", program: "jit(scores)", position: undefined, calls: 4 });
  expect(row.name).toBe(`${steps.length} kernels: ${steps.map(({ name }) => name).join(", ")}`);
  expect(row.primitives).toEqual(expect.arrayContaining(["dotGeneral", "exp"]));
  const { bytesRead, bytesWritten } = scores.lower(x, w).costAnalysis();
  expect(row).toMatchObject({ bytesRead, bytesWritten });
  expectAddsUp(report);
  const trace = report.chromeTrace();
  expectNested(trace);
  expect(lanesOf(trace)).toEqual(["main thread", "GPU"]);
});
