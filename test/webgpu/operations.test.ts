/** Every operation of the kernel IR on the values where shaders go wrong, against its meaning in JavaScript. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { GpuDevice } from "../../src/backends/webgpu/device.js";
import { binaryOf, bitcastOf, castOf, compareOf, unaryOf } from "../../src/compiler/scalarOps.js";
import { allocate, type DType, type TypedArray } from "../../src/core/dtype.js";
import {
  add,
  binary,
  bitcast,
  cast,
  compare,
  constant,
  div,
  extract,
  load,
  mul,
  rem,
  select,
  splat,
  store,
  unary,
  vector,
} from "../../src/core/ir/ops.js";
import {
  type BinaryOp,
  Buffer,
  type CompareOp,
  type Expr,
  type Lanes,
  type ScalarType,
  type UnaryOp,
} from "../../src/core/ir/types.js";
import { itemKernel, programOf, runOnGpu } from "./kernels.js";
import { openTestDevice } from "./swiftshader.js";

let device: GpuDevice;
beforeAll(async () => {
  device = await openTestDevice();
});
afterAll(() => device.destroy());

type Type = Exclude<ScalarType, "f64">;

const dtypeOf: Record<Type, DType> = { f32: "float32", i32: "int32", u32: "uint32", bool: "bool" };

const floats = [
  0,
  1,
  2,
  0.5,
  1.5,
  2.5,
  3,
  0.49999997,
  1e-40,
  2 ** -126,
  1e-20,
  1e20,
  3.4028234663852886e38,
  8388609,
  16777217,
  2147483520,
  2147483648,
  3e9,
  4294967040,
  4294967296,
  5e9,
  65504,
  65519.996,
  65520,
  2 ** -14,
  2 ** -24,
  2 ** -25,
  1.0000001,
  0.1,
  Math.PI,
  Number.POSITIVE_INFINITY,
  6.0975552e-5,
].flatMap((x) => [Math.fround(x), -Math.fround(x)]);

const corners: Record<Type, readonly number[]> = {
  f32: [...floats, Number.NaN],
  i32: [
    0, 1, -1, 2, -2, 3, -3, 7, 31, -31, 100, 65536, 16777217, -16777217, 2147483647, -2147483647, -2147483648,
  ],
  u32: [0, 1, 2, 3, 7, 31, 100, 65536, 16777217, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff],
  bool: [0, 1],
};

const flush = (x: number): number => (Math.abs(x) < 2 ** -126 ? (Object.is(x, -0) || x < 0 ? -0 : 0) : x);

/** All that a device may give: numbers below 2^-126 may be taken for 0, before and after. */
function allowed(f: (...args: number[]) => number, args: readonly number[]): number[] {
  let choices: number[][] = [[]];
  for (const x of args)
    choices = choices.flatMap((c) => (x === flush(x) ? [x] : [x, flush(x)]).map((v) => [...c, v]));
  return choices.flatMap((c) => [f(...c), flush(f(...c))]);
}

interface Case {
  readonly name: string;
  readonly operands: readonly Type[];
  readonly result: Type;
  readonly make: (...operands: Expr[]) => Expr;
  readonly meaning: (...args: number[]) => number;
  /** Operands for which the operation is defined. */
  readonly defined?: (...args: number[]) => boolean;
}

function tuples(types: readonly Type[]): number[][] {
  let all: number[][] = [[]];
  for (const type of types) all = all.flatMap((t) => corners[type].map((x) => [...t, x]));
  return all;
}

function arrayOf(type: Type, values: readonly number[]): TypedArray {
  const array = allocate(dtypeOf[type], values.length);
  array.set(values);
  return array;
}

function expectAllowed(
  c: Case,
  how: string,
  args: readonly (readonly number[])[],
  got: ArrayLike<number>,
): void {
  const wrong: string[] = [];
  args.forEach((xs, i) => {
    const choices = allowed(c.meaning, xs);
    const lostSign = xs.some((x) => x !== flush(x));
    const close = (y: number): boolean =>
      Object.is(y, got[i]) || Object.is(y, flush(got[i])) || (lostSign && y === flush(got[i]));
    if (!choices.some(close))
      wrong.push(`${c.name}(${xs.map(show).join(", ")}) gave ${show(got[i])}, not ${show(choices[0])}`);
  });
  expect(wrong, how).toEqual([]);
}

const show = (x: number): string => (Object.is(x, -0) ? "-0" : String(x));

/** Operands from memory, one lane or four. */
async function check(c: Case, lanes: Lanes): Promise<void> {
  const args = tuples(c.operands).filter((xs) => c.defined?.(...xs) ?? true);
  while (args.length % lanes !== 0) args.push(args[0]);
  const inputs = c.operands.map((type, k) => new Buffer(`x${k}`, dtypeOf[type], args.length));
  const output = new Buffer("result", dtypeOf[c.result], args.length);
  const kernel = itemKernel(args.length / lanes, [...inputs, output], (item) => {
    const at = mul(item, lanes);
    return [store(output, at, c.make(...inputs.map((b) => load(b, at, undefined, lanes))))];
  });
  const values = c.operands.map((type, k) =>
    arrayOf(
      type,
      args.map((xs) => xs[k]),
    ),
  );
  const [got] = await runOnGpu(device, programOf([kernel], [output]), values);
  expectAllowed(c, `${lanes} lanes`, args, got);
}

/** One operand from memory, the other a constant of the shader. */
async function checkConstants(c: Case, position: 0 | 1): Promise<void> {
  const other = 1 - position;
  const [constants, variables] = [corners[c.operands[position]], corners[c.operands[other]]];
  const n = variables.length;
  const input = new Buffer("x", dtypeOf[c.operands[other]], n);
  const output = new Buffer("result", dtypeOf[c.result], n * constants.length);
  const kernel = itemKernel(n, [input, output], (item) => {
    const x = load(input, item);
    return constants.map((value, k) => {
      const fixed = constant(c.operands[position], value);
      return store(output, add(item, k * n), position === 0 ? c.make(fixed, x) : c.make(x, fixed));
    });
  });
  const [got] = await runOnGpu(device, programOf([kernel], [output]), [
    arrayOf(c.operands[other], variables),
  ]);
  constants.forEach((value, k) => {
    const pairs = variables.map((x, i) => ({ i, xs: position === 0 ? [value, x] : [x, value] }));
    // What is not defined gives anything on a GPU, but does no harm.
    const defined = pairs.filter(({ xs }) => c.defined?.(...xs) ?? true);
    expectAllowed(
      c,
      `constant ${show(value)} in place ${position}`,
      defined.map(({ xs }) => xs),
      defined.map(({ i }) => got[k * n + i]),
    );
  });
}

const unaryCase = (fn: UnaryOp, type: Type, defined?: Case["defined"]): Case => ({
  name: `${fn} of ${type}`,
  operands: [type],
  result: type,
  make: (x) => unary(fn, x),
  meaning: unaryOf(fn, type),
  defined,
});

const binaryCase = (fn: BinaryOp, type: Type, defined?: Case["defined"]): Case => ({
  name: `${fn} of ${type}`,
  operands: [type, type],
  result: type,
  make: (x, y) => binary(fn, x, y),
  meaning: binaryOf(fn, type),
  defined,
});

const compareCase = (fn: CompareOp, type: Type): Case => ({
  name: `${fn} of ${type}`,
  operands: [type, type],
  result: "bool",
  make: (x, y) => compare(fn, x, y),
  meaning: compareOf[fn],
});

const divisible = (x: number, y: number): boolean => y !== 0 && !(x === -2147483648 && y === -1);
const shiftable = (_: number, y: number): boolean => y >= 0 && y < 32;

const unaries: Case[] = [
  ...(["neg", "abs", "floor", "ceil", "trunc", "nearest", "sqrt", "roundF16"] as const).map((fn) =>
    unaryCase(fn, "f32"),
  ),
  ...(["neg", "not", "clz", "popcnt"] as const).flatMap((fn) => [unaryCase(fn, "i32"), unaryCase(fn, "u32")]),
  unaryCase("abs", "i32"),
  unaryCase("not", "bool"),
];

const binaries: Case[] = [
  ...(["add", "sub", "mul", "div", "min", "max"] as const).map((fn) => binaryCase(fn, "f32")),
  ...(["i32", "u32"] as const).flatMap((type) => [
    ...(["add", "sub", "mul", "min", "max", "and", "or", "xor"] as const).map((fn) => binaryCase(fn, type)),
    ...(["div", "rem"] as const).map((fn) => binaryCase(fn, type, divisible)),
    ...(["shl", "shr"] as const).map((fn) => binaryCase(fn, type, shiftable)),
  ]),
  ...(["and", "or", "xor"] as const).map((fn) => binaryCase(fn, "bool")),
  ...(["eq", "ne", "lt", "le", "gt", "ge"] as const).flatMap((fn) =>
    (["f32", "i32", "u32", "bool"] as const).map((type) => compareCase(fn, type)),
  ),
];

const casts: Case[] = (["f32", "i32", "u32", "bool"] as const).flatMap((from) =>
  (["f32", "i32", "u32", "bool"] as const)
    .filter((to) => to !== from)
    .map((to) => ({
      name: `cast of ${from} to ${to}`,
      operands: [from],
      result: to,
      make: (x) => cast(to, x),
      meaning: castOf(from, to),
    })),
);

const bitcasts: Case[] = (["f32", "i32", "u32"] as const).flatMap((from) =>
  (["f32", "i32", "u32"] as const)
    .filter((to) => to !== from)
    .map((to) => ({
      name: `bitcast of ${from} to ${to}`,
      operands: [from],
      result: to,
      make: (x) => bitcast(to, x),
      meaning: bitcastOf(from, to),
      // A NaN may have any payload.
      defined: (x) => !Number.isNaN(x),
    })),
);

describe("one operand", () => {
  test.each([...unaries, ...casts, ...bitcasts])("$name", async (c) => {
    await check(c, 1);
    await check(c, 4);
  });
});

describe("two operands", () => {
  test.each(binaries)("$name", async (c) => {
    await check(c, 1);
    await check(c, 4);
  });
  test.each(binaries)("$name with a constant", async (c) => {
    await checkConstants(c, 0);
    await checkConstants(c, 1);
  });
});

test("the two comparisons that tell NaN, of an expression with itself", async () => {
  for (const fn of ["eq", "ne"] as const)
    await check(
      {
        name: fn,
        operands: ["f32"],
        result: "bool",
        make: (x) => compare(fn, x, x),
        meaning: (x) => compareOf[fn](x, x),
      },
      1,
    );
});

test("x - x and x / x are not folded", async () => {
  for (const fn of ["sub", "div"] as const)
    await check(
      {
        name: fn,
        operands: ["f32"],
        result: "f32",
        make: (x) => binary(fn, x, x),
        meaning: (x) => binaryOf(fn, "f32")(x, x),
      },
      4,
    );
});

test("select takes NaN, infinities and signed zeros as they are", async () => {
  for (const lanes of [1, 4] as const)
    await check(
      {
        name: "select",
        operands: ["bool", "f32", "f32"],
        result: "f32",
        make: (c, x, y) => select(c, x, y),
        meaning: (c, x, y) => (c !== 0 ? x : y),
      },
      lanes,
    );
});

test("negated comparisons hold for NaN", async () => {
  for (const fn of ["lt", "le", "gt", "ge", "eq"] as const)
    await check(
      {
        name: `not ${fn}`,
        operands: ["f32", "f32"],
        result: "bool",
        make: (x, y) => unary("not", compare(fn, x, y)),
        meaning: (x, y) => 1 - compareOf[fn](x, y),
      },
      1,
    );
});

test("every constant arrives as it is", async () => {
  for (const type of ["f32", "i32", "u32", "bool"] as const) {
    const values = corners[type];
    const output = new Buffer("result", dtypeOf[type], values.length);
    const kernel = itemKernel(1, [output], () => values.map((x, i) => store(output, i, constant(type, x))));
    const [got] = await runOnGpu(device, programOf([kernel], [output]), []);
    values.forEach((x, i) => {
      expect([x, flush(x)], `${type} ${show(x)}`).toContainEqual(got[i]);
    });
  }
});

test("operations of constants only are computed by the shader, not refused", async () => {
  const big = constant("f32", 3e38);
  const exprs: { e: Expr; want: number }[] = [
    { e: { op: "binary", type: "f32", lanes: 1, fn: "add", x: big, y: big }, want: Number.POSITIVE_INFINITY },
    { e: { op: "unary", type: "f32", lanes: 1, fn: "nearest", x: constant("f32", 2.5) }, want: 2 },
    {
      e: { op: "bitcast", type: "f32", lanes: 1, x: constant("u32", 0x7f800000) },
      want: Number.POSITIVE_INFINITY,
    },
    { e: { op: "unary", type: "f32", lanes: 1, fn: "sqrt", x: constant("f32", -1) }, want: Number.NaN },
  ];
  const output = new Buffer("result", "float32", exprs.length);
  const kernel = itemKernel(1, [output], () => exprs.map(({ e }, i) => store(output, i, e)));
  const [got] = await runOnGpu(device, programOf([kernel], [output]), []);
  expect([...got]).toEqual(exprs.map(({ want }) => want));
});

test("vectors are put together and taken apart", async () => {
  const x = new Buffer("x", "float32", 8);
  const y = new Buffer("y", "float32", 8);
  const kernel = itemKernel(2, [x, y], (item) => {
    const v = load(x, mul(item, 4), undefined, 4);
    const turned = vector([extract(v, 3), extract(v, 0), mul(extract(v, 1), 2), extract(v, 2)]);
    return [store(y, mul(item, 4), add(turned, splat(load(x, 0), 4)))];
  });
  const [got] = await runOnGpu(device, programOf([kernel], [y]), [Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8)]);
  expect([...got]).toEqual([5, 2, 5, 4, 9, 6, 13, 8]);
});

test("integer quotients of constants, as index arithmetic makes them", async () => {
  const out = new Buffer("result", "int32", 1000);
  const kernel = itemKernel(1000, [out], (i) => [store(out, i, add(mul(div(i, 7), 100), rem(i, 7)))]);
  const [got] = await runOnGpu(device, programOf([kernel], [out]), []);
  expect([...got]).toEqual(Array.from({ length: 1000 }, (_, i) => Math.floor(i / 7) * 100 + (i % 7)));
});

test("quotients of whole numbers are whole, with a variable and with a constant divisor", async () => {
  const [x, y, q, third] = ["x", "y", "q", "third"].map((name) => new Buffer(name, "float32", 4096));
  const kernel = itemKernel(4096, [x, y, q, third], (i) => [
    store(q, i, div(load(x, i), load(y, i))),
    store(third, i, div(load(x, i), 3)),
  ]);
  const divisors = Float32Array.from({ length: 4096 }, (_, i) => 1 + (i & 63));
  const products = divisors.map((d, i) => d * (i >> 6) * 3);
  const [got, thirds] = await runOnGpu(device, programOf([kernel], [q, third]), [products, divisors]);
  expect(got).toEqual(divisors.map((_, i) => (i >> 6) * 3));
  expect(thirds).toEqual(divisors.map((d, i) => d * (i >> 6)));
});
