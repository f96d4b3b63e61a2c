/** The graph of the visitor's function, and what its derivatives cost. Runs in the worker. */
import { defaultDevice, deviceGet, grad, makeJaxpr, setDefaultDevice, tree } from "fluxion";
import type { GraphOptions } from "../../../src/analysis/graph/options.js";
// By its own path: the rest of the analyses is loaded when it is asked for.
import { compareModes } from "../../../src/analysis/modes/compareModes.js";
import type { Point } from "./differentiate.js";
import { isFloatLeaf, type Value } from "./program.js";
import type { GraphKind, Section } from "./protocol.js";

export async function costs({ f, args }: Point, measure: boolean): Promise<Section[]> {
  const comparison = await compareModes(f, ...args, { measure });
  return [{ title: measure ? "Counted, and measured here" : "Counted", text: String(comparison) }];
}

export async function plot({ f, args }: Point): Promise<string> {
  return (await compareModes(f, ...args)).svg();
}

/** How `jacobian` would make all derivatives, and why so. Nothing is computed. */
export async function plan({ f, args }: Point): Promise<Section[]> {
  const { jacobian } = await import("../../../src/analysis/jacobian/jacobian.js");
  const floats = args.flatMap((arg, i) => (tree.leaves(arg).every(isFloatLeaf) ? [i] : []));
  let found: unknown;
  makeJaxpr((...values: Value[]) => {
    const [result, explained] = jacobian(f, { explain: true, argnums: floats })(...values);
    found = explained;
    return result;
  })(...args);
  return [{ title: "jacobian(f, { explain: true })", text: String(found) }];
}

const options: Readonly<Record<Exclude<GraphKind, "gradient">, GraphOptions>> = {
  plain: {},
  values: { values: true, form: "compact" },
  derivatives: { values: true, derivatives: true, form: "compact" },
  forward: { values: true, derivatives: true, mode: "forward", form: "compact" },
  reverse: { values: true, derivatives: true, mode: "reverse", form: "compact" },
};

const count = (n: number | bigint, what: string): string =>
  `${n.toLocaleString("en")} ${what}${n === 1 ? "" : "s"}`;

/** The picture of a graph, and how many paths and edges there are. It is computed where JavaScript can read the values. */
export async function graph(
  { f, args, abstract }: Point,
  kind: GraphKind,
): Promise<{ svg: string; note: string }> {
  const { drawGraph, drawTransform } = await import("../../../src/analysis/graph/drawGraph.js");
  const device = defaultDevice();
  const here = abstract ? args : await deviceGet(args);
  try {
    setDefaultDevice("wasm");
    if (kind === "gradient") {
      const drawing = await drawTransform(f, grad, ...here, { titles: ["f", "grad(f)"] });
      return { svg: await drawing.svg(), note: "" };
    }
    const wanted = abstract ? { ...options[kind], values: false } : options[kind];
    const drawing = await drawGraph(f, ...here, wanted);
    return {
      svg: await drawing.svg(),
      note: `${count(drawing.paths, "path")}, ${count(drawing.edges, "edge")}`,
    };
  } finally {
    setDefaultDevice(device);
  }
}
