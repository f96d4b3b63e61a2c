/**
 * The names that a page for those who come from another library speaks of. It has them in three places:
 *
 *     | JAX | fluxion | ... |          tables: what the first column calls so, the second does
 *     <!-- same: jax.numpy = numpy -->  before a `text` block of names that both have (here in camelCase)
 *     <!-- absent: jax.numpy -->        before a `text` block of names that have no counterpart here
 *     <!-- absent spaces: tf.io ... -->  spaces of which nothing has
 */

/** A library of which a page is about: the word that heads its column, and what its code abbreviates. */
export interface Peer {
  readonly heading: string;
  /** What a name may begin with, and the space it is then in. */
  readonly prefixes: Readonly<Record<string, string>>;
}

export interface Row {
  readonly theirs: readonly string[];
  readonly ours: readonly string[];
}

export interface Names {
  readonly rows: readonly Row[];
  readonly same: readonly {
    readonly space: string;
    readonly ours: string;
    readonly names: readonly string[];
  }[];
  readonly absent: readonly { readonly space: string; readonly names: readonly string[] }[];
  readonly absentSpaces: readonly string[];
}

/** The names that code in a cell begins with: of `lax.scan(f, init)` it is lax.scan, of `x + y` there is none. */
const namesIn = (cell: string): string[] =>
  [...cell.matchAll(/`([^`]+)`/g)].flatMap(
    ([, code]) => /^(?:await )?([A-Za-z_][\w.]*)(?:\(.*)?$/.exec(code)?.[1] ?? [],
  );

const cells = (line: string): string[] =>
  line
    .replace(/^\||\|\s*$/g, "")
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());

export function readNames(page: string, peer: Peer): Names {
  const rows: Row[] = [];
  let inTable = false;
  for (const line of page.split("\n")) {
    if (!line.startsWith("|")) inTable = false;
    else if (cells(line)[0] === peer.heading) inTable = true;
    else if (inTable && !/^\|\s*-/.test(line))
      rows.push({ theirs: namesIn(cells(line)[0]), ours: namesIn(cells(line)[1]) });
  }
  const lists = <T>(kind: string, read: (head: string, names: string[]) => T): T[] =>
    [...page.matchAll(new RegExp(`<!-- ${kind}: (.*?) -->\\s*\`\`\`text\\n([^\`]*)\`\`\``, "g"))].map(
      ([, head, text]) => read(head, text.trim().split(/\s+/)),
    );
  return {
    rows,
    same: lists("same", (head, names) => {
      const [space, ours] = head.split(" = ");
      return { space, ours, names };
    }),
    absent: lists("absent", (space, names) => ({ space, names })),
    absentSpaces: [...page.matchAll(/<!-- absent spaces: (.*?) -->/g)].flatMap(([, spaces]) =>
      spaces.split(" "),
    ),
  };
}

/** A full name in parts: the space it is in, and the rest. */
export function inSpace(
  name: string,
  peer: Peer,
  spaces: readonly string[],
): { space: string; name: string } {
  const prefix = Object.keys(peer.prefixes)
    .sort((a, b) => b.length - a.length)
    .find((p) => name.startsWith(`${p}.`));
  const full = prefix === undefined ? name : peer.prefixes[prefix] + name.slice(prefix.length);
  const space = [...spaces].sort((a, b) => b.length - a.length).find((s) => full.startsWith(`${s}.`));
  return space === undefined ? { space: "", name: full } : { space, name: full.slice(space.length + 1) };
}

/** `bitwise_left_shift` as bitwiseLeftShift, `atleast_1d` as atleast1d; `ix_` and `bool_` keep their last stroke. */
export const camelCase = (name: string): string =>
  name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
