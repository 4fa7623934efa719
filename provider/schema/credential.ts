/**
 * The properties of `Credential` in the package schema. The program's own class, with longer docs, is
 * `components/resources/Credential.ts`.
 */
import { type ResourceSpec, text } from "./property.ts";

export const credential: ResourceSpec = {
  description:
    "The credential of a registered service, rotated by an update when it is due. A run to which nothing is due connects to no service. Destroying it does nothing.",
  properties: {
    registration: { type: text, required: true, description: "ID of the registration." },
    rotateEvery: {
      type: text,
      description: "How old a credential may become, such as `30d`. Default: for ever; `npm run rotate` rotates it.",
    },
    grace: {
      type: text,
      default: "1d",
      description: "How long the credential before stays valid beside the new one, such as `1d`. Default `1d`.",
    },
    adminConnectionString: {
      type: text,
      secret: true,
      description: "Signs in to manage the users of the service. Default: the registered connection string.",
    },
    user: { type: text, role: "output", description: "The user that is registered." },
    rotatedAt: {
      type: text,
      role: "output",
      description: "When its credential was registered by a rotation, as ISO 8601; empty before the first one.",
    },
  },
};
