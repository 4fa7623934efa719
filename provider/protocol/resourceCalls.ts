/**
 * The calls about one resource: plain values in, plain values out. What a call does is left to the type in
 * `resources/`.
 */
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import type { Empty as EmptyMessage } from "google-protobuf/google/protobuf/empty_pb.js";
import emptyMessages from "google-protobuf/google/protobuf/empty_pb.js";
import { UserError } from "../core/errors.ts";
import type { CallContext, Properties, Reporter, ResourceState, ResourceType } from "../core/resourceType.ts";
import { isObject } from "../core/values.ts";
import { checkResponse } from "./checkResponse.ts";
import { encodeDiff } from "./diffResponse.ts";
import type { EngineLog } from "./engineLog.ts";
import type { Redactor } from "./redactor.ts";
import { decodeStruct, encodeStruct } from "./struct.ts";
import type { StatusPublisher, StatusTarget } from "./viewSteps.ts";

/** Inputs whose strings are secrets, whatever resource has them. The engine sends them without their mark. */
const SECRET_INPUTS = ["secretValues", "initialSecretValues"];

/** What the calls of one process share. */
export interface CallSupport {
  redactor: Redactor;
  log: EngineLog;
  status: StatusPublisher;
  signal: AbortSignal;
  /** Throws a `UserError` for a type that is not known, and before Configure. */
  resourceType(token: string): Promise<ResourceType>;
}

interface Operation {
  getUrn(): string;
  getType(): string;
}

interface StatusOperation extends Operation {
  getResourceStatusAddress(): string;
  getResourceStatusToken(): string;
}

type Wire = Parameters<typeof decodeStruct>[0];

/**
 * The calls about one resource. Each hands plain values to the resource type and waits until all it said has
 * arrived.
 */
export function resourceCalls(support: CallSupport) {
  const { redactor, log } = support;

  function decode(struct: Wire): Properties {
    const properties = decodeStruct(struct, (secret) => redactor.add(secret));
    for (const name of SECRET_INPUTS) {
      const values = properties[name];
      for (const value of isObject(values) ? Object.values(values) : []) {
        if (typeof value === "string") redactor.add(value);
      }
    }
    return properties;
  }

  async function run<T>(
    request: Operation,
    preview: boolean,
    target: StatusTarget | undefined,
    work: (type: ResourceType, context: CallContext) => Promise<T>,
  ): Promise<T> {
    const urn = request.getUrn();
    const report = createReporter(support, urn, preview ? target : undefined);
    try {
      const type = await support.resourceType(request.getType() || typeOf(urn));
      return await work(type, { urn, preview, report, signal: support.signal });
    } finally {
      await log.flush();
    }
  }

  return {
    check: (request: InstanceType<typeof messages.CheckRequest>) =>
      run(request, true, undefined, async (type, context) => {
        const { inputs, failures } = await type.check(context, decode(request.getOlds()), decode(request.getNews()));
        return checkResponse(inputs, failures, redactor);
      }),

    diff: (request: InstanceType<typeof messages.DiffRequest>) =>
      run(request, true, undefined, async (type, context) => {
        const state: ResourceState = {
          id: request.getId(),
          inputs: decode(request.getOldInputs() ?? request.getOlds()),
          outputs: decode(request.getOlds()),
        };
        return encodeDiff(await type.diff(context, state, decode(request.getNews())));
      }),

    create: (request: InstanceType<typeof messages.CreateRequest>) =>
      run(request, request.getPreview(), statusTarget(request), async (type, context) => {
        const { id, outputs } = await type.create(context, decode(request.getProperties()));
        const response = new messages.CreateResponse();
        response.setId(request.getPreview() ? "" : id);
        response.setProperties(encodeStruct(outputs));
        return response;
      }),

    read: (request: InstanceType<typeof messages.ReadRequest>) =>
      run(request, false, undefined, async (type, context) => {
        const state: ResourceState = {
          id: request.getId(),
          inputs: decode(request.getInputs()),
          outputs: decode(request.getProperties()),
        };
        const found = await type.read(context, state);
        const response = new messages.ReadResponse();
        // An empty id tells the engine that the resource is gone.
        response.setId(found?.id ?? "");
        if (found) {
          response.setInputs(encodeStruct(found.inputs));
          response.setProperties(encodeStruct(found.outputs));
        }
        return response;
      }),

    update: (request: InstanceType<typeof messages.UpdateRequest>) =>
      run(request, request.getPreview(), statusTarget(request), async (type, context) => {
        const state: ResourceState = {
          id: request.getId(),
          inputs: decode(request.getOldInputs() ?? request.getOlds()),
          outputs: decode(request.getOlds()),
        };
        const response = new messages.UpdateResponse();
        response.setProperties(encodeStruct(await type.update(context, state, decode(request.getNews()))));
        return response;
      }),

    delete: (request: InstanceType<typeof messages.DeleteRequest>): Promise<EmptyMessage> =>
      run(request, false, undefined, async (type, context) => {
        await type.delete(context, {
          id: request.getId(),
          inputs: decode(request.getOldInputs() ?? request.getProperties()),
          outputs: decode(request.getProperties()),
        });
        return new emptyMessages.Empty();
      }),
  };
}

function createReporter(support: CallSupport, urn: string, target: StatusTarget | undefined): Reporter {
  const { log, status } = support;
  return {
    info: (text) => log.send({ severity: "info", urn, text, ephemeral: false }),
    warn: (text) => log.send({ severity: "warning", urn, text, ephemeral: false }),
    status: (text) => log.send({ severity: "info", urn, text, ephemeral: true }),
    async plan(statements) {
      if (target) await status.publish(target, statements);
    },
  };
}

function statusTarget(request: StatusOperation): StatusTarget | undefined {
  const address = request.getResourceStatusAddress();
  return address ? { urn: request.getUrn(), address, token: request.getResourceStatusToken() } : undefined;
}

/** Engines that send no type have it in the URN, after the types of the parents. */
function typeOf(urn: string): string {
  const type = urn.split("::")[2]?.split("$").at(-1);
  if (!type) throw new UserError("PS603", `"${urn}" is not the URN of a resource`);
  return type;
}
