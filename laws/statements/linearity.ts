/** Derivatives are linear: in the direction, and in the function (sums, multiples; products and quotients by Leibniz). */
import { type NDArray, numpy as np, stopGradient } from "fluxion";
import { close } from "../close.js";
import { type ArrayFunction, every, type Law, law, type Verdict } from "../law.js";
import { type Arrays, pull, pulled, push, pushed } from "../modes.js";
import { generator, type Point, type SmoothPoint } from "../point.js";
import { smoothFunction, typesOf } from "../smooth.js";
import { combine, largestOf, multiplied, onSmooth, scaled, zerosLike } from "../vectors.js";

/** Compares sums of vectors: rounding is relative to the terms. */
const closeSums = (
  tolerance: number,
  names: readonly [string, string],
  left: Arrays,
  right: Arrays,
  terms: Arrays,
): Verdict => close(left, right, { names, tolerance, scale: Math.max(1, largestOf(terms)) });

/** Multipliers that no mistake of a sign or a factor maps to each other. */
const factors = (seed: number): readonly [number, number] => {
  const random = generator(seed ^ 0x5f356495);
  return [0.5 + random(), -1.5 - random()];
};

/** A smooth function of the type of f. */
const companion = ({ f, xs }: SmoothPoint, seed: number, shift = 0): ArrayFunction =>
  smoothFunction(typesOf(xs), typesOf(f(...xs)), generator(seed ^ 0x2545f491), { shift });

const pointwise =
  (operation: (y: NDArray, z: NDArray) => NDArray) =>
  (f: ArrayFunction, h: ArrayFunction): ArrayFunction =>
  (...xs) => {
    const zs = h(...xs);
    return f(...xs).map((y, k) => operation(y, zs[k]));
  };

const plus = pointwise((y, z) => np.add(y, z));
const times = pointwise((y, z) => np.multiply(y, z));
const over = pointwise((y, z) => np.divide(y, z));

export const tangentsAddUp = law<Point>({
  name: "jvp is linear in the tangent",
  subject: "function",
  statement: "J(αv + βw) = α Jv + β Jw, J 0 = 0",
  source: "Spivak, Calculus on Manifolds, ch. 2",
  check: onSmooth(({ f, xs, v, w, tolerance }, { seed }) => {
    const [a, b] = factors(seed);
    const [jv, jw] = [push(f, xs, v), push(f, xs, w)];
    return every(
      () => {
        const left = push(f, xs, combine(a, v, b, w));
        return closeSums(tolerance, ["J(αv + βw)", "α Jv + β Jw"], left, combine(a, jv, b, jw), [
          ...jv,
          ...jw,
        ]);
      },
      () => close(push(f, xs, zerosLike(v)), zerosLike(jv), { tolerance, names: ["J 0", "0"] }),
    );
  }),
});

export const cotangentsAddUp = law<Point>({
  name: "vjp is linear in the cotangent",
  subject: "function",
  statement: "Jᵀ(αu + βu′) = α Jᵀu + β Jᵀu′, Jᵀ 0 = 0",
  source: "Griewank & Walther, Evaluating Derivatives, ch. 3",
  check: onSmooth(({ f, xs, u, tolerance }, { seed }) => {
    const [a, b] = factors(seed);
    const other = u.map((x, k) => smoothFunction([x.aval], [x.aval], generator(seed + k + 1))(x)[0]);
    const [, back] = pulled(f, xs);
    const [first, second] = [back(u), back(other)];
    return every(
      () => {
        const left = back(combine(a, u, b, other));
        const right = combine(a, first, b, second);
        return closeSums(tolerance, ["Jᵀ(αu + βu′)", "α Jᵀu + β Jᵀu′"], left, right, [...first, ...second]);
      },
      () => close(back(zerosLike(u)), zerosLike(first), { tolerance, names: ["Jᵀ 0", "0"] }),
    );
  }),
});

export const sumRule = law<Point>({
  name: "sum rule",
  subject: "function",
  statement: "D(f + h)·v = Df·v + Dh·v, (f + h)*u = f*u + h*u",
  source: "Spivak, Calculus on Manifolds, thm 2-3",
  check: onSmooth((part, { seed }) => {
    const { f, xs, v, u, tolerance } = part;
    const h = companion(part, seed);
    const sum = plus(f, h);
    return every(
      () => {
        const [df, dh] = [push(f, xs, v), push(h, xs, v)];
        const left = push(sum, xs, v);
        return closeSums(tolerance, ["D(f + h)·v", "Df·v + Dh·v"], left, combine(1, df, 1, dh), [
          ...df,
          ...dh,
        ]);
      },
      () => {
        const [fu, hu] = [pull(f, xs, u), pull(h, xs, u)];
        const left = pull(sum, xs, u);
        return closeSums(tolerance, ["(f + h)*u", "f*u + h*u"], left, combine(1, fu, 1, hu), [...fu, ...hu]);
      },
    );
  }),
});

export const scalarMultiple = law<Point>({
  name: "multiples",
  subject: "function",
  statement: "D(αf)·v = α Df·v, (αf)*u = α f*u",
  source: "Spivak, Calculus on Manifolds, thm 2-3",
  check: onSmooth(({ f, xs, v, u, tolerance }, { seed }) => {
    const [, a] = factors(seed);
    const multiple: ArrayFunction = (...zs) => f(...zs).map((y) => np.multiply(y, a));
    return every(
      () =>
        close(push(multiple, xs, v), scaled(a, push(f, xs, v)), { tolerance, names: ["D(αf)·v", "α Df·v"] }),
      () =>
        close(pull(multiple, xs, u), scaled(a, pull(f, xs, u)), { tolerance, names: ["(αf)*u", "α f*u"] }),
    );
  }),
});

export const productRule = law<Point>({
  name: "product rule",
  subject: "function",
  statement: "D(f·h)·v = Df·v · h + f · Dh·v, (f·h)*u = f*(h·u) + h*(f·u)",
  source: "Leibniz; Spivak, Calculus on Manifolds, thm 2-3",
  check: onSmooth((part, { seed }) => {
    const { f, xs, v, u, tolerance } = part;
    const h = companion(part, seed);
    const product = times(f, h);
    const [y, z] = [f(...xs), h(...xs)];
    return every(
      () => {
        const [first, second] = [multiplied(push(f, xs, v), z), multiplied(push(h, xs, v), y)];
        const right = combine(1, first, 1, second);
        return closeSums(tolerance, ["D(f·h)·v", "Df·v · h + f · Dh·v"], push(product, xs, v), right, [
          ...first,
          ...second,
        ]);
      },
      () => {
        const [first, second] = [pull(f, xs, multiplied(u, z)), pull(h, xs, multiplied(u, y))];
        const right = combine(1, first, 1, second);
        return closeSums(tolerance, ["(f·h)*u", "f*(h·u) + h*(f·u)"], pull(product, xs, u), right, [
          ...first,
          ...second,
        ]);
      },
    );
  }),
});

export const quotientRule = law<Point>({
  name: "quotient rule",
  subject: "function",
  statement: "D(f/h)·v = (Df·v · h − f · Dh·v)/h², (f/h)*u = f*(u/h) − h*(f·u/h²)",
  source: "Spivak, Calculus on Manifolds, thm 2-3",
  check: onSmooth((part, { seed }) => {
    const { f, xs, v, u, tolerance } = part;
    const h = companion(part, seed, 2);
    const quotient = over(f, h);
    const [y, z] = [f(...xs), h(...xs)];
    const inverse = z.map((a) => np.divide(1, a));
    const slope = multiplied(y, multiplied(inverse, inverse));
    return every(
      () => {
        const [first, second] = [multiplied(push(f, xs, v), inverse), multiplied(push(h, xs, v), slope)];
        const right = combine(1, first, -1, second);
        return closeSums(tolerance, ["D(f/h)·v", "(Df·v · h − f · Dh·v)/h²"], push(quotient, xs, v), right, [
          ...first,
          ...second,
        ]);
      },
      () => {
        const [first, second] = [pull(f, xs, multiplied(u, inverse)), pull(h, xs, multiplied(u, slope))];
        const right = combine(1, first, -1, second);
        return closeSums(tolerance, ["(f/h)*u", "f*(u/h) − h*(f·u/h²)"], pull(quotient, xs, u), right, [
          ...first,
          ...second,
        ]);
      },
    );
  }),
});

/** The inputs, by way of a choice that always falls on them: constant, though not for those who only see equations. */
const chosen = (xs: Arrays): ArrayFunction => {
  const never = xs.map((x) => np.zeros([...x.shape], { dtype: "bool" }));
  return (...zs) => zs.map((z, i) => np.where(never[i], z, xs[i]));
};

export const constantRule = law<Point>({
  name: "constants",
  subject: "function",
  statement: "D(f ∘ const)·v = 0, (f ∘ const)*u = 0",
  source: "Spivak, Calculus on Manifolds, thm 2-3",
  check: onSmooth(({ f, xs, v, u, tolerance }) => {
    const values = f(...xs);
    const check = (k: ArrayFunction, where: string) => (): Verdict => {
      const constant: ArrayFunction = (...zs) => f(...k(...zs));
      const [value, tangent] = pushed(constant, xs, v);
      const label = (i: number) => `${where}, output ${i}`;
      return every(
        () => close(value, values, { tolerance, names: ["f(c)", "f(x)"], label }),
        () => close(tangent, zerosLike(values), { tolerance, names: ["D(f ∘ const)·v", "0"], label }),
        () =>
          close(pull(constant, xs, u), zerosLike(xs), { tolerance, names: ["(f ∘ const)*u", "0"], label }),
      );
    };
    return every(
      check((...zs) => zs.map((z) => stopGradient(z)), "const = stopGradient"),
      check(chosen(xs), "const = where(false, ·, c)"),
    );
  }),
});

export const functionLaws: readonly Law<Point>[] = [
  tangentsAddUp,
  cotangentsAddUp,
  sumRule,
  scalarMultiple,
  productRule,
  quotientRule,
  constantRule,
];
