/**
 * Which elements loops depend on: step by step while that is cheap, else what any number of steps can reach.
 *
 * All operands stand side by side, as columns of one pattern. A carry is a pattern of that kind, and a step composes the pattern
 * of the body with it.
 */
import { ConcreteArray } from "../../core/array.js";
import { sizeOf } from "../../core/aval.js";
import type { DependenceOperand, Relation, Relations } from "../../core/dependence.js";
import { isFloat } from "../../core/dtype.js";
import type { Jaxpr } from "../../core/jaxpr.js";
import { SparsityPattern } from "../../core/pattern.js";
import {
  besides,
  closure,
  compose,
  cut,
  everyStep,
  placed,
  type Recurring,
  recurring,
  stacked,
  unionOf,
} from "../../core/patternAlgebra.js";
import type { Passes } from "../../core/primitive.js";

type Pattern = SparsityPattern | undefined;

/** A loop over the entries of `xs`, or so many steps where there are none. */
export interface Loop {
  /** Takes the constants, the carry and an entry of each array; gives the next carry and an entry of each stacked output. */
  readonly body: Jaxpr;
  readonly consts: readonly DependenceOperand[];
  readonly carry: readonly DependenceOperand[];
  readonly xs: readonly DependenceOperand[];
  /** Undefined if it is not known. */
  readonly length: number | undefined;
  readonly reverse: boolean;
}

/** So many steps are followed one by one, and so many equations looked at for their sake. */
const worthwhile = 10_000;

/** Relations of the last carry, then of the stacked outputs, to the constants, the carry and the arrays. */
export function loopRelations(loop: Loop, passes: Passes, limit: number): Relations {
  const { consts, carry, xs } = loop;
  const operands = [...consts, ...carry, ...xs];
  const columns = columnsOf(operands);
  const results = stepByStep(loop, columns, passes, limit) ?? anySteps(loop, columns, passes, limit);
  return results.map((pattern) =>
    operands.map((x, i): Relation => {
      if (pattern === undefined || !x.active) return "none";
      const own = cut(pattern, 0, pattern.rows, columns.first[i], sizeOf(x.aval.shape));
      return own.isEmpty ? "none" : own;
    }),
  );
}

/** Where each operand's columns begin, and how many there are in all. */
interface Columns {
  readonly first: readonly number[];
  readonly total: number;
}

function columnsOf(operands: readonly DependenceOperand[]): Columns {
  let total = 0;
  const first = operands.map((x) => {
    total += sizeOf(x.aval.shape);
    return total - sizeOf(x.aval.shape);
  });
  return { first, total };
}

const rowsOf = (jaxpr: Jaxpr, k: number): number => sizeOf(jaxpr.outputs[k].aval.shape);

/** The operands of the body in one step. Carries that get a tangent on the way are active from the beginning. */
function bodyOperands(
  { body, consts, carry, xs }: Loop,
  activeCarry: readonly boolean[],
  valueOfEntry: (i: number) => ConcreteArray | undefined,
): DependenceOperand[] {
  const types = body.inAvals;
  const first = consts.length + carry.length;
  return [
    ...consts,
    ...carry.map((_, i) => ({
      aval: types[consts.length + i],
      active: activeCarry[i],
      value: () => undefined,
    })),
    ...xs.map((x, i) => ({ aval: types[first + i], active: x.active, value: () => valueOfEntry(i) })),
  ];
}

function activeCarries(loop: Loop, passes: Passes, limit: number): boolean[] {
  const active = loop.carry.map((x) => x.active);
  for (;;) {
    const step = passes.dependence(loop.body, bodyOperands(loop, active, noEntry), limit);
    let changed = false;
    for (const [k, isActive] of active.entries()) {
      if (isActive || !isFloat(loop.carry[k].aval.dtype) || step[k].every((p) => p === undefined)) continue;
      active[k] = true;
      changed = true;
    }
    if (!changed) return active;
  }
}

const noEntry = (): undefined => undefined;

/** The union of what an output of the body gets from each of its inputs, whose patterns are given. */
function through(relations: readonly Pattern[], inputs: readonly Pattern[], limit: number): Pattern {
  let sum: Pattern;
  for (const [i, relation] of relations.entries()) {
    const input = inputs[i];
    if (relation !== undefined && input !== undefined)
      sum = unionOf(sum, compose(relation, input, limit), limit);
  }
  return sum;
}

/** Every step as it is; undefined if there are too many, or what comes of them is too much. */
function stepByStep(
  loop: Loop,
  columns: Columns,
  passes: Passes,
  limit: number,
): readonly Pattern[] | undefined {
  const { body, consts, carry, xs, length, reverse } = loop;
  if (length === undefined || length > worthwhile) return undefined;
  const active = activeCarries(loop, passes, limit);
  const identity = (x: DependenceOperand, i: number): Pattern =>
    x.active ? embedded(sizeOf(x.aval.shape), columns, columns.first[i], limit) : undefined;
  const fixed = consts.map(identity);
  let state = carry.map((x, i) => identity(x, consts.length + i));
  const sizes = body.inAvals.slice(consts.length + carry.length).map((type) => sizeOf(type.shape));
  const ys = body.outputs.slice(carry.length).map((): Pattern[] => []);
  let looked = 0;
  let entries = 0;
  let varies = false;
  let step: ReturnType<Passes["dependence"]> | undefined;
  for (let t = 0; t < length; t++) {
    const at = reverse ? length - 1 - t : t;
    if (step === undefined || varies) {
      const entryOf = (i: number): ConcreteArray | undefined => {
        const all = xs[i].value();
        varies ||= all !== undefined;
        return (
          all && new ConcreteArray(all.values.slice(at * sizes[i], (at + 1) * sizes[i]), bodyType(loop, i))
        );
      };
      step = passes.dependence(body, bodyOperands(loop, active, entryOf), limit);
      looked += body.eqns.length;
      if (looked > worthwhile) return undefined;
    }
    const entry = xs.map((x, i) =>
      x.active
        ? embedded(sizes[i], columns, columns.first[consts.length + carry.length + i] + at * sizes[i], limit)
        : undefined,
    );
    const inputs = [...fixed, ...state, ...entry];
    const results = step.map((relations) => through(relations, inputs, limit));
    state = results.slice(0, carry.length);
    for (const [k, list] of ys.entries()) list[at] = results[carry.length + k];
    entries += results.reduce((sum, p) => sum + (p?.nonzeros ?? 0), 0);
    if (entries > limit) return undefined;
  }
  return [
    ...state,
    ...ys.map((list, k) => {
      const all = Array.from({ length }, (_, t) => list[t]);
      return all.every((p) => p === undefined)
        ? undefined
        : stacked(all, rowsOf(body, carry.length + k), columns.total, limit);
    }),
  ];
}

const bodyType = ({ body, consts, carry }: Loop, i: number) =>
  body.inputs[consts.length + carry.length + i].aval;

/** The identity of one operand among the columns of all. */
const embedded = (size: number, columns: Columns, column: number, limit: number): SparsityPattern =>
  placed(SparsityPattern.identity(size), size, columns.total, 0, column, limit);

/** What carries can reach in any number of steps, from 0 on, and entries of any step with them. */
function anySteps(loop: Loop, columns: Columns, passes: Passes, limit: number): readonly Pattern[] {
  const { body, consts, carry, length = 0 } = loop;
  const active = activeCarries(loop, passes, limit);
  const step = passes.dependence(body, bodyOperands(loop, active, noEntry), limit);
  const carries = columnsOf(carry);
  const isCarry = (i: number): boolean => i >= consts.length && i < consts.length + carry.length;
  const identity = SparsityPattern.identity(carries.total);
  // How all carries, one below the other, depend on all carries in a step, and on whatever else in some step.
  let among: Pattern;
  let fresh: Pattern;
  const offset = (i: number): number => columns.first[i];
  const sizes = body.inAvals.map((type) => sizeOf(type.shape));
  const others = (k: number): Pattern => {
    const parts = step[k].flatMap((pattern, i) => {
      if (pattern === undefined || isCarry(i)) return [];
      const whole = i < consts.length ? pattern : everyStep(pattern, length, limit);
      return [{ pattern: whole, column: offset(i) }];
    });
    return parts.length === 0 ? undefined : besides(parts, rowsOf(body, k), columns.total, limit);
  };
  for (const [k] of carry.entries()) {
    const parts = step[k].flatMap((pattern, i) =>
      pattern !== undefined && isCarry(i) ? [{ pattern, column: carries.first[i - consts.length] }] : [],
    );
    const own = besides(parts, rowsOf(body, k), carries.total, limit);
    among = unionOf(among, placed(own, carries.total, carries.total, carries.first[k], 0, limit), limit);
    const more = others(k);
    if (more !== undefined)
      fresh = unionOf(fresh, placed(more, carries.total, columns.total, carries.first[k], 0, limit), limit);
  }
  const initial = besides(
    carry.flatMap((x, i) =>
      x.active
        ? [
            {
              pattern: placed(
                SparsityPattern.identity(sizeOf(x.aval.shape)),
                carries.total,
                sizeOf(x.aval.shape),
                carries.first[i],
                0,
                limit,
              ),
              column: offset(consts.length + i),
            },
          ]
        : [],
    ),
    carries.total,
    columns.total,
    limit,
  );
  const reached = compose(
    closure(among ?? identity, limit),
    unionOf(initial, fresh, limit) as SparsityPattern,
    limit,
  );
  const states = carry.map((_, k) => cut(reached, carries.first[k], rowsOf(body, k), 0, columns.total));
  const stackedOutputs = body.outputs.slice(carry.length).map((_, k) => {
    const out = carry.length + k;
    const rows = rowsOf(body, out);
    const fromCarry = through(
      step[out],
      step[out].map((__, i) => (isCarry(i) ? states[i - consts.length] : undefined)),
      limit,
    );
    const parts = step[out].flatMap((pattern, i): Recurring[] => {
      if (pattern === undefined || isCarry(i)) return [];
      return [{ pattern, column: offset(i), step: i < consts.length ? 0 : sizes[i] }];
    });
    if (fromCarry !== undefined) parts.push({ pattern: fromCarry, column: 0, step: 0 });
    return recurring(parts, length, rows, columns.total, limit);
  });
  return [...states, ...stackedOutputs];
}
