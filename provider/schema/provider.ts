/** The settings of the provider in the package schema. They are parsed in `resources/provider/inputs.ts`. */
import { flag, type ResourceSpec, text, texts, whole } from "./property.ts";

export const provider: ResourceSpec = {
  description:
    "A target database and how pgstrata works on it. A change of any property updates the provider and replaces nothing, even when the URL leads to another database: every resource then compares itself with what it finds there.",
  properties: {
    url: {
      type: text,
      required: true,
      secret: true,
      description:
        "Connection URL of the target database, `postgresql://user:password@host:5432/database?sslmode=require`. PostgreSQL 15 or newer. `sslmode` means what it means to libpq: `prefer` without one, and `require` encrypts without checking the certificate.",
    },
    lockTimeoutMs: {
      type: whole,
      default: 3000,
      description:
        "Longest wait for one lock, in milliseconds, and 700 at most in the first half of the tries of a layer. A transaction that waits longer is rolled back and tried again, so that it never holds up the application's queries for long. Default 3000.",
    },
    lockLimitMs: {
      type: whole,
      default: 120_000,
      description:
        "How long a transaction that meets locks of other sessions is run again, with pauses, in milliseconds from the first failure. Then the update fails and names the blocking sessions. Default 120000.",
    },
    lockRetries: {
      type: whole,
      default: 200,
      description: "How often at most a transaction is run again within `lockLimitMs`. Default 200.",
    },
    statementTimeoutMs: {
      type: whole,
      default: 5000,
      description:
        "Longest run of one statement that changes only the catalog, or one row, in milliseconds, waiting for locks not counted; 0 for no limit. Such a statement holds a lock that blocks the users of its table. Default 5000.",
    },
    longStatementTimeoutMs: {
      type: whole,
      default: 0,
      description:
        "Longest run of one statement that reads, checks, copies or indexes rows, in milliseconds; 0 for no limit. It runs under a weak lock, on an empty table, or with an approval in `allow`. Default 0.",
    },
    rowQuestionTimeoutMs: {
      type: whole,
      default: 2000,
      description:
        "Longest run of one question that a plan puts to the rows, such as whether one lacks a value where NOT NULL comes, in milliseconds; all questions of a plan together take at most five times as long. One that is not finished by then is reported with the query to run. 0 to ask none. Default 2000.",
    },
    shadow: {
      type: text,
      secret: true,
      default: "auto",
      description:
        "Where the SQL of layers is executed to learn what it means: `embedded` (a local throw-away PostgreSQL of the target's major version), `colocated` (a scratch database on the target's server; needs CREATEDB), `auto` (embedded where possible, else colocated), or the URL of a server on which scratch databases may be made. Default `auto`.",
    },
    requireGate: {
      type: flag,
      default: false,
      description:
        "Whether nothing is changed unless a `Gate` of the same run says GO. A destroy needs none: a rollback must not wait for a maintenance window. Default false.",
    },
    backup: {
      type: text,
      default: "off",
      description:
        "The backup before the first change of a run, a destroy included: `dump` (pg_dump), `copy` (a copy of the database on its server, where no session is on it), `external` (proof of a backup by others, see `backupCommand`), `off`. A run that changes nothing makes none. Default `off`.",
    },
    backupFolder: {
      type: text,
      description:
        "Where dumps lie; made with mode 0700. A relative path starts at the project. Default: a folder of the user outside of the project.",
    },
    backupKeep: {
      type: whole,
      default: 10,
      description:
        "How many backups of a stack are kept; older ones are deleted after a new one is proven, the newest never. Default 10.",
    },
    backupProof: {
      type: text,
      default: "auto",
      description:
        "How a dump is proven: `restore` into a scratch database with equal row counts, `list` (its table of contents is complete), or `auto`: a restore while the dump is below 500 MB. Default `auto`.",
    },
    backupSizeLimitMb: {
      type: whole,
      default: 5120,
      description: "The largest database that `dump` takes, in MB; a larger one needs another mode. Default 5120.",
    },
    backupTimeoutMs: {
      type: whole,
      default: 3_600_000,
      description: "Longest run of a dump and of its proof, in milliseconds; 0 for no limit. Default 3600000.",
    },
    backupCommand: {
      type: text,
      description:
        "For `external`: a command that prints when the last backup by others was made, as ISO 8601, such as one that asks a cloud for its last snapshot. Run by the shell, from the project.",
    },
    backupMaxAgeHours: {
      type: whole,
      default: 24,
      description: "For `external`: the oldest backup that counts, in hours; an older one stops the run. Default 24.",
    },
    keepDroppedDays: {
      type: whole,
      default: 0,
      description:
        "For how many days tables and columns that a plan drops with rows, under an approval, are kept in the database under another name, so that going back gives the rows back; 0 to drop at once. Default 0.",
    },
    baselineSchemas: {
      type: texts,
      description:
        "Schemas whose tables are counted before the first change of an update, so that a `Verification` of the same run can compare: rows, and a checksum of tables up to 64 MB. Default none.",
    },
    baselineQueries: {
      type: texts,
      description:
        "Files, or folders of `.sql` files, with queries whose times are taken before the first change of an update, for a `Verification` of the same run; each below a line `-- query: <name>`; of several statements the last one is timed, and those before it prepare it. A relative path starts at the project. Default none.",
    },
  },
};
