/** `fluxion compare`. */
import { compare } from "../analysis/modes/compareModes.js";
import { readCall } from "./call.js";
import { requireWritable, writeOutput } from "./files.js";
import type { Command } from "./main.js";

export const run: Command = async (target, flags, terminal) => {
  if (flags.svg !== undefined) requireWritable(flags.svg, [".svg"], terminal);
  const { f, args, argnums } = await readCall(target, flags, terminal);
  const options = {
    ...(argnums !== undefined && { argnums: argnums as never }),
    ...(flags.measure && { measure: true }),
  };
  const comparison = await compare(f, args, options, "compareModes");
  if (flags.svg !== undefined) writeOutput(flags.svg, await comparison.svg(), terminal);
  const { name, inputs, outputs, rows, verdict, crossover, forwardLine, device } = comparison;
  return {
    text: String(comparison),
    data: { function: name, inputs, outputs, rows, verdict, crossover, forwardLine, device },
  };
};
