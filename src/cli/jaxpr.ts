/** `fluxion jaxpr`. */
import { aval, tangentAval } from "../core/aval.js";
import { map } from "../core/tree.js";
import { jaxprCost } from "../primitives/call.js";
import { jvp } from "../transforms/forward.js";
import { toArray } from "../transforms/functions.js";
import { grad, valueAndGrad } from "../transforms/grad.js";
import { hessian, jacfwd, jacrev } from "../transforms/jacobian.js";
import { jit } from "../transforms/jit.js";
import { vjp } from "../transforms/linearize.js";
import { evalShape, makeJaxpr, ShapeDtype } from "../transforms/makeJaxpr.js";
import type { Fn, ScalarFn } from "../transforms/types.js";
import { vmap } from "../transforms/vmap.js";
import { readCall } from "./call.js";
import type { Command } from "./main.js";
import { UsageError } from "./terminal.js";
import { didYouMean } from "./words.js";

/** A function and the types it is traced for. */
interface Program {
  readonly f: Fn;
  readonly args: readonly unknown[];
}

interface Settings {
  readonly argnums: number | readonly number[] | undefined;
  readonly batch: number;
}

const typeOf = (leaf: unknown): ShapeDtype => {
  if (leaf instanceof ShapeDtype) return leaf;
  const { shape, dtype, weakType } = toArray(leaf, () => "an argument").aval;
  return new ShapeDtype(shape, dtype, { weakType });
};

const onTypes = (tree: unknown, change: (type: ShapeDtype) => ShapeDtype): unknown =>
  map((leaf: unknown) => change(typeOf(leaf)), tree as object);

const tangentOf = ({ shape, dtype, weakType }: ShapeDtype): ShapeDtype => {
  const type = tangentAval(aval(shape, dtype, weakType));
  return new ShapeDtype(type.shape, type.dtype, { weakType: type.weakType });
};

/** A transform of the function that takes the same arguments. */
const sameArguments =
  (transform: (f: Fn, settings: Settings) => Fn) =>
  ({ f, args }: Program, settings: Settings): Program => ({ f: transform(f, settings), args });

/** What a transform gave, under a name that tells what it is: `grad(loss)`. */
const named = (name: string, f: Fn): Fn =>
  Object.defineProperty((...args: unknown[]) => f(...args), "name", { value: name });

const by = ({ argnums }: Settings): { argnums?: never } =>
  argnums === undefined ? {} : { argnums: argnums as never };

const transforms: Readonly<Record<string, (program: Program, settings: Settings) => Program>> = {
  grad: sameArguments((f, settings) => grad(f as ScalarFn, by(settings)) as Fn),
  valueAndGrad: sameArguments((f, settings) => valueAndGrad(f as ScalarFn, by(settings)) as Fn),
  hessian: sameArguments((f, settings) => hessian(f as ScalarFn, by(settings)) as Fn),
  jacfwd: sameArguments((f, settings) => jacfwd(f, by(settings)) as Fn),
  jacrev: sameArguments((f, settings) => jacrev(f, by(settings)) as Fn),
  jit: sameArguments((f) => jit(f) as Fn),
  jvp: ({ f, args }) => ({
    f: (...all) => jvp(f, all.slice(0, args.length), all.slice(args.length) as never),
    args: [...args, ...args.map((arg) => onTypes(arg, tangentOf))],
  }),
  vjp: ({ f, args }) => ({
    f: (...all) => {
      const [value, pullback] = vjp(f, ...all.slice(0, args.length));
      return [value, pullback(all[args.length] as never)];
    },
    args: [...args, onTypes(evalShape(f, ...(args as never[])), tangentOf)],
  }),
  vmap: ({ f, args }, { batch }) => ({
    f: vmap(f) as Fn,
    args: onTypes(args, ({ shape, dtype }) => new ShapeDtype([batch, ...shape], dtype)) as unknown[],
  }),
};

export const run: Command = async (target, flags, terminal) => {
  const names = (flags.transform ?? "")
    .split(",")
    .flatMap((word) => (word.trim() === "" ? [] : [word.trim()]));
  for (const name of names)
    if (!Object.hasOwn(transforms, name))
      throw new UsageError(
        `--transform: there is no ${JSON.stringify(name)}${didYouMean(name, Object.keys(transforms))}; ` +
          `there are ${Object.keys(transforms).join(", ")}`,
      );
  const batch = Number(flags.batch ?? 10);
  if (!Number.isInteger(batch) || batch < 1)
    throw new UsageError(`--batch wants a positive whole number, got ${JSON.stringify(flags.batch)}`);
  const { f, args, argnums } = await readCall(target, flags, terminal);
  let program: Program = { f, args };
  for (const name of names) {
    const label = `${name}(${program.f.name})`;
    const made = transforms[name](program, { argnums, batch });
    program = { f: named(label, made.f), args: made.args };
  }
  const closed = makeJaxpr(program.f)(...(program.args as never[]));
  const { operations, multiplications, transcendentals } = jaxprCost(closed.jaxpr);
  return {
    text: String(closed),
    data: {
      function: f.name,
      transforms: names,
      jaxpr: closed,
      operations,
      multiplications,
      transcendentals,
    },
  };
};
