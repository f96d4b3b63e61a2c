/** A picture as a text in Graphviz's DOT language, laid out so that it can be read and edited. */
import type { Line, Picture, PictureBox, PictureEdge, PictureNode, Tone } from "./picture.js";

const ink = "#25303f";
const derivativeInk = "#b3261e";
const quiet = "#5b6472";
const highlight = "#d9480f";

const fills: Readonly<Record<Tone, string>> = {
  input: "#dcebfa",
  constant: "#ececec",
  inner: "#f6f8fb",
  output: "#fdecc8",
};

/** Further attributes of parts of the picture, by `node v0`, `edge 3`, `box s0`: where a layout has put them. */
export type Placement = (part: string) => readonly (readonly [name: string, value: string])[];

const nowhere: Placement = () => [];

/** The DOT text of a picture. */
export function printDot(picture: Picture, place: Placement = nowhere): string {
  const { name, title, direction, nodes, edges, boxes } = picture;
  const up = direction === "up";
  const lines = [
    `digraph ${quoted(name)} {`,
    `  graph [rankdir=${up ? "BT" : "LR"}, nodesep=${up ? 0.6 : 0.3}, ranksep=${up ? 0.6 : 0.4}, bgcolor=white, fontname="Helvetica,Arial,sans-serif", fontsize=13, fontcolor="${ink}"${
      title === undefined ? "" : `, label=${quoted(title)}, labelloc=t`
    }]`,
    `  node [fontname="Helvetica,Arial,sans-serif", fontsize=13, fontcolor="${ink}", color="${ink}", penwidth=1, margin="0.14,0.06", height=0.36, width=0.4]`,
    `  edge [fontname="Helvetica,Arial,sans-serif", fontsize=12, fontcolor="${derivativeInk}", color="${quiet}", arrowsize=0.7]`,
    "",
  ];
  writeBox(lines, undefined, boxes, nodes, "  ", place);
  lines.push("");
  for (const [i, edge] of edges.entries()) lines.push(`  ${printEdge(edge, place(`edge ${i}`))}`);
  lines.push("}");
  return `${lines.join("\n")}\n`;
}

function writeBox(
  lines: string[],
  box: PictureBox | undefined,
  boxes: readonly PictureBox[],
  nodes: readonly PictureNode[],
  indent: string,
  place: Placement,
): void {
  for (const node of nodes)
    if (node.box === box?.id) lines.push(indent + printNode(node, place(`node ${node.id}`)));
  for (const inner of boxes) {
    if (inner.parent !== box?.id) continue;
    lines.push(`${indent}subgraph cluster_${inner.id} {`);
    lines.push(
      `${indent}  graph [label=${quoted(inner.title)}, labeljust=l, style="rounded,dashed", color="${quiet}", fontcolor="${quiet}", fontsize=12, margin=10${place(
        `box ${inner.id}`,
      )
        .map(([key, value]) => `, ${key}=${quoted(value)}`)
        .join("")}]`,
    );
    writeBox(lines, inner, boxes, nodes, `${indent}  `, place);
    lines.push(`${indent}}`);
  }
}

type Placed = readonly (readonly [name: string, value: string])[];

function printNode(node: PictureNode, placed: Placed): string {
  const attributes: [string, string][] = [["label", printLines(node.lines)]];
  const fill = node.tone === undefined ? "#ffffff" : fills[node.tone];
  switch (node.shape) {
    case "variable":
      attributes.push(["shape", "box"], ["style", "filled"], ["fillcolor", quoted(fill)]);
      break;
    case "operation": {
      // Short symbols stand in circles of one size, longer names in ellipses.
      const short = node.lines.length === 1 && [...node.lines[0].text].length <= 3;
      attributes.push(
        ["shape", short ? "circle" : "ellipse"],
        ["style", "filled"],
        ["fillcolor", '"#ffffff"'],
      );
      attributes.push(["margin", short ? "0.02" : '"0.05,0.02"']);
      break;
    }
    case "choice":
      attributes.push(["shape", "diamond"], ["margin", "0.01"]);
      break;
    case "number":
      attributes.push(["shape", "plain"], ["fontcolor", quoted(quiet)]);
      break;
    case "group":
      attributes.push(
        ["shape", "box"],
        ["style", '"rounded,filled"'],
        ["fillcolor", '"#eee8f7"'],
        ["margin", '"0.25,0.08"'],
      );
      break;
  }
  if (node.highlighted) attributes.push(["color", quoted(highlight)], ["penwidth", "2.5"]);
  for (const [key, value] of placed) attributes.push([key, quoted(value)]);
  return `${quoted(node.id)} ${list(attributes)}`;
}

/** One plain line as a string, several as HTML, which alone can give each its own look. */
function printLines(lines: readonly Line[]): string {
  if (lines.length === 1 && lines[0].kind === "name") return quoted(lines[0].text);
  const rows = lines.map(({ text, kind, hidden }) => {
    const [size, colour] = looks[kind];
    return `<font point-size="${size}" color="${hidden ? "transparent" : colour}">${escaped(text)}</font>`;
  });
  return `<${rows.join("<br/>")}>`;
}

const looks: Readonly<Record<Line["kind"], readonly [size: number, colour: string]>> = {
  name: [13, ink],
  type: [10, quiet],
  value: [12, "#1b5e20"],
  derivative: [12, derivativeInk],
};

function printEdge(edge: PictureEdge, placed: Placed): string {
  const attributes: [string, string][] = [];
  if (edge.label !== undefined) {
    // Space on both sides keeps the label off its edge.
    attributes.push(["label", quoted(` ${edge.label} `)]);
    if (edge.hidden) attributes.push(["fontcolor", "transparent"]);
  }
  if (edge.position !== undefined)
    attributes.push(
      ["headlabel", quoted(String(edge.position))],
      ["labelfontsize", "8"],
      ["labelfontcolor", quoted(quiet)],
      ["labeldistance", "1.2"],
    );
  if (edge.kind === "way") attributes.push(["style", "dashed"], ["fontcolor", quoted(quiet)]);
  if (edge.kind === "next")
    attributes.push(["style", "dashed"], ["constraint", "false"], ["fontcolor", quoted(quiet)]);
  if (edge.highlighted) attributes.push(["color", quoted(highlight)], ["penwidth", "2.5"]);
  for (const [key, value] of placed) attributes.push([key, quoted(value)]);
  return `${quoted(edge.from)} -> ${quoted(edge.to)}${attributes.length === 0 ? "" : ` ${list(attributes)}`}`;
}

const list = (attributes: readonly (readonly [string, string])[]): string =>
  `[${attributes.map(([key, value]) => `${key}=${value}`).join(", ")}]`;

export const quoted = (text: string): string =>
  `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
