import { describe, expect, it } from "vitest";
import { type NDArray, scalar } from "../../../src/core/array.js";
import { type Aval, aval } from "../../../src/core/aval.js";
import { type DType, dtypes, isFloat } from "../../../src/core/dtype.js";
import { type Jaxpr, Literal } from "../../../src/core/jaxpr.js";
import {
  abs,
  add,
  cbrt,
  div,
  integerPow,
  max,
  min,
  mul,
  neg,
  pow,
  rem,
  sign,
  square,
  sub,
} from "../../../src/primitives/arithmetic.js";
import { jvp } from "../../../src/transforms/forward.js";
import { grad } from "../../../src/transforms/grad.js";
import { hessian, jacfwd } from "../../../src/transforms/jacobian.js";
import { makeJaxpr } from "../../../src/transforms/makeJaxpr.js";
import { vmap } from "../../../src/transforms/vmap.js";
import { bool, f16, f32, f64, i32, list, refusal, u8, u32 } from "./arrays.js";

const nan = Number.NaN;
const inf = Number.POSITIVE_INFINITY;
const lowest = -2147483648;

/** The n-th derivative of a function of one number, by forward mode. */
const nth = (f: (x: NDArray) => NDArray, n: number): ((x: NDArray) => NDArray) =>
  n === 0 ? f : (x) => jvp(nth(f, n - 1), [x], [scalar(1, x.dtype)])[1] as NDArray;

describe("integers wrap around", () => {
  it("sums, differences, negations", () => {
    expect(list(add(i32([2147483647, -5]), i32([1, 3])))).toEqual([lowest, -2]);
    expect(list(sub(u32([0, 7]), u32([1, 5])))).toEqual([4294967295, 2]);
    expect(list(add(u8([250, 1]), u8([10, 1])))).toEqual([4, 2]);
    expect(list(neg(i32([lowest, 3, 0])))).toEqual([lowest, -3, 0]);
    expect(list(neg(u8([1, 0])))).toEqual([255, 0]);
    expect(list(abs(i32([lowest, -3])))).toEqual([lowest, 3]);
  });

  it("products and powers keep their low bits", () => {
    expect(list(mul(i32([123456789, -3]), i32([987654321, 7])))).toEqual([-67153019, -21]);
    expect(list(mul(u32([4294967295]), u32([4294967295])))).toEqual([1]);
    expect(list(mul(u8([200]), u8([3])))).toEqual([88]);
    expect(list(square(i32([65537, -4])))).toEqual([131073, 16]);
    // 3^21 = 10460353203 = 2·2^32 + 1870418611.
    expect(list(integerPow(i32([3, -3, 0, 5]), 21))).toEqual([1870418611, -1870418611, 0, 1299066613]);
    expect(list(integerPow(u8([3]), 7))).toEqual([2187 % 256]);
    expect(list(integerPow(i32([0, 9]), 0))).toEqual([1, 1]);
  });

  it("quotients are rounded towards zero, with XLA's answers for a zero divisor", () => {
    expect(list(div(i32([7, -7, 7, 5, lowest]), i32([2, 2, -2, 0, -1])))).toEqual([3, -3, -3, -1, lowest]);
    expect(list(div(u32([7, 5]), u32([2, 0])))).toEqual([3, 4294967295]);
    expect(list(rem(i32([7, -7, 7, 5, lowest]), i32([2, 2, -2, 0, -1])))).toEqual([1, -1, 1, 5, 0]);
    expect(list(rem(u8([200, 9]), u8([7, 0])))).toEqual([4, 9]);
  });
});

describe("floats", () => {
  it("follow IEEE 754 at their corners", () => {
    expect(list(add(f64([inf, -0, nan]), f64([-inf, -0, 1])))).toEqual([nan, -0, nan]);
    expect(list(sub(f64([0, 1]), f64([0, inf])))).toEqual([0, -inf]);
    expect(list(div(f64([1, -1, 0, inf]), f64([0, 0, 0, inf])))).toEqual([inf, -inf, nan, nan]);
    expect(list(rem(f64([-7, 7, -4, 1, 5, inf]), f64([2, -2, 2, 0, inf, 2])))).toEqual([
      -1,
      1,
      -0,
      nan,
      5,
      nan,
    ]);
    expect(list(abs(f64([-0, -inf, nan])))).toEqual([0, inf, nan]);
    expect(list(sign(f64([-3, -0, 0, inf, nan])))).toEqual([-1, -0, 0, 1, nan]);
    expect(list(sign(u8([0, 7])))).toEqual([0, 1]);
    expect(list(max(f64([nan, 1, -0, -inf]), f64([1, nan, 0, 2])))).toEqual([nan, nan, 0, 2]);
    expect(list(min(f64([nan, 1, 0, -inf]), f64([1, nan, -0, 2])))).toEqual([nan, nan, -0, -inf]);
  });

  it("are rounded to half precision", () => {
    expect(list(add(f16([2048, 65504]), f16([1, 16])))).toEqual([2048, inf]);
    expect(list(mul(f16([0.1]), f16([3])))).toEqual([0.2998046875]);
  });

  it("pow has IEEE's answers where JavaScript's differ", () => {
    expect(
      list(pow(f64([1, 1, -1, -1, nan, 0, 0, -0, -2]), f64([nan, -inf, inf, -inf, 0, 0, -1, -1, 3]))),
    ).toEqual([1, 1, 1, 1, 1, 1, inf, -inf, -8]);
    expect(list(pow(f64([-8, nan]), f64([1 / 3, 1])))).toEqual([nan, nan]);
    expect(list(integerPow(f64([nan, 0, -0, -2, inf]), 0))).toEqual([1, 1, 1, 1, 1]);
    expect(list(integerPow(f64([0, -0, inf]), -1))).toEqual([inf, -inf, 0]);
    expect(list(integerPow(f64([-0, -2, 1.1]), 3))).toEqual([-0, -8, 1.1 ** 3]);
    expect(list(integerPow(f64([1.1]), 2))).toEqual([1.1 * 1.1]);
  });

  it("max and min of booleans are or and and", () => {
    expect(list(max(bool([0, 0, 1, 1]), bool([0, 1, 0, 1])))).toEqual([0, 1, 1, 1]);
    expect(list(min(bool([0, 0, 1, 1]), bool([0, 1, 0, 1])))).toEqual([0, 0, 0, 1]);
  });
});

describe("scalars among arrays", () => {
  it("go with every element", () => {
    expect(list(sub(f64([1, 2]), 1))).toEqual([0, 1]);
    expect(list(sub(1, f64([1, 2])))).toEqual([0, -1]);
    expect(list(mul(f64([3], []), f64([1, 2])))).toEqual([3, 6]);
    expect(add(f64([]), 1).shape).toEqual([0]);
    expect(add(f64([1]), f64([2], [])).shape).toEqual([1]);
  });

  it("keep the array's dtype and leave it strong; weak with weak stays weak", () => {
    expect([add(f16([1]), 0.1).dtype, add(f16([1]), 0.1).weakType]).toEqual(["float16", false]);
    expect([add(1, 2).dtype, add(1, 2).weakType]).toEqual(["int32", true]);
    expect(mul(scalar(1, "float32", true), scalar(2, "float32", true)).weakType).toBe(true);
  });

  it("have to be values of the dtype", () => {
    expect(() => mul(i32([1]), 0.5)).toThrow(
      "mul: 0.5 is not a value of int32, the dtype of the array beside it",
    );
    expect(() => add(f64([1]), "2" as unknown as number)).toThrow(
      "add takes arrays or numbers, got a string",
    );
    expect(() => add(f64([1]), [2] as unknown as number)).toThrow("got a JavaScript array (use np.array)");
    expect(() => add(f64([1]), null as unknown as number)).toThrow("got null");
  });

  it("collect the cotangents of all elements", () => {
    const f = (s: NDArray, x: NDArray) => jacfwd((v: NDArray) => mul(v, x))(s);
    expect(list(f(f64([2], []), f64([1, 5])))).toEqual([1, 5]);
    expect(list(vmap((s: NDArray) => mul(s, f64([1, 2])))(f64([10, 20])))).toEqual([10, 20, 20, 40]);
  });
});

describe("derivatives", () => {
  const x0 = f64([0], []);

  it("abs has the slope +1 at 0, sign none", () => {
    expect(grad((x: NDArray) => abs(x))(x0).item()).toBe(1);
    expect(grad((x: NDArray) => abs(x))(f64([-0], [])).item()).toBe(1);
    expect(grad((x: NDArray) => sign(x))(x0).item()).toBe(0);
  });

  it("max and min split ties, and give nothing to either side of NaN", () => {
    const both = (f: typeof max, x: number, y: number) =>
      (
        grad((a: NDArray, b: NDArray) => f(a, b), { argnums: [0, 1] })(
          f64([x], []),
          f64([y], []),
        ) as NDArray[]
      ).map((g) => g.item());
    expect(both(max, 1, 1)).toEqual([0.5, 0.5]);
    expect(both(min, 1, 1)).toEqual([0.5, 0.5]);
    expect(both(max, 2, 1)).toEqual([1, 0]);
    expect(both(max, 1, 2)).toEqual([0, 1]);
    expect(both(min, 2, 1)).toEqual([0, 1]);
    expect(both(min, 1, 2)).toEqual([1, 0]);
    expect(both(max, nan, 1)).toEqual([0, 0]);
    expect(both(max, inf, inf)).toEqual([0.5, 0.5]);
    expect(grad((x: NDArray) => max(x, x))(f64([3], [])).item()).toBe(1);
  });

  it("rem counts whole divisors, also where the quotient was rounded up to a whole number", () => {
    const slope = (x: number, y: number) => grad((d: NDArray) => rem(f64([x], []), d))(f64([y], [])).item();
    expect(slope(7, 2)).toBe(-3);
    expect(slope(-7, 2)).toBe(3);
    expect(slope(7, -2)).toBe(3);
    // The quotient of these doubles is a little below 10 and is rounded to 10: 0.1 goes into 1 nine times.
    expect(1 / 0.1).toBe(10);
    expect(slope(1, 0.1)).toBe(-9);
    expect(slope(0.7, 0.1)).toBe(-6);
    expect(grad((x: NDArray) => rem(x, 2))(f64([7], [])).item()).toBe(1);
  });

  it("whole powers are right at 0 to every order", () => {
    const derivatives = (n: number) => [0, 1, 2, 3, 4].map((k) => nth((x) => integerPow(x, n), k)(x0).item());
    expect(derivatives(3)).toEqual([0, 0, 0, 6, 0]);
    expect(derivatives(2)).toEqual([0, 0, 2, 0, 0]);
    expect(derivatives(1)).toEqual([0, 1, 0, 0, 0]);
    expect(derivatives(0)).toEqual([1, 0, 0, 0, 0]);
    expect([0, 1, 2, 3].map((k) => nth(square, k)(x0).item())).toEqual([0, 0, 2, 0]);
    expect(grad((x: NDArray) => integerPow(x, -1))(f64([2], [])).item()).toBe(-0.25);
  });

  it("powers have derivatives at 0", () => {
    const byBase = (y: number, order: number) => nth((x) => pow(x, scalar(y, "float64")), order)(x0).item();
    expect([0, 1, 2, 3, 4].map((k) => byBase(3, k))).toEqual([0, 0, 0, 6, 0]);
    expect([0, 1, 2, 3].map((k) => byBase(1, k))).toEqual([0, 1, 0, 0]);
    expect([0, 1, 2].map((k) => byBase(0, k))).toEqual([1, 0, 0]);
    expect(byBase(0.5, 1)).toBe(inf);
    const byExponent = (y: number) => grad((v: NDArray) => pow(x0, v))(f64([y], [])).item();
    expect([byExponent(2), byExponent(1), byExponent(0)]).toEqual([0, 0, 0]);
  });

  it("powers have their mixed second derivative 1/x at the exponent 0", () => {
    const second = (x: number, y: number) =>
      (
        hessian((a: NDArray, b: NDArray) => pow(a, b), { argnums: [0, 1] })(
          f64([x], []),
          f64([y], []),
        ) as NDArray[][]
      ).map((row) => row.map((h) => h.item()));
    expect(second(4, 0)).toEqual([
      [0, 0.25],
      [0.25, Math.log(4) ** 2],
    ]);
    expect(second(0, 0).flat().every(Number.isFinite)).toBe(true);
    expect(second(0, 2)).toEqual([
      [2, 0],
      [0, 0],
    ]);
  });

  it("div is linear in the numerator, and one multiplication in the denominator", () => {
    const program = makeJaxpr(
      (t: NDArray) => jvp((y: NDArray) => div(f64([1, 2]), y), [f64([3, 4])], [t])[1],
    )(f64([1, 1]));
    const names = program.jaxpr.eqns.map((e) => e.primitive.name);
    expect(names.at(-1)).toBe("mul");
    expect(list(jacfwd((y: NDArray) => div(f64([1], []), y))(f64([2], [])))).toEqual([-0.25]);
  });

  it("what is linear in both operands applies itself to their tangents", () => {
    const program = makeJaxpr(
      (x: NDArray, y: NDArray, tx: NDArray, ty: NDArray) => jvp(sub, [x, y], [tx, ty])[1] as NDArray,
    )(f64([1]), f64([2]), f64([3]), f64([4]));
    expect(eqnNames(program.jaxpr)).toEqual(["sub"]);
  });
});

/** Names of the equations that the outputs need. */
function eqnNames(jaxpr: Jaxpr): string[] {
  const needed = new Set<unknown>(jaxpr.outputs.filter((a) => !(a instanceof Literal)));
  const names: string[] = [];
  for (const eqn of [...jaxpr.eqns].reverse()) {
    if (!eqn.outputs.some((v) => needed.has(v))) continue;
    for (const a of eqn.inputs) needed.add(a);
    names.unshift(eqn.primitive.name);
  }
  return names;
}

describe("type rules", () => {
  const vector = (dtype: DType): Aval => aval([3], dtype);
  it("name what does not fit", () => {
    expect(refusal("add", [vector("float32"), aval([2], "float32")], {})).toBe(
      "ShapeError: add needs operands of one shape (or scalars), got float32[3], float32[2]",
    );
    expect(refusal("add", [vector("float32"), aval([1, 3], "float32")], {})).toMatch(/^ShapeError/);
    expect(refusal("mul", [vector("float32"), vector("int32")], {})).toBe(
      "DtypeError: mul needs operands of one dtype, got float32[3], int32[3]",
    );
    expect(refusal("sub", [vector("bool"), vector("bool")], {})).toBe(
      "DtypeError: sub is not defined for bool (operands bool[3], bool[3])",
    );
    expect(refusal("max", [vector("float0"), vector("float0")], {})).toMatch(
      /^DtypeError: max is not defined for float0/,
    );
    expect(refusal("div", [vector("float32")], {})).toBe("ArgumentError: div takes 2 operands, got 1");
    expect(refusal("integerPow", [vector("float32")], { y: 0.5 })).toBe(
      "ArgumentError: integerPow: the exponent y must be a whole number, got 0.5",
    );
    expect(refusal("integerPow", [vector("float32")], {})).toBe(
      "ArgumentError: integerPow: the exponent y must be a whole number, got undefined",
    );
    expect(refusal("integerPow", [vector("int32")], { y: -1 })).toBe(
      "DtypeError: integerPow: int32 cannot be raised to the negative power -1",
    );
  });

  it("say which dtypes each operation takes", () => {
    const taken = (name: string, n: number) =>
      dtypes.filter(
        (d) =>
          refusal(
            name,
            Array.from({ length: n }, () => vector(d)),
            { y: 2 },
          ) === "no error",
      );
    const numbers = dtypes.filter((d) => d !== "bool");
    for (const name of ["add", "sub", "mul", "div", "rem"]) expect(taken(name, 2), name).toEqual(numbers);
    for (const name of ["neg", "abs", "sign", "square", "integerPow"])
      expect(taken(name, 1), name).toEqual(numbers);
    for (const name of ["max", "min"]) expect(taken(name, 2), name).toEqual(dtypes);
    expect(taken("pow", 2)).toEqual(dtypes.filter(isFloat));
    for (const name of ["sqrt", "rsqrt", "cbrt"])
      expect(taken(name, 1), name).toEqual(dtypes.filter(isFloat));
  });
});

describe("what changes nothing is dropped in passes, and only that", () => {
  const twice = (f: (x: NDArray) => NDArray) =>
    makeJaxpr((x: NDArray) => jvp(f, [x], [x])[0] as NDArray)(f32([1, 2])).jaxpr.eqns.map(
      (e) => e.primitive.name,
    );
  it("x·1, x/1, x-0, x^1, but not x+0 or x·0", () => {
    expect(twice((x) => integerPow(div(sub(mul(1, x), 0), 1), 1))).toEqual([]);
    expect(twice((x) => add(x, 0))).toContain("add");
    expect(twice((x) => mul(x, 0))).toContain("mul");
    expect(twice((x) => sub(x, -0))).toContain("sub");
    expect(twice((x) => cbrt(x))).toContain("cbrt");
  });
});
