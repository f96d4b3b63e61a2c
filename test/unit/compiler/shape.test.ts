/** The kernels of movements of elements against their `evaluate` rules, and their index arithmetic. */
import { describe, expect, it } from "vitest";
import { aval, type Shape, sizeOf } from "../../../src/core/aval.js";
import { buildJaxpr } from "../../../src/core/build.js";
import type { DType } from "../../../src/core/dtype.js";
import {
  affine,
  inBounds,
  indexAdd,
  intervalOf,
  keyOf,
  ravel,
  unravel,
} from "../../../src/core/ir/affine.js";
import { cast, get, load, truth } from "../../../src/core/ir/ops.js";
import { Buffer, type Expr, Local } from "../../../src/core/ir/types.js";
import { neg } from "../../../src/primitives/arithmetic.js";
import { broadcastInDim, reduceSum } from "../../../src/primitives/broadcast.js";
import { concatenate } from "../../../src/primitives/concatenate.js";
import { clampedPlace } from "../../../src/primitives/indexedLower.js";
import { reshape, transpose } from "../../../src/primitives/shape.js";
import { reshapeIndex } from "../../../src/primitives/shapeLower.js";
import { pad, rev, slice } from "../../../src/primitives/slicing.js";
import { array, checkEquation, checkExamples, checkProgram, named } from "./lowered.js";

describe.each(["broadcastInDim", "reshape", "transpose", "iota", "slice", "pad", "rev", "concatenate"])(
  "%s",
  (name) => {
    const primitive = named(name);
    it("computes its examples in every dtype", () => checkExamples(primitive));
  },
);

describe("movements of larger arrays", () => {
  it("reshape, whatever the axes", () => {
    const shapes: readonly (readonly [Shape, Shape])[] = [
      [
        [6, 35],
        [10, 21],
      ],
      [
        [6, 35],
        [2, 3, 5, 7],
      ],
      [
        [2, 3, 5, 7],
        [6, 35],
      ],
      [
        [2, 15, 7],
        [6, 35],
      ],
      [
        [1, 6, 1, 35],
        [6, 1, 35, 1, 1],
      ],
      [
        [7, 4, 9],
        [7, 6, 6],
      ],
      [
        [4, 9, 7],
        [6, 6, 7],
      ],
      [[12], [3, 1, 4]],
      [[], [1, 1]],
      [
        [0, 3],
        [5, 0],
      ],
    ];
    for (const [from, to] of shapes) checkEquation(named("reshape"), [array(from)], { shape: to });
  });

  it("iota wraps and rounds as numbers do", () => {
    checkEquation(named("iota"), [], { dtype: "uint8", shape: [300], dimension: 0 });
    checkEquation(named("iota"), [], { dtype: "float16", shape: [2, 2100], dimension: 1 });
    checkEquation(named("iota"), [], { dtype: "uint32", shape: [3, 1, 4], dimension: 2 });
  });

  it("pad with every kind of edge", () => {
    const edges = [-3, -1, 0, 2];
    for (const n of [0, 1, 5])
      for (const low of edges)
        for (const high of edges)
          for (const interior of [0, 1, 3]) {
            const length = low + high + (n === 0 ? 0 : n + (n - 1) * interior);
            if (length < 0) continue;
            const config = [
              [low, high, interior],
              [1, 0, 0],
            ];
            checkEquation(named("pad"), [array([n, 2]), array([], "float32", 7)], { config });
          }
  });

  it("slices with steps, reversed axes", () => {
    checkEquation(named("slice"), [array([9, 10])], { start: [1, 2], limit: [8, 10], strides: [3, 4] });
    checkEquation(named("rev"), [array([4, 1, 5])], { axes: [0, 1, 2] });
  });

  it("concatenate many pieces, some of them empty", () => {
    const pieces = [2, 0, 1, 5, 0, 3, 1].map((n, i) => array([2, n, 3], "float32", i));
    checkEquation(named("concatenate"), pieces, { axis: 1 });
    const bytes = [1, 2, 3].map((n) => array([n], "uint8"));
    checkEquation(named("concatenate"), bytes, { axis: 0 });
  });
});

describe("fused", () => {
  const check = (shapes: readonly Shape[], f: Parameters<typeof buildJaxpr>[2]) => {
    const jaxpr = buildJaxpr(
      "fused",
      shapes.map((s) => aval(s, "float32")),
      f,
    );
    checkProgram(
      jaxpr,
      shapes.map((s, i) => array(s, "float32", i)),
      { tolerance: 1e-6 },
    );
  };

  it("an axis of length 1 that is broadcast stays at its only place", () => {
    check([[2, 3]], ([x]) => [
      broadcastInDim(
        pad(x, 1, [
          [-1, 0, 0],
          [0, 0, 0],
        ]),
        [4, 3],
        [0, 1],
      ),
    ]);
  });

  it("movements of movements read what they name and nothing out of bounds", () => {
    check([[4, 6]], ([x]) => [
      neg(
        reshape(
          transpose(
            pad(rev(x, [1]), 3, [
              [1, -1, 1],
              [-2, 3, 0],
            ]),
            [1, 0],
          ),
          [7, 7],
        ),
      ),
    ]);
    check(
      [
        [2, 3],
        [2, 2],
      ],
      ([x, y]) => [
        pad(
          slice(
            concatenate(
              [
                x,
                pad(y, 1, [
                  [0, 0, 0],
                  [2, 0, 1],
                ]),
                x,
              ],
              1,
            ),
            [0, 1],
            [2, 11],
            [1, 2],
          ),
          0,
          [
            [-1, 4, 2],
            [1, 1, 0],
          ],
        ),
      ],
    );
    check([[3, 1, 4]], ([x]) => [
      reduceSum(
        concatenate(
          [
            broadcastInDim(x, [3, 5, 4], [0, 1, 2]),
            pad(x, 2, [
              [0, 0, 0],
              [2, 2, 0],
              [0, 0, 0],
            ]),
          ],
          1,
        ),
        [1],
      ),
    ]);
  });
});

describe("index arithmetic of a reshape", () => {
  const index = (shape: Shape): Expr[] => shape.map((n, a) => get(new Local(`i${a}`, "i32", 1, false, n)));
  const divides = (e: Expr): boolean =>
    [...affine(e).terms.values()].some(({ atom }) => atom.op === "binary" && /div|rem/.test(atom.fn));

  it("passes indices straight through where only axes of length 1 come or go", () => {
    const from = index([1, 4, 1, 5, 6]);
    expect(reshapeIndex(from, [1, 4, 1, 5, 6], [4, 5, 1, 1, 6]).filter((e) => e.op === "get")).toEqual([
      from[1],
      from[3],
      from[4],
    ]);
  });

  it("divides only the axes that mix", () => {
    const split = reshapeIndex(index([4, 15, 2]), [4, 15, 2], [4, 3, 5, 2]);
    expect(split.map(divides)).toEqual([false, true, true, false]);
    const joined = reshapeIndex(index([4, 3, 5, 2]), [4, 3, 5, 2], [4, 15, 2]);
    expect(joined.some(divides)).toBe(false);
  });

  it("undoes itself", () => {
    const shape = [4, 15, 2];
    const there = index(shape);
    const back = reshapeIndex(reshapeIndex(there, shape, [6, 20]), [6, 20], shape);
    expect(sizeOf(shape)).toBe(120);
    expect(back.map((e) => affine(e).terms.size)).toEqual([1, 1, 1]);
  });
});

describe("index arithmetic", () => {
  const upTo = (n: number): Expr => get(new Local("i", "i32", 1, false, n));

  it("puts an index together again, however many axes it was split into", () => {
    for (const shape of [
      [5, 3],
      [5, 3, 4],
      [2, 5, 3, 4],
      [2, 1, 5, 3, 4],
    ]) {
      const item = upTo(sizeOf(shape));
      expect(keyOf(ravel(unravel(item, shape), shape))).toBe(keyOf(item));
    }
  });

  it("knows what it can about places from arrays", () => {
    const element = (dtype: DType) => load(new Buffer("places", dtype, 10), upTo(10));
    expect(intervalOf(clampedPlace(element("int32"), 7))).toEqual({ low: 0, high: 7 });
    expect(intervalOf(clampedPlace(element("uint32"), 7))).toEqual({ low: 0, high: 7 });
    expect(intervalOf(cast("i32", element("uint8")))).toEqual({ low: 0, high: 255 });
    expect(intervalOf(cast("i32", element("bool")))).toEqual({ low: 0, high: 1 });
    expect(intervalOf(cast("i32", element("uint32"))).high).toBe(Infinity);
  });

  it("decides bounds where ranges do", () => {
    expect(inBounds(upTo(5), 5)).toEqual(truth(true));
    expect(inBounds(indexAdd(upTo(5), 5), 5)).toEqual(truth(false));
    expect(inBounds(indexAdd(upTo(5), -5), 5)).toEqual(truth(false));
    expect(inBounds(upTo(6), 5).op).toBe("compare");
  });
});
