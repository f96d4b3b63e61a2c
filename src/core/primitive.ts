/**
 * The primitive record: everything fluxion knows about an operation, in one place.
 *
 * The registry of these records is what the transforms, the laws, the documentation and the cost model range over:
 * add a record and it is traced, evaluated, differentiated both ways, batched, counted and tested.
 */
import { type Either, left } from "fp-ts/lib/Either.js";
import type { ConcreteArray, NDArray } from "./array.js";
import type { Aval, Shape } from "./aval.js";
import type { DependenceOperand, Relations } from "./dependence.js";
import { ArgumentError, type FluxionError, MissingRuleError } from "./errors.js";
import type { LowerRule } from "./ir/lower.js";
import type { Atom, Eqn, Jaxpr, Var } from "./jaxpr.js";
import type { SparsityPattern } from "./pattern.js";
import type { Tangent } from "./zero.js";

/** What a param may be. Params are data: they are printed, parsed, hashed and compared. */
export type ParamValue =
  | number
  | boolean
  | string
  | null
  | undefined
  | Jaxpr
  | readonly ParamValue[]
  | { readonly [key: string]: ParamValue };

export type Params = { readonly [key: string]: ParamValue };

/** Stands in a transpose rule for an operand that the equation is linear in: its value is not known, only its type. */
export class LinearInput {
  constructor(readonly aval: Aval) {}

  get shape(): Shape {
    return this.aval.shape;
  }
}

/** The passes, handed to the rules of primitives that hold jaxprs, so that rules need not import transforms. */
export interface Passes {
  /**
   * Pushes tangents forward; `active[i]` says that input i has a tangent, `force[k]` that output k must have one even if it
   * is zero. See transforms/jvp.ts.
   */
  jvp(
    jaxpr: Jaxpr,
    active: readonly boolean[],
    force?: readonly boolean[],
  ): { jaxpr: Jaxpr; activeOut: readonly boolean[] };
  /** Splits into a known and an unknown part; `force` marks outputs that the unknown part must give. See transforms/partialEval.ts. */
  partialEval(jaxpr: Jaxpr, unknown: readonly boolean[], force?: readonly boolean[]): PartialEvalResult;
  /**
   * Transposes the jaxpr with respect to its `linear` inputs; `force` marks those (of the linear ones) whose cotangent must
   * be given even if it is zero. See transforms/transpose.ts.
   */
  transpose(
    jaxpr: Jaxpr,
    linear: readonly boolean[],
    zeroCotangent: readonly boolean[],
    force?: readonly boolean[],
  ): TransposeResult;
  /** Vectorises over axis 0 of the `batched` inputs. See transforms/batch.ts. */
  batch(jaxpr: Jaxpr, size: number, batched: readonly boolean[], force?: readonly boolean[]): BatchResult;
  /** Drops what the `used` outputs do not need. See transforms/dce.ts. */
  dce(jaxpr: Jaxpr, used: readonly boolean[]): { jaxpr: Jaxpr; usedInputs: readonly boolean[] };
  /**
   * Which elements of the outputs depend on which elements of the active inputs, [output][input]; undefined for no dependence.
   * See transforms/dependence.ts.
   */
  dependence(
    jaxpr: Jaxpr,
    inputs: readonly DependenceOperand[],
    limit: number,
  ): readonly (readonly (SparsityPattern | undefined)[])[];
}

export interface PartialEvalResult {
  /** Takes the known inputs; gives the known outputs, then the residuals. */
  readonly known: Jaxpr;
  /** Takes the residuals, then the unknown inputs; gives the unknown outputs. */
  readonly unknown: Jaxpr;
  readonly unknownOut: readonly boolean[];
  readonly residuals: number;
}

export interface TransposeResult {
  /** Takes the inputs that are not linear, then the cotangents that are not zero; gives cotangents of linear inputs. */
  readonly jaxpr: Jaxpr;
  /** Which of the linear inputs have no cotangent (a symbolic zero): they are left out of the outputs. */
  readonly zeroOut: readonly boolean[];
}

export interface BatchResult {
  readonly jaxpr: Jaxpr;
  readonly batchedOut: readonly boolean[];
}

/** The outputs and their tangents, from the inputs and theirs. Called only if some tangent is not zero. */
export type JvpRule = (
  primals: readonly NDArray[],
  tangents: readonly Tangent[],
  params: Params,
  passes: Passes,
) => { readonly outputs: readonly NDArray[]; readonly tangents: readonly Tangent[] };

/**
 * Cotangents of the operands that are `LinearInput`; what is returned for other operands is not looked at.
 * `null` and `Zero` both mean zero.
 */
export type TransposeRule = (
  cotangents: readonly Tangent[],
  inputs: readonly (NDArray | LinearInput)[],
  params: Params,
  passes: Passes,
) => readonly (Tangent | null)[];

/** Outputs for a whole batch. A batched operand has the batch axis in front; so must a batched output. */
export type BatchRule = (
  size: number,
  inputs: readonly NDArray[],
  batched: readonly boolean[],
  params: Params,
  passes: Passes,
) => { readonly outputs: readonly NDArray[]; readonly batched: readonly boolean[] };

/**
 * Which elements of each output depend on which elements of each operand, where the equation is linear in its active operands
 * together: [output][operand]. What is said of operands that are not active is not looked at. It may say too much, never too
 * little: a Jacobian is zero wherever no dependence is claimed. `limit` is how many entries a relation should list at most.
 */
export type DependenceRule = (
  operands: readonly DependenceOperand[],
  params: Params,
  outputs: readonly Aval[],
  passes: Passes,
  limit: number,
) => Relations;

/** Work of one application, in scalar operations; bytes moved follow from the types. */
export interface Cost {
  /** All arithmetic operations, multiplications and transcendental functions included. */
  readonly operations: number;
  /** Multiplications and divisions. */
  readonly multiplications: number;
  /** Calls of functions such as exp or sin. */
  readonly transcendentals: number;
}

/** One way to apply a primitive, for tests and laws: operand types, params and where operands are drawn from. */
export interface Example {
  readonly avals: readonly Aval[];
  readonly params: Params;
  /** For each operand the interval to draw from; smooth there, if the primitive is differentiable. Default: [-2, 2]. */
  readonly domain?: readonly (readonly [number, number])[];
  /** Draw operand values that differ from each other by at least this (sorting, maxima: away from ties). */
  readonly distinct?: boolean;
}

export interface Laws {
  /** Applications that together reach every branch of every rule. */
  readonly examples: readonly Example[];
  /** False where the outputs carry no derivative at all (comparisons, integers, random bits). */
  readonly differentiable: boolean;
}

/** Laws as a record gives them: the examples may be a function, which is called once, when they are first asked for. */
export interface LawsRecord extends Omit<Laws, "examples"> {
  readonly examples: readonly Example[] | (() => readonly Example[]);
}

export interface PrimitiveRecord {
  readonly name: string;
  /** For the documentation: which family of operations it belongs to. */
  readonly family: string;
  /** One sentence, for the primitive table of the documentation. */
  readonly summary: string;
  /** Output types from input types: total, so that programs can be checked without running. */
  readonly abstractEval: (inputs: readonly Aval[], params: Params) => Either<FluxionError, readonly Aval[]>;
  /** The plain meaning, clear before fast: the oracle of every backend. */
  readonly evaluate: (
    inputs: readonly ConcreteArray[],
    params: Params,
    outputs: readonly Aval[],
  ) => readonly ConcreteArray[];
  readonly jvp: JvpRule;
  /** Left out where the primitive is linear in no operand. */
  readonly transpose?: TransposeRule;
  readonly batch: BatchRule;
  /**
   * How it is compiled. A primitive without this rule runs with `evaluate` between kernels on the CPU; the GPU refuses it.
   */
  readonly lower?: LowerRule<Params>;
  readonly cost: (inputs: readonly Aval[], params: Params, outputs: readonly Aval[]) => Cost;
  /**
   * Which elements depend on which, for sparse Jacobians. Without it a primitive with `inline` depends as its equations do, and
   * of any other each element depends on all elements of all operands.
   */
  readonly dependence?: DependenceRule;
  readonly laws: LawsRecord;
  /**
   * The index of the operand that the equation is the same as, if it changes nothing (x·1, a reshape to the same
   * shape). Only what is exact for every operand, NaN, infinities and signed zeros included.
   */
  readonly simplify?: (inputs: readonly Atom[], params: Params) => number | undefined;
  /** Whether the order of the operands does not matter. */
  readonly commutative?: boolean;
  /**
   * Whether applying it does something beside computing its outputs, such as printing. Such equations are kept, in
   * order, by all passes, and are never merged. Primitives that hold jaxprs give `effectsOfBodies` of core/effects.ts.
   */
  readonly effectful?: boolean | ((params: Params) => boolean);
  /** Only for primitives that hold jaxprs: how an equation with some unknown inputs splits. */
  readonly partialEval?: PartialEvalRule;
  /** Only for primitives that hold jaxprs: the equation without what the `used` outputs do not need. */
  readonly dce?: DceRule;
  /**
   * What an equation is the same as, in simpler equations, if it is nothing but a name for them (a call) or runs faster so
   * (a loop whose body does the same in every step). It is written out like this when it is compiled.
   */
  readonly inline?: (params: Params, inputs: readonly Aval[]) => Jaxpr | undefined;
}

export interface Primitive extends PrimitiveRecord {
  readonly laws: Laws;
  /** Small and unique in this process: keys of hash tables. */
  readonly id: number;
}

/**
 * Splits an equation: what `known` computes does not depend on unknown inputs, `unknown` computes the rest. Variables that
 * `known` makes and `unknown` uses are residuals; `fresh` makes them.
 *
 * The outputs of `unknown` that are outputs of the equation are the unknown ones; all others must be outputs of `known`.
 * Undefined if nothing of it can be known.
 */
export type PartialEvalRule = (
  eqn: Eqn,
  unknown: readonly boolean[],
  passes: Passes,
  fresh: (aval: Aval) => Var,
) => { readonly known: readonly Eqn[]; readonly unknown: readonly Eqn[] } | undefined;

/**
 * The equation without what the `used` outputs and its effects do not need. Its inputs are some of those of the equation, and
 * its outputs some of its outputs: at least those that are used.
 */
export type DceRule = (eqn: Eqn, used: readonly boolean[], passes: Passes) => Eqn;

const registry = new Map<string, Primitive>();

/**
 * Makes a primitive of a record and registers it under its name. Users do the same for theirs. A rule that the record
 * lacks, where no type checker has complained, is a `MissingRuleError` once it is needed.
 * Throws `ArgumentError` when the name is taken or not an identifier, or when a rule is not a function.
 */
export function definePrimitive(record: PrimitiveRecord): Primitive {
  const { name } = record;
  if (typeof name !== "string" || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
    throw new ArgumentError(`definePrimitive: ${JSON.stringify(name)} is not an identifier`);
  if (registry.has(name)) throw new ArgumentError(`definePrimitive: there is already a primitive "${name}"`);
  for (const rule of Object.keys(neededBy) as Rule[])
    if (record[rule] !== undefined && typeof record[rule] !== "function")
      throw new ArgumentError(
        `definePrimitive: the ${rule} rule of "${name}" must be a function, got ${record[rule] === null ? "null" : typeof record[rule]}`,
      );
  const absent = (rule: Rule) => (): never => {
    throw missingRule(name, rule);
  };
  const primitive: Primitive = {
    ...record,
    abstractEval: record.abstractEval ?? (() => left(missingRule(name, "abstractEval"))),
    evaluate: record.evaluate ?? absent("evaluate"),
    jvp: record.jvp ?? absent("jvp"),
    batch: record.batch ?? absent("batch"),
    cost: record.cost ?? absent("cost"),
    laws: madeWhenNeeded(record.laws),
    id: registry.size,
  };
  registry.set(name, primitive);
  return primitive;
}

/** Few programs ask for examples, and some examples are traced programs: an import of the library should not make them. */
function madeWhenNeeded(laws: LawsRecord): Laws {
  if (typeof laws?.examples !== "function") return laws as Laws;
  const { examples: make, differentiable } = laws;
  let made: readonly Example[] | undefined;
  return {
    differentiable,
    get examples() {
      made ??= (make as () => readonly Example[])();
      return made;
    },
  };
}

export const findPrimitive = (name: string): Primitive | undefined => registry.get(name);

/** All registered primitives, in the order of their definition. */
export const primitives = (): readonly Primitive[] => [...registry.values()];

/** The rules that transforms may need, and what needs them. */
const neededBy = {
  abstractEval: "tracing and evaluation need",
  evaluate: "running it needs",
  jvp: "derivatives need",
  transpose: "reverse mode needs where it is applied to tangents",
  batch: "vmap needs",
  cost: "jaxprCost needs",
} as const;

type Rule = keyof typeof neededBy;

/** Says which rule of which primitive is missing, and what for. */
export const missingRule = (primitive: string, rule: Rule): MissingRuleError =>
  new MissingRuleError(`primitive "${primitive}" has no ${rule} rule, which ${neededBy[rule]}`, {
    primitive,
    rule,
  });
