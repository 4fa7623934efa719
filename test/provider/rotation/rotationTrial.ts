// A registry with one registration, and rotations of it as runs of their own.
import { connect as connectTcp, createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../../provider/core/errors.ts";
import { parseConfig } from "../../../provider/resources/provider/inputs.ts";
import { createSession } from "../../../provider/resources/session.ts";
import type { RotationStep } from "../../../provider/rotation/records.ts";
import {
  type RotationRequest,
  type RotationResult,
  rotateCredential,
} from "../../../provider/rotation/rotateCredential.ts";
import type { StudioDatabase } from "../../support/studio.ts";

/** Ends a run at a step, as a kill does: what it has open is rolled back. */
export class Killed extends Error {}

export interface Trial extends Partial<Omit<RotationRequest, "report" | "signal" | "onStep">> {
  /** The step after which the run is killed. */
  killAfter?: RotationStep;
}

/** Runs on one registry, with all that they have said. */
export class Registry {
  readonly studio: StudioDatabase;
  readonly projectId: string;
  readonly said: { infos: string[]; warnings: string[]; errors: string[] } = { infos: [], warnings: [], errors: [] };
  registrationId = "";
  defaults: Trial = {};

  constructor(studio: StudioDatabase, projectId: string) {
    this.studio = studio;
    this.projectId = projectId;
  }

  /** Unless it is beside them, the registrations of earlier tests are of other services. */
  async register(
    type: string,
    connectionString: string,
    config: object = {},
    { isBeside = false }: { isBeside?: boolean } = {},
  ): Promise<void> {
    const { username, hostname, port } = new URL(connectionString);
    if (!isBeside) {
      await this.studio.query("update platform.databases set connection_string = type || '://parked@earlier.invalid'");
    }
    const [row] = await this.studio.query<{ id: string }>(
      `insert into platform.databases (project_id, name, type, host, port, username, connection_string, config)
       values ($1, 'trial ' || gen_random_uuid(), $2, $6, $7, $3, $4, $5) returning id`,
      [this.projectId, type, username, connectionString, config, hostname, port],
    );
    this.registrationId = row?.id ?? "";
  }

  async rotate({ killAfter, ...trial }: Trial = {}): Promise<RotationResult> {
    const { config } = parseConfig({ url: this.studio.url });
    const session = createSession(config, { steps: [] });
    const { database } = session;
    if (database === undefined) throw new Error("the registry has no URL");
    try {
      return await rotateCredential(
        { database, config },
        {
          registrationId: this.registrationId,
          begins: true,
          graceMs: 0,
          ...this.defaults,
          ...trial,
          signal: new AbortController().signal,
          report: {
            info: (message) => void this.said.infos.push(message),
            warn: (message) => void this.said.warnings.push(message),
          },
          onStep: (step) => {
            if (step === killAfter) throw new Killed(step);
          },
        },
      );
    } finally {
      await session.close();
    }
  }

  /** The fault of a rotation that is refused. */
  async fault(trial: Trial = {}): Promise<UserError> {
    const error = await this.rotate(trial).then(
      (result) => new Error(`it succeeded: ${JSON.stringify(result)}`),
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof UserError)) throw error;
    this.said.errors.push(`${error.message}\n${error.stack}`);
    return error;
  }

  /** A run that is killed after a step. */
  async killed(killAfter: RotationStep, trial: Trial = {}): Promise<void> {
    const error = await this.rotate({ ...trial, killAfter }).then(
      () => new Error("it was not killed"),
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof Killed)) throw error;
  }

  /** What clients get of the registry. */
  async registered(): Promise<string> {
    const [row] = await this.studio.query<{ connection_string: string }>(
      "select platform_private.connection_string_of($1) as connection_string",
      [this.registrationId],
    );
    return row?.connection_string ?? "";
  }

  async rotations(): Promise<{ step: RotationStep; old_username: string; new_username: string; successor: string }[]> {
    return this.studio.query(
      `select step, old_username, new_username, platform_private.successor_of(r) as successor
         from platform_private.credential_rotations as r where database_id = $1 order by intended_at`,
      [this.registrationId],
    );
  }

  async lastStep(): Promise<RotationStep | undefined> {
    return (await this.rotations()).at(-1)?.step;
  }

  /** A client that takes its string from the registry each time: how often it has, and its faults. */
  useEvery10Ms(use: (connectionString: string) => Promise<unknown>): {
    stop(): Promise<{ uses: number; faults: string[] }>;
  } {
    let isOn = true;
    const faults: string[] = [];
    const uses: Promise<void>[] = [];
    const loop = (async () => {
      while (isOn) {
        const connectionString = await this.registered();
        uses.push(
          use(connectionString).then(
            () => {},
            (error: unknown) => void faults.push(String(error)),
          ),
        );
        await sleep(10);
      }
      await Promise.all(uses);
    })();
    return {
      stop: async () => {
        isOn = false;
        await loop;
        return { uses: uses.length, faults };
      },
    };
  }
}

/** A port that leads to another one, as long as it is open. */
export async function startDoor(to: number) {
  const sockets = new Set<Socket>();
  let isOpen = true;
  let isFrozen = false;
  const server: Server = createServer((socket) => {
    socket.on("error", () => {});
    if (!isOpen) return void socket.destroy();
    sockets.add(socket);
    if (isFrozen) return;
    const other = connectTcp(to, "127.0.0.1").on("error", () => {});
    sockets.add(other);
    socket.pipe(other).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const cut = (): void => sockets.forEach((socket) => void socket.destroy());
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    open: () => {
      isOpen = true;
    },
    close: () => {
      isOpen = false;
      cut();
    },
    /** New connections are accepted, and nothing on them is answered. */
    freeze: (frozen: boolean) => {
      isFrozen = frozen;
    },
    stop: async () => {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
