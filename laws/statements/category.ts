/** The chain rule: derivatives compose as functions do, which makes differentiable maps a category with products. */
import { diff } from "fluxion/fp";
import type { Pair } from "../cases.js";
import { close } from "../close.js";
import { type ArrayFunction, every, type Law, law, type Verdict } from "../law.js";
import { type Arrays, pull, push } from "../modes.js";
import { generator, type Point, type SmoothPoint } from "../point.js";
import { withTolerance } from "../precision.js";
import { smoothFunction, typesOf } from "../smooth.js";
import { largestOf, onSmooth } from "../vectors.js";

const chain = "Spivak, Calculus on Manifolds, thm 2-2";
const elliott = "Elliott, The simple essence of automatic differentiation, ICFP 2018";

const after =
  (g: ArrayFunction, f: ArrayFunction): ArrayFunction =>
  (...xs) =>
    g(...f(...xs));

/** Tries a law with the tolerance of what the functions compute. */
const onPair =
  (check: (pair: Pair, tolerance: number) => Verdict) =>
  (pair: Pair): Verdict => {
    const { f, g, xs, u } = pair;
    return withTolerance(after(g, f), xs, [...xs, ...u], (tolerance) => check(pair, tolerance));
  };

export const chainRuleForward = law<Pair>({
  name: "chain rule, forward",
  subject: "pair",
  statement: "D(g∘f)(x)·v = Dg(f x)·(Df(x)·v)",
  source: chain,
  check: onPair(({ f, g, xs, v }, tolerance) => {
    const dv = push(f, xs, v);
    const right = push(g, f(...xs), dv);
    return close(push(after(g, f), xs, v), right, {
      tolerance,
      names: ["D(g∘f)(x)·v", "Dg(f x)·(Df(x)·v)"],
      scale: Math.max(1, largestOf(dv)),
    });
  }),
});

export const chainRuleReverse = law<Pair>({
  name: "chain rule, reverse",
  subject: "pair",
  statement: "(g∘f)* u = f*(g* u)",
  source: chain,
  check: onPair(({ f, g, xs, u }, tolerance) => {
    const gu = pull(g, f(...xs), u);
    return close(pull(after(g, f), xs, u), pull(f, xs, gu), {
      tolerance,
      names: ["(g∘f)* u", "f*(g* u)"],
      scale: Math.max(1, largestOf(gu)),
      label: (i) => `input ${i}`,
    });
  }),
});

export const pairLaws: readonly Law<Pair>[] = [chainRuleForward, chainRuleReverse];

// ---------------------------------------------------------------------------------------------------------------------
// Differentiable maps: laws of values, pushes and pulls at once
// ---------------------------------------------------------------------------------------------------------------------

type Map = diff.Diff<Arrays, Arrays>;

/** A function of arrays as a differentiable map. */
const mapOf = (f: ArrayFunction): Map => diff.fromFunction((xs: Arrays) => f(...xs)) as Map;

/** The same map, linearised once: for maps that are asked at one point only. */
function once<A, B>(map: diff.Diff<A, B>): diff.Diff<A, B> {
  let dual: diff.Dual<A, B> | undefined;
  return (point) => {
    dual ??= map(point);
    return dual;
  };
}

interface Ends {
  readonly tolerance: number;
  readonly v: Arrays;
  readonly u: Arrays;
}

/** Two maps are equal at a point if their values, pushes and pulls are. */
function sameMaps(
  names: readonly [string, string],
  left: diff.Dual<Arrays, Arrays>,
  right: diff.Dual<Arrays, Arrays>,
  { v, u, tolerance }: Ends,
): Verdict {
  const part = (what: string, a: Arrays, b: Arrays): Verdict =>
    close(a, b, { tolerance, names: [`${what} of ${names[0]}`, `${what} of ${names[1]}`] });
  return every(
    () => part("value", left.value, right.value),
    () => part("push", left.push(v), right.push(v)),
    () => part("pull", left.pull(u), right.pull(u)),
  );
}

export const identity = law<Point>({
  name: "identity",
  subject: "function",
  statement: "f ∘ id = f = id ∘ f, for values, pushes and pulls",
  source: elliott,
  check: onSmooth(({ f, xs, v, u, tolerance }) => {
    const map = once(mapOf(f));
    const same = (name: string, composed: Map) => () =>
      sameMaps([name, "f"], composed(xs), whole, { v, u, tolerance });
    const whole = {
      value: f(...xs),
      push: (t: Arrays) => push(f, xs, t),
      pull: (ct: Arrays) => pull(f, xs, ct),
    };
    return every(
      same("f ∘ id", diff.compose(map)(diff.id<Arrays>())),
      same("id ∘ f", diff.compose(mapOf((...ys) => ys))(map)),
    );
  }),
});

/** Two smooth maps that can follow f. */
function followers({ f, xs }: SmoothPoint, seed: number): readonly [ArrayFunction, ArrayFunction] {
  const random = generator(seed ^ 0x85ebca6b);
  const types = typesOf(f(...xs));
  return [smoothFunction(types, types, random), smoothFunction(types, types, random)];
}

export const associativity = law<Point>({
  name: "associativity",
  subject: "function",
  statement: "h ∘ (g ∘ f) = (h ∘ g) ∘ f = the map of x ↦ h(g(f x)), for values, pushes and pulls",
  source: elliott,
  check: onSmooth((part, { seed }) => {
    const { f, xs, v, u, tolerance } = part;
    const [g, h] = followers(part, seed);
    const { compose } = diff;
    const maps = { f: once(mapOf(f)), g: once(mapOf(g)), h: once(mapOf(h)) };
    const left = compose(maps.h)(compose(maps.g)(maps.f))(xs);
    const right = compose(compose(maps.h)(maps.g))(maps.f)(xs);
    const whole = mapOf(after(h, after(g, f)))(xs);
    return every(
      () => sameMaps(["h ∘ (g ∘ f)", "(h ∘ g) ∘ f"], left, right, { v, u, tolerance }),
      () => sameMaps(["h ∘ (g ∘ f)", "x ↦ h(g(f x))"], left, whole, { v, u, tolerance }),
    );
  }),
});

export const products = law<Point>({
  name: "products",
  subject: "function",
  statement: "fst ∘ ⟨f, h⟩ = f, snd ∘ ⟨f, h⟩ = h, ⟨f, h⟩* (u, u) = f*u + h*u, D(f × h)·(v, w) = (Df·v, Dh·w)",
  source: elliott,
  check: onSmooth((part, { seed }) => {
    const { f, xs, v, w, u, tolerance } = part;
    const h = smoothFunction(typesOf(xs), typesOf(f(...xs)), generator(seed ^ 0xc2b2ae35));
    const [first, second] = [once(mapOf(f)), once(mapOf(h))];
    const fan = once(diff.fanout(first, second));
    const ends = { v, u, tolerance };
    const direct = (g: ArrayFunction): diff.Dual<Arrays, Arrays> => ({
      value: g(...xs),
      push: (t) => push(g, xs, t),
      pull: (ct) => pull(g, xs, ct),
    });
    return every(
      () =>
        sameMaps(["fst ∘ ⟨f, h⟩", "f"], diff.compose(diff.fst<Arrays, Arrays>())(fan)(xs), direct(f), ends),
      () =>
        sameMaps(["snd ∘ ⟨f, h⟩", "h"], diff.compose(diff.snd<Arrays, Arrays>())(fan)(xs), direct(h), ends),
      () => {
        // One function of all outputs, whose backward pass adds up what comes from the two halves by itself.
        const together = pull((...zs) => [...f(...zs), ...h(...zs)], xs, [...u, ...u]);
        return close(together, fan(xs).pull([u, u]), {
          tolerance,
          names: ["⟨f, h⟩* (u, u)", "f*u + h*u"],
          scale: Math.max(1, largestOf(first(xs).pull(u))),
          label: (i) => `input ${i}`,
        });
      },
      () => {
        const [left, right] = diff.product(first, second)([xs, xs]).push([v, w]);
        const n = xs.length;
        const both: ArrayFunction = (...zs) => [...f(...zs.slice(0, n)), ...h(...zs.slice(n))];
        return close(push(both, [...xs, ...xs], [...v, ...w]), [...left, ...right], {
          tolerance,
          names: ["D(f × h)·(v, w)", "(Df·v, Dh·w)"],
        });
      },
    );
  }),
});

export const functionLaws: readonly Law<Point>[] = [identity, associativity, products];
