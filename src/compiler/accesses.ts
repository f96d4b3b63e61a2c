/** The buffers that statements read and write, those inside them included, and at which indices. */

import { noted } from "../core/ir/notes.js";
import type { Buffer, Expr, Stmt } from "../core/ir/types.js";
import { blocksOf, eachNode, exprsOf } from "./walk.js";

/** Elements that are read or written: `lanes` of them, from an index on. */
export interface Place {
  readonly index: Expr;
  readonly lanes: number;
}

export interface Accesses {
  readonly read: ReadonlySet<Buffer>;
  readonly written: ReadonlySet<Buffer>;
  /** Of those that are written, the ones that atomic operations change. */
  readonly atomic: ReadonlySet<Buffer>;
  /** In the order in which they first occur. */
  readonly places: ReadonlyMap<Buffer, readonly Place[]>;
}

/** What a statement reads and writes: remembered, since passes ask for every buffer, and for the same statements again. */
export const accessesOf: (s: Stmt) => Accesses = noted((s: Stmt): Accesses => {
  const gathering = new Gathering();
  eachNode(exprsOf(s), new Set<Expr>(), (e) => {
    if (e.op !== "load") return;
    gathering.read.add(e.buffer);
    gathering.placesIn(e.buffer).push({ index: e.index, lanes: e.lanes });
  });
  if (s.kind === "store" || s.kind === "atomic") {
    gathering.written.add(s.buffer);
    if (s.kind === "atomic") gathering.atomic.add(s.buffer);
    gathering.placesIn(s.buffer).push({ index: s.index, lanes: s.value.lanes });
  }
  for (const block of blocksOf(s)) for (const inner of block) gathering.include(accessesOf(inner));
  return gathering;
});

/** What all of the statements read and write. */
export function accessesIn(body: readonly Stmt[]): Accesses {
  const gathering = new Gathering();
  for (const s of body) gathering.include(accessesOf(s));
  return gathering;
}

class Gathering implements Accesses {
  readonly read = new Set<Buffer>();
  readonly written = new Set<Buffer>();
  readonly atomic = new Set<Buffer>();
  readonly places = new Map<Buffer, Place[]>();

  placesIn(buffer: Buffer): Place[] {
    let own = this.places.get(buffer);
    if (own === undefined) {
      own = [];
      this.places.set(buffer, own);
    }
    return own;
  }

  include({ read, written, atomic, places }: Accesses): void {
    for (const b of read) this.read.add(b);
    for (const b of written) this.written.add(b);
    for (const b of atomic) this.atomic.add(b);
    for (const [b, more] of places) {
      const own = this.placesIn(b);
      for (const place of more) own.push(place);
    }
  }
}
