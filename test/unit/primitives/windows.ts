/** Random numberings of axes for gather and scatter, and index arithmetic for definitions written out. */
import type { Shape } from "../../../src/core/aval.js";
import type { AxisNumbers } from "../../../src/primitives/indexed.js";

/** Whole numbers from 0 to n - 1, the same in every run (a linear congruential generator; Knuth, TAOCP 2). */
export function generator(seed: number): (n: number) => number {
  let state = seed >>> 0;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 4294967296) * n);
  };
}

type Random = ReturnType<typeof generator>;

/** All coordinates of a shape in row-major order. */
export function coordinates(shape: Shape): number[][] {
  let all: number[][] = [[]];
  for (const n of shape) all = all.flatMap((c) => Array.from({ length: n }, (_, i) => [...c, i]));
  return all;
}

export const flatIndex = (shape: Shape, at: readonly number[]): number =>
  shape.reduce((index, n, a) => index * n + at[a], 0);

function shuffled(list: readonly number[], random: Random): number[] {
  const rest = [...list];
  return list.map(() => rest.splice(random(rest.length), 1)[0]);
}

const some = (list: readonly number[], count: number, random: Random): number[] =>
  shuffled(list, random).slice(0, count);

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

const increasing = (list: readonly number[]): number[] => [...list].sort((a, b) => a - b);

/** An operand of up to three axes, up to two axes of windows, and starts that also lie outside. */
export function drawWindows<Outside extends string>(random: Random, outside: Outside) {
  const operand = range(random(4)).map(() => 1 + random(4));
  const rank = operand.length;
  const operandBatching = increasing(some(range(rank), random(Math.min(rank, 2) + 1), random));
  const others = range(rank).filter((a) => !operandBatching.includes(a));
  const dropped = others.filter(() => random(2) === 0);
  const start = shuffled(
    others.filter(() => random(4) > 0),
    random,
  );
  const counts = range(Math.max(operandBatching.length, random(3))).map(() => 1 + random(3));
  const indicesBatching = some(range(counts.length), operandBatching.length, random);
  for (const [i, a] of operandBatching.entries()) counts[indicesBatching[i]] = operand[a];
  const isKept = (a: number) => !dropped.includes(a) && !operandBatching.includes(a);
  const sliceSizes = operand.map((n, a) => (isKept(a) ? random(n + 1) : 1));
  const kept = range(rank).filter(isKept);
  const windowedRank = counts.length + kept.length;
  const window = increasing(some(range(windowedRank), kept.length, random));
  const windowed = new Array<number>(windowedRank);
  for (const [i, a] of window.entries()) windowed[a] = sliceSizes[kept[i]];
  for (const [i, a] of range(windowedRank)
    .filter((b) => !window.includes(b))
    .entries())
    windowed[a] = counts[i];
  const indices = [...counts, start.length];
  const starts = coordinates(indices).map(() => random(7) - 2);
  const mode: Outside | "clip" = random(2) === 0 ? "clip" : outside;
  const numbers: AxisNumbers = { window, dropped, start, operandBatching, indicesBatching };
  return { operand, indices, starts, windowed, numbers, sliceSizes, mode };
}
