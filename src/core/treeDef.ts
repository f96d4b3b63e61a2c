/** The structure of a tree: all but its leaves (`TreeDef`), and places in it (`Path`). */
import { TreeMismatchError } from "./errors.js";
import { auxKey, type ContainerClass, type NodeType, noAux, type PathKey } from "./treeRegistry.js";

/** The way from the root of a tree to a node. */
export type Path = readonly PathKey[];

const identifier = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

/**
 * A path as one would write it in code.
 *
 * @example
 * tree.keystr(["w", 0, "b"]);      // ".w[0].b"
 * tree.keystr(["two words", "0"]); // '["two words"]["0"]'
 */
export function keystr(path: Path): string {
  return path
    .map((key) => (typeof key === "string" && identifier.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`))
    .join("");
}

/** A path in a sentence. */
export const place = (path: Path): string => (path.length === 0 ? "the root" : keystr(path));

/** What one node of a structure is, without its children. */
export interface NodeInfo {
  readonly type: NodeType;
  readonly arity: number;
  /** Names of the children of an object or class; undefined where they have only positions. */
  readonly keys: readonly PathKey[] | undefined;
  readonly auxKey: string;
}

let ids = 0;

/**
 * The structure of a tree: all but its leaves. Immutable.
 *
 * `flatten` makes equal structures the same object wherever it can, so that `equals` is mostly a comparison of
 * references, and `key` is mostly computed already.
 */
export class TreeDef implements NodeInfo {
  /** The number of leaves. */
  readonly numLeaves: number;
  /** The number of all nodes: containers, nulls and leaves. */
  readonly numNodes: number;
  /** For the table of known structures; it says nothing about equality. @internal */
  readonly id = ++ids;
  #key: string | undefined;

  /** @internal Use `flatten`, `structure` or `tupleDef`. */
  constructor(
    readonly type: NodeType,
    readonly children: readonly TreeDef[],
    readonly keys: readonly PathKey[] | undefined,
    readonly aux: unknown,
    readonly auxKey: string,
    /** Whether it stands in the table of known structures. @internal */
    readonly known: boolean,
  ) {
    let leaves = type === "leaf" ? 1 : 0;
    let nodes = 1;
    for (const child of children) {
      leaves += child.numLeaves;
      nodes += child.numNodes;
    }
    this.numLeaves = leaves;
    this.numNodes = nodes;
    Object.freeze(children);
    Object.freeze(keys);
    Object.freeze(this);
  }

  get arity(): number {
    return this.children.length;
  }

  /** Whether both are the same structure: containers, keys, classes and their aux. */
  equals(other: TreeDef): boolean {
    if (this === other) return true;
    return this.numNodes === other.numNodes && this.numLeaves === other.numLeaves && this.key === other.key;
  }

  /** A text that two structures share if and only if they are equal: `{b: [*, *], w: null}`. Computed once. */
  get key(): string {
    if (this.#key === undefined) this.#key = writeKey(this);
    return this.#key;
  }

  /** The key, where it has been computed. @internal */
  get keyIfKnown(): string | undefined {
    return this.#key;
  }

  toString(): string {
    return `TreeDef(${this.key})`;
  }

  /** What `console.log` prints in Node. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  /** The step to child `i`. */
  childKey(i: number): PathKey {
    return this.keys === undefined ? i : this.keys[i];
  }

  /** The paths of the leaves, in order. */
  paths(): Path[] {
    if (this.type === "leaf") return [[]];
    const found: Path[] = [];
    const path: PathKey[] = [];
    const open: { def: TreeDef; next: number }[] = [{ def: this, next: 0 }];
    while (open.length > 0) {
      const top = open[open.length - 1];
      if (top.next === top.def.children.length) {
        open.pop();
        path.pop();
        continue;
      }
      const child = top.def.children[top.next];
      path.push(top.def.childKey(top.next++));
      if (child.type !== "leaf") open.push({ def: child, next: 0 });
      else {
        found.push(path.slice());
        path.pop();
      }
    }
    return found;
  }

  /** The path of node `n`, counted from 0 at the root, parents before children. */
  pathOfNode(n: number): Path {
    const path: PathKey[] = [];
    let def: TreeDef = this;
    let left = n;
    while (left > 0) {
      left--;
      let i = 0;
      while (left >= def.children[i].numNodes) left -= def.children[i++].numNodes;
      path.push(def.childKey(i));
      def = def.children[i];
    }
    return path;
  }
}

/** Written with a stack of its own, as all walks here, because trees may be deeper than JavaScript's. */
function writeKey(root: TreeDef): string {
  const parts: string[] = [];
  const todo: (TreeDef | string)[] = [root];
  while (todo.length > 0) {
    const top = todo.pop() as TreeDef | string;
    if (typeof top === "string") parts.push(top);
    else if (top.keyIfKnown !== undefined) parts.push(top.keyIfKnown);
    else if (top.type === "leaf") parts.push("*");
    else if (top.type === "null" || top.type === "undefined") parts.push(top.type);
    else {
      const [open, close] = brackets(top.type);
      parts.push(open);
      if (top.auxKey !== "") parts.push("<", top.auxKey, ">");
      if (typeof top.type === "object") parts.push("(");
      todo.push(close);
      for (let i = top.children.length - 1; i >= 0; i--) {
        todo.push(top.children[i]);
        const name = top.keys === undefined ? "" : `${fieldName(top.keys[i])}: `;
        todo.push(i === 0 ? name : `, ${name}`);
      }
    }
  }
  return parts.join("");
}

function brackets(type: "array" | "object" | ContainerClass): readonly [string, string] {
  if (type === "array") return ["[", "]"];
  return type === "object" ? ["{", "}"] : [`${type.name}#${type.id}`, ")"];
}

const fieldName = (key: PathKey): string =>
  typeof key === "string" && identifier.test(key) ? key : JSON.stringify(key);

const none: readonly TreeDef[] = [];

/** The structure of a leaf. */
export const leafDef = new TreeDef("leaf", none, undefined, undefined, "", true);
/** The structure of `null`. */
export const nullDef = new TreeDef("null", none, undefined, undefined, "", true);
/** The structure of `undefined`. */
export const undefinedDef = new TreeDef("undefined", none, undefined, undefined, "", true);

// Arguments of a function are mostly a few arrays: these structures are kept for ever, by their length.
const flatTuples: TreeDef[] = [];
const maxFlatTuple = 32;

// The other structures are remembered until there are too many, when the table starts afresh; nothing depends on it.
let table = new Map<number, TreeDef[]>();
let tableSize = 0;
const maxTableSize = 4096;
const maxKnownArity = 1024;

/** The structure with these children, which is a known one if there is one like it. The arrays given are kept. */
export function makeDef(
  type: "array" | "object" | ContainerClass,
  children: TreeDef[],
  givenKeys?: readonly PathKey[],
  aux?: unknown,
): TreeDef {
  // Names that a class gives stay its own: it may change them later.
  const keys = typeof type === "object" ? givenKeys?.slice() : givenKeys;
  const { text, shareable } = aux === undefined ? noAux : auxKey(aux);
  let hash = typeof type === "object" ? type.id + 2 : type === "array" ? 0 : 1;
  hash = Math.imul(hash, 31) + text.length;
  let flat = true;
  let known = shareable && children.length <= maxKnownArity;
  for (const child of children) {
    hash = Math.imul(hash, 31) + child.id;
    flat &&= child === leafDef;
    known &&= child.known;
  }
  if (type === "array" && flat && children.length <= maxFlatTuple) {
    flatTuples[children.length] ??= new TreeDef("array", children, undefined, undefined, "", true);
    return flatTuples[children.length];
  }
  // Aux that its owner may change must not be handed to others that look the same today.
  if (!known) return new TreeDef(type, children, keys, aux, text, false);
  if (keys !== undefined) for (const key of keys) hash = Math.imul(hash, 31) + hashName(key);
  const bucket = table.get(hash) ?? [];
  for (const def of bucket) {
    if (
      def.type === type &&
      def.auxKey === text &&
      sameItems(def.children, children) &&
      sameItems(def.keys, keys)
    )
      return def;
  }
  const def = new TreeDef(type, children, keys, aux, text, true);
  if (++tableSize > maxTableSize) {
    table = new Map();
    tableSize = 1;
  }
  table.set(hash, [...bucket, def]);
  return def;
}

// Length and ends tell most names apart, and reading all of a name would cost more than a collision.
function hashName(key: PathKey): number {
  if (typeof key === "number") return key;
  return key.length + 64 * (key.charCodeAt(0) | 0) + 4096 * (key.charCodeAt(key.length - 1) | 0);
}

/** The structure of an array of trees with the given structures. */
export const tupleDef = (children: readonly TreeDef[]): TreeDef => makeDef("array", children.slice());

function sameItems(a: readonly unknown[] | undefined, b: readonly unknown[] | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** How two nodes differ, as `an array of 2 entries there, one of 3 here`; undefined if they do not. */
export function nodeDifference(there: NodeInfo, here: NodeInfo): string | undefined {
  if (there.type !== here.type) return `${describeNode(there)} there, ${describeNode(here)} here`;
  if (there.auxKey !== here.auxKey)
    return `${describeNode(there)} with aux ${there.auxKey || "undefined"} there, one with ${here.auxKey || "undefined"} here`;
  if (there.keys === undefined || here.keys === undefined)
    return there.arity === here.arity && there.keys === here.keys
      ? undefined
      : `${describeNode(there)} there, ${there.keys === here.keys ? `one of ${here.arity}` : describeNode(here)} here`;
  if (sameItems(there.keys, here.keys)) return undefined;
  const missing = there.keys.filter((key) => !here.keys?.includes(key));
  const extra = here.keys.filter((key) => !there.keys?.includes(key));
  const changes = [
    ...(missing.length > 0 ? [`${listKeys(missing)} missing`] : []),
    ...(extra.length > 0 ? [`${listKeys(extra)} extra`] : []),
    ...(missing.length + extra.length === 0 ? ["its keys in another order"] : []),
  ];
  return `${describeNode(there)} there, here ${changes.join(" and ")}`;
}

/** A node in words. */
export function describeNode({ type, arity, keys }: NodeInfo): string {
  if (type === "leaf") return "a leaf";
  if (type === "null" || type === "undefined") return type;
  const noun = type === "array" ? "an array" : type === "object" ? "an object" : `a ${type.name}`;
  if (keys === undefined) return `${noun} of ${arity} ${arity === 1 ? "entry" : "entries"}`;
  return arity === 0 ? `${noun} without keys` : `${noun} with ${listKeys(keys)}`;
}

function listKeys(keys: readonly PathKey[]): string {
  const shown = keys.slice(0, 8).map(fieldName).join(", ");
  const more = keys.length > 8 ? `, ... (${keys.length} in all)` : "";
  return `${keys.length === 1 ? "key" : "keys"} ${shown}${more}`;
}

/**
 * The first difference of two structures, as `at .w[1]: an array of 2 entries there, one of 3 here`, where "there" is
 * the first and "here" the second; undefined if they are equal.
 */
export function difference(there: TreeDef, here: TreeDef): string | undefined {
  const todo: [TreeDef, TreeDef][] = [[there, here]];
  let node = 0;
  while (todo.length > 0) {
    const [a, b] = todo.pop() as [TreeDef, TreeDef];
    if (a === b) {
      node += a.numNodes;
      continue;
    }
    const text = nodeDifference(a, b);
    if (text !== undefined) return `at ${place(there.pathOfNode(node))}: ${text}`;
    node++;
    for (let i = a.children.length - 1; i >= 0; i--) todo.push([a.children[i], b.children[i]]);
  }
  return undefined;
}

/**
 * Asserts that two structures are equal; `what` says in the error who needs it.
 *
 * @throws TreeMismatchError with the first difference.
 */
export function checkSameStructure(there: TreeDef, here: TreeDef, what: string): void {
  if (there === here) return;
  const found = difference(there, here);
  if (found !== undefined) throw new TreeMismatchError(`${what}: trees differ ${found}`);
}
