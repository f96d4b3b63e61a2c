/** Elementwise primitives as kernels, interpreted, against their `evaluate` rules: on their examples and on corners. */

import { isLeft } from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";
import { compile, wasmOptions, webgpuOptions } from "../../../src/compiler/compile.js";
import { runProgram } from "../../../src/compiler/interpret.js";
import { concreteArray } from "../../../src/core/array.js";
import { aval } from "../../../src/core/aval.js";
import { type DType, integerRange, isFloat, roundToFloat16, settle } from "../../../src/core/dtype.js";
import { evalJaxpr } from "../../../src/core/eval.js";
import type { Params, Primitive } from "../../../src/core/primitive.js";
import { chosen } from "../examples.js";
import { equation } from "./lowerEquation.js";
import { checkEquation, checkExamples, named } from "./lowered.js";
import { ulps } from "./ulps.js";

const family = chosen.filter((p) => p.family === "elementwise" || p.name === "threefry2x32");

/** Functions that are computed by other means than `evaluate` has; all others give the very same bits. */
const approximate = new Set([
  ...[
    "exp",
    "exp2",
    "expm1",
    "log",
    "log1p",
    "logistic",
    "sin",
    "cos",
    "tan",
    "asin",
    "acos",
    "atan",
    "atan2",
  ],
  ...["sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "pow", "integerPow", "rsqrt", "cbrt", "erf", "erfc"],
  ...["erfInv", "lgamma", "digamma", "polygamma", "xlogy", "xlog1py"],
]);

const tolerances: Partial<Record<DType, number>> = { float32: 2e-6, float16: 2e-3 };

describe("examples", () => {
  it.each(family.map((p) => [p.name, p] as const))("%s", (name, primitive) => {
    checkExamples(primitive, (dtype) => (approximate.has(name) ? (tolerances[dtype] ?? 0) : 0));
  });
});

const cornersOf = (dtype: DType): readonly number[] => {
  if (dtype === "bool") return [0, 1];
  if (!isFloat(dtype)) {
    const [low, high] = integerRange(dtype);
    return [low, low + 1, 0, 1, 2, 7, 8, 31, 32, 255, high - 1, high].concat(
      low < 0 ? [-1, -2, -31, -300] : [],
    );
  }
  const positive = [
    0, 1e-45, 1e-40, 1.2e-38, 6e-8, 6.1e-5, 0.25, 0.5, 1, 1.5, 2, 2.5, 3, 4.75, 100, 255.5, 256, 65504,
  ];
  positive.push(
    65519.9,
    65520,
    16777217,
    2147483647.5,
    2147483648,
    4294967295,
    4294967296,
    1e30,
    3.4e38,
    Infinity,
  );
  if (dtype === "float64") positive.push(5e-324, 1e-300, 1e300, 1 + 2 ** -11 + 2 ** -30, 2049 + 2 ** -20);
  return [...positive, ...positive.map((x) => -x), NaN];
};

/** Every combination of corners for so many operands. */
function combinations(dtypes: readonly DType[]): number[][] {
  const columns: number[][] = dtypes.map(() => []);
  const fill = (row: readonly number[]): void => {
    if (row.length === dtypes.length) for (const [k, x] of row.entries()) columns[k].push(x);
    else for (const x of cornersOf(dtypes[row.length])) fill([...row, x]);
  };
  fill([]);
  return columns;
}

const ulpsOfHalf = (actual: number, wanted: number): number => {
  if (Object.is(actual, wanted)) return 0;
  const unit = 2 ** Math.max(-24, Math.floor(Math.log2(Math.abs(wanted))) - 10);
  const value = Math.abs(actual) === Infinity ? Math.sign(actual) * 65536 : actual;
  return wanted === 0 ? Math.abs(value) / 2 ** -24 : Math.abs(value - wanted) / unit;
};

/** Errors on corners: the functions' own tests measure them where they matter; poles and zeros of lgamma are not there. */
const allowed = (name: string, dtype: DType): number => {
  if (!approximate.has(name) || dtype === "float64") return 0;
  return dtype === "float16" ? 1 : ["lgamma", "digamma", "polygamma"].includes(name) ? 64 : 6;
};

function checkCorners(primitive: Primitive, dtypes: readonly DType[], params: Params): boolean {
  const columns = combinations(dtypes);
  const avals = dtypes.map((dtype) => aval([columns[0].length], dtype));
  if (isLeft(primitive.abstractEval(avals, params))) return false;
  const inputs = dtypes.map((dtype, i) => {
    const { values } = concreteArray(columns[i], [columns[i].length], dtype);
    return concreteArray(settle(dtype, values), [columns[i].length], dtype);
  });
  const jaxpr = equation(primitive, avals, params);
  const [wanted] = evalJaxpr(jaxpr, inputs).map((x) => x.dataSync());
  const { dtype } = jaxpr.outAvals[0];
  const bound = allowed(primitive.name, dtype);
  for (const options of [wasmOptions, webgpuOptions]) {
    if (options.target === "webgpu" && [...dtypes, dtype].includes("float64")) continue;
    const [actual] = runProgram(
      compile(jaxpr, options),
      inputs.map((x) => x.values),
    );
    for (let i = 0; i < wanted.length; i++) {
      const [a, b] = [actual[i], wanted[i]];
      const error = Object.is(a, b)
        ? 0
        : bound === 0
          ? Infinity
          : dtype === "float16"
            ? ulpsOfHalf(a, b)
            : ulps(a, b);
      if (error > bound)
        expect.fail(
          `${primitive.name} on ${options.target} of ${inputs.map((x) => x.values[i])} (${dtypes}): ${a}, not ${b}`,
        );
    }
  }
  return true;
}

const dtypes: readonly DType[] = ["float64", "float32", "float16", "int32", "uint32", "uint8", "bool"];

describe("corners", () => {
  const simple = family.filter(
    (p) => !["bitcastConvertType", "selectN", "threefry2x32", "clamp"].includes(p.name),
  );
  it.each(simple.map((p) => [p.name, p] as const))("%s", (name, primitive) => {
    const arity = primitive.laws.examples[0].avals.length;
    const seen = new Map(primitive.laws.examples.map((e) => [JSON.stringify(e.params), e.params]));
    let checked = 0;
    for (const params of seen.values())
      for (const dtype of dtypes) {
        const own = Array.from({ length: arity }, (_, i) => (name === "select" && i === 0 ? "bool" : dtype));
        if (checkCorners(primitive, own, params)) checked++;
      }
    expect(checked).toBeGreaterThan(0);
  });

  it("clamp", () => {
    for (const dtype of ["float32", "float16", "int32", "uint8"] as const)
      expect(checkCorners(named("clamp"), [dtype, dtype, dtype], {})).toBe(true);
  });

  it("every dtype becomes every other as `evaluate` has it", () => {
    const convert = named("convertElementType");
    for (const from of dtypes)
      for (const to of dtypes)
        expect(checkCorners(convert, [from], { dtype: to, weakType: false })).toBe(true);
  });

  it("selectN takes the nearest case where there is none", () => {
    const which = concreteArray([-5, -1, 0, 1, 2, 3, 99], [7], "int32");
    const cases = [1, 2, 3].map((x) => concreteArray(Array(7).fill(x), [7], "float32"));
    checkEquation(named("selectN"), [which, ...cases], {});
    checkEquation(named("selectN"), [which, cases[0]], {});
  });
});

describe("bits read as another dtype", () => {
  const all = ["float64", "float32", "float16", "int32", "uint32", "uint8"] as const;
  const bytes = { float64: 8, float32: 4, float16: 2, int32: 4, uint32: 4, uint8: 1 };
  it.each(all.flatMap((from) => all.map((to) => [from, to] as const)))("%s as %s", (from, to) => {
    const ratio = bytes[to] / bytes[from];
    const numbers = [1.5, -2, 0, 65504, -0.25, 100, 7, 3e-5].map((x) =>
      isFloat(from) ? x : Math.trunc(Math.abs(x)),
    );
    const values = settle(from, concreteArray(numbers, [8], from).values);
    checkEquation(
      named("bitcastConvertType"),
      [concreteArray(values, ratio > 1 ? [8 / ratio, ratio] : [8], from)],
      { dtype: to },
    );
  });
});

it("rounds float64 to float16 once", () => {
  // By way of float32 it would become 2050.
  const x = 2049 + 2 ** -20;
  expect(roundToFloat16(x)).toBe(2050);
  const y = 1 + 2 ** -11 + 2 ** -30;
  expect(roundToFloat16(y)).not.toBe(roundToFloat16(Math.fround(y)));
  checkEquation(named("convertElementType"), [concreteArray([x, y], [2], "float64")], {
    dtype: "float16",
    weakType: false,
  });
});
