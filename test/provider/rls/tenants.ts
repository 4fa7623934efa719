// Statements as a tenant's request sends them: in its role, with its context, all of it undone.

import type { StudioDatabase } from "../../support/studio.ts";
import { TENANTS, USERS, type User } from "../../support/tenants.ts";

export type Rows = Record<string, unknown>[];

export interface Request {
  /** Default: one without a user. */
  user?: User | undefined;
  /** The active organization. */
  organization?: "a" | "b" | undefined;
  /** Default `studio_app`. */
  role?: string;
}

export type Ask = (request: Request, ...sql: string[]) => Promise<Rows>;

/** Gives the rows of the last statement. */
export function requests(studio: StudioDatabase): Ask {
  return async ({ user, organization, role = "studio_app" }, ...sql) => {
    const client = await studio.pool.connect();
    try {
      await client.query("begin");
      if (user !== undefined)
        await client.query("select set_config('app.context', platform_access.signed_context($1, $2), true)", [
          USERS[user],
          organization === undefined ? null : TENANTS[organization].organization,
        ]);
      await client.query(`set local role ${role}`);
      let rows: Rows = [];
      for (const statement of sql) ({ rows } = await client.query<Record<string, unknown>>(statement));
      return rows;
    } finally {
      await client.query("rollback");
      client.release();
    }
  };
}
