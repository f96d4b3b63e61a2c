/** Branches, loops and calls written out: equations in the place of one that holds bodies, where that means the same. */
import { aval, type Eqn, Jaxpr, Literal, type Primitive, Var } from "fluxion";
import { named } from "./adapt.js";
import type { Copies } from "./copies.js";
import { renumbered } from "./cut.js";
import { type BodyRun, runsOf } from "./run.js";
import { inlinedBody } from "./wrappers.js";

type Atom = Eqn["inputs"][number];

/** Equations that are written one after the other, with variables of their own. */
class Writer {
  readonly eqns: Eqn[] = [];

  constructor(private next: number) {}

  /** The equations of a body, applied to these operands; gives what the body's outputs are. */
  body(body: Jaxpr, operands: readonly Atom[]): readonly Atom[] {
    // Variables of the body are renamed, so that it can be written out twice.
    const names = new Map<Atom, Atom>(body.inputs.map((v, i) => [v, operands[i]]));
    const use = (a: Atom): Atom => names.get(a) ?? a;
    for (const eqn of body.eqns) {
      const inputs = eqn.inputs.map(use);
      const outputs = eqn.outputs.map((v) => {
        const w = new Var(this.next++, v.aval);
        names.set(v, w);
        return w;
      });
      this.eqns.push({ ...eqn, inputs, outputs });
    }
    return body.outputs.map(use);
  }

  apply(primitive: Primitive, inputs: readonly Atom[], params: Eqn["params"], shape: readonly number[]): Var {
    const { dtype, weakType } = inputs[0].aval;
    const made = new Var(this.next++, aval([...shape], dtype, weakType));
    this.eqns.push({ primitive, inputs, params, outputs: [made], source: undefined });
    return made;
  }

  /** Entry `at` along the first axis. */
  entry(x: Atom, at: number): Var {
    const [, ...rest] = x.aval.shape;
    const start = [at, ...rest.map(() => 0)];
    const part = this.apply(
      named("slice"),
      [x],
      { start, limit: [at + 1, ...rest], strides: start.map(() => 1) },
      [1, ...rest],
    );
    return this.apply(named("reshape"), [part], { shape: rest }, rest);
  }

  /** Entries as one array. */
  stack(entries: readonly Atom[], { dtype, shape }: Var["aval"]): Var {
    const [, ...rest] = shape;
    if (entries.length === 0)
      return this.apply(
        named("broadcastInDim"),
        [new Literal(0, aval([], dtype))],
        { shape: [0, ...rest], dims: [] },
        [0, ...rest],
      );
    const rows = entries.map((y) => this.apply(named("reshape"), [y], { shape: [1, ...rest] }, [1, ...rest]));
    return rows.length === 1
      ? rows[0]
      : this.apply(named("concatenate"), rows, { axis: 0 }, [rows.length, ...rest]);
  }
}

/** What the outputs of an equation are, once it is written out. */
function written(
  writer: Writer,
  eqn: Eqn,
  runs: readonly BodyRun[],
  used: ReadonlySet<Atom>,
): readonly Atom[] | undefined {
  const { primitive, params, inputs, outputs } = eqn;
  const call = inlinedBody(primitive, params);
  if (call !== undefined) return writer.body(call, inputs);
  if (primitive.name === "cond") return writer.body(runs[0].body, inputs.slice(1));
  if (primitive.name === "while") {
    const first = params.condConsts as number;
    const consts = first + (params.bodyConsts as number);
    let carry = inputs.slice(consts);
    for (const { index, body } of runs)
      if (index === 1) carry = [...writer.body(body, [...inputs.slice(first, consts), ...carry])];
    return carry;
  }
  if (primitive.name !== "scan" || !(params.jaxpr instanceof Jaxpr)) return undefined;
  const [consts, carries, length] = [params.consts, params.carries, params.length] as number[];
  let carry = inputs.slice(consts, consts + carries);
  const ys: (readonly Atom[])[] = [];
  for (let step = 0; step < length; step++) {
    const at = params.reverse ? length - 1 - step : step;
    const entries = inputs.slice(consts + carries).map((x) => writer.entry(x, at));
    const results = writer.body(params.jaxpr, [...inputs.slice(0, consts), ...carry, ...entries]);
    carry = results.slice(0, carries);
    ys[at] = results.slice(carries);
  }
  // What nobody uses is not put together.
  const stacks = outputs.slice(carries).map((v, k) =>
    used.has(v)
      ? writer.stack(
          ys.map((y) => y[k]),
          v.aval,
        )
      : v,
  );
  return [...carry, ...stacks];
}

/** The jaxpr with one equation written out as it runs at these values; undefined for one that has no bodies to write. */
export function unfolded(jaxpr: Jaxpr, index: number, values: readonly Copies[]): Jaxpr | undefined {
  const eqn = jaxpr.eqns[index];
  const runs = runsOf(eqn, values);
  if (eqn.primitive.name === "cond" && runs.length === 0) return undefined;
  const used = new Set<Atom>([...jaxpr.outputs, ...jaxpr.eqns.flatMap(({ inputs }) => inputs)]);
  const writer = new Writer(jaxpr.varCount);
  const results = written(writer, eqn, runs, used);
  if (results === undefined) return undefined;
  const names = new Map<Atom, Atom>(eqn.outputs.map((v, i) => [v, results[i]]));
  const use = (a: Atom): Atom => names.get(a) ?? a;
  const later = jaxpr.eqns.slice(index + 1).map((e) => ({ ...e, inputs: e.inputs.map(use) }));
  const eqns = [...jaxpr.eqns.slice(0, index), ...writer.eqns, ...later];
  return renumbered(jaxpr.inputs, eqns, jaxpr.outputs.map(use));
}
