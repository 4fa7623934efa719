/** What a table has beside its definition, and what goes with an extension. */
import type { StableId } from "../pgDelta.ts";
import { quoteIdent, quoteQualified } from "../quote.ts";
import { optionChanges } from "./columnSettings.ts";
import { type Base, type ObjectKind, objectId, PART, splitName, text, texts } from "./kind.ts";

function altering(key: string, change: string): string {
  const [schema = "", table = ""] = splitName(key);
  return `ALTER TABLE ${quoteQualified(schema, table)} ${change}`;
}

const settingQuery = (kind: string, more: string, isSet: string, payload: string): string => `
    select '${kind}', ${PART}, pg_catalog.format('%I.%I', n.nspname, c.relname), 'pg_catalog.pg_class'::pg_catalog.regclass, c.oid, 0,
           pg_catalog.json_build_object(${payload})
      from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace ${more}
     where c.relkind in ('r', 'p', 'm') and ${isSet}`;

const toast: ObjectKind = {
  name: "TOAST options of table",
  base: "table",
  isThere: "exists (select from pg_catalog.pg_class where relkind = 't' and reloptions is not null)",
  query: settingQuery(
    "TOAST options of table",
    "join pg_catalog.pg_class t on t.oid = c.reltoastrelid",
    "t.reloptions is not null",
    "'options', t.reloptions",
  ),
  create: (key, payload) => optionChanges([], texts(payload.options), "toast.").map((change) => altering(key, change)),
  drop: (key, payload) => altering(key, optionChanges(texts(payload.options), [], "toast.").join(", ")),
  alter: {
    options: (key, from, to) => optionChanges(texts(from), texts(to), "toast.").map((change) => altering(key, change)),
  },
  lock: "shareUpdateExclusive",
};

const clusterOn = (key: string, index: string): string => altering(key, `CLUSTER ON ${quoteIdent(index)}`);

const clustering: ObjectKind = {
  name: "CLUSTER ON of table",
  base: "table",
  isThere: "exists (select from pg_catalog.pg_index where indisclustered)",
  query: settingQuery(
    "CLUSTER ON of table",
    "join pg_catalog.pg_index i on i.indrelid = c.oid join pg_catalog.pg_class x on x.oid = i.indexrelid",
    "i.indisclustered",
    "'index', x.relname",
  ),
  create: (key, payload) => [clusterOn(key, text(payload.index))],
  drop: (key) => altering(key, "SET WITHOUT CLUSTER"),
  alter: { index: (key, _, to) => [clusterOn(key, text(to))] },
  needs: (key, payload): StableId[] => {
    const [schema = "", table = ""] = splitName(key);
    const name = text(payload.index);
    return [
      { kind: "index", schema, name },
      { kind: "constraint", schema, table, name },
    ];
  },
  lock: "shareUpdateExclusive",
};

const accessMethod: ObjectKind = {
  name: "access method of table",
  base: "table",
  isThere:
    "exists (select from pg_catalog.pg_class c join pg_catalog.pg_am a on a.oid = c.relam where c.relkind in ('r', 'p', 'm') and a.amname <> 'heap')",
  query: settingQuery(
    "access method of table",
    "join pg_catalog.pg_am a on a.oid = c.relam",
    "a.amname <> 'heap'",
    "'method', pg_catalog.quote_ident(a.amname)",
  ),
  create: (key, payload) => [altering(key, `SET ACCESS METHOD ${text(payload.method)}`)],
  drop: (key) => altering(key, "SET ACCESS METHOD heap"),
  alter: { method: (key, _, to) => [altering(key, `SET ACCESS METHOD ${text(to)}`)] },
  needs: (_, payload) => [objectId("access method", text(payload.method))],
  rewrites: true,
  lock: "accessExclusive",
};

/** `CREATE TABLE … OF`. */
const ofType: ObjectKind = {
  name: "type of table",
  base: "table",
  isThere: "exists (select from pg_catalog.pg_class where reloftype <> 0)",
  query: settingQuery(
    "type of table",
    "join pg_catalog.pg_type t on t.oid = c.reloftype join pg_catalog.pg_namespace tn on tn.oid = t.typnamespace",
    "c.reloftype <> 0",
    "'type', pg_catalog.format('%I.%I', tn.nspname, t.typname)",
  ),
  create: (key, payload) => [altering(key, `OF ${text(payload.type)}`)],
  drop: (key) => altering(key, "NOT OF"),
  alter: { type: (key, _, to) => [altering(key, `OF ${text(to)}`)] },
  needs: (_, payload) => {
    const [schema = "", name = ""] = splitName(text(payload.type));
    return [{ kind: "type", schema, name }];
  },
  lock: "accessExclusive",
};

const ANY: Base = "any";

/** `ALTER … DEPENDS ON EXTENSION`: it is dropped with the extension. */
const ofExtension: ObjectKind = {
  name: "DEPENDS ON EXTENSION",
  base: ANY,
  isThere:
    "exists (select from pg_catalog.pg_depend where refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass and deptype = 'x')",
  query: `
    select 'DEPENDS ON EXTENSION', ${PART}, pg_catalog.format('%s %s: %I', i.type, i.identity, x.extname), d.classid, d.objid, d.objsubid,
           pg_catalog.json_build_object('_object', i.type || ' ' || i.identity, '_extension', x.extname)
      from pg_catalog.pg_depend d join pg_catalog.pg_extension x on x.oid = d.refobjid
     cross join lateral pg_catalog.pg_identify_object(d.classid, d.objid, d.objsubid) i
     where d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass and d.deptype = 'x'`,
  create: (_, payload) => [
    `ALTER ${text(payload._object)} DEPENDS ON EXTENSION ${quoteIdent(text(payload._extension))}`,
  ],
  drop: (_, payload) =>
    `ALTER ${text(payload._object)} NO DEPENDS ON EXTENSION ${quoteIdent(text(payload._extension))}`,
  needs: (_, payload) => [{ kind: "extension", name: text(payload._extension) }],
};

export const tableSettings: ObjectKind[] = [toast, clustering, accessMethod, ofType, ofExtension];
