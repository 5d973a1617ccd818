import { create, type DescFile, type DescService, fromBinary, toBinary } from '@bufbuild/protobuf';
import { nestedTypes } from '@bufbuild/protobuf/reflect';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import type { MethodDefinition, Server, ServerDuplexStream } from '@grpc/grpc-js';

import { CODES } from '#kit';
import { file_google_rpc_error_details } from '#proto/google/rpc/error_details_pb.js';
import * as v1 from '#proto/grpc/reflection/v1/reflection_pb.js';
import * as v1alpha from '#proto/grpc/reflection/v1alpha/reflection_pb.js';

type Request = v1.ServerReflectionRequest;
type Response = v1.ServerReflectionResponse;
type Answer = Response['messageResponse'];

/**
 * Server reflection, v1 and v1alpha (https://grpc.io/docs/guides/reflection/), from the
 * generated descriptors: unlike ones rebuilt by a loader they keep file names and options
 * (deadlines, validation rules), and cost nothing until somebody asks.
 */
export function addReflection(server: Server, services: readonly DescService[]): void {
  const index = createIndex(services);
  for (const service of [v1.ServerReflection, v1alpha.ServerReflection]) serve(server, service, index);
}

/** Both versions have the same messages on the wire, so the types of v1 serve both. */
function serve(server: Server, service: DescService, index: Index): void {
  const definition: MethodDefinition<Request, Response> = {
    path: `/${service.typeName}/ServerReflectionInfo`,
    requestStream: true,
    responseStream: true,
    requestSerialize: (request) => Buffer.from(toBinary(v1.ServerReflectionRequestSchema, request)),
    requestDeserialize: (bytes) => fromBinary(v1.ServerReflectionRequestSchema, bytes),
    responseSerialize: (response) => Buffer.from(toBinary(v1.ServerReflectionResponseSchema, response)),
    responseDeserialize: (bytes) => fromBinary(v1.ServerReflectionResponseSchema, bytes),
  };
  const serverReflectionInfo = (stream: ServerDuplexStream<Request, Response>): void => {
    stream.on('data', (request: Request) => {
      const response = create(v1.ServerReflectionResponseSchema, {
        validHost: request.host,
        originalRequest: request,
        messageResponse: index.answer(request.messageRequest),
      });
      if (stream.write(response)) return;
      // A client that asks and does not read waits for its own answers, not in our memory.
      stream.pause();
      stream.once('drain', () => stream.resume());
    });
    stream.on('end', () => stream.end());
    stream.on('error', () => stream.end());
  };
  server.addService({ serverReflectionInfo: definition }, { serverReflectionInfo });
}

/** Longer than any name a contract has; what is longer is not looked up. */
const MAX_SYMBOL_LENGTH = 1_000;

interface Index {
  answer(request: Request['messageRequest']): Answer;
}

function createIndex(services: readonly DescService[]): Index {
  const files = new Map<string, DescFile>();
  for (const service of services) collect(service.file, files);
  // No contract imports them, but every error carries them: clients ask what they mean.
  collect(file_google_rpc_error_details, files);

  const fileOfType = new Map<string, DescFile>();
  for (const file of files.values()) for (const type of nestedTypes(file)) fileOfType.set(type.typeName, file);

  /** A method, field or enum value is found under the type it belongs to. */
  function fileOfSymbol(symbol: string): DescFile | undefined {
    if (symbol.length > MAX_SYMBOL_LENGTH) return undefined;
    for (let name = symbol; name !== ''; name = name.slice(0, Math.max(0, name.lastIndexOf('.')))) {
      const file = fileOfType.get(name);
      if (file) return file;
    }
    return undefined;
  }

  function extensionsOf(typeName: string): { number: number; file: DescFile }[] {
    const found = [];
    for (const file of files.values()) {
      for (const extension of file.extensions) {
        if (extension.extendee.typeName === typeName) found.push({ number: extension.number, file });
      }
    }
    return found;
  }

  function answer(request: Request['messageRequest']): Answer {
    switch (request.case) {
      case 'listServices':
        return { case: 'listServicesResponse', value: listOf(services) };
      case 'fileByFilename':
        return withDependencies(files.get(request.value), request.value);
      case 'fileContainingSymbol':
        return withDependencies(fileOfSymbol(request.value), request.value);
      case 'fileContainingExtension': {
        const { containingType, extensionNumber } = request.value;
        const found = extensionsOf(containingType).find(({ number }) => number === extensionNumber);
        return withDependencies(found?.file, `${containingType} extension ${extensionNumber}`);
      }
      case 'allExtensionNumbersOfType':
        return extensionNumbers(request.value, extensionsOf(request.value).map(({ number }) => number));
      default:
        return failure('UNIMPLEMENTED', 'this kind of reflection request is not known');
    }
  }
  return { answer };
}

function collect(file: DescFile, files: Map<string, DescFile>): void {
  if (files.has(fileName(file))) return;
  files.set(fileName(file), file);
  for (const dependency of file.dependencies) collect(dependency, files);
}

function withDependencies(file: DescFile | undefined, asked: string): Answer {
  if (!file) return failure('NOT_FOUND', `${asked} is not known here`);
  const needed = new Map<string, DescFile>();
  collect(file, needed);
  const fileDescriptorProto = [...needed.values()].map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto));
  return { case: 'fileDescriptorResponse', value: create(v1.FileDescriptorResponseSchema, { fileDescriptorProto }) };
}

function listOf(services: readonly DescService[]): v1.ListServiceResponse {
  return create(v1.ListServiceResponseSchema, { service: services.map(({ typeName }) => ({ name: typeName })) });
}

function extensionNumbers(baseTypeName: string, extensionNumber: number[]): Answer {
  return { case: 'allExtensionNumbersResponse', value: create(v1.ExtensionNumberResponseSchema, { baseTypeName, extensionNumber }) };
}

function failure(code: 'NOT_FOUND' | 'UNIMPLEMENTED', errorMessage: string): Answer {
  return { case: 'errorResponse', value: create(v1.ErrorResponseSchema, { errorCode: CODES.indexOf(code), errorMessage }) };
}

function fileName(file: DescFile): string {
  return file.proto.name;
}
