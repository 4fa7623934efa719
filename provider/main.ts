/** Starts the provider process; everything else is in `protocol/run.ts`. */
import module from "node:module";
import path from "node:path";

// Compiled code of the last start is used again, which halves the time until the engine has its port. Where
// the folder cannot be written, Node goes on without it.
module.enableCompileCache(path.join(import.meta.dirname, "..", ".pgstrata", "cache", "node"));

const { run } = await import("./protocol/run.ts");
await run(process.argv.slice(2));
