/** Which values each policy stores, by what savedResiduals lists. */
import {
  type CheckpointCandidate,
  checkpoint,
  checkpointName,
  checkpointPolicies,
  grad,
  jit,
  jvp,
  lax,
  makeJaxpr,
  type NDArray,
  numpy as np,
  savedResiduals,
  vmap,
} from "fluxion";
import { describe, expect, it } from "vitest";
import { expectSameBits, wave } from "./tools.js";

const {
  dotsSaveable,
  dotsWithNoBatchDimsSaveable,
  everythingSaveable,
  nothingSaveable,
  saveAnythingExceptTheseNames,
  saveFromBothPolicies,
  saveOnlyTheseNames,
} = checkpointPolicies;

type F = (w: NDArray, x: NDArray) => NDArray;
const [w, x] = [wave([3, 3]), wave([2, 3])];
const layer: F = (a, b) => np.sin(np.sin(b.matmul(a)).matmul(a)).sum();
const named: F = (a, b) => {
  const h = checkpointName(np.exp(b.matmul(a)), "hidden");
  return np.sin(checkpointName(h.matmul(a), "out")).sum();
};

/** What is stored beside the arguments. */
const stored = (f: F, policy?: (c: CheckpointCandidate) => boolean): string[] =>
  [...savedResiduals(checkpoint(f, { policy }), w, x)]
    .filter(({ what }) => !what.startsWith("argument"))
    .map(({ what, name }) => (name === undefined ? what : `${what} as ${name}`))
    .sort();

describe("stores", () => {
  it.each<[string, F, ((c: CheckpointCandidate) => boolean) | undefined, string[]]>([
    ["nothing", layer, undefined, []],
    ["nothing", layer, nothingSaveable, []],
    [
      "everything that is wanted",
      layer,
      everythingSaveable,
      ["output of cos", "output of cos", "output of sin"],
    ],
    ["products", layer, dotsSaveable, ["output of dotGeneral", "output of dotGeneral"]],
    [
      "products without batch axes",
      layer,
      dotsWithNoBatchDimsSaveable,
      ["output of dotGeneral", "output of dotGeneral"],
    ],
    ["by a predicate", layer, ({ primitive }) => primitive === "sin", ["output of sin"]],
    ["by size", layer, ({ outputs }) => outputs[0].shape.length === 7, []],
    ["one name", named, saveOnlyTheseNames("hidden"), ["output of exp as hidden"]],
    ["another name", named, saveOnlyTheseNames("out"), ["output of dotGeneral as out"]],
    [
      "both",
      named,
      saveOnlyTheseNames("out", "hidden"),
      ["output of dotGeneral as out", "output of exp as hidden"],
    ],
    ["a name that is nowhere", named, saveOnlyTheseNames("nobody"), []],
    [
      "all but a name",
      named,
      saveAnythingExceptTheseNames("hidden"),
      ["output of cos", "output of dotGeneral"],
    ],
    [
      "what either stores",
      named,
      saveFromBothPolicies(saveOnlyTheseNames("hidden"), ({ primitive }) => primitive === "cos"),
      ["output of cos", "output of exp as hidden"],
    ],
  ])("%s (%#)", (_, f, policy, wanted) => {
    expect(stored(f, policy)).toEqual(wanted.sort());
    expectSameBits(grad(checkpoint(f, { policy }))(w, x), grad(jit(f))(w, x));
  });

  it("what policies want inside of calls", () => {
    const inside: F = (a, b) => jit(layer)(a, b);
    expect(stored(inside, dotsSaveable)).toEqual(stored(layer, dotsSaveable));
    expect(stored((a, b) => jit(named)(a, b), saveOnlyTheseNames("hidden"))).toEqual([
      "output of exp as hidden",
    ]);
  });

  it("no batched products if they are not wanted, and others", () => {
    const batched: F = (a, b) =>
      vmap((u: NDArray) => layer(a.mul(u.sum()), u), { inAxes: 0 })(b.reshape(2, 1, 3)).sum();
    const shared: F = (a, b) => vmap((u: NDArray) => layer(a, u), { inAxes: 0 })(b.reshape(2, 1, 3)).sum();
    expect(stored(batched, dotsWithNoBatchDimsSaveable)).toEqual([]);
    expect(stored(batched, dotsSaveable)).toHaveLength(2);
    expect(stored(shared, dotsWithNoBatchDimsSaveable)).toHaveLength(2);
  });

  it("what an inner checkpoint may store by its own policy", () => {
    const inner = checkpoint(layer, { policy: dotsSaveable });
    const total = [...savedResiduals((a: NDArray, b: NDArray) => inner(a, b), w, x)];
    expect(total.filter(({ what }) => what === "output of dotGeneral")).toHaveLength(2);
    // The outer one stores nothing, whatever the inner one would.
    expect(stored((a, b) => inner(a, b))).toEqual([]);
  });

  it("values of loops, by the operation inside", () => {
    const loop: F = (a, b) => {
      const step = (c: NDArray) => {
        const next = np.exp(checkpointName(np.sin(c), "wave"));
        return [next, null] as [NDArray, null];
      };
      return lax.scan(step, b.matmul(a), null, { length: 3 })[0].sum();
    };
    const seen = new Set<string>();
    stored(loop, ({ primitive, name }) => {
      seen.add(`${primitive}${name === undefined ? "" : ` as ${name}`}`);
      return false;
    });
    expect([...seen]).toContain("exp");
    expect(stored(loop, ({ primitive }) => primitive === "exp")).toContain("output of exp in scan");
  });
});

describe("candidates", () => {
  it("say what computes the value, from what", () => {
    const seen: CheckpointCandidate[] = [];
    stored(named, (c) => {
      seen.push(c);
      return false;
    });
    const product = seen.find(({ name }) => name === "out");
    expect(product?.primitive).toBe("dotGeneral");
    expect(product?.inputs.map(({ shape }) => shape)).toEqual([
      [2, 3],
      [3, 3],
    ]);
    expect(product?.outputs[0]).toMatchObject({ shape: [2, 3], dtype: "float64" });
    expect(product?.params.contracting).toEqual([[1], [0]]);
    expect(seen.some(({ primitive }) => primitive === "name")).toBe(false);
  });

  it("have the first of several names", () => {
    const twice: F = (a) => np.exp(checkpointName(checkpointName(np.sin(a), "first"), "second")).sum();
    expect(stored(twice, saveOnlyTheseNames("first"))).toEqual(["output of sin as first"]);
    expect(stored(twice, saveOnlyTheseNames("second"))).toEqual([]);
  });
});

describe("policies as values", () => {
  it("are the same for the same names, so that programs are", () => {
    expect(saveOnlyTheseNames("b", "a")).toBe(saveOnlyTheseNames("a", "b", "a"));
    expect(saveOnlyTheseNames("a")).not.toBe(saveAnythingExceptTheseNames("a"));
    const text = () => String(makeJaxpr(checkpoint((v: NDArray) => v.sin(), { policy: dotsSaveable }))(x));
    expect(text()).toBe(text());
    expect(text()).toContain("policy=2");
  });

  it("stay with the equation through every transform", () => {
    const c = checkpoint(named, { policy: saveOnlyTheseNames("hidden") });
    const list = (f: F) =>
      [...savedResiduals(f, w, x)].map(({ name }) => name).filter((name) => name !== undefined);
    expect(list(c)).toEqual(["hidden"]);
    expect(list((a, b) => jit(c)(a, b))).toEqual(["hidden"]);
    expect(list((a, b) => vmap(c, { inAxes: [null, 0] })(a, b.reshape(2, 1, 3)).sum())).toEqual(["hidden"]);
    expect(list((a, b) => jvp((u: NDArray) => c(u, b), [a], [a])[1])).toContain("hidden");
  });
});

describe("checkpointName", () => {
  it("is the identity in every respect but the name", () => {
    const f = (v: NDArray) => checkpointName({ a: v, b: [v.mul(2)] }, "pair");
    expectSameBits(f(x), { a: x, b: [x.mul(2)] });
    expectSameBits(jit(f)(x), f(x));
    expectSameBits(jvp(f, [x], [x])[1], f(x));
    expectSameBits(vmap(f)(x), f(x));
    expect(String(makeJaxpr((v: NDArray) => jvp(f, [v], [v]))(x)).match(/name\[/g)).toHaveLength(2);
    expect(jit(f).lower(x).costAnalysis().operations).toBe(6);
  });
});

it("a policy is asked about values that operations hand on", () => {
  const f = (y: NDArray) => np.tanh(lax.optimizationBarrier(y)).sum();
  const asked: string[] = [];
  const policy = ({ primitive }: CheckpointCandidate) => asked.push(primitive) < 0;
  const y = np.array([0.5, 1], "float64");
  expectSameBits([grad(checkpoint(f, { policy }))(y)], [grad(f)(y)]);
  expect(asked).toContain("optimizationBarrier");
});
