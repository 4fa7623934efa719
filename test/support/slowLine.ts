import { connect, createServer, type Server, type Socket } from "node:net";

/** A way to a server on which each message takes a while. */
export interface SlowLine {
  url: string;
  /** How often the client has said something after it had heard something: each costs the way both ways. */
  turns(): number;
  close(): void;
}

export async function slowLineTo(url: string, delayMs: number): Promise<SlowLine> {
  const { hostname, port } = new URL(url);
  const sockets: Socket[] = [];
  let turns = 0;
  const carry = (from: Socket, to: Socket, onData: () => void): void => {
    sockets.push(from);
    from.on("data", (data) => {
      onData();
      setTimeout(() => to.write(data), delayMs);
    });
    from.on("close", () => setTimeout(() => to.destroy(), delayMs));
    from.on("error", () => {});
  };
  const server: Server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    let hasHeard = true;
    carry(client, upstream, () => {
      if (hasHeard) turns += 1;
      hasHeard = false;
    });
    carry(upstream, client, () => {
      hasHeard = true;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the line has no port");
  const through = new URL(url);
  through.port = String(address.port);
  return {
    url: through.href,
    turns: () => turns,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
