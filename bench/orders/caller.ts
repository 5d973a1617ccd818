import { create, type DescMessage, type DescMethodUnary, fromBinary, type MessageInitShape, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { Client, credentials } from '@grpc/grpc-js';

/** Calls the services on one port: bare grpc-js, the same for everybody, and not traced. */
export interface Caller {
  call<I extends DescMessage, O extends DescMessage>(method: DescMethodUnary<I, O>, request: MessageInitShape<I>): Promise<MessageShape<O>>;
  close(): void;
}

/** That of PlaceOrder in the contract; the others are answered long before. */
const DEADLINE_MS = 15_000;

export function openCaller(port: number): Caller {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  return {
    call: ({ parent, name, input, output }, request) =>
      new Promise((resolve, reject) => {
        client.makeUnaryRequest(
          `/${parent.typeName}/${name}`,
          (message: typeof request) => Buffer.from(toBinary(input, create(input, message))),
          (bytes) => fromBinary(output, bytes),
          request,
          { deadline: Date.now() + DEADLINE_MS },
          (error, answer) => {
            if (answer) resolve(answer);
            else reject(error ?? new Error('a call ended with neither an answer nor an error'));
          },
        );
      }),
    close: () => client.close(),
  };
}
