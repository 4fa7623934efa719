import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { UserError } from "../../../provider/core/errors.ts";
import { serverAccount } from "../../../provider/embedded/account.ts";
import { findBinaries } from "../../../provider/embedded/binaries.ts";
import { findHolder, readPostmasterFile } from "../../../provider/embedded/postmaster.ts";
import {
  type EmbeddedServer,
  type EmbeddedServerOptions,
  findEmbeddedServer,
  freePort,
  installedMajors,
  startEmbeddedServer,
} from "../../../provider/embedded/server.ts";
import { ask } from "../../support/database.ts";

const base = mkdtempSync(join(tmpdir(), "pgstrata embedded "));
// For root, the account that runs the servers must get there.
chmodSync(base, 0o755);
const servers: EmbeddedServer[] = [];
const children: ChildProcess[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
  for (const child of children.splice(0)) child.kill("SIGKILL");
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

async function start(options: Partial<EmbeddedServerOptions> & { directory: string }): Promise<EmbeddedServer> {
  const server = await startEmbeddedServer({ majorVersion: 18, settings: { fsync: "off" }, ...options });
  servers.push(server);
  return server;
}

async function firstRow(url: string, sql: string): Promise<unknown> {
  return (await ask(url, sql))[0];
}

async function startElsewhere(
  directory: string,
  ...args: string[]
): Promise<{ child: ChildProcess; port: number; place: string }> {
  const program = join(import.meta.dirname, "startAndWait.ts");
  const child = spawn(process.execPath, [program, directory, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  const [line] = await once(child.stdout, "data");
  const { port, place } = JSON.parse(String(line));
  return { child, port, place };
}

function processTable(): { pid: number; parent: number }[] {
  const lines = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" }).trim().split("\n");
  return lines.map((line) => {
    const [pid = 0, parent = 0] = line.trim().split(/\s+/).map(Number);
    return { pid, parent };
  });
}

function parentOf(pid: number): number {
  return processTable().find((entry) => entry.pid === pid)?.parent ?? 0;
}

function childrenOf(parent: number): number[] {
  return processTable()
    .filter((entry) => entry.parent === parent)
    .map(({ pid }) => pid);
}

async function isOver(data: string): Promise<void> {
  await expect.poll(() => findHolder(data).kind, { timeout: 10_000, interval: 20 }).toBe("nobody");
}

describe("a server of one process", () => {
  it("answers on 127.0.0.1 only, with its settings, and logs no parameter", async () => {
    const server = await start({ directory: join(base, "plain"), settings: { fsync: "off", work_mem: "3MB" } });
    const settings = await firstRow(
      server.url("postgres"),
      `select current_setting('server_version') as version, current_setting('work_mem') as work_mem, current_setting('listen_addresses') as listen,
        current_setting('unix_socket_directories') as sockets, current_setting('log_parameter_max_length') as log1,
        current_setting('log_parameter_max_length_on_error') as log2, current_user as superuser`,
    );
    expect(settings).toEqual({
      version: server.version,
      work_mem: "3MB",
      listen: "127.0.0.1",
      sockets: "",
      log1: "0",
      log2: "0",
      superuser: "postgres",
    });
  });

  it("refuses a wrong password", async () => {
    const server = await start({ directory: join(base, "plain") });
    const url = new URL(server.url("postgres"));
    url.password = "wrong";
    await expect(firstRow(url.href, "select 1")).rejects.toThrow(/password authentication failed/);
  });

  it("keeps its data from one start to the next", async () => {
    const first = await start({ directory: join(base, "plain") });
    await firstRow(first.url("postgres"), "create table t as select 42 as answer");
    await first.stop();
    const second = await start({ directory: join(base, "plain") });
    expect(await firstRow(second.url("postgres"), "select answer from t")).toEqual({ answer: 42 });
  });

  it("ends when its process is killed, and the directory serves the next process", async () => {
    const { child, place } = await startElsewhere(join(base, "plain"));
    child.kill("SIGKILL");
    await isOver(join(place, "data"));
    expect((await start({ directory: join(base, "plain") })).directory).toBe(place);
  });

  it("is stopped by the next process when its own was killed together with the watcher", async () => {
    const { child, place } = await startElsewhere(join(base, "plain"));
    const orphan = readPostmasterFile(join(place, "data"))?.pid ?? 0;
    const supervisor = parentOf(orphan);
    for (const pid of [...childrenOf(supervisor).filter((pid) => pid !== orphan), supervisor])
      process.kill(pid, "SIGKILL");
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(findHolder(join(place, "data")).kind).toBe("ours");
    const next = await start({ directory: join(base, "plain") });
    expect(next.directory).toBe(place);
    expect(readPostmasterFile(join(place, "data"))?.pid).not.toBe(orphan);
  });

  it("leaves the directory of a live process alone and runs beside it", async () => {
    const other = await startElsewhere(join(base, "plain"));
    const mine = await start({ directory: join(base, "plain") });
    expect(mine.directory).not.toBe(other.place);
    expect(mine.port).not.toBe(other.port);
    expect(await firstRow(mine.url("postgres"), "select 1 as one")).toEqual({ one: 1 });
    expect(findHolder(join(other.place, "data")).kind).toBe("ours");
  });

  it("starts twice at once in a new directory", async () => {
    const both = await Promise.all([1, 2].map(() => start({ directory: join(base, "at once") })));
    expect(new Set(both.map(({ directory }) => directory)).size).toBe(2);
    for (const server of both) expect(await firstRow(server.url("postgres"), "select 1 as one")).toEqual({ one: 1 });
  });

  it("starts although the number in a stale postmaster.pid now belongs to another program", async () => {
    const first = await start({ directory: join(base, "plain") });
    const pidFile = join(first.directory, "data", "postmaster.pid");
    const text = readFileSync(pidFile, "utf8");
    await first.stop();
    const other = spawn("sleep", ["60"]);
    children.push(other);
    writeFileSync(pidFile, text.replace(/^\d+/, String(other.pid)));
    const second = await start({ directory: join(base, "plain") });
    expect(second.directory).toBe(first.directory);
    expect(other.exitCode).toBeNull();
  });

  it("says which port is busy", async () => {
    const occupant = createServer().listen(0, "127.0.0.1");
    await once(occupant, "listening");
    const address = occupant.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const attempt = start({ directory: join(base, "plain"), port });
    await expect(attempt).rejects.toThrow(UserError);
    await expect(attempt).rejects.toThrow(`Port ${port} on 127.0.0.1 is in use`);
    occupant.close();
  });

  it("refuses a data directory of another major version", async () => {
    const first = await start({ directory: join(base, "plain") });
    await first.stop();
    const version = join(first.directory, "data", "PG_VERSION");
    writeFileSync(version, "14\n");
    const attempt = start({ directory: join(base, "plain") });
    await expect(attempt).rejects.toThrow(UserError);
    await expect(attempt).rejects.toThrow(/was created by PostgreSQL 14, but PostgreSQL 18/);
    writeFileSync(version, "18\n");
  });

  it("refuses a directory made for another superuser", async () => {
    await start({ directory: join(base, "plain") }).then((server) => server.stop());
    await expect(start({ directory: join(base, "plain"), superuser: "other" })).rejects.toThrow(/superuser "postgres"/);
  });

  it("names the installed major versions when one is missing", async () => {
    expect(installedMajors()).toContain(18);
    await expect(start({ directory: join(base, "none"), majorVersion: 13 })).rejects.toThrow(
      /PostgreSQL 13 are not installed.*18/,
    );
  });
});

describe("a kept server", () => {
  it("outlives the process that started it, is found by the next one, and stops when told", async () => {
    const directory = join(base, "kept");
    const { child, port } = await startElsewhere(directory, "detached");
    if (child.exitCode === null) await once(child, "exit");
    const again = await startEmbeddedServer({ directory, majorVersion: 18, detached: true });
    expect(again.port).toBe(port);
    expect(await firstRow(again.url("postgres"), "select current_setting('fsync') as fsync")).toEqual({ fsync: "off" });
    await findEmbeddedServer(directory)?.stop();
    expect(findEmbeddedServer(directory)).toBeUndefined();
  });

  it("is one server for two processes that start it at once", async () => {
    const directory = join(base, "kept at once");
    const both = await Promise.all(
      [1, 2].map(() => startEmbeddedServer({ directory, majorVersion: 18, detached: true })),
    );
    servers.push(...both.slice(0, 1));
    expect(both[0]?.port).toBe(both[1]?.port);
  });

  it("leaves a server alone that is not provably ours", async () => {
    const directory = join(base, "foreign");
    const first = await startEmbeddedServer({ directory, majorVersion: 18, detached: true });
    await first.stop();
    const data = join(first.directory, "data");
    const port = await freePort();
    const account = serverAccount();
    const settings = ["-c", `port=${port}`, "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="];
    const foreign = spawn(findBinaries(18, account).postgres, ["-D", data, ...settings], {
      ...account,
      stdio: "ignore",
    });
    try {
      await expect.poll(() => readPostmasterFile(data)?.ready, { timeout: 10_000 }).toBe(true);
      const attempt = startEmbeddedServer({ directory, majorVersion: 18, detached: true });
      await expect(attempt).rejects.toThrow(`in use by process ${foreign.pid}, which was not started on it from here`);
      expect(foreign.exitCode).toBeNull();
    } finally {
      foreign.kill("SIGINT");
      await once(foreign, "exit");
    }
  });
});
