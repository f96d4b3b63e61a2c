/** The functions of one float32 in kernel IR keep the error bounds that they state, on random bits, on corners, and as a GPU computes them. */
import { describe, it } from "vitest";
import { sin } from "../../../src/core/ir/math/index.js";
import { table } from "./mathTable.js";
import { expectWithin } from "./ulps.js";

describe("functions of float32 in kernel IR", () => {
  it.each(table)("%s", (_, rule, reference, ulp, options) => expectWithin(ulp, rule, reference, options));

  it.each([
    ["near zeros of the sine", [1, 2, 1000].map((k) => k * Math.PI)],
    ["where it turns", [0.5, 1, 1.5].map((k) => k * Math.PI + 1e-5)],
  ])("%s also for many neighbours", (_, around) => {
    for (const x of around) expectWithin(1, sin, Math.sin, { range: [x - 1e-4, x + 1e-4], count: 20_000 });
  });
});
