/** Expressions that a compiler of shaders simplifies as if numbers were real keep their rounding. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { GpuDevice } from "../../src/backends/webgpu/device.js";
import { add, cast, constant, div, get, letIn, load, mul, store, sub } from "../../src/core/ir/ops.js";
import { Buffer, type Expr, Local, type Stmt } from "../../src/core/ir/types.js";
import { itemKernel, programOf, runOnGpu } from "./kernels.js";
import { openTestDevice } from "./swiftshader.js";

let device: GpuDevice;
beforeAll(async () => {
  device = await openTestDevice();
});
afterAll(() => device.destroy());

const f = Math.fround;
const n = 64;
const xs = Float32Array.from({ length: n }, (_, i) => 0.1 + i * 0.037);
const ys = Float32Array.from({ length: n }, (_, i) => 1e3 * (0.3 + i * 0.011));

type Meaning = (x: number, y: number) => number;

async function expectRounded(
  make: (x: Expr, y: Expr, out: (value: Expr) => Stmt) => Stmt[],
  meaning: Meaning,
) {
  const [x, y, result] = ["x", "y", "result"].map((name) => new Buffer(name, "float32", n));
  // Both are read, whatever the expression is.
  const kernel = itemKernel(n, [x, y, result], (i) =>
    make(load(x, i), load(y, i), (value) => store(result, i, value)),
  );
  const given = new Map([
    [x, xs],
    [y, ys],
  ]);
  const program = programOf([kernel], [result]);
  const [got] = await runOnGpu(
    device,
    program,
    program.inputs.map((b) => given.get(b) as Float32Array),
  );
  expect(got).toEqual(xs.map((_, i) => meaning(xs[i], ys[i])));
}

const cases: [string, (x: Expr, y: Expr) => Expr, Meaning][] = [
  ["(x + 1e4) - 1e4", (x) => sub(add(x, 1e4), 1e4), (x) => f(f(x + 1e4) - 1e4)],
  ["(x - a) - b", (x) => sub(sub(x, 0.46), 1.25e-8), (x) => f(f(x - f(0.46)) - f(1.25e-8))],
  [
    "1e4 - (1e4 - x)",
    (x) => sub(constant("f32", 1e4), sub(constant("f32", 1e4), x)),
    (x) => f(1e4 - f(1e4 - x)),
  ],
  ["(x * a) * b", (x) => mul(mul(x, 1.1), 1.3), (x) => f(f(x * f(1.1)) * f(1.3))],
  ["(x * a) / b", (x) => div(mul(x, 1.1), 1.3), (x) => f(f(x * f(1.1)) / f(1.3))],
  ["(a / x) * b", (x) => mul(div(constant("f32", 1.1), x), 1.3), (x) => f(f(f(1.1) / x) * f(1.3))],
  ["(x - y) + y", (x, y) => add(sub(x, y), y), (x, y) => f(f(x - y) + y)],
  ["y + (x - y)", (x, y) => add(y, sub(x, y)), (x, y) => f(y + f(x - y))],
  ["(x + y) - y", (x, y) => sub(add(x, y), y), (x, y) => f(f(x + y) - y)],
  ["(x * y) / y", (x, y) => div(mul(x, y), y), (x, y) => f(f(x * y) / y)],
  ["(x / y) * y", (x, y) => mul(div(x, y), y), (x, y) => f(f(x / y) * y)],
];

describe("within an expression", () => {
  test.each(cases)("%s", (_, make, meaning) => expectRounded((x, y, out) => [out(make(x, y))], meaning));
});

test("where the inner operation has a name", () =>
  expectRounded(
    (x, y, out) => {
      const rest = new Local("rest", "f32");
      return [letIn(rest, sub(x, y)), out(add(get(rest), y))];
    },
    (x, y) => f(f(x - y) + y),
  ));

test("x·y + x·z is not x·(y + z)", () =>
  expectRounded(
    (x, y, out) => [out(add(mul(x, y), mul(x, sub(y, 3))))],
    (x, y) => f(f(x * y) + f(x * f(y - 3))),
  ));

test("unsigned integers become the nearest floats", async () => {
  const words = Uint32Array.of(3923023539, 4294967295, 4294967167, 16777217, 16777219, 2147483777, 0, 7);
  const [x, y] = [new Buffer("x", "uint32", words.length), new Buffer("y", "float32", words.length)];
  const kernel = itemKernel(words.length, [x, y], (i) => [store(y, i, cast("f32", load(x, i)))]);
  const [got] = await runOnGpu(device, programOf([kernel], [y]), [words]);
  expect(got).toEqual(Float32Array.from(words));
});
