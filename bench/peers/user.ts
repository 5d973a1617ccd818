import { create, fromBinary, type Message, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { MethodDefinition } from '@grpc/grpc-js';

import { type GetUserRequest, GetUserRequestSchema, type GetUserResponse, GetUserResponseSchema } from '#proto/shop/user/v1/user_pb.js';

/** A field that no contract has: messages grow by it without a rule of the contract being in the way, as by a field that only newer callers know. */
const PADDING_FIELD = 100;

/** The call that every peer makes; `paddingBytes` is what it holds beyond the id of the user. */
export function requestOf(userId: string, paddingBytes: number): GetUserRequest {
  const request = create(GetUserRequestSchema, { userId });
  if (paddingBytes > 0) {
    const data = new BinaryWriter().bytes(new Uint8Array(paddingBytes)).finish();
    request.$unknown = [{ no: PADDING_FIELD, wireType: WireType.LengthDelimited, data }];
  }
  return request;
}

/** What every server answers: from memory, so that only the call is measured, and as large as the question. */
export function answerTo(request: GetUserRequest): GetUserResponse {
  const createTime = timestampFromMs(1_700_000_000_000);
  const user = { userId: request.userId, email: 'someone@example.com', displayName: 'Someone', createTime };
  const answer = create(GetUserResponseSchema, { user });
  if (request.$unknown) answer.$unknown = request.$unknown;
  return answer;
}

/** Throws unless it is the answer to this request: what is fast because it does not do the work is not measured. */
export function checkAnswer(request: GetUserRequest, answer: GetUserResponse): void {
  const isRight = answer.user?.userId === request.userId && paddingOf(answer) === paddingOf(request);
  if (!isRight) throw new Error('a server answered something else than it was asked');
}

function paddingOf({ $unknown }: Message): number {
  return $unknown?.find(({ no }) => no === PADDING_FIELD)?.data.length ?? 0;
}

/** The method as grpc-js wants it, with the codec that everybody uses. */
export const getUserMethod: MethodDefinition<GetUserRequest, GetUserResponse> = {
  path: '/shop.user.v1.UserService/GetUser',
  requestStream: false,
  responseStream: false,
  requestSerialize: (message) => Buffer.from(toBinary(GetUserRequestSchema, message)),
  requestDeserialize: (bytes) => fromBinary(GetUserRequestSchema, bytes),
  responseSerialize: (message) => Buffer.from(toBinary(GetUserResponseSchema, message)),
  responseDeserialize: (bytes) => fromBinary(GetUserResponseSchema, bytes),
};
