/**
 * Reads from the catalog what the types of a database are made of. How they are printed is left to
 * `printTypes.ts`.
 */
import type pg from "pg";
import { KEPT_PREFIX } from "../../provider/catalog/kept.ts";
import { quoteIdent } from "../../provider/catalog/quote.ts";
import { withoutExemptions } from "../../provider/lint/exemptions.ts";
import { checkedValues } from "./checkedValues.ts";
import type { CatalogType, Column, DatabaseFunction, DatabaseModel, Relation } from "./model.ts";

/** Members of extensions are not what a program's types are about. */
const notOfExtension = (catalog: "pg_class" | "pg_proc"): string => `
  not exists (select from pg_catalog.pg_depend d
               where d.classid operator(pg_catalog.=) 'pg_catalog.${catalog}'::pg_catalog.regclass
                 and d.objid operator(pg_catalog.=) o.oid and d.deptype operator(pg_catalog.=) 'e')`;

const RELATIONS = `
  select n.nspname as schema, o.relname as name, o.relkind operator(pg_catalog.=) any ('{r,p,f}') as "isTable",
         pg_catalog.obj_description(o.oid, 'pg_class') as comment,
         pg_catalog.array_to_json(array(
           select pg_catalog.json_build_object(
                    'name', a.attname, 'type', a.atttypid::pg_catalog.int8,
                    'isNullable', not a.attnotnull, 'hasDefault', a.atthasdef or a.attidentity operator(pg_catalog.<>) '',
                    'isFixed', a.attgenerated operator(pg_catalog.<>) '' or a.attidentity operator(pg_catalog.=) 'a',
                    'comment', pg_catalog.col_description(o.oid, a.attnum),
                    'checks', array(select pg_catalog.pg_get_constraintdef(c.oid) from pg_catalog.pg_constraint c
                                     where c.conrelid operator(pg_catalog.=) o.oid and c.contype operator(pg_catalog.=) 'c'
                                       and c.conkey operator(pg_catalog.=) array[a.attnum] order by c.conname))
             from pg_catalog.pg_attribute a
            where a.attrelid operator(pg_catalog.=) o.oid and a.attnum operator(pg_catalog.>) 0 and not a.attisdropped
              and not pg_catalog.starts_with(a.attname::pg_catalog.text, '${KEPT_PREFIX}')
            order by a.attnum)) as columns
    from pg_catalog.pg_class o join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) o.relnamespace
   where n.nspname operator(pg_catalog.=) any ($1::pg_catalog.text[]) and o.relkind operator(pg_catalog.=) any ('{r,p,f,v,m}')
     and not o.relispartition and ${notOfExtension("pg_class")}
   order by 1, 2`;

const FUNCTIONS = `
  select n.nspname as schema, o.proname as name, pg_catalog.obj_description(o.oid, 'pg_proc') as comment,
         o.prorettype::pg_catalog.int8 as type, o.proretset as "returnsSet", o.prokind operator(pg_catalog.=) 'p' as "isProcedure",
         coalesce(o.proargnames, '{}') as names, o.pronargdefaults as defaults,
         coalesce(o.proallargtypes, o.proargtypes::pg_catalog.oid[])::pg_catalog.int8[]::pg_catalog.text[] as types,
         o.proargmodes::pg_catalog.text[] as modes, coalesce(t.typrelid, 0)::pg_catalog.int8 as relation
    from pg_catalog.pg_proc o join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) o.pronamespace
    join pg_catalog.pg_type t on t.oid operator(pg_catalog.=) o.prorettype
   where n.nspname operator(pg_catalog.=) any ($1::pg_catalog.text[]) and o.prokind operator(pg_catalog.=) any ('{f,p}')
     and t.typname operator(pg_catalog.<>) all ('{trigger,event_trigger}') and ${notOfExtension("pg_proc")}
   order by 1, 2, pg_catalog.pg_get_function_identity_arguments(o.oid)`;

const TYPES = `
  select t.oid::pg_catalog.int8 as oid, n.nspname as schema, t.typname as name, t.typtype::pg_catalog.text as kind,
         case when t.typcategory operator(pg_catalog.=) 'A' then t.typelem::pg_catalog.int8 else 0 end as element,
         t.typbasetype::pg_catalog.int8 as base,
         array(select e.enumlabel::pg_catalog.text from pg_catalog.pg_enum e
                where e.enumtypid operator(pg_catalog.=) t.oid order by e.enumsortorder) as labels,
         array(select pg_catalog.pg_get_constraintdef(c.oid) from pg_catalog.pg_constraint c
                where c.contypid operator(pg_catalog.=) t.oid and c.contype operator(pg_catalog.=) 'c' order by c.conname) as checks
    from pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) t.typnamespace`;

/** The columns of a composite type, or of the rows of a table. */
const ATTRIBUTES = `
  select a.attrelid::pg_catalog.int8 as relation, a.attname as name, a.atttypid::pg_catalog.int8 as type
    from pg_catalog.pg_attribute a
   where a.attrelid::pg_catalog.int8 operator(pg_catalog.=) any ($1::pg_catalog.int8[])
     and a.attnum operator(pg_catalog.>) 0 and not a.attisdropped
   order by a.attrelid, a.attnum`;

interface FunctionRow {
  schema: string;
  name: string;
  comment: string | null;
  type: string;
  returnsSet: boolean;
  isProcedure: boolean;
  names: string[];
  defaults: number;
  types: string[];
  modes: string[] | null;
  relation: string;
}

type ColumnRow = Omit<Column, "values" | "comment"> & { checks: string[]; comment: string | null };
type RelationRow = Omit<Relation, "columns" | "comment"> & { columns: ColumnRow[]; comment: string | null };
type TypeRow = Omit<CatalogType, "oid" | "element" | "base" | "values"> & {
  oid: string;
  element: string;
  base: string;
  checks: string[];
};

/** @param client with `search_path` = pg_catalog, as all of our connections have it. */
export async function readModel(client: pg.Pool | pg.ClientBase, schemas: readonly string[]): Promise<DatabaseModel> {
  const { rows: relations } = await client.query<RelationRow>(RELATIONS, [schemas]);
  const { rows: functions } = await client.query<FunctionRow>(FUNCTIONS, [schemas]);
  const { rows: types } = await client.query<TypeRow>(TYPES);
  const rowTypes = functions.map(({ relation }) => relation).filter((relation) => relation !== "0");
  const { rows: attributes } = await client.query<{ relation: string; name: string; type: string }>(ATTRIBUTES, [
    rowTypes,
  ]);
  return {
    relations: relations.map(({ columns, comment, ...relation }) => ({
      ...relation,
      comment: described(comment),
      columns: columns.map(({ checks, comment: said, ...column }) => ({
        ...column,
        values: firstValues(checks, quoteIdent(column.name), column.name),
        comment: described(said),
      })),
    })),
    functions: functions.map((row) =>
      functionOf(
        row,
        attributes.filter(({ relation }) => relation === row.relation),
      ),
    ),
    types: new Map(
      types.map(({ checks, ...type }) => [
        Number(type.oid),
        {
          ...type,
          oid: Number(type.oid),
          element: Number(type.element),
          base: Number(type.base),
          values: firstValues(checks, "VALUE"),
        },
      ]),
    ),
  };
}

/** A comment as far as it is about the object. */
function described(comment: string | null): string | undefined {
  const text = withoutExemptions(comment ?? "").trim();
  return text === "" ? undefined : text;
}

function firstValues(checks: readonly string[], ...names: string[]): string[] | undefined {
  return checks
    .flatMap((check) => names.map((name) => checkedValues(check, name)))
    .find((values) => values !== undefined);
}

function functionOf(row: FunctionRow, attributes: readonly { name: string; type: string }[]): DatabaseFunction {
  const { schema, name, comment, returnsSet, isProcedure } = row;
  const all = row.types.map((type, n) => ({ name: row.names[n] ?? "", type, mode: row.modes?.[n] ?? "i" }));
  const inputs = all.filter(({ mode }) => mode === "i" || mode === "b" || mode === "v");
  const outputs = all.filter(({ mode }) => mode === "o" || mode === "b" || mode === "t");
  const isRow = outputs.length > 1 || outputs.some(({ mode }) => mode === "t");
  const columns = isRow ? outputs : attributes;
  const firstDefault = inputs.length - row.defaults;
  return {
    schema,
    name,
    comment: described(comment),
    returnsSet,
    isProcedure,
    type: Number(row.type),
    args: inputs.map((input, n) => column(input, n >= firstDefault)),
    columns: columns.length > 0 ? columns.map((each) => column(each, false)) : undefined,
  };
}

/** What a function takes and gives may be null, as far as the catalog says. */
const column = ({ name, type }: { name: string; type: string }, hasDefault: boolean): Column => ({
  name,
  type: Number(type),
  isNullable: true,
  hasDefault,
  isFixed: false,
  values: undefined,
  comment: undefined,
});
