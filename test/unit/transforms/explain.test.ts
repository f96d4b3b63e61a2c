/** Why a jitted function was traced as often as it was. */
import { DtypeError, defaultDevice, grad, jit, type NDArray, numpy as np, ShapeDtype, tree } from "fluxion";
import { describe, expect, it } from "vitest";
import { currentDevice, type Device, setCurrentDevice } from "../../../src/core/device.js";
import { f32, f64, i32 } from "../values.js";

type Options = { staticArgnums?: number | number[] };

/** What the last of several calls changed, as text. */
function lastChanges(calls: readonly (readonly unknown[])[], options: Options = {}): string[] {
  const f = jit((...args: unknown[]) => tree.leaves(args[0] as object)[0] as NDArray, options as object);
  for (const args of calls) f(...args);
  const { traces, count } = f.explain();
  expect(count).toBe(calls.length);
  expect(traces.length).toBe(calls.length);
  const { changes } = traces[calls.length - 1];
  return changes.map(({ kind, where, before, now }) => `${kind} ${where}: ${before} -> ${now}`);
}

describe("why a function was traced", () => {
  it("a call like an earlier one is no trace", () => {
    const f = jit((x: NDArray) => np.sin(x));
    expect(f.explain().count).toBe(0);
    expect(String(f.explain())).toMatch(/^jit\(function\) was traced 0 times$/);
    for (let i = 0; i < 3; i++) f(f32([i]));
    const { traces, count } = f.explain();
    expect(count).toBe(1);
    expect(traces).toHaveLength(1);
    expect(traces[0]).toMatchObject({ number: 1, nearest: undefined, changes: [] });
    expect(traces[0].calledAt).toMatch(/explain\.test\.ts.*:\d+:\d+$/);
  });

  it("names the argument and what it was", () => {
    expect(lastChanges([[f32([1, 2])], [f32([1, 2, 3])]])).toEqual([
      "type argument 0: float32[2] -> float32[3]",
    ]);
    expect(lastChanges([[f32(1)], [f64(1)]])).toEqual(["type argument 0: float32[] -> float64[]"]);
    expect(
      lastChanges([[{ a: f32(1), b: [f32(1), i32(1)] }], [{ a: f32(1), b: [f32(1), i32([1])] }]]),
    ).toEqual(["type argument 0.b[1]: int32[] -> int32[1]"]);
    expect(
      lastChanges([
        [f32(1), f32(1)],
        [f32([1]), f64(1)],
      ]),
    ).toEqual(["type argument 0: float32[] -> float32[1]", "type argument 1: float32[] -> float64[]"]);
  });

  it("weak types are told apart from others", () => {
    expect(lastChanges([[f32(1)], [1.5]])).toEqual(["weakType argument 0: float32[] -> float32[] (weak)"]);
    expect(lastChanges([[1.5], [2]])).toEqual(["type argument 0: float32[] (weak) -> int32[] (weak)"]);
  });

  it("trees: what is new, gone or of another kind, by its path", () => {
    const x = f32(1);
    expect(lastChanges([[{ a: x }], [{ a: x, b: x }]])).toEqual(["tree argument 0.b:  -> a leaf"]);
    expect(lastChanges([[{ a: x, b: [x] }], [{ a: x }]])).toEqual([
      "tree argument 0.b: an array of 1 entry -> ",
    ]);
    expect(lastChanges([[{ a: x, c: x }], [{ a: [x], c: x }]])).toEqual([
      "tree argument 0.a: a leaf -> an array of 1 entry",
    ]);
    expect(
      lastChanges([
        [x, [x, x]],
        [x, [x, x, x]],
      ]),
    ).toEqual(["tree argument 1: an array of 2 entries -> an array of 3 entries"]);
    expect(lastChanges([[x], [x, x]])).toEqual(["tree the number of arguments: 1 -> 2"]);
    expect(lastChanges([[{ a: x, b: x }], [{ a: x, c: [x, null] }]])).toEqual([
      "tree argument 0.b: a leaf -> ",
      "tree argument 0.c:  -> an array of 2 entries",
    ]);
    class Model {
      constructor(
        readonly w: NDArray,
        readonly mode: string,
      ) {}
    }
    tree.registerDataclass(Model, { data: ["w"], meta: ["mode"] });
    const [change] = lastChanges([[new Model(x, "sin")], [new Model(x, "cos")]]);
    expect(change).toMatch(/^tree argument 0: a Model .*sin.* -> a Model .*cos/);
  });

  it("static arguments, by value or as others of the same text; positions are those of the call", () => {
    const options = { staticArgnums: [1, 2] };
    const x = f32(1);
    expect(
      lastChanges(
        [
          [x, 2, "a", x],
          [x, 3, "a", x],
        ],
        options,
      ),
    ).toEqual(["static static argument 1: 2 -> 3"]);
    expect(
      lastChanges(
        [
          [x, 2, "a", x],
          [x, "2", "b", x],
        ],
        options,
      ),
    ).toEqual(['static static argument 1: 2 -> "2"', 'static static argument 2: "a" -> "b"']);
    expect(
      lastChanges(
        [
          [x, 0, "a", x],
          [x, -0, "a", f64(1)],
        ],
        options,
      ),
    ).toEqual(["type argument 3: float32[] -> float64[]", "static static argument 1: 0 -> -0"]);
    const f = () => 1;
    const g = () => 1;
    expect(
      lastChanges(
        [
          [x, f, "a", x],
          [x, g, "a", x],
        ],
        options,
      ),
    ).toEqual(["static static argument 1: function f -> function g"]);
    expect(
      lastChanges(
        [
          [x, { n: 1 }, "a", x],
          [x, { n: 1 }, "a", x],
        ],
        options,
      ),
    ).toEqual(["static static argument 1: an object of class Object -> another object of class Object"]);
  });

  it("compares with the earlier trace that is most like the call", () => {
    const f = jit((p: { a: NDArray; b: NDArray }) => p.a.add(p.b));
    const at = (n: number, m: number) => ({ a: np.ones([n]), b: np.ones([m]) });
    f(at(1, 1));
    f(at(2, 2));
    f(at(2, 1));
    f(at(3, 3));
    f(at(3, 1));
    f({ ...at(3, 1), a: f32(1) });
    const { traces } = f.explain();
    expect(traces.map((t) => t.nearest)).toEqual([undefined, 1, 2, 3, 4, 5]);
    expect(traces.map((t) => t.changes.length)).toEqual([0, 2, 1, 2, 1, 1]);
    // An argument more is further away than any change of types.
    const g = jit((...xs: NDArray[]) => xs[0]);
    g(f32(1), f32(1), f32(1));
    g(f32(1));
    g(f64([1]), f64([1]), f64([1]));
    expect(g.explain().traces[2].nearest).toBe(1);
  });

  it("arrays of an outer function that it had closed over", () => {
    const shared = { scale: f32(1) };
    const inner = jit((x: NDArray) => x.mul(shared.scale));
    const loss = (s: NDArray) => {
      shared.scale = s.mul(1);
      return inner(f32(2));
    };
    grad(loss)(f32(3));
    grad(loss)(f32(4));
    const { traces, count } = inner.explain();
    expect(count).toBe(2);
    expect(traces[1]).toMatchObject({ number: 2, nearest: 1 });
    expect(traces[1].changes).toEqual([{ kind: "outer", where: "constants", before: "grad(loss)", now: "" }]);
    expect(traces[0].fusion()).toBeUndefined();
    expect(String(inner.explain())).toMatch(
      /2\. unlike trace 1 \(at .*\)\n {3}it had closed over traced arrays of grad\(loss\), which are gone/,
    );
  });

  it("calls that fail to trace are not counted, lowering is", () => {
    let fail = true;
    const f = jit((x: NDArray) => {
      if (fail) throw new RangeError("from the user");
      return x;
    });
    expect(() => f(f32(1))).toThrow(RangeError);
    expect(f.explain().count).toBe(0);
    fail = false;
    f.lower(new ShapeDtype([3]));
    expect(f.explain().count).toBe(1);
  });

  it("remembers the last 256 times", () => {
    const f = jit((x: NDArray, _: number) => x, { staticArgnums: 1 });
    for (let n = 0; n < 300; n++) f(f32(1), n);
    const { traces, count } = f.explain();
    expect(count).toBe(300);
    expect(traces).toHaveLength(256);
    expect(traces[0]).toMatchObject({ number: 45, nearest: undefined });
    expect(traces[255].changes).toMatchObject([{ kind: "static", now: "299" }]);
    expect(String(f.explain())).toMatch(/was traced 300 times\n {2}\(the first 44 are forgotten\)/);
  });
});

describe.runIf(defaultDevice() === "wasm")("the text", () => {
  it("tells of every trace what changed and what is stored between steps, once", () => {
    const f = jit(function centre(x: NDArray) {
      return x.sub(np.mean(x));
    });
    f(np.ones([200, 200]));
    f(np.ones([300, 300]));
    const lines = String(f.explain()).split("\n");
    expect(lines[0]).toBe("jit(centre) was traced 2 times");
    expect(lines.filter((line) => /^\d\..* \(at .*explain\.test\.ts.*\)$/.test(line))).toHaveLength(2);
    expect(lines).toContain("   argument 0: float32[200,200] became float32[300,300]");
    expect(lines.filter((line) => line.includes("is a reduction, which is computed once"))).toHaveLength(1);
    expect(lines.at(-1)).toBe("   | as in trace 1");
    const { traces } = f.explain();
    expect(traces[1].fusion()?.boundaries).toMatchObject([{ from: 0, to: 1, bytes: 4 }]);
  });

  it("says where a program cannot be compiled", () => {
    const f = jit((x: NDArray) => np.sin(x));
    f(f32([1]));
    const device = currentDevice() as Device;
    const refuse = (): never => {
      throw new DtypeError("this device has no sines");
    };
    setCurrentDevice({ ...device, lower: refuse });
    try {
      expect(String(f.explain())).toMatch(/\n {3}\| it cannot be compiled: this device has no sines/);
      expect(f.explain().traces[0].fusion).toThrow(DtypeError);
    } finally {
      setCurrentDevice(device);
    }
  });
});
