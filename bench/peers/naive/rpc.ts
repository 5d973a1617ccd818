import type { handleUnaryCall, ServiceClientConstructor, ServiceError, UntypedServiceImplementation } from '@grpc/grpc-js';

import type { Grpc } from './telemetry.ts';

/** What a service does, by its method. proto-loader types no message: each handler says what its contract has. */
export type Handlers = Readonly<Record<string, (request: never) => Promise<object>>>;

/** Calls a method by its name, as the contract writes it. */
export type Call = <Answer>(method: string, request: object) => Promise<Answer>;

const DEADLINE_MS = 5_000;

/** A refusal with a gRPC status. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** Serves on a free port and returns it. */
export function serve(grpc: Grpc, { service }: ServiceClientConstructor, handlers: Handlers): Promise<number> {
  const server = new grpc.Server();
  const implementation: UntypedServiceImplementation = {};
  for (const [method, handler] of Object.entries(handlers)) implementation[method] = unary(handler, grpc.status.INTERNAL);
  server.addService(service, implementation);
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => (error ? reject(error) : resolve(port)));
  });
}

function unary(handler: Handlers[string], internal: number): handleUnaryCall<unknown, object> {
  return ({ request }, callback) => {
    // proto-loader's messages are of any type; what is in this one, the handler's contract says.
    handler(request as never).then(
      (answer) => callback(null, answer),
      (thrown: Error) => callback({ code: thrown instanceof Refused ? thrown.code : internal, details: thrown.message }),
    );
  };
}

export function connect(grpc: Grpc, Client: ServiceClientConstructor, port: number): Call {
  const client = new Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  return <Answer>(method: string, request: object) =>
    new Promise<Answer>((resolve, reject) => {
      const options = { deadline: Date.now() + DEADLINE_MS };
      client[method]?.(request, options, (error: ServiceError | null, answer: Answer) => (error ? reject(error) : resolve(answer)));
    });
}
