import type { DescMethod, DescService, Message } from '@bufbuild/protobuf';

import { MeshError } from '#kit';

import { sample } from '../../shop/faults/sample.ts';
import type { Shop } from '../../shop/shop-fixture.ts';
import { hostileStrings, type Kind } from './hostile-strings.ts';
import { type FieldPath, nameOfPath, stringFieldsOf, withText } from './string-fields.ts';
import { type Subjects, validRequest } from './valid-request.ts';

const AT_ONCE = 8;
const PATIENCE_MS = 15_000;
/** For the first message of a stream, which need not come at all. */
const STREAM_PATIENCE_MS = 500;
/** What a request may be answered with, whatever is in it. The rest says that something broke. */
const ORDERLY: ReadonlySet<string> = new Set([
  ...['INVALID_ARGUMENT', 'NOT_FOUND', 'ALREADY_EXISTS', 'FAILED_PRECONDITION', 'PERMISSION_DENIED', 'UNAUTHENTICATED'],
  ...['RESOURCE_EXHAUSTED', 'OUT_OF_RANGE', 'ABORTED'],
]);

/** What became of the texts of a kind. */
export interface Sent {
  readonly calls: number;
  /** Calls that succeeded: the text was taken as a value. */
  readonly taken: number;
  readonly broken: readonly string[];
  /** All answers, errors among them. */
  readonly answers: string;
}

interface Case {
  readonly method: DescMethod;
  readonly path: FieldPath;
  readonly text: string;
}

/** How a service is called: by the name of its method. */
type Calls = Readonly<Record<string, (request: Message, options: { signal: AbortSignal }) => Promise<Message> | AsyncIterable<Message>>>;

/** Where texts go, and how many of a kind each field gets. */
export interface Campaign {
  readonly shop: Shop;
  readonly services: readonly DescService[];
  readonly subjects: Subjects;
  readonly table: string;
  readonly seed: string;
  /** Default: all. */
  readonly textsAField?: number;
}

/** Puts hostile texts into every text field of every method, one at a time, and sends them. */
export async function sendHostile(kind: Kind, campaign: Campaign): Promise<Sent> {
  const results: Result[] = [];
  const queue = casesOf(kind, campaign).values();
  const work = async (): Promise<void> => {
    for (const one of queue) results.push(await send(one, campaign));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return {
    calls: results.length,
    taken: results.filter(({ isTaken }) => isTaken).length,
    broken: results.flatMap(({ broken }) => broken ?? []),
    answers: results.map(({ text }) => text).join('\n'),
  };
}

function casesOf(kind: Kind, { services, table, seed, textsAField = Infinity }: Campaign): Case[] {
  const all = hostileStrings(kind, table);
  return services.flatMap(({ methods }) =>
    methods.flatMap((method) =>
      stringFieldsOf(method.input).flatMap((path) => {
        const name = `${method.parent.typeName}/${method.name} ${nameOfPath(path)}`;
        return sample(all, textsAField, `${seed} ${name}`, (text) => text).map((text) => ({ method, path, text }));
      }),
    ),
  );
}

interface Result {
  /** The answer or the error. */
  readonly text: string;
  readonly isTaken: boolean;
  readonly broken: string | undefined;
}

async function send({ method, path, text }: Case, { shop, subjects }: Campaign): Promise<Result> {
  const request = withText(method.input, validRequest(method, subjects), path, text);
  const streams = method.methodKind === 'server_streaming';
  const signal = AbortSignal.timeout(streams ? STREAM_PATIENCE_MS : PATIENCE_MS);
  try {
    const answer = await answerOf(clientOf(shop, method.parent)[method.localName]?.(request, { signal }));
    return { text: inWords(answer), isTaken: true, broken: undefined };
  } catch (thrown) {
    // An open stream on which nothing happens: it was taken.
    if (streams && signal.aborted) return { text: '', isTaken: true, broken: undefined };
    const { code, reason, message, metadata, violations } = MeshError.from(thrown);
    const said = JSON.stringify({ code, reason, message, metadata, violations });
    const what = `${method.parent.typeName}/${method.name} ${nameOfPath(path)} ${JSON.stringify(text)}: ${said}`;
    return { text: said, isTaken: false, broken: ORDERLY.has(code) ? undefined : what };
  }
}

/** Of a stream only what comes first: the rest may be long in coming. */
async function answerOf(call: Promise<Message> | AsyncIterable<Message> | undefined): Promise<unknown> {
  if (call === undefined) throw new Error('the stub lacks the method');
  if (!(Symbol.asyncIterator in call)) return call;
  for await (const first of call) return first;
  return undefined;
}

function inWords(answer: unknown): string {
  return JSON.stringify(answer, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)) ?? '';
}

/** The stub of a contract in the shop. A contract without one must be given one there. */
function clientOf(shop: Shop, { typeName }: DescService): Calls {
  const stubs = {
    'shop.user.v1.UserService': shop.users,
    'shop.user.v1.AccountService': shop.accounts,
    'shop.product.v1.ProductService': shop.products,
    'shop.inventory.v1.InventoryService': shop.inventory,
    'shop.payment.v1.PaymentService': shop.payments,
    'shop.shipping.v1.ShippingService': shop.shipping,
    'shop.order.v1.OrderService': shop.orders,
    'shop.order.v1.SagaService': shop.sagas,
    'shop.notification.v1.NotificationService': shop.notifications,
  };
  const stub = Object.entries(stubs).find(([name]) => name === typeName)?.[1];
  if (!stub) throw new Error(`the shop of the tests has no stub of ${typeName}`);
  // Each of its methods takes a message of its own; the request was made of that method's descriptor.
  return stub as unknown as Calls;
}
