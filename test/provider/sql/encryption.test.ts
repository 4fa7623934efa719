import { afterAll, beforeAll, expect, test } from "vitest";
import { ServerLog } from "../../support/serverLog.ts";
import { createStudioDatabase, type StudioDatabase, seedStudio } from "../../support/studio.ts";

const serverLog = new ServerLog();
let studio: StudioDatabase;
let projects: [string, string];
let count = 0;

beforeAll(async () => {
  studio = await createStudioDatabase();
  ({ projects } = await seedStudio(studio));
});
afterAll(async () => {
  await studio.drop();
});

const CANARY = "pa55-canary-of-the-registry";
const FULL = `mongodb://mongo:${CANARY}@mongodb.railway.internal:27017/lancio?authSource=admin`;
const MASKED = "mongodb://mongodb.railway.internal:27017";

interface Registration {
  id: string;
  connection_string: string;
  connection_string_encrypted: Buffer;
  password: string | null;
}

async function register(more: Record<string, unknown> = {}): Promise<Registration> {
  const values = {
    project_id: projects[0],
    name: `db${++count}`,
    type: "mongodb",
    host: "mongodb.railway.internal",
    port: 27017,
    connection_string: FULL,
    ...more,
  };
  const names = Object.keys(values);
  const [row] = await studio.query<Registration>(
    `insert into platform.databases (${names.join()}) values (${names.map((_, n) => `$${n + 1}`).join()}) returning *`,
    Object.values(values),
  );
  if (row === undefined) throw new Error("nothing was inserted");
  return row;
}

const change = async (id: string, set: string, values: unknown[] = []): Promise<Registration> => {
  const [row] = await studio.query<Registration>(`update platform.databases set ${set} where id = $1 returning *`, [
    id,
    ...values,
  ]);
  if (row === undefined) throw new Error("nothing was updated");
  return row;
};

const decrypted = async (id: string): Promise<unknown> =>
  (
    await studio.query<{ full: string | null }>("select platform.decrypt_database_connection_string($1) as full", [id])
  )[0]?.full;

test("an insert keeps the masked form and a ciphertext, and decrypting gives the whole string back", async () => {
  const row = await register({ password: CANARY });
  expect(row).toMatchObject({ connection_string: MASKED, password: null });
  expect(row.connection_string_encrypted.length).toBeGreaterThan(FULL.length);
  expect(await decrypted(row.id)).toBe(FULL);
});

test("no plain text is anywhere in the table, its views for readers, or its index entries", async () => {
  await register({
    password: CANARY,
    username: "mongo",
    config: { authSource: "admin", password: CANARY },
    metadata: { provider: "railway" },
  });
  const [table] = await studio.query<{ text: string }>(
    "select string_agg(d::text, E'\\n') as text from platform.databases d",
  );
  expect(table?.text).toContain(MASKED);
  expect(table?.text).not.toContain(CANARY);
  const [bytes] = await studio.query<{ text: string }>(
    "select string_agg(encode(connection_string_encrypted || password_encrypted || coalesce(config_encrypted, ''), 'escape'), '') as text from platform.databases",
  );
  expect(bytes?.text).not.toContain(CANARY);
  const safe = await studio.as("studio_readonly", "select * from platform.databases_safe");
  expect(JSON.stringify(safe)).not.toContain(CANARY);
  expect(safe[0]).toMatchObject({ connection_string_masked: MASKED });
});

test("two rows with the same string have different ciphertexts", async () => {
  const [one, two] = [await register(), await register()];
  expect(one.connection_string_encrypted.equals(two.connection_string_encrypted)).toBe(false);
});

test("a row that is read and written back keeps its secret and its ciphertext", async () => {
  const row = await register();
  const same = await change(row.id, "connection_string = connection_string");
  expect(same.connection_string_encrypted.equals(row.connection_string_encrypted)).toBe(true);
  expect(await decrypted(row.id)).toBe(FULL);
});

test("an update of other columns keeps the ciphertext", async () => {
  const row = await register();
  const same = await change(row.id, "status = 'maintenance', name = 'renamed'");
  expect(same.connection_string_encrypted.equals(row.connection_string_encrypted)).toBe(true);
});

test("an update of host and port changes the masked form and keeps the secret", async () => {
  const row = await register();
  const moved = await change(row.id, "host = 'other.internal', port = 27018");
  expect(moved.connection_string).toBe("mongodb://other.internal:27018");
  expect(await decrypted(row.id)).toBe(FULL);
});

test("a new string replaces the secret", async () => {
  const row = await register();
  const next = FULL.replace(CANARY, "another-password");
  const changed = await change(row.id, "connection_string = $2", [next]);
  expect(changed.connection_string).toBe(MASKED);
  expect(await decrypted(row.id)).toBe(next);
});

test("a row that moves to another project is encrypted anew and can still be decrypted", async () => {
  const row = await register();
  const moved = await change(row.id, "project_id = $2", [projects[1]]);
  expect(moved.connection_string_encrypted.equals(row.connection_string_encrypted)).toBe(false);
  expect(await decrypted(row.id)).toBe(FULL);
});

test("a ciphertext that a client writes is overridden", async () => {
  const row = await register();
  const changed = await change(row.id, "connection_string_encrypted = 'x'");
  expect(changed.connection_string_encrypted.equals(row.connection_string_encrypted)).toBe(true);
  await expect(register({ connection_string: MASKED, connection_string_encrypted: Buffer.from("x") })).rejects.toThrow(
    "inserted anew",
  );
});

const secretsOf = async (...ids: string[]) =>
  studio.query<{ connection_string: string; password: string | null; config: unknown }>(
    "select connection_string, password, config from platform.decrypt_databases($1)",
    [ids],
  );

test("a password is encrypted, kept by updates that do not name it, replaced by another and removed by an empty one", async () => {
  const row = await register({ connection_string: "redis://redis:6379", password: CANARY });
  expect(row.password).toBeNull();
  expect(await secretsOf(row.id)).toMatchObject([{ password: CANARY }]);
  expect((await change(row.id, "password = null, port = 27018")).password).toBeNull();
  expect(await secretsOf(row.id)).toMatchObject([{ password: CANARY }]);
  await change(row.id, "password = $2", [`${CANARY}2`]);
  expect(await secretsOf(row.id)).toMatchObject([{ password: `${CANARY}2` }]);
  const without = await change(row.id, "password = ''");
  expect(without).toMatchObject({ password: null, password_encrypted: null });
  expect(await secretsOf(row.id)).toMatchObject([{ password: null }]);
});

const CONFIG = {
  pool: 5,
  auth: { apiKey: CANARY, user: "u", tokens: ["t1"], credentials: { pin: 7, none: null } },
  replicas: [`redis://u:${CANARY}@h`, "redis://open:6379"],
};
const MASKED_CONFIG = {
  pool: 5,
  auth: { apiKey: "********", user: "********", tokens: ["********"], credentials: { pin: "********", none: null } },
  replicas: ["********", "redis://open:6379"],
};

test("secrets in config are masked where it is read and whole where it is decrypted", async () => {
  const row = await register({ config: CONFIG });
  expect(row).toMatchObject({ config: MASKED_CONFIG });
  expect(await secretsOf(row.id)).toMatchObject([{ config: CONFIG }]);
  const [shown] = await studio.as(
    "studio_decrypt",
    `select config from platform.databases_with_connection_strings where id = '${row.id}'`,
  );
  expect(shown).toEqual({ config: CONFIG });
});

test("a config that is read, changed and written back keeps its secrets, also where one is new or gone", async () => {
  const { id } = await register({ config: CONFIG });
  const back = {
    ...MASKED_CONFIG,
    pool: 9,
    auth: { ...MASKED_CONFIG.auth, secret: "another" },
    replicas: ["********"],
  };
  await change(id, "config = $2", [back]);
  expect(await secretsOf(id)).toMatchObject([
    { config: { pool: 9, auth: { ...CONFIG.auth, secret: "another" }, replicas: CONFIG.replicas.slice(0, 1) } },
  ]);
  const open = await change(id, "config = $2", [{ pool: 1 }]);
  expect(open).toMatchObject({ config: { pool: 1 }, config_encrypted: null });
  await expect(change(id, "config = $2", [MASKED_CONFIG])).rejects.toThrow("where no secret is stored");
});

test("rows from before the layer, in plain text, are encrypted when they are touched", async () => {
  const [row] = await studio.query<{ id: string }>("select gen_random_uuid() as id");
  const client = await studio.pool.connect();
  try {
    await client.query("set session_replication_role = replica");
    await client.query(
      "insert into platform.databases (id, project_id, name, type, host, port, connection_string, password, config) values ($1, $2, 'plain', 'mongodb', 'mongodb.railway.internal', 27017, $3, $4, $5)",
      [row?.id, projects[0], FULL, CANARY, CONFIG],
    );
  } finally {
    await client.query("reset session_replication_role");
    client.release();
  }
  expect(await decrypted(row?.id ?? "")).toBeNull();
  const touched = await change(row?.id ?? "", "connection_string = connection_string");
  expect(touched).toMatchObject({ connection_string: MASKED, password: null, config: MASKED_CONFIG });
  expect(await secretsOf(row?.id ?? "")).toEqual([{ connection_string: FULL, password: CANARY, config: CONFIG }]);
});

test("whatever may be a secret is masked in config by its name or its form, and the settings of clients are not", async () => {
  const secrets = [
    ...["secretKey", "passphrase", "pass", "auth", "dsn", "password_1", "token_value", "cert_key", "privateKeyPem"],
    ...["deployKey", "API-KEY", "db.passwd", "connectionString", "x-api-key", "sessionCookie"],
  ].map((name) => ({ [name]: CANARY }));
  const config = {
    secrets,
    passwords: [CANARY, { deep: CANARY }],
    headers: { Authorization: CANARY },
    pairs: [
      { name: "password", value: CANARY },
      { key: "x-token", values: [CANARY] },
    ],
    texts: [
      `postgres://u:pa/${CANARY}@h`,
      `https://h/?password=${CANARY}`,
      `https://${CANARY}@host`,
      `host=db password=${CANARY}`,
      `Authorization: Bearer ${CANARY}`,
    ],
  };
  const open = {
    ...{ authSource: "admin", replicaSet: "rs0", db: 0, keyPrefix: "studio:", schema: "public", maxPoolSize: 5 },
    ...{ retryStrategy: { maxRetries: 3 }, ca: "-----BEGIN CERTIFICATE-----", name: "primary", value: 1 },
    urls: ["redis://h:6379/0?db=1", "https://h:8080/@team", "mongodb://h/a?authSource=admin"],
  };
  const row = await register({ config: { ...config, ...open } });
  expect(row).toMatchObject({ config: open });
  expect(JSON.stringify(row)).not.toContain(CANARY);
  expect(await secretsOf(row.id)).toMatchObject([{ config }]);
});

for (const [what, values, fault] of [
  ["that is no URL", { connection_string: `host=db password=${CANARY}` }, "is not a URL"],
  ["that is empty", { connection_string: " " }, "databases_connection_string_not_empty"],
  ["of an unknown type", { type: "oracle" }, "databases_type_check"],
  ["of an impossible port", { port: 70_000 }, "databases_port_check"],
  ["without a host", { host: " " }, "databases_host_not_empty"],
  ["without a name", { name: "" }, "databases_name_not_empty"],
  ["of an unknown status", { status: "gone" }, "databases_status_check"],
  [
    "with a secret in its metadata",
    { metadata: { auth: { password: CANARY } } },
    "metadata of a database holds a secret",
  ],
  ["with a URL with a password in its metadata", { metadata: { note: `redis://u:${CANARY}@h` } }, "holds a secret"],
  ["with ******** where no secret is stored", { config: { password: "********" } }, "where no secret is stored"],
] as const) {
  test(`a registration ${what} is refused, and the refusal shows no secret`, async () => {
    const message = await register(values).then(
      () => "",
      (error: Error & { hint?: string }) => `${error.message} ${error.hint}`,
    );
    expect(message).toContain(fault);
    expect(message).not.toContain(CANARY);
  });
}

test("without a salt an insert fails with what is missing, and so does a decryption", async () => {
  const own = await createStudioDatabase();
  const [organization] = await own.query<{ id: string }>(
    "insert into platform.organizations (name, slug) values ('Acme', 'acme') returning id",
  );
  const [project] = await own.query<{ id: string }>(
    "insert into platform.projects (organization_id, name, slug, ref, database_host, database_name, database_user, database_password, postgres_meta_url, supabase_url) values ($1, 'p', 'p', 'p-ref', 'h', 'd', 'u', 'p', 'm', 's') returning id",
    [organization?.id],
  );
  const insert =
    "insert into platform.databases (project_id, name, type, host, port, connection_string) values ($1, 'n', 'redis', 'h', 6379, 'redis://:p@h:6379')";
  await expect(own.query(insert, [project?.id])).rejects.toThrow(
    'no encryption salt: platform_private.encryption_salts has no row named "databases"',
  );
  expect(await own.query("select from platform.databases")).toEqual([]);
  await own.query("insert into platform_private.encryption_salts values ('databases', repeat('s', 32))");
  await own.query(insert, [project?.id]);
  await own.drop();
});

test("a salt that ciphertexts depend on is neither changed nor removed, and a short one is refused", async () => {
  await register();
  await expect(studio.query("update platform_private.encryption_salts set salt = repeat('x', 40)")).rejects.toThrow(
    "is in use",
  );
  await expect(studio.query("delete from platform_private.encryption_salts")).rejects.toThrow("is in use");
  await expect(studio.query("insert into platform_private.encryption_salts values ('other', 'short')")).rejects.toThrow(
    "expected at least 32",
  );
  const [salt] = await studio.query<{ salts: number }>(
    "select count(*)::int as salts from platform_private.encryption_salts",
  );
  expect(salt?.salts).toBe(1);
});

test("an unknown registration decrypts to null", async () => {
  expect(await decrypted("00000000-0000-0000-0000-000000000000")).toBeNull();
});

test("a project's databases are listed newest first, without inactive ones, and by type", async () => {
  const project = projects[1];
  await studio.query("delete from platform.databases where project_id = $1", [project]);
  for (const [name, type, status, age] of [
    ["old", "mongodb", "active", 3],
    ["middle", "redis", "error", 2],
    ["gone", "redis", "inactive", 1],
    ["new", "redis", "maintenance", 0],
  ] as const) {
    await register({ project_id: project, name, type, status, created_at: new Date(Date.now() - age * 1000) });
  }
  const names = async (type: string | null): Promise<unknown> =>
    (
      await studio.query<{ name: string }>("select name from platform.get_project_databases($1, $2)", [project, type])
    ).map(({ name }) => name);
  expect(await names(null)).toEqual(["new", "middle", "old"]);
  expect(await names("redis")).toEqual(["new", "middle"]);
  expect(await names("postgresql")).toEqual([]);
});

test("a health check is recorded, an unknown status refused, and an unknown registration told", async () => {
  const { id } = await register();
  const record = (status: string, error: string | null, of = id) =>
    studio.query<{ done: boolean }>("select platform.update_database_health($1, $2, $3) as done", [of, status, error]);
  expect(await record("unhealthy", "timed out")).toEqual([{ done: true }]);
  const read =
    "select health_check_status as status, health_check_error as error, last_health_check_at is not null as checked from platform.databases where id = $1";
  expect(await studio.query(read, [id])).toEqual([{ status: "unhealthy", error: "timed out", checked: true }]);
  await record("healthy", null);
  expect(await studio.query(read, [id])).toEqual([{ status: "healthy", error: null, checked: true }]);
  await expect(record("great", null)).rejects.toThrow("databases_health_check_status_check");
  expect(await record("healthy", null, "00000000-0000-0000-0000-000000000000")).toEqual([{ done: false }]);
  expect(await decrypted(id)).toBe(FULL);
});

test("the server's log has the statements of these tests, and no secret of theirs", () => {
  const log = serverLog.read();
  expect(log).toContain("insert into platform.databases");
  expect(log).not.toContain(CANARY);
});
