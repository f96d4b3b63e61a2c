/** Laws of `vmap`: it is a loop, it is a functor, and it trades places with every other transform. */
import { aval, ConcreteArray, grad, jit, jvp, type NDArray, numpy as np, vjp, vmap } from "fluxion";
import { carriesTangent, close } from "../close.js";
import { type ArrayFunction, abstains, every, type Law, law, type Verdict } from "../law.js";
import type { Point } from "../point.js";
import { sameTypes } from "./types.js";

const source = "Frostig, Johnson & Leary, Compiling machine learning programs via high-level tracing, 2018";
const functor = "Bird & de Moor, Algebra of Programming, ch. 2 (map is a functor)";

type Row = readonly NDArray[];

/** What the transforms take, for functions of any number of arrays. */
type Loose = (...xs: NDArray[]) => readonly NDArray[];
const loose = (f: ArrayFunction): Loose => f as Loose;

/** The rows of a batch: the inputs first. */
const rowsOf = ({ inputs, rows }: Point): readonly Row[] => [inputs, ...rows];

/** The rows, column by column: each column an array with one more axis in front, or elsewhere. */
const stackRows = (rows: readonly Row[], axis: (i: number, ndim: number) => number = () => 0): NDArray[] =>
  rows[0].map((x, i) =>
    np.stack(
      rows.map((row) => row[i]),
      axis(i, x.ndim),
    ),
  );

const looped = (f: ArrayFunction, rows: readonly Row[]): NDArray[] => stackRows(rows.map((row) => f(...row)));

/** With the types, weakness included: `close` looks at shape and dtype alone. */
const agree = (left: Row, right: Row, names: readonly [string, string]): Verdict =>
  every(
    () => sameTypes(left, right, names),
    () => close(left, right, { names }),
  );

/** Nothing to batch over, or nothing to compare. */
const withRows = (point: Point, check: () => Verdict): Verdict =>
  point.inputs.length === 0 ? abstains("f has no input to batch over") : check();

// ---------------------------------------------------------------------------------------------------------------------
// vmap is map
// ---------------------------------------------------------------------------------------------------------------------

const isMap = law<Point>({
  name: "vmap is map",
  subject: "function",
  statement: "vmap f (stack xᵢ) = stack f(xᵢ)",
  source,
  check: (point) =>
    withRows(point, () => {
      const rows = rowsOf(point);
      const batched = vmap(loose(point.f))(...stackRows(rows));
      return agree(batched, looped(point.f, rows), ["vmap f (stack xᵢ)", "stack f(xᵢ)"]);
    }),
});

const oneInput = law<Point>({
  name: "vmap over one input",
  subject: "function",
  statement: "vmap (x ↦ f(x, c)) (stack xᵢ) = stack f(xᵢ, c), for each input by itself",
  source,
  check: (point) =>
    withRows(point, () => {
      const { f, inputs, seed } = point;
      if (inputs.length === 1) return abstains("f has one input, which vmap is map tries");
      // Long lists of inputs cost too much to try one by one: three of them, other ones for other seeds.
      const tried =
        inputs.length <= 3
          ? inputs.map((_, i) => i)
          : [0, 1, 2].map((k) => ((seed >>> 0) + k) % inputs.length);
      const rows = rowsOf(point);
      return every(
        ...tried.map((i) => () => {
          const own = rows.map((row) => inputs.map((x, k) => (k === i ? row[k] : x)));
          const inAxes = inputs.map((_, k) => (k === i ? 0 : null));
          const stacked = stackRows(own);
          const batched = vmap(loose(f), { inAxes })(...inputs.map((x, k) => (k === i ? stacked[k] : x)));
          return agree(batched, looped(f, own), [`vmap f over input ${i}`, "stack f(xᵢ, c)"]);
        }),
      );
    }),
});

const otherAxes = law<Point>({
  name: "vmap over other axes",
  subject: "function",
  statement: "move (vmap f) = vmap f with inAxes and outAxes -1",
  source,
  check: (point) =>
    withRows(point, () => {
      const { f } = point;
      const rows = rowsOf(point);
      const last = stackRows(rows, (_, ndim) => ndim);
      const outputs = rows.map((row) => f(...row));
      const wanted = stackRows(outputs, (_, ndim) => ndim);
      const batched = vmap(loose(f), { inAxes: -1 as never, outAxes: -1 as never })(...last);
      return agree(batched, wanted, ["vmap f along the last axes", "stack f(xᵢ) along the last axis"]);
    }),
});

const empty = law<Point>({
  name: "vmap of nothing",
  subject: "function",
  statement: "vmap f (stack of no xᵢ) = stack of no f(xᵢ)",
  source: functor,
  check: (point) =>
    withRows(point, () => {
      const none = (xs: Row): NDArray[] =>
        xs.map((x) => {
          const { shape, dtype, weakType } = x.aval;
          return new ConcreteArray(x.dataSync().slice(0, 0), aval([0, ...shape], dtype, weakType));
        });
      const batched = vmap(loose(point.f))(...none(point.inputs));
      return agree(batched, none(point.f(...point.inputs)), ["vmap f []", "[]"]);
    }),
});

// ---------------------------------------------------------------------------------------------------------------------
// vmap is a functor
// ---------------------------------------------------------------------------------------------------------------------

/** A function of what `f` gives that is different in each place and mixes elements: y ↦ y · Σ sin y. */
const mixing: ArrayFunction = (...ys) =>
  ys.map((y) => (carriesTangent(y) ? np.multiply(y, np.sum(np.sin(y))) : y));

const composition = law<Point>({
  name: "vmap keeps composition",
  subject: "function",
  statement: "vmap (g∘f) = vmap g ∘ vmap f",
  source: functor,
  check: (point) =>
    withRows(point, () => {
      const { f } = point;
      const xs = stackRows(rowsOf(point));
      const whole = vmap(loose((...row) => mixing(...f(...row))))(...xs);
      const middle = vmap(loose(f))(...xs);
      if (middle.length === 0) return abstains("f has no output");
      return agree(whole, vmap(loose(mixing))(...middle), ["vmap (g∘f)", "vmap g ∘ vmap f"]);
    }),
});

// ---------------------------------------------------------------------------------------------------------------------
// Trading places
// ---------------------------------------------------------------------------------------------------------------------

/** A batch with a direction for each row: what stays, what moves, tangents and cotangents. */
interface Batch {
  /** The moving inputs, a row each, stacked. */
  readonly xs: Row;
  readonly fixed: Row;
  readonly vs: Row;
  readonly us: Row;
  /** f with its inputs in two groups, and the outputs that have derivatives. */
  readonly apply: (xs: Row, fixed: Row) => readonly NDArray[];
  /** The same for the whole batch. */
  readonly batched: (xs: Row, fixed: Row) => readonly NDArray[];
}

function batchOf(point: Point): Batch | undefined {
  const { f, inputs, v, w, u } = point;
  if (v.length === 0 || u.length === 0) return undefined;
  const rows = rowsOf(point);
  const isMoving = inputs.map(carriesTangent);
  const moving = (row: Row): NDArray[] => row.filter((_, i) => isMoving[i]);
  const resting = (row: Row): NDArray[] => row.filter((_, i) => !isMoving[i]);
  const merge = (xs: Row, fixed: Row): NDArray[] => {
    let [x, c] = [0, 0];
    return isMoving.map((moves) => (moves ? xs[x++] : fixed[c++]));
  };
  const smooth = (ys: Row): NDArray[] => ys.filter(carriesTangent);
  // Each row has a direction of its own: a mix-up of rows shows.
  const along = (k: number): Row => v.map((t, i) => np.add(t, np.multiply(w[i], k)));
  const weighted = (k: number): Row => u.map((ct) => np.multiply(ct, 1 - 0.75 * k));
  const still = rows.map(resting);
  return {
    xs: stackRows(rows.map(moving)),
    fixed: stackRows(still),
    vs: stackRows(rows.map((_, k) => along(k))),
    us: stackRows(rows.map((_, k) => weighted(k))),
    apply: (xs, fixed) => smooth(f(...merge(xs, fixed))),
    batched: (xs, fixed) => smooth(vmap(loose(f))(...merge(xs, fixed))),
  };
}

const exchange = (point: Point, check: (batch: Batch) => Verdict): Verdict => {
  const batch = batchOf(point);
  return batch === undefined ? abstains("nothing in f is differentiable") : check(batch);
};

const withJvp = law<Point>({
  name: "vmap trades places with jvp",
  subject: "function",
  statement: "vmap (jvp f) = jvp (vmap f)",
  source,
  check: (point) =>
    exchange(point, ({ xs, fixed, vs, apply, batched }) => {
      const n = xs.length;
      const each = vmap(
        loose((...args) =>
          jvp(
            (...ys: NDArray[]) => apply(ys, args.slice(2 * n)),
            args.slice(0, n),
            args.slice(n, 2 * n),
          ).flat(),
        ),
      )(...xs, ...vs, ...fixed);
      const all = jvp((...ys: NDArray[]) => batched(ys, fixed), [...xs], [...vs]).flat();
      return close(each, all, { names: ["vmap (jvp f)", "jvp (vmap f)"] });
    }),
});

const withVjp = law<Point>({
  name: "vmap trades places with vjp",
  subject: "function",
  statement: "vmap (vjp f) = vjp (vmap f)",
  source,
  check: (point) =>
    exchange(point, ({ xs, fixed, us, apply, batched }) => {
      const [n, m] = [xs.length, us.length];
      const each = vmap(
        loose((...args) => {
          const [ys, pull] = vjp((...zs: NDArray[]) => apply(zs, args.slice(n + m)), ...args.slice(0, n));
          return [...ys, ...(pull(args.slice(n, n + m)) as readonly NDArray[])];
        }),
      )(...xs, ...us, ...fixed);
      const [ys, pull] = vjp((...zs: NDArray[]) => batched(zs, fixed), ...xs);
      return close(each, [...ys, ...(pull([...us]) as readonly NDArray[])], {
        names: ["vmap (vjp f)", "vjp (vmap f)"],
      });
    }),
});

/** ⟨u, y⟩, a number; floats of several dtypes add up. */
const inner = (us: Row, ys: Row): NDArray =>
  ys.map((y, i) => np.sum(np.multiply(us[i], y))).reduce((a, b) => np.add(a, b));

const withGrad = law<Point>({
  name: "vmap trades places with grad",
  subject: "function",
  statement: "vmap (grad ⟨u, f⟩) = grad (Σ vmap ⟨u, f⟩)",
  source,
  check: (point) =>
    exchange(point, ({ xs, fixed, us, apply, batched }) => {
      const [n, m] = [xs.length, us.length];
      const argnums = xs.map((_, i) => i);
      const each = vmap(
        loose((...args) => {
          const value = (...zs: NDArray[]) => inner(args.slice(n, n + m), apply(zs, args.slice(n + m)));
          return grad(value, { argnums })(...args.slice(0, n)) as unknown as readonly NDArray[];
        }),
      )(...xs, ...us, ...fixed);
      const total = (...zs: NDArray[]) => inner(us, batched(zs, fixed));
      const all = grad(total, { argnums })(...xs) as unknown as readonly NDArray[];
      return close(each, all, { names: ["vmap (grad ⟨u, f⟩)", "grad (Σ vmap ⟨u, f⟩)"] });
    }),
});

const withJit = law<Point>({
  name: "vmap trades places with jit",
  subject: "function",
  statement: "vmap (jit f) = jit (vmap f)",
  source,
  check: (point) =>
    withRows(point, () => {
      const xs = stackRows(rowsOf(point));
      return agree(vmap(jit(loose(point.f)))(...xs), jit(vmap(loose(point.f)))(...xs), [
        "vmap (jit f)",
        "jit (vmap f)",
      ]);
    }),
});

const axisSwap = law<Point>({
  name: "vmap trades places with vmap",
  subject: "function",
  statement: "vmap (vmap f) = vmap₁ (vmap₀ f): the order of two batch axes does not matter",
  source: functor,
  check: (point) =>
    withRows(point, () => {
      const f = loose(point.f);
      const [a, b, c] = rowsOf(point);
      const grid = [
        [a, b, c],
        [c, a, b],
      ];
      const xs = stackRows(grid.map((rows) => stackRows(rows)));
      const wanted = stackRows(grid.map((rows) => looped(f, rows)));
      const names = ["vmap (vmap f)", "stack of stacks of f(xᵢⱼ)"] as const;
      return every(
        () => agree(vmap(vmap(f))(...xs), wanted, names),
        () =>
          agree(vmap(vmap(f), { inAxes: 1, outAxes: 1 as never })(...xs), wanted, [
            "vmap₁ (vmap₀ f)",
            "stack of stacks of f(xᵢⱼ)",
          ]),
      );
    }),
});

export const functionLaws: readonly Law<Point>[] = [
  isMap,
  oneInput,
  otherAxes,
  empty,
  composition,
  withJvp,
  withVjp,
  withGrad,
  withJit,
  axisSwap,
];
