/**
 * Where the gRPC server listens, and how large messages may be. Which calls it answers is in `service.ts`.
 */
import grpc from "@grpc/grpc-js";
import providerService from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import type { Redactor } from "./redactor.ts";
import { createService } from "./service.ts";

export interface RunningServer {
  port: number;
  /** Aborts what runs, frees what is held and stops listening. */
  stop(): Promise<void>;
}

/**
 * Listens on a free loopback port. `engineAddress` is where logs go until the engine tells an address itself.
 */
export async function serve(redactor: Redactor, engineAddress?: string): Promise<RunningServer> {
  const service = createService(redactor);
  if (engineAddress) service.attach(engineAddress);
  // The state of a large layer is one message.
  const server = new grpc.Server({ "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 });
  server.addService(providerService.ResourceProviderService, service.handlers);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return {
    port,
    async stop() {
      await service.close();
      server.forceShutdown();
    },
  };
}
