/**
 * The law that compiled functions are exact to some units in the last place, wherever their operands lie; to the bit where
 * nothing is rounded.
 */
import {
  type Aval,
  bind,
  type ConcreteArray,
  type Example,
  jit,
  type NDArray,
  type Primitive,
} from "fluxion";
import { isLeft } from "fp-ts/lib/Either.js";
import { domainOf, drawOperands, type PrimitiveCase } from "../cases.js";
import { numbers, roundoffOf } from "../close.js";
import { arrayOf, cornersOf, orderless } from "../corners.js";
import { isExact } from "../exact.js";
import { abstains, every, fails, holds, type Law, law, type Verdict } from "../law.js";
import { generator } from "../point.js";
import { hasDevice, onDevice } from "./compiling.js";
import { twinOf } from "./recordTypes.js";
import { sameTypes } from "./types.js";

/** Elements that an operation on single elements is tried on, and times that others are run. */
const elements = 256;
const runs = 12;
/** So many units in the last place a compiled function may be off anywhere, and on parts of the operands. */
export const units = 16;
const usual: readonly (readonly [part: number, limit: number])[] = [
  [0.2, 0],
  [0.5, 0.8],
  [0.75, 1.25],
  [0.9, 2],
];

const isFloat = ({ dtype }: Aval): boolean => dtype.startsWith("float") && dtype !== "float0";
const sizeOf = ({ shape }: Aval): number => shape.reduce((a, b) => a * b, 1);

/** A float of any magnitude, of the operand's domain, beside a multiple of 1/8, or a corner of the dtype. */
function anyFloat(
  [lo, hi]: readonly [number, number],
  corners: readonly number[],
  random: () => number,
): number {
  const kind = Math.floor(random() * 5);
  if (kind === 0) return lo + (hi - lo) * random();
  if (kind === 1) return (random() < 0.3 ? -1 : 1) * 2 ** (40 * random() - 20);
  if (kind === 2) return (random() < 0.3 ? -1 : 1) * 100 * random();
  if (kind === 3) return Math.round(64 * (random() - 0.5)) / 8;
  return corners[Math.floor(random() * corners.length)];
}

function anyInteger(corners: readonly number[], random: () => number): number {
  return random() < 0.5 ? corners[Math.floor(random() * corners.length)] : Math.floor(40 * random()) - 4;
}

const filled = (type: Aval, element: () => number): ConcreteArray =>
  arrayOf(Array.from({ length: sizeOf(type) }, element), type);

/** Operands of an operation on single elements. */
function scattered(example: Example, random: () => number): ConcreteArray[] {
  return example.avals.map((type, i) => {
    const corners = cornersOf(type.dtype);
    if (type.dtype === "bool") return filled(type, () => (random() < 0.5 ? 1 : 0));
    return isFloat(type)
      ? filled(type, () => anyFloat(domainOf(example, i), corners, random))
      : filled(type, () => anyInteger(corners, random));
  });
}

/** Operands of the others: as drawn, but that integers may be places outside of arrays, and floats all one corner value. */
function displaced(example: Example, random: () => number): ConcreteArray[] {
  const drawn = drawOperands(example, random) as ConcreteArray[];
  return drawn.map((x) => {
    if (x.dtype === "bool") return x;
    if (isFloat(x.aval)) {
      const value = orderless[Math.floor(random() * orderless.length)];
      return random() < 0.75 ? x : filled(x.aval, () => value);
    }
    const corners = cornersOf(x.dtype);
    const moved = (value: number): number =>
      random() < 0.6
        ? value
        : random() < 0.3
          ? corners[Math.floor(random() * corners.length)]
          : value + Math.floor(7 * random()) - 3;
    return arrayOf(numbers(x).map(moved), x.aval);
  });
}

/** What an operand that is off by half a unit changes: below zero, functions are differences of larger numbers. */
function slack(
  primitive: Primitive,
  operands: readonly ConcreteArray[],
  params: Example["params"],
  outputs: readonly Aval[],
) {
  if (operands.length !== 1 || !isFloat(operands[0].aval)) return () => 0;
  const [x] = operands;
  const u = roundoffOf([x]);
  const values = numbers(x);
  const at = (factor: number): readonly number[] =>
    numbers(
      primitive.evaluate(
        [
          arrayOf(
            values.map((v) => v * factor),
            x.aval,
          ),
        ],
        params,
        outputs,
      )[0],
    );
  const [below, above] = [at(1 - 4 * u), at(1 + 4 * u)];
  return (i: number): number => {
    const change = Math.abs(above[i] - below[i]) / 8;
    return values[i] < 0 && Number.isFinite(change) ? change : 0;
  };
}

const subnormals: Readonly<Record<string, number>> = {
  float64: 2 ** -1074,
  float32: 2 ** -149,
  float16: 2 ** -24,
};
const smallest: Readonly<Record<string, number>> = {
  float64: 2 ** -1022,
  float32: 2 ** -126,
  float16: 2 ** -14,
};

const show = (x: number): string => (Object.is(x, -0) ? "-0" : String(x));

const exact = law<PrimitiveCase>({
  name: "the lowered form is exact to some units",
  subject: "primitive",
  statement: `|lower(p)(x) - evaluate(p)(x)| ≤ ${units} units in the last place, 0 if p rounds nothing, for x of all magnitudes`,
  source: "Goldberg, What every computer scientist should know about floating-point arithmetic, 1991",
  check: (given) => {
    const { primitive, example, seed } = given;
    if (primitive.lower === undefined) return abstains("it has no lower rule");
    if (primitive.effectful !== undefined) return abstains("it has effects");
    if (!hasDevice("wasm")) return abstains("this host has no WebAssembly with vectors");
    if (example.params.uniqueIndices === true) return abstains("it relies on what operands promise");
    const own: Example = { ...example, avals: given.inputs.map((x) => x.aval) };
    const twin = twinOf(given, "float32");
    const single = twin !== undefined && twin.from !== "float32" ? [{ ...example, ...twin }] : [];
    return every(...[own, ...single].map((variant) => () => tried(primitive, variant, seed)));
  },
});

/** How far results are off, in units in the last place, for later. */
type Errors = number[];

function tried(primitive: Primitive, example: Example, seed: number): Verdict {
  const { avals, params } = example;
  const types = primitive.abstractEval(avals, params);
  if (isLeft(types)) return holds;
  const pointwise = primitive.family === "elementwise" || primitive.family === "random";
  const random = generator(seed ^ 0x51c9);
  const size = Math.max(1, ...avals.map(sizeOf));
  const count = avals.some((t) => sizeOf(t) === 0) ? 1 : pointwise ? Math.ceil(elements / size) : runs;
  const run = jit((...xs: NDArray[]) => bind(primitive, xs, params));
  const errors: Errors = [];
  for (let n = 0; n < count; n++) {
    const operands = pointwise ? scattered(example, random) : displaced(example, random);
    const wanted = primitive.evaluate(operands, params, types.right);
    const actual = onDevice("wasm", () => run(...operands)) as readonly NDArray[];
    const where = `operands ${operands.map((x) => `${x.dtype}[${x.shape}] ${numbers(x).map(show)}`).join("; ")}`;
    const allowed = pointwise ? slack(primitive, operands, params, types.right) : () => 0;
    const limit = isExact(primitive) ? 0 : units;
    const verdict = every(
      () => sameTypes(actual, wanted, names, where),
      ...actual.map(
        (y, k) => () => compared(y, wanted[k], pointwise, limit, allowed, errors, `${where}, output ${k}`),
      ),
    );
    if (verdict.kind !== "holds") return verdict;
  }
  if (errors.length < 64) return holds;
  errors.sort((a, b) => a - b);
  return every(
    ...usual.map(([part, limit]) => (): Verdict => {
      const error = errors[Math.floor(part * errors.length)];
      return error <= limit
        ? holds
        : fails(
            { name: `error on ${100 * part} % of the operands`, value: `${error} units` },
            { name: "wanted", value: `at most ${limit}` },
          );
    }),
  );
}

const names = ["lower(p)(x)", "evaluate(p)(x)"] as const;

function compared(
  actual: NDArray,
  wanted: NDArray,
  pointwise: boolean,
  limit: number,
  allowed: (i: number) => number,
  errors: Errors,
  where: string,
): Verdict {
  const [xs, ys] = [numbers(actual), numbers(wanted)];
  const unit = 2 * roundoffOf([actual]);
  const largest = ys.reduce((m, y) => (Number.isFinite(y) ? Math.max(m, Math.abs(y)) : m), 0);
  for (let i = 0; i < ys.length; i++) {
    const [a, b] = [xs[i], ys[i]];
    const size = pointwise ? Math.max(Math.abs(b), smallest[actual.dtype] ?? 0) : largest;
    if (pointwise && unit > 0 && Number.isFinite(b)) errors.push(Math.abs(a - b) / (unit * size));
    if (Object.is(a, b) || (!pointwise && a === b)) continue;
    const tolerance = limit === 0 ? 0 : limit * (unit * size + allowed(i)) + (subnormals[actual.dtype] ?? 0);
    if (unit > 0 && Math.abs(a - b) <= tolerance && !(a === 0 && b === 0)) continue;
    return fails(
      { name: names[0], value: show(a) },
      { name: names[1], value: show(b) },
      `${where}, element ${i}`,
    );
  }
  return holds;
}

export const primitiveLaws: readonly Law<PrimitiveCase>[] = [exact];
