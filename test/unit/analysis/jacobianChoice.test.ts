import { jacfwd, jaxprCost, makeJaxpr, type NDArray, tree } from "fluxion";
import { jacobian } from "fluxion/analysis";
import { describe, expect, it } from "vitest";
import { functions, type JacobianFunction } from "../../bench/jacobianFunctions.js";

const modes = ["forward", "reverse", "compressedForward", "compressedReverse"] as const;
type Mode = (typeof modes)[number] | "auto";

const operations = ({ f, x }: JacobianFunction, mode: Mode): number =>
  jaxprCost(makeJaxpr(jacobian(f, { mode }) as (x: object) => NDArray)(x).jaxpr).operations;

describe("jacobian's choice", () => {
  it("has functions of all shapes to choose for", () => {
    expect(functions.length).toBeGreaterThanOrEqual(30);
    expect(new Set(functions.map(({ name }) => name)).size).toBe(functions.length);
  });

  it.each(functions.map((example) => [example.name, example] as const))(
    "counted operations of %s: at most 1.2 times those of the best single mode",
    (_, example) => {
      const best = Math.min(...modes.map((mode) => operations(example, mode)));
      expect(operations(example, "auto")).toBeLessThanOrEqual(1.2 * best);
    },
  );

  it.each(functions.map((example) => [example.name, example] as const))(
    "%s: the values of jacfwd, in arrays of its types",
    (_, { f, x }) => {
      const auto = (jacobian(f) as (x: object) => object)(x);
      const plain = (jacfwd(f) as (x: object) => object)(x);
      const arrays = (tree.leaves(plain) as NDArray[]).map((a) => Array.from(a.dataSync()));
      const largest = arrays.reduce((m, values) => values.reduce((n, v) => Math.max(n, Math.abs(v)), m), 1);
      expect(tree.structure(auto).key).toBe(tree.structure(plain).key);
      const others = tree.leaves(auto) as NDArray[];
      for (const [k, expected] of (tree.leaves(plain) as NDArray[]).entries()) {
        const found = others[k]!;
        expect([found.dtype, found.shape]).toEqual([expected.dtype, expected.shape]);
        const values = found.dataSync();
        // A matcher for each of a million elements would take longer than all else.
        const wrong = arrays[k]!.findIndex((v, e) => !(Math.abs(v - values[e]!) <= 1e-5 * largest));
        expect(wrong, `of leaf ${k}, the first element that differs`).toBe(-1);
      }
    },
  );
});
