/** What can be asked of a drawing, and what cannot. */
import { ArgumentError } from "../../core/errors.js";
import { requireOptions } from "../../transforms/functions.js";

export interface GraphOptions {
  /**
   * `operations` (default): as in textbooks, variables are squares and operations circles; data flows to the upper right.
   * `compact`: each value is a node that says how it is computed, data flows up. `reduced`: only the values where paths cross,
   * with the products of what lies between them on the edges.
   */
  readonly form?: "operations" | "compact" | "reduced";
  /** Write values into the nodes: scalars in full, small arrays as lists, large ones as a range. Needs arrays, not `ShapeDtype`s. */
  readonly values?: boolean;
  /** Write the local derivative on each edge: a number between scalars whose values are known, else a formula. */
  readonly derivatives?: boolean;
  /**
   * Write into each node its derivative with respect to one input (`forward`), or that of an output with respect to it
   * (`reverse`); `steps()` shows how they come about.
   */
  readonly mode?: "forward" | "reverse";
  /** The name of the input (forward) or output (reverse) that the mode starts from. Default: the first. */
  readonly from?: string;
  /** The arguments that paths are counted from, and derivatives taken with respect to. Default: all. */
  readonly argnums?: number | readonly number[];
  /** Names of the arguments, where the function's own parameters have none or others are wanted. */
  readonly names?: readonly string[];
  /** How many levels of bodies are opened: `jit`, loops, branches. Default 3; 0 opens none. */
  readonly depth?: number;
  /**
   * Draw operations that belong together as one node: `line` those of one line of code, `function` those of one function, `repeats`
   * structure that comes several times in a row, as layers do; `true` all of these, until the drawing can be read. Default: as
   * `true` where there would be more than `maxNodes` nodes; `false`: never.
   */
  readonly group?: boolean | "line" | "function" | "repeats";
  /** More nodes than this are grouped, or refused by `svg()`. Default 160. */
  readonly maxNodes?: number;
  /** A line above the drawing. */
  readonly title?: string;
}

export const optionNames = [
  "form",
  "values",
  "derivatives",
  "mode",
  "from",
  "argnums",
  "names",
  "depth",
  "group",
  "maxNodes",
  "title",
] as const;

export const defaultMaxNodes = 160;

/** Refuses options that are none, or do not go together. */
export function checkOptions(options: GraphOptions, what: string): void {
  requireOptions(options, optionNames, what);
  const { form, mode, group, depth, maxNodes, from } = options;
  oneOf(what, "form", form, ["operations", "compact", "reduced"]);
  oneOf(what, "mode", mode, ["forward", "reverse"]);
  oneOf(what, "group", group, [true, false, "line", "function", "repeats"]);
  if (depth !== undefined && !(Number.isInteger(depth) && depth >= 0))
    throw new ArgumentError(`${what}: depth must be a number of levels, 0 or more, got ${String(depth)}`);
  if (maxNodes !== undefined && !(maxNodes > 0))
    throw new ArgumentError(`${what}: maxNodes must be a positive number, got ${String(maxNodes)}`);
  if (from !== undefined && mode === undefined)
    throw new ArgumentError(
      `${what}: from says where a mode starts; give { mode: "forward" } or { mode: "reverse" } with it`,
    );
  if (form !== undefined && form !== "operations" && group !== undefined && group !== false)
    throw new ArgumentError(`${what}: operations are grouped in the form "operations" only`);
}

function oneOf(what: string, name: string, value: unknown, allowed: readonly unknown[]): void {
  if (value === undefined || allowed.includes(value)) return;
  const list = allowed.map((x) => JSON.stringify(x)).join(", ");
  throw new ArgumentError(`${what}: ${name} must be one of ${list}, got ${String(value)}`);
}
