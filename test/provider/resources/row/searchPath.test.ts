import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { ROW, type RowFixture, startRowFixture } from "./rowFixture.ts";

let fixture: RowFixture;
beforeAll(async () => {
  fixture = await startRowFixture();
  await fixture.database.query(`
    create extension citext; create extension hstore;
    create table app.mail (address citext primary key, labels hstore, aliases citext[], note text);
    create table app.sent (id int primary key, mail citext references app.mail (address) on delete cascade);
    create table app.audit (what text);
    create table app.audited (name text primary key);
    create function app.audit() returns trigger language plpgsql as $$ begin insert into audit values (new.name); return new; end $$;
    create trigger audit before insert on app.audited for each row execute function app.audit();
    create table app.hidden (name text primary key, code text);
    create function app.plain(code text) returns text language plpgsql as $$ begin return decode_all(code); end $$;`);
});
afterAll(() => fixture.stop());
beforeEach(() => fixture.database.query("truncate app.mail cascade"));

test("types of extensions are found and compared by their own equality", async () => {
  const { provider, database } = fixture;
  const values = { labels: "a=>1,b=>2", aliases: ["X"], note: null };
  const state = await provider.create(ROW, "m", { table: "app.mail", key: { address: "Me@Here" }, values });
  const same = {
    table: "app.mail",
    key: { address: "me@HERE" },
    values: { ...values, labels: "b=>2, a=>1", aliases: ["x"] },
  };
  expect(await provider.create(ROW, "m", same, { preview: true })).toMatchObject({ outputs: { adopted: true } });
  expect((await provider.diff(state, { ...state.inputs, values: same.values })).detailed).not.toHaveProperty(
    "values.address",
  );
  await provider.create(ROW, "m", same);
  expect(await database.query("select address, labels -> 'a' as a from app.mail")).toEqual([
    { address: "Me@Here", a: "1" },
  ]);
  await database.query("update app.mail set note = 'x'");
  expect((await provider.read(state))?.outputs.drift).toEqual(["values.note"]);
});

test("rows that refer to a row by a type of an extension are found by the foreign key's own equality", async () => {
  const { provider, database } = fixture;
  const state = await provider.create(ROW, "m", { table: "app.mail", key: { address: "me@here" } });
  await database.query("insert into app.sent values (1, 'ME@here')");
  await expect(provider.delete(state)).rejects.toThrow("1 row of app.sent");
  await database.query("delete from app.sent");
  await provider.delete(state);
});

test("a trigger's function that relies on the path of the session is told what it needs", async () => {
  const { provider, database } = fixture;
  const inputs = { table: "app.audited", key: { name: "a" } };
  await expect(provider.create(ROW, "a", inputs)).rejects.toThrow(
    /relation "audit" does not exist\. The function app\.audit names it.*ALTER FUNCTION … SET search_path/,
  );
  await database.query("alter function app.audit() set search_path = app, pg_temp");
  await provider.create(ROW, "a", inputs);
  expect(await database.query("select what from app.audit")).toEqual([{ what: "a" }]);
});

test("a preview stops where the function of compareWith relies on the path, as the update would", async () => {
  const { provider, database } = fixture;
  await database.query("insert into app.hidden values ('a', 'x')");
  const inputs = {
    table: "app.hidden",
    key: { name: "a" },
    secretValues: { code: "x" },
    compareWith: { code: "app.plain(code)" },
  };
  const stopped = /decode_all.*The function app\.plain names it/;
  await expect(provider.create(ROW, "h", inputs, { preview: true })).rejects.toThrow(stopped);
  await expect(provider.create(ROW, "h", inputs)).rejects.toThrow(stopped);
});
