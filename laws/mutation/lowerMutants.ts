/** Faults in lowering rules: programs compute something else than the `evaluate` rule says. */
import {
  type Aval,
  bind,
  type Example,
  jit,
  type NDArray,
  numpy as np,
  type Params,
  type Primitive,
} from "fluxion";
import { isLeft } from "fp-ts/lib/Either.js";
import { aval, sameType } from "../../src/core/aval.js";
import type { DType } from "../../src/core/dtype.js";
import type { LowerRule } from "../../src/core/ir/lower.js";
import { paramsKey } from "../../src/core/params.js";
import { drawOperands } from "../cases.js";
import { isExact } from "../exact.js";
import { generator } from "../point.js";
import { type Difference, Differences, sameBits, sameResults } from "./compare.js";
import { type FaultKind, type Mutant, type Mutants, replaceRule, seeded } from "./fault.js";
import { shuffled } from "./jaxprFaults.js";
import { kernelFaults, kernelsOf } from "./kernelFaults.js";
import { mapFaults, reduceFaults } from "./mapFaults.js";
import { examplesLike, kindsOf } from "./ruleMutants.js";

/** Operands on which the faulty program is compared with the sound one. */
const draws = 200;

/** Operands with the same shapes in single precision, which most functions are compiled for in full. */
function singleOf(primitive: Primitive, example: Example): Example[] {
  if (!example.avals.some((a) => a.dtype === "float64")) return [];
  const avals = example.avals.map((a) => (a.dtype === "float64" ? aval(a.shape, "float32") : a));
  return isLeft(primitive.abstractEval(avals, example.params)) ? [] : [{ ...example, avals }];
}

interface Fault {
  readonly kind: FaultKind;
  readonly id: string;
  readonly what: string;
  readonly faulty: LowerRule;
}

type Applies = (types: { readonly inputs: readonly Aval[] }, params: Params) => boolean;

function* faultsOfRule(
  primitive: Primitive,
  rule: LowerRule,
  { avals, params }: Example,
  applies: Applies,
): Generator<Fault> {
  const outputs = primitive.abstractEval(avals, params);
  if (isLeft(outputs)) return;
  const types = { target: "wasm", inputs: avals, outputs: outputs.right } as const;
  if (rule.kind === "map") yield* mapFaults(rule, types, params, applies);
  else if (rule.kind === "reduce") yield* reduceFaults(rule, types, params, applies);
  // Branches and loops have no kernels of their own.
  else if (rule.kind === "kernels") {
    const kernels = kernelsOf(rule, applies, (listing) => {
      const restore = replaceRule(primitive, "lower", listing);
      try {
        jit((...xs: NDArray[]) => bind(primitive, xs, params))
          .lower(...avals.map(zerosOf))
          .compile();
      } finally {
        restore();
      }
    });
    yield* kernelFaults(rule, applies, kernels);
  }
}

const zerosOf = ({ shape, dtype }: Aval): NDArray => np.zeros([...shape], { dtype });

/** Faults in the lowering rule; of one kind of operands at most `limit`, chosen by `random`. */
export function lowerMutants(primitive: Primitive, limit: number, random: () => number): Mutants {
  const { lower } = primitive;
  if (lower === undefined) return { mutants: [], places: 0 };
  const mutants: Mutant[] = [];
  const known = new Set<string>();
  let places = 0;
  const kinds = kindsOf(primitive);
  const examples = [...kinds, ...kinds.flatMap((e) => singleOf(primitive, e))];
  for (const [number, example] of examples.entries()) {
    const key = paramsKey(example.params);
    const applies: Applies = ({ inputs }, params) =>
      inputs.length === example.avals.length &&
      inputs.every((a, i) => sameType(a, example.avals[i])) &&
      paramsKey(params) === key;
    const faults = shuffled([...faultsOfRule(primitive, lower, example, applies)], random);
    const signature = faults
      .map((f) => `${f.id} ${f.what}`)
      .sort()
      .join("\n");
    if (known.has(signature)) continue;
    known.add(signature);
    places += faults.length;
    const like = examplesLike(primitive, example);
    const types = example.avals.map((a) => `${a.dtype}[${a.shape.join(",")}]`).join(" ");
    for (const fault of faults.slice(0, limit)) {
      const install = () => replaceRule(primitive, "lower", fault.faulty);
      const mutant: Mutant = {
        primitive,
        rule: "lower",
        kind: fault.kind,
        id: `${primitive.name}/lower/${number}/${fault.id}`,
        what: `${types}: ${fault.what}`,
        examples: like.length > 0 ? like : [example],
        active: undefined,
        install,
        same: (seed) => samePrograms(mutant, seed),
        difference: (seed) => difference(mutant, seed),
      };
      mutants.push(mutant);
    }
  }
  return { mutants, places };
}

/** Calls `visit` with results of the sound program and of the faulty one, until it says that this is enough. */
function runBoth(
  mutant: Mutant,
  seed: number,
  visit: (sound: readonly NDArray[], faulty: readonly NDArray[]) => boolean,
): void {
  const { primitive, examples } = mutant;
  const { params } = examples[0];
  const random = generator(seed);
  const compile = () => {
    const f = jit((...xs: NDArray[]) => bind(primitive, xs, params));
    f(...drawOperands(examples[0], random));
    return f;
  };
  const [sound, faulty] = [compile(), seeded(mutant, compile)];
  for (let k = 0; k < draws; k++) {
    const drawn = drawOperands(examples[k % examples.length], random);
    // In a sum or product huge numbers would show in which order it was taken.
    const extremes = primitive.family === "elementwise";
    const inputs = k % 2 === 0 ? drawn : drawn.map((x) => withCorners(x, random, extremes));
    if (visit(sound(...inputs), faulty(...inputs))) return;
  }
}

/** Whether the faulty program gives the same, corners of the dtypes among the operands. */
function samePrograms(mutant: Mutant, seed: number): string | undefined {
  const pointwise = mutant.primitive.family === "elementwise";
  // Sums and products may be taken in another order once an expression is another.
  const units = isExact(mutant.primitive) ? 0 : 4;
  let same = true;
  try {
    runBoth(mutant, seed, (sound, faulty) => {
      same = pointwise ? sameBits(sound, faulty) : sameResults(sound, faulty, units, units > 0);
      return !same;
    });
  } catch {
    return undefined;
  }
  const what = pointwise
    ? "the same bits"
    : units === 0
      ? "the very same numbers"
      : `the same numbers to ${units} units of rounding`;
  return same ? `${what} on ${draws} draws of the operands, corner values among them` : undefined;
}

/** How far the faulty program is off. */
function difference(mutant: Mutant, seed: number): Difference {
  // Operations on single elements are promised to be near for each of them.
  const differences = new Differences(
    mutant.primitive.family === "elementwise" ? "element" : "largest element",
  );
  runBoth(mutant, seed, (sound, faulty) => {
    differences.add(sound, faulty);
    return false;
  });
  return differences.result;
}

const corners: Partial<Record<DType, readonly number[]>> = {
  float64: [
    0,
    -0,
    1,
    -1,
    Infinity,
    -Infinity,
    Number.NaN,
    5e-324,
    -5e-324,
    1e308,
    -1e308,
    2 ** -1022,
    0.5,
    1 + 2 ** -52,
    1e5,
    -1e5,
    30,
    -30,
  ],
  float32: [
    0,
    -0,
    1,
    -1,
    Infinity,
    -Infinity,
    Number.NaN,
    1.4e-45,
    -1.4e-45,
    3.4e38,
    -3.4e38,
    2 ** -126,
    0.5,
    1 + 2 ** -23,
    1e5,
    -1e5,
    30,
    -30,
    80,
    -80,
    100,
    -100,
  ],
  float16: [0, -0, 1, -1, Infinity, -Infinity, Number.NaN, 2 ** -24, 65504, -65504, 0.5],
  int32: [0, 1, -1, 2, 3, 7, -7, 2 ** 31 - 1, -(2 ** 31), 31, 32, 33],
  uint32: [0, 1, 2, 3, 7, 2 ** 32 - 1, 2 ** 31, 31, 32, 33],
  uint8: [0, 1, 2, 3, 7, 255, 128, 8],
};

/** Some of the elements replaced by numbers at the ends of the dtype, or where functions have their branches. */
function withCorners(x: NDArray, random: () => number, extremes: boolean): NDArray {
  const moderate = (v: number): boolean =>
    v === 0 || !Number.isFinite(v) || (Math.abs(v) > 0.1 && Math.abs(v) < 200);
  const isFloat = x.dtype.startsWith("float");
  const list = corners[x.dtype]?.filter((v) => extremes || !isFloat || moderate(v));
  if (list === undefined) return x;
  const values = [...x.dataSync()].map((v) =>
    random() < 0.5 ? list[Math.floor(random() * list.length)] : v,
  );
  return np.reshape(np.array(values, { dtype: x.dtype }), [...x.shape]);
}
