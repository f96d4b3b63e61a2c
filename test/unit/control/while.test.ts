/** `lax.whileLoop`: values, types of the carry, what it refuses, effects. */
import {
  ArgumentError,
  DtypeError,
  debug,
  evalJaxpr,
  grad,
  jit,
  jvp,
  lax,
  linearTranspose,
  makeJaxpr,
  type NDArray,
  NotDifferentiableError,
  numpy as np,
  parseJaxpr,
  printJaxpr,
  ShapeError,
  TreeMismatchError,
  vmap,
} from "fluxion";
import { describe, expect, it } from "vitest";

const f64 = (x: number | number[]): NDArray => np.array(x, "float64");

/** How many halvings bring a number below 1, and what is left of it. */
const halvings = (x: NDArray): [NDArray, NDArray] =>
  lax.whileLoop(
    ([_, y]) => y.greaterEqual(1),
    ([n, y]) => [n.add(1), y.mul(0.5)] as const,
    [0, x] as [number, NDArray],
  );

describe("whileLoop", () => {
  it("goes on until the condition fails, which may be at once", () => {
    expect(halvings(f64(20)).map((x) => x.item())).toEqual([5, 0.625]);
    expect(halvings(f64(0.5)).map((x) => x.item())).toEqual([0, 0.5]);
    expect(jit(halvings)(f64(20)).map((x) => x.item())).toEqual([5, 0.625]);
    expect(
      lax
        .whileLoop(
          () => false,
          (x) => x.add(1),
          3,
        )
        .item(),
    ).toBe(3);
  });

  it("takes trees, closes over arrays and hands on what does not change", () => {
    const rate = f64([0.5, 2]);
    const f = jit((limit: NDArray, x: NDArray) =>
      lax.whileLoop(
        ({ steps, state }) => np.all(state.x.less(limit)).logicalAnd(steps.less(100)),
        ({ steps, state }) => ({
          steps: steps.add(1),
          state: { x: state.x.add(state.by.mul(rate)), by: state.by },
        }),
        { steps: 0, state: { x, by: f64([1, 1]) } },
      ),
    );
    const { steps, state } = f(f64(7), f64([0, 1]));
    expect([steps.item(), state.x.tolist(), state.by.tolist()]).toEqual([3, [1.5, 7], [1, 1]]);
  });

  it("gives a carry that changes its weak type the type that the body makes of it", () => {
    const number = lax.whileLoop(
      (x) => x.less(3),
      (x) => x.add(1),
      0,
    );
    expect([number.dtype, number.weakType, number.item()]).toEqual(["int32", true, 3]);
    const double = lax.whileLoop(
      (x) => x.less(3),
      (x) => f64(1).add(x),
      0 as number | NDArray,
    );
    expect([double.dtype, double.weakType, double.item()]).toEqual(["float64", false, 3]);
    const float = lax.whileLoop(
      (x) => x.less(1),
      (x) => x.add(0.25),
      0,
    );
    expect([float.dtype, float.weakType, float.item()]).toEqual(["float32", true, 1]);
    // A strong carry stays what it is if the body makes a weak one of it.
    const kept = lax.whileLoop(
      (x) => x.less(1),
      () => 2,
      np.array(0, "float32"),
    );
    expect([kept.dtype, kept.weakType, kept.item()]).toEqual(["float32", false, 2]);
  });

  it("is one equation, whatever the number of steps, and can be printed and read", () => {
    const { jaxpr } = makeJaxpr((x: NDArray) => halvings(x))(f64(1));
    expect(jaxpr.eqns.map((eqn) => eqn.primitive.name)).toEqual(["while"]);
    const again = parseJaxpr(printJaxpr(jaxpr));
    if (again._tag === "Left") throw again.left;
    expect(evalJaxpr(again.right.jaxpr, f64(20)).map((x) => x.item())).toEqual([5, 0.625]);
  });

  it("does what is the same in every step before the first one, but nothing that might not end", () => {
    const compiled = (f: (x: NDArray, a: NDArray) => NDArray) => {
      const [{ primitive, params }] = makeJaxpr(f)(f64(1), f64(2)).jaxpr.eqns;
      return primitive.inline?.(params, [])?.eqns.map((eqn) => eqn.primitive.name);
    };
    const scaled = compiled((x, a) =>
      lax.whileLoop(
        (y) => y.less(100),
        (y) => y.mul(np.exp(a)),
        x,
      ),
    );
    expect(scaled).toEqual(["exp", "while"]);
    const nested = compiled((x, a) =>
      lax.whileLoop(
        (y) => y.less(100),
        (y) =>
          y.add(
            lax.whileLoop(
              (z) => z.less(5),
              (z) => z.mul(2),
              a,
            ),
          ),
        x,
      ),
    );
    expect(nested).toBeUndefined();
  });

  it("drops carries that nothing needs, and keeps those that the condition needs", () => {
    const f = (x: NDArray) =>
      lax.whileLoop(
        ([i]) => i.less(4),
        ([i, y, z]) => [i.add(1), np.sin(y), z.mul(2)] as const,
        [0, x, x] as [number, NDArray, NDArray],
      )[2];
    const { jaxpr } = makeJaxpr(jit((x: NDArray) => grad((y: NDArray) => f(y))(x)))(f64(3));
    expect(String(jaxpr)).not.toContain("sin");
    expect(grad(f)(f64(3)).item()).toBe(16);
  });
});

describe("whileLoop refuses", () => {
  const x = f64([1, 2]);
  const stay = (y: NDArray): NDArray => y;

  it("a condition that is no boolean scalar", () => {
    expect(() => lax.whileLoop((y) => y.sum(), stay, x)).toThrow(DtypeError);
    expect(() => lax.whileLoop((y) => y.sum(), stay, x)).toThrow(/must give a boolean .* got float64\[\]/);
    expect(() => lax.whileLoop((y) => y.less(1), stay, x)).toThrow(ShapeError);
    expect(() => lax.whileLoop((y) => y.less(1), stay, x)).toThrow(/got bool\[2\].*np\.all/);
    expect(() => lax.whileLoop((y) => [y.sum().less(1)] as unknown as NDArray, stay, x)).toThrow(
      ArgumentError,
    );
    expect(() => lax.whileLoop(true as never, stay, x)).toThrow(
      /whileLoop \(for the condition\) takes a function/,
    );
    expect(() => lax.whileLoop(() => true, undefined as never, x)).toThrow(
      /\(for the body\) takes a function/,
    );
  });

  it("a body that changes the structure or the types of the carry, and says where", () => {
    const never = () => false;
    expect(() => lax.whileLoop(never, (y) => [y] as never, x)).toThrow(TreeMismatchError);
    expect(() => lax.whileLoop(never, ({ a }) => ({ a, b: a }) as never, { a: x })).toThrow(
      /the carry that goes in is .*\{a: \*\}.*the one that comes out is .*\{a: \*, b: \*\}/,
    );
    expect(() => lax.whileLoop(never, ({ a, b }) => ({ a, b: b.sum() }), { a: x, b: x })).toThrow(ShapeError);
    expect(() => lax.whileLoop(never, ({ a, b }) => ({ a, b: b.sum() }), { a: x, b: x })).toThrow(
      /at \.b the carry that goes in has float64\[2\], the one that comes out has float64\[\]/,
    );
    expect(() => lax.whileLoop(never, (y) => y.astype("int32"), x)).toThrow(DtypeError);
    expect(() => lax.whileLoop(never, (y) => y.astype("int32"), x)).toThrow(/float64\[2\].*int32\[2\]/);
  });

  it("options that are wrong, and a budget below one state", () => {
    const run = (checkpoint: unknown) => () =>
      lax.whileLoop(
        () => false,
        (y: NDArray) => y.mul(2),
        x,
        { checkpoint } as never,
      );
    expect(run({ slots: 0 })).toThrow(/at least, got 0 slots/);
    expect(run({ slots: 1.5 })).toThrow(/checkpoint must be \{ slots \} or \{ budgetBytes \}.*slots: 1.5/);
    expect(run({ slots: 2, budgetBytes: 100 })).toThrow(ArgumentError);
    expect(run(7)).toThrow(/got 7/);
    expect(run({ budgetBytes: 19 })).toThrow(
      /a budget of 19 bytes is too small: one state .* takes 20 bytes/,
    );
    expect(() => run({ budgetBytes: 20 })()).not.toThrow();
    expect(() => lax.whileLoop(() => false, stay, x, { slots: 3 } as never)).toThrow(
      /there is no option "slots"/,
    );
  });

  it("nothing of a budget that is enough, and spends it on states", () => {
    const program = (checkpoint: { slots: number } | { budgetBytes: number } | undefined) =>
      String(
        makeJaxpr((y: NDArray) =>
          lax.whileLoop(
            () => false,
            (z) => z.mul(2),
            y,
            { checkpoint },
          ),
        )(x).jaxpr,
      );
    expect(program(undefined)).toContain("slots=32");
    expect(program({ slots: 5 })).toContain("slots=5");
    // A state of two float64 and the number of its step.
    expect(program({ budgetBytes: 59 })).toContain("slots=2");
    expect(program({ budgetBytes: 60 })).toContain("slots=3");
    expect(program({ budgetBytes: 1e12 })).toContain("slots=4096");
  });

  it("to be transposed where the condition looks at linear values", () => {
    const f = (y: NDArray) =>
      lax.whileLoop(
        (z) => z.less(3),
        (z) => z.mul(2),
        y,
      );
    const pull = linearTranspose(f, f64(1));
    expect(() => pull(f64(1))).toThrow(NotDifferentiableError);
    expect(() => pull(f64(1))).toThrow(/condition looks at linear values/);
  });
});

describe("effects in a loop", () => {
  const counting = (seen: number[]) => (x: NDArray) =>
    lax.whileLoop(
      ([_, y]) => y.less(10),
      ([n, y]) => {
        debug.callback((value) => void seen.push(value.item() as number), y);
        return [n.add(1), y.mul(y)] as const;
      },
      [0, x] as [number, NDArray],
    )[1];

  it("happen once for each step, in order, with and without derivatives", () => {
    for (const run of [
      (f: (x: NDArray) => NDArray) => f(f64(2)).item(),
      (f: (x: NDArray) => NDArray) => jit(f)(f64(2)).item(),
      (f: (x: NDArray) => NDArray) => jvp(f, [f64(2)], [f64(1)])[0].item(),
    ]) {
      const seen: number[] = [];
      expect(run(counting(seen))).toBe(16);
      expect(seen).toEqual([2, 4]);
    }
    const seen: number[] = [];
    // y = x⁴
    expect(grad(counting(seen))(f64(2)).item()).toBe(32);
    expect(seen).toEqual([2, 4]);
    expect(jit(grad(counting(seen)))(f64(2)).item()).toBe(32);
    expect(seen).toEqual([2, 4, 2, 4]);
  });

  it("happen for the steps of each row", () => {
    const seen: number[] = [];
    const f = counting(seen);
    expect(vmap(f)(f64([2, 20, 9])).tolist()).toEqual([16, 20, 81]);
    expect(seen).toEqual([2, 4, 9]);
    seen.length = 0;
    expect(grad((x: NDArray) => vmap(f)(x).sum())(f64([2, 20, 9])).tolist()).toEqual([32, 1, 18]);
    expect(seen).toEqual([2, 4, 9]);
    seen.length = 0;
    expect(vmap(grad(f))(f64([2, 20, 9])).tolist()).toEqual([32, 1, 18]);
    expect(seen).toEqual([2, 4, 9]);
  });
});
