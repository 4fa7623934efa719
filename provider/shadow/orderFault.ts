/**
 * What is said where no order of a layer's statements succeeds: what is missing, with place and nearest name,
 * or which objects need one another.
 */
import type { PoolClient } from "pg";
import type { Step } from "./fileSettings.ts";
import { NearestNames } from "./missingNames.ts";
import { type Failure, type Ordered, sqlOf } from "./orderedLoad.ts";
import { type Place, placeAt, placeOf, SqlFileError, serverSays } from "./sqlFile.ts";

const SHOWN = 5;

/** What stands in the way; undefined if nothing does. */
export async function orderFault(
  client: PoolClient,
  { failures, crossing }: Ordered,
): Promise<SqlFileError | undefined> {
  if (crossing !== undefined) {
    const { about, needed, by } = crossing;
    return new SqlFileError(
      "PS123",
      about.file.path,
      `found a statement about all objects between ${lineOf(by)} and what that needs, ${lineOf(needed)}: for which objects it holds depends on the order. ` +
        "Expected it before the first or behind the second one: move it, or name the objects.",
      { place: placeAt(about.file.sql, about.start) },
    );
  }
  const roots = failures.filter(({ needs }) => needs.length === 0);
  const [first, ...others] = roots;
  if (first === undefined) return failures[0] === undefined ? undefined : cycleFault(failures[0]);
  const nearest = new NearestNames(client, new Set(roots.flatMap(({ names }) => [...names.names])));
  const fault = await faultOf(first, nearest);
  const more: string[] = [];
  for (const other of others.slice(0, SHOWN - 1))
    more.push(`${lineOf(other.step, placeIn(other))}: ${(await faultOf(other, nearest)).split("\n")[0]}`);
  if (others.length >= SHOWN) more.push(`and ${others.length - SHOWN + 1} more`);
  const { step, error } = first;
  return new SqlFileError("PS103", step.file.path, [fault, ...more].join("\n"), {
    place: placeIn(first),
    sqlstate: error.code,
    cause: error,
  });
}

async function faultOf({ error, names }: Failure, nearest: NearestNames): Promise<string> {
  const name = await nearest.to(error.message, names.names);
  return name === undefined ? serverSays(error) : `${error.message}. Did you mean ${name}?`;
}

/** Two tables with a foreign key to each other, say. */
function cycleFault(start: Failure): SqlFileError {
  const path: Failure[] = [];
  for (let at: Failure | undefined = start; at !== undefined && !path.includes(at); at = at.needs[0]) path.push(at);
  const back = path.at(-1)?.needs[0] ?? start;
  const circle = path.slice(path.indexOf(back));
  const [first = start, ...rest] = circle;
  const lines = [...rest, first].map(({ names, step }) => `${names.qualified ?? "a statement"} (${lineOf(step)})`);
  const advice = circle.every(({ step }) => /^create\s+(or\s+replace\s+)?(function|procedure)/i.test(sqlOf(step)))
    ? "Functions in SQL are read when they are made: write one of them in PL/pgSQL, or put `SET check_function_bodies = off;` above them."
    : "Take out of one what needs the other, such as its foreign key, and add it behind both: `ALTER TABLE … ADD CONSTRAINT … FOREIGN KEY …`.";
  return new SqlFileError(
    "PS122",
    first.step.file.path,
    `found ${first.names.qualified ?? "a statement"}, which needs ${lines.join(", which needs ")}: no order makes all of them. ${advice}`,
    { place: placeIn(first) },
  );
}

function placeIn({ step: { file, start }, error: { position } }: Failure): Place {
  return position === undefined ? placeAt(file.sql, start) : placeOf(file.sql, Number(position), start);
}

function lineOf({ file, start }: Step, place = placeAt(file.sql, start)): string {
  return `${file.path}:${place.line}:${place.column}`;
}
