/** How a Jacobian is computed, chosen by counting. */
import { describe, sizeOf } from "../../core/aval.js";
import type { FluxionError } from "../../core/errors.js";
import { type Jaxpr, subJaxprs } from "../../core/jaxpr.js";
import type { SparsityPattern } from "../../core/pattern.js";
import { jaxprCost } from "../../primitives/call.js";
import { hasNoSuchMode } from "../differentiated.js";
import { plural, rounded, showCount } from "../table.js";
import { leafCosts, nonzeroBlocks } from "./blocks.js";
import {
  type JacobianBlock,
  type JacobianCandidate,
  type JacobianModeOrAuto,
  JacobianPlan,
  wayNames,
} from "./explanation.js";
import type { MapShape, Pass } from "./passes.js";
import {
  blockwiseWay,
  colourLeaves,
  elements,
  perEquation,
  type Situation,
  seedable,
  singleWay,
  type Way,
  type WayName,
} from "./ways.js";

/** A chosen way, and what was known. */
export interface Plan {
  readonly way: Way;
  readonly patterns: Situation["patterns"];
  readonly explanation: JacobianPlan;
}

/** With so few rows or columns, no colours are fewer by much. */
const few = 2;
/** With so many times more elements on one side than passes on the other, nothing needs to be counted. */
const lopsided = 64;
/** A way is counted exactly if it may be the best: if its estimate is within this factor. */
const doubt = 4;

/** Paths of the leaves. */
export interface LeafNames {
  readonly outputs: readonly string[];
  readonly inputs: readonly string[];
}

/**
 * @param patterns finds the patterns of all blocks.
 * @param needPatterns whether they are needed whatever the way.
 */
export function planJacobian(
  map: MapShape,
  names: LeafNames,
  mode: JacobianModeOrAuto,
  patterns: () => readonly (readonly SparsityPattern[])[],
  needPatterns: boolean,
): Plan {
  const costs = leafCosts(map);
  const ins = elements(map, "forward", indices(map.activeIn));
  const outs = elements(map, "reverse", indices(map.activeOut));
  const compressing = mode.startsWith("compressed");
  const wanted = needPatterns || compressing || (mode === "auto" && Math.min(ins, outs) > few);
  const found = wanted ? patterns() : undefined;
  const situation: Situation = {
    map,
    patterns: found,
    nonzero: nonzeroBlocks(map, found, costs),
    costs,
  };
  if (mode !== "auto") return planned(situation, names, mode, asAsked(situation, mode), [], modeReason(mode));
  const drafts = draftWays(situation);
  const least = Math.min(...drafts.map(({ estimate }) => estimate));
  const certain = drafts.find(({ passes }) => passes <= 1);
  const obvious =
    certain !== undefined && drafts.every((d) => d === certain || d.estimate > lopsided * certain.estimate);
  const isLikely = (draft: Draft): boolean => (obvious ? draft === certain : draft.estimate <= doubt * least);
  const { made, missing } = makeWays(drafts, isLikely);
  const best = quickest(made);
  const rest = made.filter((way) => way !== best).map(candidateOf);
  const others = drafts
    .filter(({ name }) => !missing.has(name) && made.every((way) => way.name !== name))
    .map(({ name: way, passes, estimate: operations }) => ({ way, passes, operations, estimated: true }));
  return planned(situation, names, mode, best, [...rest, ...others], undefined, missing);
}

/**
 * Makes the ways that are likely to be the best; the others too, if none of those can be made: a function with a derivative rule of
 * its own may have one mode only.
 *
 * @throws what making the first way threw, if none can be made.
 */
function makeWays(drafts: readonly Draft[], isLikely: (draft: Draft) => boolean) {
  const made: Way[] = [];
  const missing = new Map<WayName, FluxionError>();
  const attempt = (draft: Draft): void => {
    try {
      made.push(draft.make());
    } catch (error) {
      if (!hasNoSuchMode(error)) throw error;
      missing.set(draft.name, error);
    }
  };
  drafts.filter(isLikely).forEach(attempt);
  if (made.length === 0) drafts.filter((draft) => !isLikely(draft)).forEach(attempt);
  if (made.length === 0) throw missing.values().next().value;
  return { made, missing };
}

/** Ways that take this many times the operations of the least count as equal to it: what they move decides. */
const equal = 1.1;

function quickest(ways: readonly Way[]): Way {
  const least = Math.min(...ways.map(({ operations }) => operations));
  return ways
    .filter(({ operations }) => operations <= equal * least)
    .reduce((a, b) => (effortOf(b) < effortOf(a) ? b : a));
}

/**
 * Operations, and what is moved to where it belongs: columns that forward passes give become rows. A loop in reverse walks
 * back over stacks that the loop itself walks along, which is more.
 */
const effortOf = ({ passes }: Way): number =>
  passes.reduce((n, { operations, colours, part, program }) => {
    const results = program.outputs.reduce((sum, { aval }) => sum + sizeOf(aval.shape), 0);
    const inPlace = colours === undefined && part.direction === "reverse";
    const moved = !inPlace ? results : hasLoop(program) ? 2 * results : 0;
    return n + operations + moved + perEquation * stepsOf(program);
  }, 0);

const hasLoop = (jaxpr: Jaxpr): boolean =>
  jaxpr.eqns.some(
    ({ primitive, params }) =>
      (primitive.lower?.kind === "control" && primitive.name !== "cond") || subJaxprs(params).some(hasLoop),
  );

/** Equations that run: those of a loop in every step, as far as their number is known. */
const stepsOf = (jaxpr: Jaxpr): number =>
  jaxpr.eqns.reduce((n, { params }) => {
    const times = typeof params.length === "number" ? params.length : 1;
    return n + 1 + times * subJaxprs(params).reduce((sum, body) => sum + stepsOf(body), 0);
  }, 0);

const indices = (mask: readonly boolean[]): number[] => mask.flatMap((is, i) => (is ? [i] : []));

const candidateOf = ({ name, size, operations }: Way): JacobianCandidate => ({
  way: name,
  passes: size,
  operations,
  estimated: false,
});

interface Draft {
  readonly name: WayName;
  readonly passes: number;
  readonly estimate: number;
  readonly make: () => Way;
}

function draftWays(situation: Situation): Draft[] {
  const { map, nonzero } = situation;
  const pass = jaxprCost(map.jaxpr).operations;
  const drafts: Draft[] = [];
  for (const direction of ["forward", "reverse"] as const) {
    const leaves = seedable(situation, direction);
    const n = elements(map, direction, leaves);
    drafts.push({
      name: direction,
      passes: n,
      estimate: n * (pass + n),
      make: () => singleWay(situation, direction, undefined),
    });
    const colouring = colourLeaves(situation, direction, leaves, nonzero);
    if (colouring === undefined) continue;
    drafts.push({
      name: direction === "forward" ? "compressedForward" : "compressedReverse",
      passes: colouring.count,
      estimate: colouring.count * (pass + n),
      make: () => singleWay(situation, direction, colouring),
    });
  }
  if (!drafts.every(({ passes }) => passes > 1)) return drafts;
  const blocks = seedable(situation, "forward").length + seedable(situation, "reverse").length;
  // With one leaf on each side there is one block; where one pass gives everything, nothing is left to divide.
  if (blocks > 2) {
    const way = attemptBlockwise(situation);
    if (way !== undefined)
      drafts.push({ name: way.name, passes: way.size, estimate: way.operations, make: () => way });
  }
  return drafts;
}

/** It mixes both modes, so that it is no way for a function that has one only. */
function attemptBlockwise(situation: Situation): Way | undefined {
  try {
    return blockwiseWay(situation);
  } catch (error) {
    if (hasNoSuchMode(error)) return undefined;
    throw error;
  }
}

function asAsked(situation: Situation, mode: Exclude<JacobianModeOrAuto, "auto">): Way {
  const direction = mode === "forward" || mode === "compressedForward" ? "forward" : "reverse";
  if (mode === direction) return singleWay(situation, direction, undefined);
  const leaves = seedable(situation, direction);
  return {
    ...singleWay(situation, direction, colourLeaves(situation, direction, leaves, situation.nonzero)),
    name: mode,
  };
}

const modeReason = (mode: JacobianModeOrAuto): string => `The mode ${JSON.stringify(mode)} was asked for.`;

function planned(
  situation: Situation,
  names: LeafNames,
  mode: JacobianModeOrAuto,
  way: Way,
  others: readonly JacobianCandidate[],
  asked: string | undefined,
  missing: ReadonlyMap<WayName, FluxionError> = new Map(),
): Plan {
  const { map, patterns } = situation;
  const blocks = way.source.flatMap((row, o) =>
    row.map((source, i) => blockOf(map, names, o, i, source, patterns?.[o][i])),
  );
  const candidates = [candidateOf(way), ...others].sort((a, b) => a.operations - b.operations);
  const sides = {
    rows: map.outAvals.reduce((n, t) => n + sizeOf(t.shape), 0),
    columns: map.inAvals.reduce((n, t) => n + sizeOf(t.shape), 0),
  };
  const reason = [asked ?? whyChosen(way, others), ...colourNote(way), ...missingNote(missing)].join(" ");
  return {
    way,
    patterns,
    explanation: new JacobianPlan(mode, way.name, candidates, blocks, reason, sides),
  };
}

const blockOf = (
  { outAvals, inAvals }: MapShape,
  { outputs, inputs }: LeafNames,
  o: number,
  i: number,
  source: Pass | undefined,
  pattern: SparsityPattern | undefined,
): JacobianBlock => {
  const [rows, columns] = [sizeOf(outAvals[o].shape), sizeOf(inAvals[i].shape)];
  return {
    output: outputs[o],
    input: inputs[i],
    rows,
    columns,
    nonzeros: source === undefined ? 0 : (pattern?.nonzeros ?? rows * columns),
    direction: source?.part.direction,
    passes: source?.size ?? 0,
  };
};

function whyChosen(way: Way, others: readonly JacobianCandidate[]): string {
  if (way.passes.length === 0) return "Nothing depends on the inputs: all blocks are zero.";
  const next = others.reduce<JacobianCandidate | undefined>(
    (a, b) => (a === undefined || b.operations < a.operations ? b : a),
    undefined,
  );
  const chosen = `${wayNames[way.name]}: ${plural(way.size, "pass", "passes")}`;
  const first = chosen[0].toUpperCase() + chosen.slice(1);
  if (next === undefined) return `${first}.`;
  const factor = next.operations / Math.max(1, way.operations);
  return factor < 1.05
    ? `${first}, about as many operations as ${wayNames[next.way]}.`
    : `${first}, ${rounded(factor, 2)} times fewer operations than ${wayNames[next.way]}.`;
}

/** What is to be said of modes that the function does not have: the first reason will do. */
function missingNote(missing: ReadonlyMap<WayName, FluxionError>): string[] {
  const first = missing.entries().next().value;
  return first === undefined ? [] : [`Not possible is ${wayNames[first[0]]}: ${first[1].message}.`];
}

/** What is to be said of colours: how many there are, or that they do not help. */
function colourNote(way: Way): string[] {
  const compressed = way.passes.filter(({ colours }) => colours !== undefined);
  if (compressed.length > 0)
    return compressed.map(({ part, size, colours }) => {
      const [what, line] = part.direction === "forward" ? ["inputs", "output"] : ["outputs", "input"];
      const leaves = part.types.map(describe).join(", ");
      return `${showCount(colours?.length ?? 0)} ${what} (${leaves}) in ${plural(size, "colour")}: those of one colour share no ${line}.`;
    });
  if (way.name.startsWith("compressed")) {
    const what = way.name === "compressedForward" ? "inputs" : "outputs";
    return [`No two ${what} can share a pass: the colours are as many as the ${what}.`];
  }
  return [];
}
