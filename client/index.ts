/** What an application that reads and writes the platform's tables by `pg` imports. */

export type * from "./types.ts";
export type { DatabasesInsert as DatabaseInsert, DatabasesRow as DatabaseRow } from "./types.ts";
