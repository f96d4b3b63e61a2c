/** A static host as there are many: files by their path, compressed with gzip, and no headers beside. It writes down what it sent. */
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { gzipSync } from "node:zlib";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".json": "application/json",
};

export interface Sent {
  readonly path: string;
  /** Of the body, compressed. */
  readonly bytes: number;
  /** When it was asked for, in ms since 1970. */
  readonly at: number;
}

export interface Site {
  /** `http://localhost:<port>` */
  readonly origin: string;
  /** Everything sent, in order. */
  readonly sent: Sent[];
  close(): Promise<void>;
}

/** Serves the files of a folder below `base`, at a free port. */
export async function serveSite(folder: string, base = "/"): Promise<Site> {
  const sent: Sent[] = [];
  const compressed = new Map<string, Buffer>();
  const contentOf = async (file: string): Promise<Buffer> => {
    const known = compressed.get(file);
    if (known !== undefined) return known;
    const content = gzipSync(await readFile(join(folder, file)));
    compressed.set(file, content);
    return content;
  };
  const server: Server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const path = decodeURIComponent(pathname);
    const at = Date.now();
    try {
      if (!path.startsWith(base)) throw new Error(`${path} is not below ${base}`);
      const file = normalize(path.slice(base.length)).replace(/(^|\/)\.?$/, "$1index.html");
      const content = await contentOf(file);
      sent.push({ path, bytes: content.length, at });
      const type = types[extname(file)] ?? "application/octet-stream";
      response.writeHead(200, { "Content-Type": type, "Content-Encoding": "gzip" }).end(content);
    } catch (error) {
      response.writeHead(404, { "Content-Type": "text/plain" }).end(String(error));
    }
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "localhost", resolve));
  return {
    origin: `http://localhost:${(server.address() as AddressInfo).port}`,
    sent,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
