/** Which products are what operations on matrices of a GPU compute: operands as they lie in memory, and a plain result. */
import { intervalOf } from "../core/ir/affine.js";
import type { KernelContext } from "../core/ir/lower.js";
import { type MatrixProduct, type Steps, unitsFill } from "../core/ir/matrix.js";
import { i32, isConst } from "../core/ir/ops.js";
import type { MatrixUnit } from "../core/ir/tiling.js";
import type { Buffer, Expr } from "../core/ir/types.js";
import type { Product, Side } from "./product.js";

/** The product for one of the units that the device is to use; undefined if none fits. */
export function matrixProduct(ctx: KernelContext, p: Product): MatrixProduct | undefined {
  const { batch, terms, x, y } = p;
  const unit = (ctx.limits.tiling.matrices ?? []).find(
    (u) => isOf(u, x) && isOf(u, y) && unitsFill(u, x.rows, y.rows, terms),
  );
  if (unit === undefined || p.type !== "f32") return undefined;
  const [own, other] = [stepsOf(x, batch, terms), stepsOf(y, batch, terms)];
  const out = plainOutput(p);
  if (own === undefined || other === undefined || out === undefined) return undefined;
  return {
    unit,
    batch,
    rows: x.rows,
    columns: y.rows,
    terms,
    x: { buffer: own.buffer, steps: own.steps },
    y: { buffer: other.buffer, steps: { ...other.steps, row: other.steps.column, column: other.steps.row } },
    out,
  };
}

const isOf = ({ type }: MatrixUnit, { direct }: Side): boolean =>
  direct?.buffer.dtype === (type === "f16" ? "float16" : "float32");

const valueOf = (e: Expr): number | undefined => {
  if (isConst(e)) return e.value;
  const { low, high } = intervalOf(e);
  return low === high ? low : undefined;
};

/** Steps of a side whose elements are evenly spaced, rows of the side as rows. */
function stepsOf(
  { direct, rows }: Side,
  batch: number,
  terms: number,
): { buffer: Buffer; steps: Steps } | undefined {
  if (direct?.rowStep === undefined || direct.termStep === undefined) return undefined;
  const at = (b: number): number | undefined => valueOf(direct.place(i32(b), i32(0), i32(0)));
  const step = batch === 1 ? rows * terms : at(1);
  for (let b = 0; b < batch; b++) if (step === undefined || at(b) !== b * step) return undefined;
  const { rowStep: row, termStep: column, buffer } = direct;
  return row !== 1 && column !== 1 ? undefined : { buffer, steps: { batch: step as number, row, column } };
}

/** The buffer of the result, if each sum is stored there and nothing else is done with it. */
function plainOutput({ batch, x, y, write }: Product): Buffer | undefined {
  const corners = [
    [0, 0, 0],
    [batch - 1, 0, 0],
    [0, x.rows - 1, 0],
    [0, 0, y.rows - 1],
    [batch - 1, x.rows - 1, y.rows - 1],
  ];
  let out: Buffer | undefined;
  for (const [b, i, j] of corners) {
    const stmts = write(i32(b), i32(i), i32(j), { op: "const", type: "f32", lanes: 1, value: 0 });
    const last = stmts.at(-1);
    if (stmts.length !== 2 || last?.kind !== "store" || last.value.op !== "get") return undefined;
    if (valueOf(last.index) !== (b * x.rows + i) * y.rows + j) return undefined;
    if (last.buffer.size !== batch * x.rows * y.rows || (out !== undefined && out !== last.buffer))
      return undefined;
    out = last.buffer;
  }
  return out?.dtype === "float32" || out?.dtype === "float16" ? out : undefined;
}
