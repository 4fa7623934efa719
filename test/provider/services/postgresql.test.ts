import { chmodSync, copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Certificate, type Certificates, makeCertificates } from "../../support/certificates.ts";
import { startTestServer, type TestServer } from "../../support/testServer.ts";
import { probesOf, standInService } from "./probeTrials.ts";

const PASSWORD = "s3cret-of-postgres";
const postgresql = probesOf("postgresql");
const neon = probesOf("neon");

let certificates: Certificates;
let server: TestServer;
let admin: pg.Client;
let url: URL;

/** The address of a database as one of the users below, with TLS parameters. */
function as(user: string, query = "", host = "localhost", database = "shop"): string {
  return `postgresql://${user}:${PASSWORD}@${host}:${url.port}/${database}${query}`;
}

beforeAll(async () => {
  certificates = makeCertificates();
  server = await startTestServer();
  url = new URL(server.url("postgres"));
  admin = new pg.Client(server.url("postgres"));
  await admin.connect();
  await admin.query("CREATE DATABASE shop");
  await admin.query(`
    CREATE ROLE writer LOGIN PASSWORD '${PASSWORD}';
    CREATE ROLE reader LOGIN PASSWORD '${PASSWORD}';
    CREATE ROLE nothing LOGIN PASSWORD '${PASSWORD}';
    CREATE ROLE still LOGIN PASSWORD '${PASSWORD}';
    ALTER ROLE still SET default_transaction_read_only = on;`);
  const shop = new pg.Client(server.url("shop"));
  await shop.connect();
  await shop.query(`
    CREATE SCHEMA app;
    CREATE TABLE app.items (id int);
    GRANT USAGE ON SCHEMA app TO writer, reader, still;
    GRANT SELECT ON app.items TO writer, reader, still;
    GRANT INSERT ON app.items TO writer, still;`);
  await shop.end();
});
afterAll(async () => {
  await admin?.end();
  await server?.stop();
  certificates?.remove();
});

describe("a probe of PostgreSQL", () => {
  test("tells version and latency", async () => {
    const answer = await postgresql.probe({ connectionString: as("writer"), config: { schema: "app" } });
    expect(answer).toEqual({ version: expect.stringMatching(/^1[5-8]/), latencyMs: expect.any(Number) });
  });

  test("tells a refused login, a database that is not there, and rights that are missing", async () => {
    const config = { schema: "app" };
    const wrong = `postgresql://writer:wr0ng-one@localhost:${url.port}/shop`;
    expect(await postgresql.kind({ connectionString: wrong })).toBe("login");
    expect(await postgresql.kind({ connectionString: as("nobody") })).toBe("login");
    expect(await postgresql.kind({ connectionString: as("writer", "", "localhost", "gone") })).toBe("database");
    for (const user of ["nothing", "reader"]) {
      expect(await postgresql.kind({ connectionString: as(user), config }), user).toBe("rights");
    }
    expect(await postgresql.kind({ connectionString: as("writer"), config: { schema: "gone" } })).toBe("rights");
    expect(await postgresql.kind({ connectionString: as("still"), config })).toBe("readOnly");
    await postgresql.probe({ connectionString: as("reader"), config, access: "read" });
  });

  test("tells that the server has no TLS where it is demanded", async () => {
    expect(await postgresql.kind({ connectionString: as("writer", "?sslmode=require") })).toBe("noTls");
    expect(await neon.kind({ connectionString: as("writer") })).toBe("noTls");
  });

  test("ends in time where a server accepts and never answers, and tells what is none", async () => {
    const silent = await standInService("silent");
    const connectionString = `postgresql://writer:${PASSWORD}@127.0.0.1:${silent.port}/shop`;
    const started = Date.now();
    expect(await postgresql.kind({ connectionString, timeoutMs: 400 })).toBe("timeout");
    expect(await postgresql.kind({ connectionString: `${connectionString}?sslmode=require`, timeoutMs: 400 })).toBe(
      "timeout",
    );
    expect(Date.now() - started).toBeLessThan(3000);
    silent.stop();
    const other = await standInService("closing");
    expect(
      await postgresql.kind({ connectionString: connectionString.replace(`${silent.port}`, `${other.port}`) }),
    ).toBe("protocol");
    other.stop();
  });
});

describe("a probe of PostgreSQL with TLS", () => {
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "pgstrata-postgres-tls-"));
    chmodSync(folder, 0o755);
    await use(certificates.good);
    await admin.query("ALTER SYSTEM SET ssl = on");
    await reloaded();
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** The server reads a key only from its owner, which it is not in a folder of the tests. */
  async function use({ cert, key }: Certificate): Promise<void> {
    const {
      rows: [row],
    } = await admin.query<{ directory: string }>("SELECT current_setting('data_directory') AS directory");
    for (const [from, to] of [
      [cert, "server.crt"],
      [key, "server.key"],
    ] as const) {
      copyFileSync(from, join(folder, to));
      chmodSync(join(folder, to), 0o644);
      const [source, target] = [join(folder, to), `${row?.directory}/${to}`];
      await admin.query(`COPY (SELECT 1) TO PROGRAM 'cp ${source} ${target} && chmod 600 ${target}'`);
    }
    await reloaded();
  }

  async function reloaded(): Promise<void> {
    await admin.query("SELECT pg_reload_conf()");
    await admin.query("SELECT pg_sleep(0.3)");
  }

  test("verifies what sslmode and the authority of the registration say", async () => {
    const { ca } = certificates;
    await postgresql.probe({ connectionString: as("writer", "?sslmode=require"), access: "read" });
    await postgresql.probe({ connectionString: as("writer", "?sslmode=verify-full"), config: { ca }, access: "read" });
    const { kind, message } = await postgresql.failure({ connectionString: as("writer", "?sslmode=verify-full") });
    expect([kind, message]).toEqual(["certificate", expect.stringContaining("its authority is not known")]);
  });

  test("of Neon verifies without being told to, with channel binding and the option of its endpoint", async () => {
    const { ca } = certificates;
    const query = "?sslmode=require&channel_binding=require";
    expect(await neon.kind({ connectionString: as("writer", query) })).toBe("certificate");
    await neon.probe({ connectionString: as("writer", query), config: { ca }, access: "read" });
  });

  test("tells what is wrong with a certificate", async () => {
    const { ca, otherHost, expired, selfSigned } = certificates;
    for (const [certificate, words] of [
      [otherHost, "it is for another host name"],
      [expired, "it has expired"],
      [selfSigned, "it is self-signed"],
    ] as const) {
      await use(certificate);
      const trial = { connectionString: as("writer", "?sslmode=verify-full"), config: { ca } };
      const { kind, message } = await postgresql.failure(trial);
      expect([kind, message]).toEqual(["certificate", expect.stringContaining(words)]);
    }
    await postgresql.probe({ connectionString: as("writer", "?sslmode=require"), access: "read" });
  });

  test("tells that the server accepts TLS alone", async () => {
    const { rows } = await admin.query<{ file: string }>("SELECT current_setting('hba_file') AS file");
    await admin.query(
      `COPY (VALUES ('local all all trust'), ('hostssl all writer all scram-sha-256'), ('host all postgres all scram-sha-256')) TO '${rows[0]?.file}'`,
    );
    await reloaded();
    expect(await postgresql.kind({ connectionString: as("writer") })).toBe("onlyTls");
  });
});
