/** What laws are tried on, beside functions at points. */
import { bind, type Example, type NDArray, numpy as np, type Primitive } from "fluxion";
import { carriesTangent } from "./close.js";
import type { ArrayFunction } from "./law.js";
import { generator, makePoint, type Point } from "./point.js";

/** Two functions, of floats to floats, that compose: x ↦ g(f(x)). */
export interface Pair {
  readonly f: ArrayFunction;
  readonly g: ArrayFunction;
  readonly xs: readonly NDArray[];
  /** A tangent at x. */
  readonly v: readonly NDArray[];
  /** A cotangent of g(f(x)). */
  readonly u: readonly NDArray[];
}

/** A linear function, and another that takes what it gives. */
export interface LinearCase {
  readonly apply: ArrayFunction;
  /** Of the same type as `apply`. */
  readonly other: ArrayFunction;
  /** Takes outputs of `apply`. */
  readonly after: ArrayFunction;
  readonly xs: readonly NDArray[];
  readonly ys: readonly NDArray[];
  /** A cotangent of the outputs of `apply`. */
  readonly u: readonly NDArray[];
  /** A cotangent of the outputs of `after`. */
  readonly z: readonly NDArray[];
}

/** A primitive, applied as one of its examples says. */
export interface PrimitiveCase {
  readonly primitive: Primitive;
  readonly example: Example;
  readonly inputs: readonly NDArray[];
  readonly rows: readonly (readonly NDArray[])[];
  readonly seed: number;
}

/** Where the operands of an example are drawn from. */
export function domainOf({ avals, domain }: Example, i: number): readonly [number, number] {
  const { dtype } = avals[i];
  if (domain?.[i] !== undefined) return domain[i];
  return dtype === "bool" ? [0, 1] : dtype.startsWith("float") ? [-2, 2] : [0, 3];
}

/**
 * Operands for an example: elements of its domain, whole numbers for integers, well apart where it asks for that.
 *
 * @param coarse floats are one of nine numbers, so that some are equal: for what compares and has no derivative.
 */
export function drawOperands(example: Example, random: () => number, coarse = false): NDArray[] {
  return example.avals.map(({ shape, dtype }, i) => {
    const [lo, hi] = domainOf(example, i);
    const n = shape.reduce((a, b) => a * b, 1);
    const part = (): number => (coarse ? Math.round(8 * random()) / 8 : random());
    let values = Array.from({ length: n }, () => lo + (hi - lo) * part());
    const isFloat = dtype.startsWith("float");
    if (example.distinct && isFloat) {
      const order = values.map((x, k) => [x, k] as const).sort((a, b) => a[0] - b[0]);
      values = new Array<number>(n);
      for (const [rank, [, k]] of order.entries()) values[k] = lo + ((hi - lo) * (rank + 0.5)) / n;
    } else if (dtype === "bool") values = values.map((x) => (x > (lo + hi) / 2 ? 1 : 0));
    else if (!isFloat) values = values.map(Math.round);
    const array = dtype === "bool" ? np.array(values.map(Boolean), { dtype }) : np.array(values, { dtype });
    return np.reshape(array, [...shape]);
  });
}

/** A case of a primitive: operands and rows follow from the seed. */
export function primitiveCase(primitive: Primitive, example: Example, seed: number): PrimitiveCase {
  const random = generator(seed);
  const coarse = !primitive.laws.differentiable && seed % 2 !== 0;
  const inputs = drawOperands(example, random, coarse);
  return {
    primitive,
    example,
    inputs,
    rows: [drawOperands(example, random, coarse), drawOperands(example, random, coarse)],
    seed,
  };
}

/** The function that applies a primitive, at the operands of the case. */
export const pointOfPrimitive = ({ primitive, example, inputs, rows, seed }: PrimitiveCase): Point =>
  makePoint((...xs) => bind(primitive, xs, example.params), inputs, seed, rows);

/** Whether the case has anything to differentiate. */
export const isSmooth = ({ primitive, inputs }: PrimitiveCase): boolean =>
  primitive.laws.differentiable && inputs.some(carriesTangent);
