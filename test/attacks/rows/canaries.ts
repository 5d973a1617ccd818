import { randomUUID } from 'node:crypto';

import { MeshError } from '#kit';

import { until } from '../../database/until.ts';
import type { Shop } from '../../shop/shop-fixture.ts';
import { type Attack, refused, succeeded } from '../attack.ts';
import { newVictim, PASSWORD, type Victim } from '../attacked-shop.ts';
import { type Place, placesOf } from '../canaries/places.ts';
import { ALLOWANCES, findSecrets } from '../canaries/search.ts';
import { type Canary, canaryOf, secretsOf } from '../canaries/secrets.ts';
import { readSpans } from '../shop-places.ts';

const PLACES = ['logs', 'spans', 'errors', 'tables', 'files', 'processes', 'config'] as const;
const ABOUT: Readonly<Record<(typeof PLACES)[number], string>> = {
  logs: 'the logs at their finest level',
  spans: 'the spans that the collector has',
  errors: 'the errors that callers get',
  tables: 'the rows of all tables, events and stored answers among them',
  files: 'all files that the shop keeps, the database\'s own among them',
  processes: 'arguments and environments of the processes of the shop',
  config: 'what `mesh config` prints',
};
const SHOWN = 5;

/** A shop whose secrets have all been used, also where they were refused. */
interface Searched {
  readonly secrets: readonly Canary[];
  readonly places: readonly Place[];
}

/** The secrets of people, of operators and of the shop itself, looked for wherever they could have got to. */
export function canaryAttacks(shopOf: () => Shop): readonly Attack[] {
  let searched: Promise<Searched> | undefined;
  return PLACES.map((name) => ({
    name: `canary-${name}`,
    attack: `secrets in ${ABOUT[name]}`,
    must: 'are not found outside their place',
    guard: 'care: a secret that is put there',
    async run(guard) {
      const { secrets, places } = await (searched ??= useSecrets(shopOf()));
      const place = places.find((one) => one.name === name);
      if (!place) throw new Error(`there is no place ${name}`);
      return guard === 'on' ? search(place, secrets) : searchForPlanted(place);
    },
  }));
}

async function search(place: Place, secrets: readonly Canary[]) {
  const contents = await place.read();
  const bytes = [...contents.values()].reduce((sum, content) => sum + content.length, 0);
  if (bytes === 0) throw new Error(`there is nothing in ${place.what}, so nothing was looked through`);
  const finds = findSecrets(contents, secrets, ALLOWANCES).map(({ secret, where }) => `${secret} in ${where}`);
  const facts = `${finds.length} finds of ${secrets.length} secrets in ${Math.ceil(bytes / 1_024)} KiB`;
  return finds.length === 0 ? refused(facts) : succeeded(`${facts}: ${[...new Set(finds)].slice(0, SHOWN).join('; ')}`);
}

/** Another secret, so that no search of this run finds it by mistake. */
async function searchForPlanted(place: Place) {
  const secret = `planted-${randomUUID()}`;
  const takeAway = await place.plant(secret);
  try {
    const finds = findSecrets(await place.read(), [canaryOf('planted', secret)], ALLOWANCES);
    return (finds.length > 0 ? succeeded : refused)(`${finds.length} finds of the one that was put there`);
  } finally {
    await takeAway();
  }
}

async function useSecrets(shop: Shop): Promise<Searched> {
  const before = callsIn(await readSpans(shop));
  const victim = await newVictim(shop);
  const wrong = { 'wrong password': `canary-wrong-${randomUUID()}`, 'new password': `canary-new-${randomUUID()}`, 'wrong code': `canary-code-${randomUUID()}`, 'wrong token': `canary-token-${randomUUID()}` };
  const errors = await misuse(shop, victim, wrong);
  // They come seconds later, and a search before would find nothing whatever is in them.
  await until('the spans of these calls have arrived', async () => callsIn(await readSpans(shop)) >= before + CALLS);
  return { secrets: await secretsOf(shop, victim, wrong), places: placesOf(shop, errors) };
}

/** Calls of the methods below by a new victim, one, and by `misuse`, eight. */
const CALLS = 9;

/** How many calls of these methods the collector knows. */
function callsIn(spans: string): number {
  return [...spans.matchAll(/"operationName":"[^"]*AccountService\/(?:SignIn|Refresh|ChangePassword|DeleteAccount|ResetPassword)"/g)].length;
}

/** Everything that may be refused because of a secret that is in it. */
async function misuse({ accounts, products }: Shop, { email, refreshToken, subjects }: Victim, wrong: Readonly<Record<string, string>>): Promise<Error[]> {
  const { 'wrong password': password = '', 'new password': newPassword = '', 'wrong code': code = '', 'wrong token': token = '' } = wrong;
  const verificationId = subjects['verification_id'] ?? '';
  const requestId = randomUUID();
  const calls = [
    accounts.signIn({ email, password }),
    accounts.signIn({ email: PASSWORD, password }),
    accounts.signIn({ email, password: password.repeat(20) }),
    accounts.verifyEmail({ verificationId, code }),
    accounts.resetPassword({ verificationId, code, newPassword }),
    accounts.refresh({ refreshToken: token, requestId }),
    accounts.changePassword({ refreshToken, currentPassword: password, newPassword }),
    accounts.deleteAccount({ refreshToken, password }),
    accounts.register({ email: PASSWORD, password: newPassword, displayName: 'Victim' }),
    products.getProduct({ productId: 'nothing' }, { headers: { authorization: `Bearer ${token}`, cookie: token, 'x-api-key': token } }),
  ];
  const results = await Promise.allSettled(calls);
  const errors = results.flatMap((result) => (result.status === 'rejected' ? [MeshError.from(result.reason)] : []));
  if (errors.length !== calls.length) throw new Error(`${calls.length - errors.length} misuses of secrets were not refused`);
  // Used up, so that the one that is looked for has been through every table.
  await accounts.refresh({ refreshToken, requestId });
  return errors;
}
