import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { NDArray } from "../../../src/core/array.js";
import type { DType } from "../../../src/core/dtype.js";
import { DtypeError } from "../../../src/core/errors.js";
import * as np from "../../../src/numpy/index.js";
import { grad } from "../../../src/transforms/grad.js";

const { inf, nan } = np;
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const uint8 = fc.integer({ min: 0, max: 255 });
const values = { int32, uint32, uint8 } as const;
const widths = { int32: 32, uint32: 32, uint8: 8 } as const;

/** What is left of a big integer in a dtype that wraps around. */
const wrapped = (x: bigint, dtype: "int32" | "uint32" | "uint8"): number =>
  Number(dtype === "int32" ? BigInt.asIntN(32, x) : BigInt.asUintN(widths[dtype], x));

const one = (x: number, dtype: DType): NDArray => np.array([x], dtype);

const floorDiv = (x: bigint, y: bigint): bigint => {
  const q = x / y;
  return x % y !== 0n && x < 0n !== y < 0n ? q - 1n : q;
};

describe("division with remainder", () => {
  for (const dtype of ["int32", "uint32", "uint8"] as const) {
    it(`is that of big integers (${dtype})`, () => {
      fc.assert(
        fc.property(
          values[dtype],
          values[dtype].filter((y) => y !== 0),
          (x, y) => {
            const [a, b] = [one(x, dtype), one(y, dtype)];
            const quotient = floorDiv(BigInt(x), BigInt(y));
            const remainder = BigInt(x) - quotient * BigInt(y);
            expect(np.floorDivide(a, b).item()).toBe(wrapped(quotient, dtype));
            expect(np.mod(a, b).item()).toBe(Number(remainder));
            expect(np.fmod(a, b).item()).toBe(Number(BigInt(x) % BigInt(y)));
            expect(np.divmod(a, b).map((r) => r.item())).toEqual([
              wrapped(quotient, dtype),
              Number(remainder),
            ]);
          },
        ),
        { examples: [[1, 1]] },
      );
    });
  }

  it("of floats: quotient · y + remainder is x, and the remainder lies between 0 and y", () => {
    const nonzero = fc.double({ min: 0.01, max: 100, noNaN: true });
    fc.assert(
      fc.property(
        fc.double({ min: -1e4, max: 1e4, noNaN: true }),
        nonzero,
        fc.boolean(),
        (x, magnitude, negative) => {
          const y = negative ? -magnitude : magnitude;
          const [a, b] = [one(x, "float64"), one(y, "float64")];
          const [quotient, remainder] = np.divmod(a, b).map((r) => r.item() as number);
          expect(Number.isInteger(quotient)).toBe(true);
          expect(Math.abs(quotient * y + remainder - x)).toBeLessThanOrEqual(
            1e-11 * Math.max(1, Math.abs(x)),
          );
          expect(remainder / y).toBeGreaterThanOrEqual(0);
          expect(remainder / y).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  it("of floats by zero and with infinities", () => {
    const x = np.array([1, -1, 0, inf, 5, -5, nan]);
    const y = np.array([0, 0, 0, 2, inf, inf, 1]);
    expect(np.floorDivide(x, y).tolist()).toEqual([inf, -inf, nan, nan, 0, -1, nan]);
    expect(np.mod(x, y).tolist()).toEqual([nan, nan, nan, nan, 5, inf, nan]);
  });

  it("the derivative of mod counts the steps, that of floorDivide is zero", () => {
    const at = [np.array([7.5, -7.5]), np.array([2, 2])] as const;
    const of = (f: typeof np.mod) =>
      grad((a: NDArray, b: NDArray) => np.sum(f(a, b)), { argnums: [0, 1] })(...at);
    expect(of(np.mod).map((g) => g.tolist())).toEqual([
      [1, 1],
      [-3, 4],
    ]);
    expect(of(np.floorDivide).map((g) => g.tolist())).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  it("counts booleans in int32", () => {
    expect(np.mod(true, true).dtype).toBe("int32");
    expect(np.floorDivide(np.array([true, false]), true).tolist()).toEqual([1, 0]);
  });
});

describe("powers", () => {
  for (const dtype of ["int32", "uint32", "uint8"] as const)
    it(`of integers wrap around like big integers (${dtype})`, () => {
      fc.assert(
        fc.property(values[dtype], fc.integer({ min: 0, max: dtype === "uint8" ? 255 : 1000 }), (x, n) => {
          const want = wrapped(BigInt(x) ** BigInt(n), dtype);
          expect(np.power(one(x, dtype), one(n, dtype)).item()).toBe(want);
          expect(np.power(one(x, dtype), n).item()).toBe(want);
        }),
        { numRuns: 60 },
      );
    });

  it("of integers with huge exponents: 3^n has the order 2^30", () => {
    expect(np.power(one(3, "int32"), one(2 ** 30, "int32")).item()).toBe(1);
    expect(np.power(one(3, "int32"), one(2 ** 30 + 2, "int32")).item()).toBe(9);
    expect(np.power(one(3, "uint32"), one(2 ** 31 + 1, "uint32")).item()).toBe(3);
  });

  it("of integers with negative exponents round towards zero", () => {
    const x = np.array([2, 1, -1, -1, 0, 3, -5], "int32");
    const n = np.array([-1, -3, -3, -2, -2, -1, -7], "int32");
    expect(np.power(x, n).tolist()).toEqual([0, 1, -1, 1, 0, 0, 0]);
    expect(() => np.power(x, -1)).toThrow(DtypeError);
    expect(() => np.power(2, -1)).toThrow(/power: int32 cannot be raised to the negative power -1/);
    expect(np.floatPower(2, -1).item()).toBe(0.5);
  });

  it("of floats: a whole number as exponent has exact derivatives at 0", () => {
    let f: (x: NDArray) => NDArray = (x) => np.power(x, 3);
    for (const want of [0, 0, 0, 6, 0]) {
      expect(f(np.array(0, "float64")).item()).toBe(want);
      f = grad(f);
    }
    expect(grad((x: NDArray) => np.power(x, 0))(np.array(0, "float32")).item()).toBe(0);
    expect(grad((x: NDArray) => np.floatPower(x, 2))(np.array(-3, "float32")).item()).toBe(-6);
  });

  it("promote", () => {
    expect(np.power(np.array([2], "int32"), 0.5).dtype).toBe("float32");
    expect(np.power(true, np.array([true])).dtype).toBe("int32");
    expect(np.power(np.array([2], "float64"), 2).dtype).toBe("float64");
  });
});

describe("bits", () => {
  it("of pairs", () => {
    fc.assert(
      fc.property(int32, int32, (x, y) => {
        const [a, b] = [one(x, "int32"), one(y, "int32")];
        expect(np.bitwiseAnd(a, b).item()).toBe(x & y);
        expect(np.bitwiseOr(a, b).item()).toBe(x | y);
        expect(np.bitwiseXor(a, b).item()).toBe(x ^ y);
        expect(np.bitwiseNot(a).item()).toBe(~x);
      }),
    );
  });

  it("shifts are products and quotients of powers of two", () => {
    fc.assert(
      fc.property(int32, fc.integer({ min: 0, max: 31 }), (x, n) => {
        const [a, b] = [one(x, "int32"), one(n, "int32")];
        expect(np.leftShift(a, b).item()).toBe(wrapped(BigInt(x) << BigInt(n), "int32"));
        expect(np.rightShift(a, b).item()).toBe(Number(BigInt(x) >> BigInt(n)));
      }),
    );
    fc.assert(
      fc.property(uint8, fc.integer({ min: 0, max: 9 }), (x, n) => {
        expect(np.rightShift(one(x, "uint8"), n).item()).toBe(x >> n);
        expect(np.leftShift(one(x, "uint8"), n).item()).toBe((x << n) & 255);
      }),
    );
  });

  it("bitwiseCount counts those of the absolute value", () => {
    const count = (x: number): number => [...Math.abs(x).toString(2)].filter((b) => b === "1").length;
    fc.assert(
      fc.property(int32, (x) => {
        const c = np.bitwiseCount(one(x, "int32"));
        expect([c.item(), c.dtype]).toEqual([count(x), "uint8"]);
      }),
      { examples: [[-(2 ** 31)], [-1], [0]] },
    );
    expect(np.bitwiseCount(true).item()).toBe(1);
  });

  it("of booleans are logic, of floats nothing", () => {
    const [x, y] = [np.array([true, true, false]), np.array([true, false, false])];
    expect(np.bitwiseAnd(x, y).tolist()).toEqual([true, false, false]);
    expect(np.invert(x).tolist()).toEqual([false, false, true]);
    for (const f of [np.bitwiseAnd, np.leftShift, np.rightShift])
      expect(() => f(np.array([1.5]), 1)).toThrow(DtypeError);
    expect(() => np.bitwiseCount(1.5)).toThrow(/bitwiseCount is not defined for float32/);
  });
});
