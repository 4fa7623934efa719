// How probes are tried: what a failure is told as, and that no secret is in it.
import { createServer, type Server, type Socket } from "node:net";
import { expect } from "vitest";
import { freePort } from "../../../provider/embedded/server.ts";
import { type FailureKind, ProbeFailure } from "../../../provider/services/failures.ts";
import { type ProbeRequest, probeService } from "../../../provider/services/probe.ts";

export type Trial = Omit<ProbeRequest, "access" | "type"> & Partial<Pick<ProbeRequest, "access">>;

/** Probes of one type. */
export function probesOf(type: string) {
  const probe = (trial: Trial) => probeService({ access: "write", ...trial, type });

  async function failure(trial: Trial): Promise<ProbeFailure> {
    const error = await probe(trial).then(
      (answer) => new Error(`it succeeded: ${JSON.stringify(answer)}`),
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof ProbeFailure)) throw error;
    const url = new URL(trial.connectionString);
    for (const secret of [url.password, decodeURIComponent(url.password), trial.connectionString]) {
      if (secret !== "") expect(`${error.message}\n${error.stack}`).not.toContain(secret);
    }
    expect(error.message).toContain(`:${url.port}: `);
    expect(error.cause).toBeUndefined();
    return error;
  }

  return {
    probe,
    failure,
    kind: async (trial: Trial): Promise<FailureKind> => (await failure(trial)).kind,
  };
}

/** A port that accepts, and what it does with a connection. */
export async function standInService(
  onConnect: "silent" | "closing" | string,
): Promise<{ port: number; stop(): void }> {
  const port = await freePort();
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    if (onConnect === "closing") socket.destroy();
    else if (onConnect !== "silent") socket.end(onConnect);
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const stop = (): void => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { port, stop };
}
