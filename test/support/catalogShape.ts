import pg from "pg";
import type {
  ExpectedColumn,
  ExpectedForeignKey,
  ExpectedFunction,
  ExpectedIndex,
  ExpectedTable,
} from "../fixtures/expected/types.ts";

/**
 * What the catalog holds of schema `platform`, in the shape of the expected catalog; lists without an order
 * are sorted by name.
 */
export interface CatalogShape {
  tables: Record<string, ExpectedTable>;
  functions: ExpectedFunction[];
  views: Record<string, string[]>;
}

const COLUMNS = `
  select c.relname as "table", a.attname as name, format_type(a.atttypid, a.atttypmod) as type, not a.attnotnull as nullable,
         pg_get_expr(d.adbin, d.adrelid) as "default"
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
         left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
   where c.relnamespace = 'platform'::regnamespace and c.relkind in ('r', 'p') order by c.relname, a.attnum`;

const CONSTRAINTS = `
  select c.relname as "table", k.conname as name, k.contype as type, r.relname as references,
         array(select attname::text from unnest(k.conkey) with ordinality as u(n, o) join pg_attribute a on a.attrelid = c.oid and a.attnum = u.n order by o) as columns,
         array(select attname::text from unnest(k.confkey) with ordinality as u(n, o) join pg_attribute a on a.attrelid = r.oid and a.attnum = u.n order by o) as referenced,
         case k.confdeltype when 'c' then 'cascade' when 'n' then 'set null' else k.confdeltype::text end as on_delete
    from pg_constraint k join pg_class c on c.oid = k.conrelid left join pg_class r on r.oid = k.confrelid
   where c.relnamespace = 'platform'::regnamespace and k.contype in ('p', 'u', 'f', 'c') order by k.conname`;

const INDEXES = `
  select c.relname as "table", x.relname as name, i.indpred is not null as partial,
         array(select btrim(pg_get_indexdef(i.indexrelid, k, true), '"') || case when i.indoption[k - 1] & 1 = 1 then ' DESC' else '' end
                 from generate_series(1, i.indnkeyatts) as k order by k) as columns
    from pg_index i join pg_class c on c.oid = i.indrelid join pg_class x on x.oid = i.indexrelid
   where c.relnamespace = 'platform'::regnamespace and not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x'))
   order by x.relname`;

const TRIGGERS = `
  select c.relname as "table", t.tgname as name from pg_trigger t join pg_class c on c.oid = t.tgrelid
   where c.relnamespace = 'platform'::regnamespace and not t.tgisinternal order by t.tgname`;

const FUNCTIONS = `
  select p.proname as name, pg_get_function_identity_arguments(p.oid) as args, pg_get_function_result(p.oid) as returns, l.lanname as language,
         case p.provolatile when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end as volatility, p.prosecdef as definer, p.pronargdefaults::int as defaults
    from pg_proc p join pg_language l on l.oid = p.prolang where p.pronamespace = 'platform'::regnamespace order by p.proname`;

const VIEWS = `
  select c.relname as name, array_agg(a.attname::text order by a.attnum) as columns
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
   where c.relnamespace = 'platform'::regnamespace and c.relkind = 'v' group by 1 order by 1`;

interface Constraint {
  table: string;
  name: string;
  type: "p" | "u" | "f" | "c";
  references: string | null;
  columns: string[];
  referenced: string[];
  on_delete: "cascade" | "set null";
}

export async function catalogShape(url: string): Promise<CatalogShape> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    // Names are then printed with their schema.
    await client.query("set search_path = ''");
    const rows = async <Row extends pg.QueryResultRow>(sql: string): Promise<Row[]> =>
      (await client.query<Row>(sql)).rows;
    const columns = await rows<{
      table: string;
      name: string;
      type: string;
      nullable: boolean;
      default: string | null;
    }>(COLUMNS);
    const constraints = await rows<Constraint>(CONSTRAINTS);
    const indexes = await rows<{ table: string; name: string; partial: boolean; columns: string[] }>(INDEXES);
    const triggers = await rows<{ table: string; name: string }>(TRIGGERS);
    const tables = [...new Set(columns.map(({ table }) => table))].map((table): [string, ExpectedTable] => {
      const own = <Row extends { table: string }>(all: Row[]): Row[] => all.filter((row) => row.table === table);
      const ofType = (type: Constraint["type"]): Constraint[] => own(constraints).filter((row) => row.type === type);
      return [
        table,
        {
          columns: own(columns).map((c): ExpectedColumn => [c.name, c.type, c.nullable, c.default]),
          primaryKey: ofType("p")[0]?.columns ?? [],
          unique: ofType("u").map((u) => [u.name, u.columns] as const),
          indexes: own(indexes).map((i): ExpectedIndex => [i.name, i.columns, i.partial]),
          foreignKeys: ofType("f").map(
            (f): ExpectedForeignKey => [
              f.name,
              f.columns.join(),
              `${f.references}.${f.referenced.join()}`,
              f.on_delete,
            ],
          ),
          checks: ofType("c").map((c) => c.name),
          triggers: own(triggers).map((t) => t.name),
        },
      ];
    });
    const views = await rows<{ name: string; columns: string[] }>(VIEWS);
    return {
      tables: Object.fromEntries(tables),
      functions: await rows<ExpectedFunction>(FUNCTIONS),
      views: Object.fromEntries(views.map((view) => [view.name, view.columns])),
    };
  } finally {
    await client.end();
  }
}
