/** What the page and its worker say to each other. */

/** What can be shown of a function, each computed for itself. */
export type Part = "program" | "forward" | "reverse" | "costs" | "graph" | "plot" | "measured" | "plan";

export type GraphKind = "plain" | "values" | "derivatives" | "forward" | "reverse" | "gradient";

export interface RunRequest {
  readonly kind: "run";
  readonly id: number;
  /** Defines a function `f`. */
  readonly source: string;
  /** The arguments of `f`, as in a call. */
  readonly args: string;
  /** A tangent for each argument; empty for ones. */
  readonly tangents: string;
  /** A cotangent of the result; empty for ones. */
  readonly cotangents: string;
  readonly graph: GraphKind;
  readonly parts: readonly Part[];
}

export type DeviceChoice = "auto" | "wasm" | "webgpu";

export interface DeviceRequest {
  readonly kind: "device";
  readonly id: number;
  readonly device: DeviceChoice;
}

export type Request = RunRequest | DeviceRequest;

/** Something to read: a program, numbers, a table. */
export interface Section {
  readonly title: string;
  readonly text: string;
}

export interface Problem {
  /** The class of the error, as `ShapeError`. */
  readonly name: string;
  readonly message: string;
  /** Where in the visitor's text, both from 1. */
  readonly line?: number;
  readonly column?: number;
  /** In which of the texts that is. */
  readonly where?: "source" | "args" | "tangents" | "cotangents";
}

export type Answer =
  | { readonly kind: "ready" }
  | { readonly kind: "device"; readonly id: number; readonly name: string; readonly description: string }
  /** A library is on its way, which takes as long as the network does. */
  | { readonly kind: "loading"; readonly id: number; readonly part: Part; readonly what: string }
  | {
      readonly kind: "sections";
      readonly id: number;
      readonly part: Part;
      readonly sections: readonly Section[];
    }
  | {
      readonly kind: "picture";
      readonly id: number;
      readonly part: Part;
      readonly svg: string;
      readonly note: string;
    }
  | {
      readonly kind: "problem";
      readonly id: number;
      readonly part: Part | undefined;
      readonly problem: Problem;
    }
  | { readonly kind: "done"; readonly id: number };
