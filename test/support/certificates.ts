// Certificates for servers of tests, made by openssl: of an authority of their own, and as they must not be.
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Paths of PEM files. */
export interface Certificate {
  cert: string;
  key: string;
}

export interface Certificates {
  folder: string;
  /** The authority, as PEM. */
  ca: string;
  caFile: string;
  /** For localhost and 127.0.0.1. */
  good: Certificate;
  /** For another host. */
  otherHost: Certificate;
  /** Over since long. */
  expired: Certificate;
  selfSigned: Certificate;
  remove(): void;
}

export function makeCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), "pgstrata-certificates-"));
  chmodSync(folder, 0o755);
  const file = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): void => void execFileSync("openssl", args, { cwd: folder, stdio: "ignore" });
  const request = ["req", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj"];
  const names = "subjectAltName=DNS:localhost,IP:127.0.0.1";

  openssl(...request, "/CN=test authority", "-x509", "-days", "36500", "-keyout", "ca.key", "-out", "ca.pem");
  writeFileSync(file("database.txt"), "");
  writeFileSync(file("serial"), "01\n");
  writeFileSync(
    file("ca.cnf"),
    "[ca]\ndefault_ca=d\n[d]\ndatabase=database.txt\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\ncopy_extensions=copy\nunique_subject=no\n[p]\ncommonName=supplied\n",
  );
  const signed = (name: string, alternatives: string, from: string, to: string): Certificate => {
    openssl(...request, `/CN=${name}`, "-addext", alternatives, "-keyout", `${name}.key`, "-out", `${name}.csr`);
    const authority = ["-cert", "ca.pem", "-keyfile", "ca.key", "-config", "ca.cnf", "-batch", "-notext"];
    openssl("ca", ...authority, "-startdate", from, "-enddate", to, "-in", `${name}.csr`, "-out", `${name}.pem`);
    return { cert: file(`${name}.pem`), key: file(`${name}.key`) };
  };
  const good = signed("good", names, "20200101000000Z", "20991231000000Z");
  const otherHost = signed("other", "subjectAltName=DNS:elsewhere.example", "20200101000000Z", "20991231000000Z");
  const expired = signed("expired", names, "20200101000000Z", "20210101000000Z");
  openssl(
    ...request,
    "/CN=self",
    "-x509",
    "-days",
    "36500",
    "-addext",
    names,
    "-keyout",
    "self.key",
    "-out",
    "self.pem",
  );
  const selfSigned = { cert: file("self.pem"), key: file("self.key") };
  for (const { key } of [good, otherHost, expired, selfSigned]) chmodSync(key, 0o644);
  const caFile = file("ca.pem");
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  return { folder, ca: readFileSync(caFile, "utf8"), caFile, good, otherHost, expired, selfSigned, remove };
}
