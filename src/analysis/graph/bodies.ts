/** What loops, branches and functions with rules of their own hold, as bodies with links to the program around them. */
import { type Eqn, Jaxpr } from "../../core/jaxpr.js";
import { inputParts, outputParts, type ScanParams } from "../../primitives/control/scanParams.js";
import { type IterateParams, type WhileParams, whileParts } from "../../primitives/control/whileParams.js";
import type { Body, Link, Opener, Operand, Scope, Variable } from "./program.js";

/** Everything that is known while an operation is opened. */
interface Around {
  readonly opener: Opener;
  readonly operands: readonly Operand[];
  readonly results: readonly Variable[];
  readonly scope: Scope | undefined;
  readonly depth: number;
}

/** The bodies of an equation; none if they are not to be drawn. */
export function bodiesOf(
  opener: Opener,
  eqn: Eqn,
  operands: readonly Operand[],
  results: readonly Variable[],
  scope: Scope | undefined,
  depth: number,
): Body[] {
  const around: Around = { opener, operands, results, scope, depth };
  const { params } = eqn;
  if (eqn.primitive.family === "control" && !opener.options.loops) return [];
  switch (eqn.primitive.name) {
    case "scan":
      return [scanBody(around, params as ScanParams)];
    case "while":
      return whileBodies(around, params as WhileParams);
    case "iterate":
      return [iterateBody(around, params as IterateParams)];
    case "cond":
      return condBodies(around, params.branches as readonly Jaxpr[]);
    case "customJvp":
    case "customVjp": {
      if (!opener.options.customBodies || !(params.jaxpr instanceof Jaxpr)) return [];
      return [plainBody(around, params.jaxpr, opener.scope(titleOfCall(eqn), scope), operands)];
    }
    default:
      return [];
  }
}

/** `jit layer`; without a name of its own, `jit`. */
export function titleOfCall({ primitive, params }: Eqn): string {
  const name = typeof params.name === "string" && params.name !== "function" ? ` ${params.name}` : "";
  return `${primitive.name}${name}`.trim();
}

const times = (n: number): string => `× ${n}`;

/** A body whose inputs are its own, and what it computes. */
function openBody(
  { opener, depth }: Around,
  jaxpr: Jaxpr,
  scope: Scope,
): Pick<Body, "inputs" | "operations" | "outputs"> {
  const inputs = jaxpr.inputs.map((v) => opener.variable(v.aval, "entry", scope));
  return { inputs, ...opener.open(jaxpr, inputs, scope, depth) };
}

const links = (kind: Link["kind"], from: readonly Operand[], to: readonly Variable[]): Link[] =>
  to.map((v, i) => ({ kind, from: from[i], to: v }));

function scanBody(around: Around, params: ScanParams): Body {
  const { opener, operands, results, scope } = around;
  const inner = opener.scope(`scan ${times(params.length)}${params.reverse ? ", backwards" : ""}`, scope);
  const body = openBody(around, params.jaxpr, inner);
  const outside = inputParts(operands, params);
  const inside = inputParts(body.inputs, params);
  const made = outputParts(body.outputs, params);
  const given = outputParts(results, params);
  return {
    ...body,
    scope: inner,
    links: [
      ...links("enter", outside.consts, inside.consts),
      ...links("enter", outside.carry, inside.carry),
      ...links("slice", outside.xs, inside.xs),
      ...links("next", made.carry, inside.carry),
      ...links("leave", made.carry, given.carry),
      ...links("stack", made.ys, given.ys),
    ],
  };
}

function whileBodies(around: Around, params: WhileParams): Body[] {
  const { opener, operands, results, scope } = around;
  const loop = opener.scope("while", scope);
  const [test, step] = [opener.scope("as long as", loop), opener.scope("step", loop)];
  const outside = whileParts(operands, params);
  const condition = openBody(around, params.cond, test);
  const body = openBody(around, params.body, step);
  const [tested, stepped] = [params.condConsts, params.bodyConsts];
  return [
    {
      ...condition,
      scope: test,
      links: [
        ...links("enter", outside.condConsts, condition.inputs.slice(0, tested)),
        ...links("enter", outside.carry, condition.inputs.slice(tested)),
      ],
    },
    {
      ...body,
      scope: step,
      links: [
        ...links("enter", outside.bodyConsts, body.inputs.slice(0, stepped)),
        ...links("enter", outside.carry, body.inputs.slice(stepped)),
        ...links("next", body.outputs, body.inputs.slice(stepped)),
        ...links("next", body.outputs, condition.inputs.slice(tested)),
        ...links("leave", body.outputs, results),
      ],
    },
  ];
}

/** A loop whose number of steps is its first operand: what a `while` becomes in reverse mode. */
function iterateBody(around: Around, { body: jaxpr, consts }: IterateParams): Body {
  const { opener, operands, results, scope } = around;
  const inner = opener.scope("iterate", scope);
  const body = openBody(around, jaxpr, inner);
  const carry = body.inputs.slice(consts);
  return {
    ...body,
    scope: inner,
    links: [
      ...links("enter", operands.slice(1), body.inputs),
      ...links("count", operands, carry.slice(0, 1)),
      ...links("next", body.outputs, carry),
      ...links("leave", body.outputs, results),
    ],
  };
}

function condBodies(around: Around, branches: readonly Jaxpr[]): Body[] {
  const { opener, operands, scope } = around;
  const choice = opener.scope("cond", scope);
  return branches.map((branch, i) => {
    const title = branches.length === 2 ? ["if false", "if true"][i] : `case ${i}`;
    return plainBody(around, branch, opener.scope(title, choice), operands.slice(1));
  });
}

function plainBody(around: Around, jaxpr: Jaxpr, scope: Scope, operands: readonly Operand[]): Body {
  const body = openBody(around, jaxpr, scope);
  return {
    ...body,
    scope,
    links: [...links("enter", operands, body.inputs), ...links("leave", body.outputs, around.results)],
  };
}
