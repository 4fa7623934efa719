/**
 * What is written down of a backup, beside it and in the outputs of `Backup`. Without this file, a dump does
 * not count as one. Where the files lie is left to `backupFiles.ts`.
 */
import { z } from "zod";

const rows = z.record(z.string(), z.object({ count: z.number(), checksum: z.string().optional() }));

/** How a backup was proven to be usable. */
const proof = z.object({
  /** `none`: of a backup by others. */
  kind: z.enum(["restore", "list", "copy", "none"]),
  /** Where it was restored to, such as `embedded PostgreSQL 18.4`. */
  where: z.string().optional(),
  elapsedMs: z.number(),
});

const identity = z.object({
  /** The server's system identifier, which a physical copy of it shares. */
  server: z.string(),
  name: z.string(),
});

const common = {
  format: z.literal(1),
  name: z.string(),
  project: z.string(),
  stack: z.string(),
  /** `user@host:port/database`. */
  database: z.string(),
  /** None of an older backup, and of a server that does not tell. */
  identity: identity.optional(),
  /** ISO 8601, UTC: what it holds is of this moment. */
  takenAt: z.string(),
  planDigest: z.string().optional(),
  serverVersion: z.string(),
  proof,
  /** Milliseconds of the whole backup, its proof included. */
  elapsedMs: z.number(),
  warnings: z.array(z.string()),
};

const held = {
  ...common,
  /** Roles that own something in the database, or are granted something. */
  roles: z.array(z.string()),
  rows,
  sizeBytes: z.number(),
  /** The stack's state, in the same folder; secrets as Pulumi encrypts them. */
  state: z.string().optional(),
};

const dump = z.object({
  ...held,
  mode: z.literal("dump"),
  /** In the same folder. */
  file: z.string(),
  sha256: z.string(),
  /** What wrote it, such as `pg_dump 18.6`. */
  tool: z.string(),
});

const copy = z.object({
  ...held,
  mode: z.literal("copy"),
  /** The database on the same server that is the copy. */
  copy: z.string(),
});

const external = z.object({ ...common, mode: z.literal("external") });

/** A backup whose file or copy is kept. */
export const storedBackup = z.discriminatedUnion("mode", [dump, copy]);

export type DumpRecord = z.infer<typeof dump>;
export type CopyRecord = z.infer<typeof copy>;
export type StoredRecord = z.infer<typeof storedBackup>;
export type ExternalRecord = z.infer<typeof external>;
export type BackupRecord = StoredRecord | ExternalRecord;
export type DatabaseIdentity = z.infer<typeof identity>;
export type Proof = z.infer<typeof proof>;

/** A backup with the folder that its files lie in. */
export interface Stored<Record extends StoredRecord = StoredRecord> {
  folder: string;
  record: Record;
}

/** What a run knows of the backup before its first change. */
export interface BackupReport {
  mode: BackupRecord["mode"] | "off";
  /** Undefined where there is none. */
  record?: BackupRecord | undefined;
  /** Undefined where nothing of it is kept here. */
  folder?: string | undefined;
}
