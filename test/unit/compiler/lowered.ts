/** Compares what the kernels of an equation compute, on both targets, with the `evaluate` rule of its primitive. */
import { isLeft } from "fp-ts/lib/Either.js";
import { expect } from "vitest";
import { compile, wasmOptions, webgpuOptions } from "../../../src/compiler/compile.js";
import { runProgram } from "../../../src/compiler/interpret.js";
import { type ConcreteArray, concreteArray } from "../../../src/core/array.js";
import { type Aval, aval, type Shape, sizeOf } from "../../../src/core/aval.js";
import { type DType, isFloat, isInteger, settle } from "../../../src/core/dtype.js";
import { type Atom, type Jaxpr, Var } from "../../../src/core/jaxpr.js";
import { type Example, findPrimitive, type Params, type Primitive } from "../../../src/core/primitive.js";
import { literalArray } from "../../../src/core/trace.js";
import { draw, drawAll, generator } from "../examples.js";
import { equation } from "./lowerEquation.js";

export const named = (name: string): Primitive => {
  const primitive = findPrimitive(name);
  if (primitive === undefined) throw new Error(`there is no primitive ${name}`);
  return primitive;
};

/** Relative to elements above 1, absolute below. 0: the very same numbers, NaN and signs of zeros included. */
export interface Tolerance {
  readonly tolerance?: number;
}

/** Runs a jaxpr as kernels for both targets (float64 only on the CPU) and with `evaluate`. */
export function checkProgram(
  jaxpr: Jaxpr,
  inputs: readonly ConcreteArray[],
  { tolerance = 0 }: Tolerance = {},
  what = "",
): void {
  const wanted = evaluated(jaxpr, inputs).map((x) => x.values);
  const types = [...jaxpr.inputs, ...jaxpr.eqns.flatMap((e) => e.outputs)].map((v) => v.aval.dtype);
  const values = inputs.map((x) => x.values);
  for (const options of [wasmOptions, webgpuOptions]) {
    if (options.target === "webgpu" && types.includes("float64")) continue;
    const program = compile(jaxpr, options);
    expect(program.steps.some((s) => s.kind === "host")).toBe(false);
    for (const parts of options.target === "wasm" ? [1, 3] : [1])
      for (const [k, actual] of runProgram(program, values, { parts }).entries())
        expectSame(actual, wanted[k], tolerance, `${what} on ${options.target}, output ${k}`);
  }
}

/** Every equation with its `evaluate` rule, whatever the device. */
function evaluated(jaxpr: Jaxpr, inputs: readonly ConcreteArray[]): ConcreteArray[] {
  const env = new Map<Var, ConcreteArray>(inputs.map((x, i) => [jaxpr.inputs[i], x]));
  const valueOf = (a: Atom): ConcreteArray =>
    a instanceof Var ? (env.get(a) as ConcreteArray) : literalArray(a).concrete();
  for (const { primitive, inputs: operands, params, outputs } of jaxpr.eqns) {
    const types = outputs.map((v) => v.aval);
    for (const [k, x] of primitive.evaluate(operands.map(valueOf), params, types).entries())
      env.set(outputs[k], x);
  }
  return jaxpr.outputs.map(valueOf);
}

function expectSame(a: ArrayLike<number>, b: ArrayLike<number>, tolerance: number, what: string): void {
  expect(a.length, what).toBe(b.length);
  for (let i = 0; i < b.length; i++) {
    if (Object.is(a[i], b[i])) continue;
    const error = Math.abs(a[i] - b[i]) / Math.max(1, Math.abs(b[i]));
    expect(tolerance > 0 && error <= tolerance, `${what}: element ${i} is ${a[i]}, not ${b[i]}`).toBe(true);
  }
}

/** The same for one application of a primitive. */
export function checkEquation(
  primitive: Primitive,
  inputs: readonly ConcreteArray[],
  params: Params,
  tolerance?: Tolerance,
): void {
  const avals = inputs.map((x) => x.aval);
  checkProgram(
    equation(primitive, avals, params),
    inputs,
    tolerance,
    `${primitive.name} of ${avals.map(show)}`,
  );
}

const show = ({ dtype, shape }: Aval): string => `${dtype}[${shape}]`;

const floats: readonly DType[] = ["float64", "float32", "float16"];
const others: readonly DType[] = ["int32", "uint32", "uint8", "bool"];

/** What drawn elements are between: with enough of them to wrap around uint8. */
const domains: Partial<Record<DType, readonly [number, number]>> = {
  int32: [-1000, 1000],
  uint32: [0, 1000],
  uint8: [0, 255],
  bool: [0, 1],
};

/**
 * An example with its floats as every dtype that the type rule takes. Integers beside floats (indices) stay as they are,
 * and so does an example without floats.
 */
export function variants(primitive: Primitive, example: Example): Example[] {
  if (!example.avals.some((a) => isFloat(a.dtype))) return [example];
  return [...floats, ...others].flatMap((dtype): Example[] => {
    const avals = example.avals.map((a) => (isFloat(a.dtype) ? aval(a.shape, dtype) : a));
    if (isLeft(primitive.abstractEval(avals, example.params))) return [];
    const domain = avals.map((a, i): readonly [number, number] =>
      isFloat(example.avals[i].dtype)
        ? (domains[dtype] ?? [-2, 2])
        : (example.domain?.[i] ?? (isInteger(a.dtype) ? [0, 3] : [-2, 2])),
    );
    return [{ ...example, avals, domain }];
  });
}

/** All examples of a primitive's record, in all dtypes. */
export function checkExamples(primitive: Primitive, tolerance: (dtype: DType) => number = () => 0): void {
  const random = generator(primitive.name.length);
  let checked = 0;
  for (const example of primitive.laws.examples)
    for (const variant of variants(primitive, example)) {
      const inputs = drawAll(variant, random).map((x) =>
        concreteArray(settle(x.dtype, x.values), x.shape, x.dtype),
      );
      const dtype = variant.avals[0]?.dtype ?? "int32";
      checkEquation(primitive, inputs, variant.params, { tolerance: tolerance(dtype) });
      checked++;
    }
  expect(checked).toBeGreaterThanOrEqual(primitive.laws.examples.length);
}

/** Elements between -2 and 2 (or what suits the dtype), the same in every run. */
export function array(shape: Shape, dtype: DType = "float32", seed = 1): ConcreteArray {
  const x = draw(aval(shape, dtype), generator(seed + sizeOf(shape)), domains[dtype] ?? [-2, 2], false);
  return concreteArray(settle(dtype, x.values), shape, dtype);
}

/** Elements of an array of indices, with those around the limits of the dtype among them. */
export function wildIndices(
  shape: Shape,
  dtype: "int32" | "uint32" | "uint8",
  below: number,
  seed: number,
): ConcreteArray {
  const random = generator(seed);
  const wild = {
    int32: [-2147483648, -below - 1, -1, below, below + 1, 2147483647],
    uint32: [below, below + 1, 2147483647, 2147483648, 4294967295],
    uint8: [below, 128, 255],
  }[dtype];
  const values = Array.from({ length: sizeOf(shape) }, () =>
    random() < 0.3 ? wild[Math.floor(random() * wild.length)] : Math.floor(random() * below),
  );
  return concreteArray(values, shape, dtype);
}
