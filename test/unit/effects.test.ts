/** Effects happen once for each run of the program, in order, whatever transforms it goes through. */
import {
  aval,
  bind,
  ConcreteArray,
  ConcretizationError,
  checkJaxpr,
  dceJaxpr,
  debug,
  definePrimitive,
  evalJaxpr,
  evalShape,
  grad,
  hessian,
  hvp,
  isZero,
  jacfwd,
  jacrev,
  jit,
  jvp,
  linearize,
  linearTranspose,
  makeJaxpr,
  type NDArray,
  numpy as np,
  type Params,
  partialEvalJaxpr,
  ShapeDtype,
  transposeJaxpr,
  valueAndGrad,
  vjp,
  vmap,
} from "fluxion";
import { right } from "fp-ts/lib/Either.js";
import { beforeEach, describe, expect, it } from "vitest";
import { expectRoundTrip, lines } from "./effectTools.js";

type F = (x: NDArray) => NDArray;

/** x², telling of x and of x². */
const square: F = (x) => {
  debug.print("x = {}", x);
  const y = x.mul(x);
  debug.print("y = {}", y);
  return y;
};
const told = (x: number): string[] => [`x = ${x}`, `y = ${x * x}`];

const f32 = new ShapeDtype([]);
const three = np.array(3, "float32");

/** The same inside calls: the whole, only the telling, and a call in a call whose outputs nothing uses. */
const variants: Record<string, F> = {
  plain: square,
  "a jit inside": (x) => jit(square)(x),
  "a jit inside a jit": jit((x: NDArray) => jit(square)(x)),
  "a jit without used outputs": (x) => {
    jit((v: NDArray) => {
      jit(square)(v);
      return v.sin();
    })(x);
    return x.mul(x);
  },
  "a jit that returns an empty tree": (x) => {
    jit((v: NDArray) => {
      square(v);
      return [];
    })(x);
    return x.mul(x);
  },
};

describe.each(Object.entries(variants))("%s", (_, f) => {
  it("prints at once without transforms", () => {
    f(three);
    expect(lines()).toEqual(told(3));
  });

  it.each<[string, (x: NDArray) => unknown]>([
    ["grad", grad(f)],
    ["valueAndGrad", valueAndGrad(f)],
    ["grad with aux", grad((x: NDArray) => [f(x), x] as const, { hasAux: true })],
    ["jvp", (x) => jvp(f, [x], [1])],
    ["vjp, forward", (x) => vjp(f, x)],
    ["linearize, forward", (x) => linearize(f, x)],
    ["jacfwd", jacfwd(f)],
    ["jacrev", jacrev(f)],
    ["hessian", hessian(f)],
    ["hvp", (x) => hvp(f, [x], [1])],
    ["grad of grad", grad(grad(f))],
    ["grad of grad of grad", grad(grad(grad(f)))],
    ["jvp of grad", (x) => jvp(grad(f), [x], [1])],
    ["grad of jvp", grad((x: NDArray) => jvp(f, [x], [1])[1])],
    ["jit", jit(f)],
    ["jit of grad", jit(grad(f))],
    ["grad of jit", grad(jit(f))],
    ["grad of jit of jit", grad(jit(jit(f)))],
    ["jit of grad of jit", jit(grad(jit(f)))],
    ["grad of jit of grad", grad(jit(grad(f)))],
    ["jit of hessian of jit", jit(hessian(jit(f)))],
    ["jit of vjp", jit((x: NDArray) => vjp(f, x)[1](np.ones([])))],
    ["linearize of jit of grad", (x) => linearize(jit(grad(f)), x)],
  ])("%s prints once", (__, transformed) => {
    transformed(three);
    expect(lines()).toEqual(told(3));
  });

  it("prints nothing in a pullback or a pushforward, however often it is called", () => {
    for (const g of [f, jit(f), grad(f)]) {
      const [, pull] = vjp(g, three);
      expect(lines()).toEqual(told(3));
      expect(pull(1)[0].item()).toBe(pull(1)[0].item());
      const [, push] = linearize(g, three);
      expect(lines()).toEqual(told(3));
      expect(push(1).item()).toBe(push(1).item());
      expect(lines()).toEqual([]);
    }
  });

  it("jit prints at every run and not when it traces", () => {
    const jitted = jit(f);
    for (const x of [2, 3, 3]) {
      jitted(np.array(x));
      expect(lines()).toEqual(told(x));
    }
    makeJaxpr(jitted)(f32);
    makeJaxpr(grad(jitted))(f32);
    evalShape(jitted, f32);
    expect(lines()).toEqual([]);
  });

  it.each<[string, (x: NDArray) => unknown]>([
    ["vmap", vmap(f)],
    ["vmap of grad", vmap(grad(f))],
    ["vmap of jit", vmap(jit(f))],
    ["jit of vmap", jit(vmap(f))],
    ["vmap of jvp", vmap((x: NDArray) => jvp(f, [x], [1])[1])],
    ["vmap of hessian", vmap(hessian(f) as F)],
    ["grad of vmap", grad((x: NDArray) => np.sum(vmap(f)(x)))],
    ["jacrev of vmap", jacrev(vmap(f))],
    ["jacfwd of jit of vmap", jacfwd(jit(vmap(f)))],
  ])("%s prints for each example in order", (__, transformed) => {
    transformed(np.array([1, 2, 3]));
    expect(lines()).toEqual(["x = 1", "x = 2", "x = 3", "y = 1", "y = 4", "y = 9"]);
  });

  it("is kept by dceJaxpr, and so are the inputs it needs", () => {
    const { jaxpr } = makeJaxpr(f)(f32);
    const { jaxpr: pruned, usedInputs } = dceJaxpr(jaxpr, [false]);
    expect(usedInputs).toEqual([true]);
    expect(pruned.outputs).toEqual([]);
    expect(checkJaxpr(pruned)).toEqual(right(pruned));
    evalJaxpr(pruned, three);
    expect(lines()).toEqual(told(3));
    // Nothing is left of what has no effects.
    expect(String(pruned)).not.toContain("sin");
  });

  it("partial evaluation prints on the side that has the value", () => {
    const { jaxpr } = makeJaxpr((x: NDArray, y: NDArray) => f(x).add(f(y)))(f32, f32);
    for (const mask of [
      [false, true],
      [true, false],
      [true, true],
      [false, false],
    ]) {
      const split = partialEvalJaxpr(jaxpr, mask);
      const args = [np.array(2, "float32"), three];
      const residuals = evalJaxpr(split.known, ...args.filter((_, i) => !mask[i])).slice(
        split.unknownOut.filter((u) => !u).length,
      );
      expect(lines()).toEqual([...(mask[0] ? [] : told(2)), ...(mask[1] ? [] : told(3))]);
      evalJaxpr(split.unknown, ...residuals, ...args.filter((_, i) => mask[i]));
      expect(lines()).toEqual([...(mask[0] ? told(2) : []), ...(mask[1] ? told(3) : [])]);
    }
  });

  it("a value asked for prints nothing by itself", () => {
    const g = (x: NDArray): NDArray => {
      const y = f(x);
      return (y.item() as number) > 5 && (y.item() as number) < 50 ? y : y.neg();
    };
    const gradient = grad(g)(three);
    expect(lines()).toEqual(told(3));
    expect(gradient.item()).toBe(6);
    expect(grad(grad(g))(three).item()).toBe(2);
    expect(lines()).toEqual(told(3));
  });

  it("prints and parses", () => {
    for (const [g, shape] of [
      [f, []],
      [grad(f), []],
      [vmap(f), [2]],
      [vmap(vmap(f)), [2, 3]],
    ] as const)
      expectRoundTrip(makeJaxpr(g)(new ShapeDtype(shape)).jaxpr);
  });
});

describe("order and number", () => {
  it("lines that are the same are printed as often as they were asked for", () => {
    const f = (x: NDArray): NDArray => {
      for (let i = 0; i < 3; i++) debug.print("again {}", x);
      return x.mul(x);
    };
    for (const g of [f, jit(f), grad(f), jit(grad(jit(f))), vmap(f, { inAxes: null, axisSize: 4 })]) {
      g(three);
      expect(lines()).toEqual(["again 3", "again 3", "again 3"]);
    }
  });

  it("calls with effects are not merged", () => {
    const f = jit(square);
    const twice = (x: NDArray): NDArray => f(x).add(f(x));
    for (const g of [twice, jit(twice), grad(twice), vmap(twice, { inAxes: null, axisSize: 2 })]) {
      g(three);
      expect(lines()).toEqual([...told(3), ...told(3)]);
    }
  });

  it("lines without arrays are printed too, once for a whole batch", () => {
    const f = (x: NDArray): NDArray => {
      debug.print("start");
      debug.print("x {}", x);
      debug.print("end");
      return x.mul(x);
    };
    grad(jit(f))(three);
    expect(lines()).toEqual(["start", "x 3", "end"]);
    vmap(jit(f))(np.array([1, 2]));
    expect(lines()).toEqual(["start", "x 1", "x 2", "end"]);
    vmap(f)(np.zeros([0]));
    expect(lines()).toEqual(["start", "end"]);
  });

  it("nested vmaps go through the examples in row-major order", () => {
    const f = (x: NDArray, y: NDArray, z: NDArray): NDArray => {
      debug.print("{} {} {}", x, y, z);
      return x.add(y).add(z);
    };
    const inner = vmap(f, { inAxes: [0, null, 0] });
    const outer = vmap(inner, { inAxes: [1, 0, null] });
    const args = [
      np.array([
        [1, 2],
        [3, 4],
        [5, 6],
      ]),
      np.array([7, 8]),
      np.array([10, 20, 30]),
    ] as const;
    const wanted = ["1 7 10", "3 7 20", "5 7 30", "2 8 10", "4 8 20", "6 8 30"];
    for (const g of [outer, jit(outer), vmap(jit(inner), { inAxes: [1, 0, null] })]) {
      g(...args);
      expect(lines()).toEqual(wanted);
    }
    expectRoundTrip(makeJaxpr(outer)(...args).jaxpr);
  });

  it("what an outer function prints of its own values is not what an inner one prints", () => {
    const f = (x: NDArray): NDArray => {
      debug.print("outer {}", x);
      const slope = grad((y: NDArray) => {
        debug.print("inner {} {}", x, y);
        return y.mul(y).mul(x);
      })(x.mul(2));
      debug.print("slope {}", slope);
      return slope;
    };
    for (const g of [f, grad(f), jit(grad(f)), grad(grad(f))]) {
      g(three);
      expect(lines()).toEqual(["outer 3", "inner 3 6", "slope 36"]);
    }
  });

  it("a function that throws has printed nothing that waits for its program", () => {
    const f = (x: NDArray): NDArray => {
      debug.print("{}", x);
      throw new Error("no");
    };
    expect(() => grad(f)(three)).toThrow("no");
    expect(lines()).toEqual([]);
  });
});

describe("transposition", () => {
  it("runs effects of what is not linear once for each call, in order", () => {
    const scale = np.array(2);
    const tell = jit((x: NDArray) => {
      debug.print("inner {}", scale);
      return x.mul(scale);
    });
    const f = (x: NDArray): NDArray => {
      debug.print("first");
      const y = tell(x);
      debug.print("second");
      const z = tell(y);
      jit((v: NDArray) => {
        debug.print("unused");
        return v;
      })(z);
      debug.print("third");
      return z;
    };
    const all = ["first", "inner 2", "second", "inner 2", "unused", "third"];
    for (const g of [f, jit(f)]) {
      const transposed = linearTranspose(g, three);
      expect(lines()).toEqual([]);
      for (let i = 0; i < 2; i++) {
        expect(transposed(1)[0].item()).toBe(4);
        expect(lines()).toEqual(all);
      }
      jit(transposed)(np.ones([]));
      expect(lines()).toEqual(all);
      expect(linearTranspose((u: NDArray) => transposed(u)[0], three)(1)[0].item()).toBe(4);
      expect(lines()).toEqual(all);
    }
    const { jaxpr } = makeJaxpr(f)(f32);
    const unused = transposeJaxpr(jaxpr, [true], [true]);
    expect(unused.zeroOut).toEqual([true]);
    evalJaxpr(unused.jaxpr);
    expect(lines()).toEqual(all);
  });

  it("has no value to print where the value is linear", () => {
    const f = (x: NDArray): NDArray => {
      debug.print("{}", x);
      return jit((v: NDArray) => {
        debug.print("{}", v);
        return v.mul(2);
      })(x);
    };
    expect(linearTranspose(f, three)(1)[0].item()).toBe(2);
    expect(lines()).toEqual([]);
  });
});

describe("effects of a user's primitive", () => {
  let count = 0;
  // Gives how often it has been applied.
  const tickPrimitive = definePrimitive({
    name: "tick",
    family: "effects",
    summary: "counts",
    effectful: true,
    abstractEval: (inputs) => right(inputs),
    evaluate: (_inputs, _params, [out]) => [new ConcreteArray(new Float32Array([++count]), out)],
    jvp: ([x], [t]) => ({ outputs: [tick(x)], tangents: isZero(t) ? [t] : [t] }),
    batch: (_size, inputs, batched) => ({ outputs: [tick(inputs[0])], batched }),
    cost: () => ({ operations: 0, multiplications: 0, transcendentals: 0 }),
    // It looks like something that changes nothing; having effects, it is not dropped.
    simplify: () => 0,
    laws: { differentiable: false, examples: [{ avals: [aval([], "float32")], params: {} }] },
  });
  const tick = (x: NDArray): NDArray => bind(tickPrimitive, [x], {})[0];
  beforeEach(() => {
    count = 0;
  });

  it("happen as often as the program says", () => {
    const f = jit((x: NDArray) => {
      tick(x);
      return tick(x).mul(x).add(tick(x));
    });
    expect(f(three).item()).toBe(9);
    expect(count).toBe(3);
    expect(jit(f)(three).item()).toBe(18 + 3 * 1 - 3 + 3);
    expect(count).toBe(6);
    grad(f)(three);
    expect(count).toBe(9);
    vmap(f, { inAxes: null, axisSize: 2 })(three);
    expect(count).toBe(12);
  });

  it("are not anticipated when a value is asked for that needs them", () => {
    const f = (x: NDArray): NDArray => x.mul(tick(x).item() as number);
    expect(() => grad(f)(three)).toThrow(ConcretizationError);
    expect(() => grad(f)(three)).toThrow("depends on the result of tick, which has effects");
    expect(count).toBe(0);
    // A value that does not need them can be had.
    grad((x: NDArray) => {
      tick(x);
      return x.mul(x.mul(x).item() as number);
    })(three);
    expect(count).toBe(1);
  });

  it("may depend on params", () => {
    let heard = 0;
    const whisperPrimitive = definePrimitive({
      ...tickPrimitive,
      name: "whisper",
      effectful: ({ loud }: Params) => loud === true,
      simplify: undefined,
      evaluate: ([x], { loud }) => {
        if (loud) heard++;
        return [x];
      },
    });
    const f = (loud: boolean) => (x: NDArray) => {
      bind(whisperPrimitive, [x], { loud });
      return x;
    };
    for (const loud of [true, false]) {
      const { jaxpr } = makeJaxpr(f(loud))(f32);
      expect(dceJaxpr(jaxpr, [true]).jaxpr.eqns).toHaveLength(loud ? 1 : 0);
    }
    evalJaxpr(dceJaxpr(makeJaxpr(f(true))(f32).jaxpr, [false]).jaxpr, three);
    expect(heard).toBe(1);
  });
});
