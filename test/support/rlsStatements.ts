// What statements of a subject come to, for its own tenant and for the other one: views, functions, single
// columns, and what the errors of constraints tell. Guards and foreign keys are on here.

import type pg from "pg";
import { readMatrix } from "../../tools/lib/rlsMatrix.ts";
import { type Change, roleOf, type Subject, undone } from "./rlsMatrix.ts";
import type { StudioDatabase } from "./studio.ts";
import { TENANTS, USERS } from "./tenants.ts";

/** The reviewable table: a statement with what it comes to for each subject. */
export const statements = readMatrix().statements.map(({ about = "", statement = "", ...cells }) => ({
  about,
  statement,
  cells,
}));

/** A word of statements, and what stands for it. */
interface Place {
  name: string;
  value: string;
}

/** What a statement names, by tenant. */
export async function placesOf({ query }: Pick<StudioDatabase, "query">): Promise<Record<"a" | "b", Place[]>> {
  const rows = await query<{ id: string; project: string }>("select id, project_id as project from platform.databases");
  const of = (name: "a" | "b"): Place[] => {
    const { organization, project } = TENANTS[name];
    const database = rows.find((row) => row.project === project)?.id ?? "";
    return Object.entries({ organization, project, database, name }).map(([name, value]) => ({ name, value }));
  };
  return { a: of("a"), b: of("b") };
}

/**
 * By what a statement is about: `yes` (there are rows), `none`, `refused`, `taken` (a unique constraint), or
 * `unknown` (a foreign key); where the tenants differ, the own one's before a slash and the other one's
 * after it.
 */
export async function outcomes(
  client: pg.PoolClient,
  subject: Subject,
  places: Awaited<ReturnType<typeof placesOf>>,
  change?: Change,
): Promise<Record<string, string>> {
  const users = { a: USERS[subject.user ?? "owner"], b: USERS.owner_of_b };
  const asked = (["a", "b"] as const).map((tenant) =>
    statements.map(({ statement }) =>
      [
        ...places[tenant],
        { name: "user", value: users[tenant] },
        { name: "outsider", value: USERS.outsider },
        { name: "nobody", value: USERS.outsider.replace("-aa", "-ee") },
      ].reduce((sql, { name, value }) => sql.replaceAll(`:${name}`, value), statement),
    ),
  );
  const found = await undone(client, subject, change?.sql, async () => {
    await client.query(`set local role ${roleOf(subject)}`);
    const { rows } = await client.query<{ own: string; other: string }>(
      "select pg_temp.outcome(a) as own, pg_temp.outcome(b) as other from unnest($1::text[], $2::text[]) with ordinality as s (a, b, n) order by n",
      asked,
    );
    return rows;
  });
  const cell = ({ own, other }: { own: string; other: string }): string => (own === other ? own : `${own}/${other}`);
  return Object.fromEntries(statements.map(({ about }, n) => [about, cell(found[n] ?? { own: "?", other: "?" })]));
}

/** What the file says of a subject, in the form of `outcomes`. */
export const expectedOutcomes = ({ column }: Subject): Record<string, string> =>
  Object.fromEntries(statements.map(({ about, cells }) => [about, cells[column] ?? "?"]));

/** A function of the session that tries a statement and undoes it. */
export const OUTCOME = `
  create function pg_temp.outcome(statement text) returns text language plpgsql as $$
  declare n bigint;
  begin
    execute statement;
    get diagnostics n = row_count;
    raise exception using errcode = 'PSUND';
  exception
    when insufficient_privilege or restrict_violation then return 'refused';
    when unique_violation then return 'taken';
    when foreign_key_violation then return 'unknown';
    when sqlstate 'PSUND' then return case when n > 0 then 'yes' else 'none' end;
    when others then return sqlstate;
  end $$;
  grant execute on function pg_temp.outcome(text) to public`;
