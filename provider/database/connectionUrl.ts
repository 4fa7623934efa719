/**
 * What a connection URL means, read as libpq reads it, TLS included, and what is wrong with it. No message
 * repeats the URL.
 */
import { readFileSync } from "node:fs";
import type { ConnectionOptions } from "node:tls";
import { UserError } from "../core/errors.ts";

export const URL_SHAPE = "postgresql://user:password@host:5432/database?sslmode=require";

/** `prefer` tries TLS and falls back to plain text; the others are final. */
export type TlsMode = "disable" | "prefer" | "require" | "verify-ca" | "verify-full";

/** Where to connect and how, without anything that must not be printed except `driverUrl`. */
export interface ConnectionTarget {
  /** `user@host:port/database`, for messages. */
  label: string;
  host: string;
  port: number;
  user: string;
  database: string;
  tlsMode: TlsMode;
  /** What TLS checks, used unless `tlsMode` is `disable`. Certificate files are read when it is called. */
  tlsOptions(): ConnectionOptions;
  /** Certificate files as the URL names them. */
  tlsFiles: Readonly<Record<"ca" | "cert" | "key", string | null>>;
  /** The URL without its TLS parameters, for the driver. Secret. */
  driverUrl: string;
}

const TLS_PARAMETERS = ["ssl", "sslmode", "sslrootcert", "sslcert", "sslkey", "uselibpqcompat"];

/**
 * What is wrong with a connection URL, or undefined when nothing is. Never repeats the URL, which holds a
 * password.
 */
export function connectionUrlFault(url: string): string | undefined {
  try {
    parseConnectionUrl(url);
    return undefined;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

/** Reads a connection URL as libpq does. Throws a `UserError` that never repeats the URL. */
export function parseConnectionUrl(url: string): ConnectionTarget {
  const parsed = parse(url);
  const query = parsed.searchParams;
  const user = query.get("user") ?? decode(parsed.username);
  const host = query.get("host") ?? decode(parsed.hostname.replace(/^\[(.+)\]$/, "$1"));
  const port = Number((query.get("port") ?? parsed.port) || "5432");
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw fault("the port is not a number from 1 to 65535");
  const database = query.get("dbname") ?? decode(parsed.pathname.slice(1));
  if (host === "") throw fault("the host is missing");
  if (user === "") throw fault("the user is missing");
  if (database === "") throw fault("the database name is missing");
  const tlsMode = tlsModeOf(query, host);
  const files = { ca: query.get("sslrootcert"), cert: query.get("sslcert"), key: query.get("sslkey") };

  const driverUrl = new URL(parsed);
  for (const name of [...TLS_PARAMETERS, "dbname"]) driverUrl.searchParams.delete(name);
  if (query.has("dbname")) driverUrl.pathname = `/${encodeURIComponent(database)}`;

  return {
    label: `${user}@${host.includes(":") ? `[${host}]` : host}:${port}/${database}`,
    host,
    port,
    user,
    database,
    tlsMode,
    tlsOptions: () => tlsOptions(tlsMode, files),
    tlsFiles: files,
    driverUrl: driverUrl.href,
  };
}

function parse(url: string): URL {
  const text = url.trim();
  if (text === "") throw fault("it is empty");
  if (/^\s*\w+\s*=/.test(text)) throw fault("it is a list of keywords (host=… dbname=…)");
  if (!/^postgres(ql)?:\/\//i.test(text)) throw fault("it does not begin with postgresql://");
  const unescaped = fault(
    "it does not parse; most often the password holds one of / ? # @ : % unescaped, which must be written as %2F %3F %23 %40 %3A %25",
  );
  // A second @ before the path means an unescaped one within the password.
  if ((text.split(/[/?#]/)[2] ?? "").split("@").length > 2) throw unescaped;
  try {
    const parsed = new URL(text);
    decodeURIComponent(parsed.password);
    return parsed;
  } catch {
    throw unescaped;
  }
}

function tlsModeOf(query: URLSearchParams, host: string): TlsMode {
  if (host.startsWith("/")) return "disable"; // a Unix socket
  const ssl = query.get("ssl");
  const mode = query.get("sslmode") ?? (ssl === null ? process.env.PGSSLMODE : isFalse(ssl) ? "disable" : "require");
  switch (mode) {
    case undefined:
    case "":
    case "allow":
    case "prefer":
      return "prefer";
    case "require":
      // With a root certificate libpq verifies it even in this mode.
      return query.has("sslrootcert") ? "verify-ca" : "require";
    case "no-verify":
      return "require";
    case "disable":
    case "verify-ca":
    case "verify-full":
      return mode;
    default:
      throw fault("sslmode is none of disable, allow, prefer, require, verify-ca, verify-full");
  }
}

function isFalse(text: string): boolean {
  return text === "0" || text === "false";
}

function tlsOptions(mode: TlsMode, files: Record<"ca" | "cert" | "key", string | null>): ConnectionOptions {
  const options: ConnectionOptions = { rejectUnauthorized: mode === "verify-ca" || mode === "verify-full" };
  if (mode === "verify-ca") options.checkServerIdentity = () => undefined;
  for (const name of ["ca", "cert", "key"] as const) {
    const file = files[name];
    if (file && file !== "system") options[name] = readCertificate(file);
  }
  return options;
}

function readCertificate(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
    throw new UserError(
      "PS602",
      `cannot read the certificate file "${file}" named in the database URL (${reason}); give a path that exists, absolute or relative to the project directory`,
    );
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw fault("a % in it is not followed by two hexadecimal digits; write a percent sign as %25");
  }
}

function fault(found: string): UserError {
  return new UserError("PS602", `the database URL is not usable: ${found}. Expected ${URL_SHAPE}`);
}
