/** The graph of a function: paths, edges, local derivatives and both modes on it. */
import {
  checkpointName,
  grad,
  jit,
  lax,
  type NDArray,
  nn,
  numpy as np,
  ShapeDtype,
  valueAndGrad,
} from "fluxion";
import { drawGraph, drawJaxpr } from "fluxion/analysis";
import { describe, expect, it } from "vitest";
import { makeJaxpr } from "../../../src/transforms/makeJaxpr.js";
import { f64 } from "../values.js";

const e = (a: NDArray, b: NDArray) => a.add(b).mul(b.add(1));
const s = new ShapeDtype([]);

describe("e = (a + b)(b + 1) at a = 2, b = 1", () => {
  const options = { form: "compact", values: true, derivatives: true } as const;

  it("has three paths over five edges, and its derivatives are the sums over them", async () => {
    const graph = await drawGraph(e, 2, 1, options);
    expect([graph.paths, graph.edges, graph.operations]).toEqual([3, 5, 3]);
    expect(graph.pathSums.map(({ text }) => text)).toEqual(["∂e/∂a = 1·2 = 2", "∂e/∂b = 1·2 + 1·3 = 5"]);
    expect(graph.pathSums[1].products).toEqual([
      [1, 2],
      [1, 3],
    ]);
    expect(graph.pathSums[1].derivative).toBe(5);
  });

  it("says the values 3, 2 and 6, and on the edges 1, 1, 1, 2 and 3", async () => {
    const { dot } = await drawGraph(e, 2, 1, options);
    for (const text of ["a = 2", "b = 1", "c = a + b", "d = b + 1", "e = c·d", "= 3", "= 6"])
      expect(dot).toMatch(new RegExp(`[>"]${text.replace("+", "\\+")}[<"]`));
    const labels = [...dot.matchAll(/-> "\w+" \[label=" (\S+) "/g)].map(([, label]) => label);
    expect(labels).toEqual(["1", "1", "1", "2", "3"]);
  });

  it("forward goes from the input, reverse from the output, each over every edge once", async () => {
    const forward = await drawGraph(e, 2, 1, { ...options, mode: "forward", from: "b" });
    expect(forward.steps().map(({ title }) => title)).toEqual([
      "∂b/∂b = 1",
      "∂c/∂b = 1·1 = 1",
      "∂d/∂b = 1·1 = 1",
      "∂e/∂b = 1·2 + 1·3 = 5",
    ]);
    const reverse = await drawGraph(e, 2, 1, { ...options, mode: "reverse" });
    const steps = reverse.steps();
    expect(steps.map(({ title }) => title)).toEqual([
      "∂e/∂e = 1",
      "∂e/∂d = 3·1 = 3",
      "∂e/∂c = 2·1 = 2",
      "∂e/∂a = 1·2 = 2",
      "∂e/∂b = 1·2 + 1·3 = 5",
    ]);
    const highlighted = steps.map(({ dot }) => (dot.match(/ -> .*penwidth=2.5/g) ?? []).length);
    expect(highlighted).toEqual([0, 1, 1, 1, 2]);
  });

  it("a step shows what has been found, and hides what has not", async () => {
    const [first, ...rest] = (await drawGraph(e, 2, 1, { ...options, mode: "reverse" })).steps();
    expect(first.dot.match(/color="transparent"/g)).toHaveLength(4);
    expect(rest.at(-1)?.dot).not.toContain("transparent");
  });

  it("the textbook's form has a circle for each operation, and flows to the upper right", async () => {
    const graph = await drawGraph(e, 2, 1, { values: true });
    expect(graph.dot.match(/shape=circle/g)).toHaveLength(3);
    expect(graph.dot.match(/shape=box/g)).toHaveLength(5);
    const centres = middles(await graph.svg(), "polygon");
    const left = Math.min(...centres.map(({ x }) => x));
    const [right] = [...centres].sort((p, q) => q.x - p.x);
    for (const p of centres) expect(p.y).toBeGreaterThanOrEqual(right.y);
    expect(centres.filter(({ x }) => x < left + 1)).toHaveLength(2);
  });
});

/** Middles of the nodes of one shape; y grows downwards. */
function middles(svg: string, shape: string): { x: number; y: number }[] {
  return [...svg.matchAll(/class="node">[\s\S]*?<\/g>/g)].flatMap(([node]) => {
    const points = new RegExp(`<${shape} [^>]*points="([^"]*)"`).exec(node)?.[1].trim().split(/\s+/) ?? [];
    if (points.length === 0) return [];
    const [xs, ys] = [0, 1].map((k) => points.map((p) => Number(p.split(",")[k])));
    const middle = (list: number[]): number => (Math.min(...list) + Math.max(...list)) / 2;
    return [{ x: middle(xs), y: middle(ys) }];
  });
}

describe("paths against edges", () => {
  const through = (x: NDArray, weights: readonly NDArray[]) =>
    weights.map((w) => w.mul(x)).reduce((sum, y) => sum.add(y));
  const z = (X: NDArray, α: NDArray, β: NDArray, γ: NDArray, δ: NDArray, ε: NDArray, ζ: NDArray) =>
    checkpointName(through(checkpointName(through(X, [α, β, γ]), "Y"), [δ, ε, ζ]), "Z");

  it("X → Y → Z has nine paths and six edges, with the factors on them", async () => {
    const graph = await drawGraph(z, s, s, s, s, s, s, s, { form: "reduced", argnums: 0 });
    expect([graph.paths, graph.edges, graph.nodes]).toEqual([9, 6, 3]);
    const labels = [...graph.dot.matchAll(/label=" (\S+) "/g)].map(([, label]) => label);
    expect(labels).toEqual(["α", "β", "γ", "δ", "ε", "ζ"]);
  });

  it("the nine products add up to the derivative", async () => {
    const graph = await drawGraph(z, 1, 2, 3, 5, 7, 11, 13, { form: "reduced", argnums: 0 });
    const [{ products, derivative }] = graph.pathSums;
    expect(products).toHaveLength(9);
    expect(derivative).toBe(310);
    expect(graph.dot).toContain('label=" 13 "');
  });

  it("every form has the same paths; they are counted where nobody could walk them", async () => {
    const ladder = (x: NDArray) => {
      let y = x;
      for (let i = 0; i < 80; i++) y = y.add(y.sin());
      return y;
    };
    for (const form of ["operations", "compact", "reduced"] as const) {
      const graph = await drawGraph(ladder, s, { form });
      expect(graph.paths).toBe(2n ** 80n);
      expect(graph.edges).toBe(form === "reduced" ? 160 : 240);
    }
  });

  it("an operand that comes twice is two edges", async () => {
    const graph = await drawGraph((x: NDArray) => x.mul(x), 3, { derivatives: true });
    expect([graph.paths, graph.edges, graph.pathSums[0].text]).toEqual([2, 2, "∂a/∂x = 3 + 3 = 6"]);
  });

  it("an output that is an input is one path, without edges", async () => {
    expect((await drawGraph((x: NDArray) => x, s)).paths).toBe(1);
  });
});

describe("both modes on graphs agree with grad", () => {
  const functions: Record<string, (a: NDArray, b: NDArray) => NDArray> = {
    quotient: (a, b) => a.sin().div(b.exp().add(a)),
    shared: (a, b) => {
      const c = a.mul(b);
      return c.mul(c.tanh()).sub(c.div(b)).add(a.pow(b));
    },
    jitted: (a, b) => jit((x: NDArray) => x.log().mul(b))(a.mul(a).add(1)),
    branching: (a, b) =>
      lax.cond(
        a.greater(b),
        (x: NDArray) => x.sin(),
        (x: NDArray) => x.cos(),
        a.mul(b),
      ),
    loop: (a, b) => lax.foriLoop(0, 3, (_: NDArray, x: NDArray) => x.mul(b).sin(), a),
    cut: (a, b) => lax.stopGradient(a).mul(b),
  };

  it.each(Object.entries(functions))("%s", async (_, f) => {
    const at = [f64(1.3), f64(0.7)] as const;
    const [value, gradient] = valueAndGrad(f, { argnums: [0, 1] })(...at);
    const graph = await drawGraph(f, ...at, { mode: "reverse", values: true });
    const results = new Map(graph.pathSums.map(({ input, derivative }) => [input, derivative]));
    for (const [i, name] of ["a", "b"].entries()) {
      const wanted = gradient[i].item() as number;
      expect(results.get(name)).toBeCloseTo(wanted, 10);
      const found = graph.dot.match(new RegExp(`∂\\w+/∂${name} = ([−\\d.e]+)`))?.[1].replaceAll("−", "-");
      if (wanted !== 0) expect(Number(found)).toBeCloseTo(wanted, 3);
      const forward = await drawGraph(f, ...at, { mode: "forward", from: name });
      const last = forward.steps().at(-1)?.title?.split("= ").at(-1)?.replaceAll("−", "-");
      if (wanted !== 0) expect(Number(last)).toBeCloseTo(wanted, 3);
    }
    expect(value.item()).toBeTypeOf("number");
  });

  it("of arrays: the gradient of a network by reverse mode, in each node", async () => {
    const loss = (W: NDArray, x: NDArray) => np.sum(np.tanh(np.matmul(W, x)));
    const [W, x] = [
      np.array([
        [0.5, -1],
        [0.25, 2],
      ]),
      np.array([1, 2]),
    ];
    const graph = await drawGraph(loss, W, x, { mode: "reverse" });
    const wanted = grad(loss, { argnums: 1 })(W, x).tolist() as number[];
    const [, listed] = /∂c\/∂x = \[([^\]]*)\]/.exec(graph.dot) ?? [];
    expect(listed.replaceAll("−", "-").split(", ").map(Number)).toEqual(
      wanted.map((v) => Number(v.toPrecision(3))),
    );
  });

  it("of arrays by forward mode: a Jacobian in each node, where it is small", async () => {
    const f = (x: NDArray) => np.square(x).mul(2);
    const graph = await drawGraph(f, np.array([1, 3]), { mode: "forward" });
    expect(graph.dot).toContain("∂b/∂x = [[4, 0], [0, 12]]");
  });
});

describe("formulas of local derivatives", () => {
  const formulas = async (f: (...args: NDArray[]) => NDArray, ...args: ShapeDtype[]) => {
    const { dot } = await drawGraph(f, ...args, { form: "compact", derivatives: true });
    return [...dot.matchAll(/label=" (.+?) "/g)].map(([, label]) => label);
  };
  const v = new ShapeDtype([3]);

  it.each<[string, (...args: NDArray[]) => NDArray, ShapeDtype[], string[]]>([
    ["a scalar product", (a, b) => a.mul(b), [s, s], ["b", "a"]],
    ["a difference", (a, b) => a.sub(b), [s, s], ["1", "−1"]],
    ["sin", (x) => x.sin(), [s], ["cos x"]],
    ["sin of an array", (x) => x.sin(), [v], ["diag(cos x)"]],
    ["tanh names what it computes", (x) => x.tanh(), [v], ["diag(1 − a²)"]],
    ["twice", (x) => x.mul(2), [v], ["2·I"]],
    ["a sum of arrays", (x, y) => x.add(y), [v, v], ["I", "I"]],
    ["a sum over elements", (x) => np.sum(x), [v], ["Σ"]],
    ["a matrix and a vector", (A, x) => np.matmul(A, x), [new ShapeDtype([2, 3]), v], ["· @ x", "A @ ·"]],
    ["a transpose", (A) => A.transpose(), [new ShapeDtype([2, 3])], ["·ᵀ"]],
    ["a broadcast", (x) => np.broadcastTo(x, [2, 3]), [v], ["broadcast"]],
    ["what has no short formula", (x) => np.cumprod(x), [v], ["Jacobian 3 × 3"]],
    ["what is cut", (x) => lax.stopGradient(x), [v], ["0"]],
  ])("%s", async (_, f, args, wanted) => {
    expect(await formulas(f, ...args)).toEqual(wanted);
  });

  it("rules of the user's: a function with customJvp has the derivative of its rule", async () => {
    const softmaxed = await drawGraph((x: NDArray) => nn.relu(x), -2, { derivatives: true });
    expect(softmaxed.pathSums[0].derivative).toBe(0);
  });
});

it("drawJaxpr draws a program that is there", async () => {
  const program = makeJaxpr(grad((x: NDArray) => np.tanh(x)))(s);
  const graph = await drawJaxpr(program, { names: ["x"] });
  expect(graph.operations).toBe(3);
  expect(graph.dot).toContain('label="x"');
  expect((await drawJaxpr(program.jaxpr)).operations).toBe(3);
});
