/**
 * `pureCallback`: an equation whose results a JavaScript function computes on the host, from concrete arrays. The function is
 * taken for pure: its equation may be merged with an equal one, or dropped where nothing uses its results.
 */
import { left, right } from "fp-ts/lib/Either.js";
import { ConcreteArray, type NDArray } from "../core/array.js";
import { type Aval, aval, describe, describeAll, type Shape, sameShape, sizeOf } from "../core/aval.js";
import {
  allocate,
  type DType,
  integerRange,
  isDType,
  isFloat,
  settle,
  type TypedArray,
} from "../core/dtype.js";
import { ArgumentError, DtypeError, NotDifferentiableError, ShapeError } from "../core/errors.js";
import { definePrimitive, type Params } from "../core/primitive.js";
import { References } from "../core/references.js";
import { bind, inheritingSources, withTrace } from "../core/trace.js";
import { zeroFor } from "../core/zero.js";
import { isShape, showParam, type TypeResult } from "./checks.js";
import { repeat } from "./filled.js";
import { forEachExample, type Levels, levelsFault } from "./hostBatch.js";
import { expandDims } from "./shape.js";

/** What becomes of the function under `vmap`: see `pureCallback`. */
export const vmapMethods = ["sequential", "expandDims", "broadcastAll"] as const;
export type VmapMethod = (typeof vmapMethods)[number];

/** A function that computes arrays. */
export interface HostFunction {
  /** For messages: `pureCallback(solve)`. */
  readonly name: string;
  readonly operands: number;
  /** For each result how messages call it: `the result at .w`. */
  readonly results: readonly string[];
  /** Gives arrays, JavaScript's typed arrays, numbers or booleans, which are to be of the given types. */
  readonly run: (operands: readonly ConcreteArray[], types: readonly Aval[]) => readonly unknown[];
}

type Result = { readonly shape: Shape; readonly dtype: DType };

interface CallbackParams extends Params {
  readonly callback: number;
  /** What the function gives for one call. */
  readonly results: readonly (Result & Params)[];
  readonly vmapMethod: VmapMethod | null;
  /** Levels of vmap that each example is a call of its own for. */
  readonly levels: Levels;
}

const functions = new References<HostFunction>();

const callbackParams = (
  f: HostFunction,
  results: readonly Result[],
  vmapMethod: VmapMethod | null,
): Params => ({
  ...functions.params("callback", f),
  results: results.map(({ shape, dtype }) => ({ shape, dtype })),
  vmapMethod,
  levels: [],
});

/** Computes arrays of the given types by a function: now, or whenever the program that is being recorded runs. */
export const bindHostFunction = (
  f: HostFunction,
  operands: readonly NDArray[],
  results: readonly Result[],
  vmapMethod: VmapMethod | null,
): readonly NDArray[] => bind(pureCallbackPrimitive, operands, callbackParams(f, results, vmapMethod));

const functionOf = (params: Params): HostFunction => functions.find(params.callback) as HostFunction;

const isResult = (x: unknown): x is Result =>
  typeof x === "object" && x !== null && isShape((x as Result).shape) && isDType((x as Result).dtype);

function typesOf(inputs: readonly Aval[], params: Params): TypeResult {
  const { callback, results, vmapMethod, levels } = params;
  const f = functions.find(callback);
  const wrong = (message: string): TypeResult => left(new ArgumentError(`pureCallback: ${message}`));
  if (f === undefined) return wrong(`no function is registered under the key ${showParam(callback)}`);
  if (!Array.isArray(results) || !results.every(isResult))
    return wrong(`the param results must be a list of shapes and dtypes, got ${showParam(results)}`);
  if (results.length !== f.results.length || inputs.length !== f.operands)
    return wrong(
      `the function under the key ${callback} takes ${f.operands} operands and gives ${f.results.length} results, got ${describeAll(inputs)} for ${results.length}`,
    );
  if (vmapMethod !== null && !vmapMethods.includes(vmapMethod as VmapMethod))
    return wrong(
      `the param vmapMethod must be null or one of ${vmapMethods.join(", ")}, got ${showParam(vmapMethod)}`,
    );
  const fault = levelsFault("pureCallback", levels, inputs);
  if (fault !== undefined) return left(fault);
  const sizes = (levels as Levels).map(({ size }) => size);
  return right((results as readonly Result[]).map(({ shape, dtype }) => aval([...sizes, ...shape], dtype)));
}

export const pureCallbackPrimitive = definePrimitive({
  name: "pureCallback",
  family: "callback",
  summary: "arrays that a JavaScript function computes",
  abstractEval: typesOf,
  evaluate: (inputs, params, outputs) => {
    const { results, levels } = params as CallbackParams;
    const f = functionOf(params);
    const types = results.map(({ shape, dtype }) => aval(shape, dtype));
    const values = outputs.map(({ dtype, shape }) => allocate(dtype, sizeOf(shape)));
    let example = 0;
    // The function is the user's, and no part of the program that runs it.
    withTrace(undefined, () =>
      inheritingSources(() =>
        forEachExample(inputs, levels, (operands) => {
          const leaves = f.run(operands.map(copyOf), types);
          for (const [k, type] of types.entries()) {
            const own = elementsOf(leaves[k], type, `${f.name}: ${f.results[k]}`);
            values[k].set(own, example * sizeOf(type.shape));
          }
          example++;
        }),
      ),
    );
    return outputs.map((type, k) => new ConcreteArray(settle(type.dtype, values[k]), type));
  },
  jvp: (primals, _, params) => {
    const outputs = bind(pureCallbackPrimitive, primals, params);
    if (outputs.some(({ dtype }) => isFloat(dtype)))
      throw new NotDifferentiableError(
        `${functionOf(params).name} has no derivative: nobody knows what the function does. Give it one with customJvp or ` +
          "customVjp, or keep derivatives away from its arguments with stopGradient",
      );
    return { outputs, tangents: outputs.map((y) => zeroFor(y.aval)) };
  },
  batch: (size, inputs, batched, params) => {
    const { results, vmapMethod, levels } = params as CallbackParams;
    const all = { outputs: [] as readonly NDArray[], batched: results.map(() => true) };
    if (vmapMethod === null)
      throw new ArgumentError(
        `${functionOf(params).name} is batched and does not say how: give { vmapMethod: "sequential" } to call the function for each row, or "expandDims" or "broadcastAll" for one that takes whole batches`,
      );
    if (vmapMethod === "sequential")
      return {
        ...all,
        outputs: bind(pureCallbackPrimitive, inputs, { ...params, levels: [{ size, batched }, ...levels] }),
      };
    const widened = inputs.map((x, i) => {
      if (batched[i]) return x;
      return vmapMethod === "expandDims" ? expandDims(x, [0]) : repeat(x, size);
    });
    const types = results.map(({ shape, dtype }) => ({ shape: [size, ...shape], dtype }));
    return { ...all, outputs: bind(pureCallbackPrimitive, widened, { ...params, results: types }) };
  },
  // What the function costs is not known.
  cost: () => ({ operations: 0, multiplications: 0, transcendentals: 0 }),
  laws: { differentiable: false, examples: makeExamples },
});

/** The function may keep what it gets, and the memory may be needed for something else. */
const copyOf = (x: ConcreteArray): ConcreteArray => new ConcreteArray(x.values.slice(), x.aval);

/** A result of the function as elements of the type that was declared. */
function elementsOf(leaf: unknown, type: Aval, what: string): ArrayLike<number> {
  const declared = `but ${describe(type)} was declared`;
  if (leaf !== null && typeof leaf === "object" && "aval" in leaf) {
    const array = (leaf as NDArray).concrete(what);
    if (array.weakType && array.ndim === 0) return elementsOf(array.item(), type, what);
    if (array.dtype !== type.dtype) throw new DtypeError(`${what} is ${describe(array.aval)}, ${declared}`);
    if (!sameShape(array.shape, type.shape))
      throw new ShapeError(`${what} is ${describe(array.aval)}, ${declared}`);
    return array.values;
  }
  if (ArrayBuffer.isView(leaf)) {
    const given = leaf as TypedArray;
    const shown = `${given.constructor.name}(${given.length})`;
    if (given.constructor !== allocate(type.dtype, 0).constructor)
      throw new DtypeError(`${what} is ${shown}, ${declared}`);
    if (given.length !== sizeOf(type.shape)) throw new ShapeError(`${what} is ${shown}, ${declared}`);
    // Whatever is not zero is true.
    return type.dtype === "bool" ? Array.from(given, (x) => (x !== 0 ? 1 : 0)) : given;
  }
  if (typeof leaf !== "number" && typeof leaf !== "boolean")
    throw new ArgumentError(
      `${what} is ${typeof leaf === "object" ? `an object of class ${leaf?.constructor.name}` : `a value of type ${typeof leaf}`}; a pure callback gives arrays, typed arrays and numbers`,
    );
  if (!fits(leaf, type.dtype)) throw new DtypeError(`${what} is ${leaf}, ${declared}`);
  if (type.shape.length > 0) throw new ShapeError(`${what} is the number ${leaf}, ${declared}`);
  return [Number(leaf)];
}

function fits(x: number | boolean, dtype: DType): boolean {
  if (typeof x === "boolean" || dtype === "bool") return typeof x === "boolean" && dtype === "bool";
  if (isFloat(dtype)) return true;
  const [lo, hi] = integerRange(dtype);
  return Number.isInteger(x) && x >= lo && x <= hi;
}

/** Functions that take operands of any shapes, batched in any way: element by element, repeated where they are short. */
function makeExamples() {
  const i32 = (...shape: number[]): Aval => aval(shape, "int32");
  const filled = ({ shape, dtype }: Aval, element: (i: number) => number): TypedArray =>
    allocate(dtype, sizeOf(shape)).map((_, i) => element(i));
  const at = ({ values }: ConcreteArray, i: number): number => values[i % values.length] ?? 0;
  const add: HostFunction = {
    name: "pureCallback(add)",
    operands: 2,
    results: ["the result"],
    run: ([x, y], [type]) => [filled(type, (i) => at(x, i) + at(y, i))],
  };
  const both: HostFunction = {
    name: "pureCallback(both)",
    operands: 1,
    results: ["the result at [0]", "the result at [1]"],
    run: ([x], [sign, half]) => [
      filled(sign, (i) => (at(x, i) > 0 ? 1 : 0)),
      filled(half, (i) => at(x, i) / 2),
    ],
  };
  const integers: Result = { shape: [2], dtype: "int32" };
  return [
    { avals: [i32(2), i32(2)], params: callbackParams(add, [integers], "sequential") },
    { avals: [i32(2), i32(2)], params: callbackParams(add, [integers], "expandDims") },
    { avals: [i32(2), i32(2)], params: callbackParams(add, [integers], "broadcastAll") },
    {
      avals: [i32()],
      params: callbackParams(
        both,
        [
          { shape: [], dtype: "bool" },
          { shape: [], dtype: "float64" },
        ],
        "sequential",
      ),
    },
    {
      avals: [i32(3, 2), i32(2)],
      params: {
        ...callbackParams(add, [integers], "sequential"),
        levels: [{ size: 3, batched: [true, false] }],
      },
    },
  ];
}
