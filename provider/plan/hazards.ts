/**
 * Which harm a statement can do: lost rows, blocked writes, copies, wider access. Whether that stops the plan
 * is decided in `approvals.ts`; results of changed functions are left to `staleHazards.ts`.
 */
import { describe, nameInApproval as nameIn } from "../catalog/objectNames.ts";
import type { FactBase, StableId } from "../catalog/pgDelta.ts";
import { quoteIdent } from "../catalog/quote.ts";
import { rowsBehind, rowsInWords, type TableSizes, tableOf, tablesOfDomain, text } from "../catalog/tables.ts";
import { isVirtual } from "../catalog/virtualColumns.ts";
import type { ErrorCode } from "../core/errorCodes.ts";
import { MOST_ROWS_AT_ONCE } from "./online/recompute.ts";
import { staleHazards } from "./staleHazards.ts";
import type { Statement } from "./statement.ts";
import { TAKEN_OUT_PER_SECOND } from "./timeEstimate.ts";
import { typeChange } from "./typeChange.ts";
import { isVolatileDefault } from "./volatileDefault.ts";

/** Those of the one table that a statement may have. */
export type HazardCode = Extract<ErrorCode, `PS20${number}` | "PS210" | "PS232" | `PS22${number}`>;

/** What a statement may do to the people who use the database while it runs, or to their data. */
export interface Hazard {
  code: HazardCode;
  /** What a layer's `allow` must hold to let it pass, such as `drop-column:platform.projects.legacy`. */
  approval: string;
  /** It loses data or blocks writes, on a table with rows: without approval the update does not start. */
  stops: boolean;
  /** What happens, in words. */
  message: string;
  /** The object, as approvals name it, that the layer's files do not have any more. */
  leaves?: string;
}

/** What hazards are assessed by. */
export interface HazardContext {
  live: FactBase;
  desired: FactBase;
  sizes: TableSizes;
}

/** Hazards of one statement; most have none. */
export function hazardsOf(statement: Statement, context: HazardContext): Hazard[] {
  const { id } = statement;
  if (id === undefined) return [];
  if (statement.recomputes !== undefined) return staleHazards(statement, context);
  return [
    ...lossOfData(statement, id, context),
    ...blockedWrites(statement, id, context),
    ...movedRows(statement, id),
    ...widerAccess(statement, id, context),
    ...recreatedView(statement, id, context),
  ];
}

/**
 * What follows the name of the column or constraint that a statement is about, because a name may read like
 * SQL. Empty in a statement that names none.
 */
function afterName(sql: string, id: StableId): string {
  const word = id.kind === "column" ? "COLUMN" : "CONSTRAINT";
  const name = "name" in id ? ` ${word} ${quoteIdent(id.name)} ` : "";
  const at = sql.indexOf(name);
  return name === "" || at === -1 ? "" : sql.slice(at + name.length - 1);
}

/** Not what is recreated in another form. */
const leaving = (id: StableId, desired: FactBase): Pick<Hazard, "leaves"> =>
  desired.has(id) ? {} : { leaves: nameIn(id) };

function lossOfData(statement: Statement, id: StableId, { live, desired, sizes }: HazardContext): Hazard[] {
  const rows = rowsBehind(id, sizes, live, desired);
  if (rows === 0) return [];
  const { keeps } = statement;
  if (keeps !== undefined) {
    const isTable = id.kind === "table";
    return [
      {
        code: isTable ? "PS201" : "PS202",
        approval: statement.approval ?? `${isTable ? "drop-table" : "drop-column"}:${nameIn(id)}`,
        stops: true,
        message: isTable
          ? `drops ${describe(id)} with ${rowsInWords(rows)}, which ${rows === 1 ? "is" : "are"} kept until ${keeps}`
          : `drops ${describe(id)}, which ${rowsInWords(rows)} ${rows === 1 ? "has and keeps" : "have and keep"} until ${keeps}`,
        ...leaving(id, desired),
      },
    ];
  }
  if (statement.op === "delete" && id.kind === "table") {
    return [
      {
        code: "PS201",
        approval: `drop-table:${nameIn(id)}`,
        stops: true,
        message: `drops ${describe(id)} with ${rowsInWords(rows)}`,
        ...leaving(id, desired),
      },
    ];
  }
  if (statement.op === "delete" && id.kind === "column" && statement.destructive) {
    return [
      {
        code: "PS202",
        approval: `drop-column:${nameIn(id)}`,
        stops: true,
        message: `drops ${describe(id)}, which ${rowsInWords(rows)} ${rows === 1 ? "has" : "have"}`,
        ...leaving(id, desired),
      },
    ];
  }
  const [from, to] = [text(live.get(id), "type"), text(desired.get(id), "type")];
  const change = afterName(statement.sql, id);
  // Without a cast, the collation alone changes.
  if (id.kind === "column" && /^ (SET DATA )?TYPE /.test(change) && (from !== to || / USING /.test(change))) {
    if (from === to || typeChange(from, to) === "narrowing") {
      return [
        {
          code: "PS203",
          approval: `change-type:${nameIn(id)}`,
          stops: true,
          message:
            from === to
              ? `converts ${describe(id)} to the changed ${to}, which may not fit all of ${rowsInWords(rows)}`
              : `changes ${describe(id)} from ${from} to ${to}, which may not fit all of ${rowsInWords(rows)}`,
        },
      ];
    }
  } else if (statement.destructive && statement.op !== "delete") {
    return [
      {
        code: "PS203",
        approval: `change-type:${nameIn(id)}`,
        stops: true,
        message: `converts values of ${describe(id)} in ${rowsInWords(rows)}`,
      },
    ];
  }
  return [];
}

function blockedWrites(statement: Statement, id: StableId, { live, desired, sizes }: HazardContext): Hazard[] {
  const scanned = statement.op === "create" ? tablesOfDomain(id, live) : [];
  if (scanned.length > 0) return scanned.flatMap((each) => scan(each, rowsBehind(each, sizes), "writes wait"));
  if (statement.scans !== undefined)
    return statement.scans.flatMap((each) => scan(each, rowsBehind(each, sizes), "reads and writes wait"));
  const rows = rowsBehind(id, sizes, live, desired);
  const table = tableOf(id, live, desired);
  if (rows === 0 || table === undefined || statement.transaction === "none") return [];
  const name = nameIn(table);
  if (copiesTable(statement, id, { live, desired })) {
    return [
      {
        code: "PS204",
        approval: `rewrite-table:${name}`,
        stops: true,
        message: `copies ${name} with ${rowsInWords(rows)} under a lock that blocks reads and writes`,
      },
    ];
  }
  if (statement.op !== "create") {
    // One at once comes with a copy of the table, which has an approval of its own.
    const scans = id.kind === "column" && statement.isAtOnce !== true && / SET NOT NULL$/.test(statement.sql);
    return scans ? scan(table, rows, "reads and writes wait") : [];
  }
  if (statement.work === "catalog") return [];
  if (id.kind === "index") {
    return [
      {
        code: "PS207",
        approval: `build-index:${nameIn(id)}`,
        stops: true,
        message: `builds ${describe(id)} over ${rowsInWords(rows)} while writes wait`,
      },
    ];
  }
  if (id.kind !== "constraint" || / NOT VALID$| USING INDEX /.test(afterName(statement.sql, id))) return [];
  const kind = text(desired.get(id), "type");
  if (kind === "u" || kind === "p" || kind === "x") {
    return [
      {
        code: "PS206",
        approval: `build-constraint:${nameIn(id)}`,
        stops: true,
        message: `builds the index of ${describe(id)} over ${rowsInWords(rows)} under a lock that blocks reads and writes`,
      },
    ];
  }
  return scan(table, rows, "writes wait");
}

/** So few rows leave a table while clients wait no longer than for other changes, on a busy machine too. */
const MOST_ROWS_TAKEN_OUT = 400_000;

function movedRows({ takesOut }: Statement, id: StableId): Hazard[] {
  if (takesOut === undefined) return [];
  return [
    {
      code: "PS232",
      approval: `move-rows:${nameIn(id)}`,
      stops: takesOut > MOST_ROWS_TAKEN_OUT,
      message: `takes up to ${rowsInWords(takesOut)} out of ${nameIn(id)} while everybody waits, for about ${Math.max(1, Math.round(takesOut / TAKEN_OUT_PER_SECOND))} s`,
    },
  ];
}

/** A materialized view that goes with what it reads, and comes back in the same transaction. */
function recreatedView({ op }: Statement, id: StableId, { live, sizes }: HazardContext): Hazard[] {
  if (op !== "create" || id.kind !== "materializedView" || !live.has(id)) return [];
  const rows = rowsBehind(id, sizes);
  if (rows === 0) return [];
  return [
    {
      code: "PS228",
      approval: `refresh-view:${nameIn(id)}`,
      stops: rows > MOST_ROWS_AT_ONCE,
      message: `drops ${describe(id)} with ${rowsInWords(rows)} and runs its query again, while its readers wait`,
    },
  ];
}

function scan(table: StableId, rows: number, who: string): Hazard[] {
  if (rows === 0) return [];
  const name = nameIn(table);
  const message = `scans ${name} with ${rowsInWords(rows)} while ${who}`;
  return [{ code: "PS205", approval: `scan-table:${name}`, stops: true, message }];
}

/** Whether the server writes a new copy of the table. The planner only says that it may. */
export function copiesTable(
  statement: Statement,
  id: StableId,
  { live, desired }: Pick<HazardContext, "live" | "desired">,
): boolean {
  if (statement.copies === true) return true;
  if (id.kind !== "column" || statement.op === "delete") return false;
  const change = afterName(statement.sql, id);
  if (statement.op === "update") {
    const [from, to] = [text(live.get(id), "type"), text(desired.get(id), "type")];
    return statement.rewrites && (from === to || typeChange(from, to) !== "free");
  }
  const column = desired.get(id);
  const { identity, generatedExpr } = column?.payload ?? {};
  const expression = text(desired.get({ ...id, kind: "default" }), "expr");
  const fillsEachRow = expression !== "" && / DEFAULT /.test(change) && isVolatileDefault(expression);
  return Boolean(identity) || (Boolean(generatedExpr) && !isVirtual(column)) || fillsEachRow;
}

function widerAccess(statement: Statement, id: StableId, { live, desired }: HazardContext): Hazard[] {
  if (
    id.kind === "table" &&
    statement.op === "update" &&
    live.get(id)?.payload.rowSecurity === true &&
    desired.get(id)?.payload.rowSecurity === false
  ) {
    return [
      {
        code: "PS208",
        approval: `disable-rls:${nameIn(id)}`,
        stops: false,
        message: `disables row-level security of ${nameIn(id)}: every row is visible to every role that may read the table`,
      },
    ];
  }
  if (
    id.kind === "policy" &&
    statement.op === "create" &&
    live.has(id) &&
    desired.get(id)?.payload.permissive === true
  ) {
    return [
      {
        code: "PS209",
        approval: `change-policy:${nameIn(id)}`,
        stops: false,
        message: `changes ${describe(id)}: it may let more rows through`,
      },
    ];
  }
  const granted = id.kind === "acl" ? id.target : id;
  if (/^GRANT .* TO PUBLIC( WITH GRANT OPTION)?$/s.test(statement.sql)) {
    return [
      {
        code: "PS210",
        approval: `grant-public:${nameIn(granted)}`,
        stops: false,
        message: `lets everyone use ${describe(granted)}`,
      },
    ];
  }
  return [];
}
