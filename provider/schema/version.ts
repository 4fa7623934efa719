/** The version of the Pulumi package, as in its schema. */

export const VERSION = "0.1.0";
