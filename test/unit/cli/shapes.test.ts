/** `--shapes` and `--args`: what can be written, and what is said of mistakes. */
import { NDArray, ShapeDtype } from "fluxion";
import { describe, expect, it } from "vitest";
import { toJson } from "../../../src/cli/json.js";
import { parseShapes } from "../../../src/cli/shapes.js";
import { UsageError } from "../../../src/cli/terminal.js";
import { parseValues } from "../../../src/cli/values.js";
import { didYouMean } from "../../../src/cli/words.js";

const show = (tree: unknown): unknown => {
  if (tree instanceof ShapeDtype) return `${tree.dtype}[${tree.shape}]`;
  if (tree instanceof NDArray) return tree.tolist();
  if (Array.isArray(tree)) return tree.map(show);
  if (typeof tree !== "object" || tree === null) return tree;
  return Object.fromEntries(Object.entries(tree).map(([key, value]) => [key, show(value)]));
};

describe("shapes", () => {
  it.each([
    ["784x256", ["float32[784,256]"]],
    ["784X256 , 10", ["float32[784,256]", "float32[10]"]],
    ["2×3×4", ["float32[2,3,4]"]],
    ["scalar,()", ["float32[]", "float32[]"]],
    ["10:int32,scalar:u8,():bool", ["int32[10]", "uint8[]", "bool[]"]],
    ["int32[10],f64[2, 3],float32[]", ["int32[10]", "float64[2,3]", "float32[]"]],
    ["0x3", ["float32[0,3]"]],
    ["{w:784x10,b:10:f16},5", [{ w: "float32[784,10]", b: "float16[10]" }, "float32[5]"]],
    ['[{ w : 1x8, "two words": 8 }, []]', [[{ w: "float32[1,8]", "two words": "float32[8]" }, []]]],
    ["{0:3,inner:{x:scalar,none:null}}", [{ 0: "float32[3]", inner: { x: "float32[]", none: null } }]],
  ])("%s", (text, wanted) => {
    expect(parseShapes(text).map(show)).toEqual(wanted);
  });

  it.each([
    ["", 1, "the text ends", "a shape such as 784x256"],
    ["784x", 1, '"784x"', "a shape such as"],
    ["3,,4", 3, '",4"', "a shape such as"],
    ["3 4", 3, '"4"', "a comma, or the end"],
    ["{w:3", 5, "the text ends", 'a comma, or "}"'],
    ["{w 3}", 4, '"3}"', '":" and the shape of w'],
    ["{:3}", 2, '":3}"', "a key such as w"],
    ["[3,4", 5, "the text ends", 'a comma, or "]"'],
    ["3:int", 3, '"int"', "a dtype (float32, float64, float16, int32, uint32, uint8, bool)"],
    ["3:", 3, "the text ends", "a dtype such as int32"],
    ["flaot32[3]", 1, '"flaot32[3]"', '(did you mean "float32"?)'],
    ["f32[3,x]", 7, '"x]"', "the length of an axis"],
    ["-3", 1, '"-3"', "a shape such as"],
    ["(3)", 2, '"3)"', "(3, 4) is written 3x4"],
    ["{w:3,w:4}", 6, '"w:4}"', "another key"],
    ['{"\\q":3}', 2, "\\\\q", "a text as JSON has it"],
    ["4,99999999999999999999", 3, '"999999999999"', "lengths below 2⁵³"],
  ])("%j is refused where it is wrong", (text, at, got, wanted) => {
    const error = (() => {
      try {
        return parseShapes(text);
      } catch (thrown) {
        return thrown;
      }
    })() as UsageError;
    expect(error).toBeInstanceOf(UsageError);
    const [message, line, mark] = error.message.split("\n");
    expect(message).toContain(`--shapes: at character ${at} `);
    expect(message).toContain(got);
    expect(message).toContain(wanted);
    expect(line).toBe(`  ${text}`);
    expect(mark).toBe(`${" ".repeat(2 + at - 1)}^`);
  });
});

describe("values", () => {
  it.each([
    ["[1, 2.5]", [1, 2.5]],
    ["[[1, 2, 3], true]", [[1, 2, 3], true]],
    [
      '[{"w": [[1, 2], [3, 4]], "b": 0}, null]',
      [
        {
          w: [
            [1, 2],
            [3, 4],
          ],
          b: 0,
        },
        null,
      ],
    ],
    ["[[[1, 2], [3]]]", [[[1, 2], [3]]]],
  ])("%s", (text, wanted) => {
    expect(parseValues(text).map(show)).toEqual(wanted);
  });

  it("lists of one length are one array, others a list of arrays", () => {
    const [matrix, list] = parseValues("[[[1, 2], [3, 4]], [[1, 2], [3]]]");
    expect(matrix).toBeInstanceOf(NDArray);
    expect((list as unknown[]).every((item) => item instanceof NDArray)).toBe(true);
  });

  it.each([
    ["[1, 2", /--args is not JSON/],
    ["3", /wants a JSON list/],
    ['{"a": 1}', /wants a JSON list/],
    ['["relu"]', /argument 0 is "relu"; .*--static/],
    ['[{"a": [1, "b"]}]', /argument 0\.a\[1\] is "b"/],
  ])("%s is refused", (text, message) => {
    expect(() => parseValues(text)).toThrow(message);
    expect(() => parseValues(text)).toThrow(UsageError);
  });
});

describe("words", () => {
  const words = ["compare", "graph", "memory"];
  it.each([
    ["compar", ' (did you mean "compare"?)'],
    ["grpah", ' (did you mean "graph"?)'],
    ["MEMORY", ' (did you mean "memory"?)'],
    ["train", ""],
  ])("%s", (word, wanted) => {
    expect(didYouMean(word, words)).toBe(wanted);
  });
});

describe("JSON", () => {
  it("has lists of numbers on one line, and a form for what JSON has none for", () => {
    const data = {
      shape: [2, 3],
      big: 12n,
      none: Number.POSITIVE_INFINITY,
      list: new Int32Array([1, 2]),
      empty: [],
    };
    expect(JSON.parse(toJson(data))).toEqual({
      shape: [2, 3],
      big: 12,
      none: "Infinity",
      list: [1, 2],
      empty: [],
    });
    expect(toJson(data)).toContain('"shape": [2, 3]');
  });
});
