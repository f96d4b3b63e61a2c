/**
 * Passes: a linear map, or its transpose, applied to several seeds at once. Seeds are the basis vectors of some leaves, or
 * sums of them: all elements of one colour together.
 */
import { type ConcreteArray, concreteArray, type NDArray, scalar } from "../../core/array.js";
import { type Aval, aval, sizeOf } from "../../core/aval.js";
import { evalJaxpr } from "../../core/eval.js";
import { Jaxpr, subJaxprs } from "../../core/jaxpr.js";
import { broadcastInDim } from "../../primitives/broadcast.js";
import { jaxprCost } from "../../primitives/call.js";
import { convertElementType } from "../../primitives/cast.js";
import { eq } from "../../primitives/comparison.js";
import { filled, zeros } from "../../primitives/filled.js";
import { gather } from "../../primitives/gather.js";
import { iota, reshape, transpose } from "../../primitives/shape.js";
import { slice } from "../../primitives/slicing.js";
import { batchJaxpr } from "../../transforms/batch.js";
import { dceJaxpr } from "../../transforms/dce.js";
import { basis } from "../../transforms/jacobian.js";
import { jvpJaxpr } from "../../transforms/jvp.js";
import type { LinearMap } from "../../transforms/linearize.js";
import { transposeJaxpr } from "../../transforms/transpose.js";
import { denseOf, type SparseStructure } from "./sparseArray.js";

export type Direction = "forward" | "reverse";

/** A linear map without its residuals' values: what a plan may depend on. */
export type MapShape = Omit<LinearMap, "residuals"> & { readonly residuals: number };

/** A program that pushes tangents of some inputs to some outputs, or pulls cotangents of some outputs to some inputs. */
export interface Part {
  readonly direction: Direction;
  /** The leaves that are seeded, inputs or outputs, and their types. */
  readonly seeded: readonly number[];
  readonly types: readonly Aval[];
  /** The leaves on the other side that results belong to: those of the wanted ones that depend on a seed. */
  readonly given: readonly number[];
  /** Takes the residuals, then `idle` tangents that nothing depends on, then a seed for each seeded leaf. */
  readonly program: Jaxpr;
  readonly idle: readonly Aval[];
}

export interface Pass {
  readonly part: Part;
  /** How many seeds there are. */
  readonly size: number;
  /** The seed that each element of the seeded leaves, one leaf behind the other, is in; undefined: each in its own. */
  readonly colours: Int32Array | undefined;
  /** The program of the part for all seeds at once. */
  readonly program: Jaxpr;
  /** Counted: the program, and the making of seeds. */
  readonly operations: number;
  /** Index arrays of blocks, made once. */
  readonly places: Map<string, ConcreteArray>;
  /** Blocks whose entries are all results of the pass, in order. */
  readonly inOrder: Map<string, boolean>;
}

const active = (mask: readonly boolean[]): number[] => mask.flatMap((is, i) => (is ? [i] : []));

/**
 * The part of a linear map from `seeded` inputs to `wanted` outputs.
 *
 * @throws NotDifferentiableError if it cannot be run: a derivative rule may say how cotangents are pulled back in a way that is
 *   not linear, so that nothing says how tangents are pushed forward.
 */
export function forwardPart(
  map: MapShape,
  seeded: readonly number[],
  wanted: readonly number[] = active(map.activeOut),
): Part {
  const part = forwardProgram(map, seeded, wanted);
  requireBodies(part.program);
  return part;
}

/** Throws what running a program would, because an equation does not stand for simpler ones though it should. */
function requireBodies(jaxpr: Jaxpr, seen = new Set<Jaxpr>()): void {
  if (seen.has(jaxpr)) return;
  seen.add(jaxpr);
  for (const { primitive, params, inputs } of jaxpr.eqns) {
    const body = primitive.inline?.(
      params,
      inputs.map((a) => a.aval),
    );
    for (const inside of body === undefined ? subJaxprs(params) : [body]) requireBodies(inside, seen);
  }
}

function forwardProgram(map: MapShape, seeded: readonly number[], wanted: readonly number[]): Part {
  const inputs = active(map.activeIn);
  const outputs = active(map.activeOut);
  const types = seeded.map((i) => map.inAvals[i]);
  const isWanted = outputs.map((o) => wanted.includes(o));
  if (seeded.length === inputs.length) {
    const program = withInputs(map.jaxpr, isWanted);
    return {
      direction: "forward",
      seeded,
      types,
      given: outputs.filter((_, k) => isWanted[k]),
      program,
      idle: [],
    };
  }
  // A linear map of some of its inputs, the others zero, is its derivative by them.
  const mask = [...new Array<boolean>(map.residuals).fill(false), ...inputs.map((i) => seeded.includes(i))];
  const pushed = jvpJaxpr(map.jaxpr, mask);
  const moved = outputs.filter((_, k) => pushed.activeOut[k]);
  const keep = [...outputs.map(() => false), ...moved.map((o) => wanted.includes(o))];
  const program = withInputs(pushed.jaxpr, keep);
  return {
    direction: "forward",
    seeded,
    types,
    given: moved.filter((o) => wanted.includes(o)),
    program,
    idle: inputs.map((i) => map.inAvals[i]),
  };
}

/** The part of the transposed map from `seeded` outputs to `wanted` inputs. */
export function reversePart(
  map: MapShape,
  seeded: readonly number[],
  wanted: readonly number[] = active(map.activeIn),
): Part {
  const inputs = active(map.activeIn);
  const outputs = active(map.activeOut);
  const linear = map.jaxpr.inputs.map((_, k) => k >= map.residuals);
  const transposed = transposeJaxpr(
    map.jaxpr,
    linear,
    outputs.map((o) => !seeded.includes(o)),
  );
  const moved = inputs.filter((_, k) => !transposed.zeroOut[k]);
  const program = withInputs(
    transposed.jaxpr,
    moved.map((i) => wanted.includes(i)),
  );
  return {
    direction: "reverse",
    seeded,
    types: seeded.map((o) => map.outAvals[o]),
    given: moved.filter((i) => wanted.includes(i)),
    program,
    idle: [],
  };
}

/** A jaxpr that gives only the wanted outputs, and still takes all inputs. */
function withInputs(jaxpr: Jaxpr, wanted: readonly boolean[]): Jaxpr {
  const pruned = dceJaxpr(jaxpr, wanted).jaxpr;
  return pruned === jaxpr ? jaxpr : new Jaxpr(jaxpr.inputs, pruned.eqns, pruned.outputs, jaxpr.varCount);
}

/** How many elements the seeded leaves have. */
export const seedsOf = ({ types }: Pick<Part, "types">): number =>
  types.reduce((n, t) => n + sizeOf(t.shape), 0);

/**
 * A part for as many seeds as there are colours, or elements.
 *
 * @param colouring none means each element by itself.
 */
export function makePass(
  part: Part,
  colouring?: { readonly count: number; readonly colours: Int32Array },
): Pass {
  const total = seedsOf(part);
  const compressed = colouring !== undefined && colouring.count < total;
  const size = compressed ? colouring.count : total;
  const { program } = part;
  const fixed = program.inputs.length - part.types.length;
  const batched =
    size === 1
      ? program
      : batchJaxpr(
          program,
          size,
          program.inputs.map((_, k) => k >= fixed),
          program.outputs.map(() => true),
        ).jaxpr;
  // Each element is compared with each seed; behind the first leaf a dense basis is shifted, too.
  const first = part.types.length === 0 ? 0 : sizeOf(part.types[0].shape);
  const seeding = size === 1 ? 0 : compressed ? size * total : size * (2 * total - first);
  return {
    part,
    size,
    colours: compressed ? colouring.colours : undefined,
    program: batched,
    operations: jaxprCost(batched).operations + seeding,
    places: new Map(),
    inOrder: new Map(),
  };
}

/** Runs a pass: for each leaf that it gives the results for all seeds, [size, elements]. */
export function runPass(pass: Pass, residuals: readonly NDArray[]): ReadonlyMap<number, NDArray> {
  const { part, size, program } = pass;
  const results = evalJaxpr(program, [...residuals, ...part.idle.map(zeros), ...seeds(pass)]);
  return new Map(part.given.map((leaf, k) => [leaf, reshape(results[k], [size, results[k].size / size])]));
}

function seeds(pass: Pass): NDArray[] {
  const { part, size, colours } = pass;
  if (size === 1) return part.types.map((type) => filled(type.shape, scalar(1, type.dtype, type.weakType)));
  if (colours === undefined) return basis(part.types, size);
  return part.types.map((type, k) => {
    const n = sizeOf(type.shape);
    const start = startOf(part, k);
    const own = placesOf(pass, `colours ${k}`, [n], () => colours.subarray(start, start + n));
    const chosen = eq(iota("int32", [size, n], 0), broadcastInDim(own, [size, n], [1]));
    return reshape(convertElementType(chosen, type.dtype), [size, ...type.shape]);
  });
}

/** Where the elements of the k-th seeded leaf begin among those of all. */
function startOf({ types }: Part, k: number): number {
  return seedsOf({ types: types.slice(0, k) });
}

/** An index array of a pass, which is made when it is first used. */
function placesOf(
  { places }: Pass,
  key: string,
  shape: readonly number[],
  make: () => Int32Array,
): ConcreteArray {
  let found = places.get(key);
  if (found === undefined) {
    found = concreteArray(make(), shape, "int32");
    places.set(key, found);
  }
  return found;
}

// ---------------------------------------------------------------------------------------------------------------------
// Reading blocks
// ---------------------------------------------------------------------------------------------------------------------

/** The block of one output and one input in the results of a pass. */
export interface BlockOf {
  readonly pass: Pass;
  readonly results: ReadonlyMap<number, NDArray>;
  readonly output: number;
  readonly input: number;
}

/** The whole block, [output elements, input elements], where all seeds are there, or none is shared by two elements of a row. */
function wholeBlock({ pass, results, output, input }: BlockOf): NDArray {
  const forward = pass.part.direction === "forward";
  const [own, other] = forward ? [input, output] : [output, input];
  const k = pass.part.seeded.indexOf(own);
  const n = sizeOf(pass.part.types[k].shape);
  const start = startOf(pass.part, k);
  const all = results.get(other) as NDArray;
  const width = all.shape[1];
  let rows: NDArray;
  if (pass.colours === undefined) rows = n === pass.size ? all : slice(all, [start, 0], [start + n, width]);
  else {
    const { colours } = pass;
    const places = placesOf(pass, `rows ${k}`, [n, 1], () => colours.subarray(start, start + n));
    rows = gather(all, places, {
      offsetDims: [1],
      collapsedSliceDims: [0],
      startIndexMap: [0],
      sliceSizes: [1, width],
      mode: "promiseInBounds",
    });
  }
  return forward ? transpose(rows, [1, 0]) : rows;
}

/** The entries of a block, row by row. */
export function blockValues(block: BlockOf, { pattern, rows, columns }: SparseStructure): NDArray {
  const { pass, results, output, input } = block;
  if (pattern.isFull) return reshape(wholeBlock(block), [pattern.rows * pattern.columns]);
  const forward = pass.part.direction === "forward";
  const [own, other] = forward ? [input, output] : [output, input];
  const all = results.get(other) as NDArray;
  const width = all.shape[1];
  const key = `values ${output} ${input}`;
  const start = startOf(pass.part, pass.part.seeded.indexOf(own));
  const [seeded, read] = forward ? [columns, rows] : [rows, columns];
  const seedOf = (e: number): number => pass.colours?.[start + seeded[e]] ?? start + seeded[e];
  let inOrder = pass.inOrder.get(key);
  if (inOrder === undefined) {
    // 0, 1, 2, ..., as those of a diagonal are: there is nothing to pick.
    inOrder = rows.length === all.size && read.every((j, e) => seedOf(e) * width + j === e);
    pass.inOrder.set(key, inOrder);
  }
  if (inOrder) return reshape(all, [all.size]);
  const places = placesOf(pass, key, [2, rows.length], () => {
    const both = new Int32Array(2 * rows.length);
    for (let e = 0; e < rows.length; e++) both[e] = seedOf(e);
    both.set(read, rows.length);
    return both;
  });
  return pickResults(all, places);
}

/**
 * Single results of a pass, [n], from all of them, [seeds, elements].
 *
 * @param places [2, n]: seeds, and under them elements. Of their places in the flat results what fuses with this would have
 *   to find both by dividing.
 */
export const pickResults = (all: NDArray, places: NDArray): NDArray =>
  gather(all, transpose(places, [1, 0]), {
    offsetDims: [],
    collapsedSliceDims: [0, 1],
    startIndexMap: [0, 1],
    sliceSizes: [1, 1],
    mode: "promiseInBounds",
  });

/** The block as a dense array of shape [...output, ...input]. `structure` says where entries are if seeds are shared. */
export function denseBlock(block: BlockOf, structure: () => SparseStructure, type: Aval): NDArray {
  const { colours } = block.pass;
  if (colours === undefined) return reshape(wholeBlock(block), type.shape);
  const known = structure();
  if (known.pattern.isFull) return reshape(wholeBlock(block), type.shape);
  return denseOf(known, blockValues(block, known));
}

/** The type of a block. */
export const blockType = (map: MapShape, output: number, input: number): Aval => {
  const [out, from] = [map.outAvals[output], map.inAvals[input]];
  return aval([...out.shape, ...from.shape], out.dtype);
};
