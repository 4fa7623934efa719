/**
 * What a statement lacks, by the server's message, and which existing name is nearest to it. Where it is
 * looked for is left to `orderedLoad.ts`.
 */
import type pg from "pg";
import type { PoolClient } from "pg";
import { nameParts } from "../plan/renames/sqlTokens.ts";

/**
 * Whether a statement that fails so may succeed once others were executed: an object or a part of it is not
 * there.
 */
export function mayLackSomething({ code = "" }: pg.DatabaseError): boolean {
  // Syntax, what is there already, and a wrong name that no object can take away.
  const isFinal = /^(42601|42P06|42P07|42710|42723|42701|42712|42P02|42622|42939|42602)$/.test(code);
  return /^(42|3F|55000|22023|22P02|0A000)/.test(code) && !isFinal;
}

/** Between quotation marks, as servers of several languages write them, or behind the kind. */
const NAMED =
  /["«»„“”]([^"«»„“”]+)["«»„“”](?!\.)|\b(?:function|procedure|routine|aggregate|column|type)\s+((?:"[^"]+"(?=\.)|[^\s("])(?:"[^"]*"|[^\s("])*)/g;

/** Names that the message of a server has, without their schemas; the one that is missing first. */
export function namesIn(message: string): string[] {
  const [line = ""] = message.split("\n");
  const found = [...line.matchAll(NAMED)].flatMap(([, quoted, bare]) => {
    const text = (quoted ?? bare ?? "").replace(/(\[\])+$/, "").trim();
    const parts = quoted === undefined ? nameParts(text) : text.split(".");
    return parts === undefined ? [] : [parts.at(-1) ?? "", parts.slice(1).join("."), parts.join(".")];
  });
  return [...new Set(found)].filter((name) => name !== "");
}

interface Named {
  kind: string;
  schema: string;
  name: string;
}

/** What is there, by the word that the server has for its kind. */
const THERE = `
  select case when relkind = 'c' then 'type' else 'relation' end as kind, n.nspname as schema, c.relname as name
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where n.nspname !~ '^(pg_|information_schema$)'
  union all select 'type', n.nspname, t.typname from pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid = t.typnamespace
   where n.nspname !~ '^(pg_toast|pg_temp|information_schema$)' and t.typname !~ '^_' and (t.typrelid = 0 or n.nspname <> 'pg_catalog')
  union all select distinct 'function', n.nspname, p.proname from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
   where n.nspname <> 'information_schema'
  union all select 'schema', '', nspname from pg_catalog.pg_namespace where nspname !~ '^(pg_|information_schema$)'
  union all select 'column', n.nspname || '.' || c.relname, a.attname from pg_catalog.pg_attribute a
    join pg_catalog.pg_class c on c.oid = a.attrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
   where a.attnum > 0 and not a.attisdropped and n.nspname !~ '^(pg_|information_schema$)' and c.relname = any($1)`;

/** Finds the nearest name, with all that is there read once. */
export class NearestNames {
  private readonly client: PoolClient;
  private readonly tables: ReadonlySet<string>;
  private there: Promise<Named[]> | undefined;

  /** @param tables names, without schemas, of which columns may be meant. */
  constructor(client: PoolClient, tables: ReadonlySet<string>) {
    this.client = client;
    this.tables = tables;
  }

  /**
   * @param message of the server, in English; undefined for any other.
   * @param among the names of the statement.
   */
  async to(message: string, among: ReadonlySet<string>): Promise<string | undefined> {
    const kind = /\b(relation|type|function|procedure|schema|column)\b/
      .exec(message)?.[1]
      ?.replace("procedure", "function");
    const [last = "", ...longer] = namesIn(message);
    if (kind === undefined || last === "") return undefined;
    this.there ??= this.client.query<Named>(THERE, [[...this.tables]]).then(({ rows }) => rows);
    const full = longer.find((name) => name.endsWith(`.${last}`));
    const schema = full?.slice(0, -last.length - 1) ?? "";
    const distances = (await this.there)
      .filter((named) => named.kind === kind && (kind !== "column" || among.has(named.schema.split(".")[1] ?? "")))
      .map((named) => ({ named, distance: distance(named.name, last) * 2 + (named.schema === schema ? 0 : 1) }))
      .filter((found) => found.distance <= Math.max(3, Math.floor((last.length / 3) * 2) + 1))
      .sort((a, b) => a.distance - b.distance);
    const nearest = distances[0]?.named;
    if (nearest === undefined) return undefined;
    return nearest.schema === "" || nearest.schema === "pg_catalog"
      ? nearest.name
      : `${nearest.schema}.${nearest.name}`;
  }
}

/** How many letters are to be added, taken away, changed, or swapped with their neighbour. */
export function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > Math.max(3, b.length / 2)) return Number.POSITIVE_INFINITY;
  let older: number[] = [];
  let old = Array.from({ length: b.length + 1 }, (_, n) => n);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(
        (old[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (old[j - 1] ?? 0) + (isSame ? 0 : 1),
        isSwapped ? (older[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    older = old;
    old = row;
  }
  return old[b.length] ?? 0;
}
