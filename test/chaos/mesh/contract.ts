import { create, createFileRegistry, type DescService, fromBinary, type MessageInitShape, setExtension, toBinary } from '@bufbuild/protobuf';
import {
  durationFromMs,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  MethodOptions_IdempotencyLevel as Level,
  type MethodOptions,
  MethodOptionsSchema,
} from '@bufbuild/protobuf/wkt';

import type { CallOptions, Client, Handlers } from '#mesh';
import { Criticality, file_mesh_v1_options as options, method as policy, type MethodPolicy, MethodPolicySchema } from '#proto/mesh/v1/options_pb.js';

/** What the load sends: an id that no other call has. */
export interface LoadRequest {
  readonly id: string;
}

export interface LoadReply {
  readonly instance: string;
}

/** The kinds of calls that a load is made of: read twice without harm; an effect each time; one that can be done without. */
export const KINDS = ['read', 'apply', 'browse', 'hedged'] as const;
export type Kind = (typeof KINDS)[number];

function methodOptions(level: Level, fields: MessageInitShape<typeof MethodPolicySchema>): MethodOptions {
  const made = create(MethodOptionsSchema, { idempotencyLevel: level });
  setExtension(made, policy, create(MethodPolicySchema, { deadline: durationFromMs(1_000), ...fields }) satisfies MethodPolicy);
  return made;
}

const field = (name: string, number: number) => ({ name, jsonName: name, number, label: Label.OPTIONAL, type: Type.STRING });
const rpc = (service: string, name: string, level: Level, fields: MessageInitShape<typeof MethodPolicySchema> = {}) => ({
  ...{ name, inputType: `.test.${service}.v1.Request`, outputType: `.test.${service}.v1.Reply` },
  options: methodOptions(level, fields),
});

const fileOf = (service: string): FileDescriptorProto =>
  create(FileDescriptorProtoSchema, {
    name: `test/${service}/v1/load.proto`,
    package: `test.${service}.v1`,
    syntax: 'proto3',
    dependency: ['mesh/v1/options.proto'],
    messageType: [
      { name: 'Request', field: [field('id', 1)] },
      { name: 'Reply', field: [field('instance', 1)] },
    ],
    service: [
      {
        name: 'LoadService',
        method: [
          rpc(service, 'Read', Level.NO_SIDE_EFFECTS),
          rpc(service, 'Apply', Level.IDEMPOTENCY_UNKNOWN),
          rpc(service, 'Browse', Level.NO_SIDE_EFFECTS, { criticality: Criticality.SHEDDABLE }),
          rpc(service, 'Hedged', Level.NO_SIDE_EFFECTS, { hedged: true }),
        ],
      },
    ],
  });

/**
 * The contract of the loads, for a service of any name. Made here and not in `proto/`, for it is no part of the shop: the
 * shop's own contracts have no method that may not be called twice, and a mesh must not call such a one twice.
 */
export function loadContract(service: string): DescService {
  // Through bytes: an extension that was set on a message counts as unknown to the descriptors otherwise.
  const described = fromBinary(FileDescriptorProtoSchema, toBinary(FileDescriptorProtoSchema, fileOf(service)));
  const registry = createFileRegistry(described, (name) =>
    name === options.proto.name ? options : options.dependencies.find(({ proto }) => proto.name === name),
  );
  const found = registry.getService(`test.${service}.v1.LoadService`);
  if (!found) throw new Error('the contract of the loads has no service');
  return found;
}

/** The stub of {@link loadContract}, whose type the compiler cannot know. */
export type LoadClient = { readonly [K in Kind]: (request: LoadRequest, options?: CallOptions) => Promise<LoadReply> };

export function asLoadClient(client: Client<DescService>): LoadClient {
  // Its methods are those described above.
  return client as unknown as LoadClient;
}

export type LoadHandler = (request: LoadRequest) => Promise<LoadReply>;

export function loadHandlers(handlers: { readonly [K in Kind]: LoadHandler }): Handlers<DescService> {
  // The same on the other side.
  return handlers as unknown as Handlers<DescService>;
}
