/**
 * Prints kernels of the IR as a module of WebAssembly. A kernel becomes a function of the first item of a range, the end
 * of the range, and the address of each of its buffers.
 */
import { InternalError } from "../../core/errors.js";
import {
  type Atomic,
  type Expr,
  type For,
  type HostCall,
  type Kernel,
  type Local,
  type Stmt,
  scalarTypeOf,
  type While,
} from "../../core/ir/types.js";
import { printAddress, printLoad, printStore } from "./access.js";
import { binaryOnStack } from "./arithmetic.js";
import { FunctionBuilder } from "./builder.js";
import { ExpressionPrinter, type ModuleContext } from "./expressions.js";
import { HalfFunctions, type Helper } from "./half.js";
import { type HostFunction, identifier, type WasmFunction, type WasmModule } from "./module.js";
import { binaries, shapeOf, valueTypeOf } from "./shapes.js";

export interface PrintedKernels {
  readonly module: WasmModule;
  /** For each kernel the function that it became. */
  readonly functions: readonly WasmFunction[];
  /** What is special about the code of each kernel (of the original, where it is a copy). */
  readonly facts: ReadonlyMap<Kernel, CodeFacts>;
}

export interface CodeFacts {
  readonly hasAtomics: boolean;
  /** Functions of JavaScript that it calls. */
  readonly calls: ReadonlySet<HostFunction>;
}

/** Prints kernels (launched over ranges) as one module. */
export function printKernels(
  kernels: readonly Kernel[],
  { sharedMemory }: { readonly sharedMemory: boolean },
): PrintedKernels {
  const module = new ModulePrinter();
  const printed = new Map<Kernel, WasmFunction>();
  const functions = kernels.map((kernel) => {
    const original = kernel.copyOf ?? kernel;
    const f = printed.get(original) ?? module.print(original);
    printed.set(original, f);
    return f;
  });
  return {
    module: { sharedMemory, imports: module.imports, functions: module.functions },
    functions,
    facts: module.facts,
  };
}

class ModulePrinter implements ModuleContext {
  readonly functions: WasmFunction[] = [];
  readonly facts = new Map<Kernel, CodeFacts>();
  /** Those of the kernel at hand. */
  private calls = new Set<HostFunction>();
  private readonly hosts = new Map<(...args: number[]) => number, HostFunction[]>();
  private readonly names = new Set<string>();
  readonly half = new HalfFunctions((helper) => this.printHelper(helper));

  get imports(): readonly HostFunction[] {
    return [...this.hosts.values()].flat();
  }

  private unique(name: string): string {
    const base = identifier(name);
    let unique = base;
    for (let n = 1; this.names.has(unique); n++) unique = `${base}_${n}`;
    this.names.add(unique);
    return unique;
  }

  /** Functions of JavaScript are imported once for each type they are used with. */
  hostFunction({ name, fn, args, type }: HostCall): HostFunction {
    const params = args.map(valueTypeOf);
    const result = valueTypeOf({ type, lanes: 1 });
    const same = (h: HostFunction): boolean =>
      h.result === result && h.params.length === params.length && h.params.every((p, i) => p === params[i]);
    let known = this.hosts.get(fn);
    if (known === undefined) {
      known = [];
      this.hosts.set(fn, known);
    }
    let found = known.find(same);
    if (found === undefined) {
      found = { kind: "host", name: this.unique(name), params, result, fn };
      known.push(found);
    }
    this.calls.add(found);
    return found;
  }

  private printHelper({ name, param, steps, result }: Helper): WasmFunction {
    const f = new FunctionBuilder(
      this.unique(name),
      [{ name: param.name, type: valueTypeOf(param) }],
      valueTypeOf(result),
    );
    const printer = new ExpressionPrinter(f, this);
    printer.locals.set(param, 0);
    for (const { local, value } of steps) {
      printer.print(value);
      const index = f.acquire(valueTypeOf(local), local.name);
      f.set(index);
      printer.locals.set(local, index);
    }
    printer.print(result);
    return this.add(f.finish(false));
  }

  private add(f: WasmFunction): WasmFunction {
    this.functions.push(f);
    return f;
  }

  print(kernel: Kernel): WasmFunction {
    const { launch, buffers } = kernel;
    if (launch.kind !== "range")
      throw new InternalError(`kernel ${kernel.name} is for a grid of threads; WebAssembly runs ranges`);
    const f = new FunctionBuilder(
      this.unique(kernel.name),
      [launch.begin, launch.end, ...buffers].map(({ name }) => ({ name, type: "i32" })),
      undefined,
    );
    const printer = new StatementPrinter(f, this);
    printer.values.locals.set(launch.begin, 0).set(launch.end, 1);
    buffers.forEach((b, i) => {
      printer.values.addresses.set(b, i + 2);
    });
    this.calls = new Set();
    printer.block(kernel.body);
    this.facts.set(kernel, { hasAtomics: printer.hasAtomics, calls: this.calls });
    return this.add(f.finish(true));
  }
}

/** Whether the value of an expression is at hand at any time and cannot change. */
const isFixed = (e: Expr): boolean => e.op === "const" || (e.op === "get" && !e.local.mutable);

class StatementPrinter {
  readonly values: ExpressionPrinter;
  hasAtomics = false;

  constructor(
    private readonly f: FunctionBuilder,
    module: ModuleContext,
  ) {
    this.values = new ExpressionPrinter(f, module);
  }

  /** Statements in a scope of their own: afterwards its locals can hold others. */
  block(stmts: readonly Stmt[]): void {
    const names: Local[] = [];
    for (const s of stmts) {
      this.print(s);
      if (s.kind === "let") names.push(s.local);
    }
    for (const local of names) this.forget(local);
  }

  /** Gives a local of the kernel the value on the stack. */
  private define(local: Local): number {
    const index = this.f.acquire(valueTypeOf(local), local.name);
    this.f.set(index);
    this.values.locals.set(local, index);
    return index;
  }

  private forget(local: Local): void {
    this.f.release(this.values.localOf(local));
    this.values.locals.delete(local);
  }

  private print(s: Stmt): void {
    const { f, values } = this;
    switch (s.kind) {
      case "let":
        values.print(s.value);
        this.define(s.local);
        return;
      case "assign":
        values.print(s.value);
        f.set(values.localOf(s.local));
        return;
      case "store": {
        const at = printAddress(values, s.buffer, s.index);
        values.print(s.value);
        printStore(values, s.buffer, s.value.lanes, at);
        return;
      }
      case "atomic":
        this.printAtomic(s);
        return;
      case "for":
        this.printFor(s);
        return;
      case "while":
        this.printWhile(s);
        return;
      case "if":
        values.print(s.cond);
        f.ifElse(
          undefined,
          () => this.block(s.then),
          s.else.length === 0 ? undefined : () => this.block(s.else),
        );
        return;
      case "barrier":
        throw new InternalError("a barrier in a kernel over a range");
    }
  }

  /** A plain read and write: one thread runs all items of a kernel that has such a statement. */
  private printAtomic({ fn, buffer, index, value }: Atomic): void {
    const { f, values } = this;
    this.hasAtomics = true;
    const at = printAddress(values, buffer, index);
    const address = f.acquire("i32", "address");
    f.tee(address);
    f.get(address);
    printLoad(values, buffer, 1, at);
    values.print(value);
    f.release(address);
    const shape = shapeOf({ type: scalarTypeOf(buffer.dtype), lanes: 1 });
    const simple = binaries[shape]?.[fn];
    if (simple !== undefined) f.plain(...simple);
    else if (!binaryOnStack(f, fn, shape)) throw new InternalError(`atomic ${fn} of ${shape}`);
    printStore(values, buffer, 1, at);
  }

  private printFor({ local, from, to, step, body }: For): void {
    const { f, values } = this;
    let limit: number | undefined;
    if (!isFixed(to)) {
      limit = f.acquire("i32", "limit");
      values.print(to);
      f.set(limit);
    }
    const printEnd = (): void => (limit === undefined ? values.print(to) : f.get(limit));
    values.print(from);
    const counter = this.define(local);
    const bodyAtLeastOnce = from.op === "const" && to.op === "const" && from.value < to.value;
    const loop = (): void =>
      f.loop(() => {
        this.block(body);
        f.get(counter);
        f.constant("i32", step);
        f.plain("i32.add");
        f.tee(counter);
        printEnd();
        f.plain("i32.lt_s");
        f.branch("br_if", 0);
      });
    if (bodyAtLeastOnce) loop();
    else {
      f.get(counter);
      printEnd();
      f.plain("i32.lt_s");
      f.ifElse(undefined, loop);
    }
    this.forget(local);
    if (limit !== undefined) f.release(limit);
  }

  private printWhile({ cond, body }: While): void {
    const { f, values } = this;
    f.block(() =>
      f.loop(() => {
        values.print(cond);
        f.plain("i32.eqz");
        f.branch("br_if", 1);
        this.block(body);
        f.branch("br", 0);
      }),
    );
  }
}
