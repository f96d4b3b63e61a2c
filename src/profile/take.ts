/** Taking a profile: the calls, and what is waited for between them. */
import { blockUntilReady, defaultDevice } from "../backends/devices.js";
import { setProfile } from "../core/profiler.js";
import type { ProfileOptions } from "./profile.js";
import { Phase, Recorder } from "./recorder.js";
import { ProfileReport } from "./report.js";

export async function takeProfile(
  f: () => unknown,
  { calls, warmup, mostEvents }: Required<ProfileOptions>,
): Promise<ProfileReport> {
  const recorder = new Recorder(mostEvents);
  const before = new Phase();
  const measured = new Phase();
  // What was begun before is not to be measured.
  await blockUntilReady();
  setProfile(recorder);
  try {
    for (let i = 0; i < warmup + calls; i++) {
      recorder.phase = i < warmup ? before : measured;
      await call(f, recorder, i < warmup ? `warm-up ${i + 1}` : `call ${i - warmup + 1}`);
    }
  } finally {
    setProfile(undefined);
  }
  return new ProfileReport(recorder, before, measured, defaultDevice());
}

async function call(f: () => unknown, recorder: Recorder, name: string): Promise<void> {
  recorder.begin("call", name);
  try {
    const result = f();
    if (isPromise(result)) await waiting(recorder, "for the function's promise", result);
    if (usesGpu(recorder)) await waiting(recorder, "for the GPU", blockUntilReady());
  } finally {
    recorder.unwind(0);
  }
  await recorder.settle();
}

async function waiting(recorder: Recorder, name: string, promise: PromiseLike<unknown>): Promise<void> {
  recorder.begin("wait", name);
  await promise;
  recorder.end();
}

const usesGpu = ({ programs }: Recorder): boolean =>
  [...programs.values()].some(({ device }) => device === "webgpu");

const isPromise = (x: unknown): x is PromiseLike<unknown> =>
  typeof x === "object" && x !== null && typeof (x as { then?: unknown }).then === "function";
