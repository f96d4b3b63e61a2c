/**
 * Random nests of loops as fused elementwise operations and reductions are: a full index space, operands that are
 * transposed, broadcast or padded, reductions of the last axes. Sums are exact, whatever the order they are added up in.
 */
import fc from "fast-check";
import { nested } from "../../../src/compiler/emitRange.js";
import { kernelText } from "../../../src/compiler/text.js";
import { inBounds, indexAdd, ravel, unravel } from "../../../src/core/ir/affine.js";
import * as ir from "../../../src/core/ir/ops.js";
import { type Expr, Local, type Stmt } from "../../../src/core/ir/types.js";
import { type Cell, cell, rangeKernel } from "./kernels.js";
import type { RandomKernel } from "./randomKernel.js";

const { get } = ir;

interface Plan {
  readonly dims: readonly number[];
  readonly reduced: number;
  readonly dtype: "float32" | "float64" | "int32";
  readonly operands: readonly Operand[];
  readonly fn: "add" | "max" | "min";
}

interface Operand {
  /** Order of the axes in memory. */
  readonly order: readonly number[];
  /** Axes that it has. */
  readonly kept: readonly boolean[];
  /** Shift along the last axis; what falls out is 0. */
  readonly shift: number;
  readonly dtype: "float32" | "float64" | "int32" | "bool" | "uint8";
  /** Through an index in memory, along the axis that changes fastest. */
  readonly gathered: boolean;
  /** Its index made from the position in the whole space, as a reshape does. */
  readonly reshaped: boolean;
}

const product = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);

const operandOf = (rank: number): fc.Arbitrary<Operand> =>
  fc.record({
    order: fc.shuffledSubarray([...Array(rank).keys()], { minLength: rank, maxLength: rank }),
    kept: fc.array(fc.boolean(), { minLength: rank, maxLength: rank }),
    shift: fc.constantFrom(0, 0, 0, -1, 2),
    dtype: fc.constantFrom("float32", "float32", "float64", "int32", "bool", "uint8"),
    gathered: fc.integer({ min: 0, max: 5 }).map((k) => k === 0),
    reshaped: fc.boolean(),
  });

const plan: fc.Arbitrary<Plan> = fc
  .array(fc.constantFrom(1, 2, 3, 4, 5, 8, 17, 40), { minLength: 1, maxLength: 4 })
  .filter((dims) => product(dims) <= 4000)
  .chain((dims) =>
    fc.record({
      dims: fc.constant(dims),
      reduced: fc.integer({ min: 0, max: dims.length - 1 }),
      dtype: fc.constantFrom("float32", "float32", "float64", "int32"),
      operands: fc.array(operandOf(dims.length), { minLength: 1, maxLength: 3 }),
      fn: fc.constantFrom("add", "max", "min"),
    }),
  );

/** Nests of loops over 1 to 4 axes. */
export const randomNest: fc.Arbitrary<RandomKernel> = plan.map(build);

function build({ dims, reduced, dtype, operands, fn }: Plan): RandomKernel {
  const size = product(dims);
  const outerDims = dims.slice(0, dims.length - reduced);
  const out = cell("out", dtype, product(outerDims));
  const full = cell("full", dtype, size);
  const jump = cell(
    "jump",
    "int32",
    Array.from({ length: size }, (_, k) => (k * 7) % size),
  );
  const inputs = operands.map((o, i) =>
    cell(
      `x${i}`,
      o.dtype,
      Array.from({ length: size }, (_, k) =>
        o.dtype === "bool" ? k % 2 : ((k * 31 + i) % 17) - (o.dtype === "uint8" ? 0 : 8),
      ),
    ),
  );
  const type = { float32: "f32", float64: "f64", int32: "i32" } as const;
  const counters = dims.map((n, k) => new Local(`i${k}`, "i32", 1, false, n));
  const index = counters.map(get);

  const read = (o: Operand, input: Cell): Expr => {
    const at = o.reshaped ? unravel(ravel(index, dims), dims) : [...index];
    let guard: Expr | undefined;
    if (o.shift !== 0) {
      const last = dims.length - 1;
      at[last] = indexAdd(at[last], o.shift);
      guard = inBounds(at[last], dims[last]);
    }
    const shape = o.order.map((axis) => (o.kept[axis] ? dims[axis] : 1));
    let flat = ravel(
      o.order.map((axis) => at[axis]),
      shape,
    );
    if (o.gathered) flat = ir.load(jump.buffer, flat, guard);
    return ir.cast(type[dtype], ir.load(input.buffer, flat, guard));
  };
  const value = operands
    .map((o, i) => read(o, inputs[i]))
    .reduce((a, b, i) => (i % 2 === 0 ? ir.mul(a, b) : ir.add(a, b)));

  const cells = [out, full, jump, ...inputs];
  const body: Stmt[] = [];
  const outer = counters.slice(0, outerDims.length);
  if (reduced === 0) body.push(ir.store(full.buffer, ravel(index, dims), ir.add(value, value)));
  else {
    const acc = new Local("acc", type[dtype], 1, true);
    body.push(
      ir.letIn(acc, ir.constant(type[dtype], fn === "add" ? 1 : 0)),
      ...nested(counters.slice(outerDims.length), [
        ir.assign(acc, ir.binary(fn, get(acc), value)),
        ir.store(full.buffer, ravel(index, dims), value),
      ]),
      ir.store(out.buffer, ravel(outer.map(get), outerDims), get(acc)),
    );
  }
  const [first, ...others] = outer;
  const kernel = rangeKernel(
    first.bound as number,
    cells.map((c) => c.buffer),
    (begin, end) => [
      { kind: "for", local: first, from: begin, to: end, step: 1, body: nested(others, body) },
    ],
  );
  return { kernel, cells, [fc.toStringMethod]: () => kernelText(kernel) };
}
