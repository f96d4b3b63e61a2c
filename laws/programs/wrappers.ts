/**
 * Equations that hold a jaxpr and mean the same as it does, as a way to write part of a program: a run of equations becomes
 * the body of one. A primitive that is such a name for its body takes part in random programs by a line in this table.
 */
import {
  type CheckpointOptions,
  checkpoint,
  checkpointPolicies,
  findPrimitive,
  Jaxpr,
  makeJaxpr,
  type NDArray,
  numpy as np,
  type Params,
  type Primitive,
} from "fluxion";
import { equationsOf, isEffectful } from "../bodies.js";
import { type RulePrimitive, ruleParams, variantOf } from "./customRules.js";

export interface Wrapper {
  /** The name of the primitive. */
  readonly primitive: string;
  /** The params with which the primitive, applied to the inputs of the body, means the body; undefined where it cannot. */
  readonly params: (body: Jaxpr, name: string, random: () => number) => Params | undefined;
  /** The same params with another body; undefined where that cannot be. */
  readonly withBody: (params: Params, body: Jaxpr) => Params | undefined;
  /** What was asked for, as the options of a call in TypeScript. */
  readonly options?: (params: Params) => string | undefined;
}

const { everythingSaveable, nothingSaveable, dotsSaveable } = checkpointPolicies;

/** What a checkpoint is told to store, and how that is written. */
const storage: readonly (readonly [string, CheckpointOptions])[] = [
  ["", {}],
  ["{ policy: checkpointPolicies.everythingSaveable }", { policy: everythingSaveable }],
  ["{ policy: checkpointPolicies.nothingSaveable }", { policy: nothingSaveable }],
  ["{ policy: checkpointPolicies.dotsSaveable }", { policy: dotsSaveable }],
  ["{ preventCse: false }", { preventCse: false }],
  ["{ budgetBytes: 0 }", { budgetBytes: 0 }],
  ["{ budgetBytes: 24 }", { budgetBytes: 24 }],
  ["{ budgetBytes: 100 }", { budgetBytes: 100 }],
];

/** The params of a checkpoint beside its body, as the function makes them. */
function storageParams(options: CheckpointOptions): Params {
  const { eqns } = makeJaxpr(checkpoint((x: NDArray) => x, options))(np.zeros([])).jaxpr;
  const { jaxpr: _, ...params } = eqns[0].params;
  return params;
}

const sameStorage = (a: Params, b: Params): boolean =>
  a.policy === b.policy && a.budget === b.budget && a.preventCse === b.preventCse;

let stored: readonly Params[] | undefined;

const storedParams = (): readonly Params[] => {
  stored ??= storage.map(([, options]) => storageParams(options));
  return stored;
};

const hasEffects = (body: Jaxpr): boolean => equationsOf(body).some(({ eqn }) => isEffectful(eqn));

const ruled = (primitive: RulePrimitive): Wrapper => ({
  primitive,
  params: (body, name, random) => ruleParams(primitive, body, name, random() < 0.5 ? "plain" : "doubled"),
  withBody: (params, body) =>
    ruleParams(primitive, body, params.name as string, variantOf(primitive, params)),
});

/** All wrappers. */
export const wrappers: readonly Wrapper[] = [
  {
    primitive: "jit",
    params: (jaxpr, name) => ({ jaxpr, name }),
    withBody: (params, jaxpr) => ({ ...params, jaxpr }),
  },
  {
    primitive: "checkpoint",
    params: (jaxpr, name, random) => {
      const all = storedParams();
      const params = all[Math.floor(random() * all.length)];
      // What has effects is stored whatever the budget is, and may not fit.
      return params.budget !== undefined && hasEffects(jaxpr) ? undefined : { ...params, jaxpr, name };
    },
    withBody: (params, jaxpr) => ({ ...params, jaxpr }),
    options: (params) => storage[storedParams().findIndex((known) => sameStorage(known, params))]?.[0],
  },
  ruled("customJvp"),
  ruled("customVjp"),
];

const byName = new Map(wrappers.map((w) => [w.primitive, w]));

export const wrapperOf = ({ name }: Primitive): Wrapper | undefined => byName.get(name);

/** The body that an equation is the same as; undefined for an equation that is none of the wrappers. */
export const inlinedBody = (primitive: Primitive, { jaxpr }: Params): Jaxpr | undefined =>
  wrapperOf(primitive) !== undefined && jaxpr instanceof Jaxpr ? jaxpr : undefined;

/** The primitive of a wrapper. */
export function primitiveOf({ primitive }: Wrapper): Primitive {
  const found = findPrimitive(primitive);
  if (found === undefined) throw new Error(`there is no primitive "${primitive}"`);
  return found;
}
