import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { generatedLayers } from "../../test/long/scale/generatedSchema.ts";
import { projectRoot } from "../../tools/lib/paths.ts";

/** A file of SQL. */
export interface SqlFile {
  name: string;
  text: string;
}

/** Files that belong together, in order. */
export interface SqlLayer {
  name: string;
  files: readonly SqlFile[];
}

/** A change of the schema, in the two forms that tools take. */
export interface Step {
  name: string;
  /** The whole schema after the change. */
  after: readonly SqlLayer[];
  /** What a migration says. */
  up: string;
  down: string;
}

/** A schema that every tool is given, and what happens to it. */
export interface Workload {
  title: string;
  /** Schemas of the database that are compared. */
  schemas: readonly string[];
  /** Roles of the server that the SQL names. */
  roles: readonly string[];
  initial: readonly SqlLayer[];
  /** A column more on one table. */
  change: Step;
  /** A change of two parts, the second of which the table's rows forbid. Absent: it is not tried. */
  conflict?: Step & { rows: string };
}

const LAYERS = {
  platform: ["sql/platform"],
  databases: ["sql/databases"],
  rls: ["sql/rls/common", "sql/rls/permissive"],
};

/** The layers of this project: tables, functions, triggers, views, policies, grants, comments. */
export async function platformWorkload(): Promise<Workload> {
  const initial: SqlLayer[] = [];
  for (const [name, directories] of Object.entries(LAYERS)) {
    const files = directories.map(async (directory) => {
      const names = (await readdir(join(projectRoot, directory))).sort();
      const read = async (file: string): Promise<SqlFile> => ({
        // Two folders have files of one name.
        name: directories.length > 1 ? `${basename(directory)}-${file}` : file,
        text: await readFile(join(projectRoot, directory, file), "utf8"),
      });
      return Promise.all(names.map(read));
    });
    initial.push({ name, files: (await Promise.all(files)).flat() });
  }
  const column = (layers: readonly SqlLayer[], name: string): SqlLayer[] =>
    edited(layers, "  disk_io_budget integer default 2400,\n", `$&  ${name} text,\n`);
  return {
    title: "The platform of this project",
    schemas: ["platform", "platform_access", "platform_private"],
    roles: ["studio_app", "studio_readonly", "studio_system", "studio_decrypt"],
    initial,
    change: {
      name: "display_name",
      after: column(initial, "display_name"),
      up: "alter table platform.projects add column display_name text;\n",
      down: "alter table platform.projects drop column display_name;\n",
    },
    conflict: {
      name: "conflict",
      rows: `insert into platform.billing_plans (id, name, price, "interval") values ('probe', 'Probe', 1, 'month')`,
      after: edited(
        column(initial, "region"),
        "  constraint billing_plans_price_valid check (price >= 0)\n",
        "  constraint billing_plans_price_valid check (price >= 0),\n  constraint billing_plans_price_high check (price > 100)\n",
      ),
      up: `alter table platform.projects add column region text;
alter table platform.billing_plans add constraint billing_plans_price_high check (price > 100);
`,
      down: "",
    },
  };
}

/** The tables that the scale test generates, in one layer. */
export function generatedWorkload(tables: number): Workload {
  const layers = (changed: boolean): SqlLayer[] =>
    generatedLayers({ tables, layers: 1 }, { changed }).map(({ name, files }) => ({
      name,
      files: Object.entries(files).map(([path, text]) => ({ name: basename(path), text })),
    }));
  const [{ name: schema } = { name: "" }] = layers(false);
  const changed = `${schema}.table_${String(Math.floor(tables / 2)).padStart(4, "0")}`;
  return {
    title: `${tables.toLocaleString("en-US")} generated tables`,
    schemas: [schema],
    roles: [],
    initial: layers(false),
    change: {
      name: "note",
      after: layers(true),
      up: `alter table ${changed} add column note text;\n`,
      down: `alter table ${changed} drop column note;\n`,
    },
  };
}

/**
 * @throws when the text does not occur exactly once: the files have changed and the change must be written
 * anew.
 */
function edited(layers: readonly SqlLayer[], from: string, to: string): SqlLayer[] {
  const found = layers.flatMap(({ files }) => files).reduce((sum, { text }) => sum + text.split(from).length - 1, 0);
  if (found !== 1) throw new Error(`expected once in the SQL, found ${found} times: ${from}`);
  return layers.map((layer) => ({
    ...layer,
    files: layer.files.map((file) => ({ ...file, text: file.text.replace(from, to) })),
  }));
}

/** The layers as one script. */
export function scriptOf(layers: readonly SqlLayer[]): string {
  return layers.flatMap(({ files }) => files.map(({ text }) => text)).join("\n");
}

/** A file of a migration tool. */
export interface Migration {
  /** Three digits that count from 001. */
  number: string;
  name: string;
  up: string;
  down: string;
}

/** What a migration tool is given: one migration for each layer, then one for each step. */
export function migrationsOf(initial: readonly SqlLayer[], steps: readonly Step[]): Migration[] {
  const first = initial.map((layer) => ({ name: layer.name, up: scriptOf([layer]), down: "" }));
  return [...first, ...steps].map(({ name, up, down }, n) => ({
    number: String(n + 1).padStart(3, "0"),
    name,
    up,
    down,
  }));
}
