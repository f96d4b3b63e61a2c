/** Arrays of the host that programs take again and again move into the memory of the device. */
import { describe, expect, it } from "vitest";
import { deviceHeap } from "../../../src/backends/wasm/memory.js";
import { init, jit, type NDArray, numpy as np } from "../../../src/index.js";

await init({ device: "wasm", threads: 1 });

const isInside = (x: NDArray): boolean => deviceHeap().contains(x.concrete().values);
const total = jit((x: NDArray) => np.sum(x));
const halves = (n: number): NDArray => np.array(new Float32Array(n)).astype("float16");

describe("an array of the host", () => {
  it("is copied when it is first used, and moves with the second use", () => {
    const x = np.array(new Float32Array(5000).fill(1));
    expect(isInside(x)).toBe(false);
    expect(total(x).item()).toBe(5000);
    expect(isInside(x)).toBe(false);
    for (let i = 0; i < 3; i++) expect(total(x).item()).toBe(5000);
    expect(isInside(x)).toBe(true);
    expect([...x.dataSync().subarray(0, 3)]).toEqual([1, 1, 1]);
  });

  it("gives its memory back when it is disposed of", () => {
    const x = np.array(new Float32Array(5000).fill(2));
    total(x).dispose();
    total(x).dispose();
    const { resident } = deviceHeap().statistics;
    x.dispose();
    expect(deviceHeap().statistics.resident).toBeLessThanOrEqual(resident - 20_000);
  });

  it("that others share keeps its elements for them", () => {
    const x = np.array(new Float32Array(6000).fill(3));
    const y = x.reshape([60, 100]);
    total(y);
    total(y);
    expect([isInside(x), isInside(y)]).toEqual([false, true]);
    y.dispose();
    expect(total(x).item()).toBe(18_000);
    x.dispose();
    expect(() => total(x)).toThrow("disposed");
  });

  it("of few elements, or of float16, stays where it is", () => {
    for (const x of [np.array(new Float32Array(64)), halves(5000)]) {
      const before = isInside(x);
      for (let i = 0; i < 3; i++) total(x);
      expect(isInside(x)).toBe(before);
    }
  });

  it("that is donated is not moved first", () => {
    const x = np.array(new Float32Array(5000).fill(4));
    total(x);
    const twice = jit((a: NDArray) => a.mul(2), { donateArgnums: 0 });
    expect(np.sum(twice(x)).item()).toBe(40_000);
    expect(x.isDisposed).toBe(true);
  });
});
