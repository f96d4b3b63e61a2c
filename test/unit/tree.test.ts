import assert from "node:assert/strict";
import { inspect } from "node:util";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concreteArray, scalar } from "../../src/core/array.js";
import { ArgumentError, TreeMismatchError } from "../../src/core/errors.js";
import * as tree from "../../src/core/tree.js";

class Pair {
  constructor(
    readonly first: unknown,
    readonly second: unknown,
  ) {}
}
tree.registerClass(Pair, {
  flatten: (p) => ({ children: [p.first, p.second], keys: ["first", "second"] }),
  unflatten: (_, [first, second]) => new Pair(first, second),
});

class Dense {
  activation: unknown = "relu";
  constructor(
    public w: unknown,
    public b: unknown,
  ) {}
}
tree.registerDataclass(Dense, { data: ["w", "b"], meta: ["activation"] });

/** A class whose children have positions only, and which hands out aux that it may change later. */
class Bag {
  constructor(
    readonly items: unknown[],
    readonly config: { depth: number },
  ) {}
}
tree.registerClass<Bag, { depth: number }>(Bag, {
  flatten: (bag) => ({ children: bag.items, aux: bag.config }),
  unflatten: (config, items) => new Bag([...items], config),
});

const dense = (w: unknown, b: unknown, activation: unknown): Dense =>
  Object.assign(new Dense(w, b), { activation });

const someFunction = (x: number): number => x;
const leaf = fc.oneof(
  fc.double(),
  fc.string({ maxLength: 3 }),
  fc.boolean(),
  fc.constantFrom(
    someFunction,
    new Float32Array(2),
    new Map([[1, 2]]),
    new Date(0),
    /x/,
    Symbol.iterator,
    3n,
  ),
);
const nothing = fc.constantFrom(null, undefined);
const key = fc.oneof(
  fc.string({ maxLength: 3 }),
  fc.constantFrom("a", "b", "0", "10", "9", "__proto__", "toString"),
);

/** Trees of all kinds of containers over leaves from `leaves`. */
const treeOf = (leaves: fc.Arbitrary<unknown>, keys = key, depth: "small" | "medium" = "medium") =>
  fc.letrec<{ node: unknown }>((tie) => ({
    node: fc.oneof(
      { depthSize: depth, withCrossShrink: true },
      leaves,
      nothing,
      fc.array(tie("node"), { maxLength: 3 }),
      fc.dictionary(keys, tie("node"), { maxKeys: 3, noNullPrototype: true }),
      fc.tuple(tie("node"), tie("node")).map(([a, b]) => new Pair(a, b)),
      fc
        .tuple(tie("node"), tie("node"), fc.constantFrom<unknown>("relu", ["tanh", 2], null))
        .map(([w, b, activation]) => dense(w, b, activation)),
      fc
        .tuple(fc.array(tie("node"), { maxLength: 2 }), fc.nat(2))
        .map(([xs, d]) => new Bag(xs, { depth: d })),
    ),
  })).node;

const anyTree = treeOf(leaf);
const numberTree = treeOf(fc.integer());
/** Few enough shapes that two drawn at random are often the same. */
const tinyTree = treeOf(fc.constantFrom(0, 1), fc.constantFrom("a", "b"), "small");

/** An independent, recursive meaning of "the same structure". */
function sameStructure(a: unknown, b: unknown): boolean {
  const container = (x: unknown): boolean =>
    x === null ||
    x === undefined ||
    Array.isArray(x) ||
    x instanceof Pair ||
    x instanceof Dense ||
    x instanceof Bag ||
    (typeof x === "object" && Object.getPrototypeOf(x) === Object.prototype);
  if (!container(a) || !container(b)) return !container(a) && !container(b);
  if (a === null || b === null || a === undefined || b === undefined) return a === b;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (a instanceof Pair && b instanceof Pair)
    return sameStructure(a.first, b.first) && sameStructure(a.second, b.second);
  if (a instanceof Dense && b instanceof Dense)
    return (
      sameStructure(a.w, b.w) &&
      sameStructure(a.b, b.b) &&
      JSON.stringify(a.activation) === JSON.stringify(b.activation)
    );
  if (a instanceof Bag && b instanceof Bag)
    return a.config.depth === b.config.depth && sameStructure(a.items, b.items);
  const keys = Object.keys(a).sort();
  const other = Object.keys(b).sort();
  return (
    keys.length === other.length &&
    keys.every((k, i) => k === other[i] && sameStructure(a[k as keyof typeof a], b[k as keyof typeof b]))
  );
}

/** Follows a path by hand. */
const follow = (root: unknown, path: tree.Path): unknown =>
  path.reduce<unknown>((x, step) => {
    const inside = x instanceof Bag ? x.items : (x as object);
    return Object.getOwnPropertyDescriptor(inside, step)?.value;
  }, root);

const messageOf = (f: () => unknown): string => {
  try {
    f();
  } catch (error) {
    // The line of user code that ends every message is another file's business.
    if (error instanceof Error) return error.message.replace(/ \(at [^()]*\)$/, "");
  }
  throw new Error("expected an error");
};

describe("flatten", () => {
  it("orders leaves by sorted field names and positions", () => {
    const { leaves, treedef } = tree.flatten({ b: [1, [2]], a: 3, "10": 4, "9": 5 });
    expect(leaves).toStrictEqual([4, 5, 3, 1, 2]);
    expect(String(treedef)).toBe('TreeDef({"10": *, "9": *, a: *, b: [*, [*]]})');
  });

  it("takes null, undefined and empty containers for nodes without leaves, and tells them apart", () => {
    const empty = [null, undefined, [], {}, new Bag([], { depth: 0 })];
    for (const x of empty) {
      const { leaves, treedef } = tree.flatten(x);
      expect(leaves).toStrictEqual([]);
      expect(treedef.numLeaves).toBe(0);
      expect(tree.unflatten(treedef, [])).toStrictEqual(x);
    }
    expect(new Set(empty.map((x) => tree.structure(x).key)).size).toBe(empty.length);
  });

  it("takes everything else for leaves", () => {
    class Unknown {
      x = [1];
    }
    class List extends Array<number> {}
    class SubPair extends Pair {}
    class Bare extends (null as unknown as ObjectConstructor) {}
    const array = concreteArray([1, 2], [2], "float32");
    const leaves = [
      array,
      1,
      "s",
      true,
      2n,
      Symbol(),
      someFunction,
      Pair,
      new Float32Array(1),
      new Map(),
      new Set(),
      new Date(),
      new Unknown(),
      List.from([1]),
      new SubPair(1, 2),
      Object.create(Bare.prototype),
      Promise.resolve(),
      new Error(),
    ];
    for (const x of leaves)
      expect(tree.flatten(x)).toStrictEqual({ leaves: [x], treedef: tree.structure(0) });
    expect(tree.leaves([array])[0]).toBe(array);
  });

  it("knows the plain objects and arrays of other realms", () => {
    const foreign: unknown = runInNewContext("({ b: [1, 2], a: new (class A {})() })");
    expect(tree.structure(foreign).key).toBe("{a: *, b: [*, *]}");
    const pretender: unknown = runInNewContext("[Object.create(Array.prototype), [1]]");
    expect(tree.structure(pretender).key).toBe("[*, [*]]");
  });

  it("reads objects without prototype, and own fields with the names of inherited ones", () => {
    const bare = Object.assign(Object.create(null), { b: 1, a: 2 });
    expect(tree.map((x) => x, bare)).toStrictEqual({ a: 2, b: 1 });
    const odd = JSON.parse('{"__proto__": 1, "constructor": {"toString": 2}}');
    const { leaves, treedef } = tree.flatten(odd);
    expect(leaves).toStrictEqual([1, 2]);
    const again = tree.unflatten<object>(treedef, leaves);
    expect(Object.getPrototypeOf(again)).toBe(Object.prototype);
    expect(Object.keys(again)).toStrictEqual(["__proto__", "constructor"]);
    // vitest reads the type of an object off its constructor, which here is a field.
    assert.deepStrictEqual(again, odd);
  });

  it("leaves out symbol fields and reads holes as undefined", () => {
    expect(tree.structure({ a: 1, [Symbol("s")]: 2 }).key).toBe("{a: *}");
    // biome-ignore lint/suspicious/noSparseArray: the hole is what is tested
    expect(tree.structure([1, , 2]).key).toBe("[*, undefined, *]");
  });

  it("stops where isLeaf says so, null included", () => {
    const t = { a: [1, 2], b: null, c: { d: 3 } };
    expect(tree.flatten(t, Array.isArray).leaves).toStrictEqual([[1, 2], 3]);
    expect(tree.leaves(t, tree.nullIsLeaf)).toStrictEqual([1, 2, null, 3]);
    expect(tree.flatten(t, () => true)).toStrictEqual({ leaves: [t], treedef: tree.structure(0) });
  });

  it("round-trips", () => {
    fc.assert(
      fc.property(anyTree, (t) => {
        const { leaves, treedef } = tree.flatten(t);
        expect(leaves.length).toBe(treedef.numLeaves);
        expect(tree.unflatten(treedef, leaves)).toStrictEqual(t);
      }),
    );
  });

  it("gives unflatten's result the structure it was built from", () => {
    fc.assert(
      fc.property(anyTree, (t) => {
        const treedef = tree.structure(t);
        const fresh = Array.from({ length: treedef.numLeaves }, (_, i) => i);
        const again = tree.flatten(tree.unflatten(treedef, fresh));
        expect(again.leaves).toStrictEqual(fresh);
        expect(again.treedef.equals(treedef)).toBe(true);
      }),
    );
  });

  it("refuses the wrong number of leaves", () => {
    const treedef = tree.structure([0, { a: 0 }]);
    const text = (n: number) => messageOf(() => tree.unflatten(treedef, Array(n).fill(0)));
    expect(() => tree.unflatten(treedef, [1])).toThrow(TreeMismatchError);
    expect(text(1)).toBe("tree.unflatten: 1 leaves for a structure that has 2: TreeDef([*, {a: *}])");
    expect(text(3)).toContain("3 leaves for a structure that has 2");
  });
});

describe("TreeDef", () => {
  it("is shared between equal structures", () => {
    const make = () => [{ w: 1, b: [2, null] }, new Pair(1, dense(1, 2, "tanh"))];
    expect(tree.structure(make())).toBe(tree.structure(make()));
    expect(tree.structure(1)).toBe(tree.structure("x"));
    expect(tree.structure([1, 2])).toBe(tree.structure(["x", "y"]));
    expect(tree.tupleDef([tree.structure(1), tree.structure({ a: 1 })])).toBe(tree.structure([0, { a: 0 }]));
  });

  it("is equal even when it is not shared", () => {
    const before = tree.structure({ first: [1, { b: 2 }] });
    for (let i = 0; i < 5000; i++) tree.structure({ [`field${i}`]: i });
    const after = tree.structure({ first: [1, { b: 2 }] });
    expect(after).not.toBe(before);
    expect(after.equals(before)).toBe(true);
    expect(after.key).toBe(before.key);
    expect(tree.difference(after, before)).toBeUndefined();
    const long = () => tree.structure(Array(2000).fill(0));
    expect(long().equals(long())).toBe(true);
  });

  it("is not shared with a structure of the same hash", () => {
    const defs = Array.from({ length: 60 }, (_, i) => tree.structure({ [`child${i}`]: i }));
    for (const a of defs) {
      for (const b of defs) {
        const pair = tree.tupleDef([a, b]);
        expect(pair.children[0]).toBe(a);
        expect(pair.children[1]).toBe(b);
      }
    }
    for (const name of ["xay", "xby", "xcy"])
      expect(tree.structure({ [name]: 1 }).keys).toStrictEqual([name]);
  });

  it("cannot be changed", () => {
    const treedef = tree.structure({ a: [1] });
    expect(() => Object.assign(treedef, { numLeaves: 7 })).toThrow(TypeError);
    expect(() => (treedef.children as unknown[]).push(treedef)).toThrow(TypeError);
    expect(() => (treedef.keys as unknown[]).push("b")).toThrow(TypeError);
  });

  it("prints itself", () => {
    const treedef = tree.structure({ a: 1, "b c": [1, null, undefined], d: {} });
    expect(inspect(treedef)).toBe('TreeDef({a: *, "b c": [*, null, undefined], d: {}})');
    expect(String(tree.structure(new Pair(1, [])))).toMatch(
      /^TreeDef\(Pair#\d+\(first: \*, second: \[\]\)\)$/,
    );
    expect(String(tree.structure(dense(1, 2, "tanh")))).toMatch(
      /^TreeDef\(Dense#\d+<\["tanh"\]>\(w: \*, b: \*\)\)$/,
    );
  });

  it("has equal keys if and only if the structures are the same", () => {
    let equal = 0;
    let different = 0;
    const check = (a: unknown, b: unknown): void => {
      const same = sameStructure(a, b);
      const [x, y] = [tree.structure(a), tree.structure(b)];
      expect(x.key === y.key).toBe(same);
      expect(x.equals(y)).toBe(same);
      expect(y.equals(x)).toBe(same);
      expect(tree.difference(x, y) === undefined).toBe(same);
      if (same) equal++;
      else different++;
    };
    fc.assert(fc.property(tinyTree, tinyTree, check), { numRuns: 1000 });
    fc.assert(fc.property(anyTree, anyTree, check));
    fc.assert(fc.property(anyTree, (t) => check(t, tree.unflatten(tree.structure(t), tree.leaves(t)))));
    expect(equal).toBeGreaterThan(100);
    expect(different).toBeGreaterThan(100);
  });

  it("has keys that look alike only where they are", () => {
    const trees = [
      null,
      undefined,
      {},
      [],
      [[]],
      { a: null },
      { null: 1 },
      { a: 1 },
      { "a: *, b": 1 },
      { a: 1, b: 1 },
      ["*"],
      { "": 1 },
      { "0": 1 },
      { '"0"': 1 },
      [{ a: 1 }, 1],
      [{ a: 1, b: 1 }],
      { é: 1 },
      { "\ud800": 1 },
      { "\ufffd": 1 },
    ];
    expect(new Set(trees.map((t) => tree.structure(t).key)).size).toBe(trees.length);
  });

  it("counts nodes and finds their paths", () => {
    const treedef = tree.structure({ a: [1, null], b: new Pair([], 2) });
    expect(treedef.numNodes).toBe(7);
    const paths = Array.from({ length: 7 }, (_, i) => tree.keystr(treedef.pathOfNode(i)));
    expect(paths).toStrictEqual(["", ".a", ".a[0]", ".a[1]", ".b", ".b.first", ".b.second"]);
  });
});

describe("aux of registered classes", () => {
  const keyOf = (activation: unknown): string => tree.structure(dense(1, 2, activation)).key;

  it("is compared by value if plain data, by identity otherwise", () => {
    const f = (x: number) => x;
    const g = (x: number) => x;
    const distinct = [
      0,
      -0,
      Number.NaN,
      "0",
      "NaN",
      0n,
      null,
      undefined,
      true,
      "true",
      [],
      {},
      [0],
      ["0"],
      [[0]],
      { a: 1 },
      { a: "1" },
      { b: 1 },
      { a: 1, b: 1 },
      [undefined],
      [null],
      Symbol("a"),
      Symbol("a"),
      Symbol.for("a"),
      f,
      g,
      new Date(0),
      new Date(0),
      new Map(),
      new Pair(1, 2),
      concreteArray([1], [1], "float32"),
    ];
    expect(new Set(distinct.map(keyOf)).size).toBe(distinct.length);
    for (const x of distinct) expect(keyOf(x)).toBe(keyOf(x));
    expect(keyOf({ a: [1, { b: 2 }], c: 3 })).toBe(keyOf({ c: 3, a: [1, { b: 2 }] }));
    expect(keyOf(f)).not.toBe(keyOf(g));
  });

  it("is handed back as it was, and not shared with a tree that looks the same", () => {
    const mine = { depth: 1 };
    const yours = { depth: 1 };
    const [a, b] = [tree.flatten(new Bag([1], mine)), tree.flatten([new Bag([1], yours)])];
    expect(tree.unflatten<Bag>(a.treedef, [2]).config).toBe(mine);
    expect(tree.unflatten<Bag[]>(b.treedef, [2])[0].config).toBe(yours);
    expect(a.treedef.equals(tree.structure(new Bag([1], yours)))).toBe(true);
    // A structure keeps meaning what it meant, so what is made after a change is another one.
    mine.depth = 2;
    expect(tree.structure(new Bag([1], mine)).equals(a.treedef)).toBe(false);
    expect(tree.structure(new Bag([1], mine)).key).toContain('{"depth":2}');
  });

  it("does not keep a structure from being shared if nobody can change it", () => {
    const of = (activation: unknown) => tree.structure(dense(1, 2, activation));
    for (const x of ["relu", 0, null, someFunction, Object.freeze([1, Object.freeze({ a: 2 })])])
      expect(of(x)).toBe(of(x));
    for (const x of [{ a: 1 }, [1], Object.freeze([[1]]), new Date(0)]) {
      expect(of(x)).not.toBe(of(x));
      expect(of(x).equals(of(x))).toBe(true);
    }
  });

  it("may not contain itself", () => {
    const loop: unknown[] = [];
    loop.push(loop);
    expect(() => keyOf(loop)).toThrow(ArgumentError);
    expect(messageOf(() => keyOf(loop))).toContain("contains itself");
  });

  it("can be a whole instance", () => {
    class Config {
      depth = 1;
    }
    tree.registerStatic(Config);
    const config = new Config();
    const { leaves, treedef } = tree.flatten([config, 1]);
    expect(leaves).toStrictEqual([1]);
    expect(tree.unflatten<unknown[]>(treedef, [5])).toStrictEqual([config, 5]);
    expect(tree.structure([config, 2]).equals(treedef)).toBe(true);
    expect(tree.structure([new Config(), 2]).equals(treedef)).toBe(false);
  });
});

describe("registering classes", () => {
  it("rebuilds dataclasses without their constructor, past setters", () => {
    let constructed = 0;
    class Layer {
      scale: unknown;
      kind = "plain";
      constructor() {
        constructed++;
        this.scale = 2;
      }
      set written(_: unknown) {
        throw new Error("the setter ran");
      }
    }
    tree.registerDataclass(Layer, { data: ["scale", "written"], meta: ["kind"] });
    const layer = new Layer();
    const doubled = tree.map((x) => Number(x) * 2, layer as { scale: unknown }) as unknown as Layer;
    expect(constructed).toBe(1);
    expect(doubled).toBeInstanceOf(Layer);
    expect(doubled.scale).toBe(4);
    expect(doubled.kind).toBe("plain");
  });

  it("refuses an instance with a field it was not told of", () => {
    const odd = Object.assign(new Dense(1, 2), { extra: 3 });
    expect(() => tree.flatten(odd)).toThrow(ArgumentError);
    expect(messageOf(() => tree.flatten(odd))).toBe(
      'Dense has a field "extra" that tree.registerDataclass was not told of; list it in data or meta',
    );
  });

  it("refuses what cannot be registered", () => {
    class Fresh {
      a = 1;
    }
    const handler = { flatten: () => ({ children: [] }), unflatten: () => new Fresh() };
    expect(messageOf(() => tree.registerClass(Pair, handler as never))).toContain(
      "Pair is registered already",
    );
    expect(messageOf(() => tree.registerClass(Array, handler as never))).toContain(
      "Array is a container by itself",
    );
    expect(messageOf(() => tree.registerClass(Object, handler as never))).toContain(
      "Object is a container by itself",
    );
    expect(messageOf(() => tree.registerClass({} as never, handler))).toContain("is not a class");
    expect(messageOf(() => tree.registerClass(Fresh, {} as never))).toContain("flatten and unflatten");
    expect(messageOf(() => tree.registerDataclass(Fresh, { data: ["a"], meta: ["a"] }))).toContain("twice");
    expect(tree.structure(new Fresh()).key).toBe("*");
  });

  it("checks what flatten returns", () => {
    class Liar {}
    tree.registerClass(Liar, {
      flatten: () => ({ children: [1, 2], keys: ["a"] }),
      unflatten: () => new Liar(),
    });
    expect(messageOf(() => tree.flatten(new Liar()))).toContain("registered class Liar must return");
  });

  it("keeps the names a class gave when it changes its list of names", () => {
    class Named {}
    const names = ["a"];
    tree.registerClass(Named, {
      flatten: () => ({ children: [1], keys: names }),
      unflatten: () => new Named(),
    });
    const treedef = tree.structure(new Named());
    names[0] = "b";
    expect(treedef.paths()).toStrictEqual([["a"]]);
    expect(tree.structure(new Named()).paths()).toStrictEqual([["b"]]);
  });

  it("counts from registration on", () => {
    class Late {
      constructor(readonly x: unknown) {}
    }
    expect(tree.leaves(new Late([1, 2])).length).toBe(1);
    tree.registerClass(Late, { flatten: (l) => ({ children: [l.x] }), unflatten: (_, [x]) => new Late(x) });
    expect(tree.leaves(new Late([1, 2]))).toStrictEqual([1, 2]);
  });
});

describe("map", () => {
  it("keeps the structure", () => {
    expect(tree.map((x) => x + 1, { b: [1, 2] as const, a: null, c: undefined })).toStrictEqual({
      a: null,
      b: [2, 3],
      c: undefined,
    });
  });

  it("passes leaves, and subtrees where other trees go deeper", () => {
    const seen: unknown[][] = [];
    tree.map((...args) => seen.push(args), { a: 1, b: [2] }, { a: 10, b: [{ c: 20 }] }, { a: [], b: [null] });
    expect(seen).toStrictEqual([
      [1, 10, []],
      [2, { c: 20 }, null],
    ]);
  });

  it("is the identity for the identity", () => {
    fc.assert(
      fc.property(anyTree, (t) => {
        expect(tree.map((x) => x, t)).toStrictEqual(t);
      }),
    );
  });

  it("composes", () => {
    const f = (x: unknown) => Number(x) * 2;
    const g = (x: unknown) => [Number(x) + 1];
    // g makes containers, so it comes last: after it there are other leaves.
    fc.assert(
      fc.property(numberTree, (t) => {
        expect(tree.map(g, tree.map(f, t))).toStrictEqual(tree.map((x) => g(f(x)), t));
      }),
    );
  });

  it("zips trees of one structure", () => {
    fc.assert(
      fc.property(numberTree, (t) => {
        const tripled = tree.map((x) => Number(x) * 3, t);
        expect(tree.map((x, y) => Number(x) + Number(y), t, tripled)).toStrictEqual(
          tree.map((x) => Number(x) * 4, t),
        );
      }),
    );
  });

  it("can stop early", () => {
    expect(
      tree.mapUntil(
        (x) => x === null,
        (x) => x ?? 0,
        { a: 1, b: null },
      ),
    ).toStrictEqual({ a: 1, b: 0 });
    const sum = tree.mapUntil(
      Array.isArray,
      (a: number[], b: number[]) => [...a, ...b],
      { x: [1] },
      { x: [2] },
    );
    expect(sum).toStrictEqual({ x: [1, 2] });
  });
});

describe("mismatches", () => {
  const mismatch = (first: unknown, second: unknown): string =>
    messageOf(() => tree.map((x) => x, first, second)).replace(
      "tree.map, tree 2 against tree 1: trees differ at ",
      "",
    );

  it("name the path and both sides", () => {
    expect(mismatch({ w: [1, [1, 2]] }, { w: [1, [1, 2, 3]] })).toBe(
      ".w[1]: an array of 2 entries there, one of 3 here",
    );
    expect(mismatch([1], 1)).toBe("the root: an array of 1 entry there, a leaf here");
    expect(mismatch([[1], null], [[1], 2])).toBe("[1]: null there, a leaf here");
    expect(mismatch([[1]], [null])).toBe("[0]: an array of 1 entry there, null here");
    expect(mismatch({ a: null }, { a: undefined })).toBe(".a: null there, undefined here");
    expect(mismatch([{ a: 1, b: 2 }], [{ a: 1 }])).toBe(
      "[0]: an object with keys a, b there, here key b missing",
    );
    expect(mismatch({ a: 1, b: 1 }, { a: 1, c: 2, d: 3 })).toBe(
      "the root: an object with keys a, b there, here key b missing and keys c, d extra",
    );
    expect(mismatch({ a: {} }, { a: { x: 1 } })).toBe(".a: an object without keys there, here key x extra");
    expect(mismatch({ a: [] }, { a: {} })).toBe(
      ".a: an array of 0 entries there, an object without keys here",
    );
    expect(mismatch([new Pair(1, [2])], [dense(1, [2], 0)])).toBe(
      "[0]: a Pair with keys first, second there, a Dense with keys w, b here",
    );
    expect(mismatch([dense(1, 2, "relu")], [dense(1, 2, "tanh")])).toBe(
      '[0]: a Dense with keys w, b with aux ["relu"] there, one with ["tanh"] here',
    );
    expect(mismatch(new Bag([1], { depth: 0 }), new Bag([1, 2], { depth: 0 }))).toBe(
      "the root: a Bag of 1 entry there, one of 2 here",
    );
    expect(mismatch(new Pair(1, [2]), new Pair(1, {}))).toBe(
      ".second: an array of 1 entry there, an object without keys here",
    );
    const many = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`k${10 + i}`, i]));
    expect(mismatch(many, { ...many, k10: 1, z: 1 })).toBe(
      "the root: an object with keys k10, k11, k12, k13, k14, k15, k16, k17, ... (12 in all) there, here key z extra",
    );
  });

  it("say which tree it is, and are typed", () => {
    expect(() => tree.map((x) => x, [1], [1], { a: 1 })).toThrow(TreeMismatchError);
    expect(messageOf(() => tree.map((x) => x, [1], [1], { a: 1 }))).toBe(
      "tree.map, tree 3 against tree 1: trees differ at the root: an array of 1 entry there, an object with key a here",
    );
    expect(messageOf(() => tree.flattenUpTo(tree.structure([1]), 1, "scan: the carry"))).toMatch(
      /^scan: the carry: /,
    );
  });

  it("are the same for structures as for trees, at the first place in order", () => {
    let found = 0;
    fc.assert(
      fc.property(tinyTree, tinyTree, (a, b) => {
        const [x, y] = [tree.structure(a), tree.structure(b)];
        const text = tree.difference(x, y);
        // The trees may fit where the second goes deeper, which for structures is a difference.
        let fits: string | undefined;
        try {
          tree.flattenUpTo(x, b);
        } catch (error) {
          fits = (error as Error).message;
        }
        if (fits !== undefined) {
          found++;
          expect(text).toBeDefined();
          const at = (s: string): string => /at (.*?): /.exec(s)?.[1] ?? "";
          if (!text?.includes("a leaf there")) expect(at(fits)).toBe(at(text as string));
        }
        if (text === undefined) expect(fits).toBeUndefined();
      }),
      { numRuns: 500 },
    );
    expect(found).toBeGreaterThan(50);
  });

  it("are thrown by checkSameStructure with the words of its caller", () => {
    const [a, b] = [tree.structure([1, { c: 1 }]), tree.structure([1, { c: [1] }])];
    tree.checkSameStructure(a, tree.structure([2, { c: 2 }]), "unused");
    const [c, d] = [tree.structure([[1, [2]], { x: 1 }]), tree.structure([[1, [2]], { y: 1 }])];
    expect(tree.difference(c, d)).toBe(
      "at [1]: an object with key x there, here key x missing and key y extra",
    );
    expect(messageOf(() => tree.checkSameStructure(a, b, "cond: the branches"))).toBe(
      "cond: the branches: trees differ at [1].c: a leaf there, an array of 1 entry here",
    );
  });
});

describe("paths", () => {
  it("print as code", () => {
    expect(tree.keystr([])).toBe("");
    expect(tree.keystr(["w", 0, "b"])).toBe(".w[0].b");
    expect(tree.keystr(["two words", "0", "é", "$_1", "", 'quo"te'])).toBe(
      '["two words"]["0"].é.$_1[""]["quo\\"te"]',
    );
  });

  it("lead to the leaves, in the order of the leaves", () => {
    fc.assert(
      fc.property(anyTree, (t) => {
        const { leaves, treedef } = tree.flattenWithPath(t);
        expect(leaves.map(([, x]) => x)).toStrictEqual(tree.leaves(t));
        expect(treedef.equals(tree.structure(t))).toBe(true);
        for (const [path, x] of leaves) expect(follow(t, path)).toBe(x);
        expect(new Set(leaves.map(([path]) => tree.keystr(path))).size).toBe(leaves.length);
      }),
    );
  });

  it("name the fields of classes, and the positions of those that give no names", () => {
    const t = { l: [dense(1, new Pair(2, [3]), 0)], bag: new Bag([4, 5], { depth: 0 }) };
    expect(tree.flattenWithPath(t).leaves.map(([path]) => tree.keystr(path))).toStrictEqual([
      ".bag[0]",
      ".bag[1]",
      ".l[0].w",
      ".l[0].b.first",
      ".l[0].b.second[0]",
    ]);
  });

  it("come with the leaves in mapWithPath", () => {
    const t = { a: [1, 2], b: null };
    expect(tree.mapWithPath((path, x) => `${tree.keystr(path)}=${x}`, t)).toStrictEqual({
      a: [".a[0]=1", ".a[1]=2"],
      b: null,
    });
    expect(tree.mapWithPath((path, x, y) => [path.length, x, y], t, { a: [3, [4]], b: null })).toStrictEqual({
      a: [
        [2, 1, 3],
        [2, 2, [4]],
      ],
      b: null,
    });
    expect(messageOf(() => tree.mapWithPath((_, x) => x, [1], [] as number[]))).toContain(
      "tree.mapWithPath, tree 2 against tree 1: trees differ at the root: an array of 1 entry there, one of 0 here",
    );
  });

  it("stop with isLeaf", () => {
    expect(tree.flattenWithPath({ a: [1], b: null }, tree.nullIsLeaf).leaves).toStrictEqual([
      [["a", 0], 1],
      [["b"], null],
    ]);
  });
});

describe("reduce and all", () => {
  it("fold in order", () => {
    expect(tree.reduce((s, x) => s + x, { b: ["c", ["d"]], a: "b" }, "a")).toBe("abcd");
    expect(tree.reduce((s, x) => s - x, [10, [2], { a: 3 }])).toBe(5);
    expect(tree.reduce((_, x) => x, [null] as number[] | null[], 7)).toBe(7);
    expect(tree.reduce<unknown, unknown>((s) => s, [], undefined)).toBeUndefined();
    expect(() => tree.reduce((s) => s, [null, {}])).toThrow(ArgumentError);
    expect(messageOf(() => tree.reduce((s) => s, []))).toContain("needs an initial value");
  });

  it("ask arrays for their item", () => {
    const yes = scalar(true, "bool");
    const no = scalar(false, "bool");
    expect(tree.all([true, { a: 1, b: yes }, null])).toBe(true);
    expect(tree.all({ a: yes, b: [no] })).toBe(false);
    expect(tree.all([1, 0])).toBe(false);
    expect(tree.all([])).toBe(true);
    expect(tree.all([1, null], tree.nullIsLeaf)).toBe(false);
    expect(() => tree.all([concreteArray([1, 1], [2], "float32")])).toThrow("one element");
  });
});

describe("prefixes", () => {
  it("give one value for each leaf", () => {
    const treedef = tree.structure([{ w: 1, b: [1, 2] }, 1, null]);
    const flat = (prefix: unknown) => tree.flattenPrefix(prefix, treedef, tree.nullIsLeaf);
    expect(flat(0)).toStrictEqual([0, 0, 0, 0]);
    expect(flat(null)).toStrictEqual([null, null, null, null]);
    expect(flat([null, 0, 1])).toStrictEqual([null, null, null, 0]);
    expect(flat([{ w: 0, b: null }, 2, null])).toStrictEqual([null, null, 0, 2]);
    expect(flat([{ w: 0, b: [1, -1] }, null, null])).toStrictEqual([1, -1, 0, null]);
    // Without isLeaf null is a tree without leaves, and fits nothing else.
    expect(tree.flattenPrefix([0, 1, null], treedef)).toStrictEqual([0, 0, 0, 1]);
    expect(() => tree.flattenPrefix([null, 1, null], treedef)).toThrow(TreeMismatchError);
  });

  it("that do not fit say where", () => {
    const treedef = tree.structure([{ w: 1, b: 1 }, 1]);
    const text = (prefix: unknown) =>
      messageOf(() => tree.flattenPrefix(prefix, treedef, tree.nullIsLeaf, "vmap, inAxes"));
    expect(text([0])).toBe(
      "vmap, inAxes: the prefix (here) does not fit the tree (there) at the root: an array of 2 entries there, one of 1 here",
    );
    expect(text([0, [0]])).toContain("at [1]: a leaf there, an array of 1 entry here");
    expect(text([{ w: 0 }, 0])).toContain("at [0]: an object with keys b, w there, here key b missing");
    expect(text([0, undefined])).toContain("at [1]: a leaf there, undefined here");
  });

  it("stand for all leaves below them", () => {
    // Cuts a tree off at some places and numbers them; each leaf must get the number on its path.
    let cut = 0;
    fc.assert(
      fc.property(anyTree, fc.infiniteStream(fc.boolean()), (t, cuts) => {
        let next = 0;
        const prefix = tree.mapUntil(
          () => cuts.next().value,
          () => next++,
          t,
        );
        const numbers = tree.flattenWithPath(prefix).leaves;
        const treedef = tree.structure(t);
        const expected = treedef.paths().map((path) => {
          const match = numbers.find(([start]) => start.every((step, i) => step === path[i]));
          return match?.[1];
        });
        if (numbers.length < expected.length) cut++;
        expect(tree.flattenPrefix(prefix, treedef)).toStrictEqual(expected);
        expect(tree.leaves(tree.broadcast(prefix, t))).toStrictEqual(expected);
        expect(tree.structure(tree.broadcast(prefix, t)).equals(treedef)).toBe(true);
      }),
    );
    expect(cut).toBeGreaterThan(5);
  });

  it("are broadcast to trees", () => {
    expect(tree.broadcast({ a: 1, b: 2 }, { a: [0, { c: 0 }], b: 0 })).toStrictEqual({
      a: [1, { c: 1 }],
      b: 2,
    });
    expect(tree.broadcast([null, 1], [[0, 0], 0], tree.nullIsLeaf)).toStrictEqual([[null, null], 1]);
    expect(messageOf(() => tree.broadcast([1], 1))).toContain("tree.broadcast: the prefix");
  });
});

describe("transpose", () => {
  const of = tree.structure;

  it("turns trees inside out", () => {
    const pairs = { a: [1, { x: 2 }], b: [3, { x: 4 }] };
    const turned = [{ a: 1, b: 3 }, { x: { a: 2, b: 4 } }];
    expect(tree.transpose(of({ a: 0, b: 0 }), of([0, { x: 0 }]), pairs)).toStrictEqual(turned);
    expect(tree.transpose(of({ a: 0, b: 0 }), undefined, pairs)).toStrictEqual(turned);
    expect(tree.transpose(of([]), of({ a: 0 }), [])).toStrictEqual({ a: [] });
    // Trees that go deeper than the inner structure keep what is below.
    expect(tree.transpose(of([0, 0]), of([0]), [[{ p: 1 }], [null]])).toStrictEqual([[{ p: 1 }, null]]);
  });

  it("is its own inverse", () => {
    fc.assert(
      fc.property(anyTree, anyTree, (s, t) => {
        const [outer, inner] = [of(s), of(t)];
        fc.pre(outer.numLeaves > 0 && inner.numLeaves > 0);
        let n = 0;
        const full = tree.map(() => tree.map(() => n++, t), s);
        const turned = tree.transpose(outer, inner, full);
        expect(tree.leaves(turned).length).toBe(n);
        expect(tree.transpose(inner, outer, turned)).toStrictEqual(full);
      }),
    );
  });

  it("says what does not fit, and where", () => {
    expect(messageOf(() => tree.transpose(of([0, 0]), of([0]), [[1], [1, 2]]))).toBe(
      "tree.transpose (inner structure, in the subtree at [1]): trees differ at the root: an array of 1 entry there, one of 2 here",
    );
    expect(messageOf(() => tree.transpose(of([0, 0]), of([0]), [[1]]))).toContain(
      "tree.transpose (outer structure)",
    );
    expect(() => tree.transpose(of([]), undefined, [])).toThrow(ArgumentError);
  });
});

describe("depth", () => {
  const depth = 10_000;
  /** 0 wrapped in arrays, objects and classes by turns. */
  const deep = (innermost: unknown): unknown => {
    let t = innermost;
    for (let i = 0; i < depth; i++) t = i % 3 === 0 ? [i, t] : i % 3 === 1 ? { t } : new Pair(null, t);
    return t;
  };

  it("is not bounded by the stack", () => {
    const t = deep(7);
    const { leaves, treedef } = tree.flatten(t);
    const wrapped = Math.ceil(depth / 3);
    expect(leaves.length).toBe(wrapped + 1);
    expect(leaves[wrapped]).toBe(7);
    const again = tree.flatten(tree.unflatten(treedef, leaves));
    expect(again.leaves).toStrictEqual(leaves);
    expect(again.treedef.equals(treedef)).toBe(true);
    expect(treedef.key.length).toBeGreaterThan(depth);
    expect(String(treedef)).toBe(`TreeDef(${again.treedef.key})`);
    expect(tree.leaves(tree.map((x, y) => Number(x) + Number(y), t, t))[wrapped]).toBe(14);
    expect(treedef.pathOfNode(treedef.numNodes - 1).length).toBe(depth);
    expect(tree.flattenPrefix(t, treedef)).toStrictEqual(leaves);
    expect(tree.difference(treedef, tree.structure(deep(8)))).toBeUndefined();
    expect(tree.difference(treedef, tree.structure(deep([])))).toMatch(
      /: a leaf there, an array of 0 entries here$/,
    );
    expect(tree.flattenUpTo(treedef, deep([1]))[wrapped]).toStrictEqual([1]);
    let chain: unknown = 1;
    for (let i = 0; i < depth; i++) chain = [chain];
    expect(tree.structure(chain).paths()[0].length).toBe(depth);
  });

  it("without end is an error that names the way around", () => {
    const a: Record<string, unknown> = { x: 1 };
    a.self = { list: [0, a] };
    expect(() => tree.flatten({ deep: [a] })).toThrow(ArgumentError);
    expect(messageOf(() => tree.flatten({ deep: [a] }))).toBe(
      "the tree contains itself: what stands at .deep[0] stands again at .deep[0].self.list[1]",
    );
    const loop: unknown[] = [];
    loop.push(loop, loop);
    expect(messageOf(() => tree.structure(loop))).toBe(
      "the tree contains itself: what stands at the root stands again at [0]",
    );
    const pair = new Pair(1, [] as unknown[]);
    (pair.second as unknown[]).push(pair);
    expect(messageOf(() => tree.leaves(pair))).toContain("at the root stands again at .second[0]");
    // A cycle below the depth at which one begins to look, and one that isLeaf cuts.
    let below: unknown = loop;
    for (let i = 0; i < 100; i++) below = { below };
    expect(messageOf(() => tree.leaves(below))).toContain("contains itself");
    expect(tree.leaves(a, (x) => Array.isArray(x)).length).toBe(2);
  });

  it("with one object in many places is no cycle", () => {
    let shared: unknown = { x: 1 };
    for (let i = 0; i < 100; i++) shared = i % 10 === 0 ? [shared, shared, {}] : [shared];
    expect(tree.leaves(shared).length).toBe(2 ** 10);
  });
});
