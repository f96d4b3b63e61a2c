/** The primitives that docs/add-a-primitive.md defines keep the laws that the library's own are held to. */
import { checkRegistry } from "fluxion/laws";
import { describe, expect, it } from "vitest";
import { markdownBlocks, readSource } from "./blocks.js";
import { runBlock } from "./run.js";

const page = "docs/add-a-primitive.md";
const names = ["logcosh", "roll_last"];

describe("the primitives of the page", async () => {
  for (const block of markdownBlocks(page, readSource(page))) await runBlock(block);
  const outcomes = [...checkRegistry({ only: names })];

  it("are all registered", () => {
    expect(outcomes.map(({ primitive }) => primitive.name).sort()).toEqual(names);
  });

  it.each(outcomes.map((o) => [o.primitive.name, o] as const))("%s keeps the laws", (_, { violation }) => {
    expect(violation?.message ?? "").toBe("");
  });
});
