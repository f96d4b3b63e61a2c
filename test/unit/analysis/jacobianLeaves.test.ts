import { checkpoint, customJvp, customVjp, jacfwd, jit, lax, type NDArray, numpy as np } from "fluxion";
import { jacobian } from "fluxion/analysis";
import { describe, it } from "vitest";
import { expectClose, f64, i32, plain } from "../values.js";

const modes = ["auto", "forward", "reverse", "compressedForward", "compressedReverse"] as const;

describe("jacobian, leaf by leaf, through", () => {
  const leaves = {
    w: f64([
      [0.3, -0.2],
      [0.1, 0.4],
    ]),
    h: f64([0.5, -0.5]),
    xs: f64([0.1, 0.7, -0.4, 0.9, 0.2, -0.8, 0.6, 0.3]).reshape(4, 2),
    n: f64(1.5),
  };
  type Leaves = typeof leaves;
  const cubed = customJvp((x: NDArray) => x.mul(x).mul(x)).defJvp(([x], [t]) => [
    x.mul(x).mul(x),
    t.mul(x).mul(x).mul(3),
  ]);
  const sine = customVjp((x: NDArray) => np.sin(x)).defVjp(
    (x) => [np.sin(x), x],
    (x, ct) => [ct.mul(np.cos(x))],
  );
  const functions: Record<string, (p: Leaves) => { [name: string]: NDArray }> = {
    scan: ({ w, h, xs, n }) => {
      const [last, all] = lax.scan(
        (s: NDArray, x: NDArray) => {
          const next = np.tanh(w.matmul(s).add(x.mul(n)));
          return [next, np.square(next)] as const;
        },
        h,
        xs,
      );
      return { last, all, inputs: np.exp(xs), scalar: n.mul(n) };
    },
    "cond and calls": ({ w, h, xs, n }) => ({
      branch: lax.cond(
        n.greater(1),
        (a: NDArray, b: NDArray) => jit((v: NDArray) => np.sin(v))(a).add(b.mul(b)),
        (a: NDArray, b: NDArray) => a.sub(b),
        h,
        w.slice(0),
      ),
      xs: checkpoint((v: NDArray) => np.exp(np.sin(v)))(xs),
    }),
    while: ({ h, xs, n }) => ({
      h: lax.whileLoop(
        ([i]) => i.less(5),
        ([i, y]) => [i.add(1), np.sin(y.mul(n)).add(h)] as const,
        [np.zeros([], "int32"), h] as const,
        { checkpoint: { slots: 4 } },
      )[1],
      xs: np.sum(xs, 0),
    }),
    "custom rules": ({ w, h, xs, n }) => ({ a: cubed(h).mul(n), b: sine(xs), c: sine(cubed(w)) }),
    "sorting and places": ({ h, xs }) => ({
      sorted: np.sort(xs, 0),
      places: np.take(h, i32([1, 0, 1])),
      top: np.max(xs),
    }),
  };
  it.each(Object.entries(functions))("%s", (_, f) => {
    const expected = plain(jacfwd(f)(leaves));
    for (const mode of modes) expectClose(jacobian(f, { mode })(leaves), expected, 1e-13);
    const sparse = jit(jacobian(f, { sparse: true }))(leaves);
    const blocks = Object.entries(sparse).map(([name, row]) => [
      name,
      Object.fromEntries(Object.entries(row).map(([leaf, block]) => [leaf, block.toDense()])),
    ]);
    expectClose(Object.fromEntries(blocks), expected, 1e-13);
  });
});
