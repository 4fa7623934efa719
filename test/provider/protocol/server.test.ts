import { createServer, type Server } from "node:net";
import grpc from "@grpc/grpc-js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import emptyMessages from "google-protobuf/google/protobuf/empty_pb.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UNKNOWN } from "../../../provider/core/resourceType.ts";
import { takeRunLock } from "../../../provider/database/runLock.ts";
import { openDatabase } from "../../../provider/database/target.ts";
import { createTestDatabase, createTestRole, type TestDatabase, type TestRole } from "../../support/database.ts";
import { failureOfCall, type ProviderClient, startProvider, unary } from "../../support/providerClient.ts";

const ROW = "pgstrata:index:Row";
const row = { table: "public.things", key: { name: "a" } };

let database: TestDatabase;
let role: TestRole;

beforeAll(async () => {
  database = await createTestDatabase();
  await database.query("CREATE TABLE public.things (name text PRIMARY KEY)");
  role = await createTestRole();
  await database.query(`GRANT ALL ON public.things TO ${role.name}`);
});
afterAll(async () => {
  await database.drop();
  await role.drop();
});

async function withProvider<T>(work: (provider: ProviderClient) => Promise<T>): Promise<T> {
  const provider = await startProvider();
  try {
    return await work(provider);
  } finally {
    await provider.stop();
  }
}

/** The URL of the test database with parts changed. */
function urlWith(change: (url: URL) => unknown): string {
  const url = new URL(database.urlFor(role));
  change(url);
  return url.href;
}

describe("protocol", () => {
  it("shakes hands as a provider that takes plain values", async () => {
    await withProvider(async ({ raw }) => {
      const request = new messages.ProviderHandshakeRequest();
      request.setEngineAddress("127.0.0.1:1");
      const response = await unary<messages.ProviderHandshakeResponse>((done) => raw.handshake(request, done));
      expect(response.toObject()).toMatchObject({ acceptSecrets: false, acceptResources: false, acceptOutputs: false });
    });
  });

  it("tells its version and a schema that is whole", async () => {
    await withProvider(async ({ raw }) => {
      const info = await unary<{ getVersion(): string }>((done) => raw.getPluginInfo(new emptyMessages.Empty(), done));
      expect(info.getVersion()).toBe("0.1.0");
      const response = await unary<messages.GetSchemaResponse>((done) =>
        raw.getSchema(new messages.GetSchemaRequest(), done),
      );
      expect(JSON.parse(response.getSchema())).toMatchObject({ name: "pgstrata", version: "0.1.0" });
    });
  });

  it.each(["invoke", "call", "construct", "parameterize"] as const)("answers %s as unimplemented", async (name) => {
    await withProvider(async ({ raw }) => {
      const requests = {
        invoke: () => unary((done) => raw.invoke(new messages.InvokeRequest(), done)),
        call: () => unary((done) => raw.call(new messages.CallRequest(), done)),
        construct: () => unary((done) => raw.construct(new messages.ConstructRequest(), done)),
        parameterize: () => unary((done) => raw.parameterize(new messages.ParameterizeRequest(), done)),
      };
      const failure = await failureOfCall(requests[name]());
      expect(failure.code).toBe(grpc.status.UNIMPLEMENTED);
      expect(failure.details).toContain("it has the resources");
    });
  });

  it("refuses a resource type that it does not have, and any before Configure", async () => {
    await withProvider(async (provider) => {
      expect((await failureOfCall(provider.check(ROW, row))).details).toBe(
        "the provider is not configured yet\nPS602 · docs/errors/PS602.md",
      );
      await provider.configure({ url: database.url });
      const { details } = await failureOfCall(provider.check("pgstrata:index:Nothing", {}));
      expect(details).toContain('found resource type "pgstrata:index:Nothing", expected one of');
    });
  });

  it("names the code of several faults once, behind the last of them", async () => {
    await withProvider(async (provider) => {
      await provider.configure({ url: database.url });
      const { failures } = await provider.check(ROW, { ...row, key: {}, nope: 1 });
      expect(failures.map(({ property }) => property).sort()).toEqual(["key", "nope"]);
      const [first, last] = failures.map(({ reason }) => reason);
      expect(first).not.toContain("PS601");
      expect(last).toMatch(/\nPS601 · docs\/errors\/PS601\.md$/);
    });
  });

  it("takes a message of many megabytes", async () => {
    await withProvider(async (provider) => {
      await provider.configure({ url: database.url });
      const values = { text: "x".repeat(8_000_000) };
      expect((await provider.check(ROW, { ...row, values })).inputs).toEqual({ ...row, values });
    });
  });

  it("starts nothing more once the engine has cancelled", async () => {
    await withProvider(async (provider) => {
      await provider.configure({ url: database.url });
      await unary((done) => provider.raw.cancel(new emptyMessages.Empty(), done));
      expect((await failureOfCall(provider.create(ROW, "a", row))).details).toBe(
        "cancelled\nPS604 · docs/errors/PS604.md",
      );
    });
  });
});

describe("a run that waits for another one", () => {
  it("is cancelled, and no defect, where the engine ends its wait", async () => {
    const other = openDatabase({ url: database.url });
    if (other === undefined) throw new Error("no database");
    const { signal } = new AbortController();
    const report = { info: () => {}, warn: () => {}, status: () => {}, plan: async () => {} };
    const lock = await takeRunLock(other, 1, { report, signal });
    try {
      await withProvider(async (provider) => {
        await provider.configure({ url: database.url, requireGate: true });
        const failure = failureOfCall(provider.create(ROW, "a", row));
        await expect
          .poll(() => provider.logs.map(({ text }) => text).join(), { timeout: 10_000 })
          .toContain("waiting for its end");
        await unary((done) => provider.raw.cancel(new emptyMessages.Empty(), done));
        expect((await failure).details).toBe("cancelled\nPS604 · docs/errors/PS604.md");
      });
    } finally {
      await lock.release();
      await other.close();
    }
  });
});

describe("configuration", () => {
  it("is accepted with numbers as JSON text and with values that are not known yet", async () => {
    await withProvider(async (provider) => {
      const config = {
        url: UNKNOWN,
        lockTimeoutMs: "500",
        lockRetries: 2,
        shadow: "colocated",
        version: "0.1.0",
      } as const;
      expect(await provider.checkConfig(config)).toEqual([]);
    });
  });

  it("has all its faults reported at once, and a malformed URL never shown", async () => {
    await withProvider(async (provider) => {
      const failures = await provider.checkConfig({
        url: "postgresql://user:canary/part@host/db",
        lockTimeoutMs: "soon",
        lockRetries: -1,
        shadow: "postgresql://user:canary@",
        lockTimeout: 5,
      });
      expect(failures.map(({ property }) => property).sort()).toEqual([
        "lockRetries",
        "lockTimeout",
        "lockTimeoutMs",
        "shadow",
        "url",
      ]);
      expect(JSON.stringify(failures)).not.toContain("canary");
      const { details } = await failureOfCall(provider.configure({ url: "mysql://user:canary@host/db" }));
      expect(details).toContain("it does not begin with postgresql://");
      expect(details).not.toContain("canary");
      expect((await provider.checkConfig({}))[0]).toMatchObject({ property: "url" });
    });
  });

  it("updates and never replaces, even for another database", async () => {
    await withProvider(async (provider) => {
      const diff = await provider.diffConfig(
        { url: "postgresql://a:b@one/x", lockRetries: 1 },
        { url: "postgresql://a:b@two/y", shadow: "auto" },
      );
      expect(diff).toEqual({
        changed: true,
        detailed: { url: "UPDATE", lockRetries: "DELETE", shadow: "ADD" },
        replaces: [],
      });
      expect(
        (await provider.diffConfig({ url: "postgresql://a:b@one/x" }, { url: "postgresql://a:b@one/x" })).changed,
      ).toBe(false);
    });
  });
});

describe("a database that cannot be used", () => {
  let garbage: Server;
  let garbagePort: number;

  beforeAll(async () => {
    garbage = createServer((socket) => {
      socket.on("error", () => {});
      socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    await new Promise<void>((resolve) => garbage.listen(0, "127.0.0.1", resolve));
    const address = garbage.address();
    garbagePort = typeof address === "object" && address ? address.port : 0;
  });
  afterAll(() => garbage.close());

  const cases: [string, (url: URL) => unknown, RegExp][] = [
    [
      "a port where nothing listens",
      (url) => Object.assign(url, { port: "1" }),
      /nothing accepts connections at .*:1\. Start the server/,
    ],
    [
      "a host that has no address",
      (url) => Object.assign(url, { hostname: "nowhere.invalid" }),
      /"nowhere\.invalid" cannot be resolved/,
    ],
    [
      "a server of another kind",
      (url) => Object.assign(url, { port: String(garbagePort) }),
      /does not speak PostgreSQL|closed the connection/,
    ],
    ["a wrong password", (url) => Object.assign(url, { password: "canary-wrong" }), /rejects the password of role/],
    [
      "a role that is missing",
      (url) => Object.assign(url, { username: "nobody_there" }),
      /rejects the password|has no role "nobody_there"/,
    ],
    [
      "a database that is missing",
      (url) => Object.assign(url, { pathname: "/not_there" }),
      /has no database "not_there"/,
    ],
    ["a server without TLS", (url) => url.searchParams.set("sslmode", "require"), /does not offer TLS/],
    [
      "a certificate file that is missing",
      (url) => url.searchParams.set("sslrootcert", "/no/such.crt"),
      /cannot read the certificate file "\/no\/such\.crt"/,
    ],
  ];

  it.each(cases)("is explained: %s", async (_case, change, message) => {
    const url = urlWith(change);
    await withProvider(async (provider) => {
      await provider.configure({ url });
      const { details } = await failureOfCall(provider.create(ROW, "a", row));
      expect(details).toMatch(message);
      expect(details).not.toContain("PS900");
      expect(details).not.toContain(new URL(url).password);
      expect(details).not.toContain("postgresql://");
    });
  });

  it("is explained: no free connection", async () => {
    await database.query(`ALTER ROLE ${role.name} CONNECTION LIMIT 0`);
    await withProvider(async (provider) => {
      await provider.configure({ url: database.urlFor(role) });
      expect((await failureOfCall(provider.create(ROW, "a", row))).details).toContain("no free connection");
    });
    await database.query(`ALTER ROLE ${role.name} CONNECTION LIMIT -1`);
  });

  it("is explained: a role that may not log in", async () => {
    await database.query(`ALTER ROLE ${role.name} NOLOGIN`);
    await withProvider(async (provider) => {
      await provider.configure({ url: database.urlFor(role) });
      expect((await failureOfCall(provider.create(ROW, "a", row))).details).toContain("may not log in");
    });
    await database.query(`ALTER ROLE ${role.name} LOGIN`);
  });

  it("is explained: a read-only database", async () => {
    await database.query(`ALTER ROLE ${role.name} SET default_transaction_read_only = on`);
    await withProvider(async (provider) => {
      await provider.configure({ url: database.urlFor(role) });
      expect((await failureOfCall(provider.create(ROW, "a", row))).details).toContain(
        "is read-only: default_transaction_read_only is set for the server, the database or the role. Expected",
      );
    });
    await database.query(`ALTER ROLE ${role.name} RESET default_transaction_read_only`);
  });

  it("is used again once it is back, by the same process", async () => {
    await withProvider(async (provider) => {
      await provider.configure({ url: database.urlFor(role) });
      await database.query(`ALTER ROLE ${role.name} NOLOGIN`);
      await failureOfCall(provider.create(ROW, "a", row));
      await database.query(`ALTER ROLE ${role.name} LOGIN`);
      expect((await provider.create(ROW, "a", row)).outputs.adopted).toBe(false);
    });
  });

  it("may drop all connections between two calls", async () => {
    await withProvider(async (provider) => {
      await provider.configure({ url: database.urlFor(role) });
      const state = await provider.create(ROW, "b", { ...row, key: { name: "b" } });
      await database.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${role.name}'`);
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect((await provider.diff(state, state.inputs)).changed).toBe(false);
    });
  });
});
