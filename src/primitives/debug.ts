/**
 * `debugCallback`: an equation without outputs that prints a line, or calls a JavaScript function, with the values of
 * its operands each time the program runs.
 *
 * Params are data, and a function is none: params hold the key under which it is registered. The registry holds it
 * weakly, so that closures made in every step of a loop do not pile up; what keeps it alive are the equations that call
 * it.
 */
import { type Either, left, right } from "fp-ts/lib/Either.js";
import { ConcreteArray, type NDArray } from "../core/array.js";
import { type Aval, aval, describe, describeAll, sizeOf, withShape } from "../core/aval.js";
import { ArgumentError, type FluxionError, ShapeError } from "../core/errors.js";
import { formatElements } from "../core/format.js";
import { definePrimitive, type Params } from "../core/primitive.js";
import { bind, inheritingSources, withTrace } from "../core/trace.js";
import { isCount, showParam } from "./checks.js";

/** A function that equations can call, and how many operands it takes. */
export interface Callback {
  readonly key: number;
  readonly operands: number;
  readonly run: (operands: readonly ConcreteArray[]) => unknown;
}

/** A line to print: texts, and positions of operands. */
export type Pieces = readonly (string | number)[];

/** A vmap that the equation has been through: one run for each of `size` examples, along axis 0 of `batched` operands. */
interface Level {
  readonly size: number;
  readonly batched: readonly boolean[];
}

const callbacks = new Map<number, WeakRef<Callback>>();
const forgotten = new FinalizationRegistry<number>((key) => callbacks.delete(key));
let nextKey = 0;

/** In params, under this symbol, stands the callback itself. What prints, hashes or compares params looks at names. */
const keptAlive = Symbol("callback");

/** Registers a function under a new key. */
export function registerCallback(operands: number, run: Callback["run"]): Callback {
  const callback = { key: nextKey++, operands, run };
  callbacks.set(callback.key, new WeakRef(callback));
  forgotten.register(callback, callback.key);
  return callback;
}

const callbackParams = (callback: Callback): Params =>
  ({ callback: callback.key, levels: [], [keptAlive]: callback }) as Params;

/** Calls a registered function with arrays: now, or whenever the program that is being recorded runs. */
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
    const callback = typeof key === "number" ? callbacks.get(key)?.deref() : undefined;
    if (callback === undefined) return `no callback is registered under the key ${showParam(key)}`;
    return callback.operands === inputs.length
      ? undefined
      : `callback ${callback.key} takes ${callback.operands} operands, got ${describeAll(inputs)}`;
  }
  const isPiece = (p: unknown): boolean => typeof p === "string" || (isCount(p) && p < inputs.length);
  if (!Array.isArray(format) || !format.every(isPiece))
    return `the param format must be a list of texts and of positions of the ${inputs.length} operands, got ${showParam(format)}`;
  const unused = inputs.findIndex((_, i) => !format.includes(i));
  return unused < 0 ? undefined : `operand ${unused} stands nowhere in the format ${showParam(format)}`;
}

function isLevel(x: unknown, operands: number): x is Level {
  if (typeof x !== "object" || x === null) return false;
  const { size, batched } = x as Record<string, unknown>;
  return (
    isCount(size) &&
    Array.isArray(batched) &&
    batched.length === operands &&
    batched.every((b) => typeof b === "boolean")
  );
}

export const debugCallbackPrimitive = definePrimitive({
  name: "debugCallback",
  family: "debug",
  summary: "prints a line, or calls a JavaScript function, with the values of its operands",
  effectful: true,
  abstractEval: (inputs, params) => {
    const fault = actionFault(params, inputs);
    if (fault !== undefined) return wrong(fault);
    const { levels } = params;
    if (!Array.isArray(levels) || !levels.every((level) => isLevel(level, inputs.length)))
      return wrong(
        `the param levels must be a list of sizes with a flag for each of the ${inputs.length} operands, got ${showParam(levels)}`,
      );
    for (const [i, input] of inputs.entries()) {
      const axes = (levels as readonly Level[]).filter((level) => level.batched[i]).map(({ size }) => size);
      if (axes.some((size, axis) => input.shape[axis] !== size))
        return left(
          new ShapeError(
            `debugCallback: operand ${i} is batched and must begin with axes of lengths [${axes.join(",")}], got ${describe(input)}`,
          ),
        );
    }
    return right([]);
  },
  evaluate: (inputs, params) => {
    const run = actionOf(params);
    // The function is the user's, and no part of the program that runs it.
    withTrace(undefined, () =>
      inheritingSources(() => forEachExample(inputs, params.levels as readonly (Level & Params)[], run)),
    );
    return [];
  },
  // The primals are what is printed, once; there is nothing to have a tangent.
  jvp: (primals, _, params) => {
    bind(debugCallbackPrimitive, primals, params);
    return { outputs: [], tangents: [] };
  },
  batch: (size, inputs, batched, params) => {
    const levels = [{ size, batched }, ...(params.levels as readonly (Level & Params)[])];
    bind(debugCallbackPrimitive, inputs, { ...params, levels });
    return { outputs: [], batched: [] };
  },
  cost: () => ({ operations: 0, multiplications: 0, transcendentals: 0 }),
  laws: {
    differentiable: true,
    examples: [
      { avals: [aval([2], "float64")], params: callbackParams(registerCallback(1, () => {})) },
      { avals: [], params: callbackParams(registerCallback(0, () => {})) },
      {
        avals: [aval([2], "float64"), aval([3, 2], "int32")],
        params: {
          ...callbackParams(registerCallback(2, () => {})),
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
  const callback = callbacks.get(key as number)?.deref() as Callback;
  return callback.run;
}

/** Calls `run` for every example of the batches, those of the outermost vmap slowest: in row-major order. */
function forEachExample(
  inputs: readonly ConcreteArray[],
  levels: readonly Level[],
  run: Callback["run"],
): void {
  if (levels.length === 0) {
    run(inputs);
    return;
  }
  const [{ size, batched }, ...inner] = levels;
  for (let i = 0; i < size; i++)
    forEachExample(
      inputs.map((x, k) => (batched[k] ? entryOf(x, i) : x)),
      inner,
      run,
    );
}

/** Entry i along axis 0. */
function entryOf(x: ConcreteArray, i: number): ConcreteArray {
  const shape = x.shape.slice(1);
  const n = sizeOf(shape);
  return new ConcreteArray(x.values.slice(i * n, (i + 1) * n), withShape(x.aval, shape));
}

const fill = (pieces: Pieces, operands: readonly ConcreteArray[]): string =>
  pieces
    .map((p) => (typeof p === "string" ? p : formatElements(operands[p].values, operands[p].aval, 1)))
    .join("");
