/** What an application that reads and writes the platform's tables by `pg` imports. */

export type * from "./types.ts";
export type { DatabasesInsert as DatabaseInsert, DatabasesRow as DatabaseRow } from "./types.ts";
export {
  type ContextClient,
  ContextError,
  type ContextOptions,
  type NamedQuery,
  type RequestContext,
  type Work,
  withContext,
  withSignIn,
} from "./withContext.ts";
