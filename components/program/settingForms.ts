/** The forms that a setting of a stack may have, which the CLI keeps as a text. */
import * as z from "zod/mini";

export const boolean = z.pipe(
  z.enum(["true", "false"], "expected true or false"),
  z.transform((text) => text === "true"),
);
export const text = z.string().check(z.minLength(1, "is empty"));
/** A list or an object, as `--path` writes it. */
export const json = z.transform((source: string, context) => {
  try {
    const value: unknown = JSON.parse(source);
    return value;
  } catch {
    context.issues.push({
      code: "custom",
      message: "expected a list or an object: set it with --path",
      input: undefined,
    });
    return z.NEVER;
  }
});
