import { describe, expect, it } from "vitest";
import { NDArray } from "../../../src/core/array.js";
import { ShapeError } from "../../../src/core/errors.js";
import type { ArrayMethods } from "../../../src/core/methods.js";
import * as np from "../../../src/numpy/index.js";
import { grad } from "../../../src/transforms/grad.js";
import { jit } from "../../../src/transforms/jit.js";

const x = np.array([
  [4, 1, 2.5],
  [-3, 0.5, 7],
]);
const y = np.array([2, -1, 3]);
const square = np.array([
  [1, 2],
  [3, 4],
]);

/** Each method beside the function that it stands for. */
const pairs: Readonly<Record<Exclude<keyof ArrayMethods, symbol>, readonly [() => unknown, () => unknown]>> =
  {
    add: [() => x.add(y), () => np.add(x, y)],
    sub: [() => x.sub(y), () => np.subtract(x, y)],
    mul: [() => x.mul(y), () => np.multiply(x, y)],
    div: [() => x.div(y), () => np.divide(x, y)],
    mod: [() => x.mod(y), () => np.mod(x, y)],
    pow: [() => x.pow(2), () => np.power(x, 2)],
    floorDivide: [() => x.floorDivide(y), () => np.floorDivide(x, y)],
    neg: [() => x.neg(), () => np.negative(x)],
    abs: [() => x.abs(), () => np.abs(x)],
    sign: [() => x.sign(), () => np.sign(x)],
    square: [() => x.square(), () => np.square(x)],
    sqrt: [() => x.sqrt(), () => np.sqrt(x)],
    reciprocal: [() => x.reciprocal(), () => np.reciprocal(x)],
    exp: [() => x.exp(), () => np.exp(x)],
    log: [() => x.log(), () => np.log(x)],
    sin: [() => x.sin(), () => np.sin(x)],
    cos: [() => x.cos(), () => np.cos(x)],
    tan: [() => x.tan(), () => np.tan(x)],
    tanh: [() => x.tanh(), () => np.tanh(x)],
    round: [() => x.round(1), () => np.round(x, 1)],
    clip: [() => x.clip(0, 3), () => np.clip(x, 0, 3)],
    equal: [() => x.equal(1), () => np.equal(x, 1)],
    notEqual: [() => x.notEqual(1), () => np.notEqual(x, 1)],
    less: [() => x.less(y), () => np.less(x, y)],
    lessEqual: [() => x.lessEqual(1), () => np.lessEqual(x, 1)],
    greater: [() => x.greater(y), () => np.greater(x, y)],
    greaterEqual: [() => x.greaterEqual(1), () => np.greaterEqual(x, 1)],
    logicalAnd: [() => x.logicalAnd(0), () => np.logicalAnd(x, 0)],
    logicalOr: [() => x.logicalOr(0), () => np.logicalOr(x, 0)],
    logicalNot: [() => x.logicalNot(), () => np.logicalNot(x)],
    sum: [() => x.sum({ axis: 0, keepdims: true }), () => np.sum(x, { axis: 0, keepdims: true })],
    prod: [() => x.prod(0), () => np.prod(x, 0)],
    mean: [() => x.mean(-1), () => np.mean(x, -1)],
    var: [() => x.var({ axis: 0, ddof: 1 }), () => np.var(x, { axis: 0, ddof: 1 })],
    std: [() => x.std(1), () => np.std(x, 1)],
    max: [() => x.max(1), () => np.max(x, 1)],
    min: [() => x.min(1), () => np.min(x, 1)],
    all: [() => x.all(1), () => np.all(x, 1)],
    any: [() => x.any(1), () => np.any(x, 1)],
    argmax: [() => x.argmax(1), () => np.argmax(x, 1)],
    argmin: [() => x.argmin(0), () => np.argmin(x, 0)],
    cumsum: [() => x.cumsum(1), () => np.cumsum(x, 1)],
    cumprod: [() => x.cumprod(0), () => np.cumprod(x, 0)],
    reshape: [() => x.reshape(3, -1), () => np.reshape(x, [3, 2])],
    ravel: [() => x.ravel(), () => np.ravel(x)],
    flatten: [() => x.flatten(), () => np.ravel(x)],
    transpose: [() => x.transpose([1, 0]), () => np.transpose(x)],
    T: [() => x.T, () => np.transpose(x)],
    mT: [() => np.stack([x, x]).mT, () => np.stack([np.transpose(x), np.transpose(x)])],
    swapaxes: [() => x.swapaxes(0, 1), () => np.transpose(x)],
    squeeze: [() => x.reshape([1, 2, 3]).squeeze(0), () => x],
    expandDims: [() => x.expandDims(1), () => np.reshape(x, [2, 1, 3])],
    broadcastTo: [() => y.broadcastTo([2, 3]), () => np.broadcastTo(y, [2, 3])],
    flip: [() => x.flip(1), () => np.flip(x, 1)],
    repeat: [() => x.repeat(2, { axis: 1 }), () => np.repeat(x, 2, { axis: 1 })],
    take: [() => x.take([2, 0], 1), () => np.take(x, [2, 0], 1)],
    diagonal: [() => square.diagonal({ offset: 1 }), () => np.diag(square, 1)],
    trace: [() => square.trace(), () => np.sum(np.diag(square))],
    sort: [() => x.sort(1), () => np.sort(x, 1)],
    argsort: [() => x.argsort(1), () => np.argsort(x, 1)],
    dot: [() => x.dot(y), () => np.dot(x, y)],
    matmul: [() => square.matmul(x), () => np.matmul(square, x)],
    astype: [() => x.astype("int32"), () => np.astype(x, "int32")],
    slice: [() => x.slice(1, ":2"), () => np.array([-3, 0.5])],
    at: [
      () => x.at(0, 0).set(9),
      () =>
        np.add(
          x,
          np.array([
            [5, 0, 0],
            [0, 0, 0],
          ]),
        ),
    ],
  };

describe("methods", () => {
  for (const [name, [method, fn]] of Object.entries(pairs))
    it(`${name} is the function of numpy`, () => {
      const [a, b] = [method() as NDArray, fn() as NDArray];
      expect([a.dtype, a.shape]).toEqual([b.dtype, b.shape]);
      expect(a.tolist()).toEqual(b.tolist());
    });

  it("take shapes and axes one by one or as a list", () => {
    expect(x.reshape([3, 2]).tolist()).toEqual(x.reshape(3, 2).tolist());
    expect(x.transpose(1, 0).tolist()).toEqual(x.transpose().tolist());
    expect(y.slice(0).reshape().shape).toEqual([]);
  });

  it("an array is iterated over along its first axis", () => {
    expect([...x].map((row) => row.tolist())).toEqual(x.tolist());
    expect([...np.zeros([0, 2])]).toEqual([]);
    expect(() => [...np.zeros([])]).toThrow(ShapeError);
    const [a, b] = jit((v: NDArray) => {
      const [first, second] = v;
      return [second, first];
    })(x);
    expect([a.tolist(), b.tolist()]).toEqual([
      [-3, 0.5, 7],
      [4, 1, 2.5],
    ]);
  });

  it("work on traced arrays, and chain", () => {
    const f = (v: NDArray): NDArray => v.mul(v).sub(1).T.mean(0).sum();
    expect(grad(f)(x).tolist()).toEqual(x.mul(2 / 3).tolist());
  });

  it("are not enumerable, so that arrays look like arrays", () => {
    const found: string[] = [];
    for (const key in y) found.push(key);
    expect(found).not.toContain("add");
    expect(found).not.toContain("T");
    expect(Object.keys(NDArray.prototype)).toEqual([]);
  });
});

describe("the names of numpy", () => {
  it("are functions, dtypes, constants and namespaces, and no helpers", () => {
    const others = Object.entries(np).filter(([, value]) => typeof value !== "function");
    expect(others.map(([name]) => name).sort()).toEqual([
      "bool",
      "bool_",
      "e",
      "eulerGamma",
      "float16",
      "float32",
      "float64",
      "inf",
      "int32",
      "linalg",
      "nan",
      "newaxis",
      "pi",
      "uint32",
      "uint8",
    ]);
    const helpers = [
      "asArray",
      "checkOptions",
      "elementwiseOperands",
      "placeOf",
      "axesOf",
      "shortOptions",
      "plainOptions",
      "promoteOperands",
    ];
    expect(helpers.filter((name) => name in np)).toEqual([]);
  });
});
