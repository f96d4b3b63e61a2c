/**
 * Functions that shaders bring along where WGSL's own do not do what the kernel IR says: its `min` and `max` drop NaN, its
 * conversions to integers stop short of the largest ones, and its rounding to float16 may not give infinities. Compilers of
 * shaders may assume that there is no NaN, so that NaN is told by its bits.
 */
import type { Lanes } from "../../core/ir/types.js";

export const typeText = (scalar: string, lanes: Lanes): string =>
  lanes === 1 ? scalar : `vec${lanes}<${scalar}>`;

interface Types {
  readonly f: string;
  readonly u: string;
  readonly i: string;
  readonly b: string;
  /** A literal of f32, u32 or i32 in all lanes. */
  readonly number: (text: string) => string;
}

/** A helper with its argument and result types; the body is given the types of as many lanes. */
interface Helper {
  readonly signature: (t: Types) => string;
  readonly body: (t: Types) => readonly string[];
  readonly needs?: readonly HelperName[];
}

export type HelperName =
  | "is_nan"
  | "min_float"
  | "max_float"
  | "to_i32"
  | "to_u32"
  | "from_u32"
  | "round_f16";

/** `keep` is the operator between the bits of two zeros that keeps the sign the result must have. */
const extremum = (compare: "<" | ">", keep: "|" | "&"): Helper => ({
  signature: ({ f }) => `(x: ${f}, y: ${f}) -> ${f}`,
  body: ({ f, u }) => [
    `let same = bitcast<${f}>(bitcast<${u}>(x) ${keep} bitcast<${u}>(y));`,
    `return select(select(select(y, x, x ${compare} y), same, x == y), x, is_nan(x));`,
  ],
  needs: ["is_nan"],
});

const helpers: Record<HelperName, Helper> = {
  is_nan: {
    signature: ({ f, b }) => `(x: ${f}) -> ${b}`,
    body: ({ u, number }) => [
      `return (bitcast<${u}>(x) & ${number("0x7fffffffu")}) > ${number("0x7f800000u")};`,
    ],
  },
  min_float: extremum("<", "|"),
  max_float: extremum(">", "&"),
  to_i32: {
    signature: ({ f, i }) => `(x: ${f}) -> ${i}`,
    body: ({ i, number }) => [
      `let finite = select(${i}(x), ${number("0x7fffffff")}, x >= ${number("2147483648.0f")});`,
      `return select(finite, ${number("0")}, is_nan(x));`,
    ],
    needs: ["is_nan"],
  },
  to_u32: {
    signature: ({ f, u }) => `(x: ${f}) -> ${u}`,
    body: ({ u, number }) => [
      `let finite = select(${u}(x), ${number("0xffffffffu")}, x >= ${number("4294967296.0f")});`,
      `return select(finite, ${number("0u")}, is_nan(x));`,
    ],
    needs: ["is_nan"],
  },
  // WGSL lets either neighbour be the result. Both halves are exact, so that the sum alone is rounded.
  from_u32: {
    signature: ({ u, f }) => `(x: ${u}) -> ${f}`,
    body: ({ f, number }) => [
      `return ${f}(x >> ${number("16u")}) * 65536.0f + ${f}(x & ${number("0xffffu")});`,
    ],
  },
  // Ties to even: half of the last place that is kept, less one, plus that place's own bit. Below 2^-14 float16 has a
  // fixed step of 2^-24; from 65520 on it has infinity.
  round_f16: {
    signature: ({ f }) => `(x: ${f}) -> ${f}`,
    body: ({ f, u, number }) => [
      `let magnitude = bitcast<${u}>(x) & ${number("0x7fffffffu")};`,
      `let sign = bitcast<${u}>(x) & ${number("0x80000000u")};`,
      `let even = (magnitude + ${number("0xfffu")} + ((magnitude >> ${number("13u")}) & ${number("1u")})) & ${number("0xffffe000u")};`,
      `let steps = round(bitcast<${f}>(magnitude) * 16777216.0f) * 5.9604644775390625e-8f;`,
      `let small = select(even, bitcast<${u}>(steps), magnitude < ${number("0x38800000u")});`,
      `let finite = select(small, ${number("0x7f800000u")}, magnitude >= ${number("0x477ff000u")});`,
      `return select(bitcast<${f}>(finite | sign), x, is_nan(x));`,
    ],
    needs: ["is_nan"],
  },
};

const typeOfLiteral = (text: string): string =>
  text.endsWith("u") ? "u32" : text.startsWith("0x") || !text.endsWith("f") ? "i32" : "f32";

/** The helpers that a shader uses. Functions of WGSL cannot be overloaded: each number of lanes has a function of its own. */
export class Helpers {
  private readonly used = new Map<string, string>();

  /** The name by which to call a helper. */
  use(helper: HelperName, lanes: Lanes = 1): string {
    const suffix = (name: string): string => (lanes === 1 ? name : `${name}${lanes}`);
    const name = suffix(helper);
    if (!this.used.has(name)) {
      const { signature, body, needs = [] } = helpers[helper];
      for (const other of needs) this.use(other, lanes);
      const types = {
        f: typeText("f32", lanes),
        u: typeText("u32", lanes),
        i: typeText("i32", lanes),
        b: typeText("bool", lanes),
        number: (text: string) => (lanes === 1 ? text : `${typeText(typeOfLiteral(text), lanes)}(${text})`),
      };
      const text = body(types).map((line) =>
        needs.reduce((t, other) => t.replaceAll(`${other}(`, `${suffix(other)}(`), line),
      );
      this.used.set(name, [`fn ${name}${signature(types)} {`, ...text.map((l) => `  ${l}`), "}"].join("\n"));
    }
    return name;
  }

  texts(): readonly string[] {
    return [...this.used.values()];
  }
}
