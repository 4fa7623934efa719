/** MySQL's protocol: MySQL, MariaDB, PlanetScale. TLS by the parameters that their clients know. */
import { ConnectionStringError } from "./connectionStringError.ts";
import { codeOf, type FailureKind, networkFailure, ProbeFailure } from "./failures.ts";
import { type TlsChecks, tlsOptions } from "./network.ts";
import { milliseconds, type ProbeTarget, type ServiceType } from "./serviceType.ts";
import { single } from "./urlParameters.ts";

/** Modes of `ssl-mode`, and what they verify; undefined where they demand no TLS. */
const SSL_MODES: Readonly<Record<string, Omit<TlsChecks, "ca"> | undefined>> = {
  DISABLED: undefined,
  PREFERRED: undefined,
  REQUIRED: { verifiesChain: false, verifiesHost: false },
  VERIFY_CA: { verifiesChain: true, verifiesHost: false },
  VERIFY_IDENTITY: { verifiesChain: true, verifiesHost: true },
};
const WHOLE = { verifiesChain: true, verifiesHost: true };

/** What the parameters demand; undefined where they demand no TLS. */
function demandedTls(parameters: URLSearchParams): Omit<TlsChecks, "ca"> | undefined {
  const mode = single(parameters, ["ssl-mode", "sslmode"]);
  const accept = single(parameters, ["sslaccept"]);
  const ssl = single(parameters, ["ssl"]);
  if (mode !== undefined) {
    const name = mode.toUpperCase().replace("-", "_");
    if (!Object.hasOwn(SSL_MODES, name)) {
      throw new ConnectionStringError(
        `its ssl-mode is not known; expected one of ${Object.keys(SSL_MODES).join(", ")}`,
      );
    }
    return SSL_MODES[name];
  }
  if (accept === "strict") return WHOLE;
  if (accept === "accept_invalid_certs") return { verifiesChain: false, verifiesHost: false };
  if (accept !== undefined) {
    throw new ConnectionStringError("its sslaccept is not known; expected one of strict, accept_invalid_certs");
  }
  if (ssl === undefined || ssl === "false" || ssl === "0") return undefined;
  if (ssl === "true" || ssl === "1") return WHOLE;
  // The form of the client of Node, which PlanetScale gives out.
  const match = /^\{\s*"rejectUnauthorized"\s*:\s*(true|false)\s*\}$/.exec(ssl);
  if (match === null) {
    throw new ConnectionStringError('its ssl is none of true, false and {"rejectUnauthorized":true}');
  }
  return match[1] === "true" ? WHOLE : { verifiesChain: false, verifiesHost: false };
}

/** Words of OpenSSL, as the client puts a code of its own in the place of those that TLS gives. */
const TLS_WORDS: readonly [RegExp, string][] = [
  [/Hostname\/IP does not match/, "ERR_TLS_CERT_ALTNAME_INVALID"],
  [/self.signed certificate in certificate chain/, "SELF_SIGNED_CERT_IN_CHAIN"],
  [/self.signed certificate/, "DEPTH_ZERO_SELF_SIGNED_CERT"],
  [/unable to (get|verify)/, "UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
  [/has expired/, "CERT_HAS_EXPIRED"],
  [/not yet valid/, "CERT_NOT_YET_VALID"],
];

/** Numbers of the server's errors. */
const ANSWERS: ReadonlyMap<unknown, FailureKind> = new Map<unknown, FailureKind>([
  [1044, "rights"],
  [1045, "login"],
  [1698, "login"],
  [1049, "database"],
  [1142, "rights"],
  [1227, "rights"],
  [1040, "busy"],
  [1053, "busy"],
  [1129, "busy"],
  [1203, "busy"],
  [1290, "readOnly"],
  [3159, "onlyTls"],
  [4151, "login"],
]);

/** Rights of the user itself, beside those on rows of tables. Roles that are not active do not count. */
const RIGHTS = `
  SELECT @@read_only AS readOnly,
    (SELECT COUNT(*) FROM information_schema.user_privileges WHERE privilege_type = ?)
    + (SELECT COUNT(*) FROM information_schema.schema_privileges WHERE privilege_type = ? AND ? LIKE table_schema)
    + (SELECT COUNT(*) FROM information_schema.table_privileges WHERE privilege_type = ? AND table_schema = ?) AS rights`;

export const mysql: ServiceType<"mysql"> = {
  type: "mysql",
  schemes: { mysql: { tls: false } },
  defaultPort: 3306,

  read: ({ username, path, parameters }) => ({
    username,
    database: path,
    tls: demandedTls(parameters) !== undefined,
  }),

  async probe(target) {
    const { parts, signal, access } = target;
    const client = await createClient(target);
    const ended = () => client.destroy();
    signal.addEventListener("abort", ended, { once: true });
    try {
      await new Promise<void>((resolve, reject) => client.connect((error) => (error ? reject(error) : resolve())));
      const ask = client.promise();
      const latencyMs = await milliseconds(() => ask.query("SELECT 1"));
      const version = field(await ask.query("SELECT VERSION() AS version"), "version");
      const needed = access === "read" ? "SELECT" : "INSERT";
      const database = parts.database ?? "";
      const answer = await ask.query(RIGHTS, [needed, needed, database, needed, database]);
      if (access === "write" && Number(field(answer, "readOnly")) === 1) throw new ProbeFailure("readOnly", parts);
      if (database !== "" && Number(field(answer, "rights")) === 0) {
        throw new ProbeFailure("rights", parts, { words: `${needed} on a table of its database` });
      }
      return { version: /^\d+(\.\d+)*/.exec(String(version))?.[0], latencyMs };
    } catch (error) {
      throw failureOf(error, target);
    } finally {
      signal.removeEventListener("abort", ended);
      client.destroy();
    }
  },
};

async function createClient({ parts, parameters, ca, timeoutMs }: ProbeTarget) {
  const { createConnection } = await import("mysql2");
  const { host, port, username, password, database } = parts;
  const demanded = demandedTls(parameters);
  const client = createConnection({
    host,
    port,
    ...(username !== undefined && { user: username }),
    ...(password !== undefined && { password }),
    ...(database !== undefined && { database }),
    ...(demanded !== undefined && { ssl: sslOptions({ ca, ...demanded }) }),
    connectTimeout: timeoutMs,
  });
  // What it says is in the answer of each call as well.
  client.on("error", () => {});
  return client;

  function sslOptions(checks: TlsChecks) {
    const { ca: authorities, rejectUnauthorized = true } = tlsOptions(parts, checks);
    return {
      ...(typeof authorities === "string" && { ca: authorities }),
      rejectUnauthorized,
      verifyIdentity: checks.verifiesHost,
    };
  }
}

/** A column of the first row. */
function field(answer: unknown, name: string): unknown {
  const rows: unknown = Array.isArray(answer) ? answer[0] : undefined;
  const row: unknown = Array.isArray(rows) ? rows[0] : undefined;
  return typeof row === "object" && row !== null ? Object.entries(row).find(([key]) => key === name)?.[1] : undefined;
}

function failureOf(error: unknown, { parts, signal }: ProbeTarget): ProbeFailure {
  if (error instanceof ProbeFailure) return error;
  const number: unknown = error instanceof Error && "errno" in error ? error.errno : undefined;
  const kind = ANSWERS.get(number);
  if (kind !== undefined) return new ProbeFailure(kind, parts, { code: number });
  const code = codeOf(error);
  const known = networkFailure(error, parts);
  if (known !== undefined) return known;
  if (code === "HANDSHAKE_SSL_ERROR" && error instanceof Error) {
    const meant = TLS_WORDS.find(([words]) => words.test(error.message))?.[1];
    const failure = networkFailure(Object.assign(new Error("TLS"), { code: meant ?? "" }), parts);
    return failure ?? new ProbeFailure("noTls", parts);
  }
  if (code === "HANDSHAKE_NO_SSL_SUPPORT") return new ProbeFailure("noTls", parts);
  if (signal.aborted) return new ProbeFailure("timeout", parts);
  return new ProbeFailure("protocol", parts, { code });
}
