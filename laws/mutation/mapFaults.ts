/**
 * Faults in `map` and `reduce` lowering rules. Such a rule is asked for one element with names for the index and for the
 * elements of its operands; in what it answers a node is replaced; and when the compiler asks, the names are replaced by
 * what they stand for.
 */
import type { Params } from "fluxion";
import { nodesOf, rewriting } from "../../src/compiler/walk.js";
import type { MapContext, MapRule, ReduceRule } from "../../src/core/ir/lower.js";
import { binary, get } from "../../src/core/ir/ops.js";
import { type Expr, Local, scalarTypeOf } from "../../src/core/ir/types.js";
import { type ExprFault, nodeFaults, valueFaults } from "./exprFaults.js";
import type { FaultKind } from "./fault.js";

type Types = Pick<MapContext, "target" | "inputs" | "outputs">;

/** An element of an operand that the rule asked for. */
interface Asked {
  readonly operand: number;
  readonly index: readonly Expr[];
  readonly guards: readonly Expr[];
  readonly local: Local;
}

/** What a rule answers for one element: expressions of the index and of elements asked for. */
interface Answer {
  readonly index: readonly Local[];
  readonly asked: readonly Asked[];
  readonly outputs: readonly Expr[];
}

function ask(rule: MapRule | ReduceRule, types: Types, params: Params, rank: number): Answer {
  const shape = rule.kind === "map" ? types.outputs[0].shape : types.inputs[0].shape;
  const index = Array.from({ length: rank }, (_, a) => new Local(`i${a}`, "i32", 1, false, shape[a]));
  const asked: Asked[] = [];
  let guards: readonly Expr[] = [];
  const ctx: MapContext = {
    ...types,
    operand: (operand, at) => {
      const local = new Local(`x${operand}`, scalarTypeOf(types.inputs[operand].dtype));
      asked.push({ operand, index: at, guards, local });
      return get(local);
    },
    guarded: (cond, body) => {
      const before = guards;
      guards = [...guards, cond];
      try {
        return body();
      } finally {
        guards = before;
      }
    },
  };
  const outputs = rule.element(ctx, index.map(get), params);
  return { index, asked, outputs };
}

const rootsOf = ({ asked, outputs }: Answer): readonly Expr[] => [
  ...asked.flatMap(({ index, guards }) => [...index, ...guards]),
  ...outputs,
];

const mapAnswer = (answer: Answer, f: (e: Expr) => Expr): Answer => ({
  index: answer.index,
  asked: answer.asked.map((a) => ({ ...a, index: a.index.map(f), guards: a.guards.map(f) })),
  outputs: answer.outputs.map(f),
});

/** The answer in the compiler's terms. */
function instantiate(
  { index, asked, outputs }: Answer,
  ctx: MapContext,
  at: readonly Expr[],
): readonly Expr[] {
  const known = new Map<Local, Expr>(index.map((local, a) => [local, at[a]]));
  const resolve = (e: Expr): Expr => rewriting((x) => (x.op === "get" ? (known.get(x.local) ?? x) : x))(e);
  for (const { operand, index: place, guards, local } of asked) {
    const read = (k: number): Expr =>
      k === guards.length
        ? ctx.operand(operand, place.map(resolve))
        : ctx.guarded(resolve(guards[k]), () => read(k + 1));
    known.set(local, read(0));
  }
  return outputs.map(resolve);
}

/** A fault in a lowering rule: the rule with it. */
export interface RuleFault<R> {
  readonly kind: FaultKind;
  readonly id: string;
  readonly what: string;
  readonly faulty: R;
}

/** Every fault of expressions: in each node, and in each root as a whole. */
function* faultsIn(
  roots: readonly Expr[],
  wholes: readonly Expr[],
): Generator<readonly [string, ExprFault, (e: Expr) => Expr]> {
  const replaced = (node: Expr, fault: ExprFault) =>
    rewriting((e, original) => (original === node ? fault.spoil(e) : e));
  for (const [n, node] of nodesOf(...roots).entries())
    for (const fault of nodeFaults(node)) yield [`node${n}/${fault.id}`, fault, replaced(node, fault)];
  for (const [n, root] of wholes.entries())
    for (const fault of valueFaults(root)) yield [`root${n}/${fault.id}`, fault, replaced(root, fault)];
}

/** Answers of the `element` function with faults in them. */
function* wrongAnswers(
  answer: Answer,
): Generator<{ kind: FaultKind; id: string; what: string; answer: Answer }> {
  for (const [id, { kind, what }, replace] of faultsIn(rootsOf(answer), answer.outputs))
    yield { kind, id, what, answer: mapAnswer(answer, replace) };
  for (const [n, { operand, index }] of answer.asked.entries())
    for (const axis of index.keys())
      yield {
        kind: "wrong index",
        id: `read${n}/axis${axis}+1`,
        what: `operand ${operand} read one further along axis ${axis}`,
        answer: {
          ...answer,
          asked: answer.asked.map((a, k) =>
            k === n ? { ...a, index: a.index.map((e, i) => (i === axis ? binary("add", e, 1) : e)) } : a,
          ),
        },
      };
}

type Applies = (types: Types, params: Params) => boolean;

/** All faults of a `map` rule on operands of the given types; on others the rule is sound. */
export function* mapFaults(
  rule: MapRule,
  types: Types,
  params: Params,
  applies: Applies,
): Generator<RuleFault<MapRule>> {
  const sound = ask(rule, types, params, types.outputs[0].shape.length);
  for (const { kind, id, what, answer } of wrongAnswers(sound))
    yield {
      kind,
      id,
      what,
      faulty: {
        ...rule,
        element: (ctx, index, own) =>
          applies(ctx, own) ? instantiate(answer, ctx, index) : rule.element(ctx, index, own),
      },
    };
}

const named = (exprs: readonly Expr[], name: string): Local[] =>
  exprs.map((e, k) => new Local(`${name}${k}`, e.type));

const substituting = (from: readonly Local[], to: readonly Expr[]) => {
  const known = new Map(from.map((local, k) => [local, to[k]]));
  return rewriting((e) => (e.op === "get" ? (known.get(e.local) ?? e) : e));
};

/** All faults of a `reduce` rule on operands of the given types. */
export function* reduceFaults(
  rule: ReduceRule,
  types: Types,
  params: Params,
  applies: Applies,
): Generator<RuleFault<ReduceRule>> {
  const sound = ask(rule, types, params, types.inputs[0].shape.length);
  for (const { kind, id, what, answer } of wrongAnswers(sound))
    yield {
      kind,
      id: `element/${id}`,
      what: `element: ${what}`,
      faulty: {
        ...rule,
        element: (ctx, index, own) =>
          applies(ctx, own) ? instantiate(answer, ctx, index) : rule.element(ctx, index, own),
      },
    };

  // Only `element` reads operands, so that the rest needs a context of types alone.
  const ctx: MapContext = { ...types, operand: () => sound.outputs[0], guarded: (_, body) => body() };
  const initial = rule.initial(ctx, params);
  const totals = named(initial, "total");
  const elements = named(initial, "element");

  for (const [id, { what, spoil }] of faultsOfInitial(initial))
    yield {
      kind: "wrong start",
      id: `initial/${id}`,
      what: `initial: ${what}`,
      faulty: {
        ...rule,
        initial: (own, p) => {
          const values = rule.initial(own, p);
          return applies(own, p) ? values.map((e, k) => (id.startsWith(`${k}/`) ? spoil(e) : e)) : values;
        },
      },
    };

  const combined = rule.combine(totals.map(get), elements.map(get), params, ctx);
  for (const [id, { kind, what }, replace] of faultsIn(combined, combined)) {
    const wrong = combined.map(replace);
    yield {
      kind,
      id: `combine/${id}`,
      what: `combine: ${what}`,
      faulty: {
        ...rule,
        combine: (total, element, p, own) =>
          applies(own, p)
            ? wrong.map(substituting([...totals, ...elements], [...total, ...element]))
            : rule.combine(total, element, p, own),
      },
    };
  }

  const { finish } = rule;
  if (finish === undefined) return;
  const finished = finish(totals.map(get), ctx, params);
  for (const [id, { kind, what }, replace] of faultsIn(finished, finished)) {
    const wrong = finished.map(replace);
    yield {
      kind,
      id: `finish/${id}`,
      what: `finish: ${what}`,
      faulty: {
        ...rule,
        finish: (total, own, p) =>
          applies(own, p) ? wrong.map(substituting(totals, total)) : finish(total, own, p),
      },
    };
  }
}

function* faultsOfInitial(initial: readonly Expr[]): Generator<readonly [string, ExprFault]> {
  for (const [k, e] of initial.entries())
    for (const fault of nodeFaults(e)) yield [`${k}/${fault.id}`, fault];
}
