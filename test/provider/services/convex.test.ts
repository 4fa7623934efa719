import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../../../provider/embedded/server.ts";
import { type Certificates, makeCertificates } from "../../support/certificates.ts";
import { probesOf } from "./probeTrials.ts";

const KEY = "prod:happy-otter-123|key-of-seventeen";
const { probe, failure, kind } = probesOf("convex");

let certificates: Certificates;
let server: Server;
let port: number;
let status = 200;
const asked: string[] = [];
beforeAll(async () => {
  certificates = makeCertificates();
  const { cert, key } = certificates.good;
  port = await freePort();
  // No deployment of Convex runs here: this answers as its documentation says.
  server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (request, response) => {
    asked.push(`${request.method} ${request.url}`);
    if (request.url === "/version") return void response.end("20261101-abc");
    const isIn = request.headers.authorization === `Convex ${KEY}`;
    response.writeHead(isIn ? status : 401).end(isIn ? "{}" : `bad key ${request.headers.authorization}`);
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  certificates.remove();
});

const url = (key = KEY): string => `convex://deploy:${encodeURIComponent(key)}@localhost:${port}`;

describe("a probe of Convex", () => {
  test("tells version and latency, and only reads", async () => {
    const { ca } = certificates;
    const answer = await probe({ connectionString: url(), config: { ca } });
    expect(answer).toEqual({ version: "20261101-abc", latencyMs: expect.any(Number) });
    expect(asked).toEqual(["GET /version", "GET /api/json_schemas?format=json"]);
  });

  test("tells a refused key, a certificate that does not verify, and a deployment that is busy", async () => {
    const config = { ca: certificates.ca };
    expect(await kind({ connectionString: url("another-key"), config })).toBe("login");
    expect((await failure({ connectionString: url() })).message).toContain("its authority is not known");
    status = 503;
    expect(await kind({ connectionString: url(), config })).toBe("busy");
    status = 404;
    expect(await kind({ connectionString: url(), config })).toBe("protocol");
  });
});
