/**
 * Which buffers of a program have one place in memory, whatever the device: chains of values that are computed in place,
 * and results in the memory of donated arguments that are no longer needed. What is left are places that need memory only
 * for a while, which each device finds its own room for.
 */
import type { Buffer } from "../core/ir/types.js";
import { type Program, usesOf } from "./program.js";

/** From the first step that needs it to the last. */
export interface Life {
  readonly first: number;
  readonly last: number;
}

/** One value after another in the same memory. */
export interface Place extends Life {
  /** In the order in which they are made. */
  readonly buffers: readonly Buffer[];
  readonly bytes: number;
}

/** The memory of an input or an output, and the values that have it, each for its time. */
export interface Home {
  readonly buffer: Buffer;
  readonly bytes: number;
  readonly tenants: Place[];
}

export interface Places {
  /** Memory that is there anyway: of outputs, and of donated inputs. */
  readonly homes: readonly Home[];
  /** All others, the temporaries. Only those that a step uses. */
  readonly guests: readonly Place[];
}

export const meet = (x: Life, y: Life): boolean => x.first <= y.last && y.first <= x.last;

/**
 * @param isBlock whether the memory of an input or an output is a block of its own, which can be handed from one to the
 *   other.
 */
export function placesOf(
  program: Program,
  sizeOf: (buffer: Buffer) => number,
  isBlock: (buffer: Buffer) => boolean,
): Places {
  const inputs = new Set(program.inputs);
  const outputs = new Set(program.outputs.filter((b) => !inputs.has(b)));
  const donated = program.donated ?? new Set();
  const guests: Place[] = [];
  const homes: Home[] = [];
  const results: Place[] = [];
  for (const place of chainsOf(program, sizeOf)) {
    const [first] = place.buffers;
    if (inputs.has(first)) {
      if (donated.has(first)) homes.push({ buffer: first, bytes: place.bytes, tenants: [place] });
    } else if (place.buffers.some((b) => outputs.has(b))) results.push(place);
    else guests.push(place);
  }
  const resultOf = (place: Place): Buffer => place.buffers.find((b) => outputs.has(b)) as Buffer;
  // The largest choose first. A place is good for one result, which stays in it.
  results.sort((x, y) => y.bytes - x.bytes);
  for (const result of results) {
    const buffer = resultOf(result);
    const isGood = ({ buffer: input, bytes, tenants }: Home): boolean =>
      donated.has(input) && isBlock(input) && bytes === result.bytes && !tenants.some((t) => meet(t, result));
    const found = isBlock(buffer) ? homes.find(isGood) : undefined;
    if (found !== undefined) found.tenants.push(result);
    else homes.push({ buffer, bytes: result.bytes, tenants: [result] });
  }
  return { homes, guests };
}

/** Values in their order of being computed in place. Inputs are needed from the start, outputs to the end. */
function chainsOf(program: Program, sizeOf: (buffer: Buffer) => number): Place[] {
  const [first, last] = usesOf(program.steps);
  for (const b of program.inputs) {
    first.set(b, -1);
    last.set(b, last.get(b) ?? -1);
  }
  for (const b of program.outputs) {
    first.set(b, first.get(b) ?? program.steps.length);
    last.set(b, Number.POSITIVE_INFINITY);
  }
  const after = new Map<Buffer, Buffer>();
  for (const step of program.steps)
    if (step.kind !== "host") for (const [result, operand] of step.inPlace ?? []) after.set(operand, result);
  const later = new Set(after.values());
  const chains: Place[] = [];
  for (const head of first.keys()) {
    if (later.has(head)) continue;
    const buffers = [head];
    for (let next = after.get(head); next !== undefined; next = after.get(next)) buffers.push(next);
    const tail = buffers[buffers.length - 1];
    chains.push({
      buffers,
      bytes: sizeOf(head),
      first: first.get(head) as number,
      last: last.get(tail) as number,
    });
  }
  return chains;
}

/** The input or output whose memory each buffer has, if it is not its own. */
export function hostsOf({ homes }: Places): Map<Buffer, Buffer> {
  const hosts = new Map<Buffer, Buffer>();
  for (const { buffer, tenants } of homes)
    for (const { buffers } of tenants) for (const b of buffers) if (b !== buffer) hosts.set(b, buffer);
  return hosts;
}
