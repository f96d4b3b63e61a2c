import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { concreteArray, scalar } from "../../src/core/array.js";
import { type Aval, aval } from "../../src/core/aval.js";
import { traceToJaxpr } from "../../src/core/build.js";
import type { DType } from "../../src/core/dtype.js";
import { equalJaxprs } from "../../src/core/hash.js";
import { ClosedJaxpr, type Eqn, Jaxpr, Literal, Var } from "../../src/core/jaxpr.js";
import { noParams } from "../../src/core/params.js";
import type { Params } from "../../src/core/primitive.js";
import { printClosed, printJaxpr } from "../../src/core/print.js";
import { add, mul, sub } from "../../src/primitives/arithmetic.js";
import { broadcastInDim } from "../../src/primitives/broadcast.js";
import { bindCall } from "../../src/primitives/call.js";
import {
  chain,
  expectRoundTrip,
  f32,
  i32,
  opaque,
  parsed,
  parseError,
  withParams,
} from "./jaxprTextTools.js";

describe("printing", () => {
  it("shows constants, calls, broadcasts and literals", () => {
    const table = concreteArray([1, 2, 3], [3], "float32");
    const inner = traceToJaxpr({ name: "g" }, [f32], ([x]) => [add(x, x)]).closed.jaxpr;
    const { closed } = traceToJaxpr({ name: "f" }, [f32, aval([], "float32", true)], ([x, y]) => {
      const d = mul(table, x);
      const e = broadcastInDim(y, [2, 3], []);
      sub(scalar(1, "float32"), x);
      const [f] = bindCall(inner, "g", [x]);
      return [d, e, f, scalar(2, "float32")];
    });
    expect(printClosed(closed)).toBe(`\
{ lambda a:f32[3] ; b:f32[] c:~f32[]. let
    d:f32[3] = mul a b
    e:~f32[2,3] = broadcastInDim[dims=[] shape=[2,3]] c
    _:f32[] = sub 1.0 b
    f:f32[] = jit[name="g" jaxpr={ lambda ; a:f32[]. let
        b:f32[] = add a a
      in (b,) }] b
  in (d, e, f, 2.0) }`);
    expect(String(closed)).toBe(printClosed(closed));
    expect(inspect(closed)).toBe(printClosed(closed));
    expect(String(closed.jaxpr)).toBe(printJaxpr(closed.jaxpr));
    expect(inspect({ program: closed.jaxpr })).toContain("lambda ; a:f32[3] b:f32[]");
  });

  it("shows programs without inputs, equations or outputs", () => {
    expect(printJaxpr(new Jaxpr([], [], [], 0))).toBe("{ lambda ; . let\n  in () }");
    const x = new Var(0, aval([0], "bool"));
    expect(printJaxpr(new Jaxpr([x], [], [x], 1))).toBe("{ lambda ; a:bool[0]. let\n  in (a,) }");
    expect(printClosed(new ClosedJaxpr(new Jaxpr([x], [], [x, x], 1), [scalar(0, "bool")]))).toBe(
      "{ lambda a:bool[0] ; . let\n  in (a, a) }",
    );
    const empty = traceToJaxpr({ name: "f" }, [f32], ([v]) => {
      bindCall(new Jaxpr([new Var(7, f32)], [], [], 8), "nothing", [v]);
      return [];
    }).closed.jaxpr;
    expect(printJaxpr(empty)).toBe(`\
{ lambda ; a:f32[]. let
    () = jit[name="nothing" jaxpr={ lambda ; a:f32[]. let
      in () }] a
  in () }`);
    expectRoundTrip(empty);
  });

  it("names variables a to z, then aa, and never by a word of the language", () => {
    const text = printJaxpr(chain(300));
    const names = [...text.matchAll(/(\w+):f32\[\]/g)].map((m) => m[1]);
    expect(names).toHaveLength(301);
    expect(new Set(names).size).toBe(301);
    expect(names.slice(24, 29)).toEqual(["y", "z", "aa", "ab", "ac"]);
    expect(names).toContain("im");
    expect(names).toContain("io");
    expect(names).not.toContain("in");
    expectRoundTrip(chain(300));
  });

  const spellings: readonly [value: number, type: Aval, text: string][] = [
    [1, f32, "1.0"],
    [-0.1, f32, "-0.1"],
    [0.1, aval([], "float64"), "0.1:f64[]"],
    [1 / 3, aval([], "float64"), "0.3333333333333333:f64[]"],
    [1 / 3, f32, "0.33333334"],
    [1 / 3, aval([], "float16"), "0.3333:f16[]"],
    [1, aval([], "float32", true), "1.0:~f32[]"],
    [3.4028234663852886e38, f32, "3.4028235e+38"],
    [2 ** -149, f32, "1e-45"],
    [1e21, aval([], "float64"), "1e+21:f64[]"],
    [5e-324, aval([], "float64"), "5e-324:f64[]"],
    [NaN, f32, "nan"],
    [Infinity, f32, "inf"],
    [-Infinity, aval([], "float64"), "-inf:f64[]"],
    [-0, f32, "-0.0"],
    [7, i32, "7"],
    [-2147483648, i32, "-2147483648"],
    [7, aval([], "int32", true), "7:~i32[]"],
    [4294967295, aval([], "uint32"), "4294967295:u32[]"],
    [255, aval([], "uint8"), "255:u8[]"],
    [1, aval([], "bool"), "true"],
    [0, aval([], "bool"), "false"],
  ];
  it.each(spellings)("spells the literal %d of type %o as %s", (value, type, wanted) => {
    const exact = scalar(value, type.dtype, type.weakType);
    const jaxpr = new Jaxpr([], [], [new Literal(exact.values[0], exact.aval)], 0);
    expect(printJaxpr(jaxpr)).toBe(`{ lambda ; . let\n  in (${wanted},) }`);
    expectRoundTrip(jaxpr);
    expect(equalJaxprs(parsed(`{ lambda ; . let in (${wanted},) }`).jaxpr, jaxpr)).toBe(true);
  });

  it("leaves out the type of a literal that is the type of the first variable of its kind", () => {
    const operands = (literal: Literal, ...types: Aval[]): string => {
      const variables = types.map((type, id) => new Var(id, type));
      const inputs = [literal, ...variables];
      const outputs = inputs.map((a, i) => new Var(types.length + i, a.aval));
      const eqn: Eqn = { primitive: opaque, inputs, params: noParams, outputs, source: undefined };
      const jaxpr = new Jaxpr(variables, [eqn], [], types.length + outputs.length);
      expectRoundTrip(jaxpr);
      return /opaque (\S+)/.exec(printJaxpr(jaxpr))?.[1] ?? "";
    };
    const one = (dtype: DType, weak = false) => new Literal(1, aval([], dtype, weak));
    expect(operands(one("float64"), aval([3], "float64"))).toBe("1.0");
    expect(operands(one("float64"), aval([3], "bool"), i32, aval([3], "float64"), f32)).toBe("1.0");
    expect(operands(one("float32", true), aval([], "float32", true))).toBe("1.0");
    expect(operands(one("float32"), aval([], "float32", true))).toBe("1.0:f32[]");
    expect(operands(one("float32", true), aval([3], "float32"))).toBe("1.0:~f32[]");
    expect(operands(one("float32"), aval([3], "float64"))).toBe("1.0:f32[]");
    expect(operands(one("float32"), i32)).toBe("1.0");
    expect(operands(one("uint8"), aval([], "uint8"))).toBe("1");
    expect(operands(one("int32"), aval([], "uint8"))).toBe("1:i32[]");
    expect(operands(one("bool"), aval([], "uint8"))).toBe("true");
    expect(operands(one("float32"), aval([3], "float0"))).toBe("1.0");
  });

  it("sorts params, puts jaxprs last and spells every kind of value", () => {
    const body = new Jaxpr([], [], [new Literal(1, f32)], 0);
    const params: Params = {
      z: 'a"b\\\n→',
      body,
      branches: [body, body],
      a: [1, -2.5, [], [true, null, undefined]],
      absent: undefined,
      number: -0,
      special: [NaN, Infinity, -Infinity],
      "not a name": { b: 2, lambda: {}, in: [false] },
      ["__proto__"]: 5,
    };
    const jaxpr = withParams(params);
    expect(printJaxpr(jaxpr)).toBe(`\
{ lambda ; a:f32[]. let
    b:f32[] = opaque[__proto__=5 a=[1,-2.5,[],[true,null,undefined]] "not a name"={b=2 "in"=[false] "lambda"={}} number=-0.0 special=[nan,inf,-inf] z="a\\"b\\\\\\n→" body={ lambda ; . let
      in (1.0,) } branches=[{ lambda ; . let
      in (1.0,) }, { lambda ; . let
      in (1.0,) }]] a
  in (b,) }`);
    expectRoundTrip(jaxpr);
    const again = parsed(printJaxpr(jaxpr)).jaxpr.eqns[0].params;
    expect(Object.keys(again)).not.toContain("absent");
    expect(Object.getPrototypeOf(again)).toBe(Object.prototype);
    expect(Object.getOwnPropertyDescriptor(again, "__proto__")?.value).toBe(5);
    expect(again.a).toEqual([1, -2.5, [], [true, null, undefined]]);
    expect(Object.is(again.number, -0)).toBe(true);
    expect(parsed(printJaxpr(withParams({}))).jaxpr.eqns[0].params).toBe(noParams);
  });

  it("says where equations come from, if asked", () => {
    const { jaxpr } = traceToJaxpr({ name: "f", sources: "each" }, [f32], ([x]) => [add(x, x)]).closed;
    expect(printJaxpr(jaxpr)).not.toContain("#");
    const text = printJaxpr(jaxpr, { sources: true });
    expect(text).toMatch(/add a a {2}# \S*jaxprText\.test\.ts:\d+:\d+\n/);
    expect(parseError(text).offset).toBe(text.indexOf("#"));
  });

  it("prints what is not a well-typed program as well", () => {
    const stray = new Var(7, f32);
    const eqn = {
      primitive: add.primitive,
      inputs: [stray, new Literal(1.5, i32)],
      params: noParams,
      source: undefined,
    };
    const jaxpr = new Jaxpr([], [{ ...eqn, outputs: [new Var(0, f32)] }], [stray], 1);
    expect(printJaxpr(jaxpr)).toBe("{ lambda ; . let\n    _:f32[] = add ?7 1.5\n  in (?7,) }");
  });
});

describe("long programs", () => {
  it("are printed and parsed in linear time", () => {
    const [small, large] = [5_000, 40_000].map((n) => {
      const jaxpr = chain(n);
      const text = printJaxpr(jaxpr);
      expectRoundTrip(jaxpr);
      return { print: () => printJaxpr(jaxpr), parse: () => parsed(text) };
    });
    const time = (work: () => unknown): number => {
      const start = performance.now();
      work();
      return performance.now() - start;
    };
    // Eight times as long: linear is 8, quadratic is 64. Other work on the machine may spoil some attempts.
    for (const kind of ["print", "parse"] as const) {
      const ratios: number[] = [];
      const best = () => Math.min(...ratios);
      for (let attempt = 0; attempt < 10 && (attempt < 3 || best() >= 20); attempt++) {
        const short = Math.min(...Array.from({ length: 5 }, () => time(small[kind])));
        ratios.push(time(large[kind]) / short);
      }
      expect(best(), kind).toBeLessThan(20);
    }
  });

  it("may have many inputs, constants, operands and params", () => {
    const n = 130_000;
    const inputs = Array.from({ length: n }, (_, id) => new Var(id, f32));
    const params = { list: Array.from({ length: n }, (_, i) => i) };
    const outputs = inputs.map((v) => new Var(n + v.id, f32));
    const eqn: Eqn = { primitive: opaque, inputs, params, outputs, source: undefined };
    expectRoundTrip(new Jaxpr(inputs, [eqn], outputs, 2 * n), n / 2);
  });

  it("leave bodies out where calls of calls would make a text that nothing can hold", () => {
    let jaxpr = chain(1);
    for (let depth = 0; depth < 100; depth++) {
      const inner = jaxpr;
      const twice = traceToJaxpr({ name: "f" }, [f32], (x) => bindCall(inner, "f", bindCall(inner, "f", x)));
      jaxpr = twice.closed.jaxpr;
    }
    const text = printJaxpr(jaxpr);
    expect(text).toBe(`\
{ lambda ; a:f32[]. let
    b:f32[] = jit[name="f" jaxpr={ lambda ... }] a
    c:f32[] = jit[name="f" jaxpr={ lambda ... }] b
  in (c,) }`);
    expect(parseError(text).offset).toBe(text.indexOf("..."));
  });
});
