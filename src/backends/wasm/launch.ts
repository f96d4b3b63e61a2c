/** Makes kernels callable, and calls them for a range of items. */
import type { Kernel } from "../../core/ir/types.js";
import { encodeModule } from "./encoder.js";
import type { Heap } from "./memory.js";
import { printKernels } from "./print.js";

/** A kernel: first item, end of the range, and the addresses of its buffers. */
export type KernelFunction = (begin: number, end: number, ...addresses: number[]) => void;

/** The clock of a part of a range, in ms: long enough for a call to cost nothing, short enough to wait for. */
const shortest = 1;
const longest = 8;

/**
 * A kernel function and how many items it may be given at once.
 *
 * V8 runs a function by code of its baseline compiler until better code is ready, which it takes up at the next call. One
 * call for all items would stay in slow code to its end, so a long range is walked in parts.
 */
export class Launcher {
  private part = 4;

  constructor(
    /** The function itself. */
    readonly call: KernelFunction,
  ) {}

  run(extent: number, addresses: readonly number[]): void {
    if (extent === 0) return;
    if (extent <= this.part) {
      this.call(0, extent, ...addresses);
      return;
    }
    let before = performance.now();
    for (let begin = 0; begin < extent; ) {
      const end = Math.min(extent, begin + this.part);
      this.call(begin, end, ...addresses);
      const now = performance.now();
      const took = now - before;
      // A part that was cut short says nothing about a whole one.
      if (took < shortest && end - begin === this.part) this.part *= 4;
      else if (took > longest && this.part > 4) this.part /= 4;
      before = now;
      begin = end;
    }
  }
}

/** Compiles kernels into functions on the memory of a heap, in the order of the kernels. */
export function compileKernels(kernels: readonly Kernel[], heap: Heap): Launcher[] {
  if (kernels.length === 0) return [];
  const { module, functions } = printKernels(kernels, { sharedMemory: heap.shared });
  const host = Object.fromEntries(module.imports.map((f) => [f.name, f.fn]));
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(encodeModule(module)), {
    env: { memory: heap.memory },
    host,
  });
  // Kernels with the same code are one function and share what is known about it.
  const launchers = new Map<unknown, Launcher>();
  return functions.map(({ name }) => {
    const call = exports[name] as KernelFunction;
    let launcher = launchers.get(call);
    if (launcher === undefined) {
      launcher = new Launcher(call);
      launchers.set(call, launcher);
    }
    return launcher;
  });
}
