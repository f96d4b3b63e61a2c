/** Work that is the same in every step of a dynamic loop is done before the loop, when it is compiled. */
import { buildJaxpr, memoize } from "../../core/build.js";
import { evalJaxpr } from "../../core/eval.js";
import { type Jaxpr, subJaxprs } from "../../core/jaxpr.js";
import { identityOf } from "../../core/params.js";
import { type Hoisted, hoistInvariants, writtenOut } from "./hoist.js";
import { type BindWhile, type WhileParams, whileParts } from "./whileParams.js";

/** Undefined if the loop is to be compiled as it is. */
export const inlineWhile = (bindWhile: BindWhile, params: WhileParams): Jaxpr | undefined =>
  inlining(params.body, params, bindWhile).found;

const inlining = memoize(
  ({ cond, condConsts, bodyConsts, slots }: WhileParams, _: BindWhile) =>
    `${identityOf(cond)}/${condConsts}/${bodyConsts}/${slots}`,
  (_: Jaxpr, params: WhileParams, bindWhile: BindWhile): { readonly found: Jaxpr | undefined } => {
    const { condConsts, bodyConsts } = params;
    const [cond, body] = [writtenOut(params.cond), writtenOut(params.body)];
    const early = [hoisted(cond, condConsts), hoisted(body, bodyConsts)];
    const [ofCond, ofBody] = early;
    if (ofCond === undefined && ofBody === undefined) return { found: undefined };
    const types = [...cond.inAvals.slice(0, condConsts), ...body.inAvals];
    const found = buildJaxpr("while", types, (inputs) => {
      const given = whileParts(inputs, params);
      const forCond = ofCond === undefined ? [] : evalJaxpr(ofCond.before, given.condConsts);
      const forBody = ofBody === undefined ? [] : evalJaxpr(ofBody.before, given.bodyConsts);
      return bindWhile(
        {
          ...params,
          cond: ofCond?.body ?? cond,
          body: ofBody?.body ?? body,
          condConsts: forCond.length + condConsts,
          bodyConsts: forBody.length + bodyConsts,
        },
        [...forCond, ...given.condConsts, ...forBody, ...given.bodyConsts, ...given.carry],
      );
    });
    return { found };
  },
);

/** Nothing is computed in advance that might not end: there may be no step at all, because it would not. */
function hoisted(jaxpr: Jaxpr, consts: number): Hoisted | undefined {
  const found = hoistInvariants(
    jaxpr,
    jaxpr.inputs.map((_, i) => i < consts),
  );
  return found === undefined || hasWhile(found.before) ? undefined : found;
}

const hasWhile: (jaxpr: Jaxpr) => boolean = memoize(
  () => "hasWhile",
  (jaxpr: Jaxpr): boolean =>
    jaxpr.eqns.some(
      ({ primitive, params }) => primitive.name === "while" || subJaxprs(params).some(hasWhile),
    ),
);
