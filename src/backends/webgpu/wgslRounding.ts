/**
 * Arithmetic that compilers of shaders change. They may take it for that of real numbers: SPIRV-Tools makes (x - y) + y to
 * x, (x + 1) - 2 to x - 1 and x·y + x·z to x·(y + z). What rounding does to such expressions is what programs use them
 * for, so that one operand has to be hidden there.
 */
import { sameExpr } from "../../core/ir/affine.js";
import type { Binary, BinaryOp, Expr } from "../../core/ir/types.js";

const isOne = (e: Expr, ...fns: readonly BinaryOp[]): e is Binary => e.op === "binary" && fns.includes(e.fn);

const hasConstant = ({ x, y }: Binary): boolean => x.op === "const" || y.op === "const";

/**
 * Which operand of an operation on floats must be hidden from the compiler, if one must.
 *
 * @param meaning what an operand stands for: for the name of an expression that expression.
 */
export function operandToHide(e: Binary, meaning: (e: Expr) => Expr): 0 | 1 | undefined {
  const operands = [meaning(e.x), meaning(e.y)];
  const same = (x: Expr, y: Expr): boolean => sameExpr(meaning(x), meaning(y));
  for (const i of [0, 1] as const) {
    const [inner, other] = [operands[i], operands[1 - i]];
    const joinsConstants = (...fns: readonly BinaryOp[]): boolean =>
      other.op === "const" && isOne(inner, ...fns) && hasConstant(inner);
    if (isOne(e, "add", "sub")) {
      if (joinsConstants("add", "sub")) return i === 0 ? 1 : 0;
      if (isOne(inner, "add", "sub") && (same(inner.x, other) || same(inner.y, other))) return i;
      if (
        isOne(inner, "mul") &&
        isOne(other, "mul") &&
        [inner.x, inner.y].some((f) => same(f, other.x) || same(f, other.y))
      )
        return i;
    } else {
      if (joinsConstants("mul", "div")) return i === 0 ? 1 : 0;
      if (isOne(e, "mul") && isOne(inner, "div") && same(inner.y, other)) return i;
      if (isOne(e, "div") && isOne(inner, "mul") && (same(inner.x, other) || same(inner.y, other))) return i;
    }
  }
  return undefined;
}
