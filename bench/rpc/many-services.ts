import { clone, createFileRegistry, type DescMethodUnary, type DescService } from '@bufbuild/protobuf';
import { type FileDescriptorProto, FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';

import { file_shop_user_v1_user, type GetUserRequestSchema, type GetUserResponseSchema, UserService } from '#proto/shop/user/v1/user_pb.js';

/** A service of which only the name differs from the user service. */
export interface NamedService extends DescService {
  readonly method: { readonly getUser: DescMethodUnary<typeof GetUserRequestSchema, typeof GetUserResponseSchema> };
}

/** The registry name of service `index`. */
export function nameOf(index: number): string {
  return `s${index}`;
}

/** `:path` of the one method that is called. */
export function pathOf(index: number): string {
  return `/${packageOf(index)}.${UserService.name}/${UserService.method.getUser.name}`;
}

/** A contract like the user service's with a name of its own, and the same messages: contracts are found in the registry by name. */
export function namedService(index: number): NamedService {
  const packageName = packageOf(index);
  const file = renamed(packageName);
  const registry = createFileRegistry(file, (path) => (path === file_shop_user_v1_user.proto.name ? file_shop_user_v1_user : undefined));
  const service = registry.getService(`${packageName}.${UserService.name}`);
  if (!service) throw new Error(`${packageName} has no ${UserService.name}`);
  // Built from the user service's descriptor, whose methods have these types.
  return service as NamedService;
}

function packageOf(index: number): string {
  return `shop.${nameOf(index)}.v1`;
}

function renamed(packageName: string): FileDescriptorProto {
  const file = clone(FileDescriptorProtoSchema, file_shop_user_v1_user.proto);
  file.name = `${packageName.replaceAll('.', '/')}/user.proto`;
  file.package = packageName;
  file.messageType = [];
  file.dependency = [file_shop_user_v1_user.proto.name];
  return file;
}
