import { type DescMethod, type DescService, getOption, hasOption } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel } from '@bufbuild/protobuf/wkt';

import { Criticality as Contract, method as methodPolicy, Repeat } from '#proto/mesh/v1/options_pb.js';

import { type AccessRule, readAccessRule } from './identity/access-rule.ts';

/** The deadline of a unary method whose contract names none. */
const DEFAULT_DEADLINE_MS = 5_000;

/** From what is shed last to what is shed first. */
export type Criticality = 'critical' | 'default' | 'sheddable';

/** What the runtime knows of a method, read once from its contract. */
export interface Method {
  readonly desc: DescMethod;
  /** `:path` on the wire, such as `/shop.order.v1.OrderService/PlaceOrder`. */
  readonly path: string;
  /** The path without its first slash: span name and `rpc.method`. */
  readonly fullName: string;
  readonly requestStreams: boolean;
  readonly responseStreams: boolean;
  /** The service to look up in the registry, such as `order`. */
  readonly destination: string;
  /** How long a call may take when its caller set no deadline. */
  readonly deadlineMs: number;
  /** Whether a second call with the same request has no second effect. Ask {@link mayRepeat} of a call. */
  readonly idempotent: boolean;
  /** Name in the message of the field that identifies the effect; undefined where none does. */
  readonly keyField: string | undefined;
  /** How a call is answered whose key has had its effect: with the first answer, or the resource as it is now. Undefined where there is no key. */
  readonly repeat: 'original' | 'resource' | undefined;
  /** Whether a second call may go out while the first one is on its way. */
  readonly hedged: boolean;
  /** Who is served first when not everybody can be. */
  readonly criticality: Criticality;
  /** Who may call; undefined where the contract does not say it, which the shop's all do. */
  readonly access: AccessRule | undefined;
}

const CRITICALITY: Readonly<Record<Contract, Criticality>> = {
  [Contract.UNSPECIFIED]: 'default',
  [Contract.CRITICAL]: 'critical',
  [Contract.DEFAULT]: 'default',
  [Contract.SHEDDABLE]: 'sheddable',
};

const REPEAT: Readonly<Record<Repeat, Method['repeat']>> = {
  [Repeat.UNSPECIFIED]: undefined,
  [Repeat.ORIGINAL]: 'original',
  [Repeat.RESOURCE]: 'resource',
};

const known = new WeakMap<DescMethod, Method>();

/** Reads a method's contract; the same object for the same descriptor. Throws for a contract that contradicts itself. */
export function describeMethod(desc: DescMethod): Method {
  const found = known.get(desc);
  if (found) return found;
  const policy = hasOption(desc, methodPolicy) ? getOption(desc, methodPolicy) : undefined;
  const fullName = `${desc.parent.typeName}/${desc.name}`;
  const method: Method = {
    desc,
    path: `/${fullName}`,
    requestStreams: desc.methodKind === 'client_streaming' || desc.methodKind === 'bidi_streaming',
    responseStreams: desc.methodKind === 'server_streaming' || desc.methodKind === 'bidi_streaming',
    fullName,
    destination: serviceName(desc.parent),
    deadlineMs: policy?.deadline ? Number(policy.deadline.seconds) * 1_000 + policy.deadline.nanos / 1e6 : defaultDeadlineMs(desc),
    hedged: policy?.hedged ?? false,
    criticality: CRITICALITY[policy?.criticality ?? Contract.UNSPECIFIED],
    access: readAccessRule(desc, policy),
    keyField: policy?.idempotencyKey ? keyFieldOf(desc, policy.idempotencyKey) : undefined,
    repeat: REPEAT[policy?.repeat ?? Repeat.UNSPECIFIED],
    idempotent: Boolean(policy?.idempotencyKey) || desc.idempotency !== MethodOptions_IdempotencyLevel.IDEMPOTENCY_UNKNOWN,
  };
  known.set(desc, method);
  return method;
}

/** A key that is not there would make every call of the method one that may be repeated. */
function keyFieldOf({ input, parent, name: method }: DescMethod, key: string): string {
  const field = input.fields.find(({ name }) => name === key);
  if (field) return field.localName;
  throw new Error(`${parent.typeName}/${method}: its idempotency_key "${key}" is no field of ${input.typeName}; name one of the request itself`);
}

/** Whether a call may be made again with the same request. One without its key would get another one from the server each time. */
export function mayRepeat(method: Method, request: object): boolean {
  return method.idempotent && (method.keyField === undefined || keyOf(method, request) !== '');
}

/** The idempotency key of a request; empty when it has none. Keys are strings, which a test of the contracts sees to. */
export function keyOf({ keyField }: Method, request: object): string {
  // The field is one of the request's message.
  return keyField === undefined ? '' : ((request as Readonly<Record<string, string | undefined>>)[keyField] ?? '');
}

/** A stream whose contract names no deadline, such as a health watch, lasts as long as its reader. */
function defaultDeadlineMs(desc: DescMethod): number {
  return desc.methodKind === 'unary' ? DEFAULT_DEADLINE_MS : Infinity;
}

/** The registry name of a contract: `order` for the package `shop.order.v1`. */
export function serviceName(service: DescService): string {
  const name = service.file.proto.package.split('.')[1];
  if (!name) throw new Error(`${service.typeName}: a contract's package is named <domain>.<service>.<version>`);
  return name;
}
