/** Activation functions: derivatives where they are smooth, at kinks and in the tails; dtypes and options. */
import {
  ArgumentError,
  AxisError,
  grad,
  makeJaxpr,
  type NDArray,
  nn,
  numpy as np,
  ShapeError,
  vmap,
} from "fluxion";
import { describe, expect, it } from "vitest";
import { checkDerivatives } from "../derivatives.js";
import { expectClose, expectError, f32, f64, i32, primitiveNames, describe as typeOf } from "../values.js";

type Activation = (x: NDArray) => NDArray;

const smooth: Record<string, Activation> = {
  relu: nn.relu,
  relu6: nn.relu6,
  sigmoid: nn.sigmoid,
  softplus: nn.softplus,
  silu: nn.silu,
  swish: nn.swish,
  gelu: nn.gelu,
  "gelu with erf": (x) => nn.gelu(x, { approximate: false }),
  elu: nn.elu,
  "elu with alpha": (x) => nn.elu(x, { alpha: 0.3 }),
  leakyRelu: nn.leakyRelu,
  tanh: nn.tanh,
  logSigmoid: nn.logSigmoid,
  celu: nn.celu,
  "celu with alpha": (x) => nn.celu(x, { alpha: 0.3 }),
  selu: nn.selu,
  mish: nn.mish,
  squareplus: nn.squareplus,
  hardTanh: nn.hardTanh,
  hardSigmoid: nn.hardSigmoid,
  hardSilu: nn.hardSilu,
  hardSwish: nn.hardSwish,
  softSign: nn.softSign,
  sparsePlus: nn.sparsePlus,
  sparseSigmoid: nn.sparseSigmoid,
  identity: nn.identity,
  glu: nn.glu,
};

const slopes = (f: Activation, x: NDArray): unknown => vmap(grad(f))(x).tolist();

describe.each(Object.entries(smooth))("%s", (_, f) => {
  it("has the derivatives of its definition, of first and second order", () => {
    checkDerivatives(f, f64([-3.4, -1.7, -0.6, 0.4, 0.9, 2.2, 5.1, 6.8]));
  });

  it("keeps float32 and float64, and takes integers and numbers", () => {
    expect(f(f32([1, 2])).dtype).toBe("float32");
    expect(f(f64([1, 2])).dtype).toBe("float64");
    const whole = f(i32([-1, 2]));
    expectClose(np.astype(whole, "float64"), f(f64([-1, 2])).tolist(), 1e-6);
  });
});

describe("kinks", () => {
  const at = f64([-3, -1, 0, 1, 3, 6]);

  it.each<[string, Activation, number[]]>([
    ["relu", nn.relu, [0, 0, 0, 1, 1, 1]],
    ["relu6", nn.relu6, [0, 0, 0, 1, 1, 0]],
    ["hardTanh", nn.hardTanh, [0, 1, 1, 1, 0, 0]],
    ["hardSigmoid", nn.hardSigmoid, [0, 1 / 6, 1 / 6, 1 / 6, 0, 0]],
    ["leakyRelu", nn.leakyRelu, [0.01, 0.01, 1, 1, 1, 1]],
    ["sparsePlus", nn.sparsePlus, [0, 0, 0.5, 1, 1, 1]],
    ["sparseSigmoid", nn.sparseSigmoid, [0, 0, 0.5, 0, 0, 0]],
    [
      "elu at 0, with alpha",
      (x) => nn.elu(x, { alpha: 2 }),
      [2 * Math.exp(-3), 2 * Math.exp(-1), 2, 1, 1, 1],
    ],
    ["celu at 0, with alpha", (x) => nn.celu(x, { alpha: 2 }), [Math.exp(-1.5), Math.exp(-0.5), 1, 1, 1, 1]],
  ])("of %s have one derivative", (_, f, wanted) => {
    expectClose(slopes(f, at), wanted);
  });

  it("softplus, logSigmoid, silu and mish have none at 0, at any order", () => {
    const zero = f64(0);
    expectClose(grad(nn.softplus)(zero), 0.5);
    expectClose(grad(grad(nn.softplus))(zero), 0.25);
    expectClose(grad(grad(grad(nn.softplus)))(zero), 0);
    expectClose(grad(grad(grad(grad(nn.softplus))))(zero), -0.125);
    expectClose(grad(grad(nn.logSigmoid))(zero), -0.25);
    expectClose(grad(grad(nn.silu))(zero), 0.5);
    expectClose(grad(nn.softSign)(zero), 1);
    // mish″(0) = 2 (1 - tanh²(log 2)) σ(0), and tanh(log 2) = 3/5.
    expectClose(grad(grad(nn.mish))(zero), 0.64);
  });
});

describe("tails", () => {
  const far = f32([-1e30, -1e4, -150, 150, 1e4, 1e30]);

  it.each<[string, Activation, number[], number[]]>([
    ["sigmoid", nn.sigmoid, [0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 0, 0]],
    ["softplus", nn.softplus, [0, 0, 0, 150, 1e4, Math.fround(1e30)], [0, 0, 0, 1, 1, 1]],
    ["logSigmoid", nn.logSigmoid, [Math.fround(-1e30), -1e4, -150, 0, 0, 0], [1, 1, 1, 0, 0, 0]],
    ["silu", nn.silu, [0, 0, 0, 150, 1e4, Math.fround(1e30)], [0, 0, 0, 1, 1, 1]],
    ["elu", nn.elu, [-1, -1, -1, 150, 1e4, Math.fround(1e30)], [0, 0, 0, 1, 1, 1]],
    ["celu", nn.celu, [-1, -1, -1, 150, 1e4, Math.fround(1e30)], [0, 0, 0, 1, 1, 1]],
    ["mish", nn.mish, [0, 0, 0, 150, 1e4, Math.fround(1e30)], [0, 0, 0, 1, 1, 1]],
    ["tanh", nn.tanh, [-1, -1, -1, 1, 1, 1], [0, 0, 0, 0, 0, 0]],
  ])("of %s neither overflow nor lose their slope", (_, f, values, wanted) => {
    expectClose(f(far), values);
    expectClose(slopes(f, far), wanted);
  });

  it("of softplus keep their digits", () => {
    expectClose(nn.softplus(f64([-30])).tolist(), [Math.log1p(Math.exp(-30))], 0);
    expect(Number(nn.softplus(f64(-700)).item())).toBeGreaterThan(0);
    expectClose(slopes(nn.softplus, f64([-Infinity, Infinity])), [0, 1]);
  });

  it.each<[string, Activation]>([
    ["relu", nn.relu],
    ["relu6", nn.relu6],
    ["softplus", nn.softplus],
    ["elu", nn.elu],
    ["leakyRelu", nn.leakyRelu],
    ["hardTanh", nn.hardTanh],
    ["sparsePlus", nn.sparsePlus],
  ])("%s passes NaN on", (_, f) => {
    expect(f(f32(Number.NaN)).item()).toBeNaN();
  });
});

describe("programs", () => {
  it.each<[string, Activation, string[]]>([
    ["relu", nn.relu, ["le", "select"]],
    ["relu6", nn.relu6, ["clamp"]],
    ["sigmoid", nn.sigmoid, ["logistic"]],
    ["silu", nn.silu, ["logistic", "mul"]],
    ["softplus", nn.softplus, ["gt", "select", "neg", "select", "exp", "log1p", "add"]],
  ])("of %s are small", (_, f, names) => {
    expect(primitiveNames(makeJaxpr(f)(f32([1, 2])))).toEqual(names);
  });
});

describe("dtypes and options", () => {
  it("relu and hardTanh of integers are integers, of numbers weak", () => {
    expect(typeOf(nn.relu(i32([-1])))).toBe("int32[1]");
    expect(typeOf(nn.hardTanh(i32([-5])))).toBe("int32[1]");
    expect(typeOf(nn.relu(-1))).toBe("~int32[]");
    expect(typeOf(nn.sigmoid(0))).toBe("~float32[]");
  });

  it("parameters may be arrays, and have derivatives", () => {
    expect(nn.leakyRelu(f64([-1, -2]), { negativeSlope: f64([0.5, 0.25]) }).tolist()).toEqual([-0.5, -0.5]);
    expect(nn.leakyRelu(f64([[-1, -2]]), { negativeSlope: f64([[0.5], [0.25]]) }).shape).toEqual([2, 2]);
    checkDerivatives((alpha) => nn.celu(f64([-1, -0.5]), { alpha }), f64([0.7, 1.2]));
    checkDerivatives((b) => nn.squareplus(f64([-1, -0.5]), { b }), f64([0.7, 1.2]));
    expectError(
      () => nn.elu(f64([1, 2]), { alpha: f64([1, 2, 3]) }),
      ShapeError,
      "shape",
      "nn.elu",
      "float64[2], float64[3]",
    );
  });

  it("glu halves an axis", () => {
    const x = f64([
      [1, 2],
      [3, 4],
      [0, 0],
      [0, 0],
    ]);
    expect(nn.glu(x, { axis: 0 }).tolist()).toEqual([
      [0.5, 1],
      [1.5, 2],
    ]);
    expectError(() => nn.glu(x, { axis: 2 }), AxisError, "axis", "nn.glu");
    expectError(() => nn.glu(f64([1, 2, 3])), ShapeError, "shape", "nn.glu: axis 0 of float64[3]");
  });

  it.each([
    ["gelu", () => nn.gelu(1, { approx: true } as never), "approx"],
    ["elu", () => nn.elu(1, { a: 1 } as never), "a"],
    ["celu", () => nn.celu(1, { a: 1 } as never), "a"],
    ["leakyRelu", () => nn.leakyRelu(1, { slope: 1 } as never), "slope"],
    ["squareplus", () => nn.squareplus(1, { c: 1 } as never), "c"],
    ["glu", () => nn.glu(f32([1, 2]), { dim: 0 } as never), "dim"],
    ["softmax", () => nn.softmax(f32([1, 2]), { dim: 0 } as never), "dim"],
    ["logsumexp", () => nn.logsumexp(f32([1, 2]), { keepDims: true } as never), "keepDims"],
    ["standardize", () => nn.standardize(f32([1, 2]), { eps: 0 } as never), "eps"],
    ["oneHot", () => nn.oneHot(1, 2, { type: "bool" } as never), "type"],
    ["dotProductAttention", () => nn.dotProductAttention(1, 1, 1, { causal: true } as never), "causal"],
  ])("%s refuses an option that it does not have", (name, call, option) => {
    expectError(call, ArgumentError, "argument", `nn.${name}: there is no option "${option}"`);
  });

  it("what is no array is refused", () => {
    expectError(() => nn.relu([1, 2] as never), ArgumentError, "argument", "nn.relu takes arrays");
    expectError(() => nn.softmax(null as never), ArgumentError, "argument", "nn.softmax takes arrays");
  });
});
