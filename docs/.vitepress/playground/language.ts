/** TypeScript as the editor understands it: colours, where a mistake is, and what to leave out to get JavaScript. */
import { typescriptLanguage } from "@codemirror/lang-javascript";
import type { Extension } from "@codemirror/state";

export const typescript: Extension = typescriptLanguage.extension;

/** Parts of TypeScript that mean nothing when the program runs. */
const erased = new Set([
  "TypeAnnotation",
  "TypeAliasDeclaration",
  "InterfaceDeclaration",
  "AmbientDeclaration",
  "TypeParamList",
  "TypeArgList",
  "Optional",
  "Privacy",
  "readonly",
]);

/** Which part of the text a node of the syntax tree makes meaningless, if it does. */
function erasedBy({ name, from, to, node }: SyntaxNodeRef): readonly [number, number] | undefined {
  if (erased.has(name)) return [from, to];
  const { parent } = node;
  // `x as T`: all behind x.
  if ((name === "as" || name === "satisfies") && parent?.name === "BinaryExpression")
    return [from, parent.to];
  // `x!`
  return name === "LogicOp" && parent?.name === "PostfixExpression" ? [from, to] : undefined;
}

/** A text without its types, every other character where it was. */
export function withoutTypes(source: string): string {
  let result = source;
  typescriptLanguage.parser.parse(source).iterate({
    enter: (node) => {
      const range = erasedBy(node);
      if (range === undefined) return true;
      const blank = source.slice(...range).replace(/[^\n]/g, " ");
      result = result.slice(0, range[0]) + blank + result.slice(range[1]);
      return false;
    },
  });
  return result;
}

type SyntaxNodeRef = Parameters<
  NonNullable<Parameters<ReturnType<typeof typescriptLanguage.parser.parse>["iterate"]>[0]["enter"]>
>[0];

/** The line of the first place that cannot be read, from 1. JavaScript engines do not say where a syntax error is. */
export function lineOfSyntaxError(source: string): number | undefined {
  let position: number | undefined;
  typescriptLanguage.parser.parse(source).iterate({
    enter: ({ type, from }) => {
      if (type.isError) position ??= from;
    },
  });
  return position === undefined ? undefined : source.slice(0, position).split("\n").length;
}
