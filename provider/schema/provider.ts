/** The settings of the provider in the package schema. They are parsed in `resources/provider/inputs.ts`. */
import { type ResourceSpec, text, whole } from "./property.ts";

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
        "Longest wait for one lock, in milliseconds. A transaction that waits longer is rolled back and tried again, so that it never holds up the application's queries for long. Default 3000.",
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
  },
};
