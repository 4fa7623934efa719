// Programs of Debian for tests: unpacked from its packages into a folder of their own, which needs no rights.
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Unpacked packages. */
export interface Unpacked {
  /** What is `/` for what they hold. */
  root: string;
  /** Where their libraries are. */
  libraries: string;
  remove(): void;
}

/**
 * Undefined where there is no `apt-get` that reaches an archive.
 *
 * @param packages the one that is meant, and what it needs beyond what each Debian has.
 */
export function unpackPackages(...packages: string[]): Unpacked | undefined {
  const root = mkdtempSync(join(tmpdir(), `pgstrata-${packages[0]}-`));
  const remove = (): void => rmSync(root, { recursive: true, force: true });
  try {
    unpack(root, packages);
    const [libraries] = readdirSync(join(root, "usr", "lib")).filter((name) => name.includes("-linux-"));
    if (libraries === undefined) throw new Error("the packages hold no libraries");
    return { root, libraries: join(root, "usr", "lib", libraries), remove };
  } catch {
    remove();
    return undefined;
  }
}

function unpack(root: string, packages: readonly string[]): void {
  const run = (program: string, ...args: string[]): void =>
    void execFileSync(program, args, { cwd: root, stdio: "ignore", timeout: 60_000 });
  // For root, the account that runs a server must get there.
  chmodSync(root, 0o755);
  try {
    run("apt-get", "download", "-qq", ...packages);
  } catch (error) {
    // The lists of a new container are empty, and only root may fetch them.
    if (process.getuid?.() !== 0) throw error;
    run("apt-get", "update", "-qq");
    run("apt-get", "download", "-qq", ...packages);
  }
  for (const file of readdirSync(root).filter((name) => name.endsWith(".deb"))) run("dpkg", "-x", file, root);
}
