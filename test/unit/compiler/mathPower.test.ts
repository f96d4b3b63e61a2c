/** Powers and the angle of a point, of two float32 in kernel IR. */
import { describe, expect, it } from "vitest";
import * as math from "../../../src/core/ir/math/index.js";
import { elementFunction, exact, likeGpu } from "./elementFunction.js";
import { corners, expectWithin, fromBits, randomBits, ulps } from "./ulps.js";

type Two = (x: number, y: number) => number;

/** As IEEE 754 has it; JavaScript differs at ±1. */
const power: Two = (x, y) => (x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y);

const modes = [
  ["exact", exact],
  ["fused", { fused: true }],
  ["like a GPU", likeGpu],
] as const;

const special = [
  ...[
    0,
    1e-45,
    1e-38,
    2 ** -126,
    1e-30,
    0.5,
    0.75,
    0.99999994,
    1,
    1.0000001,
    1.5,
    2,
    3,
    1e30,
    3.4e38,
    Infinity,
  ],
  ...[2 ** 23 + 1, 2 ** 24 - 1, 2 ** 24, 2 ** 40, 2 ** 41],
].flatMap((x) => [Math.fround(x), -Math.fround(x)]);
special.push(NaN);

const isSubnormal = (x: number): boolean => x !== 0 && Math.abs(x) < 2 ** -125;

/** The largest error over pairs. A GPU may flush subnormal numbers. */
function worstOf(
  f: Two,
  reference: Two,
  pairs: Iterable<readonly [number, number]>,
  flushed: boolean,
): string {
  let found = { error: 0, text: "0" };
  for (const [x, y] of pairs) {
    const wanted = reference(x, y);
    if (flushed && (isSubnormal(x) || isSubnormal(y) || isSubnormal(wanted))) continue;
    const actual = f(x, y);
    const error = ulps(actual, wanted);
    if (error > found.error) found = { error, text: `${error} ULP at ${x}, ${y}: ${actual}, not ${wanted}` };
  }
  return found.text;
}

const errorOf = (text: string): number => Number.parseFloat(text);

function* powerPairs(count: number): Generator<[number, number]> {
  const next = randomBits(5);
  const unit = () => next() / 2 ** 32;
  for (const x of special) for (const y of special) yield [x, y];
  for (let i = 0; i < count; i++) {
    yield [fromBits(next()), fromBits(next())];
    // Powers between the smallest and the largest float.
    const x = Math.abs(fromBits(next()));
    yield [x, Math.fround((unit() * 300 - 150) / Math.log2(x))];
    yield [-x, Math.round((unit() * 300 - 150) / Math.log2(x))];
    yield [Math.fround(unit() * 2), Math.fround(unit() * 64 - 32)];
    // Bases beside 1 with large exponents.
    yield [
      Math.fround(1 + (unit() - 0.5) * 2 ** -(next() % 23)),
      Math.fround((unit() - 0.5) * 2 ** (next() % 33)),
    ];
  }
}

describe("pow", () => {
  it.each(modes)("is within 0.8 ULP, %s", (_, mode) => {
    const f = elementFunction(["f32", "f32"], math.pow, mode);
    const found = worstOf(f, power, powerPairs(40_000), "flushed" in mode);
    expect(errorOf(found), found).toBeLessThanOrEqual(0.8);
  });

  it.each(modes)("is exact where the power is a float32, %s", (_, mode) => {
    const f = elementFunction(["f32", "f32"], math.pow, mode);
    for (let x = -60; x <= 60; x++)
      for (let y = 0; y <= 24; y++)
        if (Math.abs(x ** y) <= 2 ** 24) expect(f(x, y), `${x}^${y}`).toBe(x ** y);
    for (let k = -149; k < 128; k++) if (!("flushed" in mode) || k >= -126) expect(f(2, k)).toBe(2 ** k);
  });
});

describe("integerPow", () => {
  it.each([
    [0, 0],
    [1, 0],
    [2, 1],
    [3, 1.5],
    [4, 2],
    [-1, 0.5],
    [-2, 1.5],
    [-3, 2],
    [-4, 2.5],
    [5, 0.8],
    [-7, 0.8],
    [12, 0.8],
    [101, 0.8],
    [-1001, 0.8],
    [2 ** 33 + 1, 0.8],
    [2 ** 50, 0.8],
  ])("x^%d is within %d ULP", (n, bound) => {
    expectWithin(
      bound,
      (x) => math.integerPow(x, n),
      (x) => power(x, n),
      { range: [-3, 3], count: 50_000 },
    );
  });

  it("is exact where the power is a float32", () => {
    for (const n of [2, 3, 4, 5, 6, 7, 10, 15])
      for (let x = -20; x <= 20; x++) {
        const f = elementFunction(["f32"], (v) => math.integerPow(v, n));
        if (Math.abs(x ** n) <= 2 ** 24) expect(f(x), `${x}^${n}`).toBe(x ** n);
      }
  });
});

describe("atan2", () => {
  it.each(modes)("is within 1.2 ULP in every quadrant, %s", (_, mode) => {
    const f = elementFunction(["f32", "f32"], math.atan2, mode);
    function* pairs(): Generator<[number, number]> {
      const next = randomBits(6);
      for (const x of special) for (const y of special) yield [x, y];
      for (const x of corners) yield [x, fromBits(next())];
      for (let i = 0; i < 100_000; i++) {
        yield [fromBits(next()), fromBits(next())];
        yield [Math.fround(next() / 2 ** 31 - 1), Math.fround(next() / 2 ** 31 - 1)];
      }
    }
    const found = worstOf(f, Math.atan2, pairs(), "flushed" in mode);
    expect(errorOf(found), found).toBeLessThanOrEqual("flushed" in mode ? 1.5 : 1.2);
  });

  it("is π/4 and its multiples on the diagonals", () => {
    const f = elementFunction(["f32", "f32"], math.atan2);
    const quarter = Math.fround(Math.PI / 4);
    expect([f(1, 1), f(-3, 3), f(Infinity, Infinity)]).toEqual([quarter, -quarter, quarter]);
    expect([f(1, -1), f(-1, -1)]).toEqual([Math.fround(0.75 * Math.PI), Math.fround(-0.75 * Math.PI)]);
  });
});
