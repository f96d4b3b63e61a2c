/**
 * What a record says about which elements of its outputs depend on which elements of its operands. Sparse Jacobians come from
 * it: a Jacobian is a linear program, and its pattern is that of its equations, one after the other.
 */
import type { ConcreteArray } from "./array.js";
import type { Aval } from "./aval.js";
import { SparsityPattern } from "./pattern.js";
import { compose, everyRow, selectRows } from "./patternAlgebra.js";

/**
 * How an output depends on an operand:
 *
 * - `"none"`: not at all;
 * - `"same"`: each element on the one in the same place (of a scalar: on that);
 * - `"all"`: each element on all elements;
 * - an Int32Array: element i on the element of the operand that it names, or on none (-1). What moves elements is this;
 * - a `SparsityPattern`: as it says, rows being elements of the output;
 * - a list: one after the other, the first of them from the operand. What would take many entries is often two steps of few.
 */
export type Relation = "none" | "same" | "all" | Int32Array | SparsityPattern | readonly RelationStep[];

export type RelationStep = Int32Array | SparsityPattern;

/** An operand, as far as it is known before anything runs. */
export interface DependenceOperand {
  readonly aval: Aval;
  /** Whether it depends on an input of the program: only for such operands relations are looked at. */
  readonly active: boolean;
  /** Its value, if that is the same whatever the inputs are: it is computed when it is asked for. Undefined if it is not known. */
  value(): ConcreteArray | undefined;
}

/** Relations [output][operand], of those outputs and operands that floats flow through. */
export type Relations = readonly (readonly Relation[])[];

/** A relation applied to the pattern of the operand; undefined stands for no dependence. */
export function throughRelation(
  relation: Relation,
  operand: SparsityPattern,
  rows: number,
  limit: number,
): SparsityPattern | undefined {
  if (relation === "none") return undefined;
  if (relation === "all") return everyRow(operand, rows, limit);
  if (relation === "same") return operand.rows === rows ? operand : everyRow(operand, rows, limit);
  if (relation instanceof Int32Array) return selectRows(operand, relation, limit);
  if (relation instanceof SparsityPattern) return compose(relation, operand, limit);
  let reached = operand;
  for (const step of relation)
    reached = step instanceof Int32Array ? selectRows(reached, step, limit) : compose(step, reached, limit);
  return reached;
}

/** Patterns [output][operand] as relations. */
export const relationsOf = (
  patterns: readonly (readonly (SparsityPattern | undefined)[])[],
): readonly (readonly Relation[])[] =>
  patterns.map((row) => row.map((pattern): Relation => pattern ?? "none"));
