import { chmod, mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from "vitest";
import { readIdentity } from "../../../provider/backup/identity.ts";
import type { Stored } from "../../../provider/backup/record.ts";
import { quoteIdent } from "../../../provider/catalog/quote.ts";
import { openDatabase } from "../../../provider/database/target.ts";
import { formatBackups } from "../../../tools/lib/backupText.ts";
import { projectRoot } from "../../../tools/lib/paths.ts";
import { restoreStack } from "../../../tools/lib/restoreStack.ts";
import { backupsOf, findBackup, foldersOf } from "../../../tools/lib/stackBackups.ts";
import { databasesMeant, withSetUrl } from "../../../tools/lib/stackDatabase.ts";
import { parseProviders } from "../../../tools/lib/stackState.ts";
import { backupFolders, filesIn, runBackup } from "../../support/backups.ts";
import { ask, createTestDatabase, createTestRole, type TestDatabase, type TestRole } from "../../support/database.ts";

const newFolder = backupFolders();
let own: TestDatabase;
let other: TestDatabase;
let role: TestRole;
let folder: string;
let root: string;
let ofOwn: Stored;
let ofOther: Stored;

beforeAll(async () => {
  [own, other, role] = await Promise.all([createTestDatabase(), createTestDatabase(), createTestRole()]);
  folder = join(await newFolder(), "with a space");
  root = join(folder, "..", "project");
  await mkdir(root, { recursive: true });
  await writeFile(join(root, "Pulumi.yaml"), "name: shop\nruntime: nodejs\n");
  for (const database of [own, other])
    await database.query("create table items (id int); insert into items values (1)");
  const take = async (database: TestDatabase): Promise<Stored> => {
    const { record } = await runBackup({ url: database.url, settings: { folder, proof: "list" } });
    return { record, folder };
  };
  ofOwn = await take(own);
  ofOther = await take(other);
});
afterAll(async () => {
  await Promise.all([own.drop(), other.drop()]);
  await role.drop();
});

const stateOf = (...urls: string[]): string =>
  JSON.stringify({
    deployment: {
      resources: urls.map((url, n) => ({
        urn: `urn:pulumi:prod::shop::pulumi:providers:pgstrata::${n}`,
        type: "pulumi:providers:pgstrata",
        id: String(n),
        inputs: { url },
      })),
    },
  });

async function meant(url: string) {
  const settings = { databaseUrl: url, backupFolder: undefined };
  const databases = await databasesMeant(root, stateOf(url), settings);
  return { root, stack: "prod", providers: [], settings, folder, databases };
}

const silent = { isFromOther: false, say: () => {} };

describe("of the backups that several databases have in one folder", () => {
  test("the latest is the newest one of this database, and the list says which are", async () => {
    const mine = await meant(own.url);
    expect((await findBackup("latest", mine, silent)).record.name).toBe(ofOwn.record.name);

    const { backups } = await backupsOf(mine);
    const [newest, older] = formatBackups(backups).split("\n");
    expect(newest).toContain(`of another database, ${ofOther.record.database}`);
    expect(older).toMatch(/of this database$/);
  });

  test("one of another database or of another stack is refused, unless that is meant", async () => {
    const mine = await meant(own.url);
    const refused = expect.objectContaining({ code: "PS819" });
    const path = join(folder, `${ofOther.record.name}.dump`);
    await expect(findBackup(ofOther.record.name, mine, silent)).rejects.toEqual(refused);
    await expect(findBackup(path, mine, silent)).rejects.toEqual(refused);
    await expect(
      findBackup(join(folder, `${ofOwn.record.name}.dump`), { ...mine, stack: "dev" }, silent),
    ).rejects.toThrow("is of the stack prod of shop; expected one of the stack dev of shop");
    await expect(findBackup("latest", await meant(inject("serverUrl")), silent)).rejects.toEqual(refused);

    const knowingly = { ...silent, isFromOther: true };
    expect((await findBackup(ofOther.record.name, mine, knowingly)).record.name).toBe(ofOther.record.name);
    await expect(findBackup("latest", mine, knowingly)).rejects.toThrow("expected the name of a backup");
  });

  test("one is of this database whatever role and host name lead to it; without an identity, by its address", async () => {
    const alias = new URL(own.urlFor(role));
    alias.hostname = "localhost";
    expect((await findBackup("latest", await meant(alias.href), silent)).record.name).toBe(ofOwn.record.name);

    const { databases, ...mine } = await meant(own.urlFor(role));
    const untold = databases.map((database) => ({ ...database, identity: undefined }));
    expect((await findBackup("latest", { ...mine, databases: untold }, silent)).record.name).toBe(ofOwn.record.name);
  });

  test("each role may ask which database it is on", async () => {
    const database = openDatabase({ url: own.urlFor(role) });
    if (database === undefined) throw new Error("no URL");
    expect(await readIdentity(database)).toEqual({ server: expect.stringMatching(/^\d+$/), name: own.name });
    await database.close();
  });

  test("as many are kept as the settings say, also when only the role has changed", async () => {
    const place = await newFolder();
    const settings = { folder: place, keep: 1, proof: "list" } as const;
    await runBackup({ url: other.url, settings });
    await runBackup({ url: own.url, settings });
    await ask(own.url, `grant select on items to ${role.name}`);
    const { record } = await runBackup({ url: own.urlFor(role), settings });
    expect((await filesIn(place)).filter((file) => file.includes(own.name))).toEqual([
      record.file,
      `${record.name}.json`,
    ]);
    expect((await filesIn(place)).filter((file) => file.includes(other.name))).toHaveLength(2);
  });

  test("one with a broken record is told, and a folder that is not there is refused", async () => {
    const place = await newFolder();
    await mkdir(place, { recursive: true });
    const broken = join(place, "prod.shop.20260131T235959Z.json");
    await writeFile(broken, "{");
    const mine = { ...(await meant(own.url)), folder: place };
    expect(await backupsOf(mine)).toEqual({ backups: [], unreadable: [broken] });
    await expect(findBackup("prod.shop.20260131T235959Z", mine, silent)).rejects.toThrow("cannot be read");
    expect(() => foldersOf({ ...mine, folder: "/nonexistent" })).toThrow("Found no folder /nonexistent");
  });

  test("they are looked for where the setting and the last update say", async () => {
    const mine = { ...(await meant(own.url)), folder: undefined, providers: [{ backupFolder: "then" }] };
    const settings = { ...mine.settings, backupFolder: "now" };
    expect(foldersOf({ ...mine, settings })).toEqual([join(root, "now"), join(root, "then")]);
  });
});

describe("the database of a stack", () => {
  const urlsIn = (state: string): unknown[] => parseProviders(state).map(({ url }) => url);

  test("is the one of its state, by the URL that is set now", async () => {
    const old = new URL(own.urlFor(role));
    old.password = "of before";
    expect(urlsIn(await withSetUrl(stateOf(old.href, other.url), own.url, "prod"))).toEqual([own.url, other.url]);
    const alias = new URL(own.url);
    alias.hostname = "localhost";
    expect(urlsIn(await withSetUrl(stateOf(own.url), alias.href, "prod"))).toEqual([alias.href]);
    expect(urlsIn(await withSetUrl(stateOf(own.url), undefined, "prod"))).toEqual([own.url]);
  });

  test("is refused where the setting names another one", async () => {
    const found = withSetUrl(stateOf(own.url), other.url, "prod").catch((error: unknown) => error);
    expect(await found).toMatchObject({
      code: "PS845",
      message: expect.stringMatching(/Run `pulumi up --stack prod` first .* set databaseUrl back/),
    });
    expect(String(await found)).not.toContain(new URL(own.url).password);
  });
});

describe("a restore with the state", () => {
  // Names of what is kept have the time in seconds.
  afterEach(async () => {
    const left = await ask(inject("serverUrl"), `select datname from pg_database where datname ^@ '${own.name}_'`);
    for (const { datname } of left)
      await ask(inject("serverUrl"), `drop database ${quoteIdent(String(datname))} with (force)`);
  });

  const KEY = { type: "passphrase", state: { salt: "v1:a" } };
  const state = (salt: object, more = {}): string =>
    JSON.stringify({ version: 3, deployment: { secrets_providers: salt, resources: [], ...more } });

  /** @param imports what the n-th import does. */
  async function restored(imports: string, { present = state(KEY), isFromOther = false } = {}) {
    const bin = await newFolder();
    await mkdir(bin, { recursive: true });
    const script = `#!/bin/sh
case "$2" in export) cat '${join(bin, "present")}' ;; import) echo >> '${join(bin, "n")}'; n=$(wc -l < '${join(bin, "n")}'); ${imports} ;; esac`;
    await writeFile(join(bin, "present"), present);
    await writeFile(join(bin, "pulumi"), script);
    await chmod(join(bin, "pulumi"), 0o755);
    const file = `${ofOwn.record.name}.state.json`;
    await writeFile(join(folder, file), state(KEY));
    const said: string[] = [];
    const result = await restoreStack({
      root: projectRoot,
      stack: "prod",
      env: { PATH: `${bin}:${process.env.PATH}` },
      backup: { folder, record: { ...ofOwn.record, state: file } },
      url: own.url,
      isFromOther,
      confirm: async () => true,
      say: (line) => said.push(line),
    }).catch((error: unknown) => error);
    return { result, said };
  }
  const rows = async (): Promise<unknown> => (await ask(own.url, "select count(*)::int as n from items"))[0]?.n;

  test("begins nothing where the backend does not take a state, and says why", async () => {
    await ask(own.url, "insert into items values (2)");
    const { result } = await restored("echo 'error: the stack is currently locked by 1 lock(s)' >&2; exit 1");
    expect(result).toMatchObject({ code: "PS846", message: expect.stringContaining("currently locked by 1 lock") });
    expect(String(result)).toContain("Nothing was changed");
    expect(String(result)).toContain("  pulumi cancel --yes prod");
    expect(await rows()).toBe(2);
  });

  test("refuses a state whose secrets have another key, before it begins", async () => {
    const { result } = await restored("exit 0", { present: state({ ...KEY, state: { salt: "v1:b" } }) });
    expect(result).toMatchObject({ code: "PS819", message: expect.stringContaining("another key") });
    expect(await rows()).toBe(2);
  });

  test("fails where the state is refused after the swap, with a command that a shell takes", async () => {
    const pending = [{ type: "creating", resource: { urn: "urn:pulumi:prod::shop::a:b:C::x" } }];
    const present = state(KEY, { pending_operations: pending });
    const { result, said } = await restored("test $n = 1 || { echo 'error: out of reach' >&2; exit 1; }", { present });
    expect(result).toMatchObject({ code: "PS846", message: expect.stringContaining("error: out of reach") });
    const file = join(folder, `${ofOwn.record.name}.state.json`);
    expect(String(result)).toContain(`pulumi stack import --stack prod --file '${file}'`);
    expect(said.join("\n")).toContain('the operation "creating" of urn:pulumi:prod::shop::a:b:C::x');
    expect(await rows()).toBe(1);

    const kept = (await readdir(folder)).filter((name) => name.includes(".replaced-"));
    expect(kept).not.toEqual([]);
    for (const name of kept) expect(((await stat(join(folder, name))).mode & 0o777).toString(8)).toBe("600");
  });

  test("leaves the state as it is where the rows of another database are meant", async () => {
    const { result, said } = await restored("exit 1", { isFromOther: true });
    expect(result).toMatchObject({ hasState: false });
    expect(said.join("\n")).toContain("stays as it is: the backup is not of this database");
  });
});
