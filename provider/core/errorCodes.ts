/**
 * The codes of errors that the provider and the tools report, with titles. A code names a reason for which
 * the user does one kind of thing, and has a page, `docs/errors/PS###.md`. The program's own, PS611 to PS629,
 * are in `components/program/errorCodes.ts`.
 */
import { withPages } from "../../project.ts";

/** By the hundreds of a code. */
const AREAS = {
  1: "SQL files and what is in them",
  2: "Hazards and approvals",
  3: "What the server refuses while an update runs",
  4: "Rows",
  5: "The connection and the server",
  6: "Inputs, settings and the state",
  7: "Commands, set-up and the local database",
  8: "Gate, backup, verification, rollback",
  9: "Defects in pgstrata",
} as const;

/** A number that was published once keeps its meaning; one that is given up is not used again. */
export const ERROR_CODES = {
  PS101: "A function with its owner's rights does not pin search_path",
  PS102: "Everyone may call a function that has its owner's rights",
  PS103: "The server refuses the SQL of a file",
  PS104: "A file names what neither the layer nor its base declares",
  PS105: "A file names a role that is not listed or does not exist",
  PS106: "A file holds a statement that defines nothing in one database",
  PS107: "A file creates what no layer can hold",
  PS108: "A path leads to no SQL file",
  PS109: "A declared rename cannot be made",
  PS110: "An object has two owners",
  PS111: "The server cannot read a definition that it printed",
  PS112: "A list of column aliases does not match the order of the columns",
  PS113: "A conversion of values is missing or does not work",
  PS114: "A file holds what may be a secret",
  PS121: "A file holds a command of psql",
  PS122: "Objects need one another",
  PS123: "What a statement about all objects means depends on the order",

  PS201: "Drops a table with rows",
  PS202: "Drops a column with rows",
  PS203: "Converts values to a type that may not fit all of them",
  PS204: "Copies a table under a lock that blocks reads and writes",
  PS205: "Scans a table while other sessions wait",
  PS206: "Builds the index of a constraint under a lock that blocks reads and writes",
  PS207: "Builds an index while writes wait",
  PS208: "Disables row-level security",
  PS209: "Changes a permissive policy",
  PS210: "Lets everyone use an object",
  PS211: "A drop beside a new object may be a rename",
  PS212: "An approval names nothing that exists",
  PS213: "Another object has the name already",
  PS214: "Other objects depend on what is to be removed",
  PS215: "An object that is to be removed holds rows",
  PS216: "Values in rows change without an error",
  PS217: "Rows could not be checked before the update",
  PS218: "A layer drops what another layer creates again",
  PS221: "An index holds old results of a function or of text search",
  PS222: "A stored column holds old results of a function or of text search",
  PS223: "Rows were checked with an old version of a function or of text search",
  PS224: "Rows may belong to another partition after a function or text search has changed",
  PS225: "An exclusion constraint holds old results of a function or of text search",
  PS226: "Statistics hold old results of a function or of text search",
  PS227: "A materialized view shows old results of a function or of text search",
  PS228: "Recreates a materialized view with rows",
  PS231: "Moves rows of a default partition to a new one",
  PS232: "Takes rows out of a table while everybody waits",

  PS301: "The server refuses a statement of the plan",
  PS302: "Other sessions hold locks that are needed",
  PS303: "Another update of the database is running",
  PS304: "The connecting role lacks privileges",
  PS305: "The server's lock table has too little room",
  PS306: "A statement was cancelled or took too long",
  PS307: "A change cannot be made in one update",
  PS308: "What a layer depends on is missing in the database",
  PS309: "The database is not in the desired state after an update",
  PS310: "Rows of the database do not fit what a layer demands",

  PS401: "A table or column of a row is not in the database",
  PS402: "A key finds more than one row",
  PS403: "A trigger or a policy changes or prevents a write",
  PS404: "A foreign key does not allow a change of a row",
  PS405: "A constraint rejects a value of a row",
  PS406: "A value does not fit the type of its column",
  PS411: "A set of rows cannot be read as one",
  PS412: "No unique constraint stands on the key of a set of rows",
  PS413: "An exclusive set has no rows",

  PS501: "The server cannot be reached",
  PS502: "The server refuses the login",
  PS503: "The server accepts no connection at the moment",
  PS504: "The connection was lost",
  PS505: "The server cannot be used as it is",
  PS506: "No shadow is available",
  PS511: "A connection pooler keeps no session",

  PS601: "An input is not as expected",
  PS602: "The database URL is missing or not usable",
  PS603: "A state or message is of another version",
  PS604: "The run was cancelled",

  PS701: "Something that a command needs is missing",
  PS702: "A port is in use",
  PS703: "Files cannot be written",
  PS704: "The embedded Postgres does not start",
  PS705: "A data directory is in use, or belongs to another Postgres",
  PS706: "An option or an environment variable is invalid",
  PS707: "A command that this one runs failed",
  PS708: "The passphrase of a stack is missing",
  PS709: "The set-up cannot build from source",
  PS710: "The folder to pull into holds files",
  PS711: "There is nothing to pull",
  PS712: "What was pulled cannot be declared",

  PS801: "The gate says NO-GO: an update lacks what it needs",
  PS802: "The gate says NO-GO: an update must not begin now",
  PS803: "A run that needs a gate has none",
  PS811: "No pg_dump is found that fits the server",
  PS812: "A backup failed",
  PS813: "A backup does not prove to be usable",
  PS814: "A database is too large for a dump",
  PS815: "A backup by others is too old, or its time is not known",
  PS816: "A database cannot be copied on its server",
  PS817: "A backup to restore is missing, incomplete or changed",
  PS818: "A backup cannot be restored",
  PS821: "A file of checks cannot be read",
  PS822: "The verification after an update has failed",
  PS831: "What is dropped cannot be kept",
  PS832: "The name of something kept has been taken again",
  PS833: "Something kept cannot come back",
  PS834: "Something kept cannot be dropped on its date",
  PS836: "Registrations cannot be archived or put back",
  PS837: "There is no update to go back to",
  PS838: "What a rollback would lose is not approved",
  PS839: "A rollback did not end as expected",
  PS841: "An update was not confirmed",
  PS842: "A plan is not the one that was approved",
  PS843: "A stack has not verified what is to be promoted",

  PS900: "A defect in pgstrata",
  PS901: "No order of the statements was found",
  PS902: "A plan fails its rehearsal",
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** The heading that a code stands under. */
export function areaOf(code: string): string | undefined {
  return Object.entries(AREAS).find(([hundreds]) => code.startsWith(`PS${hundreds}`))?.[1];
}

/** A message with the page of each of its codes. */
export const withReferences = (message: string, codes: Iterable<ErrorCode>): string => withPages(message, codes);
