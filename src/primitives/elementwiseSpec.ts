/**
 * What an elementwise operation has to say about itself, and what follows from that without running it: which operand
 * types it takes, what type it gives, and on which examples its rules are tested.
 */
import { left, right } from "fp-ts/lib/Either.js";
import type { NDArray } from "../core/array.js";
import { type Aval, aval, describeAll, type Shape, sameShape } from "../core/aval.js";
import { type DType, isFloat, isInteger, type Typed } from "../core/dtype.js";
import { ArgumentError, DtypeError, type FluxionError, ShapeError } from "../core/errors.js";
import type { Expr } from "../core/ir/types.js";
import type { Atom } from "../core/jaxpr.js";
import { noParams } from "../core/params.js";
import type { Cost, DependenceRule, Example, LawsRecord, Params } from "../core/primitive.js";
import type { TypeResult } from "./checks.js";

/** The dtypes an operation is defined for. */
export type Domain = "float" | "number" | "integer" | "bits" | "any";

const accepts: Record<Domain, (d: DType) => boolean> = {
  float: isFloat,
  number: (d) => isFloat(d) || isInteger(d),
  integer: isInteger,
  bits: (d) => isInteger(d) || d === "bool",
  any: (d) => d !== "float0",
};

/** Work for one element. */
export const work = {
  add: { operations: 1, multiplications: 0, transcendentals: 0 },
  multiply: { operations: 1, multiplications: 1, transcendentals: 0 },
  transcendental: { operations: 1, multiplications: 0, transcendentals: 1 },
  move: { operations: 0, multiplications: 0, transcendentals: 0 },
} as const satisfies Record<string, Cost>;

/** The meaning for one element, in double precision. */
export type ElementFunction = (...x: number[]) => number;

/**
 * The element of the result in kernel IR, from elements of the operands, in the types that their dtypes are computed with
 * (`scalarTypeOf`), and the common dtype. A result of float16 or uint8 need not be rounded or wrapped to it. `undefined`
 * where only JavaScript will do.
 */
export type ElementLowering = (args: readonly Expr[], dtype: DType, params: Params) => Expr | undefined;

/**
 * Given the tangent (or cotangent), the operands, and (for tangents) the output. In a transpose rule the operand that
 * is linear has a type (`x.aval`) and nothing else.
 */
export type LinearFunction = (t: NDArray, ...rest: NDArray[]) => NDArray;

export interface ElementwiseExample extends Omit<Example, "avals"> {
  /** Test this one with a vector of this dtype; without it float64 (or int32) in several shapes. */
  readonly dtype?: DType;
}

export interface ElementwiseSpec {
  readonly name: string;
  readonly summary: string;
  readonly arity: 1 | 2 | 3;
  readonly domain: Domain;
  /** Operands (by position) that do not share the common dtype, with the dtype they have instead. */
  readonly fixed?: Readonly<Record<number, DType>>;
  /** Dtype of the result, or what params make of it; default: that of the operands. */
  readonly result?: DType | ((params: Params) => Typed);
  /** What is wrong with the params, if anything, given the common dtype. Without it the params are not looked at. */
  readonly check?: (params: Params, dtype: DType) => FluxionError | undefined;
  /** The meaning for one element, in double precision; the result is rounded to the dtype. */
  readonly evaluate?: ElementFunction;
  /** Instead of `evaluate`, where the meaning depends on the dtype or on params. */
  readonly evaluateFor?: (dtype: DType, params: Params) => ElementFunction;
  /**
   * How an element is compiled. Where it is left out or gives `undefined`, kernels on the CPU call `evaluate` for each
   * element, and the GPU refuses the operation.
   */
  readonly lower?: ElementLowering;
  /** Work for one element of a kernel, in additions; default: what `cost` says, with 10 for a transcendental function. */
  readonly weight?: number | ((params: Params) => number);
  /** For each operand its part of the tangent; `undefined` where the derivative is zero. */
  readonly tangents: (params: Params) => readonly (LinearFunction | undefined)[];
  /** For each operand that the operation is linear in: its cotangent from that of the output. */
  readonly transposes?: (params: Params) => readonly (LinearFunction | undefined)[];
  /** Linear in those operands together (a sum), not only in each while the others are fixed (a product). */
  readonly additive?: boolean;
  readonly cost?: Cost | ((params: Params) => Cost);
  /** Default: each element of the result depends on the elements in the same place. */
  readonly dependence?: DependenceRule;
  readonly examples: readonly ElementwiseExample[];
  /** Set to false where the derivative is zero by decree, so that finite differences would not agree. */
  readonly differentiable?: boolean;
  readonly simplify?: (inputs: readonly Atom[], params: Params) => number | undefined;
  /** Whether the order of the operands does not matter. */
  readonly commutative?: boolean;
}

/** The one shape of operands of which some may be scalars; undefined if they have several. */
export function commonShape(shapes: readonly Shape[]): Shape | undefined {
  let common: Shape = [];
  for (const shape of shapes) {
    if (shape.length === 0) continue;
    if (common.length === 0) common = shape;
    else if (!sameShape(common, shape)) return undefined;
  }
  return common;
}

/** The type rule: one shape, one dtype, and operands of a dtype of their own. */
export function elementwiseType(
  spec: ElementwiseSpec,
): (inputs: readonly Aval[], params: Params) => TypeResult {
  const { name, arity, fixed, domain, result, check } = spec;
  return (inputs, params) => {
    if (inputs.length !== arity)
      return left(
        new ArgumentError(`${name} takes ${arity} operand${arity === 1 ? "" : "s"}, got ${inputs.length}`),
      );
    const shape = commonShape(inputs.map((x) => x.shape));
    if (shape === undefined)
      return left(
        new ShapeError(`${name} needs operands of one shape (or scalars), got ${describeAll(inputs)}`),
      );
    let common: DType | undefined;
    let weak = true;
    for (let i = 0; i < inputs.length; i++) {
      const { dtype, weakType } = inputs[i];
      const own = fixed?.[i];
      if (own !== undefined) {
        if (dtype !== own)
          return left(new DtypeError(`${name}: operand ${i} must be ${own}, got ${describeAll(inputs)}`));
        continue;
      }
      if (!accepts[domain](dtype))
        return left(new DtypeError(`${name} is not defined for ${dtype} (operands ${describeAll(inputs)})`));
      if (common !== undefined && common !== dtype)
        return left(new DtypeError(`${name} needs operands of one dtype, got ${describeAll(inputs)}`));
      common = dtype;
      weak &&= weakType;
    }
    const dtype = common as DType;
    const wrong = check?.(params, dtype);
    if (wrong !== undefined) return left(wrong);
    if (result === undefined) return right([aval(shape, dtype, weak && dtype !== "bool")]);
    if (typeof result === "string") return right([aval(shape, result)]);
    const type = result(params);
    return right([aval(shape, type.dtype, type.weakType)]);
  };
}

const exampleShapes: readonly (readonly Shape[])[] = [
  [[], [], []],
  [[3], [3], [3]],
  [
    [2, 3],
    [2, 3],
    [2, 3],
  ],
  [[0], [0], [0]],
  [[], [3], [3]],
  [[3], [], []],
  [[], [3], []],
];

/** One of each kind that the operation is also defined for: they differ in wrapping, saturation and what is linear. */
const otherDtypes: Record<Domain, readonly DType[]> = {
  float: [],
  number: ["int32", "uint8"],
  integer: ["uint32", "uint8"],
  bits: ["uint32", "uint8", "bool"],
  any: ["int32", "uint8", "bool"],
};

const drawnFrom = (dtype: DType): readonly [number, number] =>
  dtype === "bool" ? [0, 1] : dtype === "int32" ? [-4, 4] : [0, 9];

/** Every example of the spec with scalars, vectors, matrices, nothing at all, scalars among vectors, and other dtypes. */
export function elementwiseLaws(spec: ElementwiseSpec): LawsRecord {
  const usual: DType = accepts[spec.domain]("float64") ? "float64" : "int32";
  return {
    differentiable: spec.differentiable ?? (usual === "float64" && typeof spec.result !== "string"),
    examples: () => examplesOf(spec, usual),
  };
}

function examplesOf(spec: ElementwiseSpec, usual: DType): Example[] {
  const shapes = exampleShapes.slice(0, spec.arity === 1 ? 4 : spec.arity === 2 ? 6 : 7);
  const make = ({ dtype, ...example }: ElementwiseExample, operandShapes: readonly Shape[]): Example => ({
    ...example,
    avals: Array.from({ length: spec.arity }, (_, i) =>
      aval(operandShapes[i], spec.fixed?.[i] ?? dtype ?? usual),
    ),
  });
  const others = otherDtypes[spec.domain].map((dtype): ElementwiseExample => {
    const domain = Array.from({ length: spec.arity }, (_, i) => drawnFrom(spec.fixed?.[i] ?? dtype));
    return { params: spec.examples[0]?.params ?? noParams, dtype, domain };
  });
  return [...spec.examples, ...others].flatMap((example) =>
    (example.dtype === undefined ? shapes : shapes.slice(1, 2)).map((s) => make(example, s)),
  );
}
