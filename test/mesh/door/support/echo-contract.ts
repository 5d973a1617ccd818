import { create, createFileRegistry, type DescMessage, type DescService, fromBinary, type Message, toBinary } from '@bufbuild/protobuf';
import { FieldDescriptorProto_Label as Label, FieldDescriptorProto_Type as Type, FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';

import { framed } from '../../support/raw-call.ts';

const TYPE = '.test.door.v1.Payload';
const rpc = (name: string, clientStreaming: boolean, serverStreaming: boolean) => ({ name, inputType: TYPE, outputType: TYPE, clientStreaming, serverStreaming });

const FILE = create(FileDescriptorProtoSchema, {
  name: 'test/door/v1/door.proto',
  package: 'test.door.v1',
  syntax: 'proto3',
  messageType: [{ name: 'Payload', field: [{ name: 'bytes', jsonName: 'bytes', number: 1, label: Label.OPTIONAL, type: Type.BYTES }] }],
  service: [{ name: 'DoorService', method: [rpc('Echo', false, false), rpc('Watch', false, true), rpc('Chat', true, true)] }],
});

/** A contract of this test alone: one call, one that is answered for as long as it is read, and one to talk on. */
const { service, message } = described();
export const contract: DescService = service;
export const ECHO = `/${contract.typeName}/Echo`;
export const WATCH = `/${contract.typeName}/Watch`;
export const CHAT = `/${contract.typeName}/Chat`;

/** A message of the contract, as it stands on the wire. */
export const MESSAGE = framed(payloadBytes(10));

/** A message of so many bytes, and its few bytes of overhead. */
export function payload(size: number): Message {
  return create(message, { bytes: new Uint8Array(size) });
}

export function payloadBytes(size: number): Uint8Array {
  return toBinary(message, payload(size));
}

function described(): { readonly service: DescService; readonly message: DescMessage } {
  // Through bytes: a registry wants every field set as a compiler sets it.
  const registry = createFileRegistry(fromBinary(FileDescriptorProtoSchema, toBinary(FileDescriptorProtoSchema, FILE)), () => undefined);
  const found = { service: registry.getService('test.door.v1.DoorService'), message: registry.getMessage('test.door.v1.Payload') };
  if (!found.service || !found.message) throw new Error('the contract of the door lacks its parts');
  return { service: found.service, message: found.message };
}
