/** The excerpts of kernels that docs/compiler.md shows are what the compiler makes of the function that it follows. */
import { grad, type NDArray, nn, numpy as np, ShapeDtype } from "fluxion";
import { describe, expect, it } from "vitest";
import { printKernels } from "../../src/backends/wasm/print.js";
import { printModule } from "../../src/backends/wasm/wat.js";
import { printWgsl } from "../../src/backends/webgpu/wgsl.js";
import { compile, wasmOptions, webgpuOptions } from "../../src/compiler/compile.js";
import { kernelText } from "../../src/compiler/text.js";
import { makeJaxpr } from "../../src/transforms/makeJaxpr.js";
import { readSource } from "./blocks.js";

const page = readSource("docs/compiler.md");

/** The blocks with a language, each as runs of lines between lines with an ellipsis. */
const excerpts = (language: string): string[][] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, "gm"))].map(([, block]) =>
    block.split(/^\s*…\n/m),
  );

const loss = (w: NDArray, x: NDArray, y: NDArray): NDArray => np.sum(nn.logSoftmax(x.matmul(w)).mul(y)).neg();

const { jaxpr } = makeJaxpr(grad(loss))(
  new ShapeDtype([784, 10]),
  new ShapeDtype([64, 784]),
  new ShapeDtype([64, 10]),
);

const kernelOf = (options: typeof wasmOptions) => {
  const kernels = compile(jaxpr, options).steps.flatMap((s) => (s.kind === "kernel" ? [s.kernel] : []));
  const found = kernels.find(({ name }) => name.startsWith("reduceMax_exp"));
  if (found === undefined) throw new Error(`no softmax among ${kernels.map(({ name }) => name)}`);
  return found;
};

describe("docs/compiler.md", () => {
  it.each([
    ["text", kernelText(kernelOf(webgpuOptions))],
    ["wat", printModule(printKernels([kernelOf(wasmOptions)], { sharedMemory: true }).module)],
    ["wgsl", printWgsl(kernelOf(webgpuOptions)).code],
  ])("shows %s that the compiler makes", (language, made) => {
    const found = excerpts(language);
    expect(found.length).toBeGreaterThan(0);
    for (const runs of found) {
      let rest = `${made}\n`;
      for (const run of runs) {
        const at = rest.indexOf(run);
        expect(at, `not in what is made:\n${run}\nbut there is:\n${rest}`).toBeGreaterThanOrEqual(0);
        rest = rest.slice(at + run.length);
      }
    }
  });
});
