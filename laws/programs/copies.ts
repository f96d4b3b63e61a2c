/** Values of the variables of a program: at its inputs and, to see how they move, at two neighbours of the inputs. */
import { type Aval, ConcreteArray, type DType, type Eqn, numpy as np, type TypedArray, Var } from "fluxion";

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
