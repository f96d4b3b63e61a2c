/** What is drawn of calls, loops and large programs, and what is refused. */
import { customJvp, grad, jit, jvp, lax, type NDArray, numpy as np, ShapeDtype, vmap } from "fluxion";
import { drawGraph, drawJaxpr, drawTransform } from "fluxion/analysis";
import { describe, expect, it } from "vitest";
import { parameterNames } from "../../../src/analysis/graph/names.js";

const s = new ShapeDtype([]);
const v = new ShapeDtype([4]);
const square = new ShapeDtype([4, 4]);

const titles = (dot: string): string[] =>
  [...dot.matchAll(/subgraph cluster_\w+ \{\n\s+graph \[label="([^"]*)"/g)].map(([, title]) => title);

describe("names", () => {
  it("come from parameters, and from the keys of trees", async () => {
    const f = ({ w, b }: { w: NDArray; b: NDArray }, x = np.array(1)) => w.mul(x).add(b);
    const { dot } = await drawGraph(f, { w: s, b: s }, s);
    for (const name of ["w", "b", "x"]) expect(dot).toContain(`label="${name}"`);
    // An output has the first letter that is free.
    expect(dot).toContain('label="c"');
  });

  it("are whole paths where short ones would be equal, and the user's where he gives some", async () => {
    type P = { w: NDArray };
    const f = (first: P, second: P) => first.w.mul(second.w);
    const { dot } = await drawGraph(f, { w: s }, { w: s });
    expect(dot).toContain('label="first.w"');
    const named = await drawGraph(f, { w: s }, { w: s }, { names: ["one", "two"] });
    expect(named.dot).toContain('label="two.w"');
  });
});

describe("names of parameters", () => {
  it.each<[string, (string | undefined)[]]>([
    ["(x, y = ((a, b) => a)(1, 2), z) => x", ["x", "y", "z"]],
    ["(/* first, last */ x, y /* (a, b) */) => x", ["x", "y"]],
    ["function f(x, // the input)\n  y) {}", ["x", "y"]],
    ["(x, name = \"a,b)\", y = `,(`, z = 'it\\'s, ') => x", ["x", "name", "y", "z"]],
    ["({ w, b }, [x], z) => w", [undefined, undefined, "z"]],
    ["method(x, y) {}", ["x", "y"]],
  ])("%s", (text, names) => {
    expect(parameterNames({ toString: () => text })).toEqual(names);
  });

  it("are cut in the middle where no box should be as wide", async () => {
    const long = "w".repeat(80);
    const { dot } = await drawGraph((x: NDArray) => x.mul(2), s, { names: [long] });
    expect(dot).toContain(`label="${"w".repeat(30)} … ${"w".repeat(30)}"`);
    expect(await (await drawGraph((x: NDArray) => x.mul(2), s, { names: [long] })).svg()).toContain(
      `<title>${long}: float32[]</title>`,
    );
  });
});

describe("odd names", () => {
  it("are texts in the drawing, whatever is in them", async () => {
    const f = (p: Record<string, NDArray>) => p['"<b>&'].mul(p["\\N"]).mul(p["\n"]).mul(p["α 😀"]);
    const graph = await drawGraph(f, { '"<b>&': s, "\\N": s, "\n": s, "α 😀": s }, { form: "compact" });
    const svg = await graph.svg();
    expect(svg).toContain("p[&quot;\\&quot;&lt;b&gt;&amp;&quot;]");
    expect(svg).toContain("α 😀");
    expect(svg).toContain("\\\\N");
  });
});

describe("boxes", () => {
  const layer = jit(function layer(W: NDArray, x: NDArray) {
    return np.tanh(np.matmul(W, x));
  });

  it("jit is a box, and its operations are counted", async () => {
    const f = (V: NDArray, W: NDArray, x: NDArray) => np.sum(layer(W, layer(V, x)));
    const graph = await drawGraph(f, square, square, v);
    expect(titles(graph.dot)).toEqual(["jit layer", "jit layer"]);
    expect(graph.operations).toBe(5);
    const closed = await drawGraph(f, square, square, v, { depth: 0 });
    expect(titles(closed.dot)).toEqual([]);
    expect(closed.dot).toContain("jit layer");
    expect(closed.dot).toContain("2 operations");
    expect(closed.operations).toBe(3);
  });

  it("a scan says how often, what comes from each step and what goes on to the next", async () => {
    const rnn = (W: NDArray, h: NDArray, xs: NDArray) => {
      const step = (state: NDArray, x: NDArray) => {
        const next = np.tanh(np.matmul(W, state).add(x));
        return [next, next] as const;
      };
      return np.sum(lax.scan(step, h, xs)[1]);
    };
    const { dot } = await drawGraph(rnn, square, v, new ShapeDtype([10, 4]));
    expect(titles(dot)).toEqual(["scan × 10"]);
    for (const text of ["h[t]", "h[t+1]", "xs[t]"]) expect(dot).toContain(text);
    expect(dot.match(/ each /g)).toHaveLength(1);
    expect(dot.match(/ all steps /g)).toHaveLength(1);
    expect(dot.match(/ next step /g)).toHaveLength(1);
    expect((await drawGraph(rnn, square, v, new ShapeDtype([10, 4]), { depth: 0 })).dot).toContain(
      "scan × 10",
    );
  });

  it("steps of a loop in a loop have an index of their own", async () => {
    const f = (x: NDArray) =>
      lax.foriLoop(
        0,
        3,
        (_: NDArray, y: NDArray) => lax.foriLoop(0, 4, (__: NDArray, z: NDArray) => z.sin(), y),
        x,
      );
    const { dot } = await drawGraph(f, s);
    for (const text of ['"x[t]"', '"x[t][s]"', '"x[t][s+1]"', '"x[t+1]"']) expect(dot).toContain(text);
  });

  it("what a while becomes in reverse mode takes its number of steps from the way forward", async () => {
    const loop = (x: NDArray) =>
      lax.whileLoop(
        (y: NDArray) => y.less(10),
        (y: NDArray) => y.mul(2),
        x,
      );
    const { dot } = await drawGraph(grad(loop), s);
    expect(dot.match(/label=" times "/g)).toHaveLength(1);
  });

  it("a function with a rule and without a name is called by its kind", async () => {
    const f = customJvp((x: NDArray) => x.sin()).defJvp(([x], [dx]) => [x.sin(), x.cos().mul(dx)]);
    expect(titles((await drawGraph((x: NDArray) => f(x), s)).dot)).toEqual(["customJvp"]);
  });

  it("branches and loops have a box for each body", async () => {
    const branches = (x: NDArray) =>
      lax.cond(
        x.greater(0),
        (y: NDArray) => y.sin(),
        (y: NDArray) => y.cos(),
        x,
      );
    const chosen = await drawGraph(branches, s);
    expect(titles(chosen.dot)).toEqual(["cond", "if false", "if true"]);
    expect(chosen.dot).toContain("shape=diamond");
    const loop = (x: NDArray) =>
      lax.whileLoop(
        (y: NDArray) => y.less(10),
        (y: NDArray) => y.mul(2),
        x,
      );
    expect(titles((await drawGraph(loop, s)).dot)).toEqual(["while", "as long as", "step"]);
    expect((await drawGraph(grad(loop), s)).operations).toBeGreaterThan(3);
    const counted = (x: NDArray) => lax.foriLoop(0, 5, (_: NDArray, y: NDArray) => y.mul(2), x);
    expect(await (await drawGraph(grad(counted), s)).svg()).toContain("scan × 5");
  });

  it("every drawing of a body is laid out", async () => {
    const nested = (x: NDArray) =>
      lax.foriLoop(
        0,
        3,
        (_: NDArray, y: NDArray) =>
          lax.cond(
            y.less(2),
            (z: NDArray) => z.sin(),
            (z: NDArray) => z,
            y,
          ),
        x,
      );
    for (const depth of [0, 1, 2, 3])
      expect(await (await drawGraph(nested, s, { depth })).svg()).toContain("<svg");
  });
});

describe("what is no operation", () => {
  it("a number that becomes an array of the same dtype", async () => {
    const f = (x: NDArray) => lax.scan((c: NDArray, y: NDArray) => [c.mul(y), null], x, np.array([1, 2]))[0];
    const graph = await drawGraph(f, 3, { values: true });
    expect(graph.dot).not.toContain("float32");
    expect(graph.operations).toBe(2);
    expect((await drawGraph((x: NDArray) => x.astype("float64"), 3)).operations).toBe(1);
  });
});

describe("numbers below zero", () => {
  it("have brackets behind another sign", async () => {
    const f = (x: NDArray) => x.mul(-3).add(-2).sub(x);
    const { dot } = await drawGraph(f, s, { form: "compact" });
    for (const text of ["a = x·(−3)", "b = a + (−2)"]) expect(dot).toContain(text);
    expect((await drawGraph(f, s)).dot).toContain('"× (−3)"');
  });
});

describe("transforms", () => {
  const wave = (x: NDArray) => np.sin(x).mul(x);

  it("before and after, side by side", async () => {
    const both = await drawTransform(wave, grad, s);
    expect([both.before.operations, both.after.operations]).toEqual([2, 4]);
    const svg = await both.svg();
    expect(svg.match(/<svg /g)).toHaveLength(3);
    for (const title of ["wave", "grad(wave)"]) expect(svg).toContain(`>${title}</text>`);
    expect(both.dot.match(/^digraph/gm)).toHaveLength(2);
  });

  it("of other arguments: a tangent, a batch", async () => {
    const pushed = (f: typeof wave) => (x: NDArray, dx: NDArray) => jvp(f, [x], [dx]);
    const both = await drawTransform(wave, pushed, s, { args: [s, s] });
    expect(both.after.dot).toContain('"dx"');
    const batched = await drawTransform(wave, vmap, s, { args: [v] });
    expect(batched.before.dot).not.toContain("f32[4]");
    expect(batched.after.dot).toContain("f32[4]");
  });
});

describe("large graphs", () => {
  const deep = (layers: { W: NDArray; b: NDArray }[], x: NDArray) => {
    let h = x;
    for (const { W, b } of layers) h = np.tanh(np.matmul(W, h).add(b));
    return np.sum(h);
  };
  const layers = Array.from({ length: 70 }, () => ({ W: square, b: v }));

  it("a gradient of more than 500 operations is a handful of nodes", async () => {
    const graph = await drawGraph(grad(deep), layers, v, { names: ["layers", "x"] });
    expect(graph.operations).toBeGreaterThan(500);
    expect(graph.nodes).toBeLessThan(30);
    expect(graph.dot).toContain("140 arrays: f32[4,4], f32[4]");
    expect(graph.dot).toMatch(/6\d times, \d{3} operations/);
    expect(await graph.svg()).toContain("<svg");
  });

  it("groups hold all operations, and between them data flows one way", async () => {
    const graph = await drawGraph(grad(deep), layers, v, { group: true });
    const inGroups = [...graph.dot.matchAll(/(\d+) operations/g)].reduce((n, [, k]) => n + Number(k), 0);
    const circles = (graph.dot.match(/shape=(circle|ellipse)/g) ?? []).length;
    expect(inGroups + circles).toBe(graph.operations);
    const after = new Map<string, string[]>();
    for (const [, from, to] of graph.dot.matchAll(/^ {2}"(\w+)" -> "(\w+)"/gm))
      after.set(from, [...(after.get(from) ?? []), to]);
    const open = new Set<string>();
    const visit = (node: string): void => {
      expect(open.has(node)).toBe(false);
      open.add(node);
      for (const next of after.get(node) ?? []) visit(next);
      open.delete(node);
    };
    for (const node of after.keys()) visit(node);
  });

  it("by repeats, and by line and function", async () => {
    const chain = (x: NDArray) => {
      let y = x;
      for (let i = 0; i < 250; i++) y = y.mul(1.01).add(0.1);
      return y;
    };
    const repeats = await drawGraph(chain, v, { group: "repeats" });
    expect(repeats.dot).toContain("250 times, 500 operations");
    const halves = (x: NDArray) => {
      const y = x.sin().cos();
      return y.exp().log();
    };
    const lines = await drawGraph(halves, v, { group: "line" });
    expect(lines.dot.match(/2 operations/g)).toHaveLength(2);
    const all = await drawGraph(halves, v, { group: "function" });
    expect(all.dot).toMatch(/4 operations/);
  });

  it("a body is grouped by itself", async () => {
    const f = (x: NDArray) => lax.foriLoop(0, 3, (_: NDArray, y: NDArray) => deepChain(y), x);
    const deepChain = (x: NDArray) => {
      let y = x;
      for (let i = 0; i < 150; i++) y = y.sin().mul(2);
      return y;
    };
    const graph = await drawGraph(f, v);
    expect(titles(graph.dot)).toEqual(["scan × 3"]);
    expect(graph.nodes).toBeLessThan(40);
  });

  it("without groups only the text is given", async () => {
    const graph = await drawGraph(deep, layers, v, { group: false });
    expect(graph.dot.length).toBeGreaterThan(10_000);
    await expect(graph.svg()).rejects.toThrow(
      /has \d+ nodes and \d+ edges, and a drawing of more than 160 .*group.*depth.*maxNodes.*\.dot/,
    );
  });
});

describe("what is refused", () => {
  const f = (x: NDArray) => x.sin();

  it.each<[string, () => Promise<unknown>, string, RegExp]>([
    [
      "no function",
      () => drawGraph(3 as unknown as typeof f, 1),
      "ArgumentError",
      /drawGraph takes a function, got number/,
    ],
    [
      "values of types",
      () => drawGraph(f, s, { values: true }),
      "ArgumentError",
      /ShapeDtype\(float32\[\]\).*leave out \{ values: true \}/,
    ],
    [
      "an option that is none",
      () => drawGraph(f, 1, { value: true } as never),
      "ArgumentError",
      /there is no option "value"/,
    ],
    [
      "a mode that is none",
      () => drawGraph(f, 1, { mode: "backward" } as never),
      "ArgumentError",
      /mode must be one of "forward", "reverse"/,
    ],
    [
      "a form that is none",
      () => drawGraph(f, 1, { form: "tree" } as never),
      "ArgumentError",
      /form must be one of/,
    ],
    [
      "a depth that is none",
      () => drawGraph(f, 1, { depth: -1 }),
      "ArgumentError",
      /depth must be a number of levels/,
    ],
    [
      "an input that is none",
      () => drawGraph(f, 1, { mode: "forward", from: "y" }),
      "ArgumentError",
      /no input is called "y"; there is x/,
    ],
    [
      "from without a mode",
      () => drawGraph(f, 1, { from: "x" }),
      "ArgumentError",
      /give \{ mode: "forward" \}/,
    ],
    [
      "groups in the compact form",
      () => drawGraph(f, 1, { form: "compact", group: true }),
      "ArgumentError",
      /grouped in the form "operations" only/,
    ],
    [
      "derivatives of integers",
      () => drawGraph((n: NDArray) => n.mul(2), np.array([1, 2], { dtype: "int32" }), { derivatives: true }),
      "NotDifferentiableError",
      /n is int32\[2\]/,
    ],
    [
      "a function that needs values of types",
      () => drawGraph((x: NDArray) => ((x.item() as number) > 0 ? x : x.neg()), s),
      "ConcretizationError",
      /item/,
    ],
    [
      "a promise",
      () => drawGraph((async (x: NDArray) => x) as unknown as typeof f, 1),
      "ImpureFunctionError",
      /returned a promise/,
    ],
    [
      "steps without a mode",
      async () => (await drawGraph(f, 1)).steps(),
      "ArgumentError",
      /ask for \{ mode: "forward" \}/,
    ],
    ["a jaxpr that is none", () => drawJaxpr(f as never), "ArgumentError", /drawJaxpr takes a jaxpr/],
    [
      "a transform that gives no function",
      () => drawTransform(f, (() => 3) as never, 1),
      "ArgumentError",
      /what the transform gave/,
    ],
  ])("%s", async (_, call, name, message) => {
    const error = await call().then(
      () => undefined,
      (thrown: Error) => thrown,
    );
    expect(error?.name).toBe(name);
    expect(error?.message).toMatch(message);
  });

  it("a branch of JavaScript is drawn as it was taken, where values are known", async () => {
    const branch = (x: NDArray) => ((x.item() as number) > 0 ? x.sin() : x.cos());
    expect((await drawGraph(branch, 1)).dot).toContain("sin");
    expect((await drawGraph(branch, -1)).dot).toContain("cos");
  });
});
