/**
 * Values of the variables of a program: at its inputs and, to see how they move, at two neighbours of the inputs.
 *
 * The plain meaning of each primitive is used and no device: programs are made by the thousand, and what a device computes
 * is one of the things that are to be tested.
 */
import {
  type Aval,
  ConcreteArray,
  type DType,
  type Eqn,
  type Jaxpr,
  numpy as np,
  type Params,
  type Primitive,
  type TypedArray,
  Var,
} from "fluxion";
import { inlinedBody } from "./wrappers.js";

/** One array at the inputs and at two neighbours. The very same object three times where nothing moves. */
export type Copies = readonly [ConcreteArray, ConcreteArray, ConcreteArray];

const make: Record<string, (n: number) => TypedArray> = {
  bool: (n) => new Uint8Array(n),
  uint8: (n) => new Uint8Array(n),
  int32: (n) => new Int32Array(n),
  uint32: (n) => new Uint32Array(n),
  float16: (n) => new Float32Array(n),
  float32: (n) => new Float32Array(n),
  float64: (n) => new Float64Array(n),
};

export const isFloatType = (dtype: DType): boolean => dtype.startsWith("float") && dtype !== "float0";

/** A concrete array of the given type; elements are rounded to its dtype. */
export function arrayOf(elements: ArrayLike<number>, type: Aval): ConcreteArray {
  // Half precision is stored in wider numbers; only the library rounds to it.
  if (type.dtype === "float16") {
    const rounded = np.array(new Float32Array(Array.from(elements)), { dtype: "float16" });
    return new ConcreteArray(rounded.concrete().values, type);
  }
  const values = make[type.dtype](elements.length);
  values.set(elements);
  return new ConcreteArray(values, type);
}

export const constant = (x: ConcreteArray): Copies => [x, x, x];

export const isConstant = (x: Copies): boolean => x[1] === x[0] && x[2] === x[0];

const sameElements = (a: ConcreteArray, b: ConcreteArray): boolean => {
  const [xs, ys] = [a.values, b.values];
  for (let i = 0; i < xs.length; i++) if (!Object.is(xs[i], ys[i])) return false;
  return true;
};

/** The same copies, as one object if they are equal. */
export const settled = (x: Copies): Copies =>
  sameElements(x[0], x[1]) && sameElements(x[0], x[2]) ? constant(x[0]) : x;

/** What a primitive gives, by its plain meaning. Calls are what their bodies are. */
function evaluate(
  primitive: Primitive,
  inputs: readonly ConcreteArray[],
  params: Params,
  types: readonly Aval[],
): readonly ConcreteArray[] {
  const body = inlinedBody(primitive, params);
  if (body === undefined) return primitive.evaluate(inputs, params, types);
  const values = run(body, inputs.map(constant));
  return body.outputs.map((a) => copiesOf(a, values)[0]);
}

/** What a primitive gives at the inputs and at their neighbours. */
export function evaluateCopies(
  primitive: Primitive,
  operands: readonly Copies[],
  params: Params,
  types: readonly Aval[],
): readonly Copies[] {
  // What has no results has effects, which are not for those who want to know values.
  if (types.length === 0) return [];
  const at = (k: 0 | 1 | 2) =>
    evaluate(
      primitive,
      operands.map((x) => x[k]),
      params,
      types,
    );
  const here = at(0);
  if (operands.every(isConstant)) return here.map(constant);
  const [one, other] = [at(1), at(2)];
  return here.map((y, i) => settled([y, one[i], other[i]]));
}

const literals = new Map<string, Copies>();

/** The values of an atom. */
export function copiesOf(atom: Eqn["inputs"][number], values: readonly Copies[]): Copies {
  if (atom instanceof Var) return values[atom.id];
  const key = `${atom.aval.weakType ? "~" : ""}${atom.aval.dtype}${Object.is(atom.value, -0) ? "-0" : atom.value}`;
  let found = literals.get(key);
  if (found === undefined) {
    if (literals.size > 10_000) literals.clear();
    found = constant(arrayOf([atom.value], atom.aval));
    literals.set(key, found);
  }
  return found;
}

/** The values of all variables of a jaxpr, by id. */
export function run(jaxpr: Jaxpr, inputs: readonly Copies[]): readonly Copies[] {
  const values = new Array<Copies>(jaxpr.varCount);
  for (const [i, v] of jaxpr.inputs.entries()) values[v.id] = inputs[i];
  for (const { primitive, inputs: atoms, params, outputs } of jaxpr.eqns) {
    const operands = atoms.map((a) => copiesOf(a, values));
    const types = outputs.map((v) => v.aval);
    for (const [k, y] of evaluateCopies(primitive, operands, params, types).entries())
      values[outputs[k].id] = y;
  }
  return values;
}
