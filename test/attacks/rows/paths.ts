import { type ClientHttp2Session, connect, constants } from 'node:http2';

import { type Attack, refused, succeeded } from '../attack.ts';
import { framed } from '../../mesh/support/raw-call.ts';

const PACKAGE = 'shop.product.v1';
const SERVICE = `${PACKAGE}.ProductService`;
const METHOD = 'ListProducts';
/** Anybody may look at what is for sale. */
const PROPER = `/${SERVICE}/${METHOD}`;

/** Spellings by which a router that tidies paths up would find the method, and names of what is no method. */
const ODD: readonly string[] = [
  ...['', '/', '*', '//', `/${SERVICE}`, `/${SERVICE}/`, `${SERVICE}/${METHOD}`],
  ...[`/${PROPER}`, `/${SERVICE}//${METHOD}`, `${PROPER}/`, `${PROPER}//`, `///${SERVICE}///${METHOD}`],
  ...[`/./${SERVICE}/${METHOD}`, `/${SERVICE}/./${METHOD}`, `/x/..${PROPER}`, `/${SERVICE}/x/../${METHOD}`, `/../..${PROPER}`],
  ...[`/%2e${PROPER}`, `/x/%2e%2e${PROPER}`, `/${SERVICE}%2f${METHOD}`, `/${SERVICE.replaceAll('.', '%2e')}/${METHOD}`, `/${SERVICE}/%4cistProducts`],
  ...[`${PROPER}?a=b`, `${PROPER}#a`, `${PROPER};a=b`, `${PROPER}%00`, `${PROPER}%20`, `${PROPER} `, ` ${PROPER}`, `${PROPER}\t`],
  ...[PROPER.toLowerCase(), PROPER.toUpperCase(), `/${SERVICE}/listProducts`, `/${PACKAGE}.productService/${METHOD}`],
  ...[`http://127.0.0.1${PROPER}`, `/${SERVICE}\\${METHOD}`, `/${SERVICE}.${METHOD}`, `/${SERVICE}/${METHOD}${'x'.repeat(10_000)}`, `/${'a/'.repeat(5_000)}`],
  ...[`/${PACKAGE}.ShelfService/${METHOD}`, `/${SERVICE}/DropProducts`, `/${SERVICE}/constructor`, `/${SERVICE}/__proto__`, '/constructor/toString', '/__proto__/__proto__'],
];

const OK = '0';
const UNIMPLEMENTED = '12';
const PATIENCE_MS = 5_000;

/** Paths that are almost that of a method: what decides about a call by its path must not be got around by another spelling. */
export function pathAttacks(portOf: () => number): readonly Attack[] {
  return [
    {
      name: 'paths',
      attack: `${ODD.length} odd spellings of a method's path`,
      must: 'reach no method: UNIMPLEMENTED, or no call at all',
      guard: 'paths that are compared as they are: a router that tidies them up',
      async run(guard) {
        const port = portOf();
        if ((await statusOf(port, PROPER)) !== OK) throw new Error(`${PROPER} itself is not answered, so nothing can be told of the others`);
        const answers: string[] = [];
        for (const path of ODD) answers.push(await statusOf(port, guard === 'on' ? path : tidied(path)));
        const reached = ODD.filter((_, index) => answers[index] === OK);
        const strange = ODD.filter((_, index) => ![OK, UNIMPLEMENTED, 'no call'].includes(answers[index] ?? ''));
        if (strange.length > 0) throw new Error(`answered otherwise: ${strange.map((path) => `${path.slice(0, 100)} ${answers[ODD.indexOf(path)]}`).join(', ')}`);
        if ((await statusOf(port, PROPER)) !== OK) throw new Error(`${PROPER} is not answered any more`);
        return (reached.length > 0 ? succeeded : refused)(`${reached.length} of ${ODD.length} reach the method`);
      },
    },
  ];
}

/** As a lenient web server would have it. */
function tidied(path: string): string {
  const url = URL.parse(path.trim().replaceAll(/(?<!:)\/{2,}/g, '/').replaceAll('\\', '/'), 'http://127.0.0.1');
  const parts = unescape(url?.pathname ?? '').split('/').map((part) => part.replace(/;.*/, '').trim()).filter(Boolean);
  const found = `/${parts.join('/')}`;
  return found.toLowerCase() === PROPER.toLowerCase() ? PROPER : found;
}

function unescape(path: string): string {
  try {
    return decodeURIComponent(path).replaceAll('\0', '');
  } catch {
    return path;
  }
}

/** The gRPC status of an empty request by hand; `no call` where there is none, since the stream or the connection was refused. */
async function statusOf(port: number, path: string): Promise<string> {
  const session = connect(`http://127.0.0.1:${port}`);
  // Being turned away is an answer.
  session.on('error', () => undefined);
  try {
    return await call(session, path);
  } finally {
    session.destroy();
  }
}

async function call(session: ClientHttp2Session, path: string): Promise<string> {
  const stream = session.request({ [constants.HTTP2_HEADER_METHOD]: 'POST', [constants.HTTP2_HEADER_PATH]: path, 'content-type': 'application/grpc', te: 'trailers' });
  let status = 'no call';
  const note = (headers: Readonly<Record<string, unknown>>): void => {
    const said = headers['grpc-status'];
    if (typeof said === 'string') status = said;
  };
  stream.on('response', note).on('trailers', note).on('error', () => undefined);
  const closed = new Promise<void>((resolve) => stream.once('close', resolve));
  stream.setTimeout(PATIENCE_MS, () => stream.destroy());
  stream.end(framed(new Uint8Array()));
  stream.resume();
  await closed;
  return status;
}
