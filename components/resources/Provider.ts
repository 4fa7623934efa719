/**
 * The connection to one database as programs see it, with its time limits. The provider checks the values;
 * it receives numbers as JSON text.
 */
import * as pulumi from "@pulumi/pulumi";

export interface ProviderArgs {
  /**
   * Connection URL of the database that the layers and rows live in:
   * `postgresql://user:password@host:port/database`. Always a secret: it is encrypted in the state and never
   * printed. It may be unknown in a preview; the plan is then made without looking at the database. Pointing
   * it at another database replaces nothing: the next preview shows what that database lacks.
   */
  url: pulumi.Input<string>;

  /**
   * Longest wait for one lock in the database, in milliseconds, 1 or more. After it the transaction is
   * rolled back and tried again, so that the update never queues up behind a long transaction and blocks
   * all other sessions.
   * @default 3000
   */
  lockTimeoutMs?: pulumi.Input<number> | undefined;

  /**
   * How long a transaction that meets locks of other sessions is run again, with pauses, in milliseconds
   * from the first failure. Then the update fails and names the blocking sessions. 0 for never.
   * @default 120000
   */
  lockLimitMs?: pulumi.Input<number> | undefined;

  /**
   * How often at most a transaction is run again within `lockLimitMs`. 0 for never.
   * @default 200
   */
  lockRetries?: pulumi.Input<number> | undefined;

  /**
   * Longest run of one statement that changes only the catalog, or one row, in milliseconds, waiting for
   * locks not counted; 0 for no limit. Such a statement holds a lock that blocks the users of its table.
   * @default 5000
   */
  statementTimeoutMs?: pulumi.Input<number> | undefined;

  /**
   * Longest run of one statement that reads, checks, copies or indexes rows, in milliseconds; 0 for no
   * limit. It runs under a weak lock, on an empty table, or with an approval in `allow`.
   * @default 0
   */
  longStatementTimeoutMs?: pulumi.Input<number> | undefined;

  /**
   * Longest run of one question that a plan puts to the rows, such as whether one lacks a value where NOT
   * NULL comes, in milliseconds; all questions of a plan together take at most five times as long. One
   * that is not finished by then is reported with the query to run. 0 to ask none.
   * @default 2000
   */
  rowQuestionTimeoutMs?: pulumi.Input<number> | undefined;

  /**
   * Where the SQL of a layer is tried out before anything is planned. `embedded`: a Postgres of the same
   * major version, started on this machine; `colocated`: a scratch database on the target's server, made and
   * dropped by the provider; `auto`: embedded where its version fits, else colocated. Anything else is the
   * URL of a server on which scratch databases may be made.
   * @default "auto"
   */
  shadow?: pulumi.Input<string> | undefined;

  /**
   * Whether nothing is changed unless a `Gate` of the same run says GO; a destroy needs none.
   * @default false
   */
  requireGate?: pulumi.Input<boolean> | undefined;

  /**
   * The backup before the first change of a run, a destroy included: `dump` by pg_dump; `copy`, a copy of
   * the database on its server, where no session is on it; `external`, the proof of a backup by others;
   * `off`.
   * @default "off"
   */
  backup?: pulumi.Input<"dump" | "copy" | "external" | "off"> | undefined;

  /**
   * Where dumps lie, from the project directory; made with mode 0700.
   * @default a folder of the user, outside of the project
   */
  backupFolder?: pulumi.Input<string> | undefined;

  /**
   * How many backups of a stack are kept, 1 or more.
   * @default 10
   */
  backupKeep?: pulumi.Input<number> | undefined;

  /**
   * How a dump is proven: by a restore into a scratch database with equal row counts, or by its list.
   * `auto`: a restore while the dump is below 500 MB.
   * @default "auto"
   */
  backupProof?: pulumi.Input<"auto" | "restore" | "list"> | undefined;

  /**
   * The largest database that `dump` takes, in MB.
   * @default 5120
   */
  backupSizeLimitMb?: pulumi.Input<number> | undefined;

  /**
   * Longest run of a dump and of its proof, in milliseconds; 0 for no limit.
   * @default 3600000
   */
  backupTimeoutMs?: pulumi.Input<number> | undefined;

  /** For `external`: a command that prints when the last backup by others was made, as ISO 8601. */
  backupCommand?: pulumi.Input<string> | undefined;

  /**
   * For `external`: the oldest backup that counts, in hours.
   * @default 24
   */
  backupMaxAgeHours?: pulumi.Input<number> | undefined;

  /**
   * For how many days tables and columns that are dropped with rows stay in the database under another
   * name, so that going back gives the rows back; 0 to drop at once.
   * @default 0
   */
  keepDroppedDays?: pulumi.Input<number> | undefined;

  /**
   * Schemas whose tables are counted before the first change of an update, for a `Verification` of the same
   * run to compare with. A run that changes nothing counts nothing.
   * @default []
   */
  baselineSchemas?: pulumi.Input<string[]> | undefined;

  /**
   * Files, or folders of `.sql` files, with queries whose times are taken before the first change of an
   * update, from the project directory; each query stands below a line `-- query: <name>`; of
   * several statements the last one is timed, and those before it prepare it.
   * @default []
   * @example baselineQueries: ["sql/checks/timings"]
   */
  baselineQueries?: pulumi.Input<string[]> | undefined;
}

/**
 * The connection to one database. Resources take it through their options; a component hands it on to its
 * children.
 *
 * ```ts
 * const target = new Provider("target", { url: config.requireSecret("databaseUrl") });
 * new PlatformSchema("platform", { roles: [] }, { providers: [target] });
 * ```
 */
export class Provider extends pulumi.ProviderResource {
  /** The connection URL; secret. */
  declare readonly url: pulumi.Output<string>;

  constructor(name: string, args: ProviderArgs, opts: pulumi.ResourceOptions = {}) {
    super(
      "pgstrata",
      name,
      {
        url: pulumi.secret(args.url),
        // The protocol carries provider configuration as strings: anything else travels as JSON.
        lockTimeoutMs: asJson(args.lockTimeoutMs),
        lockLimitMs: asJson(args.lockLimitMs),
        lockRetries: asJson(args.lockRetries),
        statementTimeoutMs: asJson(args.statementTimeoutMs),
        longStatementTimeoutMs: asJson(args.longStatementTimeoutMs),
        rowQuestionTimeoutMs: asJson(args.rowQuestionTimeoutMs),
        shadow: args.shadow,
        requireGate: asJson(args.requireGate),
        backup: args.backup,
        backupFolder: args.backupFolder,
        backupKeep: asJson(args.backupKeep),
        backupProof: args.backupProof,
        backupSizeLimitMb: asJson(args.backupSizeLimitMb),
        backupTimeoutMs: asJson(args.backupTimeoutMs),
        backupCommand: args.backupCommand,
        backupMaxAgeHours: asJson(args.backupMaxAgeHours),
        keepDroppedDays: asJson(args.keepDroppedDays),
        baselineSchemas: asJson(args.baselineSchemas),
        baselineQueries: asJson(args.baselineQueries),
      },
      pulumi.mergeOptions(opts, { additionalSecretOutputs: ["url"] }),
    );
  }
}

function asJson(value: pulumi.Input<number | boolean | string[]> | undefined): pulumi.Output<string> | undefined {
  return value === undefined ? undefined : pulumi.output(value).apply((known) => JSON.stringify(known));
}
