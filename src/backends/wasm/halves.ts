/**
 * float16 between JavaScript, which keeps it in float32 words, and kernels, which keep it in two bytes. The conversions
 * are kernels themselves.
 */
import { add, get, load, store, sub } from "../../core/ir/ops.js";
import { Buffer, type Kernel, Local } from "../../core/ir/types.js";
import { compileKernels, type Launcher } from "./launch.js";
import type { Heap } from "./memory.js";

interface Conversions {
  readonly toHalf: Launcher;
  readonly toFloat: Launcher;
}

const conversions = new WeakMap<Heap, Conversions>();

/** Copies elements of one dtype to another, four at once and then the rest. */
function copyKernel(name: string, from: Buffer, to: Buffer): Kernel {
  const [begin, end] = [new Local("begin", "i32"), new Local("end", "i32")];
  const item = new Local("item", "i32", 1, true);
  const four = new Local("four", "i32");
  const rest = new Local("rest", "i32");
  return {
    name,
    launch: { kind: "range", extent: 0, begin, end },
    buffers: [from, to],
    scratch: [],
    body: [
      { kind: "let", local: item, value: get(begin) },
      {
        kind: "for",
        local: four,
        from: get(begin),
        to: sub(get(end), 3),
        step: 4,
        body: [
          store(to, get(four), load(from, get(four), undefined, 4)),
          { kind: "assign", local: item, value: add(get(four), 4) },
        ],
      },
      {
        kind: "for",
        local: rest,
        from: get(item),
        to: get(end),
        step: 1,
        body: [store(to, get(rest), load(from, get(rest)))],
      },
    ],
  };
}

function conversionsOf(heap: Heap): Conversions {
  let found = conversions.get(heap);
  if (found === undefined) {
    const half = new Buffer("half", "float16", 0);
    const float = new Buffer("float", "float32", 0);
    const [toHalf, toFloat] = compileKernels(
      [copyKernel("floats_to_halves", float, half), copyKernel("halves_to_floats", half, float)],
      heap,
    );
    found = { toHalf, toFloat };
    conversions.set(heap, found);
  }
  return found;
}

/** Rounds `size` float32 at one address to float16 at another. */
export function floatsToHalves(heap: Heap, from: number, to: number, size: number): void {
  conversionsOf(heap).toHalf.run(size, [from, to]);
}

/** Widens `size` float16 at one address to float32 at another. */
export function halvesToFloats(heap: Heap, from: number, to: number, size: number): void {
  conversionsOf(heap).toFloat.run(size, [from, to]);
}
