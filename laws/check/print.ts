/** Arrays and trees of them as text: short in messages, and as TypeScript that makes them again. */
import { NDArray, tree } from "fluxion";
import { numbers } from "../close.js";

/** A number as it is read best: six digits, all that say something. */
export const shortNumber = (x: number): string => String(Number(x.toPrecision(6)));

/** Numbers as nested lists of a shape. */
function nested(elements: readonly string[], shape: readonly number[]): string {
  if (shape.length === 0) return elements[0];
  const size = elements.length / Math.max(1, shape[0]);
  const parts = Array.from({ length: shape[0] }, (_, i) =>
    nested(elements.slice(i * size, (i + 1) * size), shape.slice(1)),
  );
  return `[${parts.join(", ")}]`;
}

/** More elements than a line shows well. */
const many = 24;

/** `[[0, 1], [0.5, 0]]`; of an array of many elements those that are not 0, with their positions. */
export function showArray(x: NDArray): string {
  const elements = numbers(x);
  const show = x.dtype === "bool" ? (e: number) => String(e !== 0) : shortNumber;
  if (elements.length <= many) return nested(elements.map(show), x.shape);
  const type = `${x.dtype}[${x.shape.join(",")}]`;
  const other = elements.flatMap((e, i) => (e === 0 ? [] : [[e, i] as const]));
  if (other.length === 0) return `0 (${type})`;
  const shown = other.slice(0, many).map(([e, i]) => `${e === 1 ? "1" : show(e)} at ${i}`);
  const rest = other.length > many ? `, and ${other.length - many} more` : "";
  return `0 but for ${shown.join(", ")}${rest} (${type}, elements counted in row-major order)`;
}

const exact = (x: number): string => (Object.is(x, -0) ? "-0" : String(x));

/** An expression that makes an array, with all digits. */
export function codeOfArray(x: NDArray): string {
  const shape = `[${x.shape.join(", ")}]`;
  if (x.size === 0) return `np.zeros(${shape}, { dtype: "${x.dtype}" })`;
  const elements = numbers(x);
  if (elements.length > many && elements.every((e) => e === elements[0]) && x.dtype !== "bool")
    return `np.full(${shape}, ${exact(elements[0])}, { dtype: "${x.dtype}" })`;
  const items = nested(elements.map(x.dtype === "bool" ? (e) => String(e !== 0) : exact), x.shape);
  return x.dtype === "bool" ? `np.array(${items})` : `np.array(${items}, { dtype: "${x.dtype}" })`;
}

/** An expression for a tree of lists, plain objects and arrays; instances of classes by their class alone. */
export function codeOfTree(value: unknown): string {
  if (value instanceof NDArray) return codeOfArray(value);
  if (Array.isArray(value)) return `[${value.map(codeOfTree).join(", ")}]`;
  if (typeof value !== "object" || value === null) return String(value);
  const { prototype } = Object;
  if (Object.getPrototypeOf(value) !== prototype)
    return `new ${value.constructor.name}(/* ${tree
      .leaves(value)
      .map((x) => codeOfTree(x))
      .join(", ")} */)`;
  const fields = Object.entries(value).map(([key, field]) =>
    /^[A-Za-z_$][\w$]*$/.test(key)
      ? `${key}: ${codeOfTree(field)}`
      : `${JSON.stringify(key)}: ${codeOfTree(field)}`,
  );
  return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
}

/** How many elements are not 0: what there is to understand in a counterexample. */
export const countNumbers = (arrays: readonly NDArray[]): number =>
  arrays.reduce((n, x) => n + numbers(x).reduce((m, e) => (e === 0 ? m : m + 1), 0), 0);
