import { isIP } from 'node:net';

import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';

/**
 * A page in a browser can make its own name lead to this machine (DNS rebinding), and then asks as a program of this machine:
 * for a private key, or to let everybody in. Such a request names that page's host.
 */
export async function refuseForeignHosts(c: Context, next: () => Promise<void>): Promise<void> {
  const host = (c.req.header('host') ?? '').replace(/:\d+$/, '').replaceAll(/[[\]]/g, '');
  if (host !== 'localhost' && isIP(host) === 0) throw new HTTPException(403, { message: 'ask the embedded agent by the address of this machine, not by a name' });
  await next();
}
