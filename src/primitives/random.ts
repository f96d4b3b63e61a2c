/**
 * Random bits. Threefry-2x32 with 20 rounds is a hash of a key and a counter whose output passes for random (Salmon,
 * Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011). There is no hidden state: the same key
 * and counter give the same bits, on every device, alone or in a batch.
 *
 * Draws use JAX's "partitionable" layout: element i of an array is the hash of i, so a shorter draw is a prefix of a
 * longer one. The bits are those of jax.random with jax_threefry_partitionable.
 */
import { left, right } from "fp-ts/lib/Either.js";
import { ConcreteArray, type NDArray, scalar } from "../core/array.js";
import { aval, describe, describeAll, type Shape, sizeOf } from "../core/aval.js";
import { DtypeError, ShapeError } from "../core/errors.js";
import * as ir from "../core/ir/ops.js";
import type { Expr } from "../core/ir/types.js";
import { noParams } from "../core/params.js";
import { definePrimitive } from "../core/primitive.js";
import { bind } from "../core/trace.js";
import { zeroFor } from "../core/zero.js";
import { bitwiseXor } from "./bits.js";
import { convertElementType } from "./cast.js";
import { typeRule } from "./checks.js";
import { batchElementwise } from "./elementwise.js";
import { elementsAt } from "./elementwiseLower.js";
import { commonShape } from "./elementwiseSpec.js";
import { iota, reshape } from "./shape.js";
import { slice } from "./slicing.js";

const rotations = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const;

/** Keeps the key schedule from being all zeros. */
const parity = 0x1bd11bda;

type Words = ArrayLike<number>;

/** Elements of the key and of the counter go round where they are scalars. */
function hash(
  key: readonly [Words, Words],
  counter: readonly [Words, Words],
  out: readonly [Uint32Array, Uint32Array],
) {
  const [sk0, sk1, sx0, sx1] = [...key, ...counter].map((w) => (w.length === out[0].length ? 1 : 0));
  for (let i = 0; i < out[0].length; i++) {
    const k0 = key[0][i * sk0];
    const k1 = key[1][i * sk1];
    const k2 = k0 ^ k1 ^ parity;
    let x0 = (counter[0][i * sx0] + k0) | 0;
    let x1 = (counter[1][i * sx1] + k1) | 0;
    for (let group = 0; group < 5; group++) {
      const amounts = rotations[group % 2];
      for (let r = 0; r < 4; r++) {
        x0 = (x0 + x1) | 0;
        x1 = ((x1 << amounts[r]) | (x1 >>> (32 - amounts[r]))) ^ x0;
      }
      // The three words of the key take turns.
      const turn = group % 3;
      x0 = (x0 + (turn === 0 ? k1 : turn === 1 ? k2 : k0)) | 0;
      x1 = (x1 + (turn === 0 ? k2 : turn === 1 ? k0 : k1) + group + 1) | 0;
    }
    out[0][i] = x0;
    out[1][i] = x1;
  }
}

/** The same in kernel IR, for one element. */
function lowerHash(k0: Expr, k1: Expr, counter0: Expr, counter1: Expr): [Expr, Expr] {
  const key = [k0, k1, ir.xor(ir.xor(k0, k1), parity)];
  let x0 = ir.add(counter0, k0);
  let x1 = ir.add(counter1, k1);
  for (let group = 0; group < 5; group++) {
    for (const amount of rotations[group % 2]) {
      x0 = ir.add(x0, x1);
      x1 = ir.xor(ir.or(ir.shl(x1, amount), ir.shr(x1, 32 - amount)), x0);
    }
    x0 = ir.add(x0, key[(group + 1) % 3]);
    x1 = ir.add(ir.add(x1, key[(group + 2) % 3]), group + 1);
  }
  return [x0, x1];
}

/** Per element: 2 + 2 for key and counter, 20 rounds of add, rotate (3) and xor, 5 additions of the key (3). */
const operationsPerHash = 4 + 20 * 5 + 5 * 3;

const words = (shape: Shape) => aval(shape, "uint32");
const anyWord = [0, 4294967295] as const;
const anyWords = [anyWord, anyWord, anyWord, anyWord];

const threefryPrimitive = definePrimitive({
  name: "threefry2x32",
  family: "random",
  summary: "two random words for each counter of two words, under a key of two words",
  abstractEval: typeRule("threefry2x32", 4, (inputs) => {
    if (inputs.some((x) => x.dtype !== "uint32"))
      return left(new DtypeError(`threefry2x32 needs uint32 operands, got ${describeAll(inputs)}`));
    const shape = commonShape(inputs.map((x) => x.shape));
    if (shape === undefined)
      return left(
        new ShapeError(`threefry2x32 needs operands of one shape (or scalars), got ${describeAll(inputs)}`),
      );
    return right([words(shape), words(shape)]);
  }),
  evaluate: ([k0, k1, x0, x1], _, [first, second]) => {
    const n = sizeOf(first.shape);
    const out = [new Uint32Array(n), new Uint32Array(n)] as const;
    hash([k0.values, k1.values], [x0.values, x1.values], out);
    return [new ConcreteArray(out[0], first), new ConcreteArray(out[1], second)];
  },
  jvp: (primals, _, params) => {
    const outputs = bind(threefryPrimitive, primals, params);
    return { outputs, tangents: outputs.map((o) => zeroFor(o.aval)) };
  },
  batch: batchElementwise((inputs, params) => bind(threefryPrimitive, inputs, params)),
  lower: {
    kind: "map",
    element: (ctx, index) => {
      const [k0, k1, x0, x1] = elementsAt(ctx, index);
      return lowerHash(k0, k1, x0, x1);
    },
    weight: () => operationsPerHash,
  },
  cost: (_, __, [out]) => ({
    operations: operationsPerHash * sizeOf(out.shape),
    multiplications: 0,
    transcendentals: 0,
  }),
  laws: {
    differentiable: false,
    examples: () => [
      { avals: [words([]), words([]), words([]), words([])], params: noParams, domain: anyWords },
      { avals: [words([]), words([]), words([]), words([3])], params: noParams, domain: anyWords },
      { avals: [words([2]), words([2]), words([2]), words([2])], params: noParams, domain: anyWords },
      { avals: [words([2, 2]), words([2, 2]), words([]), words([2, 2])], params: noParams, domain: anyWords },
      { avals: [words([0]), words([0]), words([0]), words([0])], params: noParams, domain: anyWords },
    ],
  },
});

/**
 * The hash of counters (x0, x1) under keys (k0, k1): uint32 arrays of one shape, or scalars; gives two such arrays.
 * Throws `DtypeError` or `ShapeError`. Source: Salmon et al. 2011, Threefry-2x32-20.
 * @example
 * const zero = np.zeros([], "uint32");
 * threefry2x32(zero, zero, zero, zero) // [0x6b200159, 0x99ba4efe]
 */
export function threefry2x32(
  k0: NDArray,
  k1: NDArray,
  x0: NDArray,
  x1: NDArray,
): readonly [first: NDArray, second: NDArray] {
  const [first, second] = bind(threefryPrimitive, [k0, k1, x0, x1], noParams);
  return [first, second];
}

/** The two words of a key, as scalars. */
export function keyWords(key: NDArray): readonly [NDArray, NDArray] {
  if (key.dtype !== "uint32" || key.ndim !== 1 || key.shape[0] !== 2)
    throw new ShapeError(`a random key is a uint32[2], got ${describe(key.aval)}`);
  return [reshape(slice(key, [0], [1]), []), reshape(slice(key, [1], [2]), [])];
}

/**
 * 64 random bits for each element of an array of the given shape: two uint32 arrays, the high words and the low words.
 * The counter is the index in row-major order. Throws `ShapeError` if `key` is not a key.
 * @example
 * const [high, low] = randomWords(random.key(0), [1000]);
 */
export function randomWords(key: NDArray, shape: Shape): readonly [high: NDArray, low: NDArray] {
  const [k0, k1] = keyWords(key);
  // No array is so long that the high word of the counter would not be zero.
  const index = reshape(iota("uint32", [sizeOf(shape)], 0), shape);
  return threefry2x32(k0, k1, scalar(0, "uint32"), index);
}

/**
 * Random bits: a uint32 array of the given shape for `bitWidth` 32 (the xor of both words), a uint8 array for 8 (the
 * low byte of that). Throws `ShapeError` if `key` is not a key.
 * @example
 * randomBits(random.key(42), [2], 32) // [2098992034, 2919706841]
 */
export function randomBits(key: NDArray, shape: Shape, bitWidth: 8 | 32): NDArray {
  const [high, low] = randomWords(key, shape);
  const bits = bitwiseXor(high, low);
  return bitWidth === 32 ? bits : convertElementType(bits, "uint8");
}
