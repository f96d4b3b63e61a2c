/** Patterns of blocks [output leaf][input leaf], and what the leaves of a linear map depend on by its equations alone. */
import { sizeOf } from "../../core/aval.js";
import { type Eqn, type Jaxpr, Var } from "../../core/jaxpr.js";
import { SparsityPattern } from "../../core/pattern.js";
import type { MapShape } from "./passes.js";

/** Patterns with more entries than this are not put together: they are taken to be full. */
const mostEntries = 2 ** 24;

/** Blocks as one pattern: rows of the outputs one behind the other, columns of the inputs likewise. */
export function joined(blocks: readonly (readonly SparsityPattern[])[]): SparsityPattern {
  if (blocks.length === 1 && blocks[0].length === 1) return blocks[0][0];
  const rows = blocks.reduce((n, row) => n + (row[0]?.rows ?? 0), 0);
  const columns = (blocks[0] ?? []).reduce((n, block) => n + block.columns, 0);
  const total = blocks.flat().reduce((n, block) => n + block.nonzeros, 0);
  if (total > mostEntries || blocks.flat().every((block) => block.isFull))
    return SparsityPattern.all(rows, columns);
  const offsets = new Int32Array(rows + 1);
  const indices = new Int32Array(total);
  let [at, row] = [0, 0];
  for (const line of blocks) {
    let first = 0;
    // A full pattern lists its entries each time it is asked for them.
    const parts = line.map(({ offsets: begins, indices: list, columns: width }) => {
      first += width;
      return { begins, list, first: first - width };
    });
    for (let i = 0; i < line[0].rows; i++) {
      for (const { begins, list, first } of parts)
        for (let k = begins[i]; k < begins[i + 1]; k++) indices[at++] = list[k] + first;
      offsets[++row] = at;
    }
  }
  return SparsityPattern.ofRows(rows, columns, offsets, indices);
}

/** Sizes of leaves, and how many operations one pass from or to each of them takes: those of the equations it goes through. */
export interface LeafCosts {
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** Which outputs [output][input] depend on which inputs, by the equations. */
  readonly depends: readonly (readonly boolean[])[];
}

/**
 * What a pass through the whole map costs for each leaf. A transposed equation is taken to cost what the equation does.
 * Leaves are all of the map; those that are not active depend on nothing.
 */
export function leafCosts(map: MapShape): LeafCosts {
  const { jaxpr, residuals, activeIn, activeOut } = map;
  const costs = jaxpr.eqns.map(equationCost);
  const variables = jaxpr.inputs.slice(residuals);
  let next = 0;
  const reached = activeIn.map((is) => (is ? reach(jaxpr, variables[next++]) : undefined));
  next = 0;
  const ends = activeOut.map((is) => (is ? jaxpr.outputs[next++] : undefined));
  const needed = ends.map((end) => (end instanceof Var ? needs(jaxpr, end) : undefined));
  const sum = (used: Uint8Array | undefined): number =>
    jaxpr.eqns.reduce((n, eqn, e) => (eqn.outputs.some((v) => used?.[v.id]) ? n + costs[e] : n), 0);
  return {
    inputs: reached.map(sum),
    outputs: needed.map(sum),
    depends: ends.map((end) => reached.map((used) => end instanceof Var && used?.[end.id] === 1)),
  };
}

const equationCost = ({ primitive, inputs, params, outputs }: Eqn): number =>
  primitive.cost(
    inputs.map((a) => a.aval),
    params,
    outputs.map((v) => v.aval),
  ).operations;

/** Variables that depend on one. */
function reach(jaxpr: Jaxpr, from: Var): Uint8Array {
  const reached = new Uint8Array(jaxpr.varCount);
  reached[from.id] = 1;
  for (const { inputs, outputs } of jaxpr.eqns)
    if (inputs.some((a) => a instanceof Var && reached[a.id] === 1))
      for (const v of outputs) reached[v.id] = 1;
  return reached;
}

/** Variables that one depends on. */
function needs(jaxpr: Jaxpr, end: Var): Uint8Array {
  const needed = new Uint8Array(jaxpr.varCount);
  needed[end.id] = 1;
  for (let e = jaxpr.eqns.length - 1; e >= 0; e--) {
    const { inputs, outputs } = jaxpr.eqns[e];
    if (outputs.some((v) => needed[v.id] === 1))
      for (const a of inputs) if (a instanceof Var) needed[a.id] = 1;
  }
  return needed;
}

/** Whether there can be anything in each block: by its pattern, if that is known, or by the equations. */
export const nonzeroBlocks = (
  map: MapShape,
  patterns: readonly (readonly SparsityPattern[])[] | undefined,
  { depends }: LeafCosts,
): boolean[][] =>
  map.activeOut.map((isOut, o) =>
    map.activeIn.map(
      (isIn, i) =>
        isOut &&
        isIn &&
        depends[o][i] &&
        patterns?.[o][i].isEmpty !== true &&
        sizeOf(map.outAvals[o].shape) * sizeOf(map.inAvals[i].shape) > 0,
    ),
  );
