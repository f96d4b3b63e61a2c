/** Tracing rules of the user's, and reading what they return: trees that have to fit the function that the rule is for. */
import { type ConcreteArray, NDArray, scalar } from "../core/array.js";
import { type Aval, describe, equalAvals, sameShape, tangentAval } from "../core/aval.js";
import { traceToJaxpr } from "../core/build.js";
import { isFloat } from "../core/dtype.js";
import { ArgumentError, DtypeError, LeakedTracerError, ShapeError } from "../core/errors.js";
import { Jaxpr } from "../core/jaxpr.js";
import { atUserLine } from "../core/source.js";
import { Tracer, withTrace } from "../core/trace.js";
import {
  checkSameStructure,
  flatten,
  flattenPrefix,
  keystr,
  nullIsLeaf,
  type TreeDef,
} from "../core/tree.js";
import { isZero, type Tangent, Zero } from "../core/zero.js";
import { constantEqn } from "../primitives/arrayConstant.js";
import { convertElementType } from "../primitives/cast.js";
import { zeros } from "../primitives/filled.js";
import { dceKeepingInputs } from "./dce.js";
import { leafName, toArray } from "./functions.js";

/**
 * Traces a rule. Arrays that it closes over are held by the program.
 *
 * @param label what is traced: `the jvp rule of softclip`.
 * @throws LeakedTracerError if it closes over a traced array: whose trace may have ended, since rules are traced only when a
 *   derivative is asked for.
 */
export function traceRule(
  label: string,
  avals: readonly Aval[],
  body: (inputs: readonly NDArray[]) => readonly NDArray[],
): Jaxpr {
  const { jaxpr, consts } = refusingTracers(
    label,
    () => traceToJaxpr({ name: label, sources: "each" }, avals, body).closed,
  );
  const held = consts.map((x, i) => {
    if (x instanceof Tracer) throw closesOver(label, `${describe(x.aval)} of ${x.owner.name}`);
    return constantEqn(x as ConcreteArray, jaxpr.inputs[i]);
  });
  const closed = new Jaxpr(
    jaxpr.inputs.slice(consts.length),
    [...held, ...jaxpr.eqns],
    jaxpr.outputs,
    jaxpr.varCount,
  );
  return dceKeepingInputs(
    closed,
    closed.outputs.map(() => true),
  );
}

function refusingTracers<R>(label: string, trace: () => R): R {
  try {
    return trace();
  } catch (error) {
    if (!(error instanceof LeakedTracerError) || error.message.startsWith(label)) throw error;
    const line = atUserLine();
    const own = line !== "" && error.message.endsWith(line);
    throw closesOver(label, own ? error.message.slice(0, -line.length) : error.message);
  }
}

const closesOver = (label: string, what: string): LeakedTracerError =>
  new LeakedTracerError(
    `${label} closes over a traced array (${what}); rules are traced when a derivative is asked for, so pass the array as an argument, or use closureConvert`,
  );

/** `[first, second]` of a rule, or an error that says what it must return. */
export function readPair(returned: unknown, label: string, what: string): readonly [unknown, unknown] {
  if (Array.isArray(returned) && returned.length === 2) return [returned[0], returned[1]];
  const got = Array.isArray(returned)
    ? `a list of ${returned.length}`
    : returned === null
      ? "null"
      : returned instanceof NDArray
        ? "an array"
        : typeof returned === "object"
          ? "an object"
          : typeof returned;
  throw new ArgumentError(`${label} must return ${what}, got ${got}`);
}

/** An array as one of another type, where only weakness differs. */
const retyped = (x: NDArray, type: Aval): NDArray =>
  equalAvals(x.aval, type) ? x : convertElementType(x, type.dtype, type.weakType);

/** Reads one leaf: an array, or a number where a scalar is wanted. */
function readLeaf(leaf: unknown, type: Aval, name: () => string, needed: string): NDArray {
  const isScalar = type.shape.length === 0 && (isFloat(type.dtype) || Number.isInteger(leaf));
  if (typeof leaf === "number" && isScalar) return scalar(leaf, type.dtype, type.weakType);
  const x = toArray(leaf, name);
  if (!sameShape(x.shape, type.shape))
    throw new ShapeError(`${name()} is ${describe(x.aval)}, but ${needed} ${describe(type)}`);
  if (x.dtype !== type.dtype && !(x.weakType && isFloat(type.dtype) && x.dtype !== "float0"))
    throw new DtypeError(`${name()} is ${describe(x.aval)}, but ${needed} ${describe(type)}`);
  return retyped(x, type);
}

/** The result that a rule computes, which must be of the structure and types of the function's own. */
export function readResult(
  result: unknown,
  treedef: TreeDef,
  types: readonly Aval[],
  label: string,
): NDArray[] {
  const { leaves, treedef: given } = flatten(result as object);
  checkSameStructure(
    treedef,
    given,
    `the result that ${label} gives must have the structure of the function's`,
  );
  return (leaves as unknown[]).map((leaf, i) =>
    readLeaf(
      leaf,
      types[i],
      () => leafName(`the result that ${label} gives`, treedef, i),
      "the function's is",
    ),
  );
}

/** What a tree of tangents or cotangents is called in messages, and what it must fit. */
export interface TangentWords {
  /** `the tangents that the jvp rule of softclip gives`. */
  readonly what: string;
  /** `the function's result`. */
  readonly ofWhat: string;
  /** Whether null may stand for zeros, for a subtree too. */
  readonly nullIsZero: boolean;
}

/**
 * The tangents or cotangents that a rule gives, for values of the given types. Where these are no floats nothing is looked
 * at: the tangent is a symbolic zero.
 */
export function readRuleTangents(
  tree: unknown,
  treedef: TreeDef,
  types: readonly Aval[],
  words: TangentWords,
): Tangent[] {
  const { what, ofWhat } = words;
  return leavesOf(tree, treedef, types, words).map((leaf, i): Tangent => {
    const type = tangentAval(types[i]);
    if (leaf === null || !isFloat(type.dtype)) return new Zero(type);
    const name = () => leafName(what, treedef, i);
    if (!isZero(leaf)) return readLeaf(leaf, type, name, `${ofWhat} needs`);
    if (!sameShape(leaf.aval.shape, type.shape))
      throw new ShapeError(
        `${name()} is zero of ${describe(leaf.aval)}, but ${ofWhat} needs ${describe(type)}`,
      );
    return new Zero(type);
  });
}

/** One value for each leaf of a structure; null for those below a null. */
function leavesOf(
  tree: unknown,
  treedef: TreeDef,
  types: readonly Aval[],
  { what, ofWhat, nullIsZero }: TangentWords,
): readonly unknown[] {
  const given = flatten(tree as object);
  if (given.treedef.equals(treedef)) return given.leaves as unknown[];
  const why = `${what} must have the structure of ${ofWhat}`;
  const withNulls = flatten(tree as object, nullIsLeaf);
  if (!(withNulls.leaves as unknown[]).includes(null)) checkSameStructure(treedef, given.treedef, why);
  // Integers and booleans need none, so null may stand for those in any case.
  const found = flattenPrefix(tree, treedef, nullIsLeaf, why);
  const places = new Set(withNulls.treedef.paths().map(keystr));
  const paths = treedef.paths();
  const fits = found.every((leaf, i) =>
    leaf === null ? nullIsZero || !isFloat(types[i].dtype) : places.has(keystr(paths[i])),
  );
  if (!fits) checkSameStructure(treedef, given.treedef, why);
  return found;
}

/** What a rule gets for a tangent or cotangent that is zero: an array, or the knowledge. */
export const zeroLeaf = (type: Aval, symbolic: boolean): NDArray | Zero => {
  const tangent = tangentAval(type);
  if (symbolic) return new Zero(tangent);
  // Made outside of the rule: arrays of float0 are no literals, and a rule seldom looks at them.
  return isFloat(tangent.dtype) ? zeros(tangent) : withTrace(undefined, () => zeros(tangent));
};
