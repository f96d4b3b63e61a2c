/** Reverse mode is the transpose of forward mode, and transposition of linear functions keeps its algebra. */
import { numpy as np } from "fluxion";
import type { LinearCase } from "../cases.js";
import { close } from "../close.js";
import { type ArrayFunction, every, type Law, law, type Verdict } from "../law.js";
import {
  type Arrays,
  gradient,
  linearized,
  pull,
  pulled,
  push,
  pushed,
  transposed,
  weighted,
} from "../modes.js";
import { generator, type Point } from "../point.js";
import { withTolerance } from "../precision.js";
import { closeNumbers, combine, inner, largestOf, onSmooth, scaled } from "../vectors.js";

/** Aᵀ u. */
const transpose = (f: ArrayFunction, xs: Arrays, u: Arrays): Arrays => transposed(f, xs)(...u);

export const duality = law<Point>({
  name: "duality",
  subject: "function",
  statement: "⟨J v, u⟩ = ⟨v, Jᵀ u⟩",
  source: "Griewank & Walther, Evaluating Derivatives, ch. 3",
  check: onSmooth(({ f, xs, v, u, tolerance }) => {
    const [left, right] = [inner(push(f, xs, v), u), inner(v, pull(f, xs, u))];
    return closeNumbers(["⟨J v, u⟩", "⟨v, Jᵀ u⟩"], left, right, tolerance);
  }),
});

export const linearizeIsJvp = law<Point>({
  name: "linearize is jvp",
  subject: "function",
  statement: "linearize(f)(x) = (f(x), v ↦ J v), jvp(f)(x, v) = (f(x), J v)",
  source: "Griewank & Walther, Evaluating Derivatives, ch. 3",
  check: onSmooth(({ f, xs, v, tolerance }) => {
    const values = f(...xs);
    const [value, linear] = linearized(f, xs);
    const [jvpValue, tangent] = pushed(f, xs, v);
    return every(
      () => close(value, values, { tolerance, names: ["value of linearize", "f(x)"] }),
      () => close(jvpValue, values, { tolerance, names: ["value of jvp", "f(x)"] }),
      () => close(linear(...v), tangent, { tolerance, names: ["linearize(f)(x) v", "jvp(f)(x, v)"] }),
    );
  }),
});

export const transposeIsVjp = law<Point>({
  name: "the transpose of linearize is vjp",
  subject: "function",
  statement: "linearTranspose(linearize(f)(x)) u = vjp(f)(x) u, and the value of vjp is f(x)",
  source: "Radul et al., You Only Linearize Once, POPL 2023",
  check: onSmooth(({ f, xs, u, tolerance }) => {
    const [value, back] = pulled(f, xs);
    const [, linear] = linearized(f, xs);
    return every(
      () => close(value, f(...xs), { tolerance, names: ["value of vjp", "f(x)"] }),
      () =>
        close(transpose(linear, xs, u), back(u), {
          tolerance,
          names: ["linearTranspose(J) u", "vjp(f)(x) u"],
        }),
    );
  }),
});

export const gradIsVjp = law<Point>({
  name: "grad is vjp",
  subject: "function",
  statement: "∇⟨u, f⟩ = Jᵀ u",
  source: "Griewank & Walther, Evaluating Derivatives, ch. 3",
  check: onSmooth(({ f, xs, u, tolerance }) => {
    const [left, right] = [gradient(weighted(f, u), xs), pull(f, xs, u)];
    return close(left, right, { tolerance, names: ["∇⟨u, f⟩", "Jᵀ u"], label: (i) => `input ${i}` });
  }),
});

export const functionLaws: readonly Law<Point>[] = [duality, linearizeIsJvp, transposeIsVjp, gradIsVjp];

// ---------------------------------------------------------------------------------------------------------------------
// Linear functions
// ---------------------------------------------------------------------------------------------------------------------

const source = "Halmos, Finite-Dimensional Vector Spaces, §44";

/** Tries a law with the tolerance of what the functions compute. */
const onLinear =
  (check: (value: LinearCase, tolerance: number) => Verdict) =>
  (value: LinearCase): Verdict => {
    const { apply, other, after, xs, u, z } = value;
    const all: ArrayFunction = (...zs) => {
      const ys = apply(...zs);
      return [...ys, ...other(...zs), ...after(...ys)];
    };
    return withTolerance(all, xs, [...xs, ...u, ...z], (tolerance) => check(value, tolerance));
  };

export const linearDuality = law<LinearCase>({
  name: "a linear function and its transpose",
  subject: "linear",
  statement: "⟨A x, u⟩ = ⟨x, Aᵀ u⟩",
  source,
  check: onLinear(({ apply, xs, u }, tolerance) =>
    closeNumbers(
      ["⟨A x, u⟩", "⟨x, Aᵀ u⟩"],
      inner(apply(...xs), u),
      inner(xs, transpose(apply, xs, u)),
      tolerance,
    ),
  ),
});

export const linearity = law<LinearCase>({
  name: "a linear function is linear, and its own derivative",
  subject: "linear",
  statement: "A(αx + βy) = α Ax + β Ay, D A(x)·y = A y",
  source,
  check: onLinear(({ apply, xs, ys }, tolerance) => {
    const [a, b] = [0.75, -1.625];
    const [ax, ay] = [apply(...xs), apply(...ys)];
    return every(
      () =>
        close(apply(...combine(a, xs, b, ys)), combine(a, ax, b, ay), {
          tolerance,
          names: ["A(αx + βy)", "α Ax + β Ay"],
          scale: Math.max(1, largestOf(ax, ay)),
        }),
      () => close(push(apply, xs, ys), ay, { tolerance, names: ["D A(x)·y", "A y"] }),
    );
  }),
});

export const involution = law<LinearCase>({
  name: "transposition is an involution",
  subject: "linear",
  statement: "(Aᵀ)ᵀ x = A x",
  source,
  check: onLinear(({ apply, xs, u }, tolerance) => {
    const once: ArrayFunction = (...us) => transpose(apply, xs, us);
    return close(transpose(once, u, xs), apply(...xs), { tolerance, names: ["(Aᵀ)ᵀ x", "A x"] });
  }),
});

export const reversesComposition = law<LinearCase>({
  name: "transposition reverses composition",
  subject: "linear",
  statement: "(B A)ᵀ z = Aᵀ(Bᵀ z)",
  source,
  check: onLinear(({ apply, after, xs, z }, tolerance) => {
    const both: ArrayFunction = (...zs) => after(...apply(...zs));
    const middle = transpose(after, apply(...xs), z);
    return close(transpose(both, xs, z), transpose(apply, xs, middle), {
      tolerance,
      names: ["(B A)ᵀ z", "Aᵀ(Bᵀ z)"],
      scale: Math.max(1, largestOf(middle)),
    });
  }),
});

export const transposesAddUp = law<LinearCase>({
  name: "transposition is additive",
  subject: "linear",
  statement: "(A + A′)ᵀ u = Aᵀu + A′ᵀu",
  source,
  check: onLinear(({ apply, other, xs, u }, tolerance) => {
    const sum: ArrayFunction = (...zs) => {
      const second = other(...zs);
      return apply(...zs).map((y, k) => np.add(y, second[k]));
    };
    const [first, second] = [transpose(apply, xs, u), transpose(other, xs, u)];
    return close(transpose(sum, xs, u), combine(1, first, 1, second), {
      tolerance,
      names: ["(A + A′)ᵀ u", "Aᵀu + A′ᵀu"],
      scale: Math.max(1, largestOf(first, second)),
    });
  }),
});

export const transposesScale = law<LinearCase>({
  name: "transposition keeps multiples",
  subject: "linear",
  statement: "(αA)ᵀ u = α Aᵀu = Aᵀ(αu)",
  source,
  check: onLinear(({ apply, xs, u }, tolerance) => {
    const a = -1.5 - generator(u.length + xs.length)();
    const multiple: ArrayFunction = (...zs) => apply(...zs).map((y) => np.multiply(y, a));
    const right = scaled(a, transpose(apply, xs, u));
    return every(
      () => close(transpose(multiple, xs, u), right, { tolerance, names: ["(αA)ᵀ u", "α Aᵀu"] }),
      () => close(transpose(apply, xs, scaled(a, u)), right, { tolerance, names: ["Aᵀ(αu)", "α Aᵀu"] }),
    );
  }),
});

export const linearLaws: readonly Law<LinearCase>[] = [
  linearity,
  linearDuality,
  involution,
  reversesComposition,
  transposesAddUp,
  transposesScale,
];
