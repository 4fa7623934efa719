/** When to warn that the server writes bind parameters, and so secrets, into its own log. */
import type { CallContext } from "../../core/resourceType.ts";
import type { Database } from "../../database/target.ts";

const warned = new WeakSet<Database>();

/**
 * Warns once where the server writes bind parameters, and so secrets, into its own log and the role cannot
 * prevent it.
 */
export async function warnOfServerLog(database: Database, context: CallContext): Promise<void> {
  const { logsParameters } = await database.facts();
  if (!logsParameters || warned.has(database)) return;
  warned.add(database);
  context.report.warn(
    "the server writes bind parameters into its own log, and secrets of rows with them. Set log_parameter_max_length = 0 there, or let a " +
      "superuser run: GRANT SET ON PARAMETER log_parameter_max_length, log_error_verbosity TO the connecting role",
  );
}
