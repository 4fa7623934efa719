import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { serverAccount } from "../../../provider/embedded/account.ts";
import { ask } from "../../support/database.ts";
import { startFaultServer } from "../../support/faultServer.ts";
import { pending, project, up } from "../../support/layerHarness.ts";

const open: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

/** A file system of its own in memory; only root may mount one. */
function mountSmall(megabytes: number): string {
  const directory = mkdtempSync(join(tmpdir(), "pgstrata-disk-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", directory]);
  open.push(() => {
    execFileSync("umount", [directory]);
    rmSync(directory, { recursive: true });
  });
  const account = serverAccount();
  if (account !== undefined) chownSync(directory, account.uid, account.gid);
  chmodSync(directory, 0o755);
  return directory;
}

const free = (directory: string): number => {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
};

const ITEM = "create table shop.item (id int primary key, name text not null, price int not null);";
const BASE = `create schema shop; ${ITEM}`;
const WIDER = `${BASE} create table shop.sale (id int primary key); create index item_by_name on shop.item (name, price);`;
const TAGGED = `create schema shop; create table shop.item (id int primary key, name text not null, price int not null, tag uuid not null default gen_random_uuid());`;
const layer = (sql: string) => project.layer("shop", sql);

it.skipIf(process.getuid?.() !== 0).each([
  ["an index that is built beside the writers", WIDER],
  ["a column that is filled in by batches", TAGGED],
])(
  "a full disk stops %s, and with free space the next update finishes it (needs root, to mount a small disk)",
  async (_what, sql) => {
    const disk = mountSmall(40);
    const target = await startFaultServer();
    open.push(() => target.remove());
    const server = target.url("postgres");
    await ask(server, `create tablespace small location '${disk}'`);
    await ask(server, "create database shop tablespace small");
    const url = target.url("shop");
    const state = await up(url, layer(BASE));
    await ask(url, "insert into shop.item select n, repeat('item ', 10) || n, n from generate_series(1, 100000) as n");
    const before = await ask(url, "select md5(string_agg(item::text, ',' order by id)) as digest from shop.item");
    const filler = join(disk, "filler");
    writeFileSync(filler, Buffer.alloc(free(disk) - 2_000_000));

    await expect(up(url, layer(sql), state)).rejects.toThrow(/disk is full. Free space/);
    expect(
      await ask(
        url,
        "select md5(string_agg(concat_ws(',', id, name, price), ';' order by id)) is not null as readable from shop.item",
      ),
    ).toEqual([{ readable: true }]);
    rmSync(filler);
    const after = await up(url, layer(sql), state);

    expect(await pending(url, after)).toEqual([]);
    const columns = sql === TAGGED ? "(id, name, price)" : "item";
    expect(
      await ask(url, `select md5(string_agg(${columns}::text, ',' order by id)) as digest from shop.item`),
    ).toEqual(before);
    expect(await ask(url, "select count(*)::int as invalid from pg_index where not indisvalid")).toEqual([
      { invalid: 0 },
    ]);
  },
);

it.skipIf(process.getuid?.() !== 0)(
  "a full disk of the server's log makes the server crash, and the next update finds what was committed (needs root)",
  async () => {
    const disk = mountSmall(150);
    const target = await startFaultServer({
      home: disk,
      settings: { min_wal_size: "32MB", max_wal_size: "32MB", restart_after_crash: "off" },
    });
    open.push(() => target.remove());
    const url = target.url("postgres");
    const state = await up(url, layer(BASE));
    await ask(url, "insert into shop.item select n, repeat('item ', 10) || n, n from generate_series(1, 100000) as n");
    await ask(url, "checkpoint");
    const filler = join(disk, "filler");
    writeFileSync(filler, Buffer.alloc(free(disk)));

    await expect(up(url, layer(TAGGED), state)).rejects.toThrow(
      /disk is full|connection to the database was lost|cannot connect/,
    );
    rmSync(filler);
    await target.stop("immediate").catch(() => {});
    await target.start();
    const after = await up(url, layer(TAGGED), state);

    expect(await pending(url, after)).toEqual([]);
    expect(
      await ask(
        url,
        "select count(*)::int as rows, count(distinct tag)::int as tags, sum(price)::text as prices from shop.item",
      ),
    ).toEqual([{ rows: 100_000, tags: 100_000, prices: "5000050000" }]);
  },
);
