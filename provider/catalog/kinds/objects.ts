/**
 * Reads the objects that the library has no facts for as facts like its own: with what they are on, what they
 * need and what needs them. What belongs to an extension is left out.
 */
import { z } from "zod";
import { type DependencyEdge, encodeId, type Fact, type StableId } from "../pgDelta.ts";
import { FIRST_OWN_OID, objectId, splitName } from "./kind.ts";
import { OBJECT_KINDS } from "./kinds.ts";

/** What the server calls an object, and the extension that it belongs to. */
const address = (classid: string, objid: string, subid: string): string => `
  (select pg_catalog.json_build_object('type', i.type, 'identity', i.identity, 'names', a.object_names, 'args', a.object_args,
       'extension', (select x.extname from pg_catalog.pg_depend m join pg_catalog.pg_extension x on x.oid = m.refobjid
                      where m.classid = ${classid} and m.objid = ${objid} and m.deptype = 'e' and m.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass))
     from pg_catalog.pg_identify_object(${classid}, ${objid}, ${subid}) i, pg_catalog.pg_identify_object_as_address(${classid}, ${objid}, ${subid}) a
    where i.type is not null)`;

/** Whether it comes with an extension (`e`) or another object (`i`), such as a cast with a range type. */
const comesWithOther = (classid: string, objid: string, types: string): string =>
  `exists (select from pg_catalog.pg_depend m where m.classid = ${classid} and m.objid = ${objid} and m.deptype in (${types}))`;

/** Entries of operator classes and families are rows of their own, which need what they name. */
const ENTRIES = "('pg_catalog.pg_amop'::pg_catalog.regclass, 'pg_catalog.pg_amproc'::pg_catalog.regclass)";

const NEEDS = `
  (select pg_catalog.json_agg(${address("d.refclassid", "d.refobjid", "d.refobjsubid")})
     from pg_catalog.pg_depend d
    where d.deptype in ('n', 'a') and (d.refclassid <> o.classid or d.refobjid <> o.objid) and (d.classid = o.classid and d.objid = o.objid
       or d.classid in ${ENTRIES} and exists (select from pg_catalog.pg_depend e where e.classid = d.classid and e.objid = d.objid
            and e.refclassid = o.classid and e.refobjid = o.objid)))`;

/** An index that a constraint has made stands for that. */
const NEEDED_BY = `
  (select pg_catalog.json_agg(case when c.refobjid is null then ${address("d.classid", "d.objid", "d.objsubid")}
       else ${address("c.refclassid", "c.refobjid", "0")} end)
     from pg_catalog.pg_depend d
     left join pg_catalog.pg_depend c on c.classid = d.classid and c.objid = d.objid and c.deptype = 'i'
      and c.refclassid = 'pg_catalog.pg_constraint'::pg_catalog.regclass and d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
    where d.refclassid = o.classid and d.refobjid = o.objid and d.deptype in ('n', 'a') and d.classid not in ${ENTRIES})`;

const KINDS = [...OBJECT_KINDS.values()];

/** One row a kind of which there may be some: its name. Most databases have few, so that few are read. */
export const KINDS_PRESENT = `
  select 'kind' as kind, '' as schema, '' as table, k.name, null as text
    from (${[...Map.groupBy(KINDS, ({ isThere }) => isThere)]
      .map(
        ([isThere, kinds]) =>
          `select pg_catalog.unnest(array[${kinds.map(({ name }) => `'${name}'`).join(", ")}]) as name where ${isThere}`,
      )
      .join("\n    union all ")}) k`;

/**
 * One row an object of some kinds, whose text is the JSON of {@link found}.
 *
 * @param hasDependencies whether to ask what they need and what needs them.
 */
export function objectsOf(names: readonly string[], hasDependencies: boolean): string {
  const kinds = KINDS.filter(({ name }) => names.includes(name));
  const dependencies = `'needs', case when o.objid <> 0 then ${NEEDS} end, 'neededBy', case when o.objid <> 0 then ${NEEDED_BY} end,`;
  return `
  (select 'object' as kind, '' as schema, '' as table, '' as name, pg_catalog.json_build_object(
      'kind', o.kind, 'key', coalesce(o.key, i.identity), 'schema', i.schema, 'owner', pg_catalog.pg_get_userbyid(nullif(o.owner, 0::pg_catalog.oid)),
      'comment', (select d.description from pg_catalog.pg_description d where d.classoid = o.classid and d.objoid = o.objid and d.objsubid = 0 and o.key is null),
      'on', case when o.on_id <> 0 then ${address("o.on_class", "o.on_id", "o.on_sub")} end,
      ${hasDependencies ? dependencies : "'needs', null, 'neededBy', null,"}
      'payload', o.payload)::pg_catalog.text as text
     from (select null::pg_catalog.text as kind, null::pg_catalog.oid as classid, null::pg_catalog.oid as objid, null::pg_catalog.oid as owner,
                  null::pg_catalog.text as key, null::pg_catalog.oid as on_class, null::pg_catalog.oid as on_id, null::pg_catalog.int4 as on_sub,
                  null::pg_catalog.json as payload where false
           ${kinds.map(({ query }) => `union all ${query}`).join("\n")}
          ) o
     left join lateral pg_catalog.pg_identify_object(nullif(o.classid, 0::pg_catalog.oid), o.objid, 0) i on true
    where (o.objid >= ${FIRST_OWN_OID} or o.objid = 0) and (o.objid = 0 or not ${comesWithOther("o.classid", "o.objid", "'e', 'i'")})
      and (o.on_id = 0 or o.on_class = 'pg_catalog.pg_language'::pg_catalog.regclass or not ${comesWithOther("o.on_class", "o.on_id", "'e'")})
      and not exists (select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
            where o.on_class = 'pg_catalog.pg_class'::pg_catalog.regclass and c.oid = o.on_id and (n.nspname ~ '^pg_' or n.nspname = 'information_schema')))`;
}

const addressed = z.object({
  type: z.string(),
  identity: z.string(),
  names: z.array(z.string()),
  args: z.array(z.string()),
  extension: z.string().nullable(),
});

type Address = z.infer<typeof addressed>;

const addresses = z
  .array(addressed.nullable())
  .nullable()
  .transform((all) => (all ?? []).flatMap((each) => each ?? []));

const payloadValue = z.json();

const found = z.object({
  kind: z.string(),
  key: z.string(),
  schema: z.string().nullable(),
  owner: z.string().nullable(),
  comment: z.string().nullable(),
  on: addressed.nullable(),
  needs: addresses,
  neededBy: addresses,
  payload: z.record(z.string(), payloadValue),
});

/** Facts and edges of the objects. */
export interface Objects {
  facts: Fact[];
  edges: DependencyEdge[];
}

/**
 * @param texts of {@link objectsOf}.
 * @param owner the connecting role, whose own objects name no owner.
 * @param known facts of the library's.
 */
export function objectsFrom(texts: readonly string[], owner: string, known: readonly Fact[]): Objects {
  const objects = texts.map((text) => {
    const object = found.parse(JSON.parse(text));
    return { ...object, key: asKey(object.kind, object.key) };
  });
  const present = new Set(known.map(({ id }) => encodeId(id)));
  for (const { kind, key } of objects) present.add(encodeId(objectId(kind, key)));
  const first = (ids: readonly StableId[]): StableId | undefined => ids.find((id) => present.has(encodeId(id)));
  const facts: Fact[] = [];
  const edges = new Map<string, DependencyEdge>();
  const link = (from: StableId | undefined, to: StableId | undefined): void => {
    if (from === undefined || to === undefined) return;
    const [a, b] = [encodeId(from), encodeId(to)];
    if (a !== b) edges.set(`${a} ${b}`, { from, to, kind: "depends" });
  };
  for (const object of objects) {
    const id = objectId(object.kind, object.key);
    const parent = first(
      object.on !== null ? named(object.on) : object.schema === null ? [] : [{ kind: "schema", name: object.schema }],
    );
    // What is on an object without a fact, such as one of a system schema, has none itself.
    if (object.on !== null && parent === undefined && object.on.extension === null && object.on.type !== "language")
      continue;
    const own = object.on === null && object.owner !== null && object.owner !== owner ? { owner: object.owner } : {};
    const comment = object.comment === null ? {} : { comment: object.comment };
    const isPart = object.on !== null;
    const payload = isPart ? object.payload : { comment: null, owner: null, ...object.payload, ...comment, ...own };
    facts.push({ id, ...(parent === undefined ? {} : { parent }), payload });
    for (const each of object.needs) link(id, first(named(each)));
    for (const each of object.neededBy) link(first(named(each)), id);
    for (const needed of OBJECT_KINDS.get(object.kind)?.needs?.(object.key, payload) ?? []) link(id, first([needed]));
  }
  return { facts, edges: [...edges.values()] };
}

/** Servers before version 16 say `for type on language name` of a transform, which SQL does not. */
const asKey = (kind: string, identity: string): string =>
  kind === "transform" ? identity.replace(/ on (language \S+)$/, " $1") : identity;

/** As facts name the types of arguments: those of the server without their schema. */
const asArgument = (type: string): string => type.replace(/^pg_catalog\./, "");

/** The facts that an object may have, the most exact one first. */
function named({ type, identity, names, args, extension }: Address): StableId[] {
  if (extension !== null) return [{ kind: "extension", name: extension }];
  const [schema = "", name = "", part = ""] = names;
  switch (type) {
    case "schema":
    case "extension":
    case "publication":
    case "server":
      return [{ kind: type, name: schema }];
    case "event trigger":
      return [{ kind: "eventTrigger", name: schema }];
    case "foreign-data wrapper":
      return [{ kind: "fdw", name: schema }];
    case "table":
    case "view":
    case "sequence":
    case "index":
    case "collation":
      return [{ kind: type, schema, name }];
    case "materialized view":
      return [{ kind: "materializedView", schema, name }];
    case "foreign table":
      return [{ kind: "foreignTable", schema, name }];
    case "table column":
      return [
        { kind: "column", schema, table: name, name: part },
        { kind: "table", schema, name },
      ];
    case "foreign table column":
      return [
        { kind: "column", schema, table: name, name: part },
        { kind: "foreignTable", schema, name },
      ];
    case "view column":
      return [{ kind: "view", schema, name }];
    case "materialized view column":
      return [{ kind: "materializedView", schema, name }];
    case "composite type":
      return [{ kind: "type", schema, name }];
    case "composite type column":
      return [
        { kind: "typeAttribute", schema, type: name, name: part },
        { kind: "type", schema, name },
      ];
    case "default value":
      return [
        { kind: "default", schema, table: name, name: part },
        { kind: "column", schema, table: name, name: part },
        objectId("default of view column", identity.replace(/^for /, "")),
      ];
    case "function":
    case "procedure":
    case "aggregate":
      return [{ kind: type, schema, name, args: args.map(asArgument) }];
    case "type":
      return ofType(schema);
    case "table constraint":
      return [{ kind: "constraint", schema, table: name, name: part }];
    case "domain constraint": {
      const [domainSchema = "", domain = ""] = splitName(schema);
      return [{ kind: "constraint", schema: domainSchema, table: domain, name: args[0] ?? "" }];
    }
    case "rule":
      return [
        { kind: "rule", schema, table: name, name: part },
        { kind: "view", schema, name },
        { kind: "materializedView", schema, name },
      ];
    case "trigger":
    case "policy":
      return [{ kind: type, schema, table: name, name: part }];
    case "publication relation":
      return [{ kind: "publication", name: args[0] ?? "" }];
    default:
      return [objectId(type, asKey(type, identity))];
  }
}

/** A type, a domain, or the type of a relation's rows; of an array that of its elements. */
function ofType(printed: string): StableId[] {
  const [schema = "", name = ""] = splitName(printed.replace(/(\[\])+$/, ""));
  return [
    { kind: "type", schema, name },
    { kind: "domain", schema, name },
    { kind: "table", schema, name },
    { kind: "view", schema, name },
    { kind: "materializedView", schema, name },
    { kind: "foreignTable", schema, name },
  ];
}
