import { create, createFileRegistry, type FileRegistry, fromBinary, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { Client, credentials } from '@grpc/grpc-js';

import {
  type ServerReflectionRequest,
  ServerReflectionRequestSchema,
  type ServerReflectionResponse,
  ServerReflectionResponseSchema,
} from '#proto/grpc/reflection/v1/reflection_pb.js';

export type ReflectionVersion = 'v1' | 'v1alpha';

type Question = Exclude<ServerReflectionRequest['messageRequest'], { case: undefined }>;
type Answer = ServerReflectionResponse['messageResponse'];

/** One reflection stream, asked as often as one likes. */
export interface ReflectionStream {
  ask(question: Question): Promise<Answer>;
  close(): void;
}

/** A raw client of server reflection: knows no contract but that of reflection itself. Both versions have the same bytes. */
export function openReflection(port: number, version: ReflectionVersion = 'v1'): ReflectionStream {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), { 'grpc.enable_http_proxy': 0 });
  const stream = client.makeBidiStreamRequest(
    `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
    (request: ServerReflectionRequest) => Buffer.from(toBinary(ServerReflectionRequestSchema, request)),
    (bytes) => fromBinary(ServerReflectionResponseSchema, bytes),
  );
  const waiting: PromiseWithResolvers<Answer>[] = [];
  stream.on('data', (response: ServerReflectionResponse) => waiting.shift()?.resolve(response.messageResponse));
  stream.on('error', (error) => {
    for (const { reject } of waiting.splice(0)) reject(error);
  });
  return {
    ask(messageRequest) {
      const answered = Promise.withResolvers<Answer>();
      waiting.push(answered);
      stream.write(create(ServerReflectionRequestSchema, { messageRequest }));
      return answered.promise;
    },
    close() {
      stream.end();
      client.close();
    },
  };
}

/** The files of an answer, in a registry; empty when the answer is another one. */
export function registryOf(answer: Answer): FileRegistry {
  const bytes = answer.case === 'fileDescriptorResponse' ? answer.value.fileDescriptorProto : [];
  const files = bytes.map((file) => fromBinary(FileDescriptorProtoSchema, file));
  const byName = new Map(files.map((file) => [file.name, file]));
  // The registry wants a file after those it imports.
  const ordered = new Set<(typeof files)[number]>();
  const add = (name: string): void => {
    const file = byName.get(name);
    if (!file || ordered.has(file)) return;
    file.dependency.forEach(add);
    ordered.add(file);
  };
  for (const { name } of files) add(name);
  return createFileRegistry(create(FileDescriptorSetSchema, { file: [...ordered] }));
}
