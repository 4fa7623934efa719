/**
 * What a type of service is: how its connection strings are read, and how a service of it is probed. The
 * types themselves are in files of their own, the list of them in `serviceTypes.ts`.
 */

/** One type. A file that exports one, and its line in `serviceTypes.ts`, add it. */
export interface ServiceType<Type extends string = string> {
  /** As the registry has it, and as a masked connection string begins. */
  readonly type: Type;
  /** Schemes of its connection strings, without a colon; whether the scheme itself demands TLS. */
  readonly schemes: Readonly<Record<string, { readonly tls: boolean }>>;
  readonly defaultPort: number;
  /**
   * What depends on the type in a connection string.
   *
   * @throws ConnectionStringError
   */
  read(given: GivenUrl): UrlMeaning;
  /**
   * Connects, signs in, and asks for version and rights. The port has accepted a connection before.
   *
   * @throws {ProbeFailure} and nothing else that may be shown.
   */
  probe(target: ProbeTarget): Promise<ProbeAnswer>;
  /** How its credentials are rotated; undefined where they cannot be. */
  readonly users?: OpenUsers;
}

/** What a connection string says of a service. */
export interface ServiceParts {
  type: string;
  /** Host name or address; an IPv6 address without its brackets. */
  host: string;
  /** 1 to 65535; the type's usual port where the string names none. */
  port: number;
  /** Undefined where the string names no user. Redis: `default` where it names a password only. */
  username: string | undefined;
  /** Secret. */
  password: string | undefined;
  /**
   * The database that the string names; for Redis the number as text, `0` where it names none; for PostgreSQL
   * the user's name where it names none, as every client does. Undefined where the string leaves it open.
   */
  database: string | undefined;
  /** Whether the string demands TLS. PostgreSQL's `allow` and `prefer` do not demand it. */
  tls: boolean;
}

/** A connection string whose general form is as it should be. */
export interface GivenUrl {
  username: string | undefined;
  password: string | undefined;
  /** Without its slash; undefined where it is empty. */
  path: string | undefined;
  parameters: URLSearchParams;
}

export interface UrlMeaning {
  username: string | undefined;
  database: string | undefined;
  /** Whether its parameters demand TLS. */
  tls: boolean;
}

/** What of a service has to work. `write` leaves nothing behind. */
export type Access = "read" | "write";

export interface ProbeTarget {
  /** Secret. */
  connectionString: string;
  parts: ServiceParts;
  parameters: URLSearchParams;
  /** The settings of the registration, of which a type knows its own. */
  config: Readonly<Record<string, unknown>>;
  /** Authorities that `config.ca` names, as PEM. */
  ca: string | undefined;
  access: Access;
  timeoutMs: number;
  /** Aborted when the time is over. */
  signal: AbortSignal;
}

export interface ProbeAnswer {
  /** As the service tells it; undefined where the user may not ask. */
  version: string | undefined;
  /** Of one round trip on the open connection. */
  latencyMs: number;
}

/**
 * Opens {@link ServiceUsers}.
 *
 * @param admin what signs in to manage users.
 * @param registered what the registry has; its users are meant.
 */
export type OpenUsers = (admin: ProbeTarget, registered: ProbeTarget) => Promise<ServiceUsers>;

/**
 * The users of a service, on one connection that may manage them. Every call may be made again.
 *
 * Calls throw a `ProbeFailure` and nothing else that may be shown.
 */
export interface ServiceUsers {
  /** What the connected user lacks to manage logins of a group; undefined where it lacks nothing. */
  lacking(group: string): Promise<string | undefined>;
  exists(user: string): Promise<boolean>;
  /** Makes a login with the rights of an old one; of one that is there, sets password and rights again. */
  make(login: NewLogin): Promise<void>;
  /** What a new login may not do that the old one may; undefined where there is nothing. */
  missing(next: ProbeTarget, old: ProbeTarget): Promise<string | undefined>;
  /** Who is connected as a user, this connection left out. */
  clientsOf(user: string): Promise<ServiceClient[]>;
  /** No one signs in as the user any more; who is connected stays. */
  disable(user: string): Promise<void>;
  /** @returns why it cannot be dropped; undefined where it is gone. */
  drop(user: string, group: string): Promise<string | undefined>;
  close(): Promise<void>;
}

export interface NewLogin {
  name: string;
  /** Secret; of letters, digits, `-` and `_`. */
  password: string;
  /** The login whose rights and settings it gets. */
  old: string;
  /** What keeps ownership and grants, where the service has that. */
  group: string;
}

/** Connections of one application from one address. */
export interface ServiceClient {
  /** As the client calls itself; empty where it does not. */
  application: string;
  /** Empty where the service does not tell it. */
  address: string;
  connections: number;
}

/** How long a task takes, in milliseconds with one decimal. */
export async function milliseconds(task: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await task();
  return Math.round((performance.now() - started) * 10) / 10;
}

/** A setting that is a text. */
export function textSetting(config: ProbeTarget["config"], name: string): string | undefined {
  const value = config[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}
