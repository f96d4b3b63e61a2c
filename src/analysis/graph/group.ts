/**
 * Large programs become readable when operations that belong together are one node. A group is a run of operations that follow
 * each other in the program, so that data flows one way between groups as it does between operations.
 */
import { userFrame } from "../../core/source.js";
import { formOf, symbolOf } from "./notation.js";
import { type Operation, Variable } from "./program.js";

const longestSummary = 28;

/** Operations that are drawn as one node. */
export class Group {
  constructor(
    readonly operations: readonly Operation[],
    /** Where they come from: `model.ts:12`, or the name of a function. */
    readonly origin: string | undefined,
    /** How often the same structure comes one after the other. */
    readonly repeats: number,
  ) {}

  get id(): string {
    return `g_${this.operations[0].id}`;
  }

  /** The operations in it, each once: `@ + tanh`. */
  get summary(): string {
    const symbols = new Set(this.operations.map((op) => symbolOf(formOf(op.eqn), [])));
    const shown: string[] = [];
    for (const name of symbols) {
      if (shown.join("  ").length + name.length > longestSummary) return `${shown.join("  ")}  …`;
      shown.push(name);
    }
    return shown.join("  ");
  }
}

export type Unit = Operation | Group;

/** By which operations are grouped. */
export type Grouping = "line" | "function" | "repeats" | "auto";

interface Run {
  readonly operations: readonly Operation[];
  readonly origin: string | undefined;
  readonly key: string;
  readonly repeats: number;
}

/**
 * A list of operations as groups and, where a group would have one, operations.
 *
 * @param limit how many there may be at the most, by "auto".
 */
export function groupOperations(operations: readonly Operation[], by: Grouping, limit: number): Unit[] {
  if (by === "auto" && operations.length <= limit) return [...operations];
  let runs = operations.map(
    (op): Run => ({ operations: [op], origin: undefined, key: structureOf(op), repeats: 1 }),
  );
  if (by !== "repeats") {
    const lines = operations.map((op) => placeOf(op));
    if (by === "line" || (by === "auto" && lines.some((x) => x.line !== undefined)))
      runs = joinEqual(
        runs,
        lines.map((x) => x.line),
      );
    else if (by === "function")
      runs = joinEqual(
        runs,
        lines.map((x) => x.function),
      );
  }
  if (by === "repeats" || (by === "auto" && runs.length > limit)) runs = foldRepeats(runs);
  if (by === "auto") runs = joinSmallest(runs, limit);
  return runs.map((run) =>
    run.operations.length === 1
      ? run.operations[0]
      : new Group(run.operations, run.origin, Math.max(run.repeats, repeatsIn(run.operations))),
  );
}

/** What an operation is, without what it is applied to: equal for the same operation of another layer. */
const structureOf = ({ eqn }: Operation): string =>
  `${eqn.primitive.name}:${eqn.outputs.map((v) => `${v.aval.dtype}[${v.aval.shape.join(",")}]`).join(";")}`;

/** The user's line, and the function it stands in. */
function placeOf({ eqn }: Operation): { line: string | undefined; function: string | undefined } {
  const stack = eqn.source?.stack;
  const frame = userFrame(stack);
  if (frame === undefined) return { line: undefined, function: undefined };
  // A page's files may have a query behind their name.
  const [file, line] = /([^/?]+)(?:\?[^/]*)?:(\d+):\d+$/.exec(frame)?.slice(1) ?? [frame, ""];
  const text = stack?.split("\n").find((l) => l.includes(frame));
  const name = /at (?:async )?(?:Object\.)?([^\s(]+) \(/.exec(text ?? "")?.[1];
  return { line: `${file}:${line}`, function: name ?? `${file}:${line}` };
}

/** Joins neighbours of the same origin, and neighbours of which none is known. */
function joinEqual(runs: readonly Run[], origins: readonly (string | undefined)[]): Run[] {
  const joined: Run[] = [];
  for (const [i, run] of runs.entries()) {
    const [last, origin] = [joined.at(-1), origins[i]];
    if (last !== undefined && last.origin === origin && origin !== undefined)
      joined[joined.length - 1] = join(last, run);
    else joined.push({ ...run, origin });
  }
  return joined;
}

const join = (a: Run, b: Run): Run => ({
  operations: [...a.operations, ...b.operations],
  origin:
    a.origin === b.origin
      ? a.origin
      : a.origin === undefined || b.origin === undefined
        ? (a.origin ?? b.origin)
        : span(a.origin, b.origin),
  key: `${a.key}|${b.key}`,
  repeats: 1,
});

/** `model.ts:3` and `model.ts:7`: `model.ts:3–7`. */
function span(a: string, b: string): string {
  const [fileA, fromA, toA] = lineRange(a);
  const [fileB, fromB, toB] = lineRange(b);
  if (fileA !== fileB || fromA === undefined || fromB === undefined) return `${a}, ${b}`.slice(0, 60);
  const [low, high] = [Math.min(fromA, fromB), Math.max(toA ?? fromA, toB ?? fromB)];
  return low === high ? `${fileA}:${low}` : `${fileA}:${low}–${high}`;
}

function lineRange(origin: string): [file: string, from: number | undefined, to: number | undefined] {
  const match = /^(.*):(\d+)(?:–(\d+))?$/.exec(origin);
  if (match === null) return [origin, undefined, undefined];
  return [match[1], Number(match[2]), match[3] === undefined ? undefined : Number(match[3])];
}

const longestPeriod = 64;

/** Where a sequence of runs comes several times in a row, as layers do, all of it becomes one run. */
function foldRepeats(runs: readonly Run[]): Run[] {
  const folded: Run[] = [];
  for (let i = 0; i < runs.length; ) {
    let best = { period: 1, count: 1 };
    for (let period = 1; period <= longestPeriod && i + 2 * period <= runs.length; period++) {
      let count = 1;
      while (sameKeys(runs, i, i + count * period, period)) count++;
      // The most operations, and of equals the shortest period.
      if (count > 1 && count * period > best.count * best.period) best = { period, count };
    }
    const end = i + best.period * best.count;
    const members = runs.slice(i, end);
    folded.push(best.count === 1 ? members[0] : { ...members.reduce(join), repeats: best.count });
    i = end;
  }
  return folded;
}

/**
 * How often the shortest structure comes that a run consists of, whole times; 1 for none. The first and the last time may differ: the
 * first layer's input has no gradient.
 */
function repeatsIn(operations: readonly Operation[]): number {
  const keys = operations.map(structureOf);
  for (let period = 1; period <= longestPeriod && 4 * period <= keys.length; period++) {
    const inner = keys.slice(period, keys.length - period);
    if (inner.every((key, i) => i < period || key === inner[i - period]))
      return Math.floor(keys.length / period);
  }
  return 1;
}

function sameKeys(runs: readonly Run[], a: number, b: number, period: number): boolean {
  if (b + period > runs.length) return false;
  for (let k = 0; k < period; k++) if (runs[a + k].key !== runs[b + k].key) return false;
  return true;
}

/** Joins the two neighbours that are smallest together, until there are few enough. */
function joinSmallest(runs: readonly Run[], limit: number): Run[] {
  const left = [...runs];
  while (left.length > limit) {
    let at = 0;
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i + 1 < left.length; i++) {
      const size = left[i].operations.length + left[i + 1].operations.length;
      if (size < least) [at, least] = [i, size];
    }
    left.splice(at, 2, join(left[at], left[at + 1]));
  }
  return left;
}

/** Values that come from outside of a group, and those that leave it. */
export function boundaryOf(
  { operations }: Group,
  uses: ReadonlyMap<Variable, readonly Operation[]>,
  kept: ReadonlySet<Variable>,
): { readonly inputs: readonly Variable[]; readonly outputs: readonly Variable[] } {
  const members = new Set(operations);
  const made = new Set(operations.flatMap((op) => op.outputs));
  const inputs = new Set<Variable>();
  for (const op of operations)
    for (const x of op.inputs) if (x instanceof Variable && !made.has(x)) inputs.add(x);
  const outputs = [...made].filter(
    (v) => kept.has(v) || (uses.get(v) ?? []).some((user) => !members.has(user)),
  );
  return { inputs: [...inputs], outputs };
}
