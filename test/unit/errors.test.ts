/**
 * What bad input is answered with: a typed error with a stable code, a text that names what was called, the shapes and
 * dtypes it got and what it needed, and the line of user code: of this file. (Every primitive:
 * primitiveErrors.test.ts; tracers and impure functions: errorsOfTracing.test.ts.)
 */
import * as fluxion from "fluxion";
import {
  ArgumentError,
  AxisError,
  DtypeError,
  FluxionError,
  grad,
  hessian,
  hvp,
  jacfwd,
  jacrev,
  jit,
  jvp,
  linearize,
  linearTranspose,
  makeJaxpr,
  type NDArray,
  NonScalarOutputError,
  NotDifferentiableError,
  numpy as np,
  ShapeDtype,
  ShapeError,
  TreeMismatchError,
  valueAndGrad,
  vjp,
  vmap,
} from "fluxion";
import { describe, expect, it } from "vitest";
import { errorOf, expectError, f32, f64, i32 } from "./values.js";

/** `errors.test.ts:line` of the code that calls this, moved by some lines. */
function lineOfCaller(offset = 0): string {
  const at = /errors\.test\.ts:(\d+)/.exec(new Error().stack?.split("\n")[2] ?? "");
  return `errors.test.ts:${Number(at?.[1]) + offset}:`;
}

const matrix = f64([
  [1, 2, 3],
  [4, 5, 6],
]);
const vector = f64([1, 2, 3]);

describe("names of errors", () => {
  const classes = Object.entries(fluxion).filter(
    ([name, value]) =>
      name !== "FluxionError" && typeof value === "function" && value.prototype instanceof FluxionError,
  ) as [string, new (...args: unknown[]) => FluxionError][];

  it.each(classes)("%s is called so, also where a minifier has renamed its class", (name, Class) => {
    class e extends Class {}
    expect(new e("a", {}, {}).name).toBe(name);
  });

  it("are those of all classes", () => {
    expect(classes.length).toBeGreaterThan(15);
  });
});

describe("the place in user code", () => {
  it("of an eager call is the line of the call", () => {
    const line = lineOfCaller(+1);
    const error = errorOf(() => np.matmul(matrix, matrix));
    expect(error.message).toContain(line);
    expect(error.message.endsWith(")")).toBe(true);
  });

  it("of an operation in a traced function is its own line, whoever calls it", () => {
    const line = lineOfCaller(+1);
    const f = (x: NDArray) => np.matmul(x, x);
    for (const run of [
      () => jit(f)(matrix),
      () => grad(f)(matrix),
      () => vmap(f)(np.expandDims(matrix, 0)),
      () => makeJaxpr(f)(matrix),
    ])
      expect(errorOf(run).message).toContain(line);
  });

  it("of a traced array is the line that made it", () => {
    const line = lineOfCaller(+2);
    const f = (x: NDArray) => {
      const made = np.sin(x);
      return made.item() ? x : made;
    };
    expect(errorOf(() => jit(f)(f64(1))).message).toContain(line);
    expect(errorOf(() => vmap(f)(vector)).message).toContain(line);
  });

  it("is not lost in derived programs: an error at run time names the line that was differentiated", () => {
    const kept: NDArray[] = [];
    const line = lineOfCaller(+2);
    jit((x: NDArray) => {
      kept.push(np.cos(x));
      return x;
    })(f64(1));
    expect(errorOf(() => np.add(kept[0], 1)).message).toContain(line);
  });
});

describe("functions that have no gradient", () => {
  it("a value that is not a scalar", () => {
    const needs = "must return one scalar of shape ()";
    const code = "non-scalar-output";
    expectError(
      () => grad((x: NDArray) => np.sin(x))(vector),
      NonScalarOutputError,
      code,
      needs,
      "float64[3]",
      "grad(function)",
      "jacrev",
    );
    expectError(() => grad(np.tanh)(f64([1])), NonScalarOutputError, code, needs, "float64[1]", "grad(tanh)");
    expectError(
      () => valueAndGrad(np.sin)(matrix),
      NonScalarOutputError,
      code,
      needs,
      "float64[2,3]",
      "valueAndGrad(sin)",
    );
    const loose = grad as unknown as (f: unknown) => (...x: unknown[]) => unknown;
    expectError(
      () => loose((x: NDArray) => [x, x])(f64(1)),
      NonScalarOutputError,
      code,
      needs,
      "float64[], float64[]",
    );
    expectError(
      () => loose((x: NDArray) => ({ loss: x }))(f64(1)),
      NonScalarOutputError,
      code,
      needs,
      "float64[] in {loss: *}",
    );
    expectError(() => loose(() => null)(f64(1)), NonScalarOutputError, code, needs, "an empty tree");
    expectError(
      () => hvp(np.sin, [vector], [vector]),
      NonScalarOutputError,
      code,
      needs,
      "hvp(sin)",
      "float64[3]",
    );
  });

  it("integers and booleans, as input and as output", () => {
    const code = "not-differentiable";
    const f = (x: NDArray) => np.sum(x);
    const p = { w: vector, n: i32([1, 2]) };
    const g = (q: typeof p) => np.sum(q.w);
    for (const transform of [grad, valueAndGrad, jacfwd, jacrev] as unknown as ((
      f: unknown,
    ) => (x: unknown) => unknown)[]) {
      expectError(
        () => transform(f)(i32([1, 2])),
        NotDifferentiableError,
        code,
        "needs float inputs",
        "int32[2]",
        "argument 0",
        "argnums",
      );
      expectError(() => transform(f)(np.array([true])), NotDifferentiableError, code, "bool[1]");
      expectError(() => transform(f)(true), NotDifferentiableError, code, "bool[]");
      expectError(() => transform(g)(p), NotDifferentiableError, code, "int32[2]", ".n");
    }
    expectError(
      () => grad((x: NDArray) => np.argmax(x))(vector),
      NotDifferentiableError,
      code,
      "returned int32[]",
    );
    expectError(
      () => grad((x: NDArray) => np.any(x.greater(0)))(vector),
      NotDifferentiableError,
      code,
      "returned bool[]",
    );
    for (const jacobian of [jacfwd, jacrev]) {
      const mixedOut = (x: NDArray) => ({ y: x, k: [np.argmax(x)] });
      expectError(
        () => jacobian(mixedOut)(vector),
        NotDifferentiableError,
        code,
        "the output of jac",
        ".k[0] is int32[]",
        "hasAux",
      );
    }
    expectError(
      () => linearTranspose((x: NDArray, n: NDArray) => np.multiply(x, n), vector, i32(2)),
      NotDifferentiableError,
      code,
      "linearTranspose needs float inputs",
      "[1] is int32[]",
    );
    expectError(() => hessian(f)(i32([1])), NotDifferentiableError, code, "int32[1]");
    expectError(
      () => hvp((x: NDArray) => np.argmax(x), [vector], [vector]),
      NotDifferentiableError,
      code,
      "returned int32[]",
    );
  });

  it("what is not linear cannot be transposed", () => {
    const apply = () => linearTranspose((x: NDArray) => np.exp(x), vector)(vector);
    expectError(apply, NotDifferentiableError, "not-differentiable", "exp", /linear/);
  });
});

describe("tangents and cotangents that do not fit", () => {
  const f = (p: { w: NDArray; b: [NDArray] }) => np.matmul(p.w, p.b[0]);
  const at = { w: matrix, b: [vector] as [NDArray] };
  const loose = { jvp, linearize } as unknown as Record<
    string,
    (...args: unknown[]) => [unknown, (...v: unknown[]) => unknown]
  >;

  it("of another shape", () => {
    expectError(
      () => jvp(f, [at], [{ w: vector, b: [vector] }]),
      ShapeError,
      "shape",
      "jvp(f)",
      ".w has shape [3]",
      "float64[2,3]",
    );
    expectError(
      () => jvp(f, [at], [{ w: matrix, b: [f64(1)] }]),
      ShapeError,
      "shape",
      ".b[0] has shape []",
      "float64[3]",
    );
    expectError(
      () => linearize(f, at)[1]({ w: matrix, b: [f64([1, 2])] }),
      ShapeError,
      "shape",
      "linearize(f)",
      "has shape [2]",
    );
    expectError(() => vjp(f, at)[1](vector), ShapeError, "shape", "vjp(f)", "has shape [3]", "float64[2]");
    expectError(
      () => linearTranspose(f, at)(vector),
      ShapeError,
      "shape",
      "linearTranspose(f)",
      "float64[2]",
    );
  });

  it("of another dtype", () => {
    expectError(
      () => jvp(f, [at], [{ w: np.astype(matrix, "float32"), b: [vector] }]),
      DtypeError,
      "dtype",
      ".w has dtype float32",
      "float64[2,3]",
    );
    expectError(
      () => jvp(f, [at], [{ w: matrix, b: [i32([1, 2, 3])] }]),
      DtypeError,
      "dtype",
      ".b[0] has dtype int32",
    );
    expectError(() => vjp(f, at)[1](f32([1, 2])), DtypeError, "dtype", "has dtype float32", "float64[2]");
    expectError(() => jvp(np.sin, [vector], [1]), DtypeError, "dtype", "is a number", "float64[3]");
    expectError(
      () => jvp(np.negative, [i32([1])], [i32([1])]),
      DtypeError,
      "dtype",
      "has dtype int32",
      "float0[1]",
    );
  });

  it("of another structure, with the path", () => {
    expectError(
      () => loose.jvp(f, [at], [{ w: matrix }]),
      TreeMismatchError,
      "tree-mismatch",
      "jvp(f)",
      "structure",
      /\.b\b|\bb\b/,
    );
    expectError(
      () => loose.jvp(f, [at], [{ w: matrix, b: vector }]),
      TreeMismatchError,
      "tree-mismatch",
      ".b",
    );
    expectError(() => loose.jvp(f, [at], []), TreeMismatchError, "tree-mismatch", "structure");
    expectError(() => loose.linearize(f, at)[1](at, at), TreeMismatchError, "tree-mismatch", "linearize(f)");
    expectError(() => loose.jvp(f, at, at), ArgumentError, "argument", "lists of primals and tangents");
  });
});

describe("options", () => {
  const loose = { grad, valueAndGrad, jacfwd, jacrev, hessian, jit, vmap, makeJaxpr } as unknown as Record<
    string,
    (f: unknown, options?: unknown) => (...args: unknown[]) => unknown
  >;

  it.each(Object.entries(loose))("%s refuses an option that it does not have", (name, transform) => {
    const error = expectError(
      () => transform(np.sum, { argNums: 0 })(vector),
      ArgumentError,
      "argument",
      'there is no option "argNums"',
      "the options are",
    );
    if (name !== "hessian") expect(error.message.startsWith(`${name}: `)).toBe(true);
    expect(() => transform(np.sum, undefined)(vector)).not.toThrow();
  });

  it("values that are none", () => {
    for (const name of ["grad", "valueAndGrad", "jacfwd", "jacrev", "hessian"])
      expectError(
        () => loose[name](np.sum, { argnums: "0" })(vector),
        ArgumentError,
        "argument",
        "argnums",
        "got 0",
      );
    for (const axisSize of [-1, 1.5, "3", null, Number.NaN])
      expectError(
        () => loose.vmap(np.sum, { axisSize, inAxes: null })(vector),
        ArgumentError,
        "argument",
        "vmap(sum)",
        `axisSize must be a length, got ${String(axisSize)}`,
      );
    expectError(
      () => loose.jit((p: { x: NDArray }) => np.sin(p.x))({ x: new ShapeDtype([2]) }),
      ArgumentError,
      "argument",
      "the arguments of jit(function) at [0].x is an object of class ShapeDtype",
    );
    expectError(
      () => jvp(np.sin, [vector], [vector], { aux: true } as never),
      ArgumentError,
      "argument",
      'there is no option "aux"',
    );
  });
});

describe("vmap", () => {
  const f = (p: { w: NDArray; b: NDArray }, x: NDArray) => np.add(np.matmul(p.w, x), p.b);

  it("batch axes of different sizes", () => {
    const run = () => vmap(f)({ w: np.ones([4, 2, 3]), b: np.ones([4, 2]) }, np.ones([5, 3]));
    expectError(run, AxisError, "axis", "vmap(f)", "[1] (shape [5,3], axis 0) has 5", "has 4", "[4,2");
    expectError(
      () => vmap(np.sin, { axisSize: 2 })(vector),
      AxisError,
      "axis",
      "vmap(sin)",
      "axisSize has 2",
      "has 3",
    );
  });

  it("axes out of range, nothing to batch, trees that do not fit", () => {
    const loose = vmap as unknown as (f: unknown, o?: object) => (...args: unknown[]) => unknown;
    const p = { w: matrix, b: f64([1, 2]) };
    expectError(
      () => vmap(np.sin)(f64(1)),
      AxisError,
      "axis",
      "axis 0 is out of range for an array of 0 dimensions",
    );
    expectError(() => vmap(np.sin, { inAxes: -3 })(matrix), AxisError, "axis", "axis -3", "2 dimensions");
    expectError(() => vmap(np.sin, { inAxes: null })(matrix), AxisError, "axis", "no argument is batched");
    expectError(
      () => vmap(np.sin, { outAxes: 5 })(matrix),
      AxisError,
      "axis",
      "the output of vmap(sin)",
      "axis 5",
    );
    expectError(
      () => loose(f, { inAxes: [{ w: 0, c: 0 }, null] })(p, vector),
      TreeMismatchError,
      "tree-mismatch",
      "inAxes",
      "[0]",
    );
    expectError(
      () => loose(f, { inAxes: [{ w: null, b: 0 }, null], outAxes: { y: 0 } })(p, vector),
      TreeMismatchError,
      "tree-mismatch",
      "outAxes",
    );
    expectError(
      () => loose(f, { inAxes: ["0", null] })(p, vector),
      ArgumentError,
      "argument",
      "0 is not an axis",
    );
  });
});
