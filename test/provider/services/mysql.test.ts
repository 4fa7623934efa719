import { copyFileSync } from "node:fs";
import { createConnection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Certificates, makeCertificates } from "../../support/certificates.ts";
import { type Unpacked, unpackPackages } from "../../support/debianPackages.ts";
import { MARIADB_PACKAGES, type MariaDb, startMariaDb } from "../../support/mariaDb.ts";
import { probesOf, standInService } from "./probeTrials.ts";

const PASSWORD = "p@ss:w/rd-91c0";
const ENCODED = encodeURIComponent(PASSWORD);
const SQL = [
  "create database shop;",
  "create database other;",
  "create table shop.items (id int);",
  ...["writer", "reader", "nothing", "secured", "admin"].map(
    (user) => `create user '${user}'@'%' identified by '${PASSWORD}';`,
  ),
  "grant select, insert, update, delete on shop.* to 'writer'@'%';",
  "grant select, insert on shop.* to 'secured'@'%';",
  "grant select on shop.items to 'reader'@'%';",
  "grant reload on *.* to 'admin'@'%';",
  "alter user 'secured'@'%' require ssl;",
];

const { probe, failure, kind } = probesOf("mysql");
const packages: Unpacked | undefined = unpackPackages(...MARIADB_PACKAGES);
let certificates: Certificates;
let plain: MariaDb;
let tls: MariaDb;
beforeAll(async () => {
  if (packages === undefined) return;
  certificates = makeCertificates();
  [plain, tls] = await Promise.all([
    startMariaDb(packages, SQL, { args: ["--read-only"] }),
    startMariaDb(packages, SQL, { certificate: certificates.good }),
  ]);
});
afterAll(async () => {
  await Promise.all([plain?.stop(), tls?.stop()]);
  certificates?.remove();
  packages?.remove();
});

const url = (user: string, query = "", port = tls.port, host = "localhost", database = "shop"): string =>
  `mysql://${user}:${ENCODED}@${host}:${port}/${database}${query}`;

describe.runIf(packages !== undefined)("a probe of MySQL's protocol", () => {
  test("tells version and latency", async () => {
    const answer = await probe({ connectionString: url("writer") });
    expect(answer).toEqual({ version: expect.stringMatching(/^1\d\.\d+/), latencyMs: expect.any(Number) });
  });

  test("tells a refused login, a database that is not there, and rights that are missing", async () => {
    expect(await kind({ connectionString: `mysql://writer:wrong-one@localhost:${tls.port}/shop` })).toBe("login");
    expect(await kind({ connectionString: url("writer", "", tls.port, "localhost", "other") })).toBe("rights");
    expect(await kind({ connectionString: url("nothing") })).toBe("rights");
    expect(await kind({ connectionString: url("reader") })).toBe("rights");
    await probe({ connectionString: url("reader"), access: "read" });
  });

  test("tells that a server takes no writes", async () => {
    expect(await kind({ connectionString: url("writer", "", plain.port) })).toBe("readOnly");
    await probe({ connectionString: url("writer", "", plain.port), access: "read" });
  });

  test("verifies the certificate as the parameters of the known clients say", async () => {
    const { ca } = certificates;
    for (const query of [
      "?ssl=true",
      "?sslaccept=strict",
      "?ssl-mode=VERIFY_IDENTITY",
      '?ssl={"rejectUnauthorized":true}',
    ]) {
      const { kind: found, message } = await failure({ connectionString: url("writer", query) });
      expect([query, found]).toEqual([query, "certificate"]);
      expect(message).toContain("its authority is not known");
      await probe({ connectionString: url("writer", query), config: { ca } });
    }
    for (const query of [
      "?ssl-mode=REQUIRED",
      "?sslaccept=accept_invalid_certs",
      '?ssl={"rejectUnauthorized":false}',
    ]) {
      await probe({ connectionString: url("secured", query) });
    }
  });

  test("tells plain and TLS apart, in both directions", async () => {
    expect(await kind({ connectionString: url("writer", "?ssl=true", plain.port) })).toBe("noTls");
    // Nothing tells a user that must have TLS from a wrong password, before it has signed in.
    expect(await kind({ connectionString: url("secured") })).toBe("login");
  });

  test("tells a certificate for another host", async () => {
    const { ca, good, otherHost } = certificates;
    copyFileSync(otherHost.cert, good.cert);
    copyFileSync(otherHost.key, good.key);
    const admin = await createConnection(url("admin", "", tls.port, "localhost", ""));
    await admin.query("FLUSH SSL");
    await admin.end();
    const { kind: found, message } = await failure({ connectionString: url("writer", "?ssl=true"), config: { ca } });
    expect(found).toBe("certificate");
    expect(message).toContain("it is for another host name");
  });

  test("ends in time where a server accepts and never answers, and tells what is none", async () => {
    const silent = await standInService("silent");
    expect(await kind({ connectionString: url("writer", "", silent.port), timeoutMs: 400 })).toBe("timeout");
    silent.stop();
    for (const words of ["closing", "HTTP/1.1 400 Bad Request\r\n\r\n"]) {
      const other = await standInService(words);
      expect(await kind({ connectionString: url("writer", "", other.port), timeoutMs: 2000 })).toBe("protocol");
      other.stop();
    }
  });
});
