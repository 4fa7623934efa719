/** The settings of a stack that commands need, and its secrets, which no output may have. */
import { z } from "zod";
import { createRedactor } from "../../provider/protocol/redactor.ts";
import { askPulumi } from "./pulumi.ts";

const settings = z.record(z.string(), z.object({ value: z.string().default(""), secret: z.boolean().default(false) }));

export interface StackSettings {
  /** Where the start, the end and the failure of an update are told. Secret. */
  notifyUrl: string | undefined;
  /** Secret. Undefined where the stack runs on the local database. */
  databaseUrl: string | undefined;
  backupFolder: string | undefined;
  /** The stack that must have verified the same before this one. */
  promoteFrom: string | undefined;
  /** Takes all secrets of the stack's settings out of a text. */
  redact(text: string): string;
  /** A plain value without them in any of its texts. */
  withoutSecrets<T>(value: T): T;
}

/**
 * @param stack default: the one that is selected.
 * @throws {UserError} where the settings cannot be read.
 */
export async function readStackSettings(
  folder: string,
  stack: string | undefined,
  env: NodeJS.ProcessEnv,
): Promise<StackSettings> {
  const where = stack === undefined ? [] : ["--stack", stack];
  const text = await askPulumi(folder, ["config", "--show-secrets", "--json", ...where], env);
  const all = Object.entries(settings.parse(JSON.parse(text)));
  const redactor = createRedactor();
  for (const [, { value, secret }] of all) if (secret) redactor.add(value);
  const named = (setting: string) => all.find(([name]) => name.endsWith(`:${setting}`))?.[1].value;
  const notifyUrl = named("notifyUrl");
  if (notifyUrl !== undefined) redactor.add(notifyUrl);
  const redact = (part: string): string => redactor.redact(part);
  return {
    notifyUrl,
    databaseUrl: named("databaseUrl"),
    backupFolder: named("backupFolder"),
    promoteFrom: named("promoteFrom"),
    redact,
    withoutSecrets: (value) =>
      JSON.parse(JSON.stringify(value), (_, inner) => (typeof inner === "string" ? redact(inner) : inner)),
  };
}
