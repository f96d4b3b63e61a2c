/** Programs as TypeScript: what a failure prints to be pasted into a file. */
import { type ConcreteArray, type Eqn, Jaxpr, type NDArray, type Params, printJaxpr, Var } from "fluxion";

type Atom = Eqn["inputs"][number];

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
  if (typeof value === "object" && value !== null) return spellParams(value as Params);
  return value === undefined ? "undefined" : JSON.stringify(value);
}

const spellText = (text: string): string => `\`${text.replace(/[\\`]|\$\{/g, "\\$&")}\``;

const spellParams = (params: Params): string => {
  const fields = Object.entries(params).map(([key, value]) => `${spellKey(key)}: ${spellParam(value)}`);
  return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
};

/** An array as an expression. */
function spellArray(elements: string, shape: readonly number[], dtype: string, weak: boolean): string {
  const flat = `np.array(${elements}, { dtype: "${dtype}" })`;
  const array = shape.length <= 1 ? flat : `np.reshape(${flat}, [${shape.join(", ")}])`;
  return weak ? `weak(${array})` : array;
}

const scalarElement = (value: number, dtype: string): string =>
  dtype === "bool" ? String(value !== 0) : spellNumber(value);

function spellInput(x: ConcreteArray): string {
  const elements = x.ndim === 0 ? scalarElement(x.values[0], x.dtype) : spellElements(x);
  return spellArray(elements, x.shape, x.dtype, x.weakType);
}

const helpers: readonly (readonly [RegExp, string])[] = [
  [/\bp\("/, "const p = (name: string) => findPrimitive(name)!;"],
  [
    /\bweak\(/,
    'const weak = (x: NDArray) => bind(findPrimitive("convertElementType")!, [x], { dtype: x.dtype, weakType: true })[0];',
  ],
  [
    /\bjaxpr\(`/,
    'const jaxpr = (text: string) => {\n  const parsed = parseJaxpr(text);\n  if (parsed._tag === "Left") throw parsed.left;\n  return parsed.right.jaxpr;\n};',
  ],
];

/** A module that exports the program as `f`, its `inputs`, and `outputs`, which it also prints. */
export function programToTypeScript(jaxpr: Jaxpr, inputs: readonly ConcreteArray[]): string {
  const names = new Map<Var, string>();
  for (const [i, v] of jaxpr.inputs.entries()) names.set(v, `x${i}`);
  const used = new Set<Atom>([...jaxpr.eqns.flatMap((eqn) => eqn.inputs), ...jaxpr.outputs]);
  let count = 0;
  for (const eqn of jaxpr.eqns) for (const v of eqn.outputs) if (used.has(v)) names.set(v, `y${count++}`);
  const spell = (a: Atom): string =>
    a instanceof Var
      ? (names.get(a) as string)
      : spellArray(scalarElement(a.value, a.aval.dtype), [], a.aval.dtype, a.aval.weakType);
  const body = jaxpr.eqns.map(({ primitive, inputs: operands, params, outputs }) => {
    const call = `bind(p("${primitive.name}"), [${operands.map(spell).join(", ")}], ${spellParams(params)});`;
    let bound = outputs.map((v) => names.get(v) ?? "");
    bound = bound.slice(0, bound.findLastIndex((name) => name !== "") + 1);
    return bound.length === 0 ? `  ${call}` : `  const [${bound.join(", ")}] = ${call}`;
  });
  const parameters = jaxpr.inputs.map((_, i) => `x${i}: NDArray`).join(", ");
  const code = [
    `export const inputs = [${inputs.map((x) => `\n  ${spellInput(x)},`).join("")}\n] as const;`,
    "",
    `export const f = (${parameters}): NDArray[] => {`,
    ...body,
    `  return [${jaxpr.outputs.map(spell).join(", ")}];`,
    "};",
    "",
    "export const outputs = f(...inputs);",
    'console.log(outputs.map(String).join("\\n"));',
    "",
  ].join("\n");
  const needed = helpers.filter(([use]) => use.test(code)).map(([, helper]) => helper);
  const text = [...needed, code].join("\n");
  const imports = ["bind", "findPrimitive", "type NDArray", "numpy as np", "parseJaxpr"].filter((name) =>
    new RegExp(`\\b${name.split(" ").at(-1)}\\b`).test(text),
  );
  return `import { ${imports.join(", ")} } from "fluxion";\n\n${text}`;
}
