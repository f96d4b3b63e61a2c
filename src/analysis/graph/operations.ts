/** The textbook's form: squares are variables, circles are operations, arrows go along the data. */
import { countEqns, Literal, subJaxprs } from "../../core/jaxpr.js";
import { edgeKey } from "./dependence.js";
import { boundaryOf, Group, type Grouping, groupOperations, type Unit } from "./group.js";
import { formOf } from "./notation.js";
import type { Notes } from "./notes.js";
import { typeText } from "./numbers.js";
import type { Line, Picture, PictureEdge, PictureNode } from "./picture.js";
import { boxesOf, numberText, operationNode, variableNode } from "./pictureParts.js";
import {
  allOperations,
  type Body,
  type Link,
  type Operand,
  type Operation,
  type Program,
  type Scope,
  Variable,
} from "./program.js";

export interface GroupingRequest {
  readonly by: Grouping;
  /** How many nodes for operations there may be, by "auto". */
  readonly limit: number;
}

export type Parts = Pick<Picture, "nodes" | "edges" | "boxes">;

/** The parts of the drawing. */
export function operationsParts(
  program: Program,
  notes: Notes,
  grouping: GroupingRequest | undefined,
): Parts {
  const drawing = new Drawing(program, notes, grouping);
  return drawing.finish();
}

/** So many parts of an argument or result stand by themselves in a grouped drawing. */
const mostParts = 8;

/** The types among some values, each once. */
function typesOf(list: readonly Variable[]): string {
  const found = [...new Set(list.map((v) => typeText(v.aval) || "scalar"))];
  return found.length > 3 ? `${list.length} values` : found.join(", ") || "nothing";
}

const linkLabels: Partial<Record<Link["kind"], string>> = {
  slice: "each",
  stack: "all steps",
  next: "next step",
  count: "times",
};

class Drawing {
  private readonly nodes: PictureNode[] = [];
  private readonly edges: PictureEdge[] = [];
  private readonly scopes = new Set<Scope | undefined>();
  private readonly drawn = new Set<Variable>();
  /** The group that made a value which has no node of its own. */
  private readonly madeBy = new Map<Variable, string>();
  private readonly uses = new Map<Variable, Operation[]>();
  private readonly kept: ReadonlySet<Variable>;
  private readonly total: number;
  /** Nodes that stand for several inputs, or for all outputs, by the values that they stand for. */
  private readonly bundles = new Map<Variable, string>();

  constructor(
    private readonly program: Program,
    private readonly notes: Notes,
    private readonly grouping: GroupingRequest | undefined,
  ) {
    const all = allOperations(program.operations);
    this.total = all.length;
    const kept = new Set<Variable>();
    for (const op of all) {
      for (const x of op.inputs)
        if (x instanceof Variable) this.uses.set(x, [...(this.uses.get(x) ?? []), op]);
      for (const { links } of op.bodies)
        for (const { from } of links) if (from instanceof Variable) kept.add(from);
    }
    for (const v of program.outputs) if (v instanceof Variable) kept.add(v);
    this.kept = kept;
  }

  finish(): Parts {
    const { program } = this;
    if (this.grouping?.by === "auto") this.bundle();
    for (const v of program.inputs) if (!this.bundles.has(v)) this.variable(v);
    for (const v of program.constants) if (this.uses.has(v) || this.kept.has(v)) this.variable(v);
    this.list(program.operations);
    for (const [k, v] of program.outputs.entries())
      if (!(v instanceof Variable)) this.number(v, `result${k}`, undefined);
    return { nodes: this.nodes, edges: this.edges, boxes: boxesOf(this.scopes) };
  }

  /** The many parts of a list of layers, and the many parts of a gradient, are one node each. */
  private bundle(): void {
    const { inputs, outputs } = this.program;
    const add = (name: string, members: readonly Variable[], tone: "input" | "output"): void => {
      if (members.length <= mostParts) return;
      const id = `${tone}s_${members[0].id}`;
      for (const v of members) this.bundles.set(v, id);
      const lines: Line[] = [
        { text: name, kind: "name" },
        { text: `${members.length} arrays: ${typesOf(members)}`, kind: "type" },
      ];
      this.nodes.push({ id, shape: "variable", lines, tone });
    };
    const names = new Set(inputs.flatMap((v) => v.bundle ?? []));
    for (const name of names)
      add(
        name,
        inputs.filter((v) => v.bundle === name),
        "input",
      );
    const made = new Set(outputs.filter((v): v is Variable => v instanceof Variable && v.role === "output"));
    add("results", [...made], "output");
  }

  /** An edge to a value, or to the node that it is a part of; there may be one already. */
  private edgeTo(from: string, v: Variable, highlighted = false): void {
    const to = this.bundles.get(v) ?? v.id;
    if (to !== v.id) {
      this.madeBy.set(v, from);
      if (this.edges.some((e) => e.from === from && e.to === to)) return;
    }
    this.edges.push({ from, to, kind: "data", ...(highlighted ? { highlighted } : {}) });
  }

  private variable(v: Variable): void {
    if (this.drawn.has(v)) return;
    this.drawn.add(v);
    this.scopes.add(v.scope);
    this.nodes.push(variableNode(v, this.notes));
  }

  private number(x: Literal, id: string, scope: Scope | undefined): void {
    this.scopes.add(scope);
    const lines: Line[] = [{ text: numberText(x) ?? "", kind: "name" }];
    this.nodes.push({ id, shape: "number", lines, ...(scope === undefined ? {} : { box: scope.id }) });
  }

  private list(operations: readonly Operation[]): void {
    const { grouping } = this;
    const units: readonly Unit[] =
      grouping === undefined
        ? operations
        : groupOperations(operations, grouping.by, this.share(operations.length, grouping.limit));
    for (const unit of units)
      if (unit instanceof Group) this.group(unit);
      else this.operation(unit);
  }

  /** A part of the limit in proportion to the part of the program. */
  private share(length: number, limit: number): number {
    return Math.max(6, Math.round((limit * length) / this.total));
  }

  private operation(op: Operation): void {
    const outputs = op.outputs.filter((v) => this.uses.has(v) || this.kept.has(v));
    const results = outputs.length > 0 ? outputs : op.outputs;
    const isChoice = op.eqn.primitive.name === "cond";
    if (op.bodies.length > 0)
      for (const body of op.bodies) this.body(body, results, isChoice ? op : undefined);
    if (op.bodies.length === 0 || isChoice) this.circle(op, results, isChoice && op.bodies.length > 0);
    for (const v of results) if (!this.bundles.has(v)) this.variable(v);
  }

  private circle(op: Operation, results: readonly Variable[], isChoice: boolean): void {
    this.scopes.add(op.scope);
    const hidden = op.bodies.length > 0 ? 0 : subJaxprs(op.eqn.params).reduce((n, j) => n + countEqns(j), 0);
    this.nodes.push(operationNode(op, hidden));
    const form = formOf(op.eqn);
    const variables = op.inputs.filter((x) => x instanceof Variable).length;
    const ordered = variables > 1 && (form.kind === "call" || (form.kind === "infix" && form.ordered));
    // Branches are entered through their own edges; only the index is the choice's.
    const operands = isChoice ? op.inputs.slice(0, 1) : op.inputs;
    for (const [i, x] of operands.entries()) {
      if (!(x instanceof Variable)) continue;
      const partials = op.outputs.flatMap((_, k) => this.notes.partials.get(edgeKey(op, i, k)) ?? []);
      const keys = op.outputs.map((_, k) => edgeKey(op, i, k));
      this.edges.push({
        from: this.nodeOf(x),
        to: op.id,
        kind: "data",
        ...(partials.length === 0
          ? {}
          : { label: partials.map((p) => p.text).join(", "), hidden: partials[0].hidden === true }),
        ...(keys.some((key) => this.notes.highlighted.has(key)) ? { highlighted: true } : {}),
        ...(ordered && this.notes.partials.size === 0 && !isChoice ? { position: i + 1 } : {}),
      });
    }
    for (const v of results) {
      const highlighted = op.inputs.some((_, i) =>
        this.notes.highlighted.has(edgeKey(op, i, op.outputs.indexOf(v))),
      );
      this.edgeTo(op.id, v, highlighted);
    }
  }

  private body(body: Body, results: readonly Variable[], choice: Operation | undefined): void {
    for (const v of body.inputs) if (this.uses.has(v) || this.kept.has(v)) this.variable(v);
    this.list(body.operations);
    const leaving = new Set<string>();
    for (const [i, link] of body.links.entries()) {
      const isResult = link.kind === "leave" || link.kind === "stack";
      if (!(isResult ? results.includes(link.to) : this.drawn.has(link.to))) continue;
      const from = this.startOf(
        link.from,
        `${body.scope.id}n${i}`,
        link.kind === "enter" || link.kind === "count" ? undefined : body.scope,
      );
      const to = choice !== undefined && link.kind === "leave" ? choice.id : link.to.id;
      const key = `${from} ${to}`;
      if (leaving.has(key) && choice !== undefined) continue;
      leaving.add(key);
      // Whether a loop goes on is asked of the next step's values as well; one edge says that they are those.
      const label = link.kind === "next" && link.to.scope !== body.scope ? undefined : linkLabels[link.kind];
      this.edges.push({
        from,
        to,
        kind: link.kind === "next" ? "next" : "way",
        ...(label === undefined ? {} : { label }),
      });
    }
  }

  private startOf(x: Operand, id: string, scope: Scope | undefined): string {
    if (!(x instanceof Literal)) return this.nodeOf(x);
    this.number(x, id, scope);
    return id;
  }

  /** The node where a value is to be had. */
  private nodeOf(v: Variable): string {
    const group = this.madeBy.get(v);
    if (group !== undefined && !this.drawn.has(v)) return group;
    const bundle = this.bundles.get(v);
    if (bundle !== undefined) return bundle;
    this.variable(v);
    return v.id;
  }

  private group(group: Group): void {
    const { inputs, outputs } = boundaryOf(group, this.uses, this.kept);
    const { scope } = group.operations[0];
    const shared = group.operations.every((op) => op.scope === scope) ? scope : undefined;
    this.scopes.add(shared);
    const operations = allOperations(group.operations).length;
    const lines: Line[] = [
      { text: group.summary, kind: "name" },
      {
        text: `${group.repeats > 1 ? `${group.repeats} times, ` : ""}${operations} operations${group.origin === undefined ? "" : `, ${group.origin}`}`,
        kind: "type",
      },
      { text: `${typesOf(inputs)} to ${typesOf(outputs)}`, kind: "type" },
    ];
    this.nodes.push({
      id: group.id,
      shape: "group",
      lines,
      ...(shared === undefined ? {} : { box: shared.id }),
    });
    this.comingIn(group, inputs);
    for (const v of outputs) {
      this.madeBy.set(v, group.id);
      // Results and named values stay in sight; others are the edges between groups.
      if (!this.kept.has(v) && !v.named) continue;
      if (!this.bundles.has(v)) this.variable(v);
      this.edgeTo(group.id, v);
    }
  }

  /** One edge from each node, with the type of what comes along it. */
  private comingIn(group: Group, inputs: readonly Variable[]): void {
    const sources = new Map<string, Variable[]>();
    for (const v of inputs) {
      const from = this.nodeOf(v);
      sources.set(from, [...(sources.get(from) ?? []), v]);
    }
    for (const from of sources.keys()) this.edges.push({ from, to: group.id, kind: "data" });
  }
}
