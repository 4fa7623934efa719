/**
 * Which calls of Pulumi's provider protocol are answered, and by whom. What they mean is left to
 * `configCalls.ts` and `resourceCalls.ts`.
 */
import type grpc from "@grpc/grpc-js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import emptyMessages from "google-protobuf/google/protobuf/empty_pb.js";
import { UserError } from "../core/errors.ts";
import type { ResourceType } from "../core/resourceType.ts";
import { readAhead, resourceTypes } from "../resources/index.ts";
import type { Session } from "../resources/session.ts";
import { VERSION } from "../schema/version.ts";
import { checkConfig, configure, configureResponse, diffConfig } from "./configCalls.ts";
import { createEngineLog } from "./engineLog.ts";
import { toStatus, UnimplementedError } from "./grpcStatus.ts";
import type { Redactor } from "./redactor.ts";
import { resourceCalls } from "./resourceCalls.ts";
import { hasRunProgram } from "./runProgram.ts";
import { createStatusPublisher } from "./viewSteps.ts";

export interface Service {
  handlers: grpc.UntypedServiceImplementation;
  /** Where to send logs; also told by the engine itself in its first call. */
  attach(engineAddress: string): void;
  /** Aborts what runs, and frees what the process holds. */
  close(): Promise<void>;
}

/** What a cancelled run meets is no defect: its waits end, and its connections are closed while in use. */
function endedBy({ aborted, reason }: AbortSignal, error: unknown): unknown {
  return aborted && !(error instanceof UserError || error instanceof UnimplementedError) ? reason : error;
}

/** The calls of Pulumi's provider protocol, by name. */
export function createService(redactor: Redactor): Service {
  const log = createEngineLog(redactor);
  const status = createStatusPublisher(redactor);
  const cancel = new AbortController();
  let session: Session | undefined;
  let engineAddress: string | undefined;
  /** Whether the program of this run has declared this provider. */
  let isDeclared = false;
  const loaded = new Map<string, Promise<ResourceType>>();

  function attach(address: string): void {
    engineAddress = address;
    log.attach(address);
  }

  async function resourceType(token: string): Promise<ResourceType> {
    if (!session) throw new UserError("PS602", "the provider is not configured yet");
    const load = resourceTypes[token];
    if (!load) {
      throw new UserError(
        "PS603",
        `found resource type "${token}", expected one of ${Object.keys(resourceTypes).join(", ")}`,
      );
    }
    const type = loaded.get(token) ?? load(session);
    loaded.set(token, type);
    return type;
  }

  /**
   * The engine is busy with the program between Configure and the first resource; a failure shows at the
   * first use.
   */
  function preload(): void {
    if (session) readAhead(session).catch(() => undefined);
    for (const token of Object.keys(resourceTypes)) resourceType(token).catch(() => undefined);
  }

  const calls = resourceCalls({ redactor, log, status, signal: cancel.signal, resourceType });

  function check(request: InstanceType<typeof messages.CheckRequest>) {
    if (session) session.record.hasProgram = true;
    return calls.check(request);
  }

  /**
   * No call says which command it belongs to. A destroy checks no resource; one that runs the program lets it
   * declare its providers. So what is left is an update of a program that no longer declares anything.
   */
  async function remove(request: InstanceType<typeof messages.DeleteRequest>) {
    if (session && !isDeclared && session.record.hasProgram !== true && engineAddress !== undefined)
      session.record.hasProgram = await hasRunProgram(engineAddress);
    return calls.delete(request);
  }

  function answer<Request, Response>(
    work: (request: Request) => Promise<Response> | Response,
  ): grpc.handleUnaryCall<Request, Response> {
    return (call, callback) => {
      Promise.resolve(call.request)
        .then(work)
        .then(
          (response) => callback(null, response),
          (error: unknown) => callback(toStatus(endedBy(cancel.signal, error), redactor)),
        );
    };
  }

  function refuse(what: string): grpc.handleUnaryCall<unknown, unknown> {
    return answer(() => {
      throw new UnimplementedError(
        `pgstrata has no ${what}; it has the resources ${Object.keys(resourceTypes).join(", ")}`,
      );
    });
  }

  const handlers: grpc.UntypedServiceImplementation = {
    handshake: answer((request: InstanceType<typeof messages.ProviderHandshakeRequest>) => {
      attach(request.getEngineAddress());
      const response = new messages.ProviderHandshakeResponse();
      response.setAcceptSecrets(false);
      response.setAcceptResources(false);
      response.setAcceptOutputs(false);
      response.setSupportsAutonamingConfiguration(false);
      return response;
    }),
    attach: answer((request: InstanceType<typeof plugin.PluginAttach>) => {
      attach(request.getAddress());
      return new emptyMessages.Empty();
    }),
    getPluginInfo: answer(() => {
      const info = new plugin.PluginInfo();
      info.setVersion(VERSION);
      return info;
    }),
    getSchema: answer(async () => {
      const { packageSchema } = await import("../schema/packageSchema.ts");
      const response = new messages.GetSchemaResponse();
      response.setSchema(JSON.stringify(packageSchema()));
      return response;
    }),
    checkConfig: answer((request: InstanceType<typeof messages.CheckRequest>) => {
      isDeclared = true;
      return checkConfig(request, redactor);
    }),
    diffConfig: answer((request: InstanceType<typeof messages.DiffRequest>) => diffConfig(request, redactor)),
    configure: answer(async (request: InstanceType<typeof messages.ConfigureRequest>) => {
      const previous = session;
      session = configure(request, redactor, engineAddress);
      loaded.clear();
      await previous?.close();
      setImmediate(preload);
      return configureResponse();
    }),
    check: answer(check),
    diff: answer(calls.diff),
    create: answer(calls.create),
    read: answer(calls.read),
    update: answer(calls.update),
    delete: answer(remove),
    cancel: answer(() => {
      cancel.abort(new UserError("PS604", "cancelled"));
      return new emptyMessages.Empty();
    }),
    getMapping: answer(() => new messages.GetMappingResponse()),
    getMappings: answer(() => new messages.GetMappingsResponse()),
    invoke: refuse("functions"),
    call: refuse("methods"),
    construct: refuse("component resources"),
    parameterize: refuse("parameters"),
  };

  return {
    handlers,
    attach,
    async close() {
      cancel.abort(new UserError("PS604", "the provider is shutting down"));
      await session?.close();
      log.close();
      status.close();
    },
  };
}
