/** What branches and loops are drawn with: bodies that are programs of their own, grown at the values that they will meet. */
import type { Aval, Eqn, Jaxpr, Params, Primitive, Var } from "fluxion";
import { isInside, named, toDomain, toShape } from "./adapt.js";
import type { Builder, Draft, Known } from "./builder.js";
import type { Entry, ProgramKind } from "./catalogue.js";
import { type Copies, isConstant, isFloatType } from "./copies.js";
import { freeVariables, needed, renumbered } from "./cut.js";
import { Growth, isBounded, pick, pickRecent } from "./growth.js";
import { outlinedJaxpr } from "./outline.js";

/** How a program, or a body, grows. */
export interface Plan {
  readonly kind: ProgramKind;
  /** The primitives that are applied. */
  readonly entries: readonly Entry[];
  /** How deep bodies may still nest. */
  readonly depth: number;
  /** How often a step is a branch or a loop. */
  readonly structured: number;
  /** Adds up to so many primitives and structures to a growth. */
  readonly grow: (growth: Growth, plan: Plan, steps: number) => void;
}

type Atom = Eqn["inputs"][number];

/** A value whose type is not weak: what enters a loop weak would have to come out so. */
export const strong = (b: Builder, x: Known): Known =>
  x.type.weakType ? b.apply(named("convertElementType"), [x], { dtype: x.type.dtype, weakType: false }) : x;

/** Values of the pool that nobody minds to take as operands. */
export const available = ({ pool }: Growth, holds: (x: Known) => boolean = () => true): readonly Known[] =>
  pool.filter((x) => x.type.dtype !== "float0" && holds(x));

export const isActive = (x: Known): boolean => isFloatType(x.type.dtype) && !isConstant(x.copies);

/** Some values of the pool, each once. */
export function some(growth: Growth, most: number, holds?: (x: Known) => boolean): Known[] {
  const { random, builder } = growth;
  const found = new Set<Known>();
  const all = available(growth, holds);
  if (all.length === 0) return [];
  for (let k = Math.floor(random() * (most + 1)); k > 0; k--) found.add(pickRecent(random, all));
  return [...found].map((x) => strong(builder, x));
}

/** The body of a structure while it grows. */
export class Body {
  readonly growth: Growth;
  /** What stands for the operands that it was begun with. */
  readonly formals: readonly Known[];

  constructor(
    private readonly plan: Plan,
    parent: Growth,
    seeds: readonly Pick<Known, "copies" | "given">[],
  ) {
    this.growth = new Growth(plan.kind, parent.random);
    this.formals = seeds.map(({ copies, given }) => this.growth.builder.variable(copies, given));
    for (const x of this.formals) this.growth.keep(x);
  }

  get builder(): Builder {
    return this.growth.builder;
  }

  grow(): void {
    const { plan, growth } = this;
    // The deeper, the shorter.
    const most = plan.depth > 2 ? 3 : 2;
    plan.grow(
      growth,
      { ...plan, depth: plan.depth - 1, structured: 0.2 },
      1 + Math.floor(most * growth.random()),
    );
  }

  valueOf(v: Var): Copies {
    return this.builder.values[v.id];
  }

  /** Inputs that were drawn on the way: whoever runs the body must hand them in. */
  extras(outputs: readonly Atom[]): readonly Var[] {
    const formals = new Set<Atom>(this.formals.map((x) => x.atom));
    return freeVariables(needed(this.builder.eqns, outputs), outputs).filter((v) => !formals.has(v));
  }

  /** The body as a jaxpr of these inputs; some of its equations may have become bodies themselves. */
  toJaxpr(inputs: readonly Atom[], outputs: readonly Atom[]): Jaxpr {
    const whole = renumbered(inputs as readonly Var[], needed(this.builder.eqns, outputs), outputs);
    const { random } = this.growth;
    return random() < 0.35 ? outlinedJaxpr(whole, random, this.plan.depth - 1) : whole;
  }

  /** A value that was computed here, rather one that moves with the inputs; else any. */
  result(holds: (x: Known) => boolean = () => true): Known | undefined {
    const { growth } = this;
    const all = available(growth, holds);
    const computed = all.filter((x) => !x.given && !this.formals.includes(x));
    const active = computed.filter(isActive);
    const from = active.length > 0 ? active : computed.length > 0 ? computed : all;
    return from.length === 0 ? undefined : pickRecent(growth.random, from);
  }

  /** A result of a given type, made of what is there. */
  resultOf(type: Aval): Known {
    const { builder } = this;
    const made = builder.attempt(() => {
      const x = this.result((y) => y.type.dtype === type.dtype && !y.type.shape.includes(0));
      const shaped = x && toShape(builder, x, type.shape);
      return shaped && strong(builder, shaped);
    });
    if (made !== undefined) return made;
    const filling = builder.literal(isFloatType(type.dtype) ? 0.5 : 1, type.dtype);
    if (type.shape.length === 0) return filling;
    return builder.apply(named("broadcastInDim"), [filling], { shape: [...type.shape], dims: [] });
  }
}

/** The draft of an equation, if its results are of moderate size. */
export function moderate(
  { builder }: Growth,
  primitive: Primitive,
  operands: readonly Known[],
  params: Params,
): Draft | undefined {
  const draft = builder.draft(primitive, operands, params);
  const jumps = draft.results.some(({ type, copies }) => !isFloatType(type.dtype) && !isConstant(copies));
  return isBounded(draft) && !jumps ? draft : undefined;
}

/** An integer that chooses or counts: a literal, an input, or a number of the pool. */
export function chosenInteger(growth: Growth, least: number, most: number): Known {
  const { random, builder } = growth;
  const value = least + Math.floor(random() * (most - least + 1));
  if (random() < 0.3) {
    const found = available(
      growth,
      ({ type, min, max }) =>
        type.dtype === "int32" && type.shape.length === 0 && !type.weakType && min >= least && max <= most,
    );
    if (found.length > 0) return pick(random, found);
  }
  if (random() < 0.35) return builder.literal(value, "int32");
  return growth.integer(value);
}

/** A value as the next of another: of its type, and not far from where it is. */
export function near(b: Builder, x: Known, old: Known): Known | undefined {
  const shaped = toShape(b, x, old.type.shape);
  if (shaped === undefined) return undefined;
  const wide = Math.max(0.2, 0.3 * (old.max - old.min));
  const interval = [Math.floor(20 * (old.min - wide)) / 20, Math.ceil(20 * (old.max + wide)) / 20] as const;
  const inside = strong(b, toDomain(b, shaped, interval));
  return isInside(inside, interval) ? inside : undefined;
}
