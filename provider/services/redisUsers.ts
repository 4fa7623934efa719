/**
 * Users of Redis in turn: a new one gets the rules of the old one. What an application has written belongs to
 * no user, so that there is no group to keep it.
 */
import { createHash } from "node:crypto";
import { ProbeFailure } from "./failures.ts";
import type { NewLogin, ProbeTarget, ServiceClient, ServiceUsers } from "./serviceType.ts";
import { groupClients, listed } from "./users.ts";

/** One connection that sends commands as they are. */
export interface RedisConnection {
  send(...command: string[]): Promise<unknown>;
  close(): void;
}

export interface RedisAccess {
  connect(target: ProbeTarget): Promise<RedisConnection>;
  failureOf(error: unknown, target: ProbeTarget): Promise<ProbeFailure>;
}

/** Rules that say who signs in, and not what he may do. */
const IS_OF_LOGIN = /^(on|off|nopass|resetpass|[<>#!].*)$/;

export async function openRedisUsers(admin: ProbeTarget, access: RedisAccess): Promise<ServiceUsers> {
  const connection = await access.connect(admin);
  const told = <T>(work: Promise<T>): Promise<T> =>
    work.catch(async (error: unknown) => {
      throw await access.failureOf(error, admin);
    });
  const rulesOf = async (user: string): Promise<string[] | undefined> =>
    (await usersIn(connection)).get(user)?.filter((rule) => !IS_OF_LOGIN.test(rule));
  const setUser = (user: string, ...rules: string[]) => connection.send("ACL", "SETUSER", user, ...rules);

  async function lacking(): Promise<string | undefined> {
    try {
      await connection.send("ACL", "LIST");
      return undefined;
    } catch (error) {
      if (error instanceof Error && error.message.startsWith("NOPERM")) return "the command ACL";
      throw error;
    }
  }

  async function make({ name, password, old }: NewLogin): Promise<void> {
    const rules = await rulesOf(old);
    if (rules === undefined) throw new ProbeFailure("rights", admin.parts, { words: `it has no user "${old}"` });
    // The digest is what the server keeps; the password itself would be in what MONITOR shows.
    const digest = createHash("sha256").update(password).digest("hex");
    await setUser(name, "reset", "on", `#${digest}`, ...rules);
    await save(connection, admin);
  }

  async function missing(next: string, old: string): Promise<string | undefined> {
    const has = new Set(await rulesOf(next));
    const lost = ((await rulesOf(old)) ?? []).filter((rule) => !has.has(rule));
    return lost.length === 0 ? undefined : listed(lost.map((rule) => `the rule "${rule}"`));
  }

  return {
    lacking: () => told(lacking()),
    exists: (user) => told(usersIn(connection).then((users) => users.has(user))),
    make: (login) => told(make(login)),
    missing: (next, old) => told(missing(userOf(next), userOf(old))),
    clientsOf: (user) => told(clientsOf(connection, user)),
    disable: (user) => told(setUser(user, "off").then(() => save(connection, admin))),
    async drop(user) {
      await told(connection.send("ACL", "DELUSER", user).then(() => save(connection, admin)));
      return undefined;
    },
    close: async () => connection.close(),
  };
}

const userOf = ({ parts }: ProbeTarget): string => parts.username ?? "default";

/** The rules of each user, as the server lists them: `user <name> <rule> …`. */
async function usersIn(connection: RedisConnection): Promise<Map<string, string[]>> {
  const lines = texts(await connection.send("ACL", "LIST"));
  return new Map(
    lines.map((line) => {
      const [, name = "", ...rules] = line.match(/\([^)]*\)|\S+/g) ?? [];
      return [name, rules];
    }),
  );
}

/** Users that only the memory has would be gone with the next start, and with them who signs in. */
async function save(connection: RedisConnection, { parts }: ProbeTarget): Promise<void> {
  for (const command of [
    ["ACL", "SAVE"],
    ["CONFIG", "REWRITE"],
  ]) {
    try {
      await connection.send(...command);
      return;
    } catch (error) {
      if (!(error instanceof Error && /^(ERR|NOPERM)/.test(error.message))) throw error;
    }
  }
  throw new ProbeFailure("unsaved", parts);
}

/** Lines of `key=value`, one a connection. */
async function clientsOf(connection: RedisConnection, user: string): Promise<ServiceClient[]> {
  const own = String(await connection.send("CLIENT", "ID"));
  const clients = String(await connection.send("CLIENT", "LIST"))
    .split("\n")
    .map(
      (line) =>
        new Map(line.split(" ").map((field) => [field.split("=", 1)[0] ?? "", field.slice(field.indexOf("=") + 1)])),
    );
  return groupClients(
    clients
      .filter((client) => client.get("user") === user && client.get("id") !== own)
      .map((client) => ({
        application: client.get("name") || client.get("lib-name") || "",
        address: (client.get("addr") ?? "").replace(/:\d+$/, ""),
      })),
  );
}

const texts = (answer: unknown): string[] => (Array.isArray(answer) ? answer.map(String) : []);
