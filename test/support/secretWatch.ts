/** What every user of the machine, or of the server, may see while commands run: processes and statements. */
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";

export interface Seen {
  /** Commands with their arguments, of all processes below this one. */
  commands: Set<string>;
  /** Variables of their environments, each as `command: name=value`. */
  variables: Set<string>;
  /** What `pg_stat_activity` had of the sessions of others. */
  statements: Set<string>;
}

const PAUSE_MS = 25;
const ACTIVITY = `
  select distinct application_name || ' ' || query as text from pg_stat_activity where pid <> pg_backend_pid()`;

/**
 * Looks until it is stopped.
 *
 * @param url of a server that keeps the whole of a statement (`track_activity_query_size`).
 */
export async function watchForSecrets(url: string): Promise<{ stop(): Promise<Seen> }> {
  const client = new pg.Client({
    connectionString: url,
    options: "-c log_statement=none -c log_min_duration_statement=-1",
  });
  // Of a server that a failed test stops.
  client.on("error", () => {});
  await client.connect();
  const seen: Seen = { commands: new Set(), variables: new Set(), statements: new Set() };
  let watching = true;
  const loop = (async () => {
    while (watching) {
      lookAtProcesses(seen);
      const { rows } = await client.query<{ text: string }>(ACTIVITY);
      for (const { text } of rows) seen.statements.add(text);
      await sleep(PAUSE_MS);
    }
  })();
  // Who stops the watch is told.
  loop.catch(() => {});
  return {
    stop: async () => {
      watching = false;
      await loop.finally(() => client.end());
      return seen;
    },
  };
}

/** On Linux; elsewhere there is no environment to be read. */
function lookAtProcesses({ commands, variables }: Seen): void {
  const found = childrenOf(process.pid);
  for (const pid of found) {
    found.push(...childrenOf(pid));
    const command = commandOf(pid);
    const environment = partsOf(pid, "environ");
    commands.add(command);
    // What has become another command meanwhile, as each does that is started, is looked at next time.
    if (commandOf(pid) === command) for (const variable of environment) variables.add(`${command}: ${variable}`);
  }
}

const commandOf = (pid: number): string => partsOf(pid, "cmdline").join(" ");

/** Each thread has the children that it has started. */
const childrenOf = (pid: number): number[] =>
  threadsOf(pid).flatMap((thread) =>
    readProcess(pid, `task/${thread}/children`).split(" ").filter(Boolean).map(Number),
  );

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

const partsOf = (pid: number, file: string): string[] => readProcess(pid, file).split("\0").filter(Boolean);

/** Nothing of a process that has ended. */
function readProcess(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}
