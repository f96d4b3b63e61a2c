import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { NDArray } from "../../../src/core/array.js";
import { ArgumentError, ShapeError } from "../../../src/core/errors.js";
import * as np from "../../../src/numpy/index.js";
import { grad } from "../../../src/transforms/grad.js";
import { makeJaxpr } from "../../../src/transforms/makeJaxpr.js";
import { expectClose, flat } from "./compare.js";
import { sizeOf, tuples } from "./indexReference.js";

/** Numbers without a pattern, the same in every run. */
const numbers = (shape: readonly number[], seed: number): NDArray =>
  np.reshape(np.sin(np.add(np.arange(sizeOf(shape), { dtype: "float64" }), seed * 1.7)), shape);

/** The sum over all letters that the output lacks, one product at a time. */
function reference(terms: readonly string[], output: string, operands: readonly NDArray[]): number[] {
  const lengths = new Map<string, number>();
  terms.forEach((term, k) => {
    [...term].forEach((letter, i) => {
      lengths.set(letter, Math.max(lengths.get(letter) ?? 1, operands[k].shape[i]));
    });
  });
  const letters = [...lengths.keys()];
  const shape = [...output].map((letter) => lengths.get(letter) as number);
  const out = new Array<number>(sizeOf(shape)).fill(0);
  const data = operands.map(flat);
  for (const tuple of tuples(letters.map((letter) => lengths.get(letter) as number))) {
    const at = (letter: string) => tuple[letters.indexOf(letter)];
    const product = terms.reduce((p, term, k) => {
      const { shape: own } = operands[k];
      return p * data[k][[...term].reduce((n, letter, i) => n * own[i] + (own[i] === 1 ? 0 : at(letter)), 0)];
    }, 1);
    out[[...output].reduce((n, letter, i) => n * shape[i] + at(letter), 0)] += product;
  }
  return out;
}

const equation = fc
  .record({
    lengths: fc.tuple(...["a", "b", "c", "d"].map(() => fc.constantFrom(1, 2, 3))),
    terms: fc.array(fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 3 }), {
      minLength: 1,
      maxLength: 4,
    }),
    ones: fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }),
    order: fc.shuffledSubarray<string>(["a", "b", "c", "d"]),
  })
  .map(({ lengths, terms, ones, order }) => {
    const length = (letter: string) => lengths["abcd".indexOf(letter)];
    const shapes = terms.map((term, k) =>
      // A letter that stands twice in a term takes a diagonal, so its axes stay equal.
      term.map((letter, i) =>
        ones[3 * k + i] && term.indexOf(letter) === term.lastIndexOf(letter) ? 1 : length(letter),
      ),
    );
    return {
      terms: terms.map((t) => t.join("")),
      shapes,
      output: order.filter((o) => (terms.flat() as string[]).includes(o)).join(""),
    };
  });

describe("einsum", () => {
  it("is the sum of products that it says", () => {
    fc.assert(
      fc.property(equation, ({ terms, shapes, output }) => {
        const operands = shapes.map(numbers);
        const got = np.einsum(`${terms.join(",")}->${output}`, ...operands);
        expectClose(got, reference(terms, output, operands), 1e-12);
      }),
      { numRuns: 500 },
    );
  });

  it("has the derivative of a product", () => {
    fc.assert(
      fc.property(equation, ({ terms, shapes, output }) => {
        const operands = shapes.map(numbers);
        const f = (...xs: NDArray[]) =>
          np.sum(np.multiply(np.einsum(`${terms.join(",")}->${output}`, ...xs), 1));
        const v = numbers(shapes[0], 99);
        const gradient = grad(f as (x: NDArray, ...rest: NDArray[]) => NDArray)(
          operands[0],
          ...operands.slice(1),
        );
        // It is linear in the first operand: the slope along v is the value at v.
        const slope = np.sum(np.multiply(gradient, v)).item() as number;
        expectClose(f(v, ...operands.slice(1)), slope, 1e-11);
      }),
      { numRuns: 150 },
    );
  });

  const [a, b] = [numbers([2, 3], 1), numbers([3, 4], 2)];

  it("takes axes as lists of numbers too", () => {
    expect(flat(np.einsum(a, [0, 1], b, [1, 2], [0, 2]))).toEqual(flat(np.einsum("ij,jk->ik", a, b)));
    const c = numbers([3, 2], 3);
    expect(flat(np.einsum(a, ["...", 1], c, [1, "..."]))).toEqual(flat(np.einsum("...j,j...", a, c)));
    expect(() => np.einsum(a, [0, 60])).toThrow(ArgumentError);
    expect(() => np.einsum(a, b)).toThrow(/a list of axes after each operand/);
  });

  it("multiplies in an order that keeps intermediate results small", () => {
    const shapes = [
      [50, 2],
      [2, 50],
      [50, 3],
    ];
    const jaxpr = makeJaxpr((...xs: NDArray[]) => np.einsum("ij,jk,kl->il", ...xs))(...shapes.map(numbers));
    const sizes = jaxpr.jaxpr.eqns.map((e) => sizeOf(e.outputs[0].aval.shape));
    expect(Math.max(...sizes)).toBe(150);
    expect(jaxpr.jaxpr.eqns.map((e) => e.primitive.name)).toEqual(["dotGeneral", "dotGeneral"]);
  });

  it("does no more than it has to", () => {
    const count = (subscripts: string, ...xs: NDArray[]) =>
      makeJaxpr((...ys: NDArray[]) => np.einsum(subscripts, ...ys))(...xs).jaxpr.eqns.map(
        (e) => e.primitive.name,
      );
    expect(count("ij->ij", a)).toEqual([]);
    expect(count("ij->ji", a)).toEqual(["transpose"]);
    expect(count("ij->j", a)).toEqual(["reduceSum"]);
    expect(count("ij,jk->ik", a, b)).toEqual(["dotGeneral"]);
    expect(count("ij,ij->ij", a, a)).toEqual(["mul"]);
    expect(count("...ij,...jk", numbers([5, 2, 3], 1), numbers([5, 3, 4], 1))).toEqual(["dotGeneral"]);
    expect(count(",ij", numbers([], 1), a)).toEqual(["mul"]);
  });

  it.each<[string, readonly NDArray[], new (m: string) => Error, RegExp]>([
    ["ij,jk", [a], ArgumentError, /1 operands, but 2 terms in "ij,jk"/],
    ["ij->->", [a], ArgumentError, /two "->"/],
    ["i1", [a], ArgumentError, /"1" is not a letter/],
    ["i.j", [a], ArgumentError, /"\." is not a letter/],
    ["......", [a], ArgumentError, /two "\.\.\."/],
    ["ij->ii", [a], ArgumentError, /"i" stands twice in the output/],
    ["ij->k", [a], ArgumentError, /"k" of the output stands in no term/],
    ["...j->j", [a], ArgumentError, /output lacks the "\.\.\."/],
    ["ijk", [a], ShapeError, /term "ijk" has 3 axes, the operand float64\[2,3\] has 2/],
    ["i...jk", [a], ShapeError, /has 3 axes/],
    ["ij,ij", [a, b], ShapeError, /axes "i" differ in length \(operands float64\[2,3\], float64\[3,4\]/],
    ["...,...", [a, b], ShapeError, /axes "\.\.\." differ/],
    ["ii", [a], ShapeError, /axes "i" differ/],
  ])("refuses %s", (subscripts, operands, type, message) => {
    expect(() => np.einsum(subscripts, ...operands)).toThrow(type);
    expect(() => np.einsum(subscripts, ...operands)).toThrow(message);
  });

  it("refuses options that there are not", () => {
    expect(() => np.einsum("ij", a, { prefered: "float64" } as object)).toThrow(/no option "prefered"/);
    expect(() => np.einsum("ij")).toThrow(ArgumentError);
  });
});
