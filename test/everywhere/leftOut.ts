/** What of the unit tests is not for every device, and why. */
import type { RunnerTestCase } from "vitest";

export interface Row {
  /** The beginning of the file's path under test/. */
  readonly file: string;
  /** Of the full names of tests, suites first, with " > " between; all tests of the file if there is none. */
  readonly tests?: RegExp;
  readonly reason: string;
}

/** On a GPU the tests' float64 is float32 (see narrow.ts), which these can tell. */
const digits = "is about digits that float32 does not have";
const range = "is about numbers that float32 does not have";
const bits = "is about the bits of float64";
/** What a GPU promises stands in docs/numerics.md. */
const rounding = "asks for the nearest number, which a GPU does not promise";
const values = "needs elements at once, to know a shape";
const memory = "is about the memory of another device";
const devices = "chooses its devices itself";
const noRule = "defines primitives without a lower rule";
const language = "computes nothing";

const endless = "repeats until a change is smaller than any of float32";
const slow = "takes tens of thousands of steps, which an emulated GPU needs minutes for";

const measured = "waits for the GPU of init, which the tests' is not; test/webgpu/compareModes has one";
const compiled = "looks at what the compiler makes of a program";
const loops =
  "has effects in loops of unknown length; those that a GPU can have are in test/webgpu/controlEffects";

/** By the `evaluate` rules there is no memory but that of JavaScript. */
export const onReference: readonly Row[] = [
  { file: "unit/leaks", reason: devices },
  {
    file: "unit/lifetime",
    tests:
      /^dispose > gives memory back|^tidy > keeps what is|^donation > (computes|leaves everything|is done once)/,
    reason: memory,
  },
  { file: "unit/checkpoint/barrier", tests: /^compiled/, reason: compiled },
  { file: "unit/checkpoint/memory", reason: compiled },
  { file: "unit/custom/constants", tests: /is what jit runs/, reason: compiled },
  { file: "unit/pureCallback", tests: /equal calls are merged/, reason: compiled },
];

export const onWebgpu: readonly Row[] = [
  { file: "unit/tree", reason: language },
  { file: "unit/jaxprText", reason: language },
  { file: "unit/hash", reason: language },
  { file: "unit/leaks", reason: devices },
  { file: "unit/profile", reason: devices },
  { file: "unit/transforms/lower", reason: devices },
  { file: "unit/effectsInControl", reason: loops },
  { file: "unit/missingRules", reason: noRule },
  { file: "unit/effects", tests: /^effects of a user's primitive/, reason: noRule },
  { file: "unit/errorsOfTracing", tests: /came from running a program/, reason: noRule },
  { file: "unit/pureCallback", reason: noRule },
  { file: "unit/passes", tests: /^pureCallback/, reason: noRule },
  { file: "unit/ownership", tests: /^pureCallback/, reason: noRule },
  { file: "unit/primitiveErrors", tests: /^pureCallback > evaluates/, reason: noRule },
  { file: "unit/custom/constants", tests: /nothing is left for the host/, reason: noRule },
  { file: "unit/checkpoint/budget", tests: /what an effect gives/, reason: noRule },
  {
    file: "unit/checkpoint/checkpoint",
    tests: /^what is computed when|an infinite budget/,
    reason: noRule,
  },
  { file: "unit/control/revolve", tests: /makes the steps of the schedule/, reason: noRule },
  { file: "unit/control/while.", tests: /^effects in a loop/, reason: loops },

  { file: "unit/control/whileDerivatives", tests: /^Newton|^a fixed point/, reason: endless },
  {
    file: "unit/lifetime",
    tests: /^dispose > gives memory back|^tidy > keeps what is|^donation/,
    reason: memory,
  },

  {
    file: "golden/golden",
    tests: /numpy\.(compress|extract|unique)|numpy\.delete\(.*bool/,
    reason: values,
  },
  { file: "unit/numpy/creation", tests: /meshgrid and indices|without a size/, reason: values },
  { file: "unit/numpy/indexing", tests: /boolean arrays|^masks/, reason: values },
  { file: "unit/numpy/structure.", tests: /^(compress|extract)/, reason: values },
  {
    file: "unit/numpy/structureDetails",
    tests: /where values are known|unique|^what is refused > compress/,
    reason: values,
  },

  { file: "golden/golden", tests: /(random|bitcastConvertType).*float64/, reason: bits },
  { file: "golden/golden", tests: /numpy.*float64.*(1e\+300|inf)/, reason: range },
  { file: "golden/golden", tests: /castSin.*float64/, reason: digits },
  { file: "unit/primitiveErrors", tests: /^bitcastConvertType > evaluates/, reason: bits },
  { file: "unit/primitives/cast", tests: /narrower dtype|saturates|rounds once/, reason: bits },
  { file: "unit/primitives/bitsAndRounding", tests: /nextafter|away from zero|isFinite/, reason: bits },

  {
    file: "unit/analysis/compareModes",
    tests: /^measuring|with times on an axis/,
    reason: measured,
  },
  { file: "unit/analysis/oneMode", tests: /is measured/, reason: measured },
  {
    file: "unit/analysis/sparsity",
    tests: /where a mask that is known lets them/,
    reason: "needs elements at once, to know where zeros are",
  },

  { file: "unit/nn/activations", tests: /softplus keep their digits/, reason: range },
  { file: "unit/nn/attention", tests: /a query that sees nothing/, reason: range },
  { file: "unit/nn/softmax", tests: /with a mask > is that|log1mexp keeps/, reason: range },
  { file: "unit/scipy/special", tests: /ndtri|logNdtr|logit undoes/, reason: range },
  { file: "unit/scipy/special", tests: /is a factorial|^products with logarithms/, reason: digits },
  { file: "unit/primitives/slicing", tests: /the padding alone, exactly/, reason: range },
  { file: "unit/primitives/det", tests: /overflow and vanish/, reason: range },
  { file: "unit/primitives/det", tests: /by hand|double precision|as float32/, reason: rounding },
  { file: "unit/primitives/conv", tests: /rounds floats once/, reason: rounding },
  { file: "unit/primitives/dot", tests: /rounds floats once|preferred dtype/, reason: rounding },
  {
    file: "unit/primitives/elementaryFunctions",
    tests: /^values in double precision|^on the negative axis|^corners|of lgamma exist/,
    reason: digits,
  },
  { file: "unit/primitives/arithmetic", tests: /where JavaScript's differ|mixed second/, reason: digits },
  {
    file: "unit/primitives/cumulative",
    tests: /do not overflow|of second order|shared equally/,
    reason: digits,
  },
  { file: "unit/primitives/scatter", tests: /share the derivative equally/, reason: digits },
  { file: "unit/lax/operands", tests: /a double is not rounded/, reason: digits },
  {
    file: "unit/numpy/creation",
    tests: /stacks traced arrays|the shape and dtype asked|linspace ends/,
    reason: digits,
  },
  {
    file: "unit/numpy/elementwise",
    tests: /full precision|logaddexp is exact|sinc is exact|the spacing|modf takes|rounding to decimals/,
    reason: digits,
  },
  { file: "unit/numpy/indexing", tests: /values must fit/, reason: digits },
  { file: "unit/numpy/integers", tests: /of floats: quotient/, reason: digits },
  { file: "unit/numpy/logic", tests: /safe casts|limits are those/, reason: digits },
  { file: "unit/numpy/structureDetails", tests: /^numbers keep their precision/, reason: digits },
  { file: "unit/semanticsOfValues", tests: /29: weak types/, reason: digits },
  { file: "unit/transforms/growth", tests: /a wide program/, reason: digits },
  { file: "unit/textbook", tests: /second derivatives: the Hessian/, reason: digits },
  {
    file: "unit/transforms/growth",
    tests: /^a chain of many operations > (runs|second)/,
    reason: "makes programs of 12,000 operations, which an emulated GPU takes minutes to compile",
  },
  { file: "unit/transforms/vjp", tests: /the pullback can be traced/, reason: digits },
  { file: "unit/checkpoint/barrier", tests: /gives the same tree/, reason: digits },
  { file: "unit/custom/equations", tests: /customVjp and by customRoot alike/, reason: digits },
  { file: "unit/checkpoint/policies", tests: /the identity in every respect/, reason: digits },
  {
    file: "unit/control/cond.",
    tests: /the branch that the predicate says|linearize does the non-linear work once/,
    reason: digits,
  },
  { file: "unit/control/condBatch", tests: /stays a cond/, reason: digits },
  {
    file: "unit/control/scanDerivatives",
    tests: /that finite differences find/,
    reason: digits,
  },
  { file: "unit/control/scanDerivatives", tests: /learns: twenty steps/, reason: slow },
  { file: "unit/control/revolve", tests: /runs 10,000 steps/, reason: slow },
];

const fullName = (test: RunnerTestCase): string => {
  const names = [test.name];
  for (let suite = test.suite; suite !== undefined; suite = suite.suite) names.unshift(suite.name);
  return names.join(" > ");
};

export function reasonToLeaveOut(rows: readonly Row[], test: RunnerTestCase): string | undefined {
  const file = test.file.name.replaceAll("\\", "/").replace(/^test\//, "");
  return rows.find((row) => file.startsWith(row.file) && (row.tests?.test(fullName(test)) ?? true))?.reason;
}
