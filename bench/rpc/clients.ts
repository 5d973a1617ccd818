import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Channel, Client, credentials } from '@grpc/grpc-js';

import { silentLog, systemClock } from '#kit';
import { createMesh } from '#mesh';
import { type GetUserRequest, GetUserRequestSchema, GetUserResponseSchema, UserService } from '#proto/shop/user/v1/user_pb.js';
import { startTracing } from '#tracing';

/** One way to make the call that is measured. */
export interface BenchClient {
  call(): Promise<unknown>;
  close(): Promise<void>;
}

/** Our stub with the whole client chain; its spans are sent too. */
export async function meshClient(port: number, otlpEndpoint: string): Promise<BenchClient> {
  const tracing = await startTracing({ exporter: 'otlp', otlpEndpoint, sampleRatio: 1, log: silentLog });
  await tracing.ready;
  const openChannel = () => new Channel(`127.0.0.1:${port}`, credentials.createInsecure(), {});
  const mesh = createMesh({ clock: systemClock, log: silentLog, openChannel });
  const users = mesh.client(UserService, { tracer: tracing.tracer({ service: 'bench', version: 'bench', instanceId: 'bench' }) });
  return {
    call: () => users.getUser({ userId: 'someone' }),
    async close() {
      await mesh.stop();
      await tracing.stop();
    },
  };
}

/** grpc-js's own client with the same codec and a deadline. */
export function bareClient(port: number): BenchClient {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {});
  const encode = (message: GetUserRequest): Buffer => Buffer.from(toBinary(GetUserRequestSchema, message));
  const decode = (bytes: Buffer) => fromBinary(GetUserResponseSchema, bytes);
  return {
    call: () =>
      new Promise((resolve, reject) => {
        const request = create(GetUserRequestSchema, { userId: 'someone' });
        client.makeUnaryRequest('/shop.user.v1.UserService/GetUser', encode, decode, request, { deadline: Date.now() + 1_000 }, (error, answer) => {
          if (error) reject(error);
          else resolve(answer);
        });
      }),
    close: async () => client.close(),
  };
}
