/**
 * What docs/command.md shows is what the command prints. In a block of `console`, lines that begin with `$` are typed and the
 * others are the answer; `…` stands for lines that are left out.
 *
 *     UPDATE_COMMAND=1 npx vitest run --project unit test/docs/command.test.ts
 *
 * writes the answers into the page, those with lines left out excepted.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { type Ran, root, runAll } from "../unit/cli/tools.js";
import { readSource } from "./blocks.js";

const page = "docs/command.md";
const fence = /^```console\n([\s\S]*?)^```/gm;

interface Shown {
  readonly command: string;
  readonly words: readonly string[];
  readonly answer: string;
}

/** `$ npx fluxion memory a.js '--x y'` and what stands below it. */
function shownIn(block: string): Shown[] {
  return block
    .split(/^\$ /m)
    .filter((part) => part.trim() !== "")
    .map((part) => {
      const [command, ...answer] = part.trimEnd().split("\n");
      const [npx, fluxion, ...words] = (command.match(/'[^']*'|\S+/g) ?? []).map((word) =>
        word.replaceAll("'", ""),
      );
      expect([npx, fluxion]).toEqual(["npx", "fluxion"]);
      return { command, words, answer: answer.join("\n") };
    });
}

const text = readSource(page);
const blocks = [...text.matchAll(fence)].map(([, block]) => shownIn(block));
const shown = blocks.flat();

const printed = ({ out, error }: Ran): string => (out + error).trimEnd();

it(`${page} shows what the command prints`, () => {
  expect(shown.length).toBeGreaterThan(8);
  const ran = runAll(
    shown.map(({ words }) => words),
    root.replace(/\/$/, ""),
  );
  if (process.env.UPDATE_COMMAND !== undefined) {
    let next = 0;
    const updated = text.replace(fence, (_, block: string) => {
      const parts = shownIn(block).map(({ command, answer }) => {
        const now = printed(ran[next++]);
        return `$ ${command}\n${/^…$/m.test(answer) ? answer : now}\n`;
      });
      return `\`\`\`console\n${parts.join("\n")}\`\`\``;
    });
    writeFileSync(join(root, page), updated);
    return;
  }
  for (const [i, { command, answer }] of shown.entries()) {
    let rest = `${printed(ran[i])}\n`;
    if (!/^…$/m.test(answer)) expect(rest.trimEnd(), command).toBe(answer.trimEnd());
    for (const run of answer.split(/^…\n?/m).map((lines) => lines.trim())) {
      const at = rest.indexOf(run);
      expect(at, `${command}\ndoes not print\n${run}\nbut\n${rest}`).toBeGreaterThanOrEqual(0);
      rest = rest.slice(at + run.length);
    }
  }
}, 60_000);
