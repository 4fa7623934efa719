import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { startEmbeddedServer } from "../../provider/embedded/server.ts";
import { majorVersion } from "./majorVersion.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** URL of the test server's database `postgres`, as its superuser. */
    serverUrl: string;
    /** Log of the test server: every statement that was sent to it. */
    serverLog: string;
  }
}

/** Settings of a server whose data may be lost at any time, and that logs all it is told. */
const SETTINGS = {
  fsync: "off",
  synchronous_commit: "off",
  full_page_writes: "off",
  max_connections: "200",
  max_locks_per_transaction: "256",
  log_statement: "all",
  log_min_duration_statement: "0",
};

/** A server for tests that is removed when it is stopped. */
export interface TestServer {
  /** URL of one of its databases, as its superuser. */
  url(database: string): string;
  logFile: string;
  stop(): Promise<void>;
}

/**
 * Starts a server in a temporary directory. It ends with this process, also when that is killed. A test file
 * that makes roles of fixed names starts one of its own, because all databases of a server share them.
 *
 * @param settings beside those of all test servers, or in their place.
 */
export async function startTestServer(settings: Readonly<Record<string, string>> = {}): Promise<TestServer> {
  const directory = mkdtempSync(join(tmpdir(), "pgstrata-test-"));
  // For root, the account that runs the server must get there.
  chmodSync(directory, 0o755);
  const server = await startEmbeddedServer({
    directory,
    majorVersion,
    settings: { ...SETTINGS, ...settings },
    inMemory: true,
  });
  return {
    url: server.url,
    logFile: server.logFile,
    stop: async () => {
      await server.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** One server for a whole test run. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startTestServer();
  project.provide("serverUrl", server.url("postgres"));
  project.provide("serverLog", server.logFile);
  return server.stop;
}
