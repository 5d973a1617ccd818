import { createFileRegistry, create, type DescMethod, type FileRegistry, fromBinary, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { type ChannelInterface, Client, credentials, type MethodDefinition } from '@grpc/grpc-js';
import { loadFileDescriptorSetFromBuffer, type PackageDefinition } from '@grpc/proto-loader';

import { MeshError, refusal } from '#kit';
import { fromStatus, isServiceError } from '#mesh';
import {
  ServerReflection,
  ServerReflectionRequestSchema,
  type ServerReflectionResponse,
  ServerReflectionResponseSchema,
} from '#proto/grpc/reflection/v1/reflection_pb.js';

/** A method learnt from the server itself. */
export interface ReflectedMethod {
  /** Path and kind of streaming, as proto-loader reads them from the server's descriptors. */
  readonly definition: MethodDefinition<object, object>;
  /** The same method for JSON: names, enums, times and unknown fields as the proto3 JSON mapping has them. */
  readonly desc: DescMethod;
  readonly registry: FileRegistry;
}

type Ask = Parameters<typeof create<typeof ServerReflectionRequestSchema>>[1];

/** Asks the server for a method by `PlaceOrder` or `shop.order.v1.OrderService/PlaceOrder`. UNKNOWN_METHOD lists what is the server's own. */
export async function reflectMethod(channel: ChannelInterface, wanted: string, deadline: number): Promise<ReflectedMethod> {
  const services = await serviceNames(channel, deadline);
  const slash = wanted.lastIndexOf('/');
  const candidates = slash < 0 ? services : services.filter((name) => name === wanted.slice(0, slash));
  const known: string[] = [];
  for (const service of candidates) {
    const found = await methodsOf(channel, service, deadline);
    const method = found.methods.find(({ name }) => name.toLowerCase() === wanted.slice(slash + 1).toLowerCase());
    if (method) return found.reflect(method);
    if (isOwn(service)) known.push(...found.methods.map(({ name }) => name));
  }
  throw refusal('UNKNOWN_METHOD', `there is no method ${wanted}; this server has ${(known.length ? known : services.filter(isOwn)).join(', ')}`);
}

async function serviceNames(channel: ChannelInterface, deadline: number): Promise<string[]> {
  const answer = await reflect(channel, { messageRequest: { case: 'listServices', value: '' } }, deadline);
  if (answer.messageResponse.case !== 'listServicesResponse') return [];
  const names = answer.messageResponse.value.service.map(({ name }) => name);
  // Own methods win over those every server has.
  return [...names.filter(isOwn), ...names.filter((name) => /^(mesh|grpc\.health)\./.test(name))];
}

/** Not one that every server of a mesh has: what it says of itself, its health, its reflection. */
function isOwn(service: string): boolean {
  return !/^(mesh|grpc)\./.test(service);
}

async function methodsOf(
  channel: ChannelInterface,
  service: string,
  deadline: number,
): Promise<{ methods: readonly DescMethod[]; reflect(method: DescMethod): ReflectedMethod }> {
  const answer = await reflect(channel, { messageRequest: { case: 'fileContainingSymbol', value: service } }, deadline);
  if (answer.messageResponse.case !== 'fileDescriptorResponse') return { methods: [], reflect: unreachable };
  const file = answer.messageResponse.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
  const set = create(FileDescriptorSetSchema, { file: dependenciesFirst(file) });
  const registry = createFileRegistry(set);
  const methods = registry.getService(service)?.methods ?? [];
  const loaded = loadFileDescriptorSetFromBuffer(Buffer.from(toBinary(FileDescriptorSetSchema, set)));
  return { methods, reflect: (desc) => ({ desc, registry, definition: definitionOf(loaded, service, desc.name) }) };
}

function unreachable(): never {
  throw new Error('a service without methods has none to reflect');
}

/** Servers send a file before or after what it imports; the registry wants imports first. */
function dependenciesFirst<File extends { name: string; dependency: string[] }>(files: readonly File[]): File[] {
  const byName = new Map(files.map((file) => [file.name, file]));
  const ordered = new Set<File>();
  const visit = (file: File | undefined): void => {
    if (!file || ordered.has(file)) return;
    for (const name of file.dependency) visit(byName.get(name));
    ordered.add(file);
  };
  files.forEach(visit);
  return [...ordered];
}

function definitionOf(loaded: PackageDefinition, service: string, method: string): MethodDefinition<object, object> {
  const definition = loaded[service];
  const found = definition && !('format' in definition) ? definition[method] : undefined;
  if (!found) throw refusal('UNKNOWN_METHOD', `the server describes ${service}/${method} in a way that cannot be read`);
  // A service's entries are its method definitions; proto-loader's index type also allows messages.
  return found as unknown as MethodDefinition<object, object>;
}

/** One question to the server's reflection service. */
function reflect(channel: ChannelInterface, request: Ask, deadline: number): Promise<ServerReflectionResponse> {
  const client = new Client('', credentials.createInsecure(), { channelOverride: channel });
  return new Promise((resolve, reject) => {
    const stream = client.makeBidiStreamRequest(
      `/${ServerReflection.typeName}/ServerReflectionInfo`,
      (message: ReturnType<typeof create<typeof ServerReflectionRequestSchema>>) => Buffer.from(toBinary(ServerReflectionRequestSchema, message)),
      (bytes) => fromBinary(ServerReflectionResponseSchema, bytes),
      { deadline },
    );
    stream.on('data', (response: ServerReflectionResponse) => {
      resolve(response);
      stream.end();
    });
    stream.on('error', (error) => reject(isServiceError(error) ? fromStatus(error) : MeshError.from(error)));
    stream.on('end', () => reject(refusal('UNREACHABLE', 'the server ended the reflection call without an answer')));
    stream.write(create(ServerReflectionRequestSchema, request));
  });
}
