/**
 * What passes find out about expressions and statements, to be looked up when they are met again. While something is
 * compiled it is kept in plain tables, which are then forgotten as a whole: tables that let go of each entry on its own cost
 * the garbage collector more than it takes to fill them.
 */

/** A function of an object that remembers its results. */
export interface Notes<K extends object, V> {
  get(key: K): V | undefined;
  set(key: K, value: V): void;
}

let depth = 0;
const tables: Table<object, unknown>[] = [];

class Table<K extends object, V> implements Notes<K, V> {
  private lasting = new WeakMap<K, V>();
  private passing = new Map<K, V>();

  get(key: K): V | undefined {
    return depth > 0 ? this.passing.get(key) : this.lasting.get(key);
  }

  set(key: K, value: V): void {
    if (depth > 0) this.passing.set(key, value);
    else this.lasting.set(key, value);
  }

  forget(): void {
    if (this.passing.size > 0) this.passing = new Map();
  }
}

/** A table of its own. */
export function notes<K extends object, V>(): Notes<K, V> {
  const table = new Table<K, V>();
  tables.push(table as unknown as Table<object, unknown>);
  return table;
}

/** The function, with its results remembered. */
export function noted<K extends object, V>(compute: (key: K) => V): (key: K) => V {
  const table = notes<K, { readonly value: V }>();
  return (key) => {
    let found = table.get(key);
    if (found === undefined) {
      found = { value: compute(key) };
      table.set(key, found);
    }
    return found.value;
  };
}

/** Runs a part of the compiler; what it notes is forgotten at the end, unless it is run by another such part. */
export function noting<T>(body: () => T): T {
  depth++;
  try {
    return body();
  } finally {
    depth--;
    if (depth === 0) for (const table of tables) table.forget();
  }
}
