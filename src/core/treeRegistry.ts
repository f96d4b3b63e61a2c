/**
 * Which values are containers: plain objects, arrays, null, undefined, and the classes registered here.
 * Everything else (arrays of this library, numbers, functions, typed arrays, `Map`s, instances of other classes) is a leaf.
 */
import { ArgumentError } from "./errors.js";

/** One step from a container to a child: the name of a field, or a position. */
export type PathKey = string | number;

/** What a registered class tells of itself: how an instance comes apart and is put together again. */
export interface ClassHandler<T, Aux = unknown> {
  /**
   * The children, which are trees; optionally what to call them in paths (positions by default); and `aux`, whatever
   * else `unflatten` needs. `aux` belongs to the structure: plain data is compared by value, all else by identity.
   */
  flatten(x: T): { children: readonly unknown[]; keys?: readonly PathKey[]; aux?: Aux };
  /** The inverse. Transforms call it with children of other types than before: it should not convert or check them. */
  unflatten(aux: Aux, children: readonly unknown[]): T;
}

/** A registered class. */
export interface ContainerClass {
  readonly id: number;
  readonly name: string;
  readonly handler: ClassHandler<object>;
}

/** What a value is to a tree. */
export type NodeType = "leaf" | "null" | "undefined" | "array" | "object" | ContainerClass;

// By prototype, so that subclasses, which may hold more than their parents, are not taken apart by their parents' rule.
const classes = new Map<object, ContainerClass>();

// The leaves of a tree are mostly of one class.
let lastLeaf: object | undefined;

const { getPrototypeOf } = Object;
const objectPrototype = Object.prototype;
const arrayPrototype = Array.prototype;

/** What `x` is to a tree, without looking inside it. */
export function nodeType(x: unknown): NodeType {
  if (typeof x !== "object") return x === undefined ? "undefined" : "leaf";
  if (x === null) return "null";
  const prototype = getPrototypeOf(x);
  if (prototype === objectPrototype) return "object";
  if (prototype === arrayPrototype) return "array";
  if (prototype === null) return "object";
  if (prototype === lastLeaf) return "leaf";
  const registered = classes.get(prototype);
  if (registered !== undefined) return registered;
  // In another realm (an iframe, a vm context) too, objects inherit from the root, and arrays from an array.
  if (getPrototypeOf(prototype) === null && Object.hasOwn(prototype, "isPrototypeOf")) return "object";
  if (!Array.isArray(prototype)) lastLeaf = prototype;
  else if (Array.isArray(x)) return "array";
  return "leaf";
}

/** A class as `registerClass` takes it. */
export type ClassOf<T> = abstract new (...args: never[]) => T;

/**
 * Makes instances of a class containers, so that they can be arguments and results of transforms.
 *
 * Only instances of the class itself count; a subclass is registered by itself.
 *
 * @throws ArgumentError if the class is registered already, or is one of JavaScript's own containers.
 * @example
 * class Pair { constructor(readonly a: unknown, readonly b: unknown) {} }
 * tree.registerClass(Pair, {
 *   flatten: (p) => ({ children: [p.a, p.b], keys: ["a", "b"] }),
 *   unflatten: (_, [a, b]) => new Pair(a, b),
 * });
 */
export function registerClass<T extends object, Aux = undefined>(
  cls: ClassOf<T>,
  handler: ClassHandler<T, Aux>,
): void {
  if (typeof cls !== "function" || typeof cls.prototype !== "object" || cls.prototype === null)
    throw new ArgumentError("tree.registerClass: the first argument is not a class");
  const prototype: object = cls.prototype;
  if (prototype === objectPrototype || prototype === arrayPrototype)
    throw new ArgumentError(`tree.registerClass: ${cls.name} is a container by itself`);
  if (classes.has(prototype))
    throw new ArgumentError(`tree.registerClass: the class ${cls.name} is registered already`);
  if (typeof handler?.flatten !== "function" || typeof handler.unflatten !== "function")
    throw new ArgumentError("tree.registerClass: the handler needs functions flatten and unflatten");
  lastLeaf = undefined;
  classes.set(prototype, {
    id: classes.size + 1,
    name: plainName(cls.name, "class"),
    handler: handler as unknown as ClassHandler<object>,
  });
}

/**
 * Makes a class with public fields a container: `data` fields are children, `meta` fields belong to the structure
 * (compared as the `aux` of `registerClass`, so a change of one makes `jit` trace anew).
 *
 * Instances are rebuilt by setting the fields, without calling the constructor; a class with `#private` state that its
 * methods need is one for `registerClass`.
 *
 * @throws ArgumentError if a field is listed twice or the class is registered already; and when an instance is
 *   flattened that has a field of neither list, which would be lost.
 * @example
 * class Dense { activation = "relu"; constructor(public w: NDArray, public b: NDArray) {} }
 * tree.registerDataclass(Dense, { data: ["w", "b"], meta: ["activation"] });
 */
export function registerDataclass<T extends object>(
  cls: ClassOf<T>,
  fields: { data: readonly (keyof T & string)[]; meta?: readonly (keyof T & string)[] },
): void {
  const data = Object.freeze([...fields.data]);
  const meta = Object.freeze([...(fields.meta ?? [])]);
  const known = new Set<string>([...data, ...meta]);
  if (known.size !== data.length + meta.length)
    throw new ArgumentError(`tree.registerDataclass: ${cls.name} lists a field twice`);
  const noMeta: readonly unknown[] = Object.freeze([]);
  registerClass<T, readonly unknown[]>(cls, {
    flatten(x) {
      for (const field of Object.keys(x)) {
        if (!known.has(field))
          throw new ArgumentError(
            `${cls.name} has a field ${JSON.stringify(field)} that tree.registerDataclass was not told of; list it in data or meta`,
          );
      }
      return {
        children: data.map((field) => x[field]),
        keys: data,
        aux: meta.length === 0 ? noMeta : Object.freeze(meta.map((field) => x[field])),
      };
    },
    unflatten(aux, children) {
      const x: object = Object.create(cls.prototype);
      data.forEach((field, i) => {
        setField(x, field, children[i]);
      });
      meta.forEach((field, i) => {
        setField(x, field, aux[i]);
      });
      return x as T;
    },
  });
}

/**
 * Makes instances of a class part of the structure: containers without children. Two structures are equal only if they
 * hold the same instance.
 */
export function registerStatic<T extends object>(cls: ClassOf<T>): void {
  registerClass<T, T>(cls, { flatten: (x) => ({ children: [], aux: x }), unflatten: (x) => x });
}

/** Sets an own field, as a class body does: past setters, and without changing the prototype for `__proto__`. */
export function setField(x: object, field: string, value: unknown): void {
  if (field in x)
    Object.defineProperty(x, field, { value, writable: true, enumerable: true, configurable: true });
  else (x as Record<string, unknown>)[field] = value;
}

/** `aux` as text that is equal for equal aux only. */
export interface AuxKey {
  readonly text: string;
  /** Whether equal aux may be exchanged for one another: nobody can change what the text was made from. */
  readonly shareable: boolean;
}

/** The key of a class without aux. */
export const noAux: AuxKey = { text: "", shareable: true };
const maxAuxDepth = 100;

/** The canonical text of a class's `aux`: plain data by value, functions and objects of classes by identity. */
export function auxKey(aux: unknown): AuxKey {
  if (aux === undefined) return noAux;
  let shareable = true;
  const write = (x: unknown, depth: number): string => {
    if (typeof x === "string") return JSON.stringify(x);
    if (typeof x === "bigint") return `${x}n`;
    if (Object.is(x, -0)) return "-0";
    const type = nodeType(x);
    if (typeof x === "symbol" || typeof x === "function") return identity(x);
    if (typeof type === "object" || (type === "leaf" && typeof x === "object")) {
      // Its text never changes, but whatever memory it holds should not live on in a table of structures.
      shareable = false;
      return identity(x as object);
    }
    if (type === "leaf") return String(x);
    if (x === null || x === undefined) return String(x);
    if (depth === maxAuxDepth)
      throw new ArgumentError(
        `the aux of a registered class is nested more than ${maxAuxDepth} deep, or contains itself`,
      );
    shareable &&= Object.isFrozen(x);
    if (Array.isArray(x)) return `[${Array.from(x, (entry) => write(entry, depth + 1)).join(",")}]`;
    const fields = x as Record<string, unknown>;
    const entries = Object.keys(fields).sort();
    return `{${entries.map((k) => `${JSON.stringify(k)}:${write(fields[k], depth + 1)}`).join(",")}}`;
  };
  const text = write(aux, 0);
  return { text, shareable };
}

let identities = 0;
const objectNames = new WeakMap<object, string>();
const symbolNames = new Map<symbol, string>();

/** A name for an object or symbol that no other one has, like `relu#3`. */
function identity(x: object | symbol): string {
  const known = typeof x === "symbol" ? symbolNames.get(x) : objectNames.get(x);
  if (known !== undefined) return known;
  const given =
    typeof x === "symbol" ? x.description : typeof x === "function" ? x.name : x.constructor?.name;
  const name = `${plainName(given, typeof x)}#${++identities}`;
  if (typeof x === "symbol") symbolNames.set(x, name);
  else objectNames.set(x, name);
  return name;
}

/** Names go into structure keys, where punctuation has a meaning. */
function plainName(name: unknown, otherwise: string): string {
  const plain = typeof name === "string" ? name.replace(/[^\w$]+/g, "_") : "";
  return plain === "" ? otherwise : plain;
}
