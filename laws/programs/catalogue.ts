/** What random programs are made of: the registry's primitives, each with those of its examples that fit. */
import { type Aval, type Example, type Primitive, primitives } from "fluxion";
import { isEffectful } from "../bodies.js";
import { isFloatType } from "./copies.js";
import { wrappers } from "./wrappers.js";

/**
 * `smooth`: all floats are float64 and the program is differentiable around its inputs. `any`: all dtypes, and all
 * primitives.
 */
export type ProgramKind = "smooth" | "any";

export interface Entry {
  readonly primitive: Primitive;
  readonly examples: readonly Example[];
}

/** Primitives that are drawn with bodies of their own, rather than with those of the examples. */
const drawn: ReadonlySet<string> = new Set(["cond", "scan", "while", ...wrappers.map((w) => w.primitive)]);

const onlyDoubles = (types: readonly Aval[]): boolean =>
  types.every(({ dtype }) => !isFloatType(dtype) || dtype === "float64");

function fits(primitive: Primitive, example: Example, kind: ProgramKind, effects: boolean): boolean {
  if (!effects && isEffectful({ primitive, params: example.params })) return false;
  if (kind === "any") return true;
  if (!onlyDoubles(example.avals)) return false;
  const outputs = primitive.abstractEval(example.avals, example.params);
  return outputs._tag === "Right" && onlyDoubles(outputs.right);
}

const made = new Map<string, { count: number; entries: readonly Entry[] }>();

/** The primitives with the examples that programs of this kind can use. It follows the registry as it grows. */
export function catalogue(kind: ProgramKind, effects: boolean): readonly Entry[] {
  const key = `${kind} ${effects}`;
  const all = primitives();
  let found = made.get(key);
  if (found?.count !== all.length) {
    const entries = all
      .filter(({ name }) => !drawn.has(name))
      .map((primitive) => ({
        primitive,
        // A record made in JavaScript may lack what the types ask for; then there is nothing to draw.
        examples: (primitive.laws?.examples ?? []).filter((e) => fits(primitive, e, kind, effects)),
      }))
      .filter(({ examples }) => examples.length > 0);
    found = { count: all.length, entries };
    made.set(key, found);
  }
  return found.entries;
}
