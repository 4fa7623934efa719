/**
 * How messages reach the engine, redacted and in order. Child lines of a preview are left to `viewSteps.ts`.
 */
import grpc from "@grpc/grpc-js";
import engineService from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import engine from "@pulumi/pulumi/proto/engine_pb.js";
import type { Redactor } from "./redactor.ts";

export type Severity = "info" | "warning";

/** Sends texts to the engine, which shows them under the resource. Without an engine they go to stderr. */
export interface EngineLog {
  attach(address: string): void;
  send(entry: { severity: Severity; urn: string; text: string; ephemeral: boolean }): void;
  /** Resolves when the engine has everything that was sent so far. */
  flush(): Promise<void>;
  close(): void;
}

export function createEngineLog(redactor: Redactor): EngineLog {
  let client: InstanceType<typeof engineService.EngineClient> | undefined;
  let tail = Promise.resolve();
  const warn = (text: string): boolean => process.stderr.write(`${redactor.redact(text)}\n`);

  return {
    attach(address) {
      client?.close();
      client = new engineService.EngineClient(address, grpc.credentials.createInsecure());
    },
    send({ severity, urn, text, ephemeral }) {
      const receiver = client;
      if (!receiver) {
        warn(text);
        return;
      }
      const request = new engine.LogRequest();
      request.setSeverity(severity === "info" ? engine.LogSeverity.INFO : engine.LogSeverity.WARNING);
      request.setUrn(urn);
      request.setMessage(redactor.redact(text));
      request.setEphemeral(ephemeral);
      // One after the other, so that the engine shows them in the order in which they were said.
      tail = tail.then(
        () =>
          new Promise<void>((resolve) => {
            receiver.log(request, (error) => {
              if (error) warn(`could not reach the engine's log: ${error.message}`);
              resolve();
            });
          }),
      );
    },
    flush: () => tail,
    close: () => client?.close(),
  };
}
