import { type DescFile, type DescService, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { nestedTypes } from '@bufbuild/protobuf/reflect';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';

import { CODES } from '#kit';
import { file_google_rpc_error_details } from '#proto/google/rpc/error_details_pb.js';
import * as v1 from '#proto/grpc/reflection/v1/reflection_pb.js';
import * as v1alpha from '#proto/grpc/reflection/v1alpha/reflection_pb.js';

import type { Handlers } from './handlers.ts';
import { type Implementation, implement } from './implementation.ts';

type Request = v1.ServerReflectionRequest;
type Answer = NonNullable<Exclude<MessageInitShape<typeof v1.ServerReflectionResponseSchema>, v1.ServerReflectionResponse>['messageResponse']>;

/**
 * Server reflection, v1 and v1alpha (https://grpc.io/docs/guides/reflection/), from the
 * generated descriptors: unlike ones rebuilt by a loader they keep file names and options
 * (deadlines, validation rules), and cost nothing until somebody asks.
 */
export function reflectionOf(services: readonly DescService[]): readonly Implementation[] {
  const index = createIndex(services);
  const handlers: Handlers<typeof v1.ServerReflection> = {
    async *serverReflectionInfo(requests) {
      for await (const request of requests) {
        yield { validHost: request.host, originalRequest: request, messageResponse: index.answer(request.messageRequest) };
      }
    },
  };
  // The messages of v1alpha are those of v1 under another name, and answers are made of plain objects.
  const older = handlers as unknown as Handlers<typeof v1alpha.ServerReflection>;
  return [implement(v1.ServerReflection, handlers), implement(v1alpha.ServerReflection, older)];
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

  const written = new Map<DescFile, Uint8Array>();

  /** Each file is written once: all together are some 100 KB, and a peer may ask without end. */
  function bytesOf(file: DescFile): Uint8Array {
    const known = written.get(file);
    if (known) return known;
    const bytes = toBinary(FileDescriptorProtoSchema, file.proto);
    written.set(file, bytes);
    return bytes;
  }

  function withDependencies(file: DescFile | undefined, asked: string): Answer {
    if (!file) return failure('NOT_FOUND', `${asked} is not known here`);
    const needed = new Map<string, DescFile>();
    collect(file, needed);
    return { case: 'fileDescriptorResponse', value: { fileDescriptorProto: [...needed.values()].map(bytesOf) } };
  }

  function answer(request: Request['messageRequest']): Answer {
    switch (request.case) {
      case 'listServices':
        return listOf(services);
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

function listOf(services: readonly DescService[]): Answer {
  return { case: 'listServicesResponse', value: { service: services.map(({ typeName }) => ({ name: typeName })) } };
}

function extensionNumbers(baseTypeName: string, extensionNumber: number[]): Answer {
  return { case: 'allExtensionNumbersResponse', value: { baseTypeName, extensionNumber } };
}

function failure(code: 'NOT_FOUND' | 'UNIMPLEMENTED', errorMessage: string): Answer {
  return { case: 'errorResponse', value: { errorCode: CODES.indexOf(code), errorMessage } };
}

function fileName(file: DescFile): string {
  return file.proto.name;
}
