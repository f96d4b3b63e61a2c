/** `--args` and `--static`: values of arguments as JSON. */
import { array } from "../numpy/array.js";
import { pointAt, UsageError } from "./terminal.js";

/** Reads JSON; a mistake is shown at its place, where the engine says which it is. */
export function parseJson(text: string, option: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const { message } = error as Error;
    const at = /position (\d+)/.exec(message)?.[1];
    throw new UsageError(
      `${option} is not JSON: ${message}${at === undefined ? "" : `\n${pointAt(text, Number(at))}`}`,
    );
  }
}

/** The lengths of nested lists of numbers, or undefined if they are of different lengths or not of numbers. */
function shapeOf(value: unknown): readonly number[] | undefined {
  if (typeof value === "number" || typeof value === "boolean") return [];
  if (!Array.isArray(value)) return undefined;
  const shapes = value.map(shapeOf);
  const [first] = shapes;
  if (first === undefined) return value.length === 0 ? [0] : undefined;
  return shapes.every((shape) => String(shape) === String(first) && shape !== undefined)
    ? [value.length, ...first]
    : undefined;
}

/** Numbers and lists of numbers as arrays, other lists and objects as trees of them. */
function toTree(value: unknown, place: string): unknown {
  // A bare number stays one: it takes the dtype of what is beside it, and has a derivative.
  if (value === null || typeof value === "number" || typeof value === "boolean") return value;
  if (shapeOf(value) !== undefined) return array(value as number[]);
  if (Array.isArray(value)) return value.map((item, i) => toTree(item, `${place}[${i}]`));
  if (typeof value === "object")
    return Object.fromEntries(
      Object.entries(value as object).map(([key, item]) => [key, toTree(item, `${place}.${key}`)]),
    );
  throw new UsageError(
    `--args: ${place} is ${JSON.stringify(value)}; arguments are numbers, lists of numbers, and objects of these (other values: --static)`,
  );
}

/**
 * Reads a list of arguments. Lists of numbers of one length are arrays; lists of anything else and objects are trees.
 *
 * @throws UsageError
 */
export function parseValues(text: string): unknown[] {
  const list = parseJson(text, "--args");
  if (!Array.isArray(list))
    throw new UsageError(
      `--args wants a JSON list with a value for each argument, as '[[1, 2, 3], 0.5]', got ${text}`,
    );
  return list.map((value, i) => toTree(value, `argument ${i}`));
}
