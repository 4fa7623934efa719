/** Starts the provider process; everything else is in `protocol/run.ts`, or in the bundle of it. */
import module from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { currentBundle } from "./bundle.ts";

const root = path.join(import.meta.dirname, "..");

// Compiled code of the last start is used again, which halves the time until the engine has its port. Where
// the folder cannot be written, Node goes on without it.
module.enableCompileCache(path.join(root, ".pgstrata", "cache", "node"));

const bundle = currentBundle(root, "provider");
const { run }: typeof import("./protocol/run.ts") =
  bundle === undefined
    ? await import("./protocol/run.ts")
    : await import(pathToFileURL(path.join(bundle, "run.js")).href);
await run(process.argv.slice(2));
