/**
 * What a worker runs; see control.ts for how the threads agree. It is text, for two reasons: a bundler cannot lose it, as
 * it can a file beside the library, and no compiler can put calls of its own helpers into it, as into a function that is
 * printed later.
 *
 * A worker never returns to its event loop and gets no messages beside the first. So it works for a program that
 * computes for an hour without returning to its own.
 */
import { stamps, word } from "./control.js";

/** What the first message (in Node: `workerData`) holds. */
export interface WorkerStart {
  readonly control: Int32Array<SharedArrayBuffer>;
  readonly memory: WebAssembly.Memory;
  /** The number of the worker, from 0. */
  readonly index: number;
}

/** How often a worker looks for a job before it sleeps: some 50 µs, which bridges what is between two kernels of a program. */
const looks = 10_000;

/** Modules that a worker keeps. The oldest is made again when it is needed. */
const mostModules = 256;

export const workerSource = `"use strict";
const start = ({ control, memory, index }) => {
  const bit = 1 << index;
  const stamps = new Float64Array(control.buffer, ${stamps.at}, ${stamps.count});
  const now = () => performance.timeOrigin + performance.now();
  const modules = new Map();

  // The text of a block is a list of [name, name in Math]: functions that the module imports. Others are never called here.
  const instantiate = (address, bytes) => {
    const block = new Uint8Array(memory.buffer).slice(address, address + bytes);
    const length = new DataView(block.buffer).getUint32(0, true);
    const names = JSON.parse(new TextDecoder().decode(block.subarray(4, 4 + length)));
    const missing = () => { throw new Error("a function that only the main thread has"); };
    const host = Object.fromEntries(names.map(([name, math]) => [name, Math[math] ?? missing]));
    const module = new WebAssembly.Module(block.subarray(4 + length));
    return Object.values(new WebAssembly.Instance(module, { env: { memory }, host }).exports);
  };

  const functionsOf = (id) => {
    let functions = modules.get(id);
    if (functions === undefined) {
      const address = control[${word.address}] >>> 0;
      if (address === 0) return undefined;
      functions = instantiate(address, control[${word.bytes}] >>> 0);
      if (modules.size >= ${mostModules}) modules.delete(modules.keys().next().value);
    } else modules.delete(id);
    // A map is in the order of insertion: the first is the one that has not been used for the longest time.
    modules.set(id, functions);
    return functions;
  };

  const work = () => {
    // Where the engine has not noticed yet that the memory has grown, kernels would trap.
    if (memory.buffer.byteLength < control[${word.pages}] * 65536) return;
    let functions;
    try {
      functions = functionsOf(control[${word.module}]);
    } catch {
      // The others do what this worker cannot.
    }
    if (functions === undefined) {
      Atomics.or(control, ${word.lacks}, bit);
      return;
    }
    Atomics.or(control, ${word.has}, bit);
    const kernel = functions[control[${word.fn}]];
    const from = control[${word.from}];
    const to = control[${word.to}];
    const chunk = control[${word.chunk}];
    const count = control[${word.count}];
    const addresses = Array.from(control.subarray(${word.addresses}, ${word.addresses} + count));
    for (;;) {
      const number = Atomics.add(control, ${word.next}, 1);
      const begin = from + number * chunk;
      if (begin >= to) return;
      try {
        kernel(begin, Math.min(to, begin + chunk), ...addresses);
      } catch {
        Atomics.compareExchange(control, ${word.failed}, 0, number + 1);
        return;
      }
    }
  };

  const enter = () => {
    for (let gate = Atomics.load(control, ${word.gate}); gate < 0; ) {
      const found = Atomics.compareExchange(control, ${word.gate}, gate, gate | bit);
      if (found === gate) return true;
      gate = found;
    }
    return false;
  };

  Atomics.or(control, ${word.ready}, bit);
  for (let seen = 0; ; ) {
    for (let i = 0; i < ${looks} && Atomics.load(control, ${word.epoch}) === seen; i++);
    Atomics.wait(control, ${word.epoch}, seen);
    const epoch = Atomics.load(control, ${word.epoch});
    if (epoch === seen) continue;
    seen = epoch;
    if (!enter()) continue;
    const stamped = control[${word.stamped}] !== 0;
    if (stamped) stamps[2 * index] = now();
    work();
    if (stamped) stamps[2 * index + 1] = now();
    if ((Atomics.and(control, ${word.gate}, ~bit) & ~bit) === 0) Atomics.notify(control, ${word.gate});
  }
};
const node = globalThis.process?.getBuiltinModule?.("node:worker_threads");
if (node?.workerData?.control) start(node.workerData);
else onmessage = ({ data }) => start(data);
`;
