/**
 * Reads a database and says what the files of a layer would be that declares all of it, and what an update
 * with them would do. Changes nothing; who writes the files where is the command's question.
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readCatalog } from "../catalog/readCatalog.ts";
import { inputFault, UserError } from "../core/errors.ts";
import type { PlannedChange, Properties } from "../core/resourceType.ts";
import { type LayerFile, layerFiles } from "../pull/layerFiles.ts";
import { type Exclusions, selectFacts } from "../pull/selection.ts";
import { SqlStyle } from "../pull/sqlStyle.ts";
import { createLayer } from "./layer/layer.ts";
import { parseConfig } from "./provider/inputs.ts";
import { createSession, type Session } from "./session.ts";

export interface PulledDatabase {
  /** `user@host:port/database`. */
  database: string;
  /** Of the layer; none where the database has nothing to declare. */
  files: LayerFile[];
  /** Of what is left out and yet needed, for the layer's `assumes`. */
  assumed: LayerFile[];
  /** For the layer's `roles`. */
  roles: string[];
  /** What the database has and no file says, with the reason; one line each. */
  leftOut: string[];
  /** What an update with these files would still change; empty where it adopts all as it is. */
  changes: string[];
  warnings: string[];
}

/**
 * @param provider settings as a stack has them, the URL among them.
 * @param name of the layer.
 * @param projectDirectory where the local home of the shadow lies.
 * @throws {UserError} when the database cannot be reached, or cannot be declared.
 */
export async function pullDatabase(
  provider: Properties,
  name: string,
  exclusions: Exclusions,
  projectDirectory: string,
): Promise<PulledDatabase> {
  const { config, failures } = parseConfig(provider);
  const session = createSession(config);
  const folder = await mkdtemp(join(tmpdir(), "pgstrata-pull-"));
  try {
    const { database } = session;
    if (failures.length > 0 || database === undefined)
      throw new UserError("PS602", `The database cannot be pulled: ${failures.map(inputFault).join("; ")}.`);
    const { role } = await database.facts();
    const pool = await database.pool();
    const { rows } = await pool.query<{ word: string }>(
      "select word from pg_catalog.pg_get_keywords() where catcode operator(pg_catalog.<>) 'U'",
    );
    const style = new SqlStyle(new Set(rows.map(({ word }) => word)));
    const { facts, assumed, given, roles, leftOut } = selectFacts((await readCatalog(pool, role)).facts, exclusions);
    const pulled = { files: layerFiles(facts, style, { assumed, given }), assumed: layerFiles(assumed, style) };
    const { changes, warnings } = await rehearsed(session, projectDirectory, folder, name, { ...pulled, roles });
    return {
      database: database.label,
      ...pulled,
      roles,
      leftOut,
      changes,
      warnings,
    };
  } finally {
    await session.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** What `pulumi preview` would say of a layer with these files. */
async function rehearsed(
  session: Session,
  projectDirectory: string,
  folder: string,
  name: string,
  { files, assumed, roles }: Pick<PulledDatabase, "files" | "assumed" | "roles">,
): Promise<Pick<PulledDatabase, "changes" | "warnings">> {
  if (files.length === 0) return { changes: [], warnings: [] };
  const write = async (part: string, content: readonly LayerFile[]): Promise<string[]> => {
    if (content.length === 0) return [];
    await mkdir(join(folder, part));
    for (const { name, sql } of content) await writeFile(join(folder, part, name), sql);
    return [join(folder, part)];
  };
  const inputs = { name, files: await write("files", files), assumes: await write("assumed", assumed), roles };
  const changes: PlannedChange[] = [];
  const warnings: string[] = [];
  const context = {
    urn: ["urn:pulumi:pull", "pull", "pgstrata:index:Layer", name].join("::"),
    preview: true,
    signal: new AbortController().signal,
    report: {
      info: () => {},
      warn: (message: string) => void warnings.push(message),
      status: () => {},
      plan: async (planned: PlannedChange[]) => void changes.push(...planned),
    },
  };
  const layer = createLayer(session, projectDirectory);
  const { inputs: news, failures } = await layer.check(context, {}, inputs);
  if (failures.length > 0)
    throw new UserError(
      "PS712",
      `What was pulled cannot be declared:\n${failures.map(inputFault).join("\n").replaceAll(`${folder}/`, "")}`,
    );
  await layer.create(context, news);
  return { changes: changes.map(({ name }) => name), warnings };
}
