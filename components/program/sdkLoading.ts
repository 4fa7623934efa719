/**
 * Preloaded by Node before the SDK (`nodeargs` in Pulumi.yaml), so that the SDK does not load what this
 * program never uses.
 */
import { registerHooks } from "node:module";

/**
 * What the SDK has for functions that are serialized: loaded when the first one is. The value is what answers
 * until then; the debugger that `v8Hooks` waits for slows down all that is loaded after it.
 */
const AT_FIRST_USE = new Map([
  ["/typescript/lib/typescript.js", "{}"],
  ["/@npmcli/arborist/lib/index.js", "{}"],
  ["/@pulumi/pulumi/runtime/closure/v8Hooks.js", "{ isInitializedAsync: async () => {} }"],
]);
/**
 * Maps the lines of each stack trace by source maps, and the SDK takes one at each resource. The program has
 * none: Node strips types in place, so lines stay as they are.
 */
const NEVER = "/source-map-support/register.js";

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
    const path = url.slice(url.lastIndexOf("/node_modules/") + "/node_modules".length);
    if (path === NEVER) return { format: "commonjs", source: "", shortCircuit: true };
    const own = AT_FIRST_USE.get(path);
    if (own === undefined || stoodIn.has(url)) return nextLoad(url, context);
    stoodIn.add(url);
    return { format: "commonjs", source: standIn(own), shortCircuit: true };
  },
});
