/** Threads in a profile: each has a lane, whose events lie in those of the kernel that they helped with. */
import { type NDArray, numpy as np } from "fluxion";
import { afterAll, expect, it, vi } from "vitest";
import { Heap } from "../../../src/backends/wasm/memory.js";
import { poolOf } from "../../../src/backends/wasm/pool.js";
import { compileProgram } from "../../../src/backends/wasm/run.js";
import { compile, wasmOptions } from "../../../src/compiler/compile.js";
import { aval } from "../../../src/core/aval.js";
import { buildJaxpr } from "../../../src/core/build.js";
import { setProfile } from "../../../src/core/profiler.js";
import { chromeTrace } from "../../../src/profile/chromeTrace.js";
import { Facts } from "../../../src/profile/facts.js";
import { mainLane, Recorder } from "../../../src/profile/recorder.js";
import { expectNested, lanesOf } from "./nesting.js";

const heaps: Heap[] = [];
const newHeap = (count: number): Heap => {
  const heap = new Heap({ maximumPages: 8192, threads: { count, worth: 0 } });
  heaps.push(heap);
  return heap;
};

afterAll(() => {
  setProfile(undefined);
  for (const heap of heaps) poolOf(heap).close();
});

const size = 200_000;
const jaxpr = buildJaxpr("test", [aval([size], "float32")], ([x]) => {
  const y: NDArray = np.tanh(x.mul(0.5));
  return [np.sin(y).add(np.cumsum(y))];
});
const input = Float32Array.from({ length: size }, (_, i) => i / size - 0.5);

it("gives workers lanes, and changes no bit", async () => {
  const [expected] = compileProgram(compile(jaxpr, wasmOptions), { heap: newHeap(1) }).run([input]);
  const heap = newHeap(2);
  const pool = poolOf(heap);
  pool.offer(1000);
  await vi.waitUntil(() => pool.running(Number.POSITIVE_INFINITY) === 2, { timeout: 50_000 });
  const ready = compileProgram(compile(jaxpr, wasmOptions), { heap });
  ready.prepare();

  const recorder = new Recorder(100_000);
  const lanes = (): Set<string> => new Set(recorder.events.map(({ lane }) => lane));
  setProfile(recorder);
  // A worker comes when the system lets it: on a busy machine not to every kernel.
  for (const end = performance.now() + 20_000; !lanes().has("worker 1") && performance.now() < end; ) {
    recorder.begin("call", "call");
    const [result] = ready.run([input]);
    recorder.unwind(0);
    expect(result).toEqual(expected);
    heap.release(result);
  }
  setProfile(undefined);

  expect([...lanes()].sort()).toEqual([mainLane, "worker 1"]);
  const kernels = recorder.events.filter(({ lane, kind }) => lane === mainLane && kind === "kernel");
  for (const { lane, key, begin, end } of recorder.events)
    if (lane !== mainLane)
      expect(kernels.some((k) => k.key === key && k.begin <= begin && end <= k.end)).toBe(true);
  const trace = chromeTrace(recorder, new Facts(recorder));
  expect(lanesOf(trace)).toEqual([mainLane, "worker 1"]);
  expectNested(trace);

  // Workers note nothing when nobody asks.
  const count = recorder.events.length;
  heap.release(ready.run([input])[0]);
  expect(recorder.events).toHaveLength(count);
}, 60_000);
