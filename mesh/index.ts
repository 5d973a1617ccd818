export { type Hosted, type Listening, type Mesh, type MeshOptions, createMesh } from './mesh.ts';
export type { CallOptions, Client } from './client/client.ts';
export type { Handlers } from './server/handlers.ts';
export type { ClientCall, ClientInterceptor, Invoke, Reply, ServerCall, ServerInterceptor } from './call.ts';
export { type CallContext, currentCall } from './call-context.ts';
export { describeMethod, type Method, serviceName } from './method.ts';
export { fromStatus, isServiceError, toStatus } from './status.ts';
export { warmUpValidation } from './server/validation.ts';
