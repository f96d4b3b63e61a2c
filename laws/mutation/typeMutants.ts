/** Faults in abstract evaluation: what it predicts is not what comes out. */
import type { Aval, Example, Primitive, PrimitiveRecord } from "fluxion";
import { isLeft, right } from "fp-ts/lib/Either.js";
import { aval, sameType, showAval } from "../../src/core/aval.js";
import type { DType } from "../../src/core/dtype.js";
import { paramsKey } from "../../src/core/params.js";
import { type FaultKind, type Mutant, type Mutants, replaceRule } from "./fault.js";
import { shuffled } from "./jaxprFaults.js";
import { examplesLike, kindsOf } from "./ruleMutants.js";

/** A dtype that someone may take for another. */
const confused: Partial<Record<DType, DType>> = {
  float64: "float32",
  float32: "float64",
  float16: "float32",
  int32: "uint32",
  uint32: "int32",
  uint8: "int32",
  bool: "int32",
};

type Prediction = readonly Aval[];

function* wrongPredictions(types: Prediction): Generator<readonly [FaultKind, string, Prediction]> {
  const put = (k: number, type: Aval): Prediction => types.map((t, i) => (i === k ? type : t));
  for (const [k, type] of types.entries()) {
    const { shape, dtype, weakType } = type;
    for (const [axis, n] of shape.entries()) {
      const other = (length: number) =>
        aval(
          shape.map((m, i) => (i === axis ? length : m)),
          dtype,
          weakType,
        );
      yield ["wrong shape", `out${k}/axis${axis}+1`, put(k, other(n + 1))];
      if (n > 0) yield ["wrong shape", `out${k}/axis${axis}-1`, put(k, other(n - 1))];
      yield [
        "wrong shape",
        `out${k}/axis${axis}/dropped`,
        put(
          k,
          aval(
            shape.filter((_, i) => i !== axis),
            dtype,
            weakType,
          ),
        ),
      ];
      if (axis > 0 && shape[axis - 1] !== n)
        yield [
          "off-by-one axis",
          `out${k}/axis${axis}<>`,
          put(
            k,
            aval(
              shape.map((m, i) => (i === axis ? shape[axis - 1] : i === axis - 1 ? n : m)),
              dtype,
              weakType,
            ),
          ),
        ];
    }
    yield ["wrong shape", `out${k}/axis added`, put(k, aval([...shape, 1], dtype, weakType))];
    const wrong = confused[dtype];
    if (wrong !== undefined)
      yield ["wrong dtype", `out${k}/${wrong}`, put(k, aval(shape, wrong, weakType && wrong !== "bool"))];
    if (dtype !== "bool") yield ["wrong weak type", `out${k}/weak`, put(k, aval(shape, dtype, !weakType))];
  }
  for (let k = 0; k + 1 < types.length; k++)
    if (!sameType(types[k], types[k + 1]))
      yield [
        "swapped operands",
        `out${k}<>`,
        types.map((t, i) => (i === k ? types[k + 1] : i === k + 1 ? types[k] : t)),
      ];
  if (types.length > 0) yield ["wrong shape", "output missing", types.slice(0, -1)];
}

const sameInputs = (inputs: readonly Aval[], example: Example): boolean =>
  inputs.length === example.avals.length && inputs.every((a, i) => sameType(a, example.avals[i]));

/** All faults of the type rule; those of examples whose types differ in lengths and dtypes only are not made twice. */
export function typeMutants(primitive: Primitive, limit: number, random: () => number): Mutants {
  const mutants: Mutant[] = [];
  const known = new Set<string>();
  let places = 0;
  const original = primitive.abstractEval;
  for (const [number, example] of kindsOf(primitive).entries()) {
    const key = paramsKey(example.params);
    const types = original(example.avals, example.params);
    if (isLeft(types)) continue;
    const signature = `${example.avals.map((a) => a.shape.length)} ${types.right.map((a) => `${a.dtype}${a.shape.length}`)} ${key}`;
    if (known.has(signature)) continue;
    known.add(signature);
    const wrongs = [...wrongPredictions(types.right)];
    places += wrongs.length;
    for (const [kind, id, wrong] of shuffled(wrongs, random).slice(0, limit)) {
      const faulty: PrimitiveRecord["abstractEval"] = (inputs, params) => {
        const sound = original(inputs, params);
        return isLeft(sound) || !sameInputs(inputs, example) || paramsKey(params) !== key
          ? sound
          : right(
              id.endsWith("weak")
                ? sound.right.map((t, k) => withFlippedWeakness(t, id === `out${k}/weak`))
                : wrong,
            );
      };
      mutants.push({
        primitive,
        rule: "abstractEval",
        kind,
        id: `${primitive.name}/abstractEval/${number}/${id}`,
        what: `${example.avals.map(showAval).join(" ")}: ${wrong.map(showAval).join(" ") || "nothing"} for ${types.right.map(showAval).join(" ")}`,
        examples: examplesLike(primitive, example),
        active: undefined,
        install: () => replaceRule(primitive, "abstractEval", faulty),
        same: () =>
          example.avals.length === 0 && !id.endsWith("weak")
            ? "without operands the type rule itself says what the result is"
            : undefined,
        difference: () => undefined,
      });
    }
  }
  return { mutants, places };
}

const withFlippedWeakness = (type: Aval, flipped: boolean): Aval =>
  flipped ? aval(type.shape, type.dtype, !type.weakType) : type;
