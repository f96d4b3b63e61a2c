/** Programs as TypeScript: what a failure prints to be pasted into a file. */
import { type ConcreteArray, type Eqn, type Jaxpr, Var } from "fluxion";
import { bodiesOf } from "../bodies.js";
import { variantOf } from "./customRules.js";
import { spellArray, spellInput, spellParams, spellScalar } from "./spell.js";
import { inlinedBody, wrapperOf } from "./wrappers.js";

type Atom = Eqn["inputs"][number];

const indented = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);

/** What stands for a variable that nobody uses, in a pattern. */
const pattern = (names: readonly string[]): string =>
  `[${names.slice(0, names.findLastIndex((name) => name !== "") + 1).join(", ")}]`;

/** Writes equations as statements; names are given once. */
class Printer {
  private readonly names = new Map<Var, string>();
  private readonly counts = new Map<string, number>();

  private fresh(letter: string): string {
    const count = this.counts.get(letter) ?? 0;
    this.counts.set(letter, count + 1);
    return `${letter}${count}`;
  }

  name(v: Var, letter: string): string {
    const name = this.fresh(letter);
    this.names.set(v, name);
    return name;
  }

  readonly spell = (a: Atom): string =>
    a instanceof Var
      ? (this.names.get(a) as string)
      : spellArray(spellScalar(a.value, a.aval.dtype), [], a.aval.dtype, a.aval.weakType);

  list(atoms: readonly Atom[]): string {
    return `[${atoms.map(this.spell).join(", ")}]`;
  }

  /** Names for results; those that are not used have none. */
  private results({ outputs }: Eqn, used: ReadonlySet<Atom>): string[] {
    return outputs.map((v) => (used.has(v) ? this.name(v, "y") : ""));
  }

  /** The statements of a jaxpr, without what it returns. */
  statements({ eqns, outputs }: Jaxpr): string[] {
    const used = new Set<Atom>([...eqns.flatMap((eqn) => eqn.inputs), ...outputs]);
    return eqns.flatMap((eqn) => this.statement(eqn, used));
  }

  private statement(eqn: Eqn, used: ReadonlySet<Atom>): string[] {
    const { before = [], call, split } = this.call(eqn);
    const names = this.results(eqn, used);
    const bound =
      split === undefined
        ? pattern(names)
        : `[${pattern(names.slice(0, split))}, ${pattern(names.slice(split))}]`;
    const start = names.every((name) => name === "") ? "" : `const ${bound} = `;
    const [first, ...rest] = call;
    return [...before, `${start}${first}`, ...rest];
  }

  /** A function whose parameters have names already. */
  private arrow(parameters: string, body: Jaxpr, result: () => string): string[] {
    const lines = this.statements(body);
    return [`(${parameters}) => {`, ...indented([...lines, `return ${result()};`]), "}"];
  }

  /** A body as a function of all its inputs. */
  private closure(body: Jaxpr): string[] {
    const parameters = body.inputs.map((v) => `${this.name(v, "a")}: NDArray`).join(", ");
    return this.arrow(parameters, body, () => this.list(body.outputs));
  }

  /** Inputs of a body that are what stands outside of it. */
  private captured(variables: readonly Var[], atoms: readonly Atom[]): void {
    for (const [i, v] of variables.entries()) this.names.set(v, this.spell(atoms[i]));
  }

  /** Inputs of a body as a list that it takes. */
  private taken(variables: readonly Var[], letter: string): string {
    return `[${variables.map((v) => this.name(v, letter)).join(", ")}]: NDArray[]`;
  }

  private call(eqn: Eqn): Call {
    const { primitive, params, inputs } = eqn;
    const operands = inputs.map(this.spell).join(", ");
    const body = inlinedBody(primitive, params);
    if (primitive.name === "customJvp" || primitive.name === "customVjp")
      return this.ruled(eqn, body as Jaxpr, operands);
    if (body !== undefined) {
      const options = wrapperOf(primitive)?.options?.(params) ?? "";
      const end = `${options === "" ? "" : `, ${options}`})(${operands});`;
      return { call: joined([`${primitive.name}(`], this.closure(body), [end]) };
    }
    if (primitive.name === "cond") return { call: this.branches(eqn) };
    if (primitive.name === "scan") return { call: this.scan(eqn), split: params.carries as number };
    if (primitive.name === "while") return { call: this.loop(eqn) };
    return { call: [`bind(p("${primitive.name}"), [${operands}], ${spellParams(primitive, params)});`] };
  }

  private ruled({ primitive, params }: Eqn, body: Jaxpr, operands: string): Call {
    const f = this.fresh("f");
    const before = joined([`const ${f} = `], this.closure(body), [";"]);
    const plain = variantOf(primitive.name, params) === "plain";
    const by = (arrays: string, linear: (arrays: string) => string): string =>
      plain ? linear(arrays) : `times(${linear(`times(${arrays}, 2)`)}, 0.5)`;
    const rule =
      primitive.name === "customJvp"
        ? `customJvp(${f}, (xs: NDArray[], ts: NDArray[]) => [${f}(...xs), ${by("ts", (ts) => `jvp(${f}, xs, ${ts})[1]`)}])`
        : `customVjp(${f}).defVjp((...xs: NDArray[]) => [${f}(...xs), xs], (xs: NDArray[], us: NDArray[]) => ${by("us", (us) => `vjp(${f}, ...xs)[1](${us})`)})`;
    return { before, call: [`${rule}(${operands});`] };
  }

  private branches({ params, inputs: [index, ...operands] }: Eqn): string[] {
    const bodies = bodiesOf(params).flatMap((body) => joined([], this.closure(body), [","]));
    const rest = operands.map((a) => `, ${this.spell(a)}`).join("");
    return [`lax.switchCase(${this.spell(index)}, [`, ...indented(bodies), `]${rest});`];
  }

  private scan({ params, inputs }: Eqn): string[] {
    const [consts, carries] = [params.consts, params.carries] as number[];
    const [body] = bodiesOf(params);
    this.captured(body.inputs.slice(0, consts), inputs);
    const carry = this.taken(body.inputs.slice(consts, consts + carries), "c");
    const entries = this.taken(body.inputs.slice(consts + carries), "a");
    const step = this.arrow(
      `${carry}, ${entries}`,
      body,
      () => `[${this.list(body.outputs.slice(0, carries))}, ${this.list(body.outputs.slice(carries))}]`,
    );
    const xs = inputs.slice(consts + carries);
    const options = `{ length: ${params.length}, reverse: ${params.reverse}, unroll: ${params.unroll} }`;
    const rest = [this.list(inputs.slice(consts, consts + carries)), this.list(xs), options];
    return joined(["lax.scan("], step, [`, ${rest.join(", ")});`]);
  }

  private loop({ params, inputs }: Eqn): string[] {
    const [forCond, forBody] = [params.condConsts, params.bodyConsts] as number[];
    const [cond, body] = bodiesOf(params);
    const consts = inputs.slice(forCond, forCond + forBody);
    this.captured(cond.inputs.slice(0, forCond), inputs);
    const asked = this.taken(cond.inputs.slice(forCond), "c");
    const goesOn = this.arrow(asked, cond, () => this.spell(cond.outputs[0]));
    this.captured(body.inputs.slice(0, forBody), consts);
    const carry = this.taken(body.inputs.slice(forBody), "c");
    const step = this.arrow(carry, body, () => this.list(body.outputs));
    const rest = [this.list(inputs.slice(forCond + forBody)), `{ checkpoint: { slots: ${params.slots} } }`];
    const functions = [...joined([], goesOn, [","]), ...joined([], step, [","])];
    return ["lax.whileLoop(", ...indented([...functions, `${rest.join(", ")},`]), ");"];
  }
}

/** How an equation is written: what comes before it, and the expression that it is. */
interface Call {
  readonly before?: readonly string[];
  readonly call: readonly string[];
  /** Results are two lists; so many stand in the first. */
  readonly split?: number;
}

/** Lines, with the last of each list in front of the first of the next. */
function joined(...parts: readonly (readonly string[])[]): string[] {
  const all: string[] = [];
  for (const [first = "", ...rest] of parts) all.push((all.pop() ?? "") + first, ...rest);
  return all;
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
  [
    /\btimes\(/,
    "const times = (xs: readonly NDArray[], k: number) =>\n  xs.map((x) => (/^float\\d\\d$/.test(x.dtype) ? np.multiply(x, k) : x));",
  ],
];

const importable = [
  ...[
    "bind",
    "checkpoint",
    "checkpointPolicies",
    "customJvp",
    "customVjp",
    "findPrimitive",
    "jit",
    "jvp",
    "lax",
  ],
  ...["type NDArray", "numpy as np", "parseJaxpr", "vjp"],
];

/** A module that exports the program as `f`, its `inputs`, and `outputs`, which it also prints. */
export function programToTypeScript(jaxpr: Jaxpr, inputs: readonly ConcreteArray[]): string {
  const printer = new Printer();
  const parameters = jaxpr.inputs.map((v) => `${printer.name(v, "x")}: NDArray`).join(", ");
  const body = indented(printer.statements(jaxpr));
  const code = [
    `export const inputs = [${inputs.map((x) => `\n  ${spellInput(x)},`).join("")}\n] as const;`,
    "",
    `export const f = (${parameters}): NDArray[] => {`,
    ...body,
    `  return ${printer.list(jaxpr.outputs)};`,
    "};",
    "",
    "export const outputs = f(...inputs);",
    'console.log(outputs.map(String).join("\\n"));',
    "",
  ].join("\n");
  const needed = helpers.filter(([use]) => use.test(code)).map(([, helper]) => helper);
  const text = [...needed, code].join("\n");
  const imports = importable.filter((name) => new RegExp(`\\b${name.split(" ").at(-1)}\\b`).test(text));
  return `import { ${imports.join(", ")} } from "fluxion";\n\n${text}`;
}
