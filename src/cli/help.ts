/** What `--help` prints. */
import { commands, common, type OptionHelp } from "./options.js";

const pad = (rows: readonly (readonly [string, string])[]): string => {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join("\n");
};

const optionRows = (options: Readonly<Record<string, OptionHelp>>): (readonly [string, string])[] =>
  Object.entries(options).map(([name, { short, value, help }]) => [
    `${short === undefined ? "    " : `-${short}, `}--${name}${value === undefined ? "" : ` ${value}`}`,
    help,
  ]);

const target = `FILE is a module in JavaScript or TypeScript. Without #export it is the default export that is
looked at. Without --shapes and --args the arguments are the list that the module exports as
lossArgs, for an export loss, or else as exampleArgs.

A shape is 784x256, or scalar, with a dtype behind a colon where it is not float32: 10:int32.
Parameters in objects and lists are written like them: {w:784x10,b:10}, [784x10,10]. Quote braces:
the shell reads them too.`;

/** `fluxion --help`. */
export const generalHelp = (): string => `Usage: fluxion COMMAND FILE[#export] [options]

Looks at a function of yours: what its derivatives cost, what they keep in memory, its graph, its
program.

Commands:
${pad(Object.entries(commands).map(([name, { summary }]) => [name, summary]))}

${target}

Options:
${pad([...optionRows(common), ["-v, --version", "prints the version"]])}

fluxion COMMAND --help says more. Exit codes: 0, 1 for what the function or the device throws, 2 for
a command line that is not understood.
`;

/** `fluxion compare --help`. */
export function commandHelp(name: string): string {
  const { summary, text, options, examples } = commands[name];
  return `Usage: fluxion ${name} FILE[#export] [options]

${summary[0].toUpperCase()}${summary.slice(1)}.

${text}

${target}

Options:
${pad(optionRows({ ...options, ...common }))}

Examples:
${examples.map((line) => `  npx fluxion ${line}`).join("\n")}
`;
}
