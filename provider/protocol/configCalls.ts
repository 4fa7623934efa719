/**
 * The calls about the provider's configuration: CheckConfig, DiffConfig, Configure. Parsing it is left to
 * `resources/provider/inputs.ts`.
 */
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import { InputError } from "../core/errors.ts";
import type { DiffResult, Properties } from "../core/resourceType.ts";
import { equalValues } from "../core/values.ts";
import { continuedRun } from "../database/runLock.ts";
import { parseConfig } from "../resources/provider/inputs.ts";
import { createSession, type Session } from "../resources/session.ts";
import { checkResponse } from "./checkResponse.ts";
import { encodeDiff } from "./diffResponse.ts";
import type { Redactor } from "./redactor.ts";
import { decodeStruct } from "./struct.ts";

type Check = InstanceType<typeof messages.CheckRequest>;
type Diff = InstanceType<typeof messages.DiffRequest>;
type Configure = InstanceType<typeof messages.ConfigureRequest>;

/** Properties of the provider that hold secrets. */
const SECRET_CONFIG = ["url", "shadow"];

/** Validates; the inputs go back as they came. */
export function checkConfig(request: Check, redactor: Redactor): InstanceType<typeof messages.CheckResponse> {
  const news = decodeConfig(request.getNews(), redactor);
  return checkResponse(news, parseConfig(news).failures, redactor);
}

/**
 * A change of configuration is never a replacement, not even one of the URL: a password or a host name
 * changes without the database becoming another one, and replacing the provider would replace every resource.
 * Whatever the new URL leads to is read live by each resource's own diff.
 */
export function diffConfig(request: Diff, redactor: Redactor): InstanceType<typeof messages.DiffResponse> {
  const olds = decodeConfig(request.getOldInputs() ?? request.getOlds(), redactor);
  const news = decodeConfig(request.getNews(), redactor);
  const detailed: DiffResult["detailed"] = {};
  for (const name of new Set([...Object.keys(olds), ...Object.keys(news)])) {
    if (name === "version") continue;
    const before = olds[name];
    const after = news[name];
    if (before === undefined) detailed[name] = { kind: "add", inputDiff: true };
    else if (after === undefined) detailed[name] = { kind: "delete", inputDiff: true };
    else if (!equalValues(before, after)) detailed[name] = { kind: "update", inputDiff: true };
  }
  return encodeDiff({ changed: Object.keys(detailed).length > 0, detailed });
}

/**
 * The engine calls this once, with known values only; connecting waits until a resource needs the database.
 */
export function configure(request: Configure, redactor: Redactor, engineAddress: string | undefined): Session {
  const { config, failures } = parseConfig(decodeConfig(request.getArgs(), redactor));
  if (failures.length > 0) throw new InputError(failures);
  const continued = continuedRun(process.env);
  return createSession(config, engineAddress === undefined ? { continued } : { engineAddress, continued });
}

export function configureResponse(): InstanceType<typeof messages.ConfigureResponse> {
  const response = new messages.ConfigureResponse();
  response.setAcceptsecrets(false);
  response.setAcceptresources(false);
  response.setAcceptoutputs(false);
  response.setSupportspreview(true);
  response.setSupportsAutonamingConfiguration(false);
  return response;
}

function decodeConfig(struct: ReturnType<Check["getNews"]>, redactor: Redactor): Properties {
  const properties = decodeStruct(struct, (secret) => redactor.add(secret));
  for (const name of SECRET_CONFIG) {
    const value = properties[name];
    if (typeof value === "string" && value.includes("://")) redactor.add(value);
  }
  return properties;
}
