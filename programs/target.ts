/**
 * How a program comes to its database: the arguments of the provider, from the settings that all parts
 * share. What a setting may be is left to `components/program/stackConfig.ts`.
 */
import { RunError } from "@pulumi/pulumi";
import type { TargetConfig } from "../components/program/stackConfig.ts";
import type { Layer } from "../components/resources/Layer.ts";
import type { ProviderArgs } from "../components/resources/Provider.ts";

/** What makes up the desired state of a part; a change of any of it has to be promoted anew. */
export const SOURCES = ["index.ts", "programs", "components", "sql"];

/** What a part has of its own. */
export interface PartOfTarget {
  /** Name of its database on the server of the checkout. */
  localName: string;
  baselineSchemas: string[];
  baselineQueries: string[];
}

export async function targetArgs(config: TargetConfig, part: PartOfTarget): Promise<ProviderArgs> {
  const { plain: settings, databaseUrl, shadow } = config;
  const { lockTimeoutMs, lockLimitMs, lockRetries } = settings;
  const { statementTimeoutMs, longStatementTimeoutMs, rowQuestionTimeoutMs } = settings;
  const local = databaseUrl === undefined ? await localDatabase(part.localName) : undefined;
  return {
    url: databaseUrl ?? local?.url ?? "",
    lockTimeoutMs,
    lockLimitMs,
    lockRetries,
    statementTimeoutMs,
    longStatementTimeoutMs,
    rowQuestionTimeoutMs,
    keepDroppedDays: settings.keepDropped,
    shadow,
    requireGate: settings.requireGate,
    backup: settings.backup ?? local?.backup ?? "dump",
    backupFolder: settings.backupFolder ?? local?.backupFolder,
    backupKeep: settings.backupKeep,
    backupProof: settings.backupProof,
    backupSizeLimitMb: settings.backupSizeLimitMb,
    backupTimeoutMs: settings.backupTimeoutMs,
    backupCommand: settings.backupCommand,
    backupMaxAgeHours: settings.backupMaxAgeHours,
    baselineSchemas: part.baselineSchemas,
    baselineQueries: part.baselineQueries,
  };
}

/** What stands of a layer. A destroy that runs the program has none of one that is gone. */
export function figures({ digest, objects }: Layer) {
  return { digest, objects: objects.apply((names: string[] | undefined) => names?.length) };
}

/** The database of this checkout; loaded only where a stack runs on it. */
async function localDatabase(name: string) {
  // Where Pulumi starts a program, be it from its files or from the bundle of them.
  const root = process.cwd();
  const { localBackup, localDatabaseUrl } = await import("../tools/lib/localDatabase.ts");
  const { shownError, UserError } = await import("../provider/core/errors.ts");
  try {
    return { url: await localDatabaseUrl(root, name), ...localBackup(root) };
  } catch (error) {
    // A mistake of the user is shown without a stack trace.
    if (error instanceof UserError) throw new RunError(shownError(error));
    throw error;
  }
}
