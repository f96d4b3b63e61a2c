/** What a plan for a Jacobian tells: the ways that were considered, what was taken, and why. */

import { plural, rounded, showCount, si, table } from "../table.js";
import type { Direction } from "./passes.js";
import type { WayName } from "./ways.js";

/** How a Jacobian is to be computed. */
export type JacobianModeOrAuto = "auto" | Exclude<WayName, "blockwise">;

export const jacobianModes: readonly JacobianModeOrAuto[] = [
  "auto",
  "forward",
  "reverse",
  "compressedForward",
  "compressedReverse",
];

/** A way that was considered. */
export interface JacobianCandidate {
  readonly way: WayName;
  /** How many products with the linear map, or its transpose, it takes. */
  readonly passes: number;
  /** Operations of all passes, the making of seeds included. */
  readonly operations: number;
  /** Whether they are an estimate, of a way that is dearer by far: its program was not made. */
  readonly estimated: boolean;
}

/** What is known of a block. */
export interface JacobianBlock {
  /** The leaves of output and input, as paths: `.w[0]`; empty for a tree that is one leaf. */
  readonly output: string;
  readonly input: string;
  readonly rows: number;
  readonly columns: number;
  /** Entries that may be nonzero; all of them, if nothing was looked for. */
  readonly nonzeros: number;
  /** The direction of the pass that gives it, and how many seeds that has; undefined where it is zero. */
  readonly direction: Direction | undefined;
  readonly passes: number;
}

/** How a Jacobian is computed, and why. Prints as a table. */
export class JacobianPlan {
  /** @internal */
  constructor(
    /** What was asked for. */
    readonly mode: JacobianModeOrAuto,
    /** The way that is taken. */
    readonly way: WayName,
    /** The ways that were considered, the chosen one among them. */
    readonly candidates: readonly JacobianCandidate[],
    readonly blocks: readonly JacobianBlock[],
    /** One sentence. */
    readonly reason: string,
    private readonly sides: { readonly rows: number; readonly columns: number },
  ) {}

  /** Products with the linear map, or its transpose, that are computed. */
  get passes(): number {
    return this.chosen.passes;
  }

  /** Counted operations of the passes. */
  get operations(): number {
    return this.chosen.operations;
  }

  /** Entries that may be nonzero. */
  get nonzeros(): number {
    return this.blocks.reduce((n, block) => n + block.nonzeros, 0);
  }

  /** Their share, from 0 to 1. */
  get density(): number {
    const { rows, columns } = this.sides;
    return rows * columns === 0 ? 0 : this.nonzeros / (rows * columns);
  }

  private get chosen(): JacobianCandidate {
    return this.candidates.find(({ way }) => way === this.way) as JacobianCandidate;
  }

  toString(): string {
    const { rows, columns } = this.sides;
    const title = `${plural(rows, "output")} by ${plural(columns, "input")}, ${plural(this.nonzeros, "entry", "entries")} (density ${rounded(this.density, 2)})`;
    const lines = this.candidates.map(({ way, passes, operations, estimated }) => [
      wayNames[way],
      showCount(passes),
      `${estimated ? "about " : ""}${si(operations)}`,
      way === this.way ? "chosen" : "",
    ]);
    const text = [title, table([["", "passes", "operations", ""], ...lines], { left: [0, 3], indent: 2 })];
    if (this.way === "blockwise") {
      const parts = this.blocks.map(({ output, input, rows: m, columns: n, nonzeros, direction, passes }) => [
        `output${output} by input${input}`,
        `${showCount(m)} × ${showCount(n)}`,
        plural(nonzeros, "entry", "entries"),
        direction === undefined ? "zero" : `${direction}, ${plural(passes, "pass", "passes")}`,
      ]);
      text.push(table(parts, { left: [0, 3], indent: 2 }));
    }
    return [...text, this.reason].join("\n");
  }

  /** What `console.log` prints in Node. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

export const wayNames: Readonly<Record<WayName, string>> = {
  forward: "forward",
  reverse: "reverse",
  compressedForward: "forward, compressed",
  compressedReverse: "reverse, compressed",
  blockwise: "block by block",
};
