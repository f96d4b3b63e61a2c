/** WGSL as text: names, constants, and what a reader sees. */
import { expect, test } from "vitest";
import { printWgsl } from "../../../src/backends/webgpu/wgsl.js";
import { Constants } from "../../../src/backends/webgpu/wgslConstants.js";
import { Names } from "../../../src/backends/webgpu/wgslNames.js";
import {
  add,
  constant,
  div,
  get,
  letIn,
  load,
  lt,
  max,
  mul,
  store,
  sub,
  when,
} from "../../../src/core/ir/ops.js";
import { Buffer, type Kernel, Local, type Stmt } from "../../../src/core/ir/types.js";

function gridKernel(
  buffers: readonly Buffer[],
  groups: number,
  body: (item: Local) => readonly Stmt[],
): Kernel {
  const [group, thread] = [new Local("group", "i32"), new Local("thread", "i32")];
  const item = new Local("item", "i32");
  return {
    name: "test",
    launch: { kind: "grid", groups, threads: 64, group, thread },
    buffers,
    scratch: [],
    body: [letIn(item, add(mul(get(group), 64), get(thread))), ...body(item)],
  };
}

test("a kernel is text that one can read", () => {
  const x = new Buffer("x", "float32", 100);
  const y = new Buffer("y", "float32", 100);
  const kernel = gridKernel([x, y], 2, (item) => [
    when(lt(get(item), 100), [store(y, get(item), sub(mul(max(load(x, get(item)), 0), 0.1), 1))]),
  ]);
  expect(printWgsl(kernel)).toEqual({
    workgroups: [2, 1],
    written: [false, true],
    counted: false,
    code: `@group(0) @binding(0) var<storage, read> x: array<f32, 100>;
@group(0) @binding(1) var<storage, read_write> y: array<f32, 100>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let group = i32(workgroup.x);
  let thread = i32(invocation);
  let unknown = workgroup.z; // always 0
  let zero = bitcast<f32>(unknown | 0x00000000u);
  let item = group * 64 + thread;
  if (item < 100) {
    let t = x[item];
    y[item] = select(t, zero, t <= 0.0f) * 0.1f - 1.0f;
  }
}
`,
  });
});

test("many workgroups lie in two dimensions, and those beyond the last do nothing", () => {
  const y = new Buffer("y", "int32", 1);
  const { code, workgroups } = printWgsl(gridKernel([y], 100_001, (item) => [store(y, 0, get(item))]));
  expect(workgroups).toEqual([50_001, 2]);
  expect(code).toContain("let group = i32(workgroup.x + workgroup.y * 50001u);");
  expect(code).toContain("if (group >= 100001) { return; }");
});

test("names are made into identifiers that nothing else has", () => {
  const names = new Names();
  const of = (name: string): string => names.of(new Local(name, "i32"));
  expect(["x", "x", "x"].map(of)).toEqual(["x", "x_1", "x_2"]);
  expect(["min", "loop", "f32", "zero", "self"].map(of)).toEqual([
    "min_1",
    "loop_1",
    "f32_1",
    "zero_1",
    "self_1",
  ]);
  expect(["_", "__a", "1st", "a b", "é"].map(of)).toEqual(["v", "a", "v1st", "a_b", "v_1"]);
  const local = new Local("x", "i32");
  expect(names.of(local)).toBe(names.of(local));
});

test("constants are the shortest decimals that are the same number", () => {
  const constants = new Constants(new Names());
  const text = (x: number): string => constants.text(constant("f32", x));
  expect([0.1, 1 / 3, 1e-7, 16777216, 1e30, -2.5].map(text)).toEqual([
    "0.1f",
    "0.33333334f",
    "1e-7f",
    "16777216.0f",
    "1e+30f",
    "-2.5f",
  ]);
  for (const x of [Math.PI, 1.2e-38, 3.4028234663852886e38, 1.17549435e-38, 123456.789].map(Math.fround))
    expect(Math.fround(Number.parseFloat(text(x)))).toBe(x);
});

test("constants that compilers fold wrongly are put together when the shader runs", () => {
  const constants = new Constants(new Names());
  const text = (x: number): string => constants.text(constant("f32", x));
  expect([0, -0, Number.NaN, Infinity, -Infinity, 1e-40].map(text)).toEqual([
    "zero",
    "negative_zero",
    "not_a_number",
    "infinity",
    "negative_infinity",
    "constant",
  ]);
  expect(constants.declarations()[5]).toBe("let constant = bitcast<f32>(unknown | 0x000116c2u); // 1e-40");
});

test("a divisor that is no power of two stays a divisor", () => {
  const x = new Buffer("x", "float32", 64);
  const y = new Buffer("y", "float32", 64);
  const code = (divisor: number): string =>
    printWgsl(gridKernel([x, y], 1, (item) => [store(y, get(item), div(load(x, get(item)), divisor))])).code;
  expect(code(3)).toContain("y[item] = x[item] / constant;");
  expect(code(4)).toContain("y[item] = x[item] / 4.0f;");
});
