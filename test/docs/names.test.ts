/**
 * The pages for those who come from another library: the names on both sides exist, every public name of the other
 * library is spoken of, and the page about JAX has every function of fluxion.
 */
import * as fluxion from "fluxion";
import * as analysis from "fluxion/analysis";
import * as laws from "fluxion/laws";
import { describe, expect, it } from "vitest";
import { readSource } from "./blocks.js";
import { camelCase, inSpace, type Names, type Peer, readNames } from "./names/page.js";

const { NDArray, checkpointPolicies, debug, lax, nn, numpy, random, scipy, tree } = fluxion;

/** Where names of ours are looked up, by what stands before the last point. */
const ours: Readonly<Record<string, object>> = {
  fluxion,
  analysis,
  laws,
  NDArray: NDArray.prototype,
  checkpointPolicies,
  debug,
  lax,
  nn,
  "nn.initializers": nn.initializers,
  numpy,
  "numpy.linalg": numpy.linalg,
  random,
  "scipy.special": scipy.special,
  tree,
};
const abbreviations: Readonly<Record<string, string>> = {
  np: "numpy",
  x: "NDArray",
  "np.linalg": "numpy.linalg",
};

/** A name of ours in full, as it is written in `ours`: `np.sum` is numpy.sum, `grad` fluxion.grad. */
function canonical(name: string): string | undefined {
  const point = name.lastIndexOf(".");
  if (point < 0) return ["fluxion", "analysis", "laws"].map((s) => `${s}.${name}`).find(exists);
  const space = name.slice(0, point);
  const full = `${abbreviations[space] ?? space}.${name.slice(point + 1)}`;
  if (exists(full)) return full;
  // A static method or a member of a class or object: `tree.TreeDef.num`, `tuning.export`.
  const owner = canonical(space);
  return owner !== undefined && member(owner, name.slice(point + 1)) ? full : undefined;
}

const split = (full: string): [string, string] => {
  const point = full.lastIndexOf(".");
  return [full.slice(0, point), full.slice(point + 1)];
};
const exists = (full: string): boolean => {
  const [space, name] = split(full);
  return space in ours && name in ours[space];
};
const valueOf = (full: string): unknown => {
  const [space, name] = split(full);
  return (ours[space] as Record<string, unknown>)[name];
};
function member(owner: string, name: string): boolean {
  const value = valueOf(owner);
  if (typeof value === "object" && value !== null) return name in value;
  return typeof value === "function" && (name in value || name in ((value.prototype as object) ?? {}));
}

interface Public {
  readonly version: string;
  readonly names: Readonly<Record<string, readonly string[]>>;
}

const pagesOf: readonly {
  page: string;
  list: string;
  peer: Peer;
  /** Their spelling of a name in ours. */
  spell: (name: string) => string;
  /** Methods that need no line of their own where the function of the same name has one. */
  methods: Readonly<Record<string, string>>;
}[] = [
  {
    page: "docs/from-jax.md",
    list: "test/docs/names/jax.json",
    peer: {
      heading: "JAX",
      prefixes: { jnp: "jax.numpy", lax: "jax.lax", x: "jax.Array", "jnp.linalg": "jax.numpy.linalg" },
    },
    spell: camelCase,
    methods: { "jax.Array": "jax.numpy" },
  },
  {
    page: "docs/from-tensorflow.md",
    list: "test/docs/names/tfjs.json",
    peer: { heading: "TensorFlow.js", prefixes: { x: "tf.Tensor" } },
    spell: (name) => name,
    methods: { "tf.Tensor": "tf" },
  },
  {
    page: "docs/from-jax-js.md",
    list: "test/docs/names/jax-js.json",
    peer: {
      heading: "jax-js",
      prefixes: {
        np: "jax.numpy",
        x: "jax.Array",
        lax: "jax.lax",
        nn: "jax.nn",
        tree: "jax.tree",
        random: "jax.random",
        scipySpecial: "jax.scipySpecial",
      },
    },
    spell: (name) => name,
    methods: {},
  },
];

describe.each(pagesOf)("$page", ({ page, list, peer, spell, methods }) => {
  const theirs = JSON.parse(readSource(list)) as Public;
  const spaces = Object.keys(theirs.names);
  const found = readNames(readSource(page), peer);
  const has = (space: string, name: string): boolean => theirs.names[space]?.includes(name) ?? false;
  const spoken = spokenOf(found, theirs, peer, spell);

  it("speaks of the version that was looked at", () => {
    expect(readSource(page)).toContain(theirs.version);
  });

  it("names what they have", () => {
    const wrong = found.rows
      .flatMap(({ theirs: names }) => names)
      // A name without a space, as ValueError, is one of their language.
      .filter((name) => name.includes("."))
      .filter((name) => {
        const { space, name: rest } = inSpace(name, peer, spaces);
        // A member of what they have: of a class, or of a function.
        return !has(space, rest.split(".")[0]);
      });
    const absent = found.absent.flatMap(({ space, names }) =>
      names.filter((name) => !has(space, name)).map((name) => `${space}.${name}`),
    );
    const same = found.same.flatMap(({ space, names }) =>
      names
        .filter((name) => !theirs.names[space]?.some((t) => spell(t) === name))
        .map((n) => `${space}.${n}`),
    );
    // What is said of a whole space stands in the text, too.
    const unsaid = found.absentSpaces.filter(
      (s) => !spaces.includes(s) || !readSource(page).includes(`\`${s}\``),
    );
    expect([...wrong, ...absent, ...same, ...unsaid]).toEqual([]);
  });

  it("names what fluxion has", () => {
    const wrong = found.rows
      .flatMap((row) => row.ours)
      // Of JavaScript: `String(x)`, `console.log(x)`.
      .filter((name) => !(name.split(".")[0] in globalThis))
      .filter((name) => canonical(name) === undefined);
    const same = found.same.flatMap(({ ours: space, names }) =>
      names.map((name) => `${space}.${name}`).filter((full) => !exists(full)),
    );
    expect([...wrong, ...same]).toEqual([]);
    expect(found.rows.length).toBeGreaterThan(10);
  });

  it("says of nothing that it is absent which is there by that name", () => {
    const there = found.absent.flatMap(({ space, names }) => {
      const own = found.same.find((s) => s.space === space)?.ours;
      return own === undefined ? [] : names.map(spell).filter((name) => exists(`${own}.${name}`));
    });
    expect(there).toEqual([]);
  });

  it("speaks of every public name they have, once in a list", () => {
    const missing = spaces.flatMap((space) =>
      theirs.names[space]
        .filter((name) => !spoken.has(`${space}.${name}`))
        .filter((name) => methods[space] === undefined || !spoken.has(`${methods[space]}.${name}`))
        .map((name) => `${space}.${name}`),
    );
    expect(missing.join("\n")).toBe("");
    const listed = [
      ...found.same.flatMap(({ space, names }) => names.map((n) => `${space}.${n}`)),
      ...found.absent.flatMap(({ space, names }) => names.map((n) => `${space}.${spell(n)}`)),
    ];
    expect(listed.filter((name, i) => listed.indexOf(name) !== i)).toEqual([]);
  });
});

/** The names of theirs that the page has, with their spaces. */
function spokenOf(found: Names, theirs: Public, peer: Peer, spell: (name: string) => string): Set<string> {
  const spaces = Object.keys(theirs.names);
  const spoken = new Set<string>();
  for (const { theirs: names } of found.rows)
    for (const name of names) {
      const { space, name: rest } = inSpace(name, peer, spaces);
      spoken.add(`${space}.${rest.split(".")[0]}`);
    }
  for (const { space, names } of found.same)
    for (const name of theirs.names[space] ?? [])
      if (names.includes(spell(name))) spoken.add(`${space}.${name}`);
  for (const { space, names } of found.absent) for (const name of names) spoken.add(`${space}.${name}`);
  for (const space of found.absentSpaces)
    for (const name of theirs.names[space] ?? []) spoken.add(`${space}.${name}`);
  return spoken;
}

it("the page about JAX has every function of fluxion", () => {
  const { page, peer } = pagesOf[0];
  const found = readNames(readSource(page), peer);
  const named = new Set([
    ...found.rows.flatMap((row) => row.ours.map(canonical)),
    ...found.same.flatMap(({ ours: space, names }) => names.map((name) => `${space}.${name}`)),
  ]);
  // `export * as numpy` and the like are spaces of their own here.
  const isSpace = (full: string): boolean => Object.values(ours).includes(valueOf(full) as object);
  const missing = Object.keys(ours)
    .filter((space) => space !== "analysis" && space !== "laws")
    .flatMap((space) => namesOf(space).map((name) => `${space}.${name}`))
    .filter((full) => !named.has(full) && !isSpace(full) && full !== "fluxion.scipy");
  expect(missing.join("\n")).toBe("");
});

function namesOf(space: string): string[] {
  if (space !== "NDArray") return Object.keys(ours[space]);
  return Object.getOwnPropertyNames(NDArray.prototype).filter((name) => name !== "constructor");
}
