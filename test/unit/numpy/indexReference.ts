/**
 * NumPy's indexing, element by element: which element of the array each element of the result is. Slow and plain, to
 * compare the library with; and an arbitrary that draws an array's shape and indices for it.
 */
import fc from "fast-check";

/** An integer array, as shape and elements in row-major order. */
export interface Table {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** An index, with arrays as tables. */
export type PlainIndex =
  | null
  | "..."
  | number
  | { readonly start: number | null; readonly stop: number | null; readonly step: number | null }
  | { readonly table: Table }
  | { readonly mask: Table };

type Item =
  | { readonly kind: "new" }
  | { readonly kind: "gap" }
  | { readonly kind: "places"; readonly places: readonly number[] }
  | { readonly kind: "table"; readonly table: Table; readonly length: number };

export const sizeOf = (shape: readonly number[]): number => shape.reduce((n, m) => n * m, 1);

/** All index tuples of a shape, in row-major order. */
export function* tuples(shape: readonly number[]): Generator<number[]> {
  if (shape.length === 0) {
    yield [];
    return;
  }
  for (let i = 0; i < shape[0]; i++) for (const rest of tuples(shape.slice(1))) yield [i, ...rest];
}

const flatten = (shape: readonly number[], index: readonly number[]): number =>
  index.reduce((at, i, axis) => at * shape[axis] + i, 0);

/** The places of a slice, by walking: as Python's range with the ends that slice.indices gives. */
function walk(start: number | null, stop: number | null, step: number | null, n: number): number[] {
  const by = step ?? 1;
  const inside = (i: number, low: number, high: number) => Math.max(low, Math.min(high, i < 0 ? i + n : i));
  const places: number[] = [];
  if (by > 0) {
    const end = stop === null ? n : inside(stop, 0, n);
    for (let i = start === null ? 0 : inside(start, 0, n); i < end; i += by) places.push(i);
  } else {
    const end = stop === null ? -1 : inside(stop, -1, n - 1);
    for (let i = start === null ? n - 1 : inside(start, -1, n - 1); i > end; i += by) places.push(i);
  }
  return places;
}

function itemsOf(shape: readonly number[], indices: readonly PlainIndex[]): Item[] {
  const taken = (index: PlainIndex) =>
    index === null || index === "..."
      ? 0
      : typeof index === "object" && "mask" in index
        ? index.mask.shape.length
        : 1;
  const missing = shape.length - indices.reduce<number>((n, index) => n + taken(index), 0);
  const full = (axis: number): Item => ({ kind: "places", places: walk(null, null, null, shape[axis]) });
  const items: Item[] = [];
  let axis = 0;
  for (const index of indices) {
    if (index === "...") {
      if (missing === 0) items.push({ kind: "gap" });
      for (let i = 0; i < missing; i++) items.push(full(axis++));
    } else if (index === null) items.push({ kind: "new" });
    else if (typeof index === "number")
      items.push({ kind: "table", table: { shape: [], values: [index] }, length: shape[axis++] });
    else if ("table" in index) items.push({ kind: "table", table: index.table, length: shape[axis++] });
    else if ("mask" in index) {
      const held = [...tuples(index.mask.shape)].filter(
        (t) => index.mask.values[flatten(index.mask.shape, t)] !== 0,
      );
      for (let k = 0; k < index.mask.shape.length; k++)
        items.push({
          kind: "table",
          table: { shape: [held.length], values: held.map((t) => t[k]) },
          length: shape[axis++],
        });
    } else items.push({ kind: "places", places: walk(index.start, index.stop, index.step, shape[axis++]) });
  }
  while (axis < shape.length) items.push(full(axis++));
  return items;
}

function broadcast(shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(0, ...shapes.map((s) => s.length));
  return Array.from({ length: rank }, (_, d) => {
    const lengths = shapes.map((s) => s[d - rank + s.length] ?? 1);
    return lengths.find((n) => n !== 1) ?? 1;
  });
}

/** The shape of the result, and for each of its elements the flat place it comes from. */
export function reference(shape: readonly number[], indices: readonly PlainIndex[]): Table {
  const items = itemsOf(shape, indices);
  const tables = items.flatMap((item) => (item.kind === "table" ? [item.table] : []));
  const shared = broadcast(tables.map((t) => t.shape));
  const places = items.flatMap((item, i) => (item.kind === "table" ? [i] : []));
  const together = places.length > 0 && places.at(-1)! - places[0] === places.length - 1;
  // Scalars alone are no index arrays: there are no shared axes to put anywhere.
  const before = shared.length === 0 ? 0 : together ? places[0] : 0;
  const own = (part: readonly Item[]) =>
    part.flatMap((item) => (item.kind === "new" ? [1] : item.kind === "places" ? [item.places.length] : []));
  const front = own(items.slice(0, before));
  const out = [...front, ...shared, ...own(items.slice(before))];
  const values = [...tuples(out)].map((tuple) => {
    const common = tuple.slice(front.length, front.length + shared.length);
    const rest = [...tuple.slice(0, front.length), ...tuple.slice(front.length + shared.length)];
    const source = items.flatMap((item) => {
      if (item.kind === "gap") return [];
      if (item.kind === "table") {
        const { shape: s, values: v } = item.table;
        const at = s.map((n, d) => (n === 1 ? 0 : common[shared.length - s.length + d]));
        const i = v[flatten(s, at)];
        return [i < 0 ? i + item.length : i];
      }
      const i = rest.shift() as number;
      return item.kind === "new" ? [] : [item.places[i]];
    });
    return flatten(shape, source);
  });
  return { shape: out, values };
}

const table = (shape: readonly number[], low: number, high: number): fc.Arbitrary<Table> =>
  fc
    .array(fc.integer({ min: low, max: high }), { minLength: sizeOf(shape), maxLength: sizeOf(shape) })
    .map((values) => ({ shape, values }));

/** An index for one axis of length n; index arrays have the given shape, or axes of length 1 in it. */
function oneIndex(n: number, shared: readonly number[], masks: boolean): fc.Arbitrary<PlainIndex> {
  const end = fc.option(fc.integer({ min: -n - 2, max: n + 2 }), { nil: null });
  const step = fc.constantFrom(null, 1, 2, 3, -1, -2);
  const slice = fc.record({ start: end, stop: end, step });
  if (n === 0) return slice;
  const tables = fc
    .tuple(
      fc.array(fc.boolean(), { minLength: shared.length, maxLength: shared.length }),
      fc.integer({ min: 0, max: shared.length }),
    )
    .chain(([flat, drop]) => table(shared.map((m, i) => (flat[i] ? 1 : m)).slice(drop), -n, n - 1));
  const mask = table([n], 0, 1).map((m) => ({ mask: m }));
  return fc.oneof(
    slice,
    fc.integer({ min: -n, max: n - 1 }),
    tables.map((t) => ({ table: t })),
    ...(masks ? [mask] : []),
  );
}

/** An array's shape and indices that fit it. Masks and index arrays do not come together: their lengths might not fit. */
export const indexing = (masks: boolean): fc.Arbitrary<{ shape: number[]; indices: PlainIndex[] }> =>
  fc
    .tuple(
      fc.array(fc.constantFrom(0, 1, 2, 3, 4), { maxLength: 4 }),
      masks ? fc.constant([] as number[]) : fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 2 }),
    )
    .chain(([shape, shared]) =>
      fc
        .record({
          used: fc.integer({ min: 0, max: shape.length }),
          axes: fc.tuple(...shape.map((n) => oneIndex(n, shared, masks && shape.indexOf(n) >= 0))),
          ellipsis: fc.option(fc.integer({ min: 0, max: shape.length }), { nil: null }),
          fresh: fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 2 }),
        })
        .map(({ used, axes, ellipsis, fresh }) => {
          let single = false;
          const indices: PlainIndex[] = axes.slice(0, used).map((index) => {
            // One mask: two of them would have to hold equally often.
            const isMask = typeof index === "object" && index !== null && "mask" in index;
            if (!isMask) return index;
            const first = !single;
            single = true;
            return first ? index : 0;
          });
          if (ellipsis !== null && ellipsis <= used) {
            const behind = axes.slice(shape.length - (used - ellipsis));
            const tail = behind.filter(
              (index) => !(typeof index === "object" && index !== null && "mask" in index),
            );
            if (tail.length === behind.length) indices.splice(ellipsis, indices.length, "...", ...behind);
          }
          for (const place of fresh) indices.splice(Math.min(place, indices.length), 0, null);
          return { shape, indices };
        }),
    );
