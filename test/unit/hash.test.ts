import fc from "fast-check";
import { isLeft } from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";
import type { NDArray } from "../../src/core/array.js";
import { aval } from "../../src/core/aval.js";
import { traceToJaxpr } from "../../src/core/build.js";
import { equalJaxprs, hashJaxpr } from "../../src/core/hash.js";
import { type Atom, type Eqn, Jaxpr, Literal, Var } from "../../src/core/jaxpr.js";
import { noParams } from "../../src/core/params.js";
import { parseJaxpr } from "../../src/core/parse.js";
import type { Params, ParamValue } from "../../src/core/primitive.js";
import { printJaxpr } from "../../src/core/print.js";
import { add, mul, neg, sub } from "../../src/primitives/arithmetic.js";
import { bindCall, callPrimitive } from "../../src/primitives/call.js";
import { programs } from "./randomJaxpr.js";

const f32 = aval([], "float32");

function parsed(text: string): Jaxpr {
  const result = parseJaxpr(text);
  if (isLeft(result)) throw result.left;
  return result.right.jaxpr;
}

/** The same program with other variables, other sources and other objects throughout. */
function rename(jaxpr: Jaxpr): Jaxpr {
  const fresh = new Map<number, Var>();
  const atom = (a: Atom): Atom => {
    if (a instanceof Literal) return new Literal(a.value, { ...a.aval });
    const found = fresh.get(a.id) ?? new Var(1000 - 3 * a.id, { ...a.aval, shape: [...a.aval.shape] });
    fresh.set(a.id, found);
    return found;
  };
  const variables = (vs: readonly Var[]) => vs.map((v) => atom(v) as Var);
  const value = (v: ParamValue): ParamValue => {
    if (v instanceof Jaxpr) return rename(v);
    if (Array.isArray(v)) return v.map(value);
    return typeof v === "object" && v !== null ? params(v as Params) : v;
  };
  // Keys in the opposite order, and one more that is not there.
  const params = (p: Params): Params =>
    Object.fromEntries([
      ["gone", undefined],
      ...Object.keys(p)
        .sort()
        .reverse()
        .map((k) => [k, value(p[k])]),
    ]);
  return new Jaxpr(
    variables(jaxpr.inputs),
    jaxpr.eqns.map((eqn) => ({
      primitive: eqn.primitive,
      inputs: eqn.inputs.map(atom),
      params: params(eqn.params),
      outputs: variables(eqn.outputs),
      source: { stack: "elsewhere" },
    })),
    jaxpr.outputs.map(atom),
    1001,
  );
}

/** Checks that hash and equality agree on a pair of programs. */
function expectSame(a: Jaxpr, b: Jaxpr, same: boolean): void {
  expect(equalJaxprs(a, b)).toBe(same);
  expect(equalJaxprs(b, a)).toBe(same);
  expect(hashJaxpr(a) === hashJaxpr(b)).toBe(same);
}

describe("hashJaxpr and equalJaxprs", () => {
  it("do not see names of variables, sources, objects, or the order of params", () => {
    fc.assert(
      fc.property(programs(), ({ jaxpr }) => {
        expectSame(jaxpr, rename(jaxpr), true);
      }),
      { numRuns: 300 },
    );
  });

  it("agree with the printed text, which is the same for the same programs only", () => {
    const small = programs({ dtypes: ["float32", "int32"], maxSteps: 2 });
    let same = 0;
    fc.assert(
      fc.property(small, small, fc.boolean(), ({ jaxpr: a }, { jaxpr: other }, copied) => {
        // Two programs drawn apart are hardly ever the same one.
        const b = copied ? rename(a) : other;
        const equal = printJaxpr(a) === printJaxpr(b);
        if (equal) same++;
        expectSame(a, b, equal);
      }),
      { numRuns: 2000 },
    );
    expect(same).toBeGreaterThan(0);
  });

  it("hash to 16 hexadecimal digits, the same in every process", () => {
    expect(hashJaxpr(new Jaxpr([], [], [], 0))).toBe("67b7c5d5e1ef400e");
    expect(hashJaxpr(new Jaxpr([], [], [], 7))).toBe("67b7c5d5e1ef400e");
    const text =
      '{ lambda ; a:f32[2]. let b:f32[2] = jit[name="f" jaxpr={ lambda ; a:f32[2]. let in (a,) }] a in (b,) }';
    // Hashes may be stored: what changes these values makes what is stored useless.
    expect(hashJaxpr(parsed(text))).toBe("808b60bf9fd5ac29");
  });

  const base = "{ lambda ; a:f32[] b:f32[]. let c:f32[] = mul a 2.0 d:f32[] = sub b c in (d, c) }";
  it.each([
    ["a primitive", base.replace("mul", "add")],
    ["the order of operands", base.replace("sub b c", "sub c b")],
    ["an operand", base.replace("sub b c", "sub a c")],
    ["a literal", base.replace("2.0", "2.0000002")],
    ["the sign of zero", base.replace("2.0", "-0.0")],
    ["zero", base.replace("2.0", "0.0")],
    ["nan", base.replace("2.0", "nan")],
    ["the weakness of a literal", base.replace("2.0", "2.0:~f32[]")],
    ["a literal for a variable", base.replace("sub b c", "sub 0.0 c")],
    ["dtypes", base.replaceAll("f32", "f64")],
    ["shapes", base.replaceAll("f32[]", "f32[1]")],
    ["weakness", base.replaceAll("f32", "~f32")],
    ["the number of inputs", base.replace("b:f32[].", "b:f32[] e:f32[].")],
    ["the order of inputs", base.replace("a:f32[] b:f32[]", "b:f32[] a:f32[]")],
    ["the order of outputs", base.replace("(d, c)", "(c, d)")],
    ["the number of outputs", base.replace("(d, c)", "(d, c, c)")],
    ["an output", base.replace("(d, c)", "(d, a)")],
    ["a literal output", base.replace("(d, c)", "(d, 1.0)")],
    ["an equation that nothing uses", base.replace(" in", " e:f32[] = neg d in")],
    [
      "the order of equations",
      base.replace("mul a 2.0 d:f32[] = sub b c in (d, c)", "sub b a d:f32[] = mul a 2.0 in (d, c)"),
    ],
    [
      "a call",
      base.replace(
        "mul a 2.0",
        'jit[name="f" jaxpr={ lambda ; a:f32[]. let b:f32[] = mul a 2.0 in (b,) }] a',
      ),
    ],
  ])("see %s", (_, text) => {
    expect(text).not.toBe(base);
    expectSame(parsed(base), parsed(text), false);
    expectSame(parsed(text), parsed(text), true);
  });

  it("see names, bodies and all else in params", () => {
    const x = new Var(0, f32);
    const body = (eqn: string) => parsed(`{ lambda ; a:f32[]. let b:f32[] = ${eqn} in (b,) }`);
    const withParams = (params: Params): Jaxpr => {
      const y = new Var(1, f32);
      return new Jaxpr(
        [x],
        [{ primitive: callPrimitive, inputs: [x], params, outputs: [y], source: undefined }],
        [y],
        2,
      );
    };
    const values: ParamValue[] = [
      ...[
        null,
        true,
        false,
        0,
        -0,
        1,
        NaN,
        Infinity,
        "",
        "0",
        "1",
        "null",
        "ab",
        [],
        {},
        [0],
        [[]],
        [[], []],
        ["a", "b"],
      ],
      ...[
        ["ab"],
        [null],
        [undefined],
        [0, 0],
        [1, 2],
        [2, 1],
        { a: 1 },
        { b: 1 },
        { a: 2 },
        { a: 1, b: 1 },
        [{ a: 1 }],
      ],
      ...[
        body("neg a"),
        body("mul a a"),
        [body("neg a")],
        [body("neg a"), body("neg a")],
        { a: body("neg a") },
      ],
    ];
    for (const [i, p] of values.entries())
      for (const [k, q] of values.entries()) expectSame(withParams({ p }), withParams({ p: q }), i === k);
    expectSame(withParams({ p: undefined }), withParams({}), true);
    expectSame(withParams({ p: { q: undefined } }), withParams({ p: {} }), true);
    expectSame(withParams({ p: 1, q: 2 }), withParams({ q: 2, p: 1 }), true);
    expectSame(withParams({ p: 1 }), withParams({ q: 1 }), false);
    expectSame(withParams({ p: NaN }), withParams({ p: Number.NaN }), true);
    expectSame(withParams({ p: body("neg a") }), withParams({ p: rename(body("neg a")) }), true);
  });

  it("take open jaxprs, in which variables are the same by id", () => {
    const free = (id: number) => new Jaxpr([], [], [new Var(id, f32)], 9);
    expectSame(free(3), free(3), true);
    expectSame(free(3), free(4), false);
    const bound = new Var(3, f32);
    expectSame(free(0), new Jaxpr([], [], [bound], 9), false);
    expectSame(new Jaxpr([bound], [], [new Var(0, f32)], 9), new Jaxpr([bound], [], [bound], 9), false);
  });

  it("spread over all 64 bits", () => {
    const n = 40_000;
    const x = new Var(0, f32);
    const y = new Var(1, f32);
    const hashes = Array.from({ length: n }, (_, i) => {
      const inputs = [x, new Literal(i, f32)];
      const eqn: Eqn = {
        primitive: mul.primitive,
        inputs,
        params: noParams,
        outputs: [y],
        source: undefined,
      };
      return hashJaxpr(new Jaxpr([x], [eqn], [y], 2));
    });
    expect(new Set(hashes).size).toBe(n);
    // Of 40,000 random words of 32 bits, 0.19 pairs are expected to be equal: more than 4 have a chance below 1e-6.
    for (const half of [0, 8])
      expect(n - new Set(hashes.map((h) => h.slice(half, half + 8))).size).toBeLessThan(5);
    // Each bit is set in half of the hashes, and differs in half of those of neighbours, up to 6 standard deviations.
    const bits = hashes.map((h) => BigInt(`0x${h}`));
    const tolerance = 6 * Math.sqrt(n) * 0.5;
    for (let bit = 0n; bit < 64n; bit++) {
      const set = bits.filter((b) => (b >> bit) & 1n).length;
      const flipped = bits.filter((b, i) => i > 0 && ((b ^ bits[i - 1]) >> bit) & 1n).length;
      expect(Math.abs(set - n / 2), `bit ${bit}`).toBeLessThan(tolerance);
      expect(Math.abs(flipped - n / 2), `bit ${bit}`).toBeLessThan(tolerance);
    }
  });

  it("take each body once, however often it occurs", () => {
    const nest = (depth: number, op: (x: NDArray) => NDArray): Jaxpr => {
      let jaxpr = traceToJaxpr({ name: "f" }, [f32], ([x]) => [op(x)]).closed.jaxpr;
      for (let i = 0; i < depth; i++) {
        const inner = jaxpr;
        jaxpr = traceToJaxpr({ name: "f" }, [f32], (x) => bindCall(inner, "f", bindCall(inner, "f", x)))
          .closed.jaxpr;
      }
      return jaxpr;
    };
    expectSame(nest(100, neg), nest(100, neg), true);
    expectSame(
      nest(100, neg),
      nest(100, (x) => add(x, x)),
      false,
    );
    expectSame(nest(100, neg), nest(99, neg), false);
  });

  it("take long programs, and remember the hash", () => {
    const chain = (n: number, last: number) =>
      traceToJaxpr({ name: "chain" }, [f32], ([x]) => {
        let y = mul(x, 0.5);
        for (let i = 1; i < n; i++) y = mul(y, x);
        return [sub(y, last)];
      }).closed.jaxpr;
    const long = chain(100_000, 1);
    expectSame(long, chain(100_000, 1), true);
    expectSame(long, chain(100_000, 2), false);
    const start = performance.now();
    for (let i = 0; i < 10_000; i++) hashJaxpr(long);
    // Ten thousand look-ups; hashing as often would take minutes.
    expect(performance.now() - start).toBeLessThan(2000);
  });
});
