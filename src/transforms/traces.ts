/**
 * What `jit` remembers of each time it traced a function, and how the types of one call differ from those of another:
 * that is why a function is traced again. Remembering is cheap; differences are found when they are asked for.
 */
import { type Aval, describe } from "../core/aval.js";
import { describeSource, type Source } from "../core/source.js";
import { keystr, type Path, type TreeDef } from "../core/tree.js";
import { describeNode } from "../core/treeDef.js";

/** What the arguments of a call are to the cache. */
export interface Signature {
  /** Of the arguments that are not static. */
  readonly treedef: TreeDef;
  /** Of the leaves. */
  readonly avals: readonly Aval[];
  /** Static arguments by position: key and text. */
  readonly statics: ReadonlyMap<number, { readonly key: string; readonly text: string }>;
}

/** One time that a function was traced. */
export interface TraceRecord extends Signature {
  /** Counted from 1. */
  readonly number: number;
  /** Of the key in the cache. */
  readonly key: string;
  readonly source: Source | undefined;
  /** The transforms whose traced arrays an earlier program with the same key had closed over, if that is the reason. */
  readonly outer: readonly string[] | undefined;
}

/** One way in which a call differs from an earlier one. */
export interface Change {
  readonly kind: "type" | "weakType" | "tree" | "static" | "outer";
  /** `argument 0.w1`, or what the change is about. */
  readonly where: string;
  /** What it was, and what it is now; empty where nothing was, or is. */
  readonly before: string;
  readonly now: string;
}

const showType = (a: Aval): string => `${describe(a)}${a.weakType ? " (weak)" : ""}`;

/** The position of each traced argument in the call. */
function positions({ treedef, statics }: Signature): number[] {
  const found: number[] = [];
  for (let i = 0; found.length < treedef.arity; i++) if (!statics.has(i)) found.push(i);
  return found;
}

const argument = ([position, ...path]: Path, places: readonly number[]): string =>
  `argument ${places[position as number]}${keystr(path)}`;

/** What each leaf of the arguments is called: `argument 0.w1`. */
export function argumentNames(signature: Signature): string[] {
  const places = positions(signature);
  return signature.treedef.paths().map((path) => argument(path, places));
}

/** How the signature of a call differs from that of an earlier one; empty if it does not. */
export function changes(before: Signature, now: Signature): Change[] {
  const countOf = ({ treedef, statics }: Signature): number => treedef.arity + statics.size;
  const [old, fresh] = [countOf(before), countOf(now)];
  if (old !== fresh)
    return [{ kind: "tree", where: "the number of arguments", before: String(old), now: String(fresh) }];
  const places = positions(now);
  const found: Change[] = treeChanges(before.treedef, now.treedef, (path) => argument(path, places));
  if (found.length === 0) {
    const names = argumentNames(now);
    for (const [i, type] of now.avals.entries()) {
      const old = before.avals[i];
      const where = names[i];
      if (describe(old) !== describe(type) || old.weakType !== type.weakType)
        found.push({
          kind: describe(old) === describe(type) ? "weakType" : "type",
          where,
          before: showType(old),
          now: showType(type),
        });
    }
  }
  for (const i of new Set([...before.statics.keys(), ...now.statics.keys()])) {
    const [a, b] = [before.statics.get(i), now.statics.get(i)];
    if (a?.key === b?.key) continue;
    const where = `static argument ${i}`;
    const same = a !== undefined && a.text === b?.text;
    found.push({
      kind: "static",
      where,
      before: a?.text ?? "",
      now: same ? `another ${b?.text.replace(/^an /, "")}` : (b?.text ?? ""),
    });
  }
  return found;
}

/** Where two structures differ. */
function treeChanges(before: TreeDef, now: TreeDef, where: (path: Path) => string): Change[] {
  const found: Change[] = [];
  const todo: [TreeDef, TreeDef, Path][] = [[before, now, []]];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const [a, b, path] = next;
    if (a.equals(b)) continue;
    const change = (at: Path, old: string, fresh: string): void =>
      void found.push({ kind: "tree", where: where(at), before: old, now: fresh });
    if (a.type !== b.type || (a.keys === undefined && a.arity !== b.arity)) {
      change(path, describeNode(a), describeNode(b));
      continue;
    }
    if (a.auxKey !== b.auxKey)
      change(path, `${describeNode(a)} and aux ${a.auxKey}`, `${describeNode(b)} and aux ${b.auxKey}`);
    const keysOf = (def: TreeDef) => def.children.map((_, i) => def.childKey(i));
    const [old, fresh] = [keysOf(a), keysOf(b)];
    for (const [i, key] of old.entries()) {
      const k = fresh.indexOf(key);
      if (k < 0) change([...path, key], describeNode(a.children[i]), "");
      else todo.push([a.children[i], b.children[k], [...path, key]]);
    }
    for (const [k, key] of fresh.entries())
      if (!old.includes(key)) change([...path, key], "", describeNode(b.children[k]));
  }
  return found;
}

/** `argument 0.w1: float32[3,2] became float32[4,2]`. */
export function showChange({ kind, where, before, now }: Change): string {
  if (kind === "outer") return `it had closed over traced arrays of ${before}, which are gone`;
  if (before === "") return `${where} is new: ${now}`;
  if (now === "") return `${where} is gone: it was ${before}`;
  return `${where}: ${before} became ${now}`;
}

/** Why a function was traced, told from what it had been traced for before. */
export interface TraceReason {
  readonly number: number;
  /** The line of the call in user code, if it is known. */
  readonly calledAt: string | undefined;
  /** The earlier trace that is most like it; undefined for the first. */
  readonly nearest: number | undefined;
  readonly changes: readonly Change[];
}

/** Why the last of these records was needed: the differences from the earlier one that it is most like. */
export function reasonFor(earlier: readonly TraceRecord[], record: TraceRecord): TraceReason {
  const { number, outer } = record;
  const calledAt = describeSource(record.source);
  if (outer !== undefined) {
    const nearest = earlier.findLast((r) => r.key === record.key)?.number;
    const change: Change = { kind: "outer", where: "constants", before: outer.join(", "), now: "" };
    return { number, calledAt, nearest, changes: [change] };
  }
  let nearest: number | undefined;
  let fewest: Change[] = [];
  for (const other of earlier) {
    const found = changes(other, record);
    // A tree with other leaves is further away than one with other types.
    if (nearest !== undefined && distance(found) > distance(fewest)) continue;
    nearest = other.number;
    fewest = found;
  }
  return { number, calledAt, nearest, changes: fewest };
}

const distance = (found: readonly Change[]): number =>
  found.reduce((sum, { kind }) => sum + (kind === "tree" ? 1000 : kind === "weakType" ? 0.5 : 1), 0);
