/**
 * How det and cofactor are compiled: an item for each matrix, which works on a copy of it. The steps are those of
 * detEvaluate.ts, where their reasons are; on the GPU in single precision.
 */
import { sizeOf } from "../core/aval.js";
import type { KernelContext, KernelsRule } from "../core/ir/lower.js";
import {
  abs,
  add,
  and,
  assign,
  cast,
  constant,
  div,
  eq,
  get,
  gt,
  i32,
  letIn,
  loop,
  mul,
  ne,
  neg,
  not,
  select,
  sub,
  when,
} from "../core/ir/ops.js";
import { type Expr, Local, type Stmt, scalarTypeOf } from "../core/ir/types.js";
import type { Params } from "../core/primitive.js";
import { type Area, eachPair, Matrices } from "./detMemory.js";
import { cell, ScaledCell } from "./scaledCell.js";

/** A counting loop from a value that is not constant. */
const loopFrom = (name: string, from: Expr, to: number, body: (k: Expr) => readonly Stmt[]): Stmt => {
  const local = new Local(name, "i32", 1, false, to);
  return { kind: "for", local, from, to: i32(to), step: 1, body: body(get(local)) };
};

/** A counting loop up to a value that is not constant, and less than `bound`. */
const loopUpTo = (name: string, to: Expr, bound: number, body: (k: Expr) => readonly Stmt[]): Stmt => {
  const local = new Local(name, "i32", 1, false, bound);
  return { kind: "for", local, from: i32(0), to, step: 1, body: body(get(local)) };
};

interface Permutations {
  readonly rows: Area;
  readonly columns: Area;
}

/** Elimination in place. Complete pivoting if it is to note the permutations, which begin as they are. */
function eliminate(
  { n, type }: Matrices,
  a: Area,
  sign: Local,
  permutations: Permutations | undefined,
): Stmt[] {
  const step = (k: Expr): Stmt[] => {
    const [row, column] = [cell("row", "i32"), cell("column", "i32")];
    const best = cell("best", type);
    const pivot = new Local("pivot", type);
    const look = (i: Expr, j: Expr): Stmt =>
      when(gt(abs(a.get(i, j)), get(best)), [
        assign(best, abs(a.get(i, j))),
        assign(row, i),
        assign(column, j),
      ]);
    const changeSign = assign(sign, neg(get(sign)));
    return [
      letIn(row, k),
      letIn(column, k),
      letIn(best, abs(a.get(k, k))),
      loopFrom("i", k, n, (i) => [
        permutations === undefined ? look(i, k) : loopFrom("j", k, n, (j) => [look(i, j)]),
      ]),
      when(ne(get(row), k), [
        loop("j", 0, n, (j) => a.swap([k, j], [get(row), j])),
        ...(permutations?.rows.swap([k], [get(row)]) ?? []),
        changeSign,
      ]),
      when(ne(get(column), k), [
        loop("i", 0, n, (i) => a.swap([i, k], [i, get(column)])),
        ...(permutations?.columns.swap([k], [get(column)]) ?? []),
        changeSign,
      ]),
      letIn(pivot, a.get(k, k)),
      // What is below a pivot of zero is zero, too.
      when(ne(get(pivot), 0), [
        loopFrom("i", add(k, 1), n, (i) => {
          const factor = new Local("factor", type);
          return [
            letIn(factor, div(a.get(i, k), get(pivot))),
            a.set(get(factor), i, k),
            loopFrom("j", add(k, 1), n, (j) => [
              a.set(sub(a.get(i, j), mul(get(factor), a.get(k, j))), i, j),
            ]),
          ];
        }),
      ]),
    ];
  };
  return [letIn(sign, constant(type, 1)), loop("k", 0, n, step)];
}

export const lowerDet: KernelsRule<Params> = {
  kind: "kernels",
  fusesConsumers: true,
  reads: () => [1],
  build: (ctx) => {
    const m = new Matrices(ctx, { matrices: 1, lists: 0, wholeLists: 0 });
    const { n, count, type } = m;
    const own = scalarTypeOf(ctx.outputs[0].dtype);
    if (count === 0) return;
    ctx.parallel("det", count, (item) => {
      if (n === 0) return ctx.write(0, m.batch(item), constant(own, 1));
      const a = m.matrix(item, 0);
      const sign = cell("sign", type);
      const finite = cell("finite", "bool");
      const product = new ScaledCell("product", type);
      const zero = select(get(finite), constant(type, 0), constant(type, NaN));
      return [
        ...m.copy(item, a, finite),
        ...eliminate(m, a, sign, undefined),
        ...product.declare(get(sign)),
        loop("k", 0, n, (k) => {
          const factor = new ScaledCell("factor", type);
          return [...factor.declare(a.get(k, k)), ...product.times(factor)];
        }),
        ...product.unscale(),
        // Zero times what is not finite is NaN, but a pivot of zero is passed over before it meets that.
        ...ctx.write(0, m.batch(item), cast(own, select(eq(get(product.m), 0), zero, get(product.m)))),
      ];
    });
  },
};

export const lowerCofactor: KernelsRule<Params> = {
  kind: "kernels",
  fusesConsumers: true,
  reads: () => [1],
  build: (ctx) => {
    const { shape } = ctx.outputs[0];
    if (sizeOf(shape) === 0) return;
    if (shape[shape.length - 1] <= 2) smallCofactors(ctx);
    else largeCofactors(ctx);
  },
};

function smallCofactors(ctx: KernelContext): void {
  const m = new Matrices(ctx, { matrices: 0, lists: 0, wholeLists: 0 });
  const { n, count } = m;
  ctx.parallel("cofactor", count, (item) => {
    const write = (i: number, j: number, value: Expr): readonly Stmt[] =>
      ctx.write(0, [...m.batch(item), i32(i), i32(j)], value);
    if (n === 1) return write(0, 0, constant(scalarTypeOf(ctx.outputs[0].dtype), 1));
    const x = (i: number, j: number): Expr => m.element(item, i32(i), i32(j));
    // Differences, so that zero does not become -0.
    const minus = (e: Expr): Expr => sub(constant(e.type, 0), e);
    return [
      ...write(0, 0, x(1, 1)),
      ...write(0, 1, minus(x(1, 0))),
      ...write(1, 0, minus(x(0, 1))),
      ...write(1, 1, x(0, 0)),
    ];
  });
}

function largeCofactors(ctx: KernelContext): void {
  const m = new Matrices(ctx, { matrices: 5, lists: 1, wholeLists: 3 });
  const { n, count, type } = m;
  const own = scalarTypeOf(ctx.outputs[0].dtype);
  ctx.parallel("cofactor", count, (item) => {
    const [a, left, right, sums, result] = [0, 1, 2, 3, 4].map((number) => m.matrix(item, number));
    const [rows, columns, exponents] = [0, 1, 2].map((number) => m.wholeList(item, number));
    const others = m.list(item, 0);
    const finite = cell("finite", "bool");
    const sign = cell("sign", type);
    /** The inverse of a lower triangular matrix with ones on the diagonal. */
    const invert = (to: Area, below: (i: Expr, k: Expr) => Expr): Stmt =>
      loop("i", 0, n, (i) => [
        loop("j", 0, n, (j) => [to.set(select(eq(i, j), constant(type, 1), constant(type, 0)), i, j)]),
        loopUpTo("k", i, n, (k) => {
          const factor = new Local("factor", type);
          return [
            letIn(factor, below(i, k)),
            loopUpTo("j", add(k, 1), n, (j) => [
              to.set(sub(to.get(i, j), mul(get(factor), to.get(k, j))), i, j),
            ]),
          ];
        }),
      ]);
    const counts = (k: Expr, exponent: Expr): Expr =>
      and(ne(others.get(k), 0), eq(exponents.get(k), exponent));
    /** Adds the products of one size, if k is the first of them. */
    const addProducts = (k: Expr): Stmt[] => {
      const exponent = new Local("exponent", "i32");
      const isFirst = cell("isFirst", "bool");
      return [
        letIn(exponent, exponents.get(k)),
        letIn(isFirst, ne(others.get(k), 0)),
        loopUpTo("before", k, n, (b) => [assign(isFirst, and(get(isFirst), not(counts(b, get(exponent)))))]),
        when(get(isFirst), [
          eachPair(n, (i, j) => [sums.set(constant(type, 0), i, j)]),
          loop("l", 0, n, (l) => [
            when(counts(l, get(exponent)), [
              loopUpTo("i", add(l, 1), n, (i) => {
                const factor = new Local("factor", type);
                return [
                  letIn(factor, mul(mul(get(sign), others.get(l)), left.get(l, i))),
                  loopUpTo("j", add(l, 1), n, (j) => [
                    sums.set(add(sums.get(i, j), mul(get(factor), right.get(l, j))), i, j),
                  ]),
                ];
              }),
            ]),
          ]),
          eachPair(n, (i, j) => {
            const sum = new ScaledCell("sum", type);
            const [row, column] = [
              new Local("row", "i32", 1, false, n),
              new Local("column", "i32", 1, false, n),
            ];
            return [
              letIn(sum.m, sums.get(i, j)),
              letIn(sum.e, get(exponent)),
              ...sum.unscale(),
              letIn(row, rows.get(i)),
              letIn(column, columns.get(j)),
              result.set(add(result.get(get(row), get(column)), get(sum.m)), get(row), get(column)),
            ];
          }),
        ]),
      ];
    };
    const product = new ScaledCell("product", type);
    const after = new ScaledCell("after", type);
    const pivot = (k: Expr): { factor: ScaledCell; stmts: Stmt[] } => {
      const factor = new ScaledCell("factor", type);
      return { factor, stmts: factor.declare(a.get(k, k)) };
    };
    return [
      ...m.copy(item, a, finite),
      loop("k", 0, n, (k) => [rows.set(k, k), columns.set(k, k)]),
      ...eliminate(m, a, sign, { rows, columns }),
      // For each pivot the product of all the others: of those before it, then times those after it.
      ...product.declare(constant(type, 1)),
      loop("k", 0, n, (k) => {
        const { factor, stmts } = pivot(k);
        return [
          others.set(get(product.m), k),
          exponents.set(get(product.e), k),
          ...stmts,
          ...product.times(factor),
        ];
      }),
      ...after.declare(constant(type, 1)),
      loop("reverse", 0, n, (r) => {
        const k = sub(i32(n - 1), r);
        const { factor, stmts } = pivot(k);
        const other = new ScaledCell("other", type);
        return [
          ...other.declare(others.get(k), exponents.get(k)),
          ...other.times(after),
          others.set(get(other.m), k),
          exponents.set(get(other.e), k),
          ...stmts,
          ...after.times(factor),
        ];
      }),
      invert(left, (i, k) => a.get(i, k)),
      // Row j of U over its pivot is row j of V; without a pivot there is nothing right of it.
      invert(right, (i, k) => select(eq(a.get(k, k), 0), constant(type, 0), div(a.get(k, i), a.get(k, k)))),
      eachPair(n, (i, j) => [result.set(constant(type, 0), i, j)]),
      loop("k", 0, n, addProducts),
      eachPair(n, (i, j) =>
        ctx.write(
          0,
          [...m.batch(item), i, j],
          cast(own, select(get(finite), result.get(i, j), constant(type, NaN))),
        ),
      ),
    ];
  });
}
