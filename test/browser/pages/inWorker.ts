import { answers } from "./portable.js";

postMessage(await answers());
