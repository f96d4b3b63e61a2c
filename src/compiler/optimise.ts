/** The passes over single kernels, in their order. Each is a pure function that keeps the meaning. */
import { flow } from "fp-ts/lib/function.js";
import type { Target } from "../core/ir/lower.js";
import type { Kernel } from "../core/ir/types.js";
import { collapseLoops } from "./collapse.js";
import { spareRare } from "./rare.js";
import { shareKernel } from "./share.js";
import { vectorizeKernel } from "./vectorize.js";

/** Loops over memory in order become one, the innermost computes in vectors, and nothing is computed twice, or in vain. */
const forCpu: (kernel: Kernel) => Kernel = flow(collapseLoops, vectorizeKernel, spareRare, shareKernel);

/** Threads are what they are. */
const forGpu: (kernel: Kernel) => Kernel = flow(spareRare, shareKernel);

export const optimise = (kernel: Kernel, target: Target): Kernel =>
  target === "wasm" ? forCpu(kernel) : forGpu(kernel);
