/** Every operation of the kernel IR, in every type and number of lanes, against what it means on JavaScript numbers. */
import { describe, expect, it } from "vitest";
import { binaryOf, bitcastOf, castOf, compareOf, unaryOf } from "../../../src/compiler/scalarOps.js";
import type { DType } from "../../../src/core/dtype.js";
import * as ir from "../../../src/core/ir/ops.js";
import type { BinaryOp, CompareOp, Expr, Lanes, ScalarType, UnaryOp } from "../../../src/core/ir/types.js";
import { computeWasm } from "./wasmKernels.js";

const floats = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  1.5,
  2.5,
  -2.5,
  3.7,
  -3.7,
  NaN,
  Infinity,
  -Infinity,
  100.5,
  1e10,
  -1e10,
].concat([
  2147483647,
  2147483648,
  -2147483648,
  -2147483649,
  4294967295,
  4294967296,
  8388607.5,
  1e-45,
  -1e-45,
  1.1754942e-38,
  3.4e38,
  65504,
  65519,
  65520,
  -65520,
  2 ** -24,
  2 ** -25,
  3 * 2 ** -26,
]);
const doubles = [...floats, 5e-324, -2.2e-308, 1.7e308, 2 ** 53 + 1, 1e39];
const signed = [
  0, 1, -1, 2, -2, 3, 7, -7, 31, 100, 65535, -65536, 2147483647, -2147483648, 1234567, -1234567,
];
const unsigned = [0, 1, 2, 3, 7, 31, 100, 65535, 65536, 2147483647, 2147483648, 4294967295, 3000000000];

const values: Record<ScalarType, readonly number[]> = {
  f32: floats.map(Math.fround),
  f64: doubles,
  i32: signed,
  u32: unsigned,
  bool: [0, 1],
};
const dtypeOf: Record<ScalarType, DType> = {
  f32: "float32",
  f64: "float64",
  i32: "int32",
  u32: "uint32",
  bool: "bool",
};
const types = Object.keys(values) as ScalarType[];
const lanesOf = (type: ScalarType): Lanes[] =>
  type === "bool" ? [1, 2, 4] : type === "f64" ? [1, 2] : [1, 4];

function compareLists(
  actual: readonly number[],
  expected: readonly number[],
  operands: readonly (readonly number[])[],
): void {
  const wrong = expected.flatMap((e, i) =>
    Object.is(actual[i], e) ? [] : [`${operands.map((o) => o[i]).join(", ")} gives ${actual[i]}, not ${e}`],
  );
  expect(wrong).toEqual([]);
}

const isFloat = (type: ScalarType): boolean => type === "f32" || type === "f64";

const unaryFns: Record<UnaryOp, (type: ScalarType) => boolean> = {
  neg: (t) => t !== "bool",
  abs: (t) => t !== "bool" && t !== "u32",
  floor: isFloat,
  ceil: isFloat,
  trunc: isFloat,
  nearest: isFloat,
  sqrt: isFloat,
  not: (t) => !isFloat(t),
  clz: (t) => t === "i32" || t === "u32",
  popcnt: (t) => t === "i32" || t === "u32",
  roundF16: (t) => t === "f32",
};

describe("unary operations", () => {
  for (const fn of Object.keys(unaryFns) as UnaryOp[])
    for (const type of types.filter(unaryFns[fn]))
      it.each(lanesOf(type))(`${fn} of ${type} in %i lanes`, (lanes) => {
        const x = values[type];
        const actual = computeWasm([{ dtype: dtypeOf[type], values: x }], dtypeOf[type], lanes, (e) =>
          ir.unary(fn, e),
        );
        compareLists(actual, x.map(unaryOf(fn, type)), [x]);
      });
});

/** Pairs of all values with all, without those for which an operation is not defined. */
function pairs(fn: BinaryOp | CompareOp, type: ScalarType): [number[], number[]] {
  const xs: number[] = [];
  const ys: number[] = [];
  for (const x of values[type])
    for (const y of values[type]) {
      if ((fn === "shl" || fn === "shr") && (y < 0 || y > 31)) continue;
      if ((fn === "div" || fn === "rem") && !isFloat(type) && (y === 0 || (x === -2147483648 && y === -1)))
        continue;
      xs.push(x);
      ys.push(y);
    }
  return [xs, ys];
}

const integer = (t: ScalarType): boolean => t === "i32" || t === "u32";
const number = (t: ScalarType): boolean => t !== "bool";

const binaryFns: Record<BinaryOp, (type: ScalarType) => boolean> = {
  add: number,
  sub: number,
  mul: number,
  div: number,
  rem: integer,
  min: number,
  max: number,
  and: (t) => !isFloat(t),
  or: (t) => !isFloat(t),
  xor: (t) => !isFloat(t),
  shl: integer,
  shr: integer,
};

/** Those that an operation may treat in its own way. */
const constantsOf = (type: ScalarType): readonly number[] =>
  isFloat(type)
    ? [0, -0, 1, 2.5, -2.5, NaN, Infinity]
    : type === "bool"
      ? [0, 1]
      : [0, 1, 2, 7, 31, -7, 4294967295];

describe("binary operations", () => {
  for (const fn of Object.keys(binaryFns) as BinaryOp[])
    for (const type of types.filter(binaryFns[fn])) {
      const dtype = dtypeOf[type];
      const f = binaryOf(fn, type);
      it.each(lanesOf(type))(`${fn} of ${type} in %i lanes`, (lanes) => {
        const [x, y] = pairs(fn, type);
        const inputs = [
          { dtype, values: x },
          { dtype, values: y },
        ];
        const actual = computeWasm(inputs, dtype, lanes, (a, b) => ir.binary(fn, a, b));
        compareLists(
          actual,
          x.map((v, i) => f(v, y[i])),
          [x, y],
        );
      });

      it.each(lanesOf(type))(`${fn} of ${type} and a constant in %i lanes`, (lanes) => {
        const [xs, ys] = pairs(fn, type);
        for (const c of constantsOf(type)) {
          const x = xs.filter((_, i) => Object.is(ys[i], c));
          if (x.length === 0) continue;
          const actual = computeWasm([{ dtype, values: x }], dtype, lanes, (a) => ir.binary(fn, a, c));
          compareLists(
            actual,
            x.map((v) => f(v, c)),
            [x, x.map(() => c)],
          );
        }
      });
    }

  it.each([1, 4] as const)("shifts by a splat in %i lanes", (lanes) => {
    const x = values.i32;
    for (const by of [0, 1, 13, 31]) {
      const inputs = [
        { dtype: "int32" as const, values: x },
        { dtype: "int32" as const, values: x.map(() => by) },
      ];
      const actual = computeWasm(inputs, "int32", lanes, (a, b) =>
        ir.shr(a, ir.splat(lanes === 1 ? b : ir.extract(b, 2), lanes)),
      );
      compareLists(
        actual,
        x.map((v) => v >> by),
        [x],
      );
    }
  });

  it("division of what is not negative by constants", () => {
    const x = [0, 1, 2, 3, 7, 8, 9, 63, 64, 65, 1000, 2147483647];
    for (const n of [1, 2, 3, 8, 10, 64, 1000]) {
      const inputs = [{ dtype: "int32" as const, values: x }];
      const index = (e: Expr): Expr => ir.max(e, 0);
      compareLists(
        computeWasm(inputs, "int32", 1, (a) => ir.div(index(a), n)),
        x.map((v) => Math.floor(v / n)),
        [x],
      );
      compareLists(
        computeWasm(inputs, "int32", 1, (a) => ir.rem(index(a), n)),
        x.map((v) => v % n),
        [x],
      );
    }
  });
});

describe("comparisons", () => {
  for (const fn of Object.keys(compareOf) as CompareOp[])
    for (const type of types.filter((t) => t !== "bool" || fn === "eq" || fn === "ne"))
      it.each(lanesOf(type))(`${fn} of ${type} in %i lanes`, (lanes) => {
        const [x, y] = pairs(fn, type);
        const dtype = dtypeOf[type];
        const inputs = [
          { dtype, values: x },
          { dtype, values: y },
        ];
        const actual = computeWasm(inputs, "bool", lanes, (a, b) => ir.compare(fn, a, b));
        compareLists(
          actual,
          x.map((v, i) => compareOf[fn](v, y[i])),
          [x, y],
        );
      });
});

describe("conversions", () => {
  for (const from of types)
    for (const to of types) {
      if (from === to) continue;
      const lanes = lanesOf(from).filter((n) => lanesOf(to).includes(n));
      it.each(lanes)(`${from} to ${to} in %i lanes`, (n) => {
        const x = values[from];
        const actual = computeWasm([{ dtype: dtypeOf[from], values: x }], dtypeOf[to], n, (e) =>
          ir.cast(to, e),
        );
        compareLists(actual, x.map(castOf(from, to)), [x]);
      });
    }

  const words = ["f32", "i32", "u32"] as const;
  for (const from of words)
    for (const to of words)
      if (from !== to)
        it.each([1, 4] as const)(`bits of ${from} as ${to} in %i lanes`, (lanes) => {
          const x = [
            ...values[from],
            ...(from === "u32" ? [0x3f800000, 0x80000000, 0xff800000, 0x00000001] : []),
          ];
          const actual = computeWasm([{ dtype: dtypeOf[from], values: x }], dtypeOf[to], lanes, (e) =>
            ir.bitcast(to, e),
          );
          compareLists(actual, x.map(bitcastOf(from, to)), [x]);
        });
});

describe("choices and vectors", () => {
  for (const type of types) {
    const dtype = dtypeOf[type];
    const x = values[type];
    const y = [...x].reverse();
    const cond = x.map((_, i) => (i % 3 === 0 ? 1 : 0));
    const inputs = [
      { dtype: "bool" as const, values: cond },
      { dtype, values: x },
      { dtype, values: y },
    ];

    it.each(lanesOf(type))(`select of ${type} in %i lanes`, (lanes) => {
      const actual = computeWasm(inputs, dtype, lanes, (c, a, b) => ir.select(c, a, b));
      compareLists(
        actual,
        x.map((v, i) => (cond[i] === 1 ? v : y[i])),
        [cond, x, y],
      );
    });

    it.each(lanesOf(type).filter((n) => n > 1))(
      `lanes of ${type} taken apart, reversed and put together, %i`,
      (lanes) => {
        const part = (e: Expr): Expr =>
          ir.vector(Array.from({ length: lanes }, (_, i) => ir.extract(e, lanes - 1 - i)));
        const whole = x.slice(0, x.length - (x.length % lanes));
        const expected = whole.map((_, i) => whole[i - (i % lanes) + lanes - 1 - (i % lanes)]);
        compareLists(computeWasm([{ dtype, values: whole }], dtype, lanes, part), expected, [whole]);
      },
    );

    it.each(lanesOf(type).filter((n) => n > 1))(`splat of ${type} to %i lanes`, (lanes) => {
      const whole = x.slice(0, x.length - (x.length % lanes));
      const actual = computeWasm([{ dtype, values: whole }], dtype, lanes, (e) =>
        ir.splat(ir.extract(e, 1), lanes),
      );
      compareLists(
        actual,
        whole.map((_, i) => whole[i - (i % lanes) + 1]),
        [whole],
      );
    });

    it.each(lanesOf(type))(`constants of ${type} in %i lanes`, (lanes) => {
      for (const c of constantsOf(type).filter((v) => x.includes(v))) {
        const actual = computeWasm([{ dtype, values: [x[0], x[0], x[0], x[0]] }], dtype, lanes, () =>
          ir.constant(type, c, lanes),
        );
        expect(actual).toEqual([c, c, c, c]);
      }
    });
  }
});
