import type { KillPoint } from "../../support/kills.ts";

/** A run of consecutive statements that change nothing: the catalog is read, or the session is set up. */
type Stretch = "reading" | "settings";

/**
 * The moments at which a kill can make a difference: before each statement that changes something, after each
 * that is then permanent, and one within each stretch of statements that change nothing, in turns for several
 * victims.
 *
 * @param turn which of the stretches: the first, second … of each `turns`, and where in it.
 */
export function killPoints(statements: readonly string[], turn: number, turns: number): KillPoint[] {
  const points: KillPoint[] = [];
  let stretches = 0;
  let stretch: { kind: Stretch; first: number } | undefined;
  let isReading = false;
  let inTransaction = false;
  const close = (last: number): void => {
    if (stretch === undefined) return;
    const within = turns === 1 ? 0 : turn / (turns - 1);
    if (stretches++ % turns === turn)
      points.push({ number: stretch.first + Math.round((last - stretch.first) * within), side: "before" });
    stretch = undefined;
  };
  for (const [n, text] of statements.entries()) {
    const sql = text.trim();
    const number = n + 1;
    if (/^begin isolation level/i.test(sql)) isReading = true;
    const kind = isReading ? "reading" : stretchOf(sql);
    if (kind !== stretch?.kind) close(n);
    if (kind !== undefined) stretch ??= { kind, first: number };
    else {
      points.push({ number, side: "before" });
      if (/^begin\b/i.test(sql)) inTransaction = true;
      if (/^commit\b/i.test(sql)) inTransaction = false;
      if (!inTransaction) points.push({ number, side: "after" });
    }
    if (/^commit\b/i.test(sql)) isReading = false;
  }
  close(statements.length);
  return points;
}

function stretchOf(sql: string): Stretch | undefined {
  if (/^reset |^set local lock_timeout = \d+$|^select pg_catalog\.set_config/i.test(sql)) return "settings";
  return /^(select|with quiet|set local row_security)\b/i.test(sql) ? "reading" : undefined;
}
