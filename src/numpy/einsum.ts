/** Einstein summation: sums of products written with a letter for each axis. */
import type { NDArray } from "../core/array.js";
import { describe, describeAll } from "../core/aval.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import { plainOptions } from "./axes.js";
import {
  lengthsByName,
  type Named,
  type ProductOptions,
  permuted,
  product,
  productOperands,
  summedTo,
  withDistinctNames,
  withoutRepeated,
} from "./contraction.js";
import { type ArrayLike, asArray } from "./operands.js";
import { isOptions } from "./options.js";

/** The letters of one operand, with one entry for each axis. "..." becomes names "...0", "...1", counted from the last. */
function readTerm(text: string, subscripts: string, ndim: number | undefined): string[] {
  const wrong = (why: string) => new ArgumentError(`einsum: ${why} in "${subscripts}"`);
  const [before, after, ...more] = text.split("...");
  for (const letters of [before, after ?? ""])
    for (const letter of letters) if (!/[A-Za-z]/.test(letter)) throw wrong(`"${letter}" is not a letter`);
  if (more.length > 0) throw wrong(`there are two "..." in one term`);
  if (after === undefined) return [...before];
  const count = (ndim ?? 0) - before.length - after.length;
  const dots = Array.from({ length: Math.max(count, 0) }, (_, i) => `...${count - 1 - i}`);
  return [...before, ...dots, ...after];
}

interface Equation {
  readonly inputs: readonly (readonly string[])[];
  readonly output: readonly string[];
}

/** Reads the subscripts for operands of the given numbers of axes. */
function readEquation(subscripts: string, operands: readonly NDArray[]): Equation {
  const [left, right, ...more] = subscripts.replaceAll(/\s/g, "").split("->");
  const wrong = (why: string) => new ArgumentError(`einsum: ${why} in "${subscripts}"`);
  if (more.length > 0) throw wrong('there are two "->"');
  const terms = left.split(",");
  if (terms.length !== operands.length) throw wrong(`${operands.length} operands, but ${terms.length} terms`);
  const inputs = terms.map((term, i) => {
    const names = readTerm(term, subscripts, operands[i].ndim);
    if (names.length !== operands[i].ndim)
      throw new ShapeError(
        `einsum: term "${term}" has ${names.length} axes, the operand ${describe(operands[i].aval)} has ${operands[i].ndim} (in "${subscripts}")`,
      );
    return names;
  });
  const all = inputs.flat();
  const dots = [...new Set(all.filter((name) => name.startsWith("...")))].sort(byDepth);
  if (right === undefined) {
    const once = all.filter((name) => !name.startsWith("...") && all.indexOf(name) === all.lastIndexOf(name));
    return { inputs, output: [...dots, ...once.sort()] };
  }
  const output = readTerm(right, subscripts, right.replace("...", "").length + dots.length);
  const twice = output.find((name, i) => output.indexOf(name) < i);
  if (twice !== undefined) throw wrong(`"${twice}" stands twice in the output`);
  const unknown = output.find((name) => !all.includes(name));
  if (unknown !== undefined) throw wrong(`"${unknown}" of the output stands in no term`);
  if (dots.some((name) => !output.includes(name))) throw wrong('the output lacks the "..." of the operands');
  return { inputs, output };
}

const byDepth = (a: string, b: string): number => Number(b.slice(3)) - Number(a.slice(3));

/** Axes as lists of numbers, the other way in which NumPy takes them. */
function interleaved(args: readonly unknown[]): { subscripts: string; operands: ArrayLike[] } {
  const letter = (axis: unknown): string => {
    if (axis === "...") return "...";
    if (typeof axis !== "number" || !Number.isInteger(axis) || axis < 0 || axis > 51)
      throw new ArgumentError(
        `einsum: an axis must be a whole number from 0 to 51 or "...", got ${String(axis)}`,
      );
    return String.fromCharCode(axis < 26 ? 97 + axis : 65 + axis - 26);
  };
  const text = (axes: unknown) => {
    if (!Array.isArray(axes))
      throw new ArgumentError("einsum takes subscripts as a text, or a list of axes after each operand");
    return axes.map(letter).join("");
  };
  const pairs = Math.floor(args.length / 2);
  const terms = Array.from({ length: pairs }, (_, i) => text(args[2 * i + 1]));
  const output = args.length % 2 === 1 ? `->${text(args.at(-1))}` : "";
  return {
    subscripts: terms.join(",") + output,
    operands: Array.from({ length: pairs }, (_, i) => args[2 * i] as ArrayLike),
  };
}

const size = (names: Iterable<string>, lengths: ReadonlyMap<string, number | undefined>): number => {
  let n = 1;
  for (const name of names) n *= lengths.get(name) ?? 1;
  return n;
};

/** The pair whose product is smallest against its operands; of equals the one that multiplies least. */
function cheapest(
  operands: readonly Named[],
  output: readonly string[],
  lengths: ReadonlyMap<string, number | undefined>,
): readonly [number, number] {
  let best: readonly [number, number] = [0, 1];
  let bestCost: readonly [number, number] = [Number.POSITIVE_INFINITY, 0];
  for (let i = 0; i < operands.length; i++)
    for (let j = i + 1; j < operands.length; j++) {
      const [a, b] = [operands[i].names, operands[j].names];
      const both = new Set([...a, ...b]);
      const needed = neededBy(operands, i, j, output);
      const left = [...both].filter((name) => needed.has(name));
      const cost = [size(left, lengths) - size(a, lengths) - size(b, lengths), size(both, lengths)] as const;
      if (cost[0] < bestCost[0] || (cost[0] === bestCost[0] && cost[1] < bestCost[1]))
        [best, bestCost] = [[i, j], cost];
    }
  return best;
}

/** Names that the other operands or the output have. */
const neededBy = (operands: readonly Named[], i: number, j: number, output: readonly string[]): Set<string> =>
  new Set([...output, ...operands.flatMap(({ names }, k) => (k === i || k === j ? [] : names))]);

/**
 * The sum of products that the subscripts describe: a letter for each axis of each operand; axes with the same letter go
 * together, and letters that the output lacks are summed over. Without "->" the output has the letters that occur once,
 * in alphabetical order. "..." stands for further axes, which broadcast. A letter twice in one operand takes the
 * diagonal. Several operands are multiplied pairwise, in the order in which intermediate results stay smallest.
 *
 * Instead of subscripts each operand may be followed by a list of axis numbers, and the last one by that of the output.
 * @throws ArgumentError for malformed subscripts, ShapeError for lengths that do not fit.
 * @example
 * np.einsum("ij,jk->ik", np.array([[1, 2]]), np.array([[3], [4]])); // [[11]]
 */
export function einsum(subscripts: string, ...operands: readonly (ArrayLike | ProductOptions)[]): NDArray;
export function einsum(
  ...operandsAndAxes: readonly (ArrayLike | readonly (number | "...")[] | ProductOptions)[]
): NDArray;
export function einsum(...given: readonly unknown[]): NDArray {
  const options = isOptions(given.at(-1)) ? (given.at(-1) as ProductOptions) : {};
  plainOptions("einsum", options, ["preferredElementType"]);
  const args = isOptions(given.at(-1)) ? given.slice(0, -1) : given;
  const { subscripts, operands } =
    typeof args[0] === "string"
      ? { subscripts: args[0], operands: args.slice(1) as ArrayLike[] }
      : interleaved(args);
  if (operands.length === 0)
    throw new ArgumentError(`einsum needs at least one operand (subscripts "${subscripts}")`);
  const arrays = operands.map((x) => asArray(x, "einsum"));
  const { inputs, output } = readEquation(subscripts, arrays);
  const { operands: xs, finish } = productOperands("einsum", operands, options);
  const named = xs.map((x, i): Named => ({ x, names: inputs[i] }));
  const lengths = lengthsByName(named);
  for (const [name, length] of lengths)
    if (length === undefined)
      throw new ShapeError(
        `einsum: axes "${name.startsWith("...") ? "..." : name}" differ in length (operands ${describeAll(arrays.map((a) => a.aval))} in "${subscripts}")`,
      );
  return finish(contractAll(named, output, lengths));
}

function contractAll(
  named: readonly Named[],
  output: readonly string[],
  lengths: ReadonlyMap<string, number | undefined>,
): NDArray {
  let left = named.map((operand) => withDistinctNames(withoutRepeated(operand, lengths)));
  while (left.length > 1) {
    const [i, j] = cheapest(left, output, lengths);
    const done = product(left[i], left[j], neededBy(left, i, j, output), output);
    left = [...left.filter((_, k) => k !== i && k !== j), done];
  }
  return permuted(summedTo(left[0], new Set(output)), output).x;
}
