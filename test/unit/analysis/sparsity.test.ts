/** Patterns of Jacobians: exactly those that can be written down by hand. */
import {
  checkpoint,
  customJvp,
  jit,
  lax,
  type NDArray,
  nn,
  numpy as np,
  ShapeDtype,
  stopGradient,
  vmap,
} from "fluxion";
import { type SparsityPattern, sparsity } from "fluxion/analysis";
import { describe, expect, it } from "vitest";

const of = (...shape: number[]): ShapeDtype => new ShapeDtype(shape);

/** The rows of a pattern, without spaces. */
const rowsOf = (pattern: SparsityPattern): string[] =>
  Array.from({ length: pattern.rows }, (_, i) =>
    Array.from({ length: pattern.columns }, (_, j) => (pattern.has(i, j) ? "×" : "·")).join(""),
  );

const rows = (f: (x: NDArray) => NDArray, ...shape: number[]): string[] => rowsOf(sparsity(f, of(...shape)));

const blocks = (count: number, size: number): string[] =>
  Array.from({ length: count * size }, (_, i) =>
    Array.from({ length: count * size }, (_, j) =>
      Math.floor(i / size) === Math.floor(j / size) ? "×" : "·",
    ).join(""),
  );

const diagonal = (n: number): string[] => blocks(n, 1);
const lower = (n: number): string[] =>
  Array.from({ length: n }, (_, i) => "×".repeat(i + 1) + "·".repeat(n - i - 1));

describe("elements", () => {
  it("depend on those in the same place", () => {
    expect(rows((x) => np.sin(x).mul(x).add(1), 4)).toEqual(diagonal(4));
    expect(rows((x) => x.astype("float64").div(2).neg(), 3)).toEqual(diagonal(3));
    expect(rows((x) => np.maximum(x, 0), 3)).toEqual(diagonal(3));
  });

  it("depend on scalars that they are combined with", () => {
    const patterns = sparsity((x: NDArray, s: NDArray) => x.mul(s), of(3), of(), { argnums: [0, 1] });
    const [byVector, byScalar] = patterns as unknown as SparsityPattern[];
    expect(rowsOf(byVector)).toEqual(diagonal(3));
    expect(rowsOf(byScalar)).toEqual(["×", "×", "×"]);
  });

  it("depend on nothing where no derivative goes through", () => {
    for (const f of [
      (x: NDArray) => stopGradient(x).mul(2),
      (x: NDArray) => np.floor(x),
      (x: NDArray) => x.greater(0).astype("float32"),
      (x: NDArray) => x.astype("int32").astype("float32"),
      (_: NDArray) => np.ones([3]),
    ])
      expect(sparsity(f, of(3)).nonzeros).toBe(0);
  });

  it("depend only where a mask that is known lets them", () => {
    const mask = np.array([true, false, true]);
    expect(rows((x) => np.where(mask, x, 0), 3)).toEqual(["×··", "···", "··×"]);
    expect(rows((x) => np.where(mask, x, x.sum()), 3)).toEqual(["×··", "×××", "··×"]);
    expect(rows((x) => x.mul(np.array([0, 2, 0])), 3)).toEqual(["···", "·×·", "···"]);
    expect(rows((x) => x.mul(0), 3)).toEqual(["···", "···", "···"]);
    // Where it depends on the input both sides count.
    expect(rows((x) => np.where(x.greater(0), x, np.flip(x)), 2)).toEqual(["××", "××"]);
    expect(rows((x) => np.triu(x.mul(x)), 2, 2)).toEqual(["×···", "·×··", "····", "···×"]);
  });
});

describe("movements", () => {
  it("take each element from its place", () => {
    expect(rows((x) => np.flip(x), 3)).toEqual(["··×", "·×·", "×··"]);
    expect(rows((x) => x.transpose(), 2, 2)).toEqual(["×···", "··×·", "·×··", "···×"]);
    expect(rows((x) => x.reshape([4]), 2, 2)).toEqual(diagonal(4));
    expect(rows((x) => np.concatenate([x.slice("1:"), x.slice(":1")]), 3)).toEqual(["·×·", "··×", "×··"]);
    expect(rows((x) => np.pad(x, [1, 0]), 2)).toEqual(["··", "×·", "·×"]);
    expect(rows((x) => np.tile(x, 2), 2)).toEqual(["×·", "·×", "×·", "·×"]);
    expect(rows((x) => np.broadcastTo(x, [2, 2]), 2)).toEqual(["×·", "·×", "×·", "·×"]);
  });

  it("make a tridiagonal matrix of differences, by slices and by roll", () => {
    const inner = (x: NDArray) => x.slice("2:").sub(x.slice("1:-1").mul(2)).add(x.slice(":-2"));
    expect(rows(inner, 5)).toEqual(["×××··", "·×××·", "··×××"]);
    const periodic = (x: NDArray) => np.roll(x, 1).add(np.roll(x, -1)).sub(x.mul(x));
    expect(rows(periodic, 5)).toEqual(["××··×", "×××··", "·×××·", "··×××", "×··××"]);
  });

  it("gather from places that are known", () => {
    const places = np.array([3, 0, 3], "int32");
    expect(rows((x) => np.take(x, places), 4)).toEqual(["···×", "×···", "···×"]);
    expect(rows((x) => jit((y: NDArray) => np.take(y, places))(x), 4)).toEqual(["···×", "×···", "···×"]);
    expect(rows((x) => checkpoint((y: NDArray) => np.sin(np.take(y, places)))(x), 4)).toEqual([
      "···×",
      "×···",
      "···×",
    ]);
    // What is made of them is known too.
    expect(rows((x) => np.take(x, np.mod(places.add(1), 4)), 4)).toEqual(["×···", "·×··", "×···"]);
  });

  it("gather from anywhere along an axis where the places are not known", () => {
    const f = (x: NDArray, i: NDArray) => np.take(x, i, 1);
    expect(rowsOf(sparsity(f, of(2, 2), new ShapeDtype([1], "int32")))).toEqual(["××··", "··××"]);
    const g = (x: NDArray, i: NDArray) => lax.dynamicSlice(x, [1, i], [1, 2]);
    expect(rowsOf(sparsity(g, of(2, 3), new ShapeDtype([], "int32")))).toEqual(["···×××", "···×××"]);
  });

  it("scatter to places that are known, and to others", () => {
    const set = (x: NDArray, y: NDArray) => x.at([1]).set(y);
    const [kept, written] = sparsity(set, of(3), of(), { argnums: [0, 1] }) as unknown as SparsityPattern[];
    expect(rowsOf(kept)).toEqual(["×··", "···", "··×"]);
    expect(rowsOf(written)).toEqual(["·", "×", "·"]);
    const places = np.array([[2], [0]], "int32");
    const options = { updateWindowDims: [], insertedWindowDims: [0], scatterDimsToOperandDims: [0] };
    expect(rows((u) => lax.scatterAdd(np.zeros([3]), places, u, options), 2)).toEqual(["·×", "··", "×·"]);
    const anywhere = (u: NDArray, i: NDArray) => lax.scatterAdd(np.zeros([3]), i, u, options);
    expect(rowsOf(sparsity(anywhere, of(2), new ShapeDtype([2, 1], "int32")))).toEqual(["××", "××", "××"]);
    const update = (x: NDArray) => lax.dynamicUpdateSlice(np.zeros([4]), x, [1]);
    expect(rows(update, 2)).toEqual(["··", "×·", "·×", "··"]);
  });

  it("sort rows of a matrix, each by itself", () => {
    expect(rows((x) => np.sort(x, 1), 2, 2)).toEqual(blocks(2, 2));
    expect(rows((x) => lax.topK(x, 1)[0], 2, 2)).toEqual(["××··", "··××"]);
  });
});

describe("sums", () => {
  it("depend on what they sum", () => {
    expect(rows((x) => x.sum(), 3)).toEqual(["×××"]);
    expect(rows((x) => x.sum(0), 2, 2)).toEqual(["×·×·", "·×·×"]);
    expect(rows((x) => np.max(x, 1), 2, 2)).toEqual(["××··", "··××"]);
    expect(rows((x) => nn.softmax(x), 2, 3)).toEqual(blocks(2, 3));
  });

  it("that run along an axis are triangular", () => {
    expect(rows((x) => np.cumsum(x), 4)).toEqual(lower(4));
    expect(rows((x) => np.cumprod(x), 4)).toEqual(lower(4));
    expect(rows((x) => lax.cumsum(x, { axis: 0, reverse: true }), 3)).toEqual(["×××", "·××", "··×"]);
    expect(rows((x) => np.cumsum(x, 1), 2, 2)).toEqual(["×···", "××··", "··×·", "··××"]);
  });

  it("of products leave out zeros of a matrix that is known", () => {
    const a = np.array([
      [1, 0, 2],
      [0, 0, 3],
    ]);
    expect(rows((x) => a.matmul(x), 3)).toEqual(["×·×", "··×"]);
    expect(rows((x) => np.matmul(np.tril(np.ones([4, 4])), x), 4)).toEqual(lower(4));
    // y = x aᵀ, row by row.
    expect(rows((x) => x.matmul(a.transpose()), 2, 3)).toEqual(["×·×···", "··×···", "···×·×", "·····×"]);
    expect(rows((x) => np.matmul(np.ones([2, 3]), x), 3)).toEqual(["×××", "×××"]);
  });

  it("of products over a batch are blocks", () => {
    const f = (m: NDArray, x: NDArray) => np.einsum("bij,bj->bi", m, x);
    const [byMatrix, byVector] = sparsity(f, of(2, 2, 2), of(2, 2), {
      argnums: [0, 1],
    }) as unknown as SparsityPattern[];
    expect(rowsOf(byMatrix)).toEqual(["××······", "··××····", "····××··", "······××"]);
    expect(rowsOf(byVector)).toEqual(blocks(2, 2));
    expect(
      rows(
        vmap((x: NDArray) => x.mul(x.sum())),
        3,
        2,
      ),
    ).toEqual(blocks(3, 2));
  });
});

describe("convolutions", () => {
  it("in one dimension are bands, without the window's zeros", () => {
    const stencil = (w: number[]) => (x: NDArray) => np.convolve(x, np.array(w), "same");
    expect(rows(stencil([1, -2, 1]), 4)).toEqual(["××··", "×××·", "·×××", "··××"]);
    expect(rows(stencil([1, 0, -1]), 4)).toEqual(["·×··", "×·×·", "·×·×", "··×·"]);
  });

  it("in two dimensions are stencils", () => {
    const laplace = np
      .array([
        [0, 1, 0],
        [1, -4, 1],
        [0, 1, 0],
      ])
      .reshape([1, 1, 3, 3]);
    const f = (x: NDArray) => lax.convWithGeneralPadding(x.reshape([1, 1, 3, 3]), laplace, [1, 1], "SAME");
    expect(rows(f, 3, 3)).toEqual([
      "××·×·····",
      "×××·×····",
      "·××··×···",
      "×··××·×··",
      "·×·×××·×·",
      "··×·××··×",
      "···×··××·",
      "····×·×××",
      "·····×·××",
    ]);
  });

  it("depend on the window where it meets the image", () => {
    const f = (w: NDArray) =>
      lax.convWithGeneralPadding(np.ones([1, 1, 3]), w.reshape([1, 1, 2]), [1], [[1, 0]]);
    expect(rows(f, 2)).toEqual(["·×", "××", "××"]);
  });

  it("keep groups of features apart", () => {
    const f = (x: NDArray) =>
      lax.convGeneralDilated(x.reshape([1, 4, 1]), np.ones([2, 2, 1]), {
        windowStrides: [1],
        padding: [[0, 0]],
        featureGroupCount: 2,
      });
    expect(rows(f, 4)).toEqual(["××··", "··××"]);
  });
});

describe("control flow", () => {
  it("scans step by step", () => {
    const recurrence = (x: NDArray) =>
      lax.scan((c: NDArray, a: NDArray) => [np.tanh(c.add(a)), c], np.array(0), x)[1];
    expect(rows(recurrence, 4)).toEqual(["····", "×···", "××··", "×××·"]);
    const apart = (x: NDArray) => lax.scan((c: NDArray, a: NDArray) => [c, np.sin(a)], np.array(0), x)[1];
    expect(rows(apart, 3)).toEqual(diagonal(3));
    // Each step of a heat equation widens the band by one on both sides.
    const heat = (x: NDArray) =>
      lax.foriLoop(
        0,
        2,
        (_: NDArray, y: NDArray) => y.add(np.roll(y, 1).sub(y.mul(2)).add(np.roll(y, -1)).mul(0.1)),
        x,
      );
    const pattern = sparsity(heat, of(9));
    expect(pattern.nonzeros).toBe(45);
    expect(pattern.has(4, 2)).toBe(true);
    expect(pattern.has(4, 1)).toBe(false);
  });

  it("scans with places that differ from step to step", () => {
    const f = (x: NDArray) =>
      lax.scan(
        (c: NDArray, i: NDArray) => [c, lax.dynamicSlice(x, [i], [1])],
        np.array(0),
        np.array([2, 0], "int32"),
      )[1];
    expect(rows(f, 3)).toEqual(["··×", "×··"]);
  });

  it("scans many steps by what any number of them can reach", () => {
    const steps = (x: NDArray) =>
      lax.scan((c: NDArray, a: NDArray) => [np.tanh(c.add(a)), np.sin(a)], np.zeros([2]), x)[1];
    const pattern = sparsity(steps, of(20_000, 2));
    expect(pattern.nonzeros).toBe(40_000);
  });

  it("joins the branches of a cond", () => {
    const f = (x: NDArray) =>
      lax.cond(
        x.sum().greater(0),
        (y: NDArray) => np.flip(y),
        (y: NDArray) => y.mul(2),
        x,
      );
    expect(rows(f, 3)).toEqual(["×·×", "·×·", "×·×"]);
  });

  it("takes what any number of steps of a while loop can reach", () => {
    const f = (x: NDArray) =>
      lax.whileLoop(
        (y: NDArray) => y.sum().less(10),
        (y: NDArray) => np.pad(y.slice(":-1"), [1, 0]).mul(2).add(y),
        x,
      );
    expect(rows(f, 4)).toEqual(lower(4));
  });

  it("goes into calls and rules of users", () => {
    const f = customJvp(
      (x: NDArray) => np.flip(x),
      ([x], [t]) => [np.flip(x), np.flip(t)],
    );
    expect(rows((x) => jit(f)(x), 3)).toEqual(["··×", "·×·", "×··"]);
  });

  it("solves linear equations block by block", () => {
    const a = np.array([
      [2, 1, 0],
      [0, 3, 0],
      [0, 0, 4],
    ]);
    const f = (b: NDArray) =>
      lax.customLinearSolve(
        (x: NDArray) => a.matmul(x),
        b,
        (_: unknown, y: NDArray) => y,
      );
    expect(rows(f as never, 3)).toEqual(["××·", "·×·", "··×"]);
  });
});

describe("arguments and results", () => {
  const f = ({ w, b }: { w: NDArray; b: NDArray }, x: NDArray) => ({ y: w.mul(x).add(b), s: [b.sum()] });
  const params = { w: of(2), b: of(2) };

  it("are trees", () => {
    const patterns = sparsity(f, params, of(2));
    expect(rowsOf(patterns.y.w)).toEqual(diagonal(2));
    expect(rowsOf(patterns.y.b)).toEqual(diagonal(2));
    expect(rowsOf(patterns.s[0].w)).toEqual(["··"]);
    expect(rowsOf(patterns.s[0].b)).toEqual(["××"]);
  });

  it("are chosen by argnums, in the order given", () => {
    const patterns = sparsity(f, params, of(2), { argnums: [1, 0] }) as unknown as {
      y: [SparsityPattern, { w: SparsityPattern }];
    };
    expect(rowsOf(patterns.y[0])).toEqual(diagonal(2));
    expect(rowsOf(patterns.y[1].w)).toEqual(diagonal(2));
  });

  it("may be arrays and numbers, of which only types are looked at", () => {
    expect(rowsOf(sparsity((x: NDArray) => x.mul(x), np.array([0, 0])))).toEqual(diagonal(2));
    expect(sparsity((x: NDArray | number) => np.sin(x), 3).nonzeros).toBe(1);
  });

  it("must be floats", () => {
    const g = (x: NDArray, i: NDArray) => np.take(x, i);
    expect(() => sparsity(g, of(3), new ShapeDtype([2], "int32"), { argnums: 1 })).toThrow(
      /argument 1 of sparsity\(g\) is int32\[2\]; integers and booleans have no derivative/,
    );
    expect(() => sparsity((x: NDArray) => np.argmax(x), of(3))).toThrow(/no derivative/);
    expect(() => sparsity(g, of(3), new ShapeDtype([2], "int32"), { argnum: 1 } as never)).toThrow(
      /no option "argnum"; the options are argnums/,
    );
    expect(() => (sparsity as (f: unknown) => unknown)(3)).toThrow(/sparsity takes a function, got number/);
  });

  it("may have a traced array among what the function closes over", () => {
    const given = jit((i: NDArray) => {
      expect(rows((x) => np.take(x, i), 3)).toEqual(["×××"]);
      return i;
    });
    given(np.array([1], "int32"));
  });
});

describe("large patterns", () => {
  it("are found without n² work", () => {
    const periodic = (x: NDArray) => np.roll(x, 1).add(np.roll(x, -1)).sub(x.mul(2));
    expect(sparsity(periodic, of(100_000)).nonzeros).toBe(300_000);
    expect(sparsity((x: NDArray) => np.sin(x).mul(x).sum(), of(1_000_000)).nonzeros).toBe(1_000_000);
  });

  it("may have eight entries for each element of a large function", () => {
    const stencil = (x: NDArray) =>
      [1, 2, 3].reduce((sum, k) => sum.add(np.roll(x, k)).add(np.roll(x, -k)), x);
    const pattern = sparsity(stencil, of(700_000));
    expect(pattern.isFull).toBe(false);
    expect(pattern.nonzeros).toBe(4_900_000);
  });

  it("are full where they would have too many entries", () => {
    const pattern = sparsity((x: NDArray) => np.cumsum(x), of(10_000));
    expect(pattern.isFull).toBe(true);
    expect(pattern.nonzeros).toBe(1e8);
    // Lines of their own stay apart.
    expect(sparsity((x: NDArray) => np.cumsum(x, 1), of(10_000, 20)).nonzeros).toBe(10_000 * 210);
  });
});
