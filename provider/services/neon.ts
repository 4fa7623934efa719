/**
 * Neon: PostgreSQL behind a proxy that tells databases apart by host name, or by the option `endpoint`. Host
 * names with `-pooler` lead to a pooler that keeps no session between transactions; a probe needs none.
 */
import { ConnectionStringError } from "./connectionStringError.ts";
import type { TlsChecks } from "./network.ts";
import { postgresUsers, probePostgres, readPostgres } from "./postgresql.ts";
import type { ProbeTarget, ServiceType } from "./serviceType.ts";
import { single } from "./urlParameters.ts";

const BINDINGS = ["disable", "prefer", "require"];

export const neon: ServiceType<"neon"> = {
  type: "neon",
  schemes: { postgresql: { tls: true }, postgres: { tls: true } },
  defaultPort: 5432,

  read(given) {
    const meaning = readPostgres(given);
    if (given.parameters.has("sslmode") && !meaning.tls) {
      throw new ConnectionStringError("its sslmode allows a connection without TLS; Neon expects sslmode=require");
    }
    const binding = single(given.parameters, ["channel_binding"]);
    if (binding !== undefined && !BINDINGS.includes(binding)) {
      throw new ConnectionStringError(`its channel_binding is not known; expected one of ${BINDINGS.join(", ")}`);
    }
    const options = single(given.parameters, ["options"]);
    if (options !== undefined && !/^(-c *)?(endpoint|project)=[a-z0-9-]{1,63}$/.test(options)) {
      throw new ConnectionStringError("its options are not of the form endpoint=ep-name-123456");
    }
    return { ...meaning, tls: true };
  },

  // Certificates of Neon are signed by public authorities, so that there is no reason not to verify them.
  probe: (target) => probePostgres(target, verified(target)),

  // Its proxy has to know the passwords, so that a verifier is refused.
  users: (admin) => postgresUsers(admin, verified, false),
};

const verified = ({ ca }: ProbeTarget): TlsChecks => ({ ca, verifiesChain: true, verifiesHost: true });
