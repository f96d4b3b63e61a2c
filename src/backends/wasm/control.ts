/**
 * The words that the threads of the wasm device share, in a SharedArrayBuffer of their own: no kernel can reach it.
 *
 * A job is a kernel and the items that it is to be run for, cut into chunks. The main thread writes what the job is, opens
 * the gate, counts the epoch up, and takes chunks like everybody else. A worker sleeps until the epoch changes, and then
 * enters through the gate: it sets its bit in it, which fails once the gate is closed. What describes the job is read only
 * inside and written only when nobody is inside, so it needs no lock. When no chunk is left the main thread closes the gate
 * and waits until nobody is inside. It never waits for a worker that was late, or that never started.
 */

/** Words that several threads write often lie on different lines of the cache. */
const line = 16;

/** The places of the words. */
export const word = {
  /** A bit for each worker that is inside, and the sign bit while the gate is open. */
  gate: 0,
  /** The number of the job. Workers sleep on it. */
  epoch: line,
  /** The number of the next chunk. */
  next: 2 * line,
  /** A bit for each worker that is up. */
  ready: 3 * line,
  /** A bit for each worker that has come to have the module of the job, or that wanted it and had no bytes. */
  has: 3 * line + 1,
  lacks: 3 * line + 2,
  /** One more than the number of a chunk that ended in an error; 0 if there is none. */
  failed: 3 * line + 3,
  /** The number of the module, and where its bytes lie, if a worker may need them: the address, or 0, and how many. */
  module: 4 * line,
  address: 4 * line + 1,
  bytes: 4 * line + 2,
  /** The number of the function among the exports of the module. */
  fn: 4 * line + 3,
  /** The first item, the end of the range, and the items of a chunk. */
  from: 4 * line + 4,
  to: 4 * line + 5,
  chunk: 4 * line + 6,
  /** Pages that the memory has. */
  pages: 4 * line + 7,
  /** How many addresses the function is called with, and the first of them. */
  count: 4 * line + 8,
  /** Whether workers are to note when they came and left: see `stampsOf`. */
  stamped: 4 * line + 9,
  addresses: 5 * line,
} as const;

/** A kernel with more buffers than this runs on one thread. */
export const mostAddresses = 1024;

/** Workers at most: each has a bit beside the sign. */
export const mostWorkers = 31;

/** Behind the words for each worker when it began with a job and when it was done, in ms since 1970, by the finest clock. */
export const stamps = {
  at: (word.addresses + mostAddresses) * Int32Array.BYTES_PER_ELEMENT,
  count: 2 * mostWorkers,
} as const;

export const makeControl = (): Int32Array<SharedArrayBuffer> =>
  new Int32Array(new SharedArrayBuffer(stamps.at + stamps.count * Float64Array.BYTES_PER_ELEMENT));
