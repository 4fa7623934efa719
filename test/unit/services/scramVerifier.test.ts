import { createHash, createHmac } from "node:crypto";
import { expect, test } from "vitest";
import { scramVerifier } from "../../../provider/services/scramVerifier.ts";

/** The exchange of RFC 7677, section 3: user `user`, password `pencil`. */
const SALT = "W22ZaJ0SNY7soEsUEjb6gQ==";
const NONCE = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
const AUTH_MESSAGE = `n=user,r=rOprNGfwEbeRWgbNEkqO,r=${NONCE},s=${SALT},i=4096,c=biws,r=${NONCE}`;
const CLIENT_PROOF = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
const SERVER_SIGNATURE = "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

test("a server that keeps the verifier accepts the client of RFC 7677, and is accepted by it", () => {
  const [, salt, storedKey = "", serverKey = ""] =
    /^SCRAM-SHA-256\$4096:(.+)\$(.+):(.+)$/.exec(scramVerifier("pencil", SALT)) ?? [];
  expect(salt).toBe(SALT);
  const sign = (key: Buffer): Buffer => createHmac("sha256", key).update(AUTH_MESSAGE).digest();
  const signature = sign(Buffer.from(storedKey, "base64"));
  const clientKey = Buffer.from(CLIENT_PROOF, "base64").map((byte, n) => byte ^ (signature[n] ?? 0));
  expect(createHash("sha256").update(clientKey).digest("base64")).toBe(storedKey);
  expect(sign(Buffer.from(serverKey, "base64")).toString("base64")).toBe(SERVER_SIGNATURE);
});

test("another password or salt gives another verifier, and none holds the password", () => {
  const verifiers = ["pencil", "pencil "].flatMap((password) => [
    scramVerifier(password, SALT),
    scramVerifier(password, "c2FsdA=="),
  ]);
  expect(new Set(verifiers).size).toBe(4);
  expect(verifiers.join()).not.toContain("pencil");
});

test("a password that SASLprep might change is refused without being shown", () => {
  expect(() => scramVerifier("pencil\u00e9", SALT)).toThrow(/^(?!.*pencil).*ASCII/);
});
