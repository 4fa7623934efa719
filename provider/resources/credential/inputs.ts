/** Which inputs a credential takes, their defaults, and what is wrong with them. */
import { z } from "zod";
import { DURATION_SHAPE, parseDuration } from "../../core/duration.ts";
import type { CheckFailure, Properties } from "../../core/resourceType.ts";
import { containsUnknown } from "../../core/values.ts";

export const DEFAULT_GRACE = "1d";

const duration = z.string().transform((text, context) => {
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  context.addIssue({ code: "custom", message: `expected ${DURATION_SHAPE}` });
  return z.NEVER;
});

const schema = z.strictObject({
  registration: z.string().min(1, "is empty"),
  rotateEvery: duration.refine((ms) => ms > 0, "expected more than nothing").optional(),
  grace: duration.prefault(DEFAULT_GRACE),
  adminConnectionString: z.string().min(1, "is empty").optional(),
});

/** Spans are in milliseconds. */
export type CredentialInputs = z.output<typeof schema>;

export const PROPERTIES = Object.keys(schema.shape);

/** Undefined while a part of them is not known. Faults never repeat a value. */
export function parseCredentialInputs(properties: Properties): { inputs?: CredentialInputs; failures: CheckFailure[] } {
  const given = Object.entries(properties).filter(([, value]) => value !== null && value !== undefined);
  if (given.some(([, value]) => containsUnknown(value))) return { failures: [] };
  const parsed = schema.safeParse(Object.fromEntries(given));
  if (parsed.success) return { inputs: parsed.data, failures: [] };
  return {
    failures: parsed.error.issues.flatMap(({ path, message, ...issue }) =>
      issue.code === "unrecognized_keys"
        ? issue.keys.map((name) => fault(name, `unknown property; expected one of ${PROPERTIES.join(", ")}`))
        : [fault(path.join("."), message)],
    ),
  };
}

const fault = (property: string, reason: string): CheckFailure => ({ code: "PS601", property, reason });
