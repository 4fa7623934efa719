import { expect, it } from "vitest";
import { anchored, settingKeys, settingsThen, warningsOf } from "../../../../tools/rollback/stackSettings.ts";

const NOW = `encryptionsalt: v1:now
config:
  pgstrata:databaseUrl:
    secure: v1:new
  pgstrata:decryptors:
    - one
    - two
  pgstrata:otherWriters: "false"
`;

const NONE = () => false;

it("gives the settings that the earlier files had their present values, and leaves out later ones", () => {
  const then = `config:
  # where it lies
  pgstrata:databaseUrl:
    secure: v1:old
  pgstrata:decryptors:
    - one
  pgstrata:gone: "1"
`;
  expect(settingsThen(then, NOW, NONE)).toBe(`encryptionsalt: v1:now
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
  expect(settingsThen(undefined, NOW, NONE)).toBe(NOW);
});

it("keeps what encrypts the secrets where the earlier file had no setting", () => {
  expect(settingsThen("encryptionsalt: v1:old\n", NOW, NONE)).toBe("encryptionsalt: v1:now\n");
});

it("takes a later setting where the earlier program knows it", () => {
  const then = "config:\n  pgstrata:gone: '1'\n";
  expect(settingsThen(then, NOW, (key) => key === "pgstrata:otherWriters")).toBe(
    "encryptionsalt: v1:now\nconfig:\n  pgstrata:gone: '1'\n  pgstrata:otherWriters: \"false\"\n",
  );
  expect(settingKeys(NOW)).toEqual(["pgstrata:databaseUrl", "pgstrata:decryptors", "pgstrata:otherWriters"]);
});

it("counts a relative folder of backups from the project's own folder", () => {
  const of = (path: string) => `config:\n  pgstrata:backupFolder: ${path}\n  pgstrata:other: ../x\n`;
  expect(anchored(of("../kept here"), "/home/a/project")).toBe(of('"/home/a/kept here"'));
  expect(anchored(of('"backups"'), "/home/a/project")).toBe(of('"/home/a/project/backups"'));
  expect(anchored(of("/var/backups"), "/home/a/project")).toBe(of("/var/backups"));
});

it("stops no rollback by an incident, a window, an approved plan or another stack, and says so", () => {
  const own = "  pgstrata:a: x\n";
  const stopping = `  pgstrata:incident: "INC-7: no logins"\n  pgstrata:window: 02:00-04:00\n  pgstrata:approvedPlan: 1-2\n  pgstrata:promoteFrom: dev\n`;
  const now = `config:\n${stopping}${own}`;
  expect(settingsThen(now, now, NONE)).toBe(`config:\n${own}`);
  expect(settingsThen(undefined, now, NONE)).toBe(`config:\n${own}`);
  expect(settingsThen("config:\n", now, () => true)).toBe(`config:\n${own}`);
  const incident = "WARNING: an incident is open (INC-7: no logins). It stops updates, and not this rollback.";
  expect(warningsOf(now, new Date("2026-01-01T03:00:00Z"))).toEqual([incident]);
  expect(warningsOf(now, new Date("2026-01-01T04:00:00Z"))).toEqual([
    incident,
    "WARNING: it is outside of the window 02:00-04:00 (UTC), which stops updates, and not this rollback.",
  ]);
  expect(warningsOf(`config:\n${own}`, new Date())).toEqual([]);
});
