/**
 * Functions with rules of their own for random programs: a body whose rule is its derivative, made of the body by another
 * transform than the library would take. So all laws hold for it.
 */
import {
  customJvp,
  customVjp,
  evalJaxpr,
  type Jaxpr,
  jvp,
  makeJaxpr,
  type NDArray,
  numpy as np,
  type Params,
  ShapeDtype,
  vjp,
} from "fluxion";
import { equationsOf } from "../bodies.js";
import { isFloatType } from "./copies.js";

/** How a rule comes to the derivative: at once, or by way of its double, which makes it another program. */
export type RuleVariant = "plain" | "doubled";

type Arrays = readonly NDArray[];

const multiplied = (xs: Arrays, by: number): NDArray[] =>
  xs.map((x) => (isFloatType(x.dtype) ? np.multiply(x, by) : x));

const through = (variant: RuleVariant, xs: Arrays, linear: (xs: Arrays) => Arrays): NDArray[] =>
  variant === "plain" ? [...linear(xs)] : multiplied(linear(multiplied(xs, 2)), 0.5);

const function_ =
  (body: Jaxpr) =>
  (...xs: NDArray[]): NDArray[] => [...evalJaxpr(body, ...xs)];

const makers = {
  customJvp: (body: Jaxpr, variant: RuleVariant) => {
    const f = function_(body);
    return customJvp(f, (primals: NDArray[], tangents: NDArray[]) => {
      const pushed = through(variant, tangents, (ts) => jvp(f, primals, [...ts])[1]);
      return [f(...primals), pushed] as const;
    });
  },
  customVjp: (body: Jaxpr, variant: RuleVariant) => {
    const f = function_(body);
    return customVjp(f).defVjp(
      (...xs: NDArray[]) => [f(...xs), xs],
      (xs: NDArray[], cts: NDArray[]) =>
        through(variant, cts, (us) => vjp(f, ...xs)[1]([...us]) as NDArray[]),
    );
  },
};

export type RulePrimitive = keyof typeof makers;

const numbers = new WeakMap<object, number>();
let functions = 0;

/** The rules that derivatives of a body are made of: with another rule in the place of one, it is another body. */
function rulesOf(body: Jaxpr): string {
  const ids = equationsOf(body).flatMap(({ eqn: { primitive } }) =>
    [primitive.jvp, primitive.transpose].map((rule) => {
      if (rule === undefined) return 0;
      if (!numbers.has(rule)) numbers.set(rule, ++functions);
      return numbers.get(rule);
    }),
  );
  return ids.join();
}

/** Params by body and variant, so that programs are the same whenever they are drawn; the variant by the number of the rule. */
const made = new Map<string, Params>();
const variants = new Map<string, RuleVariant>();
const most = 2000;

/** The params of an equation that applies the body with a rule. Undefined where weak types are in the way. */
export function ruleParams(
  primitive: RulePrimitive,
  body: Jaxpr,
  name: string,
  variant: RuleVariant,
): Params | undefined {
  if ([...body.inAvals, ...body.outAvals].some((type) => type.weakType)) return undefined;
  const key = `${primitive} ${variant} ${rulesOf(body)} ${body}`;
  let params = made.get(key);
  if (params === undefined) {
    const f: (...xs: NDArray[]) => NDArray[] = makers[primitive](body, variant);
    const types = body.inAvals.map(({ shape, dtype }) => new ShapeDtype([...shape], dtype));
    const { eqns } = makeJaxpr(f)(...types).jaxpr;
    const found = eqns.find((eqn) => eqn.primitive.name === primitive);
    if (found === undefined) return undefined;
    if (made.size >= most) made.clear();
    params = found.params;
    made.set(key, params);
    variants.set(`${primitive} ${params.rule}`, variant);
  }
  return { ...params, jaxpr: body, name };
}

/** How the rule of such an equation was made. */
export const variantOf = (primitive: string, { rule }: Params): RuleVariant =>
  variants.get(`${primitive} ${rule}`) ?? "plain";
