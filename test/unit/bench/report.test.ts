import { describe, expect, it } from "vitest";
import { summarize } from "../../bench/harness.js";
import {
  asMarkdown,
  asText,
  type Column,
  duration,
  type Figure,
  isWrong,
  judge,
  modeTable,
  relativeError,
  tableOf,
} from "../../bench/peers/report.js";
import { firstCalls, modeRows, peerRows, type Row, threadRows, timedWorks } from "../../bench/peers/rows.js";
import { works } from "../../bench/peers/works.js";

const figure = (ms: number, more: Partial<Figure> = {}): Figure => ({
  ms,
  low: ms,
  high: ms,
  error: 1e-7,
  right: true,
  ...more,
});

const column = (
  name: string,
  figures: Record<string, Figure | { failed: string; missing?: true }>,
): Column => ({
  name,
  figures: new Map(Object.entries(figures)),
});

const row = (more: Partial<Row> = {}): Row => ({
  label: "work",
  ours: "w",
  target: { faster: { plain: 2, relaxed: 4 } },
  ...more,
});

describe("summaries", () => {
  it("are the median and the quartiles, between samples where need be", () => {
    expect(summarize([5, 1, 3])).toEqual({ median: 3, low: 2, high: 4 });
    expect(summarize([4, 1])).toEqual({ median: 2.5, low: 1.75, high: 3.25 });
    expect(summarize([7])).toEqual({ median: 7, low: 7, high: 7 });
  });
});

describe("a row", () => {
  const ours = column("fluxion", { w: figure(2), v: figure(1) });
  const slow = column("tfjs", { w: figure(30), v: figure(20) });
  const fast = column("jax-js", { w: figure(6), v: figure(2) });

  it("compares with the best peer, whichever that is", () => {
    for (const others of [
      [slow, fast],
      [fast, slow],
    ]) {
      const line = judge(row(), ours, others, false);
      expect(line).toMatchObject({ ours: "2 ms", best: "6 ms (jax-js)", ratio: "3.00 ×", target: "≥ 2 ×" });
      expect(line.verdict).toBe("met");
    }
  });

  it("may ask for more where multiply-add is one instruction", () => {
    expect(judge(row(), ours, [fast], true)).toMatchObject({ target: "≥ 4 ×", verdict: "MISSED" });
    expect(judge(row({ target: { faster: 3 } }), ours, [fast], true).verdict).toBe("met");
    expect(judge(row({ target: { faster: 3.001 } }), ours, [fast], true).verdict).toBe("MISSED");
  });

  it("compares with another work of a peer, and leaves a peer out", () => {
    expect(judge(row({ theirs: { tfjs: "v" } }), ours, [slow], false).best).toBe("20 ms");
    expect(judge(row({ theirs: { "jax-js": undefined } }), ours, [slow, fast], false).best).toBe(
      "30 ms (tfjs)",
    );
  });

  it("of a quotient is held against a bound of its own", () => {
    const quotient = (atMost: number) =>
      judge(row({ over: "v", target: { atMost } }), ours, [slow, fast], false);
    expect(quotient(2)).toMatchObject({ ours: "2.00 ×", best: "1.50 × (tfjs)", ratio: "", verdict: "met" });
    expect(quotient(1.9)).toMatchObject({ target: "≤ 1.9 ×", verdict: "MISSED" });
  });

  it("is met where no peer has a figure, and says why; but not where there are no peers", () => {
    const failing = column("jax-js", { w: { failed: "Maximum call stack size exceeded" } });
    const lacking = column("tfjs", { w: { failed: "tfjs does not offer it", missing: true } });
    const line = judge(row(), ours, [failing, lacking], false);
    expect(line).toMatchObject({ best: "–", ratio: "", verdict: "met" });
    expect(line.notes).toEqual(["jax-js, w: Maximum call stack size exceeded"]);
    expect(judge(row(), ours, [], false)).toMatchObject({ best: "–", verdict: "" });
  });

  it("is wrong whatever its time, and so is the run; a peer's wrong result is noted", () => {
    const wrong = { error: 1e-3, right: false };
    const line = judge(row(), column("fluxion", { w: figure(0.1, wrong) }), [fast], false);
    expect(line).toMatchObject({ verdict: "WRONG", error: "1e-3" });
    expect(isWrong([line])).toBe(true);
    const theirs = judge(row(), ours, [column("tfjs", { w: figure(9, wrong) })], false);
    expect(theirs.notes).toEqual(["tfjs, w: its relative error is 1e-3"]);
    expect(isWrong([theirs])).toBe(false);
  });

  it("without a figure has failed", () => {
    const line = judge(
      row({ target: { works: true } }),
      column("fluxion", { w: { failed: "why" } }),
      [fast],
      false,
    );
    expect(line).toMatchObject({ ours: "–", verdict: "FAILED", notes: ["fluxion, w: why"] });
    expect(isWrong([line])).toBe(true);
    expect(judge(row({ target: { works: true } }), ours, [], false).verdict).toBe("met");
  });
});

describe("tables", () => {
  const others = [column("tfjs", { w: figure(2) }), column("jax-js", { w: figure(3) })];
  const line = judge(row(), column("fluxion", { w: figure(0.5) }), others, false);

  it("are text with columns as wide as their widest cells", () => {
    const [header, rule, first] = asText(tableOf([line], "fluxion", "best JS peer")).split("\n");
    expect(header).toBe("      fluxion  best JS peer   ratio  target       rel. error");
    expect(rule).toMatch(/^─+$/);
    expect(first).toBe("work   500 µs   2 ms (tfjs)  4.00 ×   ≥ 2 ×  met        1e-7");
  });

  it("are Markdown", () => {
    expect(asMarkdown(tableOf([line], "fluxion", "best")).split("\n")).toEqual([
      "|  | fluxion | best | ratio | target |  | rel. error |",
      "| --- | --: | --: | --: | --: | --: | --: |",
      "| work | 500 µs | 2 ms (tfjs) | 4.00 × | ≥ 2 × | met | 1e-7 |",
    ]);
  });

  it("of the modes have quotients, and a dash where something was not measured", () => {
    const modes = [{ label: "16", f: "f", jvp: "j", grad: "g", jacfwd: undefined }];
    const { rows } = modeTable(modes, column("fluxion", { f: figure(1), j: figure(2), g: figure(3) }));
    expect(rows).toEqual([["16", "1 ms", "2 ms", "2.00 ×", "3 ms", "3.00 ×", "–", "–"]]);
  });

  it("show durations and errors in few digits", () => {
    expect([duration(1234.5), duration(12.345), duration(0.01234)]).toEqual([
      "1,235 ms",
      "12.35 ms",
      "12.34 µs",
    ]);
    expect([relativeError(0), relativeError(3.2e-8), relativeError(Number.POSITIVE_INFINITY)]).toEqual([
      "0",
      "3e-8",
      "∞",
    ]);
  });
});

describe("the rows of the benchmark", () => {
  it("name works that exist", () => {
    const known = new Set(works.map(({ id }) => id));
    const rows = [...peerRows, ...threadRows(2)];
    const modes = modeRows.flatMap(({ f, jvp, grad, jacfwd }) => [f, jvp, grad, ...(jacfwd ? [jacfwd] : [])]);
    expect(new Set(works.map(({ id }) => id)).size).toBe(works.length);
    expect([...timedWorks(rows), ...firstCalls(rows), ...modes].filter((id) => !known.has(id))).toEqual([]);
  });

  it("hold every sum of fluxion to 1e-6", () => {
    const sums = works.filter(({ kind }) => kind === "sum" || kind === "sine" || kind === "mlp");
    expect(sums.length).toBeGreaterThan(5);
    for (const { strict, tolerance } of sums)
      expect(Math.min(strict ?? 1, tolerance)).toBeLessThanOrEqual(1e-6);
  });
});
