/** Graphviz may run out of memory or stack on a large graph, and is of no use after that. */
import { type NDArray, ShapeDtype } from "fluxion";
import { drawGraph } from "fluxion/analysis";
import { expect, it, vi } from "vitest";

const broken = vi.hoisted(() => ({ instances: 0 }));

vi.mock("@viz-js/viz", async (importOriginal) => {
  const real = await importOriginal<typeof import("@viz-js/viz")>();
  const failing = {
    renderJSON: () => {
      throw new RangeError("Maximum call stack size exceeded");
    },
  };
  return { instance: async () => (broken.instances++ === 0 ? failing : real.instance()) };
});

it("what cannot be laid out is said, and the next picture gets another Graphviz", async () => {
  const graph = await drawGraph((x: NDArray) => x.sin(), new ShapeDtype([]));
  await expect(graph.svg()).rejects.toThrow(
    /could not lay out f, which has 3 nodes and 2 edges \(Maximum call stack size exceeded\)/,
  );
  expect(await graph.svg()).toContain("<svg");
  await graph.svg();
  expect(broken.instances).toBe(2);
});
