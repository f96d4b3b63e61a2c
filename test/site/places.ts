/** Where the tested site lies. */
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));
export const folder = fileURLToPath(new URL("../../docs/.vitepress/cache/site", import.meta.url));
/** The path on its host: not the root, so that addresses that forget it are noticed. */
export const base = "/fluxion/";
