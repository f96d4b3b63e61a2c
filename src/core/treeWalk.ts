/**
 * The three walks that the functions on trees are made of: taking a tree apart, putting it together, and holding it
 * against a structure. Each keeps a stack of its own, because trees may be deeper than JavaScript's stack.
 */
import { ArgumentError } from "./errors.js";
import {
  leafDef,
  makeDef,
  type NodeInfo,
  nodeDifference,
  nullDef,
  place,
  type TreeDef,
  undefinedDef,
} from "./treeDef.js";
import { auxKey, type ContainerClass, nodeType, type PathKey, setField } from "./treeRegistry.js";

/** Makes a node a leaf that would otherwise be a container. Asked of every node, from the root down. */
export type IsLeaf = (node: unknown) => boolean;

/** A container that is being walked. */
interface Opened {
  readonly value: object;
  readonly type: "array" | "object" | ContainerClass;
  readonly items: readonly unknown[];
  readonly keys: readonly PathKey[] | undefined;
  readonly aux: unknown;
  /** The structures of the items walked so far. */
  readonly defs: TreeDef[];
}

function sortedKeys(value: object): string[] {
  const keys = Object.keys(value);
  for (let i = 1; i < keys.length; i++) if (keys[i - 1] > keys[i]) return keys.sort();
  return keys;
}

function open(value: object, type: "array" | "object" | ContainerClass): Opened {
  if (type === "array")
    return { value, type, items: value as unknown[], keys: undefined, aux: undefined, defs: [] };
  if (type === "object") {
    const keys = sortedKeys(value);
    const items: unknown[] = [];
    for (const key of keys) items.push((value as Record<string, unknown>)[key]);
    return { value, type, items, keys, aux: undefined, defs: [] };
  }
  const { children, keys, aux } = type.handler.flatten(value);
  if (!Array.isArray(children) || (keys !== undefined && keys.length !== children.length))
    throw new ArgumentError(
      `tree: flatten of the registered class ${type.name} must return an array of children and, if any, as many keys`,
    );
  return { value, type, items: children, keys, aux, defs: [] };
}

/** Appends the leaves of a tree to `leaves` and returns its structure. */
export function takeApart(root: unknown, leaves: unknown[], isLeaf: IsLeaf | undefined): TreeDef {
  const rootType = isLeaf?.(root) ? "leaf" : nodeType(root);
  if (typeof rootType !== "object" && rootType !== "array" && rootType !== "object") {
    if (rootType === "leaf") leaves.push(root);
    return childless(rootType);
  }
  const parents: Opened[] = [];
  let ancestors: Map<object, number> | undefined;
  let current = open(root as object, rootType);
  for (;;) {
    const { items, defs } = current;
    let inner: Opened | undefined;
    while (defs.length < items.length) {
      const x = items[defs.length];
      const type = isLeaf?.(x) ? "leaf" : nodeType(x);
      if (type === "leaf") {
        leaves.push(x);
        defs.push(leafDef);
      } else if (type === "null" || type === "undefined") defs.push(childless(type));
      else {
        inner = open(x as object, type);
        break;
      }
    }
    if (inner !== undefined) {
      parents.push(current);
      current = inner;
      if (parents.length >= usualDepth) ancestors = checkCycle(ancestors, parents, current);
      continue;
    }
    const def = makeDef(current.type, defs, current.keys, current.aux);
    ancestors?.delete(current.value);
    const parent = parents.pop();
    if (parent === undefined) return def;
    parent.defs.push(def);
    current = parent;
  }
}

const childless = (type: "leaf" | "null" | "undefined"): TreeDef =>
  type === "leaf" ? leafDef : type === "null" ? nullDef : undefinedDef;

// A cycle is deeper than any bound, so looking for one can wait until trees are deeper than they usually are.
const usualDepth = 64;

function checkCycle(
  seen: Map<object, number> | undefined,
  parents: readonly Opened[],
  current: Opened,
): Map<object, number> {
  const ancestors = seen ?? new Map<object, number>();
  const add = (value: object, depth: number): void => {
    const first = ancestors.get(value);
    if (first !== undefined) {
      const path = parents.slice(0, depth).map(({ keys, defs }) => keys?.[defs.length] ?? defs.length);
      throw new ArgumentError(
        `the tree contains itself: what stands at ${place(path.slice(0, first))} stands again at ${place(path)}`,
      );
    }
    ancestors.set(value, depth);
  };
  if (seen === undefined) for (const [depth, { value }] of parents.entries()) add(value, depth);
  add(current.value, parents.length);
  return ancestors;
}

/** The tree with this structure and these leaves, of which there must be as many as it has. */
export function build(root: TreeDef, leaves: readonly unknown[]): unknown {
  const parents: { def: TreeDef; values: unknown[] }[] = [];
  let current: { def: TreeDef; values: unknown[] } | undefined;
  let used = 0;
  let def = root;
  for (;;) {
    let value: unknown;
    if (def.type === "leaf") value = leaves[used++];
    else if (def.type === "null") value = null;
    else if (def.type !== "undefined") {
      if (def.children.length > 0) {
        if (current !== undefined) parents.push(current);
        current = { def, values: [] };
        def = def.children[0];
        continue;
      }
      value = assemble(def, []);
    }
    while (current !== undefined && current.values.push(value) === current.def.children.length) {
      value = assemble(current.def, current.values);
      current = parents.pop();
    }
    if (current === undefined) return value;
    def = current.def.children[current.values.length];
  }
}

function assemble({ type, keys, aux }: TreeDef, values: unknown[]): unknown {
  if (type === "array") return values;
  if (typeof type === "object") return type.handler.unflatten(aux, values);
  const object = {};
  for (let i = 0; i < values.length; i++) setField(object, keys?.[i] as string, values[i]);
  return object;
}

/**
 * Walks a structure and a tree together for as long as `visit`, which is called with each pair of nodes, does not say
 * that it is done with them; then they must be containers of the same kind.
 */
export function matchContainers(
  treedef: TreeDef,
  tree: unknown,
  visit: (value: unknown, def: TreeDef) => boolean,
  fail: (text: string, node: number) => never,
): void {
  const defs: TreeDef[] = [treedef];
  const values: unknown[] = [tree];
  let node = 0;
  while (defs.length > 0) {
    const def = defs.pop() as TreeDef;
    const value = values.pop();
    if (visit(value, def)) {
      node += def.numNodes;
      continue;
    }
    const type = nodeType(value);
    let info: NodeInfo = { type, arity: 0, keys: undefined, auxKey: "" };
    let items: readonly unknown[] = [];
    if (type === "array" || type === "object" || typeof type === "object") {
      const opened = open(value as object, type);
      items = opened.items;
      info = { type, arity: items.length, keys: opened.keys, auxKey: auxKey(opened.aux).text };
    }
    const text = nodeDifference(def, info);
    if (text !== undefined) fail(text, node);
    node++;
    for (let i = items.length - 1; i >= 0; i--) {
      defs.push(def.children[i]);
      values.push(items[i]);
    }
  }
}
