/** Laws of compilation: `jit` changes how fast a program is, and nothing else; all devices mean the same. */
import { defaultDevice, devices, grad, jit, jvp, type NDArray, numpy as np, setDefaultDevice } from "fluxion";
import { close } from "../close.js";
import { type ArrayFunction, abstains, every, fails, holds, type Law, law, type Verdict } from "../law.js";
import { type Point, type SmoothPoint, smoothPart } from "../point.js";
import { allowingFor } from "../precision.js";
import { sameTypes } from "./types.js";

const source = "Leroy, Formal verification of a realistic compiler, CACM 2009 (semantic preservation)";
const jaxSource =
  "Frostig, Johnson & Leary, Compiling machine learning programs via high-level tracing, 2018";

type Row = readonly NDArray[];
type Loose = (...xs: NDArray[]) => readonly NDArray[];
const loose = (f: ArrayFunction): Loose => f as Loose;

/** A function of its own, so that nothing that `jit` remembers of `f` is used. */
const fresh = (f: ArrayFunction): Loose => loose((...xs) => f(...xs));

const agree = (
  left: Row,
  right: Row,
  names: readonly [string, string],
  tolerance: number | undefined,
): Verdict =>
  every(
    () => sameTypes(left, right, names),
    () => close(left, right, { names, tolerance }),
  );

const identity = law<Point>({
  name: "jit is the identity on meaning",
  subject: "function",
  statement: "jit f = f",
  source,
  check: ({ f, inputs }) => {
    const [left, right] = [jit(fresh(f))(...inputs), f(...inputs)];
    return allowingFor(f, inputs, (tolerance) => agree(left, right, ["jit f (x)", "f(x)"], tolerance));
  },
});

const idempotent = law<Point>({
  name: "jit is idempotent",
  subject: "function",
  statement: "jit (jit f) = jit f",
  source,
  check: ({ f, inputs }) => {
    const [left, right] = [jit(loose(jit(fresh(f))))(...inputs), jit(fresh(f))(...inputs)];
    return allowingFor(f, inputs, (tolerance) => agree(left, right, ["jit (jit f)", "jit f"], tolerance));
  },
});

/** ⟨u, f⟩: a number. */
const scalarOf =
  ({ f, u }: SmoothPoint): ((...xs: NDArray[]) => NDArray) =>
  (...xs) =>
    f(...xs)
      .map((y, i) => np.sum(np.multiply(u[i], y)))
      .reduce((a, b) => np.add(a, b));

const withGrad = law<Point>({
  name: "jit trades places with grad",
  subject: "function",
  statement: "grad (jit ⟨u, f⟩) = jit (grad ⟨u, f⟩) = grad ⟨u, f⟩",
  source: jaxSource,
  check: (point) => {
    const smooth = smoothPart(point);
    if (smooth === undefined) return abstains("nothing in f is differentiable");
    const value = scalarOf(smooth);
    const argnums = smooth.xs.map((_, i) => i);
    const gradient = (g: (...xs: NDArray[]) => NDArray): Loose =>
      loose((...xs) => grad(g, { argnums })(...(xs as NDArray[])) as unknown as Row);
    const wanted = gradient(value)(...smooth.xs);
    const inside = gradient(jit(value))(...smooth.xs);
    const outside = jit(gradient(value))(...smooth.xs);
    return allowingFor(smooth.f, smooth.xs, (tolerance) =>
      every(
        () => agree(inside, wanted, ["grad (jit ⟨u, f⟩)", "grad ⟨u, f⟩"], tolerance),
        () => agree(outside, wanted, ["jit (grad ⟨u, f⟩)", "grad ⟨u, f⟩"], tolerance),
      ),
    );
  },
});

const withJvp = law<Point>({
  name: "jit trades places with jvp",
  subject: "function",
  statement: "jvp (jit f) = jit (jvp f) = jvp f",
  source: jaxSource,
  check: (point) => {
    const smooth = smoothPart(point);
    if (smooth === undefined) return abstains("nothing in f is differentiable");
    const { f, xs, v } = smooth;
    const n = xs.length;
    const pushed = (g: Loose): Loose =>
      loose((...args) => jvp(g, args.slice(0, n) as NDArray[], args.slice(n) as NDArray[]).flat());
    const wanted = pushed(loose(f))(...xs, ...v);
    const inside = pushed(jit(fresh(f)))(...xs, ...v);
    const outside = jit(pushed(loose(f)))(...xs, ...v);
    return allowingFor(f, xs, (tolerance) =>
      every(
        () => agree(inside, wanted, ["jvp (jit f)", "jvp f"], tolerance),
        () => agree(outside, wanted, ["jit (jvp f)", "jvp f"], tolerance),
      ),
    );
  },
});

/** Runs something on a device; the one before is the default again afterwards. */
export function onDevice<R>(name: "reference" | "wasm", run: () => R): R {
  const before = defaultDevice();
  setDefaultDevice(name);
  try {
    return run();
  } finally {
    setDefaultDevice(before);
  }
}

export const hasDevice = (name: string): boolean => devices().some((d) => d.name === name);

/** The reference runs `evaluate` rules one by one; the other device one compiled program. */
const devicesAgree = law<Point>({
  name: "devices agree",
  subject: "function",
  statement: "⟦f⟧ on wasm = ⟦f⟧ by the evaluate rules",
  source,
  check: ({ f, inputs }) => {
    if (!hasDevice("wasm")) return abstains("this host has no WebAssembly with vectors");
    const reference = onDevice("reference", () => f(...inputs));
    const compiled = onDevice("wasm", () => jit(fresh(f))(...inputs));
    return allowingFor(f, inputs, (tolerance) =>
      agree(compiled, reference, ["f on wasm", "f by the evaluate rules"], tolerance),
    );
  },
});

/** Everything that a device makes of a program, as text. */
const loweredText = (f: ArrayFunction, inputs: Row): string => {
  const lowered = jit(fresh(f)).lower(...(inputs as NDArray[]));
  const steps = lowered.steps.map((step) => (step.kind === "kernel" ? step.source : step.text));
  return [String(lowered.simplified), ...steps].join("\n");
};

const deterministic = law<Point>({
  name: "lowering is deterministic",
  subject: "function",
  statement: "lower(f) = lower(f), word for word",
  source: "Lamb & Zacchiroli, Reproducible Builds, IEEE Software 2022",
  check: ({ f, inputs }) => {
    const [once, again] = [loweredText(f, inputs), loweredText(f, inputs)];
    if (once === again) return holds;
    const lines = again.split("\n");
    const at = once.split("\n").findIndex((line, i) => line !== lines[i]);
    const line = (text: string): string => text.split("\n")[at] ?? "(nothing)";
    return fails(
      { name: "lowered first", value: line(once) },
      { name: "lowered again", value: line(again) },
      `line ${at}`,
    );
  },
});

export const functionLaws: readonly Law<Point>[] = [
  identity,
  idempotent,
  withGrad,
  withJvp,
  devicesAgree,
  deterministic,
];
