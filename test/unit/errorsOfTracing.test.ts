/**
 * What is answered to functions that cannot be traced: tracers out of place, host control flow under jit, promises,
 * operators of the language; and what an error leaves behind, which is nothing.
 */
import {
  ArgumentError,
  ConcretizationError,
  grad,
  ImpureFunctionError,
  jacfwd,
  jacrev,
  jit,
  jvp,
  LeakedTracerError,
  lax,
  linearize,
  linearTranspose,
  makeJaxpr,
  NDArray,
  numpy as np,
  unary,
  valueAndGrad,
  vjp,
  vmap,
} from "fluxion";
import { describe, expect, it } from "vitest";
import { errorOf, expectError, f64, plain } from "./values.js";

const vector = f64([1, 2, 3]);

describe("tracers out of place", () => {
  it("used after their function, with type, origin and what was traced", () => {
    let kept: NDArray | undefined;
    const keep = (x: NDArray) => {
      kept = np.outer(x, x);
      return np.sum(x);
    };
    jit(keep)(vector);
    for (const use of [
      () => np.add(kept as NDArray, 1),
      () => kept?.item(),
      () => kept?.tolist(),
      () => kept?.dataSync(),
      () => grad((y: NDArray) => np.sum(np.multiply(y, kept as NDArray)))(vector),
    ])
      expectError(
        use,
        LeakedTracerError,
        "leaked-tracer",
        "float64[3,3]",
        "jit(keep)",
        "it was made at",
        "Return it from the function",
      );
    grad(keep)(vector);
    expectError(
      () => np.add(kept as NDArray, 1),
      LeakedTracerError,
      "leaked-tracer",
      "float64[3,3]",
      "grad(keep) was called at",
    );
    expect(String(kept)).toBe("Tracer(float64[3,3] in grad(keep))");
  });

  it("of a function inside, used by the one outside", () => {
    const outer = (x: NDArray) => {
      let stolen = x;
      jit((y: NDArray) => {
        stolen = np.exp(y);
        return y;
      })(x);
      return np.add(x, stolen);
    };
    for (const run of [
      () => outer(f64(1)),
      () => jit(outer)(f64(1)),
      () => grad(outer)(f64(1)),
      () => vmap(outer)(vector),
    ])
      expectError(run, LeakedTracerError, "leaked-tracer", "jit(function)", "it was made at");
  });

  it("values asked for under jit and vmap, with what to use instead", () => {
    const branch = (x: NDArray) => ((x.item() as number) > 0 ? x : np.negative(x));
    for (const [run, name] of [
      [() => jit(branch)(f64(1)), "jit(branch)"],
      [() => vmap(branch)(vector), "vmap(branch)"],
      [() => jit(grad(branch))(f64(1)), "jit(grad"],
      [() => grad(jit(branch))(f64(1)), "jit(branch)"],
      [() => makeJaxpr(branch)(f64(1)), "makeJaxpr(branch)"],
      [() => linearTranspose(branch, f64(1))(f64(1)), "linearTranspose(branch)"],
    ] as const)
      expectError(
        run,
        ConcretizationError,
        "concretization",
        "item() needs the value",
        "float64[]",
        "np.where",
        "lax.cond",
        "staticArgnums",
        name.startsWith("jit(grad") ? "inside jit" : name,
      );
    expectError(
      () => jit((x: NDArray) => np.array(x.tolist()))(vector),
      ConcretizationError,
      "concretization",
      "tolist()",
      "float64[3]",
    );
    expectError(
      () => jit((x: NDArray) => np.array(x.dataSync()))(vector),
      ConcretizationError,
      "concretization",
      "dataSync()",
    );
  });

  it("data() of a traced array rejects", async () => {
    let pending: Promise<unknown> | undefined;
    jit((x: NDArray) => {
      pending = x.data();
      pending.catch(() => {});
      return x;
    })(vector);
    await expect(pending).rejects.toBeInstanceOf(ConcretizationError);
  });
});

describe("functions that are not pure", () => {
  it("a promise, from every transform, and nothing else goes wrong later", async () => {
    const slow = async (x: NDArray) => {
      await Promise.resolve();
      return np.sin(x);
    };
    const loose = slow as unknown as (x: NDArray) => NDArray;
    const runs: [string, () => unknown][] = [
      ["grad(slow)", () => grad(loose)(f64(1))],
      ["valueAndGrad(slow)", () => valueAndGrad(loose)(f64(1))],
      ["jvp(slow)", () => jvp(loose, [f64(1)], [1])],
      ["vjp(slow)", () => vjp(loose, f64(1))],
      ["linearize(slow)", () => linearize(loose, f64(1))],
      ["jacfwd(slow)", () => jacfwd(loose)(f64(1))],
      ["jacrev(slow)", () => jacrev(loose)(f64(1))],
      ["vmap(slow)", () => vmap(loose)(vector)],
      ["jit(slow)", () => jit(loose)(f64(1))],
      ["makeJaxpr(slow)", () => makeJaxpr(loose)(f64(1))],
    ];
    const unhandled: unknown[] = [];
    const listen = (reason: unknown) => unhandled.push(reason);
    process.on("unhandledRejection", listen);
    for (const [name, run] of runs)
      expectError(run, ImpureFunctionError, "impure-function", "returned a promise", "synchronous", name);
    await new Promise((resolve) => setTimeout(resolve, 20));
    process.off("unhandledRejection", listen);
    expect(unhandled).toEqual([]);
  });

  it("nothing returned, results and arguments that are no arrays, no function", () => {
    const loose = { grad, jit, vmap, jvp } as unknown as Record<
      string,
      (f: unknown, ...more: unknown[]) => (...x: unknown[]) => unknown
    >;
    expectError(() => loose.jit(() => {})(f64(1)), ArgumentError, "argument", "returned nothing");
    expectError(
      () => loose.jit((x: NDArray) => ({ x, name: "y" }))(f64(1)),
      ArgumentError,
      "argument",
      ".name",
      "a string",
    );
    expectError(
      () => loose.jit((x: NDArray) => [x, new Map()])(f64(1)),
      ArgumentError,
      "argument",
      "[1]",
      "class Map",
    );
    expectError(
      () => loose.jit(np.sin)("1"),
      ArgumentError,
      "argument",
      "the arguments of jit(sin) at [0]",
      "a string",
    );
    expectError(
      () => loose.grad(np.sin)({ a: ["x"] }),
      ArgumentError,
      "argument",
      "argument 0 of grad(sin)",
      ".a[0]",
      "a string",
    );
    for (const [name, transform] of Object.entries(loose)) {
      expectError(
        () => (transform(5, [f64(1)], [1]) as unknown) && 0,
        ArgumentError,
        "argument",
        `${name} takes a function, got number`,
      );
      expectError(
        () => (transform(null, [f64(1)], [1]) as unknown) && 0,
        ArgumentError,
        "argument",
        "got null",
      );
    }
  });
});

describe("operators of the language", () => {
  // biome-ignore-start lint/suspicious/noExplicitAny: the type checker refuses most of these, as it should
  const uses: Record<string, (x: any) => unknown> = {
    "x + 1": (x) => x + 1,
    "1 + x": (x) => 1 + x,
    "x - x": (x) => x - x,
    "x * 2": (x) => x * 2,
    "x ** 2": (x) => x ** 2,
    "-x": (x) => -x,
    "+x": (x) => +x,
    "x > 0": (x) => x > 0,
    "x <= x.T": (x) => x <= [x],
    // biome-ignore lint/suspicious/noDoubleEquals: what is tested
    "x == 1": (x) => x == 1,
    "Math.sin(x)": (x) => Math.sin(x),
    "Number(x)": (x) => Number(x),
    "x % 2": (x) => x % 2,
    "x | 0": (x) => x | 0,
  };
  // biome-ignore-end lint/suspicious/noExplicitAny: the end of it

  it.each(Object.entries(uses))("%s is refused, traced or not", (_, use) => {
    const f = (x: NDArray) => {
      use(x);
      return x;
    };
    for (const call of [
      () => use(f64(2)),
      () => grad(f)(f64(2)),
      () => jit(f)(f64(2)),
      () => vmap(f)(vector),
    ])
      expectError(call, ArgumentError, "argument", "JavaScript operator", "float64[]", "x.add(y)");
  });

  it("text is fine: templates, String(x), logging", () => {
    const x = f64([1, 2]);
    expect(`${x}`).toBe(String(x));
    expect(String(x)).toContain("1");
    const texts: string[] = [];
    jit((y: NDArray) => {
      texts.push(`${y}`);
      return y;
    })(x);
    expect(texts).toEqual(["Tracer(float64[2] in jit(function))"]);
  });
});

describe("after an error", () => {
  it("that came from running a program, no line of that program is taken for another's", () => {
    const fragile = unary("fragileIdentity", {
      summary: "x, or an error for a negative one",
      domain: "float",
      evaluate: (x) => {
        if (x < 0) throw new RangeError("negative");
        return x;
      },
      tangent: (t) => t,
      transpose: (ct) => ct,
    });
    const f = jit((x: NDArray) => fragile(x));
    expect(() => f(f64(-1))).toThrow(RangeError);
    const kept: NDArray[] = [];
    grad(function keep(x: NDArray) {
      kept.push(np.sin(x));
      return x;
    })(f64(1));
    expect(errorOf(() => np.add(kept[0], 1)).message).toContain("grad(keep) was called at");
  });

  it("arrays given to the call are as before", () => {
    const x = f64([1, 2, 3]);
    const y = f64([1, 2]);
    for (const call of [
      () => np.add(x, y),
      () => np.matmul(x, y),
      () => jit((a: NDArray, b: NDArray) => np.add(a, b))(x, y),
      () => grad((a: NDArray) => np.multiply(a, y))(x),
      () => jvp(np.sin, [x], [y]),
      () => vmap((a: NDArray, b: NDArray) => np.add(a, b))(x, y),
      () => lax.concatenate([x, y.reshape(1, 2)], 0),
    ])
      expect(errorOf(call).code).toMatch(/shape|axis/);
    expect(plain([x, y])).toEqual([
      [1, 2, 3],
      [1, 2],
    ]);
    expect(plain(np.sum(np.multiply(x, x)))).toBe(14);
  });

  it("nothing of the failed trace is left: calls are eager again, the jit can be called again", () => {
    class Mine extends Error {}
    let fail = true;
    const f = (x: NDArray) => {
      const inner = jit((y: NDArray) => {
        if (fail) throw new Mine("from the user");
        return np.sin(y);
      });
      return np.sum(vmap((z: NDArray) => inner(z))(x));
    };
    for (const call of [
      () => f(vector),
      () => grad(f)(vector),
      () => jit(f)(vector),
      () => jit(grad(f))(vector),
      () => jvp(f, [vector], [vector]),
    ]) {
      // An error of the user's own passes through as it is.
      expect(call).toThrow(Mine);
      expect(np.add(1, 2)).toBeInstanceOf(NDArray);
      expect(plain(np.add(f64(1), 2))).toBe(3);
    }
    fail = false;
    expect((plain(grad(f)(vector)) as number[])[0]).toBeCloseTo(Math.cos(1));
  });
});
