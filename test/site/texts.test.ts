/** What the playground does to texts: types fall away, imports become constants, an address holds everything. */
import { describe, expect, test } from "vitest";
import { examples } from "../../docs/.vitepress/playground/examples.js";
import { lineOfSyntaxError, withoutTypes } from "../../docs/.vitepress/playground/language.js";
import {
  asFunctionBody,
  compileFunction,
  compileValues,
  placeIn,
} from "../../docs/.vitepress/playground/program.js";
import {
  exampleOf,
  firstState,
  hashOf,
  type State,
  stateFrom,
} from "../../docs/.vitepress/playground/state.js";

describe("withoutTypes", () => {
  test.each([
    ["const f = (x: NDArray, n = 2): NDArray => x;", "const f = (x, n = 2) => x;"],
    ["type P = { w: NDArray };\nconst f = ({ w }: P) => w;", "\nconst f = ({ w }) => w;"],
    ["interface A {\n  b: number;\n}\nlet c;", "\n\n\nlet c;"],
    ["const f = <T,>(x: T, y?: T) => g<T>(x);", "const f = (x, y) => g(x);"],
    ["const a = b as unknown as number[];", "const a = b;"],
    ["const a = b!.c + (d satisfies E);", "const a = b.c + (d);"],
    ["class Q { private readonly x: number = 1 }", "class Q { x = 1 }"],
    ["const f = (x) => x?.y ? !x : a && b;", "const f = (x) => x?.y ? !x : a && b;"],
  ])("%s", (typed, plain) => {
    const erased = withoutTypes(typed);
    const squeeze = (text: string) => text.replace(/[ \t]+/g, "");
    expect(squeeze(erased)).toBe(squeeze(plain));
    // Whatever is left stands where it stood.
    expect(erased).toHaveLength(typed.length);
    expect([...erased].every((c, i) => c === typed[i] || c === " ")).toBe(true);
  });
});

test.each([
  ["const f = (x) => x;", undefined],
  ["const f = (x) => {\n  return x.mul(;\n};", 2],
  ["const f = (x) => {\n  return x;\n", 3],
])("the line of a mistake in %j", (source, line) => {
  expect(lineOfSyntaxError(source)).toBe(line);
});

describe("asFunctionBody", () => {
  test.each([
    ['import { numpy as np, grad } from "fluxion";', 'const { numpy: np, grad } = modules["fluxion"];'],
    ['import { type NDArray, jit } from "fluxion"', 'const {  jit } = modules["fluxion"];'],
    ['import * as np from "fluxion/numpy";', 'const np = modules["fluxion/numpy"];'],
    ['import type {\n  NDArray,\n} from "fluxion";\nx', "\n\n\nx"],
    ["export const f = 1;\n  export default function g() {}", "const f = 1;\n  function g() {}"],
    ["// no import of mine\nimported();", "// no import of mine\nimported();"],
  ])("%s", (source, body) => {
    expect(asFunctionBody(source)).toBe(body);
  });

  test("an import from elsewhere is refused", () => {
    expect(() => asFunctionBody('import { x } from "lodash";')).toThrow(/here there are fluxion, /);
  });
});

test("a function is compiled in the scope of the library, and may shadow it", async () => {
  const f = await compileFunction('import { numpy as np } from "fluxion";\nconst f = (x) => np.sin(x);');
  expect(f(0).item()).toBe(0);
  const tree = await compileFunction("const tree = 3; const f = () => tree;");
  expect(tree()).toBe(3);
  await expect(compileFunction("const g = 1;")).rejects.toThrow(/must define a function called f/);
  const sparse = await compileFunction(
    'import { sparsity } from "fluxion/analysis";\nconst f = () => sparsity;',
  );
  expect(sparse()).toBeTypeOf("function");
});

test("arguments are values, or types as jaxprs write them", () => {
  const [two, x, params] = compileValues("2, float32[3,4], { w: [np.ones([2]), int32[]] }", "args");
  expect([two.dtype, two.shape]).toEqual(["float32", []]);
  expect(String(x)).toBe("ShapeDtype(float32[3,4])");
  expect(String(params.w[1])).toBe("ShapeDtype(int32[])");
  expect(() => compileValues("1, , )", "args")).toThrow(SyntaxError);
});

test("errors know which of the visitor's texts they are about", async () => {
  const f = await compileFunction("\nconst f = (x) => {\n  return x.y.z;\n};");
  let stack = "";
  try {
    f({});
  } catch (error) {
    stack = (error as Error).stack ?? "";
  }
  expect(placeIn(stack)).toMatchObject({ where: "source", line: 3 });
  expect(placeIn("somewhere else")).toBeUndefined();
});

describe("the address", () => {
  test.each(examples)("of the example $name is its name", ({ name }) => {
    const state = stateFrom(`#example=${name}`);
    expect(exampleOf(state)).toBe(name);
    expect(hashOf(state)).toBe(`#example=${name}`);
  });

  test("of anything else holds everything", () => {
    const state: State = {
      source: "const f = (x) => x; // ∂, ü, 😀 & #%",
      args: "np.ones([3])",
      tangents: "1",
      cotangents: "[2]",
      graph: "forward",
      device: "wasm",
    };
    expect(stateFrom(hashOf(state))).toEqual(state);
    expect(stateFrom(new URL(`http://localhost/p.html${hashOf(state)}`).hash)).toEqual(state);
  });

  test("that is damaged gives the first example", () => {
    for (const hash of ["", "#", "#f=%%%", "#f=*&graph=cube&device=abacus", "#example=none"])
      expect(stateFrom(hash)).toEqual(firstState);
  });
});
