/** Trees of arrays as lines of text. */
import { deviceGet, type NDArray, type NestedNumbers, type ShapeDtype, tree } from "fluxion";
import type { Value } from "./program.js";

/** More elements than this are summarised. */
const shown = 64;

const digits = (x: number): string => String(Number(x.toPrecision(6)));

const nested = (x: NestedNumbers): string => {
  if (typeof x === "boolean") return String(x);
  return typeof x === "number" ? digits(x) : `[${x.map(nested).join(", ")}]`;
};

function arrayText(x: NDArray): string {
  const type = `${x.dtype}[${x.shape.join(",")}]`;
  if (x.size <= shown) return `${nested(x.tolist())}    ${type}`;
  const values = x.dataSync();
  let [least, most, sum] = [Infinity, -Infinity, 0];
  for (const value of values) {
    least = Math.min(least, value);
    most = Math.max(most, value);
    sum += value;
  }
  return `from ${digits(least)} to ${digits(most)}, mean ${digits(sum / x.size)}    ${type}`;
}

/** One line for every leaf, with its path behind a name. Numbers on a GPU are fetched. */
export async function describeTree(values: Value, nameOf: (path: string) => string): Promise<string> {
  const { leaves } = tree.flattenWithPath(await deviceGet(values));
  return leaves
    .map(([path, leaf]) => `${nameOf(tree.keystr(path))} = ${arrayText(leaf as NDArray)}`)
    .join("\n");
}

/** `float32[3]`, for each leaf. */
export const typesOf = (values: Value): string =>
  (tree.leaves(values) as (NDArray | ShapeDtype)[])
    .map((leaf) => `${leaf.dtype}[${leaf.shape.join(",")}]`)
    .join(", ");
