import * as pulumi from "@pulumi/pulumi";

/** One resource that a program registered, as the engine saw it. */
export interface Registration {
  type: string;
  name: string;
  /** Plain values; a secret is a `SecretInput`. */
  inputs: Record<string, unknown>;
  /** Reference of the provider that manages it; empty for the default one. */
  provider: string;
  custom: boolean;
}

/**
 * A program under test, without an engine: what it registers is recorded and answered with made-up outputs.
 */
export interface MockedProgram {
  readonly registrations: Registration[];
  /** Waits until these components with all their children are registered. */
  settle(...components: pulumi.Resource[]): Promise<void>;
  /** The only registration of this type and name; throws if there is none. */
  find(type: string, name: string): Registration;
  /** Names of all registrations of this type, sorted. */
  names(type: string): string[];
}

class Fence extends pulumi.CustomResource {
  constructor(dependsOn: pulumi.Resource[]) {
    super("test:index:Fence", "fence", {}, { dependsOn });
  }
}

/**
 * Starts to record. Programs that run later in the same file are recorded anew by another call.
 *
 * @param options.isGone the resources have no outputs, as in a destroy that runs the program.
 */
export async function mockPulumi(
  options: { stack?: string; preview?: boolean; isGone?: boolean } = {},
): Promise<MockedProgram> {
  const registrations: Registration[] = [];
  const { stack = "test", preview = false, isGone = false } = options;
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs, provider = "", custom = false }) => {
        registrations.push({ type, name, inputs, provider, custom });
        return {
          id: preview ? undefined : `${name}-id`,
          state: isGone ? {} : { ...inputs, ...(preview ? {} : madeUpOutputs(type, name)) },
        };
      },
      call: ({ token }) => {
        throw new Error(`the program called ${token}, which no test expects`);
      },
    },
    "pgstrata",
    stack,
    preview,
    "organization",
  );
  return {
    registrations,
    settle: async (...components) => {
      await resolved(new Fence(components).urn);
    },
    find: (type, name) => {
      const found = registrations.filter((each) => each.type === type && each.name === name);
      const [only] = found;
      if (found.length !== 1 || !only)
        throw new Error(`found ${found.length} resources ${type} "${name}", expected one`);
      return only;
    },
    names: (type) =>
      registrations
        .filter((each) => each.type === type)
        .map((each) => each.name)
        .sort(),
  };
}

/** The value of an output. */
export function resolved<T>(output: pulumi.Output<T>): Promise<pulumi.Unwrap<T>> {
  return new Promise((resolve) => {
    pulumi.output(output).apply(resolve);
  });
}

const SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270";
const SIGNATURE_KEY = "4dabf18193072939515e22adb298388d";

/** The value inside a secret input; throws if it travelled in the clear. */
export function secretInput(input: unknown): unknown {
  if (isRecord(input) && input[SIGNATURE_KEY] === SECRET_SIGNATURE) return input.value;
  throw new Error("the input is not secret");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function madeUpOutputs(type: string, name: string): Record<string, unknown> {
  if (type.endsWith(":RandomPassword")) return { result: `generated-for-${name}` };
  if (type.endsWith(":RandomId")) return { b64Std: Buffer.from(name).toString("base64") };
  if (type === "pulumi:pulumi:StackReference") return { outputs: { release: `release-of-${name}` } };
  if (type === "pgstrata:index:Row") return { columns: { id: `id-of-${name}` }, adopted: false };
  if (type === "pgstrata:index:Layer") return { digest: `digest-of-${name}`, objects: ["table a", "table b"] };
  return {};
}
