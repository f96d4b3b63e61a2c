/** Programs that the deep run or a law found a fault with, shrunk: each keeps all laws now. */
import { type ConcreteArray, numpy as np, parseJaxpr } from "fluxion";
import { describe, expect, it } from "vitest";
import { attempt } from "../check/attempt.js";
import { makePoint } from "../point.js";
import { Program } from "../programs/program.js";
import { functionLaws } from "../statements/index.js";

const f64 = (values: readonly number[], shape?: readonly number[]): ConcreteArray =>
  np.reshape(np.array([...values], { dtype: "float64" }), [...(shape ?? [values.length])]).concrete();

const weak = (x: ConcreteArray): ConcreteArray => x.alias({ ...x.aval, weakType: true });

const found: readonly (readonly [string, string, readonly ConcreteArray[]])[] = [
  [
    "the bytes of a literal are an array, not a literal",
    `{ lambda ; a:f64[2]. let
        b:u8[2] = bitcastConvertType[dtype="uint8"] -0.489:f16[]
      in (b, a) }`,
    [f64([1, 2])],
  ],
  [
    "what a call gives is as weak as its body says, on all devices",
    `{ lambda ; a:~f64[2]. let
        b:f64[2] = jit[name="identity" jaxpr={ lambda ; a:f64[2]. let
          in (a,) }] a
      in (b,) }`,
    [weak(f64([0, 0]))],
  ],
  [
    "second derivatives of running log-sum-exps where neighbours are equal",
    `{ lambda ; a:f64[4]. let
        b:f64[4] = cumlogsumexp[axis=0 reverse=true] a
      in (b,) }`,
    [f64([0, 0, 0, 0])],
  ],
  [
    "second derivatives of determinants at matrices of low rank",
    `{ lambda ; a:f64[4,4]. let
        b:f64[] = det a
      in (b,) }`,
    [f64(new Array<number>(16).fill(1), [4, 4])],
  ],
  [
    "bytes of a padded scalar",
    `{ lambda ; a:f16[2]. let
        b:u8[2,2] = bitcastConvertType[dtype="uint8"] a
        c:i32[2,2] = convertElementType[dtype="int32" weakType=false] b
        d:i32[4,2] = pad[config=[[1,1,0],[0,0,0]]] c 7:i32[]
      in (d,) }`,
    [np.array([1.5, -2], { dtype: "float16" }).concrete()],
  ],
];

describe.each(found)("%s", (_, text, inputs) => {
  const parsed = parseJaxpr(text);
  if (parsed._tag === "Left") throw parsed.left;
  const program = new Program(parsed.right.jaxpr, inputs, [inputs, inputs]);

  it.each(functionLaws.map((law) => [law.name, law] as const))("%s", (__, law) => {
    expect(attempt(law, makePoint(program.f, inputs, 3))).not.toMatchObject({ kind: "fails" });
  });
});
