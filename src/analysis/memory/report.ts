/** What `memoryFootprint` found, as figures and as tables. */
import { aval, describe, type Shape } from "../../core/aval.js";
import type { DeviceName } from "../../core/device.js";
import type { DType } from "../../core/dtype.js";
import type { MemoryAnalysis } from "../../core/lowered.js";
import type { StorageCost } from "../../transforms/checkpointReport.js";
import type { SavedResidual } from "../../transforms/residuals.js";
import { plural, showBytes, table } from "../table.js";

/** The memory of one program, in bytes. */
export interface MemoryUse {
  /** The peak of the program as it is written: its inputs, its outputs, and what is alive between equations. */
  readonly asWritten: number;
  /** The program as it is compiled for the device; undefined where it is not, or nobody asked for it. */
  readonly compiled: MemoryAnalysis | undefined;
  /** Why the device cannot compile it. */
  readonly notCompiled: string | undefined;
}

/** An argument, an output or a gradient. */
export interface ArrayBytes {
  /** `argument 0 at .w`, `output`, `constant` (an array that the function closes over). */
  readonly what: string;
  readonly shape: Shape;
  readonly dtype: DType;
  readonly bytes: number;
}

/** The figures of a `MemoryFootprint`; bytes, if nothing else is said. */
export interface MemoryFigures {
  /** Of the function. */
  readonly name: string;
  /** That the programs are compiled for. */
  readonly device: DeviceName;
  /** What training is: of a scalar the value and the gradient, of anything else the value and a cotangent pulled back. */
  readonly kind: "valueAndGrad" | "vjp";
  readonly prediction: MemoryUse;
  readonly training: MemoryUse;
  readonly inputs: readonly ArrayBytes[];
  readonly outputs: readonly ArrayBytes[];
  /** One for each array that training differentiates by, under its name. */
  readonly gradients: readonly ArrayBytes[];
  /** Values that are computed on the way forward and stored for the way back, the largest first. */
  readonly stored: readonly SavedResidual[];
  /** Arguments and constants that the way back reads: they are there anyway, but cannot be freed before it. */
  readonly kept: readonly SavedResidual[];
  /** What `checkpoint` around the whole function would store with everything stored, which is what happens without it, and with nothing. */
  readonly checkpoint: {
    readonly everything: StorageCost;
    readonly nothing: StorageCost;
    /** Operations of one forward pass. */
    readonly forwardOperations: number;
  };
}

export interface MemoryFootprint extends MemoryFigures {}

/** What a function needs for its value and for its gradient. Made by `memoryFootprint`. Prints as tables. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the constructor assigns all figures
export class MemoryFootprint {
  /** @internal */
  constructor(figures: MemoryFigures) {
    Object.assign(this, figures);
  }

  /** Of all values that training stores for the way back, arguments and constants not counted. */
  get storedBytes(): number {
    return sum(this.stored);
  }

  /** Training against prediction, as written. */
  get ratio(): number {
    return this.training.asWritten / this.prediction.asWritten;
  }

  toString(): string {
    return [...this.summary(), "", this.arrays(), "", this.advice()].join("\n");
  }

  /** What `console.log` prints in Node. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  private summary(): string[] {
    const { name, device, kind, prediction, training } = this;
    const what = kind === "vjp" ? "value, and one cotangent pulled back" : "value and gradient";
    const compiledRatio =
      training.compiled && prediction.compiled && training.compiled.peakBytes / prediction.compiled.peakBytes;
    const rows = [
      ["peak memory", "as written", `compiled for ${device}`],
      [`prediction: ${name}`, ...uses(prediction)],
      [`training: ${kind}(${name})`, ...uses(training)],
      ["training / prediction", times(this.ratio), compiledRatio === undefined ? "-" : times(compiledRatio)],
    ];
    const reasons = new Set(
      [prediction.notCompiled, training.notCompiled].filter((text) => text !== undefined),
    );
    return [
      table(rows),
      ...(kind === "vjp" ? [`the value is not one scalar: training is ${what} (vjp)`] : []),
      ...[...reasons].map((text) => `not compiled: ${text}`),
    ];
  }

  private arrays(): string {
    const group = (label: string, list: readonly (ArrayBytes & Partial<SavedResidual>)[]): string[][] => {
      if (list.length === 0) return [[label, showBytes(0), "", ""]];
      const rows = list.map((array, i) => [
        i === 0 ? label : "",
        showBytes(array.bytes),
        describe(aval(array.shape, array.dtype)),
        placed(array),
      ]);
      return list.length === 1
        ? rows
        : [...rows, ["", showBytes(sum(list)), "", `in ${plural(list.length, "array")}`]];
    };
    return table(
      [
        ...group("inputs", this.inputs),
        ...group("outputs", this.outputs),
        ...group("gradients", this.gradients),
        ...group("stored", this.stored),
        ...(this.kept.length === 0 ? [] : group("kept", this.kept)),
      ],
      { left: [0, 2, 3] },
    );
  }

  private advice(): string {
    const { everything, nothing, forwardOperations } = this.checkpoint;
    if (everything.bytes === nothing.bytes)
      return "Nothing is computed for the way back that checkpoint could save.";
    const share = Math.round((100 * nothing.extraOperations) / Math.max(1, forwardOperations));
    return (
      `checkpoint(${this.name}) would store ${showBytes(nothing.bytes)} for the way back instead of ` +
      `${showBytes(everything.bytes)}, and do ${plural(nothing.extraOperations, "operation")} again ` +
      `(${share} % of the way forward).`
    );
  }
}

const uses = ({ asWritten, compiled }: MemoryUse): string[] => [
  showBytes(asWritten),
  compiled === undefined ? "-" : showBytes(compiled.peakBytes),
];

const times = (ratio: number): string =>
  Number.isNaN(ratio) ? "-" : `${ratio.toFixed(ratio < 10 ? 2 : 1)} ×`;

const sum = (list: readonly { readonly bytes: number }[]): number =>
  list.reduce((all, { bytes }) => all + bytes, 0);

function placed({ what, name, source }: ArrayBytes & Partial<SavedResidual>): string {
  const called = name === undefined ? "" : ` ${JSON.stringify(name)}`;
  return `${what}${called}${source === undefined ? "" : ` (at ${source})`}`;
}
