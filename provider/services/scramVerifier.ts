/**
 * What a server stores of a role's password: made here, so that no plugin and no log of a server
 * gets the password.
 */

import { createHash, createHmac, pbkdf2Sync } from "node:crypto";

/** As the server's own setting `scram_iterations` has it by default. */
const ITERATIONS = 4096;
const KEY_BYTES = 32;

/**
 * What a server keeps of a password in `pg_authid`, and takes in place of one. The password does not follow
 * from it, and nobody can log in with it alone.
 *
 * @param password of ASCII characters only, which SASLprep leaves as they are.
 * @param salt in base64.
 * @see https://www.rfc-editor.org/rfc/rfc5803
 */
export function scramVerifier(password: string, salt: string): string {
  if (!/^[ -~]*$/.test(password)) throw new Error("a verifier is made of passwords of ASCII characters only");
  const salted = pbkdf2Sync(password, Buffer.from(salt, "base64"), ITERATIONS, KEY_BYTES, "sha256");
  const keyOf = (purpose: string): Buffer => createHmac("sha256", salted).update(purpose).digest();
  const storedKey = createHash("sha256").update(keyOf("Client Key")).digest("base64");
  return `SCRAM-SHA-256$${ITERATIONS}:${salt}$${storedKey}:${keyOf("Server Key").toString("base64")}`;
}
