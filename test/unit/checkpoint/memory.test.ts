/** In compiled programs, too, checkpointed blocks are computed again when the cotangent arrives, and not before. */
import { checkpoint, grad, jit, type NDArray, numpy as np, ShapeDtype } from "fluxion";
import { describe, expect, it } from "vitest";
import { expectSameBits, wave } from "./tools.js";

type Block = (w: NDArray, x: NDArray) => NDArray;
const layers = 5;
const block: Block = (w, x) => {
  let y = x;
  for (let i = 0; i < layers; i++) y = np.tanh(y.matmul(w));
  return y;
};

/** A chain of blocks, each with its own weights. */
const chain = (b: Block) => (ws: readonly NDArray[], x: NDArray) => ws.reduce((y, w) => b(w, y), x).sum();
const gradient = (b: Block) => jit(grad(chain(b), { argnums: 1 }));

const [rows, width] = [64, 8];
const activation = rows * width * 4;
const lower = (b: Block, n: number) =>
  gradient(b).lower(
    Array.from({ length: n }, () => new ShapeDtype([width, width])),
    new ShapeDtype([rows, width]),
  );

/** Activations that fit into the temporaries. */
const kept = (b: Block, n: number): number => lower(b, n).memoryAnalysis().temporaryBytes / activation;

describe("a deep chain of blocks", () => {
  const counts = [2, 4, 8];
  const plain = counts.map((n) => kept(block, n));
  const checkpointed = counts.map((n) => kept(checkpoint(block), n));

  it("keeps every layer without checkpoint", () => {
    for (const [i, n] of counts.entries()) expect(plain[i]).toBeGreaterThanOrEqual(n * layers - 1);
  });

  it("keeps one activation for each block, and the layers of one block, with it", () => {
    for (const [i, n] of counts.entries()) {
      expect(checkpointed[i]).toBeLessThan(plain[i]);
      expect(checkpointed[i]).toBeLessThanOrEqual(n + layers + 3);
    }
    // Four more blocks are four more activations.
    expect(checkpointed[2] - checkpointed[1]).toBeCloseTo(4, 0);
  });

  it("computes the layers a second time, once", () => {
    const operations = (b: Block) => lower(b, 4).costAnalysis();
    const [first, again] = [operations(block), operations(checkpoint(block))];
    expect(first.transcendentals).toBe(4 * layers * rows * width);
    // The last block is computed once: nobody asks for the value, so it waits for the cotangent.
    expect(again.transcendentals).toBe((7 / 4) * first.transcendentals);
  });

  it("merges both with preventCse: false", () => {
    const merged = lower(checkpoint(block, { preventCse: false }), 4);
    expect(merged.costAnalysis()).toEqual(lower(block, 4).costAnalysis());
  });

  it("gives the same gradient", () => {
    const ws = [wave([width, width], "float32"), wave([width, width], "float32").mul(0.5)];
    const x = wave([rows, width], "float32");
    expectSameBits(gradient(checkpoint(block))(ws, x), gradient(block)(ws, x));
  });
});
