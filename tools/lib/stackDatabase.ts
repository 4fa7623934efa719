/**
 * Which databases the commands of a stack are about: those of its state, by the address that is set now. What
 * else a state says of them is left to `stackState.ts`.
 */
import { addressOf, isSameDatabase, type KnownDatabase, readIdentity } from "../../provider/backup/identity.ts";
import { UserError } from "../../provider/core/errors.ts";
import { parseConnectionUrl } from "../../provider/database/connectionUrl.ts";
import { openDatabase } from "../../provider/database/target.ts";
import { askPulumi } from "./pulumi.ts";
import { readStackSettings, type StackSettings } from "./stackSettings.ts";
import { parseProviders, replaceUrl } from "./stackState.ts";

/** A stack as a command means it. */
export interface StackPlace {
  folder: string;
  /** Default: the one that is selected. */
  stack: string | undefined;
  env: NodeJS.ProcessEnv;
}

/** `pulumi stack export --show-secrets`, as the last update left it, with the settings as they are now. */
export async function readStack(place: StackPlace): Promise<{ state: string; settings: StackSettings }> {
  const { folder, stack, env } = place;
  const where = stack === undefined ? [] : ["--stack", stack];
  const [state, settings] = await Promise.all([
    askPulumi(folder, ["stack", "export", "--show-secrets", ...where], env),
    readStackSettings(folder, stack, env),
  ]);
  return { state, settings };
}

/**
 * A stack's state with the URL that is set now in the place of the one that its database had in the last
 * update.
 *
 * @throws {UserError} where the setting names another database than the state.
 */
export async function exportStack(place: StackPlace): Promise<string> {
  const { state, settings } = await readStack(place);
  return withSetUrl(state, settings.databaseUrl, place.stack);
}

/** As `exportStack`, of what `readStack` has read. */
export async function withSetUrl(state: string, set: string | undefined, stack: string | undefined): Promise<string> {
  const urls = urlsOf(state);
  if (set === undefined || urls.length === 0 || urls.includes(set)) return state;
  const old = urls.find((url) => address(url) === address(set)) ?? (await sameByIdentity(set, urls));
  if (old !== undefined) return replaceUrl(state, old, set);
  const named = urls.map((url) => parseConnectionUrl(url).label).join(", ");
  const where = stack === undefined ? "" : ` --stack ${stack}`;
  throw new UserError(
    "PS845",
    `The stack's setting databaseUrl names ${parseConnectionUrl(set).label}, and the last update was of ${named}. Expected the same database; ` +
      "one that does not answer counts as another. Nothing was changed. " +
      `Run \`pulumi up${where}\` first where the new one is meant, or set databaseUrl back. ` +
      "To fill the new one from a backup, give `npm run restore` the option --from-other-database.",
  );
}

/** A database that a stack has now. */
export interface MeantDatabase extends KnownDatabase {
  /** Secret. */
  url: string;
  hasAnswered: boolean;
}

/** Those of the setting and of the state; without either, that of the checkout. */
export async function databasesMeant(
  root: string,
  state: string,
  { databaseUrl }: Pick<StackSettings, "databaseUrl">,
): Promise<MeantDatabase[]> {
  const urls = databaseUrl === undefined || urlsOf(state).includes(databaseUrl) ? urlsOf(state) : [databaseUrl];
  if (urls.length > 0) return Promise.all(urls.map(meantDatabase));
  const { localDatabaseUrl } = await import("./localDatabase.ts");
  return [await meantDatabase(await localDatabaseUrl(root))];
}

async function meantDatabase(url: string): Promise<MeantDatabase> {
  try {
    return { url, ...(await knownDatabase(url)), hasAnswered: true };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { url, target: parseConnectionUrl(url), identity: undefined, hasAnswered: false };
  }
}

/** URLs of the databases of a state. Secret. */
const urlsOf = (state: string): string[] => [
  ...new Set(parseProviders(state).flatMap(({ url }) => (typeof url === "string" ? [url] : []))),
];

const address = (url: string): string => addressOf(parseConnectionUrl(url));

/** @throws {UserError} when the database that is set cannot be reached; one of the state need not. */
async function sameByIdentity(set: string, urls: readonly string[]): Promise<string | undefined> {
  const { identity } = await knownDatabase(set);
  if (identity === undefined) return undefined;
  for (const url of urls) {
    const other = await knownDatabase(url).catch(() => undefined);
    if (other?.identity !== undefined && isSameDatabase(identity, other.identity)) return url;
  }
  return undefined;
}

/** @throws {UserError} when it cannot be reached. */
async function knownDatabase(url: string): Promise<KnownDatabase> {
  const database = openDatabase({ url });
  if (database === undefined) throw new Error("a URL is not known");
  try {
    return { target: database.target, identity: await readIdentity(database) };
  } finally {
    await database.close();
  }
}
