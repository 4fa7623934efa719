import { quoteIdent, quoteQualified } from "../../../provider/catalog/quote.ts";
import {
  byKey,
  type Column,
  type Constraint,
  columnsOf,
  type Domain,
  type Index,
  type Key,
  type Model,
  ofKind,
  type SchemaObject,
  type Table,
  type TypeRef,
} from "./model.ts";
import { printGrant, printPolicy, printRoutine, printTrigger } from "./printCode.ts";
import { isDeferrable } from "./valid.ts";

/** A SQL file of a layer. */
export interface PrintedFile {
  path: string;
  sql: string;
}

/** The SQL files that declare the model. The same model gives the same text. */
export function printModel(model: Model, role: string): PrintedFile[] {
  const printer = new Printer(model, role);
  const early = ofKind(model, "routine").filter(({ reads }) => reads === undefined);
  const late = ofKind(model, "routine").filter(({ reads }) => reads !== undefined);
  const foreign = ofKind(model, "constraint").filter(({ form }) => form === "foreign");
  const parts: [string, readonly SchemaObject[]][] = [
    ["00-schemas", ofKind(model, "schema")],
    ["10-types", [...ofKind(model, "enum"), ...ofKind(model, "domain"), ...ofKind(model, "composite")]],
    ["20-sequences", ofKind(model, "sequence")],
    ["30-functions", early],
    ["40-tables", [...ofKind(model, "table"), ...ofKind(model, "partition")]],
    ["50-constraints", [...ofKind(model, "constraint").filter(({ form }) => form !== "foreign"), ...foreign]],
    ["60-views", inOrder(model)],
    ["65-indexes", ofKind(model, "index")],
    ["70-readers", late],
    ["80-security", [...ofKind(model, "policy"), ...ofKind(model, "trigger"), ...ofKind(model, "grant")]],
    ["90-comments", ofKind(model, "comment")],
  ];
  const files = parts.map(([name, objects]) => ({
    path: `${name}.sql`,
    sql: objects.flatMap((object) => printer.print(object)).join(";\n"),
  }));
  const owners = ofKind(model, "sequence").flatMap((sequence) => printer.printOwner(sequence));
  files.push({ path: "95-owners.sql", sql: owners.join(";\n") });
  const written = files.filter(({ sql }) => sql !== "").map(({ path, sql }) => ({ path, sql: `${sql};\n` }));
  return written.length > 0 ? written : [{ path: "00-nothing.sql", sql: "select 1;\n" }];
}

/** Views after the views that they read. An edit may have turned the order of the list around. */
function inOrder(model: Model): SchemaObject[] {
  const left = ofKind(model, "view");
  const done: typeof left = [];
  while (left.length > 0) {
    const ready = left.findIndex(({ source }) => !left.some(({ key }) => key === source));
    done.push(...left.splice(ready === -1 ? 0 : ready, 1));
  }
  return done;
}

export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** Prints single objects of a model. */
export class Printer {
  readonly model: Model;
  readonly role: string;

  constructor(model: Model, role: string) {
    this.model = model;
    this.role = quoteIdent(role);
  }

  print(object: SchemaObject): string[] {
    switch (object.kind) {
      case "schema":
        return object.name === "public" ? [] : [`create schema ${quoteIdent(object.name)}`];
      case "enum":
        return [`create type ${this.name(object.key)} as enum (${object.values.map(literal).join(", ")})`];
      case "domain":
        return [this.domain(object)];
      case "composite": {
        const attributes = object.attributes.map(({ name, type }) => `${quoteIdent(name)} ${type.sql}`);
        return [`create type ${this.name(object.key)} as (${attributes.join(", ")})`];
      }
      case "sequence": {
        const { start, increment, cycle } = object;
        const options = `increment ${increment} start ${start}${cycle ? " maxvalue 1000000 cycle" : ""}`;
        return [`create sequence ${this.name(object.key)} ${options}`];
      }
      case "table":
        return this.table(object);
      case "partition":
        return [`create table ${this.name(object.key)} partition of ${this.name(object.table)} ${this.bounds(object)}`];
      case "constraint":
        return [
          `alter table ${this.name(object.table)} add constraint ${quoteIdent(object.name)} ${this.constraint(object)}`,
        ];
      case "index":
        return [this.index(object)];
      case "view":
        return [this.view(object)];
      case "routine":
        return [printRoutine(this, object)];
      case "trigger":
        return printTrigger(this, object);
      case "policy":
        return [printPolicy(this, object)];
      case "grant":
        return printGrant(this, object);
      case "comment":
        return this.comment(object);
    }
  }

  printOwner({ key, ownedBy }: Extract<SchemaObject, { kind: "sequence" }>): string[] {
    if (ownedBy === undefined) return [];
    return [`alter sequence ${this.name(key)} owned by ${this.name(ownedBy.table)}.${this.column(ownedBy.column)}`];
  }

  /** The qualified name of an object in a schema. */
  name(key: Key): string {
    const object = byKey(this.model, key);
    if (object === undefined || !("schema" in object)) throw new Error(`no object of a schema: ${key}`);
    return quoteQualified(this.schemaName(object.schema), object.name);
  }

  schemaName(key: Key): string {
    const schema = byKey(this.model, key);
    if (schema?.kind !== "schema") throw new Error(`no schema: ${key}`);
    return schema.name;
  }

  column(key: Key): string {
    for (const object of this.model) {
      const found = columnsOf(this.model, object.key).find((column) => column.key === key);
      if (found !== undefined) return quoteIdent(found.name);
    }
    throw new Error(`no column: ${key}`);
  }

  type(type: TypeRef): string {
    return typeof type === "number" ? this.name(type) : type.sql;
  }

  private domain({ key, base, notNull, check, byDefault }: Domain): string {
    const parts = [`create domain ${this.name(key)} as ${base.sql}`];
    if (byDefault) parts.push(`default ${base.constant}`);
    if (notNull) parts.push("not null");
    if (check) parts.push(`check (value::text <> ${literal("never")})`);
    return parts.join(" ");
  }

  private table(table: Table): string[] {
    const { key, columns, partitionBy, rowSecurity, fillfactor, unlogged } = table;
    const lines = columns.map((column) => `  ${this.columnDefinition(column)}`);
    const [first] = columns;
    const by =
      partitionBy === undefined || first === undefined
        ? ""
        : ` partition by ${partitionBy} (${quoteIdent(first.name)})`;
    const options = fillfactor && by === "" ? " with (fillfactor = 70)" : "";
    const create = `create ${unlogged ? "unlogged " : ""}table ${this.name(key)} (\n${lines.join(",\n")}\n)${by}${options}`;
    const alter = `alter table ${this.name(key)}`;
    return [
      create,
      ...(rowSecurity === "off" ? [] : [`${alter} enable row level security`]),
      ...(rowSecurity === "forced" ? [`${alter} force row level security`] : []),
    ];
  }

  private columnDefinition(column: Column): string {
    const value = this.value(column);
    return `${quoteIdent(column.name)} ${this.type(column.type)}${value === "" ? "" : ` ${value}`}${column.notNull ? " not null" : ""}`;
  }

  private value({ type, value }: Column): string {
    const object = typeof type === "number" ? byKey(this.model, type) : undefined;
    const plain = typeof type === "number" ? (object?.kind === "domain" ? object.base : undefined) : type;
    switch (value.by) {
      case "nothing":
        return "";
      case "constant":
        return `default ${plain?.constant ?? literal("first")}`;
      case "volatile":
        return `default ${plain?.volatile ?? "null"}`;
      case "identity always":
      case "identity by default":
        return `generated ${value.by.replace("identity ", "")} as identity`;
      case "sequence":
        return `default nextval(${literal(this.name(value.sequence))})`;
      case "function":
        return `default ${this.name(value.function)}(1)`;
      case "expression":
        return `generated always as (coalesce((${this.column(value.column)})::text, '') || '!') stored`;
    }
  }

  private bounds({ table, number }: { table: Key; number: number }): string {
    const parent = byKey(this.model, table);
    const by = parent?.kind === "table" ? parent.partitionBy : undefined;
    if (by === "hash") return `for values with (modulus 64, remainder ${number % 64})`;
    if (by === "list") return `for values in (${number === 0 ? "1, 2, 3" : number + 10})`;
    return `for values from (${number * 100}) to (${number * 100 + 100})`;
  }

  private constraint(constraint: Constraint): string {
    const { form, columns, variant, to } = constraint;
    const names = columns.map((key) => this.column(key));
    const listed = names.join(", ");
    const deferrable = isDeferrable(constraint) ? " deferrable initially deferred" : "";
    switch (form) {
      case "primary":
        return `primary key (${listed})${deferrable}`;
      case "unique":
        return `unique ${variant % 3 === 1 ? "nulls not distinct " : ""}(${listed})${deferrable}`;
      case "check":
        return `check (${this.condition(names[0] ?? "true", variant)})${variant % 7 === 6 ? " not valid" : ""}`;
      case "exclusion":
        return `exclude using btree (${names.map((name) => `${name} with =`).join(", ")})${deferrable}`;
      case "foreign": {
        const target = `${this.name(to?.table ?? -1)} (${to?.columns.map((key) => this.column(key)).join(", ")})`;
        const action = ["", " on delete cascade", " on delete set null", " on update cascade on delete restrict"][
          variant % 4
        ];
        return `foreign key (${listed}) references ${target}${action}${deferrable}`;
      }
    }
  }

  /** True for every row of the tests. */
  private condition(column: string, variant: number): string {
    const conditions = [
      `${column} is not null or ${column} is null`,
      `length((${column})::text) < 1000`,
      `(${column})::text <> '"; drop table x; -- $$ it''s'`,
      `coalesce((${column})::text, 'none') not in ('never', 'NOT VALID')`,
    ];
    return conditions[variant % conditions.length] ?? "true";
  }

  private index({ table, name, columns, unique, method, where, expression, include, descending }: Index): string {
    const names = columns.map((key) => this.column(key));
    const [first = ""] = names;
    // Of a value that is read the same way under all settings.
    const keys =
      expression && method === "btree"
        ? `(${first} is null)${unique ? `, ${names.join(", ")}` : ""}`
        : names.map((column) => `${column}${descending && method === "btree" ? " desc nulls last" : ""}`).join(", ");
    const included = include === undefined ? "" : ` include (${this.column(include)})`;
    const filter = where ? ` where ${first} is not null` : "";
    return `create ${unique ? "unique " : ""}index ${quoteIdent(name)} on ${this.name(table)} using ${method} (${keys})${included}${filter}`;
  }

  private view({ key, source, columns, variant, materialized }: Extract<SchemaObject, { kind: "view" }>): string {
    const shown = columns.map(({ name, from, asText }) => {
      const column = `s.${this.column(from)}`;
      return `${asText ? `(${column})::text` : column} as ${quoteIdent(name)}`;
    });
    const options = ["", "", " with (security_barrier = true)", " with (security_invoker = true)", ""][variant % 5];
    const [first] = columns;
    const filter = variant % 5 === 1 && first !== undefined ? ` where s.${this.column(first.from)} is not null` : "";
    const limit = variant % 5 === 4 ? " limit 10" : "";
    const head = `create ${materialized ? "materialized view" : "view"} ${this.name(key)}${materialized ? "" : options}`;
    return `${head} as select ${shown.join(", ")} from ${this.name(source)} as s${filter}${limit}`;
  }

  private comment({ on, column, text }: Extract<SchemaObject, { kind: "comment" }>): string[] {
    const object = byKey(this.model, on);
    if (object === undefined || object.kind === "grant" || object.kind === "comment") return [];
    const is = `is ${literal(text)}`;
    if (column !== undefined) return [`comment on column ${this.name(on)}.${this.column(column)} ${is}`];
    switch (object.kind) {
      case "schema":
        return object.name === "public" ? [] : [`comment on schema ${quoteIdent(object.name)} ${is}`];
      case "constraint":
      case "trigger":
      case "policy":
        return [`comment on ${object.kind} ${quoteIdent(object.name)} on ${this.name(object.table)} ${is}`];
      case "index": {
        const schema = byKey(this.model, object.table);
        const qualified = schema !== undefined && "schema" in schema ? this.schemaName(schema.schema) : "";
        return [`comment on index ${quoteQualified(qualified, object.name)} ${is}`];
      }
      case "view":
        return [`comment on ${object.materialized ? "materialized view" : "view"} ${this.name(on)} ${is}`];
      case "routine":
        return [`comment on routine ${this.name(on)} ${is}`];
      default: {
        const words = { enum: "type", composite: "type", partition: "table" } as const;
        const word = object.kind in words ? "" : object.kind;
        const kind =
          object.kind === "enum" || object.kind === "composite" ? "type" : object.kind === "partition" ? "table" : word;
        return [`comment on ${kind} ${this.name(on)} ${is}`];
      }
    }
  }
}
