/** One rotation in a process of its own, which says how far it is and pauses, for a test that kills it. */
import { parseConfig } from "../../../provider/resources/provider/inputs.ts";
import { createSession } from "../../../provider/resources/session.ts";
import { rotateCredential } from "../../../provider/rotation/rotateCredential.ts";

const PAUSE_MS = 300;

const [url = "", registrationId = "", adminConnectionString] = process.argv.slice(2);
const { config } = parseConfig({ url });
const session = createSession(config, { steps: [] });
if (session.database === undefined) throw new Error("no URL was given");
await rotateCredential(
  { database: session.database, config },
  {
    registrationId,
    adminConnectionString,
    begins: true,
    graceMs: 0,
    signal: new AbortController().signal,
    report: { info: () => {}, warn: () => {} },
    onStep: (step) => {
      console.log(step);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    },
  },
);
await session.close();
