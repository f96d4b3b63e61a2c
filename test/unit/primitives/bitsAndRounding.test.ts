import { describe, expect, it } from "vitest";
import type { NDArray } from "../../../src/core/array.js";
import { aval } from "../../../src/core/aval.js";
import {
  bitwiseAnd,
  bitwiseNot,
  bitwiseOr,
  bitwiseXor,
  clz,
  populationCount,
  shiftLeft,
  shiftRightArithmetic,
  shiftRightLogical,
} from "../../../src/primitives/bits.js";
import { eq, ge, gt, le, lt, ne } from "../../../src/primitives/comparison.js";
import { bitsToHalf, exponentOf, halfToBits } from "../../../src/primitives/floatBits.js";
import { ceil, isFinite as finite, floor, nextafter, round } from "../../../src/primitives/rounding.js";
import { grad } from "../../../src/transforms/grad.js";
import { bool, f16, f32, f64, i32, list, refusal, u8, u32 } from "./arrays.js";

const nan = Number.NaN;
const inf = Number.POSITIVE_INFINITY;
const lowest = -2147483648;

describe("bits", () => {
  it("and, or, xor, not of integers", () => {
    expect(list(bitwiseAnd(i32([12, -1]), i32([10, 7])))).toEqual([8, 7]);
    expect(list(bitwiseOr(u32([0x80000000, 1]), u32([1, 2])))).toEqual([0x80000001, 3]);
    expect(list(bitwiseXor(u8([255, 12]), u8([15, 10])))).toEqual([240, 6]);
    expect(list(bitwiseNot(i32([0, -1, 5])))).toEqual([-1, 0, -6]);
    expect(list(bitwiseNot(u32([0])))).toEqual([4294967295]);
    expect(list(bitwiseNot(u8([1])))).toEqual([254]);
  });

  it("are logic for booleans", () => {
    const x = bool([0, 0, 1, 1]);
    const y = bool([0, 1, 0, 1]);
    expect(list(bitwiseAnd(x, y))).toEqual([0, 0, 0, 1]);
    expect(list(bitwiseOr(x, y))).toEqual([0, 1, 1, 1]);
    expect(list(bitwiseXor(x, y))).toEqual([0, 1, 1, 0]);
    expect([bitwiseNot(x).dtype, list(bitwiseNot(x))]).toEqual(["bool", [1, 1, 0, 0]]);
  });

  it("shifts, also by the width and more, and by less than nothing", () => {
    const by = i32([0, 1, 31, 32, -1]);
    expect(list(shiftLeft(i32([3, 3, 3, 3, 3]), by))).toEqual([3, 6, lowest, 0, 0]);
    expect(list(shiftRightLogical(i32([-8, -8, -8, -8, -8]), by))).toEqual([-8, 2147483644, 1, 0, 0]);
    expect(list(shiftRightArithmetic(i32([-8, -8, -8, -8, -8]), by))).toEqual([-8, -4, -1, -1, -1]);
    expect(list(shiftRightArithmetic(i32([8, 8, 8, 8, 8]), by))).toEqual([8, 4, 0, 0, 0]);
    const few = u8([0, 1, 7, 8, 32]);
    expect(list(shiftLeft(u8([200, 200, 3, 200, 200]), few))).toEqual([200, 144, 128, 0, 0]);
    expect(list(shiftRightLogical(u8([200, 200, 200, 200, 200]), few))).toEqual([200, 100, 1, 0, 0]);
    expect(list(shiftRightArithmetic(u8([200, 200, 200, 200, 100]), few))).toEqual([200, 228, 255, 255, 0]);
    expect(list(shiftRightArithmetic(u32([0x80000000, 16]), u32([4, 2])))).toEqual([0xf8000000, 4]);
    expect(list(shiftRightLogical(u32([0x80000000]), u32([4])))).toEqual([0x08000000]);
  });

  it("counts", () => {
    expect(list(populationCount(i32([0, -1, lowest, 7])))).toEqual([0, 32, 1, 3]);
    expect(list(populationCount(u8([255, 6])))).toEqual([8, 2]);
    expect(list(populationCount(u32([4294967295])))).toEqual([32]);
    expect(list(clz(i32([0, 1, -1])))).toEqual([32, 31, 0]);
    expect(list(clz(u8([0, 1, 128])))).toEqual([8, 7, 0]);
  });

  it("refuse floats", () => {
    expect(refusal("bitwiseAnd", [aval([], "float32"), aval([], "float32")], {})).toBe(
      "DtypeError: bitwiseAnd is not defined for float32 (operands float32[], float32[])",
    );
    expect(refusal("shiftLeft", [aval([], "bool"), aval([], "bool")], {})).toMatch(/^DtypeError/);
    expect(refusal("clz", [aval([], "bool")], {})).toMatch(/^DtypeError/);
  });
});

describe("comparisons", () => {
  const x = f64([1, 2, 3, nan, 0, inf]);
  const y = f64([2, 2, 2, nan, -0, inf]);
  it.each([
    ["eq", eq, [0, 1, 0, 0, 1, 1]],
    ["ne", ne, [1, 0, 1, 1, 0, 0]],
    ["lt", lt, [1, 0, 0, 0, 0, 0]],
    ["le", le, [1, 1, 0, 0, 1, 1]],
    ["gt", gt, [0, 0, 1, 0, 0, 0]],
    ["ge", ge, [0, 1, 1, 0, 1, 1]],
  ] as const)("%s", (_, op, wanted) => {
    const holds = op(x, y);
    expect([holds.dtype, holds.weakType, list(holds)]).toEqual(["bool", false, wanted]);
    expect(list(op(bool([0, 1, 1]), bool([1, 1, 0])))).toEqual(wanted.slice(0, 3));
    expect(list(op(u32([1, 4294967295]), u32([4294967295, 4294967295])))).toEqual(wanted.slice(0, 2));
  });

  it("have no derivative, and do not stand in the way of one", () => {
    expect(refusal("lt", [aval([2], "float32"), aval([2], "int32")], {})).toMatch(/^DtypeError/);
    expect(lt(f32([]), 1).shape).toEqual([0]);
  });
});

describe("rounding", () => {
  it("floor and ceil", () => {
    expect(list(floor(f64([1.5, -1.5, -0, inf, nan])))).toEqual([1, -2, -0, inf, nan]);
    expect(list(ceil(f64([1.5, -1.5, -0.5, -inf, nan])))).toEqual([2, -1, -0, -inf, nan]);
  });

  it("round away from zero or to the even neighbour", () => {
    const halves = f64([0.5, 1.5, 2.5, -0.5, -2.5, 0.49999999999999994, -0.3, 2 ** 52 + 1, -inf, nan, -0]);
    expect(list(round(halves))).toEqual([1, 2, 3, -1, -3, 0, -0, 2 ** 52 + 1, -inf, nan, -0]);
    expect(list(round(halves, "toNearestEven"))).toEqual([
      0,
      2,
      2,
      -0,
      -2,
      0,
      -0,
      2 ** 52 + 1,
      -inf,
      nan,
      -0,
    ]);
    expect(list(round(f16([2.5, 1025])))).toEqual([3, 1025]);
  });

  it("has a derivative of zero", () => {
    for (const f of [floor, ceil, round]) expect(grad((x: NDArray) => f(x))(f64([0.3], [])).item()).toBe(0);
  });

  it("refuses integers and other methods", () => {
    expect(refusal("floor", [aval([2], "int32")], {})).toBe(
      "DtypeError: floor is not defined for int32 (operands int32[2])",
    );
    expect(refusal("round", [aval([2], "float32")], { roundingMethod: "up" })).toBe(
      'ArgumentError: round: roundingMethod must be "awayFromZero" or "toNearestEven", got "up"',
    );
    expect(refusal("round", [aval([2], "float32")], {})).toMatch(/got undefined$/);
  });

  it("isFinite", () => {
    const y = finite(f64([1, inf, -inf, nan, 1e308]));
    expect([y.dtype, list(y)]).toEqual(["bool", [1, 0, 0, 0, 1]]);
    expect(list(finite(f16([65504, 65520])))).toEqual([1, 0]);
  });
});

describe("nextafter", () => {
  const up = (x: number) => list(nextafter(f64([x]), f64([inf])))[0];
  const down = (x: number) => list(nextafter(f64([x]), f64([-inf])))[0];

  it("is the neighbour in double precision", () => {
    expect(up(1)).toBe(1 + 2 ** -52);
    expect(down(1)).toBe(1 - 2 ** -53);
    expect([up(0), down(0), down(5e-324), up(-5e-324)]).toEqual([5e-324, -5e-324, 0, -0]);
    expect([up(Number.MAX_VALUE), down(inf), up(-inf)]).toEqual([inf, Number.MAX_VALUE, -Number.MAX_VALUE]);
    expect([down(2 ** -1022), up(2 ** -1022 - 2 ** -1074)]).toEqual([2 ** -1022 - 2 ** -1074, 2 ** -1022]);
  });

  it("goes there and back, with nothing in between", () => {
    for (const x of [1, 1.5, 3, 1e-310, 2 ** -1022, 1e300, 4, 0.1]) {
      expect(down(up(x))).toBe(x);
      expect(up(-x)).toBe(-down(x));
      const middle = (x + up(x)) / 2;
      expect(middle === x || middle === up(x)).toBe(true);
    }
  });

  it("knows each dtype's own neighbours", () => {
    expect(list(nextafter(f32([1, 1, 0, inf, 3.4028234663852886e38]), f32([2, 0, 1, 0, inf])))).toEqual([
      1 + 2 ** -23,
      1 - 2 ** -24,
      2 ** -149,
      3.4028234663852886e38,
      inf,
    ]);
    expect(list(nextafter(f16([1, 1, 0, inf, 65504, 2 ** -14]), f16([2, 0, -1, 0, inf, 0])))).toEqual([
      1 + 2 ** -10,
      1 - 2 ** -11,
      -(2 ** -24),
      65504,
      inf,
      2 ** -14 - 2 ** -24,
    ]);
  });

  it("stays where both are equal, and at NaN", () => {
    expect(list(nextafter(f64([1, 0, nan, 1]), f64([1, -0, 1, nan])))).toEqual([1, -0, nan, nan]);
    expect(grad((x: NDArray) => nextafter(x, 5))(f64([1], [])).item()).toBe(0);
  });
});

describe("the bits of floats", () => {
  it("exponents", () => {
    expect([1, 1.99, 2, 0.75, 2 ** -1022, 1e-310].map(exponentOf)).toEqual([0, 0, 1, -1, -1022, -1023]);
  });

  it("all 65536 half-precision patterns survive the way to numbers and back", () => {
    for (let bits = 0; bits < 65536; bits++) {
      const x = bitsToHalf(bits);
      if (Number.isNaN(x)) expect((bits & 0x7c00) === 0x7c00 && (bits & 0x3ff) !== 0).toBe(true);
      else if (halfToBits(x) !== bits) expect.fail(`${bits} became ${x} and then ${halfToBits(x)}`);
    }
    expect([bitsToHalf(0x3c00), bitsToHalf(0xc000), bitsToHalf(0x7bff), bitsToHalf(1)]).toEqual([
      1,
      -2,
      65504,
      2 ** -24,
    ]);
    expect(halfToBits(nan)).toBe(0x7e00);
  });
});
