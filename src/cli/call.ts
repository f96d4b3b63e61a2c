/** From the words of a command line to a function and its arguments. */
import "../numpy/methods.js";
import { mostArguments } from "../analysis/graph/names.js";
import { type DeviceInfo, init } from "../backends/devices.js";
import { scalar } from "../core/array.js";
import type { DeviceName } from "../core/device.js";
import { map } from "../core/tree.js";
import type { Fn } from "../transforms/types.js";
import { parseShapes } from "./shapes.js";
import { loadTarget, type Target } from "./target.js";
import { type Terminal, UsageError } from "./terminal.js";
import { parseValues } from "./values.js";
import { didYouMean } from "./words.js";

/** The options that say which function is called with what; as `parseArgs` gives them. */
export interface CallOptions {
  readonly shapes?: string;
  readonly args?: string;
  readonly argnums?: string;
  readonly static?: readonly string[];
  readonly device?: string;
}

/** A function, with static arguments put in their places, and what it is called with. */
export interface Call {
  /** Takes as many arguments as there are: those that are traced. */
  readonly f: Fn;
  readonly args: readonly unknown[];
  /** Positions among `args`. */
  readonly argnums: number | readonly number[] | undefined;
  readonly device: DeviceInfo;
}

/** Imports the function, reads the arguments and chooses the device. */
export async function readCall(target: string, options: CallOptions, { folder }: Terminal): Promise<Call> {
  if (options.shapes !== undefined && options.args !== undefined)
    throw new UsageError("--shapes and --args both say what the arguments are: give one of them");
  // Mistakes in the command line are told before anything is imported.
  const given =
    options.shapes !== undefined
      ? parseShapes(options.shapes)
      : options.args !== undefined
        ? parseValues(options.args)
        : undefined;
  const statics = readStatics(options.static ?? []);
  const argnums = readArgnums(options.argnums);
  const device = await init({ device: readDevice(options.device) });
  const found = await loadTarget(target, folder);
  const args = withStatics(given ?? examplesOf(found), statics, options.shapes !== undefined);
  requireCount(found, args, given === undefined);
  const fixed = [...statics.keys()];
  const traced = args.flatMap((_, i) => (fixed.includes(i) ? [] : [i]));
  return {
    f: bound(found, args, traced),
    args: traced.map((i) => numbersAsFloats(args[i])),
    argnums: argnums === undefined ? undefined : renumber(argnums, args.length, traced),
    device,
  };
}

function examplesOf({ name, exampleArgs, exampleName }: Target): readonly unknown[] {
  if (exampleArgs !== undefined) return exampleArgs;
  throw new UsageError(
    `what are the arguments of ${name}? Say their shapes with --shapes 784x256,10 or their values with ` +
      `--args '[1, 2]', or let the file export a list ${exampleName}`,
  );
}

const counted = (n: number): string => (n === 1 ? "1 argument" : `${n} arguments`);

function requireCount(found: Target, args: readonly unknown[], areExamples: boolean): void {
  const { f, name, exampleSource, exampleName } = found;
  const most = mostArguments(f);
  if (!areExamples && args.length > most)
    throw new UsageError(`${name} takes ${counted(most)}, and ${args.length} are given`);
  if (args.length >= f.length) return;
  const takes = `${name} takes ${counted(f.length)}`;
  const only = args.length === 0 ? "none is" : args.length === 1 ? "only 1 is" : `only ${args.length} are`;
  throw new UsageError(
    areExamples
      ? `${takes}, and ${only} in ${exampleSource}: say their shapes with --shapes, or let the file export ${exampleName}`
      : `${takes}, and ${only} given`,
  );
}

const deviceNames: readonly DeviceName[] = ["wasm", "webgpu", "reference"];

/** WebAssembly, which is there everywhere, if nothing else is asked for. */
function readDevice(name: string | undefined): DeviceName {
  const asked = name ?? process.env.FLUXION_DEVICE ?? "wasm";
  if (!(deviceNames as readonly string[]).includes(asked))
    throw new UsageError(
      `${name === undefined ? "FLUXION_DEVICE" : "--device"}: there is no ${JSON.stringify(asked)}${didYouMean(asked, deviceNames)}; there are ${deviceNames.join(", ")}`,
    );
  return asked as DeviceName;
}

const notGiven = Symbol("a static argument that is among the others");

/** `2=relu`, `2=[1, 2]`, or `2` where the value is among the arguments. */
function readStatics(texts: readonly string[]): Map<number, unknown> {
  return new Map(
    texts.map((text) => {
      const match = /^(\d+)(?:=([\s\S]*))?$/.exec(text);
      if (match === null)
        throw new UsageError(`--static wants a position, with a value or without: 2=relu or 2, got ${text}`);
      return [Number(match[1]), match[2] === undefined ? notGiven : readStatic(match[2])] as const;
    }),
  );
}

/** JSON, or else a word. */
function readStatic(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * All arguments in order. Static ones with a value are put in between shapes, which no shape can stand for, and in place of
 * values.
 */
function withStatics(
  given: readonly unknown[],
  statics: ReadonlyMap<number, unknown>,
  areShapes: boolean,
): readonly unknown[] {
  const args = given.slice();
  for (const [position, value] of [...statics].sort(([a], [b]) => a - b)) {
    const isInside = position < args.length;
    if (value === notGiven) {
      if (areShapes || !isInside)
        throw new UsageError(`--static ${position}: what is its value? Write --static ${position}=VALUE`);
    } else if (areShapes || position === args.length) {
      if (position > args.length)
        throw new UsageError(`--static ${position}: with it there are only ${args.length + 1} arguments`);
      args.splice(position, 0, value);
    } else if (isInside) args[position] = value;
    else throw new UsageError(`--static ${position}: with it there are only ${args.length + 1} arguments`);
  }
  return args;
}

/** `0` or `0,2`. */
function readArgnums(text: string | undefined): number | readonly number[] | undefined {
  if (text === undefined) return undefined;
  const list = text.split(",").map((word) => (/^\s*-?\d+\s*$/.test(word) ? Number(word) : Number.NaN));
  if (list.some(Number.isNaN))
    throw new UsageError(`--argnums wants positions of arguments, as 0 or 0,2, got ${JSON.stringify(text)}`);
  return list.length === 1 ? list[0] : list;
}

/** Positions among the arguments that are traced. */
function renumber(
  argnums: number | readonly number[],
  count: number,
  traced: readonly number[],
): number | readonly number[] {
  const renumbered = [argnums].flat().map((position) => {
    const at = traced.indexOf(position < 0 ? position + count : position);
    if (position >= count || position < -count)
      throw new UsageError(`--argnums ${position}: there are ${count} arguments, 0 to ${count - 1}`);
    if (at < 0) throw new UsageError(`--argnums ${position}: that argument is static`);
    return at;
  });
  return typeof argnums === "number" ? renumbered[0] : renumbered;
}

/** Bare numbers as float32, for 2 does not say whether it is whole: a whole number is `--static`, or a shape with a dtype. */
const numbersAsFloats = (tree: unknown): unknown =>
  map((leaf: unknown) => (typeof leaf === "number" ? scalar(leaf, "float32") : leaf), tree as object);

/** The function of its traced arguments alone. */
function bound({ f, name }: Target, args: readonly unknown[], traced: readonly number[]): Fn {
  const call = (...values: unknown[]) => {
    const all = args.slice();
    for (const [k, i] of traced.entries()) all[i] = values[k];
    return f(...all);
  };
  Object.defineProperty(call, "name", { value: name });
  // A graph reads the names of parameters from the text of a function.
  if (traced.length === args.length) Object.defineProperty(call, "toString", { value: () => f.toString() });
  // What takes options behind the arguments tells them apart by the number of parameters.
  return Object.defineProperty(call, "length", { value: traced.length });
}
