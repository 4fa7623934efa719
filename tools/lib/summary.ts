/** What `npm start` prints at its end: the objects and registered databases, read back from the database. */
import { openClient } from "../../provider/database/pool.ts";

/** What stands in the database after an update. */
export interface Summary {
  tables: number;
  indexes: number;
  policies: number;
  functions: number;
  views: number;
  databases: { name: string; type: string; connection: string; status: string }[];
}

/** How long a stage took, in milliseconds. */
export interface Stage {
  name: string;
  elapsedMs: number;
}

/** One row: how many objects of each kind the schemas of the platform hold. */
const COUNT_OBJECTS = `
with schemas as (
  select oid from pg_catalog.pg_namespace where nspname = 'platform' or nspname like 'platform\\_%'
)
select
  (select pg_catalog.count(*)::int from pg_catalog.pg_class where relkind in ('r', 'p') and relnamespace in (select oid from schemas)) as tables,
  (select pg_catalog.count(*)::int from pg_catalog.pg_class where relkind in ('i', 'I') and relnamespace in (select oid from schemas)) as indexes,
  (select pg_catalog.count(*)::int from pg_catalog.pg_policy p join pg_catalog.pg_class c on c.oid = p.polrelid
    where c.relnamespace in (select oid from schemas)) as policies,
  (select pg_catalog.count(*)::int from pg_catalog.pg_proc where pronamespace in (select oid from schemas)) as functions,
  (select pg_catalog.count(*)::int from pg_catalog.pg_class where relkind in ('v', 'm') and relnamespace in (select oid from schemas)) as views`;

/** One row if the registry of databases exists. */
const REGISTRY_EXISTS = "select 1 where pg_catalog.to_regclass('platform.databases') is not null";

/** The registered databases; the column holds the masked form of the connection string. */
const LIST_DATABASES = `
select name, type, connection_string as connection, status
from platform.databases
order by name, type`;

/** Reads the summary from the database. */
export async function readSummary(url: string): Promise<Summary> {
  const client = await openClient({ connectionString: url });
  try {
    const { rows } = await client.query<Omit<Summary, "databases">>(COUNT_OBJECTS);
    const [counts] = rows;
    if (counts === undefined) throw new Error("the catalog answered without a row");
    const hasRegistry = (await client.query(REGISTRY_EXISTS)).rowCount === 1;
    const databases = hasRegistry ? (await client.query<Summary["databases"][number]>(LIST_DATABASES)).rows : [];
    return { ...counts, databases };
  } finally {
    await client.end();
  }
}

/** The end of `npm start`, for people. */
export function formatSummary(options: {
  summary: Summary;
  /** URL of the database. It is shown without the password, because the output may end in a log. */
  url: string;
  /** Whether the update changed anything. */
  changed: boolean;
  stages: readonly Stage[];
  /** What the user may type next, each with a word on what it does. */
  next: readonly (readonly [command: string, meaning: string])[];
}): string {
  const { summary, url, changed, stages, next } = options;
  const { databases, ...counts } = summary;
  const totalMs = stages.reduce((sum, stage) => sum + stage.elapsedMs, 0);
  const times = stages.map(({ name, elapsedMs }) => `${name} ${seconds(elapsedMs)}`);
  return [
    changed
      ? "The platform is up to date in the local database."
      : "Nothing had to be changed: the local database is as the program says.",
    "",
    `  ${Object.entries(counts)
      .map(([kind, count]) => `${count} ${kind}`)
      .join(" · ")}`,
    "",
    databases.length === 0 ? "No database is registered." : "Registered databases (connection strings masked):",
    ...table(databases.map(({ name, type, connection, status }) => [name, type, connection, status])),
    "",
    `Local database: ${withoutPassword(url)} (with its password: npm run -s url)`,
    "",
    "Next:",
    ...table(next),
    "",
    `Took ${seconds(totalMs)}: ${times.join(", ")}.`,
  ].join("\n");
}

function withoutPassword(url: string): string {
  return Object.assign(new URL(url), { password: "" }).href;
}

function seconds(elapsedMs: number): string {
  return `${(elapsedMs / 1000).toFixed(1)} s`;
}

/** Lines of columns as wide as their longest cell. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd());
}
