/** Threads in processes of their own: how they are chosen, and that they end. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const root = new URL("../../../", import.meta.url);
const source = (path: string): string => JSON.stringify(new URL(`src/${path}`, root).href);

/** What a program of its own prints. */
function printed(program: string, env: Record<string, string> = {}, flags: readonly string[] = []): string {
  const { FLUXION_THREADS: _, ...inherited } = process.env;
  return execFileSync(
    process.execPath,
    ["--import", "tsx", ...flags, "--input-type=module", "--eval", program],
    { cwd: fileURLToPath(root), encoding: "utf8", env: { ...inherited, ...env }, timeout: 50_000 },
  ).trim();
}

/** A training loop that never returns to the event loop: it ends when threads have helped, or after 20 s. */
const loop = `
  import { devices, init, jit, numpy as np } from ${source("index.ts")};
  import { deviceHeap } from ${source("backends/wasm/memory.ts")};
  import { poolOf } from ${source("backends/wasm/pool.ts")};
  const f = jit((x) => np.tanh(x.mul(0.5)).add(1));
  let x = np.ones([2_000_000]);
  const pool = poolOf(deviceHeap());
  const until = performance.now() + 20_000;
  const loop = (ms = 20_000) => {
    for (const end = Math.min(until, performance.now() + ms); pool.shared === 0 && performance.now() < end; ) x = f(x);
  };
`;
const report = `console.log(pool.shared > 0, pool.threads, x.dtype);`;

it("work in a loop that never awaits, and the process ends by itself", () => {
  expect(printed(`${loop} loop(); ${report}`, { FLUXION_THREADS: "3" })).toBe("true 3 float32");
});

it("are as many as init says", () => {
  expect(
    printed(`${loop} await init({ device: "wasm", threads: 2 }); loop(); ${report}`, {
      FLUXION_THREADS: "1",
    }),
  ).toBe("true 2 float32");
});

it("FLUXION_THREADS=1 starts none", () => {
  expect(
    printed(`${loop} loop(1000); console.log(pool.hasTeam, devices()[1].threads);`, { FLUXION_THREADS: "1" }),
  ).toBe("false 1");
});

it("are not there without SharedArrayBuffer", () => {
  const program = `
    delete globalThis.SharedArrayBuffer;
    const { devices, jit, numpy: np } = await import(${source("index.ts")});
    const f = jit((x) => np.tanh(x).add(1));
    let x = np.zeros([1_000_000]);
    for (let i = 0; i < 30; i++) x = f(x).mul(0);
    console.log(devices()[1].threads, np.sum(f(x)).item());
  `;
  expect(printed(program)).toBe("1 1000000");
});

it.each(["0", "-1", "2.5", "many", "33"])("FLUXION_THREADS=%s is an error", (value) => {
  const program = `
    import { devices } from ${source("index.ts")};
    try { devices(); } catch (error) { console.log(error.name, error.message); }
  `;
  expect(printed(program, { FLUXION_THREADS: value })).toContain(
    `ArgumentError FLUXION_THREADS: "${value}" is not a number of threads; give a whole number from 1 to 32`,
  );
});

it.each([0, 1.5, Number.NaN, "2"])(
  "init refuses %s threads, and leaves everything as it was",
  async (threads) => {
    const { devices, init } = await import("../../../src/index.js");
    const before = devices();
    await expect(init({ device: "wasm", threads: threads as number })).rejects.toThrow(
      `init: threads: ${typeof threads === "string" ? '"2"' : threads} is not a number of threads; give a whole number from 1 to 32`,
    );
    expect(devices()).toEqual(before);
  },
);
