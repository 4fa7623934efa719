import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** A moment of a connection at which the proxy lets a test act, while nothing passes in that direction. */
export interface Boundary {
  /** Of the statement, counted over all connections since the last `restart`, from 1. */
  number: number;
  /** Text of the statement, without its parameters. */
  sql: string;
  /**
   * `before`: the server has not got the statement. `after`: it has answered, and the client does not know.
   */
  side: "before" | "after";
  connection: ProxiedConnection;
}

export interface ProxiedConnection {
  /** Number of the server's process; 0 before the server told it. */
  backendPid: number;
  /** Breaks it on both ends, as a network that fails does. */
  cut(): void;
  /** Done when the server has closed its end. */
  ended: Promise<unknown>;
}

/** A server on loopback that passes PostgreSQL's protocol on, statement by statement. */
export interface StatementProxy {
  port: number;
  /** The same URL with the proxy in the server's place. */
  url(serverUrl: string): string;
  /** Statements since the last `restart`, in order. */
  statements: string[];
  /**
   * Counts from 1 again, and asks `hold` at each boundary from now on. Without it everything is passed on.
   */
  restart(hold?: (boundary: Boundary) => Promise<void> | void): void;
  close(): Promise<void>;
}

/**
 * A question that is asked only while something takes long: it would make the count differ from run to run.
 */
const OCCASIONAL = /pg_blocking_pids/;

const SSL_REQUEST = 80877103;
const CANCEL_REQUEST = 80877102;

/** @param server where to pass on to; TLS is never offered. */
export async function startStatementProxy(server: { host: string; port: number }): Promise<StatementProxy> {
  let hold: ((boundary: Boundary) => Promise<void> | void) | undefined;
  const statements: string[] = [];
  const open = new Set<Socket>();
  const listener = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ ...server, noDelay: true });
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => open.delete(socket));
    }
    relay(client, upstream, (sql, connection) => {
      if (OCCASIONAL.test(sql)) return undefined;
      const number = statements.push(sql);
      return async (side) => hold?.({ number, sql, side, connection });
    });
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("the proxy got no port");
  const { port } = address;
  return {
    port,
    url: (serverUrl) => {
      const url = new URL(serverUrl);
      url.host = `127.0.0.1:${port}`;
      return url.href;
    },
    statements,
    restart: (next) => {
      statements.length = 0;
      hold = next;
    },
    close: async () => {
      for (const socket of open) socket.destroy();
      listener.close();
      await once(listener, "close");
    },
  };
}

type Ask = (side: Boundary["side"]) => Promise<void>;

function relay(
  client: Socket,
  server: Socket,
  begin: (sql: string, connection: ProxiedConnection) => Ask | undefined,
): void {
  const connection: ProxiedConnection = {
    backendPid: 0,
    cut: () => {
      client.resetAndDestroy();
      server.resetAndDestroy();
    },
    ended: new Promise((resolve) => server.once("close", resolve)),
  };
  /** Statements without an answer, in order: a client may send some ahead. */
  const unanswered: (Ask | undefined)[] = [];
  let insideGroup = false;

  const fromClient = messages({ untyped: true }, async (message, type) => {
    const starts = type === "Q" || (!insideGroup && (type === "P" || type === "B"));
    if (starts) {
      const ask = begin(statementOf(message, type), connection);
      unanswered.push(ask);
      await ask?.("before");
    }
    insideGroup = type === "P" || type === "B" || (insideGroup && type !== "S" && type !== "Q");
    if (type !== "" || requestOf(message) !== SSL_REQUEST) server.write(message);
    else client.write("N");
  });
  // The answer to a statement is kept back until all of it is there, so that a test can act before the client
  // knows.
  let answer: Buffer[] = [];
  const fromServer = messages({ untyped: false }, async (message, type) => {
    if (type === "K") connection.backendPid = message.readInt32BE(5);
    answer.push(message);
    if (type === "Z") await unanswered.shift()?.("after");
    // The client waits for the word to send the rows of a COPY.
    else if (unanswered.length > 0 && type !== "G") return;
    client.write(Buffer.concat(answer));
    answer = [];
  });
  client.on("data", fromClient);
  server.on("data", fromServer);
  client.on("close", () => server.destroy());
  server.on("close", () => {
    // What a server says before it closes, without an end of its answer.
    if (!client.destroyed) client.end(Buffer.concat(answer));
  });
}

/** Cuts a stream into messages and hands them on one after another. */
function messages(
  options: { untyped: boolean },
  handle: (message: Buffer, type: string) => Promise<void>,
): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0);
  let untyped = options.untyped;
  let turn: Promise<void> = Promise.resolve();
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      // The first message of a client has no type; one that asks for TLS is followed by another such.
      const head = untyped ? 0 : 1;
      if (rest.length < head + 4) return;
      const length = head + rest.readInt32BE(head);
      if (rest.length < length) return;
      const message = rest.subarray(0, length);
      rest = rest.subarray(length);
      const type = untyped ? "" : message.toString("latin1", 0, 1);
      if (untyped) untyped = requestOf(message) === SSL_REQUEST || requestOf(message) === CANCEL_REQUEST;
      turn = turn.then(() => handle(message, type));
    }
  };
}

const requestOf = (message: Buffer): number => message.readInt32BE(4);

/** The text of a Query or Parse message; a Parse has the name of the prepared statement before it. */
function statementOf(message: Buffer, type: string): string {
  const texts = message.toString("utf8", 5).split("\0");
  return (type === "P" ? texts[1] : type === "Q" ? texts[0] : "") ?? "";
}
