/**
 * The archive of registrations: what a rollback of the registry keeps of them in the database itself, and in
 * which form. How one is put back is left to `putBack.ts`.
 */
import { z } from "zod";
import { UserError } from "../core/errors.ts";
import { stackOf } from "../core/urn.ts";
import { Ledger } from "../database/ledger.ts";

const row = z.record(z.string(), z.json());

/** Registrations that went together, with the salts that their ciphertexts hang on. */
const entry = z
  .object({
    archivedAt: z.string(),
    /** By key version, encrypted with the salt that the stack keeps; base64. */
    salts: z.record(z.string(), z.string()).optional(),
    /** The only one of an archive from before key versions. */
    salt: z.string().nullish(),
    /** As the table had them: secrets as ciphertext. */
    rows: z.array(row),
    /** Rotations of their credentials, in the same form. */
    rotations: z.array(row).default([]),
    /** IDs of those that the program had not made itself: a destroy leaves them. */
    adopted: z.array(z.string()).default([]),
  })
  .transform(({ salt, salts, ...rest }) => ({ ...rest, salts: salts ?? (salt ? { "1": salt } : {}) }));
const archive = z.array(entry);

export type Archive = z.output<typeof archive>;
export type ArchivedRow = z.output<typeof row>;
/** By key version, encrypted. */
export type Salts = Record<string, string>;

/** Where the archive of a stack is; the stack is that of any resource. */
export const archiveOf = (urn: string): Ledger => new Ledger(`${stackOf(urn)} archive of registrations`);

/** @throws {UserError} for an archive that this version cannot read. */
export function parseArchive(text: string | undefined): Archive {
  if (text === undefined) return [];
  try {
    return archive.parse(JSON.parse(text));
  } catch {
    throw new UserError(
      "PS836",
      "The archive of registrations was written by another version of pgstrata, or changed by hand. Use the version that wrote it.",
    );
  }
}

/** What a program knows a registration by; others may share it. */
export const keyOf = ({ project_id, type, name }: ArchivedRow): string => JSON.stringify([project_id, type, name]);

/** The newest of an archive that has one key. */
export interface Newest {
  row: ArchivedRow;
  /** Users that its rotations have replaced. */
  replaced: string[];
  isAdopted: boolean;
}

export function archivedUnder(key: string, entries: Archive): Newest | undefined {
  for (const { rows, rotations, adopted } of entries.toReversed()) {
    const found = rows.find((each) => keyOf(each) === key);
    if (found === undefined) continue;
    const own = rotations.filter(({ database_id, switched_at }) => database_id === found.id && switched_at !== null);
    const replaced = own.map(({ old_username }) => String(old_username));
    return { row: found, replaced, isAdopted: adopted.includes(String(found.id)) };
  }
  return undefined;
}
