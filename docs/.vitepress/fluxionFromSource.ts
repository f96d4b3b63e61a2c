/** A plugin of vite for pages that bundle fluxion's source. */
import type { Plugin } from "vitepress";

/**
 * package.json tells users' bundlers that no file of the build has side effects. Of the source that is not true: arrays get
 * their methods, and the library its device, when a file starts of which nobody imports anything.
 */
export const fluxionFromSource = (): Plugin => ({
  name: "fluxion-from-source",
  transform: (_code, id) =>
    /[\\/]src[\\/].*\.ts$/.test(id) && !id.includes("node_modules") ? { moduleSideEffects: true } : null,
});

/**
 * Vitepress also runs the pages in Node, to write their HTML. The worker only starts in a browser; there it need not be bundled a
 * second time, with the library and all it loads.
 */
export const withoutWorkerInNode = (): Plugin => ({
  name: "without-worker-in-node",
  enforce: "pre",
  load: (id, options) =>
    options?.ssr === true && /[\\/]playground[\\/]runner\.ts$/.test(id) ? "export class Runner {}" : null,
});
