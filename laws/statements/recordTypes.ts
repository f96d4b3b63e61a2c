/** Laws of the types and the cost in a primitive's record. */

import {
  type Aval,
  aval,
  batchJaxpr,
  bind,
  type ConcreteArray,
  type DType,
  type Jaxpr,
  jaxprCost,
  makeJaxpr,
  type NDArray,
  type Params,
} from "fluxion";
import { isLeft } from "fp-ts/lib/Either.js";
import type { PrimitiveCase } from "../cases.js";
import { arrayOf } from "../corners.js";
import { abstains, every, fails, holds, type Law, law, type Verdict } from "../law.js";
import { attempting, sameTypes, showType } from "./types.js";

const source =
  "Plotkin & Abadi, A Simple Differentiable Programming Language, 2020, section 2 (progress and preservation)";

/** The program of one application; a new object, of which no pass remembers anything. */
export const programOf = ({ primitive, example, inputs }: PrimitiveCase): Jaxpr =>
  makeJaxpr((...xs: NDArray[]) => bind(primitive, xs, example.params))(...inputs).jaxpr;

/** The same array, of weak or of strong type. */
export const retyped = (x: NDArray, weakType: boolean): ConcreteArray =>
  arrayOf([...x.dataSync()], aval(x.shape, x.dtype, weakType));

/** No operand, each by itself, all of them: booleans are never weak. */
function weakMasks(inputs: readonly NDArray[]): boolean[][] {
  const able = inputs.map((x) => x.dtype !== "bool");
  const single = able.flatMap((a, i) => (a ? [able.map((_, k) => k === i)] : []));
  return [able.map(() => false), ...single, ...(single.length > 1 ? [able] : [])];
}

const show = (types: readonly Aval[]): string => types.map(showType).join(", ") || "nothing";

/** Elements that the dtype cannot hold, or too few of them. */
function faultOf(y: ConcreteArray): string | undefined {
  const values = [...y.values];
  const n = y.shape.reduce((a, b) => a * b, 1);
  if (values.length !== n) return `${values.length} elements`;
  const rounded = arrayOf(values, y.aval).values;
  const at = values.findIndex((x, i) => !Object.is(x, rounded[i]));
  if (at >= 0) return `${values[at]} as element ${at}`;
  return rounded.constructor === y.values.constructor ? undefined : `a ${y.values.constructor.name}`;
}

/** One application: what evaluation gives is what was predicted, in types and in elements. */
function predicted(
  primitive: PrimitiveCase["primitive"],
  operands: readonly ConcreteArray[],
  params: Params,
  mayRefuse: boolean,
): Verdict {
  const given = operands.map((x) => x.aval);
  const types = primitive.abstractEval(given, params);
  const where = `operands ${show(given)}`;
  if (isLeft(types))
    return mayRefuse
      ? holds
      : fails(
          { name: "abstractEval(type(x))", value: types.left.message },
          { name: "wanted", value: "types" },
          where,
        );
  const outputs = primitive.evaluate(operands, params, types.right);
  return every(
    () => sameTypes(outputs, types.right, ["type(evaluate(x))", "abstractEval(type(x))"], where),
    () => {
      const faults = outputs.map(faultOf);
      const k = faults.findIndex((fault) => fault !== undefined);
      return k < 0
        ? holds
        : fails(
            { name: "evaluate(x)", value: faults[k] as string },
            { name: "wanted", value: `elements of ${showType(outputs[k])}` },
            `${where}, output ${k}`,
          );
    },
  );
}

const predicts = law<PrimitiveCase>({
  name: "abstract evaluation predicts evaluation",
  subject: "primitive",
  statement: "type(evaluate(x)) = abstractEval(type(x)), for strong and weak operands, in every float dtype",
  source,
  check: (given) => {
    const { primitive, example, inputs } = given;
    const weak = weakMasks(inputs).map((mask) => (): Verdict => {
      const operands = inputs.map((x, i) => retyped(x, mask[i]));
      return predicted(primitive, operands, example.params, false);
    });
    const twins = (["float16", "float32", "float64"] as const).flatMap((to) => twinOf(given, to) ?? []);
    return every(
      ...weak,
      ...twins.map(({ avals, params }) => (): Verdict => {
        const operands = inputs.map((x, i) => arrayOf([...x.dataSync()], avals[i]));
        return predicted(primitive, operands, params, true);
      }),
    );
  },
});

/** Whether the params ask for a weak result. */
const asksForWeak = (params: Params): boolean => params.weakType === true;

const weakness = law<PrimitiveCase>({
  name: "weak types give way",
  subject: "primitive",
  statement: "no weak operand ⇒ no weak result; weakness changes neither shapes nor dtypes",
  source: "JAX documentation, Type promotion semantics (weakly typed values)",
  check: ({ primitive, example, inputs }) => {
    const typesAt = (mask: readonly boolean[]): readonly Aval[] | undefined => {
      const types = primitive.abstractEval(
        inputs.map(({ aval: { shape, dtype } }, i) => aval(shape, dtype, mask[i])),
        example.params,
      );
      return isLeft(types) ? undefined : types.right;
    };
    const [none, ...some] = weakMasks(inputs);
    const strong = typesAt(none);
    if (strong === undefined) return abstains("the operands have no result");
    if (strong.some((t) => t.weakType) && !asksForWeak(example.params))
      return fails(
        { name: "abstractEval of strong types", value: show(strong) },
        { name: "wanted", value: "strong types" },
      );
    const plain = (types: readonly Aval[]): Aval[] => types.map(({ shape, dtype }) => aval(shape, dtype));
    return every(
      ...some.map((mask) => (): Verdict => {
        const types = typesAt(mask);
        const where = `operands ${mask.map((w) => (w ? "weak" : "strong")).join(", ")}`;
        if (types === undefined)
          return fails(
            { name: "abstractEval of weak types", value: "refused" },
            { name: "wanted", value: show(strong) },
            where,
          );
        return sameTypes(
          plain(types),
          plain(strong),
          ["abstractEval of weak types", "abstractEval of strong types"],
          where,
        );
      }),
    );
  },
});

/** Params with one float dtype for another. */
const withDtype = (params: Params, from: DType, to: DType): Params =>
  Object.fromEntries(Object.entries(params).map(([key, value]) => [key, value === from ? to : value]));

/** An application in another float dtype; nothing if no operand is a float, or if they are of several dtypes. */
export function twinOf(
  { primitive, example, inputs }: PrimitiveCase,
  to: DType,
): { readonly from: DType; readonly avals: readonly Aval[]; readonly params: Params } | undefined {
  const floats = new Set(inputs.map((x) => x.dtype).filter((d) => d.startsWith("float")));
  const [from] = floats;
  // What reads or makes bits is another function for each format, and so is a body of one type.
  if (floats.size !== 1 || primitive.name === "bitcastConvertType" || primitive.family === "call")
    return undefined;
  const avals = inputs.map(({ aval: type }) => (type.dtype === from ? aval(type.shape, to) : type));
  return { from, avals, params: withDtype(example.params, from, to) };
}

const uniform = law<PrimitiveCase>({
  name: "types are the same for all floats",
  subject: "primitive",
  statement:
    "abstractEval(type(x) with float32 for float64) = abstractEval(type(x)) with float32 for float64",
  source: "Reynolds, Types, abstraction and parametric polymorphism, 1983",
  check: (given) => {
    const { primitive, example, inputs } = given;
    const own = primitive.abstractEval(
      inputs.map((x) => x.aval),
      example.params,
    );
    if (isLeft(own)) return abstains("the operands have no result");
    const verdicts = (["float16", "float32", "float64"] as const).map((to) => (): Verdict => {
      const twin = twinOf(given, to);
      if (twin === undefined) return abstains("it has no twin of another float dtype");
      if (twin.from === to) return holds;
      const types = primitive.abstractEval(twin.avals, twin.params);
      const wanted = own.right.map((t) => (t.dtype === twin.from ? aval(t.shape, to, t.weakType) : t));
      // A primitive for a format of its own refuses the others.
      if (isLeft(types)) return abstains(`it does not take ${to}`);
      return sameTypes(types.right, wanted, [`types in ${to}`, `types in ${twin.from}, renamed`]);
    });
    return every(...verdicts);
  },
});

const total = law<PrimitiveCase>({
  name: "abstract evaluation is total",
  subject: "primitive",
  statement: "abstractEval gives types or an error for any operands, and throws nothing",
  source: "Turner, Total functional programming, 2004",
  check: ({ primitive, example, inputs }) => {
    const own = inputs.map((x) => x.aval);
    const grown = (t: Aval): Aval => aval([...t.shape, 2], t.dtype);
    const shrunk = (t: Aval): Aval => aval(t.shape.slice(1), t.dtype);
    const other = (t: Aval): Aval => aval(t.shape, t.dtype === "bool" ? "float32" : "bool");
    const lists: readonly (readonly Aval[])[] = [
      [],
      own.slice(1),
      [...own, aval([2], "float64")],
      ...own.flatMap((_, i) =>
        [grown, shrunk, other].map((change) => own.map((t, k) => (k === i ? change(t) : t))),
      ),
    ];
    return every(
      ...lists.map(
        (list) => () =>
          attempting("abstractEval", "an error as a value", `operands ${show(list)}`, () => {
            const types = primitive.abstractEval(list, example.params);
            const isWrong = (t: Aval): boolean => !t.shape.every((n) => Number.isSafeInteger(n) && n >= 0);
            return !isLeft(types) && types.right.some(isWrong)
              ? fails(
                  { name: "abstractEval", value: show(types.right) },
                  { name: "wanted", value: "types or an error" },
                  show(list),
                )
              : holds;
          }),
      ),
    );
  },
});

const count = law<PrimitiveCase>({
  name: "cost is a count",
  subject: "primitive",
  statement: "0 ≤ multiplications + transcendentals ≤ operations < ∞, and a larger batch costs no less",
  source: "Griewank & Walther, Evaluating Derivatives, ch. 3 (temporal complexity)",
  check: (given) => {
    const { primitive, example, inputs } = given;
    const types = primitive.abstractEval(
      inputs.map((x) => x.aval),
      example.params,
    );
    if (isLeft(types)) return abstains("the operands have no result");
    const cost = primitive.cost(
      inputs.map((x) => x.aval),
      example.params,
      types.right,
    );
    const { operations, multiplications, transcendentals } = cost;
    const isCount = [operations, multiplications, transcendentals].every((n) => Number.isFinite(n) && n >= 0);
    if (!isCount || multiplications + transcendentals > operations)
      return fails({ name: "cost", value: JSON.stringify(cost) }, { name: "wanted", value: "a count" });
    if (inputs.length === 0) return holds;
    const jaxpr = programOf(given);
    const work = (size: number): number =>
      jaxprCost(
        batchJaxpr(
          jaxpr,
          size,
          inputs.map(() => true),
        ).jaxpr,
      ).operations;
    const [two, four] = [work(2), work(4)];
    return two <= four
      ? holds
      : fails(
          { name: "cost of a batch of 4", value: String(four) },
          { name: "wanted", value: `no less than for a batch of 2, ${two}` },
        );
  },
});

export const primitiveLaws: readonly Law<PrimitiveCase>[] = [predicts, weakness, uniform, total, count];
