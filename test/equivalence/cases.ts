/**
 * What is compared for a primitive: its examples and larger ones with operands of every dtype that it takes, ordinary
 * numbers and corner values; and, for pointwise operations, long vectors that hold all values or all that are special.
 */
import { isLeft } from "fp-ts/lib/Either.js";
import { type ConcreteArray, concreteArray } from "../../src/core/array.js";
import { type Aval, aval, sameShape } from "../../src/core/aval.js";
import { type DType, dtypes, isFloat, settle } from "../../src/core/dtype.js";
import { type Jaxpr, subJaxprs } from "../../src/core/jaxpr.js";
import { paramsKey } from "../../src/core/params.js";
import type { Example, Params, Primitive } from "../../src/core/primitive.js";
import { equation } from "../unit/compiler/lowerEquation.js";
import { draw, generator } from "../unit/draw.js";
import { narrowed } from "../webgpu/narrowed.js";
import { boundOf } from "./bounds.js";
import { cornerArray, type Lengths, pointwiseOperands, wildIndices } from "./corners.js";
import { larger } from "./larger.js";

/** A program of one equation, and what it is run on. */
export interface Case {
  readonly primitive: Primitive;
  readonly params: Params;
  readonly jaxpr: Jaxpr;
  /** Each element of the results depends on the same element of the operands alone, or on scalars. */
  readonly pointwise: boolean;
  /** Operands, made when they are needed. */
  readonly draws: readonly (() => readonly ConcreteArray[])[];
}

/** What matters of a device. */
export interface Abilities {
  readonly float64: boolean;
  /** Subnormal numbers may be taken for zero. */
  readonly flushes: boolean;
}

// ---------------------------------------------------------------------------------------------------------------------
// Examples in every dtype
// ---------------------------------------------------------------------------------------------------------------------

/** Whether an operand holds places in another one. */
function isPlace({ name, family }: Primitive, i: number): boolean {
  if (family !== "indexing") return false;
  if (name === "activeRows") return i === 0;
  return name === "dynamicSlice" ? i >= 1 : name === "dynamicUpdateSlice" ? i >= 2 : i === 1;
}

/** Which operands share the dtype that can be chosen: the floats, or else those that are like the last one. */
function changeable(primitive: Primitive, avals: readonly Aval[]): boolean[] {
  const own = avals.filter((_, i) => !isPlace(primitive, i));
  const common = own.find((a) => isFloat(a.dtype))?.dtype ?? own.at(-1)?.dtype;
  return avals.map(({ dtype }, i) => !isPlace(primitive, i) && dtype === common);
}

/** Where integers are drawn from that stand for floats: far enough apart for sums to wrap around. */
const integersFrom: Partial<Record<DType, readonly [number, number]>> = {
  int32: [-1000, 1000],
  uint32: [0, 1000],
  uint8: [0, 255],
  bool: [0, 1],
};

const usual = (dtype: DType): readonly [number, number] =>
  dtype === "bool" ? [0, 1] : isFloat(dtype) ? [-2, 2] : [0, 3];

/** Params that name the dtype of the result. */
const dtypeParams = ["preferredElementType", "dtype"] as const;

/** An example in every dtype that the type rule takes, with params that ask for every dtype. */
function variants(primitive: Primitive, example: Example): Example[] {
  const { avals, params } = example;
  const mask = changeable(primitive, avals);
  const named = dtypeParams.filter((name) => name in params);
  const choices = [params, ...named.flatMap((name) => dtypes.map((dtype) => ({ ...params, [name]: dtype })))];
  const typed = dtypes.map((dtype) => ({
    avals: avals.map((a, i) => (mask[i] ? aval(a.shape, dtype, a.weakType) : a)),
    domain: avals.map((a, i) => {
      const replaced = mask[i] && isFloat(a.dtype) && !isFloat(dtype);
      return (replaced ? integersFrom[dtype] : example.domain?.[i]) ?? usual(mask[i] ? dtype : a.dtype);
    }),
  }));
  // A program that an equation holds has the dtypes that it has, and is made again for float32.
  if (subJaxprs(params).length > 0) return [example, narrowed(example)];
  return [example, ...typed.map((t) => ({ ...example, ...t }))].flatMap((e) =>
    choices.map((choice) => ({ ...e, params: choice })),
  );
}

const keyOf = (avals: readonly Aval[], params: Params): string =>
  `${JSON.stringify(avals)} ${paramsKey(params)}`;

// ---------------------------------------------------------------------------------------------------------------------
// Operands
// ---------------------------------------------------------------------------------------------------------------------

function ordinary({ avals, domain, distinct = false }: Example, seed: number): readonly ConcreteArray[] {
  const random = generator(seed);
  return avals.map((a, i) => {
    const { values } = draw(a, random, domain?.[i] ?? usual(a.dtype), distinct);
    return concreteArray(settle(a.dtype, values), a.shape, a.dtype, a.weakType);
  });
}

/** Operands of corner values; of places in arrays some that lie outside, unless that is promised not to happen. */
function wild(primitive: Primitive, example: Example, { flushes }: Abilities, seed: number) {
  const { avals } = example;
  const bound = boundOf(primitive);
  const which = bound.kind !== "exact" ? "unordered" : flushes && !bound.moves ? "normal" : "any";
  const longest = Math.max(1, ...avals[0].shape);
  const random = generator(seed);
  if (subJaxprs(example.params).length > 0) {
    // Integers say how many steps a loop takes, but to which branch they lead may be said by any.
    const anyBranch = (i: number): boolean => primitive.name === "cond" && i === 0;
    const usualOnes = ordinary(example, seed);
    return avals.map((a, i) =>
      isFloat(a.dtype) || anyBranch(i) ? cornerArray(a, random, "small") : usualOnes[i],
    );
  }
  return avals.map((a, i) =>
    isPlace(primitive, i) ? wildIndices(a.shape, a.dtype, longest, random) : cornerArray(a, random, which),
  );
}

const lengths: Lengths = { one: 200_003, several: 15_001 };

/** Of these, one of each kind of kernel, vectors are longer. */
const long: readonly string[] = ["neg", "abs", "sqrt", "exp", "sin"];

/** Random operands of float32, where those with random bits mostly give 0 or ∞. */
const tuples: Record<string, (bits: () => number) => readonly number[]> = {
  pow: (bits) => {
    const x = 2 ** ((bits() / 2 ** 32 - 0.5) * 60);
    const y = ((bits() / 2 ** 32 - 0.5) * 280) / Math.log2(x);
    return [x, Math.abs(y) < 1e4 ? y : 1];
  },
};

/** The same application to vectors, if it is a pointwise one. */
function asVectors(primitive: Primitive, { avals, params }: Example): Example | undefined {
  if (avals.length === 0 || avals.some((a) => !sameShape(a.shape, avals[0].shape))) return undefined;
  const types = avals.map((a) => a.dtype);
  const vector = vectorsOf(primitive.name, types).map((x) => x.aval);
  const result = primitive.abstractEval(vector, params);
  if (isLeft(result) || !sameShape(result.right[0].shape, vector[0].shape)) return undefined;
  return { avals: vector, params };
}

const made = new Map<string, readonly ConcreteArray[]>();

/** Made once for each list of dtypes: they are the same for most primitives. */
function vectorsOf(name: string, types: readonly DType[]): readonly ConcreteArray[] {
  const special = types.every((t) => t === "float32") ? tuples[name] : undefined;
  const isLong = long.includes(name);
  const key = `${types}${special === undefined ? "" : name}${isLong}`;
  let found = made.get(key);
  if (found === undefined) {
    found = pointwiseOperands(types, isLong ? { ...lengths, one: 1_000_003 } : lengths, special);
    made.set(key, found);
  }
  return found;
}

// ---------------------------------------------------------------------------------------------------------------------
// Cases
// ---------------------------------------------------------------------------------------------------------------------

/** Everything that is compared for a primitive on a device that can do so much. */
export function* casesOf(primitive: Primitive, abilities: Abilities): Generator<Case> {
  const mayBePointwise = primitive.family === "elementwise" || primitive.family === "random";
  const seen = new Set<string>();
  /** Whether it is something new that the device can do. */
  const isNew = ({ avals, params }: Example): boolean => {
    const key = keyOf(avals, params);
    const types = primitive.abstractEval(avals, params);
    if (seen.has(key) || isLeft(types)) return false;
    seen.add(key);
    return abilities.float64 || [...avals, ...types.right].every((a) => a.dtype !== "float64");
  };
  const make = ({ avals, params }: Example, pointwise: boolean, draws: Case["draws"]): Case => ({
    primitive,
    params,
    jaxpr: equation(primitive, avals, params),
    pointwise,
    draws,
  });
  let seed = primitive.name.length;
  for (const example of [...primitive.laws.examples, ...larger(primitive)].flatMap((e) =>
    variants(primitive, e),
  )) {
    if (!isNew(example)) continue;
    const first = ++seed;
    const vectors = mayBePointwise ? asVectors(primitive, example) : undefined;
    const isWild =
      vectors === undefined && example.avals.length > 0 && example.params.mode !== "promiseInBounds";
    yield make(example, vectors !== undefined, [
      () => ordinary(example, first),
      ...(isWild ? [1, 2].map((k) => () => wild(primitive, example, abilities, first + 1000 * k)) : []),
    ]);
    if (vectors !== undefined && isNew(vectors))
      yield make(vectors, true, [
        () =>
          vectorsOf(
            primitive.name,
            vectors.avals.map((a) => a.dtype),
          ),
      ]);
  }
}
