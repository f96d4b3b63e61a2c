/** Runs kernels as WebAssembly on arrays of JavaScript: for the tests of the printer. */
import { hostBytes, readElements, writeElements } from "../../../src/backends/wasm/elements.js";
import { floatsToHalves, halvesToFloats } from "../../../src/backends/wasm/halves.js";
import { compileKernels } from "../../../src/backends/wasm/launch.js";
import { Heap } from "../../../src/backends/wasm/memory.js";
import type { DType, TypedArray } from "../../../src/core/dtype.js";
import * as ir from "../../../src/core/ir/ops.js";
import type { Buffer, Expr, Kernel, Lanes } from "../../../src/core/ir/types.js";
import { type Cell, cell, checked, itemKernel } from "../compiler/kernels.js";

const heap = new Heap({ maximumPages: 4096 });

/** Checks and runs a kernel; gives all cells as they are then, by name. The range is cut into `parts`. */
export function runWasm(
  kernel: Kernel,
  cells: readonly Cell[],
  { parts = 1 }: { readonly parts?: number } = {},
): Record<string, TypedArray> {
  const [launcher] = compileKernels([checked(kernel)], heap);
  const staging = new Map<Buffer, number>();
  const addresses = new Map<Buffer, number>();
  for (const { buffer, array } of cells) {
    const address = heap.malloc(array.byteLength);
    const wide = heap.malloc(hostBytes(buffer.dtype, buffer.size));
    addresses.set(buffer, address);
    staging.set(buffer, wide);
    if (buffer.dtype === "float16") {
      writeElements(heap, "float16", wide, array);
      floatsToHalves(heap, wide, address, buffer.size);
    } else writeElements(heap, buffer.dtype, address, array);
  }
  const { extent } = kernel.launch as { extent: number };
  const order = kernel.buffers.map((b) => addresses.get(b) as number);
  for (let part = 0; part < parts; part++)
    launcher.call(Math.floor((extent * part) / parts), Math.floor((extent * (part + 1)) / parts), ...order);
  const results = cells.map(({ buffer }) => {
    const address = addresses.get(buffer) as number;
    const wide = staging.get(buffer) as number;
    if (buffer.dtype === "float16") halvesToFloats(heap, address, wide, buffer.size);
    const from = buffer.dtype === "float16" ? wide : address;
    return [buffer.name, readElements(heap, buffer.dtype, from, buffer.size)] as const;
  });
  for (const address of [...addresses.values(), ...staging.values()]) heap.free(address);
  return Object.fromEntries(results);
}

/** The lengths of `list` are filled up with its first element to a multiple of 4, so that vectors have no rest. */
const padded = (list: readonly number[]): number[] => {
  const out = [...list];
  while (out.length % 4 !== 0) out.push(list[0]);
  return out;
};

/** Computes an expression of elements for all positions of some lists of equal length, `lanes` at a time. */
export function computeWasm(
  inputs: readonly { readonly dtype: DType; readonly values: readonly number[] }[],
  output: DType,
  lanes: Lanes,
  body: (...elements: Expr[]) => Expr,
): number[] {
  const count = inputs[0].values.length;
  const cells = inputs.map(({ dtype, values }, i) => cell(`x${i}`, dtype, padded(values)));
  const size = cells[0].buffer.size;
  const out = cell("out", output, size);
  const kernel = itemKernel(
    size / lanes,
    [...cells, out].map((c) => c.buffer),
    (item) => {
      const index = ir.mul(item, lanes);
      const elements = cells.map((c) => ir.load(c.buffer, index, undefined, lanes));
      return [ir.store(out.buffer, index, body(...elements))];
    },
  );
  return [...runWasm(kernel, [...cells, out]).out].slice(0, count);
}
