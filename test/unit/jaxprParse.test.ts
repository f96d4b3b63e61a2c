import fc from "fast-check";
import { isLeft, isRight, right } from "fp-ts/lib/Either.js";
import { beforeAll, describe, expect, it } from "vitest";
import { traceToJaxpr } from "../../src/core/build.js";
import { checkJaxpr } from "../../src/core/check.js";
import type { JaxprParseError } from "../../src/core/errors.js";
import { type Eqn, Jaxpr, type Literal, Var } from "../../src/core/jaxpr.js";
import { parseJaxpr } from "../../src/core/parse.js";
import { primitives } from "../../src/core/primitive.js";
import { printClosed, printJaxpr } from "../../src/core/print.js";
import { bindCall } from "../../src/primitives/call.js";
import { chain, expectRoundTrip, f32, parsed, parseError } from "./jaxprTextTools.js";
import { normaliseJaxpr } from "./normaliseJaxpr.js";
import { programs } from "./randomJaxpr.js";

beforeAll(async () => {
  for (const load of Object.values(import.meta.glob("../../src/primitives/*.ts"))) await load();
});

describe("parsing", () => {
  it("gives back what was printed", () => {
    fc.assert(
      fc.property(programs(), ({ jaxpr, consts }) => {
        expectRoundTrip(jaxpr, consts.length);
        expect(checkJaxpr(parsed(printJaxpr(jaxpr)).jaxpr)).toEqual(right(expect.any(Jaxpr)));
      }),
      { numRuns: 500 },
    );
  });

  it("reads the examples of every primitive", () => {
    const examples = primitives().flatMap((p) => p.laws.examples.map((example) => ({ p, ...example })));
    expect(examples.length).toBeGreaterThan(100);
    for (const { p, avals, params } of examples) {
      const types = p.abstractEval(avals, params);
      if (isLeft(types)) throw types.left;
      const inputs = avals.map((type, id) => new Var(id, type));
      const outputs = types.right.map((type, i) => new Var(avals.length + i, type));
      const eqn: Eqn = { primitive: p, inputs, params, outputs, source: undefined };
      expectRoundTrip(new Jaxpr(inputs, [eqn], outputs, avals.length + outputs.length));
    }
  });

  it("takes any names, any white space, spelled-out types and any order of params", () => {
    const text = `{lambda w:f32[ 3 ];x_1:f32 [3]B:~ f32[].let
      unused:f32[3]=mul 2.0:f32[] x_1 y:f32[3]
      =\topaque[b=1.50 a=1e0]\r\nw _:f32[3] = mul w x_1 in(w,B)}`;
    const { jaxpr, constCount } = parsed(text);
    expect(printJaxpr(jaxpr, { constCount })).toBe(`\
{ lambda a:f32[3] ; b:f32[3] c:~f32[]. let
    _:f32[3] = mul 2.0 b
    _:f32[3] = opaque[a=1 b=1.5] a
    _:f32[3] = mul a b
  in (a, c) }`);
  });

  it("rounds floats to their dtype", () => {
    const value = (text: string): number => {
      const [output] = parsed(`{ lambda ; . let in (${text},) }`).jaxpr.outputs;
      return (output as Literal).value;
    };
    expect(value("0.1")).toBe(Math.fround(0.1));
    expect(value("0.1:f64[]")).toBe(0.1);
    expect(value("0.1:f16[]")).toBe(0.0999755859375);
    expect(value("1e-400:f64[]")).toBe(0);
    expect(value("0.10000000000000000000000000001:f64[]")).toBe(0.1);
  });

  const body = (eqns: string, outputs = ""): string =>
    `{ lambda ; a:f32[3] b:i32[]. let\n${eqns}\nin (${outputs}) }`;

  const malformed: readonly [text: string, message: RegExp, line: number, column: number][] = [
    ["", /expected "\{" before a jaxpr, found the end of the text/, 1, 1],
    ["  \n\n ", /found the end of the text/, 3, 2],
    ["{ lambada ; . let in () }", /expected "lambda", found "lambada"/, 1, 3],
    ["{ lambda . let in () }", /expected ";" after the constants, found "\."/, 1, 10],
    ["{ lambda ; let in () }", /"let" is not the name of a variable/, 1, 12],
    ["{ lambda ; a. let in () }", /expected ":" and a type after a, found "\."/, 1, 13],
    ["{ lambda ; a:float32[]. let in () }", /expected a dtype, found float32/, 1, 14],
    ["{ lambda ; a:f32. let in () }", /expected "\[" after f32/, 1, 17],
    ["{ lambda ; a:f32[-1]. let in () }", /expected the length of an axis, found -1/, 1, 18],
    ["{ lambda ; a:f32[1.0]. let in () }", /expected the length of an axis, found 1\.0/, 1, 18],
    ["{ lambda ; a:f32[2,]. let in () }", /expected the length of an axis, found "\]"/, 1, 20],
    ["{ lambda ; a:f32[2 3]. let in () }", /expected "," between lengths/, 1, 20],
    ["{ lambda ; a:f32[9007199254740992]. let in () }", /expected the length of an axis/, 1, 18],
    ["{ lambda ; a:f32[] a:f32[]. let in () }", /the variable a is already defined/, 1, 20],
    ["{ lambda a:f32[] ; a:f32[]. let in () }", /the variable a is already defined/, 1, 20],
    ["{ lambda ; . let in () } x", /expected the end of the text, found "x"/, 1, 26],
    ["{ lambda ; . let in () ", /expected "\}" after the outputs, found the end/, 1, 24],
    ["{ lambda ; . let", /expected an equation or "in", found the end/, 1, 17],
    [body("c:f32[3] = neg"), /neg takes 1 operand/, 2, 1],
    [body("c:f32[3] = neg a a"), /neg takes 1 operand/, 2, 1],
    [body("c:f32[3] = negate a"), /there is no primitive "negate"/, 2, 12],
    [body("c:f32[3] = [] a"), /expected a primitive, found "\["/, 2, 12],
    [body("  c:f32[4] = neg a"), /neg gives f32\[3\], but the equation declares f32\[4\]/, 2, 3],
    [body("c:f64[3] = neg a"), /declares f64\[3\]/, 2, 1],
    [body("c:~f32[3] = neg a"), /neg gives f32\[3\], but the equation declares ~f32\[3\]/, 2, 1],
    [
      body("c:f32[3] d:f32[3] = neg a"),
      /neg gives f32\[3\], but the equation declares f32\[3\] f32\[3\]/,
      2,
      1,
    ],
    [body("() = neg a"), /neg gives f32\[3\], but the equation declares nothing/, 2, 1],
    [body("c:f32[3] = mul a b"), /mul needs operands of one dtype/, 2, 1],
    [body("c:f32[3] = mul a d"), /the variable d is not defined/, 2, 18],
    [body("c:f32[3] = mul a c"), /the variable c is not defined/, 2, 18],
    [body("c:f32[3] = mul a _"), /the variable _ is not defined/, 2, 18],
    [body("a:f32[3] = neg a"), /the variable a is already defined/, 2, 1],
    [body("c:i32[] = neg b\nc:i32[] = neg b"), /the variable c is already defined/, 3, 1],
    [body("inf:i32[] = neg b"), /"inf" is not the name of a variable/, 2, 1],
    [body("c:f32[3] = mul a 1"), /mul needs operands of one dtype/, 2, 1],
    [body("c:f32[3] = mul a 1:f32[]"), /1 is the spelling of an integer, not of a value of f32/, 2, 18],
    [body("c:f32[3] = mul a true:f32[]"), /true is the spelling of a boolean/, 2, 18],
    [body("c:f32[3] = mul a 1.0:f32[3]"), /a literal is a scalar/, 2, 18],
    [body("c:f32[3] = mul a 1e39"), /1e39 is out of the range of f32/, 2, 18],
    [body("c:f32[3] = mul a 01.0"), /"01" does not begin a number/, 2, 18],
    [body("c:f32[3] = mul a 1.x"), /"1\." does not begin a number/, 2, 18],
    [body("c:f32[3] = mul 1-1.0 a"), /"1-" does not begin a number/, 2, 16],
    [body("c:f32[3] = mul a -"), /expected a variable or a literal, found "-"/, 2, 18],
    [body("c:i32[] = mul b 2147483648"), /2147483648 is out of the range of i32/, 2, 17],
    [body("c:i32[] = mul b -0"), /-0 is out of the range of i32/, 2, 17],
    [body("c:f32[3] = broadcastInDim a"), /broadcastInDim/, 2, 1],
    [body("c:f32[3] = broadcastInDim[shape=3 dims=0] a"), /broadcastInDim/, 2, 1],
    [body("c:f32[3] = neg[x=] a"), /expected a value, found "\]"/, 2, 18],
    [body("c:f32[3] = neg[x=lambda] a"), /expected a value, found "lambda"/, 2, 18],
    [body("c:f32[3] = neg[x=undefined] a"), /expected a value, found "undefined"/, 2, 18],
    [body("c:f32[3] = neg[1=1] a"), /expected the name of a param or "\]", found "1"/, 2, 16],
    [body("c:f32[3] = neg[x=1 x=2] a"), /the param x is given twice/, 2, 20],
    [body("c:f32[3] = neg[x=[1,]] a"), /expected a value, found "\]"/, 2, 21],
    [body("c:f32[3] = neg[x=[1 2]] a"), /expected "," between the items of a list/, 2, 21],
    [body("c:f32[3] = neg[x={ lambda"), /"in" is not the name of a variable/, 3, 1],
    [body('c:f32[3] = neg[x="a] a'), /this string does not end/, 2, 18],
    [body('c:f32[3] = neg[x="\\x"] a'), /this string is not spelled as JSON strings are/, 2, 18],
    [body('c:f32[3] = neg[x="\n"] a'), /this string is not spelled as JSON strings are/, 2, 18],
    [
      body("c:f32[3] = neg[x={ lambda k:f32[] ; . let in () }] a"),
      /only the outermost jaxpr has constants/,
      2,
      35,
    ],
    [body("c:f32[3] = neg[x={ lambda ; . let in (a,) }] a"), /the variable a is not defined/, 2, 39],
    [body("c:f32[3] = jit[jaxpr=1] a"), /jit: the param jaxpr must be a jaxpr/, 2, 1],
    [body("", "a"), /expected "," after the first output, found "\)"/, 3, 6],
    [body("", "a, b,"), /expected a variable or a literal, found "\)"/, 3, 10],
    [body("", "a b"), /expected "," after the first output, found "b"/, 3, 7],
    [body("", ","), /expected a variable or a literal, found ","/, 3, 5],
  ];
  it.each(malformed)("refuses %j: %s", (text, message, line, column) => {
    const error = parseError(text);
    expect(error.message).toMatch(message);
    expect([error.line, error.column]).toEqual([line, column]);
    expect(error.code).toBe("parse");
  });

  it("bounds the depth of nesting", () => {
    const lists = (n: number) => withText("[".repeat(n) + "]".repeat(n));
    const records = (n: number) => withText(`${"{a=".repeat(n)}1${"}".repeat(n)}`);
    const withText = (value: string) => `{ lambda ; a:f32[]. let b:f32[] = opaque[x=${value}] a in (b,) }`;
    for (const nest of [lists, records]) {
      expect(isRight(parseJaxpr(nest(199)))).toBe(true);
      expect(parseError(nest(200)).message).toMatch(/nested deeper than 200/);
      expect(parseError(nest(100_000)).message).toMatch(/nested deeper than 200/);
    }
    let jaxpr = chain(1);
    for (let depth = 1; depth < 200; depth++) {
      const inner = jaxpr;
      jaxpr = traceToJaxpr({ name: "f" }, [f32], (args) => bindCall(inner, "f", args)).closed.jaxpr;
    }
    expectRoundTrip(jaxpr);
    const call = traceToJaxpr({ name: "f" }, [f32], (args) => bindCall(jaxpr, "f", args)).closed.jaxpr;
    expect(parseError(printJaxpr(call)).message).toMatch(/nested deeper than 200/);
    expect(parseError("{ lambda ; . let () = jit[jaxpr=".repeat(100_000)).message).toMatch(/nested deeper/);
  });

  /** The error of a text that is no program, whose position is checked; undefined for a text that is one. */
  function refusal(text: string): JaxprParseError | undefined {
    const result = parseJaxpr(text);
    if (isRight(result)) return undefined;
    const { offset, line, column } = result.left;
    expect(offset).toBeGreaterThanOrEqual(0);
    expect(offset).toBeLessThanOrEqual(text.length);
    const lines = text.slice(0, offset).split("\n");
    expect([line, column]).toEqual([lines.length, (lines.at(-1) as string).length + 1]);
    return result.left;
  }

  /** What is taken has to be well typed, and to say nothing but what the text says. */
  function expectFaithful(text: string): boolean {
    if (refusal(text) !== undefined) return false;
    const { jaxpr, constCount } = parsed(text);
    expect(isRight(checkJaxpr(jaxpr)), text).toBe(true);
    const printed = printJaxpr(jaxpr, { constCount });
    expect(normaliseJaxpr(printed)).toBe(normaliseJaxpr(text));
    return true;
  }

  // No float16 here: the normal form of a text does not know the dtype that a literal is rounded to.
  const printedPrograms = programs({ dtypes: ["float32", "float64", "int32", "bool"], maxSteps: 5 }).map(
    printClosed,
  );
  const alphabet = [...'abcfixz_0123456789.-+e~:;,=()[]{} \n"\\ #'];

  it("refuses damaged texts at the damage, or reads what they say", () => {
    const change = fc.record({
      at: fc.nat(9999),
      remove: fc.constantFrom(0, 0, 1, 1, 2, 5),
      insert: fc.oneof(
        fc.constantFrom("", ...alphabet),
        fc.constantFrom(
          "a",
          "b",
          "1",
          "0",
          " ",
          "~",
          "true",
          "nan",
          "-inf",
          ":f32[]",
          "add",
          "neg",
          "{ lambda",
          "in",
        ),
      ),
    });
    let taken = 0;
    let refused = 0;
    fc.assert(
      fc.property(printedPrograms, fc.array(change, { minLength: 1, maxLength: 2 }), (text, changes) => {
        let damaged = text;
        for (const { at, remove, insert } of changes) {
          const from = at % (damaged.length + 1);
          damaged = damaged.slice(0, from) + insert + damaged.slice(from + remove);
        }
        if (expectFaithful(damaged)) taken++;
        else refused++;
      }),
      { numRuns: 3000 },
    );
    // Both happen often enough for the test to mean something.
    expect(taken).toBeGreaterThan(40);
    expect(refused).toBeGreaterThan(1000);
  });

  it("refuses every text that is cut short, and every one with a character left out reads as what it says", () => {
    const text = printJaxpr(
      parsed(`{ lambda ; a:f32[] b:~f32[2]. let
        c:f32[2] = mul -1.5e-7:f32[] b d:f32[] = jit[name="f \\"x" jaxpr={ lambda ; a:f32[]. let b:f32[] = neg a in (b,) }] a
        e:f32[2,2] = broadcastInDim[dims=[1] shape=[2,2]] c in (c, 2.0, 1:u8[], e) }`).jaxpr,
    );
    for (let end = 0; end < text.length; end++)
      expect(refusal(text.slice(0, end)), text.slice(0, end)).toBeDefined();
    const taken = Array.from(text, (_, i) => expectFaithful(text.slice(0, i) + text.slice(i + 1)));
    expect(taken.filter((yes) => yes).length).toBeGreaterThan(10);
  });

  it("is total: nonsense gives an error", () => {
    const words = [
      "{",
      "}",
      "lambda",
      "let",
      "in",
      ";",
      ".",
      "a:f32[]",
      "b:f32[]",
      "=",
      "neg",
      "jit",
      "a",
      "1.0",
      "(",
    ];
    const rest = [
      ")",
      ",",
      "[",
      "]",
      "x=",
      '"',
      "null",
      "-",
      "~",
      "_:f32[]",
      "name=",
      "jaxpr=",
      "\n",
      "\u0000",
      "é",
    ];
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary" }),
          fc.array(fc.constantFrom(...words, ...rest)).map((w) => w.join(" ")),
        ),
        (t) => {
          refusal(t);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
