/**
 * Where the values of a program are. The body of a loop reads an entry of a stacked array, and writes one, where it lies in
 * that array: how far the loop is stands in the index.
 */
import { withBuffers } from "../../compiler/emit.js";
import { mapStmt, rewriting } from "../../compiler/walk.js";
import { add, get, mul } from "../../core/ir/ops.js";
import { type Buffer, type Expr, type Kernel, Local, type Stmt } from "../../core/ir/types.js";

/** Where an entry begins: at `counter` times `stride` elements. */
interface Shift {
  readonly counter: Local;
  readonly stride: number;
}

export interface Spot {
  /** The number of its memory, in the list that a run makes. */
  readonly place: number;
  /** What the memory holds: the value itself, or the array that it is an entry of. */
  readonly buffer: Buffer;
  /** Where in it the value begins; empty for the value itself. */
  readonly shift: readonly Shift[];
}

export const isWhole = ({ shift }: Spot): boolean => shift.length === 0;

/** One entry of `length` that follow each other. */
export function entryOf({ place, buffer, shift }: Spot, size: number, counter: Local): Spot {
  return { place, buffer, shift: size === 0 ? shift : [...shift, { counter, stride: size }] };
}

/** The kernel on whole arrays where its buffers are entries of them. */
export function shifted(kernel: Kernel, spotOf: (b: Buffer) => Spot): Kernel {
  const entries = kernel.buffers.filter((b) => !isWhole(spotOf(b)));
  if (entries.length === 0) return kernel;
  const starts = new Map<Buffer, Local>();
  const lets = entries.map((b): Stmt => {
    const local = new Local(`start_${b.name}`, "i32");
    starts.set(b, local);
    const terms = spotOf(b).shift.map(({ counter, stride }) => mul(get(counter), stride));
    return { kind: "let", local, value: terms.reduce((sum, term) => add(sum, term)) };
  });
  const at = (b: Buffer, index: Expr): Expr => {
    const start = starts.get(b);
    return start === undefined ? index : add(index, get(start));
  };
  const expr = rewriting((e) =>
    e.op === "load" && starts.has(e.buffer)
      ? { ...e, buffer: spotOf(e.buffer).buffer, index: at(e.buffer, e.index) }
      : e,
  );
  const block = (body: readonly Stmt[]): readonly Stmt[] =>
    body.map((s) => {
      const mapped = mapStmt(s, expr, block);
      return (mapped.kind === "store" || mapped.kind === "atomic") && starts.has(mapped.buffer)
        ? { ...mapped, buffer: spotOf(mapped.buffer).buffer, index: at(mapped.buffer, mapped.index) }
        : mapped;
    });
  return withBuffers({ ...kernel, body: [...lets, ...block(kernel.body)], product: undefined });
}
