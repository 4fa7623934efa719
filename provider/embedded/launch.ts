/**
 * How a server process is started, watched and waited for. Which data directory and port it gets is decided
 * in `server.ts`; stopping it is in `postmaster.ts`.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { serverAccount } from "./account.ts";
import type { Binaries } from "./binaries.ts";
import { type Cluster, serverEnvironment } from "./cluster.ts";
import { explainOutput, StartFailure } from "./failures.ts";
import { OWNER_SETTING, readPostmasterFile, VERSION_SETTING } from "./postmaster.ts";

/** How one server is run. */
export interface LaunchOptions {
  cluster: Cluster;
  binaries: Binaries;
  port: number;
  settings: Readonly<Record<string, string>>;
  /** Who answers for the server: the identity of a process, or `kept`. */
  owner: string;
  /** Whether it outlives this process. */
  detached: boolean;
  logFile: string;
}

/**
 * Runs Postgres beside a watcher that reads from a pipe which only this process holds open. When this process
 * ends, in whatever way (SIGKILL included), the pipe closes and the watcher shuts the server down.
 */
const SUPERVISE = `
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
{ read -r _ <&3; kill -INT "$server"; } 2>/dev/null &
watcher=$!
wait "$server"
code=$?
kill "$watcher" 2>/dev/null
exit $code
`;

const START_TIMEOUT_MS = 60_000;
const LARGEST_LOG_BYTES = 20_000_000;

/**
 * Starts Postgres on an initialized data directory and waits until it accepts connections.
 *
 * @returns the process to stop a server that is not detached: end its standard input.
 * @throws {StartFailure} saying why it did not start.
 */
export async function launch(options: LaunchOptions): Promise<ChildProcess> {
  const { cluster, detached, logFile, port } = options;
  const before = readPostmasterFile(cluster.data)?.text;
  const log = openLog(logFile, detached);
  const logStart = fstatSync(log).size;
  const program = [options.binaries.postgres, ...serverArguments(options)];
  const [command = "", ...rest] = detached ? program : ["/bin/sh", "-c", SUPERVISE, "pgstrata", ...program];
  const child = spawn(command, rest, {
    cwd: "/",
    // A process group of its own: Ctrl-C in the terminal is not for the server.
    detached: true,
    env: serverEnvironment(),
    stdio: [detached ? "ignore" : "pipe", log, log],
    ...serverAccount(),
  });
  closeSync(log);
  let ended: Error | "exit" | undefined;
  child.once("error", (error) => {
    ended = error;
  });
  child.once("exit", () => {
    ended = "exit";
  });
  const output = (): string => readFileSync(logFile).subarray(logStart).toString("utf8");
  for (const end = Date.now() + START_TIMEOUT_MS; ; await sleep(2)) {
    if (ended instanceof Error) throw ended;
    if (ended !== undefined) throw explainOutput(output(), { home: cluster.home, port, logFile });
    const file = readPostmasterFile(cluster.data);
    if (file?.ready === true && file.port === port && file.text !== before) break;
    if (Date.now() > end) {
      child.stdin?.end();
      if (detached) child.kill("SIGINT");
      throw new StartFailure(
        "PS704",
        `Postgres was not ready after ${START_TIMEOUT_MS / 1000} s. Its log is ${logFile}.`,
      );
    }
  }
  child.unref();
  if (child.stdin instanceof Socket) child.stdin.unref();
  return child;
}

function serverArguments({ binaries, cluster, port, settings, owner }: LaunchOptions): string[] {
  const all = {
    ...settings,
    [OWNER_SETTING]: owner,
    [VERSION_SETTING]: binaries.version,
    port: String(port),
    listen_addresses: "127.0.0.1",
    // A socket's path may be longer than the system allows.
    unix_socket_directories: "",
    // Values are sent as bind parameters, and some are secret.
    log_parameter_max_length: "0",
    log_parameter_max_length_on_error: "0",
  };
  return ["-D", cluster.data, ...Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`])];
}

function openLog(path: string, keep: boolean): number {
  const { O_APPEND, O_CREAT, O_NOFOLLOW, O_TRUNC, O_WRONLY } = constants;
  const log = openSync(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0o600);
  if (keep && fstatSync(log).size < LARGEST_LOG_BYTES) return log;
  closeSync(log);
  return openSync(path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_TRUNC);
}
