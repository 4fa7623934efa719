import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type EnsureOptions, ensurePulumi } from "../../../../tools/setup/index.ts";
import { layoutOf, pluginPath, versions } from "../../../../tools/setup/layout.ts";

const repository = join(import.meta.dirname, "..", "..", "..", "..");

/** A Go that "builds" a script which tells its own name and parameters, and notes each build. */
const fakeGo = `#!/bin/sh
if [ "$1" = version ]; then echo "go version go1.99.1 linux/amd64"; exit 0; fi
if [ "$1" = list ]; then exit 0; fi
while [ $# -gt 1 ]; do if [ "$1" = -o ]; then out=$2; fi; shift; done
echo "$out" >> "$FAKE_LOG"
cat > "$out" <<'END'
#!/bin/sh
case "$0 $1" in *pulumi\\ version) echo v${versions.pulumi};; *) echo "$0|$*";; esac
END
chmod +x "$out"
`;

/** A CLI that notes what it is asked and "installs" plugins, unless it is told to fail. */
const fakePulumi = (version: string) => `#!/bin/sh
if [ "$1" = version ]; then echo v${version}; exit 0; fi
echo "$@" >> "$FAKE_LOG"
if [ -n "$FAKE_NO_PLUGINS" ]; then echo "error: 403 HTTP error fetching plugin" >&2; exit 255; fi
folder="$PULUMI_HOME/plugins/resource-$4-v$5"
mkdir -p "$folder" && touch "$folder/pulumi-resource-$4"
`;

let scratch: string;
let env: Record<string, string>;
let lines: string[];

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "pgstrata setup "));
  lines = [];
  executable(join(scratch, "go", "go"), fakeGo);
  env = {
    PATH: `${join(scratch, "go")}:/usr/bin:/bin`,
    HOME: join(scratch, "home"),
    FAKE_LOG: join(scratch, "calls"),
  };
});

afterEach(() => rmSync(scratch, { recursive: true, force: true }));

function executable(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  chmodSync(path, 0o755);
}

function checkout(name: string): string {
  const root = join(scratch, name);
  cpSync(join(repository, "offline"), join(root, "offline"), { recursive: true });
  return root;
}

function setUp(root: string, options: Partial<EnsureOptions> = {}) {
  return ensurePulumi({
    root,
    log: (line) => lines.push(line),
    env,
    probe: async () => ({ ok: false, reason: "no such host" }),
    ...options,
  });
}

const open = { probe: async () => ({ ok: true }) as const };
const calls = () =>
  existsSync(join(scratch, "calls")) ? readFileSync(join(scratch, "calls"), "utf8").split("\n") : [""];

describe("on a closed network", () => {
  it("builds the CLI, the language host and both plugins into the project's own home", async () => {
    const root = checkout("a checkout");
    const stackFile = join(root, "Pulumi.dev.yaml");
    writeFileSync(stackFile, "encryptionsalt: v1:of:another\nconfig: {}\n");
    const home = await setUp(root);
    expect(readFileSync(stackFile, "utf8")).toBe("config: {}\n");
    expect(home.network).toBe("closed");
    expect(home.pulumiPath).toBe(join(root, ".pgstrata", "bin", "pulumi"));
    expect(existsSync(pluginPath(layoutOf(root), "random", versions.random))).toBe(true);
    expect(existsSync(pluginPath(layoutOf(root), "postgresql", versions.postgresql))).toBe(true);
    expect(home.env).toMatchObject({
      PULUMI_HOME: join(root, ".pgstrata", "pulumi"),
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    });
    expect(home.env.PULUMI_BACKEND_URL).toMatch(/^file:\/\/\/.*a%20checkout\/\.pgstrata\/state$/);
    expect(home.env.PATH?.split(":").slice(0, 2)).toEqual([join(root, "node_modules", ".bin"), home.binDir]);
    expect(lines.join("\n")).toContain("no such host");
    expect(calls()).toHaveLength(5);
  });

  it("puts the language host behind a wrapper that passes on the project's options, in a path with a space too", async () => {
    const root = checkout("a checkout");
    const { binDir } = await setUp(root);
    const ask = () =>
      execFileSync(join(binDir, "pulumi-language-nodejs"), ["-root=x y", "1"], { encoding: "utf8", cwd: root }).trim();
    expect(ask()).toMatch(/lib\/pulumi-language-nodejs\|-typescript=false -nodeargs= -root=x y 1$/);
    writeFileSync(join(root, "Pulumi.yaml"), "runtime:\n  options:\n    nodeargs: --import ./first.ts\n");
    expect(ask()).toMatch(/\|-typescript=false -nodeargs=--import \.\/first\.ts -root=x y 1$/);
  });

  it("makes a passphrase for this user's eyes only, and keeps it", async () => {
    const root = checkout("one");
    const { env: pulumiEnv } = await setUp(root);
    const file = pulumiEnv.PULUMI_CONFIG_PASSPHRASE_FILE ?? "";
    const passphrase = readFileSync(file, "utf8");
    expect(Buffer.from(passphrase.trim(), "base64url")).toHaveLength(32);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    rmSync(layoutOf(root).record);
    await setUp(root);
    expect(readFileSync(file, "utf8")).toBe(passphrase);
  });

  it("runs nothing and says nothing when everything is in place", async () => {
    const root = checkout("one");
    const first = await setUp(root);
    lines = [];
    const refuse = () => Promise.reject(new Error("probed"));
    expect(await setUp(root, { env: { ...env, PATH: "" }, probe: refuse })).toMatchObject({
      pulumiPath: first.pulumiPath,
    });
    expect(lines).toEqual([]);
    expect(calls()).toHaveLength(5);
  });

  it("takes what another checkout built, without Go", async () => {
    await setUp(checkout("one"));
    const home = await setUp(checkout("two"), { env: { ...env, PATH: "/usr/bin:/bin" } });
    expect(existsSync(home.pulumiPath)).toBe(true);
    expect(calls()).toHaveLength(5);
  });

  it("builds again only the part whose sources changed", async () => {
    const root = checkout("one");
    await setUp(root);
    appendFileSync(join(root, "offline", "postgresql", "main.go"), "// changed\n");
    await setUp(root);
    expect(calls().slice(4).join()).toMatch(/pulumi-resource-postgresql,$/);
    expect(calls()).toHaveLength(6);
  });

  it("lets two set-ups of one checkout run at once", async () => {
    const root = checkout("one");
    const [one, two] = await Promise.all([setUp(root), setUp(root)]);
    expect(two.pulumiPath).toBe(one.pulumiPath);
    expect(await setUp(root, { env: { ...env, PATH: "" } })).toMatchObject({ network: "closed" });
  });
});

describe("with a CLI on PATH", () => {
  function onPath(version: string): string {
    const folder = join(scratch, "system");
    executable(join(folder, "pulumi"), fakePulumi(version));
    executable(join(folder, "pulumi-language-nodejs"), "#!/bin/sh\n");
    env = { ...env, PATH: `${folder}:${env.PATH ?? ""}` };
    return join(folder, "pulumi");
  }

  it("uses the pinned version with its own language host, and the official plugins", async () => {
    const system = onPath(versions.pulumi);
    const root = checkout("one");
    const home = await setUp(root, open);
    expect(home).toMatchObject({ pulumiPath: system, network: "open", pulumiHome: join(root, ".pgstrata", "pulumi") });
    expect(home.env).not.toHaveProperty("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION");
    expect(calls()).toEqual([
      `plugin install resource random ${versions.random} --reinstall`,
      `plugin install resource postgresql ${versions.postgresql} --reinstall`,
      "",
    ]);
  });

  it("does not use another version, and says so", async () => {
    const system = onPath("3.1.0");
    const home = await setUp(checkout("one"));
    expect(home.pulumiPath).not.toBe(system);
    expect(lines[0]).toContain(`${system} is 3.1.0`);
  });

  it("builds the plugins whose download fails, and says why", async () => {
    onPath(versions.pulumi);
    env = { ...env, FAKE_NO_PLUGINS: "1" };
    const home = await setUp(checkout("one"), open);
    expect(home.network).toBe("closed");
    expect(lines.join("\n")).toContain("403 HTTP error");
    expect(calls().filter((call) => call.includes("/go/")).length).toBe(2);
  });

  it("replaces built plugins once the network is said to be open", async () => {
    onPath(versions.pulumi);
    const root = checkout("one");
    expect(await setUp(root)).toMatchObject({ network: "closed" });
    const home = await setUp(root, { ...open, env: { ...env, PGSTRATA_NETWORK: "open" } });
    expect(home.network).toBe("open");
  });
});
