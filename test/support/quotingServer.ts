/** A Redis that knows no user, and quotes what it was told in its answer, as old versions do. */
import { createServer } from "node:net";

export interface QuotingServer {
  /** A connection string with this password. */
  url(password: string): string;
  /** All that it was told. */
  received(): string;
  close(): Promise<void>;
}

export async function startQuotingServer(): Promise<QuotingServer> {
  let received = "";
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (data) => {
      received += data;
      const [command, ...words] = data
        .toString()
        .split("\r\n")
        .filter((line) => /^[^*$]/.test(line));
      socket.write(`-ERR unknown command '${command}', with args beginning with: '${words.join("' '")}'\r\n`);
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return {
    url: (password) => `redis://user:${password}@127.0.0.1:${address.port}`,
    received: () => received,
    close: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}
