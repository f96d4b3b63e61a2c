/** What kernel IR computes exactly: remainders, neighbours, fewer bits, half precision, integers. */
import { describe, expect, it } from "vitest";
import { integerRange, roundToFloat16 } from "../../../src/core/dtype.js";
import * as math from "../../../src/core/ir/math/index.js";
import { cast } from "../../../src/core/ir/ops.js";
import type { Expr, ScalarType } from "../../../src/core/ir/types.js";
import { bitsToHalf, halfToBits } from "../../../src/primitives/floatBits.js";
import { elementFunction, exact, likeGpu } from "./elementFunction.js";
import { corners, fromBits, randomBits } from "./ulps.js";

const isSubnormal = (x: number): boolean => x !== 0 && Math.abs(x) < 2 ** -126;

describe("remainder", () => {
  it.each([
    ["exact", exact],
    ["fused", { fused: true }],
    ["like a GPU", likeGpu],
  ])("is exact for all floats, %s", (_, mode) => {
    const f = elementFunction(["f32", "f32"], math.remainder, mode);
    const next = randomBits(2);
    const check = (x: number, y: number): void => {
      const wanted = x % y;
      if ("flushed" in mode && isSubnormal(wanted)) return;
      const actual = f(x, y);
      if (!Object.is(actual, wanted)) expect.fail(`${x} rem ${y}: ${actual}, not ${wanted}`);
    };
    for (let i = 0; i < 60_000; i++) {
      const [x, y] = [fromBits(next()), fromBits(next())];
      check(x, y);
      check(Math.fround(next() / 2 ** 20), Math.fround(next() / 2 ** 30));
      const k = next() % 100_000;
      check(Math.fround(y * k), y);
      check(x, Math.fround(x / k));
    }
    const some = corners.filter((_, i) => i % 13 === 0);
    for (const x of some) for (const y of some) check(x, y);
  });
});

describe("half precision", () => {
  it("goes to bits and back", () => {
    const encode = elementFunction(["f32"], math.halfBits);
    const decode = elementFunction(["u32"], math.fromHalfBits);
    for (let bits = 0; bits < 0x10000; bits++) {
      const x = bitsToHalf(bits);
      expect(Object.is(decode(bits), x)).toBe(true);
      expect(encode(x)).toBe(halfToBits(x));
    }
  });
});

describe("nextafter", () => {
  it("goes up and down through all of half precision", () => {
    const f = elementFunction(["f32", "f32"], (x, y) => math.nextafter(x, y, "float16"));
    for (let bits = 0; bits < 0x7c00; bits++) {
      const [x, above] = [bitsToHalf(bits), bitsToHalf(bits + 1)];
      expect([f(x, Infinity), f(above, -Infinity)]).toEqual([above, x]);
      expect([f(-x, -Infinity), f(-above, 1e9)]).toEqual([-above, -x]);
    }
    expect([f(NaN, 1), f(1, NaN), f(Infinity, Infinity)]).toEqual([NaN, NaN, Infinity]);
  });

  it("changes the last bit of float32", () => {
    const f = elementFunction(["f32", "f32"], (x, y) => math.nextafter(x, y, "float32"));
    const tiny = 2 ** -149;
    expect([f(0, 1), f(0, -1), f(-0, 1), f(tiny, -1)]).toEqual([tiny, -tiny, tiny, 0]);
    expect([f(3.4028234663852886e38, Infinity), f(Infinity, 0)]).toEqual([Infinity, 3.4028234663852886e38]);
    expect([f(1, 2), f(1, 0), f(2 ** -126, 0)]).toEqual([1 + 2 ** -23, 1 - 2 ** -24, 2 ** -126 - tiny]);
    expect([f(0, -0), f(5, 5)]).toEqual([-0, 5]);
  });
});

describe("integers", () => {
  const types = { int32: "i32", uint32: "u32", uint8: "u32" } as const satisfies Record<string, ScalarType>;
  const store = {
    int32: (x: number) => x | 0,
    uint32: (x: number) => x >>> 0,
    uint8: (x: number) => x & 255,
  };

  const each = (dtype: keyof typeof types, check: (x: number, y: number) => void): void => {
    const [low, high] = integerRange(dtype);
    const next = randomBits(9);
    const some = [low, low + 1, -2, -1, 0, 1, 2, 7, 8, 9, 31, 32, 33, high - 1, high, high >>> 1].map(
      store[dtype],
    );
    for (const x of some) for (const y of some) check(x, y);
    for (let i = 0; i < 2000; i++) check(store[dtype](next()), store[dtype](next() >> (next() % 32)));
  };

  const same = (
    dtype: keyof typeof types,
    rule: (x: Expr, y: Expr) => Expr,
    reference: (x: number, y: number) => number,
  ): void => {
    const f = elementFunction([types[dtype], types[dtype]], rule);
    each(dtype, (x, y) => {
      const [actual, wanted] = [store[dtype](f(x, y)), store[dtype](reference(x, y))];
      if (actual !== wanted) expect.fail(`${dtype} ${x}, ${y}: ${actual}, not ${wanted}`);
    });
  };

  it.each(["int32", "uint32", "uint8"] as const)("of %s divide, also by zero", (dtype) => {
    same(dtype, math.integers.quotient, (x, y) => (y === 0 ? -1 : Math.trunc(x / y)));
    same(dtype, math.integers.integerRemainder, (x, y) => (y === 0 ? x : x % y));
  });

  it.each(["int32", "uint32", "uint8"] as const)(
    "of %s shift, also by more places than there are",
    (dtype) => {
      const width = dtype === "uint8" ? 8 : 32;
      const spare = 32 - width;
      const { shiftLeft, shiftRightArithmetic, shiftRightLogical } = math.integers;
      same(
        dtype,
        (x, y) => shiftLeft(x, y, width),
        (x, y) => (y >>> 0 >= width ? 0 : x << y),
      );
      same(
        dtype,
        (x, y) => shiftRightLogical(x, y, width),
        (x, y) => (y >>> 0 >= width ? 0 : x >>> y),
      );
      same(
        dtype,
        (x, y) => shiftRightArithmetic(x, y, width),
        (x, y) => ((x << spare) >> spare) >> Math.min(y >>> 0, width - 1),
      );
    },
  );

  it("have signs and powers", () => {
    same("int32", math.integers.magnitude, (x) => Math.abs(x));
    same("int32", math.integers.signum, (x) => Math.sign(x));
    same("uint32", math.integers.signum, (x) => Math.sign(x));
    same(
      "int32",
      (x) => math.integers.wrappingPower(x, 13),
      (x) => {
        let product = 1;
        for (let k = 0; k < 13; k++) product = Math.imul(product, x);
        return product;
      },
    );
  });
});

describe("rounding", () => {
  it("of halves goes away from zero", () => {
    const f = elementFunction(["f32"], math.roundAway);
    expect(
      [0.5, -0.5, 2.5, 0.49999997, -0.3, -0, 8388609, Infinity, -Infinity, NaN].map((x) => f(x)),
    ).toEqual([1, -1, 3, 0, -0, -0, 8388609, Infinity, -Infinity, NaN]);
  });

  it("to half precision is reducePrecision with 5 and 10 bits, but for subnormal numbers", () => {
    const f = elementFunction(["f32"], (x) => math.reducePrecision(x, "float32", 5, 10));
    const next = randomBits(4);
    for (let i = 0; i < 100_000; i++) {
      const x = i % 2 === 0 ? fromBits(next()) : Math.fround((next() / 2 ** 32 - 0.5) * 2 ** (i % 40));
      const half = roundToFloat16(x);
      const wanted = Math.abs(half) < 2 ** -14 ? half * 0 : half;
      if (!Object.is(f(x), wanted)) expect.fail(`${x}: ${f(x)}, not ${wanted}`);
    }
  });

  it("knows what is finite", () => {
    const f = elementFunction(["f32"], (x) => cast("i32", math.isFinite(x)));
    expect([0, -1, 3.4e38, Infinity, -Infinity, NaN].map((x) => f(x))).toEqual([1, 1, 1, 0, 0, 0]);
  });
});
