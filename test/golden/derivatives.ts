/** Runs the golden cases that are derivatives; the kinds are those of GradCases in cases/make.py. */
import { grad, jacfwd, jacrev, jvp, type NDArray, numpy as np, vjp } from "fluxion";
import { type AnyFunction, type Case, decode, optionsOf, resolve } from "./load.js";

type Position = number | readonly [number, number];

// The cases choose function and arguments at run time, where the types of the transforms cannot follow.
const vjpOf = vjp as unknown as (f: AnyFunction, ...x: unknown[]) => [unknown, (ct: unknown) => NDArray[]];
const jvpOf = jvp as unknown as (f: AnyFunction, x: unknown[], v: unknown[]) => [unknown, unknown];
const gradOf = grad as unknown as (f: AnyFunction, options?: object) => AnyFunction;
const jacobians = { jacfwd, jacrev } as unknown as Record<
  string,
  (f: AnyFunction, options: object) => AnyFunction
>;

/** The case's call as a function of the operands it differentiates with respect to, and their values. */
function differentiable(c: Case): { f: AnyFunction; xs: unknown[] } {
  const call = resolve(c.lib, c.fn);
  const args = c.args.map(decode);
  const options = optionsOf(c);
  const positions = c.wrt as readonly Position[];
  const get = (p: Position) => (typeof p === "number" ? args[p] : (args[p[0]] as unknown[])[p[1]]);
  const f = (...xs: unknown[]) => {
    const full = args.map((a) => (Array.isArray(a) ? [...a] : a));
    positions.forEach((p, i) => {
      if (typeof p === "number") full[p] = xs[i];
      else (full[p[0]] as unknown[])[p[1]] = xs[i];
    });
    const y = call(...full, ...options);
    return c.pick === undefined ? y : (y as unknown[])[c.pick];
  };
  return { f, xs: positions.map(get) };
}

const inner = (a: readonly NDArray[], b: readonly unknown[]): NDArray =>
  a.map((x, i) => np.sum(np.multiply(x, b[i] as NDArray))).reduce((x, y) => np.add(x, y));

export function runDerivative(c: Case): unknown {
  const { f, xs } = differentiable(c);
  const ct = decode(c.ct);
  const [v, w] = [decode(c.v) as unknown[], decode(c.w) as unknown[]];
  const pull = (...ys: unknown[]) => vjpOf(f, ...ys)[1](ct);
  switch (c.kind) {
    case "grad":
      return pull(...xs);
    case "jvp":
      return jvpOf(f, xs, v)[1];
    case "grad2":
      return gradOf((...ys) => inner(pull(...ys), v), { argnums: xs.map((_, i) => i) })(...xs);
    case "hvp":
      return jvpOf(pull, xs, v)[1];
    case "jvp2":
      return jvpOf((...ys) => jvpOf(f, ys, v)[1], xs, w)[1];
    case "nth": {
      let g = f;
      for (let i = 0; i < (c.order ?? 0); i++) g = gradOf(g);
      return g(...xs);
    }
    case "jacfwd":
    case "jacrev":
      return jacobians[c.kind](f, { argnums: xs.map((_, i) => i) })(...xs);
    default:
      throw new Error(`unknown kind of derivative: ${c.kind}`);
  }
}
