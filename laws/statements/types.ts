/** Laws of types: what is known of a result before anything is computed. */

import { type Aval, checkJaxpr, equalJaxprs, evalShape, makeJaxpr, type NDArray, ShapeDtype } from "fluxion";
import { isLeft } from "fp-ts/lib/Either.js";
import { type ArrayFunction, every, fails, holds, type Law, law, type Verdict } from "../law.js";
import type { Point } from "../point.js";

/** What has a type: an array, or what stands for one. */
interface Typed {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly weakType: boolean;
}

/** `float64[2,3]`, with "weak" behind it where the dtype is weak. */
export const showType = ({ shape, dtype, weakType }: Typed): string =>
  `${dtype}[${shape.join(",")}]${weakType ? " weak" : ""}`;

/** Compares shape, dtype and weakness. */
export function sameTypes(
  left: readonly Typed[],
  right: readonly Typed[],
  names: readonly [string, string],
  where = "",
): Verdict {
  const differ = (what: string, a: string, b: string): Verdict =>
    fails(
      { name: names[0], value: a },
      { name: names[1], value: b },
      where === "" ? what : `${where}, ${what}`,
    );
  if (left.length !== right.length)
    return differ("number of arrays", String(left.length), String(right.length));
  for (const [i, x] of left.entries()) {
    const [a, b] = [showType(x), showType(right[i])];
    if (a !== b) return differ(`output ${i}`, a, b);
  }
  return holds;
}

/** Runs what gives a verdict; an error of it is a failure of the statement that `left` has a value. */
export function attempting(left: string, wanted: string, where: string, run: () => Verdict): Verdict {
  try {
    return run();
  } catch (error) {
    const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return fails({ name: left, value: message }, { name: wanted, value: "a value" }, where);
  }
}

const trace = (f: ArrayFunction, inputs: readonly NDArray[]) => makeJaxpr((...xs) => f(...xs))(...inputs);

const standIn = ({ shape, dtype, weakType }: Aval): ShapeDtype => new ShapeDtype(shape, dtype, { weakType });

/** `evalShape` sees types alone, so it cannot peep at values. */
const shapes = law<Point>({
  name: "types are predicted",
  subject: "function",
  statement: "type(f(x)) = evalShape(f)(type(x))",
  source:
    "Plotkin & Abadi, A Simple Differentiable Programming Language, 2020, section 2 (progress and preservation)",
  check: ({ f, inputs }) => {
    const predicted = evalShape((...xs: NDArray[]) => f(...xs), ...inputs.map((x) => standIn(x.aval)));
    return sameTypes(f(...inputs), predicted as readonly ShapeDtype[], ["f(x)", "evalShape(f)(type(x))"]);
  },
});

const wellTyped = law<Point>({
  name: "programs are well typed",
  subject: "function",
  statement: "⊢ jaxpr(f) : type(x) → type(f(x))",
  source: "Pierce, Types and Programming Languages, ch. 8 (preservation)",
  check: ({ f, inputs }) => {
    const { jaxpr, consts } = trace(f, inputs);
    const checked = checkJaxpr(jaxpr);
    const given = [...consts, ...inputs].map((x) => x.aval);
    return every(
      () => sameTypes(jaxpr.inAvals, given, ["inputs of jaxpr(f)", "type(x)"]),
      () =>
        isLeft(checked)
          ? fails(
              { name: "checkJaxpr(jaxpr(f))", value: checked.left.message },
              { name: "wanted", value: "a well typed program" },
            )
          : holds,
      () =>
        sameTypes(
          jaxpr.outAvals,
          f(...inputs).map((y) => y.aval),
          ["outputs of jaxpr(f)", "type(f(x))"],
        ),
    );
  },
});

/** What `jit` relies on when it keeps a program for later calls. */
const pure = law<Point>({
  name: "tracing is repeatable",
  subject: "function",
  statement: "jaxpr(f) = jaxpr(f)",
  source: "Bradbury et al., JAX: composable transformations of Python+NumPy programs, 2018 (pure functions)",
  check: ({ f, inputs }) => {
    const [once, again] = [trace(f, inputs), trace(f, inputs)];
    return equalJaxprs(once.jaxpr, again.jaxpr)
      ? holds
      : fails(
          { name: "jaxpr(f), traced first", value: String(once.jaxpr) },
          { name: "jaxpr(f), traced again", value: String(again.jaxpr) },
        );
  },
});

export const functionLaws: readonly Law<Point>[] = [shapes, wellTyped, pure];
