/** One rotation in a process of its own, which says how far it is and pauses, for a test that kills it. */
import { parseConfig } from "../../../provider/resources/provider/inputs.ts";
import { createSession } from "../../../provider/resources/session.ts";
import { rotateSalt } from "../../../tools/rotate/salt.ts";

const PAUSE_MS = 50;

const { config } = parseConfig({ url: process.argv[2] ?? "" });
const session = createSession(config, { steps: [] });
const report = { info: () => {}, warn: () => {}, status: () => {}, plan: async () => {} };
const context = { urn: "", preview: false, signal: new AbortController().signal, report };
await rotateSalt(session, { context, operation: "update" }, (rows) => {
  console.log(rows);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
});
await session.close();
