/**
 * Finding arrays that nobody can reach any more, in the middle of a synchronous loop.
 *
 * The memory of a device is outside of what V8 counts, so that V8 sees no reason to collect the small objects that own it; and
 * what it does collect it reports (`FinalizationRegistry`, `WeakRef`) only after the running job. In Node both can be had:
 * a full collection is a function away, and a microtask checkpoint in a context with a queue of its own ends the promise
 * that weak references make to the running job. Browsers offer neither; there one has to await now and then.
 */

/** After a call, a `WeakRef` to an object that cannot be reached is empty, also if it was made in the running job. */
export type Collect = () => void;

interface NodeModules {
  readonly "node:v8": { setFlagsFromString(flags: string): void };
  readonly "node:vm": {
    createContext(object: object, options: { microtaskMode: "afterEvaluate" }): object;
    runInNewContext(code: string): unknown;
    Script: new (code: string) => { runInContext(context: object): unknown };
  };
}

type GetBuiltinModule = <K extends keyof NodeModules>(name: K) => NodeModules[K];

const processOf = (): { getBuiltinModule?: GetBuiltinModule } | undefined =>
  (globalThis as { process?: { getBuiltinModule?: GetBuiltinModule } }).process;

/** How to collect here; undefined where it cannot be done. */
export function findCollect(): Collect | undefined {
  const getBuiltinModule = processOf()?.getBuiltinModule;
  if (getBuiltinModule === undefined) return undefined;
  let parts: { collectGarbage: () => void; endJob: () => void } | undefined;
  return () => {
    if (parts === undefined) {
      // Loading them takes a millisecond, which most programs can save.
      const v8 = getBuiltinModule("node:v8");
      const vm = getBuiltinModule("node:vm");
      v8.setFlagsFromString("--expose_gc");
      const context = vm.createContext({}, { microtaskMode: "afterEvaluate" });
      const nothing = new vm.Script("0");
      parts = {
        collectGarbage: vm.runInNewContext("gc") as () => void,
        endJob: () => void nothing.runInContext(context),
      };
    }
    parts.endJob();
    parts.collectGarbage();
  };
}
