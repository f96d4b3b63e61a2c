/**
 * The passes as one object, for rules of primitives that hold jaxprs, so that primitives stay below transforms. Rules get it
 * as an argument; what has no such argument (the plain meaning of an equation that is a transform of its body) takes it
 * from here. Each pass is looked up when it is called, so the modules of the passes may be loaded in any order.
 */
import type { Passes } from "./primitive.js";

const table: { -readonly [K in keyof Passes]?: Passes[K] } = {};

export const passes: Passes = {
  jvp: (...args) => (table.jvp as Passes["jvp"])(...args),
  partialEval: (...args) => (table.partialEval as Passes["partialEval"])(...args),
  transpose: (...args) => (table.transpose as Passes["transpose"])(...args),
  batch: (...args) => (table.batch as Passes["batch"])(...args),
  dce: (...args) => (table.dce as Passes["dce"])(...args),
  dependence: (...args) => (table.dependence as Passes["dependence"])(...args),
};

/** Called once by each pass. */
export function providePasses(given: Partial<Passes>): void {
  Object.assign(table, given);
}
