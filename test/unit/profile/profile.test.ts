/** Profiles of programs on the CPU: what rows there are, and that their times add up. */
import {
  ArgumentError,
  type DeviceName,
  defaultDevice,
  grad,
  jit,
  type KernelRow,
  lax,
  type NDArray,
  nn,
  numpy as np,
  type ProfilePhase,
  profile,
  setDefaultDevice,
} from "fluxion";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { activeProfile } from "../../../src/core/profiler.js";
import { expectNested, lanesOf } from "./nesting.js";

const before: DeviceName = defaultDevice();
beforeEach(() => setDefaultDevice("wasm"));
afterAll(() => setDefaultDevice(before));

const rowsOf = ({ kernels, host }: ProfilePhase) => [...kernels, ...host];

/** Nothing is missing and nothing counted twice. */
function expectAddsUp(phase: ProfilePhase): void {
  const rows = rowsOf(phase);
  expect(rows.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
  expect(rows.reduce((sum, { totalMs }) => sum + totalMs, 0)).toBeCloseTo(phase.wallMs, 6);
  for (const { totalMs, medianMs, share, calls } of rows) {
    expect(totalMs).toBeGreaterThanOrEqual(0);
    expect(medianMs).toBeGreaterThanOrEqual(0);
    expect(share).toBeGreaterThanOrEqual(0);
    expect(calls).toBeGreaterThan(0);
  }
}

/** Two kernels: a product, and a softmax over its rows. */
const makeScores = () =>
  jit(function scores(x: NDArray, w: NDArray) {
    return nn.softmax(x.matmul(w));
  });

const placeOf = ({ position, name }: KernelRow): string => `${position}. ${name}`;

describe("the rows of a jitted function", () => {
  const x = np.ones([64, 32]);
  const w = np.ones([32, 48]);

  it("add up to the time of the calls", async () => {
    const scores = makeScores();
    const report = await profile(() => scores(x, w), { calls: 7, warmup: 2 });
    expect(report.calls).toBe(7);
    expect(report.warmup.calls).toBe(2);
    expect(report.overlapMs).toBe(0);
    expect(report.kernelClock).toBe("host");
    expect(report.device).toBe("wasm");
    expect(report.wallMs).toBeGreaterThan(0);
    expect(report.medianMs).toBeLessThanOrEqual(report.wallMs);
    expectAddsUp(report);
    expectAddsUp(report.warmup);
  });

  it("are the steps that explain and lower name", async () => {
    const scores = makeScores();
    const report = await profile(() => scores(x, w), { calls: 4 });
    const { steps } = scores.lower(x, w);
    const kernels = [...report.kernels].sort((a, b) => Number(a.position) - Number(b.position));
    expect(kernels.map(placeOf)).toEqual(steps.map(({ name }, i) => `${i}. ${name}`));
    for (const row of kernels) {
      expect(row).toMatchObject({ kind: "kernel", calls: 4, program: "jit(scores)", inside: "" });
      const { buffers } = steps[Number(row.position)];
      const bytes = (wanted: readonly string[]): number =>
        buffers.reduce((sum, { bytes, access }) => sum + (wanted.includes(access) ? bytes : 0), 0);
      expect(row.bytesRead).toBe(bytes(["read", "read-write"]));
      expect(row.bytesWritten).toBe(bytes(["write", "read-write"]));
    }
    const { bytesRead, bytesWritten } = scores.lower(x, w).costAnalysis();
    expect(kernels.reduce((sum, row) => sum + row.bytesRead, 0)).toBe(bytesRead);
    expect(kernels.reduce((sum, row) => sum + row.bytesWritten, 0)).toBe(bytesWritten);
  });

  it("say what is fused in them, where it was called, and what it counts", async () => {
    const scores = makeScores();
    const { kernels } = await profile(() => scores(x, w), { calls: 4 });
    const softmax = kernels.find(({ primitives }) => primitives.includes("exp"));
    expect(softmax?.primitives).toEqual(expect.arrayContaining(["reduceMax", "exp", "reduceSum", "div"]));
    expect(softmax?.source).toMatch(/profile\.test\.ts:\d+:\d+$/);
    expect(softmax?.items).toBe(64);
    const products = kernels.filter(({ primitives }) => primitives.includes("dotGeneral"));
    expect(products.length).toBeGreaterThan(0);
    // However many kernels a product is made of, it is counted once.
    const operations = products.reduce((sum, row) => sum + row.operations, 0);
    const { operations: all } = scores.lower(x, w).costAnalysis();
    expect(operations / (64 * 32 * 48)).toBeGreaterThanOrEqual(1.9);
    expect(operations).toBeLessThan(all);
    for (const { totalMs, calls, ...row } of kernels) {
      // The clocks of pages are coarse.
      if (totalMs === 0) expect(row).toMatchObject({ gigaflops: 0, gigabytesPerSecond: 0 });
      if (totalMs === 0) continue;
      expect(row.gigaflops).toBeCloseTo((row.operations * calls) / (totalMs * 1e6), 9);
      expect(row.gigabytesPerSecond).toBeCloseTo(
        ((row.bytesRead + row.bytesWritten) * calls) / (totalMs * 1e6),
        9,
      );
    }
  });

  it("tell tracing and compiling in the first call from what follows", async () => {
    const scores = makeScores();
    const report = await profile(() => scores(x, w), { calls: 3, warmup: 1 });
    const names = report.warmup.host.map(({ kind, name }) => `${kind} ${name}`);
    expect(names).toEqual(
      expect.arrayContaining([
        "trace jit(scores)",
        "compile normalise",
        "compile schedule",
        "compile emit",
        "compile reuse operands",
        "compile optimise",
        "compile plan memory",
        "compile print",
        "compile encode",
        "compile compile wasm",
        "dispatch jit(scores)",
      ]),
    );
    const later = report.host.map(({ kind }) => kind);
    expect(later).not.toContain("compile");
    expect(later).not.toContain("trace");
    expect(later).toEqual(expect.arrayContaining(["call", "dispatch", "transfer"]));
    expect(report.host.find(({ kind }) => kind === "dispatch")).toMatchObject({
      name: "jit(scores)",
      calls: 3,
    });
    const cold = await profile(() => makeScores()(x, w), { calls: 1, warmup: 0 });
    expect(cold.warmup).toMatchObject({ calls: 0, wallMs: 0, kernels: [], host: [] });
    expect(cold.host.map(({ kind }) => kind)).toEqual(expect.arrayContaining(["trace", "compile"]));
  });

  it("name the passes of an eager gradient", async () => {
    let step = 0;
    // Another program each time: passes over one that comes again are remembered.
    const f = (v: NDArray) => np.sum(np.sin(v).mul(v)).mul(step++);
    const { host } = await profile(() => grad(f)(np.ones([8])), { calls: 3 });
    const names = host.map(({ kind, name }) => `${kind} ${name}`);
    expect(names).toEqual(
      expect.arrayContaining(["trace grad(f)", "transform jvp", "transform partialEval", "transform dce"]),
    );
  });
});

describe("what is profiled", () => {
  it("gives the results that it gives without", async () => {
    const step = jit((x: NDArray) => np.cumsum(np.sin(x)).mul(2));
    const x = np.linspace(0, 5, 3000);
    const expected = step(x).dataSync();
    const found: ArrayLike<number>[] = [];
    await profile(() => void found.push(step(x).dataSync()), { calls: 3, warmup: 1 });
    expect(found).toHaveLength(4);
    for (const values of found) expect(values).toEqual(expected);
  });

  it("is as it was afterwards", async () => {
    let inside: unknown;
    await profile(
      () => {
        inside = activeProfile();
      },
      { calls: 1 },
    );
    expect(inside).toBeDefined();
    expect(activeProfile()).toBeUndefined();
  });

  it("may fail, which ends the profile and leaves the error as it is", async () => {
    const error = new Error("of the function");
    let calls = 0;
    const f = jit((x: NDArray) => x.add(1));
    await expect(
      profile(() => {
        f(np.ones([3]));
        if (++calls === 2) throw error;
      }),
    ).rejects.toBe(error);
    expect(activeProfile()).toBeUndefined();
    await expect(profile(() => Promise.reject(error))).rejects.toBe(error);
    await expect(profile(() => jit((x: NDArray) => x.matmul(np.ones([2])))(np.ones([3])))).rejects.toThrow(
      /matmul/,
    );
    expect(activeProfile()).toBeUndefined();
    expect((await profile(() => f(np.ones([3])), { calls: 2 })).calls).toBe(2);
  });

  it("is one function at a time", async () => {
    let refused: unknown;
    const outer = profile(
      async () => {
        refused = await profile(() => 1).catch((error: unknown) => error);
      },
      { calls: 1, warmup: 0 },
    );
    const second = profile(() => 1);
    await expect(second).rejects.toThrow(ArgumentError);
    await expect(second).rejects.toThrow(/another profile is being taken/);
    await outer;
    expect(refused).toBeInstanceOf(ArgumentError);
    expect((await profile(() => 1, { calls: 2 })).calls).toBe(2);
  });

  it("is checked", async () => {
    await expect(profile(3 as never)).rejects.toThrow(ArgumentError);
    await expect(profile(() => 1, { calls: 0 })).rejects.toThrow(
      /calls must be an integer, 1 or more, got 0/,
    );
    await expect(profile(() => 1, { warmup: -1 })).rejects.toThrow(ArgumentError);
    await expect(profile(() => 1, { mostEvents: 1.5 })).rejects.toThrow(ArgumentError);
  });

  it("may be asynchronous: waiting has a row", async () => {
    const f = jit((x: NDArray) => x.mul(3));
    const report = await profile(
      async () => {
        f(np.ones([10]));
        await new Promise((resolve) => setTimeout(resolve, 5));
        f(np.ones([10]));
      },
      { calls: 2, warmup: 1 },
    );
    expectAddsUp(report);
    const wait = report.host.find(({ kind }) => kind === "wait");
    expect(wait).toMatchObject({ name: "for the function's promise", calls: 2 });
    expect(wait?.totalMs).toBeGreaterThan(6);
    expect(report.kernels.find(({ kind }) => kind === "kernel")?.calls).toBe(4);
  });
});

describe("branches and loops", () => {
  it("count the steps of a scan, and what the loop itself takes", async () => {
    const running = jit((h: NDArray, xs: NDArray) =>
      lax.scan((carry: NDArray, x: NDArray) => [np.tanh(carry.mul(0.5).add(x)), np.sum(carry)], h, xs),
    );
    const [h, xs] = [np.ones([64]), np.ones([25, 64])];
    const report = await profile(() => running(h, xs), { calls: 4 });
    const [loop] = running.lower(h, xs).steps;
    if (loop.kind !== "control") throw new Error("the loop was compiled away");
    const inside = report.kernels.filter((row) => row.inside !== "");
    expect(inside.map(placeOf).sort()).toEqual(
      loop.bodies[0].steps.map(({ name }, i) => `${i}. ${name}`).sort(),
    );
    for (const row of inside) expect(row).toMatchObject({ inside: "0. scan, body", calls: 100 });
    const own = report.kernels.find(({ kind }) => kind === "control");
    expect(own).toMatchObject({ name: "scan", position: 0, calls: 4, operations: 0, bytesRead: 0 });
    expectAddsUp(report);
    expectNested(report.chromeTrace());
  });

  it("have rows for the branch that is taken alone", async () => {
    const choose = jit((flag: NDArray, x: NDArray) =>
      lax.cond(
        flag,
        (v: NDArray) => np.sin(v),
        (v: NDArray) => np.cumsum(v),
        x,
      ),
    );
    const x = np.ones([500]);
    const { kernels } = await profile(() => choose(np.array(true), x), { calls: 3 });
    const [row, ...others] = kernels.filter(({ inside }) => inside !== "");
    expect(others).toEqual([]);
    expect(row.inside).toMatch(/^\d\. cond, branch 1$/);
    expect(row).toMatchObject({ primitives: ["sin"], calls: 3 });
  });

  it("count steps of a loop of unknown length", async () => {
    const halve = jit((x: NDArray) =>
      lax.whileLoop(
        (v: NDArray) => np.max(v).greater(1),
        (v: NDArray) => v.mul(0.5),
        x,
      ),
    );
    const { kernels } = await profile(() => halve(np.full([40], 16)), { calls: 2 });
    const body = kernels.filter(({ inside }) => inside.endsWith("body"));
    expect(body.map(({ calls }) => calls)).toEqual(body.map(() => 8));
    expect(kernels.filter(({ inside }) => inside.endsWith("cond"))[0].calls).toBe(10);
  });
});

describe("operations", () => {
  it("by their evaluate rules have a row for each primitive", async () => {
    const x = np.ones([10]);
    const report = await profile(() => np.sin(x).add(np.sin(x)).mul(2), { calls: 5 });
    const rows = new Map(report.kernels.map((row) => [row.name, row]));
    expect(rows.get("sin")).toMatchObject({ kind: "operation", calls: 10, bytesRead: 40, bytesWritten: 40 });
    expect(rows.get("sin")).toMatchObject({ primitives: ["sin"], operations: 10, position: undefined });
    expect(rows.get("add")).toMatchObject({ calls: 5, bytesRead: 80, bytesWritten: 40 });
    expectAddsUp(report);
  });

  it("that are compiled are programs", async () => {
    const x = np.ones([5000]);
    const report = await profile(() => np.sin(x), { calls: 5 });
    expect(report.kernels).toHaveLength(1);
    expect(report.kernels[0]).toMatchObject({
      program: "sin",
      name: "sin",
      position: 0,
      calls: 5,
      operations: 5000,
    });
    expect(report.host.map(({ kind, name }) => `${kind} ${name}`)).toContain("dispatch sin");
  });

  it("are all that there is on the reference device", async () => {
    setDefaultDevice("reference");
    const f = jit((x: NDArray) => np.sum(np.tanh(x)).mul(2));
    const report = await profile(() => f(np.ones([2000])), { calls: 3 });
    expect(report.device).toBe("reference");
    const rows = report.kernels.map(({ kind, name, calls }) => `${kind} ${name} ${calls}`);
    expect(rows).toEqual(
      expect.arrayContaining(["operation tanh 3", "operation reduceSum 3", "operation mul 3"]),
    );
    expect(report.kernels.find(({ name }) => name === "tanh")?.bytesRead).toBe(8000);
    expectAddsUp(report);
  });
});

describe("the picture", () => {
  const f = jit(function total(x: NDArray) {
    return np.sum(np.exp(x).mul(x));
  });
  const x = np.ones([3000]);

  it("is in Chrome's format: complete events inside of one another", async () => {
    const report = await profile(() => f(x), { calls: 3, warmup: 1 });
    const trace = report.chromeTrace();
    expect(JSON.parse(JSON.stringify(trace))).toEqual(trace);
    const events = trace.traceEvents.flatMap((e) => (e.ph === "X" ? [e] : []));
    expect(Math.min(...events.map(({ ts }) => ts))).toBe(0);
    expect(events.filter(({ cat }) => cat === "call").map(({ name }) => name)).toEqual([
      "warm-up 1",
      "call 1",
      "call 2",
      "call 3",
    ]);
    expect(lanesOf(trace)).toEqual(["main thread"]);
    const kernels = events.filter(({ cat }) => cat === "kernel");
    expect(kernels).toHaveLength(4 * report.kernels.length);
    expect(kernels[0].args).toMatchObject({ program: "jit(total)", position: 0 });
    expectNested(trace);
    // Each kernel is inside of the call that ran it.
    const calls = events.filter(({ cat }) => cat === "call");
    for (const { ts, dur } of kernels)
      expect(calls.some((call) => call.ts <= ts && ts + dur <= call.ts + call.dur + 1e-6)).toBe(true);
  });

  it("has no more events than it may, and says how many it has not", async () => {
    const report = await profile(() => f(x), { calls: 10, mostEvents: 20 });
    const { traceEvents, otherData } = report.chromeTrace();
    expect(traceEvents.filter(({ ph }) => ph === "X")).toHaveLength(20);
    expect(otherData.droppedEvents).toBeGreaterThan(10);
    expect(report.kernels[0].calls).toBe(10);
    expectAddsUp(report);
  });
});

describe("the table", () => {
  it("is sorted by time, says what it is of, and folds what is left", async () => {
    const scores = makeScores();
    const report = await profile(() => scores(np.ones([64, 32]), np.ones([32, 48])), { calls: 3, warmup: 1 });
    const lines = String(report).split("\n");
    expect(lines[0]).toMatch(/^3 calls on wasm, .* each \(median .*\), \d+\.\d % in kernels$/);
    expect(lines[1]).toMatch(/^ *share +total +median +calls +items +GB\/s +GFLOP\/s$/);
    const end = lines.findIndex((line) => line.startsWith("before that 1 call in "));
    const shares = lines.slice(2, end).map((line) => Number.parseFloat(line));
    expect(shares).toHaveLength(rowsOf(report).length);
    expect(shares).toEqual([...shares].sort((a, b) => b - a));
    for (const row of report.kernels) expect(String(report)).toContain(placeOf(row));
    expect(String(report)).toContain("dispatch jit(scores)");
    expect(report.table(2).split("\n")[4]).toBe(
      `and ${rowsOf(report).length - 2} more, ${(
        100 *
          rowsOf(report)
            .sort((a, b) => b.totalMs - a.totalMs)
            .slice(2)
            .reduce((sum, { share }) => sum + share, 0)
      ).toFixed(1)} %`,
    );
  });
});
