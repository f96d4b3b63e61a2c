/**
 * A program while it is written: equation by equation, each evaluated at once, so that what comes next is chosen by the
 * values that are there.
 */
import {
  type Aval,
  aval,
  type ConcreteArray,
  type Eqn,
  Literal,
  type Params,
  type Primitive,
  Var,
} from "fluxion";
import { arrayOf, type Copies, constant, isConstant, isFloatType } from "./copies.js";
import { evaluateCopies } from "./run.js";

/** An atom, its values, and what is known of them. */
export interface Known {
  readonly atom: Var | Literal;
  readonly copies: Copies;
  readonly type: Aval;
  /** The least and the largest element, neighbours included; 0 and 0 without elements. */
  readonly min: number;
  readonly max: number;
  /** How far elements move, relative to how far the inputs do. */
  readonly speed: number;
  /** Whether it is an input or a literal: no equation computes it. */
  readonly given: boolean;
}

/** How far away the neighbours of the inputs are. */
export const reach = (dtype: string): number => (dtype === "float16" ? 2e-2 : 1e-3);

/** Elements moved by up to `by` in random directions. */
export const moved = (x: ConcreteArray, by: number, random: () => number): ConcreteArray =>
  arrayOf(
    Array.from(x.values, (e) => e + (random() < 0.5 ? -by : by) * (0.25 + 0.75 * random())),
    x.aval,
  );

function measure(copies: Copies): { min: number; max: number; speed: number } {
  const [xs, one, other] = [copies[0].values, copies[1].values, copies[2].values];
  if (xs.length === 0) return { min: 0, max: 0, speed: 0 };
  let [min, max, move] = [Infinity, -Infinity, 0];
  const still = isConstant(copies);
  for (let i = 0; i < xs.length; i++) {
    const [x, y, z] = [xs[i], one[i], other[i]];
    // A NaN among them makes all of these NaN, which no bound admits.
    min = Math.min(min, x, y, z);
    max = Math.max(max, x, y, z);
    if (!still) move = Math.max(move, Math.abs(y - x), Math.abs(z - x));
  }
  return { min, max, speed: move / reach(copies[0].dtype) };
}

/** What an equation would give. */
export interface Draft {
  readonly primitive: Primitive;
  readonly operands: readonly Known[];
  readonly params: Params;
  readonly results: readonly Known[];
}

export class Builder {
  readonly eqns: Eqn[] = [];
  /** Values by variable id. */
  readonly values: Copies[] = [];

  constructor(readonly random: () => number) {}

  /** A variable that no equation defines, with values that are known already. `given`: it is not computed elsewhere either. */
  variable(copies: Copies, given = true): Known {
    const type = copies[0].aval;
    const atom = new Var(this.values.length, type);
    this.values.push(copies);
    return { atom, copies, type, ...measure(copies), given };
  }

  /** A variable that no equation defines: an input. Floats have neighbours. */
  input(x: ConcreteArray): Known {
    if (!isFloatType(x.dtype)) return this.variable(constant(x));
    const by = reach(x.dtype);
    return this.variable([x, moved(x, by, this.random), moved(x, by, this.random)]);
  }

  literal(value: number, dtype: Aval["dtype"]): Known {
    const type = aval([], dtype);
    const array = arrayOf([value], type);
    const copies = constant(array);
    return { atom: new Literal(array.values[0], type), copies, type, ...measure(copies), given: true };
  }

  /** Evaluates an equation without adding it. Throws what the type rule of the primitive says against it. */
  draft(primitive: Primitive, operands: readonly Known[], params: Params): Draft {
    const types = primitive.abstractEval(
      operands.map((x) => x.type),
      params,
    );
    if (types._tag === "Left") throw types.left;
    const copies = evaluateCopies(
      primitive,
      operands.map((x) => x.copies),
      params,
      types.right,
    );
    // Ids are given once the equation is added.
    const results = types.right.map((type, i) => ({
      atom: new Var(-1, type),
      copies: copies[i],
      type,
      ...measure(copies[i]),
      given: false,
    }));
    return { primitive, operands, params, results };
  }

  /** Adds an equation; gives its results. */
  add({ primitive, operands, params, results }: Draft): readonly Known[] {
    const known = results.map((r) => {
      const atom = new Var(this.values.length, r.type);
      this.values.push(r.copies);
      return { ...r, atom };
    });
    const outputs = known.map((k) => k.atom);
    const inputs = operands.map((x) => x.atom);
    this.eqns.push({ primitive, inputs, params, outputs, source: undefined });
    return known;
  }

  /** Takes back the equations that `write` has added if it gives nothing. */
  attempt<R>(write: () => R | undefined): R | undefined {
    const mark = this.eqns.length;
    const result = write();
    if (result === undefined) this.eqns.length = mark;
    return result;
  }

  /** Adds an equation that has one result. */
  apply(primitive: Primitive, operands: readonly Known[], params: Params = {}): Known {
    return this.add(this.draft(primitive, operands, params))[0];
  }
}
