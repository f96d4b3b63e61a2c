/** The code that the pages show type-checks, as the code of a user does: all blocks in one run of the compiler. */
import { join } from "node:path";
import ts from "typescript";
import { expect, it } from "vitest";
import { type Block, markdownBlocks, pages, readSource, root } from "./blocks.js";

/** Errors of blocks, as `README.md:12: ...`. The blocks exist only in memory, next to the page that holds them. */
function typeErrors(blocks: readonly Block[]): string[] {
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  // Names that a page declares to show something need not be used.
  const forDocs = { ...options, noUnusedLocals: false, noUnusedParameters: false };
  const files = new Map(blocks.map((block) => [join(root, `${block.file}.${block.line}.ts`), block]));
  const host = ts.createCompilerHost(forDocs);
  const { fileExists, readFile, getSourceFile } = host;
  // What a block declares is its own, also where it imports nothing.
  const textOf = (name: string): string | undefined => {
    const block = files.get(name);
    return block && `${block.code}\nexport {};\n`;
  };
  host.fileExists = (name) => files.has(name) || fileExists(name);
  host.readFile = (name) => textOf(name) ?? readFile(name);
  host.getSourceFile = (name, version, ...rest) => {
    const text = textOf(name);
    return text === undefined
      ? getSourceFile(name, version, ...rest)
      : ts.createSourceFile(name, text, version, true);
  };
  const program = ts.createProgram([...files.keys()], forDocs, host);
  return [...files].flatMap(([name, block]) => {
    const source = program.getSourceFile(name);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      (d) => {
        const line = source?.getLineAndCharacterOfPosition(d.start ?? 0).line ?? 0;
        return `${block.file}:${block.line + line}: ${ts.flattenDiagnosticMessageText(d.messageText, "\n")}`;
      },
    );
  });
}

it("the blocks of all pages have no type errors, and a wrong one has", { timeout: 120_000 }, () => {
  const wrong: Block = {
    file: "wrong.md",
    line: 7,
    code: 'import { grad } from "fluxion";\n\ngrad("sin");',
  };
  const errors = typeErrors([wrong, ...pages().flatMap((page) => markdownBlocks(page, readSource(page)))]);
  expect(errors[0]).toMatch(/^wrong\.md:9: Argument of type 'string' is not assignable/);
  expect(errors.slice(1).join("\n")).toBe("");
});
