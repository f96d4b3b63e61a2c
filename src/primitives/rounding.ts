/** Rounding to whole numbers, and to neighbours. None of these carries a derivative: they are constant between jumps. */
import type { NDArray } from "../core/array.js";
import { type DType, type FloatDType, floatLimits } from "../core/dtype.js";
import { ArgumentError } from "../core/errors.js";
import * as math from "../core/ir/math/index.js";
import * as ir from "../core/ir/ops.js";
import { bind } from "../core/trace.js";
import { showParam } from "./checks.js";
import { binary, elementwise, type Operand, scalarsLike, unary } from "./elementwise.js";
import { exponentOf } from "./floatBits.js";

/**
 * The largest whole number that is not above x. Floats only; keeps shape, dtype, NaN, infinities and -0. Throws
 * `DtypeError` for integers, which have nothing to round.
 */
export const floor = unary("floor", {
  summary: "the largest whole number not above x",
  domain: "float",
  evaluate: Math.floor,
  lower: ir.floor,
  smoothOn: [
    [0.1, 0.9],
    [-1.9, -1.1],
  ],
});

/** The smallest whole number that is not below x. Floats only; ceil(-0.5) is -0. Errors as for `floor`. */
export const ceil = unary("ceil", {
  summary: "the smallest whole number not below x",
  domain: "float",
  evaluate: Math.ceil,
  lower: ir.ceil,
  smoothOn: [
    [0.1, 0.9],
    [-1.9, -1.1],
  ],
});

/** What happens to numbers half-way between two whole ones: 2.5 becomes 3 or 2. */
export type RoundingMethod = "awayFromZero" | "toNearestEven";

const roundings: Record<RoundingMethod, (x: number) => number> = {
  awayFromZero: (x) => {
    const whole = Math.trunc(x);
    // x - whole is exact, where adding ½ to x would not be: 0.49999999999999994 + 0.5 is 1.
    return Math.abs(x - whole) >= 0.5 ? whole + Math.sign(x) : whole;
  },
  toNearestEven: (x) => {
    const whole = Math.trunc(x);
    const rest = Math.abs(x - whole);
    return rest > 0.5 || (rest === 0.5 && whole % 2 !== 0) ? whole + Math.sign(x) : whole;
  },
};

const roundPrimitive = elementwise({
  name: "round",
  summary: "the nearest whole number",
  arity: 1,
  domain: "float",
  check: ({ roundingMethod }) =>
    typeof roundingMethod === "string" && Object.hasOwn(roundings, roundingMethod)
      ? undefined
      : new ArgumentError(
          `round: roundingMethod must be "awayFromZero" or "toNearestEven", got ${showParam(roundingMethod)}`,
        ),
  evaluateFor: (_, { roundingMethod }) => roundings[roundingMethod as RoundingMethod],
  lower: ([x], _, { roundingMethod }) =>
    roundingMethod === "toNearestEven" ? ir.nearest(x) : math.roundAway(x),
  tangents: () => [undefined],
  examples: [
    { params: { roundingMethod: "awayFromZero" }, domain: [[0.6, 1.4]] },
    { params: { roundingMethod: "toNearestEven" }, domain: [[-1.4, -0.6]] },
  ],
});

/**
 * The nearest whole number; `roundingMethod` decides half-way cases. Floats only; keeps shape, dtype, NaN, infinities
 * and the sign of zero. Throws `DtypeError` for integers and `ArgumentError` for another method.
 *
 * @example round(np.array([0.5, 2.5]), "toNearestEven") // [0, 2]
 */
export const round = Object.assign(
  (x: Operand, roundingMethod: RoundingMethod = "awayFromZero"): NDArray =>
    bind(roundPrimitive, scalarsLike("round", [x], "float"), { roundingMethod })[0],
  { primitive: roundPrimitive },
);

/** Where x is neither infinite nor NaN. Floats only; gives bool. */
const finite = unary("isFinite", {
  summary: "where x is neither infinite nor NaN",
  domain: "float",
  result: "bool",
  evaluate: (x) => (Number.isFinite(x) ? 1 : 0),
  lower: math.isFinite,
});

// Inside this file the name belongs to JavaScript.
export { finite as isFinite };

/** The neighbour of x in the direction of y, among the numbers of a float dtype. */
function neighbour(dtype: FloatDType): (x: number, y: number) => number {
  const { eps, max, tiny } = floatLimits(dtype);
  const lowest = exponentOf(tiny);
  return (x, y) => {
    if (Number.isNaN(x) || Number.isNaN(y)) return NaN;
    if (x === y) return y;
    if (x === 0) return Math.sign(y) * eps * tiny;
    const m = Math.abs(x);
    if (m === Infinity) return Math.sign(x) * max;
    const e = Math.max(exponentOf(m), lowest);
    const spacing = eps * 2 ** e;
    if (y > x === x > 0) return Math.sign(x) * (m + spacing);
    // Below a power of two numbers lie twice as close, except where they already lie as close as they ever do.
    return Math.sign(x) * (m - (m === 2 ** e && e > lowest ? spacing / 2 : spacing));
  };
}

/**
 * The next number after x towards y that its float dtype can represent; y where they are equal; NaN if one is. Two
 * floats of one dtype. The derivative is zero by decree. Throws `DtypeError` for integers.
 *
 * @example sub(nextafter(np.array(1, "float64"), Infinity), 1) // 2.220446e-16
 */
export const nextafter = binary("nextafter", {
  summary: "the next representable number after x towards y",
  domain: "float",
  evaluateFor: (dtype: DType) => neighbour(dtype as FloatDType),
  lower: (x, y, dtype) =>
    dtype === "float64" ? undefined : math.nextafter(x, y, dtype as "float16" | "float32"),
  weight: 5,
  differentiable: false,
});
