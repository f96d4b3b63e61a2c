/** What is written on a program's drawing beside the program itself. */
import type { Variable } from "./program.js";

export interface Note {
  readonly text: string;
  /** It has its place, but only a later step shows it. */
  readonly hidden?: boolean;
}

export interface Notes {
  readonly values: ReadonlyMap<Variable, string>;
  /** Local derivatives, by `edgeKey`. */
  readonly partials: ReadonlyMap<string, Note>;
  /** What a mode has found for a value: `∂e/∂b = 5`. */
  readonly derivatives: ReadonlyMap<Variable, Note>;
  readonly highlighted: ReadonlySet<Variable | string>;
}

export const noNotes: Notes = {
  values: new Map(),
  partials: new Map(),
  derivatives: new Map(),
  highlighted: new Set(),
};
