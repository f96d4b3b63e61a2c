/**
 * What a call of a compiled program costs the calling thread on a GPU: nothing waits for the GPU, and nothing is read back.
 * Programs are tiny, so that this is all they cost. Without a GPU there is nothing to measure; FLUXION_BENCH_SOFTWARE=1 takes
 * one that is emulated on the CPU, where the GPU's own work competes for the processor.
 */
import { blockUntilReady, type DeviceInfo, init, jit, type NDArray, numpy as np } from "fluxion";
import type { Case } from "./harness.js";

const allowSoftware = process.env.FLUXION_BENCH_SOFTWARE === "1";
let info: DeviceInfo | undefined;
try {
  info = await init({ device: "webgpu", allowSoftware });
  console.log(`GPU: ${info.description}`);
} catch (error) {
  console.log(
    `no GPU, so that these are left out: ${error instanceof Error ? error.message : String(error)}`,
  );
}

const calls = 50;

/** Microseconds of the calling thread for a call, while the commands of `calls` calls are recorded and submitted. */
async function perCall(f: (...xs: NDArray[]) => NDArray, ...xs: NDArray[]): Promise<number> {
  await blockUntilReady();
  const start = performance.now();
  for (let i = 0; i < calls; i++) f(...xs).dispose();
  // What was recorded is submitted in a microtask, which belongs to the cost.
  await Promise.resolve();
  const elapsed = performance.now() - start;
  return (1000 * elapsed) / calls;
}

function cases(): readonly Case[] {
  if (info === undefined) return [];
  const x = np.ones([4]);
  const w = np.ones([4, 4]);
  const one = jit((a: NDArray) => a.add(1));
  const several = jit((a: NDArray, b: NDArray) => np.sum(np.tanh(b.matmul(a))).mul(2));
  const common = { unit: "µs", rounds: 41, warmup: 41, goal: { atMost: 30 } } as const;
  return [
    { ...common, name: "a call of x + 1, recorded and submitted", measure: () => perCall(one, x) },
    { ...common, name: "a call of sum(tanh(w·x))·2", measure: () => perCall(several, x, w) },
  ];
}

export default cases();
