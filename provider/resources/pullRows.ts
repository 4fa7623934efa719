/**
 * Reads the rows of a table as the CSV file of a set of rows, and says what an update with that file would
 * do. What such a file means is `rows/`'s question.
 */
import { quoteIdent, quoteQualified } from "../catalog/quote.ts";
import { inputFault, UserError } from "../core/errors.ts";
import type { CallContext, PlannedChange, Properties } from "../core/resourceType.ts";
import { parseConfig } from "./provider/inputs.ts";
import { readColumns } from "./row/columns.ts";
import { parseTableName, TABLE_SHAPE, type TableName } from "./row/identity.ts";
import { createRows } from "./rows/rows.ts";
import { seeAllRows } from "./rows/write.ts";
import { createSession, type Session } from "./session.ts";

/** Rows in memory at a time. */
const BATCH = 1000;

export interface PulledRows {
  /** `user@host:port/database`. */
  database: string;
  /** Columns that tell the rows apart, for the set's `key`. */
  key: string[];
  rows: number;
  /** What an update with the file would still change; empty where it adopts all as they are. */
  changes: string[];
}

/**
 * @param provider settings as a stack has them, the URL among them.
 * @param excluded columns that the file does not hold.
 * @param write told the text of the file, part by part.
 * @param file its path, once it is written.
 * @throws {UserError} for a table that is not there, or whose rows have no key among the columns.
 */
export async function pullRows(
  provider: Properties,
  tableText: string,
  excluded: readonly string[],
  write: (text: string) => Promise<void>,
  file: string,
): Promise<PulledRows> {
  const { config, failures } = parseConfig(provider);
  const session = createSession(config);
  try {
    const { database } = session;
    if (failures.length > 0 || database === undefined)
      throw new UserError("PS602", `The rows cannot be pulled: ${failures.map(inputFault).join("; ")}.`);
    const table = parseTableName(tableText);
    if (table === undefined) throw new UserError("PS706", `Found the table "${tableText}", expected ${TABLE_SHAPE}.`);
    const client = await database.connect();
    let found: Pick<PulledRows, "key" | "rows">;
    try {
      await client.query("begin transaction isolation level repeatable read read only");
      await seeAllRows(client);
      found = await copy(client, table, tableText, excluded, write);
      await client.query("commit");
    } finally {
      client.release(true);
    }
    const changes = await changesWith(session, { table: tableText, key: found.key, file });
    return { database: database.label, ...found, changes };
  } finally {
    await session.close();
  }
}

type Client = Parameters<typeof readColumns>[0];

async function copy(
  client: Client,
  table: TableName,
  tableText: string,
  excluded: readonly string[],
  write: (text: string) => Promise<void>,
): Promise<Pick<PulledRows, "key" | "rows">> {
  const columns = await readColumns(client, table);
  if (columns === undefined || columns.size === 0)
    throw new UserError("PS401", `There is no table ${tableText} in this database. Correct the name, or the URL.`);
  const name = quoteQualified(table.schema, table.name);
  const key = await keyOf(client, name);
  const names = [...columns].flatMap(([column, { generated }]) =>
    generated === "expression" || excluded.includes(column) ? [] : [column],
  );
  if (key.length === 0 || key.some((column) => !names.includes(column)))
    throw new UserError(
      "PS412",
      key.length === 0
        ? `${tableText} has no primary key and no unique constraint on columns that are NOT NULL, so its rows cannot be told apart. Add one.`
        : `The key of ${tableText} is ${key.join(", ")}, and a part of it is excluded, so the rows cannot be told apart. Exclude other columns.`,
    );
  await write(`${names.map(asField).join(",")}\n`);
  const cells = names.map((column) => `${quoteIdent(column)}::pg_catalog.text`).join(", ");
  await client.query(
    `declare pulled no scroll cursor for select array[${cells}] as cells from ${name} order by ${key.map(quoteIdent).join(", ")}`,
  );
  let rows = 0;
  for (;;) {
    const { rows: batch } = await client.query<{ cells: (string | null)[] }>(`fetch ${BATCH} from pulled`);
    if (batch.length === 0) return { key, rows };
    rows += batch.length;
    await write(batch.map(({ cells }) => `${cells.map(asField).join(",")}\n`).join(""));
  }
}

/** Of the primary key, or else of another unique one whose columns always have a value. */
async function keyOf(client: Client, table: string): Promise<string[]> {
  const { rows } = await client.query<{ columns: string[] }>(
    `select k.columns
       from pg_catalog.pg_index i
       join lateral (select pg_catalog.array_agg(a.attname::pg_catalog.text order by p.n) as columns, pg_catalog.bool_and(a.attnotnull) as never_null
                       from pg_catalog.unnest(i.indkey::pg_catalog.int2[]) with ordinality as p (attnum, n)
                       join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = p.attnum
                      where p.n <= i.indnkeyatts) k on true
      where i.indrelid = $1::pg_catalog.regclass and i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null and k.never_null
      order by i.indisprimary desc, i.indexrelid limit 1`,
    [table],
  );
  return rows[0]?.columns ?? [];
}

/** As COPY writes it: without quotes only what needs none; null is nothing at all. */
function asField(value: string | null): string {
  if (value === null) return "";
  return value === "" || /[",\r\n]|^\s|\s$/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

/** What `pulumi preview` would say of a set with the file. */
async function changesWith(session: Session, inputs: Properties): Promise<string[]> {
  const changes: PlannedChange[] = [];
  const context: CallContext = {
    urn: ["urn:pulumi:pull", "pull", "pgstrata:index:Rows", "pulled"].join("::"),
    preview: true,
    signal: new AbortController().signal,
    report: {
      info: () => {},
      warn: () => {},
      status: () => {},
      plan: async (planned) => void changes.push(...planned),
    },
  };
  const resource = createRows(session);
  const { inputs: news, failures } = await resource.check(context, {}, inputs);
  if (failures.length > 0)
    throw new UserError("PS712", `What was pulled cannot be a set of rows: ${failures.map(inputFault).join("; ")}.`);
  await resource.create(context, news);
  return changes.map(({ name }) => name);
}
