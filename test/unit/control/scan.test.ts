/** lax.scan as a user sees it: the loop it stands for, trees, types, batches, and what it refuses. */
import { grad, jit, lax, makeJaxpr, type NDArray, numpy as np, vmap } from "fluxion";
import { describe, expect, it } from "vitest";
import { errorOf, expectClose, f32, f64, i32, plain, describe as typeOf } from "../values.js";

/** The error of a call, whose code is checked. */
function expectCode(call: () => unknown, code: string) {
  const error = errorOf(call);
  expect(error.code, error.message).toBe(code);
  return error;
}

const numbersTo = (n: number): number[] => Array.from({ length: n }, (_, i) => Math.sin(3 * i + 1));

/** The loop that scan stands for, on plain numbers. */
function loop<C, X, Y>(f: (c: C, x: X) => [C, Y], init: C, xs: readonly X[], reverse = false): [C, Y[]] {
  let carry = init;
  const ys: Y[] = [];
  for (let step = 0; step < xs.length; step++) {
    const at = reverse ? xs.length - 1 - step : step;
    [carry, ys[at]] = f(carry, xs[at]);
  }
  return [carry, ys];
}

const cell = (c: NDArray, x: NDArray): [NDArray, NDArray] => {
  const next = np.multiply(np.sin(c), x).add(0.5);
  return [next, np.multiply(next, c)];
};
const cellOfNumbers = (c: number, x: number): [number, number] => {
  const next = Math.sin(c) * x + 0.5;
  return [next, next * c];
};

describe("scan is a loop", () => {
  it.each([
    [0, false, 1],
    [1, false, 1],
    [7, false, 1],
    [7, true, 1],
    [7, false, 3],
    [7, true, 3],
    [8, true, 4],
    [3, false, 10],
    [0, true, 2],
  ])("of %i steps, reverse %s, unroll %i", (n, reverse, unroll) => {
    const xs = numbersTo(n);
    const wanted = loop(cellOfNumbers, 0.25, xs, reverse);
    const run = (c: NDArray, all: NDArray) => lax.scan(cell, c, all, { reverse, unroll });
    const given = [f64(0.25), np.reshape(f64(xs), [n])] as const;
    const eager = run(...given);
    expectClose(eager, wanted, 1e-14);
    // Compiled, written out or not, it is the same to the last bit.
    const compiled = [1, unroll].map((u) =>
      plain(jit((c: NDArray, x: NDArray) => lax.scan(cell, c, x, { reverse, unroll: u }))(...given)),
    );
    expect(compiled[1]).toEqual(compiled[0]);
    expectClose(compiled[0], wanted, 1e-14);
  });

  it("goes through trees, and gives trees", () => {
    const step = ({ p, n }: { p: NDArray; n: NDArray }, [a, { b }]: [NDArray, { b: NDArray }]) =>
      [
        { p: p.add(a.mul(b)), n: n.add(1) },
        { sum: p, pair: [a, n] as const },
      ] as const;
    const xs: [NDArray, { b: NDArray }] = [f64([1, 2, 3]), { b: f64([10, 20, 30]) }];
    const [carry, ys] = lax.scan(step, { p: f64(0), n: i32(5) }, xs);
    expect(plain(carry)).toEqual({ p: 140, n: 8 });
    expect(plain(ys)).toEqual({
      sum: [0, 10, 50],
      pair: [
        [1, 2, 3],
        [5, 6, 7],
      ],
    });
  });

  it("needs no arrays with a length, and no results", () => {
    const [carry, ys] = lax.scan((c) => [c.mul(2), null], 1, null, { length: 10 });
    expect(carry.item()).toBe(1024);
    expect(ys).toBeNull();
    expect(plain(lax.scan((c) => [c, c.mul(c)], i32(3), null, { length: 3 })[1])).toEqual([9, 9, 9]);
  });

  it("needs no carry", () => {
    expect(plain(lax.scan((_, x) => [null, x.mul(x)], null, f64([1, 2, 3])))).toEqual([null, [1, 4, 9]]);
  });

  it("closes over arrays and outer tracers", () => {
    const w = f64([
      [1, 2],
      [3, 4],
    ]);
    const f = (s: NDArray) =>
      lax.scan((h) => [np.matmul(w, h).mul(s), null], f64([1, 1]), null, { length: 2 })[0];
    expect(plain(f(f64(1)))).toEqual([17, 37]);
    expect(plain(jit(f)(f64(2)))).toEqual([68, 148]);
  });

  it("of length 0 gives the first carry and results of length 0, of the right types", () => {
    const run = () => lax.scan((c, x) => [c.add(x.sum()), x.mul(2)], f64(7), np.zeros([0, 3], "float64"));
    for (const [carry, ys] of [run(), jit(run)()]) {
      expect(carry.item()).toBe(7);
      expect(typeOf(ys)).toBe("float64[0,3]");
    }
  });

  it("in a scan", () => {
    const inner = (row: NDArray, c: NDArray) => lax.scan((s, x) => [s.add(x.mul(c)), s], f64(0), row);
    const f = (m: NDArray) =>
      lax.scan(
        (c, row) => {
          const [s, all] = inner(row, c);
          return [c.add(s), all];
        },
        f64(1),
        m,
      );
    const m = [
      [1, 2],
      [3, 4],
      [5, 6],
    ];
    const wanted = loop(
      (c: number, row: number[]) => {
        const [s, all] = loop((t: number, x: number) => [t + x * c, t], 0, row);
        return [c + s, all];
      },
      1,
      m,
    );
    for (const result of [f(f64(m)), jit(f)(f64(m))]) expect(plain(result)).toEqual(wanted);
  });

  it("does not let results share memory with what it was given", () => {
    const x = f64([1, 2]);
    const [carry] = lax.scan((c) => [c, null], x, null, { length: 3 });
    carry.dispose();
    expect(plain(x)).toEqual([1, 2]);
  });
});

describe("types of the carry", () => {
  it("a number takes the dtype that the body gives", () => {
    const [carry, ys] = lax.scan((c, x) => [c.add(x), c], 0, f64([0.5, 1.5]));
    expect([typeOf(carry), typeOf(ys)]).toEqual(["float64[]", "float64[2]"]);
    expect(plain(ys)).toEqual([0, 0.5]);
  });

  it("a number that becomes a fraction becomes a float, still weak", () => {
    const [carry] = lax.scan((c) => [c.mul(0.5), null], 1, null, { length: 3 });
    expect(typeOf(carry)).toBe("~float32[]");
    expect(carry.item()).toBe(0.125);
  });

  it("one number after the other, where one takes its type from the other", () => {
    const [carry] = lax.scan(([a, b], x) => [[b.mul(1), a.add(x)], null], [0, 0], np.ones([5], "float16"));
    expect(carry.map(typeOf)).toEqual(["float16[]", "float16[]"]);
    expect(carry.map((c) => c.item())).toEqual([2, 3]);
  });

  it("a number that the body gives takes the dtype of the carry", () => {
    const [carry, ys] = lax.scan((c) => [0, c], f32(2), null, { length: 2 });
    expect([typeOf(carry), typeOf(ys)]).toEqual(["float32[]", "float32[2]"]);
    expect(plain([carry, ys])).toEqual([0, [2, 0]]);
  });

  it("keeps float16 and unsigned integers", () => {
    expect(typeOf(lax.scan((c) => [c.mul(2.5), null], np.ones([2], "float16"), null, { length: 2 })[0])).toBe(
      "float16[2]",
    );
    const [wrapped] = lax.scan(
      (c, x) => [c.mul(x), null],
      np.array(3, "uint32"),
      np.array([4e9, 7], "uint32"),
    );
    expect(wrapped.item()).toBe(Number((((3n * 4_000_000_000n) % 2n ** 32n) * 7n) % 2n ** 32n));
  });
});

describe("vmap of scan", () => {
  const rows = [
    [0.1, 0.2, 0.3],
    [-0.4, 0.5, 2],
  ];
  const weights = [0.5, -1.5];
  const inits = [1, 2];
  const f = (w: NDArray, c: NDArray, xs: NDArray) =>
    lax.scan((h, x) => [np.sin(h.mul(w)).add(x), h.mul(x)], c, xs);
  const scalar = (w: number, c: number, xs: number[]) =>
    loop((h: number, x: number) => [Math.sin(h * w) + x, h * x], c, xs);

  it.each([
    ["all", [0, 0, 0]],
    ["constants only", [0, null, null]],
    ["the first carry only", [null, 0, null]],
    ["the arrays only", [null, null, 0]],
  ] as const)("over %s", (_, inAxes) => {
    const one = <T>(list: readonly T[], i: number, axis: number | null): T => list[axis === null ? 0 : i];
    const given = [f64(weights), f64(inits), f64(rows)].map((x, k) =>
      inAxes[k] === null ? x.at(0).get() : x,
    );
    const wanted = [0, 1].map((i) =>
      scalar(one(weights, i, inAxes[0]), one(inits, i, inAxes[1]), one(rows, i, inAxes[2])),
    );
    const mapped = vmap(f, { inAxes: [...inAxes] as [0, 0, 0] });
    for (const run of [mapped, jit(mapped)]) {
      const [carry, ys] = run(given[0], given[1], given[2]);
      expectClose(
        carry,
        wanted.map(([c]) => c),
        1e-14,
      );
      expectClose(
        ys,
        wanted.map(([, y]) => y),
        1e-14,
      );
    }
  });

  it("leaves a carry alone that does not depend on the batch", () => {
    const g = (x: NDArray) =>
      lax.scan(([i, h]) => [[i.add(1), h.mul(x)], i], [i32(0), f64(1)], null, { length: 3 });
    const { jaxpr } = makeJaxpr(vmap(g))(f64([2, 3]));
    const scan = jaxpr.eqns.find((eqn) => eqn.primitive.name === "scan");
    expect(scan?.outputs.map((v) => v.aval.shape)).toEqual([[], [2], [3]]);
    expect(plain(vmap(g)(f64([2, 3])))).toEqual([
      [
        [3, 3],
        [8, 27],
      ],
      [
        [0, 1, 2],
        [0, 1, 2],
      ],
    ]);
  });

  it("of vmap, and of a gradient", () => {
    const total = (w: NDArray) => f(w, f64(1), f64(rows[1]))[0];
    const grid = f64([
      [0.5, 1],
      [1.5, 2],
    ]);
    expectClose(
      vmap(vmap(grad(total)))(grid),
      [
        [0.5, 1],
        [1.5, 2],
      ].map((row) => row.map((w) => grad(total)(f64(w)).item())),
      1e-13,
    );
  });
});

describe("what scan refuses", () => {
  const xs = f64([1, 2, 3]);
  it("a carry of another shape, with the path and both types", () => {
    const error = expectCode(
      () =>
        lax.scan((c: { h: NDArray }, x) => [{ h: np.stack([c.h, x]) as NDArray }, null], { h: f64(0) }, xs),
      "shape",
    );
    expect(error.message).toContain("at .h");
    expect(error.message).toContain("float64[]");
    expect(error.message).toContain("float64[2]");
  });

  it("a carry of another dtype", () => {
    const error = expectCode(() => lax.scan((c, x) => [c.add(x), null], i32(0), xs), "dtype");
    expect(error.message).toContain("int32[]");
    expect(error.message).toContain("float64[]");
    expectCode(() => lax.scan((c) => [c.mul(0.5), null], i32(1), null, { length: 1 }), "dtype");
  });

  it("a carry of another structure", () => {
    const error = expectCode(
      () => lax.scan((([a, b]: NDArray[]) => [{ a, b }, null]) as never, [f64(0), f64(1)] as never, xs),
      "tree-mismatch",
    );
    expect(error.message).toContain("[*, *]");
    expect(error.message).toContain("{a: *, b: *}");
  });

  it("a body that does not give [carry, y]", () => {
    expect(
      expectCode(() => lax.scan(((c: NDArray) => c) as never, f64(0), xs), "argument").message,
    ).toContain("must return [carry, y], got an array (float64[])");
    expectCode(() => lax.scan((() => undefined) as never, f64(0), xs), "argument");
    expectCode(() => lax.scan(((c: NDArray) => [c]) as never, f64(0), xs), "argument");
    expectCode(() => lax.scan((async (c: NDArray) => [c, null]) as never, f64(0), xs), "argument");
  });

  it("arrays of different lengths, without axes, or none", () => {
    const f = (c: NDArray) => [c, null] as const;
    const error = expectCode(() => lax.scan(f, f64(0), { a: xs, b: f64([1, 2]) }), "shape");
    expect(error.message).toContain(".a (float64[3]) has 3");
    expect(error.message).toContain(".b (float64[2]) has 2");
    expectCode(() => lax.scan(f, f64(0), [xs, f64(1)]), "shape");
    expectCode(() => lax.scan(f, f64(0), 3), "shape");
    expectCode(() => lax.scan(f, f64(0), null), "argument");
    expect(expectCode(() => lax.scan(f, f64(0), xs, { length: 4 }), "shape").message).toContain(
      "length has 4",
    );
  });

  it.each([
    [{ length: -1 }, "length"],
    [{ length: 1.5 }, "length"],
    [{ unroll: 0 }, "unroll"],
    [{ unroll: -2 }, "unroll"],
    [{ unroll: 1.5 }, "unroll"],
    [{ reverse: 1 }, "reverse"],
    [{ backwards: true }, "backwards"],
  ])("the options %o", (options, what) => {
    const error = expectCode(() => lax.scan((c) => [c, null], f64(0), null, options as never), "argument");
    expect(error.message).toContain(what);
  });

  it("what is no function", () => {
    expectCode(() => lax.scan(3 as never, f64(0), xs), "argument");
  });

  it("a tracer that has left the body", () => {
    let leaked: NDArray | undefined;
    lax.scan(
      (c) => {
        leaked = c;
        return [c, null];
      },
      f64(0),
      xs,
    );
    expectCode(() => leaked?.add(1), "leaked-tracer");
  });

  it("to ask for a value inside", () => {
    expectCode(
      () =>
        grad(
          (x: NDArray) =>
            lax.scan((c) => [(c.item() as number) > 0 ? c : c.neg(), null], x, null, { length: 1 })[0],
        )(f64(1)),
      "concretization",
    );
  });
});
