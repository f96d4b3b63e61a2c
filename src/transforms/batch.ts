/**
 * Vectorisation: turns a jaxpr for one example into one for a whole batch. A batched value has the batch axis in
 * front; values that are the same for all examples stay as they are.
 */
import type { NDArray } from "../core/array.js";
import { withShape } from "../core/aval.js";
import { buildJaxpr, maskKey, memoize } from "../core/build.js";
import { read, walk } from "../core/eval.js";
import { type Atom, type Jaxpr, Var } from "../core/jaxpr.js";
import type { BatchResult } from "../core/primitive.js";
import { bind } from "../core/trace.js";
import { repeat } from "../primitives/filled.js";
import { passes, providePasses } from "./passes.js";

/** `force` marks outputs that must be batched even if they are the same for all examples. */
export const batchJaxpr = memoize(
  (size: number, batched: readonly boolean[], force: readonly boolean[] = []) =>
    `${size}/${maskKey(batched)}/${maskKey(force)}`,
  (
    jaxpr: Jaxpr,
    size: number,
    batchedIn: readonly boolean[],
    force: readonly boolean[] = [],
  ): BatchResult => {
    const avals = jaxpr.inputs.map((v, i) =>
      batchedIn[i] ? withShape(v.aval, [size, ...v.aval.shape]) : v.aval,
    );
    let batchedOut: boolean[] = [];
    const vectorised = buildJaxpr("vmap", avals, (inputs) => {
      const values = new Array<NDArray>(jaxpr.varCount);
      const isBatched = new Uint8Array(jaxpr.varCount);
      const batchedAtom = (a: Atom): boolean => a instanceof Var && isBatched[a.id] === 1;
      for (const [i, v] of jaxpr.inputs.entries()) {
        values[v.id] = inputs[i];
        isBatched[v.id] = batchedIn[i] ? 1 : 0;
      }
      walk(jaxpr, ({ primitive, inputs: atoms, params, outputs }) => {
        const x = atoms.map((a) => read(values, a));
        const mask = atoms.map(batchedAtom);
        const result = mask.includes(true)
          ? primitive.batch(size, x, mask, params, passes)
          : { outputs: bind(primitive, x, params), batched: outputs.map(() => false) };
        for (const [k, v] of outputs.entries()) {
          values[v.id] = result.outputs[k];
          isBatched[v.id] = result.batched[k] ? 1 : 0;
        }
      });
      batchedOut = jaxpr.outputs.map((a, i) => batchedAtom(a) || force[i] === true);
      return jaxpr.outputs.map((a, i) => {
        const y = read(values, a);
        return batchedOut[i] && !batchedAtom(a) ? repeat(y, size) : y;
      });
    });
    return { jaxpr: vectorised, batchedOut };
  },
  "vmap",
);

providePasses({ batch: batchJaxpr });
