/** Which kind of shadow a target gets: embedded, colocated, or on a named server. */
import type { ShadowMode } from "../core/config.ts";
import { UserError } from "../core/errors.ts";
import { type Database, openDatabase } from "../database/target.ts";
import { findBinaries, installedMajors } from "../embedded/binaries.ts";
import { colocatedShadow } from "./colocated.ts";
import { embeddedShadow } from "./embedded.ts";
import type { Shadow } from "./shadow.ts";

/**
 * The shadow for a target. An embedded one must be of the target's major version, because the same SQL means
 * different things on different ones.
 *
 * @param directory where the data directories of embedded shadows lie.
 */
export async function openShadow(mode: ShadowMode, target: Database | undefined, directory: string): Promise<Shadow> {
  if (typeof mode === "object") return serverShadow(mode.url, target);
  const majors = installedMajors();
  const major = target === undefined ? Math.max(...majors) : (await target.facts()).major;
  const embedded = mode !== "colocated" && majors.includes(major);
  if (embedded) return embeddedShadow(directory, major, findBinaries(major, undefined).version);
  if (mode === "embedded" || target === undefined) {
    throw new UserError(
      "PS506",
      `Found a target of PostgreSQL ${major}, but embedded servers of ${majors.length === 0 ? "no version" : majors.join(", ")} only. ` +
        "Set the provider's `shadow` to `colocated` (needs CREATEDB on the target's server) or to the URL of a scratch server of that version.",
    );
  }
  return colocatedShadow(target, (await target.facts()).version);
}

async function serverShadow(url: string, target: Database | undefined): Promise<Shadow> {
  const desired = await target?.facts();
  const server = openDatabase({ url });
  if (server === undefined) throw new Error("a shadow by URL came without its URL");
  try {
    const { major, version } = await server.facts();
    if (desired !== undefined && major !== desired.major) {
      throw new UserError(
        "PS506",
        `Found PostgreSQL ${version} at the provider's \`shadow\` URL, expected the target's major version ${desired.major}, because the same SQL means different things on different ones.`,
      );
    }
    return { ...colocatedShadow(server, version), stop: () => server.close() };
  } catch (error) {
    await server.close();
    if (!(error instanceof UserError)) throw error;
    throw new UserError(error.code, `The provider's \`shadow\`: ${error.message}`, { cause: error });
  }
}
