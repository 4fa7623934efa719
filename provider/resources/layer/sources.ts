import { readdir, readFile, stat } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { digestOf, type SqlSet } from "../../shadow/chain.ts";
import type { SqlFile } from "../../shadow/loadSql.ts";
import { UserError } from "../../userError.ts";
import type { LayerInputs } from "./inputs.ts";

/** A layer with the text of its files, and of those it stands on. */
export interface LayerSources {
  /** Lowest first; what is only assumed lies below all. */
  base: SqlSet[];
  top: SqlSet;
  /** Of all of it, and of the roles: equal digests mean equal contributions on one server. */
  digest: string;
}

/**
 * Reads the files that a layer names.
 *
 * @param directory the project directory: relative paths start there.
 * @throws {UserError} when a path leads nowhere, is no SQL file, or a directory holds none.
 */
export async function readSources(inputs: LayerInputs, directory: string): Promise<LayerSources> {
  const assumed = inputs.assumes.length === 0 ? [] : [{ name: "assumes", files: inputs.assumes, assumed: true }];
  const sets = await Promise.all(
    [...assumed, ...inputs.base, { name: inputs.name, files: inputs.files }].map(
      async ({ files, ...set }: { name: string; files: string[]; assumed?: boolean }) => ({
        ...set,
        files: (await Promise.all(files.map((path) => readSql(path, directory)))).flat(),
      }),
    ),
  );
  const top = sets.pop();
  if (top === undefined) throw new Error("a layer without files was accepted");
  return { base: sets, top, digest: digestOf([...inputs.roles].sort(), [...sets, top]) };
}

async function readSql(path: string, directory: string): Promise<SqlFile[]> {
  const absolute = isAbsolute(path) ? path : join(directory, path);
  const found = await stat(absolute).catch(() => undefined);
  if (found === undefined) {
    throw new UserError(
      `${path}: found nothing there, expected a .sql file or a directory of them (paths start at the project directory).`,
    );
  }
  if (!found.isDirectory()) {
    if (!path.endsWith(".sql"))
      throw new UserError(`${path}: expected a name that ends in .sql, or a directory of such files.`);
    return [{ path, sql: await readText(absolute, path) }];
  }
  const names = (await readdir(absolute)).filter((name) => name.endsWith(".sql")).sort();
  if (names.length === 0) throw new UserError(`${path}: found a directory without .sql files, expected at least one.`);
  return Promise.all(
    names.map(async (name) => ({ path: join(path, name), sql: await readText(join(absolute, name), path) })),
  );
}

async function readText(absolute: string, path: string): Promise<string> {
  const bytes = await readFile(absolute);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    throw new UserError(
      `${path}: found bytes that are not UTF-8, expected UTF-8 text. Save the file in that encoding.`,
    );
  }
}
