/**
 * Which values of a program to store, so that they fit into so many bytes and what is computed again is least work.
 *
 * The backward pass wants some values of the forward pass. Going back from these, each step that makes a wanted value is
 * either stored or computed again, and then wants its operands. To choose well is a knapsack problem on a graph: values are
 * stored in the order of what each byte saves, then one stored value is exchanged for another as long as that helps, and
 * for small programs the best choice is found by trying all that could be better (branch and bound).
 */

export interface Step {
  /** The work of computing it again. */
  readonly operations: number;
  /** Numbers of the values that it needs. Values that no step makes are there anyway. */
  readonly reads: readonly number[];
  /** Numbers of the values that it makes; those that are wanted are stored together. */
  readonly makes: readonly number[];
  /** `always`: it must not run again; `never`: storing its operand is as good. */
  readonly stored?: "always" | "never";
}

export interface StorageProblem {
  /** In the order in which they run. */
  readonly steps: readonly Step[];
  /** The size of each value. */
  readonly bytes: readonly number[];
  /** Numbers of the values that are wanted in the end. */
  readonly wanted: readonly number[];
}

export interface StorageChoice {
  /** Numbers of the stored values, in the order in which they are made. */
  readonly stored: readonly number[];
  readonly bytes: number;
  /** The work of all steps that are computed again. */
  readonly operations: number;
}

/** What follows if the steps for which `keeps` is true are stored wherever they are wanted. */
export function storing(
  { steps, bytes, wanted }: StorageProblem,
  keeps: (step: number) => boolean,
): StorageChoice {
  const needed = new Uint8Array(bytes.length);
  for (const v of wanted) needed[v] = 1;
  const backwards: number[] = [];
  const choice = { bytes: 0, operations: 0 };
  for (let i = steps.length - 1; i >= 0; i--) {
    const step = steps[i];
    if (!step.makes.some((v) => needed[v] === 1)) continue;
    if (step.stored === "always" || (step.stored !== "never" && keeps(i))) {
      for (const v of step.makes) {
        if (needed[v] === 0) continue;
        backwards.push(v);
        choice.bytes += bytes[v];
      }
      continue;
    }
    choice.operations += step.operations;
    for (const v of step.reads) needed[v] = 1;
  }
  return { ...choice, stored: backwards.reverse() };
}

const isBetter = (a: StorageChoice, b: StorageChoice): boolean =>
  a.operations < b.operations || (a.operations === b.operations && a.bytes < b.bytes);

/** Programs of no more steps that could be stored are searched through. */
const searched = 40;
/** At most so many decisions are tried in a search. */
const mostDecisions = 200_000;
/** So many times a step is looked at in the exchange of stored values. */
const mostLooks = 1_000_000;

/**
 * The values to store. Their bytes are at most the budget, unless those that must be stored exceed it by themselves.
 * For no more than 40 steps the choice is the best there is, but for programs so entangled that the search takes too long.
 */
export function chooseStored(problem: StorageProblem, budget: number): StorageChoice {
  const { steps } = problem;
  // Steps that nothing wants even if nothing is stored, and those that cannot be stored, need no decision.
  const reached = new Set<number>();
  storing(problem, (i) => {
    reached.add(i);
    return false;
  });
  const candidates = [...reached];
  const chosen = greedy(problem, candidates, budget);
  const exchanged = exchange(problem, candidates, chosen, budget);
  const found = storing(problem, (i) => exchanged.has(i));
  if (candidates.length > searched || steps.length > 10 * searched) return found;
  return search(problem, budget, found);
}

/** Stores what saves most operations for each byte, again and again. */
function greedy(problem: StorageProblem, candidates: readonly number[], budget: number): Set<number> {
  const chosen = new Set<number>();
  let now = storing(problem, (i) => chosen.has(i));
  const gainOf = (step: number): { step: number; gain: number; then: StorageChoice } => {
    const then = storing(problem, (i) => i === step || chosen.has(i));
    const saved = now.operations - then.operations;
    return { step, gain: saved / Math.max(then.bytes - now.bytes, 1), then };
  };
  // Gains mostly fall as more is stored: what was best by far before is looked at first, and most is never looked at again.
  let open = candidates.map(gainOf).sort((a, b) => b.gain - a.gain);
  while (open.length > 0) {
    const [first, ...rest] = open;
    const fresh = gainOf(first.step);
    const next = rest[0]?.gain ?? Number.NEGATIVE_INFINITY;
    if (fresh.gain <= 0 || fresh.then.bytes > budget) {
      open = rest;
      continue;
    }
    if (fresh.gain < next) {
      const at = rest.findIndex(({ gain }) => gain <= fresh.gain);
      rest.splice(at < 0 ? rest.length : at, 0, fresh);
      open = rest;
      continue;
    }
    chosen.add(first.step);
    now = fresh.then;
    open = rest;
  }
  return chosen;
}

/** Stores another step in the place of a stored one, or one more, as long as that saves operations. */
function exchange(
  problem: StorageProblem,
  candidates: readonly number[],
  start: ReadonlySet<number>,
  budget: number,
): Set<number> {
  let chosen = new Set(start);
  let best = storing(problem, (i) => chosen.has(i));
  let looks = 0;
  for (let improved = true; improved; ) {
    improved = false;
    for (const out of [undefined, ...chosen]) {
      for (const step of candidates) {
        if (chosen.has(step)) continue;
        looks += problem.steps.length;
        if (looks > mostLooks) return chosen;
        const then = storing(problem, (i) => i === step || (i !== out && chosen.has(i)));
        if (then.bytes > budget || !isBetter(then, best)) continue;
        chosen = new Set([...chosen].filter((i) => i !== out));
        chosen.add(step);
        best = then;
        improved = true;
        break;
      }
      if (improved) break;
    }
  }
  return chosen;
}

/** Tries every choice that could be better than `known`. */
function search(
  { steps, bytes, wanted }: StorageProblem,
  budget: number,
  known: StorageChoice,
): StorageChoice {
  const uses = new Int32Array(bytes.length);
  for (const v of wanted) uses[v]++;
  const stored: number[] = [];
  let best = known;
  let decisions = 0;

  const visit = (last: number, size: number, operations: number): void => {
    if (size > budget || operations > best.operations || decisions > mostDecisions) return;
    let i = last;
    while (i >= 0 && !steps[i].makes.some((v) => uses[v] > 0)) i--;
    if (i < 0) {
      const found = { stored: [...stored].reverse(), bytes: size, operations };
      if (isBetter(found, best)) best = found;
      return;
    }
    decisions++;
    const step = steps[i];
    const made = step.makes.filter((v) => uses[v] > 0);
    const then = made.reduce((sum, v) => sum + bytes[v], size);
    if (step.stored === "always" || (step.stored !== "never" && then <= budget)) {
      stored.push(...made);
      visit(i - 1, then, operations);
      stored.length -= made.length;
    }
    if (step.stored === "always") return;
    for (const v of step.reads) uses[v]++;
    visit(i - 1, size, operations + step.operations);
    for (const v of step.reads) uses[v]--;
  };

  visit(steps.length - 1, 0, 0);
  return best;
}
