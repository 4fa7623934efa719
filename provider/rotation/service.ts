/**
 * What the steps of a rotation do to the service of a registration, with the errors that a person reads. The
 * commands of each type of service are in `provider/services/`.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../core/errors.ts";
import { visible } from "../core/visible.ts";
import { ConnectionStringError } from "../services/connectionStringError.ts";
import { networkFailure, ProbeFailure } from "../services/failures.ts";
import { orAborted } from "../services/network.ts";
import { probeService, targetOf } from "../services/probe.ts";
import type { Access, ProbeTarget, ServiceClient, ServiceType, ServiceUsers } from "../services/serviceType.ts";
import type { OpenRotation, Registration } from "./records.ts";

/** Longest wait for one answer of a service. */
const TIMEOUT_MS = 15_000;
const LEAVING_MS = 500;
/** A service that answers nothing takes no leave either. */
const CLOSING_MS = 1000;

export class ServiceCredentials {
  /** How messages name the registration. */
  readonly label: string;
  /** The user that is registered. */
  readonly user: string;
  /** The user that manages the others, where it is another one than the registered. */
  readonly adminUser: string | undefined;
  /** Whether the registry keeps the password beside the connection string as well. */
  readonly hasPassword: boolean;
  private readonly registration: Registration;
  private readonly adminConnectionString: string | undefined;
  private readonly signal: AbortSignal;
  private readonly timeoutMs: number;

  /** @throws {UserError} PS871 for a service whose credentials cannot be rotated. */
  constructor(
    registration: Registration,
    options: { adminConnectionString?: string | undefined; timeoutMs?: number | undefined; signal: AbortSignal },
  ) {
    this.registration = registration;
    this.label = `"${visible(registration.name)}"`;
    this.adminConnectionString = options.adminConnectionString;
    this.signal = options.signal;
    this.timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.hasPassword = registration.hasPassword;
    const { parts } = this.opened(registration.connectionString).target;
    this.user =
      parts.username ?? (parts.type === "redis" ? "default" : this.refuse("its connection string names no user"));
    this.adminUser = options.adminConnectionString && this.opened(options.adminConnectionString).target.parts.username;
  }

  /**
   * The first name that no user has. The registered credential has to work, and the one that manages users
   * has to have the rights for all steps: nothing is begun that cannot be ended.
   */
  async freeName(group: string, names: readonly string[]): Promise<string> {
    await this.step("The registered credential has to work before it is rotated. Nothing was changed.", () =>
      this.accessOf(this.registration.connectionString),
    );
    return this.withUsers("Nothing was changed.", async (users) => {
      const lacking = await users.lacking(group);
      if (lacking !== undefined) {
        throw new UserError(
          "PS873",
          `${this.label}: the user ${this.manager} cannot manage users: it lacks ${lacking}. Grant that, or give a user that has it as adminConnectionString of the registration, or with --admin. Nothing was changed.`,
        );
      }
      for (const name of names) if (!(await users.exists(name))) return name;
      throw new UserError(
        "PS871",
        `${this.label}: the users ${names.join(", ")} are all there already. Drop one that is not in use. Nothing was changed.`,
      );
    });
  }

  make({ successor, newUser, oldUser, group, step }: OpenRotation): Promise<void> {
    const login = { name: newUser, password: this.passwordOf(successor), old: oldUser, group };
    return this.withUsers(stoppedAfter(step), (users) => users.make(login));
  }

  /**
   * Signs in with the new credential, and does what the old one may.
   *
   * @throws {UserError} PS875
   */
  async prove({ successor, newUser, step }: OpenRotation): Promise<void> {
    const access = await this.step(stoppedAfter(step), () => this.accessOf(this.registration.connectionString));
    const lacks = (what: string): UserError =>
      new UserError(
        "PS875",
        `${this.label}: the new user "${newUser}" may do less than the old one: ${what.replace(/\.$/, "")}. Expected the same rights. The registry keeps the old credential; mend that, and run again: it goes on from here.`,
      );
    try {
      await this.probe(successor, access);
    } catch (error) {
      if (error instanceof ProbeFailure && ["login", "rights", "readOnly", "database"].includes(error.kind))
        throw lacks(error.message);
      throw this.told(error, stoppedAfter(step));
    }
    const missing = await this.withUsers(stoppedAfter(step), (users) =>
      users.missing(this.opened(successor).target, this.opened(this.registration.connectionString).target),
    );
    if (missing !== undefined) throw lacks(missing);
  }

  /** Asked twice where there are some, as a service still has those that are just leaving. */
  clientsOf = (user: string): Promise<ServiceClient[]> =>
    this.withUsers(stoppedAfter("switched"), async (users) => {
      const clients = await users.clientsOf(user);
      if (clients.length === 0) return clients;
      await sleep(LEAVING_MS, undefined, { signal: this.signal });
      return users.clientsOf(user);
    });

  disable = (user: string): Promise<void> => this.withUsers(stoppedAfter("switched"), (users) => users.disable(user));

  drop = (user: string, group: string): Promise<string | undefined> =>
    this.withUsers(stoppedAfter("disabled"), (users) => users.drop(user, group));

  passwordOf(connectionString: string): string {
    return this.opened(connectionString).target.parts.password ?? "";
  }

  /** `write`, or `read` where the user may not write. */
  private async accessOf(connectionString: string): Promise<Access> {
    try {
      await this.probe(connectionString, "write");
      return "write";
    } catch (error) {
      if (!(error instanceof ProbeFailure) || !["rights", "readOnly"].includes(error.kind)) throw error;
      await this.probe(connectionString, "read");
      return "read";
    }
  }

  private probe(connectionString: string, access: Access) {
    return probeService({ ...this.requestOf(connectionString), access });
  }

  private async withUsers<T>(stopped: string, work: (users: ServiceUsers) => Promise<T>): Promise<T> {
    const registered = this.opened(this.registration.connectionString);
    const { target: admin } = this.opened(this.adminConnectionString ?? this.registration.connectionString);
    const { users: open } = registered.service;
    if (open === undefined) return this.refuse(`the users of ${registered.service.type} cannot be managed from here`);
    return this.step(
      stopped,
      async () => {
        const users = await open(admin, registered.target);
        try {
          return await work(this.withinTime(users, admin));
        } finally {
          await orAborted(users.close(), AbortSignal.timeout(CLOSING_MS)).catch(() => undefined);
        }
      },
      true,
    );
  }

  /** Each call has to be answered in time: a service that is stopped keeps its connections open. */
  private withinTime(users: ServiceUsers, { parts }: ProbeTarget): ServiceUsers {
    const limited = async <T>(call: Promise<T>): Promise<T> => {
      try {
        return await orAborted(call, AbortSignal.any([AbortSignal.timeout(this.timeoutMs), this.signal]));
      } catch (error) {
        throw networkFailure(error, parts) ?? error;
      }
    };
    return {
      lacking: (group) => limited(users.lacking(group)),
      exists: (user) => limited(users.exists(user)),
      make: (login) => limited(users.make(login)),
      missing: (next, old) => limited(users.missing(next, old)),
      clientsOf: (user) => limited(users.clientsOf(user)),
      disable: (user) => limited(users.disable(user)),
      drop: (user, group) => limited(users.drop(user, group)),
      close: () => users.close(),
    };
  }

  private async step<T>(stopped: string, work: () => Promise<T>, isManaging = false): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw this.told(error, stopped, isManaging);
    }
  }

  private told(error: unknown, stopped: string, isManaging = false): unknown {
    if (!(error instanceof ProbeFailure)) return error;
    const { kind, message } = error;
    if (kind === "unsaved") return new UserError(error.code, `${this.label}: ${message} ${stopped}`);
    if (isManaging && (kind === "login" || kind === "rights")) {
      return new UserError(
        "PS873",
        `${this.label}: of the user ${this.manager}, which manages users: ${message} ${stopped}`,
      );
    }
    return new UserError("PS872", `${this.label}: ${message} ${stopped}`, { others: [error.code] });
  }

  private get manager(): string {
    return this.adminUser === undefined
      ? `"${this.user}" of the registered connection string`
      : `"${this.adminUser}" of adminConnectionString`;
  }

  private opened(connectionString: string): { service: ServiceType; target: ProbeTarget } {
    try {
      const opened = targetOf({ ...this.requestOf(connectionString), access: "write" });
      if (opened.service.users !== undefined) return opened;
      return this.refuse(`credentials of the type ${opened.service.type} cannot be rotated from here`);
    } catch (error) {
      if (error instanceof ConnectionStringError)
        return this.refuse(`a connection string cannot be read: ${error.message}`);
      throw error;
    }
  }

  private requestOf(connectionString: string) {
    const { type, config } = this.registration;
    return { connectionString, type, config, timeoutMs: this.timeoutMs, signal: this.signal };
  }

  private refuse(reason: string): never {
    throw new UserError(
      "PS871",
      `${this.label}: ${reason}. Expected a service with users that sign in by name and password. Nothing was changed.`,
    );
  }
}

/** What holds when a step does not succeed. */
const stoppedAfter = (step: OpenRotation["step"]): string =>
  `The rotation stopped after the step "${step}"; ${step === "switched" || step === "disabled" ? "the new credential is registered" : "the registry keeps the old credential"}. Run again: it goes on from here.`;
