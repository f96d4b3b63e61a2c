/** The runner itself: it must find what is wrong in a page, and read what is right. */
import { describe, expect, it } from "vitest";
import { docExamples, markdownBlocks } from "./blocks.js";
import { matches, matchesMessage, parseValue } from "./expectation.js";
import { runBlock } from "./run.js";

const run = (code: string) => runBlock({ file: "page.md", line: 10, code });

describe("comparing", () => {
  it.each([
    [2, "2"],
    [2, "2: an explanation"],
    [0.84147, "0.8415"],
    [-0.5, "-0.50"],
    [1e-9, "1e-9"],
    [Number.NaN, "nan"],
    [-Infinity, "-inf"],
    [1_000_000, "1_000_000"],
    [255, "0xff"],
    [true, "true"],
    [null, "null"],
    ["a b", '"a b"'],
    [[1, [2, 3]], "[1, [2, 3]]"],
    [new Float32Array([0.5, 2]), "[0.5, 2]"],
    [{ w: [1], b: { c: 2 } }, "{ w: [1], b: { c: 2 } }"],
  ])("%j is %s", (value, text) => {
    expect(matches(value, parseValue(text))).toBe(true);
  });

  it.each([
    [2, "3"],
    [2.001, "2"],
    [0.84147, "0.8416"],
    [1e-3, "0"],
    [0, "nan"],
    [Infinity, "-inf"],
    [1, "true"],
    [undefined, "null"],
    ["a", '"b"'],
    [[1, 2], "[1]"],
    [[1], "[1, 2]"],
    [[1, 2], "[2, 1]"],
    [{ w: 1, b: 2 }, "{ w: 1 }"],
    [{ w: 1 }, "{ b: 1 }"],
    [[1], '{ "0": 1 }'],
    [2, "float32[]"],
    [2, "shape []"],
  ])("%j is not %s", (value, text) => {
    expect(matches(value, parseValue(text))).toBe(false);
  });

  it.each(["cos(0.5)", "2 apples", "[1, 2", "{ w 1 }", "typed", "3π/4"])("%s is not a value", (text) => {
    expect(() => parseValue(text)).toThrow(SyntaxError);
  });

  it("compares messages without the places in them", () => {
    const message = "add: shapes [2] and [3]; it was made at /home/me/x.ts:1:2 (at /home/me/x.ts:3:4)";
    expect(matchesMessage(message, "add: shapes [2] and [3]")).toBe(true);
    expect(matchesMessage(message, "add: … and [3]")).toBe(true);
    expect(matchesMessage(message, "add: shapes [2] and [4]")).toBe(false);
    expect(matchesMessage(message, "add: shapes [2]")).toBe(false);
  });
});

describe("running", () => {
  it("accepts a block that does what it says", async () => {
    const outcome = await run(`import { numpy as np, type NDArray } from "fluxion";
const x: NDArray = np.array([1, 2], "int32");
x.add(1); // [2, 3]
x; // int32[2]
x; // Array([1, 2], int32[2])
const [a, b] = [1, 2]; // [1, 2]
const { c } = { c: 3 }; // { c: 3 }
console.log(a + b); // 3
for (const k of [1, 2]) console.log(k, c);
// 1 3
// 2 3
String(x);
// Array([1, 2], int32[2])
await x.data(); // [1, 2]
x.reshape(3); // throws ShapeError
null.x; // throws TypeError: Cannot read … of null (reading 'x')
`);
    expect(outcome).toEqual({ mistakes: [], compared: 11 });
  });

  it.each([
    ["1 + 1; // 3", "is 2, the comment says 3"],
    ["const x = 2; // 3", "is 2, the comment says 3"],
    ["const [x] = [2]; // [3]", "is [ 2 ], the comment says [3]"],
    ['console.log("a"); // b', "prints\na\nthe comment says\nb"],
    ['console.log("a");\n// a\n// b', "prints\na\nthe comment says\na\nb"],
    ['console.log("a");', "no comment says what"],
    ["const f = () => console.log(1);\nf();", "something printed that no comment speaks of: 1"],
    ["1; // throws TypeError", "throws nothing; it gives 1"],
    ['throw new Error("no");', "throws Error: no"],
    ["null.x; // throws ShapeError", "throws TypeError"],
    ["null.x; // throws TypeError: other words", "throws TypeError: Cannot read"],
    ["null.x; // 3", "throws TypeError"],
    ["2; // two", 'cannot read "two" as a value'],
    ["2;\n// two", 'cannot read "two" as a value'],
    ['"a"; // "b"', "is 'a', the comment says \"b\""],
    ["nothing();", "nothing is not defined"],
  ])("finds the mistake in %s", async (code, what) => {
    const { mistakes } = await run(`const before = 1;\n${code}`);
    expect(mistakes).toHaveLength(1);
    expect(mistakes[0]).toMatch(/^page\.md:1[12]: /);
    expect(mistakes[0]).toContain(what);
  });

  it("refuses a block that is not TypeScript", async () => {
    await expect(run("const = 3;")).rejects.toThrow(SyntaxError);
  });
});

describe("finding blocks", () => {
  it("in Markdown, continued ones with their lines in place", () => {
    const page =
      "# t\n\n```ts\na;\nb;\n```\n\ntext\n\n```ts continued\nc;\n```\n```sh\nls\n```\n  ```ts\n  d;\n  ```\n";
    expect(markdownBlocks("p.md", page)).toEqual([
      { file: "p.md", line: 4, code: "a;\nb;\n\n\n\n\n\nc;" },
      { file: "p.md", line: 17, code: "d;" },
    ]);
    expect(() => markdownBlocks("p.md", "```ts\na;")).toThrow("p.md:1");
    expect(() => markdownBlocks("p.md", "```ts ignore\na;\n```")).toThrow("p.md:1");
  });

  it("in doc comments", () => {
    const source =
      'x;\n/** One. @example no */\n/**\n * Text.\n *\n * @example\n * f(1); // 2\n * //   x\n * @throws never\n * @example g(2) // 3\n */\nconst glob = "src/**/*.ts";';
    expect(docExamples("s.ts", source)).toEqual([
      { file: "s.ts", line: 6, code: "\nf(1); // 2\n//   x" },
      { file: "s.ts", line: 10, code: " g(2) // 3" },
    ]);
  });
});
