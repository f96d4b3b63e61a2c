/** What a test's thread and the thread that owns the GPU say to each other. All of it is data that can be cloned. */
import type { GpuLimits } from "../../src/backends/webgpu/prepare.js";
import type { AdapterInfo } from "../../src/backends/webgpu/tuning.js";
import type { Program } from "../../src/compiler/program.js";
import type { DType, TypedArray } from "../../src/core/dtype.js";

/** Arrays on the GPU, programs and questions are named by numbers, which the test's thread chooses. */
export type Request =
  | { readonly kind: "upload"; readonly array: number; readonly dtype: DType; readonly values: TypedArray }
  /** Makes a program known; it runs a first time, so that what is wrong with it is known as well. */
  | {
      readonly kind: "program";
      readonly program: number;
      readonly of: Program;
      readonly run: Run;
      readonly question: number;
    }
  | { readonly kind: "run"; readonly program: number; readonly run: Run }
  | { readonly kind: "read"; readonly array: number; readonly question: number }
  | { readonly kind: "release"; readonly arrays: readonly number[] }
  | { readonly kind: "close"; readonly question: number };

/** A request that the test's thread waits for. */
export type Question = Extract<Request, { question: number }>;

export interface Run {
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

export interface Answer {
  readonly question: number;
  readonly values?: TypedArray;
  readonly error?: ErrorData;
}

export interface ErrorData {
  readonly name: string;
  readonly message: string;
}

/** What the thread that owns the GPU says first. */
export type Greeting =
  | {
      readonly name: string;
      readonly limits: GpuLimits;
      readonly float16: boolean;
      readonly info: AdapterInfo;
    }
  | { readonly error: ErrorData };

/** What the thread that owns the GPU is started with. */
export interface Start {
  readonly port: MessagePort;
  /** Counts the messages that have been sent to the test's thread. */
  readonly sent: Int32Array;
}
