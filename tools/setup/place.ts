/** How files come to their place in one step, beside other set-ups that run at the same time. */
import { randomUUID } from "node:crypto";
import {
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { writing } from "./fileErrors.ts";
import type { Layout } from "./layout.ts";

/**
 * Puts an executable of the user's cache into the project's home, as a hard link where that is possible: the
 * four of them are 250 MB. The target appears in one step, also over an older one that is running.
 *
 * @throws UserError when the folder cannot be written or the disk is full.
 */
export function placeExecutable(source: string, target: string): void {
  writing(dirname(target), () =>
    inOneStep(target, (unfinished) => {
      try {
        linkSync(source, unfinished);
      } catch {
        // Another file system, or a file of another user.
        copyFileSync(source, unfinished, constants.COPYFILE_FICLONE);
        chmodSync(unfinished, 0o755);
      }
    }),
  );
}

/**
 * Puts the old language host behind a wrapper: it takes as flags what newer hosts read from `runtime.options`
 * in Pulumi.yaml. ts-node is switched off for each project, the arguments for Node are the project's.
 */
export function placeLanguageHost(source: string, layout: Layout): void {
  placeExecutable(source, join(layout.lib, "pulumi-language-nodejs"));
  placeText(
    join(layout.bin, "pulumi-language-nodejs"),
    [
      "#!/bin/sh",
      "nodeargs=$(sed -n 's/^ *nodeargs: *//p' Pulumi.yaml 2>/dev/null)",
      'exec "$(dirname -- "$0")/../lib/pulumi-language-nodejs" -typescript=false -nodeargs="$nodeargs" "$@"',
      "",
    ].join("\n"),
    0o755,
  );
}

/** Writes a small file in one step. */
export function placeText(target: string, text: string, mode: number): void {
  writing(dirname(target), () => inOneStep(target, (unfinished) => writeFileSync(unfinished, text, { mode })));
}

/** Makes a file that must never be overwritten; does nothing where it exists. */
export function createOnce(target: string, text: string, mode: number): void {
  writing(dirname(target), () => {
    if (existsSync(target)) {
      return;
    }
    mkdirSync(dirname(target), { recursive: true });
    const unfinished = `${target}.${randomUUID().slice(0, 8)}`;
    writeFileSync(unfinished, text, { mode });
    try {
      // Unlike a rename, a link fails where another set-up was first.
      linkSync(unfinished, target);
    } catch (error) {
      if (!existsSync(target)) {
        throw error;
      }
    } finally {
      rmSync(unfinished, { force: true });
    }
  });
}

function inOneStep(target: string, make: (unfinished: string) => void): void {
  mkdirSync(dirname(target), { recursive: true });
  const unfinished = `${target}.${randomUUID().slice(0, 8)}`;
  try {
    make(unfinished);
    renameSync(unfinished, target);
  } finally {
    rmSync(unfinished, { force: true });
  }
}
