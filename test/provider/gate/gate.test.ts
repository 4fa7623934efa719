import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Properties } from "../../../provider/core/resourceType.ts";
import { liveCatalogOf } from "../../../provider/resources/layer/catalogCache.ts";
import { createTestDatabase, createTestRole, type TestDatabase, type TestRole } from "../../support/database.ts";
import { type GatedRun, gatedRun } from "../../support/gateHarness.ts";
import { startTestServer, type TestServer } from "../../support/testServer.ts";

const GATE = { schemas: ["app"] };

let server: TestServer;
let database: TestDatabase;
let role: TestRole;
const open: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  server = await startTestServer({ max_prepared_transactions: "5", autovacuum_naptime: "1s" });
  role = await createTestRole({ server: server.url("postgres") });
});
afterAll(() => server?.stop());
beforeEach(async () => {
  database = await createTestDatabase({ server: server.url("postgres") });
  await database.query("create schema app");
  await database.query("create table app.items (id int primary key)");
  await database.query("create table public.other (id int)");
});
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
  await database.drop();
});

async function run(
  gate: Properties = {},
  options: Parameters<typeof gatedRun>[2] & { url?: string } = {},
): Promise<GatedRun> {
  const made = await gatedRun(options.url ?? database.url, { ...GATE, checks: "none", ...gate }, options);
  open.push(() => made.close());
  return made;
}

/** A session that stays open, in a transaction that has sent this. */
async function transaction(sql: string, url = database.url): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  open.push(() => client.end());
  await client.query("begin");
  await client.query(sql);
  return client;
}

/** Runs as a role that is no superuser. */
const asRole = (): { url: string } => ({ url: database.urlFor(role) });

describe("where nothing is wrong", () => {
  test("all checks pass, and the preview tells the digest of the plan", async () => {
    const { failures, said } = await run();
    expect(failures).toEqual([]);
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/^GO\n {2}plan [0-9a-f]{10}(-[0-9a-f]{10}){3}\n {2}(\d+) of \2 checks pass$/);
  });

  test("an update says nothing before its first change", async () => {
    expect((await run({ isDryRun: false })).said).toEqual([]);
  });

  test("a role that is no superuser is told GO as well", async () => {
    await database.query(`grant create on database ${database.name} to ${role.name}`);
    const { failures, said } = await run({ schemas: ["fresh"] }, asRole());
    expect(failures).toEqual([]);
    expect(said[0]).toMatch(/^GO/);
  });
});

describe("what an update needs in any case stops a preview", () => {
  const stops = async (name: string, gate: Properties, options?: Parameters<typeof run>[1]): Promise<string> => {
    const found = await run(gate, options);
    expect(found.failures.map(({ code }) => code)).toEqual(["PS801"]);
    expect(found.statusOf(name)).toBe("NO-GO");
    return found.line(name) ?? "";
  };

  test("a schema that is not there, and that the role may not create", async () => {
    const line = await stops("privileges", { schemas: ["fresh"] }, asRole());
    expect(line).toMatch(/no CREATE on the database for schema fresh.*→ GRANT CREATE ON DATABASE … TO "role_\w+";$/);
  });

  test("a schema in which the role may not create", async () => {
    expect(await stops("privileges", {}, asRole())).toMatch(/→ GRANT CREATE, USAGE ON SCHEMA app TO "role_\w+";$/);
  });

  test("tables of another role are a warning, since a plan may leave them alone", async () => {
    await database.query(`grant create, usage on schema app to ${role.name}`);
    const found = await run({}, asRole());
    expect(found.failures).toEqual([]);
    expect(found.line("privileges")).toMatch(
      /^WARNING .* does not own 1 of the tables and views there, such as app\.items/,
    );
  });

  test("an extension that the server does not have", async () => {
    const line = await stops("extensions", { extensions: ["pgcrypto", "no_such_extension"] });
    expect(line).toMatch(
      /cannot be had: no_such_extension; .* → Install the package of no_such_extension on the server\.$/,
    );
  });

  test("an extension that the role may not create, while a trusted one is fine", async () => {
    await database.query(`grant create on database ${database.name} to ${role.name}`);
    const gate = { schemas: [], extensions: ["pgcrypto", "pg_stat_statements"] };
    expect(await stops("extensions", gate, asRole())).toContain(
      'cannot be had: pg_stat_statements; expected pgcrypto, pg_stat_statements → As a superuser: CREATE EXTENSION "pg_stat_statements";',
    );
    await database.query("create extension pg_stat_statements");
    expect((await run(gate, asRole())).failures).toEqual([]);
  });

  test("a role that does not exist", async () => {
    expect(await stops("roles", { roles: ["no_such_role"] })).toContain(
      "missing: no_such_role; expected no_such_role → CREATE ROLE no_such_role;",
    );
    expect((await run({ roles: [role.name] })).failures).toEqual([]);
  });

  test("a role that the program creates, where the connecting one may not", async () => {
    await database.query(`grant create on database ${database.name} to ${role.name}`);
    const gate = { schemas: [], createdRoles: ["no_such_role"] };
    expect(await stops("roles", gate, asRole())).toContain("CREATEROLE");
    expect((await run(gate)).failures).toEqual([]);
  });

  test("a role that the first update would create and that is there is a warning with the way out", async () => {
    const gate = { createdRoles: [role.name] };
    const found = await run(gate);
    expect(found.failures).toEqual([]);
    expect(found.line("roles")).toMatch(/^WARNING .* exist already;.*manageRoles false/);
    const { inputs } = found;
    expect((await run(gate, { olds: inputs })).line("roles")).toBeUndefined();
  });

  test("a slow connection is a warning", async () => {
    const found = await run({ thresholds: { latencyMs: 0 } });
    expect(found.failures).toEqual([]);
    expect(found.line("connection")).toMatch(/^WARNING .*3 probes, median \d/);
  });

  test("an update is stopped the same way", async () => {
    await stops("roles", { roles: ["no_such_role"], isDryRun: false });
  });

  test("faults of inputs are told together", async () => {
    const { failures } = await run({
      window: "2-4",
      thresholds: { nope: 1 },
      more: 1,
      overrides: { disk: { who: "Ann" } },
    });
    expect(failures.map(({ property }) => property).sort()).toEqual([
      ...["more", "overrides.disk.plan", "overrides.disk.until", "overrides.disk.why", "thresholds", "window"],
    ]);
  });
});

describe("what has to hold when an update begins is a forecast in a preview, and stops an update", () => {
  const stops = async (name: string, gate: Properties, options: Parameters<typeof run>[1] = {}): Promise<string> => {
    const preview = await run(gate, options);
    expect(preview.failures).toEqual([]);
    expect(preview.said[0]).toMatch(/^would be NO-GO now/);
    const update = await run({ ...gate, isDryRun: false }, options);
    expect(update.failures).toEqual([]);
    await expect(update.session.record.gate?.pass(update.context)).rejects.toThrow(`NO-GO         ${name}: `);
    return preview.line(name) ?? "";
  };
  const passes = async (gate: Properties, options: Parameters<typeof run>[1] = {}): Promise<void> => {
    expect((await run(gate, options)).said[0]).toMatch(/^GO/);
    const update = await run({ ...gate, isDryRun: false }, options);
    await update.session.record.gate?.pass(update.context);
  };
  /** A window that is closed for some hours. */
  const closed = (): string => {
    const hour = (new Date().getUTCHours() + 3) % 24;
    const [from, to] = [hour, (hour + 1) % 24].map((each) => String(each).padStart(2, "0"));
    return `${from}:00-${to}:00`;
  };

  test("a time outside of the window, unless a reason is given", async () => {
    expect(await stops("window", { window: closed() })).toMatch(
      /\d\d:\d\d UTC; expected \d\d:00-\d\d:00 UTC → Wait for the window/,
    );
    await passes({ window: closed(), windowOverride: "agreed with Ann" });
  });

  test("an open incident", async () => {
    expect(await stops("incident", { incident: "INC-7: sign-in is slow" })).toContain("open: INC-7: sign-in is slow");
  });

  test("a session that is idle in a transaction on a managed table", async () => {
    const client = await transaction("select from app.items");
    const thresholds = { idleInTransactionSeconds: 0 };
    expect(await stops("idle-in-transaction", { thresholds })).toMatch(
      /process \d+ of role \w+ for [\d.]+ s on managed tables; .* → End it in its client, or: SELECT pg_terminate_backend\(\d+\);$/,
    );
    await passes({});
    await client.query("rollback");
    await transaction("select from public.other");
    await passes({ thresholds });
  });

  test("a long transaction on a managed table; elsewhere it is a warning", async () => {
    const thresholds = { longTransactionSeconds: 0 };
    const elsewhere = await transaction("select from public.other");
    const found = await run({ thresholds });
    expect(found.said[0]).toMatch(/^GO/);
    expect(found.line("long-transactions")).toMatch(/^WARNING .* on none of the managed tables/);
    await elsewhere.query("rollback");
    await transaction("select from app.items");
    expect(await stops("long-transactions", { thresholds })).toContain("on managed tables");
  });

  test("sessions whose doings are hidden from the role are INCONCLUSIVE, with the grant that shows them", async () => {
    await database.query(`grant create, usage on schema app to ${role.name}`);
    await database.query(`alter table app.items owner to ${role.name}`);
    await transaction("select from app.items");
    const found = await run({}, asRole());
    expect(found.said[0]).toMatch(/^would be NO-GO now/);
    expect(found.line("idle-in-transaction")).toMatch(/^INCONCLUSIVE .* → GRANT pg_read_all_stats TO "role_\w+";$/);
    await database.query(`grant pg_read_all_stats to ${role.name}`);
    expect((await run({}, asRole())).said[0]).toMatch(/^GO/);
    await database.query(`revoke pg_read_all_stats from ${role.name}`);
  });

  test("a prepared transaction", async () => {
    const client = await transaction("insert into app.items values (1)");
    await client.query("prepare transaction 'it''s'");
    try {
      expect(await stops("prepared-transactions", {})).toMatch(
        /1, the oldest "it's" for .* → ROLLBACK PREPARED 'it''s';/,
      );
    } finally {
      await client.query("rollback prepared 'it''s'");
    }
    await passes({});
  });

  test("an inactive replication slot that holds WAL", async () => {
    await database.query("select pg_create_physical_replication_slot('left_behind', true)");
    try {
      await database.query("insert into app.items select generate_series(1, 1000)");
      expect(await stops("replication-slots", { thresholds: { slotRetainedMb: 0 } })).toMatch(
        /left_behind is inactive and holds [\d.]+ MB of WAL; .*pg_drop_replication_slot\('left_behind'\);$/,
      );
      await passes({});
    } finally {
      await database.query("select pg_drop_replication_slot('left_behind')");
    }
  });

  test("a replica that lags behind", async () => {
    const stop = await laggingReplica(server.url("postgres"));
    open.push(stop);
    await database.query("insert into app.items select generate_series(1, 1000)");
    expect(await stops("replication-lag", { thresholds: { replicationLagMb: 0 } })).toMatch(
      /late \d.* s, [\d.]+ MB; expected up to 30 s and 0 MB/,
    );
    await passes({});
  });

  test("transaction ids that are old", async () => {
    expect(await stops("wraparound", { thresholds: { wraparoundAge: 0 } })).toContain("VACUUM (FREEZE)");
  });

  test("a vacuum to prevent wraparound on a managed table", async () => {
    await database.query("create table app.old (id int) with (autovacuum_freeze_max_age = 100000)");
    await database.query("insert into app.old select 1");
    await transaction("lock table app.old in share update exclusive mode");
    await database.query(
      "do $$ begin for n in 1..101000 loop begin insert into public.other values (n); exception when unique_violation then null; end; end loop; end $$",
    );
    await expect
      .poll(async () => (await run({ thresholds: { idleInTransactionSeconds: 900 } })).line("wraparound"), {
        timeout: 20_000,
        interval: 300,
      })
      .toMatch(/^NO-GO .*a vacuum to prevent wraparound runs on app\.old.*it does not give way to a lock/);
  });

  test("a disk without space", async () => {
    expect(await stops("disk", { thresholds: { freeDiskMb: 1e12 } })).toMatch(
      /\d+ MB free; expected 1000000000000 MB free/,
    );
  });

  test("a disk of backups without space", async () => {
    // Of no size, on every Linux; the folder itself is not there yet.
    const provider = { backup: "dump", backupFolder: "/proc/backups/of/it" };
    expect(await stops("disk", {}, { provider })).toMatch(
      /\d+ MB free, for backups 0 MB free; expected 256 MB free → .*, and in \/proc\/backups\/of\/it\./,
    );
    await passes({}, { provider: { ...provider, backup: "off" } });
  });

  test("a database that is too large for a dump, or that the role cannot read", async () => {
    const dump = { provider: { backup: "dump", backupSizeLimitMb: 1 } };
    expect(await stops("backup", {}, dump)).toMatch(/the database has \d+ MB; .* → Raise backupSizeLimitMb/);
    await passes({}, { provider: { backup: "dump" } });
    await database.query(`grant create, usage on schema app to ${role.name}`);
    const line = await stops("backup", {}, { ...asRole(), provider: { backup: "dump" } });
    expect(line).toMatch(/may not read 2 tables, such as app\.items, public\.other; .* → GRANT pg_read_all_data TO/);
  });

  test("a plan that is not the approved one, with the part that differs", async () => {
    const gate = { sources: ["package.json"], settings: { region: "one" } };
    const plan = /plan (\S+)/.exec((await run(gate)).said[0] ?? "")?.[1] ?? "";
    const approved = { ...gate, approvedPlan: plan };
    await passes(approved);
    expect(await stops("approved-plan", { ...approved, settings: { region: "two" } })).toContain(
      "which differs in the settings of the stack;",
    );
    expect(await stops("approved-plan", { ...approved, sources: ["biome.json"] })).toContain(
      "which differs in the files of the program;",
    );
    await database.query("alter table app.items add column more int");
    expect(await stops("approved-plan", approved)).toMatch(
      /which differs in the catalog of the target; .* → Review the preview, then: pulumi config set approvedPlan \S+$/,
    );
  });

  test("a catalog that changes after the update has read it is not the approved one either", async () => {
    const plan = /plan (\S+)/.exec((await run()).said[0] ?? "")?.[1] ?? "";
    const update = await run({ approvedPlan: plan, isDryRun: false });
    await liveCatalogOf(update.session).get();
    await database.query("alter table app.items add column more int");
    await expect(update.session.record.gate?.pass(update.context)).rejects.toThrow(
      "which differs in the catalog of the target",
    );
  });

  test("files that the stack before this one has not verified", async () => {
    const gate = { sources: ["package.json"], promoteFrom: "dev" };
    const desired = String((await run(gate)).inputs.desired);
    const release = { desired, result: "PASS", verifiedAt: new Date().toISOString(), commit: "abc1234" };
    await passes({ ...gate, release });
    const old = new Date(Date.now() - 200 * 3_600_000).toISOString();
    expect(await stops("promotion", gate)).toContain("stack dev exports no verified release");
    expect(await stops("promotion", { ...gate, release: { ...release, desired: "other" } })).toContain(
      "it has files other of commit abc1234",
    );
    expect(await stops("promotion", { ...gate, release: { ...release, result: "FAIL" } })).toContain(
      "its verification says FAIL",
    );
    expect(await stops("promotion", { ...gate, release: { ...release, verifiedAt: old } })).toContain(
      `it was verified at ${old}`,
    );
    expect(await stops("promotion", { ...gate, release: { ...release, verifiedAt: "soon" } })).toContain(
      "it was verified at soon",
    );
    await passes({ ...gate, promoteMaxAgeHours: 300, release: { ...release, verifiedAt: old } });
  });

  test("a trial reports and stops nothing", async () => {
    const gate = { incident: "INC-7", trial: ["incident"] };
    await passes(gate);
    expect((await run(gate)).line("incident")).toMatch(/^NO-GO .*\(a trial: stops nothing\)$/);
    expect((await run({ trial: ["incidents"] })).said[0]).toContain("no check is called incidents");
  });

  test("what could not be measured goes with a person's word for this plan", async () => {
    await database.query(`grant create, usage on schema app to ${role.name}`);
    await database.query(`alter table app.items owner to ${role.name}`);
    await transaction("select from app.items");
    const first = await run({}, asRole());
    const plan = /plan (\S+)/.exec(first.said[0] ?? "")?.[1] ?? "";
    const word = { who: "Ann", why: "asked the team", until: new Date(Date.now() + 3_600_000).toISOString(), plan };
    const both = { "idle-in-transaction": word, "long-transactions": word };
    await passes({ overrides: both }, asRole());
    expect((await run({ overrides: both }, asRole())).said[0]).toContain(
      `(overridden by Ann until ${word.until}: asked the team)`,
    );
    const stale = { "idle-in-transaction": { ...word, plan: "other" }, "long-transactions": word };
    expect((await run({ overrides: stale }, asRole())).said[0]).toContain(
      "the override by Ann does nothing: it is for plan other",
    );
  });

  test("inputs of the run are used and not kept, so that no difference arises", async () => {
    const { inputs } = await run({ release: { desired: "x" }, isDryRun: true });
    expect(Object.keys(inputs)).toEqual(["schemas", "checks", "desired"]);
    expect((await run({ isDryRun: false })).inputs).toEqual(inputs);
  });
});

/** A replica that has received something once and nothing since, as it says itself. */
async function laggingReplica(url: string): Promise<() => Promise<void>> {
  const { hostname, port, username, password } = new URL(url);
  const config = {
    ...{ host: hostname, port: Number(port), user: username, password: decodeURIComponent(password) },
    ...{ application_name: "late", replication: "true" },
  };
  const client = new pg.Client(config);
  client.on("error", () => {});
  await client.connect();
  const { rows } = await client.query<{ xlogpos: string }>("IDENTIFY_SYSTEM");
  const [high = "0", low = "0"] = rows[0]?.xlogpos.split("/") ?? [];
  const position = (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`);
  client.query(`START_REPLICATION PHYSICAL ${high}/${low}`).catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 300));
  // A status of a standby, as a chunk of a copy.
  const message = Buffer.alloc(1 + 4 + 34);
  message.write("d", 0);
  message.writeInt32BE(4 + 34, 1);
  message.write("r", 5);
  for (const place of [6, 14, 22]) message.writeBigUInt64BE(position, place);
  client.connection.stream.write(message);
  await new Promise((resolve) => setTimeout(resolve, 100));
  return async () => {
    client.connection.stream.destroy();
  };
}
