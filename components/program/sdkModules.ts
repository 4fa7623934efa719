/** What the SDK loads and this program never uses, by the end of a module's URL. */

/**
 * For functions that are serialized: loaded when the first one is. The value is what answers until then; the
 * debugger that `v8Hooks` waits for slows down all that is loaded after it.
 */
export const AT_FIRST_USE: ReadonlyMap<string, string> = new Map([
  ["/@pulumi/pulumi/typescript-shim.js", "{}"],
  ["/typescript/lib/typescript.js", "{}"],
  ["/@npmcli/arborist/lib/index.js", "{}"],
  ["/@pulumi/pulumi/runtime/closure/v8Hooks.js", "{ isInitializedAsync: async () => {} }"],
]);

/**
 * Maps the lines of each stack trace by source maps, and the SDK takes one at each resource. The program has
 * none: Node strips types in place, so lines stay as they are.
 */
export const NEVER = "/source-map-support/register.js";

/** The SDK's module that runs a program. */
export const RUN = "/@pulumi/pulumi/cmd/run/index.js";

/** A module of a package as the package's name and the path in it, behind a slash. */
export const inPackages = (file: string): string =>
  file.slice(file.lastIndexOf("/node_modules/") + "/node_modules".length);
