import { expect, it } from "vitest";
import { settingsThen } from "../../../../tools/rollback/stackSettings.ts";

const NOW = `encryptionsalt: v1:now
config:
  pgstrata:databaseUrl:
    secure: v1:new
  pgstrata:decryptors:
    - one
    - two
  pgstrata:otherWriters: "false"
`;

it("gives the settings that the earlier files had their present values, and leaves out later ones", () => {
  const then = `config:
  # where it lies
  pgstrata:databaseUrl:
    secure: v1:old
  pgstrata:decryptors:
    - one
  pgstrata:gone: "1"
`;
  expect(settingsThen(then, NOW)).toBe(`encryptionsalt: v1:now
config:
  pgstrata:databaseUrl:
    secure: v1:new
  pgstrata:decryptors:
    - one
    - two
  pgstrata:gone: "1"
`);
});

it("takes the present settings where git does not have the file", () => {
  expect(settingsThen(undefined, NOW)).toBe(NOW);
});

it("keeps what encrypts the secrets where the earlier file had no setting", () => {
  expect(settingsThen("encryptionsalt: v1:old\n", NOW)).toBe("encryptionsalt: v1:now\n");
});
