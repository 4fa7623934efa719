import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ServerLog } from "../../support/serverLog.ts";
import { createStudioDatabase, type StudioDatabase, seedStudio } from "../../support/studio.ts";

const serverLog = new ServerLog();
const PUBLIC_ONLY = "pgstrata_public_only";
const CANARY = "pa55-canary-of-a-ciphertext";
const FULL = `redis://default:${CANARY}@redis.railway.internal:6379/0`;
const CONFIG = { db: 0, apiKey: CANARY };
const COLUMNS = ["connection_string", "password", "config"] as const;

let studio: StudioDatabase;
let projects: [string, string];
let count = 0;

beforeAll(async () => {
  studio = await createStudioDatabase();
  ({ projects } = await seedStudio(studio));
  await studio.query(
    `do $$ begin create role ${PUBLIC_ONLY}; exception when duplicate_object or unique_violation then end $$`,
  );
});
afterAll(async () => {
  await studio.drop();
});

async function register(connectionString = FULL): Promise<string> {
  const [row] = await studio.query<{ id: string }>(
    `insert into platform.databases (project_id, name, type, host, port, connection_string, password, config)
     values ($1, $2, 'redis', 'redis.railway.internal', 6379, $3, $4, $5) returning id`,
    [projects[0], `db${++count}`, connectionString, CANARY, CONFIG],
  );
  return row?.id ?? "";
}

/** What a decryption gives, or the error's text with its hint. */
async function opened(id: string): Promise<unknown> {
  try {
    const rows = await studio.query("select connection_string, password, config from platform.decrypt_databases($1)", [
      [id],
    ]);
    return rows[0];
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error;
    expect(`${error.message} ${error.hint} ${error.detail} ${error.where}`).not.toContain(CANARY);
    return error.message;
  }
}

/** Writes past the trigger, as a damaged disk or a superuser could. */
async function forged(sql: string, values: unknown[]): Promise<void> {
  const client = await studio.pool.connect();
  try {
    await client.query("set session_replication_role = replica");
    await client.query(sql, values);
  } finally {
    await client.query("reset session_replication_role");
    client.release();
  }
}

const WHOLE = { connection_string: FULL, password: CANARY, config: CONFIG };

describe("a ciphertext", () => {
  test("says its key version, and was made with AES-256, a salted SHA-256 key and a detection code", async () => {
    const id = await register();
    const rows = await studio.query(
      `select encode(substr(c, 1, 5), 'hex') as head, encode(substr(c, 38, 6), 'hex') as options, encode(substr(c, 52, 1), 'hex') as data,
              platform_private.key_version(c) as version
         from platform.databases, unnest(array[connection_string_encrypted, password_encrypted, config_encrypted]) as c where id = $1`,
      [id],
    );
    expect(rows).toEqual(Array(3).fill({ head: "0100000001", options: "c30c04090108", data: "d2", version: 1 }));
  });

  test.each(COLUMNS)("of %s does not open in another row, project or column", async (column) => {
    const [one, other] = [await register(), await register()];
    await forged(
      `update platform.databases set ${column}_encrypted = (select ${column}_encrypted from platform.databases where id = $2) where id = $1`,
      [one, other],
    );
    expect(await opened(one)).toBe(`${column} of database ${one} holds the ciphertext of another place`);
    expect(await opened(other)).toEqual(WHOLE);
    await forged("update platform.databases set project_id = $2 where id = $1", [other, projects[1]]);
    expect(await opened(other)).toContain("does not open with the key of its project and key version 1");

    const third = await register();
    const next = COLUMNS[(COLUMNS.indexOf(column) + 1) % COLUMNS.length];
    await forged(`update platform.databases set ${column}_encrypted = ${next}_encrypted where id = $1`, [third]);
    expect(await opened(third)).toBe(`${column} of database ${third} holds the ciphertext of another place`);
  });

  test("with another key version does not open, whether there is a salt of that version or not", async () => {
    const id = await register();
    const edited =
      "update platform.databases set password_encrypted = set_byte(password_encrypted, 4, 2) where id = $1";
    await forged(edited, [id]);
    expect(await opened(id)).toContain("no encryption salt of key version 2");
    await studio.query(
      "insert into platform_private.encryption_salts (name, salt, version) values ('databases.next', repeat('n', 40), 2)",
    );
    expect(await opened(id)).toContain("does not open with the key of its project and key version 2");
    await forged("delete from platform_private.encryption_salts where name = $1", ["databases.next"]);
  });

  test("in which any one bit is flipped does not open, and no error shows the secret", async () => {
    const id = await register();
    const [row] = await studio.query<{ text: string }>(
      "select encode(password_encrypted, 'hex') as text from platform.databases where id = $1",
      [id],
    );
    const original = Buffer.from(row?.text ?? "", "hex");
    // One statement tries all bits: what opens would be counted.
    await studio.query(
      `create function public.opens(p_id uuid, p_project uuid, p_ciphertext bytea) returns text language plpgsql as $$
       begin
         return 'opened: ' || platform_private.decrypt_secret('password', p_id, p_project, p_ciphertext);
       exception when others then return sqlerrm; end $$`,
    );
    const answers = await studio.query<{ answer: string; bits: number }>(
      `select regexp_replace(public.opens($1, $2, set_bit($3::bytea, bit, 1 - get_bit($3::bytea, bit))), '(version) -?\\d+', '\\1') as answer, count(*)::int as bits
         from generate_series(0, length($3::bytea) * 8 - 1) as bit group by 1`,
      [id, projects[0], original],
    );
    expect(answers.reduce((sum, { bits }) => sum + bits, 0)).toBe(original.length * 8);
    for (const { answer } of answers) {
      expect(answer).toMatch(
        /does not open with the key|is no ciphertext of a known form|no encryption salt of key version|^Wrong key or corrupt data$/,
      );
      expect(answer).not.toContain(CANARY);
    }
  });

  test("that is cut off anywhere does not open, and a new secret repairs it", async () => {
    const id = await register();
    for (const length of ["length(password_encrypted) - 1", "38", "37", "5", "1", "0"]) {
      await forged(
        `update platform.databases set password_encrypted = substr(password_encrypted, 1, ${length}) where id = $1`,
        [id],
      );
      expect(await opened(id)).toMatch(/does not open with the key|is no ciphertext of a known form/);
      await studio.query("update platform.databases set password = $2 where id = $1", [id, CANARY]);
      expect(await opened(id)).toEqual(WHOLE);
    }
  });

  test("stays with its row when that gets another id or project", async () => {
    const id = await register();
    const [moved] = await studio.query<{ id: string }>(
      "update platform.databases set id = gen_random_uuid(), project_id = $2 where id = $1 returning id",
      [id, projects[1]],
    );
    expect(await opened(moved?.id ?? "")).toEqual(WHOLE);
  });

  test("takes less than 5 ms to make and less than 5 ms to open", async () => {
    const rows = 300;
    const started = performance.now();
    await studio.query(
      `insert into platform.databases (project_id, name, type, host, port, connection_string, password, config)
       select $1, 'timed', 'redis', 'redis.railway.internal', 6379, $2, $3, $4 from generate_series(1, ${rows})`,
      [projects[1], FULL, CANARY, CONFIG],
    );
    const inserted = performance.now();
    const found = await studio.query(
      "select s.password from platform.decrypt_databases(array(select id from platform.databases where name = 'timed')) as s",
    );
    expect(found).toHaveLength(rows);
    expect((inserted - started) / rows).toBeLessThan(5);
    expect((performance.now() - inserted) / rows).toBeLessThan(5);
  });
});

/** Ciphertexts of before key versions: the key and the call that the layer had then. */
const BARE =
  "public.pgp_sym_encrypt($2, encode(public.digest(project_id::text || (select salt from platform_private.encryption_salts), 'sha256'), 'hex'))";

test("a ciphertext from before key versions opens, and an update that writes its column makes it one of today", async () => {
  const id = await register();
  await forged(`update platform.databases set connection_string_encrypted = ${BARE} where id = $1`, [id, FULL]);
  expect(await opened(id)).toEqual(WHOLE);
  await studio.query("update platform.databases set connection_string_encrypted = null where id = $1", [id]);
  const [row] = await studio.query(
    "select get_byte(connection_string_encrypted, 0) as form from platform.databases where id = $1",
    [id],
  );
  expect(row).toEqual({ form: 1 });
  expect(await opened(id)).toEqual(WHOLE);
});

test("a rewritten ciphertext leaves the time of the last change as it is", async () => {
  const id = await register();
  const at = async () => studio.query("select updated_at from platform.databases where id = $1", [id]);
  const before = await at();
  await studio.query("update platform.databases set password_encrypted = null where id = $1", [id]);
  expect(await at()).toEqual(before);
  await studio.query("update platform.databases set port = 6380 where id = $1", [id]);
  expect(await at()).not.toEqual(before);
});

/** What a role tries; the last statement gives the answer. */
const TRAPS = {
  "an update that sets the same value": "update platform.databases set connection_string = connection_string",
  "a move to another project":
    "update platform.databases set project_id = (select id from platform.projects where slug = 'two')",
  "a direct write to the encrypted column": "update platform.databases set connection_string_encrypted = 'x'",
  "a ciphertext copied from another row":
    "update platform.databases as d set connection_string_encrypted = o.connection_string_encrypted from platform.databases as o where o.id <> d.id",
  "an edited key version":
    "update platform.databases set connection_string_encrypted = set_byte(connection_string_encrypted, 4, 2)",
  "a ciphertext given on insert":
    "insert into platform.databases (project_id, name, type, host, port, connection_string, password_encrypted) select id, 'given', 'redis', 'h', 1, 'redis://h:1', 'x' from platform.projects limit 1",
  "a decryption": "select platform.decrypt_database_connection_string(null)",
  "a decryption of many": "select platform.decrypt_databases(array[null::uuid])",
  "a decryption by the inner function": "select platform_private.decrypt_secret('password', null, null, null)",
  "a decryption by the owner's function": "select platform_private.connection_string_of(null)",
  "the decrypting view": "select * from platform.databases_with_connection_strings",
  "a look at the salts": "select * from platform_private.encryption_salts",
  "a look at the audit rows": "select * from platform_audit.decryptions",
  "a forged audit row": "insert into platform_audit.decryptions (session_role) values ('somebody')",
  "a deleted audit row": "delete from platform_audit.decryptions",
} as const;

/** What the roles may try: some write plain columns. All else is refused to them. */
const ALLOWED: Record<string, (keyof typeof TRAPS)[]> = {
  studio_app: ["an update that sets the same value"],
  studio_system: ["an update that sets the same value", "a move to another project"],
  studio_readonly: [],
  [PUBLIC_ONLY]: [],
};

describe.each(Object.keys(ALLOWED))("for %s", (role) => {
  for (const [trap, sql] of Object.entries(TRAPS)) {
    const isAllowed = ALLOWED[role]?.some((each) => each === trap);
    test(`${trap} ${isAllowed ? "loses no secret" : "is refused"}`, async () => {
      if (!isAllowed) {
        await expect(studio.as(role, sql)).rejects.toMatchObject({ code: "42501" });
        return;
      }
      const id = await register();
      const [row] = await studio.as(
        role,
        `${sql} where id = '${id}'; reset role; select connection_string, password, config from platform.decrypt_databases(array['${id}'::uuid])`,
      );
      expect(row).toEqual(WHOLE);
    });
  }
});

test("what a decryptor may neither forge, change nor delete are the notes on decryptions", async () => {
  for (const trap of ["a look at the audit rows", "a forged audit row", "a deleted audit row"] as const) {
    await expect(studio.as("studio_decrypt", TRAPS[trap])).rejects.toMatchObject({ code: "42501" });
  }
});

describe("a decryption", () => {
  const notes = () =>
    studio.query(
      "select session_role, caller_role, column_names as columns, database_ids as ids from platform_audit.decryptions order by id desc limit 1",
    );

  test("of one registration leaves a row that says who, when and which, and no value", async () => {
    const id = await register();
    const client = await studio.pool.connect();
    await client.query("set role studio_decrypt");
    await client.query("select platform.decrypt_database_connection_string($1)", [id]);
    await client.query("reset role");
    client.release();
    expect(await notes()).toEqual([
      { session_role: "postgres", caller_role: "studio_decrypt", columns: ["connection_string"], ids: [id] },
    ]);
    const [text] = await studio.query<{ text: string }>(
      "select string_agg(d::text, '') as text from platform_audit.decryptions as d",
    );
    expect(text?.text).not.toContain(CANARY);
  });

  test("of many is one statement with one row", async () => {
    const ids = [await register(), await register(), await register()];
    const [before] = await studio.query("select count(*)::int as n from platform_audit.decryptions");
    const rows = await studio.query("select id from platform.decrypt_databases($1)", [ids]);
    expect(rows.map(({ id }) => id).sort()).toEqual([...ids].sort());
    expect(await studio.query("select count(*)::int - 1 as n from platform_audit.decryptions")).toEqual([before]);
    expect(await notes()).toMatchObject([{ columns: ["connection_string", "password", "config"], ids: ids.sort() }]);
  });

  test.each([
    ["behind ten unknown ids", (id: string) => `array_fill(gen_random_uuid(), array[10]) || array['${id}'::uuid]`],
    ["in an array that begins at 100", (id: string) => `'[100:100]={${id}}'::uuid[]`],
    ["in an array of two dimensions", (id: string) => `'{{null,${id}},{${id},null}}'::uuid[]`],
  ])("names the registration that is read, and no other, %s", async (_, given) => {
    const id = await register();
    await studio.query(`select * from platform.decrypt_databases(${given(id)})`);
    expect(await notes()).toMatchObject([{ ids: [id] }]);
    const line = `decrypted connection_string, password, config of 1 databases (${id}) for role`;
    await expect.poll(() => serverLog.read()).toContain(line);
  });

  test("of more than a hundred names each in the log", async () => {
    const rows = await studio.query<{ id: string }>(
      `insert into platform.databases (project_id, name, type, host, port, connection_string)
       select $1, 'many', 'redis', 'h', 1, 'redis://u:p@h:1' from generate_series(1, 101) returning id`,
      [projects[0]],
    );
    const ids = rows.map(({ id }) => id).sort();
    await studio.query("select id from platform.decrypt_databases($1)", [ids]);
    const line = (some: string[]): string => `of ${some.length} databases (${some.join(", ")}) for role`;
    await expect.poll(() => serverLog.read()).toContain(line(ids.slice(100)));
    expect(serverLog.read()).toContain(line(ids.slice(0, 100)));
    await studio.query("delete from platform.databases where name = 'many'");
  });

  test("of nothing that is there leaves no row", async () => {
    const before = await notes();
    expect(await studio.query("select * from platform.decrypt_databases(array[gen_random_uuid()])")).toEqual([]);
    expect(await notes()).toEqual(before);
  });

  test("leaves a line in the server's log, also where the reader rolls back", async () => {
    const id = await register();
    const count = async () => studio.query("select count(*)::int as n from platform_audit.decryptions");
    const before = await count();
    await studio.as("studio_decrypt", `select platform.decrypt_database_connection_string('${id}')`);
    expect(await count()).toEqual(before);
    const line = `decrypted connection_string of 1 databases (${id}) for role studio_decrypt, signed in as postgres`;
    await expect.poll(() => serverLog.read()).toContain(line);
    expect(serverLog.read()).not.toContain(CANARY);
  });

  test("in a read-only transaction is refused, and says why", async () => {
    await expect(
      studio.as(
        "studio_decrypt",
        "set transaction read only; select platform.decrypt_database_connection_string(null)",
      ),
    ).rejects.toThrow("this transaction is read-only");
  });

  test("with which nothing leaves the database leaves no row: a preview compares a string", async () => {
    const id = await register();
    const before = await notes();
    expect(await studio.query("select platform_private.connection_string_of($1) as full", [id])).toEqual([
      { full: FULL },
    ]);
    expect(await notes()).toEqual(before);
  });
});
