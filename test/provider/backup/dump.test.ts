import { chmod, mkdir, readFile, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import pg from "pg";
import { afterEach, describe, expect, test } from "vitest";
import { listBackups, sha256Of } from "../../../provider/backup/backupFiles.ts";
import type { BackupProof } from "../../../provider/core/config.ts";
import { projectRoot } from "../../../tools/lib/paths.ts";
import { backupFolders, filesIn, runBackup, textOf, withPrograms } from "../../support/backups.ts";
import { createTestRole, type TestDatabase } from "../../support/database.ts";
import { freshDatabases } from "../../support/freshDatabases.ts";

const fresh = freshDatabases();
const newFolder = backupFolders();

let putBack: (() => void) | undefined;
afterEach(() => {
  putBack?.();
  putBack = undefined;
});

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let n = 0; n < 400 && !(await isSo()); n++) await sleep(50);
  expect(await isSo()).toBe(true);
}

/** A table with 1,000 rows. */
async function withItems(): Promise<TestDatabase> {
  const database = await fresh();
  await database.query(
    "create schema app; create table app.items (id int primary key, name text); insert into app.items select n, 'row ' || n from generate_series(1, 1000) n",
  );
  return database;
}

describe("a dump", () => {
  test("has the rows: they are restored, with counts and checksums of its snapshot", async () => {
    const database = await withItems();
    const folder = await newFolder();

    const { record, path, said } = await runBackup({ url: database.url, settings: { folder } });

    expect(record.rows).toEqual({ '"app"."items"': { count: 1000, checksum: expect.stringMatching(/^-?\d+$/) } });
    expect(record.proof).toEqual({
      kind: "restore",
      where: expect.stringMatching(/^embedded PostgreSQL/),
      elapsedMs: expect.any(Number),
    });
    expect((await readFile(path)).subarray(0, 5).toString()).toBe("PGDMP");
    expect(record.sha256).toBe(await sha256Of(path));
    expect(record.sizeBytes).toBe((await stat(path)).size);
    expect(said.join("\n")).toContain("1 tables, 1000 rows; restored into embedded PostgreSQL");
  });

  test("is private, and named by stack, database, time and digest of the plan", async () => {
    const database = await withItems();
    const folder = await newFolder();

    const { record, path } = await runBackup({
      url: database.url,
      settings: { folder, proof: "list" },
      order: { planDigest: "12ab-34cd-56ef", stack: "prod/eu" },
    });

    expect(record.name).toMatch(new RegExp(`^prod_eu\\.${database.name}\\.\\d{8}T\\d{6}Z\\.12ab-34cd-56ef$`));
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    for (const file of await filesIn(folder))
      expect([file, (await stat(join(folder, file))).mode & 0o777]).toEqual([file, 0o600]);
    expect(await filesIn(folder)).toEqual([`${record.name}.dump`, `${record.name}.json`]);
    expect(path).toBe(join(folder, `${record.name}.dump`));
  });

  test("says that a folder which others can read is one", async () => {
    const database = await withItems();
    const folder = await newFolder();
    await mkdir(folder);
    await chmod(folder, 0o755);

    const { record } = await runBackup({ url: database.url, settings: { folder, proof: "list" } });

    expect(record.warnings.join("\n")).toContain(`${folder} has mode 755, expected 700`);
  });

  test("has the counts of its snapshot while others write", async () => {
    const database = await withItems();
    putBack = await withPrograms({ pg_dump: 'sleep 1\nexec "$PG_DUMP" "$@"' });
    let isDone = false;
    let written = 0;
    const writer = async (): Promise<void> => {
      const client = new pg.Client({ connectionString: database.url });
      await client.connect();
      while (!isDone) {
        await client.query("insert into app.items select coalesce(max(id), 0) + 1, 'new' from app.items");
        await client.query("update app.items set name = name || '.' where id = 1");
        written += 1;
      }
      await client.end();
    };
    const writing = writer();
    const { record } = await runBackup({ url: database.url, settings: { folder: await newFolder() } }).finally(() => {
      isDone = true;
    });
    await writing;

    expect(written).toBeGreaterThan(20);
    expect(record.proof.kind).toBe("restore");
    const counted = record.rows['"app"."items"']?.count ?? 0;
    const [now] = await database.query<{ count: number }>("select count(*)::int from app.items");
    expect(counted).toBeGreaterThanOrEqual(1000);
    expect(counted).toBeLessThan(now?.count ?? 0);
  });

  test("has partitions, children, and names that need quotes; what is no table's own is not counted", async () => {
    const database = await fresh();
    await database.query(`
      create schema "My ""App""; x"; set search_path = "My ""App""; x";
      create table "T 1" ("t" int, "a.b" text); insert into "T 1" values (1, 'x'), (2, null);
      create table "line
break" (id int); insert into "line
break" values (1);
      create table parts (id int) partition by range (id);
      create table part_1 partition of parts for values from (0) to (10); insert into parts select generate_series(0, 9);
      create table parent (id int); create table child (more int) inherits (parent);
      insert into parent values (1); insert into child values (1, 2), (3, 4);
      create unlogged table unlogged (id int); insert into unlogged values (1);
      create materialized view sums as select count(*) from parent;
      create extension pgcrypto`);

    const { record } = await runBackup({ url: database.url, settings: { folder: await newFolder() } });

    const schema = '"My ""App""; x"';
    const counts = Object.fromEntries(Object.entries(record.rows).map(([name, { count }]) => [name, count]));
    expect(counts).toEqual({
      [`${schema}."T 1"`]: 2,
      [`${schema}."line\nbreak"`]: 1,
      [`${schema}."part_1"`]: 10,
      [`${schema}."parent"`]: 1,
      [`${schema}."child"`]: 2,
      [`${schema}."unlogged"`]: 1,
    });
    expect(record.proof.kind).toBe("restore");
  });

  test("restores with the roles that it names, and with what is computed of text", async () => {
    const database = await fresh();
    const role = await createTestRole({ prefix: 'Odd "role"' });
    const quoted = `"${role.name.replaceAll('"', '""')}"`;
    await database.query(`
      create schema app authorization ${quoted}; create table app.t (name text, low text generated always as (lower(name)) stored);
      insert into app.t values ('ÄÖÜ'); alter table app.t owner to ${quoted}; alter table app.t enable row level security;
      create policy mine on app.t to ${quoted} using (true); grant select on app.t to ${quoted}`);

    const { record } = await runBackup({ url: database.url, settings: { folder: await newFolder() } });

    expect(record.roles).toContain(role.name);
    expect(record.proof.kind).toBe("restore");
    await database.query(`drop owned by ${quoted}`);
    await role.drop();
  });

  test("of a role that does not see all rows is refused", async () => {
    const database = await withItems();
    const role = await createTestRole();
    await database.query(
      `grant usage on schema app to ${role.name}; grant select on app.items to ${role.name}; alter table app.items enable row level security`,
    );
    const folder = await newFolder();

    await expect(runBackup({ url: database.urlFor(role), settings: { folder } })).rejects.toThrow(
      /row-level security|row level/,
    );

    expect(await filesIn(folder)).toEqual([]);
    await database.query(`drop owned by ${role.name}`);
    await role.drop();
  });
});

describe("a dump that is no backup stops the run and leaves nothing", () => {
  const cases: Record<
    string,
    { pg_dump: string; code: string; says: RegExp; proof?: BackupProof; timeoutMs?: number }
  > = {
    "one without the rows of a table": {
      pg_dump: 'exec "$PG_DUMP" --schema-only "$@"',
      code: "PS813",
      says: /"app"\."items": has no rows in it/,
    },
    "one with a changed byte": {
      pg_dump:
        '"$PG_DUMP" "$@" > "$0.out"; size=$(wc -c < "$0.out"); printf X | dd of="$0.out" bs=1 seek=$((size - 2000)) conv=notrunc 2>/dev/null; cat "$0.out"',
      code: "PS813",
      says: /does not prove to be usable/,
    },
    "one with a changed byte, where the list alone proves it": {
      pg_dump:
        '"$PG_DUMP" "$@" > "$0.out"; size=$(wc -c < "$0.out"); printf XXXX | dd of="$0.out" bs=1 seek=$((size - 2000)) conv=notrunc 2>/dev/null; cat "$0.out"',
      code: "PS813",
      says: /does not prove to be usable/,
      proof: "list",
    },
    "one that is cut short": {
      pg_dump: '"$PG_DUMP" "$@" | head -c 3000',
      code: "PS813",
      says: /does not prove to be usable/,
      proof: "list",
    },
    "one on a disk that is full half-way": {
      pg_dump:
        '"$PG_DUMP" "$@" | head -c 3000; echo "pg_dump: error: could not write to output file: No space left on device" >&2; exit 1',
      code: "PS812",
      says: /No space left on device\. Free space there/,
    },
    "one beyond the largest file": {
      pg_dump: 'ulimit -f 4; exec "$PG_DUMP" "$@"',
      code: "PS812",
      says: /The backup of .* failed/,
    },
    "one that takes too long": {
      timeoutMs: 1500,
      pg_dump: "sleep 60",
      code: "PS812",
      says: /did not end within 1\.5 s/,
    },
  };

  test.each(Object.entries(cases))("%s", async (_name, { pg_dump, code, says, proof = "restore", timeoutMs = 0 }) => {
    const database = await withItems();
    const folder = await newFolder();
    putBack = await withPrograms({ pg_dump });

    const taken = runBackup({ url: database.url, settings: { folder, proof, timeoutMs } });

    await expect(taken).rejects.toMatchObject({ code, message: expect.stringMatching(says) });
    await expect(taken).rejects.toThrow(/othing (was|is) changed/);
    expect(await filesIn(folder)).toEqual([]);
  });

  test.each([
    ["a row less than", "delete from app.items where id = 7", "found 999 rows, expected 1000"],
    ["another value than", "update app.items set name = 'other' where id = 7", "the 1000 rows are not the same"],
  ])("one with %s the snapshot whose rows were counted", async (_name, change, says) => {
    const database = await withItems();
    const folder = await newFolder();
    const [begun, go] = ["begun", "go"].map((name) => `${folder}-${name}`);
    const wait = `touch '${begun}'; while [ ! -e '${go}' ]; do sleep 0.05; done`;
    putBack = await withPrograms({ pg_dump: `${wait}\nexec "$PG_DUMP" --format=custom --no-password` });

    const taken = runBackup({ url: database.url, settings: { folder } });
    taken.catch(() => undefined);
    await until(() => exists(begun ?? ""));
    await database.query(change);
    await writeFile(go ?? "", "");

    await expect(taken).rejects.toMatchObject({
      code: "PS813",
      message: expect.stringContaining(`"app"."items": ${says}`),
    });
    expect(await filesIn(folder)).toEqual([]);
  });

  test("a larger database than allowed", async () => {
    const database = await withItems();
    const taken = runBackup({ url: database.url, settings: { folder: await newFolder(), sizeLimitMb: 1 } });
    await expect(taken).rejects.toMatchObject({
      code: "PS814",
      message: expect.stringMatching(/has \d+ MB, but a dump takes at most 1 MB/),
    });
  });

  test("a folder that cannot be written", async () => {
    const database = await withItems();
    const file = await newFolder();
    await writeFile(file, "");
    const taken = runBackup({ url: database.url, settings: { folder: join(file, "in") } });
    await expect(taken).rejects.toMatchObject({
      code: "PS812",
      message: expect.stringMatching(/cannot be written to .* \(ENOTDIR\)/),
    });
  });

  test("a run that is cancelled", async () => {
    const database = await withItems();
    const folder = await newFolder();
    putBack = await withPrograms({ pg_dump: "sleep 60" });
    const cancel = new AbortController();
    setTimeout(() => cancel.abort(new Error("cancelled")), 1000);
    await expect(
      runBackup({ url: database.url, settings: { folder }, order: { signal: cancel.signal } }),
    ).rejects.toThrow("cancelled");
    expect(await filesIn(folder)).toEqual([]);
  });
});

test("what a killed run leaves does not count, and the next one removes it", async () => {
  const database = await withItems();
  const folder = await newFolder();
  putBack = await withPrograms({ pg_dump: '"$PG_DUMP" "$@"; sleep 30' });
  const program = fileURLToPath(new URL("killedBackup.ts", import.meta.url));
  const run = execa(join(projectRoot, "node_modules", ".bin", "node"), [program, database.url, folder], {
    reject: false,
  });
  await until(async () => (await filesIn(folder)).some((file) => file.endsWith(".partial")));
  await sleep(500);
  run.kill("SIGKILL");
  await run;

  expect(await filesIn(folder)).toEqual([expect.stringMatching(/\.dump\..*\.partial$/)]);
  expect(await listBackups(folder)).toEqual([]);

  putBack();
  putBack = undefined;
  const { record } = await runBackup({ url: database.url, settings: { folder, proof: "list" } });
  expect(await filesIn(folder)).toEqual([record.file, `${record.name}.json`]);
});

test("a password is in no process list, no environment of a program, no file and no message", async () => {
  const database = await withItems();
  const folder = await newFolder();
  const password = "canary'of: the\\ owner";
  const role = await createTestRole({ attributes: "superuser" });
  await database.query(`alter role ${role.name} password '${password.replaceAll("'", "''")}'`);
  const url = database.urlFor({ ...role, password });
  const seen = join(folder, "..", "seen");
  const look = `{ env; cat /proc/*/cmdline /proc/self/environ | tr '\\0' '\\n'; stat -c 'mode %a' "$PGPASSFILE" "$(dirname "$PGPASSFILE")"; echo "file $PGPASSFILE"; } >> '${seen}' 2>/dev/null`;
  putBack = await withPrograms({
    pg_dump: `${look}\nexec "$PG_DUMP" "$@"`,
    pg_restore: `${look}\nexec "$PG_RESTORE" "$@"`,
  });
  process.env.PGPASSWORD = "canary-of-the-shell";
  process.env.PULUMI_CONFIG_PASSPHRASE = "canary-of-the-stack";
  try {
    const { record, said } = await runBackup({ url, settings: { folder } });
    const text = [await textOf(seen), JSON.stringify(record), ...said].join("\n");
    expect(text).toContain("pg_restore");
    expect(text).toContain("mode 600\nmode 700");
    expect(text).not.toContain("canary");
    expect(text).not.toContain(encodeURIComponent(password));
    for (const [, file = ""] of text.matchAll(/^file (\/.*)$/gm)) await expect(stat(file)).rejects.toThrow("ENOENT");
  } finally {
    delete process.env.PGPASSWORD;
    delete process.env.PULUMI_CONFIG_PASSPHRASE;
    await role.drop();
  }
});

describe("the backups of a stack", () => {
  test("are as many as are kept, the newest ones; those of others stay", async () => {
    const database = await withItems();
    const folder = await newFolder();
    const take = (keep: number, order = {}) =>
      runBackup({ url: database.url, settings: { folder, keep, proof: "list" }, order });
    const other = await take(1, { stack: "dev" });
    for (let n = 0; n < 3; n++) await take(2);
    await writeFile(join(folder, "prod.dump"), "of a person");

    const last = await take(1);

    const records = (await listBackups(folder)).map(({ record }) => record);
    expect(records.sort((one, two) => one.takenAt.localeCompare(two.takenAt))).toEqual([other.record, last.record]);
    expect(await filesIn(folder)).toContain("prod.dump");
  });

  test("are those with a record and a file; a dump without its record is removed once it is old", async () => {
    const database = await withItems();
    const folder = await newFolder();
    const { record, path } = await runBackup({ url: database.url, settings: { folder, proof: "list" } });
    const copied = path.replace("prod.", "other.");
    await writeFile(copied, await readFile(path));
    expect(await listBackups(folder)).toHaveLength(1);

    const old = new Date(Date.now() - 3_600_000);
    await utimes(copied, old, old);
    const next = await runBackup({ url: database.url, settings: { folder, proof: "list" } });

    expect((await filesIn(folder)).filter((file) => file.endsWith(".dump")).sort()).toEqual(
      [record.file, next.record.file].sort(),
    );
  });
});

describe("the state of the stack", () => {
  const state = (urn: string): string => JSON.stringify({ version: 3, deployment: { resources: [{ urn }] } });

  test("is kept beside the dump, as the CLI exports it", async () => {
    const database = await withItems();
    const folder = await newFolder();
    const text = state("urn:pulumi:prod::shop::app:index:Thing::one");
    putBack = await withPrograms({
      pulumi: `[ "$*" = "stack export --stack prod --non-interactive" ] && echo '${text}'`,
    });

    const { record, said } = await runBackup({ url: database.url, settings: { folder, proof: "list" } });

    expect(record.state).toBe(`${record.name}.state.json`);
    expect((await textOf(join(folder, record.state ?? ""))).trim()).toBe(text);
    expect(said.join("\n")).not.toContain("state of the stack");
  });

  test.each([
    ["fails", "exit 7", /ended with exit code 7\b/],
    ["is killed", "kill -KILL $$", /ended with a signal\b/],
    [
      "is of another stack of that name",
      `echo '${state("urn:pulumi:prod::other::app:index:Thing::one")}'`,
      /of another stack/,
    ],
  ])("is a warning where the export %s", async (_name, pulumi, warning) => {
    const database = await withItems();
    putBack = await withPrograms({ pulumi });
    const { record } = await runBackup({ url: database.url, settings: { folder: await newFolder(), proof: "list" } });
    expect(record.state).toBeUndefined();
    expect(record.warnings.join("\n")).toMatch(warning);
  });
});
