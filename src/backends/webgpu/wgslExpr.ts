/**
 * Expressions of the kernel IR as WGSL. A statement's expressions are printed together: what stands in several places, and
 * what is nested deeper than parsers of WGSL go, becomes a `let` before the statement.
 */
import { childrenOf, nodesOf } from "../../compiler/walk.js";
import { DeviceError } from "../../core/errors.js";
import type {
  Binary,
  BinaryOp,
  Cast,
  Compare,
  CompareOp,
  Const,
  Expr,
  Lanes,
  Local,
  Unary,
} from "../../core/ir/types.js";
import type { Constants } from "./wgslConstants.js";
import { type Helpers, typeText } from "./wgslHelpers.js";
import type { Memory } from "./wgslMemory.js";
import type { Names } from "./wgslNames.js";
import { operandToHide } from "./wgslRounding.js";

/**
 * How tightly a text holds together: what has less than its place needs gets parentheses. A comparison among arguments has
 * them too, since `f(a < b, c > d)` is a template to WGSL.
 */
const Tightness = { comparison: -1, loose: 0, sum: 1, product: 2, unary: 3, whole: 4 } as const;

interface Text {
  readonly text: string;
  readonly tightness: number;
  /** How deep it is nested. */
  readonly depth: number;
}

/** Tint refuses to parse more than 128 levels, of which parentheses, calls and operators take several each. */
const maxDepth = 24;
/** Longer lines are for nobody to read. */
const maxLength = 160;

const infix: Record<BinaryOp, string> = {
  add: "+",
  sub: "-",
  mul: "*",
  div: "/",
  rem: "%",
  and: "&",
  or: "|",
  xor: "^",
  shl: "<<",
  shr: ">>",
  min: "min",
  max: "max",
};

const comparison: Record<CompareOp, string> = { eq: "==", ne: "!=", lt: "<", le: "<=", gt: ">", ge: ">=" };

const calls: Partial<Record<Unary["fn"], string>> = {
  abs: "abs",
  floor: "floor",
  ceil: "ceil",
  trunc: "trunc",
  nearest: "round",
  sqrt: "sqrt",
  clz: "countLeadingZeros",
  popcnt: "countOneBits",
};

export class Expressions {
  private readonly definitions = new Map<Local, Expr>();

  constructor(
    private readonly names: Names,
    private readonly memory: Memory,
    private readonly helpers: Helpers,
    private readonly constants: Constants,
    /** Is told of each local that is read. */
    private readonly onGet: (local: Local) => void,
  ) {}

  /** Says what a name stands for. */
  define(local: Local, value: Expr): void {
    this.definitions.set(local, value);
  }

  private meaning(e: Expr): Expr {
    const value = e.op === "get" ? this.definitions.get(e.local) : undefined;
    return value === undefined ? e : this.meaning(value);
  }

  /** The texts of the roots; `lets` are statements that must come before. */
  print(roots: readonly Expr[]): { texts: string[]; lets: string[] } {
    const nodes = nodesOf(...roots);
    const uses = new Map<Expr, number>();
    const use = (e: Expr): void => void uses.set(e, (uses.get(e) ?? 0) + 1);
    for (const e of [...nodes.flatMap(textsIn), ...roots]) use(e);
    const printed = new Map<Expr, Text>();
    const lets: string[] = [];
    for (const e of nodes) {
      let text = this.node(
        e,
        childrenOf(e).map((c) => printed.get(c) as Text),
      );
      const several = (uses.get(e) as number) > 1 && e.op !== "const" && e.op !== "get";
      if (several || text.depth > maxDepth || text.text.length > maxLength) {
        const name = this.names.fresh("t");
        lets.push(`let ${name} = ${text.text};`);
        text = { text: name, tightness: Tightness.whole, depth: 0 };
      }
      printed.set(e, text);
    }
    return { texts: roots.map((e) => (printed.get(e) as Text).text), lets };
  }

  private node(e: Expr, operands: readonly Text[]): Text {
    const depth = 1 + Math.max(0, ...operands.map((o) => o.depth));
    const as = (text: string, tightness: number = Tightness.whole): Text => ({ text, tightness, depth });
    const children = childrenOf(e);
    // WGSL would compute an operation of constants itself, and call what overflows an error.
    const allConstant = children.length > 0 && e.op !== "load" && children.every((c) => c.op === "const");
    const at = (i: number, tightness: number = Tightness.loose): string => {
      if (allConstant && i === 0) return this.constants.opaque(children[0] as Const);
      const { text, tightness: has } = operands[i];
      return has < tightness ? `(${text})` : text;
    };
    switch (e.op) {
      case "const":
        return as(this.constants.text(e), e.lanes === 1 && e.value < 0 ? Tightness.loose : Tightness.whole);
      case "get":
        this.onGet(e.local);
        return as(this.names.of(e.local));
      case "load":
        return as(this.load(e, operands));
      case "unary":
        return this.unary(e, at, as);
      case "binary": {
        const [x, y] = [operands[0].text, operands[1].text];
        return this.binary(e, x === y, this.rounded(e, at), as);
      }
      case "compare":
        return this.compare(e, operands[0].text === operands[1].text, at, as);
      case "select":
        return as(`select(${at(2)}, ${at(1)}, ${at(0)})`);
      case "cast":
        return as(this.cast(e, at(0), () => at(0, Tightness.whole)));
      case "bitcast":
        return as(`bitcast<${typeText(e.type, e.lanes)}>(${at(0)})`);
      case "splat":
        return as(`${typeText(e.type, e.lanes)}(${at(0)})`);
      case "vector":
        return as(`${typeText(e.type, e.lanes)}(${operands.map((_, i) => at(i)).join(", ")})`);
      case "extract":
        return as(`${at(0, Tightness.whole)}.${"xyzw"[e.lane]}`);
      case "host":
        throw new DeviceError(
          `${e.name} is computed by a function of JavaScript, which no GPU can call; use the device "wasm"`,
        );
    }
  }

  private load(e: Expr & { op: "load" }, [index, guard]: readonly Text[]): string {
    const nothing = this.constants.literal({ op: "const", type: e.type, lanes: e.lanes, value: 0 });
    // A constant that is out of bounds would be an error even where nothing runs: below a guard that never holds, or in a
    // loop over an axis without elements.
    if (e.index.op === "const" && !(e.index.value >= 0 && e.index.value + e.lanes <= e.buffer.size))
      return nothing;
    const value = this.memory.load(e.buffer, index.text, e.lanes);
    // WGSL moves an index that is out of bounds to some element of the buffer, so that the load itself is safe.
    return guard === undefined ? value : `select(${nothing}, ${value}, ${guard.text})`;
  }

  /** The operands, so that the compiler computes with them as they are. */
  private rounded(e: Binary, at: At): At {
    const isArithmetic = e.fn === "add" || e.fn === "sub" || e.fn === "mul" || e.fn === "div";
    if (e.type !== "f32" || !isArithmetic) return at;
    const hide = operandToHide(e, (operand) => this.meaning(operand));
    if (hide === undefined) return at;
    const operand = hide === 0 ? e.x : e.y;
    const text =
      operand.op === "const" ? this.constants.opaque(operand) : this.constants.hidden(at(hide), e.lanes);
    return (i, tightness) => (i === hide ? text : at(i, tightness));
  }

  private unary(e: Unary, at: At, as: As): Text {
    const call = calls[e.fn];
    if (e.fn === "abs" && e.type === "u32") return as(at(0));
    if (call !== undefined) return as(`${call}(${at(0)})`);
    if (e.fn === "roundF16") return as(`${this.helpers.use("round_f16", e.lanes)}(${at(0)})`);
    if (e.fn === "not")
      return as(`${e.type === "bool" ? "!" : "~"}${at(0, Tightness.whole)}`, Tightness.unary);
    // There is no minus before u32.
    if (e.type === "u32") return as(`(~${at(0, Tightness.whole)} + ${typeText("u32", e.lanes)}(1u))`);
    return as(`-${at(0, Tightness.whole)}`, Tightness.unary);
  }

  private binary(e: Binary, same: boolean, at: At, as: As): Text {
    const { fn, type, lanes, y } = e;
    const float = type === "f32";
    switch (fn) {
      case "min":
      case "max":
        return as(float ? this.extremum(e, at) : `${fn}(${at(0)}, ${at(1)})`);
      case "add":
        if (type === "i32" && y.op === "const" && y.value < 0 && y.value > -2147483648)
          return as(
            `${at(0, Tightness.sum)} - ${this.constants.literal({ ...y, value: -y.value })}`,
            Tightness.sum,
          );
        return as(`${at(0, Tightness.sum)} + ${at(1, Tightness.product)}`, Tightness.sum);
      case "mul":
        return as(`${at(0, Tightness.product)} * ${at(1, Tightness.unary)}`, Tightness.product);
      case "sub": {
        // x - x is folded to 0, which it is not for NaN and the infinities.
        const right = float && same ? this.constants.hidden(at(1), lanes) : at(1, Tightness.product);
        return as(`${at(0, Tightness.sum)} - ${right}`, Tightness.sum);
      }
      case "div":
        return as(
          `${at(0, Tightness.product)} / ${this.divisor(float, same, lanes, y, at)}`,
          Tightness.product,
        );
      case "rem":
        return as(
          `${at(0, Tightness.product)} % ${this.divisor(false, false, lanes, y, at)}`,
          Tightness.product,
        );
      case "shl":
      case "shr":
        return as(`${at(0, Tightness.whole)} ${infix[fn]} ${this.places(y, lanes, at)}`, Tightness.loose);
      case "xor":
        return as(
          `${at(0, Tightness.whole)} ${type === "bool" ? "!=" : "^"} ${at(1, Tightness.whole)}`,
          Tightness.loose,
        );
      default:
        return as(`${at(0, Tightness.whole)} ${infix[fn]} ${at(1, Tightness.whole)}`, Tightness.loose);
    }
  }

  /** A float divisor that is constant must not become a factor, except where that is exact; an integer one must not be 0. */
  private divisor(float: boolean, same: boolean, lanes: Lanes, y: Expr, at: At): string {
    if (y.op === "const" && (float ? !isPowerOfTwo(y.value) : y.value === 0)) return this.constants.opaque(y);
    return float && same ? this.constants.hidden(at(1), lanes) : at(1, Tightness.unary);
  }

  private places(y: Expr, lanes: Lanes, at: At): string {
    if (y.op !== "const") return `${typeText("u32", lanes)}(${at(1)})`;
    return this.constants.literal({ ...y, type: "u32", value: y.value & 31 });
  }

  /**
   * The smaller or larger one, NaN if either is, with -0 below 0. Beside a constant one comparison does it: it picks the
   * constant where that is the answer, else the other operand, which may be NaN.
   */
  private extremum(e: Binary, at: At): string {
    const { fn, lanes, x, y } = e;
    const c = boundOf(e);
    if (c === undefined)
      return `${this.helpers.use(fn === "min" ? "min_float" : "max_float", lanes)}(${at(0)}, ${at(1)})`;
    const bound = (c === 1 ? y : x) as Const;
    const other = at(1 - c);
    // Of two zeros max takes 0 and min takes -0.
    const takesTie = Object.is(bound.value, fn === "max" ? 0 : -0);
    const operator = `${fn === "max" ? "<" : ">"}${takesTie ? "=" : ""}`;
    const left = at(1 - c, Tightness.sum);
    return `select(${other}, ${at(c)}, ${left} ${operator} ${this.constants.literal(bound)})`;
  }

  private compare(e: Compare, same: boolean, at: At, as: As): Text {
    const { fn, x, y, lanes } = e;
    const side = (i: 0 | 1): string => {
      const c = i === 0 ? x : y;
      const isLiteral = c.op === "const" && !(i === 0 && y.op === "const");
      return isLiteral ? this.constants.literal(c) : at(i, Tightness.sum);
    };
    if (x.type === "bool")
      return as(boolComparison[fn](at(0, Tightness.whole), at(1, Tightness.whole)), Tightness.comparison);
    if (x.type === "f32" && same && (fn === "eq" || fn === "ne")) {
      const isNaN = `${this.helpers.use("is_nan", lanes)}(${at(0)})`;
      return as(fn === "ne" ? isNaN : `!${isNaN}`, fn === "ne" ? Tightness.whole : Tightness.unary);
    }
    // `!=` of floats is false for NaN on some devices.
    if (x.type === "f32" && fn === "ne") return as(`!(${side(0)} == ${side(1)})`, Tightness.unary);
    return as(`${side(0)} ${comparison[fn]} ${side(1)}`, Tightness.comparison);
  }

  private cast({ x, type, lanes }: Cast, text: string, tight: () => string): string {
    if (type === "bool") {
      const zero = this.constants.literal({ op: "const", type: x.type, lanes, value: 0 });
      return `(${x.type === "f32" ? `!(${tight()} == ${zero})` : `${tight()} != ${zero}`})`;
    }
    if (x.type === "f32" && type !== "f32")
      return `${this.helpers.use(type === "i32" ? "to_i32" : "to_u32", lanes)}(${text})`;
    const isLarge = x.type === "u32" && !(x.op === "load" && x.buffer.dtype === "uint8");
    if (type === "f32" && isLarge) return `${this.helpers.use("from_u32", lanes)}(${text})`;
    return `${typeText(type, lanes)}(${text})`;
  }
}

/** The text of an operand, with parentheses if it holds together less tightly than asked for. */
type At = (i: number, tightness?: number) => string;
type As = (text: string, tightness?: number) => Text;

/** A minimum or maximum with a constant: printed as one comparison, in which the other operand stands twice. */
const boundOf = (e: Expr): 0 | 1 | undefined => {
  if (e.op !== "binary" || e.type !== "f32" || (e.fn !== "min" && e.fn !== "max")) return undefined;
  const usable = (c: Expr): boolean => c.op === "const" && !Number.isNaN(c.value);
  return usable(e.y) ? 1 : usable(e.x) ? 0 : undefined;
};

/** The operands that stand in the text of an operation, as often as they do. */
function textsIn(e: Expr): readonly Expr[] {
  const bound = boundOf(e);
  const children = childrenOf(e);
  return bound === undefined ? children : [...children, children[1 - bound]];
}

const isPowerOfTwo = (value: number): boolean => {
  const exponent = Math.log2(Math.abs(value));
  return Number.isInteger(exponent) && Math.abs(exponent) < 126;
};

const boolComparison: Record<CompareOp, (x: string, y: string) => string> = {
  eq: (x, y) => `${x} == ${y}`,
  ne: (x, y) => `${x} != ${y}`,
  lt: (x, y) => `!${x} & ${y}`,
  le: (x, y) => `!${x} | ${y}`,
  gt: (x, y) => `${x} & !${y}`,
  ge: (x, y) => `${x} | !${y}`,
};
