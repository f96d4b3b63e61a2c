/** What trying laws gave, law by law. */

/** How one law fared. */
export interface LawReport {
  readonly name: string;
  readonly statement: string;
  /** On how many cases it was tried. */
  readonly tried: number;
  /** On how many of them it had nothing to say. */
  readonly abstained: number;
  /** Why, each reason once. */
  readonly reasons: readonly string[];
}

/** How all laws fared. `String(report)` is a table. */
export class LawsReport {
  constructor(
    readonly laws: readonly LawReport[],
    /** Draws the same cases again. */
    readonly seed: number,
  ) {}

  toString(): string {
    const width = this.laws.reduce((m, { name }) => Math.max(m, name.length), 0);
    const lines = this.laws.map(({ name, tried, abstained, reasons }) => {
      const held = tried - abstained;
      const doubt = abstained === 0 ? "" : `, abstained on ${abstained} (${reasons.join("; ")})`;
      return `${name.padEnd(width)}  held on ${held} of ${tried}${doubt}`;
    });
    return [...lines, `seed ${this.seed}`].join("\n");
  }
}
