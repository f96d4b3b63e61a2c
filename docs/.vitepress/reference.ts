/** Writes the reference of all entry points to a folder: `tsx reference.ts FOLDER`. */
import { Application, type ProjectReflection, ReflectionKind } from "typedoc";

const base = process.env.FLUXION_BASE ?? "/";

/** Typedoc calls an entry point after its file; users know it as what they import. */
function nameByImport(project: ProjectReflection): void {
  for (const module of project.getChildrenByKind(ReflectionKind.Module)) {
    const path = module.name
      .replace(/^src(?=\/|$)/, "")
      .replace(/^\//, "")
      .replace(/(^|\/)index$/, "");
    module.name = path === "" ? "fluxion" : `fluxion/${path}`;
  }
}

const app = await Application.bootstrapWithPlugins({
  options: "typedoc.json",
  navigationLinks: { Guide: `${base}index.html`, Playground: `${base}playground.html` },
});
const project = await app.convert();
if (project === undefined) throw new Error("typedoc could not read the source");
nameByImport(project);
app.validate(project);
await app.generateDocs(project, process.argv[2]);
if (app.logger.hasErrors()) process.exitCode = 1;
