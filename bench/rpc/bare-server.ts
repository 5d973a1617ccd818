import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { type sendUnaryData, Server, ServerCredentials, type ServerUnaryCall } from '@grpc/grpc-js';

import { type GetUserRequest, GetUserRequestSchema, type GetUserResponse, GetUserResponseSchema } from '#proto/shop/user/v1/user_pb.js';

import { userOf } from './user.ts';

/** grpc-js alone, with the same codec: what the runtime is measured against. */
const server = new Server();
server.addService(
  {
    getUser: {
      path: '/shop.user.v1.UserService/GetUser',
      requestStream: false,
      responseStream: false,
      requestSerialize: (message: GetUserRequest) => Buffer.from(toBinary(GetUserRequestSchema, message)),
      requestDeserialize: (bytes: Buffer) => fromBinary(GetUserRequestSchema, bytes),
      responseSerialize: (message: GetUserResponse) => Buffer.from(toBinary(GetUserResponseSchema, message)),
      responseDeserialize: (bytes: Buffer) => fromBinary(GetUserResponseSchema, bytes),
    },
  },
  {
    getUser: (call: ServerUnaryCall<GetUserRequest, GetUserResponse>, callback: sendUnaryData<GetUserResponse>) => {
      callback(null, create(GetUserResponseSchema, userOf(call.request.userId)));
    },
  },
);
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  process.send?.({ port });
});
process.on('disconnect', () => process.exit(0));
