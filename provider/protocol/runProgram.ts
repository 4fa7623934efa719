/** Whether a run has a program, which the engine knows by the stack that the program registers first. */
import grpc from "@grpc/grpc-js";
import engineService from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import engine from "@pulumi/pulumi/proto/engine_pb.js";

/** @param address of the engine. */
export async function hasRunProgram(address: string): Promise<boolean> {
  const client = new engineService.EngineClient(address, grpc.credentials.createInsecure());
  try {
    return await new Promise((resolve, reject) => {
      client.getRootResource(new engine.GetRootResourceRequest(), (error, response) => {
        if (error) reject(error);
        else resolve(response.getUrn() !== "");
      });
    });
  } finally {
    client.close();
  }
}
