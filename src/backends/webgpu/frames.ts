/** Where the values of a body are, given where its inputs are and where its outputs belong. */
import type { Program } from "../../compiler/program.js";
import { InternalError } from "../../core/errors.js";
import type { Buffer } from "../../core/ir/types.js";
import { assignSlots } from "./slots.js";
import { isWhole, type Spot } from "./spots.js";
import type { Workspace } from "./workspace.js";

export interface Frame {
  readonly spotOf: (b: Buffer) => Spot;
  /** Memory that was taken for temporaries. */
  readonly taken: readonly number[];
}

export interface FrameOptions {
  readonly inputs: readonly Spot[];
  readonly outputs: readonly Spot[];
  /** Places of carries: other values may lie there for a time, and the next value of a carry at the place of another. */
  readonly carries: ReadonlySet<number>;
  readonly bytesOf: (b: Buffer) => number;
  readonly workspace: Workspace;
}

export function makeFrame(
  program: Program,
  { inputs, outputs, carries, bytesOf, workspace }: FrameOptions,
): Frame {
  const spots = new Map<Buffer, Spot>();
  const put = (b: Buffer, spot: Spot): void =>
    void spots.set(b, isWhole(spot) ? { ...spot, buffer: b } : spot);
  for (const [i, b] of program.inputs.entries()) put(b, inputs[i]);
  for (const [k, b] of program.outputs.entries()) if (!spots.has(b)) put(b, outputs[k]);
  const isBlock = (b: Buffer): boolean => {
    const spot = spots.get(b);
    return spot !== undefined && carries.has(spot.place);
  };
  const slots = assignSlots(program, bytesOf, isBlock);
  const taken = slots.sizes.map((bytes) => workspace.take(bytes));
  for (const [b, slot] of slots.of) put(b, { place: taken[slot], buffer: b, shift: [] });
  for (const [b, host] of slots.inside) put(b, spots.get(host) as Spot);
  const spotOf = (b: Buffer): Spot => {
    const spot = spots.get(b);
    if (spot === undefined) throw new InternalError(`program ${program.name} has no buffer ${b.name}`);
    return spot;
  };
  return { spotOf, taken };
}
