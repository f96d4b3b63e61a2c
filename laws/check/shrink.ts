/** Shrinking by a list of simplifications, each tried in turn from where the last one that kept the failure stands. */
import fc from "fast-check";

/** One simplification. */
export interface Move<T> {
  /** The simpler value; undefined where there is nothing to simplify. */
  readonly apply: (value: T) => T | undefined;
  /** It changes what moves there are, so that they start from the first again. */
  readonly reshapes?: boolean;
}

/** The simplifications of a value, the biggest first: as many for all values of one structure. */
export type Moves<T> = (value: T) => Iterable<Move<T>>;

/** Where the search stands. */
interface Progress {
  readonly next: number;
  /** Whether this round simplified anything: if so, another one may do more. */
  readonly changed: boolean;
  readonly round: number;
}

const rounds = 3;

/** What fast-check asks of an arbitrary's `shrink`: simpler values, each with where to go on from it. */
export function shrinks<T>(moves: Moves<T>, value: T, context: unknown): fc.Stream<fc.Value<T>> {
  const progress = (context as Progress | undefined) ?? { next: 0, changed: false, round: 0 };
  return fc.stream(candidates(moves, value, progress));
}

function* candidates<T>(
  moves: Moves<T>,
  value: T,
  { next, changed, round }: Progress,
): Generator<fc.Value<T>> {
  let index = 0;
  for (const move of moves(value)) {
    if (index++ < next) continue;
    const simpler = move.apply(value);
    if (simpler !== undefined)
      yield new fc.Value(simpler, {
        next: move.reshapes ? 0 : index,
        changed: true,
        round,
      } satisfies Progress);
  }
  if (changed && round + 1 < rounds)
    yield* candidates(moves, value, { next: 0, changed: false, round: round + 1 });
}

/** An arbitrary that stops shrinking when there is no time left. */
export class Bounded<T> extends fc.Arbitrary<T> {
  constructor(
    private readonly inner: fc.Arbitrary<T>,
    private readonly timeLeft: () => boolean,
  ) {
    super();
  }

  override generate(mrng: fc.Random, bias: number | undefined): fc.Value<T> {
    return this.inner.generate(mrng, bias);
  }

  override canShrinkWithoutContext(value: unknown): value is T {
    return this.inner.canShrinkWithoutContext(value);
  }

  override shrink(value: T, context: unknown): fc.Stream<fc.Value<T>> {
    return this.inner.shrink(value, context).takeWhile(() => this.timeLeft());
  }
}
