import type { DescMethod, DescService } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel as Level } from '@bufbuild/protobuf/wkt';
import { expect } from 'chai';

import { MeshError } from '#kit';
import { type AccessRule, describeMethod } from '#mesh';

import { findServices } from '../mesh/idempotency/find-services.ts';
import { useTracePropagation } from '../mesh/support/telemetry.ts';
import { allTables } from './cross-user/all-tables.ts';
import { type InProcessShop, type ShopInstance, startInProcessShop } from './cross-user/in-process-shop.ts';
import { type Person, signUp } from './cross-user/people.ts';
import { ATTEMPTS } from './cross-user/requests.ts';
import { buy, type Victim } from './cross-user/victim.ts';

/** Time enough for what ends by itself, also on a busy machine. */
const DEADLINE_MS = 15_000;
/** Of a stream; one that does not end by itself is over then. */
const STREAM_DEADLINE_MS = 150;

interface Guarded {
  readonly method: DescMethod;
  readonly fullName: string;
  readonly rule: AccessRule;
}

/** Found in the contracts: a method is tried the day it is written. */
const methods: readonly Guarded[] = (await findServices())
  .flatMap((service) => service.methods)
  .flatMap((method) => {
    const { access: rule, fullName } = describeMethod(method);
    return rule && !rule.everybody ? [{ method, fullName, rule }] : [];
  });

describe('what belongs to somebody else', function () {
  this.timeout(30_000);
  useTracePropagation();
  let shop: InProcessShop;
  let intruder: Person;
  let staff: Person;
  let owner: Person;
  /** What reads share: they leave it as it is. */
  let looked: Promise<Victim> | undefined;
  before(async () => {
    shop = await startInProcessShop();
    [intruder, staff, owner] = [await signUp(shop), await signUp(shop, 'staff'), await signUp(shop)];
  });
  after(() => shop?.stop());

  it('is tried by every method that is not public', () => {
    expect(Object.keys(ATTEMPTS), 'test/shop/cross-user/requests.ts').to.have.members(methods.map(({ fullName }) => fullName));
  });

  for (const guarded of methods) {
    describe(`is safe from ${guarded.fullName}`, () => {
      let victim: Victim;
      before(async () => {
        const isRead = guarded.method.idempotency === Level.NO_SIDE_EFFECTS;
        victim = isRead ? await (looked ??= buy(shop, owner, staff)) : await buy(shop, owner, staff);
      });
      const attempt = ATTEMPTS[guarded.fullName];
      if (attempt) describeMethodSafety(guarded, { attempt: () => attempt(victim), people: () => ({ intruder, staff, owner }), shopOf: () => shop });
    });
  }
});

interface Scene {
  readonly attempt: () => ReturnType<NonNullable<(typeof ATTEMPTS)[string]>>;
  readonly people: () => Readonly<Record<'intruder' | 'staff' | 'owner', Person>>;
  readonly shopOf: () => InProcessShop;
}

function describeMethodSafety({ method, rule }: Guarded, { attempt, people, shopOf }: Scene): void {
  it('without a token', async () => {
    await unchanged(method, shopOf(), async () => {
      expect(await outcomeOf(shopOf().guarded, method, attempt().request)).to.equal(rule.asksWho ? 'SIGN_IN_REQUIRED' : 'SERVICES_ONLY');
    });
  });

  it('in the hands of another user', async () => {
    await unchanged(method, shopOf(), async () => {
      expect(await outcomeOf(shopOf().guarded, method, attempt().request, people().intruder)).to.match(refusalOf(rule));
    });
  });

  if (rule.owner) {
    it('but not from its owner', async () => {
      const { request, otherwise = 'let in' } = attempt();
      expect(await outcomeOf(shopOf().guarded, method, request, people().owner)).to.equal(otherwise);
    });
  }

  if (rule.roles.length > 0) {
    it(`but not from ${rule.roles.join(' and ')}`, async () => {
      const { request, otherwise = 'let in' } = attempt();
      expect(await outcomeOf(shopOf().guarded, method, request, people().staff)).to.equal(otherwise);
    });
  }

  for (const service of rule.services) {
    it(`but not from ${service === '*' ? 'any service' : service}, as a service`, async () => {
      const { request, otherwise = 'let in' } = attempt();
      expect(await outcomeOf(shopOf().guarded, method, request, undefined, service === '*' ? 'shipping' : service)).to.equal(otherwise);
    });
  }

  it('only because its contract is enforced', async () => {
    const { request, otherwise = 'let in' } = attempt();
    expect(await outcomeOf(shopOf().open, method, request, people().intruder)).to.equal(otherwise);
  });
}

/** How another user is refused: where ids can be guessed, as if there were nothing. */
function refusalOf({ owner, roles }: AccessRule): RegExp {
  if (owner) return owner.kind === 'request' ? /^NOT_THE_OWNER$/ : /_NOT_FOUND$/;
  return roles.length > 0 ? /^ROLE_REQUIRED$/ : /^SERVICES_ONLY$/;
}

type Untyped = Readonly<Record<string, (request: object, options: object) => Promise<unknown> | AsyncIterable<unknown>>>;

/** `let in`, or the reason of the refusal. */
async function outcomeOf(instance: ShopInstance, { parent, localName, methodKind }: DescMethod, request: object, person?: Person, caller = ''): Promise<string> {
  // Every method of a contract is a function of its stub, and the requests are written for them.
  const stub = instance.stub<DescService>(parent, caller) as unknown as Untyped;
  const deadlineMs = methodKind === 'unary' ? DEADLINE_MS : STREAM_DEADLINE_MS;
  const options = { deadlineMs, ...(person && { headers: { authorization: `Bearer ${person.token}` } }) };
  try {
    const answer = stub[localName]?.(request, options);
    if (methodKind === 'unary') await answer;
    else for await (const _ of answer as AsyncIterable<unknown>) continue;
    return 'let in';
  } catch (thrown) {
    return MeshError.from(thrown).reason;
  }
}

/** Whatever tables there are, of whichever service. */
async function unchanged({ idempotency }: DescMethod, shop: InProcessShop, work: () => Promise<void>): Promise<void> {
  if (idempotency === Level.NO_SIDE_EFFECTS) return work();
  const before = await allTables(shop.database('order'));
  await work();
  expect(await allTables(shop.database('order'))).to.deep.equal(before);
}
