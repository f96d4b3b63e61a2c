/**
 * Reading printed jaxprs.
 *
 *     program  := jaxpr
 *     jaxpr    := "{" "lambda" binder* ";" binder* "." "let" eqn* "in" "(" atoms ")" "}"
 *     binder   := name ":" type
 *     type     := "~"? dtype "[" (length ("," length)*)? "]"
 *     eqn      := (binder+ | "(" ")") "=" primitive ("[" field* "]")? atom*
 *     atoms    := empty | atom "," | atom ("," atom)+
 *     atom     := name | literal (":" type)?
 *     field    := (name | string) "=" value
 *     value    := number | string | "true" | "false" | "null" | "[" items "]" | "{" field* "}" | jaxpr
 *
 * White space between tokens is free, and there are no comments. Only the outermost jaxpr has binders before its
 * semicolon: the constants. `_` binds nothing. Items of a list are values or `undefined`, with commas between them.
 *
 * What is read is also checked, equation by equation: a text that is taken is a well-typed program.
 */
import { type Either, left, right } from "fp-ts/lib/Either.js";
import { type Aval, aval } from "./aval.js";
import { inferOutputs, outputFault } from "./check.js";
import { fromShortName, shortName } from "./dtype.js";
import { JaxprParseError } from "./errors.js";
import { type Atom, type Eqn, Jaxpr, Literal, Var } from "./jaxpr.js";
import { noParams } from "./params.js";
import { findPrimitive, type Params, type ParamValue, type Primitive } from "./primitive.js";
import { locate, Malformed, Scanner } from "./scanner.js";
import {
  impliedType,
  isRepresentable,
  kindOf,
  type LiteralKind,
  namedNumbers,
  reserved,
  stored,
} from "./spelling.js";

export interface ParsedJaxpr {
  readonly jaxpr: Jaxpr;
  /** How many of its inputs are constants: those before the semicolon. */
  readonly constCount: number;
}

/** Jaxprs, lists and records inside each other: as many as this, and no more. */
const maxDepth = 200;

/** Reads the text of a jaxpr, as `printJaxpr` writes it: see primitives/registry.ts, where users get it. */
export function parseJaxpr(text: string): Either<JaxprParseError, ParsedJaxpr> {
  const scanner = new Scanner(text);
  try {
    const parsed = readJaxpr(scanner, 0);
    if (scanner.peek() !== "") scanner.fail(`expected the end of the text, found ${scanner.describeNext()}`);
    return right(parsed);
  } catch (e) {
    if (e instanceof Malformed) return left(new JaxprParseError(e.message, locate(text, e.offset)));
    throw e;
  }
}

/** The variables of one jaxpr while it is read. */
class Scope {
  private readonly byName = new Map<string, Var>();
  count = 0;

  constructor(private readonly scanner: Scanner) {}

  /** Makes a variable of what a binder says. */
  define({ name, type, offset }: Binder): Var {
    const v = new Var(this.count++, type);
    if (name === "_") return v;
    if (this.byName.has(name)) this.scanner.fail(`the variable ${name} is already defined`, offset);
    this.byName.set(name, v);
    return v;
  }

  /** Takes a name and gives the variable. */
  use(): Var {
    const offset = this.scanner.offset;
    const name = this.scanner.word();
    const found = this.byName.get(name);
    if (found !== undefined) return found;
    if (name === "")
      return this.scanner.fail(`expected a variable or a literal, found ${this.scanner.describeNext()}`);
    return this.scanner.fail(`the variable ${name} is not defined`, offset);
  }
}

interface Binder {
  readonly name: string;
  readonly type: Aval;
  readonly offset: number;
}

const checkDepth = (scanner: Scanner, depth: number): void => {
  if (depth >= maxDepth) scanner.fail(`jaxprs, lists and records are nested deeper than ${maxDepth}`);
};

function readJaxpr(scanner: Scanner, depth: number): ParsedJaxpr {
  checkDepth(scanner, depth);
  const scope = new Scope(scanner);
  scanner.expect("{", "before a jaxpr");
  scanner.expectWord("lambda");
  const consts = readBinders(scanner).map((b) => scope.define(b));
  if (depth > 0 && consts.length > 0)
    scanner.fail("only the outermost jaxpr has constants before its semicolon");
  scanner.expect(";", "after the constants");
  const inputs = readBinders(scanner).map((b) => scope.define(b));
  scanner.expect(".", "after the inputs");
  scanner.expectWord("let");
  const eqns: Eqn[] = [];
  while (scanner.peekWord() !== "in") eqns.push(readEqn(scanner, scope, depth));
  scanner.expectWord("in");
  const outputs = readOutputs(scanner, scope);
  scanner.expect("}", "after the outputs");
  return { jaxpr: new Jaxpr([...consts, ...inputs], eqns, outputs, scope.count), constCount: consts.length };
}

function readBinders(scanner: Scanner): Binder[] {
  const binders: Binder[] = [];
  while (scanner.peekWord() !== "") {
    const offset = scanner.offset;
    const name = scanner.word();
    if (reserved.has(name)) scanner.fail(`"${name}" is not the name of a variable`, offset);
    scanner.expect(":", `and a type after ${name}`);
    binders.push({ name, type: readType(scanner), offset });
  }
  return binders;
}

function readType(scanner: Scanner): Aval {
  const weak = scanner.take("~");
  const offset = scanner.offset;
  const name = scanner.word();
  const dtype = fromShortName(name);
  if (dtype === undefined)
    return scanner.fail(`expected a dtype, found ${name || scanner.describeNext()}`, offset);
  scanner.expect("[", `after ${name}`);
  const shape: number[] = [];
  while (!scanner.take("]")) {
    if (shape.length > 0) scanner.expect(",", "between lengths");
    const at = scanner.offset;
    const length = scanner.number();
    if (!/^[0-9]+$/.test(length) || !Number.isSafeInteger(Number(length)))
      scanner.fail(`expected the length of an axis, found ${length || scanner.describeNext()}`, at);
    shape.push(Number(length));
  }
  return aval(shape, dtype, weak);
}

function readEqn(scanner: Scanner, scope: Scope, depth: number): Eqn {
  const offset = scanner.offset;
  const binders = readResults(scanner);
  scanner.expect("=", "after the results of an equation");
  const primitive = readPrimitive(scanner);
  const params = scanner.take("[") ? readFields(scanner, "]", depth) : noParams;
  const inputs = readOperands(scanner, scope);
  const types = inferOutputs(
    primitive,
    inputs.map((a) => a.aval),
    params,
  );
  if (types._tag === "Left") return scanner.fail(types.left, offset);
  const fault = outputFault(
    primitive,
    binders.map((b) => b.type),
    types.right,
  );
  if (fault !== undefined) scanner.fail(fault, offset);
  return { primitive, inputs, params, outputs: binders.map((b) => scope.define(b)), source: undefined };
}

function readResults(scanner: Scanner): Binder[] {
  if (scanner.take("(")) {
    scanner.expect(")", 'after "(", which stands for no results,');
    return [];
  }
  const binders = readBinders(scanner);
  if (binders.length === 0) scanner.fail(`expected an equation or "in", found ${scanner.describeNext()}`);
  return binders;
}

function readPrimitive(scanner: Scanner): Primitive {
  const offset = scanner.offset;
  const name = scanner.word();
  if (name === "") return scanner.fail(`expected a primitive, found ${scanner.describeNext()}`);
  return findPrimitive(name) ?? scanner.fail(`there is no primitive "${name}"`, offset);
}

/** A literal as it is spelled; its type may depend on the variables beside it. */
interface OpenLiteral {
  readonly spelling: string;
  readonly type: Aval | undefined;
  readonly offset: number;
}

/** Operands reach as far as there are atoms that do not begin the next equation. */
function readOperands(scanner: Scanner, scope: Scope): Atom[] {
  const found: (Var | OpenLiteral)[] = [];
  while (atOperand(scanner)) found.push(readAtom(scanner, scope));
  return closeLiterals(scanner, found);
}

function atOperand(scanner: Scanner): boolean {
  const start = scanner.offset;
  const word = scanner.word();
  const next = scanner.peek();
  scanner.rewind(start);
  if (word === "") return /[-0-9]/.test(next);
  return isLiteralWord(word) || (next !== ":" && !reserved.has(word));
}

const isLiteralWord = (word: string): boolean =>
  word === "true" || word === "false" || namedNumbers.has(word);

/** Takes a number or a boolean as it is spelled; "" if neither is next. */
const readSpelling = (scanner: Scanner): string =>
  isLiteralWord(scanner.peekWord()) ? scanner.word() : scanner.number();

const spelledKind = (spelling: string): LiteralKind => {
  if (spelling === "true" || spelling === "false") return "bool";
  return namedNumbers.has(spelling) || /[.eE]/.test(spelling) ? "float" : "int";
};

const spelledValue = (spelling: string): number =>
  spelledKind(spelling) === "bool"
    ? Number(spelling === "true")
    : (namedNumbers.get(spelling) ?? Number(spelling));

function readAtom(scanner: Scanner, scope: Scope): Var | OpenLiteral {
  const offset = scanner.offset;
  const spelling = readSpelling(scanner);
  if (spelling === "") return scope.use();
  return { spelling, type: scanner.take(":") ? readType(scanner) : undefined, offset };
}

/** Gives literals their types, now that all variables beside them are known. */
function closeLiterals(scanner: Scanner, atoms: readonly (Var | OpenLiteral)[], alone = false): Atom[] {
  const beside = alone ? [] : atoms.filter((a) => a instanceof Var).map((v) => v.aval);
  return atoms.map((a) => (a instanceof Var ? a : closeLiteral(scanner, a, beside)));
}

const kindNames: Record<LiteralKind, string> = { bool: "a boolean", int: "an integer", float: "a float" };

function closeLiteral(
  scanner: Scanner,
  { spelling, type, offset }: OpenLiteral,
  beside: readonly Aval[],
): Literal {
  const kind = spelledKind(spelling);
  const { dtype, shape, weakType } = type ?? impliedType(kind, beside);
  if (shape.length > 0 || dtype === "float0")
    return scanner.fail("a literal is a scalar of a dtype with values", offset);
  if (kindOf(dtype) !== kind)
    return scanner.fail(
      `${spelling} is the spelling of ${kindNames[kind]}, not of a value of ${shortName(dtype)}`,
      offset,
    );
  const value = spelledValue(spelling);
  // Floats are rounded to their dtype; integers have to be exact.
  const rounded = kind === "float" ? stored(value, dtype) : value;
  const overflows = !Number.isFinite(rounded) && !namedNumbers.has(spelling);
  if (overflows || !isRepresentable(rounded, dtype))
    return scanner.fail(`${spelling} is out of the range of ${shortName(dtype)}`, offset);
  return new Literal(rounded, aval([], dtype, weakType));
}

function readOutputs(scanner: Scanner, scope: Scope): Atom[] {
  scanner.expect("(", 'after "in"');
  const found: (Var | OpenLiteral)[] = [];
  while (!scanner.take(")")) {
    // A comma follows each output but the last; one output alone has it as well.
    if (found.length > 1) scanner.expect(",", "between outputs");
    found.push(readAtom(scanner, scope));
    if (found.length === 1) scanner.expect(",", "after the first output");
  }
  return closeLiterals(scanner, found, true);
}

/** Params, or the fields of a record. */
function readFields(scanner: Scanner, close: string, depth: number): Params {
  const fields = new Map<string, ParamValue>();
  while (!scanner.take(close)) {
    const offset = scanner.offset;
    const key = scanner.peek() === '"' ? scanner.string() : scanner.word();
    if (key === "" && scanner.offset === offset)
      scanner.fail(`expected the name of a param or "${close}", found ${scanner.describeNext()}`);
    if (fields.has(key)) scanner.fail(`the param ${key} is given twice`, offset);
    scanner.expect("=", `after ${key}`);
    fields.set(key, readValue(scanner, depth));
  }
  return fields.size === 0 ? noParams : Object.fromEntries(fields);
}

function readValue(scanner: Scanner, depth: number): ParamValue {
  const next = scanner.peek();
  if (next === '"') return scanner.string();
  if (next === "[") return readList(scanner, depth + 1);
  if (next === "{") return readBraces(scanner, depth + 1);
  if (scanner.peekWord() === "null") {
    scanner.word();
    return null;
  }
  const spelling = readSpelling(scanner);
  if (spelling === "") scanner.fail(`expected a value, found ${scanner.describeNext()}`);
  return spelledKind(spelling) === "bool" ? spelling === "true" : spelledValue(spelling);
}

function readList(scanner: Scanner, depth: number): ParamValue[] {
  checkDepth(scanner, depth);
  scanner.expect("[", "before a list");
  const items: ParamValue[] = [];
  while (!scanner.take("]")) {
    if (items.length > 0) scanner.expect(",", "between the items of a list");
    if (scanner.peekWord() === "undefined") {
      scanner.word();
      items.push(undefined);
    } else items.push(readValue(scanner, depth));
  }
  return items;
}

/** A record or, if `lambda` follows the brace, a jaxpr: as the key of a record, that word stands in quotes. */
function readBraces(scanner: Scanner, depth: number): ParamValue {
  checkDepth(scanner, depth);
  const start = scanner.offset;
  scanner.expect("{", "before a record");
  if (scanner.peekWord() !== "lambda") return readFields(scanner, "}", depth);
  scanner.rewind(start);
  return readJaxpr(scanner, depth).jaxpr;
}
