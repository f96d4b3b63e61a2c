/** What the transforms make of scans, as programs: how many there are, what they store, and what they cost. */
import {
  countEqns,
  debug,
  type Eqn,
  grad,
  type Jaxpr,
  jaxprCost,
  jit,
  lax,
  linearize,
  makeJaxpr,
  type NDArray,
  numpy as np,
  Var,
  vjp,
} from "fluxion";
import { describe, expect, it, vi } from "vitest";
import { hoistInvariants } from "../../../src/primitives/control/hoist.js";
import { expectClose, f64, plain, primitiveNames } from "../values.js";

const shapesOf = (eqn: Eqn): string[] => eqn.outputs.map((v) => `[${v.aval.shape}]`);
const scansOf = (jaxpr: Jaxpr): Eqn[] => jaxpr.eqns.filter((eqn) => eqn.primitive.name === "scan");
const bodyOf = (eqn: Eqn): Jaxpr => eqn.params.jaxpr as Jaxpr;
const programOf = (f: (...args: never[]) => NDArray | readonly NDArray[], ...args: NDArray[]): Jaxpr =>
  makeJaxpr(f as (...args: NDArray[]) => NDArray)(...args).jaxpr;

/** The program of the gradient by all arguments. */
const gradient = (f: (...args: NDArray[]) => NDArray, ...args: NDArray[]): Jaxpr =>
  programOf(grad(f, { argnums: args.map((_, i) => i) }) as never, ...args);

const rnn =
  (length: number) =>
  (w: NDArray, h: NDArray, xs: NDArray): NDArray =>
    lax.scan((c, x) => [np.tanh(np.matmul(w, c).add(x)), null], h, xs, { length })[0].sum();

const sized = (length: number, n = 4) => [
  np.ones([n, n], "float64"),
  np.ones([n], "float64"),
  np.ones([length, n], "float64"),
];

describe("the gradient of a scan", () => {
  it("is one scan forwards and one back", () => {
    const scans = scansOf(gradient(rnn(10), ...sized(10)));
    expect(scans.map((eqn) => eqn.params.reverse)).toEqual([false, true]);
    expect(scans.map((eqn) => eqn.params.length)).toEqual([10, 10]);
    const backwards = (w: NDArray, h: NDArray, xs: NDArray) =>
      lax.scan((c, x) => [np.tanh(np.matmul(w, c).add(x)), null], h, xs, { reverse: true })[0].sum();
    expect(scansOf(gradient(backwards, ...sized(10))).map((eqn) => eqn.params.reverse)).toEqual([
      true,
      false,
    ]);
  });

  it("does not grow with the number of steps", () => {
    const sizes = [2, 10, 1000].map((n) => countEqns(gradient(rnn(n), ...sized(n))));
    expect(new Set(sizes).size).toBe(1);
    const second = [3, 300].map((n) =>
      countEqns(
        programOf(
          grad((h: NDArray) => grad((c: NDArray) => rnn(n)(sized(n)[0], c, sized(n)[2]))(h).sum()),
          sized(n)[1],
        ),
      ),
    );
    expect(new Set(second).size).toBe(1);
  });

  it("sums cotangents of constants in the carry, and stacks no constant", () => {
    const [forward, back] = scansOf(gradient(rnn(10), ...sized(10)));
    // The last carry; the carries that the matrix meets; the derivatives of tanh.
    expect(shapesOf(forward)).toEqual(["[4]", "[10,4]", "[10,4]"]);
    expect(back.params.carries).toBe(2);
    expect(shapesOf(back)).toEqual(["[4,4]", "[4]", "[10,4]"]);
  });

  it("does not stack a constant that has been moved: transposed, spread, or part of it taken", () => {
    const f = (w: NDArray, h: NDArray) =>
      lax
        .scan(
          (c, i) => {
            const spread = np.broadcastTo(w.at(0, 0).get(), [4]);
            return [
              np
                .matmul(w.T, c)
                .mul(spread)
                .mul(np.take(w, i, { axis: 0 })),
              null,
            ];
          },
          h,
          np.arange(6),
        )[0]
        .sum();
    const [forward] = scansOf(gradient(f, ...sized(1)));
    for (const v of forward.outputs) expect(v.aval.shape.length).toBeLessThanOrEqual(2);
    // Rows of the constant are found again by their number: what is stored are the carry and products with it.
    expect(shapesOf(forward).filter((s) => s === "[6,4]").length).toBeLessThanOrEqual(3);
  });

  it("computes work on constants once, before the loop", () => {
    const f = (w: NDArray, h: NDArray) =>
      lax.scan((c) => [np.matmul(np.sin(w), c), null], h, null, { length: 5 })[0].sum();
    const program = gradient(f, ...sized(1));
    const before = program.eqns.flatMap(({ primitive, params }) =>
      primitive.name === "jit" ? primitiveNames(params.jaxpr as Jaxpr) : [primitive.name],
    );
    expect(before.filter((name) => ["sin", "cos"].includes(name)).sort()).toEqual(["cos", "sin"]);
    const inLoops = scansOf(program).flatMap((eqn) => primitiveNames(bodyOf(eqn)));
    expect(inLoops).not.toContain("sin");
    expect(inLoops).not.toContain("cos");
    const [forward] = scansOf(program);
    expect(shapesOf(forward)).toEqual(["[4]", "[5,4]"]);
  });

  it("finds such work inside calls, and for a carry that never changes", () => {
    const scaled = jit((w: NDArray, c: NDArray) => np.exp(w).mul(np.cos(c)));
    const f = (w: NDArray) =>
      lax.scan(([k, c]: NDArray[]) => [[k, scaled(k, c)], null], [w, f64(0.1)], null, { length: 5 })[0][1];
    const [, push] = linearize(f, f64(0.3));
    const program = programOf(push as never, f64(1));
    for (const scan of scansOf(program)) expect(primitiveNames(bodyOf(scan))).not.toContain("exp");
    const forward = scansOf(gradient(f, f64(0.3)))[0];
    expect(primitiveNames(bodyOf(forward))).not.toContain("exp");
    const x = 0.3;
    const wanted = (() => {
      let [c, d] = [0.1, 0];
      for (let i = 0; i < 5; i++)
        [c, d] = [Math.exp(x) * Math.cos(c), Math.exp(x) * (Math.cos(c) - Math.sin(c) * d)];
      return d;
    })();
    expectClose(push(f64(1)), wanted, 1e-13);
    expectClose(grad(f)(f64(x)), wanted, 1e-13);
  });

  it("does not store what is in an array anyway", () => {
    // The derivative of c·x needs c and x: x is read again, and c is a result.
    const f = (h: NDArray, xs: NDArray) => {
      const [last, ys] = lax.scan((c, x) => [c.mul(x), c], h, xs);
      return last.add(ys.sum());
    };
    const [forward, back] = scansOf(gradient(f, f64(2), np.ones([7], "float64")));
    expect(shapesOf(forward)).toEqual(["[]", "[7]"]);
    // The carries, the entries that were read, and the cotangents of the results.
    expect(back.inputs.filter((a) => a.aval.shape.length === 1)).toHaveLength(3);
  });

  it("stores a value once that is used in several shapes", () => {
    const f = (h: NDArray) =>
      lax
        .scan(
          (c) => {
            const s = np.sin(c);
            return [
              np
                .reshape(s, [2, 2])
                .mul(np.reshape(c, [2, 2]))
                .mul(np.transpose(np.reshape(s, [2, 2])))
                .ravel(),
              null,
            ];
          },
          h,
          null,
          { length: 3 },
        )[0]
        .sum();
    const [forward] = scansOf(gradient(f, np.ones([4], "float64")));
    // The carry, its sine, its cosine, and a product.
    expect(
      forward.outputs
        .slice(1)
        .map((v) => v.aval.shape.slice(1).reduce((a, b) => a * b, 1))
        .reduce((a, b) => a + b, 0),
    ).toBeLessThanOrEqual(16);
  });

  it("runs what does not depend on tangents once: the linear part of sin is one multiplication", () => {
    const f = (x: NDArray) => lax.scan((c) => [np.sin(c), null], x, null, { length: 5 })[0];
    const [, push] = linearize(f, f64(0.3));
    const [scan] = scansOf(programOf(push as never, f64(1)));
    expect(primitiveNames(bodyOf(scan))).toEqual(["mul"]);
  });

  it("costs at most 3.5 times what the scan costs", () => {
    for (const n of [16, 64]) {
      const xs = np.ones([100, n], "float64");
      const f = (w: NDArray, u: NDArray, b: NDArray, h: NDArray) => {
        const step = (c: NDArray, x: NDArray) => {
          const next = np.tanh(np.matmul(w, c).add(np.matmul(u, x)).add(b));
          return [next, next] as const;
        };
        return lax.scan(step, h, xs)[1].sum();
      };
      const args = [
        np.ones([n, n], "float64"),
        np.ones([n, n], "float64"),
        np.ones([n], "float64"),
        np.ones([n], "float64"),
      ];
      const plainCost = jaxprCost(programOf(f as never, ...args)).operations;
      const factor = jaxprCost(gradient(f as never, ...args)).operations / plainCost;
      expect(factor).toBeLessThanOrEqual(3.5);
      expect(factor).toBeGreaterThan(1.5);
    }
  });
});

describe("what nobody needs", () => {
  it("a carry, with all that only it needs", () => {
    const f = (x: NDArray) => {
      const [[a], ys] = lax.scan(
        ([p, q, r]: NDArray[], s) => [
          [p.mul(s), np.sin(q).add(r), r.exp()],
          [p, q],
        ],
        [x, x, x],
        f64([1, 2, 3]),
      );
      return [a, ys[0]] as const;
    };
    const { jaxpr } = makeJaxpr((x: NDArray) => vjp((z: NDArray) => f(z)[0], x)[1](f64(1))[0])(f64(2));
    const scans = scansOf(jaxpr);
    for (const scan of scans) expect(primitiveNames(bodyOf(scan))).not.toContain("exp");
    expectClose(grad((x: NDArray) => f(x)[0])(f64(2)), 6);
  });

  it("but a carry stays if another needs it, however late", () => {
    const f = (x: NDArray) =>
      lax.scan(([, b, c]: NDArray[]) => [[b, c, c.mul(x)], null], [f64(0), f64(0), x], null, {
        length: 4,
      })[0][0];
    expectClose(grad(f)(f64(3)), 3 * 9, 1e-13);
  });
});

describe("effects in the body", () => {
  it("happen once for each step, in order, under every transform", () => {
    const lines: string[] = [];
    const log = vi.spyOn(console, "log").mockImplementation((line) => void lines.push(String(line)));
    try {
      const f = (x: NDArray) =>
        lax.scan(
          ([i, c]: NDArray[]) => {
            debug.print("step {}", i);
            return [[i.add(1), c.mul(x)], null];
          },
          [np.array(0, "int32"), f64(1)],
          null,
          { length: 3 },
        )[0][1];
      const wanted = ["step 0", "step 1", "step 2"];
      for (const run of [f, jit(f), grad(f), jit(grad(f)), grad(jit(f))]) {
        lines.length = 0;
        run(f64(2));
        expect(lines).toEqual(wanted);
      }
      // Nobody uses the result.
      lines.length = 0;
      jit((x: NDArray) => {
        f(x);
        return x;
      })(f64(2));
      expect(lines).toEqual(wanted);
    } finally {
      log.mockRestore();
    }
  });
});

describe("hoistInvariants", () => {
  const hoist = (f: (...args: NDArray[]) => readonly NDArray[], invariant: readonly boolean[]) =>
    hoistInvariants(programOf(f as never, ...invariant.map(() => np.ones([2], "float64"))), invariant);
  const namesOf = (jaxpr: Jaxpr | undefined): string[] => jaxpr?.eqns.map((eqn) => eqn.primitive.name) ?? [];

  it("moves work on invariant inputs, with what it needs", () => {
    const found = hoist((w, x) => [np.sin(np.reshape(w, [1, 2])).mul(x)], [true, false]);
    expect(namesOf(found?.before)).toEqual(["reshape", "sin"]);
    expect(namesOf(found?.body)).not.toContain("sin");
    expect(found?.before.inputs).toHaveLength(1);
    expect(found?.body.inputs).toHaveLength(3);
  });

  it("moves nothing that costs nothing", () => {
    expect(hoist((w, x) => [np.reshape(w, [1, 2]).mul(x)], [true, false])).toBeUndefined();
    expect(hoist((w, x) => [np.sin(x).mul(w)], [true, false])).toBeUndefined();
    expect(hoist((w) => [w], [true])).toBeUndefined();
  });

  it("leaves a movement behind the work where it is", () => {
    const found = hoist((w, x) => [np.broadcastTo(np.sin(w), [3, 2]).mul(x)], [true, false]);
    expect(namesOf(found?.before)).toEqual(["sin"]);
    expect(namesOf(found?.body)).toContain("broadcastInDim");
  });

  it("gives outputs that are invariant", () => {
    const found = hoist((w, x) => [np.exp(w), x], [true, false]);
    expect(found?.body.eqns).toHaveLength(0);
    expect(found?.body.outputs.every((a) => a instanceof Var)).toBe(true);
  });

  it("moves no effects", () => {
    const log = vi.spyOn(console, "log").mockImplementation(() => {});
    const found = hoist(
      (w, x) => {
        debug.print("w is {}", np.sin(w));
        return [x];
      },
      [true, false],
    );
    expect(namesOf(found?.before)).toEqual(["sin"]);
    expect(found?.body.eqns).toHaveLength(1);
    log.mockRestore();
  });
});

it("a scan that runs inside a compiled program gives what it gives outside", () => {
  const f = (w: NDArray, h: NDArray, xs: NDArray) =>
    lax.scan((c, x) => [np.tanh(np.matmul(np.sin(w), c).add(x)), c.sum()], h, xs);
  const args = sized(5) as [NDArray, NDArray, NDArray];
  expectClose(jit(f)(...args), plain(f(...args)), 1e-13);
});
