/** `npx tsx test/browser/pages/serve.ts` after `npm run build`: the pages, for people. */
import { isolation, serve } from "./server.js";

const { origin } = await serve(isolation, 8080);
console.log(`${origin}/train.html            on a GPU if there is one, else WebAssembly`);
console.log(`${origin}/train.html?device=wasm`);
