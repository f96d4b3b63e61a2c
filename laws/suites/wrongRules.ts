/** Rules that are wrong on purpose, one mistake each: what the laws have to find. */
import {
  binary,
  bind,
  definePrimitive,
  findPrimitive,
  isZero,
  LinearInput,
  type NDArray,
  numpy as np,
  type Primitive,
  type PrimitiveRecord,
  stopGradient,
  unary,
  zeroFor,
} from "fluxion";
import { forgetPrograms } from "../../src/core/recurring.js";
import type { LinearCase } from "../cases.js";
import { between, type Specimen } from "./functions.js";

type TransposeRule = NonNullable<PrimitiveRecord["transpose"]>;

/** A function with a mistake in a rule, or a mistake in one of the library's rules with a function that shows it. */
export interface Wrong extends Specimen {
  /** Makes the mistake, and gives back what mends it. Left out where the function itself brings it. */
  readonly seed?: () => () => void;
}

type Tangent = (t: NDArray, x: NDArray, y: NDArray) => NDArray;

/** sin x with a tangent of our own, inside of a function that uses its result. */
function sine(name: string, tangent: Tangent): Wrong {
  const own = unary(name, { summary: "sin x", domain: "float", evaluate: Math.sin, tangent });
  return { f: (x) => [np.multiply(own(x), np.add(2, x))], inputs: [between([3], 41)] };
}

const slopeOfSine = (t: NDArray, x: NDArray): NDArray => np.multiply(t, np.cos(x));

/** A product with tangents of our own. */
function product(
  name: string,
  x: (t: NDArray, x: NDArray, y: NDArray) => NDArray,
  y?: (t: NDArray, x: NDArray, y: NDArray) => NDArray,
): Wrong {
  const own = binary(name, {
    summary: "x · y",
    domain: "float",
    evaluate: (a, b) => a * b,
    tangent: y === undefined ? { x } : { x, y },
  });
  return { f: (a, b) => [np.sin(own(a, b))], inputs: [between([3], 42), between([3], 43)] };
}

/** 3x with a transpose of our own. */
export function triple(name: string, transpose: (ct: NDArray) => NDArray): (x: NDArray) => NDArray {
  const own: (x: NDArray) => NDArray = unary(name, {
    summary: "3x",
    domain: "float",
    evaluate: (x) => 3 * x,
    tangent: (t) => own(t),
    transpose,
  });
  return own;
}

/** A copy of one of the library's records under a name of our own, with other rules. */
function variant(
  of: string,
  name: string,
  change: (record: Primitive) => Partial<PrimitiveRecord>,
): Primitive {
  const record = findPrimitive(of) as Primitive;
  return definePrimitive({ ...record, name, ...change(record) });
}

/** Puts a wrong rule in the place of the library's own. */
const replaceRule = (name: string, change: (record: Primitive) => Partial<PrimitiveRecord>) => () => {
  const record = findPrimitive(name) as { -readonly [K in keyof Primitive]: Primitive[K] };
  const before = { ...record };
  Object.assign(record, change(before));
  forgetPrograms();
  return () => {
    Object.assign(record, before);
    forgetPrograms();
  };
};

const moved = variant("sin", "movedSine", ({ jvp }) => ({
  jvp: (...args) => {
    const { outputs, tangents } = jvp(...args);
    return { outputs: outputs.map((y) => np.add(y, 0.125)), tangents };
  },
}));

let calls = 0;
let programs = 0;
const restless = unary("restlessSine", {
  summary: "sin x",
  domain: "float",
  evaluate: Math.sin,
  tangent: (t, x) => np.multiply(1 + 0.125 * calls++, slopeOfSine(t, x)),
});
const doubled = triple("tripleWithFactor", (ct) => np.multiply(ct, 2));
const shifted = triple("tripleWithConstant", (ct) => np.add(np.multiply(ct, 3), 0.125));
const bent = triple("tripleWithSquare", (ct) => np.multiply(3, np.multiply(ct, np.abs(ct))));

/** A function of each of the operations whose rules are replaced below. */
const plain: Specimen = {
  f: (x, y) => [
    np.add(np.multiply(x, np.sin(y)), np.divide(y, np.add(3, x))),
    np.where(np.array([true, false, true]), x, y),
  ],
  inputs: [between([3], 44), between([3], 45)],
};
const running: Specimen = { f: (x) => [np.cumsum(np.sin(x))], inputs: [between([3], 46)] };

export const wrongRules: Readonly<Record<string, Wrong>> = {
  "a sign": sine("signedSine", (t, x) => np.negative(slopeOfSine(t, x))),
  "a factor of 1.01": sine("scaledSine", (t, x) => np.multiply(1.01, slopeOfSine(t, x))),
  "a term left out": product(
    "forgetfulProduct",
    (t) => t,
    (t, x) => np.multiply(x, t),
  ),
  "an input ignored": product("deafProduct", (t, _, y) => np.multiply(t, y)),
  "a field that is no gradient": product(
    "turnedProduct",
    (t, _, y) => np.multiply(1.5, np.multiply(t, y)),
    (t, x) => np.multiply(x, t),
  ),
  "a slope taken for constant": sine("frozenSine", (t, x) => np.multiply(t, stopGradient(np.cos(x)))),
  "a slope that depends on how often it is asked": {
    // Each call gives another program; of equal ones passes remember what the rule said.
    f: (x) => [np.multiply(bind(restless.primitive, [x], { program: programs++ })[0], np.add(2, x))],
    inputs: [between([3], 41)],
    seed: () => {
      calls = 1;
      return () => {};
    },
  },
  "a tangent squared": sine("squaredSine", (t, x) => np.multiply(t, slopeOfSine(t, x))),
  "a tangent with a constant": sine("liftedSine", (t, x) => np.add(slopeOfSine(t, x), 0.125)),
  "a value changed by the tangent rule": {
    f: (x) => [np.square(np.add(x, bind(moved, [x], {})[0]))],
    inputs: [between([3], 47)],
  },
  "a transpose with a factor": { f: (x) => [doubled(np.sin(x))], inputs: [between([3], 48)] },
  "a transpose with a constant": { f: (x) => [shifted(np.sin(x))], inputs: [between([3], 49)] },
  "a transpose that is not linear": { f: (x) => [bent(np.sin(x))], inputs: [between([3], 50)] },
  "batches turned by a row": {
    ...running,
    seed: replaceRule("cumsum", ({ batch }) => ({
      batch: (...args) => {
        const { outputs, batched } = batch(...args);
        return { outputs: outputs.map((y) => np.roll(y, 1, 0)), batched };
      },
    })),
  },
  "mul: a term left out": {
    ...plain,
    seed: replaceRule("mul", ({ jvp }) => ({
      jvp: (x, [t, s], ...rest) => jvp(x, [t, isZero(t) ? s : zeroFor(x[1].aval)], ...rest),
    })),
  },
  "add: a term left out": {
    ...plain,
    seed: replaceRule("add", ({ jvp }) => ({
      jvp: (x, [t, s], ...rest) => jvp(x, [t, isZero(t) ? s : zeroFor(x[1].aval)], ...rest),
    })),
  },
  "add: the second cotangent lost": {
    ...plain,
    seed: replaceRule("add", ({ transpose }) => ({
      transpose: (cts, inputs, ...rest) =>
        (transpose as TransposeRule)(cts, inputs, ...rest).map((ct, i) =>
          i === 1 && inputs[0] instanceof LinearInput ? null : ct,
        ),
    })),
  },
  "div: a sign": {
    ...plain,
    seed: replaceRule("div", ({ jvp }) => ({
      jvp: (x, [t, s], ...rest) => jvp(x, [t, isZero(s) ? s : np.negative(s)], ...rest),
    })),
  },
  "select: the other branch's tangent": {
    ...plain,
    seed: replaceRule("select", ({ jvp }) => ({
      jvp: (x, [p, t, s], ...rest) => jvp(x, [p, s, t], ...rest),
    })),
  },
  "stopGradient: lets tangents through": {
    ...plain,
    seed: replaceRule("stopGradient", () => ({
      jvp: (x, tangents, params) => ({
        outputs: bind(findPrimitive("stopGradient") as Primitive, x, params),
        tangents,
      }),
    })),
  },
};

// ---------------------------------------------------------------------------------------------------------------------
// Linear functions
// ---------------------------------------------------------------------------------------------------------------------

const [x3, y3, u3, z3] = [51, 52, 53, 54].map((seed) => [between([3], seed)]);

const linearCase = (apply: LinearCase["apply"], more: Partial<LinearCase> = {}): LinearCase => ({
  apply,
  other: (x) => [np.multiply(x, -2)],
  after: (x) => [np.cumsum(x)],
  xs: x3,
  ys: y3,
  u: u3,
  z: z3,
  ...more,
});

export const goodLinear: LinearCase = linearCase((x) => [np.flip(np.cumsum(np.multiply(x, 3)))]);

export interface WrongLinear {
  readonly value: LinearCase;
  readonly seed?: () => () => void;
}

export const wrongLinear: Readonly<Record<string, WrongLinear>> = {
  "a function that is not linear": { value: linearCase((x) => [np.add(x, 1)]) },
  "a transpose with a factor": { value: linearCase((x) => [doubled(x)]) },
  "a transpose with a constant": { value: linearCase((x) => [shifted(x)]) },
  "a transpose with a constant, before zero": {
    value: linearCase((x) => [shifted(x)], { after: () => [np.zeros([3], { dtype: "float64" })] }),
  },
  "a transpose that is not linear": { value: linearCase((x) => [bent(x)]) },
  "add: the second cotangent lost": {
    value: goodLinear,
    seed: wrongRules["add: the second cotangent lost"].seed,
  },
};
