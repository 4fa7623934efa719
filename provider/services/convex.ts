/**
 * Convex: HTTPS with a deploy key, which is the password of a string `convex://deploy:<key>@host`. The host
 * is the one of the deployment's URL.
 */
import { ConnectionStringError } from "./connectionStringError.ts";
import { networkFailure, ProbeFailure } from "./failures.ts";
import { shakeHands, type TlsChecks, tlsOptions } from "./network.ts";
import type { ProbeTarget, ServiceType } from "./serviceType.ts";

/** More than this is no answer of the kind that is asked for. */
const MOST_BYTES = 1_000_000;

export const convex: ServiceType<"convex"> = {
  type: "convex",
  schemes: { convex: { tls: true } },
  defaultPort: 443,

  read({ username, password, path }) {
    if (password === undefined) {
      throw new ConnectionStringError("it has no deploy key; expected convex://deploy:<deploy key>@<host>");
    }
    if (path !== undefined)
      throw new ConnectionStringError("it has a path; a deployment has one database without a name");
    return { username, database: undefined, tls: true };
  },

  async probe(target) {
    const { parts, signal } = target;
    const checks: TlsChecks = { ca: target.ca, verifiesChain: true, verifiesHost: true };
    await shakeHands(parts, checks, signal);
    try {
      const { body } = await answered(target, checks, "/version", undefined);
      const started = performance.now();
      // Lists what only a key with rights on the deployment sees, and says no value of a row.
      const { status } = await answered(target, checks, "/api/json_schemas?format=json", parts.password);
      const latencyMs = Math.round((performance.now() - started) * 10) / 10;
      if (status === 401) throw new ProbeFailure("login", parts);
      if (status === 403) throw new ProbeFailure("rights", parts);
      if (status === 429 || status >= 500) throw new ProbeFailure("busy", parts, { code: status });
      if (status !== 200) throw new ProbeFailure("protocol", parts, { code: status });
      return { version: /^[\w.-]{1,40}$/.test(body.trim()) ? body.trim() : undefined, latencyMs };
    } catch (error) {
      const known = networkFailure(error, parts);
      throw known ?? new ProbeFailure(signal.aborted ? "timeout" : "protocol", parts);
    }
  },
};

async function answered({ parts, signal }: ProbeTarget, checks: TlsChecks, path: string, key: string | undefined) {
  const { request } = await import("node:https");
  return new Promise<{ status: number; body: string }>((resolve, reject) => {
    const headers = key === undefined ? {} : { Authorization: `Convex ${key}` };
    const { host, port } = parts;
    const asked = request(
      { host, port, path, headers, signal, ...tlsOptions(parts, checks), agent: false },
      (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (part: string) => {
          body += part;
          if (body.length > MOST_BYTES) response.destroy(new Error("the answer is too long"));
        });
        response.once("error", reject).once("end", () => resolve({ status: response.statusCode ?? 0, body }));
      },
    );
    asked.once("error", reject).end();
  });
}
