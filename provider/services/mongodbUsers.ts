/**
 * Users of MongoDB in turn: a new one gets the roles of the old one. Collections belong to no user, so that
 * there is no group to keep them.
 */
import { randomBytes } from "node:crypto";
import type { Db, Document, MongoClient } from "mongodb";
import { ProbeFailure } from "./failures.ts";
import type { NewLogin, ProbeTarget, ServiceClient, ServiceUsers } from "./serviceType.ts";
import { groupClients, listed } from "./users.ts";

export interface MongodbAccess {
  connect(target: ProbeTarget): Promise<MongoClient>;
  failureOf(error: unknown, target: ProbeTarget): Promise<ProbeFailure>;
}

/** Number of the server's error for what a user may not do. */
const UNAUTHORIZED = 13;

/** Actions on the database of the users, without which a rotation cannot be made. */
const NEEDED = ["createUser", "changePassword", "dropUser", "viewUser", "grantRole"];

/** @param database has the users. */
export async function openMongodbUsers(
  admin: ProbeTarget,
  database: string,
  access: MongodbAccess,
): Promise<ServiceUsers> {
  const client = await access.connect(admin);
  const users = client.db(database);
  const told = <T>(work: Promise<T>): Promise<T> =>
    work.catch(async (error: unknown) => {
      throw await access.failureOf(error, admin);
    });

  async function make({ name, password, old }: NewLogin): Promise<void> {
    const found = await userIn(users, old);
    if (found === undefined) throw new ProbeFailure("rights", admin.parts, { words: `it has no user "${old}"` });
    const command = (await userIn(users, name)) === undefined ? "createUser" : "updateUser";
    await users.command({ [command]: name, pwd: password, roles: found.roles });
  }

  async function missing(next: string, old: string): Promise<string | undefined> {
    const has = new Set((await userIn(users, next))?.roles.map((role) => JSON.stringify(role)));
    const lost = ((await userIn(users, old))?.roles ?? []).filter((role) => !has.has(JSON.stringify(role)));
    return lost.length === 0 ? undefined : listed(lost.map((role) => `the role ${role.role} on ${role.db}`));
  }

  return {
    lacking: () => told(lacking(client, users.databaseName)),
    exists: (user) => told(userIn(users, user).then((found) => found !== undefined)),
    make: (login) => told(make(login)),
    missing: (next, old) => told(missing(next.parts.username ?? "", old.parts.username ?? "")),
    clientsOf: (user) => told(clientsOf(client, user)),
    // A user cannot be locked: a password that no one knows has the same effect.
    disable: (user) => told(users.command({ updateUser: user, pwd: randomBytes(32).toString("hex") }).then(() => {})),
    async drop(user) {
      if ((await told(userIn(users, user))) !== undefined) await told(users.command({ dropUser: user }));
      return undefined;
    },
    close: () => client.close(true).catch(() => undefined),
  };
}

interface Role {
  role: string;
  db: string;
}

async function userIn(users: Db, name: string): Promise<{ roles: Role[] } | undefined> {
  const answer = await users.command({ usersInfo: { user: name, db: users.databaseName } });
  const [found] = documents(answer.users);
  if (found === undefined) return undefined;
  return { roles: documents(found.roles).map(({ role, db }) => ({ role: String(role), db: String(db) })) };
}

async function lacking(client: MongoClient, database: string): Promise<string | undefined> {
  const answer = await client.db("admin").command({ connectionStatus: 1, showPrivileges: true });
  const granted = documents(answer.authInfo?.authenticatedUserPrivileges)
    .filter(
      ({ resource }) =>
        resource?.anyResource === true || (resource?.collection === "" && ["", database].includes(resource?.db)),
    )
    .flatMap(({ actions }) => (Array.isArray(actions) ? actions.map(String) : []));
  const absent = NEEDED.filter((action) => !granted.includes(action) && !granted.includes("anyAction"));
  return absent.length === 0 ? undefined : `the actions ${listed(absent, NEEDED.length)} on the database "${database}"`;
}

/** Not told to a user without the action `inprog`. */
async function clientsOf(client: MongoClient, user: string): Promise<ServiceClient[]> {
  try {
    const operations = await client
      .db("admin")
      .aggregate([{ $currentOp: { allUsers: true, idleConnections: true } }])
      .toArray();
    return groupClients(
      operations
        .filter(({ effectiveUsers }) => documents(effectiveUsers).some((each) => each.user === user))
        .map(({ appName, client: address }) => ({
          application: String(appName ?? ""),
          address: String(address ?? "").replace(/:\d+$/, ""),
        })),
    );
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === UNAUTHORIZED) return [];
    throw error;
  }
}

const documents = (value: unknown): Document[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === "object" && each !== null) : [];
