/** Softmax, sums of exponentials, normalisation and one-hot vectors. */
import {
  ArgumentError,
  AxisError,
  DtypeError,
  grad,
  makeJaxpr,
  type NDArray,
  nn,
  numpy as np,
  ShapeError,
} from "fluxion";
import { describe, expect, it } from "vitest";
import { checkDerivatives, drawn } from "../derivatives.js";
import { generator } from "../examples.js";
import { expectClose, expectError, f32, f64, i32, primitiveNames, describe as typeOf } from "../values.js";

const random = generator(5);
const x = drawn([2, 3], random);
const rows = x.tolist() as number[][];

describe("softmax", () => {
  it("is exponentials over their sum", () => {
    const wanted = rows.map((r) => r.map((v) => Math.exp(v) / r.reduce((s, w) => s + Math.exp(w), 0)));
    expectClose(nn.softmax(x), wanted);
    expectClose(np.exp(nn.logSoftmax(x)), wanted);
    expectClose(nn.softmax(x, 1), wanted);
  });

  it("adds up to 1 along the axes named", () => {
    expectClose(np.sum(nn.softmax(x, 0), 0), [1, 1, 1]);
    expectClose(np.sum(nn.softmax(x, { axis: null })), 1);
    expectClose(np.sum(nn.softmax(x, { axis: [-1, 0] })), 1);
  });

  it("is a small program, in which the maximum is a constant of differentiation", () => {
    expect(primitiveNames(makeJaxpr((a: NDArray) => nn.softmax(a))(x))).toEqual([
      "stopGradient",
      "reduceMax",
      "broadcastInDim",
      "sub",
      "exp",
      "reduceSum",
      "broadcastInDim",
      "div",
    ]);
    const gradient = makeJaxpr(grad((a: NDArray) => np.sum(np.square(nn.softmax(a)))))(x);
    expect(primitiveNames(gradient).filter((n) => n === "eq" || n === "argmax")).toEqual([]);
  });

  it("takes numbers of any size", () => {
    expect(nn.softmax(f32([1e30, -1e30, 1e30])).tolist()).toEqual([0.5, 0, 0.5]);
    expect(nn.logSoftmax(f32([1e4, 0])).tolist()).toEqual([0, -1e4]);
    expect(nn.softmax(f32([-Infinity, 0])).tolist()).toEqual([0, 1]);
    expectClose(grad((a: NDArray) => np.sum(np.multiply(nn.softmax(a), f32([1, 2]))))(f32([1e4, 0])), [0, 0]);
    expect(nn.softmax(np.array([60000, 60000, 0], { dtype: "float16" })).tolist()).toEqual([0.5, 0.5, 0]);
  });

  it("takes no elements, one, integers and numbers", () => {
    expect(nn.softmax(np.zeros([0])).shape).toEqual([0]);
    expect(nn.softmax(np.zeros([2, 0])).shape).toEqual([2, 0]);
    expect(nn.logSoftmax(np.zeros([0, 2])).shape).toEqual([0, 2]);
    expect(nn.softmax(f32([7])).tolist()).toEqual([1]);
    expect(typeOf(nn.softmax(i32([7])))).toBe("float32[1]");
    expect(nn.softmax(3, { axis: null }).item()).toBe(1);
  });

  it("has derivatives", () => {
    checkDerivatives((a) => nn.softmax(a), x);
    checkDerivatives((a) => nn.logSoftmax(a, 0), x);
    checkDerivatives((a) => nn.softmax(a, { where: np.array([true, false, true]) }), x);
  });

  it("refuses axes and masks that do not fit", () => {
    expectError(() => nn.softmax(x, 2), AxisError, "axis", "nn.softmax", "[2,3]");
    expectError(() => nn.softmax(1), AxisError, "axis", "nn.softmax");
    expectError(
      () => nn.softmax(x, { where: np.ones([2], "bool") }),
      ShapeError,
      "shape",
      "nn.softmax",
      "bool[2]",
    );
  });
});

describe("softmax with a mask", () => {
  const mask = np.array([
    [true, false, true],
    [false, false, false],
  ]);

  it("is that of the elements that count, and 0 elsewhere", () => {
    const [a, , c] = rows[0];
    const total = Math.exp(a) + Math.exp(c);
    const wanted = [Math.exp(a) / total, 0, Math.exp(c) / total];
    expectClose(nn.softmax(x, { where: mask }), [wanted, [0, 0, 0]]);
    expectClose(nn.softmax(x, { where: mask, initial: 100 }), [wanted, [0, 0, 0]], 1e-9);
    const logs = nn.logSoftmax(x, { where: mask }).tolist() as number[][];
    expectClose(logs[0], wanted.map(Math.log));
    expect(logs[1]).toEqual([-Infinity, -Infinity, -Infinity]);
  });

  it("has no NaN in its derivative, also where nothing counts", () => {
    const f = (a: NDArray) => np.sum(np.multiply(nn.softmax(a, { where: mask }), f64([1, 2, 3])));
    const [first, second] = grad(f)(x).tolist() as number[][];
    expect(second).toEqual([0, 0, 0]);
    expect(first[1]).toBe(0);
    expectClose(first[0], -first[2]);
    expect(Math.abs(first[0])).toBeGreaterThan(0.01);
  });

  it("is not disturbed by what does not count", () => {
    const wild = f64([
      [1, Number.NaN, 2],
      [1, 2, Infinity],
    ]);
    const where = np.array([
      [true, false, true],
      [true, true, false],
    ]);
    const clean = f64([
      [1, 0, 2],
      [1, 2, 0],
    ]);
    expectClose(nn.softmax(wild, { where }), nn.softmax(clean, { where }).tolist());
    const g = grad((a: NDArray) => np.sum(np.square(nn.softmax(a, { where }))));
    expectClose(g(wild), g(clean).tolist());
  });
});

describe("logsumexp", () => {
  it("is the logarithm of the sum of exponentials", () => {
    const wanted = rows.map((r) => Math.log(r.reduce((s, w) => s + Math.exp(w), 0)));
    expectClose(nn.logsumexp(x, 1), wanted);
    expectClose(nn.logsumexp(x, { axis: -1, keepdims: true }), [[wanted[0]], [wanted[1]]]);
    expectClose(
      nn.logmeanexp(x, 1),
      wanted.map((v) => v - Math.log(3)),
    );
    expectClose(nn.logsumexp(x), Math.log(Math.exp(wanted[0]) + Math.exp(wanted[1])));
  });

  it("weighs and signs", () => {
    const b = f64([1, -2, 0]);
    const sums = rows.map((r) => Math.exp(r[0]) - 2 * Math.exp(r[1]));
    const [logs, signs] = nn.logsumexp(x, { axis: 1, b, returnSign: true });
    expectClose(
      logs,
      sums.map((s) => Math.log(Math.abs(s))),
    );
    expectClose(signs, sums.map(Math.sign));
    expectClose(
      nn.logsumexp(x, { axis: 1, b }),
      sums.map((s) => (s < 0 ? Number.NaN : Math.log(s))),
    );
    expect(nn.logsumexp(f64([Infinity, 0]), { b: f64([0, 1]) }).item()).toBe(0);
    // One operand, many factors.
    expectClose(nn.logsumexp(f64(2), { b: f64([1, 3]) }), 2 + Math.log(4));
  });

  it("leaves elements out", () => {
    const where = np.array([true, false, true]);
    const wanted = rows.map((r) => Math.log(Math.exp(r[0]) + Math.exp(r[2])));
    expectClose(nn.logsumexp(x, { axis: 1, where }), wanted);
    expectClose(
      nn.logmeanexp(x, { axis: 1, where }),
      wanted.map((v) => v - Math.log(2)),
    );
    expect(nn.logsumexp(x, { where: false }).item()).toBe(-Infinity);
  });

  it("at the ends of the numbers", () => {
    expect(nn.logsumexp(f32([-Infinity, -Infinity])).item()).toBe(-Infinity);
    expect(nn.logsumexp(f32([Infinity, 0])).item()).toBe(Infinity);
    expect(nn.logsumexp(np.zeros([0])).item()).toBe(-Infinity);
    expect(nn.logsumexp(np.zeros([0, 2]), 0).tolist()).toEqual([-Infinity, -Infinity]);
    expect(nn.logsumexp(f32([3e38, 3e38])).item()).toBe(Math.fround(3e38));
    expect(nn.logsumexp(f32([Number.NaN, 0])).item()).toBeNaN();
    expect(grad((a: NDArray) => nn.logsumexp(a))(f32([-Infinity, 5])).tolist()).toEqual([0, 1]);
  });

  it("has derivatives", () => {
    checkDerivatives((a) => nn.logsumexp(a, 1), x);
    checkDerivatives(
      (a) =>
        nn.logsumexp(a, {
          axis: 0,
          b: f64([
            [3, 2, 5],
            [-0.1, 1, 0],
          ]),
        }),
      x,
    );
    checkDerivatives((b) => nn.logsumexp(x, { b }), drawn([2, 3], random, 0.5, 2));
    checkDerivatives((a) => nn.logmeanexp(a, { where: np.array([true, true, false]) }), x);
  });

  it("log1mexp keeps its digits on both sides, and its slope", () => {
    expectClose(nn.log1mexp(f64([1e-300, 1e-12, 0.5, 0.7, 40])), [
      Math.log(1e-300),
      Math.log(-Math.expm1(-1e-12)),
      Math.log(-Math.expm1(-0.5)),
      Math.log1p(-Math.exp(-0.7)),
      -Math.exp(-40),
    ]);
    checkDerivatives(nn.log1mexp, f64([0.3, 0.69, 0.72, 3]));
    expect(nn.log1mexp(f64([0, -1])).tolist()).toEqual([-Infinity, Number.NaN]);
    expectClose(grad(nn.log1mexp)(f64(800)), 0);
  });
});

describe("standardize", () => {
  it("gives mean 0 and variance 1", () => {
    const y = nn.standardize(drawn([4, 50], random, 3, 9), { epsilon: 0 });
    expectClose(np.mean(y, 1), [0, 0, 0, 0]);
    expectClose(np.var(y, 1), [1, 1, 1, 1]);
    expectClose(np.mean(nn.standardize(x, { axis: [0, 1], epsilon: 0 })), 0);
  });

  it("does not cancel where the mean is large", () => {
    const far = nn.standardize(f32([10000, 10001, 10002, 10003]), { epsilon: 0 });
    expectClose(far, nn.standardize(f32([0, 1, 2, 3]), { epsilon: 0 }).tolist(), 1e-6);
  });

  it("takes mean and variance from elsewhere, and elements that do not count", () => {
    expectClose(nn.standardize(f64([1, 3]), { mean: 1, variance: 4, epsilon: 0 }), [0, 1]);
    expectClose(nn.standardize(f64([1, 3]), { mean: 1, epsilon: 0 }), [0, 2 / Math.sqrt(2)]);
    const where = np.array([true, true, false]);
    expectClose(nn.standardize(f64([1, 3, 9]), { where, epsilon: 0 }), [-1, 1, 7]);
  });

  it("of equal elements is 0, and has derivatives", () => {
    expect(nn.standardize(f64([5, 5])).tolist()).toEqual([0, 0]);
    checkDerivatives((a) => nn.standardize(a), x);
    checkDerivatives(
      (a) => nn.standardize(a, { axis: 0, where: np.array([[true], [false]]), epsilon: 0.5 }),
      x,
    );
  });
});

describe("oneHot", () => {
  it("is 1 at one place, and nowhere outside of the classes", () => {
    expect(nn.oneHot(i32([1, -1, 3]), 3).tolist()).toEqual([
      [0, 1, 0],
      [0, 0, 0],
      [0, 0, 0],
    ]);
    expect(nn.oneHot(2, 3, { dtype: "bool" }).tolist()).toEqual([false, false, true]);
    expect(nn.oneHot(i32([[0], [1]]), 2, { axis: 0 }).shape).toEqual([2, 2, 1]);
    expect(nn.oneHot(i32([0]), 0).shape).toEqual([1, 0]);
    expect(nn.oneHot(f32([0.5, 1]), 2).tolist()).toEqual([
      [0, 0],
      [0, 1],
    ]);
  });

  it("tells more classes apart than the dtype of the numbers holds", () => {
    const bytes = np.sum(nn.oneHot(np.array([0, 255], { dtype: "uint8" }), 600), 1);
    expect(bytes.tolist()).toEqual([1, 1]);
    const halves = np.sum(nn.oneHot(np.array([2048], { dtype: "float16" }), 5000), 1);
    expect(halves.tolist()).toEqual([1]);
  });

  it("refuses what is no count, place or dtype", () => {
    expectError(() => nn.oneHot(1, -1), ArgumentError, "argument", "numClasses");
    expectError(() => nn.oneHot(i32([1]), 2, { axis: 2 }), AxisError, "axis", "nn.oneHot");
    expectError(() => nn.oneHot(1, 2, { dtype: "float0" }), DtypeError, "dtype", "nn.oneHot");
  });
});
