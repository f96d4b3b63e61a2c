/** The code that the pages show runs, and does what its comments say. */
import { expect, it } from "vitest";
import { markdownBlocks, pages, readSource } from "./blocks.js";
import { runBlock } from "./run.js";

const blocks = pages().flatMap((page) => markdownBlocks(page, readSource(page)));

it.each(blocks.map((block) => [`${block.file}:${block.line}`, block] as const))("%s", async (_, block) => {
  const { mistakes } = await runBlock(block);
  expect(mistakes.join("\n")).toBe("");
});
