import { describe, expect, it } from "vitest";
import { type NDArray, scalar } from "../../../src/core/array.js";
import { aval } from "../../../src/core/aval.js";
import { randomBits, randomWords, threefry2x32 } from "../../../src/primitives/random.js";
import { vmap } from "../../../src/transforms/vmap.js";
import { f32, i32, list, refusal, u32 } from "./arrays.js";

const word = (x: number) => scalar(x, "uint32");
const hash = (k0: number, k1: number, x0: number, x1: number) =>
  threefry2x32(word(k0), word(k1), word(x0), word(x1)).map((x) => Number(x.item()).toString(16));

describe("threefry2x32", () => {
  it("gives the known answers of Random123", () => {
    expect(hash(0, 0, 0, 0)).toEqual(["6b200159", "99ba4efe"]);
    expect(hash(0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff)).toEqual(["1cb996fc", "bb002be7"]);
    expect(hash(0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3)).toEqual(["c4923a9c", "483df7a0"]);
  });

  it("hashes arrays element by element, scalars with all of them", () => {
    const counters = u32([0, 1, 2, 0x85a308d3]);
    const [first, second] = threefry2x32(word(0x13198a2e), word(0x03707344), word(0x243f6a88), counters);
    expect(list(first)[3]).toBe(0xc4923a9c);
    expect(list(second)[3]).toBe(0x483df7a0);
    const keys = u32([7, 8, 9, 0x13198a2e]);
    const [byKeys] = threefry2x32(keys, word(0x03707344), word(0x243f6a88), counters);
    expect(list(byKeys)[3]).toBe(0xc4923a9c);
    expect(byKeys.shape).toEqual([4]);
    expect(threefry2x32(u32([]), word(0), word(0), u32([]))[1].shape).toEqual([0]);
  });

  it("refuses other dtypes and shapes that differ", () => {
    const w = aval([], "uint32");
    expect(refusal("threefry2x32", [w, w, w], {})).toBe(
      "ArgumentError: threefry2x32 takes 4 operands, got uint32[], uint32[], uint32[]",
    );
    expect(refusal("threefry2x32", [w, w, w, aval([], "int32")], {})).toBe(
      "DtypeError: threefry2x32 needs uint32 operands, got uint32[], uint32[], uint32[], int32[]",
    );
    expect(refusal("threefry2x32", [w, w, aval([2], "uint32"), aval([3], "uint32")], {})).toBe(
      "ShapeError: threefry2x32 needs operands of one shape (or scalars), got uint32[], uint32[], uint32[2], uint32[3]",
    );
  });
});

describe("random bits", () => {
  const key = u32([0, 42]);

  it("are those of jax.random.bits (0.10.2) with jax_threefry_partitionable", () => {
    expect(list(randomBits(key, [5], 32))).toEqual([
      2098992034, 2919706841, 2646866425, 2409546199, 1935504149,
    ]);
    expect(list(randomBits(key, [5], 8))).toEqual([162, 217, 249, 215, 21]);
    expect(randomBits(key, [5], 8).dtype).toBe("uint8");
    expect(randomBits(u32([0, 0]), [], 32).item()).toBe(4070199207);
    // jax.random.bits(PRNGKey(0), dtype="uint64") is 7719171245655871230.
    const [high, low] = randomWords(u32([0, 0]), []).map((x) => BigInt(Number(x.item())));
    expect((high << 32n) | low).toBe(7719171245655871230n);
  });

  it("of a shorter draw are a prefix of those of a longer one", () => {
    expect(list(randomBits(key, [7], 32)).slice(0, 5)).toEqual(list(randomBits(key, [5], 32)));
    expect(list(randomBits(key, [2, 3], 32))).toEqual(list(randomBits(key, [6], 32)));
    expect(randomBits(key, [0], 32).shape).toEqual([0]);
  });

  it("of a batch of keys are those of each key", () => {
    const keys = u32([0, 42, 1, 2], [2, 2]);
    const batch = vmap((k: NDArray) => randomBits(k, [2, 2], 32))(keys);
    expect(batch.shape).toEqual([2, 2, 2]);
    expect(list(batch)).toEqual([
      ...list(randomBits(key, [2, 2], 32)),
      ...list(randomBits(u32([1, 2]), [2, 2], 32)),
    ]);
  });

  it("look random: half of the bits are set, in every position", () => {
    const n = 4096;
    const words = list(randomBits(key, [n], 32));
    for (let bit = 0; bit < 32; bit++) {
      const set = words.filter((w) => (w >>> bit) & 1).length;
      // Five standard deviations of a fair coin.
      expect(Math.abs(set - n / 2)).toBeLessThan((5 * Math.sqrt(n)) / 2);
    }
  });

  it("need a key", () => {
    for (const notAKey of [u32([1, 2, 3]), i32([1, 2]), f32([0]), u32([1, 2], [1, 2])])
      expect(() => randomBits(notAKey, [2], 32)).toThrow(
        `a random key is a uint32[2], got ${notAKey.dtype}[${notAKey.shape}]`,
      );
  });
});
