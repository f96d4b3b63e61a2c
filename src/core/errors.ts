/**
 * Typed errors. Every one carries a stable `code` to switch on, and a message that names what was called,
 * what it got, what it needed and, where it is known, the line of user code.
 */
import { atUserLine } from "./source.js";

export type ErrorCode =
  | "shape"
  | "dtype"
  | "concretization"
  | "leaked-tracer"
  | "non-scalar-output"
  | "tree-mismatch"
  | "device"
  | "not-differentiable"
  | "missing-rule"
  | "missing-package"
  | "argument"
  | "axis"
  | "impure-function"
  | "jaxpr-type"
  | "parse"
  | "nan"
  | "memory-leak"
  | "internal";

/** `missing-rule` as `MissingRuleError`. */
const nameOf = (code: ErrorCode): string => {
  const words = code === "parse" ? ["jaxpr", "parse"] : code.split("-");
  return `${words.map((word) => word[0].toUpperCase() + word.slice(1)).join("")}Error`;
};

/** The base of all errors thrown on purpose. `code` is stable across versions; the text may improve. */
export class FluxionError extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string) {
    super(message + atUserLine());
    // Not that of the class: in a program that was minified, classes have others.
    this.name = nameOf(code);
    this.code = code;
  }
}

/** Operand shapes do not fit the operation. */
export class ShapeError extends FluxionError {
  constructor(message: string) {
    super("shape", message);
  }
}

/** Operand dtypes do not fit the operation. */
export class DtypeError extends FluxionError {
  constructor(message: string) {
    super("dtype", message);
  }
}

/** An axis is out of range, repeated, or of the wrong size (`vmap` axis sizes included). */
export class AxisError extends FluxionError {
  constructor(message: string) {
    super("axis", message);
  }
}

/** The value of a traced array was asked for where only its shape and dtype are known. */
export class ConcretizationError extends FluxionError {
  constructor(message: string) {
    super("concretization", message);
  }
}

/** A traced array was used after the function that was being traced had returned. */
export class LeakedTracerError extends FluxionError {
  constructor(message: string) {
    super("leaked-tracer", message);
  }
}

/** `grad` needs a function whose output is one scalar of shape (). */
export class NonScalarOutputError extends FluxionError {
  constructor(message: string) {
    super("non-scalar-output", message);
  }
}

/** Two trees that must have the same structure differ; the message names the path. */
export class TreeMismatchError extends FluxionError {
  constructor(message: string) {
    super("tree-mismatch", message);
  }
}

/** A device cannot do what was asked of it. */
export class DeviceError extends FluxionError {
  constructor(message: string) {
    super("device", message);
  }
}

/** A derivative was asked for that does not exist: of an integer input, or through an undifferentiable operation. */
export class NotDifferentiableError extends FluxionError {
  constructor(message: string) {
    super("not-differentiable", message);
  }
}

/** A primitive record has no rule for the transform that reached it; `primitive` and `rule` name both. */
export class MissingRuleError extends FluxionError {
  readonly primitive: string;
  readonly rule: string;
  constructor(message: string, which: { primitive: string; rule: string }) {
    super("missing-rule", message);
    this.primitive = which.primitive;
    this.rule = which.rule;
  }
}

/** Something needs an npm package that is not installed with fluxion; `packageName` is its name. */
export class MissingPackageError extends FluxionError {
  readonly packageName: string;
  constructor(message: string, packageName: string) {
    super("missing-package", message);
    this.packageName = packageName;
  }
}

/** An operation gave NaN while `debugNans` was on. */
export class NanError extends FluxionError {
  constructor(message: string) {
    super("nan", message);
  }
}

/** Memory of a device that a function made arrays in and that is still held when it has returned. */
export interface HeldArray {
  /** `wasm` or `webgpu`. */
  readonly device: string;
  /** Shape and dtype: `float32[3]`. */
  readonly type: string;
  readonly bytes: number;
  /** Where in user code the array was made, as `file:line:column`, if that is known. */
  readonly source: string | undefined;
}

/** `checkLeaks` found arrays that a function made and did not give back; `held` lists them. */
export class MemoryLeakError extends FluxionError {
  readonly held: readonly HeldArray[];
  constructor(message: string, held: readonly HeldArray[]) {
    super("memory-leak", message);
    this.held = held;
  }
}

/** An argument or option is not one that the function takes. */
export class ArgumentError extends FluxionError {
  constructor(message: string) {
    super("argument", message);
  }
}

/** A function given to a transform is not pure: it returned a promise, say. */
export class ImpureFunctionError extends FluxionError {
  constructor(message: string) {
    super("impure-function", message);
  }
}

/** A jaxpr is not well typed; found by `checkJaxpr`. */
export class JaxprTypeError extends FluxionError {
  constructor(message: string) {
    super("jaxpr-type", message);
  }
}

/** The text given to the jaxpr parser is malformed; `offset`, `line` and `column` (both from 1) say where. */
export class JaxprParseError extends FluxionError {
  readonly offset: number;
  readonly line: number;
  readonly column: number;
  constructor(message: string, at: { offset: number; line: number; column: number }) {
    super("parse", `${message} (line ${at.line}, column ${at.column})`);
    this.offset = at.offset;
    this.line = at.line;
    this.column = at.column;
  }
}

/** A broken promise of the library itself: please report it. */
export class InternalError extends FluxionError {
  constructor(message: string) {
    super("internal", `internal error: ${message}`);
  }
}
