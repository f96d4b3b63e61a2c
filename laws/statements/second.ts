/** Second derivatives: symmetric, the same in every order of modes, and never confused with the first. */
import { type DType, type NDArray, numpy as np } from "fluxion";
import { close, numbers } from "../close.js";
import { every, type Law, law, type Verdict } from "../law.js";
import {
  type Arrays,
  curvature,
  gradient,
  linearized,
  pull,
  push,
  pushed,
  slope,
  weighted,
} from "../modes.js";
import { generator, type Point } from "../point.js";
import { secondTolerance } from "../precision.js";
import { closeNumbers, exactly, inner, largestOf, onSmooth, type Smooth } from "../vectors.js";

/** A check with the tolerance of second derivatives. */
const onSecond = (check: (part: Smooth, point: Point) => Verdict) =>
  onSmooth((part, point) => check({ ...part, tolerance: secondTolerance(part.tolerance) }, point));

const schwarz = "Schwarz's theorem; Spivak, Calculus on Manifolds, thm 2-5";

export const symmetry = law<Point>({
  name: "the Hessian is symmetric",
  subject: "function",
  statement: "vᵀ H w = wᵀ H v, H = D²⟨u, f⟩",
  source: schwarz,
  check: onSecond(({ f, xs, v, w, u, tolerance }) => {
    const gradientAt = (...zs: Arrays) => gradient(weighted(f, u), zs);
    const [, hessian] = linearized(gradientAt, xs);
    const [hv, hw] = [hessian(...v), hessian(...w)];
    return closeNumbers(["vᵀ H w", "wᵀ H v"], inner(v, hw), inner(w, hv), tolerance);
  }),
});

export const fourOrders = law<Point>({
  name: "second derivatives in four orders of modes",
  subject: "function",
  statement:
    "H v by forward over reverse = reverse over forward = reverse over reverse; vᵀ H w by forward over forward",
  source: "Griewank & Walther, Evaluating Derivatives, ch. 5",
  check: onSecond(({ f, xs, v, w, u, tolerance }) => {
    const s = weighted(f, u);
    const gradientAt = (...zs: Arrays) => gradient(s, zs);
    const slopeAt = (...zs: Arrays) => slope(s, zs, v);
    const forwardReverse = push(gradientAt, xs, v);
    const label = (i: number) => `input ${i}`;
    return every(
      () =>
        close(gradient(slopeAt, xs), forwardReverse, {
          names: ["∇(Ds·v), reverse over forward", "D(∇s)·v, forward over reverse"],
          tolerance,
          label,
        }),
      () =>
        close(pull(gradientAt, xs, v), forwardReverse, {
          names: ["(∇s)*v, reverse over reverse", "D(∇s)·v, forward over reverse"],
          tolerance,
          label,
        }),
      () => {
        const both = exactly(numbers(slope(slopeAt, xs, w))[0]);
        const names = ["D(Ds·v)·w, forward over forward", "⟨D(∇s)·v, w⟩"] as const;
        return closeNumbers(names, both, inner(forwardReverse, w), tolerance);
      },
    );
  }),
});

export const mixedPartials = law<Point>({
  name: "mixed partial derivatives commute",
  subject: "function",
  statement: "D(Df·v)·w = D(Df·w)·v",
  source: schwarz,
  check: onSecond(({ f, xs, v, w, tolerance }) => {
    const along =
      (d: Arrays) =>
      (...zs: Arrays) =>
        push(f, zs, d);
    const [first, left] = pushed(along(v), xs, w);
    const [second, right] = pushed(along(w), xs, v);
    return close(left, right, {
      names: ["D(Df·v)·w", "D(Df·w)·v"],
      tolerance,
      scale: Math.max(1, largestOf(first, second)),
    });
  }),
});

export const hessianProduct = law<Point>({
  name: "hvp is the gradient of the slope",
  subject: "function",
  statement: "hvp(s)(x, v) = ∇(Ds·v)(x), s = ⟨u, f⟩",
  source: "Pearlmutter, Fast exact multiplication by the Hessian, 1994",
  check: onSecond(({ f, xs, v, u, tolerance }) => {
    const s = weighted(f, u);
    const right = gradient((...zs) => slope(s, zs, v), xs);
    return close(curvature(s, xs, v), right, {
      names: ["hvp(s)(x, v)", "∇(Ds·v)(x)"],
      tolerance,
      label: (i) => `input ${i}`,
    });
  }),
});

const widest = (arrays: Arrays): DType =>
  arrays.reduce<DType>(
    (dtype, x) => (dtype === "float64" || x.dtype === "float64" ? "float64" : dtype),
    "float32",
  );

/** A function of one number. */
type Curve = (t: NDArray) => NDArray;

/** The derivative of a curve, by either mode. */
const derivative =
  (mode: "forward" | "reverse", curve: Curve): Curve =>
  (t) =>
    mode === "forward"
      ? slope(curve as (...xs: Arrays) => NDArray, [t], [np.ones([], { dtype: t.dtype })])
      : gradient(curve as (...xs: Arrays) => NDArray, [t])[0];

export const noConfusion = law<Point>({
  name: "no perturbation confusion",
  subject: "function",
  statement: "d/ds [φ(s) · d/dt (ψ(s)·φ(t)) at t = s] = φ′²ψ + φψ′φ′ + φψφ″, φ(t) = ⟨u, f(x + tv)⟩",
  source: "Siskind & Pearlmutter, Nesting forward-mode AD in a functional framework, 2008",
  check: onSecond(({ f, xs, v, u, tolerance }, { seed }) => {
    const random = generator(seed ^ 0x7feb352d);
    const modeOf = () => (random() < 0.5 ? "forward" : "reverse");
    const [inside, outside] = [modeOf(), modeOf()] as const;
    const rate = 0.5 + random();
    const dtype = widest([...xs, ...u]);
    const phi: Curve = (t) => {
      const moved = xs.map((x, i) => np.add(x, np.multiply(np.astype(t, x.dtype), v[i])));
      return np.astype(weighted(f, u)(...moved), dtype);
    };
    const psi: Curve = (t) => np.add(2, np.sin(np.multiply(t, rate)));
    const nested: Curve = (s) =>
      np.multiply(phi(s), derivative(inside, (t) => np.multiply(psi(s), phi(t)))(s));
    const zero = np.zeros([], { dtype });
    const at = (curve: Curve): number => numbers(curve(zero))[0];
    const left = exactly(at(derivative(outside, nested)));
    const first = derivative(inside, phi);
    const [p, dp, ddp] = [at(phi), at(first), at(derivative(outside, first))];
    // ψ(0) = 2 and ψ′(0) = rate.
    const terms = [dp * dp * 2, p * rate * dp, p * 2 * ddp];
    const right = {
      value: terms.reduce((a, b) => a + b, 0),
      magnitude: terms.reduce((a, b) => a + Math.abs(b), 0),
    };
    const names = [`d/ds [φ · d/dt (ψφ)], ${outside} over ${inside}`, "φ′²ψ + φψ′φ′ + φψφ″"] as const;
    return closeNumbers(names, left, right, tolerance);
  }),
});

export const functionLaws: readonly Law<Point>[] = [
  symmetry,
  fourOrders,
  mixedPartials,
  hessianProduct,
  noConfusion,
];
