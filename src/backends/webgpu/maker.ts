/** What makes the parts of a plan: the kernels of a program and the bodies of its branches and loops, one inside the other. */
import type { Program } from "../../compiler/program.js";
import type { Buffer, Kernel } from "../../core/ir/types.js";
import type { Surroundings } from "./guards.js";
import type { Launch, Plan } from "./plan.js";
import type { Spot } from "./spots.js";
import type { Shader } from "./wgsl.js";
import type { Workspace } from "./workspace.js";

export type SpotOf = (b: Buffer) => Spot;

/** Makes the parts of a plan. */
export interface Maker {
  readonly workspace: Workspace;
  bytesOf(b: Buffer): number;
  plan(program: Program, spotOf: SpotOf, around: Surroundings): Plan[];
  /** The dispatch of a kernel, if it does anything. */
  launch(kernel: Kernel, spotOf: SpotOf, around: Surroundings): Launch[];
  dispatch(shader: Shader, name: string, memory: readonly number[], bytes: readonly number[]): Launch;
  /** A place with words that never change. */
  constant(words: Uint32Array): number;
  /** A copy of a value to another spot. Its words stay as they are, whatever they mean. */
  copy(value: Buffer, from: Spot, to: Spot, around: Surroundings): Launch[];
  body(
    program: Program,
    inputs: readonly Spot[],
    outputs: readonly Spot[],
    around: Surroundings,
    carries: ReadonlySet<number>,
  ): Body;
}

export interface Body {
  readonly plan: readonly Plan[];
  readonly outputs: readonly Spot[];
  /** Memory that was taken for temporaries. */
  readonly taken: readonly number[];
}
