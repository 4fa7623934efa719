/**
 * What of the SDK's debug log reaches the engine: nothing, or with PGSTRATA_SDK_DEBUG all but the answers.
 * What the provider itself writes is redacted in its own process.
 */
import * as pulumi from "@pulumi/pulumi";

/**
 * Keeps the SDK's debug messages back. Each is a call of the engine, some 200 in a preview of the platform,
 * which the CLI only shows under `--debug` and `-v=3`. Who asks for them gets them without secrets: the SDK
 * writes the engine's whole answer to each registration into it, generated passwords in the clear. What comes
 * before the answer stays. To be called before the first resource is made.
 */
export function keepDebugLogBack(): void {
  const { debug } = pulumi.log;
  Object.assign(pulumi.log, {
    debug: async (...[message, ...rest]: Parameters<typeof debug>) => {
      if (process.env.PGSTRATA_SDK_DEBUG) await debug(withoutAnswer(message), ...rest);
    },
  });
}

/** The SDK's messages read `RegisterResource RPC finished: resource:name[type]; err: null, resp: …`. */
export function withoutAnswer(message: string): string {
  return message.replace(/^(\w+(?: Invoke)? RPC finished: .*?, resp: ).*$/s, "$1[not shown]");
}
