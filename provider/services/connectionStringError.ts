/** A connection string that cannot be read. */

/** The message may be shown. */
export class ConnectionStringError extends Error {
  override name = "ConnectionStringError";
}
