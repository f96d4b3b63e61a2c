/** Looking for NaN where the elements are. */
import { withBuffers } from "../../compiler/emit.js";
import { parallelKernel } from "../../compiler/emitKernels.js";
import type { Program } from "../../compiler/program.js";
import type { DType } from "../../core/dtype.js";
import { compare, constant, load, store, when } from "../../core/ir/ops.js";
import { Buffer, type Expr, type Stmt } from "../../core/ir/types.js";

/** A program that gives the position of the first NaN of so many floats, or their number if there is none. */
export function firstNan(dtype: DType, size: number, threads: number): Program {
  const x = new Buffer("x", dtype, size);
  const first = new Buffer("first", "int32", 1);
  const step = (name: string, extent: number, body: (item: Expr) => readonly Stmt[]) => ({
    kind: "kernel" as const,
    kernel: withBuffers(parallelKernel("webgpu", name, extent, threads, body)),
  });
  const isNan = (item: Expr): Expr => compare("ne", load(x, item), load(x, item));
  return {
    name: "firstNan",
    inputs: [x],
    outputs: [first],
    temporaries: [],
    steps: [
      step("noNan", 1, () => [store(first, 0, constant("i32", size))]),
      step("firstNan", size, (item) => [
        when(isNan(item), [
          { kind: "atomic", fn: "min", buffer: first, index: constant("i32", 0), value: item },
        ]),
      ]),
    ],
  };
}
