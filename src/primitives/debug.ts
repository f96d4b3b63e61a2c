/**
 * `debugCallback`: an equation without outputs that prints a line, or calls a JavaScript function, with the values of
 * its operands each time the program runs.
 *
 * Params are data, and a function is none: params hold a number that refers to it (core/references.ts).
 */
import { type Either, left, right } from "fp-ts/lib/Either.js";
import type { ConcreteArray, NDArray } from "../core/array.js";
import { type Aval, aval, describeAll } from "../core/aval.js";
import { ArgumentError, type FluxionError } from "../core/errors.js";
import { formatElements } from "../core/format.js";
import { definePrimitive, type Params } from "../core/primitive.js";
import { References } from "../core/references.js";
import { bind, inheritingSources, withTrace } from "../core/trace.js";
import { isCount, showParam } from "./checks.js";
import { forEachExample, type Levels, levelsFault } from "./hostBatch.js";

/** A function that equations can call, and how many operands it takes. */
export interface Callback {
  readonly operands: number;
  readonly run: (operands: readonly ConcreteArray[]) => unknown;
}

/** A line to print: texts, and positions of operands. */
export type Pieces = readonly (string | number)[];

const callbacks = new References<Callback>();

const callbackParams = (callback: Callback): Params => ({
  ...callbacks.params("callback", callback),
  levels: [],
});

/** Calls a function with arrays: now, or whenever the program that is being recorded runs. */
export function bindCallback(callback: Callback, operands: readonly NDArray[]): void {
  bind(debugCallbackPrimitive, operands, callbackParams(callback));
}

/** Prints a line with arrays in it, likewise. */
export function bindPrint(pieces: Pieces, operands: readonly NDArray[]): void {
  bind(debugCallbackPrimitive, operands, { format: pieces, levels: [] });
}

const wrong = (message: string): Either<FluxionError, never> =>
  left(new ArgumentError(`debugCallback: ${message}`));

/** What is wrong with what is to be done, if anything. */
function actionFault({ callback: key, format }: Params, inputs: readonly Aval[]): string | undefined {
  if ((key === undefined) === (format === undefined))
    return "the params must have either a callback, by its key, or a format";
  if (key !== undefined) {
    const callback = callbacks.find(key);
    if (callback === undefined) return `no callback is registered under the key ${showParam(key)}`;
    return callback.operands === inputs.length
      ? undefined
      : `callback ${key} takes ${callback.operands} operands, got ${describeAll(inputs)}`;
  }
  const isPiece = (p: unknown): boolean => typeof p === "string" || (isCount(p) && p < inputs.length);
  if (!Array.isArray(format) || !format.every(isPiece))
    return `the param format must be a list of texts and of positions of the ${inputs.length} operands, got ${showParam(format)}`;
  const unused = inputs.findIndex((_, i) => !format.includes(i));
  return unused < 0 ? undefined : `operand ${unused} stands nowhere in the format ${showParam(format)}`;
}

export const debugCallbackPrimitive = definePrimitive({
  name: "debugCallback",
  family: "debug",
  summary: "prints a line, or calls a JavaScript function, with the values of its operands",
  effectful: true,
  abstractEval: (inputs, params) => {
    const fault = actionFault(params, inputs);
    if (fault !== undefined) return wrong(fault);
    const batches = levelsFault("debugCallback", params.levels, inputs);
    if (batches !== undefined) return left(batches);
    return right([]);
  },
  evaluate: (inputs, params) => {
    const run = actionOf(params);
    // The function is the user's, and no part of the program that runs it.
    withTrace(undefined, () => inheritingSources(() => forEachExample(inputs, params.levels as Levels, run)));
    return [];
  },
  // The primals are what is printed, once; there is nothing to have a tangent.
  jvp: (primals, _, params) => {
    bind(debugCallbackPrimitive, primals, params);
    return { outputs: [], tangents: [] };
  },
  batch: (size, inputs, batched, params) => {
    const levels = [{ size, batched }, ...(params.levels as Levels)];
    bind(debugCallbackPrimitive, inputs, { ...params, levels });
    return { outputs: [], batched: [] };
  },
  cost: () => ({ operations: 0, multiplications: 0, transcendentals: 0 }),
  laws: {
    differentiable: true,
    examples: () => [
      { avals: [aval([2], "float64")], params: callbackParams({ operands: 1, run: () => {} }) },
      { avals: [], params: callbackParams({ operands: 0, run: () => {} }) },
      {
        avals: [aval([2], "float64"), aval([3, 2], "int32")],
        params: {
          ...callbackParams({ operands: 2, run: () => {} }),
          levels: [
            { size: 3, batched: [false, true] },
            { size: 2, batched: [true, true] },
          ],
        },
      },
      { avals: [aval([], "float64")], params: { format: ["x = ", 0], levels: [] } },
      {
        avals: [aval([2, 1], "float64"), aval([2], "bool")],
        params: { format: [1, " and ", 0, ", ", 1], levels: [{ size: 2, batched: [true, true] }] },
      },
    ],
  },
});

/** What params that passed the type rule ask for. */
function actionOf({ callback: key, format }: Params): Callback["run"] {
  if (format !== undefined) return (operands) => console.log(fill(format as Pieces, operands));
  return (callbacks.find(key) as Callback).run;
}

const fill = (pieces: Pieces, operands: readonly ConcreteArray[]): string =>
  pieces
    .map((p) => (typeof p === "string" ? p : formatElements(operands[p].values, operands[p].aval, 1)))
    .join("");
