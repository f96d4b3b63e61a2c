/** From a picture to SVG. Where things go is Graphviz's business, which comes as the optional package `@viz-js/viz`. */
import type { Viz } from "@viz-js/viz";
import { ArgumentError } from "../../core/errors.js";
import { loadPackage } from "../optionalPackage.js";
import { printDot } from "./dot.js";
import type { Picture } from "./picture.js";
import { type LaidOut, rise } from "./rise.js";

let loaded: Promise<Viz> | undefined;

/** Graphviz, once. */
async function graphviz(): Promise<Viz> {
  const load = async (): Promise<Viz> => (await import("@viz-js/viz")).instance();
  loaded ??= loadPackage("@viz-js/viz", "laying out a graph (its DOT text needs none)", load);
  try {
    return await loaded;
  } catch (error) {
    loaded = undefined;
    throw error;
  }
}

/** The picture as SVG. */
export async function renderSvg(picture: Picture): Promise<string> {
  const viz = await graphviz();
  try {
    return layOut(viz, picture);
  } catch (error) {
    // Where it ran out of memory or stack, it works no more; the next picture gets another one.
    loaded = undefined;
    const { nodes, edges } = picture;
    const size = `${nodes.length} nodes and ${edges.length} edges`;
    throw new ArgumentError(
      `drawGraph: Graphviz could not lay out ${picture.name}, which has ${size} (${error instanceof Error ? error.message : String(error)}). ` +
        "Group by { group: true }, open fewer bodies with { depth: 0 }, or take the text with .dot and lay it out elsewhere",
    );
  }
}

function layOut(viz: Viz, picture: Picture): string {
  const flat = printDot(picture, (part) => [["id", part]]);
  if (!picture.rising) return cleaned(viz.renderString(flat, { format: "svg", engine: "dot" }), picture);
  const laidOut = viz.renderJSON(flat, { engine: "dot" }) as LaidOut;
  const placement = rise(laidOut, picture);
  return cleaned(viz.renderString(printDot(picture, placement), { format: "svg", engine: "nop2" }), picture);
}

/**
 * Graphviz estimates texts in the metrics of Helvetica; where that is missing the fonts that stand for it are wider by up to a seventh.
 * So the text is made this much smaller than its room, and the picture that much larger.
 */
const room = 1.15;

/** SVG that can stand in a page: without prolog and comments, and with titles that say what a node is. */
function cleaned(svg: string, picture: Picture): string {
  const hints = new Map(picture.nodes.map(({ id, hint }) => [id, hint]));
  return svg
    .slice(svg.indexOf("<svg"))
    .replace(/<!--[\s\S]*?-->\n?/g, "")
    .replace(/<title>([\s\S]*?)<\/title>\n?/g, (_, id: string) => {
      const hint = hints.get(id);
      return hint === undefined ? "" : `<title>${escapeXml(hint)}</title>\n`;
    })
    .replace(/<g [^>]*class="node">[\s\S]*?<\/g>/g, centred)
    .replace(/ id="[^"]*"/g, "")
    .replace(/font-size="([\d.]+)"/g, (_, size: string) => `font-size="${round(Number(size) / room)}"`)
    .replace(
      /(width|height)="([\d.]+)pt"/g,
      (_, side, length) => `${side}="${Math.round(Number(length) * room)}pt"`,
    )
    .replace("<svg ", `<svg role="img" aria-label="${escapeXml(`graph of ${picture.name}`)}" `)
    .replaceAll('fill="transparent"', 'fill="none"')
    .trimEnd()
    .concat("\n");
}

/**
 * The lines of a node in its middle. Graphviz puts lines of several looks where they would begin in a font that it estimates; browsers
 * have others.
 */
function centred(node: string): string {
  const [, ellipse] = /<ellipse [^>]*cx="(-?[\d.]+)"/.exec(node) ?? [];
  const xs = (/<(?:polygon|path) [^>]*(?:points|d)="([^"]*)"/.exec(node)?.[1].match(/-?[\d.]+,/g) ?? []).map(
    Number.parseFloat,
  );
  if (ellipse === undefined && xs.length === 0) return node;
  const middle = ellipse === undefined ? (Math.min(...xs) + Math.max(...xs)) / 2 : Number(ellipse);
  return node.replace(/text-anchor="start" x="-?[\d.]+"/g, `text-anchor="middle" x="${round(middle)}"`);
}

export const escapeXml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

/** Width and height of an SVG of ours, in points. */
export function sizeOfSvg(svg: string): readonly [width: number, height: number] {
  const [, width, height] = /width="([\d.]+)pt"\s+height="([\d.]+)pt"/.exec(svg) ?? [];
  return [Number(width), Number(height)];
}

export interface Panel {
  readonly svg: string;
  readonly title?: string;
}

const gap = 24;
const titleHeight = 26;
/** What a page has room for. */
const widest = 850;

/**
 * Several drawings in one, in rows.
 *
 * @param perRow how many stand beside each other; without it as many as there is room for.
 */
export function arrange(panels: readonly Panel[], label: string, perRow?: number): string {
  const out: string[] = [];
  let [x, y, rowHeight, width, inRow] = [gap, gap, 0, 0, 0];
  for (const { svg, title } of panels) {
    const [w, h] = sizeOfSvg(svg);
    if (inRow > 0 && (perRow === undefined ? x + w + gap > widest : inRow >= perRow))
      [x, y, rowHeight, inRow] = [gap, y + rowHeight + gap, 0, 0];
    const top = title === undefined ? 0 : titleHeight;
    if (title !== undefined)
      out.push(
        `<text x="${x}" y="${y + 14}" font-family="Helvetica,Arial,sans-serif" font-size="15" font-weight="bold" fill="#25303f">${escapeXml(title)}</text>`,
      );
    out.push(
      svg
        .trimEnd()
        .replace("<svg ", `<svg x="${x}" y="${y + top}" `)
        .replace(/ role="img" aria-label="[^"]*"/, ""),
    );
    x += w + gap;
    width = Math.max(width, x);
    rowHeight = Math.max(rowHeight, h + top);
    inRow++;
  }
  const height = y + rowHeight + gap;
  const size = `width="${round(width)}pt" height="${round(height)}pt" viewBox="0 0 ${round(width)} ${round(height)}"`;
  return [
    `<svg role="img" aria-label="${escapeXml(label)}" ${size} xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">`,
    `<rect width="100%" height="100%" fill="white"/>`,
    // Inside of one drawing points and pixels are the same.
    ...out.map((part) => part.replace(/width="([\d.]+)pt"\s+height="([\d.]+)pt"/, 'width="$1" height="$2"')),
    "</svg>",
    "",
  ].join("\n");
}

const round = (x: number): number => Math.round(x * 100) / 100;
