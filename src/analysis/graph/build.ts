/** From a program with what is known of its values to a drawing. */

import { describe } from "../../core/aval.js";
import { isFloat } from "../../core/dtype.js";
import { ArgumentError, NotDifferentiableError } from "../../core/errors.js";
import { accumulate, bracketed, factorOf, type Step } from "./accumulate.js";
import { compactParts, reducedParts } from "./compact.js";
import {
  countPaths,
  type DependenceEdge,
  dependenceEdges,
  edgeKey,
  keyOf,
  localDerivatives,
  reduceGraph,
} from "./dependence.js";
import { GraphDrawing } from "./drawing.js";
import type { LocalDerivative } from "./local.js";
import type { Note, Notes } from "./notes.js";
import { describeValue, formatScalar } from "./numbers.js";
import { operationsParts } from "./operations.js";
import { defaultMaxNodes, type GraphOptions } from "./options.js";
import { pathSums } from "./paths.js";
import type { Picture } from "./picture.js";
import { allOperations, allVariables, type Program, Variable } from "./program.js";

/** A program to draw. */
export interface Subject {
  readonly name: string;
  readonly program: Program;
  /** The inputs that are differentiated with respect to. */
  readonly chosen: readonly Variable[];
  /** Whether the values of all variables outside of bodies are known. */
  readonly hasValues: boolean;
}

export async function buildDrawing(
  subject: Subject,
  options: GraphOptions,
  what: string,
): Promise<GraphDrawing> {
  const { program, chosen, hasValues } = subject;
  const { mode, maxNodes = defaultMaxNodes } = options;
  const edges = dependenceEdges(program, chosen);
  const differentiated = options.derivatives === true || mode !== undefined || options.form === "reduced";
  if (differentiated) requireFloats(chosen, what);
  const local: ReadonlyMap<string, LocalDerivative> = differentiated ? localDerivatives(edges) : new Map();
  const labels = differentiated ? await partialTexts(edges, local, hasValues) : new Map<string, string>();
  const values = options.values === true ? await valueTexts(program) : new Map<Variable, string>();
  const steps =
    mode === undefined
      ? []
      : await accumulate({ mode, seed: seedOf(subject, options, what), edges, local, hasValues });
  const reduced = options.form === "reduced" ? reduceGraph(edges, chosen, program.outputs) : undefined;
  const unreached = mode === "forward" && hasValues ? zeros(program, steps) : new Map<Variable, string>();

  /** The picture after so many steps. */
  const pictureOf = (count: number, current: Step | undefined): Picture => {
    const notes = notesOf(options, edges, labels, values, steps, count, current, unreached);
    const grouping = groupingOf(program, options);
    const parts =
      reduced !== undefined
        ? reducedParts(reduced, notes, (along) => productText(along, labels))
        : options.form === "compact"
          ? compactParts(program, notes)
          : operationsParts(program, notes, grouping);
    const title = current === undefined ? options.title : titleOf(current);
    const direction = options.form === "compact" ? "up" : "right";
    return { name: subject.name, title, direction, rising: options.form !== "compact", ...parts };
  };
  const figures = {
    operations: allOperations(program.operations).length,
    edges: (reduced ?? edges).length,
    paths: plainNumber(countPaths(edges, chosen, program.outputs)),
    pathSums: differentiated && hasValues ? await pathSums(edges, local, chosen, program.outputs) : [],
  };
  const drawing = (picture: Picture, makeSteps?: () => readonly GraphDrawing[]): GraphDrawing =>
    new GraphDrawing(picture, figures, maxNodes, makeSteps);
  const allSteps = (): GraphDrawing[] => steps.map((step, i) => drawing(pictureOf(i + 1, step)));
  return drawing(pictureOf(steps.length, undefined), mode === undefined ? undefined : allSteps);
}

const plainNumber = (n: bigint): number | bigint => (n <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(n) : n);

function requireFloats(chosen: readonly Variable[], what: string): void {
  if (chosen.some((v) => isFloat(v.aval.dtype))) return;
  const types = chosen.map((v) => `${v.name} is ${describe(v.aval)}`).join(", ");
  throw new NotDifferentiableError(
    `${what}: derivatives need a float among the arguments, but ${types || "there are no arguments"}; integers and booleans have none`,
  );
}

/** The value that a mode starts from. */
function seedOf({ program, chosen }: Subject, { mode, from }: GraphOptions, what: string): Variable {
  const forward = mode === "forward";
  const outputs = program.outputs.filter((v): v is Variable => v instanceof Variable);
  const candidates = forward ? chosen : outputs;
  const found =
    from === undefined
      ? candidates.find((v) => isFloat(v.aval.dtype))
      : candidates.find((v) => v.name === from);
  if (found === undefined) {
    const end = forward ? "input" : "output";
    const problem = from === undefined ? `there is no float ${end}` : `no ${end} is called "${from}"`;
    const there = candidates.map((v) => (from === undefined ? `${v.name}, ${describe(v.aval)}` : v.name));
    const list =
      there.length === 0
        ? `are only constants`
        : `${there.length === 1 ? "is" : "are"} ${there.join(from === undefined ? "; " : ", ")}`;
    throw new ArgumentError(`${what}: ${problem}; there ${list}`);
  }
  if (!isFloat(found.aval.dtype))
    throw new NotDifferentiableError(
      `${what}: ${found.name} is ${describe(found.aval)}; integers and booleans have no derivative`,
    );
  return found;
}

/** What stands on each edge. */
async function partialTexts(
  edges: readonly DependenceEdge[],
  local: ReadonlyMap<string, LocalDerivative>,
  hasValues: boolean,
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const e of edges) {
    const derivative = local.get(keyOf(e));
    const isScalar = e.from.aval.shape.length === 0 && e.to.aval.shape.length === 0;
    const isSmooth = isFloat(e.from.aval.dtype) && isFloat(e.to.aval.dtype);
    if (derivative === undefined) {
      if (isSmooth) found.set(keyOf(e), "0");
    } else if (isScalar && hasValues) found.set(keyOf(e), formatScalar(await factorOf(e, local)));
    else found.set(keyOf(e), derivative.formula);
  }
  return found;
}

async function valueTexts(program: Program): Promise<Map<Variable, string>> {
  const found = new Map<Variable, string>();
  for (const v of allVariables(program))
    if (v.value !== undefined) found.set(v, await describeValue(v.value));
  return found;
}

/** Inputs that forward mode does not come by: their derivatives are zero. */
function zeros(program: Program, steps: readonly Step[]): Map<Variable, string> {
  const seed = steps[0].variable;
  const reached = new Set(steps.map((s) => s.variable));
  const left = program.inputs.filter((v) => !reached.has(v) && isFloat(v.aval.dtype));
  return new Map(left.map((v) => [v, `∂${v.name}/∂${seed.name} = 0`]));
}

const titleOf = ({ name, text }: Step): string => (text === "" ? name : `${name} = ${text}`);

const resultOf = ({ name, result }: Step): string =>
  result === "" ? name : /^\[[\d,]*\](:|$)/.test(result) ? `${name} ${result}` : `${name} = ${result}`;

function notesOf(
  options: GraphOptions,
  edges: readonly DependenceEdge[],
  labels: ReadonlyMap<string, string>,
  values: ReadonlyMap<Variable, string>,
  steps: readonly Step[],
  count: number,
  current: Step | undefined,
  unreached: ReadonlyMap<Variable, string>,
): Notes {
  const partials = new Map<string, Note>();
  if (options.derivatives === true)
    for (const e of edges) {
      const text = labels.get(keyOf(e));
      if (text !== undefined) partials.set(keyOf(e), { text });
    }
  const derivatives = new Map<Variable, Note>([...unreached].map(([v, text]) => [v, { text }]));
  for (const [i, step] of steps.entries())
    derivatives.set(step.variable, { text: resultOf(step), ...(i >= count ? { hidden: true } : {}) });
  const highlighted = new Set<Variable | string>();
  if (current !== undefined) {
    highlighted.add(current.variable);
    for (const e of current.edges) highlighted.add(edgeKey(e.op, e.operand, e.output));
  }
  return { values, partials, derivatives, highlighted };
}

/** Longer products are not written out on an edge. */
const mostFactors = 6;

/** The product of the factors along an edge of the reduced graph, without those that are 1. */
function productText(along: readonly DependenceEdge[], labels: ReadonlyMap<string, string>): string {
  const factors = along
    .map((e) => labels.get(keyOf(e)) ?? "?")
    .filter((text) => text !== "1" && text !== "I");
  if (factors.includes("0")) return "0";
  if (factors.length > mostFactors) return `product of ${factors.length}`;
  if (factors.length === 0) return along.every((e) => e.to.aval.shape.length === 0) ? "1" : "I";
  return factors.length === 1
    ? factors[0]
    : factors.map((f) => (/[ +]/.test(f) ? `(${f})` : bracketed(f))).join("·");
}

/** How operations are grouped, if they are. */
function groupingOf(program: Program, { group, maxNodes = defaultMaxNodes }: GraphOptions) {
  if (group === false) return undefined;
  if (typeof group === "string") return { by: group, limit: maxNodes } as const;
  const size = allOperations(program.operations).length + allVariables(program).length;
  if (group === undefined && size <= maxNodes) return undefined;
  return { by: "auto", limit: Math.max(4, Math.min(30, Math.floor(maxNodes / 4))) } as const;
}
