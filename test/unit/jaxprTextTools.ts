/** What the tests of printing and of parsing share. */
import { isLeft, isRight, right } from "fp-ts/lib/Either.js";
import { expect } from "vitest";
import { aval } from "../../src/core/aval.js";
import { traceToJaxpr } from "../../src/core/build.js";
import { JaxprParseError } from "../../src/core/errors.js";
import { equalJaxprs } from "../../src/core/hash.js";
import { type Eqn, Jaxpr, Var } from "../../src/core/jaxpr.js";
import { type ParsedJaxpr, parseJaxpr } from "../../src/core/parse.js";
import { definePrimitive, type Params } from "../../src/core/primitive.js";
import { printJaxpr } from "../../src/core/print.js";
import { mul } from "../../src/primitives/arithmetic.js";
import { noWork } from "../../src/primitives/linear.js";

export const f32 = aval([], "float32");
export const i32 = aval([], "int32");

/** A primitive that takes any params and one operand, to print params of all kinds. */
export const opaque = definePrimitive({
  name: "opaque",
  family: "test",
  summary: "gives back its operand",
  abstractEval: (inputs) => right(inputs),
  evaluate: (inputs) => inputs,
  jvp: (outputs, tangents) => ({ outputs, tangents }),
  batch: (_, outputs, batched) => ({ outputs, batched }),
  cost: noWork,
  laws: { differentiable: false, examples: [] },
});

export function parsed(text: string): ParsedJaxpr {
  const result = parseJaxpr(text);
  if (isLeft(result)) throw result.left;
  return result.right;
}

export function parseError(text: string): JaxprParseError {
  const result = parseJaxpr(text);
  if (isRight(result)) throw new Error(`this should not be a program:\n${text}`);
  expect(result.left).toBeInstanceOf(JaxprParseError);
  return result.left;
}

/** A jaxpr of one equation of `opaque`. */
export function withParams(params: Params): Jaxpr {
  const x = new Var(0, f32);
  const y = new Var(1, f32);
  const eqn: Eqn = { primitive: opaque, inputs: [x], params, outputs: [y], source: undefined };
  return new Jaxpr([x], [eqn], [y], 2);
}

export function expectRoundTrip(jaxpr: Jaxpr, constCount = 0): void {
  const text = printJaxpr(jaxpr, { constCount });
  const again = parsed(text);
  expect(again.constCount).toBe(constCount);
  expect(printJaxpr(again.jaxpr, again)).toBe(text);
  expect(equalJaxprs(again.jaxpr, jaxpr), text).toBe(true);
}

/** A chain of n multiplications. */
export const chain = (n: number): Jaxpr =>
  traceToJaxpr({ name: "chain" }, [f32], ([x]) => {
    let y = mul(x, 0.5);
    for (let i = 1; i < n; i++) y = mul(y, x);
    return [y];
  }).closed.jaxpr;
