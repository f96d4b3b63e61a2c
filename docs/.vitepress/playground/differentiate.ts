/** Both modes of the visitor's function, with respect to every float argument: their programs, and numbers. Runs in the worker. */
import { evalShape, jvp, makeJaxpr, type NDArray, numpy as np, ShapeDtype, tree, vjp } from "fluxion";
import { leafNames, parameterNames } from "../../../src/analysis/graph/names.js";
import { describeTree, typesOf } from "./numbers.js";
import {
  compileFunction,
  compileValues,
  isAbstract,
  isFloatLeaf,
  type UserFunction,
  type Value,
} from "./program.js";
import type { RunRequest, Section } from "./protocol.js";

type Arrays = readonly NDArray[];

/** A function at a point. */
export interface Point {
  readonly f: UserFunction;
  readonly args: readonly Value[];
  /** Whether only types are known. */
  readonly abstract: boolean;
}

export async function readPoint({ source, args }: RunRequest): Promise<Point> {
  const f = await compileFunction(source);
  const values = compileValues(args, "args");
  return { f, args: values, abstract: isAbstract(values) };
}

const call = (f: UserFunction, args: readonly Value[]): unknown => f(...args);

/** The function of its float leaves alone, and these. */
function inFloats({ args }: Pick<Point, "args">) {
  const { leaves, treedef } = tree.flatten(args);
  const all = leaves as unknown[];
  const floats = all.filter(isFloatLeaf);
  const restore = (values: Arrays, others: readonly unknown[] = all): readonly Value[] => {
    let next = 0;
    return tree.unflatten<Value[]>(
      treedef,
      others.map((leaf) => (isFloatLeaf(leaf) ? values[next++] : leaf)),
    );
  };
  return { floats, restore };
}

const ones = (leaf: unknown): NDArray | ShapeDtype =>
  leaf instanceof ShapeDtype ? leaf : np.ones((leaf as NDArray).shape, { dtype: (leaf as NDArray).dtype });

/** What the visitor gave, or ones for what he left empty. */
const given = (text: string, name: "tangents" | "cotangents", like: Value): Value =>
  text.trim() === "" ? tree.map(ones, like) : compileValues(text, name);

export async function program({ f, args, abstract }: Point): Promise<Section[]> {
  const jaxpr = makeJaxpr(f)(...args);
  const sections: Section[] = [{ title: "f, as a jaxpr", text: String(jaxpr) }];
  if (abstract)
    sections.push({
      title: "f at this point",
      text: `${typesOf(evalShape(f, ...args))}: give values instead of types to see numbers`,
    });
  else
    sections.push({
      title: "f at this point",
      text: await describeTree(call(f, args), (path) => `f(…)${path}`),
    });
  return sections;
}

export async function forward(point: Point, { tangents }: RunRequest): Promise<Section[]> {
  const { floats, restore } = inFloats(point);
  const directions = tree.leaves(given(tangents, "tangents", point.args)) as NDArray[];
  const used = tangents.trim() === "" ? directions.filter(isFloatLeaf) : directions;
  const push = (args: readonly Value[], v: Arrays): unknown => {
    const x = inFloats({ args }).floats;
    return jvp((...values: NDArray[]) => call(point.f, restore(values, tree.leaves(args))), x, [...v]);
  };
  const jaxpr = makeJaxpr(push)(...[point.args, used]);
  const sections: Section[] = [{ title: "jvp, as a jaxpr", text: String(jaxpr) }];
  if (floats.length === 0) return sections;
  if (!point.abstract) {
    const [value, tangent] = push(point.args, used) as [Value, Value];
    const text = await describeTree(value, (path) => `f(…)${path}`);
    sections.push({
      title: "Numbers",
      text: `${text}\n${await describeTree(tangent, (path) => `derivative in the direction of the tangents${path}`)}`,
    });
  }
  return sections;
}

export async function reverse(point: Point, { cotangents }: RunRequest): Promise<Section[]> {
  const { floats, restore } = inFloats(point);
  const output = evalShape(point.f, ...point.args) as Value;
  const concrete = (leaf: unknown): NDArray =>
    np.ones((leaf as ShapeDtype).shape, { dtype: (leaf as ShapeDtype).dtype });
  const likeOutput = point.abstract ? output : (tree.map(concrete, output) as Value);
  const texts = cotangents.trim() === "" ? [likeOutput] : compileValues(cotangents, "cotangents");
  const pull = (args: readonly Value[], cotangent: Value): unknown => {
    const leaves = tree.leaves(args) as unknown[];
    const x = leaves.filter(isFloatLeaf);
    const [value, pullback] = vjp((...values: NDArray[]) => call(point.f, restore(values, leaves)), ...x);
    return [value, pullback(cotangent)];
  };
  const jaxpr = makeJaxpr(pull)(...[point.args, texts[0]]);
  const sections: Section[] = [{ title: "vjp, as a jaxpr", text: String(jaxpr) }];
  if (point.abstract || floats.length === 0) return sections;
  const { leaves } = tree.flattenWithPath(point.args);
  const names = leafNames(
    leaves.map(([path]) => path),
    parameterNames(point.f),
  ).filter((_, i) => isFloatLeaf(leaves[i][1]));
  const [, gradients] = pull(point.args, texts[0]) as [Value, Arrays];
  const lines = await Promise.all(
    gradients.map((gradient, i) => describeTree(gradient, () => `∂/∂${names[i]}`)),
  );
  sections.push({ title: "Numbers", text: lines.join("\n") });
  return sections;
}
