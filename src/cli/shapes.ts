/** `--shapes`: types of arguments as one writes them on a command line. */
import { type DType, requireDType } from "../core/dtype.js";
import { ShapeDtype } from "../transforms/makeJaxpr.js";
import { pointAt, UsageError } from "./terminal.js";
import { didYouMean } from "./words.js";

/** A tree of types. */
export type ShapeArgument =
  | ShapeDtype
  | null
  | readonly ShapeArgument[]
  | { readonly [key: string]: ShapeArgument };

const short: Readonly<Record<string, DType>> = {
  f16: "float16",
  f32: "float32",
  f64: "float64",
  i32: "int32",
  u32: "uint32",
  u8: "uint8",
};
const dtypes = ["float32", "float64", "float16", "int32", "uint32", "uint8", "bool"] as const;

const tokens = {
  space: /\s+/y,
  dims: /\d+(?:[xX×]\d+)*(?![\w×])/y,
  word: /[A-Za-z_$][\w$]*/y,
  string: /"(?:[^"\\]|\\.)*"/y,
  index: /\d+/y,
} as const;

class Reader {
  private at = 0;
  constructor(private readonly text: string) {}

  /** Everything: arguments between commas. */
  arguments(): ShapeArgument[] {
    const list = [this.argument()];
    while (this.symbol(",")) list.push(this.argument());
    if (this.at < this.text.length) this.fail("a comma, or the end");
    return list;
  }

  private argument(): ShapeArgument {
    this.take("space");
    if (this.symbol("{")) return this.object();
    if (this.symbol("[")) return this.items("]", () => this.argument());
    if (this.symbol("(")) {
      if (!this.symbol(")")) this.fail('")": () is a scalar, and (3, 4) is written 3x4');
      return new ShapeDtype([], this.suffix());
    }
    const from = this.at;
    const dims = this.take("dims");
    if (dims !== undefined) {
      const shape = dims.split(/[xX×]/).map(Number);
      if (!shape.every(Number.isSafeInteger)) {
        this.at = from;
        this.fail("lengths below 2⁵³");
      }
      return new ShapeDtype(shape, this.suffix());
    }
    const word = this.take("word");
    if (word === "null") return null;
    if (word === "scalar") return new ShapeDtype([], this.suffix());
    if (word !== undefined && this.symbol("["))
      return new ShapeDtype(
        this.items("]", () => this.length()),
        this.dtype(word, from),
      );
    this.at = from;
    return this.fail("a shape such as 784x256, scalar, 10:int32, {w:784x10,b:10} or [3,4]");
  }

  private object(): ShapeArgument {
    const keys = new Set<string>();
    const entries = this.items("}", () => {
      this.take("space");
      const from = this.at;
      const key = this.key();
      if (keys.has(key)) {
        this.at = from;
        this.fail("another key: this one is there already");
      }
      keys.add(key);
      if (!this.symbol(":")) this.fail(`":" and the shape of ${key}`);
      return [key, this.argument()] as const;
    });
    return Object.fromEntries(entries);
  }

  private key(): string {
    const from = this.at;
    const quoted = this.take("string");
    if (quoted === undefined)
      return this.take("word") ?? this.take("index") ?? this.fail("a key such as w, as in {w:784x10}");
    try {
      return JSON.parse(quoted) as string;
    } catch {
      this.at = from;
      return this.fail('a text as JSON has it, as "w"');
    }
  }

  private items<T>(end: string, item: () => T): T[] {
    const list: T[] = [];
    if (this.symbol(end)) return list;
    do list.push(item());
    while (this.symbol(","));
    if (!this.symbol(end)) this.fail(`a comma, or "${end}"`);
    return list;
  }

  private length(): number {
    this.take("space");
    return Number(this.take("index") ?? this.fail("the length of an axis"));
  }

  private suffix(): DType {
    if (!this.symbol(":")) return "float32";
    this.take("space");
    const from = this.at;
    return this.dtype(this.take("word") ?? this.fail("a dtype such as int32"), from);
  }

  private dtype(word: string, from: number): DType {
    const name = short[word] ?? word;
    if ((dtypes as readonly string[]).includes(name)) return requireDType(name as DType, "--shapes");
    this.at = from;
    return this.fail(`a dtype (${dtypes.join(", ")})${didYouMean(word, dtypes)}`);
  }

  private take(token: keyof typeof tokens): string | undefined {
    const pattern = tokens[token];
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text);
    if (match === null) return undefined;
    this.at += match[0].length;
    return match[0];
  }

  private symbol(symbol: string): boolean {
    this.take("space");
    if (!this.text.startsWith(symbol, this.at)) return false;
    this.at += symbol.length;
    return true;
  }

  private fail(wanted: string): never {
    const got =
      this.at >= this.text.length
        ? "the text ends"
        : `there is ${JSON.stringify(this.text.slice(this.at, this.at + 12))}`;
    throw new UsageError(
      `--shapes: at character ${this.at + 1} ${got}; wanted ${wanted}\n${pointAt(this.text, this.at)}`,
    );
  }
}

/**
 * Reads shapes of arguments.
 *
 *     784x256                 float32[784,256]
 *     scalar, ()              float32[]
 *     10:int32                int32[10]
 *     int32[10], f32[2,3]     as the library prints types
 *     {w:784x10,b:10}         an object of arrays
 *     [784x10,10]             a list of arrays
 *
 * @throws UsageError that shows the place in the text.
 */
export const parseShapes = (text: string): ShapeArgument[] => new Reader(text).arguments();
