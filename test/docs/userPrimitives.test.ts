/** The primitives that docs/add-a-primitive.md defines obey the rules that the library's own are tested by. */
import { markdownBlocks, readSource } from "./blocks.js";
import { runBlock } from "./run.js";

const page = "docs/add-a-primitive.md";
for (const block of markdownBlocks(page, readSource(page))) await runBlock(block);
process.env.FLUXION_ONLY = "logcosh,roll_last";
await import("../unit/rules.test.js");
