/** Of any program of scalars: the sums over its paths are its derivatives. */
import fc from "fast-check";
import { grad, type NDArray, numpy as np } from "fluxion";
import { drawGraph } from "fluxion/analysis";
import { expect, it } from "vitest";

type Step = readonly [operation: number, first: number, second: number];

const unary = [
  (x: NDArray) => np.sin(x),
  (x: NDArray) => np.tanh(x),
  (x: NDArray) => x.square(),
  (x: NDArray) => x.neg(),
  (x: NDArray) => np.exp(x.mul(0.1)),
  (x: NDArray) => np.divide(1, x.square().add(1)),
];
const binary = [
  (x: NDArray, y: NDArray) => x.add(y),
  (x: NDArray, y: NDArray) => x.sub(y),
  (x: NDArray, y: NDArray) => np.tanh(x.mul(y)),
  (x: NDArray, y: NDArray) => np.maximum(x, y),
  (x: NDArray, y: NDArray) => x.div(y.square().add(2)),
];
const kinds = unary.length + binary.length;

/** Each step takes values that are there already, often one of the last two, so that paths branch and meet. */
const program = (steps: readonly Step[]) => (a: NDArray, b: NDArray) => {
  const values = [a, b];
  for (const [operation, first, second] of steps) {
    const at = (back: number): NDArray => values[Math.max(0, values.length - 1 - back)];
    values.push(
      operation < unary.length
        ? unary[operation](at(first))
        : binary[operation - unary.length](at(first), at(second)),
    );
  }
  return values[values.length - 1];
};

const step = fc.tuple(fc.nat(kinds - 1), fc.nat(3), fc.nat(3));
const number = fc.double({ min: -2, max: 2, noNaN: true }).map((x) => Math.fround(x));

it("sums over paths are the gradient", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 9 }), number, number, async (steps, a, b) => {
      // Where two operands of a maximum are equal, its derivative is a matter of taste, but of one taste everywhere.
      const f = program(steps);
      const gradient = grad(f, { argnums: [0, 1] })(np.array(a), np.array(b));
      const wanted = await Promise.all(gradient.map(async (x) => (await x.data())[0]));
      const { pathSums, paths } = await drawGraph(f, a, b, { derivatives: true });
      const counted = pathSums.reduce((n, { products }) => n + products.length, 0);
      if (Number(paths) <= 64) expect(counted).toBe(Number(paths));
      for (const [i, name] of ["a", "b"].entries()) {
        const sum = pathSums.find(({ input }) => input === name);
        if (Number(paths) > 64 && sum === undefined) continue;
        const scale =
          1 + (sum?.products ?? []).reduce((n, p) => n + Math.abs(p.reduce((x, y) => x * y, 1)), 0);
        expect(Math.abs((sum?.derivative ?? 0) - wanted[i]) / scale).toBeLessThan(1e-5);
      }
    }),
    { seed: 11, numRuns: 60 },
  );
});
