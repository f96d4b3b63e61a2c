/** Values of programs as TypeScript expressions. */
import { type ConcreteArray, Jaxpr, type NDArray, type Params, type Primitive, printJaxpr } from "fluxion";

/** A number as JavaScript reads it back. */
const spellNumber = (x: number): string => (Object.is(x, -0) ? "-0" : String(x));

/** The elements of an array in row-major order. */
export const spellElements = (x: NDArray): string =>
  `[${[...x.dataSync()].map((e) => (x.dtype === "bool" ? String(e !== 0) : spellNumber(e))).join(", ")}]`;

const spellKey = (key: string): string => (/^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key));

/** A param as an expression; jaxprs are read from their text. */
function spellParam(value: unknown): string {
  if (typeof value === "number") return spellNumber(value);
  if (value instanceof Jaxpr) return `jaxpr(${spellText(printJaxpr(value))})`;
  if (Array.isArray(value)) return `[${value.map(spellParam).join(", ")}]`;
  if (typeof value === "object" && value !== null) return spellFields(value as Params);
  return value === undefined ? "undefined" : JSON.stringify(value);
}

const spellText = (text: string): string => `\`${text.replace(/[\\`]|\$\{/g, "\\$&")}\``;

const spellFields = (params: Params): string => {
  const fields = Object.entries(params).map(([key, value]) => `${spellKey(key)}: ${spellParam(value)}`);
  return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
};

/** Params as an expression. What refers to a function of the library, which has no text, is found where it was taken from. */
export function spellParams({ name, laws }: Primitive, params: Params): string {
  const example =
    Object.getOwnPropertySymbols(params).length > 0
      ? laws.examples.findIndex((e) => spellFields(e.params) === spellFields(params))
      : -1;
  return example < 0 ? spellFields(params) : `p("${name}").laws.examples[${example}].params`;
}

/** An array as an expression. */
export function spellArray(elements: string, shape: readonly number[], dtype: string, weak: boolean): string {
  const flat = `np.array(${elements}, { dtype: "${dtype}" })`;
  const array = shape.length <= 1 ? flat : `np.reshape(${flat}, [${shape.join(", ")}])`;
  return weak ? `weak(${array})` : array;
}

export const spellScalar = (value: number, dtype: string): string =>
  dtype === "bool" ? String(value !== 0) : spellNumber(value);

export function spellInput(x: ConcreteArray): string {
  const elements = x.ndim === 0 ? spellScalar(x.values[0], x.dtype) : spellElements(x);
  return spellArray(elements, x.shape, x.dtype, x.weakType);
}
