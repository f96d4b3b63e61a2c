/** Special functions: values from an arbitrary-precision library, identities, derivatives and errors. */
import {
  ArgumentError,
  AxisError,
  grad,
  lax,
  type NDArray,
  nn,
  numpy as np,
  ShapeError,
  scipy,
  vmap,
} from "fluxion";
import { describe, expect, it } from "vitest";
import { checkDerivatives } from "../derivatives.js";
import { expectClose, expectError, f32, f64, i32, describe as typeOf } from "../values.js";

const { special } = scipy;

/** Equal to a relative error, for numbers of any size. */
function expectRelative(actual: NDArray, wanted: readonly number[], tolerance: number): void {
  const got = [...actual.dataSync()];
  expect(got.length).toBe(wanted.length);
  for (const [i, w] of wanted.entries()) {
    if (Object.is(got[i], w) || got[i] === w) continue;
    expect(Math.abs(got[i] / w - 1), `element ${i}: ${got[i]} against ${w}`).toBeLessThanOrEqual(tolerance);
  }
}

describe("the normal distribution", () => {
  it("ndtr and logNdtr", () => {
    const x = f64([-100, -38, -20.5, -19.5, -5, -1, 0, 0.5, 3, 9]);
    const logs = [
      -5005.524208694205,
      -726.5572160188201,
      -214.0667289632638,
      -194.0169657774975,
      -15.064998393988725,
      -1.8410216450092636,
      -Math.LN2,
      -0.3689464152886564,
      -0.0013508099647481938,
      -1.1285884059538405e-19,
    ];
    expectRelative(special.logNdtr(x), logs, 2e-14);
    // Rounding x/√2 to float32 is all that is lost: in the tails Φ magnifies it by x².
    expectRelative(special.logNdtr(x.astype("float32")), logs, 5e-6);
    const some = f64([-20.5, -5, -1, 0, 0.5, 3]);
    const wanted = [
      1.0764673258790961e-93, 2.866515718791939e-7, 0.15865525393145705, 0.5, 0.6914624612740131,
      0.9986501019683699,
    ];
    expectRelative(special.ndtr(some), wanted, 1e-13);
    expectRelative(special.ndtr(some.slice("1:").astype("float32")), wanted.slice(1), 2e-6);
  });

  it("ndtri", () => {
    const wanted = [
      -37.0470962993612, -9.262340089798407, -4.264890793922825, -1.4757910281791706, -1.4050715603096327,
      -0.5244005127080408, 0, 1.2815515655446006, 1.475791028179171, 3.090232306167813,
    ];
    const p = f64([1e-300, 1e-20, 1e-5, 0.07, 0.08, 0.3, 0.5, 0.9, 0.93, 0.999]);
    expectRelative(special.ndtri(p), wanted, 1e-14);
    expectRelative(special.ndtri(p.slice("1:9").astype("float32")), wanted.slice(1, 9), 1e-6);
  });

  it("ndtri undoes ndtr", () => {
    const x = f64([-37, -10, -3, -1.5, -1.4, -0.2, 0, 0.7, 1.4, 1.5, 3, 5]);
    expectClose(special.ndtri(special.ndtr(x)), x.tolist(), 1e-9);
    expect(special.ndtri(f64([0, 1, -0.1, 1.1, Number.NaN])).tolist()).toEqual([
      -Infinity,
      Infinity,
      Number.NaN,
      Number.NaN,
      Number.NaN,
    ]);
  });

  it("logNdtr goes over from one form to the other without a step", () => {
    for (const [x, dtype] of [
      [-20, "float64"],
      [-10, "float32"],
      [0, "float64"],
    ] as const) {
      const eps = dtype === "float64" ? 1e-9 : 1e-5;
      const at = np.array([x - eps, x, x + eps], { dtype });
      const [a, b, c] = special.logNdtr(at).tolist() as number[];
      const slope = Number(grad(special.logNdtr)(at.slice(1)).item());
      const tolerance = dtype === "float64" ? 1e-13 : 1e-6;
      expect(Math.abs((c - a) / (2 * eps) / slope - 1)).toBeLessThan(dtype === "float64" ? 1e-4 : 2);
      expect(Math.abs((a + c) / 2 - b)).toBeLessThanOrEqual(tolerance * Math.abs(b));
    }
  });

  it("in half precision too", () => {
    const x = np.array([-30, -8, -2, 1], { dtype: "float16" });
    expect(special.logNdtr(x).dtype).toBe("float16");
    expectRelative(special.logNdtr(x), [-454.32, -35.0134, -3.78318, -0.172754], 1e-3);
  });

  it("has derivatives", () => {
    checkDerivatives(special.ndtr, f64([-2, 0, 1.5]));
    checkDerivatives(special.logNdtr, f64([-25, -19, -3, -0.5, 0.5, 3]));
    checkDerivatives((x) => special.ndtri(special.expit(x)), f64([-6, -2, 0, 1.5, 3]), 1e-6);
    const slopes = vmap(grad(special.logNdtr))(f64([-1e4, 40, Infinity]));
    expectClose(slopes, [10000.0001, 0, 0]);
  });
});

describe("products with logarithms", () => {
  it("0 · log 0 is 0", () => {
    expect(special.xlogy(f64([0, 0, 0, 2]), f64([0, Infinity, -1, 1])).tolist()).toEqual([0, 0, 0, 0]);
    expect(special.xlogy(0, Number.NaN).item()).toBeNaN();
    expect(special.xlog1py(f64([0, 0, 2]), f64([-1, -3, 0])).tolist()).toEqual([0, 0, 0]);
    expectClose(special.entr(f64([0, 1, -1])), [0, 0, -Infinity]);
    expectClose(special.xlog1py(f64(1), f64(1e-20)), 1e-20, 0);
  });

  it("has derivatives, in both operands together", () => {
    const pairs = f64([
      [0.5, 2],
      [-1.5, 0.7],
      [3, 1.2],
    ]);
    const columns = (p: NDArray) => [p.slice(":", 0), p.slice(":", 1)] as const;
    checkDerivatives((p) => special.xlogy(...columns(p)), pairs);
    checkDerivatives((p) => special.xlog1py(...columns(p)), pairs);
    checkDerivatives((p) => special.relEntr(...columns(np.abs(p))), pairs);
    checkDerivatives((p) => special.klDiv(...columns(np.abs(p))), pairs);
    checkDerivatives(special.entr, f64([0.2, 1, 3]));
    // The slopes where x is 0 are those of x · log y all the same.
    expect(grad((x: NDArray) => special.xlogy(x, 2))(f64(0)).item()).toBe(Math.log(2));
    expect(grad((y: NDArray) => special.xlogy(0, y))(f64(2)).item()).toBe(0);
  });

  it("relEntr and klDiv are 0, infinite or neither", () => {
    const [x, y] = [f64([0, 0, 1, 1, -1, 2]), f64([0, 3, 1, 0, 1, 1])];
    expectClose(special.relEntr(x, y), [0, 0, 0, Infinity, Infinity, 2 * Math.log(2)]);
    expectClose(special.klDiv(x, y), [0, 3, 0, Infinity, Infinity, 2 * Math.log(2) - 1]);
    const gradient = grad((a: NDArray) => np.sum(special.relEntr(a, f64([1, 1]))))(f64([0, 1]));
    expect(gradient.tolist()).toEqual([0, 1]);
  });

  it("broadcasts and promotes", () => {
    expect(special.xlogy(f32([[1], [2]]), i32([1, 2, 3])).shape).toEqual([2, 3]);
    expect(typeOf(special.xlogy(1, 2))).toBe("~float32[]");
    expectError(
      () => special.xlogy(f32([1, 2]), f32([1, 2, 3])),
      ShapeError,
      "shape",
      "special.xlogy",
      "float32[3]",
    );
    expectError(() => special.entr([1] as never), ArgumentError, "argument", "special.entr");
  });
});

describe("the gamma function", () => {
  it("is a factorial, with its signs and poles", () => {
    const factorials = [1, 1, 2, 6, 24, 120];
    expectRelative(special.gamma(f64([1, 2, 3, 4, 5, 6])), factorials, 1e-14);
    expectRelative(special.factorial(f64([0, 1, 2, 3, 4, 5])), factorials, 1e-14);
    expect(special.factorial(i32([-1, 3])).dtype).toBe("float32");
    expect(special.factorial(f64(-1)).item()).toBe(0);
    expectRelative(
      special.gamma(f64([-0.5, -1.5])),
      [-2 * Math.sqrt(Math.PI), (4 / 3) * Math.sqrt(Math.PI)],
      1e-14,
    );
    expect(special.gamma(f64([0, -0, -1, -2, -Infinity, Infinity])).tolist()).toEqual([
      Infinity,
      -Infinity,
      Number.NaN,
      Number.NaN,
      Number.NaN,
      Infinity,
    ]);
    expect(special.gammasgn(f64([-2.5, -3.5, 3, 0, -0])).tolist()).toEqual([-1, 1, 1, 1, -1]);
  });

  it("has derivatives", () => {
    checkDerivatives(special.gammaln, f64([0.5, 1.7, -0.4]));
    checkDerivatives(special.gamma, f64([0.5, 1.7, -0.4]), 1e-6);
    checkDerivatives(special.factorial, f64([0.5, 1.7]));
    checkDerivatives((x) => special.multigammaln(x, 3), f64([1.5, 4]));
    checkDerivatives(special.digamma, f64([0.5, 1.7]));
  });

  it("multigammaln of dimension 1 is gammaln, polygamma of order 0 digamma", () => {
    const x = f64([2.5, 4]);
    expectClose(special.multigammaln(x, 1), special.gammaln(x).tolist());
    expect(special.polygamma(0, x).tolist()).toEqual(special.digamma(x).tolist());
    expect(special.lgamma(x).tolist()).toEqual(lax.lgamma(x).tolist());
    expectError(() => special.multigammaln(x, 0), ArgumentError, "argument", "special.multigammaln");
    expectError(() => special.polygamma(0.5, x), ArgumentError, "argument", "special.polygamma");
  });
});

describe("the rest", () => {
  it("logit undoes expit, and keeps small numbers", () => {
    const x = f64([-700, -3, 0, 2, 20]);
    expectClose(special.logit(special.expit(x)), x.tolist(), 1e-7);
    expectClose(special.logit(f64([1e-300])), [Math.log(1e-300)]);
    expect(special.logit(f64([0, 1, -1])).tolist()).toEqual([-Infinity, Infinity, Number.NaN]);
    checkDerivatives(special.logit, f64([0.1, 0.5, 0.8]));
    checkDerivatives(special.expit, f64([-3, 0, 2]));
  });

  it("erf and its relatives are those of lax, for integers too", () => {
    const x = f64([-0.5, 0.2]);
    expect(special.erf(x).tolist()).toEqual(lax.erf(x).tolist());
    expect(special.erfc(x).tolist()).toEqual(lax.erfc(x).tolist());
    expectClose(special.erfinv(special.erf(x)), x.tolist());
    expect(typeOf(special.erf(i32([1])))).toBe("float32[1]");
  });

  it("softmax goes over all elements unless an axis is named", () => {
    const x = f64([
      [1, 2],
      [3, 5],
    ]);
    expectClose(np.sum(special.softmax(x)), 1);
    expectClose(special.softmax(x, { axis: 1 }), nn.softmax(x).tolist());
    expectClose(np.exp(special.logSoftmax(x)), special.softmax(x).tolist());
    expectClose(special.logSoftmax(x, 0), nn.logSoftmax(x, 0).tolist());
    expectClose(special.logsumexp(x, { axis: 0, b: 2 }), nn.logsumexp(np.add(x, Math.log(2)), 0).tolist());
    expectError(() => special.softmax(x, 2), AxisError, "axis", "[2,2]");
    expectError(
      () => special.softmax(x, { where: x } as never),
      ArgumentError,
      "argument",
      "special.softmax",
    );
  });
});
