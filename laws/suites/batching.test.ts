/** The laws of `vmap`: they hold on good functions, and each finds a rule that is wrong. */
import { jit, type NDArray, numpy as np, type PrimitiveRecord } from "fluxion";
import { describe, expect, it } from "vitest";
import { makePoint } from "../point.js";
import { functionLaws } from "../statements/batching.js";
import { between, pointOf, specimens } from "./functions.js";
import { patched } from "./patched.js";

const lawNamed = (name: string) => {
  const found = functionLaws.find((law) => law.name === name);
  if (found === undefined) throw new Error(`there is no law "${name}"`);
  return found;
};

describe.each(Object.entries(specimens))("%s", (_, specimen) => {
  it.each(functionLaws.map((law) => [law.name, law] as const))("%s", (__, law) => {
    for (const seed of [1, 2]) expect(law.check(pointOf(specimen, seed))).not.toHaveProperty("kind", "fails");
  });
});

it("laws have names of their own", () => {
  expect(new Set(functionLaws.map((law) => law.name)).size).toBe(functionLaws.length);
});

/** sin x · y + x, so that operands are batched together and apart. */
const f = (x: NDArray, y: NDArray): readonly NDArray[] => [np.add(np.multiply(np.sin(x), y), x)];
const at = () => makePoint(f as never, [between([2, 3], 1), between([2, 3], 2)], 3);

/** A batch rule that gives the rows in reversed order. */
const reversing = ({ batch }: PrimitiveRecord): Partial<PrimitiveRecord> => ({
  batch: (...args) => {
    const { outputs, batched } = batch(...args);
    return { outputs: outputs.map((y, k) => (batched[k] ? np.flip(y, 0) : y)), batched };
  },
});

/** A tangent with a part that mixes elements: not elementwise, so batching before and after are not the same. */
const leaking = ({ jvp }: PrimitiveRecord): Partial<PrimitiveRecord> => ({
  jvp: (...args) => {
    const { outputs, tangents } = jvp(...args);
    return { outputs, tangents: tangents.map((t) => np.add(t as NDArray, np.sum(t as NDArray))) };
  },
});

describe("each law finds a wrong rule", () => {
  const broken: Readonly<
    Record<string, readonly [string, (right: PrimitiveRecord) => Partial<PrimitiveRecord>]>
  > = {
    "vmap is map": ["sin", reversing],
    "vmap over other axes": ["sin", reversing],
    "vmap trades places with vmap": ["sin", reversing],
    "vmap trades places with jvp": ["sin", leaking],
    "vmap trades places with vjp": ["sin", leaking],
    "vmap trades places with grad": ["sin", leaking],
    "vmap over one input": [
      "mul",
      ({ batch }) => ({
        // Right for two batched operands, and wrong for one beside an operand that is the same for all rows.
        batch: (size, xs, mask, ...rest) =>
          batch(
            size,
            mask.every(Boolean) ? xs : xs.map((x, i) => (mask[i] ? np.flip(x, 0) : x)),
            mask,
            ...rest,
          ),
      }),
    ],
    "vmap of nothing": [
      "sin",
      ({ batch }) => ({
        batch: (size, xs, ...rest) =>
          batch(
            size,
            size === 0 ? xs.map((x) => np.ones([1, ...x.shape.slice(1)], { dtype: x.dtype })) : xs,
            ...rest,
          ),
      }),
    ],
  };

  it.each(Object.entries(broken))("%s", (name, [primitive, wrong]) => {
    const law = lawNamed(name);
    expect(law.check(at()).kind).toBe("holds");
    const found = patched(primitive, wrong, () => {
      try {
        return law.check(at()).kind;
      } catch {
        // A program that no longer fits together says so by itself.
        return "fails";
      }
    });
    expect(found).toBe("fails");
    expect(law.check(at()).kind).toBe("holds");
  });

  it("vmap trades places with jit: a call with a batch rule of its own", () => {
    const law = lawNamed("vmap trades places with jit");
    expect(law.check(at()).kind).toBe("holds");
    expect(patched("jit", reversing, () => law.check(at()).kind)).toBe("fails");
  });

  it("vmap keeps composition: a function that is not one", () => {
    let calls = 0;
    const counting = (x: NDArray): readonly NDArray[] => [np.multiply(x, ++calls)];
    const point = makePoint(counting as never, [between([3], 5)], 1);
    expect(lawNamed("vmap keeps composition").check(point).kind).toBe("fails");
  });
});

describe("wrong batch rules", () => {
  const rules: Readonly<Record<string, (right: PrimitiveRecord) => Partial<PrimitiveRecord>>> = {
    "drops the batch axis": ({ batch }) => ({
      batch: (...args) => ({
        outputs: batch(...args).outputs.map((y) => np.take(y, 0, 0)),
        batched: [false],
      }),
    }),
    "swaps the last two axes": ({ batch }) => ({
      batch: (...args) => {
        const { outputs, batched } = batch(...args);
        return { outputs: outputs.map((y) => np.swapaxes(y, -1, -2)), batched };
      },
    }),
    "takes one row for all": ({ batch }) => ({
      batch: (size, xs, ...rest) =>
        batch(
          size,
          xs.map((x) => np.broadcastTo(np.take(x, 0, 0), x.shape)),
          ...rest,
        ),
    }),
  };

  it.each(Object.entries(rules))("that %s", (_, wrong) => {
    const law = lawNamed("vmap is map");
    const square = () => makePoint(((x: NDArray) => [np.sin(x)]) as never, [between([2, 2], 1)], 3);
    expect(law.check(square()).kind).toBe("holds");
    expect(patched("sin", wrong, () => law.check(square()).kind)).toBe("fails");
  });
});

it("calls inside are batched like what they call", () => {
  const inner = jit((x: NDArray) => np.multiply(x, np.sum(x)));
  const point = makePoint(((x: NDArray) => [inner(x), np.sum(inner(x))]) as never, [between([3], 4)], 7);
  for (const law of functionLaws) expect(law.check(point)).not.toHaveProperty("kind", "fails");
});
