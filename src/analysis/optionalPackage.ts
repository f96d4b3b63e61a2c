/** Packages that only some of this entry needs, and that are loaded where it does. */
import { MissingPackageError } from "../core/errors.js";

/**
 * Loads an optional package.
 *
 * @param what for whom, as in `ModeComparison.svg`.
 * @param load imports it; the specifier must stand in an `import()`, where bundlers find it.
 * @throws MissingPackageError that says how to install it.
 */
export async function loadPackage<T>(packageName: string, what: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
    throw new MissingPackageError(
      `${what} needs the package "${packageName}" (npm install ${packageName}), which could not be loaded: ${reason}`,
      packageName,
    );
  }
}
