/** Ways to a Jacobian: sets of passes that together give every block in which there can be anything. */
import { sizeOf } from "../../core/aval.js";
import { SparsityPattern } from "../../core/pattern.js";
import { joined, type LeafCosts } from "./blocks.js";
import { type Colouring, colourColumns, widestRow } from "./colouring.js";
import { cheapestCover } from "./cover.js";
import { type Direction, forwardPart, type MapShape, makePass, type Pass, reversePart } from "./passes.js";

/** Names of ways as users ask for them; `blockwise` is one that mixes. */
export type WayName = "forward" | "reverse" | "compressedForward" | "compressedReverse" | "blockwise";

export interface Way {
  readonly name: WayName;
  readonly passes: readonly Pass[];
  /** For each block [output][input] the pass that gives it; undefined where it is zero. */
  readonly source: readonly (readonly (Pass | undefined)[])[];
  /** Seeds of all passes together. */
  readonly size: number;
  /** Counted. */
  readonly operations: number;
}

/** What ways are made from. */
export interface Situation {
  readonly map: MapShape;
  /** Patterns of all blocks, if they are worth knowing. */
  readonly patterns: readonly (readonly SparsityPattern[])[] | undefined;
  /** In which blocks there can be anything. */
  readonly nonzero: readonly (readonly boolean[])[];
  readonly costs: LeafCosts;
}

/** Colours are worth having if they are fewer than the elements by this factor. */
const worthwhile = 0.9;

/** Leaves in whose column or row of blocks there is something. */
export const seedable = ({ nonzero }: Situation, direction: Direction): number[] =>
  direction === "forward"
    ? (nonzero[0] ?? []).flatMap((_, i) => (nonzero.some((row) => row[i]) ? [i] : []))
    : nonzero.flatMap((row, o) => (row.includes(true) ? [o] : []));

const sizeOfLeaf = (map: MapShape, direction: Direction, leaf: number): number =>
  sizeOf((direction === "forward" ? map.inAvals : map.outAvals)[leaf].shape);

/** How many elements leaves have together. */
export const elements = (map: MapShape, direction: Direction, leaves: readonly number[]): number =>
  leaves.reduce((n, leaf) => n + sizeOfLeaf(map, direction, leaf), 0);

/**
 * Colours for the elements of some leaves, if few will do.
 *
 * @param wanted which blocks [output][input] are to be read.
 */
export function colourLeaves(
  { map, patterns }: Situation,
  direction: Direction,
  leaves: readonly number[],
  wanted: readonly (readonly boolean[])[],
): Colouring | undefined {
  if (patterns === undefined || leaves.length === 0) return undefined;
  const none = (o: number, i: number): SparsityPattern =>
    SparsityPattern.none(sizeOf(map.outAvals[o].shape), sizeOf(map.inAvals[i].shape));
  const block = (o: number, i: number): SparsityPattern => (wanted[o][i] ? patterns[o][i] : none(o, i));
  const others = (direction === "forward" ? map.outAvals : map.inAvals).map((_, k) => k);
  const blocks =
    direction === "forward"
      ? others.map((o) => leaves.map((i) => block(o, i)))
      : leaves.map((o) => others.map((i) => block(o, i)));
  const pattern = joined(blocks);
  if (pattern.isFull) return undefined;
  const turned = pattern.transposed();
  const [columns, rows] = direction === "forward" ? [pattern, turned] : [turned, pattern];
  const total = columns.columns;
  if (widestRow(columns) >= worthwhile * total) return undefined;
  const colouring = colourColumns(columns, rows);
  return colouring.count < worthwhile * total ? colouring : undefined;
}

/** One pass for the wanted blocks of some leaves. */
function passFor(
  situation: Situation,
  direction: Direction,
  leaves: readonly number[],
  wanted: readonly (readonly boolean[])[],
  colouring: Colouring | undefined,
): Pass {
  const { map } = situation;
  const others =
    direction === "forward"
      ? wanted.flatMap((row, o) => (leaves.some((i) => row[i]) ? [o] : []))
      : map.inAvals.flatMap((_, i) => (leaves.some((o) => wanted[o][i]) ? [i] : []));
  const part = direction === "forward" ? forwardPart(map, leaves, others) : reversePart(map, leaves, others);
  return makePass(part, colouring);
}

function wayOf({ map, nonzero }: Situation, name: WayName, passes: readonly Pass[]): Way {
  const source = nonzero.map((row, o) =>
    row.map((is, i) =>
      is
        ? passes.find(({ part: { direction, seeded, given } }) =>
            direction === "forward"
              ? seeded.includes(i) && given.includes(o)
              : seeded.includes(o) && given.includes(i),
          )
        : undefined,
    ),
  );
  return {
    name,
    passes,
    source: map.outAvals.map((_, o) => source[o] ?? []),
    size: passes.reduce((n, pass) => n + pass.size, 0),
    operations: passes.reduce((n, pass) => n + pass.operations, 0),
  };
}

/** All leaves of one side in one pass. */
export function singleWay(situation: Situation, direction: Direction, colouring: Colouring | undefined): Way {
  const leaves = seedable(situation, direction);
  const passes =
    leaves.length === 0 ? [] : [passFor(situation, direction, leaves, situation.nonzero, colouring)];
  const plain = direction === "forward" ? "forward" : "reverse";
  const compressed = direction === "forward" ? "compressedForward" : "compressedReverse";
  return wayOf(situation, colouring === undefined ? plain : compressed, passes);
}

/** Which blocks [output][input] are given by forward passes; the other nonzero ones by reverse passes. */
type Assignment = boolean[][];

/**
 * Block by block: each is given by the forward pass of its input or by the reverse pass of its output. If what a pass costs did
 * not depend on the blocks it has to give, the cheapest choice of passes that leaves no block out would be a minimum-weight
 * vertex cover of the graph whose edges are the blocks. Colours make it depend on them, so that is where a search begins.
 */
export function blockwiseWay(situation: Situation): Way {
  const { map, nonzero } = situation;
  const weigh = weighing(situation);
  const column = (i: number): boolean[] => nonzero.map((row) => row[i]);
  const cover = cheapestCover(
    nonzero,
    nonzero.map((row, o) => (row.includes(true) ? weigh("reverse", o, row) : 0)),
    map.inAvals.map((_, i) => (column(i).includes(true) ? weigh("forward", i, column(i)) : 0)),
  );
  const starts: Assignment[] = [
    nonzero.map((row, o) => row.map(() => !cover.rows[o])),
    nonzero.map((row) => row.map(() => true)),
    nonzero.map((row) => row.map(() => false)),
  ];
  const found = starts.map((start) => improve(situation, start, weigh));
  const { assignment } = found.reduce((a, b) => (b.weight < a.weight ? b : a));
  const byColumn = nonzero.map((row, o) => row.map((has, i) => has && assignment[o][i]));
  const byRow = nonzero.map((row, o) => row.map((has, i) => has && !assignment[o][i]));
  return wayOf(situation, "blockwise", [
    ...passesOf(situation, "forward", byColumn),
    ...passesOf(situation, "reverse", byRow),
  ]);
}

/** What a pass of a leaf costs that gives the wanted ones of its blocks: an estimate. */
type Weigh = (direction: Direction, leaf: number, wanted: readonly boolean[]) => number;

function weighing(situation: Situation): Weigh {
  const { map, nonzero, costs } = situation;
  const known = new Map<string, number>();
  return (direction, leaf, wanted) => {
    if (!wanted.includes(true)) return 0;
    const key = `${direction} ${leaf} ${wanted.map(Number).join("")}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const forward = direction === "forward";
    const blocks = nonzero.map((row, o) =>
      row.map((_, i) => (forward ? i === leaf && wanted[o] : o === leaf && wanted[i])),
    );
    const n = sizeOfLeaf(map, direction, leaf);
    const size = colourLeaves(situation, direction, [leaf], blocks)?.count ?? n;
    const weight = size * (n + (forward ? costs.inputs : costs.outputs)[leaf]);
    known.set(key, weight);
    return weight;
  };
}

/** Searches of more blocks than this stay where they begin. */
const searchable = 64;

/** Gives single blocks, and all blocks of a leaf, to the other direction as long as that saves something. */
function improve(
  { nonzero }: Situation,
  start: Assignment,
  weigh: Weigh,
): { readonly assignment: Assignment; readonly weight: number } {
  const columns = (nonzero[0] ?? []).map((_, i) => i);
  const weightOf = (assigned: Assignment): number => {
    let sum = 0;
    for (const i of columns)
      sum += weigh(
        "forward",
        i,
        nonzero.map((row, o) => row[i] && assigned[o][i]),
      );
    for (const [o, row] of nonzero.entries())
      sum += weigh(
        "reverse",
        o,
        row.map((has, i) => has && !assigned[o][i]),
      );
    return sum;
  };
  let assignment = start;
  let weight = weightOf(start);
  const blocks = nonzero.flatMap((row, o) => row.flatMap((has, i) => (has ? [[o, i] as const] : [])));
  if (blocks.length > searchable) return { assignment, weight };
  const moves: ((o: number, i: number, was: boolean) => boolean)[] = [
    ...columns.flatMap((k) =>
      [true, false].map((to) => (_: number, i: number, was: boolean) => (i === k ? to : was)),
    ),
    ...nonzero.flatMap((_, k) =>
      [true, false].map((to) => (o: number, __: number, was: boolean) => (o === k ? to : was)),
    ),
    ...blocks.map(
      ([p, k]) =>
        (o: number, i: number, was: boolean) =>
          o === p && i === k ? !was : was,
    ),
  ];
  for (let improved = true; improved; ) {
    improved = false;
    for (const move of moves) {
      const next = assignment.map((row, o) => row.map((was, i) => move(o, i, was)));
      const cost = weightOf(next);
      if (cost >= weight) continue;
      [assignment, weight, improved] = [next, cost, true];
    }
  }
  return { assignment, weight };
}

/** An equation more costs about as much as so many operations: ways with many small passes have to be worth it. */
export const perEquation = 500;

const price = (passes: readonly Pass[]): number =>
  passes.reduce((n, { operations, program }) => n + operations + perEquation * program.eqns.length, 0);

/** Passes in one direction for the wanted blocks: one for each leaf, or one for all, whichever is cheaper. */
function passesOf(
  situation: Situation,
  direction: Direction,
  wanted: readonly (readonly boolean[])[],
): readonly Pass[] {
  const forward = direction === "forward";
  const leaves = forward
    ? situation.map.inAvals.flatMap((_, i) => (wanted.some((row) => row[i]) ? [i] : []))
    : wanted.flatMap((row, o) => (row.includes(true) ? [o] : []));
  if (leaves.length === 0) return [];
  const together = (some: readonly number[]): Pass => {
    const own = wanted.map((row, o) => row.map((is, i) => is && some.includes(forward ? i : o)));
    return passFor(situation, direction, some, own, colourLeaves(situation, direction, some, own));
  };
  const all = [together(leaves)];
  if (leaves.length === 1) return all;
  const each = leaves.map((leaf) => together([leaf]));
  return price(each) < price(all) ? each : all;
}
