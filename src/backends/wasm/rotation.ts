/**
 * Where the carries of a loop lie, step by step. There is a place in memory for each carry, and a spare one for each carry whose
 * next value the body writes to memory apart. After a step nothing is copied: places change their roles instead.
 */

export interface Rotation {
  /** Numbers of the places that are spare at first: they follow on those of the carries. */
  readonly spares: readonly { readonly carry: number; readonly place: number }[];
  /** For each role (the carries, then the spares) the role before the step whose place it has after it. */
  readonly from: readonly number[];
  /** Whether every carry stays where it is. */
  readonly isStill: boolean;
}

/** @param moves as in the step of a loop. */
export function rotationOf(moves: readonly (number | undefined)[]): Rotation {
  const spares = moves.flatMap((from, carry) => (from === undefined ? [carry] : []));
  const placeOf = new Map(spares.map((carry, i) => [carry, moves.length + i]));
  const takenBy = new Map<number, number>();
  for (const [k, from] of moves.entries()) if (from !== undefined) takenBy.set(from, k);
  const next = moves.map((from, k) => from ?? (placeOf.get(k) as number));
  // The place of a carry may be taken by another, whose own is then free, unless it is taken as well.
  const left = spares.map((carry) => {
    let free = carry;
    for (let k = takenBy.get(free); k !== undefined; k = takenBy.get(free)) free = k;
    return free;
  });
  return {
    spares: spares.map((carry) => ({ carry, place: placeOf.get(carry) as number })),
    from: [...next, ...left],
    isStill: moves.every((from, k) => from === k),
  };
}

/** For each role the role at first whose place it has after `steps` steps. */
export function afterSteps({ from }: Rotation, steps: number): readonly number[] {
  let result: readonly number[] = from.map((_, role) => role);
  let power: readonly number[] = from;
  for (let left = steps; left > 0; left = Math.floor(left / 2)) {
    const factor = power;
    if (left % 2 === 1) result = result.map((role) => factor[role]);
    power = power.map((role) => factor[role]);
  }
  return result;
}
