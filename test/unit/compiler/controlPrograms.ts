/**
 * Random programs with branches and loops nested in each other. The primitives are plain ones, without rules that would write a loop in
 * another way before it is compiled: the compiler sees bodies that hand inputs on, give one value twice, or give literals.
 */
import { right } from "fp-ts/lib/Either.js";
import { type ConcreteArray, concreteArray, type NDArray, scalar } from "../../../src/core/array.js";
import { type Aval, aval, sizeOf } from "../../../src/core/aval.js";
import { buildJaxpr, traceToJaxpr } from "../../../src/core/build.js";
import type { DType } from "../../../src/core/dtype.js";
import { effectsOfBodies } from "../../../src/core/effects.js";
import { evalJaxpr } from "../../../src/core/eval.js";
import type { ControlFlow } from "../../../src/core/ir/lower.js";
import type { Jaxpr } from "../../../src/core/jaxpr.js";
import {
  definePrimitive,
  type Params,
  type Primitive,
  type PrimitiveRecord,
} from "../../../src/core/primitive.js";
import { bind, withTrace } from "../../../src/core/trace.js";
import { lax, numpy as np } from "../../../src/index.js";

const unused = (): never => {
  throw new Error("only running is tested");
};

const plain = (
  record: Pick<PrimitiveRecord, "name" | "abstractEval" | "evaluate"> & Partial<PrimitiveRecord>,
): Primitive =>
  definePrimitive({
    family: "test",
    summary: "for tests",
    jvp: unused,
    batch: unused,
    cost: () => ({ operations: 0, multiplications: 0, transcendentals: 0 }),
    laws: { examples: [], differentiable: false },
    ...record,
  });

const control = (
  name: string,
  types: PrimitiveRecord["abstractEval"],
  parts: (params: Params) => ControlFlow,
): Primitive =>
  plain({
    name,
    abstractEval: types,
    evaluate: (inputs, params) => withTrace(undefined, () => evaluateFlow(parts(params), inputs)),
    lower: { kind: "control", parts },
    effectful: effectsOfBodies,
  });

const apply = (jaxpr: Jaxpr, inputs: readonly ConcreteArray[]): ConcreteArray[] =>
  (evalJaxpr(jaxpr, inputs) as ConcreteArray[]).map((y, k) => y.alias(jaxpr.outAvals[k]));

/** What branches and loops mean. */
function evaluateFlow(parts: ControlFlow, inputs: readonly ConcreteArray[]): ConcreteArray[] {
  if (parts.flow === "cond") {
    const taken = Math.min(Math.max(inputs[0].values[0], 0), parts.branches.length - 1);
    return apply(parts.branches[taken], inputs.slice(1));
  }
  if (parts.flow === "while") {
    const { condConsts, bodyConsts } = parts;
    const ofCond = inputs.slice(0, condConsts);
    const ofBody = inputs.slice(condConsts, condConsts + bodyConsts);
    let carry = inputs.slice(condConsts + bodyConsts);
    while (apply(parts.cond, [...ofCond, ...carry])[0].values[0] !== 0)
      carry = apply(parts.body, [...ofBody, ...carry]);
    return carry.map((x) => x.alias(x.aval));
  }
  const { body, length, reverse, consts, carries } = parts;
  let carry = inputs.slice(consts, consts + carries);
  const xs = inputs.slice(consts + carries);
  const ys: ConcreteArray[][] = body.outputs.slice(carries).map(() => []);
  for (let t = 0; t < length; t++) {
    const at = reverse ? length - 1 - t : t;
    const entries = xs.map((x, i) => {
      const { shape, dtype } = body.inAvals[consts + carries + i];
      const size = sizeOf(shape);
      return concreteArray(x.values.slice(at * size, (at + 1) * size), shape, dtype);
    });
    const made = apply(body, [...inputs.slice(0, consts), ...carry, ...entries]);
    carry = made.slice(0, carries);
    for (const [k, y] of made.slice(carries).entries()) ys[k][at] = y;
  }
  const stacked = body.outAvals.slice(carries).map(({ shape, dtype }, k) =>
    concreteArray(
      ys[k].flatMap((y) => [...y.values]),
      [length, ...shape],
      dtype,
    ),
  );
  return [...carry.map((x) => x.alias(x.aval)), ...stacked];
}

export const testCond = control(
  "testCond",
  (_, { branches }) => right((branches as readonly Jaxpr[])[0].outAvals),
  ({ branches }) => ({ flow: "cond", branches: branches as readonly Jaxpr[] }),
);

export const testWhile = control(
  "testWhile",
  (_, { body }) => right((body as Jaxpr).outAvals),
  ({ cond, body, condConsts, bodyConsts }) => ({
    flow: "while",
    cond: cond as Jaxpr,
    body: body as Jaxpr,
    condConsts: condConsts as number,
    bodyConsts: bodyConsts as number,
  }),
);

export const testScan = control(
  "testScan",
  (_, { body, length, carries }) =>
    right(
      (body as Jaxpr).outAvals.map(({ shape, dtype }, k) =>
        aval(k < (carries as number) ? shape : [length as number, ...shape], dtype),
      ),
    ),
  ({ body, length, reverse, consts, carries }) => ({
    flow: "scan",
    body: body as Jaxpr,
    length: length as number,
    reverse: reverse as boolean,
    consts: consts as number,
    carries: carries as number,
  }),
);

/** An operation that runs on the host; its result is like its first operand. */
export const hostOperation = (name: string, f: (inputs: readonly ConcreteArray[]) => NDArray): Primitive =>
  plain({
    name,
    abstractEval: ([x]) => right([x]),
    evaluate: (inputs) => [f(inputs) as ConcreteArray],
  });

/** Twice the operand. */
export const testHost = hostOperation("testHost", ([x]) => np.add(x, x));

/** What `testEffect` saw, in order. */
export const seen: number[][] = [];

export const testEffect = plain({
  name: "testEffect",
  abstractEval: () => right([]),
  evaluate: ([x]) => {
    seen.push([...x.values]);
    return [];
  },
  effectful: true,
});

/** A jaxpr of a function of arrays, which may not close over any. */
export function body(avals: readonly Aval[], f: (...xs: NDArray[]) => readonly NDArray[]): Jaxpr {
  const { closed } = traceToJaxpr({ name: "body" }, avals, (inputs) => f(...inputs));
  if (closed.consts.length > 0) throw new Error("a body closes over arrays");
  return closed.jaxpr;
}

// ---------------------------------------------------------------------------------------------------------------------
// Random programs
// ---------------------------------------------------------------------------------------------------------------------

export interface Habits {
  readonly dtypes: readonly DType[];
  /** Whether there are operations that run on the host. */
  readonly host: boolean;
}

const shapes = [[], [5], [2, 3], [0], [1], [40], [1100]];

export class Maker {
  constructor(
    private readonly random: () => number,
    private readonly habits: Habits,
  ) {}

  below(n: number): number {
    return Math.floor(this.random() * n);
  }

  private pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }

  types(most: number): Aval[] {
    return Array.from({ length: this.below(most + 1) }, () =>
      aval(this.pick(shapes), this.pick(this.habits.dtypes)),
    );
  }

  /** Elements that most operations keep exact. */
  array({ shape, dtype }: Aval): ConcreteArray {
    const values = Array.from({ length: sizeOf(shape) }, () =>
      dtype === "bool" ? this.below(2) : this.below(8) - (dtype.startsWith("uint") ? 0 : 4),
    );
    return concreteArray(values, shape, dtype);
  }

  program(avals: readonly Aval[], depth: number): Jaxpr {
    return buildJaxpr("test", avals, (inputs) => {
      const pool = [...inputs];
      this.fill(pool, 4, depth);
      return pool.slice(-4);
    });
  }

  /** Adds results of operations on what is there. */
  private fill(pool: NDArray[], count: number, depth: number): void {
    for (let i = 0; i < count; i++) {
      const roll = this.below(10);
      if (depth > 0 && roll < 5) pool.push(...this.flow(pool, depth - 1));
      else if (pool.length > 0) pool.push(this.operation(pool, this.pick(pool)));
      if (this.habits.host && pool.length > 0 && this.below(8) === 0) bind(testEffect, [this.pick(pool)], {});
    }
  }

  private operation(pool: readonly NDArray[], x: NDArray): NDArray {
    const y = this.like(pool, x.aval);
    const { dtype, shape } = x;
    if (dtype === "bool") return this.pick([np.logicalAnd, np.logicalOr, np.logicalXor])(x, y);
    const roll = this.below(this.habits.host ? 9 : 8);
    if (roll === 8) return bind(testHost, [x], {})[0];
    if (roll >= 6 && shape.length === 1 && shape[0] > 0) {
      // A part is changed, at a place that is computed.
      const at = lax.convertElementType(
        np.max(pool.find((v) => v.dtype === "int32" && v.size > 0) ?? np.array(1)),
        "int32",
      );
      const part = lax.dynamicSlice(y, [at], [1]);
      if (roll === 6) return lax.dynamicUpdateSlice(x, np.add(part, part), [at]);
      return lax.scatterAdd(x, np.reshape(np.remainder(at, shape[0]), [1, 1]), part, {
        updateWindowDims: [],
        insertedWindowDims: [0],
        scatterDimsToOperandDims: [0],
      });
    }
    const limited = np.minimum(np.maximum(np.add(x, y), np.array(0, { dtype })), np.array(100, { dtype }));
    return [np.add(x, y), np.subtract(x, y), np.maximum(x, y), np.minimum(x, y), np.subtract(y, x), limited][
      roll % 6
    ];
  }

  /** A value of a type: one that is there, or one made for it. */
  private like(pool: readonly NDArray[], type: Aval): NDArray {
    const { shape, dtype } = type;
    const there = pool.filter((x) => x.dtype === dtype && String(x.shape) === String(shape));
    if (there.length > 0 && this.below(6) > 0) return this.pick(there);
    const value = scalar(dtype === "bool" ? this.below(2) : this.below(3), dtype);
    return shape.length === 0 ? value : np.broadcastTo(value, shape as number[]);
  }

  /** A body: its outputs are inputs, computed, or literals; often the same one twice. */
  private bodyOf(inputs: readonly Aval[], outputs: readonly Aval[], depth: number): Jaxpr {
    return body(inputs, (...given) => {
      const pool = [...given];
      this.fill(pool, 1 + this.below(4), depth);
      return outputs.map((type) => this.like(pool, type));
    });
  }

  private operands(pool: readonly NDArray[], types: readonly Aval[]): NDArray[] {
    return types.map((type) => this.like(pool, type));
  }

  private flow(pool: readonly NDArray[], depth: number): readonly NDArray[] {
    const kind = this.below(3);
    if (kind === 0) {
      const [taken, given] = [this.types(3), this.types(3)];
      // Often what goes in comes out, changed or not.
      const results = this.below(2) === 0 ? taken : given;
      const branches = Array.from({ length: 1 + this.below(3) }, () => this.bodyOf(taken, results, depth));
      const index = this.like(pool, aval([], "int32"));
      return bind(testCond, [index, ...this.operands(pool, taken)], { branches });
    }
    const [consts, carry] = [this.types(2), this.types(3)];
    if (kind === 1) {
      const counter = aval([], "int32");
      const condConsts = this.types(1);
      const limit = this.below(5);
      const cond = body([...condConsts, counter, ...carry], (...given) => {
        this.fill([...given], 1, 0);
        return [np.less(given[condConsts.length], limit)];
      });
      const step = body([...consts, counter, ...carry], (...given) => {
        const i = given[consts.length];
        const states = [...given];
        this.fill(states, 1 + this.below(4), depth);
        return [np.add(i, 1), ...carry.map((type) => this.like(states, type))];
      });
      return bind(
        testWhile,
        [
          ...this.operands(pool, [...condConsts, ...consts]),
          scalar(0, "int32"),
          ...this.operands(pool, carry),
        ],
        { cond, body: step, condConsts: condConsts.length, bodyConsts: consts.length },
      );
    }
    const [xs, ys] = [this.types(2), this.types(2)];
    const length = this.below(5);
    const stacked = xs.map(({ shape, dtype }) => aval([length, ...shape], dtype));
    return bind(testScan, this.operands(pool, [...consts, ...carry, ...stacked]), {
      body: this.bodyOf([...consts, ...carry, ...xs], [...carry, ...ys], depth),
      length,
      reverse: this.below(2) === 0,
      consts: consts.length,
      carries: carry.length,
    });
  }
}
