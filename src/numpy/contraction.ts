/** Products of two arrays whose axes have names: what einsum and the matrix products come down to. */
import type { NDArray } from "../core/array.js";
import { type DType, promoteTypes } from "../core/dtype.js";
import { broadcastInDim, reduceSum } from "../primitives/broadcast.js";
import { convertElementType } from "../primitives/cast.js";
import { ne } from "../primitives/comparison.js";
import { dotGeneral } from "../primitives/dot.js";
import { mul } from "../primitives/field.js";
import { squeeze, transpose } from "../primitives/shape.js";
import { diagonalOf } from "./indexing.js";
import { type ArrayLike, promoteOperands } from "./operands.js";
import { dataDType } from "./options.js";

/** An array with a name for each of its axes. Axes of one name go together. */
export interface Named {
  readonly x: NDArray;
  readonly names: readonly string[];
}

/** The lengths that names stand for. An axis of length 1 goes with any length. Undefined where lengths differ. */
export function lengthsByName(operands: readonly Named[]): Map<string, number | undefined> {
  const lengths = new Map<string, number | undefined>();
  for (const { x, names } of operands)
    for (const [i, name] of names.entries()) {
      const n = x.shape[i];
      const found = lengths.get(name);
      if (!lengths.has(name) || found === 1) lengths.set(name, n);
      else if (n !== 1 && n !== found) lengths.set(name, undefined);
    }
  return lengths;
}

/** Axes of one operand that share a name become one, their diagonal. */
export function withDistinctNames(operand: Named): Named {
  let { x, names } = operand;
  for (let i = 0; i < names.length; ) {
    const j = names.indexOf(names[i], i + 1);
    if (j < 0) {
      i++;
      continue;
    }
    // The diagonal becomes the last axis; what stands before it has been looked at, or is now one place further ahead.
    const name = names[i];
    x = diagonalOf("einsum", x, 0, i, j);
    names = [...names.filter((_, k) => k !== i && k !== j), name];
  }
  return { x, names };
}

/** Axes of length 1 that are to be repeated are left out: they are the same for all. */
export function withoutRepeated(
  { x, names }: Named,
  lengths: ReadonlyMap<string, number | undefined>,
): Named {
  const repeated = names.flatMap((name, i) => (x.shape[i] === 1 && lengths.get(name) !== 1 ? [i] : []));
  return { x: squeeze(x, repeated), names: names.filter((_, i) => !repeated.includes(i)) };
}

/** Axes that nobody needs, summed over. */
export function summedTo({ x, names }: Named, needed: ReadonlySet<string>): Named {
  const summed = names.flatMap((name, i) => (needed.has(name) ? [] : [i]));
  return { x: reduceSum(x, summed), names: names.filter((name) => needed.has(name)) };
}

export function permuted({ x, names }: Named, order: readonly string[]): Named {
  return {
    x: transpose(
      x,
      order.map((name) => names.indexOf(name)),
    ),
    names: order,
  };
}

/**
 * The product of two operands, summed over the names that are not needed. Names of one operand are distinct. `order` is
 * the order of names that is wanted, if that costs nothing.
 */
export function product(a: Named, b: Named, needed: ReadonlySet<string>, order: readonly string[]): Named {
  const shared = a.names.filter((name) => b.names.includes(name));
  const keep = new Set([...needed, ...shared]);
  const [left, right] = [summedTo(a, keep), summedTo(b, keep)];
  const contracting = shared.filter((name) => !needed.has(name));
  if (contracting.length === 0) return elementwise(left, right, order);
  const batch = shared.filter((name) => needed.has(name));
  const axes = (operand: Named, names: readonly string[]) => names.map((name) => operand.names.indexOf(name));
  const x = dotGeneral(left.x, right.x, {
    contracting: [axes(left, contracting), axes(right, contracting)],
    batch: [axes(left, batch), axes(right, batch)],
  });
  const free = ({ names }: Named) => names.filter((name) => !shared.includes(name));
  return { x, names: [...batch, ...free(left), ...free(right)] };
}

/** Without a sum a product is a multiplication, which compilers join with what surrounds it. */
function elementwise(a: Named, b: Named, order: readonly string[]): Named {
  const names = [...new Set([...a.names, ...b.names])];
  const names1 = order.length === names.length && order.every((name) => names.includes(name)) ? order : names;
  const length = (name: string) =>
    a.names.includes(name) ? a.x.shape[a.names.indexOf(name)] : b.x.shape[b.names.indexOf(name)];
  const shape = names1.map(length);
  const spread = (operand: Named) => {
    if (operand.names.length === 0) return operand.x;
    const own = permuted(
      operand,
      names1.filter((name) => operand.names.includes(name)),
    );
    return broadcastInDim(
      own.x,
      shape,
      own.names.map((name) => names1.indexOf(name)),
    );
  };
  return { x: mul(spread(a), spread(b)), names: names1 };
}

export interface ProductOptions {
  /** The dtype of the result; sums are made in at least that precision. Default: that of the promoted operands. */
  readonly preferredElementType?: DType;
}

/** Promoted operands as products can be made of them, and the way back to the dtype of the result. */
export function productOperands(
  name: string,
  xs: readonly ArrayLike[],
  { preferredElementType }: ProductOptions,
): { operands: NDArray[]; finish: (y: NDArray) => NDArray } {
  const promoted = promoteOperands(name, xs);
  const { dtype } = promoted[0];
  const result = preferredElementType === undefined ? dtype : dataDType(name, preferredElementType);
  // Sums of booleans are counts, of which only zero is false.
  const type = promoteTypes(dtype === "bool" ? "int32" : dtype, result);
  const operands = type === dtype ? promoted : promoted.map((x) => convertElementType(x, type));
  const finish = (y: NDArray) => {
    if (result === "bool") return ne(y, 0);
    return type === result ? y : convertElementType(y, result);
  };
  return { operands, finish };
}
