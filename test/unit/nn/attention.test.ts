/** Attention against its definition in loops, for every option. */
import {
  ArgumentError,
  DtypeError,
  grad,
  jit,
  type NDArray,
  nn,
  numpy as np,
  ShapeError,
  vmap,
} from "fluxion";
import { describe, expect, it } from "vitest";
import { checkDerivatives, drawn } from "../derivatives.js";
import { generator } from "../examples.js";
import { expectClose, expectError, i32 } from "../values.js";

const random = generator(9);
const [batch, queries, keys, heads, depth] = [2, 4, 5, 4, 3];
const q = drawn([batch, queries, heads, depth], random);
const k = drawn([batch, keys, heads, depth], random);
const v = drawn([batch, keys, heads, 2], random);

type Nested4 = number[][][][];
type Sees = (b: number, h: number, t: number, s: number) => boolean;

interface Settings {
  readonly sees?: Sees;
  readonly bias?: (b: number, h: number, t: number, s: number) => number;
  readonly scale?: number;
  readonly group?: number;
}

/** The definition: for every query the average of values, weighted by exponentials of scores. */
function attention(q: NDArray, k: NDArray, v: NDArray, settings: Settings = {}): Nested4 {
  const { sees = () => true, bias = () => 0, scale = 1 / Math.sqrt(depth), group = 1 } = settings;
  const [qs, ks, vs] = [q, k, v].map((x) => x.tolist() as Nested4);
  return qs.map((example, b) =>
    example.map((byHead, t) =>
      byHead.map((query, h) => {
        const g = Math.floor(h / group);
        const weights = ks[b].map((key, s) => {
          const score = query.reduce((sum, x, d) => sum + x * key[g][d], 0) * scale + bias(b, h, t, s);
          return sees(b, h, t, s) ? Math.exp(score) : 0;
        });
        const total = weights.reduce((a, w) => a + w, 0);
        // Whoever sees nothing gets the plain average.
        const shares = weights.map((w) => (total === 0 ? 1 / weights.length : w / total));
        return vs[b][0][g].map((_, d) => shares.reduce((sum, w, s) => sum + w * vs[b][s][g][d], 0));
      }),
    ),
  );
}

describe("dotProductAttention", () => {
  it("is a weighted average of values", () => {
    const y = nn.dotProductAttention(q, k, v);
    expect(y.shape).toEqual([batch, queries, heads, 2]);
    expectClose(y, attention(q, k, v));
    expectClose(nn.dotProductAttention(q, k, v, { scale: 0.3 }), attention(q, k, v, { scale: 0.3 }));
  });

  it("sees by places", () => {
    const causal: Sees = (_, __, t, s) => s <= t;
    expectClose(nn.dotProductAttention(q, k, v, { isCausal: true }), attention(q, k, v, { sees: causal }));
    const near: Sees = (_, __, t, s) => Math.abs(t - s) <= 1;
    expectClose(nn.dotProductAttention(q, k, v, { localWindowSize: 1 }), attention(q, k, v, { sees: near }));
    const both: Sees = (_, __, t, s) => s <= t && t - s <= 2;
    const options = { localWindowSize: [2, 5], isCausal: true } as const;
    expectClose(nn.dotProductAttention(q, k, v, options), attention(q, k, v, { sees: both }));
  });

  it("sees by masks, and adds biases, that broadcast", () => {
    const mask = drawn([batch, 1, queries, keys], random);
    const visible = np.greater(mask, -0.7);
    const m = visible.tolist() as unknown as boolean[][][][];
    const bias = drawn([heads, 1, keys], random);
    const bs = bias.tolist() as number[][][];
    const settings = {
      sees: (b: number, _: number, t: number, s: number) => m[b][0][t][s],
      bias: (_: number, h: number, __: number, s: number) => bs[h][0][s],
    };
    expectClose(nn.dotProductAttention(q, k, v, { mask: visible, bias }), attention(q, k, v, settings));
  });

  it("a query that sees nothing gets the average, and spoils no derivative", () => {
    const mask = np.array([true, true, false, true]).reshape(1, 1, queries, 1);
    const sees: Sees = (_, __, t) => t !== 2;
    expectClose(nn.dotProductAttention(q, k, v, { mask }), attention(q, k, v, { sees }));
    const f = (x: NDArray) => np.sum(np.square(nn.dotProductAttention(x, k, v, { mask })));
    const gradient = grad(f)(q).tolist() as Nested4;
    expect(gradient[0][2].flat()).toEqual(new Array(heads * depth).fill(0));
    expect(gradient.flat(3).every(Number.isFinite)).toBe(true);
  });

  it("counts lengths of sequences", () => {
    const [queryLengths, keyLengths] = [
      [3, 4],
      [5, 2],
    ];
    const y = nn.dotProductAttention(q, k, v, {
      querySeqLengths: i32(queryLengths),
      keyValueSeqLengths: i32(keyLengths),
    });
    const wanted = attention(q, k, v, { sees: (b, _, __, s) => s < keyLengths[b] });
    expectClose(
      y,
      wanted.map((example, b) =>
        example.map((rows, t) => (t < queryLengths[b] ? rows : rows.map((r) => r.map(() => 0)))),
      ),
    );
  });

  it("shares heads of keys and values", () => {
    const [k2, v2] = [drawn([batch, keys, 2, depth], random), drawn([batch, keys, 2, 2], random)];
    expectClose(nn.dotProductAttention(q, k2, v2), attention(q, k2, v2, { group: 2 }));
    const [k1, v1] = [drawn([batch, keys, 1, depth], random), drawn([batch, keys, 1, 2], random)];
    expectClose(nn.dotProductAttention(q, k1, v1), attention(q, k1, v1, { group: 4 }));
  });

  it("goes without a batch axis, under jit and vmap", () => {
    const whole = nn.dotProductAttention(q, k, v, { isCausal: true });
    const one = (a: NDArray, b: NDArray, c: NDArray) => nn.dotProductAttention(a, b, c, { isCausal: true });
    expectClose(vmap(one)(q, k, v), whole.tolist());
    expectClose(jit(one)(q.slice(1), k.slice(1), v.slice(1)), whole.slice(1).tolist());
  });

  it("has derivatives", () => {
    checkDerivatives((x) => nn.dotProductAttention(x, k, v, { isCausal: true }), q);
    checkDerivatives((x) => nn.dotProductAttention(q, x, v), k);
    checkDerivatives((x) => nn.dotProductAttention(q, k, x), v);
    const bias = drawn([1, heads, queries, keys], random);
    checkDerivatives((x) => nn.dotProductAttention(q, k, v, { bias: x }), bias);
  });

  it("makes its scores of half precision in single precision", () => {
    const [a, b, c] = [q, k, v].map((x) => x.astype("float16"));
    const large = np.multiply(a, 100);
    const y = nn.dotProductAttention(large, np.multiply(b, 100), c, { scale: 1e-4 });
    expect(y.dtype).toBe("float16");
    expectClose(y.astype("float64"), attention(q, k, v, { scale: 1 }), 5e-3);
  });

  it.each([
    [
      "two axes",
      () => nn.dotProductAttention(np.ones([2, 2]), np.ones([2, 2]), np.ones([2, 2])),
      "float32[2,2]",
    ],
    ["mixed ranks", () => nn.dotProductAttention(q, k.slice(0), v), "float64[5,4,3]"],
    ["other depths", () => nn.dotProductAttention(q, v, v), "do not fit together"],
    ["fewer values than keys", () => nn.dotProductAttention(q, k, v.slice(":", "1:")), "do not fit together"],
    [
      "three heads for four",
      () => nn.dotProductAttention(q, k.slice(":", ":", "1:"), v.slice(":", ":", "1:")),
      "3 heads",
    ],
    ["a bias that does not fit", () => nn.dotProductAttention(q, k, v, { bias: np.ones([3]) }), "bias"],
    [
      "too large a mask",
      () => nn.dotProductAttention(q, k, v, { mask: np.ones([1, 2, 4, 4, 5], "bool") }),
      "mask",
    ],
    [
      "lengths of another batch",
      () => nn.dotProductAttention(q, k, v, { keyValueSeqLengths: i32([1]) }),
      "int32[2]",
    ],
  ])("refuses %s", (_, call, text) => {
    expectError(call, ShapeError, "shape", "nn.dotProductAttention", text);
  });

  it("refuses dtypes and options that do not fit", () => {
    expectError(
      () => nn.dotProductAttention(q, k, v.astype("float32")),
      DtypeError,
      "dtype",
      "float32[2,5,4,2]",
    );
    const whole = [q, k, v].map((x) => x.astype("int32"));
    expectError(() => nn.dotProductAttention(whole[0], whole[1], whole[2]), DtypeError, "dtype", "int32");
    expectError(
      () => nn.dotProductAttention(q, k, v, { mask: i32(1) }),
      DtypeError,
      "dtype",
      "mask must be bool",
    );
    expectError(
      () => nn.dotProductAttention(q, k, v, { localWindowSize: 0.5 }),
      ArgumentError,
      "argument",
      "0.5",
    );
  });
});
