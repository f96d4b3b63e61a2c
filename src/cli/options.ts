/** The commands and their options: what `--help` prints and what a command line may hold. */
import type { ParseArgsConfig } from "node:util";

export interface OptionHelp {
  readonly type: "string" | "boolean";
  readonly short?: string;
  readonly multiple?: boolean;
  /** What stands for the value in `--help`. */
  readonly value?: string;
  readonly help: string;
}

export interface CommandHelp {
  /** In half a sentence. */
  readonly summary: string;
  /** What it prints. */
  readonly text: string;
  readonly options: Readonly<Record<string, OptionHelp>>;
  readonly examples: readonly string[];
}

/** Options of all commands. */
export const common: Readonly<Record<string, OptionHelp>> = {
  shapes: {
    type: "string",
    value: "LIST",
    help: "types of the arguments: 784x256,10:int32,{w:10x5,b:5},scalar",
  },
  args: {
    type: "string",
    value: "JSON",
    help: "values of the arguments in a list, all float32: '[[1, 2, 3], 0.5]'",
  },
  argnums: {
    type: "string",
    value: "N,...",
    help: "arguments to differentiate by (compare, memory, graph: all; else 0)",
  },
  static: {
    type: "string",
    multiple: true,
    value: "N=VALUE",
    help: "argument N is this value, not traced; N alone: as it is among the arguments",
  },
  device: { type: "string", value: "NAME", help: "wasm (the default), webgpu or reference" },
  json: { type: "boolean", help: "prints everything as JSON" },
  debug: { type: "boolean", help: "prints the stack of an error" },
  help: { type: "boolean", short: "h", help: "prints this" },
};

const output: OptionHelp = {
  type: "string",
  short: "o",
  value: "FILE",
  help: "writes a file, as SVG or DOT by its ending",
};

export const commands: Readonly<Record<string, CommandHelp>> = {
  compare: {
    summary: "what the derivative costs in forward and in reverse mode",
    text: "Prints passes, operations, bytes and memory of the value, of one jvp and one vjp, and of the whole\nJacobian by each mode, and which one to use.",
    options: {
      measure: { type: "boolean", help: "measures times on the device as well" },
      svg: { type: "string", value: "FILE", help: "draws cost against the number of inputs" },
    },
    examples: [
      "compare model.js#loss --shapes 784x256,256 --argnums 0",
      "compare model.js#loss --measure --svg cost.svg",
    ],
  },
  graph: {
    summary: "the computational graph, as DOT or SVG",
    text: "Prints the graph of the function in the language of Graphviz, or writes it to a file.",
    options: {
      values: { type: "boolean", help: "writes values into the nodes (with --args)" },
      derivatives: { type: "boolean", help: "writes local derivatives onto the edges (with --args)" },
      mode: { type: "string", value: "MODE", help: "accumulates derivatives: forward or reverse" },
      from: {
        type: "string",
        value: "NAME",
        help: "the input or output that the mode starts from (the first)",
      },
      form: { type: "string", value: "FORM", help: "operations (the default), compact or reduced" },
      depth: { type: "string", value: "N", help: "levels of bodies that are opened: jit, loops, branches" },
      group: {
        type: "string",
        value: "BY",
        help: "one node for what belongs together: line, function, repeats or all",
      },
      output,
    },
    examples: [
      "graph model.js#loss --shapes 784x256,256 -o loss.svg",
      "graph e.js --args '[2, 1]' --values --mode reverse -o e.dot",
    ],
  },
  memory: {
    summary: "what prediction and training hold in memory",
    text: "Prints the peak memory of the value and of the gradient, as written and as compiled, and every array\nthat is stored for the way back with the line that computes it.",
    options: {},
    examples: ["memory model.js#loss --shapes 784x256,256 --argnums 0"],
  },
  jaxpr: {
    summary: "the program that the function is, after transforms",
    text: "Prints the jaxpr of the function, after transforms in the order in which they are named: grad,\nvalueAndGrad, jvp, vjp, hessian, jacfwd, jacrev, jit, vmap. The arguments are those of the function:\njvp adds tangents of the same types, vjp a cotangent, and vmap an axis in front of everything.",
    options: {
      transform: { type: "string", value: "LIST", help: "transforms with commas between: grad,jit" },
      batch: { type: "string", value: "N", help: "length of the axis that vmap adds (10)" },
    },
    examples: [
      "jaxpr model.js#loss --shapes 784x256,256",
      "jaxpr model.js#predict --shapes 784 --transform vmap,jit --batch 32",
    ],
  },
  jacobian: {
    summary: "how the Jacobian is best computed, and why",
    text: "Prints the plan that jacobian(f) follows: the mode it chooses, what the others would cost, and what\nsparsity saves.",
    options: {
      mode: {
        type: "string",
        value: "MODE",
        help: "auto (the default), forward, reverse, compressedForward or compressedReverse",
      },
      sparse: { type: "boolean", help: "plans for the entries of the pattern alone" },
    },
    examples: ["jacobian model.js#residual --shapes 1000"],
  },
  sparsity: {
    summary: "which elements of the result depend on which elements of the arguments",
    text: "Prints the pattern of the Jacobian, of each output by each argument.",
    options: {},
    examples: ["sparsity model.js#residual --shapes 20"],
  },
};

/** What `parseArgs` takes. */
export const configOf = (
  options: Readonly<Record<string, OptionHelp>>,
): NonNullable<ParseArgsConfig["options"]> =>
  Object.fromEntries(
    Object.entries(options).map(([name, { type, short, multiple }]) => [
      name,
      { type, ...(short !== undefined && { short }), ...(multiple !== undefined && { multiple }) },
    ]),
  );
