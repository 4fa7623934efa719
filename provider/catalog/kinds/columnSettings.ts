/** What `ALTER TABLE … ALTER COLUMN` sets of a column beside its type, and of its statistics. */
import type { Payload, PayloadValue } from "../pgDelta.ts";
import { quoteIdent, quoteLiteral, quoteQualified } from "../quote.ts";
import { FIRST_OWN_OID, type ObjectKind, PART, splitName, text, texts } from "./kind.ts";

/** Without the partitions: each says its own. */
function altering(key: string, change: string): string {
  const [schema = "", table = "", column = ""] = splitName(key);
  return `ALTER TABLE ONLY ${quoteQualified(schema, table)} ALTER COLUMN ${quoteIdent(column)} ${change}`;
}

/** One row a setting that is not the default, of all kinds of column. */
const settingsQuery = (kind: string, relkinds: string, isSet: string, payload: string): string => `
    select '${kind}', ${PART}, pg_catalog.format('%I.%I.%I', n.nspname, c.relname, a.attname),
           'pg_catalog.pg_class'::pg_catalog.regclass, c.oid, a.attnum::pg_catalog.int4, pg_catalog.json_build_object(${payload})
      from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      join pg_catalog.pg_type t on t.oid = a.atttypid
     where a.attnum > 0 and not a.attisdropped and c.relkind in (${relkinds}) and ${isSet}`;

/** One for all: they are columns of the same rows. */
const IS_ANY_SET = `exists (select from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid join pg_catalog.pg_type t on t.oid = a.atttypid
     where a.attrelid >= ${FIRST_OWN_OID} and a.attnum > 0 and c.relkind in ('r', 'p', 'm', 'f', 'i', 'I')
       and (a.attcompression <> '' or coalesce(a.attstattarget, -1) <> -1 or a.attoptions is not null or a.attfdwoptions is not null
         or a.attstorage <> t.typstorage and c.relkind in ('r', 'p', 'm', 'f')))`;

const STORED = "'r', 'p', 'm', 'f'";

const storageWord = (value: string): string =>
  `case ${value} when 'p' then 'PLAIN' when 'e' then 'EXTERNAL' when 'm' then 'MAIN' else 'EXTENDED' end`;

const storage: ObjectKind = {
  name: "storage of column",
  base: "column",
  isThere: IS_ANY_SET,
  query: settingsQuery(
    "storage of column",
    STORED,
    "a.attstorage <> t.typstorage",
    `'storage', ${storageWord("a.attstorage")}, '_default', ${storageWord("t.typstorage")}`,
  ),
  create: (key, payload) => [altering(key, `SET STORAGE ${text(payload.storage)}`)],
  drop: (key, payload) => altering(key, `SET STORAGE ${text(payload._default)}`),
  alter: { storage: (key, _, to) => [altering(key, `SET STORAGE ${text(to)}`)] },
  lock: "accessExclusive",
};

const compression: ObjectKind = {
  name: "compression of column",
  base: "column",
  isThere: IS_ANY_SET,
  query: settingsQuery(
    "compression of column",
    STORED,
    "a.attcompression <> ''",
    "'method', case a.attcompression when 'p' then 'pglz' else 'lz4' end",
  ),
  create: (key, payload) => [altering(key, `SET COMPRESSION ${text(payload.method)}`)],
  drop: (key) => altering(key, "SET COMPRESSION default"),
  alter: { method: (key, _, to) => [altering(key, `SET COMPRESSION ${text(to)}`)] },
  lock: "accessExclusive",
};

const target = (value: PayloadValue | undefined): string => `SET STATISTICS ${typeof value === "number" ? value : -1}`;

const statisticsTarget: ObjectKind = {
  name: "statistics target of column",
  base: "column",
  isThere: IS_ANY_SET,
  query: settingsQuery(
    "statistics target of column",
    STORED,
    "coalesce(a.attstattarget, -1) <> -1",
    "'target', a.attstattarget",
  ),
  create: (key, payload) => [altering(key, target(payload.target))],
  drop: (key) => altering(key, target(undefined)),
  alter: { target: (key, _, to) => [altering(key, target(to))] },
  lock: "shareUpdateExclusive",
};

/** `n_distinct=5` → its name and value. */
export const optionOf = (option: string): [string, string] => {
  const at = option.indexOf("=");
  return at < 0 ? [option, "true"] : [option.slice(0, at), option.slice(at + 1)];
};

/** What `SET (…)` and `RESET (…)` lead from some options to others. */
export function optionChanges(from: readonly string[], to: readonly string[], prefix = ""): string[] {
  const names = new Set(to.map((option) => optionOf(option)[0]));
  const gone = from.map((option) => optionOf(option)[0]).filter((name) => !names.has(name));
  const changed = to.filter((option) => !from.includes(option)).map(optionOf);
  const value = (raw: string): string => (/^-?[\w.]+$/.test(raw) ? raw : `'${raw.replaceAll("'", "''")}'`);
  return [
    ...(gone.length === 0 ? [] : [`RESET (${gone.map((name) => `${prefix}${name}`).join(", ")})`]),
    ...(changed.length === 0
      ? []
      : [`SET (${changed.map(([name, raw]) => `${prefix}${name} = ${value(raw)}`).join(", ")})`]),
  ];
}

const options: ObjectKind = {
  name: "options of column",
  base: "column",
  isThere: IS_ANY_SET,
  query: settingsQuery("options of column", STORED, "a.attoptions is not null", "'options', a.attoptions"),
  create: (key, payload) => optionChanges([], texts(payload.options)).map((change) => altering(key, change)),
  drop: (key, payload) => altering(key, optionChanges(texts(payload.options), []).join(", ")),
  alter: {
    options: (key, from, to) => optionChanges(texts(from), texts(to)).map((change) => altering(key, change)),
  },
  lock: "shareUpdateExclusive",
};

/** `ADD`, `SET` and `DROP` of options that a foreign-data wrapper reads. */
function foreignOptions(key: string, from: readonly string[], to: readonly string[]): string {
  const [schema = "", table = "", column = ""] = splitName(key);
  const before = new Map(from.map(optionOf));
  const after = new Map(to.map(optionOf));
  const changes = [
    ...[...before.keys()].flatMap((name) => (after.has(name) ? [] : [`DROP ${quoteIdent(name)}`])),
    ...[...after].flatMap(([name, value]) => {
      if (before.get(name) === value) return [];
      return [`${before.has(name) ? "SET" : "ADD"} ${quoteIdent(name)} ${quoteLiteral(value)}`];
    }),
  ];
  return `ALTER FOREIGN TABLE ${quoteQualified(schema, table)} ALTER COLUMN ${quoteIdent(column)} OPTIONS (${changes.join(", ")})`;
}

const foreign: ObjectKind = {
  name: "foreign options of column",
  base: "column",
  isThere: IS_ANY_SET,
  query: settingsQuery("foreign options of column", "'f'", "a.attfdwoptions is not null", "'options', a.attfdwoptions"),
  create: (key, payload) => [foreignOptions(key, [], texts(payload.options))],
  drop: (key, payload) => foreignOptions(key, texts(payload.options), []),
  alter: { options: (key, from, to) => [foreignOptions(key, texts(from), texts(to))] },
  lock: "accessExclusive",
};

function alteringIndex(key: string, payload: Payload, value: PayloadValue | undefined): string {
  const [schema = "", index = ""] = splitName(key);
  return `ALTER INDEX ${quoteQualified(schema, index)} ALTER COLUMN ${Number(payload._column)} ${target(value)}`;
}

/** Of an expression in an index. */
const indexStatistics: ObjectKind = {
  name: "statistics target of index column",
  base: "index",
  isThere: IS_ANY_SET,
  query: `
    select 'statistics target of index column', ${PART},
           pg_catalog.format('%I.%I.%s', n.nspname, c.relname, a.attnum), 'pg_catalog.pg_class'::pg_catalog.regclass, c.oid, 0,
           pg_catalog.json_build_object('_column', a.attnum, 'target', a.attstattarget)
      from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where a.attnum > 0 and c.relkind in ('i', 'I') and coalesce(a.attstattarget, -1) <> -1`,
  create: (key, payload) => [alteringIndex(key, payload, payload.target)],
  drop: (key, payload) => alteringIndex(key, payload, undefined),
  alter: { target: (key, _, to, { payload }) => [alteringIndex(key, payload, to)] },
  lock: "shareUpdateExclusive",
};

export const columnSettings: ObjectKind[] = [storage, compression, statisticsTarget, options, foreign, indexStatistics];
