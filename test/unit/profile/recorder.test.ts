/** What a recorder makes of beginnings and ends at known times. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { StepFacts, Submission } from "../../../src/core/profiler.js";
import { showTime } from "../../../src/core/table.js";
import { chromeTrace } from "../../../src/profile/chromeTrace.js";
import { Facts } from "../../../src/profile/facts.js";
import { Phase, Recorder } from "../../../src/profile/recorder.js";
import { ProfileReport } from "../../../src/profile/report.js";
import { medianOf, Samples } from "../../../src/profile/samples.js";

let now = 0;
beforeEach(() => {
  now = 1000;
  vi.spyOn(performance, "now").mockImplementation(() => now);
});
afterEach(() => void vi.restoreAllMocks());

const elapse = (ms: number): void => {
  now += ms;
};

const kernel = (name: string): StepFacts => ({
  key: { name },
  kind: "kernel",
  position: 0,
  inside: "",
  name,
  primitives: [name],
  source: undefined,
  items: 10,
  bytesRead: 3e6,
  bytesWritten: 1e6,
  operations: 8e6,
  group: { name },
});

const reportOf = (recorder: Recorder): ProfileReport =>
  new ProfileReport(recorder, new Phase(), recorder.phase, "wasm");

const timesOf = (report: ProfileReport): Record<string, number> =>
  Object.fromEntries(
    [...report.kernels, ...report.host].map(({ kind, name, totalMs }) => [`${kind} ${name}`, totalMs]),
  );

describe("time", () => {
  it("belongs to what began last", () => {
    const recorder = new Recorder(100);
    recorder.begin("call", "call 1");
    elapse(1);
    recorder.during("dispatch", "jit(f)", () => {
      elapse(2);
      recorder.during("trace", "jit(f)", () => elapse(4));
      recorder.during("kernel", "k", () => elapse(8), {});
      recorder.during("kernel", "k", () => elapse(16), {});
    });
    elapse(32);
    recorder.unwind(0);
    const report = reportOf(recorder);
    expect(report.wallMs).toBe(63);
    expect(report.kernels.map(({ name, totalMs, calls }) => [name, totalMs, calls])).toEqual([
      ["k", 16, 1],
      ["k", 8, 1],
    ]);
    expect(timesOf(report)).toMatchObject({
      "call the function itself": 33,
      "dispatch jit(f)": 2,
      "trace jit(f)": 4,
    });
  });

  it("of a call inside of the same call is the call's", () => {
    const recorder = new Recorder(100);
    recorder.begin("call", "call 1");
    recorder.during("dispatch", "jit(f)", () => {
      elapse(1);
      recorder.during("dispatch", "jit(f)", () => {
        elapse(2);
        recorder.during("dispatch", "jit(g)", () => elapse(4));
      });
      elapse(8);
    });
    recorder.unwind(0);
    const { host } = reportOf(recorder);
    expect(host.find(({ name }) => name === "jit(f)")).toMatchObject({ calls: 1, totalMs: 11 });
    expect(host.find(({ name }) => name === "jit(g)")).toMatchObject({ calls: 1, totalMs: 4 });
  });

  it("of what an error has left open ends with what it was in", () => {
    const recorder = new Recorder(100);
    recorder.begin("call", "call 1");
    const fail = () =>
      recorder.during("dispatch", "jit(f)", () => {
        recorder.begin("transfer", "copy in");
        elapse(3);
        recorder.begin("dispatch", "jit(g)");
        recorder.begin("dispatch", "jit(g)");
        elapse(5);
        throw new Error("no");
      });
    expect(fail).toThrow("no");
    elapse(7);
    recorder.unwind(0);
    const report = reportOf(recorder);
    expect(timesOf(report)).toEqual({
      "call the function itself": 7,
      "dispatch jit(f)": 0,
      "transfer copy in": 3,
      "dispatch jit(g)": 5,
    });
    expect(report.wallMs).toBe(15);
  });
});

describe("rates", () => {
  it("are of what a kernel reads, writes and counts; kernels of one operation share it by their times", () => {
    const recorder = new Recorder(100);
    const [pack, product] = [kernel("pack"), kernel("product")];
    const facts = [pack, { ...product, position: 1, group: pack.group }];
    recorder.begin("call", "call 1");
    recorder.during("dispatch", "jit(f)", () => {
      recorder.program({}, "wasm", () => facts);
      for (let i = 0; i < 2; i++) {
        recorder.during("kernel", "pack", () => elapse(1), pack.key);
        recorder.during("kernel", "product", () => elapse(3), product.key);
      }
    });
    recorder.unwind(0);
    const { kernels } = reportOf(recorder);
    expect(kernels.map(({ name }) => name)).toEqual(["product", "pack"]);
    expect(kernels[0]).toMatchObject({
      program: "jit(f)",
      calls: 2,
      totalMs: 6,
      operations: 6e6,
      share: 0.75,
    });
    expect(kernels[1]).toMatchObject({ program: "jit(f)", calls: 2, totalMs: 2, operations: 2e6 });
    expect(kernels[0].gigaflops).toBeCloseTo(2, 9);
    expect(kernels[1].gigaflops).toBeCloseTo(2, 9);
    expect(kernels[0].gigabytesPerSecond).toBeCloseTo(4 / 3, 9);
  });
});

describe("a GPU", () => {
  const { key } = kernel("k");
  const submission = (submitted: number, ...spans: (readonly [number, number])[]): Submission => ({
    submitted,
    timestamps: true,
    spans: spans.map(([begin, end]) => ({ kernels: [{ key, name: "k" }], begin, end })),
  });

  /** A call in which the host works for 10 ms and then waits for 20. */
  const recorded = async (...spans: (readonly [number, number])[]): Promise<ProfileReport> => {
    const recorder = new Recorder(100);
    recorder.begin("call", "call 1");
    elapse(10);
    recorder.later(Promise.resolve(submission(1004, ...spans)));
    recorder.begin("wait", "for the GPU");
    elapse(20);
    recorder.unwind(0);
    await recorder.settle();
    return reportOf(recorder);
  };

  it("computes while the host waits: waiting is what remains", async () => {
    const report = await recorded([7, 12], [12, 20]);
    expect(timesOf(report)).toEqual({
      "call the function itself": 10,
      "wait for the GPU": 7,
      "kernel k": 13,
    });
    expect(report.overlapMs).toBe(0);
    expect(report.kernels[0]).toMatchObject({ calls: 2, medianMs: 6.5 });
  });

  it("computes beside the host, too: that is the overlap", async () => {
    const report = await recorded([7, 31]);
    expect(timesOf(report)).toEqual({
      "call the function itself": 10,
      "wait for the GPU": 0,
      "kernel k": 24,
    });
    expect(report.overlapMs).toBe(4);
    const shares = [...report.kernels, ...report.host].map(({ share }) => share);
    expect(shares.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
    expect(String(report)).toContain("4 ms of the GPU's work ran beside that of the host");
  });

  it("is drawn as early as it can have begun, and never backwards", async () => {
    const recorder = new Recorder(100);
    recorder.begin("call", "call 1");
    elapse(50);
    recorder.later(Promise.resolve(submission(1010, [500, 503], [503, 502])));
    recorder.later(Promise.resolve(submission(1020, [504, 506])));
    recorder.unwind(0);
    await recorder.settle();
    const { traceEvents } = chromeTrace(recorder, new Facts(recorder));
    const drawn = traceEvents.flatMap((e) => (e.ph === "X" && e.cat === "kernel" ? [[e.ts, e.dur]] : []));
    // The second submission says that the clock of the host is at least 516 ms ahead.
    expect(drawn).toEqual([
      [16_000, 3000],
      [19_000, 0],
      [20_000, 2000],
    ]);
  });

  it("whose work was lost has no rows, and the profile goes on", async () => {
    const recorder = new Recorder(100);
    recorder.begin("call", "call 1");
    recorder.later(Promise.reject(new Error("lost")));
    elapse(1);
    recorder.unwind(0);
    await recorder.settle();
    expect(reportOf(recorder).kernels).toEqual([]);
  });
});

describe("medians", () => {
  it("are those of the numbers", () => {
    expect(medianOf([])).toBe(0);
    expect(medianOf([5])).toBe(5);
    expect(medianOf([9, 1, 4])).toBe(4);
    expect(medianOf([9, 1, 4, 6])).toBe(5);
  });

  it("of very many are those of some, spread over all", () => {
    const samples = new Samples();
    for (let i = 0; i < 300_001; i++) samples.add(i);
    expect(samples.median / 150_000).toBeCloseTo(1, 3);
  });
});

it("times have three digits and a unit", () => {
  expect([0, 0.0000123, 0.00123, 0.9994, 1, 12.345, 1234.5, 65_432].map(showTime)).toEqual([
    "0 µs",
    "0.0123 µs",
    "1.23 µs",
    "999 µs",
    "1 ms",
    "12.3 ms",
    "1.23 s",
    "65.4 s",
  ]);
});
