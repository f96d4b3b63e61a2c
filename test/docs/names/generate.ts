/**
 * Writes the names that TensorFlow.js and jax-js make public, which names.test.ts compares pages with: tfjs.json and
 * jax-js.json beside this file.
 *
 *     npx tsx test/docs/names/generate.ts
 *
 * The packages are those that `npm run bench -- peers` installs.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

type Names = Record<string, unknown>;

const here = fileURLToPath(new URL(".", import.meta.url));
const peers = fileURLToPath(new URL("../../bench/peers/", import.meta.url));
const require = createRequire(`${peers}package.json`);

const names = (space: object): string[] =>
  Object.keys(space)
    .filter((name) => name !== "default" && !name.startsWith("_"))
    .sort();

/** The methods of a class, and those that it inherits. */
function methods(prototype: object): string[] {
  const found = new Set<string>();
  for (let p = prototype; p !== Object.prototype; p = Object.getPrototypeOf(p) as object)
    for (const name of Object.getOwnPropertyNames(p))
      if (name !== "constructor" && !name.startsWith("_")) found.add(name);
  return [...found].sort();
}

function write(file: string, id: string, spaces: Record<string, readonly string[]>): void {
  const { version } = JSON.parse(readFileSync(`${peers}node_modules/${id}/package.json`, "utf8")) as {
    version: string;
  };
  writeFileSync(`${here}${file}`, `${JSON.stringify({ version, names: spaces }, undefined, 1)}\n`);
}

/** Modules of TensorFlow.js that those who write a backend or a test need, and nobody else. */
const internal =
  /^(backend_util|broadcast_util|device_util|gather_util|kernel_impls|scatter_util|serialization|slice_util|tensor_util|test_util|util|version|version_\w+|env|engine|gpgpu_util|shared|webgl|webgl_util)$/;

const tf = require("@tensorflow/tfjs") as Names & { Tensor: { prototype: object }; train: object };
const tfSpaces: Record<string, readonly string[]> = {
  tf: names(tf).filter(
    (name) => /^[a-z]/.test(name) && !internal.test(name) && typeof tf[name] === "function",
  ),
  "tf.Tensor": methods(tf.Tensor.prototype),
  // The functions of `train` are static methods, which cannot be listed as keys.
  "tf.train": Object.getOwnPropertyNames(tf.train).filter((name) => !/^(length|name|prototype)$/.test(name)),
};
for (const name of names(tf)) {
  const space = tf[name];
  if (/^[a-z]/.test(name) && !internal.test(name) && typeof space === "object" && space !== null)
    tfSpaces[`tf.${name}`] = names(space);
}
write("tfjs.json", "@tensorflow/tfjs", tfSpaces);

const jax = require("@jax-js/jax") as Names & { Array: { prototype: object }; numpy: Names };
const jaxSpaces: Record<string, readonly string[]> = {
  jax: names(jax).filter((name) => typeof jax[name] === "function"),
  "jax.Array": methods(jax.Array.prototype),
  "jax.numpy.linalg": names(jax.numpy.linalg as object),
  "jax.numpy.fft": names(jax.numpy.fft as object),
};
for (const name of ["lax", "nn", "numpy", "profiler", "random", "scipySpecial", "tree"])
  jaxSpaces[`jax.${name}`] = names(jax[name] as object).filter((key) => !/^(linalg|fft|Array)$/.test(key));
write("jax-js.json", "@jax-js/jax", jaxSpaces);
