/**
 * What lies below the protocol of a service: whether its name is known, its port accepts, and how it speaks
 * TLS. Clients tell these apart badly, so they are asked before a client is.
 */
import { lookup } from "node:dns/promises";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { codeOf, type Endpoint, networkFailure, ProbeFailure } from "./failures.ts";

/** What TLS verifies of a service. */
export interface TlsChecks {
  /** Authorities beside those of the system, as PEM. */
  ca: string | undefined;
  /** False to encrypt only, as `sslmode=require` does. */
  verifiesChain: boolean;
  /** False to take a certificate for any host. */
  verifiesHost: boolean;
}

/** As the clients of Node take it. */
export function tlsOptions({ host }: Endpoint, { ca, verifiesChain, verifiesHost }: TlsChecks): ConnectionOptions {
  return {
    // An address is no name that a client may announce.
    ...(isIP(host) === 0 && { servername: host }),
    ...(ca !== undefined && { ca }),
    rejectUnauthorized: verifiesChain,
    ...(!verifiesHost && { checkServerIdentity: () => undefined }),
  };
}

/** @throws {ProbeFailure} where the name is not known, or the port does not accept. */
export async function reach(where: Endpoint, signal: AbortSignal): Promise<void> {
  try {
    // The look-up itself cannot be ended; its answer is then not waited for.
    await orAborted(lookup(where.host), signal);
    const socket = await opened((done) => connectTcp({ ...where, signal }, done));
    socket.destroy();
  } catch (error) {
    throw networkFailure(error, where) ?? new ProbeFailure("unreachable", where, { code: codeOf(error) });
  }
}

/**
 * A handshake with a service that speaks TLS from its first byte.
 *
 * @throws {ProbeFailure} where it does not, or its certificate does not verify.
 */
export async function shakeHands(where: Endpoint, checks: TlsChecks, signal: AbortSignal): Promise<void> {
  try {
    const { host, port } = where;
    const socket = await opened((done) =>
      endedBy(signal, connectTls({ host, port, ...tlsOptions(where, checks) }, done)),
    );
    socket.destroy();
  } catch (error) {
    throw networkFailure(error, where) ?? new ProbeFailure("noTls", where);
  }
}

/** Whether it answers a handshake at all: a service that accepts TLS alone only closes a plain connection. */
export async function speaksTls(where: Endpoint, signal: AbortSignal): Promise<boolean> {
  const checks: TlsChecks = { ca: undefined, verifiesChain: false, verifiesHost: false };
  return shakeHands(where, checks, signal).then(
    () => true,
    () => false,
  );
}

/** Whether a service answers without TLS to the first words of its protocol. */
export async function answersPlain(where: Endpoint, hello: string, signal: AbortSignal): Promise<boolean> {
  const socket = connectTcp({ ...where, signal }, () => socket.write(hello));
  const answered = new Promise<boolean>((resolve) => {
    socket.once("data", () => resolve(true));
    socket.once("error", () => resolve(false)).once("close", () => resolve(false));
  });
  return answered.finally(() => socket.destroy());
}

function opened<S extends Socket>(open: (done: () => void) => S): Promise<S> {
  return new Promise((resolve, reject) => {
    const socket = open(() => resolve(socket));
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("closed")));
  });
}

function endedBy<S extends Socket>(signal: AbortSignal, socket: S): S {
  const end = () => socket.destroy(timeout());
  if (signal.aborted) end();
  signal.addEventListener("abort", end, { once: true });
  socket.once("close", () => signal.removeEventListener("abort", end));
  return socket;
}

/** The promise's result, unless the signal comes first. */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = () => reject(timeout());
    if (signal.aborted) end();
    signal.addEventListener("abort", end, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", end));
  });
}

const timeout = (): Error => Object.assign(new Error("no answer in time"), { code: "ETIMEDOUT" });
