/** The pool of GPU memory, on a device that only counts. */
import { expect, test } from "vitest";
import { OutOfMemoryError } from "../../../src/backends/webgpu/errors.js";
import { type Chunk, Pool, sizeClass } from "../../../src/backends/webgpu/pool.js";

function countingDevice() {
  const log: string[] = [];
  const device = {
    createBuffer: ({ size }: { size: number }) => {
      log.push(`create ${size}`);
      return { destroy: () => log.push(`destroy ${size}`) };
    },
    queue: { submit: () => log.push("submit") },
  };
  return { device: device as unknown as GPUDevice, log };
}

test("size classes waste at most a fifth and are multiples of 256", () => {
  for (let bytes = 1; bytes < 10_000_000; bytes = Math.ceil(bytes * 1.07)) {
    const size = sizeClass(bytes);
    expect(size).toBeGreaterThanOrEqual(bytes);
    expect(size % 256).toBe(0);
    if (bytes >= 1280) expect(size / bytes).toBeLessThan(1.25);
    expect(sizeClass(size)).toBe(size);
  }
});

test("a chunk is used again when its last holder gives it back", () => {
  const { device, log } = countingDevice();
  const pool = new Pool(device, { budget: 1 << 20, largest: 1 << 20, reclaim: () => {}, flush: () => {} });
  const chunk = pool.take(1000);
  pool.share(chunk);
  pool.give(chunk);
  expect(pool.take(1000)).not.toBe(chunk);
  pool.give(chunk);
  expect(pool.take(990)).toBe(chunk);
  expect(log).toEqual(["create 1024", "create 1024"]);
});

test("spare chunks make room for others; commands that use them are submitted first", () => {
  const { device, log } = countingDevice();
  const pool = new Pool(device, {
    budget: 4096,
    largest: 4096,
    reclaim: () => log.push("reclaim"),
    flush: () => log.push("flush"),
  });
  const [a, b] = [pool.take(1024), pool.take(2048)];
  pool.give(a);
  pool.give(b);
  log.length = 0;
  pool.take(4096);
  expect(log.filter((line) => line !== "reclaim")).toEqual([
    "flush",
    "destroy 2048",
    "destroy 1024",
    "submit",
    "create 4096",
  ]);
});

test("dead arrays are looked for before the budget is called spent", () => {
  const { device } = countingDevice();
  const dead: Chunk[] = [];
  let calls = 0;
  const pool = new Pool(device, {
    budget: 1024 * 1024,
    largest: 1024 * 1024,
    reclaim: () => {
      calls++;
      for (const chunk of dead.splice(0)) pool.give(chunk);
    },
    flush: () => {},
  });
  for (let k = 0; k < 1000; k++) dead.push(pool.take(8 * 1024));
  // A quarter of the budget is 32 of these: not each of them is a reason to look.
  expect(calls).toBeGreaterThan(10);
  expect(calls).toBeLessThan(50);
  for (const chunk of dead.splice(0)) pool.give(chunk);
  const held = Array.from({ length: 128 }, () => pool.take(8 * 1024));
  expect(() => pool.take(256)).toThrow(OutOfMemoryError);
  expect(pool.use).toEqual({ used: 1024 * 1024, free: 0, budget: 1024 * 1024 });
  pool.give(held[0]);
  expect(() => pool.take(256)).not.toThrow();
});

test("what is larger than a buffer of the device is refused", () => {
  const { device, log } = countingDevice();
  const pool = new Pool(device, { budget: 1 << 30, largest: 3000, reclaim: () => {}, flush: () => {} });
  expect(pool.take(3000).size).toBe(3000);
  expect(() => pool.take(3001)).toThrow(/does not fit into a buffer/);
  expect(log).toEqual(["create 3000"]);
});
