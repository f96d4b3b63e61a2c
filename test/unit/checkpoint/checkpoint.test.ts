/** checkpoint changes what is stored and computed again, and nothing else. */
import {
  ArgumentError,
  ConcretizationError,
  checkpoint,
  checkpointName,
  checkpointPolicies,
  debug,
  grad,
  hessian,
  jacfwd,
  jacrev,
  jit,
  jvp,
  LeakedTracerError,
  lax,
  linearize,
  linearTranspose,
  makeJaxpr,
  type NDArray,
  numpy as np,
  savedResiduals,
  setDefaultDevice,
  valueAndGrad,
  vjp,
  vmap,
} from "fluxion";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toleranceHere } from "../../everywhere/tolerance.js";
import { lines } from "../effectTools.js";
import { countedSin, expectSameBits, wave } from "./tools.js";

beforeAll(() => setDefaultDevice("reference"));
afterAll(() => setDefaultDevice("wasm"));

type F = (x: NDArray) => NDArray;

const f: F = (x) => np.exp(np.sin(np.tanh(x).mul(2))).sum();
const g: F = (x) => np.sin(np.cos(np.sin(x)));
const x = wave([3]);

describe("the same to the bit", () => {
  const variants: Record<string, F> = {
    checkpoint: checkpoint(f),
    "a checkpoint of half of it": (v) =>
      np.exp(checkpoint((u: NDArray) => np.sin(np.tanh(u).mul(2)))(v)).sum(),
    "a checkpoint in a checkpoint": checkpoint((v: NDArray) =>
      np.exp(checkpoint((u: NDArray) => np.sin(checkpoint(np.tanh)(u).mul(2)))(v)).sum(),
    ),
    "jit inside": checkpoint(jit(f)),
    "jit outside": jit(checkpoint(f)),
    "jit inside, with a policy": checkpoint(jit(f), { policy: checkpointPolicies.everythingSaveable }),
    "a budget": checkpoint(f, { budgetBytes: 24 }),
    "a name": checkpoint((v: NDArray) => np.exp(checkpointName(np.sin(np.tanh(v).mul(2)), "a")).sum(), {
      policy: checkpointPolicies.saveOnlyTheseNames("a"),
    }),
    "without a barrier": checkpoint(f, { preventCse: false }),
  };

  it.each(Object.entries(variants))("%s", (_, c) => {
    const v = wave([3]).mul(0.5);
    expectSameBits(c(x), f(x));
    expectSameBits(grad(c)(x), grad(f)(x));
    expectSameBits(jit(grad(c))(x), jit(grad(f))(x));
    expectSameBits(valueAndGrad(c)(x), valueAndGrad(f)(x));
    expectSameBits(jvp(c, [x], [v]), jvp(f, [x], [v]));
    expectSameBits(vjp(c, x)[1](1), vjp(f, x)[1](1));
    expectSameBits(linearize(c, x)[1](v), linearize(f, x)[1](v));
    const xs = wave([4, 3]);
    expectSameBits(vmap(c)(xs), vmap(f)(xs));
    expectSameBits(vmap(grad(c))(xs), vmap(grad(f))(xs));
    expectSameBits(grad((u: NDArray) => vmap(c)(u).sum())(xs), grad((u: NDArray) => vmap(f)(u).sum())(xs));
  });

  it.each(Object.entries(variants))("%s: second and third derivatives", (_, c) => {
    const one = (h: F) => (s: NDArray) => h(s.mul(np.array([1, 0.5, -0.25], { dtype: "float64" })));
    const at = np.array(0.3, { dtype: "float64" });
    const order = (h: F, n: number): F => (n === 0 ? one(h) : (s) => grad(order(h, n - 1))(s));
    for (const n of [2, 3]) {
      const wanted = order(f, n)(at).item() as number;
      expect(order(c, n)(at).item()).toBeCloseTo(wanted, 12);
      expect(jit(order(c, n))(at).item()).toBeCloseTo(wanted, 12);
    }
    const close = (a: NDArray, b: NDArray) =>
      expect(np.max(np.abs(a.sub(b))).item() as number).toBeLessThan(toleranceHere(1e-13));
    close(hessian(c)(x), hessian(f)(x));
    close(jacfwd(grad(c))(x), hessian(f)(x));
    close(jacrev(jacfwd(c))(x), hessian(f)(x));
  });
});

describe("closed forms", () => {
  it("has the derivatives of sin to order 3, in float64", () => {
    const sin = checkpoint((v: NDArray) => np.sin(v));
    const at = np.array(0.7, { dtype: "float64" });
    expect(grad(sin)(at).item()).toBeCloseTo(Math.cos(0.7), 15);
    expect(grad(grad(sin))(at).item()).toBeCloseTo(-Math.sin(0.7), 15);
    expect(grad(grad(grad(sin)))(at).item()).toBeCloseTo(-Math.cos(0.7), 15);
    expect(jvp(grad(checkpoint(sin)), [at], [at])[1].item()).toBeCloseTo(-0.7 * Math.sin(0.7), 15);
  });

  it("takes trees, integers and several arguments, and gives zeros where nothing depends", () => {
    const h = checkpoint(({ w, n }: { w: NDArray; n: NDArray }, unused: NDArray) => ({
      y: w.mul(w).mul(n.astype("float64")),
      n,
      c: np.zeros([2], { dtype: "float64" }),
      unused,
    }));
    const args = { w: np.array([1, 2], { dtype: "float64" }), n: np.array([3, 4], { dtype: "int32" }) };
    const out = h(args, np.array(5));
    expect(out.n.tolist()).toEqual([3, 4]);
    const [, pull] = vjp((w: NDArray, u: NDArray) => h({ ...args, w }, u).y, args.w, np.array(5));
    const [dw, du] = pull(np.ones([2], { dtype: "float64" }));
    expect(dw.tolist()).toEqual([6, 16]);
    expect(du.tolist()).toBe(0);
  });

  it("is transposed where it is linear", () => {
    const a = np.array(
      [
        [1, 2],
        [3, 4],
      ],
      { dtype: "float64" },
    );
    const t = linearTranspose(
      checkpoint((v: NDArray) => a.sin().matmul(v)),
      np.zeros([2], { dtype: "float64" }),
    );
    expectSameBits(t(np.array([1, 0], { dtype: "float64" }))[0], a.sin().at(0).get());
  });

  it("takes static arguments and numbers", () => {
    const h = checkpoint(
      (v: NDArray, how: string, k: NDArray) => (how === "sin" ? v.sin() : v.cos()).mul(k),
      {
        staticArgnums: 1,
      },
    );
    expect(h(np.array(0), "cos", np.array(3)).item()).toBe(3);
    expect(grad((v: NDArray) => h(v, "sin", np.array(3)))(np.array(0)).item()).toBe(3);
  });
});

describe("what is computed when", () => {
  const run = (options: Parameters<typeof checkpoint>[1]): number => {
    const { sin, count } = countedSin();
    valueAndGrad((v: NDArray) => checkpoint((u: NDArray) => np.exp(sin(u)), options)(v))(np.array(0.5));
    return count();
  };

  it("computes again what is not stored, and only then", () => {
    expect(run({})).toBe(2);
    expect(run({ policy: checkpointPolicies.everythingSaveable })).toBe(1);
    expect(run({ policy: ({ primitive }) => primitive === "exp" })).toBe(1);
    expect(run({ budgetBytes: 8 })).toBe(1);
    expect(run({ budgetBytes: 3 })).toBe(2);
  });

  it("does not compute the value first where only the gradient is wanted", () => {
    const { sin, count } = countedSin();
    grad(checkpoint((v: NDArray) => np.exp(sin(v))))(np.array(0.5));
    expect(count()).toBe(1);
  });

  it("computes nothing again going forward", () => {
    const { sin, count } = countedSin();
    const c = checkpoint((v: NDArray) => np.exp(sin(sin(v))));
    c(np.array(0.5));
    expect(count()).toBe(2);
    jvp(c, [np.array(0.5)], [np.array(0.5)]);
    expect(count()).toBe(2);
    vmap(c)(np.array([0.5]));
    expect(count()).toBe(2);
  });

  it("stores the carries alone of a scan with checkpointed steps", () => {
    const step = (carry: NDArray, u: NDArray) => {
      const next = np.tanh(np.sin(carry).mul(np.exp(u)));
      return [next, next.sum()] as [NDArray, NDArray];
    };
    const total = (s: typeof step) => (init: NDArray, us: NDArray) => lax.scan(s, init, us)[0].sum();
    const [init, us] = [wave([4]), wave([5, 4])];
    const checkpointed = checkpoint(step) as typeof step;
    const what = [...savedResiduals(total(checkpointed), init, us)].map((r) => [r.what, r.shape.join("×")]);
    expect(what.sort()).toEqual([
      ["argument 1", "5×4"],
      ["carry of scan", "5×4"],
    ]);
    expect(savedResiduals(total(step), init, us).residuals.length).toBeGreaterThan(3);
    expectSameBits(grad(total(checkpointed))(init, us), grad(total(step))(init, us));
    expectSameBits(jit(grad(total(checkpointed)))(init, us), jit(grad(total(step)))(init, us));
  });
});

describe("what it closes over", () => {
  it("differentiates with respect to tracers that the function closes over", () => {
    const h = (c: typeof checkpoint) => (w: NDArray) => c((v: NDArray) => np.sin(v.mul(w)))(x).sum();
    const identity = ((k: unknown) => k) as typeof checkpoint;
    expectSameBits(grad(h(checkpoint))(wave([3])), grad(h(identity))(wave([3])));
    expectSameBits(jit(grad(h(checkpoint)))(wave([3])), jit(grad(h(identity)))(wave([3])));
    expectSameBits(vmap(grad(h(checkpoint)))(wave([2, 3])), vmap(grad(h(identity)))(wave([2, 3])));
  });

  it("keeps arrays that are constants", () => {
    const h = checkpoint((v: NDArray) => np.sin(v.mul(x)).sum());
    expect([...savedResiduals(h, wave([3]))].map(({ what }) => what)).toEqual(["constant", "argument 0"]);
  });

  it("refuses a tracer that is used after its time, and names its origin", () => {
    let leaked: NDArray | undefined;
    checkpoint((v: NDArray) => {
      leaked = v.sin();
      return v;
    })(x);
    expect(() => leaked?.add(1)).toThrow(LeakedTracerError);
    expect(() => leaked?.add(1)).toThrow(/checkpoint/);
  });
});

describe("values on demand", () => {
  const branch = checkpoint((v: NDArray) => ((v.sum().item() as number) > 0 ? np.sin(v) : np.exp(v)));

  it("lets the host look at values where they are known", () => {
    const at = np.array(0.5, { dtype: "float64" });
    expect(grad(branch)(at).item()).toBeCloseTo(Math.cos(0.5), 15);
    expect(grad(branch)(at.neg()).item()).toBeCloseTo(Math.exp(-0.5), 15);
    expect(grad(grad(branch))(at.neg()).item()).toBeCloseTo(Math.exp(-0.5), 15);
  });

  it("refuses it under jit", () => {
    expect(() => jit(branch)(np.array(0.5))).toThrow(ConcretizationError);
  });
});

describe("effects", () => {
  const telling: F = (v) => {
    debug.print("v = {}", v);
    const y = np.sin(v);
    debug.print("y = {}", y);
    return y.mul(y);
  };
  const zero = np.array(0, { dtype: "float32" });

  it.each<[string, F]>([
    ["plain", checkpoint(telling)],
    ["a jit inside", checkpoint(jit(telling))],
    ["a checkpoint inside", checkpoint((v: NDArray) => checkpoint(telling)(v).sin())],
    ["a policy", checkpoint(telling, { policy: checkpointPolicies.dotsSaveable })],
    ["a budget", checkpoint(jit(telling), { budgetBytes: 0 })],
  ])("happen once: %s", (_, c) => {
    c(zero);
    expect(lines()).toEqual(["v = 0", "y = 0"]);
    grad(c)(zero);
    expect(lines()).toEqual(["v = 0", "y = 0"]);
    jit(grad(c))(zero);
    expect(lines()).toEqual(["v = 0", "y = 0"]);
    grad(grad(c))(zero);
    expect(lines()).toEqual(["v = 0", "y = 0"]);
    jvp(c, [zero], [zero]);
    expect(lines()).toEqual(["v = 0", "y = 0"]);
    const [, push] = linearize(c, zero);
    push(1);
    push(1);
    expect(lines()).toEqual(["v = 0", "y = 0"]);
    vmap(grad(c))(np.array([0, 1]));
    expect(lines().filter((line) => line.startsWith("v"))).toEqual(["v = 0", "v = 1"]);
  });
});

describe("programs", () => {
  it("shows in the jaxpr, with its body", () => {
    const text = String(makeJaxpr(checkpoint((v: NDArray) => v.sin()))(np.array(1, { dtype: "float64" })));
    expect(text).toContain("checkpoint[");
    expect(text).toContain("sin");
  });

  it("traces equal bodies to one and the same", () => {
    const c = checkpoint((v: NDArray) => np.tanh(v));
    const { eqns } = makeJaxpr((v: NDArray) => c(c(v)))(np.array(1, { dtype: "float64" })).jaxpr;
    expect(eqns.length).toBe(2);
    expect(eqns[0].params.jaxpr).toBe(eqns[1].params.jaxpr);
  });

  it("keeps the name of the function", () => {
    function loss(v: NDArray): NDArray {
      return v;
    }
    expect(checkpoint(loss).name).toBe("loss");
  });
});

describe("bad input", () => {
  const id = (v: NDArray) => v;
  it.each<[string, () => unknown, RegExp]>([
    ["no function", () => checkpoint(3 as never), /checkpoint takes a function, got number/],
    ["an unknown option", () => checkpoint(id, { polcy: 1 } as never), /no option "polcy"/],
    [
      "a policy that is none",
      () => checkpoint(id, { policy: "dots" as never }),
      /a policy is a function.*got string/,
    ],
    ["a negative budget", () => checkpoint(id, { budgetBytes: -1 }), /budgetBytes.*got -1/],
    ["a budget that is no number", () => checkpoint(id, { budgetBytes: Number.NaN }), /budgetBytes.*got NaN/],
    ["both", () => checkpoint(id, { budgetBytes: 1, policy: () => true }), /either a policy or budgetBytes/],
    ["preventCse", () => checkpoint(id, { preventCse: 1 as never }), /preventCse.*got 1/],
    [
      "static positions",
      () => checkpoint(id, { staticArgnums: 4 as never })(x),
      /argnums 4 is not a position/,
    ],
    [
      "a function that gives nothing",
      () => checkpoint((() => undefined) as unknown as () => NDArray)(),
      /returned nothing/,
    ],
    [
      "an argument that is no array",
      () => checkpoint(id)("a" as never),
      /the arguments of checkpoint\(id\) at/,
    ],
    ["a name that is none", () => checkpointName(x, 3 as never), /a name as its second argument, got number/],
    [
      "a name for text",
      () => checkpointName("a" as never, "b"),
      /the argument of checkpointName is a string/,
    ],
  ])("%s", (_, call, message) => {
    expect(call).toThrow(ArgumentError);
    expect(call).toThrow(message);
  });

  it("accepts an infinite budget: everything is stored", () => {
    const { sin, count } = countedSin();
    grad(checkpoint((v: NDArray) => np.exp(sin(v)), { budgetBytes: Number.POSITIVE_INFINITY }))(
      np.array(0.5),
    );
    expect(count()).toBe(1);
  });

  it("says what a policy threw", () => {
    const policy = () => {
      throw new RangeError("mine");
    };
    expect(() => grad(checkpoint(f, { policy }))(x)).toThrow(new RangeError("mine"));
    expect(g(x).shape).toEqual([3]);
  });
});
