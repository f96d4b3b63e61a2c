import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { concreteArray, type NDArray } from "../../src/core/array.js";
import { buildJaxpr } from "../../src/core/build.js";
import { evalJaxpr } from "../../src/core/eval.js";
import { gather, scatterAdd } from "../../src/primitives/gather.js";
import { scatter, scatterMax, scatterMin, scatterMul } from "../../src/primitives/scatter.js";
import { sort, topK } from "../../src/primitives/sort.js";
import { randomBits, randomWords } from "../../src/primitives/random.js";
import { jvpJaxpr } from "../../src/transforms/jvp.js";
import { transposeJaxpr } from "../../src/transforms/transpose.js";
import "../../src/transforms/passes.js";
const cases = JSON.parse(readFileSync("/tmp/idxfuzz/cases.json", "utf8"));
const num = (v: any) => (v === "nan" ? NaN : v === "inf" ? Infinity : v === "-inf" ? -Infinity : v);
const arr = (a: any, d: any = "float64", neg?: boolean[]) =>
  concreteArray(a.data.map((v: any, i: number) => (num(v) === 0 && neg?.[i] ? -0 : num(v))), a.shape, d);
const same = (y: NDArray, w: any, msg: string) => {
  expect(y.shape, msg).toEqual(w.shape);
  const got = [...y.dataSync()];
  w.data.forEach((v: any, i: number) => expect(Object.is(got[i], num(v)) || Math.abs(got[i] - num(v)) < 1e-9, `${msg}\n ${got} vs ${w.data}`).toBe(true));
};
const ops: any = { scatter, scatterAdd, scatterMul, scatterMin, scatterMax };
it("fuzz", () => {
  const counts: any = {};
  for (const c of cases) {
    counts[c.op] = (counts[c.op] ?? 0) + 1;
    const msg = JSON.stringify(c); if (c.idx && c.idx.shape.at(-1) === 0) continue;
    if (c.op === "gather") {
      const x = arr(c.x), idx = arr(c.idx, "int32");
      same(gather(x, idx, c.params), c.y, msg);
      const j = buildJaxpr("g", [x.aval, idx.aval], ([a, b]) => [gather(a, b, c.params)]);
      const t = transposeJaxpr(j, [true, false], [false]);
      same(evalJaxpr(t.jaxpr, [idx, arr(c.ct)])[0], c.xct, msg);
    } else if (ops[c.op]) {
      const x = arr(c.x), idx = arr(c.idx, "int32"), u = arr(c.u);
      same(ops[c.op](x, idx, u, c.params), c.y, msg);
      if (c.t && !(c.op.match(/M[ia]/) && c.params.mode === "clip")) {
        const j = buildJaxpr("g", [x.aval, idx.aval, u.aval], ([a, b, d]) => [ops[c.op](a, b, d, c.params)]);
        const p = jvpJaxpr(j, [true, false, true]);
        same(evalJaxpr(p.jaxpr, [x, idx, u, arr(c.tx), arr(c.tu)])[1], c.t, "jvp " + msg);
      }
    } else if (c.op === "sort") {
      const ys = sort(c.xs.map((x: any, i: number) => arr(x, "float64", c.xneg[i])), c.params);
      ys.forEach((y, i) => {
        same(y, c.ys[i], msg);
        [...y.dataSync()].forEach((v, k) => expect(v !== 0 || Object.is(v, -0) === c.yneg[i][k], "zero " + msg).toBe(true));
      });
    } else if (c.op === "topK") {
      const [v, i] = topK(arr(c.x, "float32", c.xneg), c.k);
      same(v, c.v, msg);
      same(i, c.i, msg);
    } else if (c.op === "bits") {
      const key = concreteArray(c.key, [2], "uint32");
      same(randomBits(key, c.shape, 32), c.b32, msg);
      same(randomBits(key, c.shape, 8), c.b8, msg);
      const [h, l] = randomWords(key, c.shape);
      const lo = l.dataSync();
      expect([...h.dataSync()].map((v, i) => String((BigInt(v) << 32n) | BigInt(lo[i])))).toEqual(c.b64);
    }
  }
  console.log(counts);
});
