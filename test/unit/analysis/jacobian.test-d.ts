import { jit, type NDArray, vmap } from "fluxion";
import { type JacobianPlan, jacobian, type SparseArray, sparseHessian } from "fluxion/analysis";
import { expectTypeOf } from "vitest";

declare const f: (p: { w: NDArray; b: number }, x: NDArray) => { y: NDArray; z: [NDArray, null] };
declare const withAux: (x: NDArray) => readonly [NDArray, { note: string }];
declare const loss: (p: { w: NDArray }, x: NDArray) => NDArray;
declare const p: { w: NDArray; b: number };
declare const x: NDArray;

expectTypeOf(jacobian(f)(p, x).y).toEqualTypeOf<{ w: NDArray; b: NDArray }>();
expectTypeOf(jacobian(f, { argnums: 1 })(p, x).z).toEqualTypeOf<[NDArray, null]>();
expectTypeOf(jacobian(f, { sparse: true })(p, x).y.b).toEqualTypeOf<SparseArray>();
expectTypeOf(jacobian(f, { explain: true })(p, x)[1]).toEqualTypeOf<JacobianPlan>();
expectTypeOf(jacobian(f, { argnums: [0, 1], sparse: true })(p, x).y[1]).toEqualTypeOf<SparseArray>();
expectTypeOf(jacobian(withAux, { hasAux: true })(x)[1]).toEqualTypeOf<{ note: string }>();
expectTypeOf(jacobian(withAux, { hasAux: true, explain: true })(x)[2]).toEqualTypeOf<JacobianPlan>();
expectTypeOf(jit(jacobian(f, { sparse: true }))(p, x).y.w).toEqualTypeOf<SparseArray>();
expectTypeOf(vmap(jacobian(f, { sparse: true }))(p, x).z[0].b).toEqualTypeOf<SparseArray>();
expectTypeOf(sparseHessian(loss)(p, x).w.w).toEqualTypeOf<SparseArray>();
expectTypeOf(sparseHessian(loss, { argnums: [0, 1] })(p, x)[0].w[1]).toEqualTypeOf<SparseArray>();

// @ts-expect-error there is no such mode
jacobian(f, { mode: "backward" });
// @ts-expect-error there is no third argument
jacobian(f, { argnums: 2 });
