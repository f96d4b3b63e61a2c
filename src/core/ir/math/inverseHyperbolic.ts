/** Inverse hyperbolic functions. */
import { abs, add, div, eq, gt, i32, lt, mul, select, sqrt, sub } from "../ops.js";
import type { Expr } from "../types.js";
import { copySign, f32, infinity, isFinite, nan, polynomial, split } from "./floats.js";
import { oddSeries } from "./hyperbolic.js";
import { logOfPositive, logOfSplit } from "./logarithm.js";
import { head, longHead, pairOf, remainderOf } from "./pairs.js";

const inverseSine = [-0.16666643, 0.074986406, -0.044382952, 0.028160976, -0.013223205];
const inverseCosine = [
  -0.083333336, 0.018750088, -0.005581369, 0.0019037977, -0.0007084448, 0.0002675078, -7.183212e-5,
];
const inverseTangent = [0.33333302, 0.20002453, 0.14223784, 0.11816409, 0.05160319, 0.17638044];

/** log(x + √(x² + one)) for x >= ½ and `one` 1 or -1. The root and the sum are corrected by what rounding took from them. */
function logOfSum(x: Expr, one: 1 | -1): Expr {
  // Beyond 2^14 the root is x.
  const isLarge = gt(x, 2 ** 14);
  const v = select(isLarge, f32(1), x);
  const { hi, lo } = pairOf(v);
  const root = sqrt(add(mul(v, v), one));
  const rootHead = head(root);
  const squares = add(sub(mul(hi, hi), mul(rootHead, rootHead)), one);
  const small = sub(mul(lo, add(v, hi)), mul(sub(root, rootHead), add(root, rootHead)));
  const lost = div(add(squares, small), add(root, root));
  const sum = longHead(add(v, root));
  const rest = div(add(add(sub(root, sum), v), lost), sum);
  const { m, k } = split(select(isLarge, x, sum));
  return logOfSplit({ m, k: add(k, select(isLarge, i32(1), 0)) }, select(isLarge, f32(0), rest));
}

/** The inverse of sinh, within 1.5 ULP. */
export function asinh(x: Expr): Expr {
  const m = abs(x);
  const far = select(isFinite(m), logOfSum(m, 1), m);
  return copySign(select(lt(m, 0.5), oddSeries(m, inverseSine), far), x);
}

/** The inverse of cosh on [1, ∞), within 1.5 ULP; NaN below 1. */
export function acosh(x: Expr): Expr {
  const t = sub(x, 1);
  const root = sqrt(add(t, t));
  const near = add(root, mul(root, mul(t, polynomial(t, inverseCosine))));
  const value = select(lt(x, 1.5), near, select(isFinite(x), logOfSum(x, -1), x));
  return select(lt(x, 1), nan, value);
}

/** The inverse of tanh, within 1 ULP: infinite at ±1, NaN outside of [-1, 1]. */
export function atanh(x: Expr): Expr {
  const m = abs(x);
  // Half of the logarithm of (1 + m)/(1 - m), of which the divisor is exact.
  const n = longHead(add(m, 1));
  const d = sub(f32(1), m);
  const q = div(n, d);
  const lost = add(remainderOf(n, pairOf(q), pairOf(d)), add(sub(f32(1), n), m));
  const value = mul(logOfPositive(q, div(lost, n)), 0.5);
  const far = select(lt(m, 1), value, select(eq(m, 1), infinity, nan));
  return copySign(select(lt(m, 0.5), oddSeries(m, inverseTangent), far), x);
}
