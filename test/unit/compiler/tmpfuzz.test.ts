import { expect, it } from "vitest";
import fc from "fast-check";
import { randomKernel } from "./randomKernel.js";
import { vectorizeKernel } from "../../../src/compiler/vectorize.js";
import { shareKernel } from "../../../src/compiler/share.js";
import { collapseLoops } from "../../../src/compiler/collapse.js";
import { kernelText } from "../../../src/compiler/text.js";
import { eachStmt } from "../../../src/compiler/walk.js";
import { reductionsOf } from "../../../src/compiler/reductions.js";
import { run } from "./kernels.js";
function sumsFloats(kernel: any): boolean {
  let found = false;
  eachStmt(kernel.body, (s) => {
    if (s.kind !== "for") return;
    for (const { local, fn } of reductionsOf(s) ?? [])
      if ((local.type === "f32" || local.type === "f64") && (fn === "add" || fn === "mul")) found = true;
  });
  return found;
}
it("fuzz", () => {
  fc.assert(fc.property(fc.boolean().chain(wild => randomKernel({ wild })), ({kernel, cells}) => {
    fc.pre(!sumsFloats(kernel));
    const a = shareKernel(vectorizeKernel(collapseLoops(kernel)));
    expect(run(a, cells), kernelText(a)).toEqual(run(kernel, cells));
  }), { numRuns: 60000, endOnFailure: true, interruptAfterTimeLimit: 400000, markInterruptAsFailure: false });
  }, 560000);
