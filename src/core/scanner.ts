/** Reading a text token by token, for the parser of jaxprs. White space between tokens means nothing. */

/** What is wrong with a text, and where. Thrown inside the parser only, so it need not carry a stack. */
export class Malformed {
  constructor(
    readonly message: string,
    readonly offset: number,
  ) {}
}

const wordPattern = /[A-Za-z_][A-Za-z0-9_]*/y;
// As in JSON: no leading zeros, digits on both sides of the point. The other infinity and NaN are words.
const numberPattern = /-inf|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const afterNumber = /[A-Za-z0-9_.+"-]/;

export class Scanner {
  private position = 0;

  constructor(readonly text: string) {}

  /** Skips white space; the offset of the next token, or the length of the text. */
  get offset(): number {
    while (isSpace(this.text.charCodeAt(this.position))) this.position++;
    return this.position;
  }

  /** Goes back to an offset that was read before. */
  rewind(offset: number): void {
    this.position = offset;
  }

  fail(message: string, offset = this.offset): never {
    throw new Malformed(message, offset);
  }

  /** The next character, or "" at the end. */
  peek(): string {
    return this.text.charAt(this.offset);
  }

  /** Takes a punctuation mark if it is next. */
  take(mark: string): boolean {
    if (this.peek() !== mark) return false;
    this.position++;
    return true;
  }

  expect(mark: string, where: string): void {
    if (!this.take(mark)) this.fail(`expected "${mark}" ${where}, found ${this.describeNext()}`);
  }

  /** The next word without taking it, or "". */
  peekWord(): string {
    return this.match(wordPattern);
  }

  /** Takes the next word; "" if there is none. */
  word(): string {
    const word = this.peekWord();
    this.position += word.length;
    return word;
  }

  expectWord(expected: string): void {
    if (this.peekWord() !== expected) this.fail(`expected "${expected}", found ${this.describeNext()}`);
    this.position += expected.length;
  }

  /** Takes a number as it is spelled; "" if there is none. */
  number(): string {
    const digits = this.match(numberPattern);
    const end = this.position + digits.length;
    if (digits !== "" && afterNumber.test(this.text.charAt(end)))
      this.fail(`${JSON.stringify(this.text.slice(this.position, end + 1))} does not begin a number`);
    this.position = end;
    return digits;
  }

  /** Takes a string in JSON's spelling, of which the next character is the opening quote. */
  string(): string {
    const start = this.offset;
    let end = start + 1;
    while (end < this.text.length && this.text[end] !== '"') end += this.text[end] === "\\" ? 2 : 1;
    if (end >= this.text.length) this.fail("this string does not end", start);
    this.position = end + 1;
    try {
      return JSON.parse(this.text.slice(start, end + 1)) as string;
    } catch {
      return this.fail("this string is not spelled as JSON strings are", start);
    }
  }

  describeNext(): string {
    const next = this.peekWord() || this.peek();
    return next === ""
      ? "the end of the text"
      : JSON.stringify(next.length > 40 ? `${next.slice(0, 40)}...` : next);
  }

  private match(pattern: RegExp): string {
    pattern.lastIndex = this.offset;
    return pattern.exec(this.text)?.[0] ?? "";
  }
}

const isSpace = (code: number): boolean => code === 32 || code === 10 || code === 13 || code === 9;

/** Line and column of an offset, both from 1. */
export function locate(text: string, offset: number): { offset: number; line: number; column: number } {
  const before = text.slice(0, offset);
  const lastBreak = before.lastIndexOf("\n");
  let line = 1;
  for (let i = before.indexOf("\n"); i >= 0; i = before.indexOf("\n", i + 1)) line++;
  return { offset, line, column: offset - lastBreak };
}
