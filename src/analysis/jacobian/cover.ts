/**
 * The cheapest choice of rows and columns that together hold every marked entry of a small matrix: a minimum-weight vertex
 * cover of a bipartite graph, which is a minimum cut of the network source → columns → rows → sink (Kőnig; Ford & Fulkerson,
 * "Flows in Networks", 1962). The maximum flow is found along shortest augmenting paths (Edmonds & Karp, 1972).
 */

export interface Cover {
  readonly rows: readonly boolean[];
  readonly columns: readonly boolean[];
}

/**
 * @param marked which entries [row][column] are to be covered.
 * @param rowWeights what each row costs; not negative.
 */
export function cheapestCover(
  marked: readonly (readonly boolean[])[],
  rowWeights: readonly number[],
  columnWeights: readonly number[],
): Cover {
  const left = { columns: [...columnWeights], rows: [...rowWeights] };
  const columns = columnWeights.length;
  /** Flow from column to row, which may also go back. */
  const flow = marked.map((row) => row.map(() => 0));
  for (;;) {
    const { reachedColumns, reachedRows, end } = search();
    if (end === undefined)
      // The cut: columns that the source does not reach, and rows that it does.
      return {
        columns: reachedColumns.map((from, i) => from === undefined && marked.some((row) => row[i])),
        rows: reachedRows.map((from, o) => from !== undefined && marked[o].includes(true)),
      };
    augment(reachedColumns, reachedRows, end);
  }

  /** Breadth first from the source; for each node where it was reached from (-1: the source). */
  function search() {
    const reachedColumns = left.columns.map((c): number | undefined => (c > 0 ? -1 : undefined));
    const reachedRows = left.rows.map((): number | undefined => undefined);
    let front = left.columns.flatMap((c, i) => (c > 0 ? [i] : []));
    while (front.length > 0) {
      const rows: number[] = [];
      for (const i of front)
        for (let o = 0; o < marked.length; o++)
          if (marked[o][i] && reachedRows[o] === undefined) {
            reachedRows[o] = i;
            if (left.rows[o] > 0) return { reachedColumns, reachedRows, end: o };
            rows.push(o);
          }
      front = [];
      for (const o of rows)
        for (let i = 0; i < columns; i++)
          if (flow[o][i] > 0 && reachedColumns[i] === undefined) {
            reachedColumns[i] = o;
            front.push(i);
          }
    }
    return { reachedColumns, reachedRows, end: undefined };
  }

  /** Sends as much as fits along the path to a row. */
  function augment(
    reachedColumns: readonly (number | undefined)[],
    reachedRows: readonly (number | undefined)[],
    end: number,
  ): void {
    const path: { readonly o: number; readonly i: number; readonly back: number }[] = [];
    let amount = left.rows[end];
    for (let o = end; o >= 0; ) {
      const i = reachedRows[o] as number;
      const back = reachedColumns[i] as number;
      path.push({ o, i, back });
      amount = Math.min(amount, back < 0 ? left.columns[i] : flow[back][i]);
      o = back;
    }
    left.rows[end] -= amount;
    for (const { o, i, back } of path) {
      flow[o][i] += amount;
      if (back < 0) left.columns[i] -= amount;
      else flow[back][i] -= amount;
    }
  }
}
