/** Numbers with exponents of their own, in kernels: products of many neither overflow nor vanish on the way. */
import {
  abs,
  add,
  and,
  assign,
  bitcast,
  div,
  ge,
  get,
  gt,
  i32,
  letIn,
  loopWhile,
  lt,
  mul,
  ne,
  sub,
} from "../core/ir/ops.js";
import { type Expr, Local, type ScalarType, type Stmt } from "../core/ir/types.js";

/** A variable that is assigned to. */
export const cell = (name: string, type: ScalarType): Local => new Local(name, type, 1, true);

/** Whether a float is neither infinite nor NaN; told by its bits, as shader compilers assume that all are. */
export const isFinite = (x: Expr): Expr =>
  x.type === "f64" ? lt(abs(x), Infinity) : lt(bitcast("i32", abs(x)), 0x7f800000);

/** A number m · step^e, with |m| from 1/√step up to √step. */
export class ScaledCell {
  readonly m: Local;
  readonly e = cell("exponent", "i32");
  private readonly step: number;
  private readonly high: number;

  constructor(name: string, type: ScalarType) {
    this.m = cell(name, type);
    this.step = type === "f64" ? 2 ** 512 : 2 ** 64;
    this.high = Math.sqrt(this.step);
  }

  declare(m: Expr, e: Expr = i32(0)): Stmt[] {
    return [letIn(this.m, m), letIn(this.e, e), ...this.settle()];
  }

  /** Brings m back to where it belongs. */
  private settle(): Stmt[] {
    const { m, e, step, high } = this;
    const size = abs(get(m));
    return [
      loopWhile(and(ge(size, high), isFinite(get(m))), [
        assign(m, div(get(m), step)),
        assign(e, add(get(e), 1)),
      ]),
      loopWhile(and(lt(size, 1 / high), ne(get(m), 0)), [
        assign(m, mul(get(m), step)),
        assign(e, sub(get(e), 1)),
      ]),
    ];
  }

  times(other: ScaledCell): Stmt[] {
    return [
      assign(this.m, mul(get(this.m), get(other.m))),
      assign(this.e, add(get(this.e), get(other.e))),
      ...this.settle(),
    ];
  }

  /** Makes m the number itself: infinite or zero only if that is out of range. */
  unscale(): Stmt[] {
    const { m, e, step } = this;
    return [
      loopWhile(and(gt(get(e), 0), and(isFinite(get(m)), ne(get(m), 0))), [
        assign(m, mul(get(m), step)),
        assign(e, sub(get(e), 1)),
      ]),
      loopWhile(and(lt(get(e), 0), ne(get(m), 0)), [assign(m, div(get(m), step)), assign(e, add(get(e), 1))]),
    ];
  }
}
