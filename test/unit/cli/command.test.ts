/** The command, run from its source in processes of its own. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Ran, run, runAll } from "./tools.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "fluxion-command-"));
  writeFileSync(join(folder, "broken.mjs"), "export const f = (x) => x;\nexport const g = (x => ;\n");
  writeFileSync(
    join(folder, "throws.mjs"),
    "const start = () => {\n  throw new RangeError('no data');\n};\nstart();\n",
  );
  writeFileSync(join(folder, "lost.mjs"), 'import "./nowhere.mjs";\n');
  writeFileSync(join(folder, "empty.mjs"), "export const answer = 42;\n");
  writeFileSync(join(folder, "data.json"), "{}");
  writeFileSync(
    join(folder, "outside.mjs"),
    'import { NDArray, numpy as np } from "fluxion";\nimport { compareModes } from "fluxion/analysis";\n' +
      "export const f = (x) => {\n  if (!(x instanceof NDArray) || typeof compareModes !== 'function') throw new Error('another copy');\n" +
      "  return np.sin(x).sum();\n};\nexport const exampleArgs = [np.ones([3])];\n",
  );
  writeFileSync(join(folder, "kinds.mjs"), "export class Model {}\nexport const f = (x) => x;\n");
  writeFileSync(join(folder, "common.cjs"), "module.exports = { f: (x) => x.sin(), fArgs: [1] };\n");
  writeFileSync(join(folder, "ends.mjs"), "process.exit(0);\n");
  writeFileSync(join(folder, "waits.mjs"), "await new Promise(() => {});\n");
  writeFileSync(join(folder, "seven.mjs"), "throw 7;\n");
  for (const name of ["sub", "folder.svg"]) mkdirSync(join(folder, name));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Command lines and what each is to give; all are run in one process. */
const all = (lines: readonly string[], where?: string): Ran[] =>
  runAll(
    lines.map((line) => line.match(/'[^']*'|\S+/g)?.map((word) => word.replaceAll("'", "")) ?? []),
    where,
  );

describe("what works", () => {
  let ran: Ran[];
  const lines = {
    compare: "compare model.mjs#loss --argnums 0",
    compareJson: "compare model.mjs#loss --argnums 0 --json",
    measured: "compare model.mjs#loss --measure",
    memory: "memory model.mjs#loss --argnums 0",
    memoryJson: "memory model.mjs#loss --argnums 0 --json",
    jaxpr: "jaxpr model.mjs#e --shapes scalar,scalar",
    grad: "jaxpr model.mjs#e --shapes scalar,scalar --transform grad --argnums 1",
    several: "jaxpr model.mjs --transform jvp,vmap,jit --batch 7",
    vjp: "jaxpr model.mjs --transform vjp",
    jaxprJson: "jaxpr model.mjs#loss --transform hessian --json",
    integers: "jaxpr model.mjs#counts --shapes 3:int32 --transform jvp",
    statics: "jaxpr model.mjs#power --shapes 3 --static 1=3 --static 2=times",
    staticsInValues: "jaxpr model.mjs#power --args '[[1, 2], 0]' --static 1=2 --static 2=times",
    typed: "memory typed.ts#energy --shapes 1000",
    tree: "memory model.mjs#affine --shapes '{w:3x2,b:2},5x3' --argnums 0",
    values: `memory model.mjs#branching --args [2]`,
    graph: "graph model.mjs#e --args '[2, 1]' --values --derivatives --mode reverse --form compact",
    graphJson: "graph model.mjs#e --shapes scalar,scalar --json",
    jacobian: "jacobian model.mjs#neighbours --shapes 100",
    jacobianJson: "jacobian model.mjs#neighbours --shapes 100 --sparse --json",
    sparsity: "sparsity model.mjs#neighbours --shapes 4",
    sparsityJson: "sparsity model.mjs#affine --shapes '{w:2x2,b:2},1x2' --json",
    reference: "memory model.mjs#loss --argnums 0 --device reference",
  } as const;
  const of = (name: keyof typeof lines): Ran => ran[Object.keys(lines).indexOf(name)];
  const json = (name: keyof typeof lines) => JSON.parse(of(name).out);

  beforeAll(() => {
    ran = all(Object.values(lines));
  }, 60_000);

  it("ends with 0 and without a word of complaint", () => {
    for (const { words, code, error } of ran)
      expect([words.join(" "), code, error]).toEqual([words.join(" "), 0, ""]);
  });

  it("compare prints the table, and all of it as JSON", () => {
    expect(of("compare").out).toMatch(/^ +passes +multiplications/);
    expect(of("compare").out).toMatch(/6 inputs, 1 output: reverse mode/);
    const { rows, verdict, inputs } = json("compareJson");
    expect(inputs).toBe(6);
    expect(verdict.mode).toBe("reverse");
    expect(rows.map(({ kind }: { kind: string }) => kind)).toEqual(
      expect.arrayContaining(["value", "jvp", "vjp"]),
    );
    expect(of("measured").out).toMatch(/[µm]s$/m);
  });

  it("memory prints peaks and lines of the file", () => {
    expect(of("memory").out).toMatch(/^prediction: loss +156 B/m);
    expect(of("memory").out).toMatch(
      /^stored +48 B +float32\[4,3\] +output of sub \(at model\.mjs:4:\d+\)$/m,
    );
    expect(json("memoryJson")).toMatchObject({
      function: "loss",
      prediction: { asWritten: 156 },
      training: { asWritten: 228 },
      storedBytes: 48,
    });
    expect(of("values").out).toMatch(/^prediction: branching +4 B/m);
    expect(of("reference").out).toMatch(/compiled for reference/);
  });

  it("jaxpr prints programs, transformed in order", () => {
    expect(of("jaxpr").out).toBe(
      "{ lambda ; a:f32[] b:f32[]. let\n    c:f32[] = add a b\n    d:f32[] = add b 1.0\n    e:f32[] = mul c d\n  in (e,) }\n",
    );
    expect(of("grad").out).toMatch(
      /^\{ lambda ; a:f32\[\] b:f32\[\]\. let[\s\S]*add[\s\S]*in \(\w+,\) \}\n$/,
    );
    expect(of("several").out).toMatch(/a:f32\[7,3\] b:f32\[7,3\]/);
    expect(of("several").out).toContain('jit[name="vmap(jvp(square))"');
    expect(of("vjp").out).toMatch(/^\{ lambda ; a:f32\[3\] b:f32\[3\]\./);
    expect(json("jaxprJson")).toMatchObject({ function: "loss", transforms: ["hessian"] });
    expect(json("jaxprJson").jaxpr).toMatch(/^\{ lambda/);
    expect(of("integers").out).toMatch(/b:i32\[3\] c:float0\[3\]/);
    expect(of("statics").out.match(/mul/g)).toHaveLength(2);
    expect(of("staticsInValues").out.match(/mul/g)).toHaveLength(1);
  });

  it("reads TypeScript and trees", () => {
    expect(of("typed").out).toMatch(/output of mul \(at typed\.ts:4:\d+\)/);
    expect(of("tree").out).toMatch(/argument 0 at \.w$/m);
  });

  it("graph prints DOT", () => {
    expect(of("graph").out).toMatch(/^digraph "e" \{[\s\S]*∂e\/∂b = 5[\s\S]*\}\n$/);
    expect(json("graphJson")).toMatchObject({ function: "e", operations: 3, paths: 3 });
  });

  it("jacobian prints the plan, sparsity the pattern", () => {
    expect(of("jacobian").out).toMatch(/^99 outputs by 100 inputs, 198 entries/);
    expect(json("jacobianJson")).toMatchObject({ nonzeros: 198, passes: 2 });
    expect(of("sparsity").out).toMatch(/\n× × · ·\n· × × ·\n· · × ×\n$/);
    expect(json("sparsityJson").patterns.map(({ block }: { block: string }) => block)).toEqual([".b", ".w"]);
  });

  it("writes files, and sees the copy of fluxion that the file sees", () => {
    const [svg, dot, cost, outside] = all(
      [
        `graph outside.mjs#f -o sub/f.svg`,
        `graph outside.mjs#f -o sub/f.dot`,
        `compare outside.mjs#f --svg ${join(folder, "cost.svg")}`,
        `memory ${join(folder, "outside.mjs")}#f`,
      ],
      folder,
    );
    expect([svg, dot, cost, outside].map(({ code, error }) => [code, error])).toEqual(
      new Array(4).fill([0, ""]),
    );
    expect(svg.out).toBe("");
    expect(readFileSync(join(folder, "sub/f.svg"), "utf8")).toMatch(/<svg/);
    expect(readFileSync(join(folder, "sub/f.dot"), "utf8")).toMatch(/^digraph "f" \{/);
    expect(readFileSync(join(folder, "cost.svg"), "utf8")).toMatch(/<svg/);
  }, 60_000);

  it("reads the exports of CommonJS that Node does not see", () => {
    expect(all(["jaxpr common.cjs#f"], folder)[0].out).toMatch(/sin a/);
  }, 60_000);

  it("says so if the file ends the process, waits for ever, or throws what is no error", () => {
    expect(run(["jaxpr", "ends.mjs"], folder)).toMatchObject({
      code: 1,
      error: "fluxion: the file ended the process (process.exit)\n",
    });
    expect(run(["jaxpr", "waits.mjs"], folder)).toMatchObject({
      code: 1,
      error: "fluxion: what the file awaits never comes\n",
    });
    expect(run(["jaxpr", "seven.mjs"], folder).error).toBe("fluxion: 7 was thrown, which is no Error\n");
  }, 60_000);

  it("is a program with exit codes", () => {
    const good = run(["jaxpr", "model.mjs", "--transform", "grad"]);
    expect(good).toMatchObject({ code: 1, out: "" });
    expect(good.error).toMatch(/^fluxion: NonScalarOutputError: /);
    expect(run([])).toMatchObject({ code: 2, out: "" });
    expect(run(["--version"])).toMatchObject({ code: 0, out: "0.1.0\n", error: "" });
  }, 60_000);
});

describe("help", () => {
  const names = ["compare", "graph", "memory", "jaxpr", "jacobian", "sparsity"];

  it("is printed for all and for each command, with every option", () => {
    const ran = runAll([
      ["--help"],
      ["-h"],
      ["help"],
      ...names.map((name) => [name, "--help"]),
      ["help", "graph"],
      [],
    ]);
    expect(ran.map(({ code }) => code)).toEqual([...new Array(ran.length - 1).fill(0), 2]);
    const [general, short, word, ...each] = ran;
    expect([short.out, word.out]).toEqual([general.out, general.out]);
    for (const [i, name] of names.entries()) {
      expect(general.out).toMatch(new RegExp(`^  ${name} +\\S`, "m"));
      expect(each[i].out).toMatch(new RegExp(`^Usage: fluxion ${name} FILE`));
      for (const option of [
        "--shapes",
        "--args",
        "--argnums",
        "--static",
        "--device",
        "--json",
        "--debug",
        "--help",
      ])
        expect(each[i].out).toContain(option);
    }
    expect(each[6].out).toBe(each[1].out);
    expect(each[7].error).toBe(general.out);
    for (const { out } of ran)
      for (const line of out.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
  }, 60_000);
});

describe("what is not understood ends with 2", () => {
  const cases: readonly (readonly [line: string, message: RegExp])[] = [
    [
      "compar model.mjs",
      /there is no command "compar" \(did you mean "compare"\?\): there are compare, graph/,
    ],
    ["help compar", /there is no command "compar"/],
    ["--json", /the first word is a command/],
    ["jaxpr", /jaxpr of what\?/],
    ["jaxpr model.mjs other.mjs", /takes one FILE#export, got "other.mjs" as well/],
    ["jaxpr model.mjs --shaps 3", /jaxpr has no option --shaps \(did you mean "--shapes"\?\)/],
    ["jaxpr model.mjs --measure", /jaxpr has no option --measure/],
    ["jaxpr model.mjs --shapes", /--shapes wants LIST behind it/],
    ["graph model.mjs -o", /--output wants FILE behind it/],
    ["graph model.mjs --depth -1", /--depth wants N behind it .* --depth=-1/],
    ["jaxpr model.mjs --json=yes", /--json takes no value/],
    [
      "jaxpr model.mjs --shapes 3 --shapes 4",
      /--shapes is there twice; the shapes of all arguments stand in one/,
    ],
    ["jaxpr ''", /"" is not FILE#export/],
    ["jaxpr model.mjs#affine --shapes 3,3,3", /affine takes 2 arguments, and 3 are given/],
    ["jaxpr model.mjs --args []", /takes 1 argument, and none is given/],
    ["graph model.mjs --group al", /--group is one of line, function, repeats, all, got "al"/],
    ["jaxpr nowhere.mjs", /there is no file nowhere\.mjs \(looked for .*nowhere\.mjs\)/],
    ["jaxpr .", /\. is a folder/],
    ["jaxpr model.mjs#los", /no export los \(did you mean "loss"\?\): its functions are affine, branching/],
    ["jaxpr typed.ts", /no default export: its functions are energy; name one: typed\.ts#energy/],
    ["jaxpr model.mjs#answer", /answer of model\.mjs is not a function but a number/],
    ["jaxpr #loss", /#loss is not FILE#export/],
    ["jaxpr model.mjs#affine", /affine takes 2 arguments, and only 1 is in exampleArgs of model\.mjs/],
    ["jaxpr typed.ts#energy", /what are the arguments of energy\? .*export a list energyArgs/],
    ["jaxpr model.mjs#affine --shapes 3", /affine takes 2 arguments, and only 1 is given/],
    [
      "jaxpr model.mjs --shapes 3x",
      /--shapes: at character 1 there is "3x"; wanted a shape .*\n {2}3x\n {2}\^/,
    ],
    ["jaxpr model.mjs --args [3", /--args is not JSON/],
    ["jaxpr model.mjs --args [3] --shapes 3", /give one of them/],
    ["jaxpr model.mjs --transform hesian", /there is no "hesian" \(did you mean "hessian"\?\)/],
    ["jaxpr model.mjs --transform vmap --batch 0", /--batch wants a positive whole number, got "0"/],
    ["jaxpr model.mjs --static one", /--static wants a position/],
    ["jaxpr model.mjs --shapes 3 --static 1", /what is its value\?/],
    ["jaxpr model.mjs --shapes 3 --static 5=1", /with it there are only 2 arguments/],
    ["jaxpr model.mjs --device gpu", /--device: there is no "gpu"; there are wasm, webgpu, reference/],
    ["compare model.mjs#loss --argnums x", /--argnums wants positions of arguments, as 0 or 0,2, got "x"/],
    ["compare model.mjs#loss --argnums 5", /--argnums 5: there are 2 arguments, 0 to 1/],
    [
      "compare model.mjs#power --shapes 3 --static 1=3 --static 2=times --argnums 1",
      /that argument is static/,
    ],
    ["compare model.mjs --svg cost.png", /cost\.png: wanted a name that ends in \.svg/],
    ["compare model.mjs --svg no/such/cost.svg", /there is no folder .*no\/such/],
    ["graph model.mjs -o x.pdf", /wanted a name that ends in \.svg or \.dot/],
    ["graph model.mjs --values", /--values: there are no values, only shapes/],
    [
      "graph model.mjs --mode revers",
      /--mode is one of forward, reverse, got "revers" \(did you mean "reverse"\?\)/,
    ],
    ["graph model.mjs --from x", /--from says where a mode starts/],
    ["graph model.mjs --depth deep", /--depth wants a number of levels/],
    ["jacobian model.mjs --mode sideways", /--mode is one of auto, forward, reverse/],
  ];

  it("and a message that says what is wanted", () => {
    const ran = all(cases.map(([line]) => line));
    for (const [i, { words, code, out, error }] of ran.entries()) {
      expect([words.join(" "), code, out]).toEqual([words.join(" "), 2, ""]);
      expect(error).toMatch(cases[i][1]);
      expect(error).toMatch(/^fluxion: /);
      expect(error).not.toMatch(/^ +at /m);
    }
  }, 60_000);

  it("and a class, or a folder to write into, is refused", () => {
    const [known, unknown, place] = all(
      ["jaxpr kinds.mjs#Model", "jaxpr kinds.mjs#Modl", "graph kinds.mjs#f --shapes 3 -o folder.svg"],
      folder,
    );
    expect([known.code, unknown.code, place.code]).toEqual([2, 2, 2]);
    expect(known.error).toMatch(/Model of kinds\.mjs is not a function but a class; its functions are f\n/);
    expect(unknown.error).toMatch(/no export Modl: its functions are f\n/);
    expect(place.error).toMatch(/folder\.svg is a folder/);
  }, 60_000);

  it("and a file of another kind, or without functions, is refused", () => {
    const [json, empty] = all(["jaxpr data.json", "jaxpr empty.mjs"], folder);
    expect(json).toMatchObject({
      code: 2,
      error: expect.stringMatching(/neither JavaScript nor TypeScript/),
    });
    expect(empty).toMatchObject({
      code: 2,
      error: expect.stringMatching(/no default export: it exports no function/),
    });
  }, 60_000);
});

describe("what the function throws ends with 1", () => {
  it("with the line of the file and no stack", () => {
    const cases: readonly (readonly [line: string, message: RegExp])[] = [
      [
        "jaxpr model.mjs#branching --shapes scalar",
        /^fluxion: ConcretizationError: .*lax\.cond.* \(at model\.mjs:18:\d+\)\n$/,
      ],
      ["memory model.mjs#mistaken --shapes 3", /^fluxion: TypeError: .*length.* \(at model\.mjs:20:\d+\)\n$/],
      [
        "jaxpr model.mjs#affine --shapes '{w:3x2,b:2},5x4'",
        /^fluxion: ShapeError: matmul: .* \(at model\.mjs:9:\d+\)\n$/,
      ],
      [
        "jaxpr model.mjs#power --shapes 3 --static 1=2 --static 2=tims",
        /^fluxion: Error: there is no way tims \(at model\.mjs:14:\d+\)\n$/,
      ],
      ["compare model.mjs#counts --shapes 3:int32", /^fluxion: NotDifferentiableError: /],
    ];
    const ran = all(cases.map(([line]) => line));
    for (const [i, { words, code, out, error }] of ran.entries()) {
      expect([words.join(" "), code, out]).toEqual([words.join(" "), 1, ""]);
      expect(error).toMatch(cases[i][1]);
    }
  }, 60_000);

  it("and so does a module that cannot be imported", () => {
    const [broken, throws, lost] = all(
      ["jaxpr broken.mjs#f", "jaxpr throws.mjs#f", "jaxpr lost.mjs#f"],
      folder,
    );
    expect(broken).toMatchObject({ code: 1, out: "" });
    expect(broken.error).toMatch(/^fluxion: SyntaxError: .* \(in broken\.mjs:2\)\n$/);
    expect(throws.error).toMatch(/^fluxion: RangeError: no data \(at throws\.mjs:2:\d+\)\n$/);
    expect(lost.error).toMatch(/^fluxion: Error: Cannot find module .*nowhere\.mjs/);
  }, 60_000);

  it("with --debug there is a stack", () => {
    const [{ code, error }] = all(["memory model.mjs#mistaken --shapes 3 --debug"]);
    expect(code).toBe(1);
    expect(error).toMatch(/^ +at mistaken .*model\.mjs:20:/m);
  }, 60_000);

  it("nothing is written then", () => {
    all(["graph throws.mjs#f -o sub/none.svg"], folder);
    expect(existsSync(join(folder, "sub/none.svg"))).toBe(false);
  }, 60_000);
});
