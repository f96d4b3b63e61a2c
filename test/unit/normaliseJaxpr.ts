/**
 * What is left of a jaxpr's text when the freedom of its author is taken away, found without the parser or its checks:
 * white space goes, names of variables become the numbers of their definitions (`_` where nothing uses them), numbers
 * are spelled in one way, types behind literals go, params are sorted. Two texts of the same program have the same
 * normal form, except that it does not tell types of literals, nor floats that are closer than float32 tells.
 *
 * It expects a text that the parser takes.
 */
export function normaliseJaxpr(text: string): string {
  const tokens = tokenise(text);
  let at = 0;
  const take = (): string => tokens[at++];

  function jaxpr(): string {
    const parts: (string | Definition)[] = [take(), take()];
    const names = new Map<string, Definition>();
    let number = 0;
    let inputs = true;
    while (tokens[at] !== "}") {
      const token = take();
      if (token === "let") inputs = false;
      if (isType(tokens[at]) && !isLiteral(token)) {
        const definition = { used: inputs };
        if (token !== "_") names.set(token, definition);
        parts.push(definition, take());
      } else if (token === "=") {
        parts.push(token, take());
        if (tokens[at] === "[") parts.push(fields());
      } else if (isLiteral(token)) {
        parts.push(literal(token));
        if (isType(tokens[at])) take();
      } else {
        const definition = names.get(token);
        if (definition !== undefined) definition.used = true;
        parts.push(definition ?? token);
      }
    }
    const numbers = new Map<Definition, string>();
    const spell = (part: string | Definition): string => {
      if (typeof part === "string") return part;
      if (!part.used) return "_";
      if (!numbers.has(part)) numbers.set(part, `%${number++}`);
      return numbers.get(part) as string;
    };
    return `${parts.map(spell).join(" ")} ${take()}`;
  }

  function fields(): string {
    const close = take() === "[" ? "]" : "}";
    const found: string[] = [];
    while (tokens[at] !== close) {
      const key = take();
      take();
      found.push(`${key.startsWith('"') ? JSON.parse(key) : key}=${value()}`);
    }
    take();
    return found.length === 0 && close === "]" ? "" : `${close}${found.sort().join(" ")}${close}`;
  }

  function value(): string {
    if (tokens[at] === "{") return tokens[at + 1] === "lambda" ? jaxpr() : fields();
    if (tokens[at] !== "[") return isLiteral(tokens[at]) ? param(take()) : normaliseString(take());
    const items: string[] = [];
    take();
    while (tokens[at] !== "]") items.push(tokens[at] === "," ? take() : value());
    take();
    return `[${items.join("")}]`;
  }

  const result = jaxpr();
  if (at !== tokens.length) throw new Error(`${tokens.length - at} tokens are left over`);
  return result;
}

interface Definition {
  used: boolean;
}

const token = /"(?:[^"\\]|\\.)*"|-inf|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|[A-Za-z_]\w*|\S/g;

/** Tokens; a colon and the type behind it are one. */
function tokenise(text: string): string[] {
  const raw = text.match(token) ?? [];
  const tokens: string[] = [];
  for (let i = 0; i < raw.length; i++) {
    const from = i;
    if (raw[i] === ":") while (raw[i] !== "]") i++;
    tokens.push(raw.slice(from, i + 1).join(""));
  }
  return tokens;
}

const isType = (t: string | undefined): boolean => t?.startsWith(":") === true;
const isLiteral = (t: string): boolean => /^(-?\d.*|-?inf|nan|true|false)$/.test(t);

const toNumber = (t: string): number => Number(t.replace("inf", "Infinity"));

function literal(t: string): string {
  if (t === "true" || t === "false") return t;
  const x = Math.fround(toNumber(t));
  return `${/^-?\d+$/.test(t) ? "int" : "float"}(${Object.is(x, -0) ? "-0" : x})`;
}

const param = (t: string): string => (t === "true" || t === "false" ? t : `(${toNumber(t) + 0})`);

const normaliseString = (t: string): string => (t.startsWith('"') ? JSON.stringify(JSON.parse(t)) : t);
