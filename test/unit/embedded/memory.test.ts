import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, it, vi } from "vitest";
import { type EmbeddedServer, startEmbeddedServer } from "../../../provider/embedded/server.ts";

const base = mkdtempSync(join(tmpdir(), "pgstrata memory "));
chmodSync(base, 0o755);
const servers: EmbeddedServer[] = [];

afterEach(async () => {
  vi.restoreAllMocks();
  for (const server of servers.splice(0)) await server.stop();
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

async function start(): Promise<EmbeddedServer> {
  const server = await startEmbeddedServer({ directory: base, majorVersion: 18, inMemory: true });
  servers.push(server);
  return server;
}

const isInMemory = ({ directory }: { directory: string }): boolean => directory.startsWith("/dev/shm/");

/** Not every machine has the room; what holds without is a test of its own. */
const first = await start();
const hasRoom = isInMemory(first);
await first.stop();
servers.length = 0;

async function startElsewhere(): Promise<{ child: ChildProcess; place: string }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "startAndWait.ts"), base, "inMemory"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(child.stdout, "data");
  return { child, place: JSON.parse(String(line)).place };
}

it("runs in the directory where memory is short, and keeps nothing of it in memory", async () => {
  vi.spyOn(process, "availableMemory").mockReturnValue(2 ** 30);
  const server = await start();
  expect(isInMemory(server)).toBe(false);
  expect(server.directory.startsWith(base)).toBe(true);
});

it.runIf(hasRoom)("leaves nothing in memory when it is stopped, and begins anew", async () => {
  const server = await start();
  expect(existsSync(join(server.directory, "data", "postmaster.pid"))).toBe(true);
  await server.stop();
  expect(existsSync(server.directory)).toBe(false);
  expect((await start()).directory).not.toBe(server.directory);
});

it.runIf(hasRoom)("what a killed process left is removed by the next one, and what a live one has is not", async () => {
  const [killed, alive] = [await startElsewhere(), await startElsewhere()];
  try {
    killed.child.kill("SIGKILL");
    await once(killed.child, "exit");
    await start();
    expect(existsSync(killed.place)).toBe(false);
    expect(existsSync(join(alive.place, "data", "postmaster.pid"))).toBe(true);
  } finally {
    alive.child.kill("SIGKILL");
    await once(alive.child, "exit");
  }
  await start();
  expect(existsSync(alive.place)).toBe(false);
});
