import { create, type DescMessage, type DescMethodUnary, fromBinary, type MessageInitShape, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { type ChannelCredentials, Client, credentials, Metadata } from '@grpc/grpc-js';

/** Calls the services on one port: bare grpc-js, the same for everybody, and not traced. */
export interface Caller {
  /** @param bearer the header `authorization`; left out: nobody is signed in */
  call<I extends DescMessage, O extends DescMessage>(method: DescMethodUnary<I, O>, request: MessageInitShape<I>, bearer?: string): Promise<MessageShape<O>>;
  close(): void;
}

/** That of PlaceOrder in the contract; the others are answered long before. */
const DEADLINE_MS = 15_000;

/** @param how default: in plaintext */
export function openCaller(port: number, how: ChannelCredentials = credentials.createInsecure()): Caller {
  // Whom TLS is to find there; without TLS it says nothing.
  const client = new Client(`127.0.0.1:${port}`, how, { 'grpc.ssl_target_name_override': 'order' });
  return {
    call: ({ parent, name, input, output }, request, bearer) =>
      new Promise((resolve, reject) => {
        client.makeUnaryRequest(
          `/${parent.typeName}/${name}`,
          (message: typeof request) => Buffer.from(toBinary(input, create(input, message))),
          (bytes) => fromBinary(output, bytes),
          request,
          metadataOf(bearer),
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

function metadataOf(bearer: string | undefined): Metadata {
  const metadata = new Metadata();
  if (bearer !== undefined) metadata.set('authorization', bearer);
  return metadata;
}
