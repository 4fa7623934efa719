import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CORPUS, corpusCases } from "../../support/corpus.ts";
import { freshDatabases } from "../../support/freshDatabases.ts";
import { up } from "../../support/layerHarness.ts";
import { findPgDump, schemaDump } from "../../support/pgDump.ts";

const fresh = freshDatabases();
const pgDump = await findPgDump();

for (const name of corpusCases(1))
  test
    .skipIf(pgDump === undefined)
    .concurrent(`${name}: pg_dump writes the same of a layer as of its files`, async () => {
      const file = join(CORPUS, name, "b.sql");
      const [layer, files] = [await fresh(), await fresh()];
      await files.query(readFileSync(file, "utf8"));
      await up(layer.url, { name: "corpus", files: [file] });
      expect(await schemaDump(pgDump ?? "", layer.url)).toEqual(await schemaDump(pgDump ?? "", files.url));
    });
