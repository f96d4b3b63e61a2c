/** `scaleModes`: how the costs of both modes grow with the number of inputs. */
import type { DeviceName } from "../../core/device.js";
import { ArgumentError } from "../../core/errors.js";
import { showTime } from "../../core/table.js";
import { nameOf, requireFunction, requireOptions } from "../../transforms/functions.js";
import type { Fn } from "../../transforms/types.js";
import { rounded, showCount, si, table } from "../table.js";
import { type CompareModesOptions, compare, compareModesOptions } from "./compareModes.js";
import type { ModeComparison } from "./comparison.js";

/** A comparison for each size. Prints as a table; `svg()` draws it. */
export class ModeScaling implements Iterable<ModeComparison> {
  /** @internal */
  constructor(
    /** The name of the functions. */
    readonly name: string,
    /** What was given for `sizes`. */
    readonly sizes: readonly number[],
    /** One for each size. */
    readonly comparisons: readonly ModeComparison[],
  ) {}

  /** On which device the times are, if they were asked for. */
  get device(): DeviceName | undefined {
    return this.comparisons[0].device;
  }

  [Symbol.iterator](): Iterator<ModeComparison> {
    return this.comparisons[Symbol.iterator]();
  }

  /** For each size how many times as many operations all derivatives take in forward mode as in reverse mode; NaN if one is missing. */
  get ratios(): readonly number[] {
    const operations = (c: ModeComparison, mode: "forward" | "reverse"): number =>
      c.find(mode)?.operations ?? Number.NaN;
    return this.comparisons.map((c) => operations(c, "forward") / operations(c, "reverse"));
  }

  toString(): string {
    const { device, ratios } = this;
    const timed = device !== undefined;
    const time = (ms: number | undefined): string => (ms === undefined ? "–" : showTime(ms));
    const head = ["inputs", "outputs", "value", "forward", "reverse", "forward / reverse"];
    const lines = this.comparisons.map((c, i) => {
      const [forward, reverse] = [c.find("forward"), c.find("reverse")];
      return [
        showCount(c.inputs),
        showCount(c.outputs),
        si(c.row("value").operations),
        forward === undefined ? "–" : si(forward.operations),
        reverse === undefined ? "–" : si(reverse.operations),
        Number.isNaN(ratios[i]) ? "–" : rounded(ratios[i]),
        ...(timed ? [time(forward?.ms), time(reverse?.ms)] : []),
      ];
    });
    const units = `All derivatives of ${this.name}: counted operations${timed ? ` and times on ${device}` : ""}`;
    return `${units}\n${table([[...head, ...(timed ? ["forward time", "reverse time"] : [])], ...lines], { left: [] })}`;
  }

  /** What `console.log` prints in Node. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  /**
   * Draws the operations of both modes against the number of inputs, all axes logarithmic: lines for what was counted, and
   * points on an axis of their own for what was measured. Needs the package `echarts`.
   *
   * @returns the text of an SVG file.
   * @throws MissingPackageError if `echarts` is not installed.
   */
  async svg(): Promise<string> {
    const { scalingPlot } = await import("./picture.js");
    return scalingPlot(this);
  }
}

/**
 * Compares both modes for a function at several sizes. What is counted is exact for all of them, since nothing is computed;
 * with `measure: true` those are timed that can be afforded (`memoryLimit`, `timeLimit`).
 *
 * @param family gives for a size the function and the list of its arguments (arrays, numbers or `ShapeDtype`s).
 * @param sizes whole numbers.
 * @param options as those of `compareModes`.
 * @returns the comparisons, which print as a table.
 * @throws ArgumentError if `sizes` is empty or `family` gives something else; what `compareModes` throws.
 * @example
 * const f = (x) => np.sum(np.sin(x).mul(x));
 * const growth = await scaleModes((n) => [f, [new ShapeDtype([n])]], [1000, 1000000]);
 * growth.comparisons.map((c) => c.row("reverse").operations); // [6000, 6000000]
 * growth.ratios[1] / growth.ratios[0] > 999; // true
 */
export async function scaleModes(
  family: (size: number) => readonly [f: Fn, args: readonly unknown[]],
  sizes: readonly number[],
  options: CompareModesOptions = {},
): Promise<ModeScaling> {
  requireFunction(family, "scaleModes");
  requireOptions(options, compareModesOptions, "scaleModes");
  if (!Array.isArray(sizes) || sizes.length === 0 || !sizes.every((n) => Number.isInteger(n)))
    throw new ArgumentError(
      `scaleModes: sizes must be a list of whole numbers, got ${JSON.stringify(sizes)}`,
    );
  const comparisons: ModeComparison[] = [];
  let name = "";
  for (const size of sizes) {
    const made = family(size);
    if (!Array.isArray(made) || typeof made[0] !== "function" || !Array.isArray(made[1]))
      throw new ArgumentError(
        `scaleModes: for the size ${size} the family must give [f, arguments], such as [f, [new ShapeDtype([${size}])]]`,
      );
    const [f, args] = made as readonly [Fn, readonly unknown[]];
    name = nameOf(f);
    comparisons.push(await compare(f, args, options, "scaleModes"));
  }
  return new ModeScaling(name, sizes, comparisons);
}
