/**
 * Preloaded by Node before the SDK (`nodeargs` in Pulumi.yaml), so that the SDK does not load what this
 * program never uses, and starts from the bundle of both where there is one.
 */
import { registerHooks } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { currentBundle } from "../../provider/bundle.ts";
import { inSources } from "../../provider/core/bundledStack.ts";
import { AT_FIRST_USE, inPackages, NEVER, RUN } from "./sdkModules.ts";

/** Shows where an error comes from, before the SDK's own listeners print it. */
function tellPlaces(error: unknown): void {
  // One that is frozen stays as it is.
  if (error instanceof Error && error.stack !== undefined) Reflect.set(error, "stack", inSources(error.stack));
}

const root = dirname(dirname(import.meta.dirname));
const program = pathToFileURL(join(root, "index.ts")).href;
const folder = currentBundle(root, "program");
const isBundled = folder !== undefined;
const bundled = (file: string): string => JSON.stringify(pathToFileURL(join(folder ?? "", file)).href);

/** A module that takes the place of another, and loads it when a property is asked for. */
const standIn = (own: string): string => `
  let real;
  const load = () => {
    delete require.cache[__filename];
    return (real ??= require(__filename));
  };
  const own = { __esModule: true, ...${own} };
  module.exports = new Proxy({}, { get: (_, name) => own[name] ?? load()[name] });
`;

const stoodIn = new Set<string>();

registerHooks({
  load(url, context, nextLoad) {
    const path = inPackages(url);
    if (path === NEVER) return { format: "commonjs", source: "", shortCircuit: true };
    if (isBundled && path === RUN)
      return { format: "commonjs", source: `import(${bundled("run.js")});`, shortCircuit: true };
    if (isBundled && url === program)
      return { format: "module", source: `export { default } from ${bundled("program.js")};`, shortCircuit: true };
    const own = AT_FIRST_USE.get(path);
    if (own === undefined || stoodIn.has(url)) return nextLoad(url, context);
    stoodIn.add(url);
    return { format: "commonjs", source: standIn(own), shortCircuit: true };
  },
});

if (isBundled) {
  // Not earlier: a listener keeps Node from ending the process.
  process.on("newListener", function whenHeard(event) {
    if (event !== "unhandledRejection") return;
    process.removeListener("newListener", whenHeard);
    process.prependListener("uncaughtException", tellPlaces);
    process.prependListener("unhandledRejection", tellPlaces);
  });
}
