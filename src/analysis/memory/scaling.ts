/** `scaleMemory`: how memory grows with the number of layers, of examples, or of anything else. */
import { ArgumentError } from "../../core/errors.js";
import { requireOptions } from "../../transforms/functions.js";
import type { Argnums, Fn } from "../../transforms/types.js";
import { rounded, showBytes, table } from "../table.js";
import { footprintOf } from "./memoryFootprint.js";
import type { MemoryFootprint } from "./report.js";

export interface ScalingOptions {
  /** What sizes count, for the table: `layer`, `example`. Default: `unit`. */
  readonly per?: string;
  /** As for `memoryFootprint`. */
  readonly argnums?: Argnums<Fn>;
  readonly compiled?: boolean;
}

/** One size. */
export interface MemoryScalingRow {
  readonly size: number;
  readonly footprint: MemoryFootprint;
}

/** The straight line through a column, by least squares. */
export interface MemorySlope {
  /** Bytes for each unit of size. */
  readonly perUnit: number;
  /** Bytes at size 0. */
  readonly at0: number;
  /** Whether every row lies on the line. */
  readonly isExact: boolean;
}

type Column = "prediction" | "predictionCompiled" | "training" | "trainingCompiled" | "stored";

const columns: Readonly<
  Record<Column, readonly [heading: string, (f: MemoryFootprint) => number | undefined]>
> = {
  prediction: ["prediction", (f) => f.prediction.asWritten],
  training: ["training", (f) => f.training.asWritten],
  stored: ["stored", (f) => f.storedBytes],
  predictionCompiled: ["prediction, compiled", (f) => f.prediction.compiled?.peakBytes],
  trainingCompiled: ["training, compiled", (f) => f.training.compiled?.peakBytes],
};

/** Memory against size. Prints as a table with the slopes below. */
export class MemoryScaling implements Iterable<MemoryScalingRow> {
  /** @internal */
  constructor(
    readonly rows: readonly MemoryScalingRow[],
    /** What sizes count. */
    readonly per: string,
  ) {}

  /** The slope of peak bytes of prediction and training as written and compiled, and of stored bytes; undefined where nothing was compiled. */
  get slopes(): Readonly<Record<Column, MemorySlope | undefined>> {
    const entries = Object.entries(columns).map(([name, [, read]]) => [name, this.slopeOf(read)]);
    return Object.fromEntries(entries) as Record<Column, MemorySlope | undefined>;
  }

  private slopeOf(read: (f: MemoryFootprint) => number | undefined): MemorySlope | undefined {
    const points = this.rows.map(({ size, footprint }) => [size, read(footprint)] as const);
    return points.every((point): point is readonly [number, number] => point[1] !== undefined)
      ? lineThrough(points)
      : undefined;
  }

  [Symbol.iterator](): Iterator<MemoryScalingRow> {
    return this.rows[Symbol.iterator]();
  }

  toString(): string {
    const { slopes } = this;
    const shown = (Object.keys(columns) as Column[]).filter((name) => slopes[name] !== undefined);
    const line = (label: string, cell: (slope: MemorySlope) => string): string[] => [
      label,
      ...shown.map((name) => cell(slopes[name] as MemorySlope)),
    ];
    return table(
      [
        [`${this.per}s`, ...shown.map((name) => columns[name][0])],
        ...this.rows.map(({ size, footprint }) => [
          rounded(size, 15),
          ...shown.map((name) => showBytes(columns[name][1](footprint) as number)),
        ]),
        line(`each ${this.per}`, ({ perUnit, isExact }) => `${isExact ? "" : "about "}${showBytes(perUnit)}`),
      ],
      { left: [] },
    );
  }

  /** What `console.log` prints in Node. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

/** Least squares; a line is exact if its integer points are. */
function lineThrough(points: readonly (readonly [x: number, y: number])[]): MemorySlope {
  const n = points.length;
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / n;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / n;
  const xy = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  const xx = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  const fitted = xy / xx;
  const [[x0, y0], [x1, y1]] = points;
  // The means of whole numbers are rounded, so a line through all points is taken from two of them.
  const between = (y1 - y0) / (x1 - x0);
  const isExact = points.every(([x, y]) => Math.abs(y0 + between * (x - x0) - y) < 1e-6 * Math.max(1, y));
  const perUnit = isExact ? between : fitted;
  return { perUnit, at0: isExact ? y0 - perUnit * x0 : meanY - perUnit * meanX, isExact };
}

/**
 * `memoryFootprint` for a family of functions or arguments: what each layer, or each example of a batch, costs.
 *
 * @param sizes at least two different numbers.
 * @param at the function and its arguments, in a list, for a size. Arguments may be `ShapeDtype`s.
 * @param options `per`, a word for what sizes count; `argnums` and `compiled` as for `memoryFootprint`.
 * @returns a footprint for each size, and the slopes in bytes per unit of size: exact where memory is linear in size.
 * @throws ArgumentError for fewer than two sizes; what `memoryFootprint` throws.
 * @example
 * const loss = (w, x) => np.square(np.tanh(x.matmul(w))).sum();
 * const w = new ShapeDtype([3, 2]);
 * const scaling = scaleMemory([1, 10, 100], (n) => [loss, w, new ShapeDtype([n, 3])], { per: "example", argnums: 0 });
 * scaling.slopes.stored; // { perUnit: 16, at0: 0, isExact: true }
 */
export function scaleMemory(
  sizes: readonly number[],
  at: (size: number) => readonly [f: Fn, ...args: readonly unknown[]],
  options: ScalingOptions = {},
): MemoryScaling {
  requireOptions(options, ["per", "argnums", "compiled"], "scaleMemory");
  const { per = "unit", ...others } = options;
  if (!Array.isArray(sizes) || sizes.some((size) => !Number.isFinite(size)) || new Set(sizes).size < 2)
    throw new ArgumentError(`scaleMemory needs at least two different sizes, got [${String(sizes)}]`);
  const rows = sizes.map((size) => {
    const [f, ...args] = at(size);
    return { size, footprint: footprintOf(f, args, others) };
  });
  return new MemoryScaling(rows, per);
}
