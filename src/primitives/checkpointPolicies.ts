/**
 * Policies: which of the values that a checkpointed function computes are stored for the backward pass. A policy is a
 * predicate; equations refer to it by a number (core/references.ts).
 */
import type { Aval } from "../core/aval.js";
import type { Params } from "../core/primitive.js";
import { References } from "../core/references.js";

/** A value that may be stored, by the operation that gives it. */
export interface CheckpointCandidate {
  /** The operation. For what a loop or a branch gives: the operation inside that does. */
  readonly primitive: string;
  readonly params: Params;
  readonly inputs: readonly Aval[];
  readonly outputs: readonly Aval[];
  /** What `checkpointName` called the value: the first name, if it has several. */
  readonly name: string | undefined;
}

/** Whether a value is stored. It is asked while functions are traced, and must give the same answer each time. */
export type CheckpointPolicy = (candidate: CheckpointCandidate) => boolean;

/** The policies that equations refer to. */
export const policies = new References<CheckpointPolicy>();

const everythingSaveable: CheckpointPolicy = () => true;

const nothingSaveable: CheckpointPolicy = () => false;

const dotsSaveable: CheckpointPolicy = ({ primitive }) =>
  primitive === "dotGeneral" || primitive === "convGeneralDilated";

const dotsWithNoBatchDimsSaveable: CheckpointPolicy = ({ primitive, params }) =>
  primitive === "dotGeneral" && (params.batch as readonly (readonly number[])[])[0].length === 0;

const byNames = new Map<string, CheckpointPolicy>();

/** One policy for the same names, so that functions that ask for it again are the same program. */
function once(kind: string, names: readonly string[], policy: CheckpointPolicy): CheckpointPolicy {
  const key = JSON.stringify([kind, ...[...new Set(names)].sort()]);
  const found = byNames.get(key) ?? policy;
  byNames.set(key, found);
  return found;
}

const saveOnlyTheseNames = (...names: readonly string[]): CheckpointPolicy =>
  once("only", names, ({ name }) => name !== undefined && names.includes(name));

const saveAnythingExceptTheseNames = (...names: readonly string[]): CheckpointPolicy =>
  once("except", names, ({ name }) => name === undefined || !names.includes(name));

const saveFromBothPolicies =
  (a: CheckpointPolicy, b: CheckpointPolicy): CheckpointPolicy =>
  (candidate) =>
    a(candidate) || b(candidate);

/**
 * Policies for `checkpoint`. Any predicate of the same kind is one.
 *
 * - `everythingSaveable`: as without `checkpoint`; `nothingSaveable`: the default, only arguments are stored;
 * - `dotsSaveable`: results of matrix products and convolutions; `dotsWithNoBatchDimsSaveable`: of products without batch
 *   axes, such as those of activations with weights;
 * - `saveOnlyTheseNames(...names)`, `saveAnythingExceptTheseNames(...names)`: by what `checkpointName` called values;
 * - `saveFromBothPolicies(a, b)`: what either of two would store.
 */
export const checkpointPolicies = {
  everythingSaveable,
  nothingSaveable,
  dotsSaveable,
  dotsWithNoBatchDimsSaveable,
  saveOnlyTheseNames,
  saveAnythingExceptTheseNames,
  saveFromBothPolicies,
} as const;

// Numbers that stand in printed programs do not depend on what was traced before.
for (const policy of [nothingSaveable, everythingSaveable, dotsSaveable, dotsWithNoBatchDimsSaveable])
  policies.keyOf(policy);
