/**
 * One rotation of a registered credential: intended → made → proven → switched → disabled → ended. Each step
 * is noted in the target when it is done and may be made again, so that a run goes on where another one was
 * killed. What the steps do to a service is left to `service.ts`.
 */
import type { ClientBase } from "pg";
import type { ProviderConfig } from "../core/config.ts";
import { UserError } from "../core/errors.ts";
import type { Reporter } from "../core/resourceType.ts";
import { visible } from "../core/visible.ts";
import type { Database } from "../database/target.ts";
import { inTransaction } from "../database/transaction.ts";
import type { ServiceClient } from "../services/serviceType.ts";
import {
  groupOf,
  lockRotation,
  noteGrace,
  noteIntent,
  noteStep,
  type OpenRotation,
  type Registration,
  type RotationStep,
  readRegistration,
  type Sharer,
  sharersOf,
  switchRegistration,
  unlockRotation,
} from "./records.ts";
import { ServiceCredentials } from "./service.ts";
import { loginNames, newPassword, successorOf } from "./successor.ts";

export interface RotationRequest {
  registrationId: string;
  /** Whether to begin one where none is open. One that is open is gone on with in any case. */
  begins: boolean;
  /** Signs in to manage the users of the service; without it, the registered string does. Secret. */
  adminConnectionString?: string | undefined;
  /** How long the old credential stays valid beside the new one; of a rotation that begins. */
  graceMs: number;
  /** Whether a person has given that time: then it is the one of a rotation that is open as well. */
  isGraceGiven?: boolean | undefined;
  /** Longest wait for one answer of the service. */
  timeoutMs?: number | undefined;
  report: Pick<Reporter, "info" | "warn">;
  signal: AbortSignal;
  /** Told of each step when it is noted. */
  onStep?: (step: RotationStep) => void;
}

/** Where a run has left a rotation. */
export interface RotationResult {
  registrationId: string;
  name: string;
  /** Undefined where there is none. */
  step: RotationStep | undefined;
  /** Whether this run has done a step. */
  hasChanged: boolean;
  /** The user that is registered now. */
  user: string;
  /** Until when the user before it may sign in, as ISO 8601; undefined where it may not, or none is open. */
  graceEndsAt: string | undefined;
}

/** How a step ended: whether the next one may follow in this run. */
type Outcome = "next" | "wait";

/**
 * @throws {UserError} that says what was done and what the next run does: PS871 and PS873 before anything is
 *   changed, PS872, PS875 and PS876 in the middle, PS874 where another run is at it.
 */
export async function rotateCredential(
  target: { database: Database; config: ProviderConfig },
  request: RotationRequest,
): Promise<RotationResult> {
  const lock = await target.database.connect();
  try {
    if (!(await lockRotation(lock, request.registrationId))) {
      throw new UserError(
        "PS874",
        `Another run rotates the registration ${request.registrationId} at this moment. Wait for its end; nothing was changed by this one.`,
      );
    }
    return await new Rotation(target, request).run();
  } finally {
    await unlockRotation(lock, request.registrationId).catch(() => undefined);
    // With its connection the lock ends in any case.
    lock.release(true);
  }
}

class Rotation {
  private readonly target: { database: Database; config: ProviderConfig };
  private readonly request: RotationRequest;
  private lastStep: RotationStep | undefined;
  private hasNewGrace = false;

  constructor(target: { database: Database; config: ProviderConfig }, request: RotationRequest) {
    this.target = target;
    this.request = request;
  }

  async run(): Promise<RotationResult> {
    let { begins } = this.request;
    const { isGraceGiven, registrationId, graceMs } = this.request;
    if (isGraceGiven) this.hasNewGrace = await this.transaction((client) => noteGrace(client, registrationId, graceMs));
    for (;;) {
      this.request.signal.throwIfAborted();
      const registration = await this.read();
      const service = new ServiceCredentials(registration, this.request);
      const { rotation } = registration;
      if (rotation === undefined) {
        if (!begins) return this.result(registration, service);
        await this.begin(registration, service);
      } else if ((await this.advance(rotation, service)) === "wait") return this.result(registration, service);
      begins = false;
    }
  }

  private async begin({ id, connectionString, type }: Registration, service: ServiceCredentials): Promise<void> {
    const oldUser = service.user;
    await this.refuseSharers(id, service);
    const group = await this.transaction((client) => groupOf(client, id, oldUser));
    const newUser = await service.freeName(group, loginNames(group, oldUser));
    const successor = successorOf(connectionString, type, newUser, newPassword());
    const { graceMs } = this.request;
    const intent = { registrationId: id, oldUser, newUser, group, successor, graceMs };
    await this.transaction((client) => noteIntent(client, intent));
    this.noted("intended");
  }

  /** A rotation gives the new credential to one registration, and disables the one that all of them have. */
  private async refuseSharers(id: string, { label, user }: ServiceCredentials): Promise<void> {
    const sharers = await this.transaction((client) => sharersOf(client, id, user));
    const same = sharers.filter(({ isSameAddress }) => isSameAddress);
    if (same.length > 0) {
      throw new UserError(
        "PS891",
        `${label}: its user "${user}" is registered for the same service as ${sharerList(same)}. Expected one registration: the others would be cut off when "${user}" is disabled. Give each a user of its own, or delete those whose readers can use this one. Nothing was changed.`,
      );
    }
    if (sharers.length > 0) {
      this.request.report.warn(
        `${label}: its user "${user}" is registered with the same password at another address as ${sharerList(sharers)}. Where that is the same service, give it another user within the grace time.`,
      );
    }
  }

  private advance(rotation: OpenRotation, service: ServiceCredentials): Promise<Outcome> {
    const { step, isStartRegistered, oldUser } = rotation;
    const isSwitched = step === "switched" || step === "disabled";
    if (!isSwitched && !isStartRegistered) return this.abandon(rotation, service);
    if (step === "switched" && service.user === oldUser) return this.keepOld(rotation, service);
    return this.steps[step](rotation, service);
  }

  /** What follows a step that is done. */
  private readonly steps: Record<
    RotationStep,
    (rotation: OpenRotation, service: ServiceCredentials) => Promise<Outcome>
  > = {
    intended: async (rotation, service) => {
      await service.make(rotation);
      return this.note(rotation, "made");
    },
    made: async (rotation, service) => {
      try {
        await service.prove(rotation);
      } catch (error) {
        // The next run makes it once more, with the rights that the old one has by then.
        if (error instanceof UserError && error.code === "PS875") await this.note(rotation, "intended");
        throw error;
      }
      return this.note(rotation, "proven");
    },
    proven: async (rotation, service) => {
      const password = service.hasPassword ? service.passwordOf(rotation.successor) : undefined;
      const isSwitched = await this.transaction((client) => switchRegistration(client, rotation.id, password));
      // Where not, the registration is read again, and has another string.
      if (isSwitched) this.noted("switched");
      return "next";
    },
    switched: (rotation, service) => this.disableOld(rotation, service),
    disabled: (rotation, service) => this.dropOld(rotation, service),
    ended: async () => "wait",
    abandoned: async () => "wait",
  };

  private async disableOld(rotation: OpenRotation, service: ServiceCredentials): Promise<Outcome> {
    const { oldUser, newUser, isGraceOver, graceEndsAt } = rotation;
    const { report } = this.request;
    if (!isGraceOver) {
      report.info(
        `${service.label}: "${newUser}" is registered. "${oldUser}" stays valid until ${graceEndsAt}; the next run after that disables it.`,
      );
      return "wait";
    }
    if (service.adminUser === oldUser) {
      report.warn(
        `${service.label}: "${oldUser}" is the user of adminConnectionString and so stays valid. Give another one to have it disabled by the next rotation.`,
      );
      return this.note(rotation, "ended");
    }
    const sharers = await this.transaction((client) => sharersOf(client, this.request.registrationId, oldUser));
    if (sharers.length > 0) {
      report.warn(
        `${service.label}: the grace time of "${oldUser}" is over, and it stays valid because it is registered as ${sharerList(sharers)}. Give each a user of its own; the next run then disables it.`,
      );
      return "wait";
    }
    const clients = await service.clientsOf(oldUser);
    if (clients.length > 0) {
      report.warn(
        `${service.label}: the grace time of "${oldUser}" is over, and it is still in use: ${clientList(clients)}. ` +
          "It is disabled now: these connections stay, and new ones are refused. Have these clients read the connection string from the registry.",
      );
    }
    await service.disable(oldUser);
    return this.note(rotation, "disabled");
  }

  private async dropOld(rotation: OpenRotation, service: ServiceCredentials): Promise<Outcome> {
    const { oldUser, group } = rotation;
    const { report } = this.request;
    if (oldUser === group) {
      report.info(`${service.label}: "${oldUser}" is disabled and kept, as no rotation has made it.`);
      return this.note(rotation, "ended");
    }
    const clients = await service.clientsOf(oldUser);
    if (clients.length > 0) {
      report.warn(
        `${service.label}: "${oldUser}" is disabled, and not dropped as long as it is in use: ${clientList(clients)}.`,
      );
      return "wait";
    }
    const reason = await service.drop(oldUser, group);
    if (reason === undefined) return this.note(rotation, "ended");
    report.warn(
      `${service.label}: "${oldUser}" is disabled and cannot be dropped: ${reason}. The next run tries again once that is mended.`,
    );
    return "wait";
  }

  /** Before the switch, a person has registered another string: that one counts. */
  private async abandon(rotation: OpenRotation, service: ServiceCredentials): Promise<Outcome> {
    const { newUser, group } = rotation;
    const { report } = this.request;
    report.warn(
      `${service.label}: another connection string was registered meanwhile, which stays. The rotation is given up.`,
    );
    if (service.user !== newUser) {
      try {
        const reason = await service.drop(newUser, group);
        if (reason !== undefined) throw new UserError("PS872", reason);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        report.warn(`${service.label}: the user "${newUser}" that it has made is left behind: ${error.message}`);
      }
    }
    return this.note(rotation, "abandoned");
  }

  /** After the switch, a person has registered the old user once more. */
  private async keepOld(rotation: OpenRotation, service: ServiceCredentials): Promise<Outcome> {
    const { oldUser, newUser } = rotation;
    this.request.report.warn(
      `${service.label}: "${oldUser}" was registered again, so it is not disabled. "${newUser}" stays valid as well: drop it where it is not in use.`,
    );
    return this.note(rotation, "abandoned");
  }

  private async note({ id }: OpenRotation, step: RotationStep): Promise<Outcome> {
    await this.transaction((client) => noteStep(client, id, step));
    this.noted(step);
    return "next";
  }

  private noted(step: RotationStep): void {
    this.lastStep = step;
    this.request.onStep?.(step);
  }

  private async read(): Promise<Registration> {
    const found = await this.transaction((client) => readRegistration(client, this.request.registrationId));
    if (found !== undefined) return found;
    throw new UserError(
      "PS871",
      `The registry has no registration ${this.request.registrationId}. Expected one that was not deleted meanwhile.`,
    );
  }

  private result({ id, name, rotation }: Registration, service: ServiceCredentials): RotationResult {
    return {
      registrationId: id,
      name,
      step: rotation?.step ?? this.lastStep,
      hasChanged: this.lastStep !== undefined || this.hasNewGrace,
      user: service.user,
      graceEndsAt: rotation?.step === "switched" ? rotation.graceEndsAt : undefined,
    };
  }

  private transaction<T>(work: (client: ClientBase) => Promise<T>): Promise<T> {
    const { database, config } = this.target;
    // A policy that hides the registration from us would look like one that is not there.
    const whole = async (client: ClientBase): Promise<T> => {
      await client.query("SET LOCAL row_security = off");
      return work(client);
    };
    return inTransaction(database, config, whole, { signal: this.request.signal });
  }
}

const sharerList = (sharers: readonly Sharer[]): string =>
  sharers.map(({ name, id, projectId }) => `"${visible(name)}" (${id}, of the project ${projectId})`).join(", ");

function clientList(clients: readonly ServiceClient[]): string {
  const shown = clients.slice(0, 5).map(({ application, address, connections }) => {
    const count = connections === 1 ? "1 connection" : `${connections} connections`;
    return `${count} of ${application === "" ? "an application without a name" : `"${visible(application)}"`} from ${address === "" ? "an unknown address" : visible(address)}`;
  });
  return shown.join("; ") + (clients.length > 5 ? `; and ${clients.length - 5} more clients` : "");
}
