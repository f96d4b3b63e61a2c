/** Faults in dependence rules: entries of a relation are left out, so that patterns lack what a Jacobian has. */
import {
  bind,
  type ConcreteArray,
  type Example,
  Jaxpr,
  type NDArray,
  type Params,
  type Primitive,
} from "fluxion";
import { sparsity } from "fluxion/analysis";
import { type Aval, equalAvals, showAval, sizeOf } from "../../src/core/aval.js";
import { type DependenceOperand, type Relation, throughRelation } from "../../src/core/dependence.js";
import { defaultLimit, SparsityPattern } from "../../src/core/pattern.js";
import type { DependenceRule } from "../../src/core/primitive.js";
import { zeros } from "../../src/primitives/filled.js";
import { drawOperands } from "../cases.js";
import { carriesTangent, numbers } from "../close.js";
import { generator } from "../point.js";
import { like } from "../vectors.js";
import { type FaultKind, type Mutant, type Mutants, replaceRule } from "./fault.js";
import { shuffled } from "./jaxprFaults.js";
import { examplesLike, kindsOf } from "./ruleMutants.js";

/** Operands on which it is looked whether a result depends on what was left out. */
const draws = 24;
/** Operands on which patterns are compared. */
const patternDraws = 8;

/** A call of the rule that patterns of the examples make. */
interface Site {
  readonly example: Example;
  readonly key: string;
  readonly avals: readonly Aval[];
  readonly params: Params;
  readonly active: readonly boolean[];
  /** What the rule could know of each operand. */
  readonly values: readonly (ConcreteArray | undefined)[];
  readonly outputs: readonly Aval[];
  readonly relations: readonly (readonly Relation[])[];
}

/** A part of a relation that is left out: everything, or one entry. */
interface Gap {
  readonly output: number;
  readonly operand: number;
  readonly entry: readonly [row: number, column: number] | undefined;
}

const paramsText = (params: Params): string =>
  JSON.stringify(params, (_, value) => (value instanceof Jaxpr ? String(value) : value));

const keyOf = (operands: readonly DependenceOperand[], params: Params): string =>
  `${operands.map((x) => `${showAval(x.aval)}${x.active ? "*" : x.value() === undefined ? "?" : ""}`).join(" ")} ${paramsText(params)}`;

/** Patterns of an example by each float operand, the others closed over or given as arguments, as text. */
function patternsOfExample(primitive: Primitive, example: Example, seed: number): string {
  const inputs = drawOperands(example, generator(seed));
  const apply = (...xs: NDArray[]): NDArray[] =>
    [...bind(primitive, xs, example.params)].filter(carriesTangent);
  const found = inputs.flatMap((x, i) =>
    carriesTangent(x)
      ? [
          sparsity((y: NDArray) => apply(...inputs.map((own, k) => (k === i ? y : own))), x),
          sparsity(apply, ...inputs, { argnums: i }),
        ]
      : [],
  );
  return found.flat().map(entriesOf).join(" ");
}

const entriesOf = (p: SparsityPattern): string => `${p.offsets}/${p.indices}`;

function sitesOf(primitive: Primitive, rule: DependenceRule): Site[] {
  if (!primitive.laws.differentiable) return [];
  const sites = new Map<string, Site>();
  for (const example of kindsOf(primitive)) {
    const recording: DependenceRule = (operands, params, outputs, ...rest) => {
      const relations = rule(operands, params, outputs, ...rest);
      const key = keyOf(operands, params);
      if (!sites.has(key))
        sites.set(key, {
          example,
          key,
          avals: operands.map((x) => x.aval),
          params,
          active: operands.map((x) => x.active),
          values: operands.map((x) => (x.active ? undefined : x.value())),
          outputs,
          relations,
        });
      return relations;
    };
    const restore = replaceRule(primitive, "dependence", recording);
    try {
      patternsOfExample(primitive, example, 1);
    } finally {
      restore();
    }
  }
  return [...sites.values()];
}

/** A relation as a pattern. */
function patternOf({ relations, avals, outputs }: Site, output: number, operand: number) {
  const rows = sizeOf(outputs[output].shape);
  const own = SparsityPattern.identity(sizeOf(avals[operand].shape));
  return throughRelation(relations[output][operand], own, rows, defaultLimit);
}

function gapsOf(site: Site): Gap[] {
  return site.outputs.flatMap((type, output) =>
    site.avals.flatMap((_, operand): Gap[] => {
      const pattern =
        site.active[operand] && type.dtype.startsWith("float") ? patternOf(site, output, operand) : undefined;
      if (pattern === undefined || pattern.isEmpty) return [];
      const entries = Array.from({ length: pattern.rows }, (__, row) =>
        Array.from(
          pattern.indices.subarray(pattern.offsets[row], pattern.offsets[row + 1]),
          (column) => [row, column] as const,
        ),
      ).flat();
      return [
        { output, operand, entry: undefined },
        ...entries.map((entry): Gap => ({ output, operand, entry })),
      ];
    }),
  );
}

/** The relation with the gap in it. */
function withGap(site: Site, { output, operand, entry }: Gap): Relation {
  const pattern = patternOf(site, output, operand);
  if (entry === undefined || pattern === undefined) return "none";
  const [rows, columns]: [number[], number[]] = [[], []];
  for (let i = 0; i < pattern.rows; i++)
    for (const j of pattern.indices.subarray(pattern.offsets[i], pattern.offsets[i + 1]))
      if (i !== entry[0] || j !== entry[1]) {
        rows.push(i);
        columns.push(j);
      }
  return SparsityPattern.ofEntries(pattern.rows, pattern.columns, rows, columns);
}

/** Whether what was left out is zero anyway, wherever operands that are not known are drawn. */
function isZeroAnyway(primitive: Primitive, site: Site, gap: Gap, seed: number): boolean {
  const { avals, params, active, values, example } = site;
  const size = sizeOf(avals[gap.operand].shape);
  const columns = gap.entry === undefined ? Array.from({ length: size }, (_, j) => j) : [gap.entry[1]];
  for (let d = 0; d < draws; d++) {
    const drawn = drawOperands({ avals, params }, generator(seed + d));
    // Where an operand is that of the example (a number of steps, say) it is drawn from where the example draws it.
    const ofExample = drawOperands(example, generator(seed + d));
    for (const [i, type] of avals.entries())
      if (i < ofExample.length && equalAvals(type, example.avals[i])) drawn[i] = ofExample[i];
    for (const column of columns) {
      const operands = drawn.map((x, i): NDArray => {
        if (i === gap.operand)
          return like(
            x,
            Array.from({ length: size }, (_, j) => (j === column ? 1 : 0)),
          );
        return active[i] ? zeros(x.aval) : (values[i] ?? x);
      });
      // It is linear in what is active: this is a column of its matrix.
      const entries = numbers(bind(primitive, operands, params)[gap.output]);
      if (gap.entry === undefined ? entries.some((x) => x !== 0) : entries[gap.entry[0]] !== 0) return false;
    }
  }
  return true;
}

/** All faults of the dependence rule, at the calls that patterns of the examples make of it. */
export function dependenceMutants(primitive: Primitive, limit: number, random: () => number): Mutants {
  const rule = primitive.dependence;
  if (rule === undefined) return { mutants: [], places: 0 };
  const mutants: Mutant[] = [];
  let places = 0;
  for (const [number, site] of sitesOf(primitive, rule).entries()) {
    const gaps = gapsOf(site);
    places += gaps.length;
    for (const gap of shuffled(gaps, random).slice(0, limit)) {
      const { output, operand, entry } = gap;
      const kind: FaultKind = entry === undefined ? "dropped term" : "wrong mask";
      const what =
        entry === undefined ? "nothing" : `no dependence of element ${entry[0]} on element ${entry[1]}`;
      const relation = withGap(site, gap);
      const faulty: DependenceRule = (operands, params, ...rest) => {
        const sound = rule(operands, params, ...rest);
        if (keyOf(operands, params) !== site.key) return sound;
        return sound.map((row, k) => row.map((r, i) => (k === output && i === operand ? relation : r)));
      };
      const install = () => replaceRule(primitive, "dependence", faulty);
      const patterns = (seed: number): string => patternsOfExample(primitive, site.example, seed);
      mutants.push({
        primitive,
        rule: "dependence",
        kind,
        id: `${primitive.name}/dependence/${number}/out${output}/in${operand}/${entry?.join(",") ?? "all"}`,
        what: `${site.avals.map((a, i) => `${showAval(a)}${site.active[i] ? " active" : site.values[i] ? " known" : ""}`).join(", ")}: output ${output} by operand ${operand}: ${what}`,
        examples: examplesLike(primitive, site.example),
        active: undefined,
        install,
        same: (seed) => {
          if (isZeroAnyway(primitive, site, gap, seed))
            return `what is left out is zero on ${draws} draws of the operands`;
          // An output that nobody uses, or an element that depends on the same in another way.
          for (let d = 0; d < patternDraws; d++) {
            const sound = patterns(seed + d);
            const restore = install();
            try {
              if (patterns(seed + d) !== sound) return undefined;
            } finally {
              restore();
            }
          }
          return `the patterns of the example are the same on ${patternDraws} draws of the operands`;
        },
        difference: () => undefined,
      });
    }
  }
  return { mutants, places };
}
