/** The plots of the pages, by the names of their files; `npm run docs:pictures` writes them. */
import { type NDArray, numpy as np, ShapeDtype } from "fluxion";
import { compareModes, scaleModes } from "fluxion/analysis";

/** f(x) = Σ sin(xᵢ)·xᵢ: the name is what the plot is headed by. */
const sumOfWaves = (x: NDArray): NDArray => np.sum(np.sin(x).mul(x));
const curve = (t: NDArray): NDArray => np.sin(np.arange(1000).astype("float32").mul(t));

export const plots: Readonly<Record<string, () => Promise<string>>> = {
  /** docs/which-mode.md: a scalar function of ever more inputs. */
  modes: async () => {
    const sizes = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000];
    return (await scaleModes((n) => [sumOfWaves, [new ShapeDtype([n])]], sizes)).svg();
  },
  /** docs/which-mode.md: where both modes cost the same. */
  crossover: async () => (await compareModes(curve, new ShapeDtype([]))).svg(),
};
