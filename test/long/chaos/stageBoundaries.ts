import type { StageBoundary } from "../../support/procedureCrash.ts";

/** The boundaries of a restore that takes the name of the target. */
export const RESTORE = {
  "before it has made anything": { sql: /^create database "\w+_restoring_/, side: "before" },
  "while it fills the new database": { program: "--dbname" },
  "before it counts the rows": { sql: /^begin read only/, side: "before" },
  "before the renames": { sql: /^alter database .* rename to .*_before_restore_/, side: "before" },
  "between the renames": { sql: /^alter database .* rename to .*_before_restore_/, side: "after" },
  "after the renames, before they are permanent": { sql: /^alter database .*_restoring_\w+" rename to/, side: "after" },
  "after they are permanent, before the state": {
    sql: /^commit/,
    side: "after",
    follows: /^alter database .*_restoring_\w+" rename to/,
  },
} satisfies Record<string, StageBoundary>;

/** The boundaries of a rollback of the registry. */
export const ROLLBACK = {
  "before the archive": { sql: /^LOCK TABLE platform\.databases/, side: "before" },
  "before the archive is permanent": { sql: /^DELETE FROM platform\.databases/, side: "after" },
  "between archive and destroy": {
    sql: /pg_advisory_lock_shared/,
    side: "before",
    follows: /^DELETE FROM platform\.databases/,
  },
  "in the destroy": { sql: /^DROP TABLE "platform"\."databases"/, side: "before" },
  "in the destroy, once it is permanent": {
    sql: /^commit/i,
    side: "after",
    follows: /^DROP TABLE "platform"\."databases"/,
  },
} satisfies Record<string, StageBoundary>;

/** The boundaries between the stages of an update of the small stack, in the order of the procedure. */
export const UPDATE = {
  "before the gate": { sql: /pg_advisory_lock_shared/, side: "before" },
  "after the gate": { sql: /pg_shdepend[\s\S]*pg_database_size/, side: "before" },
  "during the dump": { program: "pg_dump" },
  "after the dump, before its proof": { program: "--list" },
  "during the proof": { program: "--dbname" },
  "after the backup, before the first change": { sql: /^SET LOCAL transaction_read_only = on/, side: "before" },
  "before the first layer": { sql: /^ALTER TABLE "shop"\."items" ADD COLUMN/, side: "before" },
  "after the first layer": { sql: /^CREATE VIEW "shop"\."prices"/, side: "before" },
  "after the last change, before the verification": { sql: /'shop\.items' as name/, side: "before" },
  "during the verification": { sql: /'shop\.items' as name/, side: "after" },
} satisfies Record<string, StageBoundary>;

export const namesOf = <Name extends string>(boundaries: Readonly<Record<Name, StageBoundary>>): Name[] =>
  Object.keys(boundaries).filter((name): name is Name => name in boundaries);
