import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { cacheFolder, expectedOf } from "../../bench/peers/cache.js";
import { Measurer } from "../../bench/peers/process.js";
import { type Work, workOf } from "../../bench/peers/works.js";

const folder = mkdtempSync(join(tmpdir(), "fluxion-bench-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A process that runs this program in place of one that measures. */
function measurer(name: string, program: string, node = process.execPath): Measurer {
  const file = join(folder, `${name}.mjs`);
  writeFileSync(file, program);
  return new Measurer({ peer: "fluxion", node, threads: 1 }, file, folder);
}

const serving = (answer: string): string =>
  `process.on("message", ({ op }) => { ${answer} });\nprocess.send({ major: 20 });\n`;

describe("a process that measures", () => {
  it("lives from one request to the next", async () => {
    const living = measurer("living", `let n = 0;\n${serving("process.send({ ms: ++n });")}`);
    expect(await living.ask({ op: "time" })).toEqual({ ms: 1 });
    expect(await living.ask({ op: "time" })).toEqual({ ms: 2 });
    living.stop();
  });

  it("that ends is an answer, with its last words, and the next request starts another", async () => {
    const dying = measurer(
      "dying",
      serving(
        'if (op === "end") process.send({}); else { console.error("out of memory"); process.exit(3); }',
      ),
    );
    expect(await dying.ask({ op: "time" })).toEqual({ failed: "the process ended with 3: out of memory" });
    expect(await dying.ask({ op: "end" })).toEqual({});
    dying.stop();
  });

  it("that cannot start is an answer", async () => {
    expect(await measurer("none", "", join(folder, "no-such-node")).ask({ op: "end" })).toMatchObject({
      failed: expect.stringContaining("ENOENT"),
    });
    expect(await measurer("broken", "throw new Error('no library');").ask({ op: "end" })).toMatchObject({
      failed: expect.stringContaining("the process ended with 1"),
    });
  });
});

describe("references", () => {
  it("are computed once, and again when what defines them changes", () => {
    const [within, source] = [join(folder, "cache"), join(folder, "source.ts")];
    mkdirSync(within);
    writeFileSync(source, "one");
    let computed = 0;
    const work: Work = {
      ...workOf("scalar/add"),
      reference: () => {
        computed++;
        return [Float64Array.of(1, 2), Float64Array.of(3)];
      },
    };
    const first = cacheFolder(within, [source]);
    expect(expectedOf(work, first)).toEqual([Float64Array.of(1, 2), Float64Array.of(3)]);
    expect(expectedOf(work, cacheFolder(within, [source]))).toEqual([
      Float64Array.of(1, 2),
      Float64Array.of(3),
    ]);
    expect(computed).toBe(1);
    writeFileSync(source, "two");
    expectedOf(work, cacheFolder(within, [source]));
    expect(computed).toBe(2);
    expect(readdirSync(within)).toHaveLength(1);
  });
});
