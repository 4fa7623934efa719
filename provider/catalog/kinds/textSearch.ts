/** Text search: parsers and templates, which superusers make, dictionaries and configurations. */
import type { PayloadValue } from "../pgDelta.ts";
import { hasOwn, type ObjectKind, objectId, SELF, text, texts } from "./kind.ts";

const parser: ObjectKind = {
  name: "text search parser",
  isThere: hasOwn("pg_ts_parser"),
  query: `
    select 'text search parser', 'pg_catalog.pg_ts_parser'::pg_catalog.regclass, o.oid, 0::pg_catalog.oid, ${SELF},
           pg_catalog.json_build_object('functions', pg_catalog.concat_ws(', ', 'START = ' || o.prsstart, 'GETTOKEN = ' || o.prstoken, 'END = ' || o.prsend,
             'LEXTYPES = ' || o.prslextype, 'HEADLINE = ' || nullif(o.prsheadline, 0::pg_catalog.oid)::pg_catalog.regproc))
      from pg_catalog.pg_ts_parser o`,
  create: (key, { functions }) => [`CREATE TEXT SEARCH PARSER ${key} (${text(functions)})`],
  recreate: ["functions"],
};

const template: ObjectKind = {
  name: "text search template",
  isThere: hasOwn("pg_ts_template"),
  query: `
    select 'text search template', 'pg_catalog.pg_ts_template'::pg_catalog.regclass, o.oid, 0::pg_catalog.oid, ${SELF},
           pg_catalog.json_build_object('functions', pg_catalog.concat_ws(', ', 'INIT = ' || nullif(o.tmplinit, 0::pg_catalog.oid)::pg_catalog.regproc,
             'LEXIZE = ' || o.tmpllexize))
      from pg_catalog.pg_ts_template o`,
  create: (key, { functions }) => [`CREATE TEXT SEARCH TEMPLATE ${key} (${text(functions)})`],
  recreate: ["functions"],
};

/** Options of a dictionary as the server keeps them: `stopwords = 'english', accept = 'false'`. */
const OPTION = /("(?:[^"]|"")*"|[^\s=,]+) = (E?'(?:[^'\\]|''|\\.)*')/g;

function dictionaryChanges(from: string, to: string): string {
  const names = new Set([...to.matchAll(OPTION)].map(([, name]) => name));
  const gone = [...from.matchAll(OPTION)].flatMap(([, name]) => (name === undefined || names.has(name) ? [] : [name]));
  const said = [...to.matchAll(OPTION)].map(([option]) => option);
  return [...said, ...gone].join(", ");
}

const DICTIONARY = "text search dictionary";

/** Of a thesaurus: the dictionary that its words go through, by its qualified name. */
const OTHER_DICTIONARY = /(?:^|, )dictionary = '((?:[^']|'')+)'/g;

const dictionary: ObjectKind = {
  name: DICTIONARY,
  isThere: hasOwn("pg_ts_dict"),
  query: `
    select 'text search dictionary', 'pg_catalog.pg_ts_dict'::pg_catalog.regclass, o.oid, o.dictowner, ${SELF},
           pg_catalog.json_build_object('template', (select pg_catalog.format('%I.%I', n.nspname, t.tmplname) from pg_catalog.pg_ts_template t
             join pg_catalog.pg_namespace n on n.oid = t.tmplnamespace where t.oid = o.dicttemplate), 'options', coalesce(o.dictinitoption, ''))
      from pg_catalog.pg_ts_dict o`,
  create: (key, { template: of, options }) => [
    `CREATE TEXT SEARCH DICTIONARY ${key} (TEMPLATE = ${text(of)}${options === "" ? "" : `, ${text(options)}`})`,
  ],
  alter: {
    options: (key, from, to) => [`ALTER TEXT SEARCH DICTIONARY ${key} (${dictionaryChanges(text(from), text(to))})`],
  },
  recreate: ["template"],
  needs: (_, { options }) =>
    [...text(options).matchAll(OTHER_DICTIONARY)].map(([, name = ""]) =>
      objectId(DICTIONARY, name.replaceAll("''", "'")),
    ),
};

/** Of each kind of token, by its name, the dictionaries in their order. */
function mappings(value: PayloadValue | undefined): Map<string, string> {
  const entries = typeof value === "object" && value !== null ? Object.entries(value) : [];
  return new Map(entries.map(([token, dictionaries]) => [token, texts(dictionaries).join(", ")]));
}

/** Tokens with the same dictionaries share a statement. */
function mappingChanges(key: string, from: PayloadValue | undefined, to: PayloadValue | undefined): string[] {
  const [before, after] = [mappings(from), mappings(to)];
  const altering = `ALTER TEXT SEARCH CONFIGURATION ${key}`;
  const gone = [...before.keys()].filter((token) => !after.has(token));
  const saying = (verb: "ADD" | "ALTER", tokens: string[]): string[] =>
    [...Map.groupBy(tokens, (token) => after.get(token))].map(
      ([dictionaries, same]) => `${altering} ${verb} MAPPING FOR ${same.join(", ")} WITH ${dictionaries}`,
    );
  return [
    ...(gone.length === 0 ? [] : [`${altering} DROP MAPPING FOR ${gone.join(", ")}`]),
    ...saying(
      "ALTER",
      [...after.keys()].filter((token) => before.has(token) && before.get(token) !== after.get(token)),
    ),
    ...saying(
      "ADD",
      [...after.keys()].filter((token) => !before.has(token)),
    ),
  ];
}

const configuration: ObjectKind = {
  name: "text search configuration",
  isThere: hasOwn("pg_ts_config"),
  query: `
    select 'text search configuration', 'pg_catalog.pg_ts_config'::pg_catalog.regclass, o.oid, o.cfgowner, ${SELF},
           pg_catalog.json_build_object('parser', (select pg_catalog.format('%I.%I', n.nspname, p.prsname) from pg_catalog.pg_ts_parser p
             join pg_catalog.pg_namespace n on n.oid = p.prsnamespace where p.oid = o.cfgparser),
             'mappings', (select coalesce(pg_catalog.json_object_agg(m.alias, m.dictionaries order by m.alias), '{}') from (
               select pg_catalog.quote_ident(t.alias) as alias, pg_catalog.array_agg(pg_catalog.format('%I.%I', n.nspname, d.dictname) order by c.mapseqno) as dictionaries
                 from pg_catalog.pg_ts_config_map c join pg_catalog.ts_token_type(o.cfgparser) t on t.tokid = c.maptokentype
                 join pg_catalog.pg_ts_dict d on d.oid = c.mapdict join pg_catalog.pg_namespace n on n.oid = d.dictnamespace
                where c.mapcfg = o.oid group by t.alias) m))
      from pg_catalog.pg_ts_config o`,
  create: (key, payload) => [
    `CREATE TEXT SEARCH CONFIGURATION ${key} (PARSER = ${text(payload.parser)})`,
    ...mappingChanges(key, {}, payload.mappings),
  ],
  recreate: ["parser"],
  alter: { mappings: (key, from, to) => mappingChanges(key, from, to) },
};

export const textSearch: ObjectKind[] = [parser, template, dictionary, configuration];
