/** Smooth functions of one number, with their derivatives: what rules can be tried on without knowing the answer beforehand. */
import * as fc from "fast-check";
import { type NDArray, numpy as np } from "fluxion";

type Term =
  | { readonly kind: "x" }
  | { readonly kind: "constant"; readonly value: number }
  | { readonly kind: "sin" | "tanh" | "gauss"; readonly of: Term }
  | { readonly kind: "add" | "multiply"; readonly left: Term; readonly right: Term };

/** A function with everything there is to know of it at a number. */
export interface SmoothFunction {
  /** Of arrays, element by element: traced, differentiated and compiled like any other function. */
  readonly f: (x: NDArray) => NDArray;
  /** Of numbers, without fluxion. */
  readonly value: (x: number) => number;
  /** Its exact derivative, without fluxion: by the rules of differentiation on numbers. */
  readonly derivative: (x: number) => number;
  /** `sin(x * 2) + tanh(x)`. */
  toString(): string;
}

/** A value with its derivative: pairs x + x'ε with ε² = 0. */
type Dual = readonly [value: number, slope: number];

function dual(t: Term, x: number): Dual {
  switch (t.kind) {
    case "x":
      return [x, 1];
    case "constant":
      return [t.value, 0];
    case "sin": {
      const [v, s] = dual(t.of, x);
      return [Math.sin(v), Math.cos(v) * s];
    }
    case "tanh": {
      const [v, s] = dual(t.of, x);
      return [Math.tanh(v), s / Math.cosh(v) ** 2];
    }
    case "gauss": {
      const [v, s] = dual(t.of, x);
      return [Math.exp(-v * v), -2 * v * Math.exp(-v * v) * s];
    }
    case "add": {
      const [[a, s], [b, r]] = [dual(t.left, x), dual(t.right, x)];
      return [a + b, s + r];
    }
    case "multiply": {
      const [[a, s], [b, r]] = [dual(t.left, x), dual(t.right, x)];
      return [a * b, s * b + a * r];
    }
  }
}

function apply(t: Term, x: NDArray): NDArray {
  switch (t.kind) {
    case "x":
      return x;
    case "constant":
      return np.fullLike(x, t.value);
    case "sin":
      return np.sin(apply(t.of, x));
    case "tanh":
      return np.tanh(apply(t.of, x));
    case "gauss":
      return np.exp(np.negative(np.square(apply(t.of, x))));
    case "add":
      return np.add(apply(t.left, x), apply(t.right, x));
    case "multiply":
      return np.multiply(apply(t.left, x), apply(t.right, x));
  }
}

/** A factor in brackets where it is a sum. */
const factor = (t: Term): string => (t.kind === "add" ? `(${show(t)})` : show(t));

function show(t: Term): string {
  switch (t.kind) {
    case "x":
      return "x";
    case "constant":
      return String(t.value);
    case "sin":
    case "tanh":
      return `${t.kind}(${show(t.of)})`;
    case "gauss":
      return `exp(-(${show(t.of)})²)`;
    case "add":
      return `${show(t.left)} + ${show(t.right)}`;
    case "multiply":
      return `${factor(t.left)} * ${factor(t.right)}`;
  }
}

const functionOf = (t: Term): SmoothFunction => ({
  f: (x) => apply(t, x),
  value: (x) => dual(t, x)[0],
  derivative: (x) => dual(t, x)[1],
  toString: () => show(t),
});

export interface SmoothFunctionOptions {
  /** How deep functions are put into each other. Default: 4. */
  readonly maxDepth?: number;
}

/**
 * Functions made of sin, tanh, exp(-x²), sums and products: smooth on all of R and moderate between -2 and 2. They shrink
 * to x.
 *
 * @example
 * const [g] = fc.sample(smoothFunction(), 1);
 * const slope = grad(g.f)(np.array(0.5, { dtype: "float64" })).item();
 * Math.abs(slope - g.derivative(0.5)) <= 1e-9 * (1 + Math.abs(slope)); // true
 */
export function smoothFunction({ maxDepth = 4 }: SmoothFunctionOptions = {}): fc.Arbitrary<SmoothFunction> {
  // Eighths have short names, and are exact in every float format.
  const constant = fc.integer({ min: -16, max: 16 }).map((n): Term => ({ kind: "constant", value: n / 8 }));
  const { term } = fc.letrec<{ term: Term }>((tie) => ({
    term: fc.oneof(
      { maxDepth, depthSize: "medium", withCrossShrink: true },
      fc.constant<Term>({ kind: "x" }),
      constant,
      fc.record({
        kind: fc.constantFrom("sin" as const, "tanh" as const, "gauss" as const),
        of: tie("term"),
      }),
      fc.record({
        kind: fc.constantFrom("add" as const, "multiply" as const),
        left: tie("term"),
        right: tie("term"),
      }),
    ),
  }));
  return term.map(functionOf);
}
