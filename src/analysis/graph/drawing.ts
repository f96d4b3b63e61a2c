/** What `drawGraph` gives: a drawing as text, as SVG, and the figures that go with it. */
import { ArgumentError } from "../../core/errors.js";
import { printDot } from "./dot.js";
import { arrange, renderSvg } from "./layout.js";
import type { PathSum } from "./paths.js";
import type { Picture } from "./picture.js";

/** The figures of a drawing. */
export interface GraphFigures {
  readonly operations: number;
  readonly edges: number;
  readonly paths: number | bigint;
  readonly pathSums: readonly PathSum[];
}

/** More edges than so many for each node that there may be are a black square. */
const edgesPerNode = 6;

/** A drawing of a program's graph. */
export class GraphDrawing implements GraphFigures {
  /** How many operations the program has, those inside of bodies included. */
  readonly operations: number;
  /**
   * How many edges lie on paths from the inputs to the outputs: an edge for each operand of each operation, or in the reduced form for
   * each product. Both modes of differentiation go over each of them once.
   */
  readonly edges: number;
  /** How many paths there are, of which the derivative is the sum; a bigint beyond 2⁵³. They are counted, not walked. */
  readonly paths: number | bigint;
  /** For scalars, where there are few paths: the products along them. */
  readonly pathSums: readonly PathSum[];
  private dotText: string | undefined;

  /** @internal Use `drawGraph`. */
  constructor(
    private readonly picture: Picture,
    figures: GraphFigures,
    private readonly maxNodes: number,
    private readonly makeSteps: (() => readonly GraphDrawing[]) | undefined,
  ) {
    this.operations = figures.operations;
    this.edges = figures.edges;
    this.paths = figures.paths;
    this.pathSums = figures.pathSums;
  }

  /** The line above the drawing; undefined if there is none. */
  get title(): string | undefined {
    return this.picture.title;
  }

  /** How many nodes the drawing has. */
  get nodes(): number {
    return this.picture.nodes.length;
  }

  /** The graph in Graphviz's DOT language, whatever its size. */
  get dot(): string {
    this.dotText ??= printDot(this.picture);
    return this.dotText;
  }

  /**
   * The drawing as SVG, laid out by Graphviz.
   *
   * @throws ArgumentError for more nodes than `maxNodes`, MissingPackageError where `@viz-js/viz` is not installed.
   */
  async svg(): Promise<string> {
    const svg = await this.untitledSvg();
    return this.title === undefined ? svg : arrange([{ svg, title: this.title }], this.title);
  }

  /** The drawing without the line above it. @internal */
  async untitledSvg(): Promise<string> {
    const { edges } = this.picture;
    if (this.nodes > this.maxNodes || edges.length > edgesPerNode * this.maxNodes)
      throw new ArgumentError(
        `drawGraph: ${this.picture.name} has ${this.nodes} nodes and ${edges.length} edges, and a drawing of more than ${this.maxNodes} nodes cannot be read. ` +
          `${this.waysOut()}, raise { maxNodes }, or take the text with .dot`,
      );
    return renderSvg({ ...this.picture, title: undefined });
  }

  /** Only the form that has nodes for operations can group them. */
  private waysOut(): string {
    const hasOperations = this.picture.nodes.some(({ shape }) => shape === "operation" || shape === "group");
    return hasOperations
      ? "Leave out { group: false } or group by { group: true }, open fewer bodies with { depth: 0 }"
      : 'Take the form "operations", which groups what belongs together';
  }

  /**
   * One drawing for each step of the mode, in order; in each the edges and the value that it is about are highlighted, and what later
   * steps find is not there yet.
   *
   * @throws ArgumentError for a drawing without `mode`.
   */
  steps(): readonly GraphDrawing[] {
    if (this.makeSteps === undefined)
      throw new ArgumentError(
        'drawGraph: this drawing has no steps; ask for { mode: "forward" } or { mode: "reverse" }',
      );
    return this.makeSteps();
  }

  /** The DOT text. */
  toString(): string {
    return this.dot;
  }
}

/** What `drawTransform` gives. */
export class TransformDrawing {
  /** @internal Use `drawTransform`. */
  constructor(
    readonly before: GraphDrawing,
    readonly after: GraphDrawing,
    private readonly titles: readonly [string, string],
  ) {}

  /** Both graphs in the DOT language, one after the other. */
  get dot(): string {
    return `${this.before.dot}\n${this.after.dot}`;
  }

  /** Both drawings in one, beside each other; below each other where that would be too wide. */
  async svg(): Promise<string> {
    const [before, after] = await Promise.all([this.before.untitledSvg(), this.after.untitledSvg()]);
    const [first, second] = this.titles;
    return arrange(
      [
        { svg: before, title: first },
        { svg: after, title: second },
      ],
      `${first} and ${second}`,
      2,
    );
  }

  /** The DOT text. */
  toString(): string {
    return this.dot;
  }
}

/**
 * Several drawings in one SVG, each under its title: the steps of a mode, say.
 *
 * @param perRow how many stand beside each other; without it as many as a page has room for.
 */
export async function arrangeDrawings(
  drawings: readonly GraphDrawing[],
  { perRow, label = "graphs" }: { readonly perRow?: number; readonly label?: string } = {},
): Promise<string> {
  const panels = await Promise.all(
    drawings.map(async (drawing) => ({
      svg: await drawing.untitledSvg(),
      ...(drawing.title === undefined ? {} : { title: drawing.title }),
    })),
  );
  return arrange(panels, label, perRow);
}
