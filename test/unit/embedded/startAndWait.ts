import { startEmbeddedServer } from "../../../provider/embedded/server.ts";

/** Run as a process of its own: starts a server, prints where it is as JSON, and waits until it is killed. */
const [directory = "", kind] = process.argv.slice(2);
const { port, directory: place } = await startEmbeddedServer({
  directory,
  majorVersion: 18,
  settings: { fsync: "off" },
  detached: kind === "detached",
  inMemory: kind === "inMemory",
});
console.log(JSON.stringify({ port, place }));
if (kind !== "detached") setInterval(() => {}, 1000);
