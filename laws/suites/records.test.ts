/** The laws of primitives' records: they hold on primitives of each kind, and each finds a record that is wrong. */

import {
  aval,
  ConcreteArray,
  findPrimitive,
  isZero,
  numpy as np,
  type Primitive,
  type PrimitiveRecord,
  zeroFor,
} from "fluxion";
import { right } from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";
import * as ir from "../../src/core/ir/ops.js";
import { primitiveCase } from "../cases.js";
import * as rules from "../statements/recordRules.js";
import * as types from "../statements/recordTypes.js";
import * as values from "../statements/recordValues.js";
import { patched } from "./patched.js";

const primitiveLaws = [...types.primitiveLaws, ...rules.primitiveLaws, ...values.primitiveLaws];

const named = (name: string): Primitive => {
  const found = findPrimitive(name);
  if (found === undefined) throw new Error(`there is no primitive ${name}`);
  return found;
};

/** One or two of each family; the suite of the registry has them all. */
const kinds = [
  "sin",
  "mul",
  "select",
  "convertElementType",
  "bitcastConvertType",
  "pad",
  "transpose",
  "concatenate",
];
const more = ["gather", "sort", "cumsum", "dotGeneral", "reduceMax", "threefry2x32", "iota", "jit"];

describe.each([...kinds, ...more])("%s", (name) => {
  it.each(primitiveLaws.map((law) => [law.name, law] as const))("%s", (_, law) => {
    const primitive = named(name);
    // The first examples differ in their shapes, the last ones in their dtypes.
    const { examples } = primitive.laws;
    const tried = [...new Set([0, 1, 2, examples.length - 1])].filter((i) => i >= 0 && i < examples.length);
    for (const i of tried)
      expect(law.check(primitiveCase(primitive, examples[i], i))).not.toHaveProperty("kind", "fails");
  });
});

it("laws have names of their own, a statement and a source", () => {
  expect(new Set(primitiveLaws.map((law) => law.name)).size).toBe(primitiveLaws.length);
  for (const { statement, source, subject } of primitiveLaws) {
    expect(statement).toMatch(/\S/);
    expect(source).toMatch(/\d{4}|ch\. \d|JAX/);
    expect(subject).toBe("primitive");
  }
});

type Wrong = (right: Primitive) => Partial<PrimitiveRecord>;

/** Output types, changed. */
const typed =
  (change: (type: ReturnType<typeof aval>) => ReturnType<typeof aval>): Wrong =>
  ({ abstractEval }) => ({
    abstractEval: (avals, params) => {
      const result = abstractEval(avals, params);
      return result._tag === "Left" ? result : right(result.right.map(change));
    },
  });

const batched =
  (change: (y: ReturnType<typeof np.flip>) => ReturnType<typeof np.flip>): Wrong =>
  ({ batch }) => ({
    batch: (...args) => {
      const result = batch(...args);
      return { ...result, outputs: result.outputs.map(change) };
    },
  });

/** Law, what is wrong, the primitive, its record. */
const table: readonly (readonly [string, string, string, Wrong])[] = [
  [
    "abstract evaluation predicts evaluation",
    "evaluate gives float32 elements",
    "sin",
    ({ evaluate }) => ({
      evaluate: (...args) =>
        evaluate(...args).map((y) => new ConcreteArray(Float32Array.from(y.values), y.aval)),
    }),
  ],
  [
    "abstract evaluation predicts evaluation",
    "evaluate gives an axis more",
    "sin",
    ({ evaluate }) => ({
      evaluate: (...args) =>
        evaluate(...args).map((y) => new ConcreteArray(y.values, aval([1, ...y.shape], y.dtype))),
    }),
  ],
  [
    "abstract evaluation predicts evaluation",
    "evaluate does not round to float16",
    "sin",
    ({ evaluate }) => ({
      evaluate: (xs, params, types) =>
        types[0].dtype !== "float16"
          ? evaluate(xs, params, types)
          : [new ConcreteArray(xs[0].values.map(Math.sin), types[0])],
    }),
  ],
  ["weak types give way", "the result is always weak", "sin", typed((t) => aval(t.shape, t.dtype, true))],
  [
    "types are the same for all floats",
    "the result is always float64",
    "sin",
    typed((t) => aval(t.shape, "float64")),
  ],
  [
    "types are the same for all floats",
    "an axis is dropped in float32",
    "sin",
    typed((t) => aval(t.dtype === "float32" ? t.shape.slice(1) : t.shape, t.dtype)),
  ],
  [
    "abstract evaluation is total",
    "abstractEval throws",
    "sin",
    () => ({
      abstractEval: ([x]) => right([aval(x.shape, x.dtype, x.weakType)]),
    }),
  ],
  [
    "cost is a count",
    "the cost is no number",
    "sin",
    () => ({ cost: () => ({ operations: Number.NaN, multiplications: 0, transcendentals: 0 }) }),
  ],
  [
    "cost is a count",
    "more multiplications than operations",
    "sin",
    () => ({ cost: () => ({ operations: 1, multiplications: 2, transcendentals: 0 }) }),
  ],
  [
    "cost is a count",
    "larger arrays cost less",
    "sin",
    () => ({
      cost: ([x]) => ({
        operations: 1000 - x.shape.reduce((a, b) => a * b, 1),
        multiplications: 0,
        transcendentals: 0,
      }),
    }),
  ],
  ["the batch rule is a loop", "rows are reversed", "sin", batched((y) => np.flip(y, 0))],
  [
    "the batch rule is a loop",
    "a row is dropped",
    "sin",
    batched((y) => np.take(y, np.arange(Math.max(0, y.shape[0] - 1)), 0)),
  ],
  [
    "the batch rule is a loop",
    "the result is weak",
    "sin",
    ({ batch }) => ({
      batch: (...args) => {
        return patched(
          "sin",
          typed((t) => aval(t.shape, t.dtype, true)),
          () => batch(...args),
        );
      },
    }),
  ],
  [
    "the batch rule is a loop",
    "the result is said not to depend on the batch",
    "sin",
    ({ batch }) => ({
      batch: (...args) => ({
        outputs: batch(...args).outputs.map((y) => np.take(y, 0, 0)),
        batched: [false],
      }),
    }),
  ],
  [
    "the batch rule is a loop",
    "operands that are not batched are taken for batched ones",
    "mul",
    ({ batch }) => ({
      batch: (size, xs, mask, ...rest) =>
        batch(
          size,
          xs.map((x, i) => (mask[i] || mask[1] ? x : np.negative(x))),
          mask,
          ...rest,
        ),
    }),
  ],
  [
    "a symbolic zero is a zero",
    "the tangent is zero if one of them is",
    "mul",
    ({ jvp }) => ({
      jvp: (xs, ts, ...rest) => {
        const result = jvp(xs, ts, ...rest);
        return ts.some(isZero) ? { ...result, tangents: result.outputs.map((y) => zeroFor(y.aval)) } : result;
      },
    }),
  ],
  [
    "a symbolic zero is a zero",
    "jvp gives another value",
    "sin",
    ({ jvp }) => ({
      jvp: (...args) => {
        const result = jvp(...args);
        return { ...result, outputs: result.outputs.map((y) => np.add(y, 1e-3)) };
      },
    }),
  ],
  [
    "reverse mode is there and is the transpose",
    "the transpose has another factor",
    "mul",
    ({ transpose }) => ({
      transpose: (...args) =>
        (transpose as NonNullable<typeof transpose>)(...args).map((ct) =>
          ct === null || isZero(ct) ? ct : np.multiply(ct, 1.001),
        ),
    }),
  ],
  [
    "reverse mode is there and is the transpose",
    "there is no transpose",
    "mul",
    () => ({ transpose: undefined }),
  ],
  [
    "what has no derivative has none",
    "a step has the slope of a line",
    "floor",
    ({ jvp, laws }) => ({
      laws: { ...laws, differentiable: false },
      jvp: (xs, ts, ...rest) => ({ ...jvp(xs, ts, ...rest), tangents: ts }),
    }),
  ],
  [
    "simplification is exact",
    "x + 0 is x",
    "add",
    () => ({
      simplify: ([x, y]) => ("value" in y && y.value === 0 && !x.aval.weakType ? 0 : undefined),
    }),
  ],
  [
    "simplification is exact",
    "0 · x is 0",
    "mul",
    () => ({
      simplify: ([x, y]) =>
        "value" in x && x.value === 0 && y.aval.shape.length === 0 && x.aval.weakType === y.aval.weakType
          ? 0
          : undefined,
    }),
  ],
  [
    "simplification is exact",
    "types are forgotten",
    "mul",
    () => ({
      simplify: ([, y]) => ("value" in y && y.value === 1 ? 0 : undefined),
    }),
  ],
  [
    "simplification is exact",
    "any transposition changes nothing",
    "transpose",
    () => ({ simplify: () => 0 }),
  ],
  ["commutative means commutative", "x - y is said to be y - x", "sub", () => ({ commutative: true })],
  [
    "commutative means commutative",
    "only the sign of a zero depends on the order",
    "max",
    ({ evaluate }) => ({
      commutative: true,
      evaluate: ([x, y], params, types) => {
        const [out] = evaluate([x, y], params, types);
        return [
          new ConcreteArray(
            out.values.map((v, i) => (v === 0 ? x.values[i % x.values.length] : v)),
            out.aval,
          ),
        ];
      },
    }),
  ],
  [
    "the lowered form keeps corner values",
    "x - 0 instead of x",
    "stopGradient",
    () => ({
      lower: { kind: "map", element: (ctx, index) => [zeroAdded(ctx.operand(0, index))], weight: () => 1 },
    }),
  ],
  [
    "float formats agree",
    "float32 has fewer digits than it should",
    "sin",
    ({ evaluate }) => ({
      evaluate: (xs, params, types) =>
        evaluate(xs, params, types).map((y) =>
          y.dtype === "float32"
            ? new ConcreteArray(
                y.values.map((v) => Math.round(v * 1e4) / 1e4),
                y.aval,
              )
            : y,
        ),
    }),
  ],
];

/** x + 0, which turns -0 into 0; for floats. */
function zeroAdded(x: ReturnType<typeof ir.add>): ReturnType<typeof ir.add> {
  return x.type === "f32" || x.type === "f64" ? ir.add(x, ir.constant(x.type, 0)) : x;
}

describe("each law finds a wrong record", () => {
  it.each(table)("%s: %s", (name, _, primitiveName, wrong) => {
    const law = primitiveLaws.find((l) => l.name === name);
    if (law === undefined) throw new Error(`there is no law "${name}"`);
    const primitive = named(primitiveName);
    const cases = [0, 1, 2].flatMap((i) => {
      const example = primitive.laws.examples[i];
      return example === undefined ? [] : [primitiveCase(primitive, example, i)];
    });
    const verdicts = (): string[] =>
      cases.map((c) => {
        try {
          return law.check(c).kind;
        } catch {
          return "fails";
        }
      });
    expect(verdicts()).not.toContain("fails");
    expect(patched(primitiveName, wrong, verdicts)).toContain("fails");
    expect(verdicts()).not.toContain("fails");
  });

  it("all of them do", () => {
    expect(new Set(table.map(([name]) => name))).toEqual(new Set(primitiveLaws.map((law) => law.name)));
  });
});
