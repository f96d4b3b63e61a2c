/** Modules of WebAssembly as data: what the printer makes, and the binary encoder and the text printer read. */
import type { OpName } from "./opcodes.js";

export type ValueType = "i32" | "i64" | "f32" | "f64" | "v128";

export interface Variable {
  readonly name: string;
  readonly type: ValueType;
}

/** A function of the module. */
export interface WasmFunction {
  readonly kind: "function";
  readonly name: string;
  /** Whether JavaScript can call it, by its name. */
  readonly exported: boolean;
  readonly params: readonly Variable[];
  readonly result: ValueType | undefined;
  readonly locals: readonly Variable[];
  readonly code: readonly Instruction[];
}

/** A function of JavaScript, imported from "host" under a name that is unique there. */
export interface HostFunction {
  readonly kind: "host";
  readonly name: string;
  readonly params: readonly ValueType[];
  readonly result: ValueType;
  readonly fn: (...args: number[]) => number;
}

export interface MemoryImmediate {
  /** Bytes that are added to the address. */
  readonly offset: number;
  /** The logarithm of the alignment that may be expected. */
  readonly align: number;
  readonly lane?: number;
}

/** A vector constant: one number in all lanes, or one for each. */
export interface VectorImmediate {
  readonly shape: "f32x4" | "i32x4" | "f64x2" | "i64x2";
  readonly value: number | readonly number[];
}

export const lanesOf = (
  shape: VectorImmediate["shape"],
  value: VectorImmediate["value"],
): readonly number[] =>
  typeof value === "number" ? new Array<number>(Number(shape.at(-1))).fill(value) : value;

/** A number is a constant, a local, a lane or a label; see `ImmediateKind`. */
export type Immediate =
  | number
  | ValueType
  | MemoryImmediate
  | VectorImmediate
  | readonly number[]
  | WasmFunction
  | HostFunction
  | undefined;

export interface Instruction {
  readonly op: OpName;
  readonly immediate: Immediate;
}

/** A module whose memory is imported as "env" "memory". */
export interface WasmModule {
  /** Whether the memory is one that threads share. */
  readonly sharedMemory: boolean;
  readonly imports: readonly HostFunction[];
  readonly functions: readonly WasmFunction[];
}

/** A name as an identifier of the text format: characters that it may not have become underscores. */
export const identifier = (name: string): string =>
  name === "" ? "_" : name.replace(/[^A-Za-z0-9!#$%&'*+\-./:<=>?@\\^_`|~]/g, "_");

/**
 * Nothing is ever allocated below this address. So an access whose true address is good has a good address even without
 * its constant offset, if that is no more than this: adding the offset cannot wrap around.
 */
export const lowestAddress = 65536;

/** The most pages (of 64 KiB) that a memory of 32-bit addresses can have. */
export const maximumPages = 65536;
