import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, inject, test } from "vitest";
import { readCatalog } from "../../../provider/catalog/readCatalog.ts";
import { pullDatabase } from "../../../provider/resources/pullDatabase.ts";
import { CORPUS, corpusCases } from "../../support/corpus.ts";
import { freshDatabases } from "../../support/freshDatabases.ts";

const NOTHING = { schemas: [], tables: [], roles: [] };
const fresh = freshDatabases();

for (const name of corpusCases(2))
  test.concurrent(`${name}: what is pulled is adopted without a change, and runs in its order`, async () => {
    const [source, copy] = [await fresh(), await fresh()];
    await source.query(readFileSync(join(CORPUS, name, "b.sql"), "utf8"));
    const pulled = await pullDatabase(
      { url: source.url, shadow: inject("serverUrl") },
      "corpus",
      NOTHING,
      process.cwd(),
    );
    expect(pulled.changes).toEqual([]);
    expect(pulled.warnings).toEqual([]);
    for (const { name: file, sql } of pulled.files)
      await copy.query(sql).catch((error: unknown) => {
        throw new Error(`${file}: ${String(error)}\n${sql}`);
      });
    const [wanted, found] = await Promise.all(
      [source, copy].map(async ({ pool, url }) => (await readCatalog(pool, new URL(url).username)).facts.rootHash),
    );
    expect(found).toBe(wanted);
  });
