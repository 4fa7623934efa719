/**
 * Which files a layer and its base consist of, their text and digests, and what their comments declare. What
 * the SQL means is left to the shadow.
 */
import { readdir, readFile, stat } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { InputError } from "../../core/errors.ts";
import type { CheckFailure } from "../../core/resourceType.ts";
import { codeOf } from "../../database/connectionError.ts";
import { conversionComments, type DeclaredConversion } from "../../plan/conversions.ts";
import { type DeclaredRename, renameComments } from "../../plan/renames/comments.ts";
import { digestOf, type SqlSet } from "../../shadow/contributions.ts";
import type { SqlFile } from "../../shadow/sqlFile.ts";
import type { LayerInputs } from "./inputs.ts";

/** A layer with the text of its files, and of those it stands on. */
export interface LayerSources {
  /** Lowest first; what is only assumed lies below all. */
  base: SqlSet[];
  top: SqlSet;
  /** Of the layer's own files, and of the roles. */
  digest: string;
  /** Of what it stands on. Equal digests and base digests mean equal contributions on one server. */
  baseDigest: string;
  /**
   * Tables and columns that had another name before, by comments and by inputs: the layer's own, and those of
   * its base.
   */
  renames: { own: DeclaredRename[]; below: DeclaredRename[] };
  /** How columns of the layer get their values, by comments and by inputs. */
  conversions: DeclaredConversion[];
}

/**
 * Reads the files that a layer names.
 *
 * @param directory the project directory: relative paths start there.
 * @throws {InputError} when a path leads nowhere, is no SQL file, or a directory holds none.
 */
export async function readSources(inputs: LayerInputs, directory: string): Promise<LayerSources> {
  const faults: CheckFailure[] = [];
  const read = async (property: string, paths: readonly string[]): Promise<SqlFile[]> => {
    const found = await Promise.all(paths.map((path) => readSql(path, directory)));
    return found.flatMap((part, n) => {
      if (Array.isArray(part)) return part;
      faults.push({ code: "PS108", property: `${property}[${n}]`, reason: part.fault });
      return [];
    });
  };
  const top = { name: inputs.name, files: await read("files", inputs.files) };
  const base: SqlSet[] = [];
  for (const [n, { name, files }] of inputs.base.entries())
    base.push({ name, files: await read(`base[${n}].files`, files) });
  const assumed = await read("assumes", inputs.assumes);
  const comments = top.files.map(({ path, sql }) => renameComments(path, sql));
  const converted = top.files.map(({ path, sql }) => conversionComments(path, sql));
  for (const reason of comments.flatMap((found) => found.faults))
    faults.push({ code: "PS109", property: "files", reason });
  for (const reason of converted.flatMap((found) => found.faults))
    faults.push({ code: "PS113", property: "files", reason });
  if (faults.length > 0) throw new InputError(faults);
  const own = [...comments.flatMap((found) => found.renames), ...inputs.renames];
  const below = base.flatMap(({ files }, n) => [
    ...files.flatMap(({ path, sql }) => renameComments(path, sql).renames),
    ...(inputs.base[n]?.renames ?? []),
  ]);
  if (assumed.length > 0) base.unshift({ name: "assumes", files: assumed, assumed: true });
  return {
    base,
    top,
    digest: digestOf([...inputs.roles].sort(), [top]),
    baseDigest: digestOf([], base),
    renames: { own, below },
    conversions: [...converted.flatMap((found) => found.conversions), ...inputs.conversions],
  };
}

interface Fault {
  fault: string;
}

async function readSql(path: string, directory: string): Promise<SqlFile[] | Fault> {
  const absolute = isAbsolute(path) ? path : join(directory, path);
  const found = await stat(absolute).catch(() => undefined);
  if (found === undefined) {
    return {
      fault: `${path}: found nothing there, expected a .sql file or a directory of them (paths start at the project directory).`,
    };
  }
  if (!found.isDirectory() && !path.endsWith(".sql"))
    return { fault: `${path}: found a file of another kind, expected a name that ends in .sql, or a directory.` };
  const names = found.isDirectory() ? (await readdir(absolute)).filter((name) => name.endsWith(".sql")).sort() : [""];
  if (names.length === 0) return { fault: `${path}: found a directory without .sql files, expected at least one.` };
  const files = await Promise.all(names.map((name) => readText(join(absolute, name), join(path, name))));
  return files.find((file) => "fault" in file) ?? files.filter((file) => "sql" in file);
}

async function readText(absolute: string, path: string): Promise<SqlFile | Fault> {
  try {
    return { path, sql: new TextDecoder("utf-8", { fatal: true }).decode(await readFile(absolute)) };
  } catch (error) {
    if (!(error instanceof TypeError)) return { fault: `${path}: cannot be read (${codeOf(error)}).` };
    return { fault: `${path}: found bytes that are not UTF-8, expected UTF-8 text. Save the file in that encoding.` };
  }
}
