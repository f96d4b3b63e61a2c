/**
 * Type rules are total: whatever operands and params a primitive of the registry is given, its rule answers with types
 * or with a typed error that names the primitive, and throws nothing. What a rule lets pass, evaluation can do.
 */
import { isLeft } from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";
import { type Aval, aval, sizeOf } from "../../src/core/aval.js";
import { isFloat } from "../../src/core/dtype.js";
import { FluxionError } from "../../src/core/errors.js";
import { paramsKey } from "../../src/core/params.js";
import type { Example, Params, Primitive } from "../../src/core/primitive.js";
import { bind } from "../../src/core/trace.js";
import { chosen, draw, generator } from "./examples.js";

interface Nonsense {
  readonly what: string;
  readonly avals: readonly Aval[];
  readonly params: unknown;
  /** No primitive can make sense of it. */
  readonly hopeless: boolean;
}

/** These take any number of operands. */
const variadic = ["concatenate", "sort", "optimizationBarrier"];

const shapes = [[7, 11], [13], [2, 1, 3, 1, 2, 2], [0], []];
const values: readonly unknown[] = [
  ...[undefined, null, "junk", Number.NaN, -1, 1.5, 1e9, true, false],
  ...[[], [-1], ["x"], [[1]], [null], [0, 0], [99], [1e9], {}, { a: 1 }],
];

const replaced = <T>(list: readonly T[], i: number, x: T): T[] => list.map((old, k) => (k === i ? x : old));

/** A param may be another string or number than it is, but it cannot be missing, nor NaN unless it is an element. */
const isHopeless = (key: string, value: unknown): boolean =>
  value === undefined || (Number.isNaN(value) && key !== "fillValue");

/** A product that contracts nothing takes operands of any shapes. */
const isOuterProduct = (primitive: Primitive, params: Params): boolean =>
  primitive.name === "dotGeneral" && JSON.stringify(params.contracting) === "[[],[]]";

/** What hands its operands on, or over to a function of the user's, takes any shapes, unless it is batched. */
const takesAnyShapes = ({ name }: Primitive, { levels }: Params): boolean =>
  name === "optimizationBarrier" || (name === "pureCallback" && JSON.stringify(levels) === "[]");

function* nonsense(primitive: Primitive, { avals, params }: Example): Generator<Nonsense> {
  if (avals.length > 0) yield { what: "no operands", avals: [], params, hopeless: true };
  const many = Array.from({ length: 20 }, (_, i) => avals[i % avals.length] ?? aval([], "float32"));
  yield { what: "20 operands", avals: many, params, hopeless: !variadic.includes(primitive.name) };
  // Scalars go with everything; arrays with several different numbers of axes and no length in common do not.
  const apart = [[2, 3], [5], [7, 11, 13], [17], [19, 23], [29]];
  if (avals.length > 1)
    yield {
      what: "shapes that have nothing in common",
      avals: avals.map((a, i) => aval(apart[i % apart.length], a.dtype)),
      params,
      hopeless: !isOuterProduct(primitive, params) && !takesAnyShapes(primitive, params),
    };
  for (const [i, a] of avals.entries()) {
    const others = [
      aval(a.shape, "float0"),
      aval(a.shape, a.dtype === "uint8" ? "float32" : "uint8"),
      aval(a.shape, isFloat(a.dtype) ? "bool" : "float64"),
      ...shapes.map((shape) => aval(shape, a.dtype)),
    ];
    for (const other of others)
      yield { what: `operand ${i}`, avals: replaced(avals, i, other), params, hopeless: false };
  }
  const keys = Object.keys(params);
  if (keys.length > 0) yield { what: "no params", avals, params: {}, hopeless: true };
  else
    yield {
      what: "a param that it does not take",
      avals,
      params: { junk: 1 },
      hopeless: primitive.name === "optimizationBarrier",
    };
  for (const key of keys)
    for (const value of values)
      yield {
        what: `${key} = ${Number.isNaN(value) ? value : JSON.stringify(value)}`,
        avals,
        params: { ...params, [key]: value },
        hopeless: isHopeless(key, value),
      };
}

/** Two examples of each choice of params: others differ in shapes alone, which nonsense replaces. */
function varied({ laws }: Primitive): Example[] {
  const seen = new Map<string, number>();
  return laws.examples.filter(({ params }) => {
    const key = paramsKey(params);
    seen.set(key, (seen.get(key) ?? 0) + 1);
    return (seen.get(key) as number) <= 2;
  });
}

/** What an error of a type rule lacks, in words. */
function faultOf(error: unknown, name: string): string | undefined {
  if (!(error instanceof FluxionError)) return `not a FluxionError: ${String(error)}`;
  if (!["shape", "dtype", "axis", "argument"].includes(error.code)) return `has code ${error.code}`;
  if (!error.message.includes(name)) return `does not name the primitive: ${error.message}`;
  return / \(at .*primitiveErrors\.test\.ts:\d+:\d+\)$/.test(error.message)
    ? undefined
    : `does not end with the line of user code: ${error.message}`;
}

const random = generator(7);
const small = (avals: readonly Aval[]): boolean => avals.every((a) => sizeOf(a.shape) <= 2000);

describe.each(chosen.map((p) => [p.name, p] as const))("%s", (name, primitive) => {
  it("answers nonsense with an error that names it", () => {
    let refused = 0;
    const faults: string[] = [];
    for (const example of varied(primitive))
      for (const { what, avals, params, hopeless } of nonsense(primitive, example)) {
        const result = primitive.abstractEval(avals, params as Params);
        if (isLeft(result)) refused++;
        const fault = isLeft(result) ? faultOf(result.left, name) : hopeless ? "it was accepted" : undefined;
        if (fault !== undefined) faults.push(`${what}: ${fault}`);
      }
    expect(faults).toEqual([]);
    expect(refused).toBeGreaterThan(0);
  });

  it("throws the same error when it is bound", () => {
    const [example] = primitive.laws.examples;
    const [first] = nonsense(primitive, example);
    const operands = first.avals.map((a) => draw(a, random, [0, 1], false));
    expect(() => bind(primitive, operands, first.params as Params)).toThrow(FluxionError);
  });

  it("evaluates what it accepts", () => {
    for (const example of varied(primitive))
      for (const { what, avals, params } of nonsense(primitive, example)) {
        const result = primitive.abstractEval(avals, params as Params);
        if (isLeft(result) || !small([...avals, ...result.right])) continue;
        // A dilation or an order of a billion is a type, and the work of a billion steps.
        if (what.includes("1000000000")) continue;
        if ([...avals, ...result.right].some((a) => a.dtype === "float0")) continue;
        const operands = avals.map((a) => draw(a, random, [0, 1], false));
        const outputs = bind(primitive, operands, params as Params);
        expect(
          outputs.map((y) => [y.shape, y.dtype, y.dataSync().length]),
          what,
        ).toEqual(result.right.map((t) => [t.shape, t.dtype, sizeOf(t.shape)]));
      }
  });
});
