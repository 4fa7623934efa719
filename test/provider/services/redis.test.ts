import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../../../provider/embedded/server.ts";
import { type Certificates, makeCertificates } from "../../support/certificates.ts";
import { type Unpacked, unpackPackages } from "../../support/debianPackages.ts";
import { REDIS_PACKAGES, type RedisServer, startRedis } from "../../support/redisServer.ts";
import { probesOf, standInService } from "./probeTrials.ts";

const PASSWORD = "p@ss:w/rd-7f3a";
const ENCODED = encodeURIComponent(PASSWORD);
const USERS = [
  `user default off`,
  `user studio on >${PASSWORD} ~studio:* +@all -@dangerous +info`,
  `user narrow on >${PASSWORD} ~studio:* +get +set +del +ping +select +hello`,
  `user reader on >${PASSWORD} ~studio:* +@read +@connection`,
];

const { probe, failure, kind } = probesOf("redis");
const config = { keyPrefix: "studio:" };

const packages: Unpacked | undefined = unpackPackages(...REDIS_PACKAGES);
const servers: RedisServer[] = [];
let certificates: Certificates;
let plain: RedisServer;
let tls: RedisServer;
beforeAll(async () => {
  certificates = makeCertificates();
  if (packages === undefined) return;
  plain = await startRedis(packages, { lines: USERS });
  tls = await startRedis(packages, { lines: USERS, certificate: certificates.good });
  servers.push(plain, tls);
});
afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  certificates.remove();
  packages?.remove();
});

const url = (user: string, port: number, scheme = "redis", host = "127.0.0.1"): string =>
  `${scheme}://${user}:${ENCODED}@${host}:${port}`;

describe.runIf(packages !== undefined)("a probe of Redis", () => {
  test("tells version and latency, and leaves no key", async () => {
    const answer = await probe({ connectionString: url("studio", plain.port), config });
    expect(answer).toEqual({ version: expect.stringMatching(/^7\./), latencyMs: expect.any(Number) });
    const { createClient } = await import("redis");
    const client = createClient({ url: url("studio", plain.port) });
    await client.connect();
    expect(await client.dbSize()).toBe(0);
    client.destroy();
  });

  test("does without the version where the user may not ask for it", async () => {
    const answer = await probe({ connectionString: url("narrow", plain.port), config });
    expect(answer.version).toBeUndefined();
  });

  test("tells a refused login from rights that are missing", async () => {
    expect(await kind({ connectionString: `redis://studio:wrong-one@127.0.0.1:${plain.port}`, config })).toBe("login");
    expect(await kind({ connectionString: `redis://:wrong-one@127.0.0.1:${plain.port}`, config })).toBe("login");
    expect(await kind({ connectionString: `redis://127.0.0.1:${plain.port}`, config })).toBe("login");
    expect(await kind({ connectionString: url("studio", plain.port), config: { keyPrefix: "other:" } })).toBe("rights");
    expect(await kind({ connectionString: url("reader", plain.port), config })).toBe("rights");
  });

  test("of a user that only reads succeeds where nothing has to be written", async () => {
    await probe({ connectionString: url("reader", plain.port), config, access: "read" });
  });

  test("tells that a database is beyond those of the server", async () => {
    expect(await kind({ connectionString: `${url("studio", plain.port)}/99`, config })).toBe("database");
  });

  test("tells that a replica takes no writes", async () => {
    if (packages === undefined) return;
    const nowhere = await freePort();
    const lines = [...USERS, `replicaof 127.0.0.1 ${nowhere}`, "replica-serve-stale-data yes"];
    const replica = await startRedis(packages, { lines });
    servers.push(replica);
    expect(await kind({ connectionString: url("studio", replica.port), config })).toBe("readOnly");
  });

  test("verifies the certificate of TLS with the authority of the registration", async () => {
    const connectionString = url("studio", tls.port, "rediss", "localhost");
    const { ca } = certificates;
    await probe({ connectionString, config: { ...config, ca } });
    await probe({ connectionString: url("studio", tls.port, "rediss"), config: { ...config, ca } });
    const { kind: unknown, message } = await failure({ connectionString, config });
    expect(unknown).toBe("certificate");
    expect(message).toContain("its authority is not known");
  });

  test("tells what is wrong with a certificate", async () => {
    if (packages === undefined) return;
    const { otherHost, expired, selfSigned, ca } = certificates;
    for (const [certificate, words] of [
      [otherHost, "it is for another host name"],
      [expired, "it has expired"],
      [selfSigned, "it is self-signed"],
    ] as const) {
      const server = await startRedis(packages, { lines: USERS, certificate });
      servers.push(server);
      const { kind: found, message } = await failure({
        connectionString: url("studio", server.port, "rediss", "localhost"),
        config: { ...config, ca },
      });
      expect(found).toBe("certificate");
      expect(message).toContain(words);
    }
  });

  test("tells plain and TLS apart, in both directions", async () => {
    expect(await kind({ connectionString: url("studio", plain.port, "rediss"), timeoutMs: 1500 })).toBe("noTls");
    expect(await kind({ connectionString: url("studio", tls.port), config })).toBe("onlyTls");
  });
});

describe("a probe", () => {
  const of = (port: number, host = "127.0.0.1") => ({ connectionString: url("studio", port, "redis", host) });

  test("tells a port on which nothing listens", async () => {
    expect(await kind(of(await freePort()))).toBe("refused");
  });

  test("tells a name that is not known, and one of a private network", async () => {
    expect(await kind(of(6379, "no-such-host.invalid"))).toBe("name");
    const { kind: found, message } = await failure(of(6379, "redis.railway.internal"));
    expect(found).toBe("private");
    expect(message).toContain("Railway's network alone");
  });

  test("ends in time where a service accepts and never answers", async () => {
    const silent = await standInService("silent");
    const started = Date.now();
    expect(await kind({ ...of(silent.port), timeoutMs: 400 })).toBe("timeout");
    expect(await kind({ connectionString: url("studio", silent.port, "rediss"), timeoutMs: 400 })).toBe("timeout");
    expect(Date.now() - started).toBeLessThan(3000);
    silent.stop();
  });

  test("ends at once when its run is cancelled", async () => {
    const silent = await standInService("silent");
    const run = new AbortController();
    setTimeout(() => run.abort(), 100);
    const started = Date.now();
    await failure({ ...of(silent.port), timeoutMs: 20_000, signal: run.signal });
    expect(Date.now() - started).toBeLessThan(3000);
    silent.stop();
  });

  test("tells what is no service of the type, and shows none of its words", async () => {
    for (const answer of ["closing", "HTTP/1.1 400 Bad p@ss:w/rd-7f3a\r\n\r\n", "-ERR p@ss:w/rd-7f3a\r\n"]) {
      const other = await standInService(answer);
      expect(await kind(of(other.port))).toBe("protocol");
      other.stop();
    }
  });
});
