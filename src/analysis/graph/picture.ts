/** What is drawn: nodes with lines of text, edges with labels, boxes around nodes. It knows nothing of programs. */

export type Shape = "variable" | "operation" | "choice" | "number" | "group";

/** What a line of a node says; each kind has its own look. */
export interface Line {
  readonly text: string;
  readonly kind: "name" | "type" | "value" | "derivative";
  /** There, but not to be seen: it keeps its place in drawings of which only later ones show it. */
  readonly hidden?: boolean;
}

/** The colours of variables. */
export type Tone = "input" | "constant" | "inner" | "output";

export interface PictureNode {
  readonly id: string;
  readonly shape: Shape;
  readonly lines: readonly Line[];
  readonly box?: string;
  readonly tone?: Tone;
  /** It is what the step is about. */
  readonly highlighted?: boolean;
  /** Shown when the pointer rests on it. */
  readonly hint?: string;
}

export interface PictureEdge {
  readonly from: string;
  readonly to: string;
  readonly label?: string;
  readonly hidden?: boolean;
  /** `way`: into and out of bodies. `next`: to the next step of a loop, against the flow. */
  readonly kind: "data" | "way" | "next";
  readonly highlighted?: boolean;
  /** Which operand it is, where the order of operands matters. */
  readonly position?: number;
}

export interface PictureBox {
  readonly id: string;
  readonly title: string;
  readonly parent: string | undefined;
}

export interface Picture {
  readonly name: string;
  /** A line above the drawing. */
  readonly title: string | undefined;
  /** `right`: to the right and up, as in the textbook. `up`: from the inputs at the bottom. */
  readonly direction: "right" | "up";
  /** Whether the drawing rises from the lower left to the upper right. */
  readonly rising: boolean;
  readonly nodes: readonly PictureNode[];
  readonly edges: readonly PictureEdge[];
  readonly boxes: readonly PictureBox[];
}
