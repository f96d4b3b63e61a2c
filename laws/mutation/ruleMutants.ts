/** Faults in the rules that are functions of arrays: jvp, transpose and batch. */
import {
  type Example,
  FluxionError,
  hashJaxpr,
  type Jaxpr,
  LinearInput,
  type NDArray,
  numpy as np,
  type Primitive,
  vjp,
  Zero,
  zeroFor,
} from "fluxion";
import { equalAvals, tangentAval, withShape } from "../../src/core/aval.js";
import { isFloat } from "../../src/core/dtype.js";
import { evalJaxpr } from "../../src/core/eval.js";
import { paramsKey } from "../../src/core/params.js";
import type { BatchRule, TransposeRule } from "../../src/core/primitive.js";
import { zeros } from "../../src/primitives/filled.js";
import { passes } from "../../src/transforms/passes.js";
import { drawOperands } from "../cases.js";
import { isExact } from "../exact.js";
import { direction, generator } from "../point.js";
import { changedRule, readBatch, readJvp, readTranspose, type TracedCall, traceCall } from "./calls.js";
import { type Difference, Differences, sameResults } from "./compare.js";
import { type Mutant, type Mutants, type RuleName, replaceRule } from "./fault.js";
import { applyFault, faultsOf, type InputRole } from "./jaxprFaults.js";
import { activeMasks, hasElements, pointOf } from "./operands.js";

/** Rows of the batches in which faults are looked for; laws may use others. */
const batchSize = 3;
/** Operands on which a faulty rule is compared with the sound one. */
const draws = 24;
/** Operands on which it is measured how far a faulty rule is off that no law noticed. */
const measured = 200;
/** Units in the last place that are rounding where a rule computes with tangents or rows of sums. */
const units = 16;

/** One kind of call of a rule, met by some examples. */
interface Site {
  readonly rule: RuleName;
  readonly label: string;
  readonly call: TracedCall;
  readonly examples: readonly Example[];
  readonly active: readonly boolean[] | undefined;
  /** Operands of such a call. */
  readonly draw: (seed: number) => readonly NDArray[];
}

const maskText = (mask: readonly boolean[]): string => mask.map((m) => (m ? "1" : "0")).join("");
const typesText = ({ avals }: Example): string =>
  avals.map(({ dtype, shape }) => `${dtype}[${shape.join(",")}]`).join(" ");

/** Examples of the same operand types and params. */
export const examplesLike = (primitive: Primitive, { avals, params }: Example): readonly Example[] =>
  primitive.laws.examples.filter(
    (e) =>
      e.avals.length === avals.length &&
      e.avals.every((a, i) => equalAvals(a, avals[i])) &&
      paramsKey(e.params) === paramsKey(params),
  );

/** One example of each kind of operand types and params. */
export const kindsOf = (primitive: Primitive): readonly Example[] =>
  primitive.laws.examples.filter((e) => examplesLike(primitive, e)[0] === e && hasElements(primitive, e));

function jvpSites(primitive: Primitive): Site[] {
  return kindsOf(primitive).flatMap((example) =>
    activeMasks(example).map((active): Site => {
      const moving = example.avals.filter((_, i) => active[i]);
      const coarse = !primitive.laws.differentiable;
      const tangents = example.avals.map((a, i) => (active[i] ? zeros(tangentAval(a)) : zeroFor(a)));
      return {
        rule: "jvp",
        label: `${typesText(example)}, tangents ${maskText(active)}`,
        call: traceCall(readJvp, primitive.jvp, [example.avals.map(zeros), tangents, example.params, passes]),
        examples: examplesLike(primitive, example),
        active,
        draw: (seed) => {
          const random = generator(seed);
          const own = examplesLike(primitive, example);
          return [
            ...drawOperands(own[seed % own.length], random, coarse && seed % 2 !== 0),
            ...moving.map((a) => direction(a, random)),
          ];
        },
      };
    }),
  );
}

/** The calls of the transpose rule that reverse mode makes at the examples: what is transposed follows from the jvp rule. */
function transposeSites(primitive: Primitive): Site[] {
  const { transpose } = primitive;
  if (transpose === undefined || !primitive.laws.differentiable) return [];
  const sites = new Map<string, Site>();
  for (const example of kindsOf(primitive))
    for (const active of activeMasks(example)) {
      const seen = new Map<string, { args: Parameters<TransposeRule>; values: NDArray[][] }>();
      const recording: TransposeRule = (...args) => {
        const call = readTranspose(transpose, args);
        const known = seen.get(call.key) ?? { args, values: [] };
        const operands = args[1].filter((x): x is NDArray => !(x instanceof LinearInput));
        if (operands.every(hasValue)) known.values.push(operands);
        seen.set(call.key, known);
        return transpose(...args);
      };
      const restore = replaceRule(primitive, "transpose", recording);
      try {
        for (let seed = 1; seed <= 6; seed++) {
          const { f, inputs, u } = pointOf(primitive, example, active, seed);
          const smooth = (...xs: NDArray[]): NDArray[] => f(...xs).filter((y) => isFloat(y.dtype));
          if (u.length > 0) vjp(smooth, ...inputs)[1]([...u]);
        }
      } finally {
        restore();
      }
      for (const [key, { args, values }] of seen) {
        if (sites.has(key)) continue;
        const call = traceCall(readTranspose, transpose, args);
        const seeds = args[0].filter((t) => !(t instanceof Zero)).map((t) => t.aval);
        const fixed = args[1].flatMap((x) => (x instanceof LinearInput ? [] : [x.aval]));
        const linear = maskText(args[1].map((x) => x instanceof LinearInput));
        sites.set(key, {
          rule: "transpose",
          label: `${typesText(example)}, active ${maskText(active)}, linear ${linear}`,
          call,
          examples: examplesLike(primitive, example),
          active,
          draw: (seed) => [
            // In the body of a loop operands are never known: then any of their types are drawn.
            ...(values.length > 0
              ? values[seed % values.length]
              : drawOperands({ avals: fixed, params: {} }, generator(seed), false)),
            ...seeds.map((type, i) => direction(type, generator(seed * 7 + i))),
          ],
        });
      }
    }
  return [...sites.values()];
}

/** Whether an array is one that can be computed with now. */
function hasValue(x: NDArray): boolean {
  try {
    x.dataSync();
    return true;
  } catch (error) {
    if (error instanceof FluxionError) return false;
    throw error;
  }
}

function batchSites(primitive: Primitive): Site[] {
  return kindsOf(primitive).flatMap((example) => {
    const { avals, params } = example;
    if (avals.length === 0) return [];
    const masks = [avals.map(() => true)];
    if (avals.length > 1) masks.push(...avals.map((_, i) => avals.map((__, k) => k === i)));
    return masks.map((mask): Site => {
      const types = avals.map((a, i) => (mask[i] ? withShape(a, [batchSize, ...a.shape]) : a));
      return {
        rule: "batch",
        label: `${typesText(example)}, batched ${maskText(mask)}`,
        call: traceCall(readBatch, primitive.batch, [batchSize, types.map(zeros), mask, params, passes]),
        examples: examplesLike(primitive, example),
        active: undefined,
        draw: (seed) => {
          const random = generator(seed);
          const coarse = !primitive.laws.differentiable && seed % 2 !== 0;
          const rows = Array.from({ length: batchSize }, () => drawOperands(example, random, coarse));
          return mask.map((isBatched, i) => (isBatched ? np.stack(rows.map((row) => row[i])) : rows[0][i]));
        },
      };
    });
  });
}

/** The text of a jaxpr up to lengths of axes and dtypes: where rules look at those, it shows in primitives and params. */
const shapeless = (jaxpr: Jaxpr): string =>
  String(jaxpr)
    .replace(/~?\b(f|i|u)(8|16|32|64)\b|~?\bbool\b/g, "t")
    .replace(/t\[([\d,]*)\]/g, (_, dims: string) => (dims === "" ? "t" : "t[]"));

/** All faults in a rule of a primitive; calls that look the same to it are one place, and of one place at most `limit` count. */
export function ruleMutants(
  primitive: Primitive,
  rule: "jvp" | "transpose" | "batch",
  limit: number,
  random: () => number,
): Mutants {
  const sites = { jvp: jvpSites, transpose: transposeSites, batch: batchSites }[rule](primitive);
  const known = new Set<string>();
  const mutants: Mutant[] = [];
  let places = 0;
  for (const [number, site] of sites.entries()) {
    const signature = `${site.label.replace(/^.*?, /, "")} ${shapeless(site.call.jaxpr)}`;
    if (known.has(signature)) continue;
    known.add(signature);
    const { call } = site;
    const found = faultsOf(call.jaxpr, call.roles, limit, random);
    places += found.places;
    for (const fault of found.faults)
      mutants.push({
        primitive,
        rule,
        kind: fault.kind,
        id: `${primitive.name}/${rule}/${number}/${fault.id}`,
        what: `${site.label}: ${fault.what}`,
        examples: site.examples,
        active: site.active,
        install: () =>
          install(primitive, site, (jaxpr, roles) =>
            hashJaxpr(jaxpr) === hashJaxpr(call.jaxpr) ? fault.jaxpr : applyFault(jaxpr, roles, fault.id),
          ),
        same: (seed) => sameNumbers(primitive, site, fault.jaxpr, seed),
        difference: (seed) => difference(site, fault.jaxpr, seed),
      });
    if (rule === "batch") {
      mutants.push(...flagMutants(primitive, site, number));
      places += call.jaxpr.outputs.length;
    }
  }
  return { mutants, places };
}

function install(
  primitive: Primitive,
  { rule, call: { key } }: Site,
  change: (jaxpr: Jaxpr, roles: readonly InputRole[]) => Jaxpr | undefined,
): () => void {
  if (rule === "jvp") return replaceRule(primitive, "jvp", changedRule(readJvp, primitive.jvp, key, change));
  if (rule === "batch")
    return replaceRule(primitive, "batch", changedRule(readBatch, primitive.batch, key, change));
  const transpose = primitive.transpose as TransposeRule;
  return replaceRule(primitive, "transpose", changedRule(readTranspose, transpose, key, change));
}

/** A batched output said not to be, and the other way round. */
function flagMutants(primitive: Primitive, site: Site, number: number): Mutant[] {
  return site.call.jaxpr.outputs.map((_, k) => ({
    primitive,
    rule: "batch",
    kind: "wrong flag",
    id: `${primitive.name}/batch/${number}/out${k}/flag`,
    what: `${site.label}: output ${k} with the wrong flag`,
    examples: site.examples,
    active: undefined,
    install: () => {
      const edit = (result: ReturnType<BatchRule>): ReturnType<BatchRule> => ({
        ...result,
        batched: result.batched.map((b, i) => (i === k ? !b : b)),
      });
      const changed = changedRule(readBatch, primitive.batch, site.call.key, (jaxpr) => jaxpr, edit);
      return replaceRule(primitive, "batch", changed);
    },
    same: () => undefined,
    difference: () => undefined,
  }));
}

/** Whether both jaxprs give the same numbers, up to rounding where there is any, wherever operands are drawn. */
function sameNumbers(primitive: Primitive, site: Site, faulty: Jaxpr, seed: number): string | undefined {
  // Tangents are sums of products, even those of what rounds nothing.
  const noTangents = site.rule === "batch" || !primitive.laws.differentiable;
  const allowed = noTangents && isExact(primitive) ? 0 : units;
  for (let k = 0; k < draws; k++) {
    const inputs = site.draw(seed + k);
    if (!sameResults(evalJaxpr(site.call.jaxpr, inputs), evalJaxpr(faulty, inputs), allowed))
      return undefined;
  }
  return allowed === 0
    ? `the very same numbers on ${draws} draws of the operands`
    : `the same numbers to ${allowed} units of rounding on ${draws} draws of the operands`;
}

function difference(site: Site, faulty: Jaxpr, seed: number): Difference {
  const differences = new Differences("largest element");
  for (let k = 0; k < measured; k++) {
    const inputs = site.draw(seed + k);
    differences.add(evalJaxpr(site.call.jaxpr, inputs), evalJaxpr(faulty, inputs));
  }
  return differences.result;
}
