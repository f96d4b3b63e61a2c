/**
 * The elementwise family. A record here says what happens to one element; broadcasting of scalars, dtype rules,
 * differentiation over shapes, batching, cost and laws are written once, here and in elementwiseSpec.ts.
 *
 * Operands have the same shape, or are scalars of shape (). Dtypes must agree: promotion is the libraries' business.
 */
import { ConcreteArray, NDArray, scalar, weakScalar } from "../core/array.js";
import { type Shape, sizeOf } from "../core/aval.js";
import { allocate, type DType, isFloat, settle } from "../core/dtype.js";
import { ArgumentError, DtypeError, NotDifferentiableError } from "../core/errors.js";
import * as ir from "../core/ir/ops.js";
import type { Expr } from "../core/ir/types.js";
import { type Atom, Literal } from "../core/jaxpr.js";
import { noParams } from "../core/params.js";
import {
  type BatchRule,
  type Cost,
  type DependenceRule,
  definePrimitive,
  type JvpRule,
  LinearInput,
  type Params,
  type Primitive,
  type TransposeRule,
} from "../core/primitive.js";
import { bind } from "../core/trace.js";
import { isZero, type Tangent, Zero, zeroFor } from "../core/zero.js";
import { broadcastInDim, reduceSum } from "./broadcast.js";
import { elementByElement } from "./dependence.js";
import { makeLoops } from "./elementwiseLoop.js";
import { lowerElementwise } from "./elementwiseLower.js";
import {
  commonShape,
  type Domain,
  type ElementFunction,
  type ElementwiseSpec,
  elementwiseLaws,
  elementwiseType,
  type LinearFunction,
  work,
} from "./elementwiseSpec.js";

export { work };

/** What the functions of this layer take: an array, or a number that takes the dtype of the arrays beside it. */
export type Operand = NDArray | number;

/** A function that binds a primitive, with the primitive itself at hand. */
export type Op<F> = F & { readonly primitive: Primitive };

export type UnaryOp = Op<(x: Operand) => NDArray>;
export type BinaryOp = Op<(x: Operand, y: Operand) => NDArray>;

const times = (c: Cost, n: number): Cost => ({
  operations: c.operations * n,
  multiplications: c.multiplications * n,
  transcendentals: c.transcendentals * n,
});

/** Gives a value the shape of the whole result, where only scalars took part in it. */
export const spread = (x: NDArray, shape: Shape): NDArray =>
  x.shape.length === 0 && shape.length > 0 ? broadcastInDim(x, shape, []) : x;

/** The inverse for cotangents: a scalar operand collects from all elements. */
export const gatherTo = (ct: NDArray, shape: Shape): NDArray =>
  shape.length === 0 && ct.shape.length > 0
    ? reduceSum(
        ct,
        ct.shape.map((_, i) => i),
      )
    : spread(ct, shape);

/** The sum of the parts that the operands contribute; undefined if all are zero. */
function tangentOf(
  spec: ElementwiseSpec,
  primitive: Primitive,
  primals: readonly NDArray[],
  tangents: readonly Tangent[],
  params: Params,
  out: NDArray,
): NDArray | undefined {
  const rules = spec.tangents(params);
  const moving = (i: number): boolean => rules[i] !== undefined && !isZero(tangents[i]);
  // What is linear in its operands together does to their tangents what it does to them.
  if (spec.additive && rules.every((rule, i) => rule === undefined || moving(i)))
    return bind(
      primitive,
      primals.map((x, i) => (moving(i) ? (tangents[i] as NDArray) : x)),
      params,
    )[0];
  let total: NDArray | undefined;
  for (let i = 0; i < tangents.length; i++) {
    const t = tangents[i];
    const rule = rules[i];
    if (isZero(t) || rule === undefined) continue;
    const part = rule(t, ...primals, out);
    total = total === undefined ? part : add(total, part);
  }
  return total;
}

/**
 * Makes a primitive of the family and registers it: for operations with params, with three operands, or with operands
 * of a dtype of their own. `unary` and `binary` are shorter for the others. Throws `ArgumentError` if the name is taken.
 */
export function elementwise(spec: ElementwiseSpec): Primitive {
  const loopFor = makeLoops(spec);
  const jvp: JvpRule = (primals, tangents, params) => {
    const [out] = bind(primitive, primals, params);
    const total = tangentOf(spec, primitive, primals, tangents, params, out);
    return { outputs: [out], tangents: [total === undefined ? zeroFor(out.aval) : spread(total, out.shape)] };
  };
  const transposes = spec.transposes;
  const transpose: TransposeRule | undefined =
    transposes &&
    (([ct], inputs, params) => {
      const rules = transposes(params);
      return inputs.map((x, i) => {
        const rule = rules[i];
        if (!(x instanceof LinearInput)) return null;
        if (isZero(ct)) return new Zero(x.aval);
        if (
          rule === undefined ||
          (!spec.additive && inputs.some((o, k) => k !== i && o instanceof LinearInput))
        )
          throw new NotDifferentiableError(
            `${spec.name} is not linear in operand ${i}, so it cannot be transposed`,
          );
        return gatherTo(rule(ct, ...(inputs as NDArray[])), x.aval.shape);
      });
    });
  const costOf = spec.cost ?? work.add;
  const primitive = definePrimitive({
    name: spec.name,
    family: "elementwise",
    summary: spec.summary,
    abstractEval: elementwiseType(spec),
    evaluate: (inputs, params, [out]) => {
      const values = allocate(out.dtype, sizeOf(out.shape));
      const { dtype } = inputs[inputs.findIndex((_, i) => spec.fixed?.[i] === undefined)];
      loopFor(dtype, params)(
        inputs.map((x) => x.values),
        values,
      );
      return [new ConcreteArray(settle(out.dtype, values), out)];
    },
    jvp,
    transpose,
    batch: batchElementwise((inputs, params) => bind(primitive, inputs, params)),
    lower: lowerElementwise(spec),
    cost: (_, params, [out]) =>
      times(typeof costOf === "function" ? costOf(params) : costOf, sizeOf(out.shape)),
    dependence: spec.dependence ?? elementByElement,
    laws: elementwiseLaws(spec),
    simplify: spec.simplify,
    commutative: spec.commutative,
  });
  return primitive;
}

/** Brings operands to one shape with the batch axis in front; scalars that are not batched may stay scalars. */
export const batchElementwise =
  (apply: (inputs: readonly NDArray[], params: Params) => readonly NDArray[]): BatchRule =>
  (size, inputs, batched, params) => {
    const shape = commonShape(inputs.map((x, i) => (batched[i] ? x.shape.slice(1) : x.shape))) ?? [];
    const full = [size, ...shape];
    const dims = shape.map((_, i) => i + 1);
    const aligned = inputs.map((x, i) => {
      if (batched[i]) return x.ndim === full.length ? x : broadcastInDim(x, full, [0]);
      return x.ndim === 0 ? x : broadcastInDim(x, full, dims);
    });
    const outputs = apply(aligned, params);
    return { outputs, batched: outputs.map(() => true) };
  };

// ---------------------------------------------------------------------------------------------------------------------
// Constructors for operations without params
// ---------------------------------------------------------------------------------------------------------------------

/** Turns a number beside arrays into a scalar of their dtype, which must be able to hold it. */
export function scalarsLike(name: string, operands: readonly Operand[], domain: Domain = "any"): NDArray[] {
  const like = operands.find((x): x is NDArray => x instanceof NDArray);
  return operands.map((x) => {
    if (x instanceof NDArray) return x;
    if (typeof x !== "number")
      throw new ArgumentError(`${name} takes arrays or numbers, got ${describeAny(x)}`);
    if (like === undefined) return domain === "float" ? scalar(x, "float32", true) : weakScalar(x);
    if (!isFloat(like.dtype) && !Number.isInteger(x))
      throw new DtypeError(`${name}: ${x} is not a value of ${like.dtype}, the dtype of the array beside it`);
    return scalarLike(like, x);
  });
}

/** A number as a scalar of the dtype of `x`, and as weak. */
export const scalarLike = (x: NDArray, value: number): NDArray => scalar(value, x.dtype, x.weakType);

const describeAny = (x: unknown): string =>
  x === null ? "null" : Array.isArray(x) ? "a JavaScript array (use np.array)" : `a ${typeof x}`;

interface Common {
  readonly summary: string;
  readonly domain: Domain;
  readonly result?: DType;
  readonly evaluate?: ElementFunction;
  readonly evaluateFor?: (dtype: DType) => ElementFunction;
  readonly cost?: Cost;
  readonly dependence?: DependenceRule;
  readonly weight?: number;
  readonly differentiable?: boolean;
  readonly simplify?: ElementwiseSpec["simplify"];
  readonly commutative?: boolean;
}

export interface UnarySpec extends Common {
  /** The tangent of the output, from that of the operand, the operand x and the output y; left out where it is zero. */
  readonly tangent?: (t: NDArray, x: NDArray, y: NDArray) => NDArray;
  /** Set if the operation is linear. */
  readonly transpose?: (ct: NDArray) => NDArray;
  /** The element in kernel IR; `undefined` (or left out) where JavaScript has to compute it. See `ElementLowering`. */
  readonly lower?: (x: Expr, dtype: DType) => Expr | undefined;
  /** Where tests and laws draw the operand from: intervals on which the function is smooth. */
  readonly smoothOn?: readonly (readonly [number, number])[];
}

/**
 * Makes an operation of one array that works element by element, and registers its primitive under `name`. It keeps the
 * shape and (unless `result` says otherwise) the dtype of its operand; batching, cost and laws come with the family.
 *
 * @returns the function that binds the primitive; the primitive itself is its property `primitive`.
 * @throws ArgumentError if the name is taken, or neither `evaluate` nor `evaluateFor` is given.
 * @example
 * const cube = unary("cube", {
 *   summary: "x³",
 *   domain: "float",
 *   evaluate: (x) => x * x * x,
 *   tangent: (t, x) => mul(t, mul(3, mul(x, x))),
 * });
 */
export function unary(name: string, spec: UnarySpec): UnaryOp {
  const { tangent, transpose, lower, smoothOn = [[-2, 2]], ...rest } = spec;
  const primitive = elementwise({
    ...rest,
    name,
    arity: 1,
    lower: lower && (([x], dtype) => lower(x, dtype)),
    tangents: () => [tangent],
    transposes: transpose && (() => [transpose]),
    examples: smoothOn.map((interval) => ({ params: noParams, domain: [interval] })),
  });
  return Object.assign((x: Operand) => bind(primitive, scalarsLike(name, [x], spec.domain), noParams)[0], {
    primitive,
  });
}

export interface BinarySpec extends Common {
  /** For each operand its part of the tangent, from the operand's tangent t, the operands and the output. */
  readonly tangent?: {
    readonly x?: (t: NDArray, x: NDArray, y: NDArray, out: NDArray) => NDArray;
    readonly y?: (t: NDArray, x: NDArray, y: NDArray, out: NDArray) => NDArray;
  };
  /** For each operand in which the operation is linear: its cotangent, given both operands (the linear one unknown). */
  readonly transpose?: {
    readonly x?: (ct: NDArray, x: NDArray, y: NDArray) => NDArray;
    readonly y?: (ct: NDArray, x: NDArray, y: NDArray) => NDArray;
  };
  readonly additive?: boolean;
  /** The element in kernel IR; `undefined` (or left out) where JavaScript has to compute it. See `ElementLowering`. */
  readonly lower?: (x: Expr, y: Expr, dtype: DType) => Expr | undefined;
  /** Pairs of intervals for the two operands. */
  readonly smoothOn?: readonly (readonly [readonly [number, number], readonly [number, number]])[];
}

/**
 * Makes an operation of two arrays of one dtype (of one shape, or scalars) that works element by element, and registers
 * its primitive under `name`.
 *
 * @returns the function that binds the primitive; the primitive itself is its property `primitive`.
 * @throws ArgumentError if the name is taken, or neither `evaluate` nor `evaluateFor` is given.
 * @example
 * const product = binary("product", {
 *   summary: "x · y",
 *   domain: "float",
 *   evaluate: (x, y) => x * y,
 *   tangent: { x: (t, _, y) => product(t, y), y: (t, x) => product(x, t) },
 *   transpose: { x: (ct, _, y) => product(ct, y), y: (ct, x) => product(x, ct) },
 * });
 */
export function binary(name: string, spec: BinarySpec): BinaryOp {
  const { tangent, transpose, lower, smoothOn, ...rest } = spec;
  const intervals = smoothOn ?? [
    [
      [-2, 2],
      [-2, 2],
    ],
  ];
  const primitive = elementwise({
    ...rest,
    name,
    arity: 2,
    lower: lower && (([x, y], dtype) => lower(x, y, dtype)),
    tangents: () => [tangent?.x, tangent?.y] as readonly (LinearFunction | undefined)[],
    transposes: transpose && (() => [transpose.x, transpose.y] as readonly (LinearFunction | undefined)[]),
    examples: intervals.map((domain) => ({ params: noParams, domain })),
  });
  return Object.assign(
    (x: Operand, y: Operand) => bind(primitive, scalarsLike(name, [x, y], spec.domain), noParams)[0],
    { primitive },
  );
}

const isLiteral = (a: Atom, value: number): boolean => a instanceof Literal && Object.is(a.value, value);

/**
 * The other operand, if operand `i` is the scalar `value` and dropping it changes neither shape nor type.
 * A literal 1 of dtype float32 times a weak float32 would lose weakness, hence the comparison.
 */
export const neutral = (inputs: readonly Atom[], i: number, value: number): number | undefined => {
  const other = inputs[1 - i].aval;
  const own = inputs[i].aval;
  return isLiteral(inputs[i], value) && other.dtype === own.dtype && (own.weakType || !other.weakType)
    ? 1 - i
    : undefined;
};

/** x + y. It stands here because the family itself adds up tangents with it. */
export const add = binary("add", {
  summary: "x + y",
  domain: "number",
  evaluate: (x, y) => x + y,
  lower: ir.add,
  tangent: { x: (t) => t, y: (t) => t },
  transpose: { x: (ct) => ct, y: (ct) => ct },
  additive: true,
  commutative: true,
  // -0 is the neutral element: x + 0 would turn -0 into 0.
  simplify: (inputs) => neutral(inputs, 1, -0) ?? neutral(inputs, 0, -0),
});
