/**
 * Constants in a shader.
 *
 * Compilers of shaders assume that numbers are finite and that zeros have no sign: they fold `x * 0` to 0, `x + 0` to x,
 * `x / 3` to `x * (1 / 3)`, and refuse a NaN. Where that would be wrong, a constant is put together from its bits and a word
 * that is 0 whenever the shader runs (a coordinate of the workgroup that no dispatch uses), which no compiler can know.
 */
import type { Const, Lanes } from "../../core/ir/types.js";
import { typeText } from "./wgslHelpers.js";
import type { Names } from "./wgslNames.js";

const word = new DataView(new ArrayBuffer(4));

function bitsOf(value: number): number {
  word.setFloat32(0, value);
  return Number.isNaN(value) ? 0x7fc00000 : word.getUint32(0);
}

/** The shortest decimal that is this float32; the largest one must not be rounded up, where WGSL has no number. */
function shortest(value: number): string {
  if (Math.abs(value) > 3.4e38) return String(value);
  for (let digits = 1; digits <= 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return String(short);
  }
  return String(value);
}

function floatLiteral(value: number): string {
  const text = shortest(value);
  return `${/[.e]/.test(text) ? text : `${text}.0`}f`;
}

/** Folding with these loses a NaN, an infinity or the sign of a zero; below 2^-126 a literal may be taken for 0. */
const isDelicate = (value: number): boolean => !(Math.abs(value) >= 2 ** -126 && Math.abs(value) < Infinity);

const wellKnown = (value: number): string | undefined => {
  if (Number.isNaN(value)) return "not_a_number";
  if (value === 0) return Object.is(value, 0) ? "zero" : "negative_zero";
  if (Number.isFinite(value)) return undefined;
  return value > 0 ? "infinity" : "negative_infinity";
};

/** The word that is always 0. */
export const unknown = "unknown";

export class Constants {
  private readonly declared = new Map<string, string>();
  /** Whether the shader uses `unknown` anywhere. */
  usesUnknown = false;

  constructor(private readonly names: Names) {}

  /** Statements to put at the start of the shader. */
  declarations(): readonly string[] {
    return [...this.declared.values()];
  }

  /** A constant that arithmetic may use. */
  text(e: Const): string {
    if (e.type === "f32" && isDelicate(e.value)) return this.opaque(e);
    return this.literal(e);
  }

  /** A constant beside which nothing is folded wrongly: an operand of a comparison, say. */
  literal({ type, value, lanes }: Const): string {
    return spread(this.scalar(type, value), type, lanes);
  }

  private scalar(type: string, value: number): string {
    switch (type) {
      case "f32":
        if (Number.isFinite(value) && (value === 0 || !isDelicate(value))) return floatLiteral(value);
        return this.opaqueFloat(value);
      case "i32":
        return value === -2147483648 ? "i32(-2147483648)" : String(value);
      case "u32":
        return `${value}u`;
      default:
        return value === 0 ? "false" : "true";
    }
  }

  /** A constant that the compiler takes for a variable. */
  opaque(e: Const): string {
    const { type, value, lanes } = e;
    this.usesUnknown = true;
    const one = (): string => {
      switch (type) {
        case "f32":
          return this.opaqueFloat(value);
        case "i32":
          return `(i32(${unknown}) | ${this.scalar(type, value)})`;
        case "u32":
          return `(${unknown} | ${this.scalar(type, value)})`;
        default:
          return value === 0 ? `(${unknown} != 0u)` : `(${unknown} == 0u)`;
      }
    };
    return spread(one(), type, lanes);
  }

  private opaqueFloat(value: number): string {
    this.usesUnknown = true;
    const known = wellKnown(value);
    const bits = `0x${bitsOf(value).toString(16).padStart(8, "0")}u`;
    const key = known ?? bits;
    const declared = this.declared.get(key);
    if (declared !== undefined) return declared.split(" ")[1];
    const name = known ?? this.names.fresh("constant");
    const note = known === undefined ? ` // ${shortest(value)}` : "";
    this.declared.set(key, `let ${name} = bitcast<f32>(${unknown} | ${bits});${note}`);
    return name;
  }

  /** The value of a float that the compiler takes for another one than the expression it comes from. */
  hidden(text: string, lanes: Lanes): string {
    this.usesUnknown = true;
    const [f, u] = [typeText("f32", lanes), typeText("u32", lanes)];
    return `bitcast<${f}>(bitcast<${u}>(${text}) | ${lanes === 1 ? unknown : `${u}(${unknown})`})`;
  }
}

const spread = (text: string, type: string, lanes: Lanes): string =>
  lanes === 1 ? text : `${typeText(type, lanes)}(${text})`;
