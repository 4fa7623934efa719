/**
 * How generated passwords stay out of the debug log of this program. What the provider itself writes is
 * redacted in its own process.
 */
import * as pulumi from "@pulumi/pulumi";

/**
 * Keeps secrets out of the debug log of this program, which the CLI shows under `--debug` and `-v=3`: the SDK
 * writes the engine's whole answer to each registration into it, generated passwords in the clear. What comes
 * before the answer stays. To be called before the first resource is made.
 */
export function keepAnswersOutOfDebugLog(): void {
  const { debug } = pulumi.log;
  Object.assign(pulumi.log, {
    debug: (...[message, ...rest]: Parameters<typeof debug>) => debug(withoutAnswer(message), ...rest),
  });
}

/** The SDK's messages read `RegisterResource RPC finished: resource:name[type]; err: null, resp: …`. */
export function withoutAnswer(message: string): string {
  return message.replace(/^(\w+(?: Invoke)? RPC finished: .*?, resp: ).*$/s, "$1[not shown]");
}
