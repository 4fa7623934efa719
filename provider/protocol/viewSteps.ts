/**
 * How the lines of a plan are shown below a resource in a preview. Which lines there are is decided in
 * `report/`.
 */
import grpc from "@grpc/grpc-js";
import statusService from "@pulumi/pulumi/proto/resource_status_grpc_pb.js";
import status from "@pulumi/pulumi/proto/resource_status_pb.js";
import { CHANGE_TYPE, type PlannedChange, type Properties, type Value } from "../core/resourceType.ts";
import { isObject } from "../core/values.ts";
import type { Redactor } from "./redactor.ts";
import { encodeStruct } from "./struct.ts";
import { sqlLines } from "./wrapSql.ts";

/** The CLI cuts longer strings in `--diff`, and those of several lines. */
const LONGEST_STRING = 120;

const OPS = {
  create: status.ViewStep.Op.CREATE,
  update: status.ViewStep.Op.UPDATE,
  delete: status.ViewStep.Op.DELETE,
} as const;

/** Where the engine takes the child lines of one operation. */
export interface StatusTarget {
  urn: string;
  address: string;
  token: string;
}

/** Publishes planned changes as child lines of a resource. */
export interface StatusPublisher {
  publish(target: StatusTarget, changes: PlannedChange[]): Promise<void>;
  close(): void;
}

export function createStatusPublisher(redactor: Redactor): StatusPublisher {
  const clients = new Map<string, InstanceType<typeof statusService.ResourceStatusClient>>();
  const owners = new Map<string, string>();

  function clientOf(address: string): InstanceType<typeof statusService.ResourceStatusClient> {
    const known = clients.get(address);
    if (known) return known;
    const made = new statusService.ResourceStatusClient(address, grpc.credentials.createInsecure());
    clients.set(address, made);
    return made;
  }

  /** The URN of a child holds its own name but not its parent's, so two resources must not use one name. */
  function uniqueName(name: string, urn: string): string {
    const parentType = urn.split("::")[2] ?? "";
    for (let count = 1; ; count += 1) {
      const candidate = count === 1 ? name : `${name} (${count})`;
      const key = `${parentType}\0${candidate}`;
      const owner = owners.get(key) ?? urn;
      if (owner !== urn) continue;
      owners.set(key, urn);
      return candidate;
    }
  }

  return {
    async publish(target, changes) {
      if (changes.length === 0) return;
      const request = new status.PublishViewStepsRequest();
      request.setToken(target.token);
      for (const change of changes) {
        const name = uniqueName(redactor.redact(change.name), target.urn);
        const state = new status.ViewStepState();
        state.setType(CHANGE_TYPE);
        state.setName(name);
        state.setInputs(encodeStruct(presentable(change.details, redactor)));
        const step = new status.ViewStep();
        step.setStatus(status.ViewStep.Status.OK);
        step.setOp(OPS[change.op]);
        step.setType(CHANGE_TYPE);
        step.setName(name);
        // Never an old state, not even for a deletion: the engine looks it up in the stack and fails when it
        // is not there.
        step.setNew(state);
        request.addSteps(step);
      }
      await new Promise<void>((resolve, reject) => {
        clientOf(target.address).publishViewSteps(request, (error) => (error ? reject(error) : resolve()));
      });
    },
    close() {
      for (const client of clients.values()) client.close();
    },
  };
}

function presentable(details: Properties, redactor: Redactor): Properties {
  const shown: Properties = {};
  for (const [key, value] of Object.entries(details)) {
    shown[redactor.redact(key)] = presentableValue(key === "sql" ? inLines(value, redactor) : value, redactor);
  }
  return shown;
}

/** Redacted before it is broken into lines: a secret in two halves would not be known as one. */
function inLines(sql: Value, redactor: Redactor): Value {
  if (typeof sql === "string") return sqlLines(redactor.redact(sql));
  if (isObject(sql))
    return Object.fromEntries(Object.entries(sql).map(([position, each]) => [position, inLines(each, redactor)]));
  const isText = Array.isArray(sql) && sql.every((line) => typeof line === "string");
  return isText ? sqlLines(redactor.redact(sql.join("\n"))) : sql;
}

function presentableValue(value: Value, redactor: Redactor): Value {
  if (typeof value === "string") {
    const text = redactor.redact(value);
    return text.length > LONGEST_STRING || text.includes("\n") ? text.split("\n") : text;
  }
  if (Array.isArray(value))
    return value.map((item) => (typeof item === "string" ? redactor.redact(item) : presentableValue(item, redactor)));
  return isObject(value) ? presentable(value, redactor) : value;
}
