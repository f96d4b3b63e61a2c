/** The deep run: that its programs can be had again, that it counts, stops and goes on, and that it shows failures. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findPrimitive, isZero, numpy as np, type Primitive } from "fluxion";
import { afterAll, describe, expect, it } from "vitest";
import { forgetPrograms } from "../../src/core/recurring.js";
import { readOptions } from "../deep/options.js";
import { describeFailure, report } from "../deep/report.js";
import { openState, saveState, stateFile } from "../deep/state.js";
import { emptyTally, merge, record, type Tally } from "../deep/tally.js";
import { holders, kindOf, programAt, programLaws, seedOf, shrunkFailure, tryProgram } from "../deep/trial.js";
import { functionLaws, pairLaws } from "../statements/index.js";

const folder = mkdtempSync(join(tmpdir(), "fluxion-deep-"));
afterAll(() => rmSync(folder, { recursive: true }));

const named = (...names: string[]) => programLaws.filter(({ name }) => names.includes(name));

/** What does not depend on the time it took. */
const counts = ({ laws, ...rest }: Tally) => ({
  ...rest,
  laws: Object.fromEntries(
    Object.entries(laws).map(([name, { milliseconds: _, ...others }]) => [name, others]),
  ),
});

describe("a run", () => {
  it("has all laws of functions and of pairs", () => {
    expect(programLaws.map(({ name }) => name)).toEqual([...functionLaws, ...pairLaws].map((l) => l.name));
    const ofAny = programLaws.filter(({ kinds }) => kinds.includes("any")).map(({ name }) => name);
    expect(ofAny).toContain("devices agree");
    expect(ofAny).not.toContain("duality");
  });

  it("gives the same program for the same seed and number, and different ones for others", () => {
    expect(String(programAt(3, 17))).toBe(String(programAt(3, 17)));
    const seeds = [0, 1, 2].flatMap((seed) => Array.from({ length: 500 }, (_, i) => seedOf(seed, i)));
    expect(new Set(seeds).size).toBe(seeds.length);
    expect([0, 1, 2, 3].map(kindOf)).toEqual(["smooth", "smooth", "smooth", "any"]);
  });

  it("tries laws and counts", () => {
    const laws = named("duality", "chain rule, forward", "programs are well typed");
    expect(laws).toHaveLength(3);
    const tally = emptyTally();
    const halves = [emptyTally(), emptyTally()];
    for (let i = 0; i < 24; i++) {
      const trial = tryProgram(5, i, laws);
      expect(trial.failed.map(({ law, verdict }) => [law.name, verdict, String(trial.program)])).toEqual([]);
      record(tally, trial);
      record(halves[i % 2], trial);
    }
    expect(tally.programs).toBe(24);
    expect(tally.laws.duality.tried).toBe(18);
    expect(tally.laws.duality.abstained).toBeLessThan(9);
    expect(tally.laws["programs are well typed"].tried).toBe(24);
    expect(Object.values(tally.primitives).reduce((a, b) => a + b)).toBe(tally.equations);
    for (const name of holders) {
      const counts = tally.depths[name] ?? [];
      expect(
        counts.reduce((a, b) => a + b, 0),
        name,
      ).toBe(tally.primitives[name] ?? 0);
    }
    const joined = emptyTally();
    for (const half of halves) merge(joined, half);
    expect(counts(joined)).toEqual(counts(tally));
  });

  it("shows a failure shrunk, as text, as TypeScript and as a command", () => {
    const sin = findPrimitive("sin") as { -readonly [K in keyof Primitive]: Primitive[K] };
    const { jvp } = sin;
    sin.jvp = (...args) => {
      const { outputs, tangents } = jvp(...args);
      return { outputs, tangents: tangents.map((t) => (isZero(t) ? t : np.multiply(t, t))) };
    };
    forgetPrograms();
    try {
      const laws = named("jvp is linear in the tangent");
      for (let i = 0; ; i++) {
        const trial = tryProgram(2, i, laws);
        if (trial.failed.length === 0) continue;
        const failure = shrunkFailure(trial, trial.failed[0], 2);
        expect(failure.size).toBe(1);
        const text = describeFailure(failure, 2);
        expect(text).toContain("jvp is linear in the tangent: ");
        expect(text).toContain("= sin a");
        expect(text).toContain('bind(p("sin"), [x0], {})');
        expect(text).toContain(`--seed 2 --replay ${i} --laws "jvp is linear in the tangent"`);
        break;
      }
    } finally {
      sin.jvp = jvp;
      forgetPrograms();
    }
  });
});

describe("options", () => {
  it("are read", () => {
    const options = readOptions([
      "--programs",
      "12",
      "--seed",
      "7",
      "--laws",
      "Duality,chain rule, forward,multiples",
    ]);
    expect(options).toMatchObject({ programs: 12, seed: 7, resume: false, replay: undefined });
    expect(options.laws.map(({ name }) => name)).toEqual(["duality", "chain rule, forward", "multiples"]);
    expect(readOptions([]).programs).toBe(100_000);
    expect(readOptions([]).laws).toBe(programLaws);
  });

  it.each([
    [["--programs", "many"], "--programs takes a whole number of at least 1"],
    [["--jobs", "0"], "--jobs takes"],
    [["--laws", "duality,nonsense"], 'there is no law "nonsense"'],
    [["--nothing"], "--nothing"],
  ])("%j is refused", (args, message) => {
    expect(() => readOptions(args)).toThrow(message);
  });
});

describe("the state", () => {
  it("is written and read again, for the same run only", () => {
    const state = join(folder, "state.json");
    const args = ["--seed", "1", "--programs", "100", "--state", state];
    const first = openState(readOptions([...args, "--resume"]));
    expect(first.done).toEqual([]);
    first.done.push(50);
    first.tally.programs = 50;
    saveState(readOptions(args), first);
    expect(openState(readOptions([...args, "--resume"]))).toEqual(first);
    expect(openState(readOptions(args)).done).toEqual([]);
    const other = ["--seed", "2", "--programs", "100", "--state", state, "--resume"];
    expect(() => openState(readOptions(other))).toThrow("other options");
    const names = [args.slice(0, 4), ["--seed", "1"], ["--seed", "1", "--laws", "duality"]];
    expect(new Set(names.map((a) => stateFile(readOptions(a)))).size).toBe(3);
  });

  it("is reported", () => {
    const { tally } = openState(readOptions(["--seed", "9"]));
    for (let i = 0; i < 4; i++) record(tally, tryProgram(9, i, named("duality")));
    const text = report({ seed: 9, programs: 4, laws: ["duality"], every: 1, done: [], seconds: 3, tally });
    expect(text).toContain(
      `seed 9: 4 programs, ${tally.equations} equations, 3 trials of 1 laws in 3 s; 0 failures`,
    );
    expect(text).toMatch(/duality +3/);
    expect(text).toContain("never applied: ");
    for (const name of holders) {
      const [none = 0, one = 0] = tally.depths[name] ?? [];
      expect(text).toMatch(new RegExp(`^${name} +${none} +${one} `, "m"));
    }
  });
});

describe("the command", () => {
  const tsx = createRequire(import.meta.url).resolve("tsx/cli");
  const script = fileURLToPath(new URL("../deep/run.ts", import.meta.url));
  const run = (...args: string[]): Promise<{ code: number; out: string; err: string }> =>
    new Promise((resolve) => {
      execFile(process.execPath, [tsx, script, ...args], (error, out, err) =>
        resolve({ code: error === null ? 0 : Number(error.code), out, err }),
      );
    });

  it("tries programs in processes of its own, and goes on where it was", async () => {
    const state = join(folder, "run.json");
    const args = ["--seed", "4", "--programs", "70", "--jobs", "1", "--laws", "duality", "--state", state];
    // As if the run had been interrupted after its second chunk.
    const begun = openState(readOptions(args));
    for (let i = 50; i < 70; i++) record(begun.tally, tryProgram(4, i, named("duality")));
    begun.done.push(50);
    saveState(readOptions(args), begun);
    const { code, out, err } = await run(...args, "--resume");
    expect(err).toContain("20 of them done");
    expect(code, out + err).toBe(0);
    const whole = emptyTally();
    for (let i = 0; i < 70; i++) record(whole, tryProgram(4, i, named("duality")));
    expect(out).toContain(`seed 4: 70 programs, ${whole.equations.toLocaleString("en-US")} equations`);
    const { tally } = openState(readOptions([...args, "--resume"]));
    expect(counts(tally)).toEqual(counts(whole));
  }, 180_000);

  it("says what is wrong with its options", async () => {
    const { code, err } = await run("--laws", "nonsense");
    expect(code).toBe(2);
    expect(err).toContain('there is no law "nonsense"');
    expect(err).toContain("--replay I");
  });
});
