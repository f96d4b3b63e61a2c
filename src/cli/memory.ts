/** `fluxion memory`. */
import { footprintOf } from "../analysis/memory/memoryFootprint.js";
import { readCall } from "./call.js";
import type { Command } from "./main.js";

export const run: Command = async (target, flags, terminal) => {
  const { f, args, argnums } = await readCall(target, flags, terminal);
  const footprint = footprintOf(f, args, argnums === undefined ? {} : { argnums: argnums as never });
  const { name, storedBytes, ratio, ...figures } = footprint;
  return { text: String(footprint), data: { function: name, ratio, storedBytes, ...figures } };
};
