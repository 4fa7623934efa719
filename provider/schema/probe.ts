/**
 * The properties of `Probe` in the package schema. The program's own class, with longer docs, is
 * `components/resources/Probe.ts`.
 */
import { anyMap, number, type ResourceSpec, text, whole } from "./property.ts";

export const probe: ResourceSpec = {
  description:
    "A real connection to a service before it is registered: its name, port, TLS, login, version, latency and rights. Made in a preview as well, where nothing is written, and only where an input has changed; a run that changes nothing connects to no service. Destroying it does nothing.",
  properties: {
    connectionString: { type: text, required: true, secret: true, description: "How the service is connected to." },
    type: { type: text, required: true, description: "Its type: mongodb, redis, postgresql, mysql, neon or convex." },
    mode: {
      type: text,
      default: "warn",
      description: "`require` stops preview and update where the probe fails; `warn` tells. Default `warn`.",
    },
    config: {
      type: anyMap,
      description:
        "Settings of the registration, of which a probe uses `ca` (authorities as PEM), `keyPrefix`, `authSource` and `schema`. Default none.",
    },
    access: {
      type: text,
      default: "write",
      description: "What the user of the string must be able to do: `read`, or `write` as well. Default `write`.",
    },
    registration: {
      type: anyMap,
      description:
        "The registration that the string is for: `project`, its id, and `name`. Where a rotation has replaced the string, the one that is registered is probed, which the target notes as a decryption. Default: the given string is probed.",
    },
    timeoutMs: { type: whole, default: 5000, description: "Longest run of a probe, in milliseconds. Default 5000." },
    version: { type: text, role: "output", description: "Version of the service; empty where it is not told." },
    latencyMs: { type: number, role: "output", description: "Time of one round trip, in milliseconds." },
    problem: { type: text, role: "output", description: "Why the probe failed; empty where it did not." },
    probedAt: { type: text, role: "output", description: "When it was probed, as ISO 8601." },
  },
};
