import { expect, inject, test } from "vitest";
import { pullDatabase } from "../../../provider/resources/pullDatabase.ts";
import { freshDatabases } from "../../support/freshDatabases.ts";
import { pending, project, ROWS_UNASKED, up } from "../../support/layerHarness.ts";
import { majorVersion } from "../../support/majorVersion.ts";
import { findPgDump, schemaDump } from "../../support/pgDump.ts";

const freshDatabase = freshDatabases();
const pgDump = await findPgDump();

const TABLE = "create schema app; create table app.t (id int, a int);";
const OPEN = `${TABLE} alter table app.t add constraint there not null a not valid;`;
const CLOSED = "create schema app; create table app.t (id int, a int not null);";
const layer = (sql: string) => project.layer("open", sql);

test.skipIf(majorVersion < 18)(
  "a NOT NULL that is not valid is made, kept beside rows without a value, renamed and dropped",
  async () => {
    const { url, query } = await freshDatabase();
    let state = await up(url, layer(TABLE));
    await query("insert into app.t values (1, null)");
    for (const sql of [OPEN, OPEN.replace("there", "other"), TABLE, OPEN]) {
      state = await up(url, layer(sql), state);
      expect(await pending(url, state)).toEqual([]);
    }
    await expect(query("insert into app.t values (2, null)")).rejects.toThrow("not-null");
    await expect(up(url, layer(CLOSED), state, ROWS_UNASKED)).rejects.toThrow();
    await query("update app.t set a = 1");
    for (const sql of [CLOSED, OPEN, CLOSED]) {
      state = await up(url, layer(sql), state);
      expect(await pending(url, state)).toEqual([]);
    }
    await expect(query("insert into app.t values (2, null)")).rejects.toThrow("not-null");
  },
);

test.skipIf(majorVersion < 18)(
  "a NOT NULL that is not valid is pulled as such, and dumps as one made by its SQL",
  async () => {
    const [source, made, copy] = [await freshDatabase(), await freshDatabase(), await freshDatabase()];
    const sql = `${OPEN} create table app.p (id int, a int) partition by range (id); create table app.p1 partition of app.p for values from (0) to (9);
    alter table app.p add constraint p_there not null a not valid;`;
    await source.query(sql);
    await up(made.url, layer(sql));
    const none = { schemas: [], tables: [], roles: [] };
    const pulled = await pullDatabase({ url: source.url, shadow: inject("serverUrl") }, "open", none, process.cwd());
    expect(pulled.changes).toEqual([]);
    for (const { sql } of pulled.files) await copy.query(sql);
    if (pgDump === undefined) return;
    const dump = await schemaDump(pgDump, source.url);
    expect(await schemaDump(pgDump, made.url)).toEqual(dump);
    // A partition that is made behind the constraint has no rows, and the server counts its own as valid.
    const isOther = (entry: string): boolean => !entry.startsWith("p1; Type: TABLE;");
    expect((await schemaDump(pgDump, copy.url)).filter(isOther)).toEqual(dump.filter(isOther));
  },
);
