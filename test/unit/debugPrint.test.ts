/** `debug.print` and `debug.callback`: formats, arguments, and what is refused. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  ArgumentError,
  bind,
  ConcreteArray,
  debug,
  equalJaxprs,
  evalJaxpr,
  grad,
  type Jaxpr,
  JaxprParseError,
  jit,
  jvpJaxpr,
  makeJaxpr,
  type NDArray,
  numpy as np,
  parseJaxpr,
  printJaxpr,
  ShapeDtype,
  ShapeError,
  tree,
  vmap,
} from "fluxion";
import { isRight } from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";
import { expectRoundTrip, lines } from "./effectTools.js";

const f32 = new ShapeDtype([]);
const three = np.array(3, "float32");

const told = (x: NDArray): NDArray => {
  debug.print("{}", x);
  return x;
};

describe("debug.print", () => {
  const printedBy = (format: string, ...args: unknown[]): string => {
    debug.print(format, ...args);
    const [line, ...more] = lines();
    expect(more).toEqual([]);
    jit(() => {
      debug.print(format, ...args);
      return np.zeros([]);
    })();
    expect(lines()).toEqual([line]);
    return line;
  };

  it("fills placeholders as str.format does", () => {
    const x = np.array([1.5, -2]);
    expect(printedBy("")).toBe("");
    expect(printedBy("{} and {}", x, three)).toBe("[1.5, -2] and 3");
    expect(printedBy("{1} and {0} and {1}", x, three)).toBe("3 and [1.5, -2] and 3");
    expect(printedBy("{a}, {b}, {a}", { a: x, b: three })).toBe("[1.5, -2], 3, [1.5, -2]");
    expect(printedBy("{}: {name}", "x", { name: x })).toBe("x: [1.5, -2]");
    expect(printedBy("{{}} {{{}}} }}{{ 100%d", 7)).toBe("{} {7} }{ 100%d");
    expect(printedBy("{größe}", { größe: 1 })).toBe("1");
  });

  it("prints arrays by their elements, and trees", () => {
    expect(
      printedBy(
        "m =\n{}",
        np.array([
          [1, 2],
          [3, 4],
        ]),
      ),
    ).toBe("m =\n[[1, 2],\n [3, 4]]");
    expect(printedBy("{}", np.array([true, false]))).toBe("[true, false]");
    expect(printedBy("{}", np.array([Number.NaN, Number.POSITIVE_INFINITY]))).toBe("[nan, inf]");
    expect(printedBy("{}", np.zeros([0]))).toBe("[]");
    expect(printedBy("{}", np.arange(2000))).toBe("[0, 1, 2, ..., 1997, 1998, 1999]");
    expect(printedBy("{}", { w: [three, 0.1, "t"], b: null, e: {}, l: [] })).toBe(
      '{ b: null, e: {}, l: [], w: [3, 0.1, "t"] }',
    );
    expect(printedBy("{} {} {} {}", 0.1, -0, true, undefined)).toBe("0.1 -0 true undefined");
    class Pair {
      constructor(
        readonly left: NDArray,
        readonly right: NDArray,
      ) {}
    }
    tree.registerDataclass(Pair, { data: ["left", "right"] });
    expect(printedBy("{}", new Pair(three, np.array([1])))).toBe("Pair { left: 3, right: [1] }");
  });

  it("prints trees of traced arrays", () => {
    grad((p: { w: NDArray; b: NDArray }) => {
      debug.print("p = {}, again {}", p, p.w);
      return np.sum(p.w.mul(p.b));
    })({ w: np.array([1, 2]), b: three });
    expect(lines()).toEqual(["p = { b: 3, w: [1, 2] }, again [1, 2]"]);
  });

  it("stands in the jaxpr as data", () => {
    const { jaxpr } = makeJaxpr((x: NDArray) => {
      debug.print("x = {}, twice {p}", x, { p: [x, 2] });
      return x;
    })(f32);
    expect(String(jaxpr)).toBe(`\
{ lambda ; a:f32[]. let
    () = debugCallback[format=["x = ",0,", twice [",0,", 2]"] levels=[]] a
  in (a,) }`);
  });

  it.each<[string, unknown[], string]>([
    ["{}", [], "refers to argument 0, counted from 0, but 0 were given"],
    ["{} {}", [1], "refers to argument 1, counted from 0, but 1 were given"],
    ["{2}", [1, 2], "refers to argument 2, counted from 0, but 2 were given"],
    ["{}", [1, 2], "has no place for argument 1, counted from 0"],
    ["{1}", [1, 2], "has no place for argument 0, counted from 0"],
    ["nothing", [{ x: 1 }], "has no place for argument 0, counted from 0"],
    ["{x}", [], "names x, so the last argument must be a record of named ones"],
    ["{x}", [np.zeros([2])], "names x, so the last argument must be a record of named ones"],
    ["{x}", [{ y: 1 }], "names x, but the named arguments are y"],
    ["{toString}", [{}], "names toString, but the named arguments are none"],
    ["{x}", [{ x: 1, y: 1 }], "has no place for the named argument y"],
    ["{} {0}", [1], 'mixes "{}" with numbered placeholders'],
    ["{:.2f}", [1], 'has the placeholder "{:.2f}", which is none of'],
    ["{x.y}", [{ x: 1 }], 'has the placeholder "{x.y}", which is none of'],
    ["{", [], 'has a single "{"; "{{" stands for one'],
    ["a } b", [], 'has a single "}"; "}}" stands for one'],
  ])("refuses %j with arguments %j", (format, args, message) => {
    expect(() => debug.print(format, ...args)).toThrow(ArgumentError);
    expect(() => debug.print(format, ...args)).toThrow(
      `debug.print: the format ${JSON.stringify(format)} ${message}`,
    );
    expect(lines()).toEqual([]);
  });

  it("refuses a format that is no text, and a tree that contains itself", () => {
    expect(() => debug.print(three as unknown as string)).toThrow(ArgumentError);
    expect(() => debug.print(null as unknown as string)).toThrow("takes a format string first, got null");
    const loop: unknown[] = [];
    loop.push(loop);
    expect(() => debug.print("{}", loop)).toThrow(ArgumentError);
  });
});

describe("debug.callback", () => {
  it("gets concrete arrays in the trees they came in", () => {
    const seen: unknown[] = [];
    const note = (p: { w: NDArray }, n: NDArray): unknown => {
      expect(p.w).toBeInstanceOf(ConcreteArray);
      return seen.push([p.w.tolist(), n.item()]);
    };
    const f = (w: NDArray): NDArray => {
      debug.callback(note, { w }, 7);
      return np.sum(w.mul(w));
    };
    f(np.array([1, 2]));
    grad(jit(f))(np.array([3, 4]));
    vmap(f)(np.array([[5], [6]]));
    expect(seen).toEqual([
      [[1, 2], 7],
      [[3, 4], 7],
      [[5], 7],
      [[6], 7],
    ]);
  });

  it("may use the library, transforms included, and is no part of the program that runs it", () => {
    const seen: unknown[] = [];
    const f = jit((x: NDArray) => {
      debug.callback((y: NDArray) => {
        debug.print("in the callback: {}", y);
        seen.push(grad(jit((z: NDArray) => z.mul(z).mul(z)))(y).item());
      }, x);
      return x.mul(x);
    });
    expect(grad(f)(three).item()).toBe(6);
    expect(seen).toEqual([27]);
    expect(lines()).toEqual(["in the callback: 3"]);
  });

  it("lets what it throws through", () => {
    const f = jit((x: NDArray) => {
      debug.callback(() => {
        throw new RangeError("stop");
      }, x);
      return x;
    });
    expect(() => f(three)).toThrow(new RangeError("stop"));
    expect(makeJaxpr(f)(f32).outAvals).toHaveLength(1);
  });

  it("has the same key in programs that are the same", () => {
    const note = (): void => {};
    const f = (x: NDArray): NDArray => {
      debug.callback(note, x, [x]);
      return x;
    };
    const [a, b] = [makeJaxpr(f)(f32).jaxpr, makeJaxpr(f)(f32).jaxpr];
    expect(equalJaxprs(a, b)).toBe(true);
    const other = makeJaxpr((x: NDArray) => {
      debug.callback(() => {}, x, [x]);
      return x;
    })(f32).jaxpr;
    expect(equalJaxprs(a, other)).toBe(false);
  });

  it("can be read back from a text, and called from there", () => {
    const seen: unknown[] = [];
    const { jaxpr } = makeJaxpr(
      vmap((x: NDArray) => {
        debug.callback((y: NDArray) => seen.push(y.item()), x);
        return x.mul(2);
      }),
    )(new ShapeDtype([2]));
    expectRoundTrip(jaxpr);
    const parsed = parseJaxpr(printJaxpr(jaxpr));
    if (!isRight(parsed)) throw parsed.left;
    evalJaxpr(parsed.right.jaxpr, np.array([4, 5]));
    expect(seen).toEqual([4, 5]);
  });

  it("refuses what is no function, and arguments that are no arrays", () => {
    const call = debug.callback as (...args: unknown[]) => void;
    for (const f of [undefined, null, "console.log", three])
      expect(() => call(f, three)).toThrow(ArgumentError);
    expect(() => call(undefined)).toThrow("debug.callback takes a function, got undefined");
    expect(() => call(() => {}, three, { a: "text" })).toThrow(
      "the arguments of debug.callback at [1].a is a string; arrays, numbers and booleans can be traced",
    );
  });

  it("a text that names what is not there is a parse error with a place", () => {
    const parse = (eqn: string) => parseJaxpr(`{ lambda ; a:f32[2]. let\n    ${eqn}\n  in (a,) }`);
    for (const [eqn, message] of [
      [
        "() = debugCallback[callback=123456789 levels=[]] a",
        "no callback is registered under the key 123456789",
      ],
      ["() = debugCallback[callback=-1.5 levels=[]] a", "no callback is registered under the key -1.5"],
      ["() = debugCallback[levels=[]] a", "either a callback, by its key, or a format"],
      [
        '() = debugCallback[callback=0 format=["",0] levels=[]] a',
        "either a callback, by its key, or a format",
      ],
      ["() = debugCallback[format=[1] levels=[]] a", "positions of the 1 operands, got [1]"],
      ['() = debugCallback[format=["x"] levels=[]] a', 'operand 0 stands nowhere in the format ["x"]'],
      ["() = debugCallback[format=[0]] a", "the param levels must be"],
      ["() = debugCallback[format=[0] levels=[{batched=[true] size=3}]] a", "axes of lengths [3]"],
      ["b:f32[] = debugCallback[format=[0] levels=[]] a", "gives nothing"],
    ]) {
      const parsed = parse(eqn);
      if (isRight(parsed)) throw new Error(`accepted ${eqn}`);
      expect(parsed.left).toBeInstanceOf(JaxprParseError);
      expect(parsed.left.message).toContain(message);
      expect(parsed.left.line).toBe(2);
    }
  });

  it("operands that do not fit are typed errors", () => {
    let eqn = makeJaxpr((x: NDArray) => {
      debug.callback(() => {}, x);
      return x;
    })(f32).jaxpr.eqns[0];
    expect(() => bind(eqn.primitive, [three, three], eqn.params)).toThrow(ArgumentError);
    expect(() => bind(eqn.primitive, [three, three], eqn.params)).toThrow(/takes 1 operands, got/);
    eqn = makeJaxpr(vmap(told))(new ShapeDtype([2])).jaxpr.eqns[0];
    expect(() => bind(eqn.primitive, [three], eqn.params)).toThrow(ShapeError);
  });

  it("is forgotten with the programs that call it, and not before", async () => {
    setFlagsFromString("--expose_gc");
    const collect = runInNewContext("gc") as () => void;
    const settle = async (): Promise<void> => {
      for (let i = 0; i < 3; i++) {
        await new Promise((resolve) => setTimeout(resolve, 0));
        collect();
      }
    };
    const seen: unknown[] = [];
    const record = (): Jaxpr =>
      jvpJaxpr(
        makeJaxpr(
          vmap((x: NDArray) => {
            debug.callback((y: NDArray) => seen.push(y.item()), x);
            return x;
          }),
        )(new ShapeDtype([2])).jaxpr,
        [true],
      ).jaxpr;
    let jaxpr: Jaxpr | undefined = record();
    const text = printJaxpr(jaxpr);
    await settle();
    evalJaxpr(jaxpr, np.array([1, 2]), np.array([0, 0]));
    expect(seen).toEqual([1, 2]);
    jaxpr = undefined;
    await settle();
    const parsed = parseJaxpr(text);
    expect(isRight(parsed)).toBe(false);
  });
});
