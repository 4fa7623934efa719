import grpc from "@grpc/grpc-js";
import engineService from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import engineMessages, { type LogRequest } from "@pulumi/pulumi/proto/engine_pb.js";
import providerService from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import messages, {
  type CheckResponse,
  type CreateResponse,
  type DiffResponse,
  type ReadResponse,
  type UpdateResponse,
} from "@pulumi/pulumi/proto/provider_pb.js";
import statusService from "@pulumi/pulumi/proto/resource_status_grpc_pb.js";
import status, { type PublishViewStepsRequest } from "@pulumi/pulumi/proto/resource_status_pb.js";
import emptyMessages from "google-protobuf/google/protobuf/empty_pb.js";
import structs from "google-protobuf/google/protobuf/struct_pb.js";
import type { Properties } from "../../provider/core/resourceType.ts";
import { createRedactor } from "../../provider/protocol/redactor.ts";
import { serve } from "../../provider/protocol/server.ts";
import { decodeStruct, encodeStruct } from "../../provider/protocol/struct.ts";

const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";
const STATUS_TOKEN = "token";

export interface LogEntry {
  severity: "info" | "warning";
  urn: string;
  text: string;
  ephemeral: boolean;
}

export interface ViewStep {
  op: "create" | "update" | "delete";
  name: string;
  type: string;
  details: Properties;
}

export interface Diff {
  changed: boolean;
  /** Kind by property path, e.g. `{ "values.name": "UPDATE" }`. */
  detailed: Record<string, string>;
  replaces: string[];
}

/** What a failed call tells the engine. */
export interface CallFailure extends Error {
  code: grpc.status;
  details: string;
}

/** State of a resource as the engine would hold it. */
export interface State {
  type: string;
  name: string;
  id: string;
  inputs: Properties;
  outputs: Properties;
}

/** A fault with its path, empty where it is about the resource as a whole. */
export interface Failure {
  property: string;
  reason: string;
}

/** A provider over gRPC in this process, with an engine that records what it is told. */
export interface ProviderClient {
  port: number;
  raw: InstanceType<typeof providerService.ResourceProviderClient>;
  logs: LogEntry[];
  steps: ViewStep[];
  checkConfig(news: Properties): Promise<Failure[]>;
  diffConfig(olds: Properties, news: Properties): Promise<Diff>;
  /** `url` goes as a secret, as the engine sends it. */
  configure(config: Properties): Promise<void>;
  check(type: string, news: Properties, olds?: Properties): Promise<{ inputs: Properties; failures: Failure[] }>;
  diff(state: State, news: Properties): Promise<Diff>;
  create(type: string, name: string, inputs: Properties, options?: { preview?: boolean }): Promise<State>;
  /** Undefined when the resource is gone. */
  read(state: State): Promise<State | undefined>;
  update(state: State, news: Properties, options?: { preview?: boolean }): Promise<State>;
  delete(state: State): Promise<void>;
  stop(): Promise<void>;
}

export async function startProvider(): Promise<ProviderClient> {
  const logs: LogEntry[] = [];
  const steps: ViewStep[] = [];
  const engine = await startEngine(logs, steps);
  const running = await serve(createRedactor(), engine.address);
  const raw = new providerService.ResourceProviderClient(
    `127.0.0.1:${running.port}`,
    grpc.credentials.createInsecure(),
    { "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 },
  );

  const addressed = <T extends Addressed>(request: T, type: string, name: string): T => {
    request.setUrn(`urn:pulumi:test::test::${type}::${name}`);
    request.setType(type);
    request.setName(name);
    return request;
  };
  const watched = <T extends Watched>(request: T): T => {
    request.setResourceStatusAddress(engine.address);
    request.setResourceStatusToken(STATUS_TOKEN);
    return request;
  };

  return {
    port: running.port,
    raw,
    logs,
    steps,
    async checkConfig(news) {
      const request = addressed(new messages.CheckRequest(), "pulumi:providers:pgstrata", "p");
      request.setNews(encodeStruct(news));
      const response = await unary<CheckResponse>((done) => raw.checkConfig(request, done));
      return response.getFailuresList().map(failureOf);
    },
    async diffConfig(olds, news) {
      const request = addressed(new messages.DiffRequest(), "pulumi:providers:pgstrata", "p");
      request.setOldInputs(encodeStruct(olds));
      request.setOlds(encodeStruct(olds));
      request.setNews(encodeStruct(news));
      return diffOf(await unary<DiffResponse>((done) => raw.diffConfig(request, done)));
    },
    async configure(config) {
      const request = new messages.ConfigureRequest();
      const args = encodeStruct(config);
      const { url } = config;
      if (typeof url === "string") {
        const secret = structs.Struct.fromJavaScript({ url: { [SIGNATURE]: SECRET, value: url } });
        args.getFieldsMap().set("url", secret.getFieldsMap().get("url") ?? new structs.Value());
      }
      request.setArgs(args);
      request.setAcceptsecrets(true);
      await unary((done) => raw.configure(request, done));
    },
    async check(type, news, olds = {}) {
      const request = addressed(new messages.CheckRequest(), type, "r");
      request.setNews(encodeStruct(news));
      request.setOlds(encodeStruct(olds));
      const response = await unary<CheckResponse>((done) => raw.check(request, done));
      return { inputs: decodeStruct(response.getInputs()), failures: response.getFailuresList().map(failureOf) };
    },
    async diff(state, news) {
      const request = addressed(new messages.DiffRequest(), state.type, state.name);
      request.setId(state.id);
      request.setOldInputs(encodeStruct(state.inputs));
      request.setOlds(encodeStruct(state.outputs));
      request.setNews(encodeStruct(news));
      return diffOf(await unary<DiffResponse>((done) => raw.diff(request, done)));
    },
    async create(type, name, inputs, { preview = false } = {}) {
      const request = watched(addressed(new messages.CreateRequest(), type, name));
      request.setProperties(encodeStruct(inputs));
      request.setPreview(preview);
      const response = await unary<CreateResponse>((done) => raw.create(request, done));
      return { type, name, id: response.getId(), inputs, outputs: decodeStruct(response.getProperties()) };
    },
    async read(state) {
      const request = watched(addressed(new messages.ReadRequest(), state.type, state.name));
      request.setId(state.id);
      request.setInputs(encodeStruct(state.inputs));
      request.setProperties(encodeStruct(state.outputs));
      const response = await unary<ReadResponse>((done) => raw.read(request, done));
      if (response.getId() === "") return undefined;
      const [inputs, outputs] = [decodeStruct(response.getInputs()), decodeStruct(response.getProperties())];
      return { ...state, id: response.getId(), inputs, outputs };
    },
    async update(state, news, { preview = false } = {}) {
      const request = watched(addressed(new messages.UpdateRequest(), state.type, state.name));
      request.setId(state.id);
      request.setOldInputs(encodeStruct(state.inputs));
      request.setOlds(encodeStruct(state.outputs));
      request.setNews(encodeStruct(news));
      request.setPreview(preview);
      const response = await unary<UpdateResponse>((done) => raw.update(request, done));
      return { ...state, inputs: news, outputs: decodeStruct(response.getProperties()) };
    },
    async delete(state) {
      const request = watched(addressed(new messages.DeleteRequest(), state.type, state.name));
      request.setId(state.id);
      request.setOldInputs(encodeStruct(state.inputs));
      request.setProperties(encodeStruct(state.outputs));
      await unary((done) => raw.delete(request, done));
    },
    async stop() {
      raw.close();
      await running.stop();
      engine.stop();
    },
  };
}

interface Addressed {
  setUrn(value: string): unknown;
  setType(value: string): unknown;
  setName(value: string): unknown;
}

interface Watched {
  setResourceStatusAddress(value: string): unknown;
  setResourceStatusToken(value: string): unknown;
}

/** Awaits one call; the error is the engine's view of it. */
export function unary<Response>(
  start: (done: (error: grpc.ServiceError | null, response: Response) => void) => unknown,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    start((error, response) => (error ? reject(error) : resolve(response)));
  });
}

/** The message of a call that is expected to fail. */
export async function failureOfCall(call: Promise<unknown>): Promise<CallFailure> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof Error && "code" in error && "details" in error) {
    return Object.assign(error, { code: Number(error.code), details: String(error.details) });
  }
  throw new Error("expected the call to fail, but it did not");
}

function failureOf(failure: InstanceType<typeof messages.CheckFailure>): Failure {
  // A named property would make the CLI print its value.
  if (failure.getProperty() !== "")
    throw new Error(`a fault names the property ${failure.getProperty()} in its own field`);
  const [, property = "", reason = failure.getReason()] =
    /^([A-Za-z]\w*(?:\.\w+|\["[^\]]*"\]|\[\d+\])*): (.*)$/s.exec(failure.getReason()) ?? [];
  return { property, reason };
}

function diffOf(response: InstanceType<typeof messages.DiffResponse>): Diff {
  const kinds = Object.entries(messages.PropertyDiff.Kind);
  const detailed: Record<string, string> = {};
  response.getDetaileddiffMap().forEach((entry, path) => {
    detailed[path] = kinds.find(([, number]) => number === entry.getKind())?.[0] ?? "?";
  });
  return {
    changed: response.getChanges() === messages.DiffResponse.DiffChanges.DIFF_SOME,
    detailed,
    replaces: response.getReplacesList(),
  };
}

async function startEngine(logs: LogEntry[], steps: ViewStep[]): Promise<{ address: string; stop(): void }> {
  const server = new grpc.Server();
  const ops: Record<number, ViewStep["op"]> = {
    [status.ViewStep.Op.CREATE]: "create",
    [status.ViewStep.Op.UPDATE]: "update",
    [status.ViewStep.Op.DELETE]: "delete",
  };
  const log: grpc.handleUnaryCall<LogRequest, unknown> = ({ request }, done) => {
    const severity = request.getSeverity() === 1 ? "info" : "warning";
    logs.push({ severity, urn: request.getUrn(), text: request.getMessage(), ephemeral: request.getEphemeral() });
    done(null, new emptyMessages.Empty());
  };
  const publishViewSteps: grpc.handleUnaryCall<PublishViewStepsRequest, unknown> = ({ request }, done) => {
    for (const step of request.getStepsList()) {
      const state = step.getNew();
      // The engine itself ends when an old state is not in the stack.
      if (request.getToken() !== STATUS_TOKEN || step.hasOld() || !state) {
        done({ code: grpc.status.INVALID_ARGUMENT, details: "a step that the engine would refuse" });
        return;
      }
      const [op, type] = [ops[step.getOp()] ?? "create", step.getType()];
      steps.push({ op, type, name: step.getName(), details: decodeStruct(state.getInputs()) });
    }
    done(null, new status.PublishViewStepsResponse());
  };
  // No program has registered a stack, as in a destroy.
  const getRootResource: grpc.handleUnaryCall<unknown, unknown> = (_, done) =>
    done(null, new engineMessages.GetRootResourceResponse());
  server.addService(engineService.EngineService, { log, getRootResource });
  server.addService(statusService.ResourceStatusService, { publishViewSteps });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return { address: `127.0.0.1:${port}`, stop: () => server.forceShutdown() };
}
