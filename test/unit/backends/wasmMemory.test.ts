/** The allocator and the memory of the wasm device. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Allocator } from "../../../src/backends/wasm/allocator.js";
import { viewElements } from "../../../src/backends/wasm/elements.js";
import { Heap, OutOfMemoryError } from "../../../src/backends/wasm/memory.js";
import { DeviceError, InternalError } from "../../../src/core/errors.js";

const page = 65536;

/** Allocations (a size) and frees (a number that picks one of the blocks in use). */
const commands = fc.array(
  fc.oneof(
    fc.record({ size: fc.oneof(fc.nat(300), fc.nat(20_000)) }),
    fc.record({ victim: fc.nat() }),
    fc.record({ victim: fc.nat() }),
  ),
  { maxLength: 300 },
);

describe("the allocator", () => {
  it("gives out aligned blocks that do not overlap, within its limit, and counts them", () => {
    fc.assert(
      fc.property(commands, (list) => {
        const allocator = new Allocator(page);
        allocator.limit = 2 * page;
        const blocks: { address: number; bytes: number }[] = [];
        let peak = 0;
        for (const command of list) {
          if ("size" in command) {
            const address = allocator.allocate(command.size);
            if (address === undefined) continue;
            const bytes = allocator.sizeOf(address);
            expect(bytes).toBeGreaterThanOrEqual(command.size);
            expect(address % 64).toBe(0);
            expect(address).toBeGreaterThanOrEqual(page);
            expect(address + bytes).toBeLessThanOrEqual(2 * page);
            for (const b of blocks)
              expect(address + bytes <= b.address || b.address + b.bytes <= address).toBe(true);
            blocks.push({ address, bytes });
          } else if (blocks.length > 0) {
            const [{ address }] = blocks.splice(command.victim % blocks.length, 1);
            allocator.free(address);
          }
          const live = blocks.reduce((sum, b) => sum + b.bytes, 0);
          peak = Math.max(peak, live);
          expect(allocator.live).toBe(live);
          expect(allocator.peak).toBe(peak);
        }
        // Whatever was given out before: once all is free, the largest block fits again.
        for (const { address } of blocks) allocator.free(address);
        expect(allocator.allocate(page)).toBe(page);
      }),
    );
  });

  it("wastes at most a quarter of a block", () => {
    const allocator = new Allocator(0);
    for (let bytes = 257; bytes < 200_000; bytes += 61) {
      const block = allocator.blockBytes(bytes);
      expect(block % 64).toBe(0);
      expect(block).toBeGreaterThanOrEqual(bytes);
      expect(block).toBeLessThanOrEqual(bytes * 1.25);
    }
    expect(allocator.blockBytes(0)).toBe(64);
  });

  it("refuses to free what is not in use", () => {
    const allocator = new Allocator(page);
    allocator.limit = 2 * page;
    const address = allocator.allocate(10) as number;
    allocator.free(address);
    expect(() => allocator.free(address)).toThrow(InternalError);
  });
});

describe("the memory", () => {
  it("grows while views of it are held, which stay valid", () => {
    const heap = new Heap({ maximumPages: 4096 });
    const address = heap.malloc(1024);
    const view = viewElements(heap, "float32", address, 256);
    view.fill(1.5);
    const before = heap.statistics.reserved;
    const large = heap.malloc(64 * 2 ** 20);
    expect(heap.statistics.reserved).toBeGreaterThan(before);
    expect(view[255]).toBe(1.5);
    view[0] = 7;
    expect(heap.views.f32[address / 4]).toBe(7);
    expect(heap.contains(view)).toBe(true);
    expect(heap.contains(viewElements(heap, "int32", large, 8))).toBe(true);
    expect(heap.contains(new Float32Array(8))).toBe(false);
  });

  it("says what it has no room for, and goes on", () => {
    const heap = new Heap({ maximumPages: 512 });
    const half = heap.malloc(16 * 2 ** 20);
    let error: unknown;
    try {
      heap.malloc(24 * 2 ** 20);
    } catch (e) {
      error = e;
    }
    expect(error).toBeInstanceOf(OutOfMemoryError);
    expect(error).toBeInstanceOf(DeviceError);
    expect(error).toMatchObject({ code: "device", requested: 24 * 2 ** 20 });
    expect((error as Error).message).toContain(
      "no room for 24.0 MiB: 16.0 MiB of 32.0 MiB are in use, 0.0 MiB of them by arrays",
    );
    heap.free(half);
    expect(heap.malloc(24 * 2 ** 20)).toBe(page);
  });

  it("keeps arrays within its budget, and frees them when asked", () => {
    const heap = new Heap({ maximumPages: 1024, residentBudget: 10_000 });
    const array = heap.keep(viewElements(heap, "uint8", heap.malloc(8192), 8192));
    expect(heap.statistics).toMatchObject({ live: 8192, resident: 8192, peak: 8192 });
    expect(heap.canKeep(1000)).toBe(true);
    expect(heap.canKeep(2000)).toBe(false);
    expect(heap.release(array)).toBe(true);
    expect(heap.release(array)).toBe(false);
    expect(heap.release(new Uint8Array(3))).toBe(false);
    expect(heap.statistics).toMatchObject({ live: 0, resident: 0, peak: 8192 });
  });

  it("keeps no arrays where growing would detach them", () => {
    const heap = new Heap({ maximumPages: 1024, shared: false });
    expect(heap.memory.buffer).toBeInstanceOf(ArrayBuffer);
    expect(heap.canKeep(1)).toBe(false);
    heap.malloc(2 ** 20);
    heap.views.u8[page] = 9;
    expect(new Uint8Array(heap.memory.buffer)[page]).toBe(9);
  });
});
