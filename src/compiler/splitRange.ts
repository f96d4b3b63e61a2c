/**
 * Long reductions as two range kernels: one reduces parts of the first reduced axis, each on its own, and the other combines
 * what they give. Threads share the parts; and where columns are reduced a part is few enough rows to walk side by side. How
 * many parts there are depends on the shape alone, so the result does not depend on the number of threads.
 */
import { indexAdd, indexMul, ravel } from "../core/ir/affine.js";
import { get, i32, isConst, load, store } from "../core/ir/ops.js";
import { Buffer, type Expr, type Kernel, Local, type Stmt } from "../core/ir/types.js";
import type { Var } from "../core/jaxpr.js";
import type { Elements } from "./elements.js";
import { type Buffers, elementsIn, nameOf, withBuffers } from "./emit.js";
import { nested } from "./emitRange.js";
import type { Graph } from "./graph.js";
import { dtypeOf } from "./gridTree.js";
import { type Group, indexFor } from "./group.js";
import { declareCells, finishCells, type Reduction, reduceLoops, reductionOf } from "./loops.js";

/** Elements of a whole array that are worth two kernels. */
const long = 2 ** 18;
/** Elements of a part, about; rows of a part, where columns are reduced. */
const partElements = 2 ** 15;
const partRows = 64;
/** Rows of results that are enough items for threads. */
const fewRows = 16;

const product = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);

/** Entries of the first reduced axis in a part; undefined if the group stays one kernel. */
function partLength({ space: { dims, reduced }, members }: Group): number | undefined {
  if (members.some(({ role, stage }) => role === "full" || (role === "reduce" && stage > 0)))
    return undefined;
  if (members.some(({ node: { rule } }) => rule?.kind === "reduce" && rule.places !== undefined))
    return undefined;
  const inner = dims.filter((_, i) => reduced[i]);
  const rows = product(dims.filter((_, i) => !reduced[i]));
  if (inner.length === 0 || product(dims) < long) return undefined;
  const inRows = reduced.at(-1) === true;
  if (inRows ? rows >= fewRows : reduced[0] !== true) return undefined;
  const width = product(inner.slice(1)) * (inRows ? 1 : Math.min(rows, partElements / partRows));
  const length = Math.max(1, Math.round(partElements / width));
  return inner[0] >= 2 * length ? length : undefined;
}

/** The kernels of a group that is one long reduction, or several over the same elements; undefined for others. */
export function splitRange(graph: Graph, buffers: Buffers, group: Group): Kernel[] | undefined {
  const length = partLength(group);
  if (length === undefined) return undefined;
  const { dims, reduced } = group.space;
  const outer = dims.filter((_, i) => !reduced[i]).map((n, i) => new Local(`i${i}`, "i32", 1, false, n));
  const [first, ...inner] = dims.filter((_, i) => reduced[i]);
  const outerDims = outer.map(({ bound }) => bound ?? 0);
  const outerCounters = outer.map(get);
  const parts = Math.floor(first / length);
  const block = reduced.at(-1) ? 128 : 32;
  const reductions = group.members.filter(({ role }) => role === "reduce").map(reductionOf);
  const results = new Map<Var, Expr>();
  const elementsAt = (): Elements => elementsIn(graph, buffers, group, (v) => results.get(v));

  /** Counters of all axes, given those of the reduced ones, the first of them counted from `from`. */
  const whole =
    (from: Expr) =>
    ([c, ...others]: readonly Expr[]): Expr[] => {
      const counters = [indexAdd(from, c), ...others];
      let [o, r] = [0, 0];
      return reduced.map((isReduced) => (isReduced ? counters[r++] : outerCounters[o++]));
    };

  const partials = reductions.map((reduction) =>
    declareCells(reduction, elementsAt()).cells.map((cell) =>
      buffers.temporary(new Buffer("parts", dtypeOf[cell.type], parts * product(outerDims))),
    ),
  );
  const place = (part: Expr): Expr => ravel([part, ...outerCounters], [parts, ...outerDims]);

  const part = new Local("part", "i32", 1, false, parts);
  const declared = reductions.map((reduction) => declareCells(reduction, elementsAt()));
  const ofPart: Stmt[] = [
    ...declared.flatMap(({ stmts }) => stmts),
    ...reduceLoops(
      reductions,
      declared.map(({ cells }) => cells),
      [length, ...inner],
      block,
      elementsAt,
      whole(indexMul(get(part), length)),
    ),
    ...declared.flatMap(({ cells }, k) =>
      cells.map((cell, c) => store(partials[k][c], place(get(part)), get(cell))),
    ),
  ];

  const totals = reductions.map((reduction) => declareCells(reduction, elementsAt()));
  const cells = totals.map((total) => total.cells);
  const rest = first - parts * length;
  // The accumulators of the parts, combined like elements.
  const ofParts = reductions.map(
    ({ eqn, rule }, k): Reduction => ({
      eqn,
      rule: {
        ...rule,
        element: (_, index) => {
          const p = index.find((e) => !isConst(e)) as Expr;
          return partials[k].map((buffer) => load(buffer, place(p)));
        },
      },
    }),
  );
  const combining: Stmt[] = [
    ...totals.flatMap(({ stmts }) => stmts),
    ...reduceLoops(ofParts, cells, [parts], fewRows, elementsAt, ([p]) => dims.map(() => p)),
    ...(rest === 0
      ? []
      : reduceLoops(reductions, cells, [rest, ...inner], block, elementsAt, whole(i32(parts * length)))),
    ...reductions.flatMap((reduction, k) => finishCells(reduction, cells[k], elementsAt(), results)),
  ];
  const elements = elementsAt();
  for (const { node } of group.members)
    for (const v of node.eqn.outputs) {
      if (!group.stored.has(v)) continue;
      const index = indexFor(v.aval.shape, outerCounters);
      combining.push(store(buffers.of(v), ravel(index, v.aval.shape), elements.element(v, index)));
    }
  return [
    rangeOver(`${nameOf(group)}_parts`, part, nested(outer, ofPart)),
    rangeOver(
      nameOf(group),
      outer[0] ?? new Local("i", "i32", 1, false, 1),
      nested(outer.slice(1), combining),
    ),
  ];
}

function rangeOver(name: string, local: Local, body: readonly Stmt[]): Kernel {
  const [begin, end] = [new Local("begin", "i32"), new Local("end", "i32")];
  return withBuffers({
    name,
    launch: { kind: "range", extent: local.bound ?? 1, begin, end },
    scratch: [],
    body: [{ kind: "for", local, from: get(begin), to: get(end), step: 1, body }],
  });
}
