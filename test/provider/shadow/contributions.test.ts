import { mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeEach, expect, test } from "vitest";
import { describe as nameOf } from "../../../provider/catalog/objectNames.ts";
import { type Contribution, nothing } from "../../../provider/contribution/contribution.ts";
import { ContributionCache } from "../../../provider/shadow/cache.ts";
import { ShadowContributions, type SqlSet } from "../../../provider/shadow/contributions.ts";
import type { ScratchDatabase, Shadow } from "../../../provider/shadow/shadow.ts";
import { createTestDatabase } from "../../support/database.ts";
import { sqlProject } from "../../support/sqlProject.ts";

const project = sqlProject();
const opened: ShadowContributions[] = [];
let directory: string;
let count = 0;

beforeEach(() => {
  directory = join(project.directory, `cache${++count}`);
});
afterAll(async () => {
  for (const chain of opened) await chain.close();
});

/** Scratch databases on the test server, with a record of what was made, dropped and sent to them. */
function recordingShadow(): Shadow & { made: number; dropped: number; sql: string[] } {
  const shadow = {
    identity: "recording",
    made: 0,
    dropped: 0,
    sql: [] as string[],
    async create(): Promise<ScratchDatabase> {
      shadow.made += 1;
      const database = await createTestDatabase();
      const pool = new pg.Pool({ connectionString: database.url, max: 2, pipeline: true });
      pool.on("connect", (client) => {
        const send = client.query.bind(client);
        Object.defineProperty(client, "query", {
          value: (...args: Parameters<typeof send>) => {
            shadow.sql.push(String(args[0]));
            return send(...args);
          },
        });
      });
      return {
        pool,
        readers: pool,
        owner: new URL(database.url).username,
        drop: async () => {
          shadow.dropped += 1;
          await pool.end();
          await database.drop();
        },
      };
    },
    async stop() {},
  };
  return shadow;
}

function chainOn(shadow: Shadow): ShadowContributions {
  const chain = new ShadowContributions(shadow, new ContributionCache(directory));
  opened.push(chain);
  return chain;
}

const set = (name: string, sql: string, assumed = false): SqlSet => ({
  name,
  files: [{ path: `${name}.sql`, sql }],
  ...(assumed ? { assumed } : {}),
});
const needs = { owner: "postgres", roles: [] };
const namesOf = (contribution: Contribution): string[] => contribution.added.map(({ id }) => nameOf(id)).sort();

const one = set("one", "create schema one;");
const two = set("two", "create table one.two (id int);");
const three = set("three", "create index three on one.two (id);");

test("layers on one another are loaded into one scratch database, each once", async () => {
  const shadow = recordingShadow();
  const chain = chainOn(shadow);
  expect(namesOf(await chain.contribution([], one, needs))).toEqual(["schema one"]);
  expect(namesOf(await chain.contribution([one], two, needs))).toEqual(["column one.two.id", "table one.two"]);
  expect(namesOf(await chain.contribution([one, two], three, needs))).toEqual(["index one.three"]);
  expect(shadow.made).toBe(1);
  for (const { files } of [one, two, three]) expect(shadow.sql.filter((sql) => sql === files[0]?.sql)).toHaveLength(1);
});

test("a layer beside gets a scratch database of its own, and the one before it is dropped", async () => {
  const shadow = recordingShadow();
  const chain = chainOn(shadow);
  await chain.contribution([one], two, needs);
  const beside = set("beside", "create table one.beside (id int);");
  expect(namesOf(await chain.contribution([one], beside, needs))).toEqual(["column one.beside.id", "table one.beside"]);
  expect([shadow.made, shadow.dropped]).toEqual([2, 1]);
  await chain.close();
  expect(shadow.dropped).toBe(2);
});

test("a layer whose SQL fails leaves the scratch database as it was for the next one", async () => {
  const shadow = recordingShadow();
  const chain = chainOn(shadow);
  await expect(
    chain.contribution([one], set("bad", "create table one.bad (id int); create tabel x;"), needs),
  ).rejects.toThrow("bad.sql:1:");
  expect(namesOf(await chain.contribution([one], two, needs))).toEqual(["column one.two.id", "table one.two"]);
  expect(shadow.made).toBe(1);
});

test("layers that are asked for at the same time do not meet in the scratch database", async () => {
  const chain = chainOn(recordingShadow());
  const names = ["a", "b", "c"];
  const asked = names.map((name) => chain.contribution([], set(name, `create schema ${name};`), needs));
  expect((await Promise.all(asked)).map(namesOf)).toEqual(names.map((name) => [`schema ${name}`]));
});

test("a cached contribution needs no shadow, and is what was learnt", async () => {
  const rich = set(
    "rich",
    "create schema rich; create sequence rich.s maxvalue 9223372036854775806; create table rich.t (id bigint default nextval('rich.s'), b text check (b <> '')); create view rich.v as select id from rich.t; grant select on rich.v to public; comment on table rich.t is 'ü';",
  );
  const learnt = await chainOn(recordingShadow()).contribution([one], rich, needs);
  const shadow = recordingShadow();
  expect(await chainOn(shadow).contribution([one], rich, needs)).toEqual(learnt);
  expect(shadow.made).toBe(0);
});

for (const [what, other] of [
  ["other SQL", { top: set("two", "create table one.two (id bigint);") }],
  ["another base", { base: [set("one", "create schema one; create schema more;")] }],
  ["other roles", { needs: { owner: "postgres", roles: ["pg_monitor"] } }],
  ["another owner", { needs: { owner: "somebody", roles: [] } }],
  ["a base that is only assumed", { base: [{ ...one, assumed: true }] }],
] as const) {
  test(`${what} is not answered from the cache`, async () => {
    await chainOn(recordingShadow()).contribution([one], two, needs);
    const shadow = recordingShadow();
    await chainOn(shadow).contribution(
      "base" in other ? other.base : [one],
      "top" in other ? other.top : two,
      "needs" in other ? other.needs : needs,
    );
    expect(shadow.made).toBe(1);
  });
}

test("a change of the base's object that the base only assumes is learnt, and refused where a layer declares it", async () => {
  const chain = chainOn(recordingShadow());
  const declared = set("declared", "create table public.t (id int, name text);");
  const change = set("change", "alter table public.t alter column name set not null;");
  const { changed } = await chain.contribution([{ ...declared, assumed: true }], change, needs);
  expect(changed).toHaveLength(1);
  await expect(chain.contribution([declared], change, needs)).rejects.toThrow(
    '"change" changes what a layer of its base declares: column public.t.name',
  );
});

for (const [what, content] of [
  ["a cut entry", '{"added":[{"id":'],
  ["an empty entry", ""],
  ["an entry of another form", '{"added":{}}'],
  ["an entry that is null", "null"],
] as const) {
  test(`${what} is ignored and made anew`, async () => {
    const first = await chainOn(recordingShadow()).contribution([], one, needs);
    const [entry = ""] = readdirSync(directory);
    writeFileSync(join(directory, entry), content);
    const shadow = recordingShadow();
    expect(await chainOn(shadow).contribution([], one, needs)).toEqual(first);
    expect(shadow.made).toBe(1);
    expect(JSON.parse(readFileSync(join(directory, entry), "utf8"))).toHaveProperty("added");
  });
}

test("a cache that cannot be written costs nothing but time", async () => {
  writeFileSync(directory, "a file where the directory should be");
  const shadow = recordingShadow();
  expect(namesOf(await chainOn(shadow).contribution([], one, needs))).toEqual(["schema one"]);
  expect(namesOf(await chainOn(shadow).contribution([], one, needs))).toEqual(["schema one"]);
  expect(shadow.made).toBe(2);
  rmSync(directory);
});

test("the newest hundred entries are kept, and nothing else in the directory is touched", async () => {
  const cache = new ContributionCache(directory);
  mkdirSync(directory);
  writeFileSync(join(directory, "somebody-elses.json"), "{}");
  for (let n = 0; n < 105; n++) {
    const path = join(directory, `contribution-old${n}.json`);
    writeFileSync(path, JSON.stringify(nothing));
    utimesSync(path, 1_000 + n, 1_000 + n);
  }
  await cache.put("new", nothing);
  const left = readdirSync(directory);
  expect(left).toHaveLength(101);
  expect(left).toContain("somebody-elses.json");
  expect(await cache.get("new")).toEqual(nothing);
  expect(await cache.get("old104")).toEqual(nothing);
  expect(await cache.get("old6")).toEqual(nothing);
  expect(await cache.get("old5")).toBeUndefined();
});
