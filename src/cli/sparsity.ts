/** `fluxion sparsity`. */
import { sparsity } from "../analysis/jacobian/sparsity.js";
import type { SparsityPattern } from "../core/pattern.js";
import { flatten, keystr } from "../core/tree.js";
import type { Fn } from "../transforms/types.js";
import { readCall } from "./call.js";
import type { Command } from "./main.js";

/** Of any function: what its arguments are is known only now. */
const patternsOf = sparsity as (f: Fn, ...argsAndOptions: unknown[]) => unknown;

export const run: Command = async (target, flags, terminal) => {
  const { f, args, argnums } = await readCall(target, flags, terminal);
  const tree = patternsOf(f, ...args, { argnums: argnums ?? 0 });
  const { leaves, treedef } = flatten(tree as object);
  const blocks = leaves as unknown as SparsityPattern[];
  const places = treedef.paths().map((path) => keystr(path));
  const text = blocks.map((pattern, i) => (places[i] === "" ? String(pattern) : `${places[i]}: ${pattern}`));
  const data = blocks.map((pattern, i) => {
    const { rows, columns, nonzeros, density } = pattern;
    const list = { offsets: pattern.offsets, indices: pattern.indices };
    return { block: places[i], rows, columns, nonzeros, density, ...list };
  });
  return { text: text.join("\n"), data: { function: f.name, patterns: data } };
};
