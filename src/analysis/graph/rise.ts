/**
 * Graphviz lays graphs out from left to right. The textbook's graphs also rise: inputs at the lower left, the output at the upper
 * right. So the finished layout is sheared: everything moves up in proportion to how far right it is. An edge moves with the two
 * nodes that it joins, and the slope is the steepest at which nothing comes to lie on something else.
 */
import type { Placement } from "./dot.js";
import type { Picture } from "./picture.js";

/** What Graphviz says of a layout, as far as it is used: lengths in points, sizes of nodes in inches. */
export interface LaidOut {
  readonly bb: string;
  readonly lp?: string;
  readonly objects?: readonly Placed[];
  readonly edges?: readonly Placed[];
}

interface Placed {
  readonly name: string;
  readonly id?: string;
  readonly pos?: string;
  readonly lp?: string;
  readonly head_lp?: string;
  readonly bb?: string;
  readonly width?: string;
  readonly height?: string;
  readonly lwidth?: string;
  readonly lheight?: string;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

interface Rect {
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
  readonly top: number;
}

interface SlopedEdge {
  readonly from: string;
  readonly to: string;
  readonly start: Point | undefined;
  readonly end: Point | undefined;
  readonly points: readonly Point[];
  readonly label: Point | undefined;
  readonly headLabel: Point | undefined;
}

interface Sloped {
  readonly centres: ReadonlyMap<string, Point>;
  readonly nodes: ReadonlyMap<string, Rect>;
  readonly edges: readonly SlopedEdge[];
  readonly boxes: ReadonlyMap<string, Rect>;
  /** Of the boxes' titles. */
  readonly titleWidths: ReadonlyMap<string, number>;
  /** Of the edges that have one. */
  readonly labels: readonly (Rect & { readonly edge: number })[];
}

const slopes = [0.3, 0.24, 0.18, 0.12, 0.07, 0.03];

/** Where everything is after the shear. */
export function rise(laidOut: LaidOut, picture: Picture): Placement {
  const flat = sheared(laidOut, picture, 0);
  const inTheWay = collisions(flat, picture);
  const slope = slopes.find((s) => collisions(sheared(laidOut, picture, s), picture) <= inTheWay) ?? 0;
  return placementOf(slope === 0 ? flat : sheared(laidOut, picture, slope));
}

const point = (text: string): Point => {
  const [x, y] = text.split(",").map(Number);
  return { x, y };
};

/** Lines of text in Graphviz's estimate are narrower than browsers draw some of them; labels are taken as wider. */
const labelHeight = 14;

function sheared(laidOut: LaidOut, picture: Picture, slope: number): Sloped {
  const objects = new Map((laidOut.objects ?? []).map((o) => [o.name, o]));
  const edgesById = new Map((laidOut.edges ?? []).map((e) => [e.id, e]));
  const middles = new Map<string, Point>();
  const centres = new Map<string, Point>();
  const nodes = new Map<string, Rect>();
  for (const { id } of picture.nodes) {
    const { pos = "0,0", width = "0", height = "0" } = objects.get(id) ?? {};
    const middle = point(pos);
    const centre = { x: middle.x, y: middle.y + slope * middle.x };
    middles.set(id, middle);
    centres.set(id, centre);
    nodes.set(id, around(centre, 72 * Number(width), 72 * Number(height)));
  }
  const labels: (Rect & { edge: number })[] = [];
  const edges = picture.edges.map(({ from, to, label }, i): SlopedEdge => {
    const { pos = "", lp, head_lp } = edgesById.get(`edge ${i}`) ?? {};
    const parts = pos.split(/\s+/).filter((p) => p !== "");
    const tip = parts.find((p) => p.startsWith("e,"));
    const tail = parts.find((p) => p.startsWith("s,"));
    const points = parts.filter((p) => /^-?[\d.]/.test(p)).map(point);
    const first = tail === undefined ? points[0] : point(tail.slice(2));
    const last = tip === undefined ? points[points.length - 1] : point(tip.slice(2));
    const [a, b] = [(middles.get(from) as Point).x, (middles.get(to) as Point).x];
    // At its ends an edge moves as far as the nodes there, and in between in proportion.
    const run = (last?.x ?? 0) - (first?.x ?? 0);
    const shift = ({ x, y }: Point): Point => ({
      x,
      y: y + slope * (Math.abs(run) < 1 ? (a + b) / 2 : a + ((x - first.x) / run) * (b - a)),
    });
    const shiftedPoints = points.map(shift);
    const width = 6.2 * [...(label ?? "")].length;
    const placedLabel =
      lp === undefined ? undefined : besideEdge(shift(point(lp)), width, alongSpline(shiftedPoints));
    if (placedLabel !== undefined) labels.push({ ...around(placedLabel, width, labelHeight), edge: i });
    return {
      from,
      to,
      start: tail === undefined ? undefined : shift(first),
      end: tip === undefined ? undefined : shift(last),
      points: shiftedPoints,
      label: placedLabel,
      headLabel: head_lp === undefined ? undefined : shift(point(head_lp)),
    };
  });
  const titleWidths = new Map(
    picture.boxes.map(({ id }) => [id, 72 * Number(objects.get(`cluster_${id}`)?.lwidth ?? 0)]),
  );
  return { centres, nodes, edges, boxes: boxesAround(nodes, picture, titleWidths), titleWidths, labels };
}

/** A label on the side of its edge where it was, and off the edge: a slope would run through its corners. */
function besideEdge(at: Point, width: number, path: readonly Point[]): Point {
  const near = path.filter(({ x }) => x > at.x - width / 2 - 4 && x < at.x + width / 2 + 4).map(({ y }) => y);
  if (near.length === 0) return at;
  const [low, high] = [Math.min(...near), Math.max(...near)];
  const room = labelHeight / 2 + 1;
  // Where the edge runs up steeply there is nothing to gain.
  if (high - low > 3 * labelHeight) return at;
  return { x: at.x, y: at.y >= (low + high) / 2 ? Math.max(at.y, high + room) : Math.min(at.y, low - room) };
}

const around = ({ x, y }: Point, width: number, height: number): Rect => ({
  left: x - width / 2,
  right: x + width / 2,
  bottom: y - height / 2,
  top: y + height / 2,
});

const boxMargin = 10;
const titleRoom = 18;

/** Boxes around the nodes where they are now, inner boxes first. */
function boxesAround(
  nodes: ReadonlyMap<string, Rect>,
  picture: Picture,
  titleWidths: ReadonlyMap<string, number>,
): Map<string, Rect> {
  const boxes = new Map<string, Rect>();
  for (const { id } of [...picture.boxes].reverse()) {
    const inside = [
      ...picture.nodes.filter((n) => n.box === id).map((n) => nodes.get(n.id) as Rect),
      ...picture.boxes.filter((b) => b.parent === id).flatMap((b) => boxes.get(b.id) ?? []),
    ];
    if (inside.length === 0) continue;
    const left = Math.min(...inside.map((r) => r.left)) - boxMargin;
    const titleWidth = (titleWidths.get(id) ?? 0) + 2 * boxMargin;
    boxes.set(id, {
      left,
      right: Math.max(left + titleWidth, Math.max(...inside.map((r) => r.right)) + boxMargin),
      bottom: Math.min(...inside.map((r) => r.bottom)) - boxMargin,
      top: Math.max(...inside.map((r) => r.top)) + boxMargin + titleRoom,
    });
  }
  return boxes;
}

const overlap = (a: Rect, b: Rect, room = 0): boolean =>
  a.left < b.right + room && b.left < a.right + room && a.bottom < b.top + room && b.bottom < a.top + room;

/** How many things lie on others: nodes, labels, boxes and edges. */
function collisions({ nodes, edges, boxes, labels }: Sloped, picture: Picture): number {
  let count = 0;
  const rects = [...nodes.entries()];
  for (const [i, [, a]] of rects.entries()) {
    for (let k = i + 1; k < rects.length; k++) if (overlap(a, rects[k][1], 4)) count++;
    for (const label of labels) if (overlap(a, label, 1)) count++;
  }
  for (const [i, a] of labels.entries())
    for (let k = i + 1; k < labels.length; k++) if (overlap(a, labels[k])) count++;
  const parents = new Map(picture.boxes.map((b) => [b.id, b.parent]));
  const isInside = (id: string | undefined, box: string): boolean => {
    for (let at = id; at !== undefined; at = parents.get(at)) if (at === box) return true;
    return false;
  };
  for (const [box, rect] of boxes) {
    for (const { id, box: own } of picture.nodes)
      if (!isInside(own, box) && overlap(rect, nodes.get(id) as Rect, 4)) count++;
    for (const [other, its] of boxes)
      if (other < box && !isInside(other, box) && !isInside(box, other) && overlap(rect, its, 4)) count++;
  }
  for (const [i, { from, to, points }] of edges.entries()) {
    const path = alongSpline(points);
    for (const label of labels)
      if (label.edge !== i && path.some((p) => overlap(label, around(p, 2, 2)))) count++;
    for (const [id, rect] of nodes)
      if (id !== from && id !== to && path.some((p) => overlap(rect, around(p, 2, 2)))) count++;
  }
  return count;
}

const fineness = 16;

/** Points on a chain of cubic Bézier curves. */
function alongSpline(points: readonly Point[]): Point[] {
  const found: Point[] = [];
  for (let i = 0; i + 3 < points.length; i += 3)
    for (let k = 0; k <= fineness; k++) {
      const t = k / fineness;
      const [a, b, c, d] = [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t ** 3];
      const mix = (axis: "x" | "y"): number =>
        a * points[i][axis] + b * points[i + 1][axis] + c * points[i + 2][axis] + d * points[i + 3][axis];
      found.push({ x: mix("x"), y: mix("y") });
    }
  return found;
}

const write = ({ x, y }: Point): string => `${Math.round(x * 100) / 100},${Math.round(y * 100) / 100}`;

/** As attributes that Graphviz's engine without a layout of its own takes. */
function placementOf({ centres, edges, boxes, titleWidths }: Sloped): Placement {
  return (part) => {
    const [kind, id] = [part.slice(0, part.indexOf(" ")), part.slice(part.indexOf(" ") + 1)];
    const attributes: [string, string][] = [];
    const add = (name: string, at: Point | undefined): void => {
      if (at !== undefined) attributes.push([name, write(at)]);
    };
    if (kind === "node") add("pos", centres.get(id));
    if (kind === "box") {
      const rect = boxes.get(id);
      if (rect !== undefined) {
        attributes.push([
          "bb",
          [rect.left, rect.bottom, rect.right, rect.top].map((x) => x.toFixed(2)).join(","),
        ]);
        add("lp", { x: rect.left + boxMargin + (titleWidths.get(id) ?? 0) / 2, y: rect.top - titleRoom / 2 });
      }
    }
    if (kind === "edge") {
      const { start, end, points, label, headLabel } = edges[Number(id)];
      const ends = [
        ...(end === undefined ? [] : [`e,${write(end)}`]),
        ...(start === undefined ? [] : [`s,${write(start)}`]),
      ];
      attributes.push(["pos", [...ends, ...points.map(write)].join(" ")]);
      add("lp", label);
      add("head_lp", headLabel);
    }
    return attributes;
  };
}
