/** Where the passes enter their names in the table that the rules of primitives use. */
export { passes, providePasses } from "../core/passes.js";
