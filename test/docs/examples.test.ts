/** The examples in the doc comments of the source run, and do what they say. */
import fc from "fast-check";
import { isLeft, isRight } from "fp-ts/lib/Either.js";
import { flow, pipe } from "fp-ts/lib/function.js";
import { describe, expect, it } from "vitest";
import * as fluxion from "../../src/index.js";
import { docExamples, filesBelow, readSource } from "./blocks.js";
import { loadSource, runBlock } from "./run.js";

const { numpy: np, lax, nn, random, scipy, tree } = fluxion;

/**
 * What an example may use: the exports of the package, its libraries by their usual names, those of its own file, and what
 * everyone takes from fp-ts. Those of the analyses may use all of these. Those of laws may use the laws and fast-check too.
 */
async function namesFor(file: string): Promise<Record<string, unknown>> {
  const library =
    /^src\/(fp|lax)\//.exec(file)?.[1] ?? (file.startsWith("src/primitives/") ? "lax" : undefined);
  return {
    ...{ flow, isLeft, isRight, pipe },
    ...fluxion,
    np,
    lax,
    nn,
    random,
    scipy,
    tree,
    ...(library && (await loadSource(`src/${library}/index.ts`))),
    ...(/^src\/(analysis\/|core\/pattern)/.test(file) && (await loadSource("src/analysis/index.ts"))),
    ...(file.startsWith("laws/") && { fc, treeOf: tree, ...(await loadSource("laws/index.ts")) }),
    ...(await loadSource(file)),
  };
}

const documented = [...filesBelow("src", ".ts"), ...filesBelow("laws", ".ts")]
  .filter((file) => !file.endsWith(".test.ts"))
  .map((file) => [file, docExamples(file, readSource(file))] as const)
  .filter(([, examples]) => examples.length > 0);

describe.each(documented)("%s", (file, examples) => {
  it.each(examples.map((block) => [block.line, block] as const))("line %i", async (_, block) => {
    const { mistakes } = await runBlock(block, await namesFor(file));
    expect(mistakes.join("\n")).toBe("");
  });
});
