import { randomUUID } from 'node:crypto';
import { runInNewContext } from 'node:vm';

import { until } from '../../database/until.ts';
import { findServices } from '../../mesh/idempotency/find-services.ts';
import type { Shop } from '../../shop/shop-fixture.ts';
import { type Attack, type Attempt, refused, succeeded } from '../attack.ts';
import { IS_FULL, newVictim, PASSWORD, SEED } from '../attacked-shop.ts';
import { databaseUrls, dumpTables, readLogs, readMails, schemaShape, textsOf, withClient } from '../shop-places.ts';
import { hostileStrings, type Kind } from '../strings/hostile-strings.ts';
import { isRendered, wrongInMail, wrongLogLines } from '../strings/marks-left.ts';
import { sendHostile } from '../strings/send-hostile.ts';

/** One that every topology has, and whose loss nobody could miss. */
const PREY = '"user".users';
const TABLE_ROWS = `SELECT count(*)::text FROM ${PREY}`;
const SCRATCH = 'attack_scratch.prey';
const SHOWN = 3;

const ABOUT = {
  sql: { what: 'SQL', must: 'stays a value: every table is as it was, nothing is worked out, no call breaks', guard: 'parameters: text put into a statement' },
  template: { what: 'templates', must: 'stays a value: nothing is worked out in answers, tables, logs or mails', guard: 'values that nobody renders: text put into a template' },
  log: { what: 'log lines', must: 'stays in its field: every line is one of ours', guard: 'JSON: text put into a line' },
  header: { what: 'mail headers', must: 'stays in its field: mails have our headers and one recipient', guard: 'an encoder: text put into a header' },
} as const satisfies Record<Kind, { what: string; must: string; guard: string }>;

/** Texts that would do harm if anybody put them together with others, in every text field of every method. */
export function injectionAttacks(shopOf: () => Shop): readonly Attack[] {
  return Object.entries(ABOUT).map(([name, { what, must, guard }]) => ({
    ...{ name, must, guard },
    attack: `${what} in every text field of every method`,
    // The keys of ABOUT are the kinds.
    run: (state) => (state === 'on' ? sendAll(name as Kind, shopOf()) : WITHOUT_GUARD[name as Kind](shopOf())),
  }));
}

async function sendAll(kind: Kind, shop: Shop): Promise<Attempt> {
  const [shape, rows] = [await schemaShape(shop), await rowsOfPrey(shop)];
  const { subjects } = await newVictim(shop);
  const services = await findServices();
  const { calls, taken, broken, answers } = await sendHostile(kind, { shop, services, subjects, table: PREY, seed: SEED, ...(!IS_FULL && { textsAField: 1 }) });
  await untilMailed(shop);
  const harm = [...broken, ...(await marksIn(shop, answers))];
  if ((await schemaShape(shop)).join('\n') !== shape.join('\n')) harm.push('the tables are not what they were');
  if ((await rowsOfPrey(shop)) < rows) harm.push('users are gone');
  if (taken === 0) throw new Error(`none of ${calls} texts was taken anywhere, so nothing was tried`);
  const facts = `${calls} calls, ${taken} took it as a value, ${harm.length} did harm`;
  return harm.length === 0 ? refused(facts) : succeeded(`${facts}: ${harm.slice(0, SHOWN).join('; ')}`);
}

/** Mails are sent behind the answers, in the order of what they tell: the last of them is one that this waits for. */
async function untilMailed(shop: Shop): Promise<void> {
  const email = `${randomUUID()}@example.com`;
  await shop.accounts.register({ email, password: PASSWORD, displayName: 'Last' });
  await until('the last mail is written', async () => (await readMails(shop)).some((mail) => mail.includes(email)));
}

async function rowsOfPrey(shop: Shop): Promise<number> {
  return withClient(shop.environment['DATABASE_OWNER_URL_USER'] ?? '', async (client) => Number((await textsOf(client, TABLE_ROWS))[0]));
}

async function marksIn(shop: Shop, answers: string): Promise<string[]> {
  const [logs, mails, tables] = await Promise.all([readLogs(shop), readMails(shop), dumpTables(shop)]);
  if (mails.length === 0 || tables === '' || logs === '') throw new Error('mails, tables or logs are empty, so nothing was looked through');
  const places = { answers, logs, mails: mails.join('\n'), tables };
  const inMails = (await Promise.all(mails.map(wrongInMail))).flat();
  return [
    ...Object.entries(places).filter(([, text]) => isRendered(text)).map(([place]) => `something was worked out in ${place}`),
    ...wrongLogLines(logs).map((line) => `a log line that is none: ${line.slice(0, 200)}`),
    ...inMails.map((wrong) => `a mail has ${wrong}`),
  ];
}

/** What a careless program does with the same texts: each shows that they bite, and that it would be seen. */
const WITHOUT_GUARD: Readonly<Record<Kind, (shop: Shop) => Promise<Attempt>>> = {
  async sql(shop) {
    const [url = ''] = databaseUrls(shop);
    const harmed: string[] = [];
    for (const text of hostileStrings('sql', SCRATCH)) if (await withClient(url, (client) => isHarmedBy(text, client))) harmed.push(text);
    return verdict(harmed.length, 'statements did harm');
  },
  async template() {
    const careless = (text: string): string => String(runInNewContext(`\`Hello ${text}\``, {}, { timeout: 1_000 }));
    return verdict(hostileStrings('template', '').filter((text) => isRendered(orElse(() => careless(text), ''))).length, 'templates were worked out');
  },
  async log() {
    const careless = (text: string): string => `{"level":"info","msg":"${text}"}`;
    return verdict(hostileStrings('log', '').filter((text) => wrongLogLines(careless(text)).length > 0).length, 'lines were forged');
  },
  async header() {
    const careless = (text: string): string => `From: shop@localhost\r\nTo: "${text}" <buyer@example.com>\r\nSubject: Hello ${text}\r\n\r\nHello`;
    const wrong = await Promise.all(hostileStrings('header', '').map((text) => wrongInMail(careless(text))));
    return verdict(wrong.filter(({ length }) => length > 0).length, 'mails were forged');
  },
};

/** On a table of its own, in a transaction that is taken back. */
async function isHarmedBy(text: string, client: Parameters<typeof textsOf>[0]): Promise<boolean> {
  await client.query(`BEGIN; CREATE SCHEMA attack_scratch; CREATE TABLE ${SCRATCH} (name text); INSERT INTO ${SCRATCH} VALUES ('secret')`);
  try {
    const shown = JSON.stringify(await client.query(`SELECT name FROM ${SCRATCH} WHERE name = '${text}'`));
    if (shown.includes('secret') || isRendered(shown)) return true;
    return (await textsOf(client, `SELECT count(*)::text FROM pg_tables WHERE schemaname = 'attack_scratch'`))[0] === '0' || (await textsOf(client, `SELECT count(*)::text FROM ${SCRATCH}`))[0] === '0';
  } catch {
    // This text is no statement here.
    return false;
  } finally {
    await client.query('ROLLBACK');
  }
}

function verdict(count: number, what: string): Attempt {
  return (count > 0 ? succeeded : refused)(`${count} ${what}`);
}

function orElse<T>(work: () => T, otherwise: T): T {
  try {
    return work();
  } catch {
    return otherwise;
  }
}
