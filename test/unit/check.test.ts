import fc from "fast-check";
import { isRight, right } from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";
import { aval } from "../../src/core/aval.js";
import { traceToJaxpr } from "../../src/core/build.js";
import { checked, checkJaxpr } from "../../src/core/check.js";
import { type DType, isFloat } from "../../src/core/dtype.js";
import { JaxprTypeError } from "../../src/core/errors.js";
import { type Atom, type Eqn, Jaxpr, Literal, Var } from "../../src/core/jaxpr.js";
import { noParams } from "../../src/core/params.js";
import { definePrimitive, type Params, type Primitive, primitives } from "../../src/core/primitive.js";
import { add, mul, neg } from "../../src/primitives/arithmetic.js";
import { bindCall, callPrimitive } from "../../src/primitives/call.js";
import { batchJaxpr } from "../../src/transforms/batch.js";
import { dceJaxpr } from "../../src/transforms/dce.js";
import { jvpJaxpr } from "../../src/transforms/jvp.js";
import { partialEvalJaxpr } from "../../src/transforms/partialEval.js";
import { transposeJaxpr } from "../../src/transforms/transpose.js";
import { programs } from "./randomJaxpr.js";

const f32 = aval([], "float32");
const vec = aval([3], "float32");

const eqn = (
  primitive: Primitive,
  inputs: readonly Atom[],
  outputs: readonly Var[],
  params: Params = noParams,
): Eqn => ({
  primitive,
  inputs,
  params,
  outputs,
  source: undefined,
});

/** The message of the error that the checker must find. */
function faultOf(jaxpr: Jaxpr): string {
  const result = checkJaxpr(jaxpr);
  if (isRight(result)) throw new Error(`this was found well typed:\n${jaxpr}`);
  expect(result.left).toBeInstanceOf(JaxprTypeError);
  expect(result.left.code).toBe("jaxpr-type");
  return result.left.message;
}

const x = new Var(0, vec);
const y = new Var(1, vec);
const z = new Var(2, vec);

describe("checkJaxpr", () => {
  it("finds traced programs well typed, and gives them back", () => {
    fc.assert(
      fc.property(programs(), ({ jaxpr }) => {
        expect(checkJaxpr(jaxpr)).toEqual(right(jaxpr));
        expect(checked(jaxpr)).toBe(jaxpr);
      }),
      { numRuns: 300 },
    );
  });

  it("takes what belongs to a jaxpr: gaps between ids, unused and repeated variables, no equations", () => {
    expect(isRight(checkJaxpr(new Jaxpr([], [], [], 0)))).toBe(true);
    const far = new Var(40, vec);
    const literals = [new Literal(NaN, f32), new Literal(-0, f32), new Literal(1, aval([], "bool"))];
    const jaxpr = new Jaxpr([x, far], [eqn(add.primitive, [far, far], [z])], [x, x, ...literals], 41);
    expect(isRight(checkJaxpr(jaxpr))).toBe(true);
    const zeroTangent = new Var(0, aval([2], "float0"));
    expect(isRight(checkJaxpr(new Jaxpr([zeroTangent], [], [zeroTangent], 1)))).toBe(true);
  });

  it("finds wrong output types: shape, dtype, weakness, number", () => {
    const declared = (...outputs: Var[]) =>
      faultOf(new Jaxpr([x], [eqn(neg.primitive, [x], outputs)], [], 9));
    expect(declared(new Var(1, f32))).toMatch(
      /equation 0, _:f32\[\] = neg a: neg gives f32\[3\], but .* declares f32\[\]/,
    );
    expect(declared(new Var(1, aval([3], "float64")))).toMatch(
      /neg gives f32\[3\], but the equation declares f64\[3\]/,
    );
    expect(declared(new Var(1, aval([3], "float32", true)))).toMatch(
      /neg gives f32\[3\], but .* declares ~f32\[3\]/,
    );
    expect(declared(y, z)).toMatch(/neg gives f32\[3\], but the equation declares f32\[3\] f32\[3\]/);
    expect(declared()).toMatch(/\(\) = neg a: neg gives f32\[3\], but the equation declares nothing/);
  });

  it("finds operands that a primitive does not take", () => {
    const ints = new Var(1, aval([3], "int32"));
    expect(faultOf(new Jaxpr([x, ints], [eqn(add.primitive, [x, ints], [z])], [z], 3))).toMatch(
      /equation 0, c:f32\[3\] = add a b: add needs operands of one dtype, got float32\[3\], int32\[3\]/,
    );
    expect(faultOf(new Jaxpr([x], [eqn(add.primitive, [x], [z])], [z], 3))).toMatch(/add takes 2 operands/);
    expect(faultOf(new Jaxpr([x], [eqn(callPrimitive, [x], [z], { name: "f" })], [z], 3))).toMatch(
      /b:f32\[3\] = jit\[name="f"\] a: jit: the param jaxpr must be a jaxpr/,
    );
  });

  it("tells the line of user code once", () => {
    const message = faultOf(new Jaxpr([x], [eqn(add.primitive, [x], [z])], [z], 3));
    expect(message.match(/check\.test\.ts/g)).toHaveLength(1);
  });

  it("finds variables that are not defined, or not yet", () => {
    const twice = [eqn(neg.primitive, [y], [z]), eqn(neg.primitive, [x], [y])];
    expect(faultOf(new Jaxpr([x], twice, [z], 3))).toMatch(
      /equation 0, b:f32\[3\] = neg c: operand 0: the variable \(id 1\) is used before it is defined/,
    );
    expect(faultOf(new Jaxpr([x], [eqn(neg.primitive, [y], [y])], [y], 3))).toMatch(
      /used before it is defined/,
    );
    expect(faultOf(new Jaxpr([x], [], [x, z], 3))).toMatch(
      /output 1: the variable \(id 2\) is used before it is defined/,
    );
  });

  it("finds variables that are defined twice, or beyond varCount", () => {
    expect(faultOf(new Jaxpr([x, y, x], [], [], 3))).toMatch(
      /input 2: the variable \(id 0\) is defined twice/,
    );
    expect(faultOf(new Jaxpr([x, new Var(0, f32)], [], [], 3))).toMatch(/input 1: .* defined twice/);
    expect(faultOf(new Jaxpr([x], [eqn(neg.primitive, [x], [x])], [], 3))).toMatch(
      /result 0: .* defined twice/,
    );
    expect(faultOf(new Jaxpr([x, z], [], [], 2))).toMatch(
      /input 1: the variable's id 2 is not below .* varCount, 2/,
    );
    expect(faultOf(new Jaxpr([new Var(-1, f32)], [], [], 2))).toMatch(/id -1/);
    expect(faultOf(new Jaxpr([new Var(0.5, f32)], [], [], 2))).toMatch(/id 0\.5/);
    expect(faultOf(new Jaxpr([x], [eqn(neg.primitive, [x], [z])], [], 2))).toMatch(
      /result 0: .*id 2 is not below/,
    );
  });

  it("finds variables whose type changes", () => {
    const other = new Var(0, aval([3], "float32", true));
    expect(faultOf(new Jaxpr([x], [eqn(neg.primitive, [other], [y])], [], 3))).toMatch(
      /operand 0: the variable \(id 0\) is used as ~f32\[3\], but it was defined as f32\[3\]/,
    );
    expect(faultOf(new Jaxpr([x], [], [new Var(0, f32)], 3))).toMatch(/output 0: .* is used as f32\[\]/);
  });

  it("finds types that are none", () => {
    expect(faultOf(new Jaxpr([new Var(0, aval([-1], "float32"))], [], [], 1))).toMatch(
      /\[-1\] is not a shape/,
    );
    expect(faultOf(new Jaxpr([new Var(0, aval([1.5], "float32"))], [], [], 1))).toMatch(
      /\[1\.5\] is not a shape/,
    );
    expect(faultOf(new Jaxpr([new Var(0, aval([1], "int64" as DType))], [], [], 1))).toMatch(
      /int64 is not a dtype/,
    );
  });

  const wrongLiterals: [value: number, dtype: DType, shape: number[], message: RegExp][] = [
    [1, "float32", [1], /a literal is a scalar, not f32\[1\]/],
    [0, "float0", [], /a literal is a scalar, not float0\[\]/],
    [0.1, "float32", [], /the literal 0\.1 is not a value of f32\[\]/],
    [0.1, "float16", [], /not a value of f16\[\]/],
    [70000, "float16", [], /not a value of f16\[\]/],
    [0.5, "int32", [], /not a value of i32\[\]/],
    [2 ** 31, "int32", [], /not a value of i32\[\]/],
    [-1, "uint32", [], /not a value of u32\[\]/],
    [256, "uint8", [], /not a value of u8\[\]/],
    [-0, "int32", [], /not a value of i32\[\]/],
    [NaN, "int32", [], /not a value of i32\[\]/],
    [2, "bool", [], /the literal 2 is not a value of bool\[\]/],
  ];
  it.each(wrongLiterals)(
    "finds the literal %d of dtype %s and shape %j wrong",
    (value, dtype, shape, message) => {
      const literal = new Literal(value, aval(shape, dtype));
      expect(faultOf(new Jaxpr([], [], [literal], 0))).toMatch(message);
      expect(faultOf(new Jaxpr([], [eqn(neg.primitive, [literal], [x])], [], 1))).toMatch(
        /equation 0.*operand 0: /,
      );
    },
  );

  it("looks into jaxprs inside equations, wherever they stand", () => {
    const broken = new Jaxpr([x], [eqn(neg.primitive, [x], [new Var(1, f32)])], [x], 2);
    const call = (params: Params) => faultOf(new Jaxpr([x], [eqn(callPrimitive, [x], [z], params)], [z], 3));
    expect(call({ jaxpr: broken, name: "f" })).toMatch(
      /equation 0, b:f32\[3\] = jit\[name="f" jaxpr=\{ lambda \.\.\. \}\] a: param jaxpr: in its jaxpr: equation 0, _:f32\[\] = neg a: neg gives f32\[3\]/,
    );
    const fine = new Jaxpr([x], [], [x], 1);
    expect(call({ jaxpr: fine, other: [1, [broken]], name: "f" })).toMatch(
      /param other: in its jaxpr: equation 0/,
    );
    expect(call({ jaxpr: fine, other: { deep: broken }, name: "f" })).toMatch(/param other: in its jaxpr/);
    const outer = new Jaxpr([x], [eqn(callPrimitive, [x], [z], { jaxpr: broken, name: "g" })], [z], 3);
    expect(call({ jaxpr: outer, name: "f" })).toMatch(
      /in its jaxpr: equation 0, .* in its jaxpr: equation 0/,
    );
    const f64 = new Jaxpr([new Var(0, aval([3], "float64"))], [], [], 1);
    expect(call({ jaxpr: f64, name: "f" })).toMatch(/jit: the jaxpr takes float64\[3\], got float32\[3\]/);
  });

  it("finds params that are not data, and primitives that are not registered", () => {
    const call = (params: Params) => faultOf(new Jaxpr([x], [eqn(neg.primitive, [x], [z], params)], [z], 3));
    expect(call({ f: (() => 1) as never })).toMatch(/neg\[f=<function>\] a: param f: a function is not data/);
    expect(call({ f: [new Map() as never] })).toMatch(/param f: an object of class Map is not data/);
    expect(call({ f: 1n as never })).toMatch(/a bigint is not data/);
    const impostor = { ...neg.primitive };
    expect(faultOf(new Jaxpr([x], [eqn(impostor, [x], [z])], [z], 3))).toMatch(/there is no primitive "neg"/);
  });

  it("reports a type rule that throws as a fault", () => {
    // Rules of users may take their params for granted.
    const rash = definePrimitive({
      ...neg.primitive,
      name: "rash",
      laws: { differentiable: false, examples: [] },
      abstractEval: (_, { shape }) => right([aval((shape as number[]).slice(), "float32")]),
    });
    expect(isRight(checkJaxpr(new Jaxpr([x], [eqn(rash, [x], [z], { shape: [3] })], [z], 3)))).toBe(true);
    expect(faultOf(new Jaxpr([x], [eqn(rash, [x], [z])], [z], 3))).toMatch(
      /b:f32\[3\] = rash a: rash does not take these operands and params \(Cannot read properties of undefined/,
    );
  });

  it("throws in the form for tests", () => {
    expect(() => checked(new Jaxpr([x], [], [z], 3))).toThrow(JaxprTypeError);
  });

  it("checks a body that occurs often once", () => {
    let jaxpr = traceToJaxpr({ name: "f" }, [f32], ([a]) => [mul(a, a)]).closed.jaxpr;
    for (let depth = 0; depth < 100; depth++) {
      const inner = jaxpr;
      const twice = traceToJaxpr({ name: "f" }, [f32], (a) => bindCall(inner, "f", bindCall(inner, "f", a)));
      jaxpr = twice.closed.jaxpr;
    }
    expect(checked(jaxpr)).toBe(jaxpr);
  });
});

describe("what the passes make", () => {
  const floats = programs({ dtypes: ["float32", "float64"], maxSteps: 6 }).filter(
    ({ consts }) => consts.length < 9,
  );
  const masked = floats.chain(({ jaxpr }) => {
    const mask = (n: number) => fc.array(fc.boolean(), { minLength: n, maxLength: n });
    return fc.tuple(fc.constant(jaxpr), mask(jaxpr.inputs.length), mask(jaxpr.outputs.length));
  });

  it("is well typed: jvp, batch, dce, partial evaluation", () => {
    fc.assert(
      fc.property(masked, ([jaxpr, inputs, outputs]) => {
        checked(jvpJaxpr(jaxpr, inputs).jaxpr);
        checked(batchJaxpr(jaxpr, 4, inputs).jaxpr);
        checked(dceJaxpr(jaxpr, outputs).jaxpr);
        const { known, unknown } = partialEvalJaxpr(jaxpr, inputs);
        checked(known);
        checked(unknown);
      }),
      { numRuns: 300 },
    );
  });

  it("is well typed: the transpose of the linear part of the derivative", () => {
    fc.assert(
      fc.property(masked, ([jaxpr, active]) => {
        const { jaxpr: pushed, activeOut } = jvpJaxpr(jaxpr, active);
        const primals = jaxpr.inputs.length;
        const split = partialEvalJaxpr(
          pushed,
          pushed.inputs.map((_, i) => i >= primals),
          pushed.outputs.map((_, i) => i >= jaxpr.outputs.length),
        );
        checked(split.known);
        const linear = checked(split.unknown);
        expect(linear.outputs).toHaveLength(activeOut.filter((a) => a).length);
        const mask = linear.inputs.map((_, i) => i >= split.residuals);
        checked(
          transposeJaxpr(
            linear,
            mask,
            linear.outputs.map(() => false),
          ).jaxpr,
        );
      }),
      { numRuns: 300 },
    );
  });

  it("is well typed: every rule of every primitive, strong and weak", async () => {
    for (const load of Object.values(import.meta.glob("../../src/primitives/*.ts"))) await load();
    let count = 0;
    for (const p of primitives())
      for (const { avals, params } of p.laws.examples)
        for (const weak of [false, true]) {
          const inputs = avals.map(
            (t, id) => new Var(id, aval(t.shape, t.dtype, weak && t.dtype !== "bool")),
          );
          const types = p.abstractEval(
            inputs.map((v) => v.aval),
            params,
          );
          if (types._tag === "Left") throw types.left;
          const outputs = types.right.map((t, i) => new Var(inputs.length + i, t));
          const jaxpr = checked(
            new Jaxpr(inputs, [eqn(p, inputs, outputs, params)], outputs, inputs.length + outputs.length),
          );
          const floats = inputs.map((v) => isFloat(v.aval.dtype));
          if (floats.includes(true) && p.laws.differentiable) checked(jvpJaxpr(jaxpr, floats).jaxpr);
          if (inputs.length > 0)
            checked(
              batchJaxpr(
                jaxpr,
                2,
                inputs.map(() => true),
              ).jaxpr,
            );
          for (let i = 0; i < Math.max(inputs.length, outputs.length); i++) {
            const { known, unknown } = partialEvalJaxpr(
              jaxpr,
              inputs.map((_, k) => k === i),
            );
            checked(known);
            checked(unknown);
            checked(
              dceJaxpr(
                jaxpr,
                outputs.map((_, k) => k === i),
              ).jaxpr,
            );
          }
          count++;
        }
    expect(count).toBeGreaterThan(200);
  });
});
