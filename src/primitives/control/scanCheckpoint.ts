/**
 * Reverse mode through many steps in bounded memory. A scan becomes scans in scans: a step of the outermost is a block of
 * steps, a step of that a smaller block, and so on down to single steps. Each of them is checkpointed: of a block only
 * the carry it starts from is stored, and what is inside is computed again when its derivative is needed. With L levels
 * of k₁, ..., k_L blocks in a block at most k₁ + ... + k_L carries are stored at a time, k₁·...·k_L steps can be taken, and
 * each step is run L times more than without.
 *
 * Multi-level checkpointing: Griewank and Walther, Evaluating Derivatives, second edition, chapter 12.
 */
import type { NDArray } from "../../core/array.js";
import { bytesOf } from "../../core/aval.js";
import { buildJaxpr, memoize } from "../../core/build.js";
import { ArgumentError } from "../../core/errors.js";
import type { Jaxpr } from "../../core/jaxpr.js";
import { bindCheckpoint } from "../checkpoint.js";
import { isCount, showParam } from "../checks.js";
import { bindScan } from "./scan.js";
import { inBlocks, outOfBlocks } from "./scanBlocks.js";
import { inputParts, outputParts, type ScanParams, stacked } from "./scanParams.js";

/** How much reverse mode may store: so many carries at a time, or so many bytes of them. */
export type ScanCheckpoint = { readonly slots: number } | { readonly budgetBytes: number };

/** Reads the option of a loop called `name`: how many carries may be stored at a time. */
export function slotsOf(
  name: string,
  option: unknown,
  { jaxpr, length, consts, carries }: ScanParams,
): number {
  const { slots, budgetBytes, ...others } = (option ?? {}) as { slots?: unknown; budgetBytes?: unknown };
  const given = slots ?? budgetBytes;
  if (
    typeof option !== "object" ||
    (slots === undefined) === (budgetBytes === undefined) ||
    Object.keys(others).length > 0 ||
    !isCount(given)
  )
    throw new ArgumentError(
      `${name}: checkpoint must be { slots } or { budgetBytes }, a whole number, got ${describeOption(option)}`,
    );
  const least = leastSlots(length);
  if (slots !== undefined) {
    if (given < least)
      throw new ArgumentError(
        `${name}: ${given} slots are too few to go back through ${length} steps, which takes at least ${least}`,
      );
    return given;
  }
  const types = inputParts(jaxpr.inAvals, { consts, carries }).carry;
  const bytes = types.reduce((sum, type) => sum + bytesOf(type), 0);
  if (given < least * bytes)
    throw new ArgumentError(
      `${name}: a budget of ${given} bytes is too small to go back through ${length} steps with a carry of ${bytes} bytes, ` +
        `which takes at least ${least * bytes} bytes (${least} carries)`,
    );
  return bytes === 0 ? length : Math.floor(given / bytes);
}

const describeOption = (option: unknown): string =>
  typeof option === "object" && option !== null
    ? `{ ${Object.entries(option)
        .map(([key, value]) => `${key}: ${showParam(value)}`)
        .join(", ")} }`
    : showParam(option);

/** How many blocks of each level are in one of the level above, with as few levels as `slots` allow; undefined if none do. */
export function levelsOf(length: number, slots: number): readonly number[] | undefined {
  for (let levels = 1; levels <= Math.max(1, Math.floor(slots / 2)); levels++) {
    const counts = Array.from({ length: levels }, (_, i) => Math.floor((slots + i) / levels));
    const product = (): number => counts.reduce((p, k) => p * k, 1);
    if (product() < length) continue;
    // The same number of levels takes the same work: what is not needed is not stored.
    for (let i = 0; i < levels; i++)
      while (counts[i] > 1 && (product() / counts[i]) * (counts[i] - 1) >= length) counts[i]--;
    return counts;
  }
  return undefined;
}

/** The fewest carries with which any number of levels gets through. */
export function leastSlots(length: number): number {
  let slots = Math.min(length, 1);
  while (levelsOf(length, slots) === undefined && slots < length) slots++;
  return slots;
}

/** Applies a scan so that reverse mode stores at most `slots` carries at a time. */
export function bindCheckpointed(
  params: ScanParams,
  inputs: readonly NDArray[],
  slots: number,
): readonly NDArray[] {
  const levels = levelsOf(params.length, slots);
  if (levels === undefined)
    throw new ArgumentError(`scan: ${slots} slots are too few to go back through ${params.length} steps`);
  const { consts, carry, xs } = inputParts(inputs, params);
  const { carry: last, ys } = runLevels(params, levels, consts, carry, xs);
  return [...last, ...ys];
}

interface Results {
  readonly carry: readonly NDArray[];
  readonly ys: readonly NDArray[];
}

/** Runs all steps; the first of the levels is that of the largest blocks. */
function runLevels(
  params: ScanParams,
  levels: readonly number[],
  consts: readonly NDArray[],
  carry: readonly NDArray[],
  xs: readonly NDArray[],
): Results {
  const { length, reverse } = params;
  const inner = levels.slice(1);
  const size = inner.reduce((p, k) => p * k, 1);
  if (inner.length === 0)
    return outputParts(
      bindScan({ ...params, jaxpr: checkpointedStep(params.jaxpr) }, [...consts, ...carry, ...xs]),
      params,
    );
  if (length <= size) return runLevels(params, inner, consts, carry, xs);
  const parts = xs.map((x) => inBlocks(x, size, params));
  const count = Math.floor(length / size);
  const main = outputParts(
    bindScan({ ...params, jaxpr: checkpointedBlock(params.jaxpr, params, inner), length: count, unroll: 1 }, [
      ...consts,
      ...carry,
      ...parts.map(({ blocks }) => blocks),
    ]),
    params,
  );
  const left = length - count * size;
  if (left === 0) return { carry: main.carry, ys: main.ys.map((y) => outOfBlocks(y, undefined, reverse)) };
  const rest = runLevels(
    { ...params, length: left },
    inner,
    consts,
    main.carry,
    parts.map((part) => part.rest),
  );
  return { carry: rest.carry, ys: main.ys.map((y, k) => outOfBlocks(y, rest.ys[k], reverse)) };
}

/** The body as one checkpointed equation. */
const checkpointedStep = memoize(
  () => "",
  (jaxpr: Jaxpr): Jaxpr =>
    buildJaxpr("scan", jaxpr.inAvals, (inputs) => bindCheckpoint(jaxpr, "step", inputs)),
);

/** A body that runs a block of steps as one checkpointed equation. */
const checkpointedBlock = memoize(
  ({ reverse, unroll, consts, carries }: ScanParams, levels: readonly number[]) =>
    `${reverse}/${unroll}/${consts}/${carries}/${levels.join(",")}`,
  (jaxpr: Jaxpr, params: ScanParams, levels: readonly number[]): Jaxpr => {
    const size = levels.reduce((p, k) => p * k, 1);
    const types = inputParts(jaxpr.inAvals, params);
    const all = [...types.consts, ...types.carry, ...types.xs.map((x) => stacked(x, size))];
    const block = buildJaxpr("scan", all, (inputs) => {
      const { consts, carry, xs } = inputParts(inputs, params);
      const results = runLevels({ ...params, length: size }, levels, consts, carry, xs);
      return [...results.carry, ...results.ys];
    });
    return buildJaxpr("scan", all, (inputs) => bindCheckpoint(block, "block", inputs));
  },
);
