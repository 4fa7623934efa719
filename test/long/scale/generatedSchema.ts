/** What is generated: tables, spread over layers that stand on one another, each in a schema of its own. */
export interface Size {
  tables: number;
  layers: number;
}

/** A layer of generated SQL. */
export interface GeneratedLayer {
  name: string;
  /** Text by path, relative to the project directory; all in the directory {@link directory}. */
  files: Record<string, string>;
  directory: string;
}

const TABLES_IN_A_FILE = 50;

/** Objects of each generated table, beside itself. */
export const INDEXES_OF_A_TABLE = 2;

/**
 * Layers of tables as a web application has them: a key, six columns with defaults, two indexes, row security
 * and one policy each.
 *
 * @param options.changed whether one table in the middle has one column more.
 */
export function generatedLayers({ tables, layers }: Size, { changed = false } = {}): GeneratedLayer[] {
  const share = tables / layers;
  if (!Number.isInteger(share)) throw new Error(`${tables} tables cannot be spread over ${layers} layers`);
  const extra = Math.floor(tables / 2);
  return Array.from({ length: layers }, (_, layer) => {
    const schema = `scale_${layer + 1}`;
    const directory = `sql/${schema}`;
    const files: Record<string, string> = { [`${directory}/000.sql`]: `create schema ${schema};\n` };
    for (let first = 0; first < share; first += TABLES_IN_A_FILE) {
      const numbers = Array.from({ length: Math.min(TABLES_IN_A_FILE, share - first) }, (_, n) => first + n);
      const path = `${directory}/${String(1 + first / TABLES_IN_A_FILE).padStart(3, "0")}.sql`;
      files[path] = numbers.map((n) => tableSql(schema, n, changed && layer * share + n === extra)).join("\n");
    }
    return { name: schema, files, directory };
  });
}

function tableSql(schema: string, number: number, hasExtraColumn: boolean): string {
  const name = `table_${String(number).padStart(4, "0")}`;
  const table = `${schema}.${name}`;
  return `create table ${table} (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null,
  name text not null,
  status text not null default 'active',
  settings jsonb not null default '{}',
  created_at timestamptz not null default now()${hasExtraColumn ? ",\n  note text" : ""}
);
create index ${name}_organization_idx on ${table} (organization_id, created_at);
create index ${name}_status_idx on ${table} (status) where status <> 'archived';
alter table ${table} enable row level security;
create policy ${name}_all on ${table} using (true) with check (true);
`;
}

/** A Pulumi program with these layers, each standing on all before it. */
export function programOf(layers: readonly GeneratedLayer[], database: string): string {
  const sources = layers.map(({ name, directory }) => ({ name, files: [directory] }));
  return `
import * as pulumi from "@pulumi/pulumi";
import { Layer } from "./components/resources/Layer.ts";
import { Provider } from "./components/resources/Provider.ts";

const provider = new Provider("target", { url: new pulumi.Config("pgstrata").requireSecret("${database}") });
const sources = ${JSON.stringify(sources)};
let below: Layer[] = [];
for (const [n, source] of sources.entries())
  below = [...below, new Layer(source.name, { ...source, base: sources.slice(0, n) }, { provider, dependsOn: below })];
`;
}
