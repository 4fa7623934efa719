/**
 * `npm run bench:peers`: the same schemas by pgstrata and by other tools, on an embedded Postgres 18, written
 * to `docs/benchmarks.md`. Installs the tools on first use.
 *
 * Options: `--runs 5` measurements of each; `--tables 1000` of the generated schema, 0 for none; `--only
 * pgstrata,Flyway` measures these alone, prints and writes nothing.
 */
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { UserError } from "../../provider/core/errors.ts";
import { runMain } from "../../tools/lib/main.ts";
import { projectRoot } from "../../tools/lib/paths.ts";
import { type Findings, measure } from "./measure.ts";
import { Servers } from "./servers.ts";
import { probesTable, ratiosTable, timesTable, withSection } from "./table.ts";
import type { Tool } from "./tool.ts";
import { alembic } from "./tools/alembic.ts";
import { atlas } from "./tools/atlas.ts";
import { dbmate } from "./tools/dbmate.ts";
import { flyway } from "./tools/flyway.ts";
import { goose } from "./tools/goose.ts";
import { liquibase } from "./tools/liquibase.ts";
import { pgDelta } from "./tools/pgDelta.ts";
import { pgstrata } from "./tools/pgstrata.ts";
import { psql } from "./tools/psql.ts";
import { generatedWorkload, platformWorkload, type Workload } from "./workload.ts";

const TOOLS: readonly Tool[] = [pgstrata, psql, pgDelta, atlas, flyway, liquibase, goose, dbmate, alembic];
const DOCUMENT = join(projectRoot, "docs/benchmarks.md");
const MAJOR_VERSION = 18;

const USAGE = "npm run bench:peers -- [--runs <number>] [--only <tool>] [--tables <number>]";

await runMain(USAGE, async () => {
  const { values } = parseArgs({
    options: {
      runs: { type: "string", default: "5" },
      only: { type: "string" },
      tables: { type: "string", default: "1000" },
    },
  });
  const names = values.only?.split(",");
  const unknown = names?.filter((name) => !TOOLS.some((tool) => tool.name === name)) ?? [];
  if (unknown.length > 0)
    throw new UserError(
      "PS706",
      `No tool is called ${unknown.join(", ")}. Known: ${TOOLS.map(({ name }) => name).join(", ")}.`,
    );
  const runs = Number(values.runs);
  const tables = Number(values.tables);
  if (!(Number.isInteger(runs) && runs > 0 && Number.isInteger(tables) && tables >= 0))
    throw new UserError("PS706", "--runs takes a number from 1, --tables one from 0 (none).");
  const tools = TOOLS.filter(({ name }) => names === undefined || names.includes(name));

  const scratch = await mkdtemp(join(tmpdir(), "pgstrata-peers-"));
  await chmod(scratch, 0o755);
  const servers = new Servers(scratch);
  try {
    const platform = await measureAll(tools, await platformWorkload(), servers, { runs, probes: true });
    const generated =
      tables > 0 ? await measureAll(tools, generatedWorkload(tables), servers, { runs, probes: false }) : undefined;
    const section = sectionOf((await servers.get(MAJOR_VERSION)).version, runs, tables, platform, generated);
    if (names === undefined) await writeFile(DOCUMENT, withSection(await readFile(DOCUMENT, "utf8"), section));
    console.log(section);
    const own = [...platform, ...(generated ?? [])].find(
      ({ tool, up, noop, change, lacks }) =>
        tool === pgstrata.name && ([up, noop, change].some(({ failure }) => failure !== undefined) || lacks.length > 0),
    );
    if (own !== undefined) throw new UserError("PS707", "pgstrata itself failed; see the table.");
  } finally {
    await servers.stop();
    await rm(scratch, { recursive: true, force: true });
  }
});

async function measureAll(
  tools: readonly Tool[],
  workload: Workload,
  servers: Servers,
  options: { runs: number; probes: boolean },
): Promise<Findings[]> {
  const all: Findings[] = [];
  for (const tool of tools) {
    const bench = await servers.get(tool.majorVersion ?? MAJOR_VERSION, workload.roles);
    const started = performance.now();
    const findings = await measure(tool, workload, bench, options);
    all.push(findings);
    // Shown at once, so that a run that is cut short was not for nothing.
    console.error(`${workload.title}: ${tool.name}, ${Math.round((performance.now() - started) / 1000)} s`);
    console.error(JSON.stringify(findings));
  }
  return all;
}

function sectionOf(
  serverVersion: string,
  runs: number,
  tables: number,
  platform: readonly Findings[],
  generated: readonly Findings[] | undefined,
): string {
  const [processor] = cpus();
  return [
    `Machine: ${cpus().length} × ${processor?.model ?? "unknown"}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}, ` +
      `PostgreSQL ${serverVersion}; whole commands, medians of ${runs} (lowest – highest).`,
    `### The schema of this project\n\n${timesTable(platform)}\n\n${ratiosTable(platform)}`,
    `### What the tools did when things went another way\n\n${probesTable(platform)}`,
    ...(generated === undefined
      ? []
      : [
          `### ${tables.toLocaleString("en-US")} tables, with two indexes, row security and one policy each\n\n${timesTable(generated)}\n\n${ratiosTable(generated)}`,
        ]),
  ].join("\n\n");
}
