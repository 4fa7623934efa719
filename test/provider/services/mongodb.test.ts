import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Certificates, makeCertificates } from "../../support/certificates.ts";
import { type FerretDb, findFerretDb, startFerretDb } from "../../support/ferretDb.ts";
import { probesOf, standInService } from "./probeTrials.ts";

const PASSWORD = "p@ss:w/rd-22be";
const ENCODED = encodeURIComponent(PASSWORD);
const { probe, failure, kind } = probesOf("mongodb");

const executable = findFerretDb();

// It is built by npm run test:services, and tried here from then on.
describe.runIf(executable !== undefined)("a probe of MongoDB's protocol", () => {
  let certificates: Certificates;
  const servers: FerretDb[] = [];
  let plain: FerretDb;
  let tls: FerretDb;
  let otherHost: FerretDb;
  const start = async (certificate?: Certificates["good"]): Promise<FerretDb> => {
    const user = { username: "studio", password: PASSWORD, ...(certificate && { certificate }) };
    const server = await startFerretDb(executable ?? "", user);
    servers.push(server);
    return server;
  };
  beforeAll(async () => {
    certificates = makeCertificates();
    plain = await start();
    tls = await start(certificates.good);
    otherHost = await start(certificates.otherHost);
  });
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()));
    certificates?.remove();
  });

  const url = (port: number, query = "", user = "studio"): string =>
    `mongodb://${user}:${ENCODED}@localhost:${port}/lancio?authSource=admin${query}`;

  test("tells version and latency, and leaves no collection", async () => {
    const answer = await probe({ connectionString: url(plain.port) });
    expect(answer).toEqual({ version: expect.stringMatching(/^\d+\./), latencyMs: expect.any(Number) });
    const { MongoClient } = await import("mongodb");
    const client = new MongoClient(url(plain.port));
    expect(await client.db("lancio").listCollections().toArray()).toEqual([]);
    await client.close();
  });

  test("tells a refused login", async () => {
    expect(await kind({ connectionString: `mongodb://studio:wrong-one@localhost:${plain.port}/lancio` })).toBe("login");
    expect(await kind({ connectionString: url(plain.port, "", "stranger") })).toBe("login");
  });

  test("verifies the certificate, unless the string says otherwise", async () => {
    const { ca } = certificates;
    const { kind: found, message } = await failure({ connectionString: url(tls.port, "&tls=true") });
    expect([found, message]).toEqual(["certificate", expect.stringContaining("its authority is not known")]);
    await probe({ connectionString: url(tls.port, "&tls=true"), config: { ca } });
    await probe({ connectionString: url(tls.port, "&tls=true&tlsAllowInvalidCertificates=true") });
    const other = await failure({ connectionString: url(otherHost.port, "&tls=true"), config: { ca } });
    expect([other.kind, other.message]).toEqual(["certificate", expect.stringContaining("for another host name")]);
    await probe({ connectionString: url(otherHost.port, "&tls=true&tlsAllowInvalidHostnames=true"), config: { ca } });
  });

  test("tells plain and TLS apart, in both directions", async () => {
    expect(await kind({ connectionString: url(plain.port, "&tls=true"), timeoutMs: 2000 })).toBe("noTls");
    expect(await kind({ connectionString: url(tls.port), timeoutMs: 2000 })).toBe("onlyTls");
  });
});

describe("a probe of MongoDB's protocol, of what is none,", () => {
  const url = (port: number): string => `mongodb://studio:${ENCODED}@127.0.0.1:${port}/lancio`;

  test("ends in time where a server accepts and never answers", async () => {
    const silent = await standInService("silent");
    const started = Date.now();
    expect(await kind({ connectionString: url(silent.port), timeoutMs: 500 })).toBe("timeout");
    expect(Date.now() - started).toBeLessThan(3000);
    silent.stop();
  });

  test("shows none of its words", async () => {
    const other = await standInService(`HTTP/1.1 400 ${PASSWORD}\r\n\r\n`);
    expect(await kind({ connectionString: url(other.port), timeoutMs: 1500 })).toBe("protocol");
    other.stop();
  });
});
