import {
  ArgumentError,
  checkJaxpr,
  evalJaxpr,
  evalShape,
  grad,
  hashJaxpr,
  jit,
  makeJaxpr,
  type NDArray,
  numpy as np,
  parseJaxpr,
  ShapeDtype,
  ShapeError,
  vmap,
} from "fluxion";
import { isRight } from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";
import { errorOf, expectClose, f32, f64, i32, plain } from "../values.js";

describe("makeJaxpr", () => {
  it("prints the program, typed, constants before the semicolon", () => {
    expect(String(makeJaxpr((x: NDArray) => np.sin(x).mul(2))(f32([1, 2, 3])))).toBe(
      ["{ lambda ; a:f32[3]. let", "    b:f32[3] = sin a", "    c:f32[3] = mul b 2.0", "  in (c,) }"].join(
        "\n",
      ),
    );
    const closed = makeJaxpr((x: NDArray) => x.add(f32([1, 2, 3])))(f32([0, 0, 0]));
    expect(String(closed)).toMatch(/^\{ lambda [a-z]:f32\[3\] ; [a-z]:f32\[3\]\. let/);
    expect(plain(closed.consts)).toEqual([[1, 2, 3]]);
    expect(closed.inAvals.map((a) => a.shape)).toEqual([[3]]);
  });

  it("takes shapes in place of arrays, and computes nothing", () => {
    const f = (p: { w: NDArray; n: NDArray }, x: NDArray) => np.sum(np.matmul(p.w, x)).mul(p.n);
    const big = new ShapeDtype([100_000, 100_000]);
    const program = makeJaxpr(f)({ w: big, n: new ShapeDtype([], "int32") }, new ShapeDtype([100_000]));
    expect(program.jaxpr.inAvals.map((a) => `${a.dtype}[${a.shape}]`)).toEqual([
      "int32[]",
      "float32[100000,100000]",
      "float32[100000]",
    ]);
    expect(String(makeJaxpr(f)({ w: np.ones([2, 3]), n: i32(1) }, f32([1, 2, 3])))).toBe(
      String(
        makeJaxpr(f)({ w: new ShapeDtype([2, 3]), n: new ShapeDtype([], "int32") }, new ShapeDtype([3])),
      ),
    );
    const weak = new ShapeDtype([], "float32", { weakType: true });
    expect(
      String(makeJaxpr((x: NDArray | number) => np.multiply(x, np.ones([1], "float16")))(weak)),
    ).toContain("~f32[]");
  });

  it("records what the function does for these types: no values, no merging, in order", () => {
    const program = makeJaxpr((x: NDArray) => np.sin(x).add(np.sin(x)).mul(1))(f64(1));
    expect(program.jaxpr.eqns.map((e) => e.primitive.name)).toEqual(["sin", "sin", "add", "mul"]);
    expect(errorOf(() => makeJaxpr((x: NDArray) => (x.item() ? x : x))(f64(1))).code).toBe("concretization");
  });

  it("static arguments", () => {
    const f = (x: NDArray, n: number) => Array.from({ length: n }).reduce((y: NDArray) => np.sin(y), x);
    expect(makeJaxpr(f, { staticArgnums: 1 })(new ShapeDtype([2]), 5).jaxpr.eqns).toHaveLength(5);
  });

  it("well typed, readable by the parser, with a stable hash, for transformed functions", () => {
    const f = (x: NDArray, y: NDArray) => np.sum(np.tanh(np.matmul(x, y)));
    for (const g of [
      f,
      grad(f),
      jit(grad(jit(f))),
      vmap(f),
      jit(vmap(grad(f))),
      grad((x: NDArray, y: NDArray) => np.sum(grad(f)(x, y))),
    ]) {
      const make = () =>
        makeJaxpr(g as typeof f)(new ShapeDtype([2, 2], "float64"), new ShapeDtype([2, 2], "float64")).jaxpr;
      const jaxpr = make();
      expect(isRight(checkJaxpr(jaxpr))).toBe(true);
      const parsed = parseJaxpr(String(jaxpr));
      expect(isRight(parsed)).toBe(true);
      if (isRight(parsed)) expect(hashJaxpr(parsed.right.jaxpr)).toBe(hashJaxpr(jaxpr));
      expect(hashJaxpr(make())).toBe(hashJaxpr(jaxpr));
    }
  });
});

describe("evalShape", () => {
  it("gives shapes and dtypes of trees", () => {
    const f = (p: { w: NDArray }, x: NDArray) => ({
      y: np.matmul(p.w, x),
      n: [np.argmax(x), null, 3] as const,
    });
    const shapes = evalShape(f, { w: new ShapeDtype([4, 3]) }, f32([1, 2, 3]));
    expect(String(shapes.y)).toBe("ShapeDtype(float32[4])");
    expect([String(shapes.n[0]), shapes.n[1], String(shapes.n[2])]).toEqual([
      "ShapeDtype(int32[])",
      null,
      "ShapeDtype(int32[], weak)",
    ]);
    expect(evalShape((x: NDArray) => np.matmul(x, x), new ShapeDtype([50_000, 50_000])).shape).toEqual([
      50_000, 50_000,
    ]);
    expect(() => evalShape((x: NDArray) => np.matmul(x, x), new ShapeDtype([2, 3]))).toThrow(ShapeError);
    expect(() => new ShapeDtype([-1])).toThrow(ArgumentError);
    expect(() => new ShapeDtype([2], "float" as never)).toThrow(/not a dtype/);
  });
});

describe("evalJaxpr", () => {
  it("runs a program, closed or open, and can be traced", () => {
    const scale = f64([10, 20]);
    const closed = makeJaxpr((x: NDArray) => [np.sum(x.mul(scale)), x])(f64([1, 2]));
    expect(plain(evalJaxpr(closed, f64([3, 4])))).toEqual([110, [3, 4]]);
    expect(plain(evalJaxpr(closed.jaxpr, f64([1, 1]), f64([3, 4])))).toEqual([7, [3, 4]]);
    expect(plain(grad((x: NDArray) => evalJaxpr(closed, x)[0])(f64([1, 2])))).toEqual([10, 20]);
    expect(plain(jit((x: NDArray) => evalJaxpr(closed, x)[0])(f64([1, 2])))).toBe(50);
    expect(
      plain(
        vmap((x: NDArray) => evalJaxpr(closed, x)[0])(
          f64([
            [1, 0],
            [0, 1],
          ]),
        ),
      ),
    ).toEqual([10, 20]);
    expectClose(evalJaxpr(makeJaxpr((x: NDArray | number) => np.sin(x))(0.5), 1.5), [Math.sin(1.5)], 1e-6);
  });

  it("what was traced is evaluated: it agrees with the function itself", () => {
    const f = (x: NDArray) => np.sum(np.exp(np.sin(x)).mul(np.cumsum(x)));
    const program = makeJaxpr(grad(f))(f64([0, 0, 0]));
    expectClose(evalJaxpr(program, f64([0.1, 0.2, 0.3]))[0], plain(grad(f)(f64([0.1, 0.2, 0.3]))));
  });

  it("refuses arguments that are too few or of another type", () => {
    const program = makeJaxpr((x: NDArray) => x)(f64([1, 2]));
    expect(errorOf(() => evalJaxpr(program)).message).toContain("takes 1 arguments, got 0");
    expect(errorOf(() => evalJaxpr(program, f64([1, 2, 3]))).message).toMatch(/float64\[3\].*float64\[2\]/);
    expect(errorOf(() => evalJaxpr(program, f32([1, 2]))).code).toBe("shape");
    expect(() => evalJaxpr({} as never, f64(1))).toThrow(ArgumentError);
  });
});
