/** How dotGeneral is compiled: as a batch of matrix products, whatever the order of the axes. */
import { type Aval, type Shape, sizeOf } from "../core/aval.js";
import { type DType, isFloat } from "../core/dtype.js";
import { unravel } from "../core/ir/affine.js";
import type { KernelContext, KernelsRule, Target } from "../core/ir/lower.js";
import { cast } from "../core/ir/ops.js";
import { type ScalarType, scalarTypeOf } from "../core/ir/types.js";
import type { Params } from "../core/primitive.js";
import { layoutOf, operandSide, type Product, type Roles, storageOf, turned } from "./product.js";
import { planOnGrid, productOnGrid } from "./productGrid.js";
import { eachSum, spelledOut } from "./productLoops.js";
import { type Plan, type ProductShape, planProduct, type SideShape } from "./productPlan.js";
import { productAlong, productThin } from "./productThin.js";
import { productAcross } from "./productTiles.js";

/** The roles of the axes of an operand, from the params of the equation. */
export type RolesOf = (operand: Aval, params: Params, i: 0 | 1) => Roles;

const lengths = (shape: Shape, axes: readonly number[]): number[] => axes.map((a) => shape[a]);

/** The type in which products are added up: double precision only where it is asked for, or costs nothing. */
function sumType(input: Aval, output: Aval, target: Target): ScalarType {
  if (isFloat(input.dtype)) return [input, output].some((a) => a.dtype === "float64") ? "f64" : "f32";
  if (isFloat(output.dtype)) return target === "wasm" ? "f64" : "f32";
  return scalarTypeOf(input.dtype);
}

interface Shapes {
  readonly inputs: readonly Aval[];
  readonly outputs: readonly Aval[];
  readonly target: Target;
}

/** What there is to know before there are buffers. */
function shapeOf({ inputs, outputs, target }: Shapes, roles: readonly Roles[]): ProductShape {
  const type = sumType(inputs[0], outputs[0], target);
  // The GPU converts what it loads; on the CPU it is better converted once.
  const fits = (dtype: DType): boolean =>
    target === "webgpu" ? scalarTypeOf(dtype) === type : dtype === storageOf(type);
  const [x, y] = inputs.map(
    ({ shape, dtype }, i): SideShape => ({
      rows: sizeOf(lengths(shape, roles[i].free)),
      stored: layoutOf(shape, roles[i]),
      layout: fits(dtype) ? layoutOf(shape, roles[i]) : undefined,
    }),
  );
  const { shape } = inputs[0];
  return {
    batch: sizeOf(lengths(shape, roles[0].batch)),
    terms: sizeOf(lengths(shape, roles[0].contracting)),
    x,
    y,
    type,
  };
}

/** How often each element of an operand is read, as far as the compiler has to know: often is 4. */
const timesRead = (rows: number): number => Math.max(1, Math.min(4, rows));

export const lowerDot = (rolesOf: RolesOf): KernelsRule => ({
  kind: "kernels",
  fusesConsumers: true,
  reads: (shapes, params) => {
    const { inputs, target } = shapes;
    const roles = inputs.map((a, i) => rolesOf(a, params, i as 0 | 1));
    const rows = inputs.map(({ shape }, i) => sizeOf(lengths(shape, roles[i].free)));
    const often = [timesRead(rows[1]), timesRead(rows[0])];
    const shape = shapeOf(shapes, roles);
    const { form, direct } = target === "webgpu" ? planOnGrid(shape) : planProduct(shape);
    const once = form === "across" || form === "along" || form === "thin";
    return direct.map((isDirect, i) => (isDirect ? "buffer" : once ? 1 : often[i]));
  },
  build: (ctx, params) => {
    if (sizeOf(ctx.outputs[0].shape) === 0) return;
    const roles = ctx.inputs.map((a, i) => rolesOf(a, params, i as 0 | 1));
    const shape = shapeOf(ctx, roles);
    if (ctx.target === "wasm") return buildPlanned(ctx, roles, planProduct(shape));
    const plan = planOnGrid(shape);
    productOnGrid(ctx, productOf(ctx, roles, plan.direct), plan);
  },
});

function buildPlanned(ctx: KernelContext, roles: readonly Roles[], plan: Plan): void {
  const given = productOf(ctx, roles, plan.direct);
  const p = plan.turned ? turned(given) : given;
  if (plan.form === "each") eachSum(ctx, p);
  else if (plan.form === "spelledOut") spelledOut(ctx, p);
  else if (plan.form === "thin") productThin(ctx, p);
  else if (plan.form === "across") productAcross(ctx, p, plan);
  else if (plan.form === "along") productAlong(ctx, p);
}

function productOf(ctx: KernelContext, roles: readonly Roles[], direct: readonly boolean[]): Product {
  const [out] = ctx.outputs;
  const type = sumType(ctx.inputs[0], out, ctx.target);
  const side = (i: 0 | 1) =>
    operandSide(
      ctx.inputs[i].shape,
      roles[i],
      type,
      (index) => ctx.element(i, index),
      direct[i] ? ctx.input(i) : undefined,
    );
  const batchShape = lengths(ctx.inputs[0].shape, roles[0].batch);
  const freeShapes = roles.map(({ free }, i) => lengths(ctx.inputs[i].shape, free));
  return {
    name: "dot",
    batch: sizeOf(batchShape),
    terms: sizeOf(lengths(ctx.inputs[0].shape, roles[0].contracting)),
    x: side(0),
    y: side(1),
    type,
    write: (b, i, j, sum) =>
      ctx.write(
        0,
        [...unravel(b, batchShape), ...unravel(i, freeShapes[0]), ...unravel(j, freeShapes[1])],
        cast(scalarTypeOf(out.dtype), sum),
      ),
  };
}
