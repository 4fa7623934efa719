import { quoteIdent } from "../../../provider/catalog/quote.ts";
import { byKey, type Grant, type Policy, type Routine, type Trigger } from "./model.ts";
import type { Printer } from "./print.ts";

/** Function bodies hold what a planner that looks into SQL could take for its own. */
const REMARK = "/* ; -- $$ ' \" */";

export function printRoutine(printer: Printer, { key, form, variant, reads }: Routine): string {
  const name = printer.name(key);
  const from = reads === undefined ? "" : printer.name(reads);
  const options = ["", " strict", " parallel safe", " cost 10", " security definer set search_path = ''", ""][
    variant % 6
  ];
  const body = (text: string): string => `$fuzz$${text}$fuzz$`;
  switch (form) {
    case "immutable":
      return `create function ${name}(x bigint default ${variant}) returns bigint language sql immutable${options} as ${body(`select x + ${variant} ${REMARK}`)}`;
    case "volatile":
      return `create function ${name}(x bigint) returns bigint language plpgsql${options} as ${body(`begin ${REMARK} return x + ${variant}; end`)}`;
    case "trigger":
      return `create function ${name}() returns trigger language plpgsql as ${body(`begin ${REMARK} if ${variant} < 0 then return null; end if; return coalesce(new, old); end`)}`;
    case "procedure":
      return `create procedure ${name}(in a integer, inout b text) language plpgsql as ${body(`begin ${REMARK} b := ${variant}::text; end`)}`;
    case "reader":
      return `create function ${name}(${variant % 2 === 0 ? "" : "variadic x text[]"}) returns bigint language sql stable${options} as ${body(`select count(*) + ${variant} from ${from} ${REMARK}`)}`;
    case "atomic":
      return `create function ${name}() returns bigint language sql begin atomic select count(*) + ${variant} from ${from}; end`;
    case "rows":
      return variant % 2 === 0
        ? `create function ${name}() returns setof ${from} language sql stable as ${body(`select * from ${from} limit ${variant}`)}`
        : `create function ${name}(out a integer, out b text) returns setof record language sql stable as ${body(`select ${variant}, 'x' from ${from}`)}`;
  }
}

export function printTrigger(printer: Printer, { table: key, name, routine, variant, column }: Trigger): string[] {
  const table = printer.name(key);
  const waitsFor = column === undefined ? "" : ` of ${printer.column(column)}`;
  const events = [`insert or update${waitsFor}`, "insert", "delete", `update${waitsFor}`][variant % 4];
  const isConstraint = variant % 8 === 5;
  const each = variant % 8 === 2 ? "statement" : "row";
  const time = isConstraint ? "after" : variant % 2 === 0 ? "before" : "after";
  const when = column !== undefined && variant % 8 === 1 ? ` when (new.${printer.column(column)} is not null)` : "";
  const deferrable = isConstraint ? " deferrable initially deferred" : "";
  return [
    `create ${isConstraint ? "constraint " : ""}trigger ${quoteIdent(name)} ${time} ${events} on ${table}${deferrable} for each ${each}${when} execute function ${printer.name(routine)}()`,
    ...(variant % 8 === 7 ? [`alter table ${table} disable trigger ${quoteIdent(name)}`] : []),
  ];
}

export function printPolicy(printer: Printer, { table, name, variant, column }: Policy): string {
  const command = ["all", "select", "insert", "update", "delete"][variant % 5];
  const kind = variant % 3 === 2 ? " as restrictive" : "";
  const to = variant % 2 === 0 ? "public" : printer.role;
  const condition = column === undefined ? "current_user <> 'it''s'" : `${printer.column(column)} is not null`;
  const using = command === "insert" ? "" : ` using (${condition})`;
  const check = command === "select" || command === "delete" || variant % 4 === 3 ? "" : ` with check (${condition})`;
  return `create policy ${quoteIdent(name)} on ${printer.name(table)}${kind} for ${command} to ${to}${using}${check}`;
}

export function printGrant(printer: Printer, { on, column, to, variant }: Grant): string[] {
  const object = byKey(printer.model, on);
  if (object === undefined) return [];
  const grantee = to === "public" ? "public" : printer.role;
  const option = to === "role" && variant % 4 === 3 ? " with grant option" : "";
  const grant = (privileges: string, target: string): string =>
    `grant ${privileges} on ${target} to ${grantee}${option}`;
  switch (object.kind) {
    case "table":
    case "partition":
    case "view": {
      const privileges = ["select", "insert, update", "all", "select, delete"][variant % 4] ?? "select";
      if (column === undefined) return [grant(privileges, printer.name(on))];
      return [grant(`${variant % 2 === 0 ? "select" : "update"} (${printer.column(column)})`, printer.name(on))];
    }
    case "schema":
      return object.name === "public"
        ? []
        : [grant(variant % 2 === 0 ? "usage" : "all", `schema ${quoteIdent(object.name)}`)];
    case "sequence":
      return [grant(variant % 2 === 0 ? "usage" : "select, update", `sequence ${printer.name(on)}`)];
    case "routine":
      return variant % 2 === 0
        ? [
            `revoke execute on routine ${printer.name(on)} from public`,
            `grant execute on routine ${printer.name(on)} to ${printer.role}`,
          ]
        : [grant("execute", `routine ${printer.name(on)}`)];
    case "enum":
    case "domain":
    case "composite": {
      const target = `${object.kind === "domain" ? "domain" : "type"} ${printer.name(on)}`;
      return variant % 2 === 0 ? [grant("usage", target)] : [`revoke usage on ${target} from public`];
    }
    default:
      return [];
  }
}
