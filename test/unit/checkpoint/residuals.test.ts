/** savedResiduals says what reverse mode stores, where it was computed, and how large it is. */
import {
  ArgumentError,
  checkpoint,
  checkpointName,
  grad,
  jit,
  lax,
  linearize,
  type NDArray,
  numpy as np,
  SavedResiduals,
  ShapeDtype,
  savedResiduals,
  vmap,
} from "fluxion";
import { describe, expect, it } from "vitest";
import { wave } from "./tools.js";

const list = (saved: SavedResiduals) =>
  saved.residuals.map(({ what, shape }) => `${what} [${shape.join(",")}]`);
const f32 = (...shape: number[]) => new ShapeDtype(shape);

/** The line, in this file, after that on which this is called. */
function nextLine(): string {
  const frame = (new Error().stack ?? "").split("\n")[2];
  return String(Number(/residuals\.test\.ts:(\d+)/.exec(frame)?.[1]) + 1);
}

describe("lists", () => {
  it("arguments by position and path, constants, and outputs of operations", () => {
    const c = wave([3], "float32");
    const f = ({ w, b }: { w: NDArray; b: NDArray[] }, x: NDArray) => x.mul(w).mul(c).add(b[1]).sin();
    const saved = savedResiduals(f, { w: f32(3), b: [f32(2), f32(3)] }, f32(3));
    expect(list(saved).sort()).toEqual([
      "argument 0 at .w [3]",
      "argument 1 [3]",
      "constant [3]",
      "output of cos [3]",
    ]);
    expect(saved.totalBytes).toBe(48);
    expect([...saved].every(({ dtype, bytes }) => dtype === "float32" && bytes === 12)).toBe(true);
  });

  it("nothing for what is linear", () => {
    expect(list(savedResiduals((x: NDArray) => x.mul(2).sum(), f32(3)))).toEqual([]);
  });

  it("computed values first, the largest first", () => {
    const f = (x: NDArray) => np.sin(np.sin(x).sum()).mul(x.sum());
    expect(list(savedResiduals(f, f32(5)))).toEqual([
      "output of cos [5]",
      "output of sin []",
      "output of cos []",
      "output of reduceSum []",
    ]);
  });

  it("the lines of user code, one for each operation", () => {
    let [first, second] = ["", ""];
    const f = (x: NDArray) => {
      first = nextLine();
      const y = np.exp(x);
      second = nextLine();
      return np.exp(y.mul(2));
    };
    const saved = savedResiduals(f, f32(3));
    const lines = saved.residuals.map(
      ({ source }) => /residuals\.test\.ts:(\d+):\d+$/.exec(source ?? "")?.[1],
    );
    expect(lines).toEqual([first, second]);
  });

  it("the right lines where bodies look alike", () => {
    const at: string[] = [];
    const f = (x: NDArray) => {
      at.push(nextLine());
      const y = checkpoint((u: NDArray) => np.exp(u), { policy: () => true })(x);
      at.push(nextLine());
      return checkpoint((u: NDArray) => np.exp(u), { policy: () => true })(y.mul(2));
    };
    const lines = savedResiduals(f, f32(3)).residuals.map(
      ({ source }) => /test\.ts:(\d+)/.exec(source ?? "")?.[1],
    );
    expect(lines.sort()).toEqual(at.sort());
  });

  it("names, and a value under a name once", () => {
    const f = (x: NDArray) => {
      const y = np.exp(x);
      const z = checkpointName(y, "hidden");
      return z.mul(z);
    };
    const saved = savedResiduals(f, f32(3));
    expect(saved.residuals.map(({ what, name }) => [what, name])).toEqual([["output of exp", "hidden"]]);
  });

  it("what numbers and integers leave", () => {
    expect(
      list(
        savedResiduals(
          (x: NDArray | number, n: NDArray) => np.multiply(x, n),
          2.5,
          new ShapeDtype([3], "int32"),
        ),
      ),
    ).toEqual(["output of convertElementType [3]"]);
    expect(list(savedResiduals((x: NDArray | number) => np.sin(x), 2))).toEqual(["output of cos []"]);
  });
});

describe("looks into", () => {
  const inner = (x: NDArray) => np.exp(np.sin(x));
  const plain = list(savedResiduals(inner, f32(3))).sort();

  it("jit, nested", () => {
    expect(list(savedResiduals(jit(inner), f32(3))).sort()).toEqual(plain);
    const nested = jit((y: NDArray) => jit(inner)(y));
    expect(list(savedResiduals((x: NDArray) => nested(x), f32(3))).sort()).toEqual(plain);
  });

  it("checkpoint", () => {
    expect(list(savedResiduals(checkpoint(inner), f32(3)))).toEqual(["argument 0 [3]"]);
    expect(list(savedResiduals(checkpoint(inner, { policy: () => true }), f32(3))).sort()).toEqual(plain);
    expect(list(savedResiduals((x: NDArray) => checkpoint(inner)(np.sin(x)), f32(3)))).toEqual([
      "output of sin [3]",
      "output of cos [3]",
    ]);
  });

  it("vmap and derivatives", () => {
    const batched = plain.map((s) => s.replace("[3]", "[2,3]"));
    expect(list(savedResiduals(vmap(inner), f32(2, 3))).sort()).toEqual(batched);
    expect(
      list(
        savedResiduals(
          grad((x: NDArray) => np.sin(x).sum()),
          f32(3),
        ),
      ),
    ).toContain("output of neg [3]");
  });

  it("scan: stacked values, carries, constants once", () => {
    const f = (w: NDArray, init: NDArray, xs: NDArray) =>
      lax.scan(
        (c: NDArray, x: NDArray) => [np.sin(c).mul(x).mul(w), np.exp(x)] as [NDArray, NDArray],
        init,
        xs,
      )[0];
    const what = list(savedResiduals(f, f32(3), f32(3), f32(5, 3)));
    expect(what).toContain("output of cos in scan [5,3]");
    expect(what).toContain("argument 2 [5,3]");
    expect(what.filter((s) => s === "argument 0 [3]")).toHaveLength(1);
    const g = (init: NDArray) => lax.scan((c: NDArray) => [c.mul(c), null], init, null, { length: 4 })[0];
    expect(list(savedResiduals(g, f32(3)))).toEqual(["carry of scan [4,3]"]);
  });

  it("cond", () => {
    const f = (x: NDArray, p: NDArray) =>
      lax.cond(
        p,
        (y: NDArray) => np.sin(y),
        (y: NDArray) => np.exp(y),
        x,
      );
    const what = list(savedResiduals(f, f32(3), new ShapeDtype([], "bool")));
    expect(what.some((s) => /^output of (cos|exp) in cond \[3\]$/.test(s))).toBe(true);
  });
});

describe("agrees with what reverse mode does", () => {
  it("gives the bytes that a jitted pullback takes", () => {
    // The residuals of linearize are the constants of its linear program.
    const f = (w: NDArray, x: NDArray) => np.tanh(np.tanh(x.matmul(w)).matmul(w)).sum();
    const [w, x] = [wave([4, 4], "float32"), wave([2, 4], "float32")];
    const [, push] = linearize(f, w, x);
    const outside = new Set<NDArray>();
    // Recorded again, the linear program closes over the residuals.
    const { consts } = jitProgram(push);
    for (const c of consts) outside.add(c);
    const bytes = [...outside].reduce((sum, c) => sum + c.size * 4, 0);
    expect(savedResiduals(f, w, x).totalBytes).toBe(bytes);
  });

  const jitProgram = (push: (...t: NDArray[]) => unknown) =>
    jit((a: NDArray, b: NDArray) => push(a, b) as NDArray).lower(f32(4, 4), f32(2, 4)).jaxpr;
});

describe("prints", () => {
  it("as a table with the total", () => {
    const f = (w: NDArray, x: NDArray) => np.sin(checkpointName(np.exp(x.matmul(w)), "h")).sum();
    const text = String(savedResiduals(f, f32(100, 30), f32(20, 100)));
    const shown = text.replaceAll(/\(at [^)]*residuals\.test\.ts:\d+:\d+\)/g, "(at …)");
    expect(shown).toBe(
      [
        " bytes  type             what",
        ' 2 400  float32[20,30]   output of exp "h" (at …)',
        " 2 400  float32[20,30]   output of cos (at …)",
        "12 000  float32[100,30]  argument 0",
        " 8 000  float32[20,100]  argument 1",
        "24 800                   in 4 arrays",
      ].join("\n"),
    );
    expect(String(savedResiduals((x: NDArray) => x, f32(3)))).toBe(
      "bytes  type  what\n    0        in 0 arrays",
    );
  });
});

describe("bad input", () => {
  it("is refused by name", () => {
    expect(() => savedResiduals(3 as never, ...([] as never))).toThrow(
      /savedResiduals takes a function, got number/,
    );
    expect(() => savedResiduals((x: NDArray) => x, "a" as never)).toThrow(ArgumentError);
    expect(new SavedResiduals([]).totalBytes).toBe(0);
  });
});
