import type { Outcome } from "./command.ts";
import type { Step, Workload } from "./workload.ts";

/** A program that brings a database to a schema. */
export interface Tool {
  name: string;
  /**
   * What its user writes: a script that is run as it is, migrations that are run once each, or the schema as
   * it shall be, from which the tool derives the statements.
   */
  takes: "script" | "migrations" | "desired state";
  /** Major version of Postgres that it is given, where it cannot work with the newest. */
  majorVersion?: number;
  /**
   * Installs it where it is missing.
   * @returns its version and those of the parts that matter.
   * @throws NotToBeHad
   */
  prepare(): Promise<string>;
  /** Makes it ready for one database. Not measured; what it puts there does not count as the tool's work. */
  open(target: Target, workload: Workload): Promise<Session>;
}

/** The database of one measurement. It is empty. */
export interface Target {
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
  /** An empty database beside it for tools that need one to work in. */
  scratch: string;
  /** Connection URL of a database of the server, without TLS. */
  url(database: string): string;
  /** An empty directory for the tool's files. */
  directory: string;
}

/** A tool at work on one database. */
export interface Session {
  /** Writes the tool's files so that they describe the workload's schema after these steps. */
  describe(steps: readonly Step[]): Promise<void>;
  /** Brings the database to what the files say: one command, as its user would type it. */
  apply(): Promise<Outcome>;
  /** What its user types to learn that nothing is left to do. Absent: `apply` again. */
  check?(): Promise<Outcome>;
  /**
   * Takes the last step back, by the tool's own command. Absent for a tool of desired state: describe and
   * apply the older one.
   */
  undo?(): Promise<Outcome>;
  close?(): Promise<void>;
}

/** A tool, or a part of it, that the package registries did not give. The message is shown in the table. */
export class NotToBeHad extends Error {
  override readonly name = "NotToBeHad";
}
