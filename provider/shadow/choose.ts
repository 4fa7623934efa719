import pg from "pg";
import type { ShadowMode } from "../config.ts";
import type { Database } from "../database.ts";
import { findBinaries, installedMajors } from "../postgres/binaries.ts";
import { UserError } from "../userError.ts";
import { colocatedShadow } from "./colocated.ts";
import { embeddedShadow } from "./embedded.ts";
import type { Shadow } from "./shadow.ts";

/**
 * The shadow for a target. An embedded one must be of the target's major version, because the same SQL means different things on
 * different ones.
 *
 * @param directory where the data directories of embedded shadows lie.
 */
export async function chooseShadow(mode: ShadowMode, target: Database | undefined, directory: string): Promise<Shadow> {
  if (typeof mode === "object") return serverShadow(mode.url, target);
  const majors = installedMajors();
  const major = target === undefined ? Math.max(...majors) : (await target.facts()).major;
  const embedded = mode !== "colocated" && majors.includes(major);
  if (embedded) return embeddedShadow(directory, major, findBinaries(major, undefined).version);
  if (mode === "embedded" || target === undefined) {
    throw new UserError(
      `Found a target of PostgreSQL ${major}, but embedded servers of ${majors.length === 0 ? "no version" : majors.join(", ")} only. ` +
        "Set the provider's `shadow` to `colocated` (needs CREATEDB on the target's server) or to the URL of a scratch server of that version.",
    );
  }
  return colocatedShadow(await target.pool(), (await target.facts()).version, target.poolOf);
}

async function serverShadow(url: string, target: Database | undefined): Promise<Shadow> {
  const admin = new pg.Pool({ connectionString: url, max: 1, application_name: "pgstrata shadow" });
  admin.on("error", () => {});
  const { rows } = await admin.query<{ version: string; major: number }>(
    "select current_setting('server_version') as version, current_setting('server_version_num')::int / 10000 as major",
  );
  const [server] = rows;
  const wanted = await target?.facts();
  if (server === undefined || (wanted !== undefined && server.major !== wanted.major)) {
    await admin.end();
    throw new UserError(
      `Found PostgreSQL ${server?.version} at the provider's \`shadow\` URL, expected the target's major version ${wanted?.major}.`,
    );
  }
  const poolOf = async (database: string): Promise<pg.Pool> => {
    const scratch = new URL(url);
    scratch.pathname = `/${encodeURIComponent(database)}`;
    return new pg.Pool({ connectionString: scratch.href, max: 2 });
  };
  const shadow = colocatedShadow(admin, server.version, poolOf);
  return { ...shadow, stop: () => admin.end() };
}
