/**
 * Laws of cotangents as a monoid. The empty element is exact: adding it gives the very same object. Addition of floats is
 * commutative exactly, and associative only up to rounding; the law says so. The monoid is a parameter, so that the laws can
 * be tried on others than fluxion's.
 */
import * as fc from "fast-check";
import { type Aval, aval, isZero, type NDArray, numpy as np, type Tangent } from "fluxion";
import { cotangent } from "fluxion/fp";
import type { Monoid } from "fp-ts/lib/Monoid.js";
import { numbers, roundoffOf } from "../close.js";
import { arrayOf } from "../corners.js";
import { type ValueLaw, valueLaw } from "../given.js";
import { abstains, every, fails, holds, law, type Verdict } from "../law.js";

/** Three cotangents of one type; any of them may be a symbolic zero. */
export interface Cotangents {
  readonly type: Aval;
  readonly x: NDArray;
  readonly y: NDArray;
  readonly z: NDArray;
  /** Which of them are put as the empty element instead. */
  readonly empty: readonly [boolean, boolean, boolean];
}

const source = "Griewank & Walther, Evaluating Derivatives, ch. 3.2 (adjoints accumulate)";
const rounding = "Higham, Accuracy and Stability of Numerical Algorithms, ch. 4 (summation)";

const show = (t: Tangent): string =>
  isZero(t)
    ? `Zero(${t.aval.dtype}[${t.aval.shape}])`
    : `[${numbers(t).map((x) => (Object.is(x, -0) ? "-0" : x))}]`;

const identical = (left: Tangent, right: Tangent, names: readonly [string, string]): Verdict =>
  left === right
    ? holds
    : fails({ name: names[0], value: show(left) }, { name: names[1], value: show(right) });

/** The same zero, or the same numbers within `tolerance` for each element. */
function equal(
  left: Tangent,
  right: Tangent,
  names: readonly [string, string],
  tolerance: (i: number) => number = () => 0,
): Verdict {
  const differ = (): Verdict =>
    fails({ name: names[0], value: show(left) }, { name: names[1], value: show(right) });
  if (isZero(left) || isZero(right)) return isZero(left) && isZero(right) ? holds : differ();
  if (left.dtype !== right.dtype || String(left.shape) !== String(right.shape)) return differ();
  const [xs, ys] = [numbers(left), numbers(right)];
  const isSame = xs.every((x, i) => Object.is(x, ys[i]) || Math.abs(x - ys[i]) <= tolerance(i));
  return isSame ? holds : differ();
}

/** Cotangents of a few shapes and float dtypes, of magnitudes that rounding shows in. */
const given: fc.Arbitrary<Cotangents> = fc
  .tuple(fc.constantFrom([], [3], [2, 2], [0]), fc.constantFrom("float64" as const, "float32" as const))
  .chain(([shape, dtype]) => {
    const type = aval(shape, dtype);
    const n = shape.reduce((a: number, b: number) => a * b, 1);
    const array = fc
      .array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: n, maxLength: n })
      .map((values): NDArray => arrayOf(values, type));
    const empty = fc.tuple(fc.boolean(), fc.boolean(), fc.boolean());
    return fc.record({ type: fc.constant(type), x: array, y: array, z: array, empty });
  });

/** The laws, for the monoids that this gives. */
export function cotangentLaws(monoidOf: (type: Aval) => Monoid<Tangent>): readonly ValueLaw[] {
  const of = (name: string, statement: string, from: string, check: (c: Cotangents) => Verdict): ValueLaw =>
    valueLaw(law<Cotangents>({ name, subject: "value", statement, source: from, check }), given);
  const chosen = ({ x, y, z, empty }: Cotangents, M: Monoid<Tangent>): readonly Tangent[] =>
    [x, y, z].map((t, i) => (empty[i] ? M.empty : t));

  return [
    of("cotangents: empty is neutral", "0 + x = x = x + 0, the very same array", source, ({ type, x }) => {
      const M = monoidOf(type);
      return every(
        () =>
          isZero(M.empty)
            ? holds
            : fails({ name: "0", value: show(M.empty) }, { name: "wanted", value: "a symbolic zero" }),
        () => identical(M.concat(M.empty, x), x, ["0 + x", "x"]),
        () => identical(M.concat(x, M.empty), x, ["x + 0", "x"]),
        () => equal(M.concat(M.empty, M.empty), M.empty, ["0 + 0", "0"]),
      );
    }),
    of("cotangents: addition commutes", "x + y = y + x, bit for bit", rounding, (c) => {
      const M = monoidOf(c.type);
      const [x, y] = chosen(c, M);
      return equal(M.concat(x, y), M.concat(y, x), ["x + y", "y + x"]);
    }),
    of("cotangents: addition associates up to rounding", "(x + y) + z ≈ x + (y + z)", rounding, (c) => {
      const M = monoidOf(c.type);
      const [x, y, z] = chosen(c, M);
      // Each of the four additions rounds by at most u times what it adds up.
      const u = roundoffOf([c.x]);
      const parts = [x, y, z].map((t) => (isZero(t) ? undefined : numbers(t)));
      const magnitude = (i: number): number => parts.reduce((sum, p) => sum + Math.abs(p?.[i] ?? 0), 0);
      return equal(
        M.concat(M.concat(x, y), z),
        M.concat(x, M.concat(y, z)),
        ["(x + y) + z", "x + (y + z)"],
        (i) => 4 * u * magnitude(i),
      );
    }),
    of("cotangents: addition is addition", "x + y = np.add(x, y)", source, ({ type, x, y }) =>
      x.size === 0
        ? abstains("there are no elements")
        : equal(monoidOf(type).concat(x, y), np.add(x, y), ["x + y", "np.add(x, y)"]),
    ),
  ];
}

/** The laws of fluxion's own monoid. */
export const valueLaws: readonly ValueLaw[] = cotangentLaws(cotangent.getMonoid);
