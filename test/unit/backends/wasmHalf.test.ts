/** float16 in kernels: its bits as numbers and back, for one element and for four. */
import { describe, expect, it } from "vitest";
import { readElements } from "../../../src/backends/wasm/elements.js";
import { compileKernels } from "../../../src/backends/wasm/launch.js";
import { Heap } from "../../../src/backends/wasm/memory.js";
import { roundToFloat16 } from "../../../src/core/dtype.js";
import * as ir from "../../../src/core/ir/ops.js";
import { Buffer, type Expr, type Lanes } from "../../../src/core/ir/types.js";
import { bitsToHalf, halfToBits } from "../../../src/primitives/floatBits.js";
import { itemKernel } from "../compiler/kernels.js";

const heap = new Heap({ maximumPages: 1024 });

/** Runs a kernel that makes each element of one buffer into one of another, on bytes as they are. */
function convert(
  from: Buffer,
  to: Buffer,
  lanes: Lanes,
  bytes: Uint8Array,
  resultBytes: number,
  f: (x: Expr) => Expr = (x) => x,
): Uint8Array {
  const kernel = itemKernel(from.size / lanes, [from, to], (item) => {
    const index = ir.mul(item, lanes);
    return [ir.store(to, index, f(ir.load(from, index, undefined, lanes)))];
  });
  const [launcher] = compileKernels([kernel], heap);
  const [source, target] = [heap.malloc(bytes.length), heap.malloc(resultBytes)];
  heap.views.u8.set(bytes, source);
  launcher.run(from.size / lanes, [source, target]);
  const result = readElements(heap, "uint8", target, resultBytes) as Uint8Array;
  heap.free(source);
  heap.free(target);
  return result;
}

const all = Uint16Array.from({ length: 65536 }, (_, i) => i);

/** A NaN is as good as another. */
const sameHalf = (x: number, y: number): boolean =>
  x === y || (Number.isNaN(bitsToHalf(x)) && Number.isNaN(bitsToHalf(y)));

describe.each([1, 4] as const)("float16 in %i lanes", (lanes) => {
  it("widens all 65536 halves", () => {
    const [half, float] = [new Buffer("half", "float16", 65536), new Buffer("float", "float32", 65536)];
    const bytes = convert(half, float, lanes, new Uint8Array(all.buffer), 4 * 65536);
    const wrong = [...new Float32Array(bytes.buffer)].filter((x, i) => !Object.is(x, bitsToHalf(i)));
    expect(wrong).toEqual([]);
  });

  it("stores all halves as they were read", () => {
    const [from, to] = [new Buffer("from", "float16", 65536), new Buffer("to", "float16", 65536)];
    const bytes = convert(from, to, lanes, new Uint8Array(all.buffer), 2 * 65536);
    expect([...new Uint16Array(bytes.buffer)].filter((x, i) => !sameHalf(x, i))).toEqual([]);
  });

  // Bit patterns of all kinds, those halfway between two halves and their neighbours among them.
  const count = 1 << 18;
  const patterns = Uint32Array.from({ length: 2 * count }, (_, i) => Math.imul(i, 2654435761) >>> 0);
  for (let i = 0; i < count; i++) patterns[i] = 0x33000000 + Math.floor(i / 3) * 0x1000 + (i % 3) - 1;
  const floats = new Float32Array(patterns.buffer);

  it("rounds floats to the nearest half when it stores them", () => {
    const size = floats.length;
    const [from, to] = [new Buffer("from", "float32", size), new Buffer("to", "float16", size)];
    const bytes = convert(from, to, lanes, new Uint8Array(patterns.buffer), 2 * size);
    const wrong = [...new Uint16Array(bytes.buffer)].flatMap((bits, i) => {
      const expected = halfToBits(roundToFloat16(floats[i]));
      return sameHalf(bits, expected) ? [] : [`${floats[i]} gives ${bits}, not ${expected}`];
    });
    expect(wrong).toEqual([]);
  });

  it("roundF16 rounds them the same, and leaves them floats", () => {
    const size = floats.length;
    const [from, to] = [new Buffer("from", "float32", size), new Buffer("to", "float32", size)];
    const bytes = convert(from, to, lanes, new Uint8Array(patterns.buffer), 4 * size, ir.roundF16);
    const wrong = [...new Float32Array(bytes.buffer)].flatMap((x, i) => {
      const expected = roundToFloat16(floats[i]);
      return Object.is(x, expected) ? [] : [`${floats[i]} gives ${x}, not ${expected}`];
    });
    expect(wrong).toEqual([]);
  });
});
