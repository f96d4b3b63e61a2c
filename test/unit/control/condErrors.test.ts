/** What `lax.cond` and `lax.switchCase` refuse, and how they say so. */
import {
  ArgumentError,
  aval,
  bind,
  ConcretizationError,
  DtypeError,
  findPrimitive,
  jit,
  lax,
  makeJaxpr,
  type NDArray,
  numpy as np,
  type Params,
  ShapeDtype,
  ShapeError,
  TreeMismatchError,
  vmap,
} from "fluxion";
import { isLeft } from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";

const x = np.array([1, 2], "float32");
const same = (y: NDArray): NDArray => y;
type Loose = (...args: unknown[]) => unknown;
const cond = lax.cond as unknown as Loose;
const switchCase = lax.switchCase as unknown as Loose;

describe("the predicate", () => {
  it.each<[unknown, new (message: string) => Error, string]>([
    [1, DtypeError, "got the number 1; compare it (x !== 0)"],
    ["yes", DtypeError, "got a value of type string"],
    [undefined, DtypeError, "got a value of type undefined"],
    [np.array(1, "int32"), DtypeError, "got int32[]; compare it (x.notEqual(0))"],
    [np.array(0.5), DtypeError, "got float32[]; compare it (x.notEqual(0))"],
    [np.array([true, false]), ShapeError, "got bool[2]; for a choice element by element use np.where"],
    [np.array([true]), ShapeError, "got bool[1]"],
  ])("%s is refused", (pred, type, message) => {
    expect(() => cond(pred, same, same, x)).toThrow(type);
    expect(() => cond(pred, same, same, x)).toThrow(
      `lax.cond needs a boolean predicate of shape (), ${message}`,
    );
  });

  it.each<[unknown, new (message: string) => Error, string]>([
    [true, DtypeError, "got a value of type boolean; use lax.cond"],
    [1.5, DtypeError, "got the number 1.5"],
    [Number.NaN, DtypeError, "got the number NaN"],
    [np.array(true), DtypeError, "got bool[]; use lax.cond"],
    [np.array(1, "float32"), DtypeError, "got float32[]"],
    [np.array([1], "int32"), ShapeError, "got int32[1]"],
  ])("the index %s is refused", (index, type, message) => {
    expect(() => switchCase(index, [same, same], x)).toThrow(type);
    expect(() => switchCase(index, [same, same], x)).toThrow(
      `lax.switchCase needs an integer of shape () that says which branch, ${message}`,
    );
  });

  it("a traced predicate is needed where values are unknown, and that is what the error advises", () => {
    expect(() => jit((y: NDArray) => (y.item() ? y : y.neg()))(np.array(true))).toThrow(ConcretizationError);
    expect(() => jit((y: NDArray) => (y.item() ? y : y.neg()))(np.array(true))).toThrow("lax.cond");
  });
});

describe("the branches", () => {
  it("must be functions, at least one", () => {
    expect(() => cond(true, same, 3, x)).toThrow(
      "lax.cond (for the false branch) takes a function, got number",
    );
    expect(() => cond(true, undefined, same, x)).toThrow(
      "lax.cond (for the true branch) takes a function, got undefined",
    );
    expect(() => switchCase(0, [], x)).toThrow(ArgumentError);
    expect(() => switchCase(0, [], x)).toThrow("lax.switchCase takes a list of at least one branch");
    expect(() => switchCase(0, same, x)).toThrow(ArgumentError);
    expect(() => switchCase(0, [same, null], x)).toThrow(
      "lax.switchCase (for branch 1) takes a function, got null",
    );
  });

  it("must return something, and no promise", () => {
    expect(() => cond(true, same, () => undefined, x)).toThrow(
      "the false branch of lax.cond: the function returned nothing",
    );
    expect(() => cond(true, async () => x, same, x)).toThrow(
      "the true branch of lax.cond: the function returned a promise",
    );
    expect(() => cond(true, same, () => "text", x)).toThrow(
      "the output of the false branch of lax.cond is a string",
    );
  });

  it("whose results have another structure: both are named", () => {
    const wrong = () =>
      cond(
        np.array(true),
        (y: NDArray) => ({ a: y }),
        (y: NDArray) => [y],
        x,
      );
    expect(wrong).toThrow(TreeMismatchError);
    expect(wrong).toThrow(
      "lax.cond: all branches must give the same structure and types: the true branch is",
    );
    expect(wrong).toThrow("but the false branch is");
    expect(() => vmap((y: NDArray) => cond(y.greater(0), same, () => [], y) as NDArray)(x)).toThrow(
      TreeMismatchError,
    );
  });

  it("whose results have other types: path, and both types", () => {
    const shapes = () =>
      cond(
        np.array(true),
        (y: NDArray) => ({ p: [y, y.sum()] }),
        (y: NDArray) => ({ p: [y, y] }),
        x,
      );
    expect(shapes).toThrow(ShapeError);
    expect(shapes).toThrow("at .p[1] the true branch has float32[], the false branch has float32[2]");
    const dtypes = () => switchCase(0, [same, same, (y: NDArray) => y.astype("int32")], x);
    expect(dtypes).toThrow(DtypeError);
    expect(dtypes).toThrow("branch 0 has float32[2], branch 2 has int32[2]");
    // A float number does not fit into an integer; nor does a number into a bool.
    expect(() =>
      cond(
        true,
        () => 1.5,
        (n: NDArray) => n,
        np.array(1, "int32"),
      ),
    ).toThrow(DtypeError);
    expect(() =>
      cond(
        true,
        () => 1,
        (n: NDArray) => n,
        np.array(true),
      ),
    ).toThrow(DtypeError);
  });

  it("operands must be arrays or numbers", () => {
    expect(() => cond(true, same, same, { a: "text" })).toThrow(
      "the operands of lax.cond at [0].a is a string",
    );
  });
});

describe("the primitive", () => {
  const primitive = findPrimitive("cond");
  if (primitive === undefined) throw new Error("there is no cond");
  const branch = makeJaxpr((y: NDArray) => y.add(1))(new ShapeDtype([2])).jaxpr;
  const other = makeJaxpr((y: NDArray) => y.sum())(new ShapeDtype([2])).jaxpr;
  const [i32, f32] = [aval([], "int32"), aval([2], "float32")];

  it.each<[string, Parameters<typeof primitive.abstractEval>[0], Params, string]>([
    ["no branches", [i32, f32], {}, "branches must be a list of jaxprs"],
    ["an empty list", [i32, f32], { branches: [] }, "branches must be a list of jaxprs"],
    [
      "something else in the list",
      [i32, f32],
      { branches: [branch, 3] },
      "branches must be a list of jaxprs",
    ],
    ["no index", [], { branches: [branch] }, "the index must be int32[], got none"],
    [
      "a float index",
      [aval([], "float32"), f32],
      { branches: [branch] },
      "the index must be int32[], got float32[]",
    ],
    [
      "an index with an axis",
      [aval([1], "int32"), f32],
      { branches: [branch] },
      "must be int32[], got int32[1]",
    ],
    ["too few operands", [i32], { branches: [branch] }, "branch 0 takes float32[2], got nothing"],
    ["other operands", [i32, i32], { branches: [branch, branch] }, "branch 0 takes float32[2], got int32[]"],
    [
      "other results",
      [i32, f32],
      { branches: [branch, other] },
      "branch 0 gives float32[2], but branch 1 gives float32[]",
    ],
  ])("refuses %s", (_, inputs, params, message) => {
    const types = primitive.abstractEval(inputs, params);
    if (!isLeft(types)) throw new Error("accepted");
    expect(types.left.message).toContain(message);
  });

  it("runs the nearest branch, without a compiler too", () => {
    const params = { branches: [branch, makeJaxpr((y: NDArray) => y.neg())(new ShapeDtype([2])).jaxpr] };
    const run = (i: number) => bind(primitive, [np.array(i, "int32"), x], params)[0].tolist();
    expect([-7, 0, 1, 7].map(run)).toEqual([
      [2, 3],
      [2, 3],
      [-1, -2],
      [-1, -2],
    ]);
  });
});
