/** How types follow values through the transforms. Checked by `tsc`, not run. */
import {
  type ArrayLike,
  type ClosedJaxpr,
  evalShape,
  grad,
  hessian,
  hvp,
  jacfwd,
  jacrev,
  jit,
  jvp,
  linearize,
  linearizeWithAux,
  linearTranspose,
  makeJaxpr,
  type NDArray,
  nn,
  numpy as np,
  ShapeDtype,
  stopGradient,
  tree,
  valueAndGrad,
  vjp,
  vjpWithAux,
  vmap,
} from "fluxion";
import { flow, pipe } from "fp-ts/lib/function.js";
import { expectTypeOf } from "vitest";

interface Layer {
  w: NDArray;
  b?: NDArray;
}
type Params = { layers: Layer[]; pair: [NDArray, { deep: NDArray }]; frozen: null; readonly scale: NDArray };
declare const params: Params;
declare const x: NDArray;
declare const layer: Layer;

const loss = (p: Params, input: NDArray, label?: NDArray): NDArray => np.add(np.sum(input), label ?? p.scale);
declare const mixed: (a: NDArray, n: number, options: { k: NDArray; name: string }) => NDArray;

class Model {
  constructor(
    readonly w: NDArray,
    private readonly hidden: NDArray,
  ) {}
  call(y: NDArray): NDArray {
    return np.multiply(this.w, np.add(this.hidden, y));
  }
}
declare const model: Model;

// ---------------------------------------------------------------------------------------------------------------------
// grad
// ---------------------------------------------------------------------------------------------------------------------

// The gradient has the type of the parameters, names included.
expectTypeOf(grad(loss)(params, x)).toEqualTypeOf<Params>();
expectTypeOf(grad((l: Layer) => l.w)(layer)).toEqualTypeOf<Layer>();
expectTypeOf(grad((l: Layer) => l.w)(layer).b).toEqualTypeOf<NDArray | undefined>();
expectTypeOf(grad((m: Model) => m.call(x))(model)).toEqualTypeOf<Model>();
expectTypeOf(grad((t: readonly [NDArray, null, NDArray?]) => t[0])([x, null])).toEqualTypeOf<
  readonly [NDArray, null, NDArray?]
>();
// Numbers have arrays for gradients.
expectTypeOf(grad((n: number) => np.sin(n))(1)).toEqualTypeOf<NDArray>();
expectTypeOf(grad(np.sin)(1)).toEqualTypeOf<NDArray>();
expectTypeOf(
  grad((p: { a: number; b: [ArrayLike, null] }) => np.sin(p.a))({ a: 1, b: [2, null] }),
).toEqualTypeOf<{
  a: NDArray;
  b: [NDArray, null];
}>();
// What was an update stays one.
expectTypeOf(tree.map((p, g) => np.subtract(p, g), params, grad(loss)(params, x))).toEqualTypeOf<Params>();

// Arguments keep names, optionality and order.
expectTypeOf(grad(loss)).parameters.toEqualTypeOf<[p: Params, input: NDArray, label?: NDArray]>();
expectTypeOf(grad(grad((a: NDArray) => a))).toEqualTypeOf<(a: NDArray) => NDArray>();

// argnums
expectTypeOf(grad(loss, { argnums: 1 })(params, x)).toEqualTypeOf<NDArray>();
expectTypeOf(grad(loss, { argnums: [1, 0] })(params, x)).toEqualTypeOf<[NDArray, Params]>();
expectTypeOf(grad(loss, { argnums: [0] })(params, x)).toEqualTypeOf<[Params]>();
expectTypeOf(grad(mixed, { argnums: -1 })(x, 1, { k: x, name: "n" })).toEqualTypeOf<{
  k: NDArray;
  name: string;
}>();
expectTypeOf(grad(mixed, { argnums: [-3, 1] })(x, 1, { k: x, name: "n" })).toEqualTypeOf<
  [NDArray, NDArray]
>();
declare const variadic: (...xs: NDArray[]) => NDArray;
expectTypeOf(grad(variadic, { argnums: [0, 5] })(x, x)).toEqualTypeOf<[NDArray, NDArray]>();

// hasAux
const withAux = (_: Params, input: NDArray) =>
  [np.sum(input), { logits: input, count: 3, note: "text" }] as const;
expectTypeOf(grad(withAux, { hasAux: true })(params, x)).toEqualTypeOf<
  [Params, { readonly logits: NDArray; readonly count: 3; readonly note: "text" }]
>();
expectTypeOf(grad((a: NDArray) => [a, { b: a }], { hasAux: true })(x)).toEqualTypeOf<
  [NDArray, { b: NDArray }]
>();
expectTypeOf(valueAndGrad(loss)(params, x)).toEqualTypeOf<[NDArray, Params]>();
expectTypeOf(valueAndGrad(loss, { argnums: [0, 1] })(params, x)).toEqualTypeOf<
  [NDArray, [Params, NDArray]]
>();
expectTypeOf(valueAndGrad((a: NDArray) => [a, { b: a }], { hasAux: true })(x)).toEqualTypeOf<
  [[NDArray, { b: NDArray }], NDArray]
>();

// @ts-expect-error the arguments are those of the function
grad(loss)(x, params);
// @ts-expect-error there must be as many
grad(loss)(params);
// @ts-expect-error there is no third position from the end to this function of one argument
grad((a: NDArray) => a, { argnums: -3 });
// @ts-expect-error there is no argument 3
grad(loss, { argnums: 3 });
// @ts-expect-error nor in a list
grad(loss, { argnums: [0, 3] });
// @ts-expect-error a position is a number
grad(loss, { argnums: "0" });
// @ts-expect-error there is no such option
grad(loss, { argNums: 1 });
// @ts-expect-error hasAux needs a function that returns two things
grad((a: NDArray) => a, { hasAux: true });
// @ts-expect-error a promise is no result
grad(async (a: NDArray) => a);
// @ts-expect-error not a function
grad(x);
// @ts-expect-error a function that returns nothing
grad((_: NDArray) => {});
// @ts-expect-error the value of a gradient is a scalar, not a tree
grad((a: NDArray) => ({ a }));

// ---------------------------------------------------------------------------------------------------------------------
// jvp, vjp, linearize
// ---------------------------------------------------------------------------------------------------------------------

const f = (p: { w: NDArray; n: null }, s: number) => ({
  y: np.multiply(p.w, s),
  list: [p.w, s] as [NDArray, number],
});
type Out = { y: NDArray; list: [NDArray, NDArray] };
const p = { w: x, n: null };

expectTypeOf(jvp(f, [p, 1], [p, 1])).toEqualTypeOf<[Out, Out]>();
expectTypeOf(jvp(np.sin, [x], [x])).toEqualTypeOf<[NDArray, NDArray]>();
expectTypeOf(jvp((a: NDArray) => [a, { b: a }], [x], [x], { hasAux: true })).toEqualTypeOf<
  [NDArray, NDArray, { b: NDArray }]
>();
expectTypeOf(vjp(f, p, 1)).toEqualTypeOf<
  [
    Out,
    (cotangent: {
      y: NDArray | number;
      list: [NDArray | number, NDArray | number];
    }) => [{ w: NDArray; n: null }, NDArray],
  ]
>();
expectTypeOf(vjp(np.sin, x)[1](1)).toEqualTypeOf<[NDArray]>();
expectTypeOf(vjpWithAux((a: NDArray) => [a, { b: a }], x)[2]).toEqualTypeOf<{ b: NDArray }>();
expectTypeOf(linearize(f, p, 1)[0]).toEqualTypeOf<Out>();
expectTypeOf(linearize(f, p, 1)[1](p, 2)).toEqualTypeOf<Out>();
expectTypeOf(linearizeWithAux((a: NDArray) => [a, "aux"], x)[2]).toEqualTypeOf<string>();
expectTypeOf(linearTranspose((a: NDArray, b: NDArray) => np.add(a, b), x, x)(x)).toEqualTypeOf<
  [NDArray, NDArray]
>();
expectTypeOf(hvp(loss, [params, x], [params, x])).toExtend<readonly [Params, NDArray, ...unknown[]]>();

// @ts-expect-error primals are a list
jvp(np.sin, x, x);
// @ts-expect-error a tangent for each argument
jvp(f, [p, 1], [p]);
// @ts-expect-error tangents have the structure of the primals
jvp(f, [p, 1], [{ w: x }, 1]);
// @ts-expect-error the same for what the function is given
vjp(f, p);
// @ts-expect-error the cotangent has the structure of the result
vjp(f, p, 1)[1](x);
// @ts-expect-error and not more than that
vjp(np.sin, x)[1](x, x);
// @ts-expect-error hasAux needs a function that returns two things
jvp(np.sin, [x], [x], { hasAux: true });

// ---------------------------------------------------------------------------------------------------------------------
// Jacobians
// ---------------------------------------------------------------------------------------------------------------------

expectTypeOf(jacfwd(np.sin)(x)).toEqualTypeOf<NDArray>();
const g = (a: { u: NDArray; v: NDArray }, b: NDArray) => ({ one: np.sum(a.u), two: [b] as [NDArray] });
expectTypeOf(jacrev(g)({ u: x, v: x }, x)).toEqualTypeOf<{
  one: { u: NDArray; v: NDArray };
  two: [{ u: NDArray; v: NDArray }];
}>();
expectTypeOf(jacfwd(g, { argnums: [1, 0] })({ u: x, v: x }, x).one).toEqualTypeOf<
  [NDArray, { u: NDArray; v: NDArray }]
>();
expectTypeOf(jacfwd((a: NDArray) => [a, { b: a }], { hasAux: true })(x)).toEqualTypeOf<
  [NDArray, { b: NDArray }]
>();
expectTypeOf(hessian((a: { u: NDArray; v: NDArray }) => np.sum(a.u))({ u: x, v: x })).toEqualTypeOf<{
  u: { u: NDArray; v: NDArray };
  v: { u: NDArray; v: NDArray };
}>();
expectTypeOf(hessian(np.sum)(x)).toEqualTypeOf<NDArray>();
// @ts-expect-error there is no argument 2
jacrev(g, { argnums: 2 });

// ---------------------------------------------------------------------------------------------------------------------
// vmap and jit keep the signature
// ---------------------------------------------------------------------------------------------------------------------

expectTypeOf(vmap(loss)).toEqualTypeOf<(p: Params, input: NDArray, label?: NDArray) => NDArray>();
expectTypeOf(jit(loss)).parameters.toEqualTypeOf<[p: Params, input: NDArray, label?: NDArray]>();
expectTypeOf(jit(loss)).returns.toEqualTypeOf<NDArray>();
expectTypeOf(jit(f)).toExtend<(p: { w: NDArray; n: null }, s: number) => Out>();
expectTypeOf(jit(f)).returns.toEqualTypeOf<Out>();
expectTypeOf(grad(jit(loss))).toEqualTypeOf<(p: Params, input: NDArray, label?: NDArray) => Params>();
expectTypeOf(vmap(jit(loss))).toEqualTypeOf<(p: Params, input: NDArray, label?: NDArray) => NDArray>();
expectTypeOf(jit(jit(f))).returns.toEqualTypeOf<Out>();
expectTypeOf(vmap(grad(loss), { inAxes: [null, 0] })(params, x)).toEqualTypeOf<Params>();
expectTypeOf(jit((m: Model) => m)(model)).toEqualTypeOf<Model>();
expectTypeOf(jit((a: NDArray) => [a, 2, null])(x)).toEqualTypeOf<[NDArray, NDArray, null]>();
vmap(f, { inAxes: [{ w: 0, n: null }, null], outAxes: { y: 0, list: [1, 0] } });
vmap(f, { inAxes: [0, null], outAxes: { y: -1, list: 0 } });
vmap(f, { inAxes: null, axisSize: 3 });
vmap(loss, { inAxes: [{ layers: 0, pair: [0, { deep: 1 }], frozen: null, scale: null }, 0] });
jit(mixed, { staticArgnums: [1, 2] });
jit(mixed, { staticArgnums: -1 });

// @ts-expect-error an axis is a number or null
vmap(f, { inAxes: "0" });
// @ts-expect-error one entry for each argument
vmap(f, { inAxes: [0] });
// @ts-expect-error not more of them
vmap(f, { inAxes: [0, 0, 0] });
// @ts-expect-error a part of the tree is missing
vmap(f, { inAxes: [{ n: null }, 0] });
// @ts-expect-error there is no such part
vmap(f, { inAxes: [{ w: 0, n: null, m: 0 }, 0] });
// @ts-expect-error an array has no parts
vmap(f, { inAxes: [{ w: { deep: 0 }, n: null }, 0] });
// @ts-expect-error the result has other parts
vmap(f, { outAxes: { z: 0 } });
// @ts-expect-error there is no such option
vmap(f, { axes: 0 });
// @ts-expect-error the arguments are those of the function
vmap(loss)(x, x);
// @ts-expect-error there is no argument 3
jit(mixed, { staticArgnums: 3 });
// @ts-expect-error there is no such option
jit(mixed, { static: 0 });
// @ts-expect-error the arguments are those of the function
jit(loss)(params, "x");

// Lowering takes the arguments, or types in their place; what it compiles has the signature of the function.
const lowered = jit(f).lower({ w: new ShapeDtype([2]), n: null }, 1);
expectTypeOf(lowered.compile()).toEqualTypeOf<(p: { w: NDArray; n: null }, s: number) => Out>();
expectTypeOf(lowered.jaxpr).toEqualTypeOf<ClosedJaxpr>();
expectTypeOf(lowered.costAnalysis().operations).toEqualTypeOf<number>();
jit(loss).lower(params, new ShapeDtype([2]));
jit(mixed, { staticArgnums: [1, 2] }).lower(new ShapeDtype([2]), 2, { k: x, name: "a" });
// @ts-expect-error an array is missing
jit(loss).lower(params);
// @ts-expect-error a part of the tree is missing
jit(f).lower({ w: x }, 1);
// @ts-expect-error what is compiled takes arrays, not types
lowered.compile()({ w: new ShapeDtype([2]), n: null }, 1);

// ---------------------------------------------------------------------------------------------------------------------
// Programs, pipes, the rest
// ---------------------------------------------------------------------------------------------------------------------

expectTypeOf(makeJaxpr(loss)(params, new ShapeDtype([2]))).toEqualTypeOf<ClosedJaxpr>();
expectTypeOf(evalShape(f, { w: new ShapeDtype([2]), n: null }, 1)).toEqualTypeOf<{
  y: ShapeDtype;
  list: [ShapeDtype, ShapeDtype];
}>();
// @ts-expect-error a shape stands for an array, not for a text
makeJaxpr((_: string) => x)(new ShapeDtype([2]));
expectTypeOf(stopGradient({ a: x, n: 1, s: "text" })).toEqualTypeOf<{ a: NDArray; n: NDArray; s: string }>();

expectTypeOf(pipe(x, np.sin, np.sum)).toEqualTypeOf<NDArray>();
expectTypeOf(pipe(loss, grad, jit)).parameters.toEqualTypeOf<[p: Params, input: NDArray, label?: NDArray]>();
expectTypeOf(pipe(loss, grad, jit)).returns.toEqualTypeOf<Params>();
expectTypeOf(pipe((a: NDArray) => np.sum(a), hessian, jit)).toExtend<(a: NDArray) => NDArray>();
expectTypeOf(pipe(loss, valueAndGrad)(params, x)).toEqualTypeOf<[NDArray, Params]>();
expectTypeOf(pipe((a: NDArray) => np.square(a), vmap, jit)(x)).toEqualTypeOf<NDArray>();
expectTypeOf(flow(np.sin, np.square, nn.relu)(x)).toEqualTypeOf<NDArray>();
expectTypeOf(grad(flow(np.sin, np.sum))).returns.toEqualTypeOf<NDArray>();
// @ts-expect-error a gradient is not an array of the library but a tree
pipe(params, grad(loss), np.sum);
