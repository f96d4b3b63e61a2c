/** A record that lacks a rule, as only JavaScript lets one write it, is a typed error where the rule is needed. */
import {
  ArgumentError,
  aval,
  bind,
  ConcreteArray,
  checkJaxpr,
  definePrimitive,
  grad,
  isZero,
  jaxprCost,
  jit,
  jvp,
  linearTranspose,
  MissingRuleError,
  makeJaxpr,
  type NDArray,
  NotDifferentiableError,
  numpy as np,
  type Primitive,
  type PrimitiveRecord,
  vmap,
} from "fluxion";
import { isLeft, isRight, right } from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";

let made = 0;

/** The identity, as a primitive that lacks a rule. */
function without(rule: keyof PrimitiveRecord | undefined): {
  primitive: Primitive;
  f: (x: NDArray) => NDArray;
} {
  const record: PrimitiveRecord = {
    name: `gap${made++}`,
    family: "test",
    summary: "the identity",
    abstractEval: (inputs) => right(inputs),
    evaluate: ([x], _, [out]) => [new ConcreteArray(x.values, out)],
    jvp: ([x], [t]) => ({ outputs: [f(x)], tangents: [isZero(t) ? t : f(t)] }),
    transpose: ([ct]) => [isZero(ct) ? ct : f(ct)],
    batch: (_, inputs, batched) => ({ outputs: [f(inputs[0])], batched }),
    cost: () => ({ operations: 1, multiplications: 0, transcendentals: 0 }),
    laws: { differentiable: true, examples: [{ avals: [aval([], "float32")], params: {} }] },
  };
  const { [rule ?? "simplify"]: _, ...rest } = record;
  const primitive = definePrimitive(rest as PrimitiveRecord);
  const f = (x: NDArray): NDArray => bind(primitive, [x], {})[0];
  return { primitive, f };
}

const x = np.array([1, 2]);
const sum = (f: (x: NDArray) => NDArray) => (x: NDArray) => np.sum(f(x));

/** Everything that rules are for. */
const uses: Record<string, (f: (x: NDArray) => NDArray) => unknown> = {
  run: (f) => f(x),
  "run under jit": (f) => jit(f)(x),
  trace: (f) => makeJaxpr(f)(x),
  jvp: (f) => jvp(f, [x], [x]),
  grad: (f) => grad(sum(f))(x),
  "grad of jit": (f) => grad(sum(jit(f)))(x),
  "jit of grad": (f) => jit(grad(sum(f)))(x),
  vmap: (f) => vmap(f)(x),
  cost: (f) => jaxprCost(makeJaxpr(f)(x).jaxpr),
};

const gaps: [rule: keyof PrimitiveRecord, need: string, failing: (keyof typeof uses)[]][] = [
  ["abstractEval", "tracing and evaluation need", Object.keys(uses)],
  ["evaluate", "running it needs", Object.keys(uses).filter((use) => use !== "trace" && use !== "cost")],
  ["jvp", "derivatives need", ["jvp", "grad", "grad of jit", "jit of grad"]],
  ["transpose", "reverse mode needs where it is applied to tangents", ["grad", "grad of jit", "jit of grad"]],
  ["batch", "vmap needs", ["vmap"]],
  ["cost", "jaxprCost needs", ["cost"]],
];

describe.each(gaps)("a record without %s", (rule, need, failing) => {
  const { primitive, f } = without(rule);

  it.each(Object.keys(uses))("%s", (use) => {
    let error: unknown;
    try {
      uses[use](f);
    } catch (e) {
      error = e;
    }
    if (!failing.includes(use)) {
      expect(error).toBeUndefined();
      return;
    }
    expect(error).toBeInstanceOf(MissingRuleError);
    const missing = error as MissingRuleError;
    expect([missing.code, missing.primitive, missing.rule]).toEqual(["missing-rule", primitive.name, rule]);
    expect(missing.message).toMatch(
      new RegExp(
        `^primitive "${primitive.name}" has no ${rule} rule, which ${need} \\(at .*missingRules\\.test\\.ts:`,
      ),
    );
  });
});

it("a whole record serves everything", () => {
  const { f } = without(undefined);
  for (const use of Object.values(uses)) expect(() => use(f)).not.toThrow();
});

it("the checker tells of a missing type rule, and throws nothing", () => {
  const { primitive } = without("abstractEval");
  const whole = without(undefined);
  const { jaxpr } = makeJaxpr(whole.f)(x);
  const [eqn] = jaxpr.eqns;
  Object.assign(eqn, { primitive });
  const checked = checkJaxpr(jaxpr);
  expect(isRight(checked)).toBe(false);
  if (isLeft(checked))
    expect(checked.left.message).toContain(`primitive "${primitive.name}" has no abstractEval rule`);
});

it("a program that is not linear is no gap in a record", () => {
  expect(() => linearTranspose((x: NDArray) => np.sin(x), x)(x)).toThrow(NotDifferentiableError);
  expect(() =>
    linearTranspose(
      jit((x: NDArray) => np.sin(x)),
      x,
    )(x),
  ).toThrow(
    "sin is linear in no operand, so a program in which it is applied to a tangent cannot be transposed",
  );
});

it("a rule that is no function is refused at once, and nothing is registered", () => {
  const { primitive } = without(undefined);
  for (const wrong of ["text", null, 5])
    expect(() => definePrimitive({ ...primitive, name: "gap_wrong", batch: wrong as never })).toThrow(
      new RegExp(
        `^definePrimitive: the batch rule of "gap_wrong" must be a function, got ${wrong === null ? "null" : typeof wrong}`,
      ),
    );
  expect(() => definePrimitive({ ...primitive, name: undefined as never })).toThrow(ArgumentError);
  expect(definePrimitive({ ...primitive, name: "gap_wrong" }).name).toBe("gap_wrong");
});
