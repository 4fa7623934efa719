/** Which inputs a probe takes, their defaults, and what is wrong with them. */
import { z } from "zod";
import type { CheckFailure, Properties } from "../../core/resourceType.ts";
import { containsUnknown } from "../../core/values.ts";
import { parseConnectionString } from "../../services/connectionString.ts";
import { ConnectionStringError } from "../../services/connectionStringError.ts";
import { PROBE_TIMEOUT_MS } from "../../services/probe.ts";
import { DATABASE_TYPES } from "../../services/serviceTypes.ts";

const schema = z.strictObject({
  connectionString: z.string().min(1, "is empty"),
  type: z.enum(DATABASE_TYPES, `expected one of ${DATABASE_TYPES.join(", ")}`),
  mode: z.enum(["require", "warn"], "expected require or warn").default("warn"),
  config: z.record(z.string(), z.unknown()).default({}),
  access: z.enum(["read", "write"], "expected read or write").default("write"),
  registration: z.strictObject({ project: z.string(), name: z.string() }).optional(),
  timeoutMs: z.int("expected a whole number").min(1, "expected 1 or more").default(PROBE_TIMEOUT_MS),
});

export type ProbeInputs = z.infer<typeof schema>;

const NAMES = Object.keys(schema.shape);

/** What a change of asks for another probe. */
export const PROBED = NAMES.filter((name) => name !== "registration");

/** Undefined while a part of them is not known. Faults never repeat a value. */
export function parseProbeInputs(properties: Properties): { inputs?: ProbeInputs; failures: CheckFailure[] } {
  const given = Object.entries(properties).filter(
    // A registration that is still to be made has replaced no string.
    ([name, value]) => value !== null && value !== undefined && !(name === "registration" && containsUnknown(value)),
  );
  if (given.some(([, value]) => containsUnknown(value))) return { failures: [] };
  const parsed = schema.safeParse(Object.fromEntries(given));
  if (parsed.success) {
    const found = unreadable(parsed.data);
    return { inputs: parsed.data, failures: found === undefined ? [] : [fault("connectionString", found)] };
  }
  return {
    failures: parsed.error.issues.flatMap(({ path, message, ...issue }) =>
      issue.code === "unrecognized_keys" && path.length === 0
        ? issue.keys.map((name) => fault(name, `unknown property; expected one of ${NAMES.join(", ")}`))
        : [fault(path.join("."), message)],
    ),
  };
}

function unreadable({ connectionString, type }: ProbeInputs): string | undefined {
  try {
    const found = parseConnectionString(connectionString, type).type;
    return found === type ? undefined : `is one of type "${found}", expected one of type "${type}"`;
  } catch (error) {
    if (error instanceof ConnectionStringError) return `cannot be used: ${error.message}`;
    throw error;
  }
}

const fault = (property: string, reason: string): CheckFailure => ({ code: "PS601", property, reason });
