/**
 * Laws of trees as fp-ts has them: Functor, Foldable and Traversable. The instances are a parameter, so that the laws can be
 * tried on others than fluxion's.
 */
import * as fc from "fast-check";
import type { tree as trees } from "fluxion";
import { tree as instances } from "fluxion/fp";
import { getApplicativeComposition } from "fp-ts/lib/Applicative.js";
import * as E from "fp-ts/lib/Either.js";
import type { Foldable1 } from "fp-ts/lib/Foldable.js";
import type { Functor1 } from "fp-ts/lib/Functor.js";
import * as I from "fp-ts/lib/Identity.js";
import { MonoidSum } from "fp-ts/lib/number.js";
import * as O from "fp-ts/lib/Option.js";
import * as S from "fp-ts/lib/State.js";
import { Monoid as MonoidString } from "fp-ts/lib/string.js";
import type { Traversable1 } from "fp-ts/lib/Traversable.js";
import { tree } from "../arbitraries/tree.js";
import { type ValueLaw, valueLaw } from "../given.js";
import { every, fails, holds, law, type Verdict } from "../law.js";

type Tree<T> = trees.Tree<T>;

/** The instances that the laws are about. */
export interface TreeInstances {
  readonly Functor: Functor1<instances.URI>;
  readonly Foldable: Foldable1<instances.URI>;
  readonly Traversable: Traversable1<instances.URI>;
}

const functorSource = "Mac Lane, Categories for the Working Mathematician, ch. I.3";
const foldableSource = "Gibbons & Oliveira, The essence of the Iterator pattern, JFP 2009, section 2";
const traversableSource = "Jaskelioff & Rypacek, An investigation of the laws of traversals, MSFP 2012";

/** Values in which the order of fields, which trees do not have, is that of their names; other values as they are. */
const ordered = (_: string, v: unknown): unknown => {
  if (v === undefined) return "undefined";
  if (Object.is(v, -0)) return "-0";
  if (typeof v !== "object" || v === null || Array.isArray(v)) return v;
  return Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1)));
};

/** Trees and results as text in which no two different ones are alike. */
const show = (x: unknown): string => JSON.stringify(x, ordered) ?? "undefined";

const same = (left: unknown, right: unknown, names: readonly [string, string]): Verdict =>
  show(left) === show(right)
    ? holds
    : fails({ name: names[0], value: show(left) }, { name: names[1], value: show(right) });

const double = (x: number): number => x * 2;
const label = (x: number): string => `<${x}>`;
const id = <A>(x: A): A => x;

/** The leaves by a recursion of its own: fields in the order of their names. */
function leavesOf<T>(t: Tree<T>): T[] {
  if (t === null || t === undefined) return [];
  if (Array.isArray(t)) return t.flatMap((child) => leavesOf(child as Tree<T>));
  if (typeof t !== "object") return [t as T];
  const fields = t as Record<string, Tree<T>>;
  return Object.keys(fields)
    .sort()
    .flatMap((key) => leavesOf(fields[key]));
}

const half = (x: number): O.Option<number> => (x % 2 === 0 ? O.some(x / 2) : O.none);
const positive = (x: number): E.Either<string, number> => (x >= 0 ? E.right(x) : E.left(`${x} is negative`));

/** The laws, for these instances. */
export function treeLaws({ Functor, Foldable, Traversable }: TreeInstances): readonly ValueLaw[] {
  const integers = tree(fc.integer({ min: -9, max: 9 }));
  const of = (
    name: string,
    statement: string,
    source: string,
    check: (t: Tree<number>) => Verdict,
  ): ValueLaw => valueLaw(law<Tree<number>>({ name, subject: "value", statement, source, check }), integers);

  return [
    of("trees: map keeps the identity", "map id = id", functorSource, (t) =>
      same(Functor.map(t, id), t, ["map id", "id"]),
    ),
    of("trees: map keeps composition", "map (g∘f) = map g ∘ map f", functorSource, (t) =>
      every(
        () =>
          same(
            Functor.map(t, (x) => label(double(x))),
            Functor.map(Functor.map(t, double), label),
            ["map (g∘f)", "map g ∘ map f"],
          ),
        () =>
          same(leavesOf(Functor.map(t, label)), leavesOf(t).map(label), [
            "leaves (map f t)",
            "map f (leaves t)",
          ]),
      ),
    ),
    of("trees: every fold is a fold of the leaves", "fold t = fold (leaves t)", foldableSource, (t) => {
      const leaves = leavesOf(t);
      const text = leaves.map(label).join("");
      return every(
        () => same(Foldable.foldMap(MonoidString)(t, label), text, ["foldMap", "fold of the leaves"]),
        () =>
          same(
            Foldable.reduce(t, "", (s, x) => s + label(x)),
            text,
            ["reduce", "fold of the leaves"],
          ),
        () =>
          same(
            Foldable.reduceRight(t, "", (x, s) => label(x) + s),
            text,
            ["reduceRight", "fold of the leaves"],
          ),
        () =>
          same(
            Foldable.foldMap(MonoidSum)(Functor.map(t, double), id),
            Foldable.foldMap(MonoidSum)(t, double),
            ["fold ∘ map f", "foldMap f"],
          ),
      );
    }),
    of("trees: traverse in Identity is map", "traverse (Id∘f) = Id∘(map f)", traversableSource, (t) =>
      same(Traversable.traverse(I.Applicative)(t, double), Functor.map(t, double), [
        "traverse Id f",
        "map f",
      ]),
    ),
    of("trees: traverse is natural", "α ∘ traverse f = traverse (α∘f)", traversableSource, (t) =>
      same(
        O.fromEither(Traversable.traverse(E.Applicative)(t, positive)),
        Traversable.traverse(O.Applicative)(t, (x) => O.fromEither(positive(x))),
        ["α ∘ traverse f", "traverse (α∘f)"],
      ),
    ),
    of(
      "trees: traversals compose",
      "traverse (map g ∘ f) = map (traverse g) ∘ traverse f",
      traversableSource,
      (t) => {
        // fp-ts has no type for the composition of two effects of one parameter each.
        const composed = getApplicativeComposition(
          O.Applicative,
          E.Applicative,
        ) as unknown as typeof I.Applicative;
        const both = (x: number) => O.map(positive)(half(x)) as never;
        const inOne = Traversable.traverse(composed)(t, both);
        const inTwo = O.map((w: Tree<number>) => Traversable.traverse(E.Applicative)(w, positive))(
          Traversable.traverse(O.Applicative)(t, half),
        );
        return same(inOne, inTwo, ["traverse (map g ∘ f)", "map (traverse g) ∘ traverse f"]);
      },
    ),
    of("trees: sequence is traverse id", "sequence ∘ map f = traverse f", traversableSource, (t) =>
      same(
        Traversable.sequence(O.Applicative)(Functor.map(t, half)),
        Traversable.traverse(O.Applicative)(t, half),
        ["sequence ∘ map f", "traverse f"],
      ),
    ),
    of(
      "trees: effects go from first to last",
      "traverse numbers the leaves in order",
      traversableSource,
      (t) => {
        const number =
          (x: number): S.State<number, string> =>
          (n) => [`${n}:${x}`, n + 1];
        const [numbered, count] = Traversable.traverse(S.Applicative)(t, number)(0);
        return every(
          () =>
            same(
              leavesOf(numbered),
              leavesOf(t).map((x, i) => `${i}:${x}`),
              ["traverse number", "number (leaves t)"],
            ),
          () => same(count, leavesOf(t).length, ["effects", "leaves"]),
        );
      },
    ),
  ];
}

/** The laws of fluxion's own instances. */
export const valueLaws: readonly ValueLaw[] = treeLaws(instances);
