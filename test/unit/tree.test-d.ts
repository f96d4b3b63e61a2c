/** What the type checker must make of trees. Checked by `tsc`, not run. */
import { expectTypeOf } from "vitest";
import type { NDArray } from "../../src/core/array.js";
import * as tree from "../../src/core/tree.js";

interface Layer {
  w: NDArray;
  b?: NDArray;
}
type Params = { layers: Layer[]; scale: NDArray; frozen: null };
declare const params: Params;
declare const x: NDArray;

class Model {
  constructor(
    readonly w: NDArray,
    private readonly hidden: NDArray,
  ) {}
  call(y: NDArray): NDArray {
    return this.w ?? this.hidden ?? y;
  }
}
declare const model: Model;

// Tree
expectTypeOf<{ a: [NDArray, null]; b: { c: undefined } }>().toExtend<tree.Tree<NDArray>>();
expectTypeOf<NDArray>().toExtend<tree.Tree<NDArray>>();
expectTypeOf<{ a: string }>().not.toExtend<tree.Tree<NDArray>>();

// LeafOf
expectTypeOf<tree.LeafOf<Params>>().toEqualTypeOf<NDArray>();
expectTypeOf<tree.LeafOf<[number, { a: string; b?: boolean } | null]>>().toEqualTypeOf<
  number | string | boolean
>();
expectTypeOf<tree.LeafOf<Model>>().toEqualTypeOf<NDArray>();
expectTypeOf<tree.LeafOf<(() => void)[]>>().toEqualTypeOf<() => void>();
expectTypeOf<tree.LeafOf<Float32Array>>().toEqualTypeOf<Float32Array>();
expectTypeOf<tree.LeafOf<tree.Tree<NDArray>>>().toEqualTypeOf<NDArray>();
expectTypeOf<tree.LeafOf<unknown>>().toEqualTypeOf<unknown>();
expectTypeOf<tree.LeafOf<null>>().toEqualTypeOf<never>();

// MapTree
expectTypeOf<tree.MapTree<NDArray, NDArray, number>>().toEqualTypeOf<number>();
expectTypeOf<tree.MapTree<Params, NDArray, number>>().toEqualTypeOf<{
  layers: { w: number; b?: number }[];
  scale: number;
  frozen: null;
}>();
expectTypeOf<tree.MapTree<[number, readonly [number, null]], number, string>>().toEqualTypeOf<
  [string, readonly [string, null]]
>();
expectTypeOf<tree.MapTree<readonly number[] | undefined, number, string>>().toEqualTypeOf<
  readonly string[] | undefined
>();
expectTypeOf<tree.MapTree<{ a: number; b: string }, number, boolean>>().toEqualTypeOf<{
  a: boolean;
  b: string;
}>();
// Leaves that keep their type keep that of the tree, but not if one could turn into another.
expectTypeOf<tree.MapTree<Params, NDArray, NDArray>>().toEqualTypeOf<Params>();
expectTypeOf<tree.MapTree<Model, NDArray, NDArray>>().toEqualTypeOf<Model>();
expectTypeOf<tree.MapTree<{ a: number; b: string }, number | string, number | string>>().toEqualTypeOf<{
  a: number | string;
  b: number | string;
}>();

// map
expectTypeOf(tree.map((a) => a.size, params)).toEqualTypeOf<{
  layers: { w: number; b?: number }[];
  scale: number;
  frozen: null;
}>();
expectTypeOf(
  tree.map(
    (p, g) => {
      expectTypeOf(p).toEqualTypeOf<NDArray>();
      expectTypeOf(g).toEqualTypeOf<NDArray>();
      return p;
    },
    params,
    params,
  ),
).toEqualTypeOf<Params>();
expectTypeOf(tree.map((n) => [n], { a: 1, b: [2] as [number] })).toEqualTypeOf<{
  a: number[];
  b: [number[]];
}>();
expectTypeOf(tree.map((a) => a, model)).toEqualTypeOf<Model>();
expectTypeOf(tree.map((n, s) => `${n}${s.deep}`, [1], [{ deep: "x" }])).toEqualTypeOf<string[]>();
tree.map((_n, [s]) => expectTypeOf(s).toEqualTypeOf<string>(), { a: 1, b: null }, { a: ["x"], b: null });
expectTypeOf(tree.map((a: NDArray) => a.shape, { a: x })).toEqualTypeOf<{ a: readonly number[] }>();
// @ts-expect-error a string leaf is not a number
tree.map((n: number) => n, { a: "x" });
// @ts-expect-error a tree of numbers beside one of strings
tree.map((_n: number, m: number) => m, [1], ["x"]);
tree.map((_, u) => expectTypeOf(u).toEqualTypeOf<unknown>(), [1], [2] as unknown);
// What JSON.parse gives is `any`, and stays so.
expectTypeOf(tree.map((a) => a.anything, JSON.parse("{}"))).toBeAny();

// in generic code
const halve = <P extends tree.Tree<NDArray>>(p: P) => tree.map((a) => a.ndim, p);
expectTypeOf(halve({ w: x, b: [x, null] as const })).toEqualTypeOf<{
  w: number;
  b: readonly [number, null];
}>();
const larger = <P extends tree.Tree<NDArray>>(p: P, g: P) =>
  tree.map((a, b) => (a.size > b.size ? a : b).size, p, g);
expectTypeOf(larger({ w: x }, { w: x })).toEqualTypeOf<{ w: number }>();

expectTypeOf(tree.reduce((n, a: NDArray) => n + a.size, { a: x }, 0)).toEqualTypeOf<number>();

// the others
expectTypeOf(tree.leaves(params)).toEqualTypeOf<NDArray[]>();
expectTypeOf(tree.leaves(params as unknown)).toEqualTypeOf<unknown[]>();
expectTypeOf(tree.flatten([1, "a"] as [number, string]).leaves).toEqualTypeOf<(number | string)[]>();
expectTypeOf(tree.flattenWithPath(params).leaves[0]).toEqualTypeOf<[path: tree.Path, leaf: NDArray]>();
expectTypeOf(tree.unflatten(tree.structure(params), [])).toEqualTypeOf<unknown>();
expectTypeOf(tree.unflatten<Params>(tree.structure(params), [])).toEqualTypeOf<Params>();
expectTypeOf(tree.mapWithPath((path, a) => path.length + a.size, { a: x })).toEqualTypeOf<{ a: number }>();
expectTypeOf(tree.reduce((n, a) => n + a.size, params, 0)).toEqualTypeOf<number>();
expectTypeOf(tree.reduce((a, b) => (a.size > b.size ? a : b), params)).toEqualTypeOf<NDArray>();
expectTypeOf(tree.broadcast({ layers: 1, scale: 2, frozen: null }, params)).toEqualTypeOf<{
  layers: { w: number; b?: number }[];
  scale: number;
  frozen: null;
}>();
expectTypeOf(
  tree.mapUntil(
    (n) => n === null,
    (n) => n ?? 0,
    { a: 1, b: null },
  ),
).toEqualTypeOf<{ a: number; b: number }>();

// registration knows the fields
tree.registerDataclass(Model, { data: ["w"] });
// @ts-expect-error no such field
tree.registerDataclass(Model, { data: ["v"] });
tree.registerClass(Model, {
  flatten: (m) => ({ children: [m.w], aux: 3 }),
  unflatten: (aux, [w]) => {
    expectTypeOf(aux).toEqualTypeOf<number>();
    return new Model(w as NDArray, x);
  },
});
