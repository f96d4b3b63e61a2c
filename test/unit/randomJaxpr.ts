/** Random small programs for the tests of printing, parsing, checking and hashing. */
import fc from "fast-check";
import { ConcreteArray, type NDArray, scalar } from "../../src/core/array.js";
import { type Aval, aval, sameShape, sizeOf } from "../../src/core/aval.js";
import { traceToJaxpr } from "../../src/core/build.js";
import { allocate, type DType, isFloat } from "../../src/core/dtype.js";
import type { ClosedJaxpr } from "../../src/core/jaxpr.js";
import { add, div, mul, neg, sub } from "../../src/primitives/arithmetic.js";
import { broadcastInDim, reduceSum } from "../../src/primitives/broadcast.js";
import { bindCall } from "../../src/primitives/call.js";

/** One operation. What its numbers mean depends on what is there already: they are taken modulo. */
interface Step {
  readonly op: number;
  readonly x: number;
  readonly y: number;
  readonly value: number;
  readonly name: string;
  readonly body: readonly Step[];
}

export interface ProgramOptions {
  readonly dtypes?: readonly DType[];
  readonly maxSteps?: number;
}

const shapes = [[], [], [2], [2, 3], [0]];
const binaries = [add, sub, mul, div];

const steps = (depth: number, maxSteps: number): fc.Arbitrary<readonly Step[]> =>
  fc.array(
    fc.record<Step>({
      op: fc.nat(8),
      x: fc.nat(99),
      y: fc.nat(99),
      value: fc.oneof(
        fc.integer({ min: -3, max: 300 }),
        fc.double(),
        fc.constantFrom(0, -0, 0.1, 1e-7, 1e21, Infinity, -Infinity, NaN),
      ),
      name: fc.oneof(fc.constantFrom("f", "g"), fc.string({ maxLength: 6 })),
      body: depth === 0 ? fc.constant([]) : steps(depth - 1, 3),
    }),
    { maxLength: maxSteps },
  );

const types = (dtypes: readonly DType[]): fc.Arbitrary<Aval> =>
  fc
    .tuple(fc.constantFrom(...shapes), fc.constantFrom(...dtypes), fc.boolean())
    .map(([shape, dtype, weak]) => aval(shape, dtype, weak && dtype !== "bool"));

/** A scalar that may stand beside an operand: of its dtype, made of any number. */
function beside({ dtype }: NDArray, value: number, weak: boolean): NDArray {
  if (dtype === "bool") return scalar(value > 0, dtype);
  return scalar(isFloat(dtype) ? value : Math.trunc(value) || 0, dtype, weak);
}

/** Applies one operation to arrays that are there; whatever does not fit is left out or replaced by what does. */
function apply(step: Step, pool: readonly NDArray[]): readonly NDArray[] {
  const x = pool[step.x % pool.length];
  const other = pool[step.y % pool.length];
  const weak = step.y % 2 === 0;
  const arithmetic = x.dtype !== "bool";
  if (step.op === 0 && arithmetic) return [neg(x)];
  if (step.op <= 2 && arithmetic) {
    const fits =
      other.dtype === x.dtype && (sameShape(other.shape, x.shape) || other.ndim === 0 || x.ndim === 0);
    return [binaries[step.y % 4](x, fits ? other : beside(x, step.value, weak))];
  }
  if (step.op <= 4 && arithmetic) return [binaries[step.y % 4](beside(x, step.value, weak), x)];
  if (step.op === 5 && x.ndim > 0 && arithmetic) return [reduceSum(x, [step.y % x.ndim])];
  if (step.op === 6) {
    const values = allocate(x.dtype, sizeOf(x.shape));
    return arithmetic ? [add(x, new ConcreteArray(values, x.aval))] : [x];
  }
  if (step.op === 7) {
    const inner = trace("inner", [x.aval, other.aval], step.body);
    return bindCall(inner.jaxpr, step.name, [...inner.consts, x, other]);
  }
  if (step.op === 8) return [broadcastInDim(beside(x, step.value, weak), [1 + (step.y % 3)], [])];
  return x.ndim < 3
    ? [
        broadcastInDim(
          x,
          [2, ...x.shape],
          x.shape.map((_, i) => i + 1),
        ),
      ]
    : [x];
}

function trace(name: string, inputs: readonly Aval[], program: readonly Step[]): ClosedJaxpr {
  return traceToJaxpr({ name }, inputs, (args) => {
    const pool: NDArray[] = [...args];
    for (const step of program) pool.push(...apply(step, pool));
    // Some of what was made, and a literal.
    const last = program.at(-1);
    const outputs = pool.slice(-2);
    return last === undefined ? outputs : [...outputs, beside(pool[0], last.value, last.y % 2 === 0)];
  }).closed;
}

/** Well-typed programs of elementwise operations, broadcasts, sums and calls, with constants and odd literals. */
export const programs = ({
  dtypes = ["float32", "float32", "float64", "float16", "int32", "uint8", "bool"],
  maxSteps = 8,
}: ProgramOptions = {}): fc.Arbitrary<ClosedJaxpr> =>
  fc
    .tuple(fc.array(types(dtypes), { minLength: 1, maxLength: 3 }), steps(2, maxSteps))
    .map(([inputs, program]) => trace("program", inputs, program));
