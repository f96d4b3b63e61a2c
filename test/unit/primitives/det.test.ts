import { describe, expect, it } from "vitest";
import type { NDArray } from "../../../src/core/array.js";
import { aval, sizeOf } from "../../../src/core/aval.js";
import { numpy as np } from "../../../src/index.js";
import { cofactor, det } from "../../../src/primitives/det.js";
import { jvp } from "../../../src/transforms/forward.js";
import { grad } from "../../../src/transforms/grad.js";
import { hessian, jacfwd, jacrev } from "../../../src/transforms/jacobian.js";
import { jit } from "../../../src/transforms/jit.js";
import { linearTranspose } from "../../../src/transforms/linearize.js";
import { vmap } from "../../../src/transforms/vmap.js";
import { generator } from "../examples.js";
import { expectClose } from "../values.js";
import { f16, f32, f64, i32, list, refusal } from "./arrays.js";

type Matrix = readonly (readonly number[])[];

const nan = Number.NaN;
const inf = Number.POSITIVE_INFINITY;

/** A matrix as text: "1 2; 3 4". */
const parse = (text: string): number[][] => text.split(";").map((row) => row.trim().split(" ").map(Number));
const matrix = (rows: Matrix, make = f64): NDArray => make(rows.flat(), [rows.length, rows.length]);

const without = (rows: Matrix, i: number, j: number): Matrix =>
  rows.flatMap((row, r) => (r === i ? [] : [row.filter((_, c) => c !== j)]));

/** Every permutation of the given columns, with its sign. */
function* permutations(columns: readonly number[], sign = 1): Generator<readonly [number[], number]> {
  if (columns.length === 0) yield [[], sign];
  for (const [i, first] of columns.entries())
    for (const [rest, s] of permutations(
      columns.filter((c) => c !== first),
      i % 2 === 0 ? sign : -sign,
    ))
      yield [[first, ...rest], s];
}

/** The determinant as the signed sum over permutations, in which nothing is divided. */
function expansion(rows: Matrix): number {
  let total = 0;
  for (const [columns, sign] of permutations(rows.map((_, i) => i)))
    total += rows.reduce((product, row, i) => product * row[columns[i]], sign);
  return total;
}

const minors = (rows: Matrix): number[][] =>
  rows.map((row, i) => row.map((_, j) => (-1) ** (i + j) * expansion(without(rows, i, j))));

const random = generator(5);
const drawn = (n: number, m = n): number[][] =>
  Array.from({ length: n }, () => Array.from({ length: m }, () => 4 * random() - 2));

/** A matrix of order n and rank r: a product of n by r and r by n. */
const ofRank = (n: number, r: number): number[][] => {
  const [a, b] = [drawn(n, r), drawn(r, n)];
  return a.map((row) => Array.from({ length: n }, (_, j) => row.reduce((s, x, k) => s + x * b[k][j], 0)));
};

describe("determinants", () => {
  it("by hand", () => {
    expect(det(f64([], [0, 0])).item()).toBe(1);
    expect(det(matrix(parse("-7"))).item()).toBe(-7);
    expect(det(matrix(parse("1 2; 3 4"))).item()).toBe(-2);
    expectClose(det(matrix(parse("2 -3 1; 2 0 -1; 1 4 5"))), 49);
    // An odd permutation of the rows of a diagonal.
    expect(det(matrix(parse("0 0 2; 0 3 0; 5 0 0"))).item()).toBe(-30);
  });

  it("are sums over permutations", () => {
    for (let n = 0; n <= 6; n++) {
      const rows = drawn(n);
      expectClose(det(matrix(rows)), expansion(rows), 1e-12, `order ${n}`);
    }
  });

  it("of singular matrices are zero, and not -0", () => {
    for (const rows of [parse("0"), parse("1 2; 2 4"), parse("0 0 1; 0 2 1; 0 3 1")])
      expect(det(matrix(rows)).item()).toBe(0);
    for (const [n, r] of [
      [3, 2],
      [4, 2],
      [5, 4],
    ])
      expectClose(det(matrix(ofRank(n, r))), 0, 1e-13);
  });

  it("are taken along the last two axes, of stacks of any shape", () => {
    const stack = [drawn(3), drawn(3), drawn(3), drawn(3)];
    const x = f64(stack.flat(2), [2, 1, 2, 3, 3]);
    expect(det(x).shape).toEqual([2, 1, 2]);
    expectClose(f64(list(det(x))), stack.map(expansion));
    expect(list(det(f64([], [3, 0, 0])))).toEqual([1, 1, 1]);
    expect(det(f64([], [2, 0, 3, 3])).shape).toEqual([2, 0]);
    expect(cofactor(f64([], [2, 0, 3, 3])).shape).toEqual([2, 0, 3, 3]);
    expect(cofactor(f64([], [3, 0, 0])).shape).toEqual([3, 0, 0]);
  });

  it("keep the dtype and are computed in double precision", () => {
    const rows = parse("1 2; 3 4");
    expect([det(matrix(rows, f32)).dtype, det(matrix(rows, f16)).dtype]).toEqual(["float32", "float16"]);
    // 2^12 + 1 squared needs 25 bits, which float32 has not.
    const x = matrix(parse("4097 4096; 4098 4097"), f32);
    expect(det(x).item()).toBe(1);
    expect(det(matrix(parse("300 0; 0 300"), f16)).item()).toBe(inf);
    expect(det(matrix(parse("3 0; 0 683.5"), f16)).item()).toBe(2050);
  });

  it("overflow and vanish only where they must", () => {
    const diagonal = (values: readonly number[]) =>
      values.map((d, i) => values.map((_, j) => (i === j ? d : 0)));
    const of = (values: readonly number[]) => det(matrix(diagonal(values))).item() as number;
    expectClose(of([1e200, 1e200, 1e-200, 1e-200]), 1);
    expectClose(of([1e-200, 1e-200, 1e200, -1e200]), -1);
    expectClose(of(Array.from({ length: 100 }, (_, i) => (i < 50 ? 1e8 : 1e-8))), 1);
    expect(of([1e200, -1e200])).toBe(-inf);
    expect(of([1e-200, 1e-200])).toBe(0);
    expect(of([1e-310, 1e300])).toBeCloseTo(1e-10, 20);
    const huge = list(cofactor(matrix(diagonal([1e200, 1e200, 1e-100]))));
    expectClose(f64([huge[0] / 1e100, huge[4] / 1e100, huge[8]]), [1, 1, inf]);
    expect(huge.filter((_, i) => i % 4 !== 0)).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it("take infinities as numbers, and lose no NaN to a zero", () => {
    const of = (rows: Matrix) => det(matrix(rows)).item();
    for (const [rows, wanted] of [
      [parse("Infinity 0; 0 1"), inf],
      [parse("1 Infinity; 2 3"), -inf],
      [parse("0 Infinity; 0 1"), nan],
      [parse("0 1; NaN 1"), nan],
      [parse("0 0; 0 NaN"), nan],
      [parse("NaN"), nan],
      [parse("1 2 3; 0 NaN 1; 0 0 1"), nan],
    ] as const)
      expect(of(rows), JSON.stringify(rows)).toBe(wanted);
  });
});

describe("cofactors", () => {
  it("by hand", () => {
    expect(list(cofactor(matrix(parse("7"))))).toEqual([1]);
    expect(list(cofactor(matrix(parse("0"))))).toEqual([1]);
    expect(list(cofactor(matrix(parse("1 2; 3 0"))))).toEqual([0, -3, -2, 1]);
    expectClose(cofactor(matrix(parse("1 2 3; 0 4 5; 1 0 6"))), parse("24 5 -4; -12 3 2; -2 -5 4"));
  });

  it("of every rank are the minors", () => {
    for (let n = 2; n <= 5; n++)
      for (let r = 0; r <= n; r++) {
        const rows = r === n ? drawn(n) : ofRank(n, r);
        expectClose(cofactor(matrix(rows)), minors(rows), 1e-12, `order ${n}, rank ${r}`);
      }
  });

  it("of whole numbers are right to the last digit or so, whichever pivots are zero", () => {
    for (const rows of [
      parse("1 2 3; 4 5 6; 7 8 9"),
      parse("0 0 0; 0 1 2; 0 3 4"),
      parse("0 1 0; 0 0 2; 0 0 0"),
      parse("0 1 0 0; 0 0 2 0; 0 0 0 3; 0 0 0 0"),
    ])
      expectClose(cofactor(matrix(rows)), minors(rows), 1e-14, JSON.stringify(rows));
  });

  it("of NaN and infinity", () => {
    expect(list(cofactor(matrix(parse("NaN"))))).toEqual([1]);
    expect(list(cofactor(matrix(parse("NaN Infinity; 1 0"))))).toEqual([0, -1, -inf, nan]);
    const x = f64([nan, ...new Array<number>(8).fill(0), 1, 0, 0, 0, 1, 0, 0, 0, 1], [2, 3, 3]);
    expect(list(cofactor(x))).toEqual([...new Array<number>(9).fill(nan), 1, 0, 0, 0, 1, 0, 0, 0, 1]);
  });
});

/**
 * Second derivatives, in the order of a Hessian's elements, by differences of minors. Minors are linear in each element,
 * so that a difference is a derivative, up to rounding.
 */
function secondDerivatives(rows: Matrix): number[] {
  const moved = (at: number, by: number) =>
    minors(rows.map((row, i) => row.map((x, j) => (i * rows.length + j === at ? x + by : x)))).flat();
  const columns = rows.flat().map((_, at) => {
    const below = moved(at, -1);
    return moved(at, 1).map((v, i) => (v - below[i]) / 2);
  });
  return columns.flatMap((_, i) => columns.map((column) => column[i]));
}

describe("derivatives", () => {
  const singular: readonly (readonly [string, Matrix])[] = [
    ["order 1", parse("0")],
    ["order 2, rank 1", parse("1 2; 2 4")],
    ["order 2, rank 0", parse("0 0; 0 0")],
    ["order 3, rank 2", parse("1 2 3; 4 5 6; 7 8 9")],
    ["order 3, rank 1", parse("1 2 3; 2 4 6; -1 -2 -3")],
    ["order 3, rank 0", parse("0 0 0; 0 0 0; 0 0 0")],
    ["order 4, rank 3", ofRank(4, 3)],
    ["order 4, rank 2", ofRank(4, 2)],
  ];

  it.each(singular)("of singular matrices are cofactors in both modes: %s", (_, rows) => {
    const wanted = minors(rows);
    const x = matrix(rows);
    expectClose(jacrev(det)(x), wanted);
    expectClose(jacfwd(det)(x), wanted);
    expectClose(grad(det)(x), wanted);
    const direction = drawn(rows.length);
    const slope = wanted.flat().reduce((s, c, i) => s + c * direction.flat()[i], 0);
    expectClose(jvp(det, [x], [matrix(direction)])[1], slope);
  });

  it("of stacks belong to each matrix alone", () => {
    const stack = [ofRank(3, 2), drawn(3)];
    const weights = f64([2, -3]);
    const g = grad((x: NDArray) => np.sum(np.multiply(det(x), weights)));
    expectClose(g(f64(stack.flat(2), [2, 3, 3])), [
      minors(stack[0]).map((row) => row.map((c) => 2 * c)),
      minors(stack[1]).map((row) => row.map((c) => -3 * c)),
    ]);
  });

  it("under vmap and jit", () => {
    const stack = [ofRank(3, 2), drawn(3), ofRank(3, 1)];
    const x = f64(stack.flat(2), [3, 3, 3]);
    expectClose(vmap(det)(x), stack.map(expansion));
    expectClose(vmap(grad(det))(x), stack.map(minors));
    expectClose(jit(vmap(grad(det)))(x), stack.map(minors));
    expectClose(jit(grad(det))(matrix(stack[0])), minors(stack[0]));
    expectClose(grad(jit(det))(matrix(stack[2])), minors(stack[2]));
  });

  it("keep float32", () => {
    const x = matrix(parse("1 2 3; 4 5 6; 7 8 9"), f32);
    const g = grad(det)(x);
    expect(g.dtype).toBe("float32");
    expectClose(g, parse("-3 6 -3; 6 -12 6; -3 6 -3"), 1e-6);
  });

  it("of second order at regular matrices agree with differences of cofactors", () => {
    for (const n of [1, 2, 3, 4, 5, 6, 7]) {
      const rows = drawn(n);
      expect(Math.abs(expansion(rows)), "drawn far from singular").toBeGreaterThan(0.05);
      const wanted = secondDerivatives(rows);
      const modes = n < 6 ? [hessian(det), jacfwd(jacfwd(det)), jacrev(jacrev(det))] : [hessian(det)];
      for (const h of modes) expectClose(f64(list(h(matrix(rows)))), wanted, 1e-10, `order ${n}`);
    }
  });

  it("of second order at singular matrices are exact up to order 6", () => {
    expect(list(hessian(det)(matrix(parse("0"))))).toEqual([0]);
    const two = matrix(parse("1 2; 2 4"));
    expect(list(hessian(det)(two))).toEqual([0, 0, 0, 1, 0, 0, -1, 0, 0, -1, 0, 0, 1, 0, 0, 0]);
    // Of third order there is nothing left.
    expect(list(jacfwd(hessian(det))(two))).toEqual(new Array<number>(64).fill(0));
    const larger = [ofRank(4, 3), ofRank(4, 2), ofRank(4, 1), ofRank(5, 3), ofRank(6, 4)];
    for (const rows of [parse("1 2 3; 4 5 6; 7 8 9"), ofRank(3, 1), parse("0 0 0; 0 0 0; 0 0 0"), ...larger])
      for (const h of [hessian(det), jacfwd(jacfwd(det)), jacrev(jacrev(det))])
        expectClose(f64(list(h(matrix(rows)))), secondDerivatives(rows));
    const stack = [ofRank(3, 2), drawn(3)];
    const x = f64(stack.flat(2), [2, 3, 3]);
    expectClose(f64(list(vmap(hessian(det))(x))), stack.flatMap(secondDerivatives));
  });

  it("of second order are NaN at singular matrices of order 7 and more", () => {
    const zero = f64(new Array<number>(49).fill(0), [7, 7]);
    expect(list(jvp(grad(det), [zero], [zero])[1])).toEqual(new Array<number>(49).fill(nan));
  });

  it("of third order of matrices of order 3 are signs of permutations, at singular ones too", () => {
    for (const rows of [drawn(3), ofRank(3, 1)]) {
      const third = jacrev(jacfwd(jacrev(det)))(matrix(rows));
      expect(third.shape).toEqual([3, 3, 3, 3, 3, 3]);
      const values = list(third);
      for (let at = 0; at < sizeOf(third.shape); at++) {
        const [i, j, k, l, m, n] = [243, 81, 27, 9, 3, 1].map((s) => Math.floor(at / s) % 3);
        const sign = (a: number, b: number, c: number) => ((a - b) * (b - c) * (c - a)) / 2;
        expect(values[at]).toBeCloseTo(sign(i, k, m) * sign(j, l, n), 12);
      }
    }
  });

  it("transpose cofactors of order 2 only", () => {
    const transposed = linearTranspose(cofactor, f64([0, 0, 0, 0], [2, 2]));
    expect(list(transposed(f64([1, 2, 3, 4], [2, 2]))[0])).toEqual([4, -3, -2, 1]);
    expect(() =>
      linearTranspose(
        cofactor,
        f64(new Array<number>(9).fill(0), [3, 3]),
      )(f64(new Array<number>(9).fill(1), [3, 3])),
    ).toThrow(/of order 2 alone/);
  });
});

describe("np.linalg.det", () => {
  it("takes integers and booleans as float32", () => {
    const y = np.linalg.det(i32([1, 2, 3, 4], [2, 2]));
    expect([y.dtype, y.item()]).toEqual(["float32", -2]);
    expect(np.linalg.det(np.eye(2, { dtype: "bool" })).dtype).toBe("float32");
    expect(np.linalg.det(np.eye(3, { dtype: "float64" })).dtype).toBe("float64");
  });

  it("refuses what has no determinant", () => {
    expect(() => np.linalg.det(np.ones([2, 3]))).toThrow(
      "det needs square matrices along the last two axes, got float32[2,3]",
    );
    expect(() => np.linalg.det(np.ones([4]))).toThrow(/square matrices .*, got float32\[4\]/);
    expect(() => np.linalg.det(2)).toThrow(/square matrices/);
  });
});

describe("refusals", () => {
  it.each(["det", "cofactor"])("of dtypes and shapes: %s", (name) => {
    expect(refusal(name, [aval([2, 2], "int32")], {})).toBe(
      `DtypeError: ${name} is not defined for int32[2,2]`,
    );
    expect(refusal(name, [aval([3, 2, 3], "float32")], {})).toBe(
      `ShapeError: ${name} needs square matrices along the last two axes, got float32[3,2,3]`,
    );
    expect(refusal(name, [aval([], "float32")], {})).toBe(
      `ShapeError: ${name} needs square matrices along the last two axes, got float32[]`,
    );
    expect(refusal(name, [], {})).toBe(`ArgumentError: ${name} takes 1 operand, got nothing`);
  });
});
