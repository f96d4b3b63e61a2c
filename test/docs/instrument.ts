/**
 * Turns a block of documentation into a program that reports, statement by statement, what its comments speak of.
 * Only statements at the top level of the block are looked at.
 */
import ts from "typescript";
import { looksLikeValue } from "./expectation.js";

/** What a statement is compared with. */
export interface Claim {
  /** The line in the block, from 0. */
  readonly line: number;
  readonly code: string;
  /** `value`: of the expression or the declared variable. `printed`: what console.log wrote. `silent`: says nothing. */
  readonly kind: "value" | "printed" | "silent";
  readonly comment: readonly string[];
}

export interface Program {
  readonly javascript: string;
  readonly claims: readonly Claim[];
}

/** The text of a line comment, without its marker and one space. */
const bare = (line: string): string => line.trim().replace(/^\/\/ ?/, "");

export function instrument(code: string): Program {
  const source = ts.createSourceFile("block.ts", code, ts.ScriptTarget.ESNext, true);
  const lines = code.split("\n");
  const claims: Claim[] = [];
  const out: string[] = [];
  let copied = 0;

  for (const statement of source.statements) {
    const start = statement.getStart(source);
    const line = source.getLineAndCharacterOfPosition(start).line;
    const last = source.getLineAndCharacterOfPosition(statement.end).line;
    const beside = trailingComment(code, statement.end);
    const comment = beside === undefined ? commentsBelow(lines, last + 1) : [beside];
    const text = code.slice(start, statement.end);
    const index = claims.length;
    const claim = (kind: Claim["kind"]): void => {
      claims.push({ line, code: text, kind, comment: kind === "silent" ? [] : comment });
    };

    out.push(code.slice(copied, start));
    copied = statement.end;
    if (
      ts.isImportDeclaration(statement) ||
      ts.isTypeAliasDeclaration(statement) ||
      ts.isInterfaceDeclaration(statement)
    ) {
      out.push(text);
    } else if (ts.isVariableStatement(statement)) {
      const bound = beside !== undefined && looksLikeValue(beside) ? boundValue(statement) : undefined;
      claim(bound === undefined ? "silent" : "value");
      out.push(`__doc.at(${index}); ${text}`);
      if (bound !== undefined) out.push(` ; await __doc.value(${index}, () => (${bound}));`);
    } else if (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)) {
      out.push(text);
    } else if (/\bconsole\.log\(/.test(text)) {
      claim("printed");
      out.push(`__doc.at(${index}); ${text} ; __doc.printed(${index});`);
    } else if (ts.isExpressionStatement(statement) && comment.length > 0) {
      claim("value");
      out.push(`await __doc.value(${index}, async () => (${statement.expression.getText(source)}));`);
    } else {
      claim("silent");
      out.push(`__doc.at(${index}); ${text}`);
    }
  }
  out.push(code.slice(copied));
  return { javascript: compile(out.join("")), claims };
}

function trailingComment(code: string, end: number): string | undefined {
  const range = ts
    .getTrailingCommentRanges(code, end)
    ?.find((r) => r.kind === ts.SyntaxKind.SingleLineCommentTrivia);
  return range === undefined ? undefined : bare(code.slice(range.pos, range.end));
}

/** The comment lines directly below. */
function commentsBelow(lines: readonly string[], from: number): string[] {
  const found: string[] = [];
  for (let i = from; i < lines.length && lines[i].startsWith("//"); i++)
    if (!/^\/\/ @ts-/.test(lines[i])) found.push(bare(lines[i]));
  return found;
}

/** An expression for what a declaration bound, as it was written: `y`, `[y, dy]`, `{ w, b }`. */
function boundValue({ declarationList }: ts.VariableStatement): string | undefined {
  if (declarationList.declarations.length !== 1) return undefined;
  const { name } = declarationList.declarations[0];
  if (ts.isIdentifier(name)) return name.text;
  const names: string[] = [];
  for (const element of name.elements) {
    if (!ts.isBindingElement(element) || element.dotDotDotToken || !ts.isIdentifier(element.name))
      return undefined;
    names.push(element.name.text);
  }
  return ts.isArrayBindingPattern(name) ? `[${names.join(", ")}]` : `{ ${names.join(", ")} }`;
}

/** JavaScript whose imports are calls of `require`. */
function compile(typescript: string): string {
  const { outputText, diagnostics } = ts.transpileModule(typescript, {
    reportDiagnostics: true,
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.CommonJS,
      esModuleInterop: true,
    },
  });
  const wrong = diagnostics?.filter((d) => d.category === ts.DiagnosticCategory.Error) ?? [];
  if (wrong.length > 0)
    throw new SyntaxError(wrong.map((d) => ts.flattenDiagnosticMessageText(d.messageText, "\n")).join("\n"));
  return outputText;
}
