/** `fluxion graph`. */
import { drawGraph } from "../analysis/graph/drawGraph.js";
import type { GraphDrawing } from "../analysis/graph/drawing.js";
import type { GraphOptions } from "../analysis/graph/options.js";
import { leaves } from "../core/tree.js";
import { ShapeDtype } from "../transforms/makeJaxpr.js";
import type { Fn } from "../transforms/types.js";
import { readCall } from "./call.js";
import { requireWritable, writeOutput } from "./files.js";
import type { Command, Flags } from "./main.js";
import { UsageError } from "./terminal.js";
import { oneOf } from "./words.js";

/** Of any function: what its arguments are is known only now. */
const draw = drawGraph as (f: Fn, ...argsAndOptions: unknown[]) => Promise<GraphDrawing>;

export const run: Command = async (target, flags, terminal) => {
  const chosen = readOptions(flags);
  const { output } = flags;
  if (output !== undefined) requireWritable(output, [".svg", ".dot", ".gv"], terminal);
  const { f, args, argnums } = await readCall(target, flags, terminal);
  if (flags.values && leaves(args).some((leaf) => leaf instanceof ShapeDtype))
    throw new UsageError(
      "--values: there are no values, only shapes; give --args, or let the file export arrays",
    );
  const options: GraphOptions = { ...chosen, ...(argnums !== undefined && { argnums }) };
  const drawing = await draw(f, ...args, options);
  if (output?.endsWith(".svg")) writeOutput(output, await drawing.svg(), terminal);
  else if (output !== undefined) writeOutput(output, drawing.dot, terminal);
  const { dot, operations, edges, paths, pathSums, nodes } = drawing;
  return {
    text: output === undefined ? dot : "",
    data: { function: f.name, operations, edges, paths: Number(paths), pathSums, nodes, dot },
  };
};

function readOptions({ values, derivatives, mode, form, depth, group, from }: Flags): GraphOptions {
  if (from !== undefined && mode === undefined)
    throw new UsageError("--from says where a mode starts: give --mode forward or --mode reverse with it");
  return {
    ...(values && { values }),
    ...(derivatives && { derivatives }),
    ...(mode !== undefined && { mode: oneOf("--mode", mode, ["forward", "reverse"] as const) }),
    ...(from !== undefined && { from }),
    ...(form !== undefined && { form: oneOf("--form", form, ["operations", "compact", "reduced"] as const) }),
    ...(depth !== undefined && { depth: readDepth(depth) }),
    ...(group !== undefined && {
      group: readGroup(group),
    }),
  };
}

function readGroup(word: string): true | "line" | "function" | "repeats" {
  const by = oneOf("--group", word, ["line", "function", "repeats", "all"] as const);
  return by === "all" || by;
}

function readDepth(text: string): number {
  if (!/^\d+$/.test(text))
    throw new UsageError(`--depth wants a number of levels, got ${JSON.stringify(text)}`);
  return Number(text);
}
