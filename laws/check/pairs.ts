/** Laws of pairs of functions as laws of one: it is composed with smooth functions that run before and after it. */
import { type NDArray, numpy as np } from "fluxion";
import type { Pair } from "../cases.js";
import { numbers } from "../close.js";
import { abstains, type Law, law } from "../law.js";
import { generator, type Point, type SmoothPoint, smoothPart } from "../point.js";
import { pairLaws } from "../statements/index.js";

const filled = (like: NDArray, value: (x: number, i: number) => number): NDArray =>
  np.reshape(np.array(numbers(like).map(value), { dtype: like.dtype }), [...like.shape]);

/**
 * y ↦ x·e^(a sin(y - b)), which stays near x, on its side of 0 and is x at y = b; with a small a sin(y - b) in place of it
 * where x is 0. For every input a function of its own.
 */
function before({ f, xs, v, u }: SmoothPoint, random: () => number): Pair {
  const starts = xs.map((x) => filled(x, () => 2 * random() - 1));
  const rates = xs.map((x) => filled(x, () => 0.1 + 0.2 * random()));
  const atZero = xs.map((x) => filled(x, (e) => (e === 0 ? 0.25 : 0)));
  return {
    f: (...ys) =>
      ys.map((y, i) => {
        const wave = np.multiply(rates[i], np.sin(np.subtract(y, starts[i])));
        return np.add(np.multiply(xs[i], np.exp(wave)), np.multiply(atZero[i], wave));
      }),
    g: f,
    xs: starts,
    v,
    u,
  };
}

/** z ↦ sin(z/s + b) + (z/s)²/4 with s the size of the values, for every output. */
function after({ f, xs, v, u }: SmoothPoint, random: () => number): Pair {
  const outputs = f(...xs);
  const scales = outputs.map((y) => {
    const size = numbers(y).reduce((m, e) => (Number.isFinite(e) ? Math.max(m, Math.abs(e)) : m), 1);
    return filled(y, () => 1 / size);
  });
  const phases = outputs.map((y) => filled(y, () => 3 * random()));
  return {
    f,
    g: (...zs) =>
      zs.map((z, i) => {
        const scaled = np.multiply(z, scales[i]);
        return np.add(np.sin(np.add(scaled, phases[i])), np.multiply(np.multiply(scaled, scaled), 0.25));
      }),
    xs,
    v,
    u,
  };
}

const lift = (pairLaw: Law<Pair>, side: "before" | "after", make: typeof before): Law<Point> =>
  law({
    ...pairLaw,
    name: `${pairLaw.name}, with a function ${side}`,
    subject: "function",
    check: (point) => {
      const part = smoothPart(point);
      if (part === undefined) return abstains("nothing here has a tangent");
      return pairLaw.check(make(part, generator(point.seed)));
    },
  });

/** Each law of pairs twice: with f as the second of the two functions and as the first. */
export const pointLawsOfPairs: readonly Law<Point>[] = pairLaws.flatMap((pairLaw) => [
  lift(pairLaw, "before", before),
  lift(pairLaw, "after", after),
]);
