/** Transposes around products: which go away, and that the results stay the same. */
import { describe, expect, it } from "vitest";
import { normalise } from "../../../src/compiler/normalise.js";
import type { NDArray } from "../../../src/core/array.js";
import type { Shape } from "../../../src/core/aval.js";
import { numpy as np } from "../../../src/index.js";
import { makeJaxpr } from "../../../src/transforms/makeJaxpr.js";
import { array, checkProgram } from "./lowered.js";

/** The primitives that are left of a function of two arrays, which is also run. */
function left(f: (x: NDArray, y: NDArray) => NDArray, x: Shape, y: Shape): string[] {
  const args = [array(x, "float32", 1), array(y, "float32", 2)];
  const { jaxpr } = makeJaxpr(f)(args[0], args[1]);
  checkProgram(jaxpr, args, { tolerance: 1e-5 });
  return normalise(jaxpr, 8).eqns.map((eqn) => eqn.primitive.name);
}

const { matmul, transpose } = np;
const product = ["dotGeneral"];

describe("products of transposed operands", () => {
  it("need no transposes", () => {
    expect(left((x, y) => matmul(transpose(x), y), [12, 9], [12, 7])).toEqual(product);
    expect(left((x, y) => matmul(x, transpose(y)), [12, 9], [7, 9])).toEqual(product);
    expect(left((x, y) => transpose(matmul(transpose(x), transpose(y))), [12, 9], [7, 12])).toEqual(product);
    expect(left((x, y) => matmul(transpose(transpose(transpose(x))), y), [12, 9], [12, 7])).toEqual(product);
    expect(left((x, y) => matmul(transpose(x, [0, 2, 1]), y), [3, 12, 9], [3, 12, 7])).toEqual(product);
    expect(left((x, y) => matmul(transpose(x, [2, 0, 1]), y), [12, 9, 3], [3, 9, 7])).toEqual(product);
  });

  it("need them where the axes of the result would change places", () => {
    const f = (x: NDArray, y: NDArray): NDArray => np.einsum("abc,cd->abd", transpose(x, [1, 0, 2]), y);
    expect(left(f, [5, 4, 9], [9, 7])).toEqual(["transpose", "dotGeneral"]);
    const g = (x: NDArray, y: NDArray): NDArray => np.einsum("abc,cd->abd", transpose(x, [0, 2, 1]), y);
    expect(left(g, [5, 9, 4], [9, 7])).toEqual(product);
  });

  it("leave transposes to others that read them", () => {
    const f = (x: NDArray, y: NDArray): NDArray => matmul(transpose(x), y).add(transpose(x));
    expect(left(f, [9, 9], [9, 9])).toEqual(["transpose", "dotGeneral", "add"]);
    const twice = (x: NDArray, y: NDArray): NDArray => matmul(transpose(x), y).add(matmul(y, transpose(x)));
    expect(left(twice, [9, 9], [9, 9])).toEqual(["dotGeneral", "dotGeneral", "add"]);
    const square = (x: NDArray, y: NDArray): NDArray => matmul(x, transpose(x)).mul(y);
    expect(left(square, [9, 8], [9, 9])).toEqual(["dotGeneral", "mul"]);
  });
});
