/** The error function, its complement and its inverse. */
import { abs, add, div, eq, gt, lt, mul, nearest, select, sqrt, sub } from "../ops.js";
import type { Expr } from "../types.js";
import { expOfNegative, ln2, shortExpm1 } from "./exponential.js";
import { copySign, f32, infinity, nan, polynomial, scaleByWhole, withSign } from "./floats.js";
import { log } from "./logarithm.js";
import { head } from "./pairs.js";

/** erf x = x + x p(x²) on [0, 1]. */
const near = [
  0.12837917, -0.3761263, 0.112836316, -0.026856495, 0.0051957997, -8.1177766e-4, 8.625465e-5, -2.1809794e-6,
];

/** log erfc x as a polynomial in x - 2 on [1, 4]. */
const logarithm = [
  -5.364941, -4.41816, -0.9237546, -0.016488053, 0.0035573286, -6.6050683e-4, 2.3873377e-4, -3.029542e-5,
  -7.814869e-5, -3.344478e-5,
];

const nearZero = (x: Expr): Expr => add(x, mul(x, polynomial(mul(x, x), near)));

/** The error function, within 1.5 ULP. */
export function erf(x: Expr): Expr {
  const m = abs(x);
  // Beyond 4 it is 1.
  const tail = expOfNegative(polynomial(sub(select(gt(m, 4), 4, m), 2), logarithm));
  return withSign(select(lt(m, 1), nearZero(m), sub(f32(1), tail)), x);
}

/** (1 + 2x)·e^(x²)·erfc x as a polynomial in (x - 2)/(x + 2), for x from 0.46 to 10.5. */
const scaled = [
  1.2769784, -0.092763826, -0.1660295, 0.16405115, -0.054236308, -0.008030151, 0.008826362, 0.0012371911,
  -0.0017257564, -3.362313e-4, 4.4803004e-4,
];

/** erfc x for x >= 0.46: e^(-x²) times a smooth function. */
function tailOf(x: Expr): Expr {
  const m = select(gt(x, 10.5), 10.5, x);
  const p = polynomial(div(sub(m, 2), add(m, 2)), scaled);
  // x² in two parts, of which the first is exact.
  const h = head(m);
  const hi = mul(h, h);
  const lo = mul(sub(m, h), add(m, h));
  const k = nearest(mul(add(hi, lo), -Math.LOG2E));
  const r = sub(sub(sub(f32(0), add(hi, mul(k, ln2.hi))), mul(k, ln2.lo)), lo);
  const value = div(add(p, mul(p, shortExpm1(r))), add(add(m, m), 1));
  return scaleByWhole(value, k);
}

/** 1 - erf x, within 3.5 ULP (quotient), also where it is tiny. */
export function erfc(x: Expr): Expr {
  const m = abs(x);
  const tail = tailOf(m);
  return select(lt(m, 0.5), sub(f32(1), nearZero(x)), select(lt(x, 0), sub(f32(2), tail), tail));
}

/** erfInv x = x + x p(w - 2.5), w = -log(1 - x²), for w <= 5. */
const inverseNear = [
  0.50140935, 0.24664028, -0.004177368, -0.001252732, 2.1833263e-4, -4.968177e-6, -3.460073e-6, 4.670995e-7,
  2.3040077e-8, -8.852517e-9,
];

/** erfInv x = x p(√w - 3) for larger w. */
const inverseFar = [
  2.8329768, 1.0016752, 0.009444107, -0.0076430948, 0.00570165, -0.0035670055, 0.001416759, -1.0670385e-4,
  -1.752112e-4, 1.1644822e-4, -9.380631e-5, 3.8562044e-5,
];

/** The inverse of erf on (-1, 1), within 2 ULP: ±∞ at ±1, NaN beyond. The form is M. Giles' (GPU Computing Gems, 2011). */
export function erfInv(x: Expr): Expr {
  const m = abs(x);
  const w = sub(f32(0), log(mul(sub(f32(1), m), add(m, 1))));
  const isNear = lt(w, 5);
  const root = sqrt(select(isNear, f32(9), w));
  const close = add(m, mul(m, polynomial(sub(w, 2.5), inverseNear)));
  const far = mul(m, polynomial(sub(root, 3), inverseFar));
  const inside = select(isNear, close, far);
  return copySign(select(lt(m, 1), inside, select(eq(m, 1), infinity, nan)), x);
}
