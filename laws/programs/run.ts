/**
 * What programs compute, by the plain meaning of each primitive and by no device: programs are made by the thousand, and
 * what a device computes is one of the things that are to be tested.
 *
 * Branches and loops are run here by their definitions, step by step, so that it can be seen what values their bodies meet.
 */
import { type Aval, ConcreteArray, type Eqn, type Jaxpr, type Params, type Primitive } from "fluxion";
import { bodiesOf } from "../bodies.js";
import { arrayOf, type Copies, constant, copiesOf, isConstant, settled } from "./copies.js";
import { inlinedBody } from "./wrappers.js";

/** A body as it is run once: in a branch that is taken, or in one step of a loop. */
export interface BodyRun {
  /** Its position among the bodies of the equation. */
  readonly index: number;
  readonly body: Jaxpr;
  /** The values of all its variables, by id. */
  readonly values: readonly Copies[];
}

export interface Meaning {
  readonly results: readonly Copies[];
  /** In the order in which they happen. */
  readonly runs: readonly BodyRun[];
}

/** No loop of a program is as long as this. */
const mostSteps = 50;

/** A loop that may have no end. Drawn programs have none; those that come of them by a change may. */
export class EndlessLoop extends RangeError {}

const outputsOf = ({ body, values }: BodyRun): readonly Copies[] =>
  body.outputs.map((a) => copiesOf(a, values));

const retyped = (x: ConcreteArray, type: Aval): ConcreteArray =>
  x.weakType === type.weakType ? x : x.alias(type);

const each = (x: Copies, change: (array: ConcreteArray) => ConcreteArray): Copies =>
  isConstant(x) ? constant(change(x[0])) : [change(x[0]), change(x[1]), change(x[2])];

/** One entry along the first axis. */
export function entryOf(x: Copies, at: number, type: Aval): Copies {
  const n = type.shape.reduce((a, b) => a * b, 1);
  return settled(each(x, ({ values }) => new ConcreteArray(values.slice(at * n, (at + 1) * n), type)));
}

/** Entries as one array. */
const stacked = (entries: readonly Copies[], type: Aval): Copies => {
  const part = (k: 0 | 1 | 2): ConcreteArray =>
    arrayOf(
      entries.flatMap((x) => [...x[k].values]),
      type,
    );
  return entries.every(isConstant) ? constant(part(0)) : settled([part(0), part(1), part(2)]);
};

/** Runs the bodies of an equation, and remembers how. */
class Runner {
  readonly runs: BodyRun[] = [];

  constructor(private readonly bodies: readonly Jaxpr[]) {}

  call(index: number, operands: readonly Copies[]): readonly Copies[] {
    const body = this.bodies[index];
    const inputs = operands.map((x, i) => each(x, (array) => retyped(array, body.inputs[i].aval)));
    const made = { index, body, values: run(body, inputs) };
    this.runs.push(made);
    return outputsOf(made);
  }

  cond([index, ...operands]: readonly Copies[]): readonly Copies[] {
    const branch = Math.min(Math.max(index[0].values[0], 0), this.bodies.length - 1);
    return this.call(branch, operands);
  }

  loop(operands: readonly Copies[], params: Params): readonly Copies[] {
    const [m, n] = [params.condConsts as number, params.bodyConsts as number];
    const [forCond, forBody] = [operands.slice(0, m), operands.slice(m, m + n)];
    let carry = operands.slice(m + n);
    for (let step = 0; this.call(0, [...forCond, ...carry])[0][0].values[0] !== 0; step++) {
      if (step === mostSteps) throw new EndlessLoop(`a loop of a program takes more than ${mostSteps} steps`);
      carry = [...this.call(1, [...forBody, ...carry])];
    }
    return carry;
  }

  scan(operands: readonly Copies[], params: Params, types: readonly Aval[]): readonly Copies[] {
    const [consts, carries] = [params.consts as number, params.carries as number];
    const length = params.length as number;
    const xs = operands.slice(consts + carries);
    const entryTypes = this.bodies[0].inAvals.slice(consts + carries);
    let carry = operands.slice(consts, consts + carries);
    const ys: (readonly Copies[])[] = [];
    for (let step = 0; step < length; step++) {
      const at = params.reverse ? length - 1 - step : step;
      const entries = xs.map((x, i) => entryOf(x, at, entryTypes[i]));
      const results = this.call(0, [...operands.slice(0, consts), ...carry, ...entries]);
      carry = results.slice(0, carries);
      ys[at] = results.slice(carries);
    }
    return [
      ...carry,
      ...types.slice(carries).map((type, k) =>
        stacked(
          ys.map((y) => y[k]),
          type,
        ),
      ),
    ];
  }
}

/** How an equation runs its bodies; undefined for one that holds none, or is none of those that are known here. */
export function meaningOf(
  primitive: Primitive,
  operands: readonly Copies[],
  params: Params,
  types: readonly Aval[],
): Meaning | undefined {
  const isCall = inlinedBody(primitive, params) !== undefined;
  const runner = new Runner(bodiesOf(params));
  const resultsOf = (): readonly Copies[] | undefined => {
    if (isCall) return runner.call(0, operands);
    if (primitive.name === "cond") return runner.cond(operands);
    if (primitive.name === "while") return runner.loop(operands, params);
    if (primitive.name === "scan") return runner.scan(operands, params, types);
    return undefined;
  };
  const results = resultsOf()?.map((x, k) => each(x, (array) => retyped(array, types[k])));
  return results && { results, runs: runner.runs };
}

/** What a primitive gives at the inputs and at their neighbours. */
export function evaluateCopies(
  primitive: Primitive,
  operands: readonly Copies[],
  params: Params,
  types: readonly Aval[],
): readonly Copies[] {
  // What has no results has effects, which are not for those who want to know values.
  if (types.length === 0) return [];
  const meaning = meaningOf(primitive, operands, params, types);
  if (meaning !== undefined) return meaning.results;
  const at = (k: 0 | 1 | 2) =>
    primitive.evaluate(
      operands.map((x) => x[k]),
      params,
      types,
    );
  const here = at(0);
  if (operands.every(isConstant)) return here.map(constant);
  const [one, other] = [at(1), at(2)];
  return here.map((y, i) => settled([y, one[i], other[i]]));
}

export const operandsOf = ({ inputs }: Eqn, values: readonly Copies[]): readonly Copies[] =>
  inputs.map((a) => copiesOf(a, values));

export const typesOf = ({ outputs }: Eqn): readonly Aval[] => outputs.map((v) => v.aval);

/** The values of all variables of a jaxpr, by id. */
export function run(jaxpr: Jaxpr, inputs: readonly Copies[]): readonly Copies[] {
  const values = new Array<Copies>(jaxpr.varCount);
  for (const [i, v] of jaxpr.inputs.entries()) values[v.id] = inputs[i];
  for (const eqn of jaxpr.eqns) {
    const results = evaluateCopies(eqn.primitive, operandsOf(eqn, values), eqn.params, typesOf(eqn));
    for (const [k, y] of results.entries()) values[eqn.outputs[k].id] = y;
  }
  return values;
}

/** How an equation ran its bodies at these values; empty for one that has none. */
export const runsOf = (eqn: Eqn, values: readonly Copies[]): readonly BodyRun[] =>
  meaningOf(eqn.primitive, operandsOf(eqn, values), eqn.params, typesOf(eqn))?.runs ?? [];
