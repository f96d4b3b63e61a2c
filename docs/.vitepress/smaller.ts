/** A plugin of vite: large scripts are minified once more, by a minifier that saves another twentieth of what a page loads. */
import { minifySync } from "vite";
import type { Plugin } from "vitepress";

/** Characters of a script from which on it is worth the time. */
const large = 50_000;

export const smaller = (): Plugin => ({
  name: "smaller-scripts",
  apply: "build",
  generateBundle(_options, bundle) {
    for (const file of Object.values(bundle)) {
      // Vitepress itself changes the scripts of pages.
      if (file.type !== "chunk" || file.code.length < large || /\.md\b/.test(file.fileName)) continue;
      const { code, errors } = minifySync(file.fileName, file.code, {
        module: true,
        compress: { target: "es2022" },
        mangle: { toplevel: true },
      });
      if (errors.length > 0) this.error(`${file.fileName}: ${errors[0].message}`);
      file.code = code;
    }
  },
});
