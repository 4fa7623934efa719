import { expect, test } from "vitest";
import { UserError } from "../../../provider/core/errors.ts";
import { ofLastUpdate } from "../../../tools/rotate/registration.ts";

test("an admin that is refused is told to be the one of the last update; other errors stay as they are", () => {
  const refused = ofLastUpdate(new UserError("PS873", "refused."));
  expect(refused).toMatchObject({ code: "PS873", message: expect.stringContaining("run `pulumi up` first") });
  const other = new UserError("PS872", "stopped");
  expect(ofLastUpdate(other)).toBe(other);
});
