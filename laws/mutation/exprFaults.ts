/**
 * Faults in expressions of the kernel IR: a node of the graph is replaced by another of its type. Nodes are counted from
 * the leaves up, so that the same rule on the same operands has the same places in every run.
 */
import { binary, compare, constant, select, unary } from "../../src/core/ir/ops.js";
import type { BinaryOp, CompareOp, Expr, UnaryOp } from "../../src/core/ir/types.js";
import type { FaultKind } from "./fault.js";

export interface ExprFault {
  readonly kind: FaultKind;
  readonly id: string;
  readonly what: string;
  /** The node with new operands, spoiled. */
  readonly spoil: (e: Expr) => Expr;
}

const wrongBinary: Partial<Record<BinaryOp, BinaryOp>> = {
  add: "sub",
  sub: "add",
  mul: "add",
  div: "mul",
  min: "max",
  max: "min",
  and: "or",
  or: "and",
  xor: "or",
  shl: "shr",
  shr: "shl",
  rem: "div",
};

const ordered: readonly BinaryOp[] = ["sub", "div", "rem", "shl", "shr"];

const wrongUnary: Partial<Record<UnaryOp, UnaryOp>> = {
  floor: "ceil",
  ceil: "floor",
  trunc: "floor",
  nearest: "trunc",
  clz: "popcnt",
  popcnt: "clz",
  abs: "neg",
};

const opposite: Record<CompareOp, CompareOp> = { eq: "ne", ne: "eq", lt: "ge", ge: "lt", le: "gt", gt: "le" };
const neighbour: Partial<Record<CompareOp, CompareOp>> = { lt: "le", le: "lt", gt: "ge", ge: "gt" };

const isFloat = (e: Expr): boolean => e.type === "f32" || e.type === "f64";
const isInteger = (e: Expr): boolean => e.type === "i32" || e.type === "u32";

/** What can be wrong with one node. */
export function* nodeFaults(e: Expr): Generator<ExprFault> {
  const fault = (kind: FaultKind, id: string, what: string, spoil: (e: Expr) => Expr): ExprFault => ({
    kind,
    id,
    what,
    spoil,
  });
  switch (e.op) {
    case "const":
      if (e.type === "bool")
        yield fault("wrong mask", "not", `${1 - e.value} for ${e.value}`, () =>
          constant("bool", 1 - e.value, e.lanes),
        );
      else if (isInteger(e))
        yield fault("wrong constant", "+1", `${e.value + 1} for ${e.value}`, () =>
          constant(e.type, e.value + 1, e.lanes),
        );
      else if (Number.isFinite(e.value)) {
        const wrong = e.value === 0 ? 1 : e.value * 2;
        yield fault("wrong constant", "*2", `${wrong} for ${e.value}`, () =>
          constant(e.type, wrong, e.lanes),
        );
      } else if (!Number.isNaN(e.value))
        yield fault("wrong constant", "-", `${-e.value} for ${e.value}`, () =>
          constant(e.type, -e.value, e.lanes),
        );
      return;
    case "load":
      yield fault("wrong index", "+1", "the element after it", (x) =>
        x.op === "load" ? { ...x, index: binary("add", x.index, 1) } : x,
      );
      return;
    case "unary": {
      const other = wrongUnary[e.fn];
      if (e.fn === "neg" || e.fn === "not" || e.fn === "roundF16")
        yield fault(e.fn === "neg" ? "sign" : "wrong function", "drop", `no ${e.fn}`, (x) =>
          x.op === "unary" ? x.x : x,
        );
      else if (other !== undefined)
        yield fault("wrong function", other, `${other} for ${e.fn}`, (x) =>
          x.op === "unary" ? unary(other, x.x) : x,
        );
      else if (e.fn === "sqrt")
        yield fault("wrong function", "drop", "no sqrt", (x) => (x.op === "unary" ? x.x : x));
      return;
    }
    case "binary": {
      const other = wrongBinary[e.fn];

      if (other !== undefined)
        yield fault("wrong function", other, `${other} for ${e.fn}`, (x) =>
          x.op === "binary" ? binary(other, x.x, x.y) : x,
        );
      if (ordered.includes(e.fn))
        yield fault("swapped operands", "swap", `operands of ${e.fn} swapped`, (x) =>
          x.op === "binary" ? binary(x.fn, x.y, x.x) : x,
        );
      if (e.fn === "add" || e.fn === "sub" || e.fn === "mul")
        yield fault("dropped term", "drop", `${e.fn} without its second operand`, (x) =>
          x.op === "binary" ? x.x : x,
        );
      return;
    }
    case "compare": {
      const other = neighbour[e.fn];
      yield fault("wrong mask", opposite[e.fn], `${opposite[e.fn]} for ${e.fn}`, (x) =>
        x.op === "compare" ? compare(opposite[x.fn], x.x, x.y) : x,
      );
      if (other !== undefined && isInteger(e.x))
        yield fault("wrong mask", other, `${other} for ${e.fn}`, (x) =>
          x.op === "compare" ? compare(other, x.x, x.y) : x,
        );
      return;
    }
    case "select":
      yield fault("wrong mask", "swap", "the other of two", (x) =>
        x.op === "select" ? select(x.cond, x.onFalse, x.onTrue) : x,
      );
      return;
    case "host":
      if (e.args.length > 1)
        yield fault("swapped operands", "swap", `arguments of ${e.name} exchanged`, (x) =>
          x.op === "host" ? { ...x, args: [...x.args].reverse() } : x,
        );
      if (e.args.length > 0 && isFloat(e.args[0]))
        yield fault("wrong function", "shift", `${e.name} of another number`, (x) =>
          x.op === "host" ? { ...x, args: [binary("add", x.args[0], 0.5), ...x.args.slice(1)] } : x,
        );
      return;
    default:
      return;
  }
}

/** What can be wrong with a value as a whole. */
export function* valueFaults(e: Expr): Generator<ExprFault> {
  if (e.type === "bool")
    yield { kind: "wrong mask", id: "not", what: "negated", spoil: (x) => unary("not", x) };
  else if (isFloat(e))
    yield { kind: "sign", id: "neg", what: "with the other sign", spoil: (x) => unary("neg", x) };
  else yield { kind: "wrong index", id: "+1", what: "one too large", spoil: (x) => binary("add", x, 1) };
}
