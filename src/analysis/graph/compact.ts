/**
 * The forms without circles. Compact, as in the essay on computational graphs: each value is a node that says how it is computed.
 * Reduced: only the values where paths cross, with the factors between them on the edges.
 */
import { type DependenceEdge, edgeKey, keyOf, type ReducedEdge } from "./dependence.js";
import type { Notes } from "./notes.js";
import type { Picture, PictureEdge } from "./picture.js";
import { boxesOf, formulaOf, variableNode } from "./pictureParts.js";
import { type Program, Variable } from "./program.js";

type Parts = Pick<Picture, "nodes" | "edges" | "boxes">;

/** Values as nodes, an edge for each operand. */
export function compactParts(program: Program, notes: Notes): Parts {
  const used = new Set<unknown>(program.outputs);
  for (const op of program.operations) for (const x of op.inputs) used.add(x);
  const nodes = [...program.inputs, ...program.constants.filter((v) => used.has(v))].map((v) =>
    variableNode(v, notes),
  );
  const edges: PictureEdge[] = [];
  for (const op of program.operations) {
    for (const [k, v] of op.outputs.entries()) {
      if (!used.has(v)) continue;
      nodes.push(variableNode(v, notes, `${v.name} = ${formulaOf(op, k)}`));
      for (const [i, x] of op.inputs.entries()) {
        if (!(x instanceof Variable)) continue;
        const key = edgeKey(op, i, k);
        const note = notes.partials.get(key);
        edges.push({
          from: x.id,
          to: v.id,
          kind: "data",
          ...(note === undefined ? {} : { label: note.text, hidden: note.hidden === true }),
          ...(notes.highlighted.has(key) ? { highlighted: true } : {}),
        });
      }
    }
  }
  return { nodes, edges, boxes: boxesOf(program.operations.map((op) => op.scope)) };
}

/** What remains where chains and sums are one edge each. */
export function reducedParts(
  edges: readonly ReducedEdge[],
  notes: Notes,
  label: (along: readonly DependenceEdge[]) => string | undefined,
): Parts {
  const variables = new Set(edges.flatMap(({ from, to }) => [from, to]));
  const nodes = [...variables].map((v) => {
    const { box: _, ...node } = variableNode(v, notes);
    return node;
  });
  return {
    nodes,
    edges: edges.map(({ from, to, along }) => {
      const text = label(along);
      const highlighted = along.some((e) => notes.highlighted.has(keyOf(e)));
      return {
        from: from.id,
        to: to.id,
        kind: "data",
        ...(text === undefined ? {} : { label: text }),
        ...(highlighted ? { highlighted } : {}),
      };
    }),
    boxes: [],
  };
}
