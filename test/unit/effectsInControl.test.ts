/**
 * Effects inside branches, loops, checkpoints and functions with rules of their own: once for each run of what they stand in, in
 * order, whatever transforms the program goes through.
 */
import {
  checkpoint,
  checkpointPolicies,
  customJvp,
  customVjp,
  debug,
  grad,
  hessian,
  hvp,
  jacfwd,
  jacrev,
  jit,
  jvp,
  lax,
  linearize,
  makeJaxpr,
  type NDArray,
  numpy as np,
  ShapeDtype,
  valueAndGrad,
  vjp,
  vmap,
} from "fluxion";
import { describe, expect, it } from "vitest";
import { lines } from "./effectTools.js";

type F = (x: NDArray) => NDArray;

const f64 = (x: number): NDArray => np.array(x, "float64");
const three = f64(3);

/** x², telling of x and of x². */
const square: F = (x) => {
  debug.print("x = {}", x);
  const y = x.mul(x);
  debug.print("y = {}", y);
  return y;
};
const told = (x: number): string[] => [`x = ${x}`, `y = ${x * x}`];

/** What must not run. */
const other: F = (x) => {
  debug.print("the other branch: {}", x);
  return x;
};

const isPositive = (x: NDArray): NDArray => x.greater(0);

/** Squares until the limit is reached. */
const whileBelow = (limit: number, cond?: F): F => {
  const test = (c: NDArray): NDArray => {
    cond?.(c);
    return c.less(limit);
  };
  return (x) =>
    lax.whileLoop(
      test,
      (c: NDArray) => {
        debug.print("c = {}", c);
        return c.mul(c);
      },
      x,
    ) as NDArray;
};
const statesBelow = (x: number, limit: number): number[] =>
  x < limit ? [x, ...statesBelow(x * x, limit)] : [];

const scanOf =
  (step: F, length: number, options = {}): F =>
  (x) =>
    lax.scan((c: NDArray) => [step(c), c] as const, x, null, { length, ...options })[0] as NDArray;

const tell: F = (c) => {
  debug.print("c = {}", c);
  return c.mul(c);
};

interface Container {
  readonly f: F;
  readonly told: (x: number) => readonly string[];
}

const containers: Record<string, Container> = {
  "a branch": { f: (x) => lax.cond(isPositive(x), square, other, x), told },
  "the other branch": { f: (x) => lax.cond(isPositive(x.neg()), other, square, x), told },
  "a branch, effects around it": {
    f: (x) => {
      debug.print("before {}", x);
      const y = lax.cond(isPositive(x), square, other, x);
      debug.print("after {}", y);
      return y;
    },
    told: (x) => [`before ${x}`, ...told(x), `after ${x * x}`],
  },
  "a branch whose result nobody uses": {
    f: (x) => {
      lax.cond(isPositive(x), square, other, x);
      return x.mul(x);
    },
    told,
  },
  "branches in branches and calls": {
    f: (x) =>
      lax.cond(
        isPositive(x),
        jit((y: NDArray) => lax.cond(y.less(100), jit(square), other, y)),
        other,
        x,
      ),
    told,
  },
  scan: { f: scanOf(tell, 2), told: (x) => [`c = ${x}`, `c = ${x * x}`] },
  "scan, unrolled": {
    f: scanOf(tell, 3, { unroll: 2 }),
    told: (x) => [x, x ** 2, x ** 4].map((c) => `c = ${c}`),
  },
  "scan over entries, from the last": {
    f: (x) =>
      lax.scan(
        (c: NDArray, e: NDArray) => {
          debug.print("entry {} at {}", e, c);
          return [c.mul(e), null] as const;
        },
        x,
        np.array([10, 100], "float64"),
        { reverse: true },
      )[0] as NDArray,
    told: (x) => [`entry 100 at ${x}`, `entry 10 at ${100 * x}`],
  },
  "scan of branches": {
    f: scanOf((c) => lax.cond(c.less(5), tell, (y) => y.mul(2), c), 2),
    told: (x) => [x, x < 5 ? x * x : 2 * x].filter((c) => c < 5).map((c) => `c = ${c}`),
  },
  "scan in a branch": {
    f: (x) => lax.cond(isPositive(x), scanOf(tell, 2), other, x),
    told: (x) => [`c = ${x}`, `c = ${x * x}`],
  },
  "scan with bounded memory": {
    f: scanOf((c) => tell(c).mul(0).add(c).add(10), 8, { checkpoint: { slots: 6 } }),
    told: (x) => [0, 1, 2, 3, 4, 5, 6, 7].map((k) => `c = ${x + 10 * k}`),
  },
  while: { f: whileBelow(50), told: (x) => statesBelow(x, 50).map((c) => `c = ${c}`) },
  "the condition of a while": {
    f: whileBelow(50, (c) => {
      debug.print("test {}", c);
      return c;
    }),
    told: (x) => {
      const states = statesBelow(x, 50);
      const last = (states.at(-1) ?? Math.sqrt(x)) ** 2;
      return [...states.flatMap((c) => [`test ${c}`, `c = ${c}`]), `test ${last}`];
    },
  },
  "while in scan": {
    f: scanOf((c) => whileBelow(10)(c).mul(0.125), 2),
    told: (x) => {
      const first = statesBelow(x, 10);
      const end = (first.length === 0 ? x : (first.at(-1) as number) ** 2) * 0.125;
      return [...first, ...statesBelow(end, 10)].map((c) => `c = ${c}`);
    },
  },
  checkpoint: { f: checkpoint(square), told },
  "checkpoint that saves everything": {
    f: checkpoint(square, { policy: checkpointPolicies.everythingSaveable }),
    told,
  },
  "checkpoint of a branch": {
    f: checkpoint((x: NDArray) => lax.cond(isPositive(x), square, other, x)),
    told,
  },
  "checkpoint of scan": { f: checkpoint(scanOf(tell, 2)), told: (x) => [`c = ${x}`, `c = ${x * x}`] },
  "scan of checkpoint": { f: scanOf(checkpoint(tell), 2), told: (x) => [`c = ${x}`, `c = ${x * x}`] },
  customJvp: {
    f: customJvp(square as (x: NDArray) => NDArray, ([x], [t]) => [square(x), np.multiply(x.mul(2), t)]),
    told,
  },
  customVjp: {
    f: customVjp(square as (x: NDArray) => NDArray).defVjp(
      (x) => [square(x), x],
      (x, ct) => [np.multiply(x.mul(2), ct)],
    ),
    told,
  },
  "customVjp in scan": {
    f: scanOf(
      customVjp(tell as (x: NDArray) => NDArray).defVjp(
        (x) => [tell(x), x],
        (x, ct) => [np.multiply(x.mul(2), ct)],
      ),
      2,
    ),
    told: (x) => [`c = ${x}`, `c = ${x * x}`],
  },
};

describe.each(Object.entries(containers))("%s", (_, { f, told }) => {
  it("at once without transforms", () => {
    f(three);
    expect(lines()).toEqual(told(3));
  });

  it.each<[string, (x: NDArray) => unknown]>([
    ["grad", grad(f)],
    ["valueAndGrad", valueAndGrad(f)],
    ["jvp", (x) => jvp(f, [x], [1])],
    ["vjp, forward", (x) => vjp(f, x)],
    ["linearize, forward", (x) => linearize(f, x)],
    ["jacfwd", jacfwd(f)],
    ["jacrev", jacrev(f)],
    ["hessian", hessian(f)],
    ["hvp", (x) => hvp(f, [x], [1])],
    ["grad of grad", grad(grad(f))],
    ["jvp of grad", (x) => jvp(grad(f) as F, [x], [1])],
    ["grad of jvp", grad((x: NDArray) => jvp(f, [x], [1])[1])],
    ["jvp of jvp", (x) => jvp((z: NDArray) => jvp(f, [z], [1])[1], [x], [1])],
    ["jit", jit(f)],
    ["jit of grad", jit(grad(f))],
    ["grad of jit", grad(jit(f))],
    ["jit of grad of jit", jit(grad(jit(f)))],
    ["jit of hessian", jit(hessian(f))],
    ["jit of vjp", jit((x: NDArray) => vjp(f, x)[1](f64(1)))],
    ["checkpoint", checkpoint(f)],
    ["grad of checkpoint", grad(checkpoint(f))],
    ["jit of grad of checkpoint", jit(grad(checkpoint(f)))],
    ["grad in a branch", (x) => lax.cond(isPositive(x), grad(f) as F, other, x)],
    ["jit of grad in a scan", jit(scanOf((c) => (grad(f)(three) as NDArray).add(c), 1))],
  ])("%s: once, in order", (__, transformed) => {
    transformed(three);
    expect(lines()).toEqual(told(3));
  });

  it("nothing in a pullback or a pushforward, however often it is called", () => {
    for (const g of [f, jit(f), grad(f) as F]) {
      const [, pull] = vjp(g, three);
      expect(lines()).toEqual(told(3));
      pull(1);
      pull(2);
      const [, push] = linearize(g, three);
      expect(lines()).toEqual(told(3));
      push(1);
      push(2);
      expect(lines()).toEqual([]);
    }
  });

  it("jit: at every run and not when it traces", () => {
    const g = jit(f);
    for (const x of [2, 3, 3]) {
      g(f64(x));
      expect(lines()).toEqual(told(x));
    }
    makeJaxpr(grad(g))(new ShapeDtype([], "float64"));
    expect(lines()).toEqual([]);
  });

  it.each<[string, (x: NDArray) => unknown]>([
    ["vmap", vmap(f)],
    ["vmap of grad", vmap(grad(f) as F)],
    ["vmap of jit", vmap(jit(f))],
    ["jit of vmap", jit(vmap(f))],
    ["vmap of jvp", vmap((x: NDArray) => jvp(f, [x], [1])[1])],
    ["vmap of hessian", vmap(hessian(f) as F)],
    ["grad of vmap", grad((x: NDArray) => np.sum(vmap(f)(x)))],
    ["jvp of vmap", (x) => jvp(vmap(f), [x], [np.ones([3], "float64")])],
    ["jit of grad of vmap", jit(grad((x: NDArray) => np.sum(vmap(f)(x))))],
    ["jacrev of vmap", jacrev(vmap(f))],
  ])("%s: for each row what it has to tell, in its order", (__, transformed) => {
    // Told of these three, no line is the same.
    const rows = [2, 3, 5];
    transformed(np.array(rows, "float64"));
    const printed = lines();
    expect([...printed].sort()).toEqual(rows.flatMap((x) => told(x)).sort());
    for (const x of rows) {
      const own = told(x);
      expect(printed.filter((line) => own.includes(line))).toEqual(own);
    }
  });
});

describe("rows that differ", () => {
  it("only the branch that a row takes tells of it", () => {
    const f: F = (x) =>
      lax.cond(
        x.greater(0),
        (y) => {
          debug.print("above: {}", y);
          return y.sqrt();
        },
        (y) => {
          debug.print("below: {}", y);
          return y.neg();
        },
        x,
      );
    const xs = np.array([4, -1, -2, 9], "float64");
    const wanted = ["above: 4", "below: -1", "below: -2", "above: 9"];
    const total = (x: NDArray) => np.sum(vmap(f)(x));
    for (const g of [vmap(f), jit(vmap(f))]) {
      expect(g(xs).tolist()).toEqual([2, 1, 2, 3]);
      expect(lines()).toEqual(wanted);
    }
    for (const g of [vmap(grad(f) as F), grad(total), jit(grad(total))]) {
      expect((g(xs) as NDArray).tolist()).toEqual([0.25, -1, -1, 1 / 6]);
      expect(lines()).toEqual(wanted);
    }
  });

  it("rows whose loop has ended tell no more", () => {
    const f = whileBelow(50);
    const xs = np.array([60, 2, 7], "float64");
    const wanted = ["c = 16", "c = 2", "c = 4", "c = 49", "c = 7"];
    const total = (x: NDArray) => np.sum(vmap(f)(x));
    for (const g of [vmap(f), jit(vmap(f)), vmap(grad(f) as F), grad(total)]) {
      g(xs);
      expect(lines().sort()).toEqual(wanted);
    }
  });
});

describe("callbacks", () => {
  it("get the values of the rows and steps that they stand in", () => {
    const seen: number[] = [];
    const note = (y: NDArray): unknown => seen.push(y.item() as number);
    const f = scanOf((c) => {
      debug.callback(note, c);
      return lax.cond(
        c.greater(5),
        (y) => {
          debug.callback(note, y.neg());
          return y;
        },
        (y) => y.mul(3),
        c,
      );
    }, 2);
    grad(jit(f))(three);
    expect(seen.splice(0)).toEqual([3, 9, -9]);
    jit(vmap(f))(np.array([1, 7], "float64"));
    expect(seen.splice(0).sort((a, b) => a - b)).toEqual([-7, -7, 1, 3, 7, 7]);
  });

  it("what one throws in the middle comes out, and later runs are not harmed", () => {
    const f = jit(
      scanOf((c) => {
        debug.callback((y: NDArray) => {
          if ((y.item() as number) > 50) throw new RangeError("too large");
        }, c);
        return c.mul(c);
      }, 3),
    );
    expect(() => f(three)).toThrow(new RangeError("too large"));
    expect(f(f64(1)).item()).toBe(1);
  });
});
