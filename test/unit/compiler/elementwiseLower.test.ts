/** What the elementwise family does with `lower` rules, those that are missing too. */
import { describe, expect, it } from "vitest";
import { compile, wasmOptions, webgpuOptions } from "../../../src/compiler/compile.js";
import { runProgram } from "../../../src/compiler/interpret.js";
import { aval } from "../../../src/core/aval.js";
import type { DType } from "../../../src/core/dtype.js";
import { ArgumentError, MissingRuleError } from "../../../src/core/errors.js";
import { indexAdd, indexMul, strideIn } from "../../../src/core/ir/affine.js";
import { pow } from "../../../src/core/ir/math/index.js";
import { cast, get, load, ne } from "../../../src/core/ir/ops.js";
import { Buffer, type Expr, Local } from "../../../src/core/ir/types.js";
import type { Primitive } from "../../../src/core/primitive.js";
import { eq, ge, gt, le, lt, ne as notEqual } from "../../../src/primitives/comparison.js";
import { add, elementwise, unary } from "../../../src/primitives/elementwise.js";
import { mapElement } from "./elementTools.js";
import { equation } from "./lowerEquation.js";

const program = (primitive: Primitive, dtype: DType, options = wasmOptions) =>
  compile(equation(primitive, [aval([3], dtype)], {}), options);

const run = (primitive: Primitive, dtype: DType, values: readonly number[]) => [
  ...runProgram(program(primitive, dtype), [Float64Array.from(values)])[0],
];

const withoutRule = unary("compilerTestTwice", { summary: "2x", domain: "any", evaluate: (x) => 2 * x });

describe("without a lower rule", () => {
  it("kernels on the CPU call `evaluate`, and store what it gives as it is stored elsewhere", () => {
    expect(program(withoutRule.primitive, "float32").steps.map((s) => s.kind)).toEqual(["kernel"]);
    expect(run(withoutRule.primitive, "float32", [0.1, 3e38, -2])).toEqual([
      Math.fround(2 * 0.1),
      Infinity,
      -4,
    ]);
    expect(run(withoutRule.primitive, "float64", [0.1, 3e38, -2])).toEqual([0.2, 6e38, -4]);
    expect(run(withoutRule.primitive, "float16", [2 ** -24, 40000, -2])).toEqual([2 ** -23, Infinity, -4]);
    expect(run(withoutRule.primitive, "int32", [2 ** 30, -(2 ** 31), 7])).toEqual([-(2 ** 31), 0, 14]);
    expect(run(withoutRule.primitive, "uint32", [2 ** 31, 2 ** 31 + 1, 7])).toEqual([0, 2, 14]);
    expect(run(withoutRule.primitive, "uint8", [128, 129, 7])).toEqual([0, 2, 14]);
    expect(run(withoutRule.primitive, "bool", [0, 1, 1])).toEqual([0, 0, 0]);
  });

  it("the GPU refuses, and names the primitive and the rule", () => {
    const attempt = () => program(withoutRule.primitive, "float32", webgpuOptions);
    expect(attempt).toThrow(MissingRuleError);
    expect(attempt).toThrow(
      'primitive "compilerTestTwice" has no lower rule for float32, so it cannot run on webgpu',
    );
    try {
      attempt();
    } catch (e) {
      expect(e).toMatchObject({ primitive: "compilerTestTwice", rule: "lower" });
    }
  });
});

it("a lower rule sees the common dtype and the params", () => {
  const seen: unknown[] = [];
  const primitive = elementwise({
    name: "compilerTestSeen",
    summary: "x",
    arity: 1,
    domain: "any",
    evaluate: (x) => x,
    lower: ([x], dtype, params) => {
      seen.push([x.type, dtype, params]);
      return x;
    },
    tangents: () => [undefined],
    examples: [{ params: {} }],
  });
  compile(equation(primitive, [aval([3], "uint8")], { k: 1 }), wasmOptions);
  expect(seen[0]).toEqual(["u32", "uint8", { k: 1 }]);
});

it("a lower rule of the wrong type is refused", () => {
  const wrong = unary("compilerTestWrong", {
    summary: "x",
    domain: "float",
    evaluate: (x) => x,
    lower: (x) => ne(x, 0),
  });
  expect(() => program(wrong.primitive, "float32")).toThrow(ArgumentError);
  expect(() => program(wrong.primitive, "float32")).toThrow(
    "its lower rule gives bool, but float32 is computed as f32",
  );
});

it("scalars among vectors go with every element", () => {
  const avals = [aval([3], "float32"), aval([], "float32")];
  const vector = Float32Array.of(1, 2, 3);
  for (const options of [wasmOptions, webgpuOptions]) {
    const made = compile(equation(add.primitive, avals, {}), options);
    expect([...runProgram(made, [vector, Float32Array.of(10)])[0]]).toEqual([11, 12, 13]);
  }
});

describe("a float compared with itself", () => {
  const x = load(new Buffer("x", "float32", 8), 3);

  const comparesFloats = (e: Expr): boolean =>
    (e.op === "compare" && e.x.type === "f32") ||
    Object.values(e).some(
      (v) => typeof v === "object" && v !== null && "op" in v && comparesFloats(v as Expr),
    );

  it.each([
    ["eq", eq],
    ["ne", notEqual],
    ["lt", lt],
    ["le", le],
    ["gt", gt],
    ["ge", ge],
  ])("%s looks at its bits, since shader compilers think that x = x", (_, { primitive }) => {
    const again = load((x as { buffer: Buffer }).buffer, 3);
    expect(comparesFloats(mapElement(primitive, [x, again]))).toBe(false);
    const other = load((x as { buffer: Buffer }).buffer, 4);
    expect(comparesFloats(mapElement(primitive, [x, other]))).toBe(true);
  });
});

it("a large expression as an index does not slow the compiler down", () => {
  const position = cast(
    "i32",
    pow(load(new Buffer("x", "float32", 8), 3), load(new Buffer("y", "float32", 8), 3)),
  );
  const counter = new Local("i", "i32");
  expect(strideIn(indexAdd(indexMul(get(counter), 3), position), counter)).toBe(3);
});
