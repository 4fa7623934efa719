import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { FromClients, ToClients, TrafficOrder, TrafficReport } from "./protocol.ts";

/** Clients that work on a database. */
export interface Traffic {
  /** Lets them finish what they are at, and tells what they met. */
  stop(): Promise<TrafficReport>;
}

/**
 * Starts clients that run transactions in a loop, in a process of their own. Resolves when all are connected.
 */
export async function startTraffic(order: TrafficOrder): Promise<Traffic> {
  const child = fork(join(import.meta.dirname, "clients.ts"), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const exited = once(child, "exit").then(([code, signal]) => {
    throw new Error(`the clients ended before they reported: ${String(code ?? signal)}`);
  });
  exited.catch(() => {}); // after the report it means nothing
  const say = (message: ToClients): void => void child.send(message);
  const next = (): Promise<FromClients> =>
    Promise.race([once(child, "message").then(([message]: FromClients[]) => asMessage(message)), exited]);
  say({ start: order });
  await next();
  return {
    async stop() {
      say({ stop: true });
      const message = await next();
      if (!("report" in message)) throw new Error("the clients did not report");
      return message.report;
    },
  };
}

function asMessage(message: FromClients | undefined): FromClients {
  if (message === undefined) throw new Error("the clients said nothing");
  return message;
}
