/** Measures libraries side by side: living processes, of which each round takes one sample from each in turn. */
import { spawnSync } from "node:child_process";
import { summarize } from "../harness.js";
import type { Failure, Once, PeerName, Ready, Sample } from "./contract.js";
import { hasFailed, Measurer, type Side } from "./process.js";
import { type Column, duration, type Figure } from "./report.js";
import { type Work, workOf } from "./works.js";

export interface Tools {
  /** The program of a process that measures, and of one that only starts. */
  readonly serve: string;
  readonly start: string;
  /** The folder of references. */
  readonly cache: string;
  /** Hears how it goes. */
  readonly progress: (text: string) => void;
}

/** A side, and its name in the tables. */
export interface Named extends Side {
  readonly name: string;
}

type Figures = Map<string, Figure | Failure>;

export class Collected {
  private readonly figures: ReadonlyMap<string, Figures>;

  constructor(private readonly sides: readonly Named[]) {
    this.figures = new Map(sides.map(({ name }) => [name, new Map()]));
  }

  set(name: string, key: string, figure: Figure | Failure): void {
    this.figures.get(name)?.set(key, figure);
  }

  /** Why a work has no figure, if it was tried. */
  failureOf(name: string, key: string): Failure | undefined {
    const found = this.figures.get(name)?.get(key);
    return found !== undefined && "failed" in found ? found : undefined;
  }

  get columns(): readonly Column[] {
    return this.sides.map(({ name }) => ({ name, figures: this.figures.get(name) ?? new Map() }));
  }
}

const bound = (work: Work, peer: PeerName): number =>
  peer === "fluxion" ? (work.strict ?? work.tolerance) : work.tolerance;

function figure(values: readonly number[], work: Work, error: number, peer: PeerName): Figure {
  const { median, low, high } = summarize(values);
  return { ms: median, low, high, error, right: error <= bound(work, peer) };
}

/** A call that takes so many milliseconds is sampled in one round of four. */
const long = 2_000;

/** All works on all sides. */
export async function measureTimes(
  sides: readonly Named[],
  works: readonly string[],
  rounds: number,
  into: Collected,
  { serve, cache, progress }: Tools,
): Promise<void> {
  const measurers = sides.map((side) => ({ side, measurer: new Measurer(side, serve, cache) }));
  for (const id of works) {
    const work = workOf(id);
    const taking: { name: string; peer: PeerName; measurer: Measurer; error: number; samples: number[] }[] =
      [];
    for (const { side, measurer } of measurers) {
      const ready = await measurer.ask<Ready>({ op: "setup", work: id });
      if (hasFailed(ready)) into.set(side.name, id, ready);
      else taking.push({ name: side.name, peer: side.peer, measurer, error: ready.error, samples: [] });
    }
    const out = new Set<string>();
    for (let round = 0; round < rounds; round++)
      for (const { name, measurer, samples } of round % 2 === 0 ? taking : [...taking].reverse()) {
        if (out.has(name) || (samples.length > 0 && samples[0] > long && round % 4 !== 0)) continue;
        const sample = await measurer.ask<Sample>({ op: "time" });
        if (!hasFailed(sample)) samples.push(sample.ms);
        else {
          into.set(name, id, sample);
          out.add(name);
        }
      }
    for (const { name, peer, error, samples } of taking)
      if (!out.has(name)) into.set(name, id, figure(samples, work, error, peer));
    for (const { measurer } of measurers) await measurer.ask({ op: "end" });
    progress(`${id}: ${shown(into, id)}`);
  }
  for (const { measurer } of measurers) measurer.stop();
}

/** The first call less the steady ones, in processes that have started the library and nothing else. */
export async function measureFirstCalls(
  sides: readonly Named[],
  works: readonly string[],
  rounds: number,
  into: Collected,
  { serve, cache, progress }: Tools,
): Promise<void> {
  for (const id of works) {
    const key = `first:${id}`;
    const found = sides.map((): Once[] => []);
    for (const { name } of sides) {
      const failure = into.failureOf(name, id);
      if (failure !== undefined) into.set(name, key, failure);
    }
    for (let round = 0; round < rounds; round++)
      for (const [i, side] of sides.entries()) {
        // What failed once is not tried again.
        if (into.failureOf(side.name, key) !== undefined) continue;
        const measurer = new Measurer(side, serve, cache);
        const once = await measurer.ask<Once>({ op: "once", work: id });
        measurer.stop();
        if (hasFailed(once)) into.set(side.name, key, once);
        else found[i].push(once);
      }
    for (const [i, side] of sides.entries())
      if (found[i].length > 0 && into.failureOf(side.name, key) === undefined) {
        const times = found[i].map(({ first, steady }) => Math.max(first - steady, 0.001));
        const worst = Math.max(...found[i].map(({ error }) => error));
        into.set(side.name, key, figure(times, workOf(id), worst, side.peer));
      }
    progress(`${key}: ${shown(into, key)}`);
  }
}

function seconds(node: string, args: readonly string[]): number | Failure {
  const start = performance.now();
  const { status, stderr } = spawnSync(node, args, { encoding: "utf8" });
  const elapsed = performance.now() - start;
  return status === 0
    ? elapsed
    : { failed: `ended with ${status}: ${stderr.trim().split("\n").at(-1)}`.slice(0, 200) };
}

/** Loading a library and one operation, above a Node that does nothing, measured in turn. */
export function measureStart(
  sides: readonly Named[],
  rounds: number,
  into: Collected,
  { start, progress }: Tools,
): void {
  const found = sides.map((): number[] => []);
  for (let round = -1; round < rounds; round++)
    for (const [i, side] of sides.entries()) {
      const empty = seconds(side.node, ["--input-type=module", "--eval", ""]);
      const full = seconds(side.node, [start, side.peer]);
      if (typeof full !== "number") into.set(side.name, "start", full);
      else if (typeof empty === "number" && round >= 0) found[i].push(full - empty);
    }
  for (const [i, side] of sides.entries())
    if (found[i].length > 0)
      into.set(side.name, "start", figure(found[i], workOf("scalar/add"), 0, side.peer));
  progress(`start: ${shown(into, "start")}`);
}

const shown = (into: Collected, key: string): string =>
  into.columns
    .map(({ name, figures }) => {
      const found = figures.get(key);
      if (found === undefined) return `${name} –`;
      return "failed" in found
        ? `${name} – (${found.failed})`
        : `${name} ${duration(found.ms)}${found.right ? "" : " !"}`;
    })
    .join("   ");
